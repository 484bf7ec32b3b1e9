//! `cargo xtask soak`: the promises that need many clients, small limits or much data, a row each. What this system has
//! no means for is not available, and every figure is measured here and now. A test plays each row in a small size.

mod client;
mod servers;

use std::io::Write;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use common::args::Args;
use common::narration::{Stdout, say};

use super::shown;
use crate::checks::{Ended, Tally, Verdict};
use crate::drawing::columns::width;
use crate::peers::script::NotAvailable;
use crate::programs::{build, cleanup, reexec, server::Server};
use crate::words::{Shown, Words};

/// How it is tried, and what is tried, in both languages.
type Row = (fn(Size) -> Result<Tried>, &'static str, &'static str);

#[rustfmt::skip]
static ROWS: [Row; 15] = [
    (servers::classroom, "500 clients, three names each, --delay 1", "500 个客户端，每个三个名字，--delay 1"),
    (servers::stop_while_talking, "Ctrl-C while 500 clients talk", "500 个客户端正在说话时按 Ctrl-C"),
    (servers::stop_twice, "Ctrl-C twice", "按两次 Ctrl-C"),
    (servers::ten_thousand, "10,000 clients in a burst: memory, and the next one", "一下子 10,000 个客户端：内存，以及下一个客户端"),
    (servers::too_many, "18,000 connections against the default limit", "18,000 个连接，上限为默认值"),
    (servers::resets, "200 resets while a reply is being delayed", "服务器还在想怎么回答，200 个客户端已经复位"),
    (servers::endless_name, "64 MiB without an end", "64 MiB，没有结尾"),
    (servers::never_reads, "a client floods and never reads; also at Ctrl-C", "客户端猛发而从不读；按 Ctrl-C 时也是"),
    (servers::no_descriptors, "all file descriptors in use", "描述符全部用完"),
    (servers::no_threads, "no more threads", "不能再启动线程"),
    (servers::full_output, "standard output on a full disk", "标准输出所在的磁盘已满"),
    (client::one_gigabyte, "tcp-client get: 1 GiB in each framing", "tcp-client get：1 GiB，每种定界方式各一次"),
    (client::endless_replies, "tcp-client get: a reply that never ends, ten ways", "tcp-client get：没完没了的响应，十种"),
    (client::full_disk, "tcp-client get: the disk is full", "tcp-client get：磁盘已满"),
    (servers::stop_in_the_flood, "udp-server: Ctrl-C in the flood", "udp-server：数据报不断涌来时按 Ctrl-C"),
];

/// Whether the promise held, and the figures.
type Tried = (bool, Words);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    /// All that its sentence says.
    Whole,
    /// Few of everything, beside other rows: limits of time and memory say nothing then.
    Small,
}

impl Size {
    fn of<T>(self, whole: T, small: T) -> T {
        if self == Self::Whole { whole } else { small }
    }

    /// Whether a limit that counts for the whole is kept.
    fn within<T: PartialOrd + Copy>(self, measured: T, limit: T) -> bool {
        self == Self::Small || measured <= limit
    }
}

fn verdict((run, ..): &Row, size: Size) -> (Verdict, Words) {
    let failed = |how: Words| (Verdict::Failed(how.clone()), how);
    match run(size).map_err(anyhow::Error::downcast) {
        Ok((true, figures)) => (Verdict::Passed, figures),
        Ok((false, figures)) => failed(figures),
        Err(Ok(NotAvailable(why))) => {
            let Words { en, zh } = &why;
            let shown = words!("not available here: {en}", "此处无法测试：{zh}");
            (Verdict::NotAvailable(why), shown)
        }
        Err(Err(e)) => failed(words!("{e:#}", "{e:#}")),
    }
}

/// Plays every row in its small size, all of them at once; returns those that fail, and how.
pub fn failures_in_small() -> Vec<String> {
    let failure = |row: &Row| match verdict(row, Size::Small) {
        (Verdict::Failed(_), how) => Some(format!("{}: {}", row.1, how.en)),
        _ => None,
    };
    thread::scope(|scope| {
        let playing: Vec<_> = ROWS.iter().map(|row| scope.spawn(move || failure(row))).collect();
        let panicked = |_| Some("a row panicked".into());
        playing.into_iter().filter_map(|row| row.join().unwrap_or_else(panicked)).collect()
    })
}

pub fn run(mut args: Args) -> Result<()> {
    const COLUMNS: usize = 52;
    let style = shown::style(&mut args)?;
    let lang = style.lang;
    args.finish()?;
    if cfg!(unix) && !reexec::is_again() {
        return reexec::start_again(&build::path_of("xtask")?);
    }
    cleanup::close_on_interrupt()?;
    let mut tally = Tally::default();
    for row in &ROWS {
        let tried = lang.pick(row.1, row.2);
        let pad = " ".repeat(COLUMNS.saturating_sub(width(tried)));
        write!(Stdout, "{tried}{pad} ")?; // what is being waited for
        Stdout.flush()?;
        let (verdict, words) = verdict(row, Size::Whole);
        tally.add(&verdict);
        say(&format!("{} {}", style.mark(&verdict), words.to(lang)))?;
    }
    say("")?;
    match tally.sentence() {
        sentence if tally.failed > 0 => bail!("{}", sentence.to(lang)),
        sentence => Ok(say(sentence.to(lang))?),
    }
}

/// Interrupts a server, and adds to the figures how it ended: status 0, within two seconds.
fn stop_in_time(size: Size, server: Server, holds: bool, Words { en, zh }: &Words) -> Result<Tried> {
    let (status, taken) = interrupted(server)?;
    let (ms, Words { en: how, zh: how_zh }) = (taken.as_millis(), Ended::with(status.code()).shown());
    let figures = words!("{en}; stopped in {ms} ms, {how}", "{zh}；{ms} 毫秒后停止，{how_zh}");
    Ok((holds && status.success() && size.within(taken, Duration::from_secs(2)), figures))
}

fn interrupted(server: Server) -> Result<(ExitStatus, Duration)> {
    if cfg!(unix) {
        return server.stop();
    }
    needs("only Unix lets a program send another its Ctrl-C", "只有 Unix 允许程序向别的程序发送 Ctrl-C")
}

fn needs<T>(en: &'static str, zh: &'static str) -> Result<T> {
    Err(NotAvailable(Words::fixed(en, zh)).into())
}

fn no_proc() -> NotAvailable {
    NotAvailable(Words::fixed("it needs Linux' /proc to measure it", "要由 Linux 的 /proc 来测量"))
}

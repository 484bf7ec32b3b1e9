//! `cargo xtask soak`: the promises that need many clients, small limits or much data, a row each. What this system has
//! no means for is not available, and every figure is measured here and now. A test plays each row in a small size.

mod scarce;
mod tcp_client;
mod tcp_server;
mod udp;

use std::env;
use std::fs;
use std::io::{IsTerminal, Write, stdout};
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use common::args::Args;
use common::narration::{Stdout, say};

use super::shown;
use crate::checks::{Ended, Tally, Verdict};
use crate::drawing::columns::width;
use crate::exercises::Exercise;
use crate::peers::player::{Met, Peers};
use crate::peers::script::NotAvailable;
use crate::peers::talk::Talk;
use crate::programs::{build, cleanup, reexec, server::Server};
use crate::words::{Shown, Words};

struct Attempt {
    tried: Words,
    run: fn(Size) -> Result<Tried>,
}

const fn row(run: fn(Size) -> Result<Tried>, en: &'static str, zh: &'static str) -> Attempt {
    Attempt { tried: Words::fixed(en, zh), run }
}

#[rustfmt::skip]
static ROWS: [Attempt; 19] = [
    row(tcp_server::burst, "a burst of 1,000 connections, three times", "一下子 1,000 个连接，三次"),
    row(tcp_server::classroom, "500 clients, three names each, --delay 1", "500 个客户端，每个三个名字，--delay 1"),
    row(tcp_server::stop_while_talking, "Ctrl-C while 500 clients talk", "500 个客户端正在说话时按 Ctrl-C"),
    row(tcp_server::stop_while_deaf,
        "Ctrl-C while a client floods and does not read", "一个客户端猛发而不读时按 Ctrl-C"),
    row(tcp_server::stop_twice, "Ctrl-C twice", "按两次 Ctrl-C"),
    row(tcp_server::ten_thousand,
        "10,000 idle clients: memory, and the next one", "10,000 个沉默的客户端：内存，以及下一个客户端"),
    row(tcp_server::too_many,
        "18,000 connections against the default limit", "18,000 个连接，上限为默认值"),
    row(tcp_server::resets,
        "200 resets while a reply is being delayed", "服务器还在想怎么回答，200 个客户端已经复位"),
    row(tcp_server::endless_name, "64 MiB without an end", "64 MiB，没有结尾"),
    row(tcp_server::never_reads, "a client that floods and never reads", "一个客户端猛发而从不读"),
    row(scarce::no_descriptors, "all file descriptors in use", "描述符全部用完"),
    row(scarce::no_threads, "no more threads", "不能再启动线程"),
    row(scarce::stalled_output, "standard output that nobody reads", "标准输出没有人读"),
    row(scarce::full_output, "standard output on a full disk", "标准输出所在的磁盘已满"),
    row(tcp_client::one_gigabyte,
        "tcp-client get: 1 GiB in each framing", "tcp-client get：1 GiB，每种定界方式各一次"),
    row(tcp_client::endless_replies,
        "tcp-client get: a reply that never ends, ten ways", "tcp-client get：没完没了的响应，十种"),
    row(tcp_client::full_disk, "tcp-client get: the disk is full", "tcp-client get：磁盘已满"),
    row(udp::burst, "udp-server: a burst of 20,000 datagrams", "udp-server：一口气发来 20,000 个数据报"),
    row(udp::stop_in_the_flood, "udp-server: Ctrl-C in the flood", "udp-server：数据报不断涌来时按 Ctrl-C"),
];

/// Whether the promise held, and the figures.
type Tried = (bool, Words);

/// How much of a row is played.
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

impl Attempt {
    fn verdict(&self, size: Size) -> (Verdict, Words) {
        match (self.run)(size) {
            Ok((true, figures)) => (Verdict::Passed, figures),
            Ok((false, figures)) => (Verdict::Failed(figures.clone()), figures),
            Err(e) => match e.downcast_ref() {
                Some(NotAvailable(why)) => {
                    let Words { en, zh } = why;
                    let shown = words!("not available here: {en}", "此处无法测试：{zh}");
                    (Verdict::NotAvailable(why.clone()), shown)
                }
                _ => (Verdict::Failed(words!("{e:#}", "{e:#}")), words!("{e:#}", "{e:#}")),
            },
        }
    }
}

/// Plays every row in its small size, all of them at once; returns those that fail, and how.
pub fn failures_in_small() -> Vec<String> {
    let failure = |row: &Attempt| match row.verdict(Size::Small) {
        (Verdict::Failed(_), how) => Some(format!("{}: {}", row.tried.en, how.en)),
        _ => None,
    };
    thread::scope(|scope| {
        let playing: Vec<_> = ROWS.iter().map(|row| scope.spawn(move || failure(row))).collect();
        let panicked = |_| Some("a row panicked".into());
        playing.into_iter().filter_map(|row| row.join().unwrap_or_else(panicked)).collect()
    })
}

/// The columns of what was tried.
const TRIED: usize = 52;

/// Tries everything and prints a table.
pub fn run(mut args: Args) -> Result<()> {
    let style = shown::style(&mut args)?;
    let lang = style.lang;
    args.finish()?;
    if cfg!(unix) && !reexec::is_again() {
        return reexec::start_again(&env::current_exe().context("cannot tell where this program is")?);
    }
    cleanup::close_on_interrupt()?;
    build::build()?;
    let mut tally = Tally::default();
    for row in &ROWS {
        let tried = row.tried.to(lang);
        let is_seen = stdout().is_terminal();
        if is_seen {
            write!(Stdout, "{} {tried}", if style.ascii { '.' } else { '…' })?; // what is being waited for
            Stdout.flush()?;
        }
        let (verdict, words) = row.verdict(Size::Whole);
        tally.add(&verdict);
        let (start, mark) = (if is_seen { "\r" } else { "" }, style.mark(&verdict));
        let pad = " ".repeat(TRIED.saturating_sub(width(tried)));
        say(&format!("{start}{mark} {tried}{pad} {}", words.to(lang)))?;
    }
    say("")?;
    let sentence = tally.sentence();
    if tally.failed > 0 {
        bail!("{}", sentence.to(lang));
    }
    Ok(say(sentence.to(lang))?)
}

/// Interrupts a server, and adds to the figures how it ended: status 0, within two seconds.
fn stop_in_time(size: Size, server: Server, holds: bool, Words { en, zh }: &Words) -> Result<Tried> {
    let (status, taken) = interrupted(server)?;
    let (ms, Words { en: how, zh: how_zh }) = (taken.as_millis(), Ended::with(status.code()).shown());
    let figures = words!("{en}; stopped in {ms} ms, {how}", "{zh}；{ms} 毫秒后停止，{how_zh}");
    Ok((holds && status.success() && size.within(taken, Duration::from_secs(2)), figures))
}

/// Interrupts a server, where that can be done.
fn interrupted(server: Server) -> Result<(ExitStatus, Duration)> {
    if cleanup::can_interrupt() {
        return server.stop();
    }
    needs("only Unix lets a program send another its Ctrl-C", "只有 Unix 允许程序向别的程序发送 Ctrl-C")
}

/// A row that this system has no means for.
fn needs<T>(en: &'static str, zh: &'static str) -> Result<T> {
    Err(NotAvailable(Words::fixed(en, zh)).into())
}

/// Plays the judge's scripts on a server of ours.
fn plays_all(server: &Server, exercise: &Exercise) -> Result<()> {
    let has_ended = || !server.program.is_running();
    let met = Met { program: Some(server.program.pid), has_ended: &has_ended };
    let peers = || Peers::new(server.address, exercise.transport, Talk::default());
    exercise.scripts().try_for_each(|script| peers().plays(script, &met))
}

fn no_proc() -> NotAvailable {
    NotAvailable(Words::fixed("it needs Linux' /proc to measure it", "要由 Linux 的 /proc 来测量"))
}

/// Whether the system lets this many connections wait for `accept`: where it does not, each of the others comes a
/// second later or more, and the row would be about that.
fn can_wait(size: usize) -> Result<()> {
    const FILE: &str = "/proc/sys/net/core/somaxconn";
    let most: Option<usize> = fs::read_to_string(FILE).ok().and_then(|text| text.trim().parse().ok());
    match most {
        Some(most) if most < size => Err(NotAvailable(words!(
            "{size} clients at once; net.core.somaxconn lets {most} wait",
            "需要 {size} 个客户端同时等待；net.core.somaxconn 只允许 {most} 个"
        ))
        .into()),
        _ => Ok(()),
    }
}

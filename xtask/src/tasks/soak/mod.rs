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
use crate::peers::script::Unplayed;
use crate::peers::talk::Talk;
use crate::programs::{build, cleanup, reexec, server::Server};
use crate::words::{Shown, Words};

struct Row {
    tried: Words,
    run: fn(Size) -> Result<Tried>,
}

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

impl Row {
    fn verdict(&self, size: Size) -> (Verdict, Words) {
        match (self.run)(size) {
            Ok((true, figures)) => (Verdict::Passed, figures),
            Ok((false, figures)) => (Verdict::Failed(figures.clone()), figures),
            Err(e) => match e.downcast::<Unplayed>() {
                Ok(Unplayed::NotAvailable(why)) => {
                    let Words { en, zh } = &why;
                    let shown = words!("not available here: {en}", "此处无法测试：{zh}");
                    (Verdict::NotAvailable(why), shown)
                }
                Ok(stop) => failed(&stop.into()),
                Err(e) => failed(&e),
            },
        }
    }
}

fn failed(e: &anyhow::Error) -> (Verdict, Words) {
    let why = words!("{e:#}", "{e:#}");
    (Verdict::Failed(why.clone()), why)
}

fn rows() -> impl Iterator<Item = &'static Row> {
    tcp_server::ROWS.iter().chain(&scarce::ROWS).chain(&tcp_client::ROWS).chain(&udp::ROWS)
}

/// Plays every row in its small size, all of them at once; returns those that fail, and how.
pub fn failures_in_small() -> Vec<String> {
    let failure = |row: &Row| match row.verdict(Size::Small) {
        (Verdict::Failed(_), how) => Some(format!("{}: {}", row.tried.en, how.en)),
        _ => None,
    };
    thread::scope(|scope| {
        let playing: Vec<_> = rows().map(|row| scope.spawn(move || failure(row))).collect();
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
    for row in rows() {
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
    let Tally { passed, failed, not_available, .. } = tally;
    let Words { en, zh } = match not_available {
        0 => Words::fixed("", ""),
        n => words!(", {n} not available here", "，另有 {n} 项此处无法测试"),
    };
    if failed > 0 {
        let all = passed + failed;
        let sum =
            words!("{failed} of {all} promises were broken{en}", "{all} 项承诺中有 {failed} 项没有兑现{zh}");
        bail!("{}", sum.to(lang));
    }
    say(words!("\nAll {passed} promises held{en}.", "\n全部 {passed} 项承诺都兑现了{zh}。").to(lang))?;
    Ok(())
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
    Err(Unplayed::NotAvailable(Words::fixed(
        "only Unix lets a program send another its Ctrl-C",
        "只有 Unix 允许程序向别的程序发送 Ctrl-C",
    ))
    .into())
}

/// Plays the judge's scripts on a server of ours.
fn plays_all(server: &Server, exercise: &Exercise) -> Result<()> {
    let has_ended = || !server.program.is_running();
    let met = Met { program: Some(server.program.pid), has_ended: &has_ended };
    let peers = || Peers::new(server.address, exercise.transport, Talk::default());
    Ok(exercise.scripts().try_for_each(|script| peers().plays(script, &met))?)
}

fn no_proc() -> Unplayed {
    Unplayed::NotAvailable(Words::fixed("it needs Linux' /proc to measure it", "要由 Linux 的 /proc 来测量"))
}

/// Whether the system lets this many connections wait for `accept`: where it does not, each of the others comes a
/// second later or more, and the row would be about that.
fn can_wait(size: usize) -> Result<()> {
    const FILE: &str = "/proc/sys/net/core/somaxconn";
    let most: Option<usize> = fs::read_to_string(FILE).ok().and_then(|text| text.trim().parse().ok());
    match most {
        Some(most) if most < size => Err(Unplayed::NotAvailable(words!(
            "{size} clients at once; net.core.somaxconn lets {most} wait",
            "需要 {size} 个客户端同时等待；net.core.somaxconn 只允许 {most} 个"
        ))
        .into()),
        _ => Ok(()),
    }
}

//! `cargo xtask soak`: the promises that need many clients, small limits or much data, a row each. What this
//! system has no means for is said to be not available, and every figure is measured here and now.

mod tcp_client;
mod tcp_server;
mod udp;

use std::env;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use common::args::Args;
use common::narration::say;

use super::shown;
use crate::checks::{Ended, Tally, Verdict};
use crate::drawing::columns::width;
use crate::peers::player::{Met, Peers};
use crate::peers::script::Step;
use crate::peers::talk::Talk;
use crate::programs::{build, cleanup, reexec, server::Server};
use crate::wire::kernel::Protocol;
use crate::words::{Shown, Words};

struct Row {
    tried: Words,
    run: fn() -> Result<Found>,
}

struct Found {
    verdict: Verdict,
    /// Where it was kept: a verdict has words for the other two.
    figures: Words,
}

impl Found {
    fn kept(figures: Words) -> Self {
        Self { verdict: Verdict::Passed, figures }
    }

    fn broken(found: Words) -> Self {
        Self { verdict: Verdict::Failed(found), figures: Words::fixed("", "") }
    }

    fn not_available(why: Words) -> Self {
        Self { verdict: Verdict::NotAvailable(why), figures: Words::fixed("", "") }
    }

    fn kept_if(is_kept: bool, found: Words) -> Self {
        if is_kept { Self::kept(found) } else { Self::broken(found) }
    }

    fn words(&self) -> Words {
        match &self.verdict {
            Verdict::Passed => self.figures.clone(),
            Verdict::Failed(found) | Verdict::Undecided(found) => found.clone(),
            Verdict::NotAvailable(Words { en, zh }) => {
                words!("not available here: {en}", "此处无法测试：{zh}")
            }
        }
    }
}

/// The columns of what was tried.
const TRIED: usize = 52;

/// Tries everything and prints a table.
///
/// # Errors
/// If anything was lost.
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
    for row in tcp_server::ROWS.iter().chain(&tcp_client::ROWS).chain(&udp::ROWS) {
        let found = (row.run)().unwrap_or_else(|e| Found::broken(words!("{e:#}", "{e:#}")));
        tally.add(&found.verdict);
        let (mark, tried, words) = (style.mark(&found.verdict), row.tried.to(lang), found.words());
        let pad = " ".repeat(TRIED.saturating_sub(width(tried)));
        say(&format!("{mark} {tried}{pad} {}", words.to(lang)))?;
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

/// Interrupts a server and turns how it ends into what was found: status 0 within two seconds.
fn stop_in_time(server: Server, Words { en, zh }: &Words) -> Result<Found> {
    let (status, taken) = server.stop()?;
    let (ms, Words { en: how, zh: how_zh }) = (taken.as_millis(), Ended::with(status.code()).shown());
    let found = words!("{en}; stopped in {ms} ms, {how}", "{zh}；{ms} 毫秒后停止，{how_zh}");
    Ok(Found::kept_if(status.success() && taken < Duration::from_secs(2), found))
}

/// Plays the judge's scripts on a server of ours.
fn plays_all(server: &Server, protocol: Protocol, scripts: &[&[Step]]) -> Result<()> {
    let has_ended = || !server.program.is_running();
    let met = Met { program: Some(server.program.pid), has_ended: &has_ended };
    let play = |script: &&[Step]| Peers::new(server.address, protocol, Talk::default()).plays(script, &met);
    Ok(scripts.iter().try_for_each(play)?)
}

fn no_proc() -> Found {
    Found::not_available(Words::fixed("it takes Linux' /proc to measure it", "要由 Linux 的 /proc 来测量"))
}

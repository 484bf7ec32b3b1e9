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

use crate::checks::{Ended, Tally, Verdict};
use crate::drawing::ladder::width;
use crate::drawing::style::Style;
use crate::programs::{build, cleanup, reexec, server::Server};
use crate::words::{Lang, Shown, Words};

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
        Self { verdict: Verdict::Kept, figures }
    }

    fn broken(found: Words) -> Self {
        Self { verdict: Verdict::Broken(found), figures: Words::fixed("", "") }
    }

    fn not_available(why: Words) -> Self {
        Self { verdict: Verdict::NotAvailable(why), figures: Words::fixed("", "") }
    }

    fn kept_if(is_kept: bool, found: Words) -> Self {
        if is_kept { Self::kept(found) } else { Self::broken(found) }
    }

    fn words(&self) -> Words {
        match &self.verdict {
            Verdict::Kept => self.figures.clone(),
            Verdict::Broken(found) | Verdict::NotDecided(found) => found.clone(),
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
    let ascii = args.flag("--ascii")?;
    let lang = args.given("--lang")?.unwrap_or_else(Lang::of_locale);
    args.finish()?;
    if cfg!(unix) && !reexec::is_again() {
        return reexec::start_again(&env::current_exe().context("cannot tell where this program is")?);
    }
    cleanup::close_on_interrupt()?;
    build::build()?;
    let style = Style::of_output(lang).fitting(ascii);
    let mut tally = Tally::default();
    for row in tcp_server::ROWS.iter().chain(&tcp_client::ROWS).chain(&udp::ROWS) {
        let found = (row.run)().unwrap_or_else(|e| Found::broken(words!("{e:#}", "{e:#}")));
        tally.add(&found.verdict);
        let (mark, tried, words) = (style.mark(&found.verdict), row.tried.to(lang), found.words());
        let pad = " ".repeat(TRIED.saturating_sub(width(tried)));
        say(&format!("{mark} {tried}{pad} {}", words.to(lang)))?;
    }
    let Tally { kept, broken, not_available, .. } = tally;
    let Words { en, zh } = match not_available {
        0 => Words::fixed("", ""),
        n => words!(", {n} not available here", "，另有 {n} 项此处无法测试"),
    };
    if broken > 0 {
        let all = kept + broken;
        let sum =
            words!("{broken} of {all} promises were broken{en}", "{all} 项承诺中有 {broken} 项没有兑现{zh}");
        bail!("{}", sum.to(lang));
    }
    say(words!("\nAll {kept} promises held{en}.", "\n全部 {kept} 项承诺都兑现了{zh}。").to(lang))?;
    Ok(())
}

/// Interrupts a server and turns how it ends into what was found: status 0 within two seconds.
fn stop_in_time(server: Server, Words { en, zh }: &Words) -> Result<Found> {
    let (status, taken) = server.stop()?;
    let (ms, Words { en: how, zh: how_zh }) = (taken.as_millis(), Ended::with(status.code()).shown());
    let found = words!("{en}; stopped in {ms} ms, {how}", "{zh}；{ms} 毫秒后停止，{how_zh}");
    Ok(Found::kept_if(status.success() && taken < Duration::from_secs(2), found))
}

fn no_proc() -> Found {
    Found::not_available(Words::fixed("it takes Linux' /proc to measure it", "要由 Linux 的 /proc 来测量"))
}

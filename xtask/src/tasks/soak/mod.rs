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

use crate::checks::{Tally, Verdict};
use crate::programs::{again, build, house, server::Server};
use crate::words::Words;

struct Row {
    tried: &'static str,
    run: fn() -> Result<Found>,
}

struct Found {
    verdict: Verdict,
    /// Where it was kept: a verdict has words for the other two.
    figures: String,
}

impl Found {
    fn kept(figures: impl Into<String>) -> Self {
        Self { verdict: Verdict::Kept, figures: figures.into() }
    }

    fn broken(found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Broken(english(found)), figures: String::new() }
    }

    fn not_available(why: impl Into<String>) -> Self {
        Self { verdict: Verdict::NotAvailable(english(why)), figures: String::new() }
    }

    fn kept_if(is_kept: bool, found: impl Into<String>) -> Self {
        if is_kept { Self::kept(found) } else { Self::broken(found) }
    }
}

/// The soak has one language.
fn english(text: impl Into<String>) -> Words {
    let text = text.into();
    words!("{text}", "{text}")
}

/// Tries everything and prints a table.
///
/// # Errors
/// If anything was lost.
pub fn run(mut args: Args) -> Result<()> {
    args.finish()?;
    if cfg!(unix) && !again::is_again() {
        return again::start_again(&env::current_exe().context("cannot tell where this program is")?);
    }
    house::close_on_interrupt()?;
    build::build()?;
    let mut tally = Tally::default();
    for row in tcp_server::ROWS.iter().chain(&tcp_client::ROWS).chain(&udp::ROWS) {
        let Found { verdict, figures } = (row.run)().unwrap_or_else(|e| Found::broken(format!("{e:#}")));
        let found = match &verdict {
            Verdict::Kept => figures,
            Verdict::Broken(found) | Verdict::NotDecided(found) => found.en.to_string(),
            Verdict::NotAvailable(why) => format!("not available here: {}", why.en),
        };
        tally.add(&verdict);
        say(&format!("{} {:52} {found}", verdict.mark(), row.tried))?;
    }
    let Tally { kept, broken, not_available, .. } = tally;
    let absent =
        if not_available > 0 { format!(", {not_available} not available here") } else { String::new() };
    if broken > 0 {
        bail!("{broken} of {} promises were broken{absent}", kept + broken);
    }
    say(&format!("\nAll {kept} promises held{absent}."))?;
    Ok(())
}

/// Interrupts a server and turns how it ends into what was found: status 0 within two seconds.
fn stop_in_time(server: Server, found: &str) -> Result<Found> {
    let (status, taken) = server.stop()?;
    let found = format!("{found}; stopped in {} ms", taken.as_millis());
    Ok(Found::kept_if(status.success() && taken < Duration::from_secs(2), format!("{found}, {status}")))
}

fn no_proc() -> Found {
    Found::not_available("it takes Linux' /proc to measure it")
}

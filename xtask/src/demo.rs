//! `cargo xtask demo`: plays scenes over IPv4 and IPv6, and sums up.

use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::process;

use anyhow::{Context, Result, bail};
use common::args::{self, Args};
use common::narration::{self, say};
use common::stop;

use crate::checks::{Checks, Verdict};
use crate::ladder::{self, Ink, Style};
use crate::programs;
use crate::scenes::{self, Scene};
use crate::stage::Stage;

/// Plays the scenes that the arguments name, or all of them.
///
/// # Errors
/// A usage error for an unknown scene; a failure if any check failed.
pub fn run(mut args: Args) -> Result<()> {
    let list = args.flag("--list")?;
    let mut chosen = Vec::new();
    while let Some(name) = args.operand()? {
        let scene = scenes::ALL.iter().find(|scene| *scene.name == *name);
        chosen.push(scene.ok_or_else(|| {
            args::usage(format!("unknown scene '{}': see 'cargo xtask demo --list'", name.to_string_lossy()))
        })?);
    }
    if chosen.is_empty() {
        chosen.extend(&scenes::ALL);
    }
    if list {
        for scene in chosen {
            say(&format!("{:8}{}", scene.name, scene.about.replace('\n', &format!("\n{:8}", ""))))?;
        }
        return Ok(());
    }
    ctrlc::set_handler(|| {
        programs::close_house();
        process::exit(stop::INTERRUPTED);
    })
    .context("cannot listen for Ctrl-C")?;
    let colour =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    play_all(&chosen, &[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], Style { colour })
}

/// Plays each scene on each of the loopback addresses.
///
/// # Errors
/// If any check failed.
pub fn play_all(chosen: &[&Scene], addresses: &[IpAddr], style: Style) -> Result<()> {
    programs::build()?;
    let names = chosen.iter().map(|scene| scene.name).collect::<Vec<_>>().join(", ");
    say(&format!("Real programs on this machine's loopback, over IPv4 and IPv6. To be seen: {names}."))?;
    let (mut passed, mut failed, mut absent) = (0, 0, 0);
    for scene in chosen {
        for ip in addresses {
            let version = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
            say(&format!("\n{}", style.paint(Ink::Bold, &format!("== {} over {version} ==", scene.name))))?;
            if let Err(e) = TcpListener::bind((*ip, 0)) {
                say(&format!("not available here: {e}"))?;
                absent += 1;
                continue;
            }
            let checks = play(scene, *ip, style)?;
            passed += checks.kept();
            failed += checks.broken();
            absent += checks.all().len() - checks.kept() - checks.broken();
        }
    }
    let absent = if absent > 0 { format!(", {absent} not available here") } else { String::new() };
    if failed > 0 {
        bail!("{failed} of {} checks failed{absent}", passed + failed);
    }
    say(&style.paint(Ink::Good, &format!("\nAll {passed} checks passed{absent}.")))?;
    Ok(())
}

fn play(scene: &Scene, ip: IpAddr, style: Style) -> Result<Checks> {
    say(scene.about)?;
    say(&ladder::head(style, scene.lanes.0, scene.lanes.1))?;
    let mut stage = Stage::new(Some(style))?;
    let mut checks = Checks::default();
    let played = (scene.play)(&mut stage, ip, &mut checks).and_then(|()| stage.finish());
    match played {
        Err(e) if narration::reader_left(&e) => return Err(e),
        Err(e) => checks.stopped_short(&format!("{e:#}")),
        Ok(()) => {}
    }
    for check in checks.all() {
        let promise = &check.promise;
        say(&match &check.verdict {
            Verdict::Kept => format!("  {} {promise}", style.paint(Ink::Good, "✓")),
            Verdict::Broken(why) => format!("  {} {promise}: {why}", style.paint(Ink::Bad, "✗")),
            Verdict::NotAvailable(why) => format!("  - {promise}: not available here: {why}"),
        })?;
    }
    Ok(checks)
}

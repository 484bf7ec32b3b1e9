//! `cargo xtask demo`: plays scenes over IPv4 and IPv6, and sums up.

use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::process;

use anyhow::{Context, Result, bail};
use common::args::{self, Args};
use common::narration::{self, say};
use common::stop;

use crate::checks::Checks;
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
    let (mut checked, mut failed, mut missing) = (0, 0, 0);
    for scene in chosen {
        for ip in addresses {
            let version = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
            say(&format!("\n{}", style.paint(Ink::Bold, &format!("== {} over {version} ==", scene.name))))?;
            if let Err(e) = TcpListener::bind((*ip, 0)) {
                say(&format!("not available here: {e}"))?;
                missing += 1;
                continue;
            }
            let checks = play(scene, *ip, style)?;
            checked += checks.all().len();
            failed += checks.failed();
        }
    }
    let absent = if missing > 0 { format!(", {missing} scenes not available here") } else { String::new() };
    if failed > 0 {
        bail!("{failed} of {checked} checks failed{absent}");
    }
    say(&style.paint(Ink::Good, &format!("\nAll {checked} checks passed{absent}.")))?;
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
        match &check.broken {
            None => say(&format!("  {} {}", style.paint(Ink::Good, "✓"), check.promise))?,
            Some(why) => say(&format!("  {} {}: {why}", style.paint(Ink::Bad, "✗"), check.promise))?,
        }
    }
    Ok(checks)
}

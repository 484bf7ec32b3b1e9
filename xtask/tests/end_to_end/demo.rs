//! The demo, and what the README shows of it.

use std::net::IpAddr;
use std::process::{Command, Output};

use xtask::scenes::{self, Scene};
use xtask::{checks::Checks, demo, ladder::Style, stage::Stage};

fn xtask(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_scene_passes_and_every_check_has_a_tick() {
    let played = xtask(&["demo"]);
    let out = text(&played.stdout);
    assert!(played.status.success(), "{out}\n{}", text(&played.stderr));
    for scene in &scenes::ALL {
        assert!(out.contains(&format!("\n== {} over IPv4 ==\n", scene.name)));
        assert!(out.contains(&format!("\n== {} over IPv6 ==\n", scene.name)));
    }
    assert!(!out.contains('✗') || !out.contains("  ✗ "), "{out}");
    assert!(!out.contains('\x1b'), "no colour without a terminal");
    assert!(out.lines().all(|line| xtask::ladder::width(line) <= 100));
    let ticks = out.lines().filter(|line| line.starts_with("  ✓ ")).count();
    assert!(
        out.trim_end().ends_with(&format!("All {ticks} checks passed."))
            || out.contains("not available here")
    );
}

#[test]
fn a_broken_promise_and_a_scene_that_cannot_be_played_fail_the_demo() {
    fn breaks(_: &mut Stage, _: IpAddr, checks: &mut Checks) -> anyhow::Result<()> {
        checks.equal("one is two", &1, &2);
        checks.equal("one is one", &1, &1);
        Ok(())
    }
    fn stops(_: &mut Stage, _: IpAddr, _: &mut Checks) -> anyhow::Result<()> {
        anyhow::bail!("no server")
    }
    let scene = |play| Scene { name: "x", about: "", lanes: ("", ""), play };
    let plain = Style { colour: false };
    let loopback = ["127.0.0.1".parse().unwrap()];
    let error = demo::play_all(&[&scene(breaks)], &loopback, plain).unwrap_err();
    assert_eq!(error.to_string(), "1 of 2 checks failed");
    let error = demo::play_all(&[&scene(stops)], &loopback, plain).unwrap_err();
    assert_eq!(error.to_string(), "1 of 1 checks failed");
}

#[test]
fn scenes_are_listed_and_unknown_names_are_usage_errors() {
    let list = text(&xtask(&["demo", "--list"]).stdout);
    assert!(scenes::ALL.iter().all(|scene| list.contains(&format!("{:8}", scene.name))));
    for args in [&["demo", "nope"][..], &["nope"], &[], &["demo", "--nope"]] {
        let refused = xtask(args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(text(&refused.stderr).ends_with("Try 'cargo xtask --help'.\n"));
    }
}

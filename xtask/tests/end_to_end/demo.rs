//! The demo, and what the README shows of it.

use std::process::{Command, Output};

use xtask::demo;
use xtask::ladder::Style;
use xtask::lessons::{self, Lesson};
use xtask::play::{Play, Voice};
use xtask::words::{Lang, Words};

fn xtask(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Plays, and checks what holds for every output.
fn played(args: &[&str]) -> String {
    let played = xtask(args);
    let out = text(&played.stdout);
    assert!(played.status.success(), "{out}\n{}", text(&played.stderr));
    assert!(!out.contains("  ✗ "), "{out}");
    assert!(!out.contains('\x1b'), "no colour without a terminal");
    for line in out.lines().filter(|line| line.contains('│')) {
        assert!(xtask::ladder::width(line) <= 100, "{line}");
    }
    out
}

#[test]
fn every_lesson_passes_over_both_ip_versions() {
    let out = played(&["demo", "--lang", "en"]);
    for lesson in &lessons::ALL {
        assert!(out.contains(&format!("\n== {} over IPv4 ==\n", lesson.name)));
        assert!(out.contains(&format!("\n== {} over IPv6 ==\n", lesson.name)));
    }
    let ticks = out.lines().filter(|line| line.starts_with("  ✓ ")).count();
    assert!(out.contains(&format!("\nAll {ticks} checks passed")));
}

#[test]
fn every_mistake_fails_as_predicted_and_is_mended_in_both_languages() {
    let out = played(&["demo", "--mistakes", "--lang=en"]);
    assert_eq!(out.matches("\n== mistake ").count(), xtask::mistakes::ALL.len());
    assert_eq!(out.matches("✓ fails as predicted").count(), xtask::mistakes::ALL.len());
    let out = played(&["demo", "--mistakes", "--lang=zh"]);
    assert_eq!(out.matches("✓ 果然出错").count(), xtask::mistakes::ALL.len());
}

#[test]
fn the_lessons_cover_every_claim_in_both_languages() {
    let claims: Vec<_> = lessons::ALL.iter().flat_map(|lesson| lesson.claims).collect();
    for number in 1..=21 {
        assert!(claims.iter().any(|(claim, _)| *claim == format!("C{number}")), "C{number}");
    }
    let list = ["en", "zh"].map(|lang| text(&xtask(&["demo", "--list", "--lang", lang]).stdout));
    for (claim, words) in claims {
        for (list, text) in list.iter().zip([&words.en, &words.zh]) {
            assert!(list.contains(text.lines().next().unwrap()), "{claim}");
        }
        assert!(words.en.is_ascii() && !words.zh.is_ascii(), "{claim}");
        let lines = words.en.lines().chain(words.zh.lines());
        assert!(lines.map(xtask::ladder::width).all(|columns| columns <= 85), "{claim}: {words:?}");
    }
}

#[test]
fn the_language_is_the_locales_unless_it_is_said() {
    let with = |locale: &str, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["demo", "--list", "stop"]).args(args).env_remove("LC_ALL").env_remove("LC_MESSAGES");
        text(&command.env("LANG", locale).output().unwrap().stdout)
    };
    assert!(with("en_US.UTF-8", &[]).is_ascii() && with("", &[]).is_ascii());
    assert!(!with("zh_CN.UTF-8", &[]).is_ascii());
    assert!(with("zh_CN.UTF-8", &["--lang", "en"]).is_ascii());
}

#[test]
fn stepping_waits_for_enter_and_leaves_with_q() {
    use std::io::Write;
    let mut stepping = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["demo", "duplex", "--step", "--lang=en"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    stepping.stdin.take().unwrap().write_all(b"\nq\n").unwrap();
    let output = stepping.wait_with_output().unwrap();
    let out = text(&output.stdout);
    assert!(output.status.success());
    assert_eq!(out.matches("[Enter: go on, q: leave]").count(), 2, "{out}");
    assert!(!out.contains('✓'), "{out}");
}

#[test]
fn a_broken_promise_and_a_lesson_that_cannot_be_played_fail_the_demo() {
    fn breaks(play: &mut Play) -> anyhow::Result<()> {
        play.checks.equal(Words::fixed("one is two", "一就是二"), &1, &2);
        play.checks.equal(Words::fixed("one is one", "一就是一"), &1, &1);
        Ok(())
    }
    fn stops(_: &mut Play) -> anyhow::Result<()> {
        anyhow::bail!("no server")
    }
    let lesson = |play| Lesson { name: "x", claims: &[], lanes: None, play };
    let voice = Voice { style: Style { colour: false, lang: Lang::En }, step: false };
    let loopback = ["127.0.0.1".parse().unwrap()];
    let error = demo::play_all(&[&lesson(breaks)], false, &loopback, voice).unwrap_err();
    assert_eq!(error.to_string(), "1 of 2 checks failed");
    let error = demo::play_all(&[&lesson(stops)], false, &loopback, voice).unwrap_err();
    assert_eq!(error.to_string(), "1 of 1 checks failed");
}

#[test]
fn unknown_tasks_lessons_and_options_are_usage_errors() {
    for args in [
        &["demo", "nope"][..],
        &["nope"],
        &[],
        &["demo", "--nope"],
        &["demo", "--lang", "fr"],
        &["soak", "x"],
    ] {
        let refused = xtask(args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(text(&refused.stderr).ends_with("Try 'cargo xtask --help'.\n"));
    }
}

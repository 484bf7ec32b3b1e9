//! The demo, and what the README shows of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use xtask::lessons::{self, Lesson};
use xtask::{Audience, Lang, Runner, Style};

use crate::quiz::{OF_LESSONS, OF_MISTAKES};

fn xtask(args: &[&str]) -> Output {
    crate::program("xtask").args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Plays, and checks what holds for every output.
fn played(args: &[&str]) -> String {
    let played = xtask(args);
    let out = text(&played.stdout);
    assert!(played.status.success(), "{out}\n{}", text(&played.stderr));
    check(&out);
    out
}

fn check(out: &str) {
    assert!(!out.contains("  ✗ "), "{out}");
    assert!(!out.contains('\x1b'), "no colour without a terminal");
    for line in out.lines().filter(|line| line.contains('│')) {
        assert!(xtask::width(line) <= 100, "{line}");
    }
}

/// Plays with these lines on standard input.
pub fn answered(args: &[&str], answers: &str) -> String {
    let mut command = crate::program("xtask");
    command.arg("demo").args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut demo = command.spawn().unwrap();
    demo.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    let output = demo.wait_with_output().unwrap();
    assert!(output.status.success());
    text(&output.stdout)
}

#[test]
fn every_lesson_passes_over_both_ip_versions() {
    let over_ipv6 = played(&["demo", "--ip=6", "--lang=en"]);
    for (out, ip) in [(&*OF_LESSONS, 4), (&over_ipv6, 6)] {
        check(out);
        let is_played = |lesson: &Lesson| out.contains(&format!("\n== {} over IPv{ip} ==\n", lesson.name));
        assert!(lessons::ALL.iter().all(is_played), "{out}");
        let ticks = out.lines().filter(|line| line.starts_with("  ✓ ")).count();
        let is_there = ip == 4 || crate::has_ipv6();
        assert!(!is_there || out.contains(&format!("\nAll {ticks} checks passed")), "{out}");
    }
}

#[test]
fn every_mistake_shows_and_is_mended_over_both_ip_versions() {
    let over_ipv6 = played(&["demo", "--mistakes", "--ip=6", "--lang=zh"]);
    let has_ipv6 = crate::has_ipv6();
    for (out, words, is_played) in
        [(&*OF_MISTAKES, "  ✓ the mistake shows", true), (&over_ipv6, "  ✓ 果然出错", has_ipv6)]
    {
        check(out);
        let chapters: Vec<_> = out.split("\n== ").skip(1).collect();
        assert_eq!(chapters.len(), lessons::mistakes::ALL.len());
        assert!(chapters.iter().all(|chapter| chapter.contains(words) == is_played), "{out}");
    }
}

#[test]
fn every_claim_is_short_and_in_its_language() {
    for (claim, words) in lessons::ALL.iter().flat_map(|lesson| lesson.claims) {
        assert!(words.en.is_ascii() && !words.zh.is_ascii(), "{claim}");
        let mut lines = words.en.lines().chain(words.zh.lines());
        assert!(lines.all(|line| xtask::width(line) <= 85), "{claim}: {words:?}");
    }
}

#[test]
fn the_language_is_the_locales_unless_it_is_said() {
    let with = |locale: &str, args: &[&str]| {
        let mut command = crate::program("xtask");
        command.args(["demo", "--list", "stop"]).args(args);
        text(&command.env("LANG", locale).output().unwrap().stdout)
    };
    assert!(with("en_US.UTF-8", &[]).is_ascii() && with("", &[]).is_ascii());
    assert!(!with("zh_CN.UTF-8", &[]).is_ascii() && !with("zh_CN", &[]).is_ascii());
    for other in ["zh_CN.GB18030", "zh_TW.Big5", "zh_CN.gbk@pinyin"] {
        assert!(with(other, &[]).is_ascii(), "{other}: a terminal would not show UTF-8");
    }
    assert!(with("zh_CN.UTF-8", &["--lang", "en"]).is_ascii());
}

#[test]
fn in_80_columns_no_line_has_more_and_in_ascii_the_marks_are_ascii_too() {
    let played = |args: &[&str]| {
        let mut command = crate::program("xtask");
        let asked = command.env("COLUMNS", "80").args(["demo", "--ip=4"]).args(args).output().unwrap();
        let out = text(&asked.stdout);
        assert!(asked.status.success() && out.contains("\n> "), "{out}");
        assert!(out.lines().all(|line| xtask::width(line) <= 80), "{out}");
        out
    };
    let out = played(&["crowd", "loss", "--lang=en", "--ascii"]);
    assert!(out.contains("\n  + ") && out.contains("+ is a check that passed"), "{out}");
    let other = |c: &char| !c.is_ascii() && !['张', '三'].contains(c);
    assert_eq!(out.chars().find(other), None, "{out}");
    played(&["socket", "half-char", "--lang=zh"]);
}

/// How many lines of a ladder have a time.
pub fn rungs(out: &str) -> usize {
    let is_timed = |line: &str| line.get(..7).is_some_and(|time| time.trim_start().parse::<f64>().is_ok());
    out.lines().filter(|line| is_timed(line) && line.contains('│')).count()
}

/// Whether every element ends, in the order of nesting.
pub fn is_balanced(html: &str) -> bool {
    let mut open = Vec::new();
    for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name = tag.split(' ').next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else if !tag.ends_with('/') && !["!doctype", "meta", "br"].contains(&name) {
            open.push(name);
        }
    }
    open.is_empty()
}

#[test]
fn the_page_shows_what_the_terminal_showed_and_fetches_nothing() {
    let directory = xtask::Scratch::new().unwrap();
    let file = directory.path().join("page.html");
    fs::write(&file, "old").unwrap();
    for args in [&["--lang=en"][..], &["--lang=zh", "--ip=4"]] {
        let out = played(&[&["demo", "crowd", "loss", "--html", file.to_str().unwrap()], args].concat());
        let page = fs::read_to_string(&file).unwrap();
        assert!(is_balanced(&page));
        let legend = 7;
        let rungs = rungs(&out) + legend;
        assert_eq!(page.matches("<span class=\"time\"").count(), rungs);
        assert_eq!(page.matches("<p class=\"check passed\">").count(), out.matches("\n  ✓ ").count());
        let spoken = page.matches("<span class=\"twin\">").count();
        assert_eq!(spoken, rungs + 1, "a rung says whose it is, and the one of states twice");
        assert_eq!(page.matches("<svg").count(), page.matches("aria-hidden=\"true\"").count());
        assert_eq!((page.matches("<main>").count(), page.matches("<h1>").count()), (1, 1));
        assert!(page.contains("Hello, 张三!") && page.contains("id=\"loss-IPv4\""));
        for fetched in ["http", "src=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(fetched), "{fetched}");
        }
    }
    let old = fs::read_to_string(&file).unwrap();
    answered(&["end", "--quiz", "--html", file.to_str().unwrap()], "q\n");
    assert!(fs::read_to_string(&file).unwrap() == old, "nothing was played");
    answered(&["duplex", "--quiz", "--html", file.to_str().unwrap()], "q\n");
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.contains("<h3 id=\"duplex-IPv4\">") && page != old, "what was played is on it");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_lesson_that_cannot_be_played_fails_the_demo() {
    let play = |_: &mut _| anyhow::bail!("no server");
    let lesson = Lesson { name: "x", subject_zh: "", claims: &[], lanes: lessons::TCP, play };
    let mut course = Runner::new(Style::plain(Lang::En), Audience { step: false, quiz: false });
    course.play(&lesson, "127.0.0.1".parse().unwrap()).unwrap();
    assert_eq!(course.sum_up(false, "").unwrap_err().to_string(), "1 of 1 checks failed");
}

#[test]
fn help_and_usage_errors_follow_the_language_and_both_helps_name_the_same() {
    let [en, zh] = ["en", "zh"].map(|lang| text(&xtask(&["--help", "--lang", lang]).stdout));
    let names = |help: &str| {
        let is_name = |word: &&str| {
            let tasks = ["demo", "grade", "tap", "soak", "bench", "origin", "docs"];
            word.starts_with("--") || tasks.contains(word)
        };
        let words = help.split(|c: char| !(c.is_ascii_alphabetic() || c == '-'));
        words.filter(is_name).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert!(en.is_ascii() && zh.starts_with("cargo xtask - 让"));
    assert_eq!(names(&en), names(&zh));
    assert!(zh.lines().all(|line| xtask::width(line) <= 100));
    for (lang, help) in [("en", en), ("zh", zh)] {
        assert_eq!(text(&xtask(&["help", "demo", "--lang", lang]).stdout), help);
    }
    let (in_english, in_chinese) = ("Try 'cargo xtask --help'.\n", "用法请看 cargo xtask --help。\n");
    for (args, locale, try_help) in
        [(&["bench", "--lang", "fr"][..], "C", in_english), (&[], "zh_CN.UTF-8", in_chinese)]
    {
        let refused = crate::program("xtask").args(args).env("LC_ALL", locale).output().unwrap();
        let said = text(&refused.stderr);
        assert_eq!((refused.status.code(), said.lines().count()), (Some(2), 2), "{said}");
        assert!(said.lines().all(|line| line.is_ascii() == try_help.is_ascii()), "{said}");
        assert!(said.ends_with(try_help), "{said}");
    }
}

//! `demo --plan`: a file of commands, checked as a whole and played on one page.

use std::fs;

use xtask::Scratch;

use crate::live::Events;
use crate::live_tasks::{Stepping, post, token};

/// A plan's file, and the directory that it ends with.
fn plan(text: impl AsRef<[u8]>) -> (Scratch, String) {
    let directory = Scratch::new().unwrap();
    let file = directory.path().join("plan.txt");
    fs::write(&file, text).unwrap();
    (directory, file.to_str().unwrap().to_owned())
}

#[test]
fn a_plan_is_played_row_by_row_on_one_page_and_summed_up_at_the_end_of_each() {
    let (_directory, file) = plan("# two rows\nduplex --step --ip 4  # the first one\n\nstop --ip=4\n");
    let demo = Stepping::start(&["--plan", &file]);
    let (at, token) = (demo.at.clone(), token(&demo.at));
    let mut events = Events::of(&at, "");
    let mut seen = Vec::new();
    while !seen.iter().any(|data: &String| data.contains("id=\"stop-IPv4\"")) {
        let event = events.wait_for("");
        if let Some((_, number)) = event.data.split_once("\"wait\":\"step\",\"number\":") {
            let path = format!("/next?wait={}", number.split(',').next().unwrap());
            assert_eq!(post(&at, &path, &format!("X-Token: {token}\r\n")), "204");
        }
        seen.push(event.data);
    }
    let at_of = |text: &str| seen.iter().position(|data| data.contains(text));
    let (sum, next) = (at_of("All 3 checks passed.").unwrap(), at_of("next: demo stop --ip=4"));
    assert!(Some(sum) < next, "{seen:?}");
    let out = demo.end(b"\n");
    assert_eq!(out.matches(" checks passed.").count(), 2, "{out}");
    assert_eq!(out.matches("says what happens next").count(), 1, "the signs are explained once: {out}");
}

#[test]
fn a_plan_with_a_mistake_is_refused_with_its_line_and_the_remedy_before_anything_is_played() {
    let complaint = |text: &[u8], args: &[&str]| {
        let (_directory, file) = plan(text);
        let command = [&["demo", "--lang=en", "--plan", &file], args].concat();
        let refused = crate::program("xtask").args(command).output().unwrap();
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{refused:?}");
        String::from_utf8(refused.stderr).unwrap().replace(&file, "FILE")
    };
    for (text, expected) in [
        ("duplex\n\n# a\nnope\n", "the plan 'FILE', line 4: unknown lesson 'nope': it is one of socket "),
        ("duplex --quizz\n", "the plan 'FILE', line 1: unknown option '--quizz'"),
        ("duplex\r\nduplex --ip 5\r\n", "the plan 'FILE', line 2: --ip '5': it is 4 or 6"),
        ("duplex --step --step", "the plan 'FILE', line 1: --step is given twice"),
        ("duplex --live", "the plan 'FILE', line 1: unknown option '--live'"),
        ("\u{feff}# nothing\n", "the plan 'FILE' has no rows: write lessons and options of demo"),
        ("\x1b[2J", "the plan 'FILE', line 1: unknown lesson '\\x1b[2J'"),
    ] {
        let found = complaint(text.as_bytes(), &[]);
        assert!(found.starts_with(&format!("cargo xtask: {expected}")), "{found}");
    }
    assert!(complaint(b"duplex \xff", &[]).contains(": it must be a text file in UTF-8"));
    for args in [&["duplex"][..], &["--quiz"], &["--step"], &["--mistakes"], &["--ip=4"]] {
        assert!(complaint(b"duplex", args).contains("--plan plays the rows of its file"), "{args:?}");
    }
    assert!(complaint(b"duplex", &["--list"]).contains("--list plays nothing"));
}

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/ninety-minutes.txt");

pub fn rows() -> Vec<String> {
    let text = fs::read_to_string(SHIPPED).unwrap();
    let rows = text.lines().filter_map(|line| line.split('#').next().map(str::trim));
    rows.filter(|row| !row.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_readmes_plan_is_the_file_that_is_shipped_and_it_can_be_played() {
    for (readme, heading) in [("README.md", "\n## A plan for ninety"), ("README.zh-CN.md", "\n## 九十分钟")]
    {
        let readme = fs::read_to_string(format!("{}/{readme}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let section = readme.split_once(heading).unwrap().1.split("\n## ").next().unwrap();
        let table = section.lines().filter(|line| line.starts_with('|'));
        let commands =
            table.flat_map(|line| line.split('`')).filter_map(|code| code.strip_prefix("cargo xtask demo "));
        assert_eq!(commands.collect::<Vec<_>>(), rows());
    }
    let demo = Stepping::start(&["--plan", SHIPPED]);
    demo.end(b"q\n\n");
}

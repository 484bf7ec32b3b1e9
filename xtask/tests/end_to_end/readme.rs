//! What the README shows is what is seen.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use common::{datagram, framing, greeting, http};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");

/// Times and ports vary from run to run; nothing else may.
fn normalised(line: &str) -> String {
    let is_timed = line.get(..7).is_some_and(|time| time.trim_start().parse::<f64>().is_ok());
    let line = if is_timed { format!("  0.000{}", &line[7..]) } else { line.to_owned() };
    // Ports stand behind a colon; what fills a line up to its lane gives way to their length.
    let mut parts = line.split(':');
    let first = parts.next().unwrap_or_default().to_owned();
    let normal = parts.fold(first, |text, part| {
        let behind = part.trim_start_matches(|c: char| c.is_ascii_digit());
        if behind.len() < part.len() { text + ":PORT" + behind } else { text + ":" + part }
    });
    if normal.contains(":PORT") { normal.replace(['─', ' '], "") } else { normal.trim_end().into() }
}

/// The lines by place: each connection's wire, each program's lane, and what stands outside the ladder. In one
/// place the order is certain; between two of them it is the scheduler's.
fn by_place(lines: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for line in lines {
        let text: Vec<char> = line.chars().collect();
        let place = match text.get(11) {
            Some('│') if text.get(13..50).is_some_and(|lane| lane.iter().all(|c| *c == ' ')) => {
                "server".into()
            }
            Some('│' | '├') if text[12..].contains(&'─') => {
                format!("wire {}", text[8..10].iter().collect::<String>())
            }
            Some('│') => format!("client {}", text[8..10].iter().collect::<String>()),
            _ => "outside".to_owned(),
        };
        places.entry(place).or_default().push(normalised(line));
    }
    places
}

#[cfg(target_os = "linux")] // elsewhere some of it is not available, and says so
#[test]
fn the_demo_prints_what_the_readme_shows() {
    let readme = fs::read_to_string(README).unwrap().replace('\r', "");
    let (_, block) =
        readme.split_once("```text\n$ cargo xtask demo crowd\n").expect("the README shows the lesson");
    let (shown, _) = block.split_once("```").unwrap();
    let (start, end) = shown.split_once("\n...\n").expect("the README leaves IPv6 out with a line ...");
    let played =
        Command::new(env!("CARGO_BIN_EXE_xtask")).args(["demo", "crowd", "--lang=en"]).output().unwrap();
    let out = String::from_utf8(played.stdout).unwrap();
    let lines: Vec<_> = out.lines().collect();
    let start: Vec<_> = start.lines().collect();
    assert_eq!(by_place(&lines[..start.len()]), by_place(&start));
    if !out.contains("not available here") {
        let end: Vec<_> = end.trim_matches('\n').lines().collect();
        assert_eq!(&lines[lines.len() - end.len()..], end);
    }
}

#[test]
fn the_limits_table_has_the_defaults_of_the_help() {
    let readme = fs::read_to_string(README).unwrap();
    for (option, default, words) in [
        ("--max-clients", "4096", "4096 at once (`--max-clients`)"),
        ("--backlog", "4096", "4096 more may wait (`--backlog`)"),
        ("--idle-timeout", "300", "is let go after 300 s (`--idle-timeout`)"),
    ] {
        assert!(readme.contains(words), "{words}");
        let help = crate::run("tcp-server", &["--help"]).said.join(" ");
        let at = help.find(&format!("  {option} ")).unwrap();
        assert!(help[at..].contains(&format!("[default: {default}]")));
    }
    let largest = |peer: &str| datagram::largest(peer.parse().unwrap()) - greeting::OVERHEAD;
    for words in [
        format!("{} bytes at most; one more is refused", framing::LIMIT),
        format!("{} bytes over IPv4, {} over IPv6", largest("127.0.0.1:1"), largest("[::1]:1")),
        format!(
            "{} fields, {} KiB a line, {} KiB in all",
            http::FIELD_LIMIT,
            http::LINE_LIMIT >> 10,
            http::HEAD_LIMIT >> 10
        ),
        format!("size line {} KiB", http::CHUNK_LINE_LIMIT >> 10),
    ] {
        assert!(readme.contains(&words), "{words}");
    }
}

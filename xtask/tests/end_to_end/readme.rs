//! What the README shows is what is seen.

use common::{datagram, framing, stop};
#[cfg(target_os = "linux")]
use xtask::Lang;
use xtask::lessons;
use xtask::tasks::docs;

const SENTENCES: [(&str, &str, &str); 2] = [
    (include_str!("../../README.md"), "## The notes, sentence by sentence", "explained, not shown"),
    (include_str!("../../README.zh-CN.md"), "## 那页笔记，逐句对照", "只说明，不演示"),
];
const README: &str = include_str!("../../../README.md");
const IN_CHINESE: &str = include_str!("../../../README.zh-CN.md");

#[test]
fn the_readmes_show_what_is_so_in_both_languages() {
    let complaints = docs::check_all(false).unwrap();
    assert!(complaints.is_empty(), "{}\nTry 'cargo xtask docs --bless'.", complaints.join("\n"));
}

/// The rows of the table of the page's sentences: the claim's number, the lessons, and whether it is only said.
fn sentences((text, heading, said): (&str, &str, &str)) -> Vec<(String, Vec<String>, bool)> {
    let section = text.split_once(heading).unwrap().1.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let row = |line: &str| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let lessons = cells[2].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (cells[1].to_owned(), lessons, cells[2].contains(said))
    };
    rows.map(row).collect()
}

#[test]
fn each_sentence_of_the_page_names_the_lessons_about_it_or_is_said_and_not_shown() {
    let [rows, in_chinese] = SENTENCES.map(sentences);
    assert_eq!(rows, in_chinese);
    for (number, lessons, is_said) in &rows {
        assert!(!lessons.is_empty() || *is_said, "{number} is neither played nor said");
        assert_eq!(number == "-", lessons.is_empty(), "{number}: {lessons:?}");
        let is_about = |name: &String| {
            let lesson = lessons::find(name.as_ref()).unwrap();
            lesson.claims.iter().any(|(claim, _)| claim == number)
        };
        assert!(lessons.iter().all(is_about), "{number}: {lessons:?}");
    }
    let claims =
        lessons::ALL.iter().flat_map(|lesson| lesson.claims.iter().map(move |claim| (claim, lesson.name)));
    for ((claim, words), name) in claims.filter(|((claim, _), _)| *claim != "-") {
        let [(_, lessons, is_said)] =
            &rows.iter().filter(|(number, ..)| number == claim).collect::<Vec<_>>()[..]
        else {
            panic!("{claim} has no row, or several");
        };
        assert!(lessons.iter().any(|lesson| lesson == name), "{claim} is played in {name}, too");
        assert_eq!(words.en.contains("Explained here"), *is_said, "{claim}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_readme_that_shows_something_else_is_found_out_and_blessed() {
    let text = "## Two terminals\n```console\n# terminal 1\n$ cargo run -p udp-server\nbound to 127.0.0.1:9999\n\
                in another terminal: cargo run -p udp-client -- 127.0.0.1:9999\n```\n```console\n# terminal 2\n\
                $ cargo run -p udp-client -- 127.0.0.1:9999 Ann\nHello, Ann!\n```\n```console\n# terminal 1\n\
                Received 3 bytes from 127.0.0.1:41234\n^Cstopped\n```\n";
    let played = |text: &str| docs::play_text(text, "x", Lang::En).unwrap();
    let complaints: Vec<_> = played(text).into_iter().map(|difference| difference.complaint).collect();
    assert_eq!(complaints, Vec::<String>::new());
    for (right, wrong, line) in [
        ("Ann!", "Ann?", 11),
        ("to 127.0.0.1:9999", "to 127.0.0.1:9998", 5),
        ("stopped", "stop", 16),
        ("stopped", "", 16),
    ] {
        let [docs::Difference { complaint, at, seen }] = &played(&text.replacen(right, wrong, 1))[..] else {
            panic!("{wrong}: none, or several");
        };
        assert!(complaint.starts_with(&format!("x:{line}: ")), "{complaint}");
        assert_eq!(*seen, text.lines().collect::<Vec<_>>()[at.clone()].join("\n"));
    }
    let blank = text.replacen("Hello, Ann!", "\n\nHello, Ann!", 1);
    assert_eq!(played(&blank)[0].at.len(), 3, "the blank lines are part of what is shown");
    let shorter = text.replace("Received 3 bytes from 127.0.0.1:41234\n", "");
    assert!(!played(&shorter).is_empty());
}

#[test]
fn the_limits_table_has_the_limits_of_the_programs() {
    for words in [
        format!("has at most {} bytes. The server refuses a longer one", framing::LIMIT),
        format!("has at most {} bytes: its greeting", datagram::LONGEST_NAME),
        format!("second Ctrl-C ends the server at once, with status {}", stop::INTERRUPTED),
    ] {
        assert!(README.contains(&words), "{words}");
    }
    let sources = concat!(
        include_str!("../../../tcp-server/src/main.rs"),
        include_str!("../../../common/src/http/mod.rs"),
    );
    for (constant, words) in [
        (
            "WRITE_TIMEOUT: Duration = Duration::from_secs(10);",
            "10 to 20 s after they are full, the client is disconnected",
        ),
        ("FIELD_LIMIT: usize = 1000;", "has at most 1000 fields, "),
        ("LINE_LIMIT: usize = 64 * 1024;", "64 KiB a line, "),
        ("HEAD_LIMIT: usize = 256 * 1024;", "256 KiB in all "),
    ] {
        assert!(sources.contains(constant) && README.contains(words), "{constant} {words}");
    }
    assert_eq!(figures_in_tables(README), figures_in_tables(IN_CHINESE));
}

/// The numbers in each row of the tables, in whichever order a language has them.
fn figures_in_tables(readme: &str) -> Vec<Vec<&str>> {
    let figures = |row| {
        let mut figures: Vec<_> = str::split(row, |c: char| !c.is_ascii_digit()).collect();
        figures.retain(|figure| !figure.is_empty());
        figures.sort_unstable();
        figures
    };
    readme.lines().filter(|line| line.starts_with("| ")).map(figures).collect()
}

//! What can be checked in the READMEs without running anything: code is in a program, commands name what there is, links
//! lead somewhere, and both languages show the same.

use std::fs;
use std::path::Path;

use anyhow::Result;
use common::text;

use super::compare::ELLIPSIS;
use super::markdown::{self, Line};
use super::{DIRECTORIES, read, readmes_of, workspace};
use crate::lessons;

pub fn check(directory: &str) -> Result<Vec<String>> {
    let sources = sources(directory)?;
    let (mut complaints, mut both) = (Vec::new(), Vec::new());
    for (name, _) in readmes_of(directory) {
        let lines = markdown::lines(&read(&name)?);
        let mut wrong = wrong_lines(&name, &lines, &sources);
        both.push(in_common(&lines));
        if let [one, other] = &both[..] {
            let different = first_difference(one, other);
            let why = || text!("README.md has something else here", "README.md 在这里写的不一样");
            wrong.extend(different.map(|at| (at, why())));
        }
        complaints.extend(wrong.iter().map(|(at, why)| format!("{}:{}: {why}", name.display(), at + 1)));
    }
    Ok(complaints)
}

/// What is wrong with one by itself, and on which line.
fn wrong_lines(readme: &Path, lines: &[Line], sources: &[String]) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    for block in lines.chunk_by(|a, b| a.block == b.block) {
        let why = match block[0].kind.as_str() {
            "rust" if sources.iter().any(|source| stands_in(source, block)) => continue,
            "rust" => text!("no program has this code", "哪个程序里都没有这段代码"),
            "" | "#" | "console" | "sh" | "text" => continue,
            _ => text!("this block is of an unknown kind", "这个代码块的种类不认识"),
        };
        wrong.push((block[0].at, why));
    }
    for line in lines {
        for link in line.links().filter(|link| !link.contains("://")) {
            let file = link.split('#').next().unwrap_or_default();
            if !workspace().join(readme).with_file_name(file).exists() {
                wrong.push((line.at, text!("the link {link} leads nowhere", "链接 {link} 没有目标")));
            }
        }
        for code in line.code().into_iter().filter(|code| code.starts_with("cargo ") && !is_known(code)) {
            wrong.push((line.at, text!("there is nothing for '{code}' to run", "“{code}”没有可运行的东西")));
        }
    }
    wrong
}

/// Whether a command names a program, lessons, or another task: an arm of `main`'s match.
fn is_known(command: &str) -> bool {
    match command.split(' ').collect::<Vec<_>>()[..] {
        ["cargo", "test" | "vendor", ..] => true,
        ["cargo", "run", "-p", name, ..] | ["cargo", "install", "--path", name, ..] => {
            DIRECTORIES[1..].contains(&name)
        }
        ["cargo", "xtask", "demo", ref names @ ..] => {
            let mut names = names.iter().take_while(|name| !name.starts_with('-'));
            names.all(|name| lessons::find(name.as_ref()).is_some())
        }
        ["cargo", "xtask", task, ..] => include_str!("../../main.rs").contains(&format!("\"{task}\" =>")),
        _ => false,
    }
}

/// The code in which a directory's `rust` blocks may stand, a file each: its own, and `common`'s.
fn sources(directory: &str) -> Result<Vec<String>> {
    let mut sources = Vec::new();
    let mut folders = [directory, "common"].map(|of| workspace().join(of).join("src")).to_vec();
    while let Some(folder) = folders.pop() {
        // The workspace's own README has no program.
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let file = entry?.path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                sources.push(flat(read(&file)?.lines()));
            }
        }
    }
    Ok(sources)
}

/// Whether code stands in a source, indentation aside; a line `...` leaves something out.
fn stands_in(source: &str, block: &[Line]) -> bool {
    let mut rest = source;
    block.split(|line| line.text.trim() == ELLIPSIS).all(|part| {
        let part = flat(part.iter().map(|line| line.text.as_str()));
        let found = rest.find(&part);
        rest = found.map_or("", |at| &rest[at + part.len()..]);
        found.is_some()
    })
}

/// Lines without their indentation, each between line feeds.
fn flat<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.fold("\n".to_owned(), |text, line| text + line.trim() + "\n")
}

/// What both languages of a README have in common, and on which line: headings, blocks, code and commands.
fn in_common(lines: &[Line]) -> Vec<(usize, String)> {
    let shared = |line: &Line| {
        let Line { at, block, kind, text, .. } = line;
        let shared = match (kind.as_str(), text.split_at_checked(2)) {
            ("#", _) => "#".repeat(text.len() - text.trim_start_matches('#').len()),
            ("sh", _) => line.code().concat(),
            ("console", Some(("# ", terminal))) => terminal.chars().filter(char::is_ascii_digit).collect(),
            ("rust", _) | ("console", Some(("$ ", _))) => text.clone(),
            _ => return None,
        };
        Some((*at, format!("{block} {kind} {shared}")))
    };
    lines.iter().filter_map(shared).collect()
}

/// The line on which the other one is different first.
fn first_difference(one: &[(usize, String)], other: &[(usize, String)]) -> Option<usize> {
    let same = one.iter().zip(other).take_while(|(one, other)| one.1 == other.1).count();
    let is_all = same == one.len().max(other.len());
    (!is_all).then(|| other.get(same).or(other.last()).map_or(0, |(at, _)| *at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_in_a_program_in_its_order_and_a_command_names_what_there_is() {
        let sources = sources("tcp-server").unwrap();
        let code = ["mod acceptor;", "...", "  fn main() -> ExitCode {"];
        for (code, is_there) in [(code, true), ([code[2], code[1], code[0]], false)] {
            let block = markdown::lines(&format!("```rust\n{}\n```\n", code.join("\n")));
            assert_eq!(wrong_lines(Path::new("x"), &block, &sources).is_empty(), is_there, "{code:?}");
        }
        for (known, unknown) in [
            ("cargo run -p udp-server -- --help", "cargo run -p sctp-server"),
            ("cargo xtask docs --bless", "cargo xtask bless"),
            ("cargo xtask demo crowd glued --lang zh", "cargo xtask demo crowd blued"),
        ] {
            assert!(is_known(known) && !is_known(unknown), "{known}, {unknown}");
        }
    }

    #[test]
    fn twins_show_the_same_but_for_what_speaks_the_readers_language() {
        let one = "# A\n```console\n$ x\nat\n```\n# B\n```sh\ny\n```\n";
        let same = [("# A", "# 甲", None), ("at", "在", None)];
        let other = [("# A", "## A", Some(0)), ("```console", "```text", Some(5)), ("$ x", "$ y", Some(2))];
        for (here, there, line) in same.into_iter().chain(other) {
            let [one, other] = [one, &one.replace(here, there)].map(|text| in_common(&markdown::lines(text)));
            assert_eq!(first_difference(&one, &other), line, "{there}");
        }
    }
}

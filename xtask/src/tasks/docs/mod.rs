//! Checks the READMEs: `cargo xtask docs`, and a test. Every command in a console block is run and its output compared,
//! every piece of code must be in a program, and both languages must show the same.

mod compare;
mod markdown;
mod session;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use common::args::Args;
use common::narration::{complain, say};
use common::text;

use self::compare::ELLIPSIS;
use self::session::{Exchange, INTERRUPT, Session};
use crate::words::Lang;

/// The directories that have a README, from the workspace's.
const DIRECTORIES: [&str; 6] = ["", "tcp-client", "tcp-server", "udp-client", "udp-server", "xtask"];

/// A directory's READMEs, from the workspace's, and their languages.
fn readmes_of(directory: &str) -> [(PathBuf, Lang); 2] {
    [("README.md", Lang::En), ("README.zh-CN.md", Lang::Zh)]
        .map(|(file, lang)| (Path::new(directory).join(file), lang))
}

/// `cargo xtask docs [--bless]`.
pub fn run(mut args: Args) -> Result<()> {
    let bless = args.flag("--bless")?;
    args.given::<Lang>("--lang")?;
    args.finish()?;
    crate::programs::cleanup::close_on_interrupt()?;
    let complaints = check_all(bless)?;
    for complaint in &complaints {
        complain(complaint);
    }
    match complaints.len() {
        0 => Ok(say(&text!("All that the READMEs show is true.", "每一份 README 写的都属实。"))?),
        n if bless => bail!(text!("{n} that --bless cannot fix", "--bless 改不了的：{n} 处")),
        n => bail!(text!("{n} not true; --bless writes outputs anew", "不属实的：{n} 处；--bless 改写输出")),
    }
}

/// Everything that is wrong with the READMEs; with `bless`, outputs that were wrong are written anew.
pub fn check_all(bless: bool) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    if !cfg!(target_os = "linux") {
        say(&text!("not available here: to compare outputs, on Linux", "此处无法比较输出：要在 Linux 上"))?;
    } else if let Some(port) = session::taken_port() {
        say(&text!(
            "not available here: outputs, as another program uses port {port}: stop it",
            "此处无法比较输出：另一个程序占着端口 {port}，请先停掉它"
        ))?;
    } else {
        // Both languages of all READMEs at the same time: most of it is waiting.
        complaints.extend(thread::scope(|scope| {
            let readmes = DIRECTORIES.into_iter().flat_map(readmes_of);
            let threads: Vec<_> =
                readmes.map(|(name, lang)| scope.spawn(move || play(&name, lang, bless))).collect();
            let found = threads.into_iter().map(|thread| thread.join().ok().context("a check panicked")?);
            // One that cannot be played does not hide what is wrong with the others.
            found.flat_map(|found| found.unwrap_or_else(|e| vec![format!("{e:#}")])).collect::<Vec<_>>()
        }));
    }
    for directory in DIRECTORIES {
        complaints.extend(texts::check(directory)?);
    }
    Ok(complaints)
}

/// Runs a README's console blocks; with `bless`, writes what was seen, and runs them once more.
fn play(name: &Path, lang: Lang, bless: bool) -> Result<Vec<String>> {
    let (shown, text) = (name.display(), read(name)?);
    let Findings { complaints, anew } = play_text(&text, &shown.to_string(), lang)?;
    if !bless || anew.is_empty() {
        return Ok(complaints);
    }
    let count = anew.len();
    write(name, &text, anew).with_context(|| format!("cannot write {shown}"))?;
    say(&text!("{shown}: {count} outputs written anew", "{shown}：改写了 {count} 处输出"))?;
    play(name, lang, false)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a file of the workspace.
fn read(name: &Path) -> Result<String> {
    let text = fs::read_to_string(workspace().join(name));
    text.with_context(|| format!("cannot read {}", name.display()))
}

/// Writes what was seen into a README, unless it was changed meanwhile.
fn write(name: &Path, text: &str, anew: Vec<Anew>) -> Result<()> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for (at, old, new) in anew.into_iter().rev() {
        lines.splice(at..at + old, new);
    }
    ensure!(read(name)? == text, "it was changed meanwhile; try again");
    Ok(fs::write(workspace().join(name), lines.join("\n") + "\n")?)
}

/// Where in a README something else was seen: the first line, how many lines, and the new ones.
type Anew = (usize, usize, Vec<String>);

/// What is wrong with a README's outputs, and what they should be.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is wrong, and where.
    pub complaints: Vec<String>,
    /// What was seen instead.
    pub anew: Vec<Anew>,
}

/// Plays the sections of a README's text.
pub fn play_text(text: &str, name: &str, lang: Lang) -> Result<Findings> {
    let mut found = Findings::default();
    for section in markdown::consoles(&markdown::lines(text)) {
        play_section(&session::exchanges(&section), name, lang, &mut found)?;
    }
    Ok(found)
}

fn play_section(section: &[Exchange], name: &str, lang: Lang, found: &mut Findings) -> Result<()> {
    if section.iter().any(|exchange| exchange.typed.contains("| nc ")) && !session::has_nc() {
        return Ok(say(&text!(
            "{name}: a section is not available here: nc",
            "{name}：有一节需要 nc，此处没有"
        ))?);
    }
    let mut session = Session::new(lang)?;
    for exchange in section {
        let place = format!("{name}:{}", exchange.at + 1);
        let seen = session.play(exchange).with_context(|| format!("{place}: cannot play it"))?;
        if !compare::same(&exchange.shown, &seen) {
            let (typed, is, was) = (&exchange.typed, seen.join("\n"), exchange.shown.join("\n"));
            let is_other =
                text!("'{typed}': expected\n{was}\ngot\n{is}", "“{typed}”：应为\n{was}\n实为\n{is}");
            found.complaints.push(format!("{place}: {is_other}"));
            found.anew.push(anew(exchange, &seen));
        }
    }
    Ok(())
}

/// What was seen in a exchange's place.
fn anew(Exchange { at, typed, shown, .. }: &Exchange, seen: &[String]) -> Anew {
    let (mut lines, mut count) = (as_long(shown, seen), shown.len());
    if typed == INTERRUPT && !lines.is_empty() {
        lines[0].insert_str(0, INTERRUPT); // they share a line
        count = count.max(1);
    }
    (*at, count, lines)
}

/// What was seen, with as much of it left out as before: a part in the middle is found by its first line.
fn as_long(shown: &[String], seen: &[String]) -> Vec<String> {
    let parts: Vec<_> = shown.split(|line| line == ELLIPSIS).collect();
    let part_of_seen = |(number, part): (usize, &&[String])| {
        let at = match number {
            0 => Some(0),
            _ if number + 1 == parts.len() => seen.len().checked_sub(part.len()),
            _ => seen.iter().position(|line| part.first() == Some(line)),
        };
        at.and_then(|at| seen.get(at..at + part.len())).unwrap_or(part).to_vec()
    };
    match parts.len() {
        1 => seen.to_vec(),
        _ => parts.iter().enumerate().map(part_of_seen).collect::<Vec<_>>().join(&ELLIPSIS.to_owned()),
    }
}

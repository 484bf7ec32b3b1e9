//! Checks the READMEs: `cargo xtask docs`, and a test. Every command in a console block is run and its output compared,
//! every piece of code must be in a program, and both languages must show the same.

mod compare;
mod markdown;
mod session;
mod texts;

use std::fs;
use std::ops::Range;
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

fn readmes_of(directory: &str) -> [(PathBuf, Lang); 2] {
    [("README.md", Lang::En), ("README.zh-CN.md", Lang::Zh)]
        .map(|(file, lang)| (Path::new(directory).join(file), lang))
}

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

/// Runs a README's console blocks; with `bless`, writes what was seen, and runs them once more. An output that is shown
/// in part is left to an editor.
fn play(name: &Path, lang: Lang, bless: bool) -> Result<Vec<String>> {
    let (shown, text) = (name.display(), read(name)?);
    let different = play_text(&text, &shown.to_string(), lang)?;
    let mut lines: Vec<_> = text.lines().collect();
    let mut count = 0;
    for Difference { at, seen, .. } in different.iter().rev().filter(|_| bless) {
        if !lines[at.clone()].contains(&ELLIPSIS) {
            lines.splice(at.clone(), (!seen.is_empty()).then_some(&**seen));
            count += 1;
        }
    }
    if count == 0 {
        return Ok(different.into_iter().map(|difference| difference.complaint).collect());
    }
    ensure!(read(name)? == text, "{shown} was changed meanwhile; try again");
    let written = fs::write(workspace().join(name), lines.join("\n") + "\n");
    written.with_context(|| format!("cannot write {shown}"))?;
    say(&text!("{shown}: {count} outputs written anew", "{shown}：改写了 {count} 处输出"))?;
    play(name, lang, false)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(name: &Path) -> Result<String> {
    let text = fs::read_to_string(workspace().join(name));
    text.with_context(|| format!("cannot read {}", name.display()))
}

pub struct Difference {
    pub complaint: String,
    /// The lines that show it, from 0.
    pub at: Range<usize>,
    pub seen: String,
}

pub fn play_text(text: &str, name: &str, lang: Lang) -> Result<Vec<Difference>> {
    let mut different = Vec::new();
    let lines = markdown::lines(text);
    let consoles: Vec<_> = lines.iter().filter(|line| line.kind == "console").collect();
    for section in consoles.chunk_by(|a, b| a.section == b.section) {
        let section = session::exchanges(section);
        if section.iter().any(|exchange| exchange.typed.contains("| nc ")) && !session::has_nc() {
            say(&text!("{name}: a section is not available here: nc", "{name}：有一节需要 nc，此处没有"))?;
            continue;
        }
        let mut session = Session::new(lang)?;
        for exchange in &section {
            let place = format!("{name}:{}", exchange.at + 1);
            let seen = session.play(exchange).with_context(|| format!("{place}: cannot play it"))?;
            if compare::same(&exchange.shown, &seen) {
                continue;
            }
            let Exchange { at, typed, shown, .. } = exchange;
            let (was, is) = (shown.join("\n"), seen.join("\n"));
            let complaint = text!(
                "{place}: '{typed}': expected\n{was}\ngot\n{is}",
                "{place}: “{typed}”：应为\n{was}\n实为\n{is}"
            );
            // ^C shares a line with the first one that is said after it.
            let sign = if typed == INTERRUPT { INTERRUPT } else { "" };
            let count = shown.len().max(sign.len().min(1));
            different.push(Difference { complaint, at: *at..at + count, seen: sign.to_owned() + &is });
        }
    }
    Ok(different)
}

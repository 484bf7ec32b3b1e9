//! The READMEs, held to what they say: `cargo xtask docs`, and a test. Every command in a console block is run
//! and what it shows compared, every piece of code has to stand in a program, and the two languages have to show
//! the same.

pub mod compare;
pub mod markdown;
pub mod session;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use common::args::Args;
use common::narration::{complain, say};
use common::replacement::Replacement;

use compare::ELLIPSIS;
use markdown::{Block, Document};
use session::{INTERRUPT, Piece, Session};

use crate::lessons;
use crate::words::Lang;

/// The directories that have a README, from the workspace's.
const DIRECTORIES: [&str; 6] = ["", "tcp-client", "tcp-server", "udp-client", "udp-server", "xtask"];

/// One of them.
#[derive(Clone, Copy)]
struct Readme {
    directory: &'static str,
    name: &'static str,
    lang: Lang,
}

impl Readme {
    /// A directory's, in both languages.
    fn pair_in(directory: &'static str) -> [Self; 2] {
        let of = |name, lang| Self { directory, name, lang };
        [of("README.md", Lang::En), of("README.zh-CN.md", Lang::Zh)]
    }

    fn path(self) -> PathBuf {
        path(self.directory, self.name)
    }

    /// Its name from the workspace's directory.
    fn shown(self) -> String {
        Path::new(self.directory).join(self.name).display().to_string()
    }

    /// Runs its console blocks; blessed, what was seen stands in it, and it is run once more.
    fn play(self, bless: bool) -> Result<Vec<String>> {
        let (name, text) = (self.shown(), read(&self.path())?);
        let (complaints, all_seen) = play_text(&text, &name, self.lang, bless)?;
        if !bless || all_seen.is_empty() {
            return Ok(complaints);
        }
        let count = all_seen.len();
        write(&self.path(), &text, all_seen).with_context(|| format!("cannot write {name}"))?;
        say(&format!("{name}: outputs written anew: {count}"))?;
        self.play(false)
    }
}

/// What stands in a block: a session, code, commands without their output, or anything else.
const KINDS: [&str; 4] = ["console", "rust", "sh", "text"];

/// What READMEs name and no block of theirs runs: other tests do, it is the test itself, or (the soak) for the hand.
const RUN_ELSEWHERE: [&str; 5] = [
    "cargo test --workspace",
    "cargo xtask demo",
    "cargo xtask soak",
    "cargo xtask docs",
    "cargo xtask docs --bless",
];

/// `cargo xtask docs [--bless]`.
///
/// # Errors
/// If a README shows what is not so.
pub fn run(mut args: Args) -> Result<()> {
    let bless = args.flag("--bless")?;
    args.finish()?;
    crate::programs::house::close_on_interrupt()?;
    let complaints = check_all(bless)?;
    for complaint in &complaints {
        complain(complaint);
    }
    match complaints.len() {
        0 => Ok(say("Every README shows what is so.")?),
        n if bless => bail!("what --bless cannot mend: {n}"),
        n => bail!("what is not so: {n}; where it is an output, --bless writes what was seen"),
    }
}

/// Everything that is wrong with the READMEs; with `bless`, outputs that were wrong are written anew.
///
/// # Errors
/// When a README cannot be read or written.
pub fn check_all(bless: bool) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    if cfg!(target_os = "linux") {
        // Both languages of all READMEs at the same time: most of it is waiting.
        complaints.extend(thread::scope(|scope| {
            let readmes = DIRECTORIES.into_iter().flat_map(Readme::pair_in);
            let threads: Vec<_> = readmes.map(|readme| scope.spawn(move || readme.play(bless))).collect();
            let found = threads.into_iter().map(|thread| thread.join().ok().context("a check panicked")?);
            // One that cannot be played does not hide what is wrong with the others.
            found.flat_map(|found| found.unwrap_or_else(|e| vec![format!("{e:#}")])).collect::<Vec<_>>()
        }));
    } else {
        say("What the READMEs show was seen on Linux; not available here: comparing it.")?;
    }
    complaints.extend(check_texts()?);
    Ok(complaints)
}

fn path(directory: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(directory).join(name)
}

fn read(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.replace('\r', ""))
}

/// Writes what was seen into a README, if it is still as it was read. It is there whole or not at all.
fn write(path: &Path, text: &str, all_seen: Vec<Seen>) -> Result<()> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for (at, old, new) in all_seen.into_iter().rev() {
        lines.splice(at..at + old, new);
    }
    let now = fs::read_to_string(path)?;
    ensure!(now.replace('\r', "") == text, "it was changed meanwhile; try again");
    let end = if now.contains("\r\n") { "\r\n" } else { "\n" };
    let mut replacement = Replacement::of(path)?;
    replacement.write_all((lines.join(end) + end).as_bytes())?;
    replacement.finish()
}

/// Where in a README something else was seen: the first line, how many lines, and what stands there instead.
type Seen = (usize, usize, Vec<String>);

/// What is wrong with the outputs in a README's text, and what was seen instead.
///
/// # Errors
/// When something cannot be played.
pub fn play_text(text: &str, name: &str, lang: Lang, bless: bool) -> Result<(Vec<String>, Vec<Seen>)> {
    let document = Document::new(text);
    let (mut complaints, mut all_seen) = (Vec::new(), Vec::new());
    let consoles: Vec<_> = document.blocks.iter().filter(|block| block.kind == "console").collect();
    'sections: for section in consoles.chunk_by(|a, b| a.section == b.section) {
        let mut session = Session::new(lang)?;
        let mut last = 0;
        for block in section {
            for piece in session::pieces(&block.lines) {
                let line = block.at + piece.at;
                last = line + piece.shown.len();
                let played = session.play(&piece, bless);
                let Some(seen) = played.with_context(|| format!("{name}:{}: cannot play it", line + 1))?
                else {
                    say(&format!("{name}:{}: not available here: the tool that it takes", line + 1))?;
                    continue 'sections; // what follows may need what it would have done
                };
                if !session.ports.same(&piece.shown, &seen) {
                    let seen: Vec<_> = seen.iter().map(|line| session.ports.as_shown(line)).collect();
                    complaints.push(format!("{name}:{}: {}", line + 1, difference(&piece, &seen)));
                    all_seen.extend(anew(&piece, seen).map(|(count, lines)| (line, count, lines)));
                }
            }
        }
        let rest = session.finish()?;
        if !rest.is_empty() {
            complaints.push(format!("{name}:{last}: beyond this there was:\n{}", rest.join("\n")));
        }
    }
    Ok((complaints, all_seen))
}

fn difference(piece: &Piece, seen: &[String]) -> String {
    let typed = piece.typed.as_deref().unwrap_or("what still runs");
    format!("{typed} shows\n{}\n... but the README has\n{}\n", seen.join("\n"), piece.shown.join("\n"))
}

/// How many lines of a piece what was seen takes the place of, and the lines; none where they cannot be shown,
/// as one looks like a fence or a command.
fn anew(piece: &Piece, mut seen: Vec<String>) -> Option<(usize, Vec<String>)> {
    let mut count = piece.shown.len();
    if let (Some(INTERRUPT), Some(first)) = (piece.typed.as_deref(), seen.first_mut()) {
        first.insert_str(0, INTERRUPT); // they share a line
        count = count.max(1);
    }
    let is_markup = |line: &String| ["```", "# ", "$ "].iter().any(|mark| line.starts_with(mark));
    (!seen.iter().any(is_markup)).then(|| (count, as_long(&piece.shown, &seen)))
}

/// What was seen, with as much of it left out as before: a part in the middle is found by its first line.
fn as_long(shown: &[String], seen: &[String]) -> Vec<String> {
    let parts: Vec<_> = shown.split(|line| line == ELLIPSIS).collect();
    let last = parts.len() - 1;
    let part = |(number, part): (usize, &&[String])| {
        let start = match number {
            0 => Some(0),
            n if n == last => seen.len().checked_sub(part.len()),
            _ => seen.iter().position(|line| part.first() == Some(line)),
        };
        start.and_then(|at| seen.get(at..at + part.len())).unwrap_or(part).to_vec()
    };
    if last == 0 {
        return seen.to_vec();
    }
    let parts: Vec<_> = parts.iter().enumerate().map(part).collect();
    parts.join(&ELLIPSIS.to_owned())
}

/// What can be told without running anything.
fn check_texts() -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let mut run = RUN_ELSEWHERE.map(str::to_owned).to_vec();
    let mut named = Vec::new();
    for directory in DIRECTORIES {
        let sources = sources(directory)?;
        let readmes = Readme::pair_in(directory);
        let documents =
            [Document::new(&read(&readmes[0].path())?), Document::new(&read(&readmes[1].path())?)];
        for (readme, document) in readmes.iter().zip(&documents) {
            complaints.extend(check_text(*readme, document, &sources));
            let in_blocks = document.blocks.iter().flat_map(only_named);
            let commands_named = document.spans.iter().cloned().chain(in_blocks);
            named.extend(commands_named.map(|command| (readme.shown(), command)));
            run.extend(document.blocks.iter().flat_map(commands));
        }
        complaints.extend(twins(&readmes[1].shown(), &documents));
    }
    for (name, span) in named.into_iter().filter(|(_, span)| span.starts_with("cargo ")) {
        if !run.contains(&span) && !plays_lessons(&span) {
            complaints.push(format!("{name}: no test runs '{span}'"));
        }
    }
    Ok(complaints)
}

/// What can be told of one README alone.
fn check_text(readme: Readme, document: &Document, sources: &[String]) -> Vec<String> {
    let name = readme.shown();
    let mut complaints = code_that_stands_nowhere(sources, &name, document);
    let is_unknown = |block: &&Block| !KINDS.contains(&block.kind.as_str());
    let unknown = document.blocks.iter().filter(is_unknown).map(|block| (block.at, "is of no known kind"));
    let unclosed = document.unclosed.map(|at| (at, "is not closed"));
    complaints.extend(unknown.chain(unclosed).map(|(at, why)| format!("{name}:{at}: this block {why}")));
    for link in document.links.iter().filter(|link| !link.contains("://")) {
        let file = link.split('#').next().unwrap_or_default();
        if !readme.path().with_file_name(file).exists() {
            complaints.push(format!("{name}: the link {link} leads nowhere"));
        }
    }
    complaints
}

/// Whether a command plays lessons by name; the demo's own tests play them all.
fn plays_lessons(command: &str) -> bool {
    let is_lesson = |name: &str| lessons::find(name.as_ref()).is_some();
    command.strip_prefix("cargo xtask demo ").is_some_and(|names| names.split(' ').all(is_lesson))
}

fn commands(block: &Block) -> Vec<String> {
    let is_console = block.kind == "console";
    let pieces = if is_console { session::pieces(&block.lines) } else { Vec::new() };
    pieces.into_iter().filter_map(|piece| piece.typed).collect()
}

/// The commands of a `sh` block, which shows no output; what stands behind `#` is for the reader.
fn only_named(block: &Block) -> Vec<String> {
    let lines = block.lines.iter().filter(|_| block.kind == "sh");
    lines.filter_map(|line| Some(line.split('#').next()?.trim().to_owned())).collect()
}

/// The code in which a directory's `rust` blocks may stand, a file each: its own, and `common`'s.
fn sources(directory: &str) -> Result<Vec<String>> {
    let mut sources = Vec::new();
    let mut folders = vec![path(directory, "src"), path("common", "src")];
    while let Some(folder) = folders.pop() {
        // The workspace's own README has no program.
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let file = entry?.path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                sources.push(plain(read(&file)?.lines()));
            }
        }
    }
    Ok(sources)
}

/// Every `rust` block has to stand, indentation aside, in one of the sources; a line `...` leaves something out.
fn code_that_stands_nowhere(sources: &[String], name: &str, document: &Document) -> Vec<String> {
    let stands_in = |source: &str, block: &Block| {
        let mut rest = source;
        block.lines.split(|line| line.trim() == ELLIPSIS).all(|part| {
            let part = plain(part.iter().map(String::as_str));
            let found = rest.find(&part);
            rest = found.map_or("", |at| &rest[at + part.len()..]);
            found.is_some()
        })
    };
    let blocks = document.blocks.iter().filter(|block| block.kind == "rust");
    let nowhere = blocks.filter(|block| !sources.iter().any(|source| stands_in(source, block)));
    nowhere.map(|block| format!("{name}:{}: this code stands in no program", block.at + 1)).collect()
}

/// Lines without their indentation, each between line feeds.
fn plain<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.fold("\n".to_owned(), |text, line| text + line.trim() + "\n")
}

/// What the two languages of a README do not have in common.
fn twins(name: &str, [one, other]: &[Document; 2]) -> Vec<String> {
    let mut complaints = Vec::new();
    if one.headings != other.headings {
        complaints.push(format!("{name}: its headings are not those of README.md"));
    }
    let outline = |document: &Document| {
        let of = |block: &Block| (block.kind.clone(), block.section);
        document.blocks.iter().map(of).collect::<Vec<_>>()
    };
    if outline(one) != outline(other) {
        complaints.push(format!("{name}: its blocks are not those of README.md"));
        return complaints;
    }
    for (block, twin) in one.blocks.iter().zip(&other.blocks) {
        let is_same = match block.kind.as_str() {
            "console" => {
                let (one, other) = (session::pieces(&block.lines), session::pieces(&twin.lines));
                one.len() == other.len() && one.iter().zip(&other).all(|(a, b)| is_same_piece(a, b))
            }
            "rust" => block.lines == twin.lines,
            "sh" => only_named(block) == only_named(twin),
            _ => true,
        };
        if !is_same {
            complaints.push(format!("{name}:{}: README.md has something else here", twin.at + 1));
        }
    }
    complaints
}

/// The demo speaks the README's language; the programs speak one.
fn is_same_piece(one: &Piece, other: &Piece) -> bool {
    let speaks = one.typed.as_ref().is_some_and(|typed| typed.starts_with("cargo xtask demo"));
    (&one.terminal, &one.typed) == (&other.terminal, &other.typed)
        && (speaks || compare::Ports::default().same(&one.shown, &other.shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_is_blessed_leaves_out_as_much_as_before() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (shown, blessed) in [
            ("a ... z", "1 ... 4"),
            ("a z", "1 2 3 4"),
            ("... 2 x ... z", "... 2 3 ... 4"),
            ("... x ...", "... x ..."),
        ] {
            assert_eq!(as_long(&lines(shown), &lines("1 2 3 4")), lines(blessed));
        }
    }

    #[test]
    fn code_and_twins_are_compared() {
        let sources = sources("tcp-server").unwrap();
        let document = Document::new("```rust\nmod acceptor;\n...\nfn main() -> ExitCode {\n```\n");
        assert_eq!(code_that_stands_nowhere(&sources, "x", &document), Vec::<String>::new());
        let document = Document::new("```rust\nfn main() -> ExitCode {\n...\nmod acceptor;\n```\n");
        assert_eq!(code_that_stands_nowhere(&sources, "x", &document).len(), 1);
        let of = |text: &str| Document::new(text);
        let one = "# A\n```console\n$ x\ny :1\n```\n";
        assert!(twins("x", &[of(one), of("# B\n```console\n$ x\ny :2\n```\n")]).is_empty());
        for other in ["## A\n```console\n$ x\ny :1\n```\n", "# A\n", "# A\n```console\n$ x\nz :1\n```\n"] {
            assert_eq!(twins("x", &[of(one), of(other)]).len(), 1, "{other}");
        }
    }
}

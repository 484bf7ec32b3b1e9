//! The person who watches: --step, --quiz, and what they type.

use std::fmt;
use std::io::{self, BufRead, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Result;

use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::drawing::votes::Wait;
use crate::words::Words;

/// What the person who watches does.
#[derive(Clone, Copy, Debug)]
pub struct Audience {
    /// Presses Enter before every act.
    pub step: bool,
    /// Makes predictions.
    pub quiz: bool,
}

/// Standard input has ended: no more steps.
static AT_EOF: AtomicBool = AtomicBool::new(false);

/// Waits for Enter, or for the page. After the end of a standard input that is not a terminal, it no longer waits.
///
/// # Errors
/// [`Left`] on `q`, or at the end of a terminal's input.
pub fn wait(style: Style, story: &Transcript) -> Result<()> {
    if AT_EOF.load(Ordering::Relaxed) {
        return Ok(());
    }
    style.say(Ink::Faint, &Words::fixed("  [Enter: go on, q: leave]", "  [回车继续，q 退出]"))?;
    let line = line(story, Wait::GoOn);
    story.wait(Wait::Nothing);
    if matches!(&line, Ok(line) if line.is_empty()) && !io::stdin().is_terminal() {
        AT_EOF.store(true, Ordering::Relaxed);
        let words = Words::fixed(
            "  [nobody can press Enter: standard input has ended; continuing without waiting]",
            "  [标准输入已经结束，没有人能按回车：以下不再等待]",
        );
        return style.say(Ink::Faint, &words);
    }
    heard(line).map(drop)
}

/// The person who watches left.
#[derive(Debug)]
pub struct Left;

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left")
    }
}

impl std::error::Error for Left {}

/// A line, trimmed: for [`Wait::Nothing`] from standard input, or else from the page, too.
///
/// # Errors
/// [`Left`] for `q` and at the end of standard input, and errors of standard input.
pub fn answer(story: &Transcript, wait: Wait) -> Result<String> {
    heard(line(story, wait))
}

fn line(story: &Transcript, wait: Wait) -> io::Result<Vec<u8>> {
    let read = |story: Transcript| {
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line);
        story.typed(read.map(|_| line));
    };
    story.line(wait, |story| drop(thread::spawn(move || read(story))))
}

fn heard(line: io::Result<Vec<u8>>) -> Result<String> {
    let line = line?;
    let text: String = String::from_utf8_lossy(&line).chars().map(ascii).collect();
    match text.trim() {
        "q" | "Q" => Err(Left.into()),
        _ if line.is_empty() => Err(Left.into()),
        answer => Ok(answer.to_owned()),
    }
}

/// Chinese input methods also type full-width digits and letters (U+FF01 to U+FF5E).
fn ascii(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

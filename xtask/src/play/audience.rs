//! The person who watches: --step, --quiz, and what they type.

use std::fmt;
use std::io::{self, BufRead};
use std::thread;

use anyhow::Result;

use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::drawing::votes::Wait;
use crate::words::Words;

#[derive(Clone, Copy, Debug)]
pub struct Audience {
    /// Presses Enter before every act.
    pub step: bool,
    /// Makes predictions.
    pub quiz: bool,
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

/// Waits for Enter, or for the page.
pub fn wait(style: Style, story: &Transcript) -> Result<()> {
    style.say(Ink::Faint, &Words::fixed("  [Enter: go on, q: leave]", "  [回车继续，q 退出]"))?;
    let answer = answer(story, Wait::GoOn);
    story.wait(Wait::Nothing);
    answer.map(drop)
}

/// A line, trimmed: for [`Wait::Nothing`] from standard input, or else from the page, too.
///
/// # Errors
/// [`Left`] for `q` and at the end of standard input, and errors of standard input.
pub fn answer(story: &Transcript, wait: Wait) -> Result<String> {
    let read = |story: Transcript| {
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line);
        story.asking(|asking| asking.typed(read.map(|_| line)));
    };
    let line = story.line(wait, |story| drop(thread::spawn(move || read(story))))?;
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

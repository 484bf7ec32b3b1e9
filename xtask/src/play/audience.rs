//! The one who watches: whether they step, whether they are asked, and what they type.

use std::fmt;
use std::io::{self, BufRead};

use anyhow::Result;

use crate::drawing::style::{Ink, Style};
use crate::words::Words;

/// What the one who watches wants to do besides.
#[derive(Clone, Copy, Debug)]
pub struct Audience {
    /// Press Enter before every act.
    pub step: bool,
    /// Predict.
    pub quiz: bool,
}

impl Audience {
    /// With `--step`, waits for Enter.
    ///
    /// # Errors
    /// [`Left`] when the one who steps says `q`.
    pub fn wait(self, style: Style) -> Result<()> {
        if !self.step {
            return Ok(());
        }
        style.say(Ink::Faint, &Words::fixed("  [Enter: go on, q: leave]", "  [回车继续，q 退出]"))?;
        answer().map(|_| ())
    }
}

/// The one who watches left.
#[derive(Debug)]
pub struct Left;

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left")
    }
}

impl std::error::Error for Left {}

/// A line from standard input, without the blanks around it.
///
/// # Errors
/// [`Left`] for `q` and at the end of standard input; what standard input reports, but for bytes that are no text.
pub fn answer() -> Result<String> {
    let mut line = Vec::new();
    let read = io::stdin().lock().read_until(b'\n', &mut line)?;
    let line: String = String::from_utf8_lossy(&line).chars().map(ascii).collect();
    match line.trim() {
        "q" | "Q" => Err(Left.into()),
        _ if read == 0 => Err(Left.into()),
        answer => Ok(answer.to_owned()),
    }
}

/// Chinese input methods type digits and letters in full width, too (U+FF01 to U+FF5E).
fn ascii(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

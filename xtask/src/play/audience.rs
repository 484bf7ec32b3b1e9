//! What the one who watches types between two acts.

use std::fmt;
use std::io::{self, BufRead};

use anyhow::Result;

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

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
    match String::from_utf8_lossy(&line).trim() {
        "q" | "Q" => Err(Left.into()),
        _ if read == 0 => Err(Left.into()),
        answer => Ok(answer.to_owned()),
    }
}

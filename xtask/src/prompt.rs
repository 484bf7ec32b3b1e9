//! What the one who watches types between two acts.

use std::fmt;
use std::io;

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
/// [`Left`] for `q` and at the end of standard input; what standard input reports.
pub fn answer() -> Result<String> {
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line)?;
    match line.trim() {
        "q" | "Q" => Err(Left.into()),
        _ if read == 0 => Err(Left.into()),
        answer => Ok(answer.to_owned()),
    }
}

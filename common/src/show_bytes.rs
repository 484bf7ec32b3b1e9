//! Received bytes in a message: how many, and the beginning.

use std::fmt::{self, Display};

use crate::narration::escape;

/// How many bytes are shown: enough to recognise a message.
const SHOWN: usize = 64;

/// A number of bytes: `1 byte` or `8 bytes`.
pub struct Bytes(pub u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, if self.0 == 1 { "byte" } else { "bytes" })
    }
}

/// The received part of something incomplete: how much, and its beginning.
pub fn so_far(bytes: &[u8]) -> String {
    format!("{} came, {}", Bytes(bytes.len() as u64), quoted(bytes))
}

/// The first bytes in quotes, escaped.
pub fn quoted(bytes: &[u8]) -> String {
    let (shown, more) = beginning(bytes);
    format!("\"{}\"{more}", escape(shown))
}

/// The beginning of a name, escaped.
pub fn name(bytes: &[u8]) -> String {
    let (shown, more) = beginning(bytes);
    escape(shown) + more
}

/// Cuts between two characters: half of one would look like bytes that were not sent.
fn beginning(bytes: &[u8]) -> (&[u8], &'static str) {
    if bytes.len() <= SHOWN {
        return (bytes, "");
    }
    let is_inside = |at: &usize| bytes[*at] & 0b1100_0000 == 0b1000_0000;
    let end = (SHOWN - 3..=SHOWN).rev().find(|at| !is_inside(at)).unwrap_or(SHOWN);
    (&bytes[..end], "...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_counted_and_its_beginning_is_shown_escaped() {
        assert_eq!([0, 1, 2].map(|n| Bytes(n).to_string()), ["0 bytes", "1 byte", "2 bytes"]);
        assert_eq!(quoted(b"Hello, Michael!\n\x1b"), "\"Hello, Michael!\\n\\x1b\"");
        assert_eq!(quoted(&[b'x'; 64]), format!("\"{}\"", "x".repeat(64)));
        assert_eq!(quoted(&[b'x'; 65]), format!("\"{}\"...", "x".repeat(64)));
    }

    #[test]
    fn of_much_the_beginning_is_shown_up_to_a_whole_character() {
        let chinese = "文".repeat(30);
        assert_eq!(quoted(chinese.as_bytes()), format!("\"{}\"...", "文".repeat(21)));
        assert_eq!(name(&[b'x'; 65]), "x".repeat(64) + "...");
        assert_eq!(name(&[b'x'; 64]), "x".repeat(64));
        assert_eq!(name(&[0x80; 65]), "\\x80".repeat(64) + "...");
    }
}

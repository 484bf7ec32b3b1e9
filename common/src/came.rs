//! What came, in words: how much, and its beginning.

use std::fmt::{self, Display};

use crate::narration::escape;

/// How much of it is shown: enough to recognise it by.
const SHOWN: usize = 64;

/// So many bytes, as `1 byte` or `8 bytes`.
pub struct Bytes(pub u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, if self.0 == 1 { "byte" } else { "bytes" })
    }
}

/// The bytes in quotes, escaped; of many the first.
pub fn quoted(bytes: &[u8]) -> String {
    let (shown, more) = if bytes.len() > SHOWN { (&bytes[..SHOWN], "...") } else { (bytes, "") };
    format!("\"{}\"{more}", escape(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_counted_and_its_beginning_is_shown_escaped() {
        assert_eq!([0, 1, 2].map(|n| Bytes(n).to_string()), ["0 bytes", "1 byte", "2 bytes"]);
        assert_eq!(quoted(b"Hello, Michael!\n\x1b"), "\"Hello, Michael!\\n\\u{1b}\"");
        assert_eq!(quoted(&[b'x'; 64]), format!("\"{}\"", "x".repeat(64)));
        assert_eq!(quoted(&[b'x'; 65]), format!("\"{}\"...", "x".repeat(64)));
    }
}

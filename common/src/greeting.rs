//! The messages of the notes' conversation: a welcome, a greeting for each name, and `exit`.

/// What the TCP server says first.
pub const WELCOME: &[u8] = b"Welcome!";

/// What a TCP client says last.
pub const EXIT: &[u8] = b"exit";

const BEFORE: &[u8] = b"Hello, ";
const AFTER: &[u8] = b"!";

/// How much longer than its name a greeting is, in bytes.
pub const OVERHEAD: usize = BEFORE.len() + AFTER.len();

/// `Hello, NAME!`, whatever bytes the name is made of.
pub fn of(name: &[u8]) -> Vec<u8> {
    [BEFORE, name, AFTER].concat()
}

/// Whether a message looks like a greeting. Two servers that greet greetings answer each other until a greeting does
/// not fit a datagram, and one datagram with a forged source is enough to start them.
pub fn is_one(message: &[u8]) -> bool {
    message.len() >= OVERHEAD && message.starts_with(BEFORE) && message.ends_with(AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_wraps_any_bytes_and_is_recognised() {
        for name in [&b"Michael"[..], b"", b"\xff\0\n", "张三".as_bytes(), b"Hello, x!"] {
            let greeting = of(name);
            assert_eq!(greeting.len(), name.len() + OVERHEAD);
            assert_eq!(&greeting[BEFORE.len()..greeting.len() - AFTER.len()], name);
            assert!(is_one(&greeting));
        }
        for other in [&b""[..], b"Hello, ", b"Hello", b"Hello, Bob", b"hello, Bob!", b"Bob!"] {
            assert!(!is_one(other));
        }
    }
}

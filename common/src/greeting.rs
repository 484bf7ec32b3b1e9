//! The words of the notes' conversation: a welcome, a greeting for each name, and the way out.

/// What the TCP server says first.
pub const WELCOME: &[u8] = b"Welcome!";

/// What a TCP client says last.
pub const EXIT: &[u8] = b"exit";

const BEFORE: &[u8] = b"Hello, ";
const AFTER: &[u8] = b"!";

/// How many bytes a greeting is longer than its name.
pub const OVERHEAD: usize = BEFORE.len() + AFTER.len();

/// `Hello, NAME!`, whatever bytes the name is made of.
pub fn of(name: &[u8]) -> Vec<u8> {
    [BEFORE, name, AFTER].concat()
}

/// Puts a name's greeting into a buffer, in place of what it held: a server that answers everybody needs one.
pub fn put(buffer: &mut Vec<u8>, name: &[u8]) {
    buffer.clear();
    for part in [BEFORE, name, AFTER] {
        buffer.extend_from_slice(part);
    }
}

/// Whether a message is shaped like a greeting. A server that greets greetings goes on with its like until one
/// fits no datagram: one datagram with a forged source sets two of them off.
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
            let mut buffer = b"what was there before".to_vec();
            put(&mut buffer, name);
            assert_eq!(buffer, greeting);
            assert_eq!(greeting.len(), name.len() + OVERHEAD);
            assert_eq!(&greeting[BEFORE.len()..greeting.len() - AFTER.len()], name);
            assert!(is_one(&greeting));
        }
        for other in [&b""[..], b"Hello, ", b"Hello", b"Hello, Bob", b"hello, Bob!", b"Bob!"] {
            assert!(!is_one(other));
        }
    }
}

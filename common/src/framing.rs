//! Message framing: how two ends that share a stream of bytes agree where a message ends.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::str::FromStr;

use crate::greeting;

/// The most bytes in one message: what the notes pass to `recv`.
pub const LIMIT: usize = 1024;

/// The most bytes in one reply: a message of [`LIMIT`] bytes, greeted.
pub const REPLY_LIMIT: usize = LIMIT + greeting::OVERHEAD;

const PREFIX: usize = size_of::<u32>();

/// Where a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Wherever one read happened to end: the notes' way, which works until the network cuts elsewhere.
    Raw,
    /// At a line feed; a carriage return before it is dropped in reading, as `telnet` sends one.
    Line,
    /// After as many bytes as its first four say, a big-endian number.
    Length,
}

impl Framing {
    /// How a client's command line asks for it; `line` is asked for anyway.
    pub fn option(self) -> &'static str {
        match self {
            Self::Raw => " --framing raw",
            Self::Line => "",
            Self::Length => " --framing length",
        }
    }
}

impl FromStr for Framing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "raw" => Ok(Self::Raw),
            "line" => Ok(Self::Line),
            "length" => Ok(Self::Length),
            _ => Err("it is one of line, raw and length".into()),
        }
    }
}

/// Sends one message with one write: small writes one after the other wait for each other's acknowledgement
/// (Nagle's algorithm meets delayed acknowledgements, RFC 9293 section 3.7.4).
///
/// # Errors
/// `InvalidInput` for a message that this framing cannot carry, before a byte is written.
pub fn write(out: &mut impl Write, framing: Framing, message: &[u8]) -> io::Result<()> {
    let refuse = |why: &str| Err(io::Error::new(ErrorKind::InvalidInput, why));
    match framing {
        Framing::Raw if message.is_empty() => refuse("raw framing cannot carry an empty message"),
        Framing::Raw => out.write_all(message),
        Framing::Line if message.contains(&b'\n') || message.ends_with(b"\r") => {
            refuse("line framing cannot carry a line feed, nor a carriage return at the end")
        }
        Framing::Line => out.write_all(&[message, b"\n"].concat()),
        Framing::Length => match u32::try_from(message.len()) {
            Ok(length) => out.write_all(&[&length.to_be_bytes(), message].concat()),
            Err(_) => refuse("length framing carries at most 2^32-1 bytes"),
        },
    }
}

/// Receives one message of at most `limit` bytes; `None` when the stream ends between messages.
///
/// With [`Framing::Raw`] one read is one message, so the reader's buffer decides how much that can be.
///
/// # Errors
/// `UnexpectedEof` when the stream ends inside a message, `InvalidData` when a message is over the limit
/// (nothing is allocated for it), and whatever the reader reports.
pub fn read(from: &mut impl BufRead, framing: Framing, limit: usize) -> io::Result<Option<Vec<u8>>> {
    match framing {
        Framing::Raw => read_raw(from, limit),
        Framing::Line => read_line(from, limit),
        Framing::Length => read_length(from, limit),
    }
}

fn read_raw(from: &mut impl BufRead, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut message = vec![0; limit];
    let got = loop {
        match from.read(&mut message) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            outcome => break outcome?,
        }
    };
    message.truncate(got);
    Ok((got > 0).then_some(message))
}

fn read_line(from: &mut impl BufRead, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.take(limit as u64 + 2).read_until(b'\n', &mut line)?; // 2: carriage return, line feed
    if line.is_empty() {
        return Ok(None);
    }
    let Some(line) = line.strip_suffix(b"\n") else {
        return Err(if line.len() > limit { over(limit) } else { ended_inside() });
    };
    let message = line.strip_suffix(b"\r").unwrap_or(line);
    if message.len() > limit { Err(over(limit)) } else { Ok(Some(message.to_vec())) }
}

fn read_length(from: &mut impl BufRead, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = Vec::with_capacity(PREFIX);
    from.take(PREFIX as u64).read_to_end(&mut prefix)?;
    let Ok(prefix) = <[u8; PREFIX]>::try_from(prefix.as_slice()) else {
        return if prefix.is_empty() { Ok(None) } else { Err(ended_inside()) };
    };
    let length = u32::from_be_bytes(prefix);
    if length as usize > limit {
        return Err(over(limit));
    }
    let mut message = Vec::new();
    from.take(length.into()).read_to_end(&mut message)?;
    if message.len() < length as usize { Err(ended_inside()) } else { Ok(Some(message)) }
}

fn over(limit: usize) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("a message is at most {limit} bytes"))
}

fn ended_inside() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the stream ended inside a message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{InPieces, Seeded};
    use std::io::BufReader;

    const DELIMITED: [Framing; 2] = [Framing::Line, Framing::Length];

    fn framed(framing: Framing, messages: &[&[u8]]) -> Vec<u8> {
        let mut wire = Vec::new();
        for message in messages {
            write(&mut wire, framing, message).unwrap();
        }
        wire
    }

    fn read_all(from: &mut impl BufRead, framing: Framing) -> io::Result<Vec<Vec<u8>>> {
        std::iter::from_fn(|| read(from, framing, LIMIT).transpose()).collect()
    }

    fn kind_of(framing: Framing, wire: &[u8]) -> ErrorKind {
        read_all(&mut &wire[..], framing).unwrap_err().kind()
    }

    #[test]
    fn messages_survive_every_way_of_cutting_the_stream_in_two() {
        let messages: [&[u8]; 5] = [b"Michael", b"", "张三".as_bytes(), b"\xff\0\r\x1b", b"exit"];
        for framing in DELIMITED {
            let wire = framed(framing, &messages);
            for at in 0..=wire.len() {
                let mut from = BufReader::new((&wire[..at]).chain(&wire[at..]));
                assert_eq!(read_all(&mut from, framing).unwrap(), messages, "{framing:?} cut at {at}");
            }
            for size in 1..=wire.len() {
                let mut from = BufReader::new(InPieces { data: &wire, size });
                assert_eq!(read_all(&mut from, framing).unwrap(), messages, "{framing:?} by {size}");
            }
        }
    }

    #[test]
    fn a_stream_that_ends_inside_a_message_is_an_error_at_every_cut() {
        for framing in DELIMITED {
            let wire = framed(framing, &[b"Michael", b"Tracy"]);
            let between = framed(framing, &[b"Michael"]).len();
            for at in 0..=wire.len() {
                let outcome = read_all(&mut &wire[..at], framing);
                if [0, between, wire.len()].contains(&at) {
                    assert!(outcome.is_ok());
                } else {
                    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UnexpectedEof, "{framing:?} {at}");
                }
            }
        }
    }

    #[test]
    fn what_was_written_is_what_is_read_for_random_messages() {
        let mut random = Seeded::from_environment();
        for _ in 0..500 {
            let count = random.below(6);
            let messages: Vec<Vec<u8>> = (0..count)
                .map(|_| random.bytes(LIMIT))
                .map(|m| m.into_iter().filter(|b| !b"\r\n".contains(b)).collect())
                .collect();
            let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            for framing in DELIMITED {
                let wire = framed(framing, &borrowed);
                let size = 1 + random.below(wire.len().max(1));
                let mut from =
                    BufReader::with_capacity(1 + random.below(2000), InPieces { data: &wire, size });
                assert_eq!(read_all(&mut from, framing).unwrap(), messages, "{random:?}");
            }
        }
    }

    #[test]
    fn random_bytes_never_panic_and_never_yield_more_than_the_limit() {
        let mut random = Seeded::from_environment();
        for _ in 0..2000 {
            let wire = random.bytes(3 * LIMIT);
            for framing in [Framing::Raw, Framing::Line, Framing::Length] {
                let from = &mut &wire[..];
                while let Ok(Some(message)) = read(from, framing, LIMIT) {
                    assert!(message.len() <= LIMIT, "{random:?}");
                }
            }
        }
    }

    #[test]
    fn a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
        let just = vec![b'x'; LIMIT];
        let more = vec![b'x'; LIMIT + 1];
        for framing in DELIMITED {
            assert_eq!(read_all(&mut &framed(framing, &[&just])[..], framing).unwrap(), [just.as_slice()]);
            assert_eq!(kind_of(framing, &framed(framing, &[&more])), ErrorKind::InvalidData);
        }
        assert_eq!(read_all(&mut &[&just[..], b"\r\n"].concat()[..], Framing::Line).unwrap(), [just]);
        assert_eq!(kind_of(Framing::Line, &b"x".repeat(64 * 1024)), ErrorKind::InvalidData);
    }

    #[test]
    fn a_length_prefix_is_believed_only_up_to_the_limit() {
        assert_eq!(read_all(&mut &[0, 0, 0, 0][..], Framing::Length).unwrap(), [b""]);
        for prefix in [1025, u32::MAX] {
            assert_eq!(kind_of(Framing::Length, &prefix.to_be_bytes()), ErrorKind::InvalidData);
        }
        assert_eq!(kind_of(Framing::Length, &1024_u32.to_be_bytes()), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn telnets_carriage_return_is_dropped_once() {
        assert_eq!(read_all(&mut &b"exit\r\na\r\r\n"[..], Framing::Line).unwrap(), [&b"exit"[..], b"a\r"]);
    }

    #[test]
    fn with_raw_framing_one_read_is_one_message() {
        let mut from = BufReader::new(InPieces { data: b"Michaelexit", size: 7 });
        assert_eq!(read_all(&mut from, Framing::Raw).unwrap(), [&b"Michael"[..], b"exit"]);
        assert_eq!(read_all(&mut &b"Michaelexit"[..], Framing::Raw).unwrap(), [b"Michaelexit"]);
    }

    #[test]
    fn what_a_framing_cannot_carry_is_refused_before_a_byte_is_written() {
        for (framing, message) in [
            (Framing::Raw, &b""[..]),
            (Framing::Line, b"a\nb"),
            (Framing::Line, b"a\n"),
            (Framing::Line, b"a\r"),
        ] {
            let mut wire = Vec::new();
            assert_eq!(write(&mut wire, framing, message).unwrap_err().kind(), ErrorKind::InvalidInput);
            assert!(wire.is_empty());
        }
    }

    #[test]
    fn one_message_is_one_write() {
        struct Counted(usize);
        impl Write for Counted {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for framing in [Framing::Raw, Framing::Line, Framing::Length] {
            let mut out = Counted(0);
            write(&mut out, framing, b"Michael").unwrap();
            assert_eq!(out.0, 1, "{framing:?}");
        }
    }
}

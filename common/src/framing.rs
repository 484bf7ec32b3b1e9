//! Message framing: how two ends that share a stream of bytes agree where a message ends.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::mem;
use std::str::FromStr;
use std::time::Duration;

use crate::greeting;
use crate::show_bytes;
use crate::timed_stream::{self, TimedStream};

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
/// (nothing is allocated for it), and whatever the reader reports; inside a message, with what came of it.
pub fn read(from: &mut impl BufRead, framing: Framing, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let held = &mut Vec::new();
    go_on(from, framing, limit, held).map_err(|e| with_what_came(e, framing, held))
}

/// How long a message may stay incomplete before that is remarked on.
pub const REMARK: Duration = Duration::from_secs(3);

/// Receives one message, as [`read`] does. When nothing came for [`REMARK`] and the message is incomplete, `remark`
/// is told what came of it and what is missing, and the rest of the stream's patience is waited out.
///
/// # Errors
/// As [`read`].
pub fn read_or_remark(
    from: &mut BufReader<TimedStream<'_>>,
    framing: Framing,
    limit: usize,
    remark: impl FnOnce(&str),
) -> io::Result<Option<Vec<u8>>> {
    read_or_remark_after(REMARK, from, framing, limit, remark)
}

fn read_or_remark_after(
    first: Duration,
    from: &mut BufReader<TimedStream<'_>>,
    framing: Framing,
    limit: usize,
    remark: impl FnOnce(&str),
) -> io::Result<Option<Vec<u8>>> {
    let idle = from.get_ref().idle;
    if idle <= first {
        return read(from, framing, limit);
    }
    let held = &mut Vec::new();
    from.get_mut().idle = first;
    let mut outcome = go_on(from, framing, limit, held);
    if outcome.as_ref().is_err_and(timed_stream::is_given_up) {
        if !held.is_empty() {
            remark(&missing(framing, held));
        }
        from.get_mut().idle = idle.saturating_sub(first);
        outcome = go_on(from, framing, limit, held);
    }
    from.get_mut().idle = idle;
    outcome.map_err(|e| match e {
        e if held.is_empty() && timed_stream::is_given_up(&e) => {
            io::Error::new(ErrorKind::TimedOut, format!("nothing came for {idle:?}"))
        }
        e => with_what_came(e, framing, held),
    })
}

/// Goes on with a message of which `held` has come; after an error, what came is there.
fn go_on(
    from: &mut impl BufRead,
    framing: Framing,
    limit: usize,
    held: &mut Vec<u8>,
) -> io::Result<Option<Vec<u8>>> {
    match framing {
        Framing::Raw => read_raw(from, limit),
        Framing::Line => read_line(from, limit, held),
        Framing::Length => read_length(from, limit, held),
    }
}

fn with_what_came(error: io::Error, framing: Framing, held: &[u8]) -> io::Error {
    match error.kind() {
        _ if held.is_empty() => error,
        ErrorKind::InvalidData => error,
        kind if timed_stream::is_given_up(&error) => io::Error::new(kind, missing(framing, held)),
        kind => io::Error::new(kind, format!("{error}: {}", missing(framing, held))),
    }
}

/// What came of a message, and what is missing. Where that looks like another framing, it is named.
fn missing(framing: Framing, held: &[u8]) -> String {
    let came = show_bytes::so_far(held);
    let prefix = held.split_first_chunk::<PREFIX>();
    match (framing, prefix) {
        (Framing::Length, None) => format!("{came}, and no length of {PREFIX} bytes: try --framing raw"),
        (Framing::Length, Some((prefix, rest))) => {
            let length = u32::from_be_bytes(*prefix);
            format!("{came}, which is {} of the {length} bytes that its length says", rest.len())
        }
        (_, Some((prefix, rest))) if u32::from_be_bytes(*prefix) as usize == rest.len() => {
            format!("{came}, and no line feed: try --framing length")
        }
        _ => format!("{came}, and no line feed: try --framing raw"),
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

fn read_line(from: &mut impl BufRead, limit: usize, line: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let room = limit + 2 - line.len(); // 2: carriage return, line feed
    from.take(room as u64).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let Some(message) = line.strip_suffix(b"\n") else {
        return Err(if line.len() > limit { over(limit) } else { ended_inside() });
    };
    let length = message.strip_suffix(b"\r").unwrap_or(message).len();
    if length > limit {
        return Err(over(limit));
    }
    line.truncate(length);
    Ok(Some(mem::take(line)))
}

fn read_length(from: &mut impl BufRead, limit: usize, held: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    from.take(PREFIX.saturating_sub(held.len()) as u64).read_to_end(held)?;
    let Some(prefix) = held.first_chunk::<PREFIX>() else {
        return if held.is_empty() { Ok(None) } else { Err(ended_inside()) };
    };
    let length = u32::from_be_bytes(*prefix);
    if length as usize > limit {
        return Err(over_by_prefix(limit, *prefix));
    }
    let whole = PREFIX + length as usize;
    from.take((whole - held.len()) as u64).read_to_end(held)?;
    if held.len() < whole { Err(ended_inside()) } else { Ok(Some(held.split_off(PREFIX))) }
}

fn over(limit: usize) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("a message is at most {limit} bytes"))
}

/// Four letters are no length that anybody meant.
fn over_by_prefix(limit: usize, prefix: [u8; PREFIX]) -> io::Error {
    if !prefix.iter().all(|b| b.is_ascii_graphic() || *b == b' ') {
        return over(limit);
    }
    let why = format!(
        "{}, and {} is no length but text: try --framing line or raw",
        over(limit),
        show_bytes::quoted(&prefix)
    );
    io::Error::new(ErrorKind::InvalidData, why)
}

fn ended_inside() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the stream ended inside a message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded::Seeded;
    use std::io::BufReader;

    /// Yields its data in pieces of at most `size` bytes, as a network may.
    struct InPieces<'a> {
        data: &'a [u8],
        size: usize,
    }

    impl Read for InPieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.size.min(buffer.len()).min(self.data.len());
            let (piece, rest) = self.data.split_at(n);
            buffer[..n].copy_from_slice(piece);
            self.data = rest;
            Ok(n)
        }
    }

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

    /// What came, and then nothing more in time.
    fn timed_out(came: &[u8], framing: Framing) -> String {
        struct Silent;
        impl Read for Silent {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::new(ErrorKind::TimedOut, "nothing came for 10s"))
            }
        }
        let error = read(&mut BufReader::new(came.chain(Silent)), framing, LIMIT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        error.to_string()
    }

    #[test]
    fn a_message_that_stays_incomplete_is_shown_with_what_is_missing_and_the_likely_reason() {
        for (framing, came, text) in [
            (
                Framing::Line,
                &b"Welcome!"[..],
                "8 bytes came, \"Welcome!\", and no line feed: try --framing raw",
            ),
            (Framing::Line, b"x", "1 byte came, \"x\", and no line feed: try --framing raw"),
            (
                Framing::Line,
                b"\0\0\0\x03Ann",
                "7 bytes came, \"\\x00\\x00\\x00\\x03Ann\", and no line feed: try --framing length",
            ),
            (Framing::Length, b"Hi", "2 bytes came, \"Hi\", and no length of 4 bytes: try --framing raw"),
            (
                Framing::Length,
                b"\0\0\0\x07Mich",
                "8 bytes came, \"\\x00\\x00\\x00\\x07Mich\", which is 4 of the 7 bytes that its length says",
            ),
            (Framing::Line, b"", "nothing came for 10s"),
            (Framing::Length, b"", "nothing came for 10s"),
            (Framing::Raw, b"", "nothing came for 10s"),
        ] {
            assert_eq!(timed_out(came, framing), text);
        }
        let error = read_all(&mut &b"Ann\nMich"[..], Framing::Line).unwrap_err().to_string();
        assert!(
            error.starts_with("the stream ended inside a message: 4 bytes came, \"Mich\", and no"),
            "{error}"
        );
        let error = read_all(&mut &b"Welcome!"[..], Framing::Length).unwrap_err().to_string();
        assert!(error.ends_with("\"Welc\" is no length but text: try --framing line or raw"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_connection_that_died_inside_a_message_is_not_silence() {
        struct Dead;
        impl Read for Dead {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(110)) // ETIMEDOUT
            }
        }
        let error = read(&mut BufReader::new(b"Mich".chain(Dead)), Framing::Line, LIMIT).unwrap_err();
        assert!(error.to_string().contains("(os error 110): 4 bytes came"), "{error}");
    }

    #[test]
    fn a_wait_inside_a_message_is_remarked_on_once_and_nothing_is_lost() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut far = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let near = listener.accept().unwrap().0;
        let patient = TimedStream::new(&near, Duration::from_secs(10), Duration::MAX);
        let mut reader = BufReader::new(patient);
        for (framing, begin, end, remark) in [
            (Framing::Line, &b"Mich"[..], &b"ael\n"[..], "4 bytes came, \"Mich\", and no line feed"),
            (Framing::Length, b"\0\0", b"\0\x07Michael", "2 bytes came"),
        ] {
            far.write_all(begin).unwrap();
            let mut remarks = Vec::new();
            let soon = Duration::from_millis(20);
            let message = read_or_remark_after(soon, &mut reader, framing, LIMIT, |what| {
                remarks.push(what.to_owned());
                far.write_all(end).unwrap();
            });
            assert_eq!(message.unwrap().as_deref(), Some(&b"Michael"[..]));
            assert!(remarks.len() == 1 && remarks[0].starts_with(remark), "{remarks:?}");
        }
        assert_eq!(reader.get_ref().idle, Duration::from_secs(10));
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

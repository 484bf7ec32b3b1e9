//! Message framing: how both ends of a byte stream agree where a message ends.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::mem;
use std::str::FromStr;
use std::time::Duration;

use crate::greeting;
use crate::show_bytes;
use crate::text;
use crate::timed_stream::{self, TimedStream};

/// The most bytes in one message: what the notes pass to `recv`.
pub const LIMIT: usize = 1024;

/// The most bytes in one reply: a message of [`LIMIT`] bytes, greeted.
pub const REPLY_LIMIT: usize = LIMIT + greeting::OVERHEAD;

const PREFIX: usize = size_of::<u32>();

/// Where a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Where a read happens to end: the notes' way, which works until the network cuts elsewhere.
    Raw,
    /// At a line feed. A carriage return before it is dropped, because `telnet` sends one.
    Line,
    /// After as many bytes as the four bytes before it say, in big-endian order.
    Length,
}

impl Framing {
    /// The option of a client's command line, with a space before it; `line` is the default.
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
            _ => Err(text!("it is one of line, raw and length", "应为 line、raw、length 之一")),
        }
    }
}

/// Sends one message with one write: of several small writes, each waits for the acknowledgement of the one before
/// (Nagle's algorithm and delayed acknowledgements, RFC 9293 section 3.7.4).
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
/// (nothing is allocated for it), and what the reader reports, with the part that was received.
pub fn read(from: &mut impl BufRead, framing: Framing, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let held = &mut Vec::new();
    go_on(from, framing, limit, held).map_err(|e| with_what_came(e, framing, held))
}

/// How long a message may stay incomplete before that is reported.
pub const REMARK: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 3000 });

/// Receives one message, as [`read`] does. If a message stays incomplete for [`REMARK`], `remark` gets the part that
/// was received and what is missing, once, and the wait goes on up to the stream's own limit.
pub fn read_or_remark(
    from: &mut BufReader<TimedStream<'_>>,
    framing: Framing,
    limit: usize,
    remark: impl FnOnce(&str),
) -> io::Result<Option<Vec<u8>>> {
    let idle = from.get_ref().idle;
    let held = &mut Vec::new();
    from.get_mut().idle = idle.min(REMARK);
    let mut outcome = go_on(from, framing, limit, held);
    if idle > REMARK && outcome.as_ref().is_err_and(timed_stream::is_given_up) {
        if !held.is_empty() {
            remark(&missing(framing, held));
        }
        from.get_mut().idle = idle.saturating_sub(REMARK);
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

/// Continues a message of which `held` has been received, and adds to it what is received before an error.
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

/// The part of a message that was received, what is missing, and which framing it looks like.
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
    let got = from.read(&mut message)?;
    message.truncate(got);
    Ok((got > 0).then_some(message))
}

fn read_line(from: &mut impl BufRead, limit: usize, line: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let room = limit + 2 - line.len(); // 2: the carriage return and the line feed
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

/// Four printable bytes as a length: the peer probably sends text.
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
mod tests;

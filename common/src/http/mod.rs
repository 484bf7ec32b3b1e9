//! HTTP/1.1 replies: the head, and where the body ends (RFC 9112 sections 2 to 7). Everything that is read has a limit.

mod body;
mod head;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, ErrorKind, Read};

use crate::show_bytes;

pub use body::copy_body;
pub use head::read_reply;

/// The most bytes in one line.
pub const LINE_LIMIT: usize = 64 * 1024;

/// The most fields in a head or in a trailer section.
pub const FIELD_LIMIT: usize = 1000;

/// The most bytes in all heads of a reply, the interim ones (1xx) included, or in its trailer section.
pub const HEAD_LIMIT: usize = 256 * 1024;

/// Fits a head and a small page. `BufReader` zeroes its whole buffer before the first read, so a larger one costs
/// time.
pub const BUFFER: usize = 16 * 1024;

/// One line without its end, which is CRLF or LF alone (RFC 9112 section 2.2).
/// `budget` is how long it may be, and then what is left of that.
fn read_line(from: &mut impl BufRead, budget: &mut usize) -> io::Result<Vec<u8>> {
    let most = LINE_LIMIT.min(*budget);
    let mut line = Vec::new();
    let asked = from.take(most as u64).read_until(b'\n', &mut line);
    let got = || format!("{}, and no line feed", show_bytes::so_far(&line));
    asked.map_err(|e| if line.is_empty() { e } else { within(&got(), &e) })?;
    *budget -= line.len();
    let Some(text) = line.strip_suffix(b"\n") else {
        return Err(if line.len() == most {
            bad(&format!("a line is over {LINE_LIMIT} bytes, or all of them over {HEAD_LIMIT}"))
        } else {
            cut_short(&format!("in a line: {}", got()))
        });
    };
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.contains(&b'\r') || text.contains(&0) {
        return Err(bad("a line has a bare carriage return or a zero byte in it"));
    }
    Ok(text.to_vec())
}

/// Without the spaces and tabs around it, and nothing else (RFC 9110 section 5.6.3).
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    trim_end(bytes)
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn bad(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

fn cut_short(place: &str) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, format!("the reply was cut short {place}"))
}

fn within(place: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{place}: {error}"))
}

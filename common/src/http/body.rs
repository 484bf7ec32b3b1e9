//! The body of a reply, which is copied as it comes.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};

use crate::show_bytes;

use super::head::{BodyFraming, read_fields};
use super::{CHUNK_LINE_LIMIT, HEAD_LIMIT, bad, cut_short, read_line, trim_end, within};

/// How much of a body is read at once, in bytes: with this, the copy is as fast as the kernel's own.
pub const BODY_BUFFER: usize = 512 * 1024;

/// Copies the body from a reader that has read the head; returns how many bytes it had. The bytes of one read
/// are written with one write, those of several chunks together.
///
/// # Errors
/// `UnexpectedEof` for a body that ends early, `InvalidData` for chunks that break the rules, and what `out` reports.
pub fn copy_body<R: Read>(
    from: &mut BufReader<R>,
    framing: BodyFraming,
    out: &mut impl Write,
) -> io::Result<u64> {
    let copied = match framing {
        // All of it was read with the head.
        BodyFraming::Length(length) if length <= from.buffer().len() as u64 => copy(from, framing, out)?,
        _ => {
            let read = from.buffer().to_vec();
            from.consume(read.len());
            let all = read.as_slice().chain(from.get_mut());
            copy(&mut BufReader::with_capacity(BODY_BUFFER, all), framing, out)?
        }
    };
    out.flush()?;
    Ok(copied)
}

fn copy<R: Read>(from: &mut BufReader<R>, framing: BodyFraming, out: &mut impl Write) -> io::Result<u64> {
    match framing {
        BodyFraming::Empty => Ok(0),
        BodyFraming::Length(length) => copy_length(from, length, out),
        BodyFraming::Chunked => copy_chunked(from, out),
        BodyFraming::UntilClose => copy_until_close(from, out),
    }
}

fn copy_length<R: Read>(from: &mut BufReader<R>, length: u64, out: &mut impl Write) -> io::Result<u64> {
    let mut left = length;
    while left > 0 {
        let place = || format!("after {} of {length} bytes", length - left);
        let piece = at_most(fill(from).map_err(|e| within(&place(), &e))?, left);
        if piece.is_empty() {
            return Err(cut_short(&place()));
        }
        out.write_all(piece)?;
        let n = piece.len();
        from.consume(n);
        left -= n as u64;
    }
    Ok(length)
}

fn copy_until_close<R: Read>(from: &mut BufReader<R>, out: &mut impl Write) -> io::Result<u64> {
    let mut copied = 0;
    loop {
        let piece = fill(from).map_err(|e| within(&after(copied), &e))?;
        if piece.is_empty() {
            return Ok(copied);
        }
        out.write_all(piece)?;
        let n = piece.len();
        from.consume(n);
        copied += n as u64;
    }
}

fn copy_chunked<R: Read>(from: &mut BufReader<R>, out: &mut impl Write) -> io::Result<u64> {
    let mut packed = Vec::new();
    let mut copied: u64 = 0;
    loop {
        let mut left = read_chunk_size(from, copied, &mut packed, out)?;
        if left == 0 {
            break;
        }
        while left > 0 {
            flush_before_a_read(from.buffer().is_empty(), &mut packed, out)?;
            let place = || format!("inside a chunk, {}", after(copied));
            let piece = at_most(fill(from).map_err(|e| within(&place(), &e))?, left);
            if piece.is_empty() {
                return Err(cut_short(&place()));
            }
            packed.extend_from_slice(piece);
            let n = piece.len();
            from.consume(n);
            left -= n as u64;
            copied += n as u64;
        }
    }
    out.write_all(&packed)?;
    read_fields(from, &mut { HEAD_LIMIT }).map_err(|e| within("in the trailer section", &e))?;
    Ok(copied)
}

/// Reads the end of the previous chunk, if there was one, and the size of the next one. If that takes another read,
/// the packed bytes are written first.
fn read_chunk_size<R: Read>(
    from: &mut BufReader<R>,
    copied: u64,
    packed: &mut Vec<u8>,
    out: &mut impl Write,
) -> io::Result<u64> {
    let mut line = || {
        flush_before_a_read(!from.buffer().contains(&b'\n'), packed, out)?;
        read_line(from, CHUNK_LINE_LIMIT, &mut { HEAD_LIMIT })
            .map_err(|e| within(&format!("in the chunks, {}", after(copied)), &e))
    };
    if copied > 0 && !line()?.is_empty() {
        return Err(bad("a chunk is longer than its size says"));
    }
    parse_chunk_size(&line()?)
}

fn flush_before_a_read(will_read: bool, packed: &mut Vec<u8>, out: &mut impl Write) -> io::Result<()> {
    if will_read && !packed.is_empty() {
        out.write_all(packed)?;
        packed.clear();
    }
    Ok(())
}

/// Up to 16 hexadecimal digits; extensions after a semicolon are skipped, and the spaces before it (RFC 9112
/// section 7.1.1).
fn parse_chunk_size(line: &[u8]) -> io::Result<u64> {
    let size = match line.iter().position(|&b| b == b';') {
        Some(end) => trim_end(&line[..end]),
        None => line,
    };
    let digits = std::str::from_utf8(size).ok().filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()));
    digits
        .filter(|t| t.len() <= 16)
        .and_then(|t| u64::from_str_radix(t, 16).ok())
        .ok_or_else(|| bad("a chunk's size is not a hexadecimal number of at most 16 digits"))
}

/// The bytes in the buffer, or else those of one read; none at the end of the stream.
fn fill<R: Read>(from: &mut BufReader<R>) -> io::Result<&[u8]> {
    // The borrow checker does not let the loop return what fill_buf returns; buffer() is the same.
    while let Err(e) = from.fill_buf() {
        if e.kind() != ErrorKind::Interrupted {
            return Err(e);
        }
    }
    Ok(from.buffer())
}

fn at_most(piece: &[u8], limit: u64) -> &[u8] {
    usize::try_from(limit).map_or(piece, |limit| &piece[..limit.min(piece.len())])
}

fn after(copied: u64) -> String {
    format!("after {}", show_bytes::Bytes(copied))
}

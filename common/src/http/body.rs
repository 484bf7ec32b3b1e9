//! The body of a reply, which is copied as it comes.

use std::io::{self, BufRead, BufReader, Read, Write};

use crate::show_bytes;

use super::head::{BodyFraming, read_fields};
use super::{HEAD_LIMIT, bad, cut_short, read_line, trim_end, within};

/// How much of a body is read at once, in bytes: with this, the copy is as fast as the kernel's own.
pub const BODY_BUFFER: usize = 512 * 1024;

/// Copies the body from a reader that has read the head; returns how many bytes it had. What one read brings of it is
/// written before the next read.
///
/// # Errors
/// `UnexpectedEof` for a body that ends early, `InvalidData` for chunks that break the rules, and what `out` reports.
pub fn copy_body<R: Read>(
    from: &mut BufReader<R>,
    framing: BodyFraming,
    out: &mut impl Write,
) -> io::Result<u64> {
    let read = from.buffer().to_vec();
    // A small page came with the head: zeroing a large buffer would take longer than to copy it.
    let is_small = matches!(framing, BodyFraming::Length(length) if length <= read.len() as u64);
    from.consume(read.len());
    let all = read.as_slice().chain(from.get_mut());
    let from = &mut BufReader::with_capacity(if is_small { read.len() } else { BODY_BUFFER }, all);
    let copied = match framing {
        BodyFraming::Length(length) => {
            let place = |copied| format!("after {copied} of {length} bytes");
            let copied = copy(from, length, out, place)?;
            if copied < length {
                return Err(cut_short(&place(copied)));
            }
            copied
        }
        BodyFraming::Chunked => copy_chunks(from, out)?,
        BodyFraming::UntilClose => copy(from, u64::MAX, out, after)?,
    };
    out.flush()?;
    Ok(copied)
}

/// Copies up to `limit` bytes; fewer if the stream ends before. `place` says where an error was met.
fn copy<R: Read>(
    from: &mut BufReader<R>,
    limit: u64,
    out: &mut impl Write,
    place: impl Fn(u64) -> String,
) -> io::Result<u64> {
    let mut copied = 0;
    while copied < limit {
        let piece = from.fill_buf().map_err(|e| within(&place(copied), &e))?;
        let piece = usize::try_from(limit - copied).map_or(piece, |left| &piece[..left.min(piece.len())]);
        if piece.is_empty() {
            break;
        }
        out.write_all(piece)?;
        let n = piece.len();
        from.consume(n);
        copied += n as u64;
    }
    Ok(copied)
}

fn copy_chunks<R: Read>(from: &mut BufReader<R>, out: &mut impl Write) -> io::Result<u64> {
    let mut copied = 0;
    loop {
        let line = |from: &mut _| {
            read_line(from, &mut { HEAD_LIMIT })
                .map_err(|e| within(&format!("in the chunks, {}", after(copied)), &e))
        };
        if copied > 0 && !line(from)?.is_empty() {
            return Err(bad("a chunk is longer than its size says"));
        }
        let size = parse_chunk_size(&line(from)?)?;
        if size == 0 {
            break;
        }
        let place = |more| format!("inside a chunk, {}", after(copied + more));
        let got = copy(from, size, out, place)?;
        if got < size {
            return Err(cut_short(&place(got)));
        }
        copied += got;
    }
    read_fields(from, &mut { HEAD_LIMIT }).map_err(|e| within("in the trailer section", &e))?;
    Ok(copied)
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

fn after(copied: u64) -> String {
    format!("after {}", show_bytes::Bytes(copied))
}

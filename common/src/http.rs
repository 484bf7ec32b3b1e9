//! HTTP/1.1 replies: the head, and where the body ends (RFC 9112 sections 2 to 7).
//!
//! Every reader works on any stream, and everything it reads has a limit.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};

use crate::show_bytes;

/// The most bytes in one line of a head or of a trailer section.
pub const LINE_LIMIT: usize = 64 * 1024;

/// The most bytes in a reply's heads, the interim ones (1xx) included, and in its trailer section.
pub const HEAD_LIMIT: usize = 256 * 1024;

/// The most fields in a head or in a trailer section.
pub const FIELD_LIMIT: usize = 1000;

/// The most bytes in a chunk's size line, its extensions included.
pub const CHUNK_LINE_LIMIT: usize = 4 * 1024;

/// Room for a head and a small page: a buffer is cleared before its first read, all of it.
pub const BUFFER: usize = 16 * 1024;

/// How much is read at once of a body that is not there yet: at 512 KiB the copy is as fast as the kernel's own.
const BODY_BUFFER: usize = 512 * 1024;

/// The head of a reply.
#[derive(Debug, Default)]
pub struct Head {
    /// The status code, 200 to 999.
    pub status: u16,
    /// The lines as they came, without their ends.
    pub lines: Vec<Vec<u8>>,
    fields: Vec<Field>,
}

/// A field's name, and its value without the blanks around it.
type Field = (Vec<u8>, Vec<u8>);

/// Where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// There is none: the status says so.
    Empty,
    /// After this many bytes.
    Length(u64),
    /// After the chunk of size 0.
    Chunked,
    /// Where the connection is closed: nothing tells a complete body from one that was cut short.
    UntilClose,
}

/// Reads the head of the final reply; interim replies (1xx) before it are skipped.
///
/// # Errors
/// `UnexpectedEof` when the stream ends before the blank line, `InvalidData` when it is not an HTTP/1.x
/// reply or over a limit.
pub fn read_head(from: &mut impl BufRead) -> io::Result<Head> {
    let mut budget = HEAD_LIMIT;
    loop {
        let head = read_one_head(from, &mut budget).map_err(|e| within("in the head", &e))?;
        match head.status {
            101 => return Err(bad("the server switched protocols, which nobody asked for")),
            100..=199 => {}
            _ => return Ok(head),
        }
    }
}

fn read_one_head(from: &mut impl BufRead, budget: &mut usize) -> io::Result<Head> {
    check_beginning(from)?;
    let status_line = read_line(from, LINE_LIMIT, budget)?;
    let status = parse_status(&status_line)?;
    let (mut lines, fields) = read_fields(from, budget)?;
    lines.insert(0, status_line);
    Ok(Head { status, lines, fields })
}

const PROTOCOL: &[u8] = b"HTTP/1.";

/// Looks at what has come, and takes nothing: what cannot become a reply need not be waited for to its line's end.
fn check_beginning(from: &mut impl BufRead) -> io::Result<()> {
    let came = loop {
        match from.fill_buf() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            outcome => break outcome?,
        }
    };
    let length = came.len().min(PROTOCOL.len());
    if came[..length] == PROTOCOL[..length] {
        return Ok(());
    }
    let reason = match came {
        // The types of TLS records, an alert (RFC 8446 section 5.1) most likely: plain text was not understood.
        [20..=24, ..] => "it looks like TLS, which this client does not speak; is there an http:// port?",
        // A frame of SETTINGS, which comes first (RFC 9113 section 3.4).
        [0, 0, _, 4, ..] => "it looks like HTTP/2; this client speaks HTTP/1.1",
        _ => "is the peer a web server?",
    };
    Err(bad(&format!("this is not an HTTP/1.x reply: {} came - {reason}", show_bytes::quoted(came))))
}

/// Reads the head of a reply, as [`read_head`], and tells where its body ends, as [`body_framing`]. A server that
/// would not take the request, `sent`, may have answered and gone before it was asked, being too busy: that reply
/// counts, if it says where it ends.
///
/// # Errors
/// Theirs, or what became of the request.
pub fn read_reply(from: &mut impl BufRead, sent: io::Result<()>) -> io::Result<(Head, BodyFraming)> {
    let reply = read_head(from).and_then(|head| Ok((body_framing(&head)?, head)));
    match (reply, sent) {
        (Ok((BodyFraming::UntilClose, _)) | Err(_), Err(e)) => {
            Err(io::Error::new(e.kind(), format!("the server would not take the request: {e}")))
        }
        (reply, _) => reply.map(|(body_end, head)| (head, body_end)),
    }
}

/// Decides where the body ends, once, from the head (RFC 9112 section 6.3).
///
/// # Errors
/// `InvalidData` where the head gives no sure answer.
pub fn body_framing(head: &Head) -> io::Result<BodyFraming> {
    if matches!(head.status, 204 | 304) {
        return Ok(BodyFraming::Empty);
    }
    let mut codings = head.values("transfer-encoding");
    if let Some(coding) = codings.next() {
        return if coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none() {
            Ok(BodyFraming::Chunked)
        } else {
            Err(bad("the body has a transfer coding other than chunked"))
        };
    }
    let mut lengths = head.values("content-length").map(parse_length);
    let Some(first) = lengths.next().transpose()? else { return Ok(BodyFraming::UntilClose) };
    for other in lengths {
        if other? != first {
            return Err(bad("the head has two different values of Content-Length"));
        }
    }
    Ok(BodyFraming::Length(first))
}

/// Copies the body from a reader that stands behind the head; returns how many bytes it had. What one read
/// brought is written with one write, chunks packed together.
///
/// # Errors
/// `UnexpectedEof` for a body that ends early, `InvalidData` for chunks that are not to the letter.
pub fn copy_body<R: Read>(
    from: &mut BufReader<R>,
    framing: BodyFraming,
    out: &mut impl Write,
) -> io::Result<u64> {
    let copied = match framing {
        // All of it came with the head.
        BodyFraming::Length(length) if length <= from.buffer().len() as u64 => copy(from, framing, out)?,
        _ => {
            let came = from.buffer().to_vec();
            from.consume(came.len());
            let all = came.as_slice().chain(from.get_mut());
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

/// Reads the end of the chunk before, unless this is the first, and the size of the next one. What is packed
/// already is written first if the line would have to be waited for.
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

impl Head {
    /// The members of every field of this name, a comma-separated list being several.
    fn values(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        let of_name = move |field: &&Field| field.0.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(of_name).flat_map(|(_, value)| value.split(|&b| b == b',')).map(trim)
    }
}

fn read_fields(from: &mut impl BufRead, budget: &mut usize) -> io::Result<(Vec<Vec<u8>>, Vec<Field>)> {
    let mut lines = Vec::new();
    let mut fields: Vec<Field> = Vec::new();
    loop {
        let line = read_line(from, LINE_LIMIT, budget)?;
        if line.is_empty() {
            return Ok((lines, fields));
        }
        if lines.len() == FIELD_LIMIT {
            return Err(bad(&format!("there are more than {FIELD_LIMIT} fields")));
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            // An old way to go on with a field (RFC 9112 section 5.2); before the first one it is skipped.
            if let Some((_, value)) = fields.last_mut() {
                value.push(b' ');
                value.extend_from_slice(trim(&line));
            }
        } else {
            fields.push(parse_field(&line)?);
        }
        lines.push(line);
    }
}

/// One line without its end, which is CRLF or LF alone (RFC 9112 section 2.2).
fn read_line(from: &mut impl BufRead, limit: usize, budget: &mut usize) -> io::Result<Vec<u8>> {
    let most = limit.min(*budget);
    let mut line = Vec::new();
    let asked = from.take(most as u64).read_until(b'\n', &mut line);
    let came = || format!("{}, and no line feed", show_bytes::so_far(&line));
    asked.map_err(|e| if line.is_empty() { e } else { within(&came(), &e) })?;
    *budget -= line.len();
    let Some(text) = line.strip_suffix(b"\n") else {
        return Err(if line.len() == most {
            bad(&format!("a line is over {limit} bytes, or all of them over {HEAD_LIMIT}"))
        } else {
            cut_short(&if line.is_empty() {
                "where a line was due".into()
            } else {
                format!("in a line: {}", came())
            })
        });
    };
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.contains(&b'\r') || text.contains(&0) {
        return Err(bad("a line has a bare carriage return or a zero byte in it"));
    }
    Ok(text.to_vec())
}

/// `HTTP/1.1 200 OK`, the text after the code being optional.
fn parse_status(line: &[u8]) -> io::Result<u16> {
    let Some([b'0'..=b'9', b' ', rest @ ..]) = line.strip_prefix(b"HTTP/1.") else {
        return Err(bad("this is not an HTTP/1.x reply - is the peer a web server?"));
    };
    let code = rest.split(|&b| b == b' ').next().unwrap_or_default();
    match code {
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => {
            Ok(code.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
        }
        _ => Err(bad("the status code is not a number of three digits")),
    }
}

/// `Name: value`; no blank may stand before the colon (RFC 9112 section 5.1).
fn parse_field(line: &[u8]) -> io::Result<Field> {
    let colon = line.iter().position(|&b| b == b':').ok_or_else(|| bad("a header line has no colon"))?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return Err(bad("a header field's name is empty or has a character that does not belong there"));
    }
    Ok((name.to_vec(), trim(value).to_vec()))
}

/// Decimal digits and nothing else (RFC 9110 section 8.6).
fn parse_length(value: &[u8]) -> io::Result<u64> {
    let digits = std::str::from_utf8(value).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|t| t.parse().ok()).ok_or_else(|| bad("the Content-Length is not a number of bytes"))
}

/// Up to sixteen hexadecimal digits; extensions after a semicolon are skipped, and the blanks before it (RFC 9112
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

/// Blanks are spaces and tabs (RFC 9110 section 5.6.3).
fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| !b" \t".contains(b)).unwrap_or(bytes.len());
    trim_end(&bytes[start..])
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| !b" \t".contains(b)).map_or(0, |last| last + 1);
    &bytes[..end]
}

/// The bytes that are there, or those of one more read; none at the end of the stream.
fn fill<R: Read>(from: &mut BufReader<R>) -> io::Result<&[u8]> {
    // Asking twice is the borrow checker's price; the second call finds the buffer as the first left it.
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

fn bad(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

fn after(copied: u64) -> String {
    format!("after {}", show_bytes::Bytes(copied))
}

fn cut_short(place: &str) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, format!("the reply was cut short {place}"))
}

fn within(place: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{place}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{InPieces, Seeded};

    /// The status and the body of a reply that comes in pieces of `size` bytes; what was written before an
    /// error is lost, as it is to a program's user.
    fn get(reply: &[u8], size: usize) -> io::Result<(u16, Vec<u8>)> {
        let mut from = BufReader::new(InPieces { data: reply, size });
        let head = read_head(&mut from)?;
        let framing = body_framing(&head)?;
        let mut body = Vec::new();
        let copied = copy_body(&mut from, framing, &mut body)?;
        assert_eq!(copied, body.len() as u64);
        Ok((head.status, body))
    }

    fn whole(reply: &str) -> io::Result<(u16, Vec<u8>)> {
        get(reply.as_bytes(), usize::MAX)
    }

    fn kind_of(reply: &str) -> ErrorKind {
        match whole(reply) {
            Ok(got) => panic!("{reply:?} was accepted: {got:?}"),
            Err(error) => error.kind(),
        }
    }

    /// Replies that say where they end, each with its body.
    const DELIMITED: [(&str, u16, &str); 6] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        ("HTTP/1.0 404\ncontent-length:5\n\nhello", 404, "hello"),
        ("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, ""),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n03;a=b\r\nllo\r\n0\r\nX: y\r\n\r\n",
            200,
            "hello",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n5 ;x\nhello\n0\n\n", 200, "hello"),
        (
            "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 \r\n\r\nHTTP/1.1 999 x\r\nContent-Length: 1, 1\r\n\r\n!",
            999,
            "!",
        ),
    ];

    #[test]
    fn a_reply_reads_the_same_at_every_size_of_its_pieces() {
        for (reply, status, body) in DELIMITED {
            for size in 1..=reply.len() {
                assert_eq!(
                    get(reply.as_bytes(), size).unwrap(),
                    (status, body.into()),
                    "{reply:?} by {size}"
                );
            }
        }
        let until_close = "HTTP/1.1 200 OK\r\n\r\nto the end";
        for size in 1..=until_close.len() {
            assert_eq!(get(until_close.as_bytes(), size).unwrap(), (200, b"to the end".into()));
        }
    }

    #[test]
    fn a_reply_that_ends_early_is_an_error_at_every_cut() {
        for (reply, ..) in DELIMITED {
            for at in 0..reply.len() {
                let kind = get(&reply.as_bytes()[..at], usize::MAX).unwrap_err().kind();
                assert_eq!(kind, ErrorKind::UnexpectedEof, "{:?}", &reply[..at]);
            }
        }
    }

    #[test]
    fn a_length_is_decimal_digits_that_fit_and_agree() {
        let reply = |value: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\nhello!");
        for value in ["+6", "-6", "0x6", "6_0", "6a", "", " ", "6 0", "6,", "6, 7", "5\r\nContent-Length: 6"]
        {
            assert_eq!(kind_of(&reply(value)), ErrorKind::InvalidData, "{value:?}");
        }
        assert_eq!(kind_of(&reply("18446744073709551617")), ErrorKind::InvalidData);
        assert_eq!(kind_of(&reply("9223372036854775807")), ErrorKind::UnexpectedEof);
        for value in ["6", "6, 6", " 6\t ", "6\r\nContent-Length: 6", "006"] {
            assert_eq!(whole(&reply(value)).unwrap().1, b"hello!", "{value:?}");
        }
    }

    #[test]
    fn chunks_are_read_to_the_letter() {
        let reply = |chunks: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        for size in [
            "+5",
            "0x5",
            "5X",
            "",
            "-5",
            "5 5",
            "00000000000000005",
            "g",
            " 5",
            "\t5",
            "5 ",
            " 5;x",
            "\x0c5",
            ";",
        ] {
            assert_eq!(kind_of(&reply(&format!("{size}\r\nhello\r\n0\r\n\r\n"))), ErrorKind::InvalidData);
        }
        for chunks in
            ["5\r\nhello0\r\n\r\n", "4\r\nhello\r\n0\r\n\r\n", "0\r\nno colon\r\n\r\n", "0\r\nX: \0\r\n\r\n"]
        {
            assert_eq!(kind_of(&reply(chunks)), ErrorKind::InvalidData, "{chunks:?}");
        }
        assert_eq!(kind_of(&reply("ffffffffffffffff\r\nhello")), ErrorKind::UnexpectedEof);
        for size in ["5;x", "5 ;x", "5 \t;", "5; x"] {
            assert_eq!(whole(&reply(&format!("{size}\r\nhello\r\n0\r\n\r\n"))).unwrap().1, b"hello");
        }
        assert_eq!(whole(&reply("0000000000000005;n=v;q=\"\"\r\nhello\r\n0\r\n\r\n")).unwrap().1, b"hello");
    }

    #[test]
    fn a_transfer_coding_wins_over_a_length_and_an_unknown_one_is_refused() {
        let reply = |coding: &str| {
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: {coding}\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
            )
        };
        assert_eq!(whole(&reply("Chunked")).unwrap().1, b"hi");
        for coding in
            ["gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "xchunked", ""]
        {
            assert_eq!(kind_of(&reply(coding)), ErrorKind::InvalidData, "{coding:?}");
        }
    }

    #[test]
    fn what_is_not_an_http_reply_is_refused() {
        for reply in [
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1 -20 OK\r\n\r\n",
            "HTTP/1.1  200 OK\r\n\r\n",
            "HTTP/1.1\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.10 200 OK\r\n\r\n",
            "http/1.1 200 OK\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n",
            "Welcome!\n",
            "<html>\n",
            "\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nName : value\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: value\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
            "HTTP/1.1 200 OK\0\r\n\r\n",
        ] {
            assert_eq!(kind_of(reply), ErrorKind::InvalidData, "{reply:?}");
        }
        for reply in ["", "HTTP", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 \r\n\r\n"] {
            assert_eq!(kind_of(reply), ErrorKind::UnexpectedEof, "{reply:?}");
        }
    }

    #[test]
    fn a_first_byte_that_begins_no_reply_is_named_without_waiting_for_more() {
        for (came, reason) in [
            (&b"\x15\x03\x01\0\x02\x02\x46"[..], "\\x03\\x01\\x00\\x02\\x02F\" came - it looks like TLS"),
            (b"\x15", "it looks like TLS"),
            (b"\x16\x03\x03", "it looks like TLS"),
            (b"\0\0\x12\x04\0\0\0\0\0", "it looks like HTTP/2"),
            (b"Welcome!", "\"Welcome!\" came - is the peer a web server?"),
            (b"SSH-2.0-", "is the peer a web server?"),
            (b"HTTP/2 200", "is the peer a web server?"),
            (b"http/1.1", "is the peer a web server?"),
            (b"\xff", "\"\\xff\" came"),
        ] {
            // Behind what came, the reader waits for ever: its next read is an error that nobody should see.
            let mut from = BufReader::new(came.chain(Hopeless));
            let error = read_head(&mut from).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
        let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        for size in 1..=cut.len() {
            assert!(read_head(&mut BufReader::new(InPieces { data: cut, size })).is_ok(), "{size}");
        }
    }

    struct Hopeless;

    impl Read for Hopeless {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::TimedOut.into())
        }
    }

    #[test]
    fn a_reply_that_came_before_the_request_could_be_sent_counts_if_it_says_where_it_ends() {
        let refused = || Err(ErrorKind::ConnectionReset.into());
        let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";
        let (head, body_end) = read_reply(&mut busy.as_bytes(), refused()).unwrap();
        assert_eq!((head.status, body_end), (503, BodyFraming::Length(4)));
        for reply in ["", "HTTP/1.1 503 Bu", "HTTP/1.1 503 Busy\r\n\r\nbusy"] {
            let error = read_reply(&mut reply.as_bytes(), refused()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            assert!(error.to_string().starts_with("the server would not take the request: "), "{error}");
        }
        let (head, body_end) = read_reply(&mut &b"HTTP/1.1 200 OK\r\n\r\n"[..], Ok(())).unwrap();
        assert_eq!((head.status, body_end), (200, BodyFraming::UntilClose));
        let error = read_reply(&mut &b""[..], Ok(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_reply_that_stalls_says_how_far_it_came() {
        for (reply, place) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "after 3 of 5 bytes: "),
            ("HTTP/1.1 200", "in the head: 12 bytes came, \"HTTP/1.1 200\", and no line feed: "),
            ("HTTP/1.1 200 OK\r\n", "in the head: "),
            ("HTTP/1.1 200 OK\r\n\r\nh", "after 1 byte: "),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
                "inside a chunk, after 2 bytes: ",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n",
                "in the chunks, after 1 byte: ",
            ),
        ] {
            let mut from = BufReader::new(reply.as_bytes().chain(Hopeless));
            let error = read_head(&mut from)
                .and_then(|head| copy_body(&mut from, body_framing(&head)?, &mut io::sink()))
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(error.to_string().starts_with(place), "{error}");
        }
    }

    /// Yields the start once and then the pattern for ever; counts what was taken.
    struct Endless {
        start: &'static [u8],
        pattern: &'static [u8],
        at: usize,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            for slot in buffer.iter_mut() {
                let behind = self.at.checked_sub(self.start.len());
                *slot =
                    behind.map_or_else(|| self.start[self.at], |at| self.pattern[at % self.pattern.len()]);
                self.at += 1;
            }
            Ok(buffer.len())
        }
    }

    #[test]
    fn what_never_ends_meets_a_limit() {
        for (start, pattern) in [
            ("HTTP/1.1 200 ", "x"),
            ("", "x"),
            ("HTTP/1.1 200 OK\r\n", "x"),
            ("HTTP/1.1 200 OK\r\nX: ", "x"),
            ("HTTP/1.1 200 OK\r\n", "X: y\r\n"),
            ("HTTP/1.1 200 OK\r\nX: y\r\n", " y\r\n"),
            ("", "HTTP/1.1 100 Continue\r\n\r\n"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "x"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", "y"),
        ] {
            let endless = Endless { start: start.as_bytes(), pattern: pattern.as_bytes(), at: 0 };
            let mut from = BufReader::new(endless);
            let outcome = read_head(&mut from)
                .and_then(|head| copy_body(&mut from, body_framing(&head)?, &mut io::sink()));
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidData, "{start:?} {pattern:?}");
            assert!(
                from.get_ref().at < HEAD_LIMIT + 2 * BODY_BUFFER,
                "{start:?} {pattern:?}: {}",
                from.get_ref().at
            );
        }
    }

    #[test]
    fn one_read_is_written_with_one_write_and_nothing_waits_for_the_next_chunk() {
        #[derive(Default)]
        struct Writes(Vec<usize>);
        impl Write for Writes {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(bytes.len());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let chunks = "1\r\nx\r\n".repeat(1000) + "0\r\n\r\n";
        let mut out = Writes::default();
        copy_body(&mut BufReader::new(chunks.as_bytes()), BodyFraming::Chunked, &mut out).unwrap();
        assert_eq!(out.0, [1000]);
        // Pieces that end inside a size line: each payload is written before the next read.
        let mut out = Writes::default();
        let pieces = InPieces { data: chunks.as_bytes(), size: 7 };
        copy_body(&mut BufReader::new(pieces), BodyFraming::Chunked, &mut out).unwrap();
        assert!(out.0.iter().all(|n| *n <= 2), "{:?}", out.0);
    }

    #[test]
    fn a_mutated_reply_never_panics_and_is_never_a_short_success() {
        let mut random = Seeded::from_environment();
        for _ in 0..3000 {
            let (reply, ..) = DELIMITED[random.below(DELIMITED.len())];
            let mut mutated = reply.as_bytes().to_vec();
            for _ in 0..=random.below(3) {
                let at = random.below(mutated.len());
                match random.below(3) {
                    0 => mutated[at] = random.bytes(1).first().copied().unwrap_or(b'\n'),
                    1 => mutated.insert(at, b"\r\n:;0 5"[random.below(7)]),
                    _ => _ = mutated.remove(at),
                }
            }
            let size = 1 + random.below(mutated.len());
            let mut from = BufReader::new(InPieces { data: &mutated, size });
            let Ok(head) = read_head(&mut from) else { continue };
            let Ok(framing) = body_framing(&head) else { continue };
            let mut body = Vec::new();
            let outcome = copy_body(&mut from, framing, &mut body);
            if let (BodyFraming::Length(length), Ok(copied)) = (framing, outcome) {
                assert_eq!((copied, body.len() as u64), (length, length), "{random:?}");
            }
        }
    }
}

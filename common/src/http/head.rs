//! The head of a reply, and what it says about the end of the body.

use std::io::{self, BufRead};

use crate::show_bytes;

use super::{FIELD_LIMIT, HEAD_LIMIT, bad, read_line, trim, within};

/// The head of a reply.
#[derive(Debug, Default)]
pub struct Head {
    /// The status code, 200 to 999.
    pub status: u16,
    /// The lines as they were received, without their ends.
    pub lines: Vec<Vec<u8>>,
    fields: Vec<Field>,
}

/// A field's name, and its value without the spaces and tabs around it.
type Field = (Vec<u8>, Vec<u8>);

/// Where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// After this many bytes; none where the status says that there is no body.
    Length(u64),
    /// After the chunk of size 0.
    Chunked,
    /// Where the connection is closed: a complete body and one that was cut short look the same.
    UntilClose,
}

/// Reads the head of a reply, and tells where its body ends. A busy server may answer and close before it has read
/// the request, so that `sent` is an error: its reply still counts, if it says where it ends.
///
/// # Errors
/// `UnexpectedEof` when the stream ends before the blank line, `InvalidData` when it is not an HTTP/1.x
/// reply, over a limit or unclear about its end; or else what became of the request.
pub fn read_reply(from: &mut impl BufRead, sent: io::Result<()>) -> io::Result<(Head, BodyFraming)> {
    let reply = read_head(from).and_then(|head| Ok((body_framing(&head)?, head)));
    match (reply, sent) {
        (Ok((BodyFraming::UntilClose, _)) | Err(_), Err(e)) => {
            Err(io::Error::new(e.kind(), format!("the server did not take the request: {e}")))
        }
        (reply, _) => reply.map(|(body_end, head)| (head, body_end)),
    }
}

/// Reads the head of the final reply; interim replies (1xx) before it are skipped.
pub fn read_head(from: &mut impl BufRead) -> io::Result<Head> {
    let mut budget = HEAD_LIMIT;
    loop {
        let head = read_one_head(from, &mut budget).map_err(|e| within("in the head", &e))?;
        match head.status {
            101 => return Err(bad("the server switched to another protocol, without being asked")),
            100..=199 => {}
            _ => return Ok(head),
        }
    }
}

fn read_one_head(from: &mut impl BufRead, budget: &mut usize) -> io::Result<Head> {
    check_beginning(from)?;
    let status_line = read_line(from, budget)?;
    let status = parse_status(&status_line)?;
    let (mut lines, fields) = read_fields(from, budget)?;
    lines.insert(0, status_line);
    Ok(Head { status, lines, fields })
}

const PROTOCOL: &[u8] = b"HTTP/1.";

/// Looks at the first bytes without consuming them: a peer that does not speak HTTP/1 may never end its line.
fn check_beginning(from: &mut impl BufRead) -> io::Result<()> {
    let got = from.fill_buf()?;
    let length = got.len().min(PROTOCOL.len());
    if got[..length] == PROTOCOL[..length] {
        return Ok(());
    }
    let reason = match got {
        // The types of TLS records (RFC 8446 section 5.1), most likely an alert about our plain text.
        [20..=24, ..] => "it looks like TLS, which this client does not speak; is there an http:// port?",
        // A SETTINGS frame, which comes first (RFC 9113 section 3.4).
        [0, 0, _, 4, ..] => "it looks like HTTP/2; this client speaks HTTP/1.1",
        _ => "is the peer a web server?",
    };
    Err(bad(&format!("this is not an HTTP/1.x reply: {} came - {reason}", show_bytes::quoted(got))))
}

/// Decides from the head where the body ends (RFC 9112 section 6.3).
pub fn body_framing(head: &Head) -> io::Result<BodyFraming> {
    if matches!(head.status, 204 | 304) {
        return Ok(BodyFraming::Length(0));
    }
    let codings: Vec<_> = head.values("transfer-encoding").collect();
    if !codings.is_empty() {
        // Empty elements of a list are ignored (RFC 9110 section 5.6.1.2).
        let mut named = codings.into_iter().filter(|coding| !coding.is_empty());
        return match (named.next(), named.next()) {
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(BodyFraming::Chunked),
            _ => Err(bad("the body has a transfer coding other than chunked")),
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

impl Head {
    /// The elements of every field of this name; a value is a comma-separated list.
    fn values(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        let of_name = move |field: &&Field| field.0.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(of_name).flat_map(|(_, value)| value.split(|&b| b == b',')).map(trim)
    }
}

/// Reads the fields of a head or of a trailer section, and the blank line after them.
pub fn read_fields(from: &mut impl BufRead, budget: &mut usize) -> io::Result<(Vec<Vec<u8>>, Vec<Field>)> {
    let mut lines = Vec::new();
    let mut fields: Vec<Field> = Vec::new();
    loop {
        let line = read_line(from, budget)?;
        if line.is_empty() {
            return Ok((lines, fields));
        }
        if lines.len() == FIELD_LIMIT {
            return Err(bad(&format!("there are more than {FIELD_LIMIT} fields")));
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            // An obsolete way to continue a field (RFC 9112 section 5.2). Before the first field, it is skipped.
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

/// `HTTP/1.1 200 OK`, the text after the code being optional.
fn parse_status(line: &[u8]) -> io::Result<u16> {
    let Some([b'0'..=b'9', b' ', rest @ ..]) = line.strip_prefix(PROTOCOL) else {
        return Err(bad("this is not an HTTP/1.x reply - is the peer a web server?"));
    };
    let code = rest.split(|&b| b == b' ').next().filter(|code| code.len() == 3);
    let number = code.and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
    let number = number.filter(|number| (100..=999).contains(number));
    number.ok_or_else(|| bad("the status code is not a number of three digits"))
}

/// `Name: value`, without a space before the colon (RFC 9112 section 5.1).
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

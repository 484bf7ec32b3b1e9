//! A browser's request, as much of HTTP (RFC 9112) as a page with one stream takes. What is not surely one is refused
//! with the status and the reason; nothing of it is sent back.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::time::Duration;

/// How long a request may take to come.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How many bytes it may have.
pub const LIMIT: u64 = 16 * 1024;

/// What is said to whoever is refused: a status, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str, pub &'static str);

const NO_REQUEST: Refused = Refused("400 Bad Request", "this is not a request of HTTP/1.1");

/// A request without a body.
#[derive(Debug)]
pub struct Request {
    /// `GET`, for one.
    pub method: String,
    /// What is asked for.
    pub path: String,
    fields: Vec<(String, String)>,
}

impl Request {
    /// Reads one; none where the peer says nothing.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(from: impl Read) -> Result<Option<Self>, Refused> {
        let mut lines = Lines { from: BufReader::new(from.take(LIMIT)), read: 0 };
        let Some(first) = lines.next()? else { return Ok(None) };
        let mut words = first.split(' ');
        let (Some(method), Some(path), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(NO_REQUEST);
        };
        if method.is_empty() || path.is_empty() || !matches!(version, "HTTP/1.0" | "HTTP/1.1") {
            return Err(NO_REQUEST);
        }
        let mut request = Self { method: method.into(), path: path.into(), fields: Vec::new() };
        loop {
            let line = lines.next()?.ok_or(NO_REQUEST)?;
            if line.is_empty() {
                break;
            }
            // A blank in a name, or a line that goes on: two servers may read that as two things (RFC 9112 5.1, 5.2).
            let field =
                line.split_once(':').filter(|(name, _)| !name.is_empty() && !name.contains([' ', '\t']));
            let (name, value) = field.ok_or(NO_REQUEST)?;
            request.fields.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).into()));
        }
        let has_body = request.field("content-length")?.is_some_and(|length| length != "0")
            || request.field("transfer-encoding")?.is_some();
        if has_body {
            return Err(Refused("413 Content Too Large", "a request has no body here"));
        }
        Ok(Some(request))
    }

    /// A field's value; its name is in small letters.
    ///
    /// # Errors
    /// When it is there twice.
    pub fn field(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut values =
            self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(NO_REQUEST),
        }
    }

    /// Where it thinks it is, without the port: `localhost`, `127.0.0.1`, `[::1]`.
    ///
    /// # Errors
    /// When it does not say so, once (RFC 9112 3.2).
    pub fn host(&self) -> Result<&str, Refused> {
        let host = self.field("host")?.ok_or(NO_REQUEST)?;
        let port = host.rfind(':').filter(|at| !host[*at..].contains(']'));
        Ok(port.map_or(host, |at| &host[..at]))
    }
}

struct Lines<R> {
    from: R,
    read: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line without its end; none where nothing at all has come.
    fn next(&mut self) -> Result<Option<String>, Refused> {
        let mut line = Vec::new();
        let outcome = self.from.read_until(b'\n', &mut line);
        self.read += line.len() as u64;
        match outcome {
            Err(e) if e.kind() == ErrorKind::TimedOut && self.read > 0 => {
                return Err(Refused("408 Request Timeout", "the request did not come in time"));
            }
            _ if self.read == 0 => return Ok(None),
            Err(_) => return Err(NO_REQUEST),
            Ok(_) => {}
        }
        if line.pop() != Some(b'\n') {
            return Err(if self.read >= LIMIT {
                Refused("431 Request Header Fields Too Large", "a request has at most 16 KiB here")
            } else {
                NO_REQUEST
            });
        }
        let line = String::from_utf8(line).map_err(|_| NO_REQUEST)?;
        let line = line.strip_suffix('\r').unwrap_or(&line).to_owned();
        if line.contains(char::is_control) { Err(NO_REQUEST) } else { Ok(Some(line)) }
    }
}

/// Reads what a refused peer still sends, a little and not for long: a close with unread data would be a reset, and
/// the peer might never see why.
pub fn read_out(from: impl Read) {
    let _ = io::copy(&mut from.take(4 * LIMIT), &mut io::sink());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl AsRef<[u8]>) -> Result<Option<Request>, Refused> {
        Request::read(text.as_ref())
    }

    fn status(text: impl AsRef<[u8]>) -> &'static str {
        let Err(Refused(status, _)) = read(&text) else {
            panic!("{:?}", String::from_utf8_lossy(text.as_ref()))
        };
        &status[..3]
    }

    #[test]
    fn a_request_is_its_method_its_path_and_its_fields() {
        let text = "GET /events HTTP/1.1\r\nHost: [::1]:8080\r\nLAST-Event-ID:  7 \r\n\r\nrest";
        let request = read(text).unwrap().unwrap();
        assert_eq!((&*request.method, &*request.path, request.host()), ("GET", "/events", Ok("[::1]")));
        assert_eq!((request.field("last-event-id"), request.field("x")), (Ok(Some("7")), Ok(None)));
        for (host, name) in [("a", "a"), ("a:1", "a"), ("[::1]", "[::1]"), ("127.0.0.1:8080", "127.0.0.1")] {
            let request = read(format!("GET / HTTP/1.1\nHost: {host}\n\n")).unwrap().unwrap();
            assert_eq!(request.host(), Ok(name));
        }
        assert!(read("").unwrap().is_none(), "whoever says nothing is told nothing");
    }

    #[test]
    fn what_is_not_surely_a_request_is_refused() {
        let twice = read("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").unwrap().unwrap();
        assert!(twice.host().is_err());
        for rubbish in [
            &b"GET /\r\n\r\n"[..],
            b"GET / HTTP/2\r\n\r\n",
            b"GET / x HTTP/1.1\r\n\r\n",
            b"GET  HTTP/1.1\r\n\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost",
            b"GET / HTTP/1.1\r\n",
            b"GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\xfc\n",
            b"\n",
        ] {
            assert_eq!(status(rubbish), "400");
        }
        assert_eq!(status("POST /next HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), "413");
        assert_eq!(status("POST /next HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), "413");
        let long = "x".repeat(usize::try_from(LIMIT).unwrap());
        assert_eq!(status(format!("GET /{long} HTTP/1.1\r\n\r\n")), "431");
        assert_eq!(status(format!("GET / HTTP/1.1\r\n{}\r\n\r\n", "a: b\r\n".repeat(long.len()))), "431");
    }

    #[test]
    fn rubbish_of_any_kind_is_refused_and_never_a_panic() {
        let parts = ["GET", " ", "/", "HTTP/1.1", "\r\n", ":", "Host", "\n", "\0", "é", "Content-Length: 9"];
        let mut number = 1_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..8 {
                number =
                    number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text += parts[usize::try_from(number >> 33).unwrap() % parts.len()];
            }
            let _ = read(text);
        }
    }
}

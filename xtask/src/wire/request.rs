//! A client's request, as much of HTTP (RFC 9112) as a page with one stream takes. What is not surely one is refused
//! with the status and the reason; nothing of it is sent back.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::time::Duration;

/// How long a request may take to come.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How many bytes it may have.
const LIMIT: u64 = 16 * 1024;

/// What a refused client is told: a status, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str, pub &'static str);

const NO_REQUEST: Refused = Refused("400 Bad Request", "this is not a request of HTTP/1.1");
const TOO_LATE: Refused = Refused("408 Request Timeout", "the request did not come in time");
const TOO_LARGE: Refused =
    Refused("431 Request Header Fields Too Large", "a request has at most 16 KiB here");

/// Reads a request's lines, the empty one at their end included; none of them where the peer says nothing. An empty line
/// before the first one is left out (RFC 9112 2.2).
pub fn head(from: impl Read) -> Result<Vec<u8>, Refused> {
    let mut from = BufReader::new(from.take(LIMIT));
    let mut head = Vec::new();
    loop {
        let begin = head.len();
        let outcome = from.read_until(b'\n', &mut head);
        let line = &head[begin..];
        let is_blank = matches!(line, b"\n" | b"\r\n");
        return match outcome {
            _ if head.is_empty() => Ok(head),
            Ok(_) if line.ends_with(b"\n") && (begin == 0 || !is_blank) => continue,
            Ok(_) if is_blank => {
                let first = head.strip_prefix(b"\n").or_else(|| head.strip_prefix(b"\r\n"));
                Ok(first.unwrap_or(&head).to_vec())
            }
            Ok(_) if head.len() as u64 == LIMIT => Err(TOO_LARGE),
            Err(e) if e.kind() == ErrorKind::TimedOut => Err(TOO_LATE),
            _ => Err(NO_REQUEST),
        };
    }
}

#[derive(Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    fields: Vec<(String, String)>,
}

impl Request {
    pub fn parse(head: &[u8]) -> Result<Self, Refused> {
        // A value may have bytes that are not ASCII (RFC 9110 5.5, obs-text); they mean nothing here.
        let text = String::from_utf8_lossy(head);
        let mut lines = text.split_terminator('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let first: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
        let [method, target, "HTTP/1.0" | "HTTP/1.1"] = first[..] else { return Err(NO_REQUEST) };
        if method.is_empty() || target.is_empty() || first.concat().contains(char::is_control) {
            return Err(NO_REQUEST);
        }
        let mut fields = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let is_blank = |c| c == ' ' || c == '\t';
            // A blank in a name, or a line that goes on: two servers may read that as two things (RFC 9112 5.1, 5.2).
            let field = line.split_once(':').filter(|(name, _)| !name.is_empty() && !name.contains(is_blank));
            let (name, value) = field.ok_or(NO_REQUEST)?;
            if line.contains(|c: char| c.is_control() && c != '\t') {
                return Err(NO_REQUEST);
            }
            fields.push((name.to_ascii_lowercase(), value.trim_matches(is_blank).to_owned()));
        }
        let mut request = Self { method: method.into(), path: target.into(), fields };
        let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
        if let Some(rest) = scheme.and(target.get(7..)) {
            // As a proxy is asked: the target's host counts in place of the field's (RFC 9112 3.2.2).
            let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            request.host()?;
            request.fields.retain(|(name, _)| name != "host");
            request.fields.push(("host".into(), host.into()));
            request.path = if path.starts_with('/') { path.into() } else { format!("/{path}") };
        }
        let has_body = request.field("content-length")?.is_some_and(|length| length != "0")
            || request.field("transfer-encoding")?.is_some();
        if has_body {
            return Err(Refused("413 Content Too Large", "a request has no body here"));
        }
        Ok(request)
    }

    /// A field's value; its name is in small letters. One that is there twice is refused.
    pub fn field(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut values =
            self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(NO_REQUEST),
        }
    }

    /// Where it thinks it is, without the port: `localhost`, `127.0.0.1`, `[::1]`. It must say so, once (RFC 9112 3.2).
    pub fn host(&self) -> Result<&str, Refused> {
        let host = self.field("host")?.ok_or(NO_REQUEST)?;
        let port = host.rfind(':').filter(|at| !host[*at..].contains(']'));
        Ok(port.map_or(host, |at| &host[..at]))
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
    use common::seeded::Seeded;

    fn read(text: impl AsRef<[u8]>) -> Result<Request, Refused> {
        Request::parse(&head(text.as_ref())?)
    }

    fn status(text: impl AsRef<[u8]>) -> &'static str {
        &read(text).unwrap_err().0[..3]
    }

    #[test]
    fn a_request_is_its_method_its_path_and_its_fields() {
        let text = "GET /events HTTP/1.1\r\nHost: [::1]:8080\r\nLAST-Event-ID:  7 \r\n\r\nrest";
        let request = read(text).unwrap();
        assert_eq!((&*request.method, &*request.path, request.host()), ("GET", "/events", Ok("[::1]")));
        assert_eq!((request.field("last-event-id"), request.field("x")), (Ok(Some("7")), Ok(None)));
        for (host, name) in [("a", "a"), ("a:1", "a"), ("[::1]", "[::1]"), ("127.0.0.1:8080", "127.0.0.1")] {
            let request = read(format!("GET / HTTP/1.1\nHost: {host}\n\n")).unwrap();
            assert_eq!(request.host(), Ok(name));
        }
        assert_eq!(head(&b""[..]), Ok(Vec::new()), "who says nothing is told nothing");
    }

    #[test]
    fn what_a_server_has_to_accept_is_accepted() {
        for (text, host) in [
            (&b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], "a"),
            (b"GET / HTTP/1.1\r\nHost:\ta\t\r\nUser-Agent: one\ttwo \xe4\xff\r\n\r\n", "a"),
            (b"GET http://b:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "b"),
            (b"GET HTTP://[::1] HTTP/1.1\r\nHost: a\r\n\r\n", "[::1]"),
        ] {
            let request = read(text).unwrap();
            assert_eq!((&*request.path, request.host()), ("/", Ok(host)), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn what_is_not_surely_a_request_is_refused() {
        let twice = read("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").unwrap();
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
            b"\n\n",
            b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\t\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
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
        let mut random = Seeded::new(1);
        for _ in 0..20_000 {
            let text: String = (0..8).map(|_| parts[random.below(parts.len())]).collect();
            let _ = read(text);
        }
    }
}

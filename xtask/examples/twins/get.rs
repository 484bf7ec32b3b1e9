//! Clients that get a page, with one mistake each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::{fs, process};

use super::By::One;
use super::waits_forever;

/// A client in parts, each of which a twin may replace.
pub struct Get {
    /// The request for a path on a host.
    request: fn(&str, &str) -> String,
    asked: fn(),
    /// One read is the whole header.
    reads_once: bool,
    /// Whether a first line that is no HTTP is good enough.
    is_reply: fn(&str) -> bool,
    prints: fn(&str) -> bool,
    /// The fields by which it looks for the end.
    fields: fn(&str) -> String,
    knows_204: bool,
    knows_chunks: bool,
    /// One read is all chunks.
    reads_chunks_once: bool,
    /// Chunks may end with the stream.
    needs_last_chunk: bool,
    knows_length: bool,
    /// It saves before it knows that all has come.
    saves_early: bool,
    needs_all: bool,
    /// What it saves, of a header and a body.
    saves: fn(&str, Vec<u8>) -> Option<Vec<u8>>,
    ends: fn(),
}

impl Default for Get {
    fn default() -> Self {
        Self {
            request: |path, host| format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            asked: || {},
            reads_once: false,
            is_reply: |_| false,
            prints: |_| true,
            fields: str::to_lowercase,
            knows_204: true,
            knows_chunks: true,
            reads_chunks_once: false,
            needs_last_chunk: true,
            knows_length: true,
            saves_early: false,
            needs_all: true,
            saves: |_, body| Some(body),
            ends: || {},
        }
    }
}

impl Get {
    pub fn runs(self, url: &str, out: &str) {
        let (at, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let stream = TcpStream::connect(at).expect("cannot connect");
        (&stream).write_all((self.request)(path, at).as_bytes()).unwrap();
        (self.asked)();
        let mut from = BufReader::new(&stream);
        let all = from.fill_buf().unwrap();
        let head = if self.reads_once { self.header(&mut &*all) } else { self.header(&mut from) };
        if (self.prints)(&head) {
            print!("{head}");
        }
        let fields = (self.fields)(&head);
        let length = fields.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let body = if self.knows_204 && head.contains(" 204 ") {
            Vec::new()
        } else if self.knows_chunks && fields.contains("transfer-encoding: chunked") {
            if self.reads_chunks_once {
                self.chunks(&mut from.fill_buf().unwrap())
            } else {
                self.chunks(&mut from)
            }
        } else {
            self.body(&mut from, length, out)
        };
        if let Some(saved) = (self.saves)(&head, body) {
            fs::write(out, saved).unwrap();
        }
        (self.ends)();
    }

    fn header(&self, from: &mut impl BufRead) -> String {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            let _ = from.read_line(&mut line);
            let is_http = line.ends_with("\r\n") && (!head.is_empty() || line.starts_with("HTTP/"));
            if !is_http && (self.is_reply)(&line) {
                return head;
            }
            assert!(is_http, "this is no HTTP");
            if line == "\r\n" {
                return head;
            }
            head += &line;
        }
    }

    fn chunks(&self, from: &mut impl BufRead) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line).unwrap() == 0 && !self.needs_last_chunk {
                return body;
            }
            let size = u64::from_str_radix(line.trim(), 16).unwrap();
            from.by_ref().take(size).read_to_end(&mut body).unwrap();
            from.read_line(&mut line).unwrap();
            if size == 0 {
                return body;
            }
        }
    }

    fn body(&self, from: &mut impl BufRead, length: Option<u64>, out: &str) -> Vec<u8> {
        let mut body = Vec::new();
        let known = length.filter(|_| self.knows_length);
        from.by_ref().take(known.unwrap_or(u64::MAX)).read_to_end(&mut body).unwrap();
        if self.saves_early {
            fs::write(out, &body).unwrap();
        }
        let is_all = length.is_none_or(|length| length == body.len() as u64);
        assert!(is_all || !self.needs_all, "it is cut short");
        body
    }
}

type Twin = super::Twin<Get>;

#[rustfmt::skip]
pub const ROWS: &[Twin] = &[
    Twin::new("header", &["✗ length header-saved"], |p| p.saves = |head, body| Some([head.as_bytes(), b"\r\n", &body].concat())),
    Twin::new("python-words", &["✗ length python-words"], |p| p.saves = |_, body| Some([b"b'", &body[..], b"'"].concat())).by(One),
    Twin::new("no-host", &["✗ length other-request"], |p| p.request = |path, _| format!("GET /{path} HTTP/1.1\r\n\r\n")),
    Twin::new("unended", &["✗ length other-request"], |p| p.request = |path, host| format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n")).by(One).patience(1).only(cfg!(target_os = "linux")),
    Twin::new("dies", &["✗ length ended-too-early"], |p| { p.request = |_, _| String::new(); p.asked = || panic!("no such key") }).by(One),
    Twin::new("unsaved", &["✗ length no-file"], |p| p.saves = |_, _| None),
    Twin::new("fails-at-last", &["✗ length failed-at-the-end"], |p| p.ends = || process::exit(3)).by(One),
    Twin::new("lingers", &["? length at-work"], |p| p.ends = || waits_forever()).by(One).patience(1),
    Twin::new("close", &["✗ close not-all"], |p| p.saves = |head, body| {
        let is_by_close = !head.to_lowercase().contains("content-length") && !head.contains("chunked");
        Some(if is_by_close { Vec::new() } else { body })
    }),
    Twin::new("chunked", &["✗ chunked chunk-sizes-saved", "✗ cut", "✗ short", "✗ open waits-for-the-end", "✗ fields"], |p| p.knows_chunks = false),
    Twin::new("cut", &["✗ cut one-recv"], |p| p.reads_once = true).by(One),
    Twin::new("empty", &["✗ empty waits-for-the-end"], |p| p.knows_204 = false),
    Twin::new("saves-head", &["✗ empty header-saved"], |p| p.saves = |head, body| Some(if body.is_empty() { head.into() } else { body })),
    Twin::new("short", &["✗ short cut-short"], |p| p.needs_all = false),
    Twin::new("half-kept", &["✗ short cut-short"], |p| p.saves_early = true),
    Twin::new("open", &["✗ open waits-for-the-end", "✗ fields"], |p| p.knows_length = false),
    Twin::new("large", &["✗ large not-all"], |p| p.saves = |_, mut body| { body.truncate(1 << 25); Some(body) }),
    Twin::new("no-header-printed", &["✗ length header-unprinted"], |p| p.prints = |_| false),
    Twin::new("status", &["✗ status header-unprinted"], |p| p.prints = |head| !head.contains("404")),
    Twin::new("fields", &["✗ fields field-spelled"], |p| p.fields = |head| {
        head.replace("content-length", "").replace("TRANSFER-ENCODING", "").to_lowercase()
    }),
    Twin::new("spells-chunked", &["✗ fields field-spelled"], |p| p.fields = |head| head.replace("TRANSFER-ENCODING", "").to_lowercase()).by(One),
    Twin::new("chunks-at-once", &["✗ cut one-recv"], |p| p.reads_chunks_once = true),
    Twin::new("last-chunk", &["✗ short cut-short"], |p| p.needs_last_chunk = false),
    Twin::new("no-reply", &["✗ no-http no-header"], |p| p.is_reply = str::is_empty),
    Twin::new("no-http", &["✗ no-http no-header"], |p| p.is_reply = |_| true),
];

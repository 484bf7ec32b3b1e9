//! What happens, and how it is recorded.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::str;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Client,
    Server,
}

impl Side {
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// Its name, in English and in Chinese.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Client => ("client", "客户端"),
            Self::Server => ("server", "服务器"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Crossing {
    Plain,
    Lost,
    /// Until the next ones have passed.
    HeldBack,
    /// They had been held back.
    Late,
    /// A second time.
    Again,
}

/// Bytes that crossed the wire as one read or one datagram: all of them or, for a recorder that keeps few, the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    pub bytes: Vec<u8>,
    pub size: usize,
    pub ends_line: bool,
    /// Whether `bytes` are UTF-8, as far as they go.
    pub is_text: bool,
}

impl Payload {
    pub fn of(bytes: &[u8], limit: usize) -> Self {
        let (kept, rest) = bytes.split_at(bytes.len().min(limit));
        // Where a rest follows, half a character may be left at the end.
        let is_half = |e: str::Utf8Error| e.error_len().is_none() && !rest.is_empty();
        let is_text = str::from_utf8(kept).map_or_else(is_half, |_| true);
        Self { bytes: kept.to_vec(), size: bytes.len(), ends_line: bytes.ends_with(b"\n"), is_text }
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        Self::of(bytes, usize::MAX)
    }
}

#[derive(Debug)]
pub enum What {
    /// A program printed a line; it is escaped.
    Said { lane: Side, program: u32, line: String, is_error: bool },
    /// A program's outputs have both ended.
    Finished { program: u32 },
    /// A client is there whose events have this label from now on.
    Came { client: SocketAddr },
    /// A client connected to the relay, and the relay to the server, from this port.
    Connected { port: u16 },
    /// The server did not take the client, or its datagram, by the system's words; perhaps as nobody listens there.
    Refused { why: String, is_absent: bool },
    /// Bytes crossed the wire, as one read or one datagram.
    Sent { toward: Side, bytes: Payload, how: Crossing },
    /// Bytes went on crossing, in too many reads or datagrams for each to be told.
    Flowed { toward: Side, how: Crossing, pieces: u64, size: u64, took: Duration },
    /// This side was told that the other one ended its half of the connection.
    Ended { toward: Side },
    /// The other side's connection broke, and the relay ends this one, by a reset, too, or else by an end of stream.
    Broke { toward: Side, as_reset: bool },
    /// All places were taken, and this client's went to another one.
    GaveWay,
    /// Nothing: everything that was recorded before this has been handed on.
    Mark,
}

#[derive(Debug)]
pub struct Event {
    pub at: Instant,
    /// `#1` for the first client and its connection; empty where there is one.
    pub label: String,
    pub what: What,
}

impl What {
    pub fn refused(error: &io::Error) -> Self {
        // Windows has the one for a connection, and the other one for a datagram.
        let is_absent = matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset);
        Self::Refused { why: error.to_string(), is_absent }
    }
}

impl Event {
    pub fn is_end_of(&self, pid: u32) -> bool {
        matches!(self.what, What::Finished { program } if program == pid)
    }

    /// The line that a program printed on standard output.
    pub fn said(&self) -> Option<&str> {
        if let What::Said { line, is_error: false, .. } = &self.what { Some(line) } else { None }
    }
}

#[derive(Clone)]
pub struct Recorder {
    label: String,
    keeps: usize,
    send: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Recorder {
    /// Without a label; keeps the first `keeps` bytes of a payload. Whether somebody still hears an event is left out.
    pub fn new<E>(keeps: usize, send: impl Fn(Event) -> Result<(), E> + Send + Sync + 'static) -> Self {
        Self { label: String::new(), keeps, send: Arc::new(move |event| drop(send(event))) }
    }

    pub fn discarding() -> Self {
        Self::new(0, |_| Ok::<_, ()>(()))
    }

    pub fn labelled(&self, label: &str) -> Self {
        Self { label: label.into(), ..self.clone() }
    }

    pub fn record(&self, what: What) {
        (self.send)(Event { at: Instant::now(), label: self.label.clone(), what });
    }

    pub fn sent(&self, toward: Side, bytes: &[u8], how: Crossing) {
        self.record(What::Sent { toward, bytes: Payload::of(bytes, self.keeps), how });
    }

    pub fn said(&self, lane: Side, line: impl Into<String>) {
        self.record(What::Said { lane, program: 0, line: line.into(), is_error: false });
    }
}

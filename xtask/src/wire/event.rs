//! What happens, and how it is recorded.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::str;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender};
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
}

/// What becomes of bytes on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Crossing {
    Plain,
    /// They never arrive: the plan was to drop them.
    Lost,
    /// They are late: the plan was to hold them back until the next ones have passed.
    HeldBack,
    /// They arrive after all, having been held back.
    Late,
    /// They arrive a second time.
    Again,
}

/// Bytes that crossed the wire as one read or one datagram: all of them or, for a recorder that keeps few, the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// What was kept of them.
    pub bytes: Vec<u8>,
    pub size: usize,
    /// Whether the last of them was a line feed.
    pub ends_line: bool,
    /// Whether what was kept is UTF-8, as far as it goes.
    pub is_text: bool,
}

impl Payload {
    /// The first `limit` of these bytes.
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
    /// A program printed a line.
    Said {
        lane: Side,
        program: u32,
        /// Escaped.
        line: String,
        is_error: bool,
    },
    /// A program's outputs have both ended.
    Finished { program: u32 },
    /// A client is there whose events have this label from now on.
    Came { client: SocketAddr },
    /// A client connected to the relay, and the relay to the server.
    Connected {
        /// The port that the server sees the connection come from.
        port: u16,
    },
    /// The server did not take the client, or its datagram.
    Refused {
        /// What the system said of it.
        why: String,
        /// Nobody listens where it should be.
        is_absent: bool,
    },
    /// Bytes crossed the wire, as one read or one datagram.
    Sent { toward: Side, bytes: Payload, how: Crossing },
    /// Bytes went on crossing the wire, too many reads or datagrams for each to be told.
    Flowed {
        toward: Side,
        how: Crossing,
        /// As how many reads or datagrams.
        pieces: u64,
        size: u64,
        /// From the first of them to the last.
        took: Duration,
    },
    /// A side ended its half of the connection.
    Ended {
        /// The side that was told.
        toward: Side,
    },
    /// A side's connection broke; the relay ends the other one.
    Broke {
        /// The side across from it.
        toward: Side,
        /// Whether the other one is ended by a reset, too; if not, it is told an end of stream.
        as_reset: bool,
    },
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
    /// That this error kept a client, or its datagram, from the server.
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

    /// Whether a program printed a line that starts like this on standard output.
    pub fn starts_line(&self, start: &str) -> bool {
        matches!(&self.what, What::Said { line, is_error: false, .. } if line.starts_with(start))
    }

    /// Whether a program printed this very line on standard output.
    pub fn is_line(&self, text: &str) -> bool {
        matches!(&self.what, What::Said { line, is_error: false, .. } if line == text)
    }
}

/// A place to send events to, under one label.
#[derive(Clone)]
pub struct Recorder {
    label: String,
    /// How many bytes of a payload it keeps.
    keeps: usize,
    // Nobody listens any more once the lesson is over.
    send: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Recorder {
    /// Records into a channel, all bytes.
    pub fn new(label: &str, events: Sender<Event>) -> Self {
        let send = Arc::new(move |event| drop(events.send(event)));
        Self { label: label.into(), keeps: usize::MAX, send }
    }

    /// Records into a bounded channel, waiting where it is full, and of a payload only the first `keeps` bytes: for
    /// what runs on and on.
    pub fn bounded(events: SyncSender<Event>, keeps: usize) -> Self {
        Self { label: String::new(), keeps, send: Arc::new(move |event| drop(events.send(event))) }
    }

    pub fn discarding() -> Self {
        Self { label: String::new(), keeps: 0, send: Arc::new(|_| ()) }
    }

    /// One that records under another label, to the same place.
    pub fn labelled(&self, label: &str) -> Self {
        Self { label: label.into(), ..self.clone() }
    }

    pub fn record(&self, what: What) {
        (self.send)(Event { at: Instant::now(), label: self.label.clone(), what });
    }

    pub fn sent(&self, toward: Side, bytes: &[u8], how: Crossing) {
        self.record(What::Sent { toward, bytes: Payload::of(bytes, self.keeps), how });
    }

    /// Records a line for a side that is not a process.
    pub fn said(&self, lane: Side, line: impl Into<String>) {
        self.record(What::Said { lane, program: 0, line: line.into(), is_error: false });
    }
}

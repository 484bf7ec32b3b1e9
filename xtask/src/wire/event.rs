//! What happens in a lesson, and who records it.

use std::sync::mpsc::Sender;
use std::time::Instant;

/// A side of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The left one.
    Client,
    /// The right one.
    Server,
}

impl Lane {
    /// The side across.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What happened.
#[derive(Debug)]
pub enum What {
    /// A program printed a line.
    Said {
        /// Its side.
        lane: Lane,
        /// Its process.
        program: u32,
        /// Escaped.
        line: String,
        /// On standard error.
        is_error: bool,
    },
    /// A program's outputs have both ended.
    Finished {
        /// Its process.
        program: u32,
    },
    /// A client connected to the relay, and the relay to the server.
    Connected {
        /// The port that the server sees the connection come from.
        port: u16,
    },
    /// Bytes crossed the wire, as one read or one datagram.
    Sent {
        /// Where they went.
        toward: Lane,
        /// All of them.
        bytes: Vec<u8>,
        /// The relay's plan was to drop them.
        lost: bool,
    },
    /// A datagram is late: the plan was to hold it back until the next one.
    Late {
        /// Where it goes.
        toward: Lane,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// A side ended its half of the connection.
    Ended {
        /// The side that was told.
        toward: Lane,
    },
    /// A side's connection broke; the relay ends the other one.
    Broke {
        /// The side across from it.
        toward: Lane,
    },
}

/// What happened, when, and on whose connection.
#[derive(Debug)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// `#1` for the first client and its connection; empty where there is one.
    pub label: String,
    /// What.
    pub what: What,
}

impl Event {
    /// Whether a program's outputs have both ended.
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
    events: Sender<Event>,
}

impl Recorder {
    /// Records into a channel.
    pub fn new(label: &str, events: Sender<Event>) -> Self {
        Self { label: label.into(), events }
    }

    /// Records that something happens now.
    pub fn record(&self, what: What) {
        // Nobody listens any more once the lesson is over.
        let _ = self.events.send(Event { at: Instant::now(), label: self.label.clone(), what });
    }

    /// Records a line for a side that is no process of its own.
    pub fn said(&self, lane: Lane, line: impl Into<String>) {
        self.record(What::Said { lane, program: 0, line: line.into(), is_error: false });
    }
}

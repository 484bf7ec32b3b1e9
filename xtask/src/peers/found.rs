//! What came in place of what was expected: a finding about somebody else's program, and no error of ours.

use std::fmt::{self, Display, Formatter};

use common::narration::escape;

/// How a wait for something else ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Other bytes came.
    Other,
    /// The stream ended; over UDP, whoever should speak is gone.
    Ended,
    /// The connection was reset; over UDP, no socket has that port.
    Reset,
    /// Nobody took the connection.
    Refused,
    /// Nothing more came for as long as the patience lasts.
    Silent,
    /// It went on where it should have waited.
    WentOn,
}

/// What came.
#[derive(Clone, Debug)]
pub struct Found {
    /// How the wait ended.
    pub how: How,
    /// What had come by then and was not yet understood; why, where the connection was refused.
    pub bytes: Vec<u8>,
}

impl Found {
    /// Nothing came.
    pub const fn nothing(how: How) -> Self {
        Self { how, bytes: Vec::new() }
    }

    /// It is a statement, and no greeting that went wrong.
    pub fn is_refusal(&self) -> bool {
        self.how == How::Other && !self.bytes.starts_with(b"Hello, ")
    }
}

/// For whoever tests our own programs; the judge has better words.
impl Display for Found {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} '{}'", self.how, escape(&self.bytes))
    }
}

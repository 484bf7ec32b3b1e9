//! How a peer talks: where its messages end, how long it waits, and who records it. Handed on as one value.

use std::thread;
use std::time::{Duration, Instant};

use common::framing::Framing;

use super::names::Names;
use crate::wire::event::Recorder;
use crate::wire::record::STUCK;

#[derive(Clone)]
pub struct Talk {
    /// Where a message ends, over TCP.
    pub framing: Framing,
    /// How long a program may be silent. A message that arrives in pieces, a start (it may have to be compiled) and an end (it
    /// may retry a few times) get three times as long.
    pub patience: Duration,
    pub recorder: Recorder,
    /// The words that it has in place of a row's.
    pub names: Names,
}

/// With one of our own programs, which speaks lines: unrecorded, and patient.
impl Default for Talk {
    fn default() -> Self {
        let (recorder, names) = (Recorder::discarding(), Names::OF_THE_NOTES);
        Self { framing: Framing::Line, patience: STUCK, recorder, names }
    }
}

/// How long what was sent may take to appear in the kernel's tables.
pub const SETTLED: Duration = Duration::from_secs(10);

/// Waits until something is so; false where it is not within the limit.
pub fn within(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let asked = Instant::now();
    loop {
        let is_late = asked.elapsed() > limit; // the last look is after the time
        let is_so = is_so();
        if is_so || is_late {
            return is_so;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

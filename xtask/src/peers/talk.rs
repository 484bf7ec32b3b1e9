//! How a peer talks: where its messages end, how long it waits, and who records it. Handed on as one value.

use std::thread;
use std::time::{Duration, Instant};

use common::framing::Framing;

use super::names::Names;
use crate::wire::event::Recorder;
use crate::wire::record::STUCK;

/// How long a program may be silent, and what follows from that for everything that takes longer or less.
#[derive(Clone, Copy, Debug)]
pub struct Patience(Duration);

impl Patience {
    pub const fn new(silence: Duration) -> Self {
        Self(silence)
    }

    pub fn silence(self) -> Duration {
        self.0
    }

    /// For a whole message that arrives piece by piece.
    pub fn for_a_message(self) -> Duration {
        self.0 * 3
    }

    /// For a program that starts: it may have to be compiled first.
    pub fn to_start(self) -> Duration {
        self.0 * 3
    }

    /// For a client that has nothing left to wait for: it may retry a few times.
    pub fn to_end(self) -> Duration {
        self.0 * 3
    }

    /// For what the next client may set off in a program that has been silent long enough.
    pub fn after_a_nudge(self) -> Duration {
        self.0.min(Duration::from_secs(1))
    }
}

#[derive(Clone)]
pub struct Talk {
    /// Where a message ends, over TCP.
    pub framing: Framing,
    pub patience: Patience,
    pub recorder: Recorder,
    /// The words that it has in place of a row's.
    pub names: Names,
}

/// With one of our own programs, which speaks lines: unrecorded, and patient.
impl Default for Talk {
    fn default() -> Self {
        Self {
            framing: Framing::Line,
            patience: Patience::new(STUCK),
            recorder: Recorder::discarding(),
            names: Names::OF_THE_NOTES,
        }
    }
}

/// How long what was sent may take to appear in the kernel's tables.
pub const SETTLED: Duration = Duration::from_secs(10);

/// Waits until something is so; false where it is not within the limit.
pub fn within(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let asked = Instant::now();
    loop {
        let is_late = asked.elapsed() > limit; // the last look is after the time
        if is_so() {
            return true;
        }
        if is_late {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

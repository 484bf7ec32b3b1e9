//! What is known of an open connection: what has been told of it one by one, and what flows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::wire::event::{Crossing, Event, Payload, Side, What};

/// So many reads in one direction, without a pause between them, are told one by one; those that follow are a flow.
const TOLD_EACH: u32 = 32;
/// What ends a flow.
const PAUSE: Duration = Duration::from_millis(200);

/// One direction of a connection, and what becomes of its bytes.
#[derive(Default)]
pub struct Way {
    /// How many reads have come without a pause.
    row: u32,
    last: Option<Instant>,
    flow: Option<Flow>,
}

impl Way {
    /// Whether it has paused by now.
    pub fn pauses(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE)
    }
}

/// Reads that were not told one by one.
struct Flow {
    first: Payload,
    began: Instant,
    ended: Instant,
    pieces: u64,
    size: u64,
}

/// What is known of a connection that is open.
#[derive(Default)]
pub struct Past {
    ways: BTreeMap<(Side, Crossing), Way>,
    /// The sides that were told an end.
    pub ended: Vec<Side>,
    /// When something was last sent, where it went, and whether it ended a line.
    pub last: Option<(Instant, Side, bool)>,
    pub is_silence_told: bool,
    pub is_half_told: bool,
}

impl Past {
    /// Takes note of bytes; whether they are to be told by themselves. The flows that are over are told before them.
    pub fn hears(&mut self, at: Instant, toward: Side, bytes: &Payload, how: Crossing) -> bool {
        self.last = Some((at, toward, bytes.ends_line));
        self.is_silence_told = false;
        let way = self.ways.entry((toward, how)).or_default();
        way.row = if way.pauses(at) { 1 } else { way.row.saturating_add(1) };
        way.last = Some(at);
        if way.row > TOLD_EACH {
            let new = || Flow { first: bytes.clone(), began: at, ended: at, pieces: 0, size: 0 };
            let flow = way.flow.get_or_insert_with(new);
            flow.ended = at;
            flow.pieces += 1;
            flow.size += bytes.size as u64;
        }
        way.row <= TOLD_EACH
    }

    /// The flows that are over, under this label, oldest first.
    pub fn flows(&mut self, label: &str, is_over: impl Fn(&Way) -> bool) -> Vec<Event> {
        let over = self.ways.iter_mut().filter_map(|(&(toward, how), way)| {
            let flow = if is_over(way) { way.flow.take() } else { None };
            let Flow { first, began, ended, pieces, size } = flow?;
            let what = match pieces {
                1 => What::Sent { toward, bytes: first, how },
                _ => What::Flowed { toward, how, pieces, size, took: ended.saturating_duration_since(began) },
            };
            Some(Event { at: ended, label: label.into(), what })
        });
        let mut over: Vec<_> = over.collect();
        over.sort_by_key(|event| event.at);
        over
    }
}

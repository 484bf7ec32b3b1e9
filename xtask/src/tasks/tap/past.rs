//! What is known of an open connection: what has been told of it one by one, and what flows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::wire::event::{Crossing, Payload, Side, What};

/// So many reads in one direction, without a pause between them, are told one by one; those that follow are a flow.
const TOLD_EACH: u32 = 32;
/// What ends a flow.
pub const PAUSE: Duration = Duration::from_millis(200);

/// One direction of a connection, and what becomes of its bytes.
#[derive(Default)]
pub struct Way {
    /// How many reads have come without a pause.
    row: u32,
    pub last: Option<Instant>,
    flow: Option<Flow>,
}

/// Reads that were not told one by one.
pub struct Flow {
    first: Payload,
    began: Instant,
    ended: Instant,
    pieces: u64,
    size: u64,
}

impl Flow {
    pub fn told(self, toward: Side, how: Crossing) -> (Instant, What) {
        let Self { first, began, ended, pieces, size } = self;
        let took = ended.saturating_duration_since(began);
        let what = match pieces {
            1 => What::Sent { toward, bytes: first, how },
            _ => What::Flowed { toward, how, pieces, size, took },
        };
        (ended, what)
    }
}

/// What bytes are.
pub enum Heard {
    /// Something to be told by itself, behind the flow that was over then, if there was one.
    New(Option<Flow>),
    Flow,
}

/// What is known of a connection that is open.
#[derive(Default)]
pub struct Past {
    pub is_drawn: bool,
    ways: BTreeMap<(Side, Crossing), Way>,
    /// The sides that were told an end.
    pub ended: Vec<Side>,
    /// When something was last sent, where it went, and whether it ended a line.
    pub last: Option<(Instant, Side, bool)>,
    pub is_silence_told: bool,
    pub is_half_told: bool,
}

impl Past {
    pub fn new(is_drawn: bool) -> Self {
        Self { is_drawn, ..Self::default() }
    }

    /// Takes note of bytes.
    pub fn hears(&mut self, at: Instant, toward: Side, bytes: &Payload, how: Crossing) -> Heard {
        self.last = Some((at, toward, bytes.ends_line));
        self.is_silence_told = false;
        let way = self.ways.entry((toward, how)).or_default();
        let is_pause = way.last.replace(at).is_none_or(|last| at.saturating_duration_since(last) >= PAUSE);
        way.row = if is_pause { 1 } else { way.row.saturating_add(1) };
        if way.row <= TOLD_EACH {
            return Heard::New(way.flow.take());
        }
        let new = || Flow { first: bytes.clone(), began: at, ended: at, pieces: 0, size: 0 };
        let flow = way.flow.get_or_insert_with(new);
        flow.ended = at;
        flow.pieces += 1;
        flow.size += bytes.size as u64;
        Heard::Flow
    }

    /// The flows that are over, oldest first.
    pub fn flows(&mut self, is_over: impl Fn(&Way) -> bool) -> Vec<(Instant, What)> {
        let over = self.ways.iter_mut().filter_map(|((toward, how), way)| {
            let flow = if is_over(way) { way.flow.take() } else { None };
            flow.map(|flow| flow.told(*toward, *how))
        });
        let mut over: Vec<_> = over.collect();
        over.sort_by_key(|(ended, _)| *ended);
        over
    }
}

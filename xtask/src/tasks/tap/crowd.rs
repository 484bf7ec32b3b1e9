//! Connections that come one after the other, too many for each to be drawn.

use std::time::Instant;

use super::past::PAUSE;
use crate::words::Words;

/// So many connections that come without a pause between them are drawn; those that follow are a remark.
const DRAWN_EACH: u32 = 256;

/// Connections that come without a pause between them.
#[derive(Default)]
pub struct Crowd {
    row: u32,
    last: Option<Instant>,
    hidden: Hidden,
}

/// The numbers of those that are not drawn.
#[derive(Default)]
struct Hidden {
    from: u64,
    /// Those before it have been told.
    next: u64,
    end: u64,
    began: Option<Instant>,
}

impl Crowd {
    /// Takes note of one; whether it is to be drawn.
    pub fn comes(&mut self, at: Instant, number: u64) -> bool {
        let is_pause = self.last.replace(at).is_none_or(|last| at.saturating_duration_since(last) >= PAUSE);
        self.row = if is_pause { 1 } else { self.row.saturating_add(1) };
        if self.row <= DRAWN_EACH {
            return true;
        }
        let hidden = &mut self.hidden;
        if hidden.end != number {
            (hidden.from, hidden.next) = (number, number);
        }
        hidden.end = number + 1;
        hidden.began.get_or_insert(at);
        false
    }

    /// Whether it is one of those, lately.
    pub fn hides(&self, number: u64) -> bool {
        (self.hidden.from..self.hidden.end).contains(&number)
    }

    /// What is to be told of those that were not drawn.
    pub fn told(&mut self, is_over: impl Fn(Instant, Instant) -> bool) -> Option<Words> {
        let (hidden, last) = (&mut self.hidden, self.last?);
        hidden.began = Some(hidden.began.take()?).filter(|began| !is_over(*began, last));
        if hidden.began.is_some() {
            return None;
        }
        let (first, last) = (std::mem::replace(&mut hidden.next, hidden.end), hidden.end - 1);
        Some(words!(
            "remark: #{first}-#{last} came too fast to be drawn; the sums count them",
            "备注：#{first}-#{last} 来得太快，没有画出；汇总里有它们"
        ))
    }
}

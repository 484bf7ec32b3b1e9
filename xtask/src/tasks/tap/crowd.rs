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
    /// The numbers of the first and the last of those that are not drawn.
    hidden: Option<(u64, u64)>,
}

impl Crowd {
    /// Takes note of one; whether it is to be drawn.
    pub fn comes(&mut self, at: Instant, number: u64) -> bool {
        let is_pause = self.last.replace(at).is_none_or(|last| at.saturating_duration_since(last) >= PAUSE);
        self.row = if is_pause { 1 } else { self.row.saturating_add(1) };
        if self.row > DRAWN_EACH {
            self.hidden.get_or_insert((number, number)).1 = number;
        }
        self.row <= DRAWN_EACH
    }

    /// What is to be told of those that were not drawn, unless more are to be waited for: by when the last came.
    pub fn told(&mut self, is_over: impl Fn(Instant) -> bool) -> Option<Words> {
        let last = self.last?;
        let (first, end) = self.hidden.take_if(|_| is_over(last))?;
        Some(words!(
            "remark: #{first}-#{end} came too fast to be drawn; the sums count them",
            "备注：#{first}-#{end} 来得太快，没有画出；汇总里有它们"
        ))
    }
}

//! A lesson as it was played, with everything that it told, in order.

use crate::checks::{Checks, Tally};
use crate::drawing::story::Told;
use crate::lessons::Lesson;

/// One lesson on one loopback address.
pub struct Scene<'a> {
    /// Which.
    pub lesson: &'a Lesson,
    /// `IPv4` or `IPv6`.
    pub version: &'static str,
    /// What was told.
    pub told: Vec<Told>,
    /// What was found.
    pub checks: Checks,
}

/// How the checks of some scenes came out.
pub fn tally(scenes: &[Scene<'_>]) -> Tally {
    Tally::of(scenes.iter().flat_map(|scene| scene.checks.all()))
}

//! What comes of a stage.

use std::process::ExitStatus;
use std::time::Duration;

use super::candidate::LastWords;
use crate::checks::{Check, Verdict};
use crate::drawing::entry::Entry;
use crate::exercises::{Mistake, Stage};
use crate::words::Words;

/// What a program did instead.
pub struct Failure {
    pub expected: Words,
    pub got: Words,
    /// What the kernel's tables say, or what happened next.
    pub more: Option<Words>,
    /// What its threads wait for, where nothing came and the kernel tells.
    pub waits: Option<Words>,
    pub likely: Option<&'static Mistake>,
    /// Whether that fails the stage; silence alone decides nothing.
    pub is_decided: bool,
}

/// What has become of the program.
pub struct ProgramState {
    pub status: Option<ExitStatus>,
    /// What it printed last; of one that runs, the error that it reported.
    pub last_words: LastWords,
}

/// One stage of one program, judged.
pub struct Judged {
    pub stage: &'static Stage,
    /// What came of it; where it was played several times, the worst.
    pub verdict: Verdict,
    /// How often it was played, and how often it passed.
    pub times: (u16, usize),
    /// How long that took, all times together.
    pub took: Duration,
    /// Why it failed, or is undecided.
    pub failure: Option<Failure>,
    /// Everything that was told, from the title to the hint: a chapter of a page.
    pub told: Vec<Entry>,
    /// The ladder in it, up to the failure.
    pub ladder: Vec<Entry>,
}

impl Judged {
    pub fn check(&self) -> Check {
        Check { promise: self.stage.promise.1.clone(), verdict: self.verdict.clone() }
    }
}

//! What a lesson promised, and what came of it.

use std::fmt::Debug;

use crate::words::Words;

/// The checks of one lesson, in the order they were made.
#[derive(Debug, Default)]
pub struct Checks(Vec<Check>);

/// One check.
#[derive(Debug)]
pub struct Check {
    /// What is promised, as a sentence.
    pub promise: Words,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a promise.
#[derive(Debug)]
pub enum Verdict {
    /// It came true.
    Kept,
    /// It did not; this was found.
    Broken(Words),
    /// This system has no way to find out, for this reason.
    NotAvailable(Words),
}

impl Checks {
    /// `found` is `expected`.
    pub fn equal<T: PartialEq + Debug>(&mut self, promise: Words, found: &T, expected: &T) {
        let found_instead =
            || crate::words!("expected {expected:?}, found {found:?}", "应为 {expected:?}，实为 {found:?}");
        self.judge(promise, found == expected, found_instead);
    }

    /// `kept` is true; `evidence` is shown where it is not.
    pub fn holds(&mut self, promise: Words, kept: bool, evidence: &impl Debug) {
        self.judge(promise, kept, || crate::words!("found {evidence:?}", "实为 {evidence:?}"));
    }

    /// The lesson could not go on.
    pub fn stopped_short(&mut self, why: &Words) {
        let promise = Words::fixed("the lesson is played to its end", "本课演示到底");
        self.judge(promise, false, || why.clone());
    }

    fn judge(&mut self, promise: Words, kept: bool, found: impl FnOnce() -> Words) {
        let verdict = if kept { Verdict::Kept } else { Verdict::Broken(found()) };
        self.0.push(Check { promise, verdict });
    }

    /// What the kernel's own table says is `expected`; not available where there is no such table.
    pub fn kernel_says<T: PartialEq + Debug>(&mut self, promise: Words, found: Option<T>, expected: &T) {
        match found {
            Some(found) => self.equal(promise, &found, expected),
            None => self
                .not_available(promise, Words::fixed("it takes Linux' /proc/net", "需要 Linux 的 /proc/net")),
        }
    }

    /// This system cannot show it.
    pub fn not_available(&mut self, promise: Words, why: Words) {
        self.0.push(Check { promise, verdict: Verdict::NotAvailable(why) });
    }

    /// All of them.
    pub fn all(&self) -> &[Check] {
        &self.0
    }

    /// How many promises came true.
    pub fn kept(&self) -> usize {
        self.0.iter().filter(|check| matches!(check.verdict, Verdict::Kept)).count()
    }

    /// How many promises were broken.
    pub fn broken(&self) -> usize {
        self.0.iter().filter(|check| matches!(check.verdict, Verdict::Broken(_))).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_promise_counts_and_says_what_was_found() {
        let promise = || Words::fixed("a promise", "一个承诺");
        let mut checks = Checks::default();
        checks.equal(promise(), &2, &2);
        checks.equal(promise(), &1, &2);
        checks.holds(promise(), true, &"");
        checks.holds(promise(), false, &"evidence");
        checks.stopped_short(&promise());
        checks.not_available(promise(), promise());
        assert_eq!((checks.all().len(), checks.kept(), checks.broken()), (6, 2, 3));
        let Verdict::Broken(why) = &checks.all()[1].verdict else { panic!("{checks:?}") };
        assert_eq!((&*why.en, &*why.zh), ("expected 2, found 1", "应为 2，实为 1"));
    }
}

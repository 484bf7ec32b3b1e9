//! What a scene promised, and what came of it.

use std::fmt::Debug;

/// The checks of one scene, in the order they were made.
#[derive(Debug, Default)]
pub struct Checks(Vec<Check>);

/// One check.
#[derive(Debug)]
pub struct Check {
    /// What is promised, as a sentence.
    pub promise: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a promise.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It came true.
    Kept,
    /// It did not; this was found instead.
    Broken(String),
    /// This system has no way to find out, for this reason.
    NotAvailable(String),
}

impl Checks {
    /// `found` is `expected`.
    pub fn equal<T: PartialEq + Debug>(&mut self, promise: &str, found: &T, expected: &T) {
        self.judge(promise, found == expected, || format!("expected {expected:?}, found {found:?}"));
    }

    /// `kept` is true; `evidence` is shown where it is not.
    pub fn holds(&mut self, promise: &str, kept: bool, evidence: &impl Debug) {
        self.judge(promise, kept, || format!("found {evidence:?}"));
    }

    /// The scene could not go on.
    pub fn stopped_short(&mut self, why: &str) {
        self.judge("the scene is played to its end", false, || why.into());
    }

    /// This system cannot show it.
    pub fn not_available(&mut self, promise: &str, why: &str) {
        self.0.push(Check { promise: promise.into(), verdict: Verdict::NotAvailable(why.into()) });
    }

    fn judge(&mut self, promise: &str, kept: bool, why: impl FnOnce() -> String) {
        let verdict = if kept { Verdict::Kept } else { Verdict::Broken(why()) };
        self.0.push(Check { promise: promise.into(), verdict });
    }

    /// All of them.
    pub fn all(&self) -> &[Check] {
        &self.0
    }

    /// How many promises came true.
    pub fn kept(&self) -> usize {
        self.0.iter().filter(|check| check.verdict == Verdict::Kept).count()
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
        let mut checks = Checks::default();
        checks.equal("two is two", &2, &2);
        checks.equal("one is two", &1, &2);
        checks.holds("it holds", true, &"");
        checks.holds("it does not", false, &"evidence");
        checks.stopped_short("no server");
        checks.not_available("it rains", "no sky");
        assert_eq!((checks.all().len(), checks.kept(), checks.broken()), (6, 2, 3));
        assert_eq!(checks.all()[1].verdict, Verdict::Broken("expected 2, found 1".into()));
    }
}

//! What a scene promised, and whether it came true.

use std::fmt::Debug;

/// The checks of one scene, in the order they were made.
#[derive(Debug, Default)]
pub struct Checks(Vec<Check>);

/// One check.
#[derive(Debug)]
pub struct Check {
    /// What is promised, as a sentence.
    pub promise: String,
    /// What was found instead, if the promise was broken.
    pub broken: Option<String>,
}

impl Checks {
    /// `found` is `expected`.
    pub fn equal<T: PartialEq + Debug>(&mut self, promise: &str, found: &T, expected: &T) {
        let broken = (found != expected).then(|| format!("expected {expected:?}, found {found:?}"));
        self.0.push(Check { promise: promise.into(), broken });
    }

    /// `kept` is true; `evidence` is shown where it is not.
    pub fn holds(&mut self, promise: &str, kept: bool, evidence: &impl Debug) {
        self.0
            .push(Check { promise: promise.into(), broken: (!kept).then(|| format!("found {evidence:?}")) });
    }

    /// The scene could not go on.
    pub fn stopped_short(&mut self, why: &str) {
        self.0.push(Check { promise: "the scene is played to its end".into(), broken: Some(why.into()) });
    }

    /// All of them.
    pub fn all(&self) -> &[Check] {
        &self.0
    }

    /// How many promises were broken.
    pub fn failed(&self) -> usize {
        self.0.iter().filter(|check| check.broken.is_some()).count()
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
        assert_eq!((checks.all().len(), checks.failed()), (5, 3));
        assert_eq!(checks.all()[1].broken.as_deref(), Some("expected 2, found 1"));
    }
}

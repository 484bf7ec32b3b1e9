//! What a lesson promised, and what came of it.

use crate::words::{Shown, Words};

#[derive(Debug, Default)]
pub struct Checks(Vec<Check>);

#[derive(Clone, Debug)]
pub struct Check {
    pub promise: Words,
    pub verdict: Verdict,
}

#[derive(Clone, Debug)]
pub struct Ended {
    /// None if a signal ended it.
    pub status: Option<i32>,
    /// Its last line on standard error, which is shown where it failed, and not compared.
    pub why: Option<String>,
}

impl Ended {
    pub fn with(status: impl Into<Option<i32>>) -> Self {
        Self { status: status.into(), why: None }
    }
}

impl PartialEq for Ended {
    fn eq(&self, other: &Self) -> bool {
        self.status == other.status
    }
}

impl Shown for Ended {
    fn shown(&self) -> Words {
        let Words { en, zh } = match self.status {
            Some(status) => words!("exit status {status}", "退出状态 {status}"),
            None => Words::fixed("ended by a signal", "被信号终止"),
        };
        match &self.why {
            Some(why) => words!("{en} ({why})", "{zh}（{why}）"),
            None => Words { en, zh },
        }
    }
}

/// With what was found, all that was seen, or what this system lacks.
#[derive(Clone, Debug)]
pub enum Verdict {
    Passed,
    Failed(Words),
    Undecided(Words),
    NotAvailable(Words),
}

impl Verdict {
    pub const fn name(&self) -> Words {
        match self {
            Self::Passed => Words::fixed("passed", "通过"),
            Self::Failed(_) => Words::fixed("failed", "失败"),
            Self::Undecided(_) => Words::fixed("undecided", "未能判定"),
            Self::NotAvailable(_) => Words::fixed("not available here", "此处无法判定"),
        }
    }
}

impl Checks {
    pub fn equal<T: PartialEq + Shown>(&mut self, promise: Words, found: &T, expected: &T) {
        self.judge(promise, found == expected, || {
            let (Words { en: right, zh: right_zh }, Words { en, zh }) = (expected.shown(), found.shown());
            words!("expected {right}, got {en}", "应为 {right_zh}，实为 {zh}")
        });
    }

    /// `kept` is true; `evidence` is shown where it is not.
    pub fn holds(&mut self, promise: Words, kept: bool, evidence: &impl Shown) {
        self.judge(promise, kept, || {
            let Words { en, zh } = evidence.shown();
            words!("got {en}", "实为 {zh}")
        });
    }

    pub fn stopped_short(&mut self, why: &Words) {
        let promise = Words::fixed("the lesson stopped early", "本课没有演示完");
        self.judge(promise, false, || why.clone());
    }

    fn judge(&mut self, promise: Words, kept: bool, found: impl FnOnce() -> Words) {
        let verdict = if kept { Verdict::Passed } else { Verdict::Failed(found()) };
        self.0.push(Check { promise, verdict });
    }

    /// What the kernel's own table says is `expected`; not available where there is no such table.
    pub fn kernel_says<T: PartialEq + Shown>(&mut self, promise: Words, found: Option<T>, expected: &T) {
        match found {
            Some(found) => self.equal(promise, &found, expected),
            None => self.not_available(promise, Words::fixed("it needs Linux' /proc", "缺 Linux 的 /proc")),
        }
    }

    pub fn not_available(&mut self, promise: Words, why: Words) {
        self.0.push(Check { promise, verdict: Verdict::NotAvailable(why) });
    }

    pub fn all(&self) -> &[Check] {
        &self.0
    }
}

impl Check {
    /// The promise, and what was found where it does not hold.
    pub fn sentence(&self) -> Words {
        let (en, zh) = (&self.promise.en, &self.promise.zh);
        match &self.verdict {
            Verdict::Passed => self.promise.clone(),
            Verdict::Failed(Words { en: why, zh: why_zh }) => words!("{en}: {why}", "{zh}：{why_zh}"),
            Verdict::Undecided(Words { en: why, zh: why_zh }) => {
                words!("{en}: undecided: {why}", "{zh}：未能判定（{why_zh}）")
            }
            Verdict::NotAvailable(Words { en: why, zh: why_zh }) => {
                words!("{en}: not available here: {why}", "{zh}：此处无法演示（{why_zh}）")
            }
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub undecided: usize,
    pub not_available: usize,
}

impl Tally {
    pub fn add(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed(_) => &mut self.failed,
            Verdict::Undecided(_) => &mut self.undecided,
            Verdict::NotAvailable(_) => &mut self.not_available,
        } += 1;
    }

    pub fn sentence(&self) -> Words {
        let Self { passed, failed, undecided, not_available } = self;
        let Words { en, zh } = match not_available {
            0 => Words::fixed("", ""),
            n => words!(", {n} not available here", "，另有 {n} 项此处无法演示"),
        };
        if *undecided > 0 {
            let all = passed + failed + undecided;
            words!(
                "{passed} of {all} checks passed, {failed} failed, {undecided} undecided{en}",
                "{all} 项检查中 {passed} 项通过，{failed} 项失败，{undecided} 项未能判定{zh}"
            )
        } else if passed + failed == 0 {
            words!("Nothing was checked{en}.", "什么也没有检查{zh}。")
        } else if *failed > 0 {
            let all = passed + failed;
            words!("{failed} of {all} checks failed{en}", "{all} 项检查中 {failed} 项失败{zh}")
        } else if *passed == 1 {
            words!("The one check passed{en}.", "唯一的检查通过{zh}。")
        } else {
            words!("All {passed} checks passed{en}.", "全部 {passed} 项检查通过{zh}。")
        }
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
        let marks: String = checks.all().iter().map(|check| check.verdict.mark()).collect();
        assert_eq!(marks, "✓✗✓✗✗-");
        checks.equal(promise(), &(Ended::with(None), vec!["a", "b"]), &(Ended::with(0), vec![]));
        let Some(Verdict::Failed(why)) = checks.all().last().map(|check| &check.verdict) else { panic!() };
        let expected = r#"expected exit status 0; nothing, got ended by a signal; "a", "b""#;
        assert_eq!(why.en, expected);
        assert_eq!(why.zh, r#"应为 退出状态 0；无，实为 被信号终止；"a"、"b""#);
        let failed = Ended { status: Some(1), why: Some("udp-server: no".into()) };
        assert!(failed == Ended::with(1), "the cause is shown, and not compared");
        assert_eq!(failed.shown().en, "exit status 1 (udp-server: no)");
    }
}

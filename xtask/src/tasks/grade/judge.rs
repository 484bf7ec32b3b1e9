//! Plays a stage on a program, step by step. What comes of it is returned: terminal and page read it, nothing is
//! printed here.

use std::borrow::Cow;
use std::time::Instant;

use anyhow::Result;

use super::trial::{Config, Trial};
use super::verdict::{Failure, Judged};
use crate::checks::{Check, Verdict};
use crate::drawing::entry::Entry;
use crate::exercises::{Exercise, Mistake, Stage};
use crate::lessons;
use crate::peers::script::{Step, Unplayed, playable};
use crate::tasks::shown;
use crate::wire::event::Side;
use crate::words::Words;

/// The columns of a ladder: who is on which side.
pub fn lanes(exercise: &Exercise) -> (Words, Words) {
    match exercise.side {
        Side::Server => (
            Words::fixed("the grader's clients", "评判程序的客户端"),
            Words::fixed("your server", "你的服务器"),
        ),
        Side::Client => (
            Words::fixed("your client", "你的客户端"),
            Words::fixed("the grader's server", "评判程序的服务器"),
        ),
    }
}

/// Judges one stage so many times; the worst verdict counts, as what fails once is not right. `notice` takes a remark for
/// the person who waits.
///
/// # Errors
/// Where the judge cannot go on, which says nothing about the program.
pub fn judge(
    config: &Config,
    exercise: &'static Exercise,
    stage: &'static Stage,
    notice: &dyn Fn(&Words) -> Result<()>,
) -> Result<Judged> {
    let rank = |judged: &Judged| match judged.verdict {
        Verdict::Passed => 0,
        Verdict::NotAvailable(_) => 1,
        Verdict::Undecided(_) => 2,
        Verdict::Failed(_) => 3,
    };
    let began = Instant::now();
    let mut worst = judge_once(config, exercise, stage, notice)?;
    let mut passed = worst.times.1;
    for _ in 1..config.repeat {
        let next = judge_once(config, exercise, stage, notice)?;
        passed += next.times.1;
        if rank(&next) > rank(&worst) {
            worst = next;
        }
    }
    Ok(Judged { times: (config.repeat, passed), took: began.elapsed(), ..worst })
}

fn judge_once(
    config: &Config,
    exercise: &'static Exercise,
    stage: &'static Stage,
    notice: &dyn Fn(&Words) -> Result<()>,
) -> Result<Judged> {
    let began = Instant::now();
    let version = if config.ip.is_ipv4() { "IPv4" } else { "IPv6" };
    config.story.tell(Entry::Title { name: stage.name, subject_zh: "", version, is_new: true })?;
    config.story.tell(Entry::Lanes(lanes(exercise)))?;
    let mut trial = Trial::new(config, exercise, notice)?;
    trial.tell(Entry::Act(stage.promise.1.clone()))?;
    let played = trial.plays(stage, stage.script);
    let ladder = trial.ladder();
    let cleared = trial.clear();
    let (verdict, failure) = match played {
        Ok(None) => (Verdict::Passed, None),
        Ok(Some(failure)) if failure.is_decided => (Verdict::Failed(failure.got.clone()), Some(failure)),
        Ok(Some(failure)) => (Verdict::Undecided(failure.got.clone()), Some(failure)),
        Err(Unplayed::NotAvailable(why)) => (Verdict::NotAvailable(why), None),
        Err(stop) => return Err(stop.into()),
    };
    cleared?;
    let ladder = ladder?;
    let check = Check { promise: stage.promise.1.clone(), verdict: verdict.clone() };
    trial.tell(Entry::Check(check))?;
    for told in failure.iter().flat_map(Failure::told) {
        trial.tell(told)?;
    }
    let (times, took) = ((1, u16::from(matches!(verdict, Verdict::Passed))), began.elapsed());
    Ok(Judged { stage, verdict, times, took, failure, told: trial.told(), ladder })
}

impl Trial<'_> {
    /// Plays a script, up to where the program fails.
    fn plays(&mut self, stage: &'static Stage, script: &[Step]) -> Result<Option<Failure>, Unplayed> {
        for step in playable(script, self.peers.talk.framing)? {
            let failure = match (step, self.plays_step(*step)) {
                (Step::Plays(steps), _) => self.plays(stage, steps)?,
                (_, Ok(())) => None,
                (_, Err(Unplayed::Missed(mismatch))) => self.finds(stage, mismatch)?,
                (_, Err(stop)) => return Err(stop),
            };
            if failure.is_some() {
                return Ok(failure);
            }
        }
        Ok(None)
    }

    /// Plays one step: those about the program itself here, the others by its peers.
    fn plays_step(&mut self, step: Step) -> Result<(), Unplayed> {
        if self.config.at.is_some() && step.is_the_programs() {
            return self.runs_already(step);
        }
        match step {
            Step::Starts => self.starts(),
            Step::Stays => self.stays(),
            Step::Restarts => self.restarts(),
            Step::IsInterrupted(held, goes_on) => self.is_interrupted(held, goes_on),
            Step::Hosts => self.hosts(),
            Step::Nobody => self.sends_to_nobody(),
            Step::Ends => self.ends(),
            Step::EndsOpen => self.ends_open(),
            Step::Outwaits => self.outwaits(),
            Step::Fails => self.fails(),
            Step::Prints(lines) => self.prints(lines),
            Step::Saves(body) => self.saves(self.peers.talk.names.of(body.as_bytes()).into()),
            Step::SavesNothing => self.saves(Cow::Borrowed(b"")),
            Step::SavesMuch => self.saves(crate::peers::replies::large().into()),
            Step::Shows(words) => self.shows(words),
            Step::GivesBack(name) => self.gives_back(name),
            Step::Sleeps => self.sleeps(),
            Step::Plays(_) => Ok(()), // its steps are played one by one
            other => self.tries(|peers, met| peers.plays_step(other, met)),
        }
    }
}

impl Failure {
    /// What was expected, what came, and what to do about it.
    pub fn told(&self) -> Vec<Entry> {
        let pair = |en: &str, zh: &str, words: &Words| {
            let (is, is_zh) = (&words.en, &words.zh);
            Entry::Evidence(words!("{en:9} {is}", "{zh}：{is_zh}"))
        };
        let mut told = vec![pair("expected", "应有", &self.expected), pair("got", "实有", &self.got)];
        told.extend(self.waits.iter().map(|waits| pair("it waits", "它在等", waits)));
        told.extend(self.more.clone().map(Entry::Evidence));
        told.extend(self.likely.map(|mistake| Entry::Hint(hint(mistake))));
        told
    }
}

/// What to look for, and the lesson that shows it.
fn hint(Mistake { lesson, words: [en, zh], .. }: &Mistake) -> Words {
    match lessons::find(lesson.as_ref()) {
        Some(_) => {
            let see = shown::demo(lesson);
            words!("{en}\nsee it: {see}", "{zh}\n看演示：{see}")
        }
        None => Words::fixed(en, zh),
    }
}

#[cfg(test)]
mod tests {
    use crate::exercises::ALL;
    use crate::lessons;
    use crate::wire::kernel::Protocol;

    #[test]
    fn every_stage_is_about_a_claim_that_a_lesson_shows_and_every_mistake_names_a_lesson() {
        for exercise in ALL {
            for stage in exercise.stages {
                assert!(lessons::about(stage.promise.0).is_some(), "{}: {}", stage.name, stage.promise.0);
            }
            for mistake in exercise.mistakes() {
                let is_shown = lessons::find(mistake.lesson.as_ref()).is_some();
                assert!(is_shown || mistake.name == "not-started", "{}: '{}'", mistake.name, mistake.lesson);
                let is_for_streams = ["framing", "end", "duplex"].contains(&mistake.lesson);
                let is_udp =
                    matches!(exercise.transport, Protocol::Udp) && mistake.name != "failed-at-the-end";
                assert!(
                    !(is_udp && is_for_streams),
                    "{}: '{}' is about streams",
                    mistake.name,
                    mistake.lesson
                );
            }
        }
    }
}

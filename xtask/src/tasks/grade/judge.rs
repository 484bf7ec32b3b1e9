//! Plays a stage on a program, step by step. What comes of it is returned: terminal and page read it, nothing is
//! printed here.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::trial::{Config, Trial};
use crate::checks::{Check, Verdict};
use crate::drawing::entry::Entry;
use crate::exercises::{Mistake, Stage};
use crate::peers::script::{NotAvailable, Step, playable};
use crate::tasks::shown;
use crate::words::Words;

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

pub struct Judged {
    pub stage: &'static Stage,
    /// What came of it; where it was played several times, the worst.
    pub verdict: Verdict,
    /// How often it was played, and how often it passed.
    pub times: (u16, usize),
    /// How long that took, all times together.
    pub took: Duration,
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

    pub fn mistake(&self) -> &'static str {
        self.failure.as_ref().and_then(|failure| failure.likely).map_or("", |mistake| mistake.name)
    }
}

/// Has the stages judged in their order, up to the one that ends the run. Where the judge cannot go on, what it has judged
/// before stays.
pub fn judge_all(
    config: &Config,
    judged: &mut Vec<Judged>,
    mut judge: impl FnMut(&'static Stage) -> Result<Judged>,
) -> Result<()> {
    for stage in config.stages() {
        judged.push(judge(stage)?);
        if !config.all && judged.last().is_some_and(|last| last.failure.is_some()) {
            break;
        }
    }
    Ok(())
}

/// Judges one stage so many times; the worst verdict counts, as what fails once is not right. An error says
/// nothing about the program.
pub fn judge(config: &Config, stage: &'static Stage) -> Result<Judged> {
    let from_best_to_worst = |judged: &Judged| "✓-?✗".find(judged.verdict.mark());
    let began = Instant::now();
    let all = (0..config.repeat).map(|_| judge_once(config, stage)).collect::<Result<Vec<_>>>()?;
    let passed = all.iter().filter(|judged| matches!(judged.verdict, Verdict::Passed)).count();
    let worst = all.into_iter().rev().max_by_key(from_best_to_worst).context("it was played no time")?;
    Ok(Judged { times: (config.repeat, passed), took: began.elapsed(), ..worst })
}

fn judge_once(config: &Config, stage: &'static Stage) -> Result<Judged> {
    let title = Entry::Title { name: stage.name, subject_zh: "", version: config.version(), is_new: true };
    config.story.tell(title)?;
    config.story.tell(Entry::Lanes(config.lanes()))?;
    let mut trial = Trial::new(config)?;
    trial.tell(Entry::Act(stage.promise.1.clone()))?;
    let played = trial.plays(stage, stage.script);
    let ladder = trial.ladder();
    let cleared = trial.clear();
    let (verdict, failure) = match played {
        Ok(None) => (Verdict::Passed, None),
        Ok(Some(failure)) if failure.is_decided => (Verdict::Failed(failure.got.clone()), Some(failure)),
        Ok(Some(failure)) => (Verdict::Undecided(failure.got.clone()), Some(failure)),
        Err(stop) => (Verdict::NotAvailable(stop.downcast::<NotAvailable>()?.0), None),
    };
    cleared?;
    let (ladder, times, took, told) = (ladder?, (1, 0), Duration::ZERO, Vec::new());
    let judged = Judged { stage, verdict, times, took, failure, told, ladder };
    trial.tell(Entry::Check(judged.check()))?;
    let told = judged.failure.iter().flat_map(|failure| failure.told(config.more));
    told.into_iter().try_for_each(|told| trial.tell(told))?;
    Ok(Judged { told: trial.told(), ..judged })
}

impl Trial<'_> {
    fn plays(&mut self, stage: &'static Stage, script: &[Step]) -> Result<Option<Failure>> {
        for step in playable(script, self.peers.talk.framing)? {
            let failure = match (step, self.plays_step(*step)) {
                (Step::Plays(steps), _) => self.plays(stage, steps)?,
                (_, Ok(())) => None,
                (_, Err(stop)) => self.finds(stage, stop.downcast()?)?,
            };
            if failure.is_some() {
                return Ok(failure);
            }
        }
        Ok(None)
    }

    pub fn plays_step(&mut self, step: Step) -> Result<()> {
        if self.config.runs_already() && step.needs_the_process() {
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
    /// What was expected, what came, and what to do about it; if `more` is asked for, why, and how.
    pub fn told(&self, more: bool) -> Vec<Entry> {
        let pair = |en: &str, zh: &str, words: &Words| {
            let (is, is_zh) = (&words.en, &words.zh);
            Entry::Evidence(words!("{en:9} {is}", "{zh}：{is_zh}"))
        };
        let mut told = vec![pair("expected", "应有", &self.expected), pair("got", "实有", &self.got)];
        told.extend(self.waits.iter().map(|waits| pair("it waits", "它在等", waits)));
        told.extend(self.more.clone().map(Entry::Evidence));
        told.extend(self.likely.map(|mistake| Entry::Hint(hint(mistake))));
        if let Some((why, pattern)) = self.likely.filter(|_| more).and_then(Mistake::more) {
            told.push(Entry::Evidence(why));
            told.extend(pattern.iter().map(|line| Entry::Code(line)));
        }
        told
    }
}

pub fn hint(mistake: &Mistake) -> Words {
    if mistake.lesson.is_empty() {
        return mistake.told();
    }
    let Words { en, zh } = mistake.told();
    let see = shown::demo(mistake.lesson);
    words!("{en}\nsee it: {see}", "{zh}\n看演示：{see}")
}

#[cfg(test)]
mod tests {
    use crate::exercises::ALL;
    use crate::lessons;
    use crate::wire::kernel::Protocol;

    #[test]
    fn every_stage_is_about_a_claim_that_a_lesson_shows_and_every_mistake_names_a_lesson() {
        let claims = lessons::ALL.iter().chain(&lessons::mistakes::ALL).flat_map(|lesson| lesson.claims);
        let shown: Vec<_> = claims.map(|(number, _)| *number).collect();
        for exercise in ALL {
            for stage in exercise.stages {
                assert!(shown.contains(&stage.promise.0), "{}: {}", stage.name, stage.promise.0);
            }
            for mistake in exercise.mistakes() {
                let is_shown = lessons::find(mistake.lesson.as_ref()).is_some();
                assert!(is_shown || mistake.name == "not-started", "{mistake:?}");
                let is_for_streams = ["framing", "end", "duplex"].contains(&mistake.lesson);
                let is_udp = matches!(exercise.transport, Protocol::Udp);
                let is_wrong = is_udp && is_for_streams && mistake.name != "failed-at-the-end";
                assert!(!is_wrong, "{mistake:?} is about streams");
            }
        }
    }
}

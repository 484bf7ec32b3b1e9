//! Grades a program stage by stage: prints what comes of each, writes a report, and sums up.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::{Instant, SystemTime};

use anyhow::Result;
use common::args;
use common::narration::{Stdout, say};

use super::digest;
use super::judge::{judge, lanes};
use super::output::{Files, Run, Work};
use super::trial::Config;
use super::verdict::{Failure, Judged, exit_status};
use crate::checks::Verdict;
use crate::drawing::entry::Entry;
use crate::drawing::page::{self, Chapter, Cover};
use crate::drawing::style::Ink;
use crate::drawing::text::ladder;
use crate::exercises::{Exercise, Stage};
use crate::words::Words;

/// How many rungs of a ladder are the last ones.
const LAST: usize = 4;

/// Which stages are played, how much is printed, and where reports go.
pub struct Selection {
    /// Continue after a failed stage.
    pub all: bool,
    /// Only this stage.
    pub only: Option<&'static Stage>,
    /// Of a ladder, print only the last rungs.
    pub brief: bool,
    /// The reports.
    pub files: Files,
}

impl Selection {
    /// The stages that are asked for.
    pub fn stages(&self, exercise: &'static Exercise) -> Vec<&'static Stage> {
        let is_wanted = |stage: &&Stage| self.only.is_none_or(|only| only.name == stage.name);
        exercise.stages.iter().filter(is_wanted).collect()
    }

    /// Has the stages judged in their order, up to the one that ends the run.
    ///
    /// # Errors
    /// When the judge cannot go on; what it has judged before stays.
    pub fn judge(
        &self,
        exercise: &'static Exercise,
        judged: &mut Vec<Judged>,
        mut judge: impl FnMut(&'static Stage) -> Result<Judged>,
    ) -> Result<()> {
        for stage in self.stages(exercise) {
            let one = judge(stage)?;
            let has_failed = one.failure.is_some();
            judged.push(one);
            if has_failed && !self.all {
                break;
            }
        }
        Ok(())
    }

    /// The run, once all is judged.
    pub fn run(&self, exercise: &'static Exercise, config: &Config, works: Vec<Work>) -> Run {
        Run {
            exercise,
            command: config.shown(),
            version: if config.ip.is_ipv4() { "IPv4" } else { "IPv6" },
            framing: format!("{:?}", exercise.framing.unwrap_or(config.talk.framing)).to_lowercase(),
            seed: config.talk.names.seed,
            stages: self.stages(exercise),
            works,
            style: config.style,
        }
    }
}

/// Judges the stages in their order, and sums up.
///
/// # Errors
/// When a stage has not passed, and when the judge cannot go on.
pub fn grade(exercise: &'static Exercise, config: &Config, selection: &Selection) -> Result<()> {
    selection.files.check()?;
    let (style, name, shown) = (config.style, exercise.name, config.shown());
    let seed = config.talk.names.seed;
    style.say(Ink::Bold, &words!("{name}: {shown} (--seed {seed})", "{name}：{shown}（--seed {seed}）"))?;
    let (began, mut work) = (Instant::now(), Work { name: shown, ..Work::default() });
    selection.judge(exercise, &mut work.stages, |stage| play(exercise, stage, config, selection.brief))?;
    work.took = began.elapsed();
    let run = selection.run(exercise, config, vec![work]);
    let judged = &run.works[0].stages;
    let chapter = |judged: &Judged| Chapter {
        name: judged.stage.name,
        subject_zh: "",
        version: run.version,
        claims: std::slice::from_ref(&judged.stage.promise),
        lanes: lanes(exercise),
        told: judged.told.clone(),
    };
    let page = || {
        let chapters: Vec<_> = judged.iter().map(chapter).collect();
        page::html(&report_cover(exercise, config), &chapters, style.lang)
    };
    run.write(selection.files.open()?, page, |content| content)?;
    sum_up(&run, config, selection.only.is_some())
}

/// Judges one stage, and prints what came of it.
fn play(exercise: &'static Exercise, stage: &'static Stage, config: &Config, brief: bool) -> Result<Judged> {
    let style = config.style;
    let lines = style.broken(&format!("  {:11} ", stage.name), stage.promise.1.to(style.lang));
    // On a terminal, the stage stands there while it is played.
    let is_seen = io::stdout().is_terminal();
    let first = lines.first().map_or("", |line| &line[1..]);
    if is_seen {
        write!(Stdout, "{}{first}", if style.ascii { '.' } else { '…' })?;
        Stdout.flush()?;
    }
    let notice = |words: &Words| {
        let Words { en, zh } = words;
        let line = if is_seen { "\n" } else { "" };
        style.say(Ink::Faint, &words!("{line}  {en}", "{line}  {zh}"))
    };
    let judged = judge(config, exercise, stage, &notice).inspect_err(|_| drop(say("")))?;
    let (mark, (times, passed)) = (style.mark(&judged.verdict), judged.times);
    let of = words!(" ({passed} of {times})", "（{times} 次中 {passed} 次）");
    let times = if times > 1 { of.to(style.lang) } else { "" };
    say(&format!("{}{mark}{first}{times}", if is_seen { "\r" } else { "" }))?;
    lines.iter().skip(1).try_for_each(|line| say(line))?;
    if let Verdict::NotAvailable(why) = &judged.verdict {
        say(&format!("    {}", why.to(style.lang)))?;
    }
    if let Some(failure) = &judged.failure {
        say(&ladder::head(style, &lanes(exercise)))?;
        let left_out = if brief { judged.ladder.len().saturating_sub(LAST) } else { 0 };
        let told = judged.ladder.iter().skip(left_out).cloned().chain(Failure::told(failure));
        told.flat_map(|told| told.lines(style)).try_for_each(|line| say(&line))?;
    }
    Ok(judged)
}

/// When and how it was judged.
pub fn intro(command: &str, seed: u64) -> Words {
    let date = date(SystemTime::now());
    words!(
        "Judged on the wire, {date}, with --seed {seed}: {command}",
        "在线路上评判，{date}，--seed {seed}：{command}"
    )
}

/// The head of the live page.
pub fn cover(exercise: &Exercise, config: &Config) -> Cover {
    titled(exercise, config, &config.shown())
}

/// The head of a report: it names the files that were judged by their digests, which takes a while.
fn report_cover(exercise: &Exercise, config: &Config) -> Cover {
    let directory = config.directory.clone().unwrap_or_default();
    let mut judge =
        vec![format!("xtask {}, {} {}", env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH)];
    judge.extend(digest::of_files(&config.command, &directory));
    titled(exercise, config, &format!("{} ({})", config.shown(), judge.join("; ")))
}

fn titled(exercise: &Exercise, config: &Config, judged: &str) -> Cover {
    let name = exercise.name;
    let intro = intro(judged, config.talk.names.seed);
    Cover { title: words!("{name}, graded", "{name} 评判报告"), intro, is_bare: false }
}

/// How many stages have passed, and what to do next.
fn sum_up(run: &Run, config: &Config, is_alone: bool) -> Result<()> {
    let work = &run.works[0];
    let (passed, all) = (work.passed(), work.all(&run.stages));
    let not_available = run.stages.len() - all;
    let Words { en: absent, zh: absent_zh } = match not_available {
        0 => Words::fixed("", ""),
        n => words!(", {n} not available here", "，{n} 项在这里无法判定"),
    };
    let style = config.style;
    say("")?;
    let Some(next) = work.stop() else {
        let sentence = words!("{passed} of {all} passed{absent}.", "{all} 项全部通过{absent_zh}。");
        style.say(Ink::Good, &sentence)?;
        return config.story.tell(Entry::Sum { sentence, is_kept: true });
    };
    let next = next.stage.name;
    let Words { en: alone, zh: alone_zh } = if is_alone {
        Words::fixed("", "")
    } else {
        words!("; '--stage {next}' runs only this stage", "；--stage {next} 只评判这一项")
    };
    let sum = words!(
        "{passed} of {all} passed{absent}. Next: {next}{alone}",
        "{all} 项中通过 {passed} 项{absent_zh}。下一步：{next}{alone_zh}"
    );
    config.story.tell(Entry::Sum { sentence: sum.clone(), is_kept: false })?;
    let status = exit_status(work.stages.iter().map(|judged| &judged.verdict));
    Err(args::with_status(status, sum.to(style.lang)))
}

/// A time as a date, in UTC: days are counted from 1 March of the year 0 (of the Gregorian calendar), so that a leap
/// day is a year's last.
fn date(time: SystemTime) -> String {
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = seconds / 86_400 + DAYS_TO_1970;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // 0 is March
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{}-{month:02}-{day:02} {hour:02}:{minute:02} UTC", era * 400 + year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_date_is_right_on_both_sides_of_a_leap_day_and_of_a_year() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (951_868_800, "2000-03-01 00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59 UTC"),
            (1_735_689_600, "2025-01-01 00:00 UTC"),
        ] {
            assert_eq!(date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}

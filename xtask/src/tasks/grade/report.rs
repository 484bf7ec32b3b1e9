//! What is told of a program: each stage with what came of it, a report to hand in, how many were kept.

use std::io::{self, IsTerminal, Write};
use std::time::SystemTime;

use anyhow::{Result, bail};
use common::narration::{Stdout, say};

use super::stage::{Failure, Halt, Hint, Kind, Stage};
use super::trial::{Config, Trial};
use crate::checks::{Check, Tally, Verdict};
use crate::drawing::entry::Entry;
use crate::drawing::page::{self, Chapter, Cover};
use crate::drawing::style::Ink;
use crate::drawing::text::ladder;
use crate::lessons;
use crate::tasks::wanted::Wanted;
use crate::words::Words;

/// What to do besides playing the stages.
pub struct Selection {
    /// Go on behind a stage that is not kept.
    pub all: bool,
    /// Play this one alone.
    pub only: Option<&'static Stage>,
    /// Write a report here.
    pub file: Option<String>,
}

/// Plays the stages in their order, and sums up.
///
/// # Errors
/// When one is not kept, and when the judge himself cannot go on.
pub fn grade(kind: &'static Kind, terms: &Config, wishes: &Selection) -> Result<()> {
    let page = wishes.file.as_deref().map(Wanted::page).transpose()?;
    let (style, name, shown) = (terms.style, kind.name, terms.command.shown());
    style.say(Ink::Bold, &words!("{name}: {shown}", "{name}：{shown}"))?;
    let stages = kind.stages.iter().filter(|stage| wishes.only.is_none_or(|only| only.name == stage.name));
    let mut chapters = Vec::new();
    for (number, stage) in (1..).zip(stages) {
        let (chapter, is_kept) = play(kind, stage, terms)?;
        chapters.push(chapter);
        if !is_kept && (!wishes.all || number <= kind.ground) {
            break;
        }
    }
    if let Some(page) = page {
        let name = page.write(&page::html(&cover(kind, terms), &chapters, style.lang))?;
        style.say(Ink::Bold, &words!("\nThe report is in {name}.", "\n报告已存入 {name}。"))?;
    }
    sum_up(kind, terms, wishes, &chapters)
}

/// Plays one stage, and prints what came of it; false where it is not kept.
fn play(kind: &'static Kind, stage: &'static Stage, terms: &Config) -> Result<(Chapter, bool)> {
    let version = if terms.ip.is_ipv4() { "IPv4" } else { "IPv6" };
    terms.story.tell(Entry::Title { name: stage.name, subject_zh: "", version, is_new: true })?;
    terms.story.tell(Entry::Lanes(kind.lanes.clone()))?;
    let mut trial = Trial::new(terms, kind, stage)?;
    let (style, promise) = (terms.style, &stage.promise.1);
    trial.tell(Entry::Act(promise.clone()))?;
    let lines = style.broken(&format!("  {:11} ", stage.name), promise.to(style.lang));
    // On a terminal one sees what is being waited for.
    let is_seen = io::stdout().is_terminal();
    let first = lines.first().map_or("", |line| &line[1..]);
    if is_seen {
        write!(Stdout, "{}{first}", if style.ascii { '.' } else { '…' })?;
        Stdout.flush()?;
    }
    let played = trial.plays_the_stage();
    let ladder = trial.ladder();
    let cleared = trial.clear();
    let (verdict, flaw) = match played {
        Ok(()) => (Verdict::Passed, None),
        Err(Halt::Broken(flaw)) => (Verdict::Failed(flaw.came.clone()), Some(flaw)),
        Err(Halt::NotDecided(flaw)) => (Verdict::Undecided(flaw.came.clone()), Some(flaw)),
        Err(Halt::NotAvailable(why)) => (Verdict::NotAvailable(why), None),
        Err(Halt::Failed(e)) => {
            say("")?;
            return Err(e);
        }
    };
    cleared?;
    let ladder = ladder?;
    let mark = style.mark(&verdict);
    say(&format!("{}{mark}{first}", if is_seen { "\r" } else { "" }))?;
    lines.iter().skip(1).try_for_each(|line| say(line))?;
    if let Verdict::NotAvailable(why) = &verdict {
        say(&format!("    {}", why.to(style.lang)))?;
    }
    trial.tell(Entry::Check(Check { promise: promise.clone(), verdict }))?;
    let is_kept = flaw.is_none();
    if let Some(flaw) = flaw {
        say(&ladder::head(style, &kind.lanes))?;
        ladder.iter().flat_map(|told| told.lines(style)).try_for_each(|line| say(&line))?;
        for told in told_of(&flaw) {
            told.lines(style).iter().try_for_each(|line| say(line))?;
            trial.tell(told)?;
        }
    }
    let claims = std::slice::from_ref(&stage.promise);
    let told = trial.told();
    Ok((
        Chapter { name: stage.name, subject_zh: "", version, claims, lanes: kind.lanes.clone(), told },
        is_kept,
    ))
}

/// What was expected, what came, and what to do about it.
fn told_of(flaw: &Failure) -> Vec<Entry> {
    let pair = |en: &str, zh: &str, words: &Words| {
        let (is, is_zh) = (&words.en, &words.zh);
        Entry::Evidence(words!("{en:9} {is}", "{zh}：{is_zh}"))
    };
    let mut told = vec![pair("expected", "应有", &flaw.expected), pair("came", "实有", &flaw.came)];
    told.extend(flaw.behind.clone().map(Entry::Evidence));
    told.extend(flaw.hint.as_ref().map(|hint| Entry::Hint(hint_words(hint))));
    told
}

/// What stands above a report.
pub fn cover(kind: &Kind, terms: &Config) -> Cover {
    let (name, shown) = (kind.name, terms.command.shown());
    let date = date(SystemTime::now());
    let intro = words!("Judged on the wire, {date}: {shown}", "在线路上评判，{date}：{shown}");
    Cover { title: words!("{name}, graded", "{name} 评判报告"), intro, is_bare: false }
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

/// How many stages were kept, and what to do next.
fn sum_up(kind: &Kind, terms: &Config, wishes: &Selection, chapters: &[Chapter]) -> Result<()> {
    let Tally { passed: kept, not_available, .. } = page::tally(chapters);
    let all = if wishes.only.is_some() { 1 } else { kind.stages.len() } - not_available;
    let absent = match not_available {
        0 => Words::fixed("", ""),
        n => words!(", {n} cannot be judged here", "，{n} 项在这里无法判定"),
    };
    let Words { en: absent, zh: absent_zh } = absent;
    let style = terms.style;
    say("")?;
    if kept == all {
        let sentence = words!("{kept} of {all} kept{absent}.", "{all} 项全部做到{absent_zh}。");
        style.say(Ink::Good, &sentence)?;
        return terms.story.tell(Entry::Sum { sentence, is_kept: true });
    }
    let is_kept = |chapter: &&Chapter| {
        let check = chapter.told.iter().find_map(Entry::check);
        check.is_none_or(|check| matches!(check.verdict, Verdict::Passed | Verdict::NotAvailable(_)))
    };
    let next = chapters.iter().find(|chapter| !is_kept(chapter)).map_or("", |chapter| chapter.name);
    let alone = match wishes.only {
        Some(_) => Words::fixed("", ""),
        None => words!("; '--stage {next}' plays it alone", "；--stage {next} 只评判这一项"),
    };
    let Words { en: alone, zh: alone_zh } = alone;
    let sum = words!(
        "{kept} of {all} kept{absent}. Next: {next}{alone}",
        "{all} 项中做到 {kept} 项{absent_zh}。下一步：{next}{alone_zh}"
    );
    terms.story.tell(Entry::Sum { sentence: sum.clone(), is_kept: false })?;
    bail!("{}", sum.to(style.lang))
}

/// What the hint says, and where it is shown.
fn hint_words(hint: &Hint) -> Words {
    let (en, zh) = (&hint.words.en, &hint.words.zh);
    match lessons::about(hint.about) {
        Some(lesson) => {
            let name = lesson.name;
            words!("{en}\nsee it: cargo xtask demo {name}", "{zh}\n看演示：cargo xtask demo {name}")
        }
        None => words!("{en}", "{zh}"),
    }
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

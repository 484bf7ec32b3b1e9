//! Grades a program stage by stage: prints what comes of each, writes a report, and sums up.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use anyhow::Result;
use common::narration::{Stdout, say};

use super::digest;
use super::judge::{Judged, judge, judge_all};
use super::output::{Run, Work};
use super::trial::Config;
use crate::checks::Verdict;
use crate::drawing::entry::Entry;
use crate::drawing::page::{self, Chapter, Cover};
use crate::drawing::style::Ink;
use crate::drawing::text::ladder;
use crate::exercises::Stage;
use crate::words::Words;

pub fn grade(config: &Config) -> Result<()> {
    config.files.open()?;
    let (style, name, shown) = (config.style, config.exercise.name, config.shown());
    let seed = config.talk.names.seed;
    style.say(Ink::Bold, &words!("{name}: {shown} (--seed {seed})", "{name}：{shown}（--seed {seed}）"))?;
    let (began, mut work) = (Instant::now(), Work { name: shown, ..Work::default() });
    judge_all(config, &mut work.stages, |stage| play(config, stage))?;
    work.took = began.elapsed();
    let run = Run { config, works: vec![work] };
    let judged = &run.works[0].stages;
    let chapter = |judged: &Judged| Chapter {
        name: judged.stage.name,
        subject_zh: "",
        version: config.version(),
        claims: std::slice::from_ref(&judged.stage.promise),
        lanes: config.lanes(),
        told: judged.told.clone(),
    };
    let page = || {
        let chapters: Vec<_> = judged.iter().map(chapter).collect();
        let system =
            format!("xtask {}, {} {}", env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH);
        let files = [vec![system], digest::of_files(&config.command)].concat().join("; ");
        page::html(&cover(config, &format!("{} ({files})", run.works[0].name)), &chapters, style.lang)
    };
    run.write(page, |content| content)?;
    sum_up(&run)
}

fn play(config: &Config, stage: &'static Stage) -> Result<Judged> {
    let style = config.style;
    let lines = style.broken(&format!("  {:11} ", stage.name), stage.promise.1.to(style.lang));
    // On a terminal, the stage stands there while it is played.
    let is_seen = io::stdout().is_terminal();
    let first = lines.first().map_or("", |line| &line[1..]);
    if is_seen {
        write!(Stdout, "{}{first}", if style.ascii { '.' } else { '…' })?;
        Stdout.flush()?;
    }
    let judged = judge(config, stage).inspect_err(|_| drop(say("")))?;
    let (mark, (times, passed)) = (style.mark(&judged.verdict), judged.times);
    let of = words!(" ({passed} of {times})", "（{times} 次中 {passed} 次）");
    let times = if times > 1 { of.to(style.lang) } else { "" };
    say(&format!("{}{mark}{first}{times}", if is_seen { "\r" } else { "" }))?;
    lines.iter().skip(1).try_for_each(|line| say(line))?;
    if let Verdict::NotAvailable(why) = &judged.verdict {
        say(&format!("    {}", why.to(style.lang)))?;
    }
    if let Some(failure) = &judged.failure {
        say(&ladder::head(style, &config.lanes()))?;
        let left_out = if config.brief { judged.ladder.len().saturating_sub(4) } else { 0 };
        let told = judged.ladder.iter().skip(left_out).cloned().chain(failure.told(config.more));
        told.flat_map(|told| told.lines(style)).try_for_each(|line| say(&line))?;
    }
    Ok(judged)
}

pub fn cover(config: &Config, judged: &str) -> Cover {
    let (name, seed) = (config.exercise.name, config.talk.names.seed);
    let intro =
        words!("Judged on the wire with --seed {seed}: {judged}", "在线路上评判，--seed {seed}：{judged}");
    Cover { title: words!("{name}, graded", "{name} 评判报告"), intro, is_bare: false }
}

fn sum_up(run: &Run<'_>) -> Result<()> {
    let (config, work) = (run.config, &run.works[0]);
    let stages = config.stages();
    let (passed, all) = (work.tally().passed, work.all(&stages));
    let Words { en: absent, zh: absent_zh } = match stages.len() - all {
        0 => Words::fixed("", ""),
        n => words!(", {n} not available here", "，{n} 项在这里无法判定"),
    };
    let next = work.stop().map(|judged| judged.stage.name);
    let Words { en: then, zh: then_zh } = match next {
        None => Words::fixed("", ""),
        Some(next) if config.only.is_some() => words!(" Next: {next}", "下一步：{next}"),
        Some(next) => words!(
            " Next: {next}; '--stage {next}' runs only this stage",
            "下一步：{next}；--stage {next} 只评判这一项"
        ),
    };
    let sentence =
        words!("{passed} of {all} passed{absent}.{then}", "{all} 项中通过 {passed} 项{absent_zh}。{then_zh}");
    say("")?;
    config.style.say(if next.is_none() { Ink::Good } else { Ink::Bad }, &sentence)?;
    config.story.tell(Entry::Sum { sentence, is_kept: next.is_none() })?;
    run.outcome()
}

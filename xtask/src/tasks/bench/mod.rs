//! `cargo xtask bench`: what a thread a client costs, and what it gives. Each work is done by a program of ours, by the
//! bare calls that it is made of (the baseline), and as the notes do it: in the same round, in shuffled order.

pub mod baseline;
mod export;
mod load;
mod machine;
mod one_core;
mod results;
mod sentences;
mod variants;
mod works;

use std::env;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use common::args::{self, Args};
use common::narration::{escape, say};

use self::machine::Machine;
use self::one_core::OneCore;
use self::results::{Results, Rounds};
use self::variants::Variant;
use self::works::{ALL, Workload};
use super::shown;
use super::wanted::Wanted;
use crate::drawing::page::{self, Chapter, Cover};
use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::programs::figures::busy;
use crate::programs::{build, cleanup, reexec};
use crate::words::{Lang, Words};

/// All rounds of all works together take no longer, but for the first round of each.
const LIMIT: Duration = Duration::from_secs(105);

/// The works that are named, or all, in the order in which they are measured.
fn chosen(args: &mut Args, lang: Lang) -> Result<Vec<&'static Workload>> {
    let mut chosen = Vec::new();
    while let Some(name) = args.operand()? {
        let work = ALL.iter().find(|work| *work.name == *name);
        chosen.push(work.map(|work| work.name).ok_or_else(|| {
            let name = escape(name.as_encoded_bytes());
            let all = ALL.each_ref().map(|work| work.name).join(" ");
            let unknown =
                words!("unknown work '{name}': it is one of {all}", "没有“{name}”这一项：应为 {all} 之一");
            args::usage(unknown.to(lang))
        })?);
    }
    Ok(ALL.iter().filter(|work| chosen.is_empty() || chosen.contains(&work.name)).collect())
}

/// Measures the works that the arguments name, or all of them.
///
/// # Errors
/// A usage error for an unknown work; a failure if an answer was wrong or missing.
pub fn run(mut args: Args) -> Result<()> {
    let rounds = args.number("--rounds", 5, 1..=99)?;
    let is_as_built = args.flag("--as-built")?;
    let style = shown::style(&mut args)?;
    let (page, figures) = (args.given::<String>("--html")?, args.given::<String>("--json")?);
    let works = chosen(&mut args, style.lang)?;
    cleanup::close_on_interrupt()?;
    let page = page.as_deref().map(|file| Wanted::open("--html", file, "html")).transpose()?;
    let figures = figures.as_deref().map(|file| Wanted::open("--json", file, "json")).transpose()?;
    if busy().is_none() {
        return style.say(
            Ink::Bold,
            &Words::fixed(
                "Not available here: it needs Linux' /proc to tell what a process uses.",
                "此处无法测量：进程占用了多少，要由 Linux 的 /proc 给出。",
            ),
        );
    }
    if !reexec::is_again() {
        drop((page, figures)); // they are opened again
        return run_again(is_as_built);
    }
    build::build()?;
    let machine = Machine::here(build::is_optimised()?)?;
    style.explain(Ink::Bold, &machine.sentence())?;
    style.explain(Ink::Faint, &HOW_TO_READ)?;
    let (chapters, results) = measure_all(&works, rounds, style)?;
    say("")?;
    if let Some(figures) = figures {
        let name = figures.write(&export::json(&machine, &results))?;
        style.say(Ink::Bold, &words!("The figures are in {name}.", "数据已存入 {name}。"))?;
    }
    if let Some(page) = page {
        let name = page.write(&page::html(&cover(&machine), &chapters, style.lang))?;
        style.say(Ink::Bold, &words!("The page is in {name}.", "网页已存入 {name}。"))?;
    }
    let tally = page::tally(&chapters);
    match tally.sentence() {
        sentence if tally.failed > 0 => bail!("{}", sentence.to(style.lang)),
        sentence => style.say(Ink::Good, &sentence),
    }
}

const HOW_TO_READ: Words = Words::fixed(
    "Each bar is a cost: shorter is better. Beside it are the median, the least and the most of the\n\
     rounds, and how many times the baseline of the same round it is. The baseline makes the same\n\
     std calls, and nothing else.",
    "每一条都是开销，越短越好。旁边依次是各轮的中位数、最小值和最大值，以及相当于同一轮基准的多少倍。\n\
     “基准”做同样的 std 调用，此外什么也不做。",
);

fn cover(machine: &Machine) -> Cover {
    let machine = machine.sentence();
    let [en, how] = [machine.en, HOW_TO_READ.en].map(|lines| lines.replace('\n', " "));
    let [zh, how_zh] = [machine.zh, HOW_TO_READ.zh].map(|lines| lines.replace('\n', ""));
    Cover {
        title: Words::fixed("What a thread a client costs", "一个客户端一个线程的开销"),
        intro: words!(
            "One run of cargo xtask bench. {en} {how}",
            "运行一次 cargo xtask bench 的记录。{zh}{how_zh}"
        ),
        is_bare: false,
    }
}

/// Measures one work after another, and tells what each costs.
fn measure_all(
    works: &[&'static Workload],
    rounds: u16,
    style: Style,
) -> Result<(Vec<Chapter>, Vec<Results>)> {
    let (began, count) = (Instant::now(), u32::try_from(works.len())?);
    let (mut chapters, mut all) = (Vec::new(), Vec::new());
    for (number, work) in (1..).zip(works.iter().copied()) {
        introduce(work, style)?;
        // What one work leaves of its time is for those that follow.
        let results = measure(work, rounds, style.lang, began, LIMIT * number / count);
        let story = Transcript::new(style);
        sentences::told(&results).into_iter().try_for_each(|told| story.tell(told))?;
        let lanes = (Words::fixed("", ""), Words::fixed("", "")); // there is no ladder
        let Workload { name, claims, .. } = work;
        chapters.push(Chapter { name, subject_zh: "", version: "IPv4", claims, lanes, told: story.told() });
        all.push(results);
    }
    Ok((chapters, all))
}

fn introduce(work: &Workload, style: Style) -> Result<()> {
    let name = work.name;
    style.say(Ink::Bold, &words!("\n== {name} ==", "\n== {name} =="))?;
    let mut lines = work.claims.iter().flat_map(|(_, words)| style.broken("", words.to(style.lang)));
    lines.try_for_each(|line| Ok(say(&line)?))
}

/// Starts this task again in place of itself, optimised, unless told otherwise: a debug build is not what programs cost,
/// nor fit to be a load.
fn run_again(is_as_built: bool) -> Result<()> {
    let own = env::current_exe().context("cannot tell where this program is")?;
    reexec::start_again(&if is_as_built || build::is_optimised()? { own } else { build::optimised_xtask()? })
}

/// Measures a work in at most `rounds` rounds: after the first, none is begun that would not be over at `until`.
fn measure(work: &'static Workload, rounds: u16, lang: Lang, began: Instant, until: Duration) -> Results {
    let room = descriptors().saturating_sub(100);
    let places = work.places.iter().copied().take_while(|clients| *clients <= room).collect::<Vec<_>>();
    let (here, absent) = work.variants.iter().partition::<Vec<Variant>, _>(|variant| variant.is_here());
    let new = |variant| Rounds { variant, measured: Vec::new(), failed: None };
    let mut variants: Vec<_> = here.into_iter().map(new).collect();
    let held = if work.is_on_one_core { OneCore::hold() } else { None };
    let mut longest = Duration::ZERO;
    for round in 1..=rounds {
        let now = began.elapsed();
        if round > 1 && now + longest > until {
            break;
        }
        // The first one may find the machine warmer, or colder: the order changes from round to round.
        variants.sort_by_cached_key(|_| crate::random::number());
        for rounds in variants.iter_mut().filter(|rounds| rounds.failed.is_none()) {
            let measured = places.iter().map(|place| {
                let (name, Words { en, zh }) = (work.name, rounds.variant.name());
                progress(words!("{name}, round {round}: {en}", "{name}，第 {round} 轮：{zh}").to(lang));
                (work.measure)(rounds.variant, *place)
            });
            match measured.collect() {
                Ok(measured) => rounds.measured.push(measured),
                Err(e) => rounds.failed = Some(e),
            }
        }
        longest = longest.max(began.elapsed().saturating_sub(now));
    }
    progress("");
    variants.sort_by_key(|rounds| work.variants.iter().position(|variant| *variant == rounds.variant));
    Results { work, places, variants, absent, is_on_one_core: held.is_some() }
}

/// How many descriptors this process may have, by Linux' /proc.
fn descriptors() -> u32 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    soft.unwrap_or(u32::MAX)
}

/// A line on standard error that the next one takes the place of, where that is a terminal.
fn progress(line: &str) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
    }
}

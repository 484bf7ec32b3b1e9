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
use std::process;

use anyhow::{Context, Result, bail};
use common::args::{self, Args};
use common::narration::{escape, say};

use self::one_core::OneCore;
use self::results::{Results, Rounds};
use self::works::{ALL, Workload};
use super::shown;
use super::wanted::Wanted;
use crate::drawing::page::{self, Chapter, Cover};
use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::programs::figures::used;
use crate::programs::{build, cleanup, reexec};
use crate::words::{Lang, Words};

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
    let rounds = args.number("--rounds", 4, 1..=99)?;
    let is_as_built = args.flag("--as-built")?;
    let style = shown::style(&mut args)?;
    let (page, figures) = (args.given::<String>("--html")?, args.given::<String>("--json")?);
    let works = chosen(&mut args, style.lang)?;
    cleanup::close_on_interrupt()?;
    let page = page.as_deref().map(|file| Wanted::open("--html", file, "html")).transpose()?;
    let figures = figures.as_deref().map(|file| Wanted::open("--json", file, "json")).transpose()?;
    if used(process::id()).is_none() {
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
    let machine = machine::sentence(build::IS_OPTIMISED)?;
    style.explain(Ink::Bold, &machine)?;
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
    "Each bar is a cost: shorter is better. Beside it are the median, the least and the most of the rounds, and how \
     many times the baseline of the same round it is. The baseline makes the same std calls, and nothing else.",
    "每一条都是开销，越短越好。旁边依次是各轮的中位数、最小值和最大值，以及相当于同一轮基准的多少倍。\n\
     “基准”做同样的 std 调用，此外什么也不做。",
);

fn cover(machine: &Words) -> Cover {
    let Words { en, zh } = machine;
    let Words { en: how, zh: how_zh } = HOW_TO_READ;
    Cover {
        title: Words::fixed("What a thread a client costs", "一个客户端一个线程的开销"),
        intro: words!(
            "One run of cargo xtask bench. {en} {how}",
            "运行一次 cargo xtask bench 的记录。{zh}{how_zh}"
        ),
        is_bare: false,
    }
}

/// Measures one work after another, and tells what each costs, or why it failed.
fn measure_all(
    works: &[&'static Workload],
    rounds: u16,
    style: Style,
) -> Result<(Vec<Chapter>, Vec<Results>)> {
    let (mut chapters, mut all) = (Vec::new(), Vec::new());
    for work in works.iter().copied() {
        introduce(work, style)?;
        let story = Transcript::new(style);
        match measure(work, rounds) {
            Ok(results) => {
                sentences::told(&results).into_iter().try_for_each(|told| story.tell(told))?;
                all.push(results);
            }
            Err(e) => story.tell(sentences::failed(work, &e))?,
        }
        let lanes = (Words::fixed("", ""), Words::fixed("", "")); // there is no ladder
        let Workload { name, claims, .. } = work;
        chapters.push(Chapter { name, subject_zh: "", version: "IPv4", claims, lanes, told: story.since(0) });
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
    reexec::start_again(&if is_as_built || build::IS_OPTIMISED { own } else { build::optimised_xtask()? })
}

/// Measures each variant of a work once in each round.
fn measure(work: &'static Workload, rounds: u16) -> Result<Results> {
    let held = if work.is_on_one_core { OneCore::hold() } else { None };
    let here = work.variants.iter().copied().filter(|variant| variant.is_here());
    let mut variants: Vec<_> = here.map(|variant| Rounds { variant, measured: Vec::new() }).collect();
    for _ in 0..rounds {
        // The first one may find the machine warmer, or colder: the order changes from round to round.
        variants.sort_by_cached_key(|_| crate::random::number());
        for Rounds { variant, measured } in &mut variants {
            let places = work.places.iter().map(|place| (work.measure)(*variant, *place));
            measured.push(places.collect::<Result<_>>().with_context(|| variant.name().en)?);
        }
    }
    variants.sort_by_key(|rounds| work.variants.iter().position(|variant| *variant == rounds.variant));
    Ok(Results { work, variants, is_on_one_core: held.is_some() })
}

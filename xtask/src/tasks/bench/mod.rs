//! `cargo xtask bench`: what a thread a client costs, and what it gives. Each work is done by a program of ours, by the
//! bare calls that it is made of (the baseline), and as the notes do it: in the same round, in shuffled order.

pub mod baseline;
mod load;
mod results;
mod variants;
mod works;

use std::env::consts;
use std::fs;
use std::process::{self, Command};
use std::thread;

use anyhow::{Context, Result, bail};
use common::args::{self, Args};
use common::narration::{escape, say};
use common::text;

use self::results::{Results, Rounds};
use self::variants::PYTHON;
use self::works::{ALL, Workload};
use super::shown;
use super::wanted::Wanted;
use crate::checks::{Check, Verdict};
use crate::drawing::entry::Entry;
use crate::drawing::page::{self, Chapter, Cover};
use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::programs::build::{self, path_of};
use crate::programs::figures::used;
use crate::programs::{cleanup, reexec};
use crate::words::Words;

/// The works that are named, or all, in the order in which they are measured.
fn chosen(args: &mut Args) -> Result<Vec<&'static Workload>> {
    let mut chosen = Vec::new();
    while let Some(name) = args.operand()? {
        let Some(work) = ALL.iter().find(|work| *work.name == *name) else {
            let name = escape(name.as_encoded_bytes());
            let all = ALL.each_ref().map(|work| work.name).join(" ");
            return Err(args::usage(text!(
                "unknown work '{name}': it is one of {all}",
                "没有“{name}”这一项：应为 {all} 之一"
            )));
        };
        chosen.push(work.name);
    }
    Ok(ALL.iter().filter(|work| chosen.is_empty() || chosen.contains(&work.name)).collect())
}

/// Measures the works that the arguments name, or all of them. It fails if an answer was wrong or missing.
pub fn run(mut args: Args) -> Result<()> {
    let rounds = args.number("--rounds", 4, 1..=99)?;
    let is_as_built = args.flag("--as-built")?;
    let style = shown::style(&mut args)?;
    let (page, figures) = (args.given::<String>("--html")?, args.given::<String>("--json")?);
    let works = chosen(&mut args)?;
    cleanup::close_on_interrupt()?;
    let page = page.as_deref().map(|file| Wanted::open("--html", file, "html")).transpose()?;
    let figures = figures.as_deref().map(|file| Wanted::open("--json", file, "json")).transpose()?;
    if used(process::id()).is_none() {
        return Ok(say(&text!(
            "Not available here: it needs Linux' /proc to tell what a process uses.",
            "此处无法测量：进程占用了多少，要由 Linux 的 /proc 给出。"
        ))?);
    }
    if !reexec::is_again() {
        drop((page, figures)); // they are opened again
        // A debug build is not what programs cost, nor fit to be a load.
        let is_fit = is_as_built || build::IS_OPTIMISED;
        return reexec::start_again(&if is_fit { path_of("xtask")? } else { build::optimised_xtask()? });
    }
    build::build()?;
    let machine = machine()?;
    style.explain(Ink::Bold, &machine)?;
    style.explain(Ink::Faint, &HOW_TO_READ)?;
    let (chapters, results) = measure_all(&works, rounds, style)?;
    say("")?;
    if let Some(figures) = figures {
        let name = figures.write(&results::json(&machine, &results))?;
        style.say(Ink::Bold, &words!("The figures are in {name}.", "数据已存入 {name}。"))?;
    }
    if let Some(page) = page {
        let (Words { en, zh }, Words { en: how, zh: how_zh }) = (machine, HOW_TO_READ);
        let cover = Cover {
            title: Words::fixed("What a thread a client costs", "一个客户端一个线程的开销"),
            intro: words!(
                "One run of cargo xtask bench. {en} {how}",
                "运行一次 cargo xtask bench 的记录。{zh}{how_zh}"
            ),
            is_bare: false,
        };
        let name = page.write(&page::html(&cover, &chapters, style.lang))?;
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
     many times the baseline of the same round it is. The baseline makes the same std calls, and nothing else. Where the \
     load takes nearly all of a core, time shows the load, and CPU the program.",
    "每一条都是开销，越短越好。旁边依次是各轮的中位数、最小值和最大值，以及相当于同一轮基准的多少倍。\n\
     “基准”做同样的 std 调用，此外什么也不做。\n\
     负载占满一个核时，时间反映的是负载，CPU 反映的才是程序。",
);

fn machine() -> Result<Words> {
    let text = |file| fs::read_to_string(file).unwrap_or_default();
    let clean = |name: &str| escape(name.split_whitespace().collect::<Vec<_>>().join(" ").as_bytes());
    let (os, kernel) = (consts::OS, clean(&text("/proc/sys/kernel/osrelease")));
    let cores = thread::available_parallelism()?.get();
    let unit = if cores == 1 { "core" } else { "cores" };
    // ARM's list of CPUs has no such line.
    let cpus = text("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let on = consts::ARCH.to_owned() + &model.map_or(String::new(), |(_, on)| format!(", {}", clean(on)));
    let Words { en: build, zh: build_zh } = if build::IS_OPTIMISED {
        Words::fixed("a release build", "release 构建")
    } else {
        Words::fixed("a debug build, which costs more", "debug 构建，开销偏大")
    };
    let Words { en: python, zh: python_zh } = match &*PYTHON {
        Some((_, version)) => words!("Python {version}", "Python {version}"),
        None => Words::fixed("no python3", "没有 python3"),
    };
    Ok(words!(
        "Measured on {os} {kernel}, {cores} {unit} ({on}), all of it over 127.0.0.1: {build}, {python}.",
        "测量环境：{os} {kernel}，{cores} 核（{on}），全部经由 127.0.0.1；{build_zh}，{python_zh}。"
    ))
}

fn measure_all(
    works: &[&'static Workload],
    rounds: u16,
    style: Style,
) -> Result<(Vec<Chapter>, Vec<Results>)> {
    let (mut chapters, mut all, cores) = (Vec::new(), Vec::new(), taskset(None));
    for work in works.iter().copied() {
        let Workload { name, claims, .. } = work;
        style.say(Ink::Bold, &words!("\n== {name} ==", "\n== {name} =="))?;
        say(&style.paragraph(&claims[0].1))?;
        let story = Transcript::new(style);
        match measure(work, rounds, cores.as_deref()) {
            Ok(results) => {
                results.told().into_iter().try_for_each(|told| story.tell(told))?;
                all.push(results);
            }
            Err(e) => {
                let verdict = Verdict::Failed(words!("{e:#}", "{e:#}"));
                story.tell(Entry::Check(Check { promise: work.kind.promise.clone(), verdict }))?;
            }
        }
        let lanes = (Words::fixed("", ""), Words::fixed("", "")); // there is no ladder
        chapters.push(Chapter { name, subject_zh: "", version: "IPv4", claims, lanes, told: story.since(0) });
    }
    Ok((chapters, all))
}

/// Measures each variant of a work once in each round; one that is for one core on the first of those that there are.
fn measure(work: &'static Workload, rounds: u16, cores: Option<&str>) -> Result<Results> {
    let first = |all: &str| all.find(|c: char| !c.is_ascii_digit()).unwrap_or(all.len());
    let chosen = cores.map(|all| if work.is_on_one_core { &all[..first(all)] } else { all });
    let is_on_one_core = chosen.and_then(|cores| taskset(Some(cores))).is_some() && work.is_on_one_core;
    let here = work.kind.variants.iter().copied().filter(|variant| variant.is_here());
    let mut variants: Vec<_> = here.map(|variant| Rounds { variant, measured: Vec::new() }).collect();
    for _ in 0..rounds {
        // The first one may find the machine warmer, or colder: the order changes from round to round.
        variants.sort_by_cached_key(|_| crate::random::number());
        for Rounds { variant, measured } in &mut variants {
            let places = work.places.iter().map(|place| (work.kind.measure)(*variant, *place));
            measured.push(places.collect::<Result<_>>().with_context(|| variant.name().en)?);
        }
    }
    variants.sort_by_key(|rounds| work.kind.variants.iter().position(|variant| *variant == rounds.variant));
    Ok(Results { work, variants, is_on_one_core })
}

/// Which cores this process and those that it starts may use, such as `0,2-3`, once they may use these. On several, it is
/// the scheduler's choice whether an exchange between two threads wakes another core, which costs several times what
/// the exchange does. Nothing, where there is no taskset(1).
fn taskset(cores: Option<&str>) -> Option<String> {
    let own = process::id().to_string();
    let output = Command::new("taskset").arg("-cp").args(cores).arg(own).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim_end().rsplit(": ").next()?.to_owned())
}

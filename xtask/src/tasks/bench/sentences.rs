//! What the figures say, in sentences.

use std::iter;

use anyhow::Error;

use super::load::Measured;
use super::results::{Results, median};
use super::variants::Variant;
use super::works::Workload;
use crate::checks::{Check, Verdict};
use crate::drawing::entry::Entry;
use crate::words::Words;

/// Where the load takes this share of a core, time shows the load.
const BUSY: f64 = 0.9;

/// All that is told of a work: charts, remarks, checks.
pub fn told(results: &Results) -> Vec<Entry> {
    let charts = results.charts().into_iter().map(Entry::Chart);
    let remarks = [rounds_and_load, busy_load, price_of_a_thread, not_held].map(|of| of(results));
    let remarks = remarks.into_iter().flatten().map(Entry::Evidence);
    charts.chain(remarks).chain(checks(results).into_iter().map(Entry::Check)).collect()
}

/// How many rounds there were, and what the load took meanwhile.
fn rounds_and_load(results: &Results) -> Option<Words> {
    let rounds = results.variants.first()?.measured.len();
    let unit = if rounds == 1 { "round" } else { "rounds" };
    let loads = || results.all().filter_map(|measured| measured.load);
    let Some(most) = loads().reduce(f64::max) else {
        return Some(words!("{rounds} {unit}", "{rounds} 轮"));
    };
    let (least, most) = (percent(loads().fold(most, f64::min)), percent(most));
    Some(words!(
        "{rounds} {unit}; the load itself took {least} to {most} of a core",
        "{rounds} 轮；负载自身占用一个核的 {least} 至 {most}"
    ))
}

/// That the load had no time to spare.
fn busy_load(results: &Results) -> Option<Words> {
    let is_busy = |measured: &Measured| measured.load.is_some_and(|load| load >= BUSY);
    results.all().any(is_busy).then_some(Words::fixed(
        "where the load takes nearly all of a core, time shows the load, and CPU the program",
        "负载占满一个核时，时间反映的是负载，CPU 反映的才是程序",
    ))
}

/// What it costs to start a thread for each client: the baseline, less the one whose threads are started before.
fn price_of_a_thread(results: &Results) -> Option<Words> {
    let [started, ready] =
        [results.variant(Variant::Baseline)?, results.variant(Variant::Ready)?].map(|it| it.figures(0, 1));
    let pairs = started.iter().zip(ready).map(|(started, ready)| started - ready);
    let price = format!("{:.0}", median(&pairs.collect::<Vec<_>>()));
    Some(words!(
        "a thread started for a client costs {price} µs of CPU: the two baselines, compared",
        "为一个客户端启动一个线程，要花 {price} µs 的 CPU（两个基准之差）"
    ))
}

/// That the scheduler had a choice after all.
fn not_held(results: &Results) -> Option<Words> {
    (results.work.is_on_one_core && !results.is_on_one_core).then_some(Words::fixed(
        "one core for all of it: not available here, it needs taskset; the scheduler is in these times, too",
        "只用一个核：此处做不到，缺 taskset；时间也随调度器而变",
    ))
}

/// What was promised, with how many were counted, and which variants are not here.
fn checks(results: &Results) -> Vec<Check> {
    let Workload { promise: Words { en, zh }, variants, .. } = results.work;
    let counted: u64 = results.all().map(|measured| u64::from(measured.count)).sum();
    let promise = words!("{en} ({counted})", "{zh}（{counted} 个）");
    let no_python = || Verdict::NotAvailable(Words::fixed("it needs python3", "需要 python3"));
    let absent = variants.iter().filter(|variant| !variant.is_here());
    let absent = absent.map(|variant| Check { promise: variant.name(), verdict: no_python() });
    iter::once(Check { promise, verdict: Verdict::Passed }).chain(absent).collect()
}

/// That a variant did not do its work.
pub fn failed(work: &Workload, why: &Error) -> Entry {
    let verdict = Verdict::Failed(words!("{why:#}", "{why:#}"));
    Entry::Check(Check { promise: work.promise.clone(), verdict })
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

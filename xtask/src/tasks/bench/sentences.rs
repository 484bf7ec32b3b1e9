//! What the figures say, in sentences.

use super::load::Measured;
use super::results::{Results, median};
use super::variants::Variant;
use crate::checks::{Check, Verdict};
use crate::drawing::entry::{Chart, Entry};
use crate::words::Words;

/// Where the load takes this share of a core, time shows the load.
const BUSY: f64 = 0.9;
/// A round is disturbed where other processes take this share of a core.
const DISTURBED: f64 = 0.25;

/// All that is told of a work: charts, remarks, checks.
pub fn told(results: &Results) -> Vec<Entry> {
    let charts = results.charts().into_iter().filter(Chart::has_costs).map(Entry::Chart);
    let remarks =
        [rounds_and_load, busy_load, price_of_a_thread, disturbance, not_held, no_room].map(|of| of(results));
    let remarks = remarks.into_iter().flatten().map(Entry::Evidence);
    charts.chain(remarks).chain(checks(results).into_iter().map(Entry::Check)).collect()
}

/// How many rounds there were, and what the load took meanwhile.
fn rounds_and_load(results: &Results) -> Option<Words> {
    let rounds = results.whole().map(|rounds| rounds.measured.len()).max()?;
    let unit = if rounds == 1 { "round" } else { "rounds" };
    let loads = || results.all().filter_map(|measured| Some(measured.shares?.load));
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
    let is_busy = |measured: &Measured| measured.shares.is_some_and(|shares| shares.load >= BUSY);
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

/// The rounds in which other processes took much of the machine.
fn disturbance(results: &Results) -> Option<Words> {
    let others = |measured: &Measured| measured.shares.map_or(0.0, |shares| shares.others);
    let rounds = results.variants.iter().map(|rounds| rounds.measured.len()).max().unwrap_or(0);
    let most = (0..rounds).map(|round| {
        let measured = results.variants.iter().filter_map(|rounds| rounds.measured.get(round)).flatten();
        measured.map(others).fold(0.0, f64::max)
    });
    let disturbed: Vec<_> = (1..).zip(most).filter(|(_, most)| *most >= DISTURBED).collect();
    let numbers: Vec<_> = disturbed.iter().map(|(round, _)| round.to_string()).collect();
    let (en, zh) = (numbers.join(", "), numbers.join("、"));
    let most = percent(disturbed.iter().map(|(_, most)| *most).reduce(f64::max)?);
    Some(words!(
        "disturbed in round {en}: other processes took up to {most} of a core",
        "第 {zh} 轮受到干扰：其他进程最多占用一个核的 {most}"
    ))
}

/// That the scheduler had a choice after all.
fn not_held(results: &Results) -> Option<Words> {
    (results.work.is_on_one_core && !results.is_on_one_core).then_some(Words::fixed(
        "one core for all of it: not available here, it needs taskset; the scheduler is in these times, too",
        "只用一个核：此处做不到，缺 taskset；时间也随调度器而变",
    ))
}

/// Places that are left out.
fn no_room(results: &Results) -> Option<Words> {
    let first = results.work.places.get(results.places.len())?;
    Some(words!(
        "{first} and more: not available here, a process is not allowed that many descriptors",
        "从 {first} 起此处做不到：一个进程不能有那么多描述符"
    ))
}

/// What was promised, with a verdict for each variant that failed, or one for all.
fn checks(results: &Results) -> Vec<Check> {
    let counted = results.all().map(|measured| u64::from(measured.count)).sum();
    let mut verdicts: Vec<_> = results
        .variants
        .iter()
        .filter_map(|rounds| {
            let (why, Words { en, zh }) = (rounds.failed.as_ref()?, rounds.variant.name());
            Some(Verdict::Failed(words!("{en}: {why:#}", "{zh}：{why:#}")))
        })
        .collect();
    if verdicts.is_empty() {
        verdicts.push(match counted {
            0 => Verdict::NotAvailable(Words::fixed("nothing was measured", "什么也没有测量")),
            _ => Verdict::Passed,
        });
    }
    let promised = verdicts.into_iter().map(|verdict| ((results.work.promise)(counted), verdict));
    let no_python = || Verdict::NotAvailable(Words::fixed("it needs python3", "需要 python3"));
    let absent = results.absent.iter().map(|variant| (variant.name(), no_python()));
    promised.chain(absent).map(|(promise, verdict)| Check { promise, verdict }).collect()
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::{results, rounds};
    use super::*;

    #[test]
    fn a_variant_that_failed_fails_the_promise_and_has_no_bar() {
        let mut failing = rounds(Variant::Ours, &[1.0], 0.0);
        failing.failed = Some(anyhow::Error::msg("heard 'x'"));
        let results = results(vec![failing, rounds(Variant::Baseline, &[1.0], 0.0)]);
        let [check] = &checks(&results)[..] else { panic!("one check") };
        assert_eq!(check.sentence().en, "each of 14 answers was the right one: ours: heard 'x'");
        assert_eq!(results.charts()[0].series.len(), 1);
    }

    #[test]
    fn a_round_in_which_others_took_much_is_said_to_be_disturbed() {
        let calm = results(vec![rounds(Variant::Baseline, &[1.0, 1.0], 0.1)]);
        assert!(disturbance(&calm).is_none());
        let disturbed =
            results(vec![rounds(Variant::Baseline, &[1.0], 0.0), rounds(Variant::Ours, &[1.0, 1.0], 0.75)]);
        let said = disturbance(&disturbed).unwrap();
        assert_eq!(said.en, "disturbed in round 1, 2: other processes took up to 75% of a core");
    }
}

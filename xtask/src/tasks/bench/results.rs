//! What was measured of a work: the rounds of each variant, and what it says: charts, sentences, JSON.

use super::load::Measured;
use super::variants::Variant;
use super::works::{Figure, Kind, Workload};
use crate::checks::{Check, Verdict};
use crate::drawing::entry::{Chart, Cost, Entry, Series, shown};
use crate::tasks::json::{array, object, string};
use crate::words::Words;

pub struct Results {
    pub work: &'static Workload,
    pub variants: Vec<Rounds>,
    /// Not where one core is wanted and there is no taskset(1).
    pub is_on_one_core: bool,
}

/// One variant: what was measured in each round at each place.
pub struct Rounds {
    pub variant: Variant,
    pub measured: Vec<Vec<Measured>>,
}

impl Rounds {
    fn figures(&self, place: usize, figure: usize) -> Vec<f64> {
        self.measured.iter().map(|round| round[place].costs[figure]).collect()
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    match (figures.get(figures.len().saturating_sub(1) / 2), figures.get(figures.len() / 2)) {
        (Some(below), Some(above)) => below.midpoint(*above),
        _ => 0.0,
    }
}

impl Results {
    fn all(&self) -> impl Iterator<Item = &Measured> {
        self.variants.iter().flat_map(|rounds| rounds.measured.iter().flatten())
    }

    fn variant(&self, variant: Variant) -> Option<&Rounds> {
        self.variants.iter().find(|rounds| rounds.variant == variant)
    }

    fn cost(&self, rounds: &Rounds, place: usize, figure: usize) -> Cost {
        let figures = rounds.figures(place, figure);
        let baseline = self.variant(Variant::Baseline).filter(|other| other.variant != rounds.variant);
        // Both of a pair are of one round: what disturbs a round disturbs the two alike.
        let ratio = baseline.map(|baseline| {
            let baseline = baseline.figures(place, figure);
            let pairs = figures.iter().zip(baseline).filter(|pair| pair.1 > 0.0);
            median(pairs.map(|(own, baseline)| own / baseline).collect())
        });
        let low = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let high = figures.iter().copied().fold(0.0, f64::max);
        Cost { median: median(figures), low, high, ratio }
    }

    pub fn told(&self) -> Vec<Entry> {
        let mut told: Vec<_> = self.charts().into_iter().map(Entry::Chart).collect();
        let remarks = [self.rounds_and_load(), self.price_of_a_thread()];
        told.extend(remarks.into_iter().flatten().map(Entry::Evidence));
        let mut check = |promise, verdict| told.push(Entry::Check(Check { promise, verdict }));
        let needs = |en, zh| Verdict::NotAvailable(Words::fixed(en, zh));
        let Kind { promise: Words { en, zh }, variants, .. } = self.work.kind;
        let counted: u64 = self.all().map(|measured| u64::from(measured.count)).sum();
        check(words!("{en} ({counted})", "{zh}（{counted} 个）"), Verdict::Passed);
        if self.work.is_on_one_core && !self.is_on_one_core {
            let verdict = needs(
                "it needs taskset; the scheduler is in these times, too",
                "缺 taskset；时间也随调度器而变",
            );
            check(Words::fixed("one core for all of it", "只用一个核"), verdict);
        }
        for variant in variants.iter().filter(|variant| !variant.is_here()) {
            check(variant.name(), needs("it needs python3", "需要 python3"));
        }
        told
    }

    fn rounds_and_load(&self) -> Option<Words> {
        let rounds = self.variants.first()?.measured.len();
        let unit = if rounds == 1 { "round" } else { "rounds" };
        let loads = || self.all().filter_map(|measured| measured.load).map(|load| 100.0 * load);
        let Some(most) = loads().reduce(f64::max) else {
            return Some(words!("{rounds} {unit}", "{rounds} 轮"));
        };
        let least = loads().fold(most, f64::min);
        Some(words!(
            "{rounds} {unit}; the load itself took {least:.0}% to {most:.0}% of a core",
            "{rounds} 轮；负载自身占用一个核的 {least:.0}% 至 {most:.0}%"
        ))
    }

    fn price_of_a_thread(&self) -> Option<Words> {
        let [started, ready] =
            [self.variant(Variant::Baseline)?, self.variant(Variant::Ready)?].map(|it| it.figures(0, 1));
        let price = median(started.iter().zip(ready).map(|(started, ready)| started - ready).collect());
        Some(words!(
            "a thread started for a client costs {price:.0} µs of CPU: the two baselines, compared",
            "为一个客户端启动一个线程，要花 {price:.0} µs 的 CPU（两个基准之差）"
        ))
    }

    fn charts(&self) -> Vec<Chart> {
        let series = |rounds: &Rounds, figure| Series {
            name: rounds.variant.name(),
            ink: rounds.variant.shown().2,
            costs: (0..self.work.places.len()).map(|place| self.cost(rounds, place, figure)).collect(),
        };
        let chart = |(number, (_, title, title_zh)): (usize, &Figure)| Chart {
            title: Words::fixed(title, title_zh),
            across: self.work.kind.across.clone(),
            places: self.work.places.iter().copied().map(u64::from).collect(),
            series: self.variants.iter().map(|rounds| series(rounds, number)).collect(),
        };
        self.work.kind.figures.iter().enumerate().map(chart).collect()
    }
}

pub fn json(machine: &Words, works: &[Results]) -> String {
    let works = works.iter().map(|results| {
        let places = results.work.places.iter().enumerate().map(|(place, clients)| {
            let variants = results.variants.iter().map(|rounds| variant(results, rounds, place));
            object(&[("n", clients.to_string()), ("variants", array(variants))])
        });
        object(&[
            ("work", string(results.work.name)),
            ("n_is", string(&results.work.kind.across.en)),
            ("on_one_core", results.is_on_one_core.to_string()),
            ("places", array(places)),
        ])
    });
    object(&[("machine", string(&machine.en)), ("works", array(works))]) + "\n"
}

fn variant(results: &Results, rounds: &Rounds, place: usize) -> String {
    let or_null = |figure: Option<f64>| figure.map_or("null".into(), |figure| format!("{figure:.2}"));
    let mut members = vec![("variant", string(rounds.variant.shown().0))];
    for (number, (key, ..)) in results.work.kind.figures.iter().enumerate() {
        let Cost { median, low, high, ratio } = results.cost(rounds, place, number);
        let cost = object(&[
            ("median", shown(median)),
            ("low", shown(low)),
            ("high", shown(high)),
            ("to_baseline", or_null(ratio)),
            ("rounds", array(rounds.figures(place, number).into_iter().map(shown))),
        ]);
        members.push((key, cost));
    }
    let measured = || rounds.measured.iter().map(|round| &round[place]);
    members.push(("counted", array(measured().map(|measured| measured.count.to_string()))));
    members.push(("load_cores", array(measured().map(|measured| or_null(measured.load)))));
    object(&members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::bench::works;

    fn rounds(variant: Variant, figures: &[f64]) -> Rounds {
        let measured = |cost: &f64| vec![Measured { costs: [*cost, *cost], count: 7, load: None }];
        Rounds { variant, measured: figures.iter().map(measured).collect() }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_pairs_and_not_of_the_medians() {
        let variants =
            vec![rounds(Variant::Baseline, &[1.0, 10.0, 4.0]), rounds(Variant::Ours, &[2.0, 5.0, 12.0])];
        let results = Results { work: &works::ALL[0], variants, is_on_one_core: true };
        let costs: Vec<_> = results.charts()[0].series.iter().map(|series| series.costs[0]).collect();
        assert_eq!((costs[0].median, costs[0].ratio), (4.0, None));
        let Cost { median: middle, low, high, ratio } = costs[1];
        assert_eq!((middle, low, high, ratio), (5.0, 2.0, 12.0, Some(2.0)));
        assert_eq!(shown(median(vec![1.0, 2.0, 4.0, 8.0])), "3.00");
    }
}

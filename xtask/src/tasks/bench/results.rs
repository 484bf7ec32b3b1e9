//! What came of a work: the rounds of each side, as charts, as sentences, and as figures for a machine.

use anyhow::Error;

use super::load::{Measured, Shares};
use super::sides::Contestant;
use super::works::Work;
use crate::checks::{Check, Verdict};
use crate::drawing::entry::Entry;
use crate::drawing::entry::{Chart, Cost, Series, shown};
use crate::tasks::json;
use crate::words::Words;

/// Where the load takes so much of a core, it is what time shows.
const BUSY: f64 = 0.9;
/// A round is disturbed where others take so much of a core.
const DISTURBED: f64 = 0.25;

/// A work, and what was measured of it.
pub struct Results {
    pub work: &'static Work,
    /// The places that this system has room for.
    pub places: Vec<u32>,
    pub sides: Vec<Rounds>,
    /// Sides that are not here, and why.
    pub absent: Vec<(Contestant, Words)>,
    /// Whether the work was held on one core.
    pub is_on_one_core: bool,
}

/// One side: what was measured in each round at each place, up to a failure.
pub struct Rounds {
    pub side: Contestant,
    pub measured: Vec<Vec<Measured>>,
    pub failed: Option<Error>,
}

impl Rounds {
    /// The figure of the rounds at a place.
    fn figures(&self, place: usize, figure: usize) -> Vec<f64> {
        self.measured.iter().map(|round| round[place].costs[figure]).collect()
    }
}

/// The one in the middle, or the mean of the two that are.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2)) {
        (Some(below), Some(above)) => below.midpoint(*above),
        _ => 0.0,
    }
}

impl Results {
    /// Those who came through all rounds.
    fn whole(&self) -> impl Iterator<Item = &Rounds> {
        self.sides.iter().filter(|side| side.failed.is_none() && !side.measured.is_empty())
    }

    fn all(&self) -> impl Iterator<Item = &Measured> {
        self.sides.iter().flat_map(|side| side.measured.iter().flatten())
    }

    fn side(&self, side: Contestant) -> Option<&Rounds> {
        self.whole().find(|rounds| rounds.side == side)
    }

    fn cost(&self, rounds: &Rounds, place: usize, figure: usize) -> Cost {
        let figures = rounds.figures(place, figure);
        let floor = self.side(Contestant::Floor).filter(|floor| floor.side != rounds.side);
        // Both of a pair are of one round: what disturbs a round disturbs the two alike.
        let ratio = floor.map(|floor| {
            let floor = floor.figures(place, figure);
            let pairs = figures.iter().zip(floor).filter(|pair| pair.1 > 0.0);
            median(&pairs.map(|(own, floor)| own / floor).collect::<Vec<_>>())
        });
        let low = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let high = figures.iter().copied().fold(0.0, f64::max);
        Cost { median: median(&figures), low, high, ratio }
    }

    /// A chart for each of the work's two figures.
    pub fn charts(&self) -> Vec<Chart> {
        let series = |figure| {
            let places = 0..self.places.len();
            let drawn = self.whole().map(move |rounds| Series {
                name: rounds.side.name(),
                ink: rounds.side.ink(),
                costs: places.clone().map(|place| self.cost(rounds, place, figure)).collect(),
            });
            drawn.collect()
        };
        let chart = |(number, figure): (usize, &super::works::Figure)| Chart {
            title: figure.title.clone(),
            across: self.work.across.clone(),
            places: self.places.iter().copied().map(u64::from).collect(),
            series: series(number),
        };
        self.work.figures.iter().enumerate().map(chart).collect()
    }

    /// What is to be told of it.
    pub fn told(&self) -> Vec<Entry> {
        let charts = self.charts().into_iter().filter(Chart::has_costs).map(Entry::Chart);
        let remarks = [
            self.rounds_and_load(),
            self.busy_load(),
            self.price_of_a_thread(),
            self.disturbance(),
            self.not_held(),
            self.no_room(),
        ];
        let remarks = remarks.into_iter().flatten().map(Entry::Remark);
        charts.chain(remarks).chain(self.checks().into_iter().map(Entry::Check)).collect()
    }

    /// How often it was measured, and what the load took meanwhile.
    fn rounds_and_load(&self) -> Option<Words> {
        self.all().next()?;
        let rounds = self.whole().map(|side| side.measured.len()).max()?;
        let unit = if rounds == 1 { "round" } else { "rounds" };
        let loads: Vec<_> = self.all().filter_map(|measured| Some(measured.shares?.load)).collect();
        let Some(most) = loads.iter().copied().reduce(f64::max) else {
            return Some(words!("{rounds} {unit}", "{rounds} 轮"));
        };
        let least = loads.iter().copied().fold(f64::INFINITY, f64::min);
        let (least, percent) = (percent(least), percent(most));
        Some(words!(
            "{rounds} {unit}; the load itself took {least} to {percent} of a core",
            "{rounds} 轮；负载自身占用一个核的 {least} 至 {percent}"
        ))
    }

    /// That the load had no time to spare.
    fn busy_load(&self) -> Option<Words> {
        let is_busy = |measured: &Measured| measured.shares.is_some_and(|shares| shares.load >= BUSY);
        self.all().any(is_busy).then_some(Words::fixed(
            "where the load takes nearly all of a core, time shows the load, and CPU the program",
            "负载占满一个核时，时间反映的是负载，CPU 反映的才是程序",
        ))
    }

    /// What it costs to start a thread for each client: the floor, less the one whose threads are there already.
    fn price_of_a_thread(&self) -> Option<Words> {
        let (started, ready) = (self.side(Contestant::Floor)?, self.side(Contestant::Ready)?);
        let pairs = started.figures(0, 1).into_iter().zip(ready.figures(0, 1));
        let price = median(&pairs.map(|(started, ready)| started - ready).collect::<Vec<_>>());
        let price = format!("{price:.0}");
        Some(words!(
            "a thread started for a client costs {price} µs of CPU: the two floors, compared",
            "为一个客户端启动一个线程，要花 {price} µs 的 CPU（两个下限之差）"
        ))
    }

    /// The rounds in which others took much of the machine.
    fn disturbance(&self) -> Option<Words> {
        let others = |measured: &Measured| measured.shares.map_or(0.0, |shares| shares.others);
        let rounds = self.sides.iter().map(|side| side.measured.len()).max().unwrap_or(0);
        let most = (0..rounds).map(|round| {
            let measured = self.sides.iter().filter_map(|side| side.measured.get(round)).flatten();
            measured.map(others).fold(0.0, f64::max)
        });
        let disturbed: Vec<_> = (1..).zip(most).filter(|(_, most)| *most >= DISTURBED).collect();
        let numbers: Vec<_> = disturbed.iter().map(|(round, _)| round.to_string()).collect();
        let (en, zh) = (numbers.join(", "), numbers.join("、"));
        let most = percent(disturbed.iter().map(|(_, most)| *most).fold(0.0, f64::max));
        (!disturbed.is_empty()).then(|| {
            words!(
                "disturbed in round {en}: other processes took up to {most} of a core",
                "第 {zh} 轮受到干扰：其他进程最多占用一个核的 {most}"
            )
        })
    }

    /// That the scheduler had a choice after all.
    fn not_held(&self) -> Option<Words> {
        (self.work.is_on_one_core && !self.is_on_one_core).then_some(Words::fixed(
            "one core for all of it: not available here, it takes taskset; times are the scheduler's, too",
            "只用一个核：此处做不到，缺 taskset；时间也随调度器而变",
        ))
    }

    /// Places that are left out.
    fn no_room(&self) -> Option<Words> {
        let first = self.work.places.get(self.places.len())?;
        Some(words!(
            "from {first} on not available here: a process may not have so many descriptors",
            "从 {first} 起此处做不到：一个进程不能有那么多描述符"
        ))
    }

    /// What was promised, and came of it.
    pub fn checks(&self) -> Vec<Check> {
        let counted = self.all().map(|measured| u64::from(measured.count)).sum();
        let failed = self.sides.iter().filter_map(|rounds| {
            let (why, Words { en, zh }) = (rounds.failed.as_ref()?, rounds.side.name());
            Some(words!("{en}: {why:#}", "{zh}：{why:#}"))
        });
        let mut failed: Vec<_> = failed.collect();
        let verdict = match failed.pop() {
            Some(why) => Verdict::Failed(why),
            None if counted == 0 => {
                Verdict::NotAvailable(Words::fixed("nothing was measured", "什么也没有测量"))
            }
            None => Verdict::Passed,
        };
        let promise = (self.work.promise)(counted);
        let mut checks = vec![Check { promise: promise.clone(), verdict }];
        checks.extend(
            failed.into_iter().map(|why| Check { promise: promise.clone(), verdict: Verdict::Failed(why) }),
        );
        checks.extend(
            self.absent.iter().map(|(side, why)| Check {
                promise: side.name(),
                verdict: Verdict::NotAvailable(why.clone()),
            }),
        );
        checks
    }

    /// For a machine.
    pub fn json(&self) -> String {
        let at = |place: usize, clients: u32| {
            let sides = self.whole().map(|rounds| {
                let mut members = vec![("side", json::string(rounds.side.key()))];
                for (number, figure) in self.work.figures.iter().enumerate() {
                    let Cost { median, low, high, ratio } = self.cost(rounds, place, number);
                    let rounds = rounds.figures(place, number).into_iter().map(shown);
                    let cost = json::object(&[
                        ("median", shown(median)),
                        ("low", shown(low)),
                        ("high", shown(high)),
                        ("to_floor", ratio.map_or("null".into(), |ratio| format!("{ratio:.2}"))),
                        ("rounds", json::array(rounds)),
                    ]);
                    members.push((figure.key, cost));
                }
                let share = |of: fn(&Shares) -> f64| {
                    let shares =
                        rounds.measured.iter().map(move |round| round[place].shares.as_ref().map(of));
                    json::array(
                        shares.map(|share| share.map_or("null".into(), |share| format!("{share:.2}"))),
                    )
                };
                let counts = rounds.measured.iter().map(|round| round[place].count.to_string());
                members.push(("counted", json::array(counts)));
                members.push(("load_cores", share(|shares| shares.load)));
                members.push(("others_cores", share(|shares| shares.others)));
                json::object(&members)
            });
            json::object(&[("n", clients.to_string()), ("sides", json::array(sides))])
        };
        let places = self.places.iter().enumerate().map(|(place, clients)| at(place, *clients));
        json::object(&[
            ("work", json::string(self.work.name)),
            ("n_is", json::string(&self.work.across.en)),
            ("on_one_core", self.is_on_one_core.to_string()),
            ("places", json::array(places)),
        ])
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::bench::works;

    fn rounds(side: Contestant, figures: &[f64], others: f64) -> Rounds {
        let measured = |cost: &f64| {
            let shares = Some(Shares { load: 0.5, others });
            vec![Measured { costs: [*cost, *cost], count: 7, shares }]
        };
        Rounds { side, measured: figures.iter().map(measured).collect(), failed: None }
    }

    fn results(sides: Vec<Rounds>) -> Results {
        Results { work: &works::ALL[0], places: vec![1], sides, absent: Vec::new(), is_on_one_core: true }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_pairs_and_not_of_the_medians() {
        let results = results(vec![
            rounds(Contestant::Floor, &[1.0, 10.0, 4.0], 0.0),
            rounds(Contestant::Ours, &[2.0, 5.0, 12.0], 0.0),
        ]);
        let costs: Vec<_> = results.charts()[0].series.iter().map(|series| series.costs[0]).collect();
        assert_eq!((costs[0].median, costs[0].ratio), (4.0, None));
        assert_eq!(
            (costs[1].median, costs[1].low, costs[1].high, costs[1].ratio),
            (5.0, 2.0, 12.0, Some(2.0))
        );
        assert_eq!(shown(median(&[1.0, 2.0, 4.0, 8.0])), "3.00");
    }

    #[test]
    fn a_side_that_failed_breaks_the_promise_and_has_no_bar() {
        let mut failing = rounds(Contestant::Ours, &[1.0], 0.0);
        failing.failed = Some(Error::msg("heard 'x'"));
        let results = results(vec![failing, rounds(Contestant::Floor, &[1.0], 0.0)]);
        let [check] = &results.checks()[..] else { panic!("one check") };
        assert_eq!(check.sentence().en, "each of 14 answers was the right one: ours: heard 'x'");
        assert_eq!(results.charts()[0].series.len(), 1);
    }

    #[test]
    fn a_round_in_which_others_took_much_is_said_to_be_disturbed() {
        let calm = results(vec![rounds(Contestant::Floor, &[1.0, 1.0], 0.1)]);
        assert!(calm.disturbance().is_none());
        let disturbed = results(vec![
            rounds(Contestant::Floor, &[1.0], 0.0),
            rounds(Contestant::Ours, &[1.0, 1.0], 0.75),
        ]);
        let said = disturbed.disturbance().unwrap();
        assert_eq!(said.en, "disturbed in round 1, 2: other processes took up to 75% of a core");
    }
}

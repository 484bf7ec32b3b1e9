//! What was measured of a work: the rounds of each variant, and their costs as charts.

use super::load::Measured;
use super::variants::Variant;
use super::works::Workload;
use crate::drawing::entry::{Chart, Cost, Series};

/// A work, and what was measured of it.
pub struct Results {
    pub work: &'static Workload,
    pub variants: Vec<Rounds>,
    /// Whether the work was held on one core.
    pub is_on_one_core: bool,
}

/// One variant: what was measured in each round at each place.
pub struct Rounds {
    pub variant: Variant,
    pub measured: Vec<Vec<Measured>>,
}

impl Rounds {
    /// A figure at a place, in each of the rounds.
    pub fn figures(&self, place: usize, figure: usize) -> Vec<f64> {
        self.measured.iter().map(|round| round[place].costs[figure]).collect()
    }
}

/// The one in the middle, or the mean of the two in the middle.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2)) {
        (Some(below), Some(above)) => below.midpoint(*above),
        _ => 0.0,
    }
}

impl Results {
    pub fn all(&self) -> impl Iterator<Item = &Measured> {
        self.variants.iter().flat_map(|rounds| rounds.measured.iter().flatten())
    }

    /// A variant, if it was measured.
    pub fn variant(&self, variant: Variant) -> Option<&Rounds> {
        self.variants.iter().find(|rounds| rounds.variant == variant)
    }

    pub fn cost(&self, rounds: &Rounds, place: usize, figure: usize) -> Cost {
        let figures = rounds.figures(place, figure);
        let baseline = self.variant(Variant::Baseline).filter(|other| other.variant != rounds.variant);
        // Both of a pair are of one round: what disturbs a round disturbs the two alike.
        let ratio = baseline.map(|baseline| {
            let baseline = baseline.figures(place, figure);
            let pairs = figures.iter().zip(baseline).filter(|pair| pair.1 > 0.0);
            median(&pairs.map(|(own, baseline)| own / baseline).collect::<Vec<_>>())
        });
        let low = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let high = figures.iter().copied().fold(0.0, f64::max);
        Cost { median: median(&figures), low, high, ratio }
    }

    /// A chart for each of the work's two figures.
    pub fn charts(&self) -> Vec<Chart> {
        let series = |rounds: &Rounds, figure| Series {
            name: rounds.variant.name(),
            ink: rounds.variant.shown().2,
            costs: (0..self.work.places.len()).map(|place| self.cost(rounds, place, figure)).collect(),
        };
        let charts = self.work.figures.iter().enumerate().map(|(number, (_, title))| Chart {
            title: title.clone(),
            across: self.work.across.clone(),
            places: self.work.places.iter().copied().map(u64::from).collect(),
            series: self.variants.iter().map(|rounds| series(rounds, number)).collect(),
        });
        charts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::entry::shown;
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
        assert_eq!(shown(median(&[1.0, 2.0, 4.0, 8.0])), "3.00");
    }
}

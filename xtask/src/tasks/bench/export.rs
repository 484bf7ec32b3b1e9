//! The figures for a machine, as JSON.

use super::results::{Results, Rounds};
use crate::drawing::entry::{Cost, shown};
use crate::tasks::json::{array, object, string};
use crate::words::Words;

/// What it was measured on, and each work with the rounds of its variants.
pub fn json<'a>(machine: &Words, works: impl IntoIterator<Item = &'a Results>) -> String {
    let works = works.into_iter().map(|results| {
        let places = results.work.places.iter().enumerate();
        let places = places.map(|(place, clients)| {
            let variants = results.variants.iter().map(|rounds| variant(results, rounds, place));
            object(&[("n", clients.to_string()), ("variants", array(variants))])
        });
        object(&[
            ("work", string(results.work.name)),
            ("n_is", string(&results.work.across.en)),
            ("on_one_core", results.is_on_one_core.to_string()),
            ("places", array(places)),
        ])
    });
    object(&[("machine", string(&machine.en.replace('\n', " "))), ("works", array(works))]) + "\n"
}

fn variant(results: &Results, rounds: &Rounds, place: usize) -> String {
    let or_null = |figure: Option<f64>| figure.map_or("null".into(), |figure| format!("{figure:.2}"));
    let mut members = vec![("variant", string(rounds.variant.shown().0))];
    for (number, (key, _)) in results.work.figures.iter().enumerate() {
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

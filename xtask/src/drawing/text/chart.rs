//! Charts as text: bars side by side, or a curve of them. Pure.

use std::iter;

use crate::drawing::columns::width;
use crate::drawing::entry::{Chart, Series, shown};
use crate::drawing::style::{Ink, Style};

/// The columns of a name, of everything beside a bar, and between two places of a curve; the rows of a curve.
const NAME: usize = 25;
const BESIDE: usize = 64;
const STEP: usize = 16;
const ROWS: u32 = 12;
/// A side's mark on a curve, in their order.
const MARKS: [&str; 5] = ["o", "+", "x", "*", "#"];

pub fn lines(style: Style, chart: &Chart) -> Vec<String> {
    let title = style.paint(Ink::Bold, &format!("  {}", style.signs(chart.title.to(style.lang))));
    let drawn = if chart.places.len() > 1 { curve_lines(style, chart) } else { bar_lines(style, chart) };
    iter::once(title).chain(drawn).collect()
}

fn highest(chart: &Chart) -> f64 {
    let costs = chart.series.iter().flat_map(|series| &series.costs);
    costs.map(|cost| cost.median).fold(f64::MIN_POSITIVE, f64::max)
}

/// How many of `all` a share of them is.
fn share_of(all: u32, share: f64) -> u32 {
    let share = share * f64::from(all) + 0.5;
    (1..=all).take_while(|n| f64::from(*n) <= share).last().unwrap_or(0)
}

fn padded(words: &str) -> String {
    format!("{words}{}", " ".repeat(NAME.saturating_sub(width(words))))
}

fn bar_lines(style: Style, chart: &Chart) -> Vec<String> {
    let highest = highest(chart);
    let room = style.width.saturating_sub(BESIDE).max(1);
    let sign = style.signs("█");
    let bar = |Series { name, ink, costs }: &Series| {
        let cost = costs.first()?;
        let full = share_of(u32::try_from(room).ok()?, cost.median / highest).max(1) as usize;
        let (name, median) = (padded(name.to(style.lang)), shown(cost.median));
        let (bar, rest) = (style.paint(*ink, &sign.repeat(full)), " ".repeat(room - full));
        let spread = format!("{}-{}", shown(cost.low), shown(cost.high));
        let times = cost.ratio.map_or(String::new(), |ratio| format!("x{ratio:.2}"));
        let line = format!("    {name}{median:>7} {bar}{rest} {spread:15} {times}");
        Some(line.trim_end().to_owned())
    };
    chart.series.iter().filter_map(bar).collect()
}

fn curve_lines(style: Style, chart: &Chart) -> Vec<String> {
    let (highest, axis, sides) = (highest(chart), style.signs("│"), || chart.series.iter().zip(MARKS));
    let row = |height: u32| {
        let label = match height {
            ROWS => shown(highest),
            0 => shown(0.0),
            _ => String::new(),
        };
        // At a place, each side has a column of its own: no mark hides another.
        let points = (0..chart.places.len()).map(|place| {
            let points = sides().map(|(Series { ink, costs, .. }, mark)| {
                let is_here = share_of(ROWS, costs[place].median / highest) == height;
                if is_here { style.paint(*ink, mark) } else { " ".into() }
            });
            points.collect::<String>() + &" ".repeat(STEP - chart.series.len())
        });
        format!("{label:>8} {axis}{}", points.collect::<String>()).trim_end().to_owned()
    };
    let mut lines: Vec<_> = (0..=ROWS).rev().map(row).collect();
    let places = chart.places.iter().map(|place| format!("{place:<STEP$}")).collect::<Vec<_>>().concat();
    lines.push(format!("{:10}{}", "", places.trim_end()));
    let cells =
        |cells: Vec<String>| cells.iter().map(|cell| format!("{cell:>9}")).collect::<Vec<_>>().concat();
    let places = cells(chart.places.iter().map(u64::to_string).collect());
    lines.push(style.paint(Ink::Faint, &format!("      {}{places}", padded(chart.across.to(style.lang)))));
    lines.extend(sides().map(|(Series { name, ink, costs }, mark)| {
        let costs = cells(costs.iter().map(|cost| shown(cost.median)).collect());
        format!("    {} {}{costs}", style.paint(*ink, mark), padded(name.to(style.lang)))
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::entry::Cost;
    use crate::words::{Lang, Words};

    const PLAIN: Style = Style::plain(Lang::En);

    fn chart(places: &[u64], figures: [&[f64]; 2]) -> Chart {
        let names = [Words::fixed("ours", "我们的"), Words::fixed("<baseline>", "基准")];
        let cost = |median: f64| Cost { median, low: median / 2.0, high: median, ratio: Some(1.5) };
        let series = figures.into_iter().zip(names).map(|(costs, name)| Series {
            name,
            ink: Ink::Client,
            costs: costs.iter().copied().map(cost).collect(),
        });
        let (title, across) = (Words::fixed("time", "时间"), Words::fixed("clients", "客户端"));
        Chart { title, across, places: places.into(), series: series.collect() }
    }

    #[test]
    fn a_bar_is_as_long_as_its_cost_and_the_longest_has_all_the_room() {
        let drawn = lines(PLAIN, &chart(&[1], [&[50.0], &[25.0]]));
        let bars: Vec<_> = drawn[1..].iter().map(|line| line.matches('█').count()).collect();
        assert_eq!(bars, [36, 18]);
        assert!(drawn[1].contains("50.0") && drawn[1].ends_with("25.0-50.0       x1.50"), "{}", drawn[1]);
        let nothing = lines(PLAIN, &chart(&[1], [&[0.0], &[0.0]]));
        assert!(nothing[1].contains(" 0 █ "), "nothing is seen, too: {}", nothing[1]);
    }

    #[test]
    fn a_curve_has_a_mark_for_each_cost_and_the_figures_below() {
        let drawn = lines(PLAIN, &chart(&[1, 8, 64], [&[1.0, 2.0, 4.0], &[4.0, 3.0, 0.0]]));
        let marks = |mark| drawn[1..14].iter().map(|line| line[9..].matches(mark).count()).sum::<usize>();
        assert_eq!((marks('o'), marks('+')), (3, 3));
        assert!(drawn[1].starts_with("    4.00 │ +") && drawn[1].ends_with('o'), "{}", drawn[1]);
        assert!(drawn[13].starts_with("       0 │") && drawn[13].ends_with('+'), "{}", drawn[13]);
        assert!(drawn[16].ends_with("     1.00     2.00     4.00"), "{}", drawn[16]);
    }

    #[test]
    fn no_line_is_longer_than_the_style_says_and_in_ascii_there_is_no_other_sign() {
        for (lang, width_of_line) in [(Lang::En, 80), (Lang::Zh, 80), (Lang::En, 100), (Lang::Zh, 160)] {
            for places in [&[1][..], &[1, 8, 64, 512, 4096]] {
                let costs = vec![1_234_567.0; places.len()];
                let style = Style { width: width_of_line, ascii: lang == Lang::En, ..Style::plain(lang) };
                for line in lines(style, &chart(places, [&costs, &costs])) {
                    assert!(width(&line) <= width_of_line, "{} columns: {line}", width(&line));
                    assert!(line.is_ascii() || lang == Lang::Zh, "{line}");
                }
            }
        }
    }
}

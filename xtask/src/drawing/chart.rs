//! Figures: bars side by side, or a curve of them. [`Chart`] is the one model of both, as they are to be seen;
//! [`lines`] draws it as text, [`picture`] as a picture. Pure: it draws what it is given.

use std::iter;

use super::ladder::width;
use super::picture::{joined, text};
use super::style::{Ink, Style};
use crate::words::{Lang, Words};

/// Costs of several sides, at one place or at several ones from left to right: shorter is better.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it is that costs, and the unit.
    pub title: Words,
    /// What the places count.
    pub across: Words,
    /// The places: with one, it is bars, with more, a curve. They are drawn evenly spaced.
    pub places: Vec<u64>,
    /// Who stands side by side.
    pub series: Vec<Series>,
}

/// One side of a chart.
#[derive(Clone, Debug)]
pub struct Series {
    /// Who it is.
    pub name: Words,
    /// Its colour.
    pub ink: Ink,
    /// A cost for each place.
    pub costs: Vec<Cost>,
}

/// What something costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The median of the rounds.
    pub median: f64,
    /// The least of them.
    pub low: f64,
    /// The most of them.
    pub high: f64,
    /// How many times as much as the floor of the same round, in the median; the floor has none.
    pub ratio: Option<f64>,
}

/// A figure with three digits that say something, or all of those before the point.
pub fn shown(figure: f64) -> String {
    match figure {
        ..0.0005 => "0".into(),
        100.0.. => format!("{figure:.0}"),
        10.0.. => format!("{figure:.1}"),
        1.0.. => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

impl Chart {
    /// Whether there is anything to be seen.
    pub fn has_costs(&self) -> bool {
        self.series.iter().any(|series| !series.costs.is_empty())
    }

    fn highest(&self, figure: impl Fn(&Cost) -> f64) -> f64 {
        let costs = self.series.iter().flat_map(|series| &series.costs);
        costs.map(figure).fold(f64::MIN_POSITIVE, f64::max)
    }
}

impl Cost {
    fn spread(&self) -> String {
        format!("{}-{}", shown(self.low), shown(self.high))
    }

    fn times_floor(&self) -> String {
        self.ratio.map_or(String::new(), |ratio| format!("x{ratio:.2}"))
    }
}

/// The columns of a name, of everything beside a bar, and between two places of a curve; the rows of a curve.
const NAME: usize = 25;
const BESIDE: usize = 64;
const STEP: u32 = 16;
const ROWS: u32 = 12;
/// A side's mark on a curve, in their order.
const MARKS: [char; 5] = ['o', '+', 'x', '*', '#'];

/// How many of `all` a share of them is.
fn share_of(all: u32, share: f64) -> u32 {
    let share = share * f64::from(all) + 0.5;
    (1..=all).take_while(|n| f64::from(*n) <= share).last().unwrap_or(0)
}

/// The chart as lines of text, as wide as the style says.
pub fn lines(style: Style, chart: &Chart) -> Vec<String> {
    let title = style.paint(Ink::Bold, &format!("  {}", style.signs(chart.title.to(style.lang))));
    let drawn = if chart.places.len() > 1 { curve_lines(style, chart) } else { bar_lines(style, chart) };
    iter::once(title).chain(drawn).collect()
}

fn padded(words: &str) -> String {
    format!("{words}{}", " ".repeat(NAME.saturating_sub(width(words))))
}

fn bar_lines(style: Style, chart: &Chart) -> Vec<String> {
    let highest = chart.highest(|cost| cost.median);
    let room = style.width.saturating_sub(BESIDE).max(1);
    let sign = if style.ascii { "#" } else { "█" };
    let bar = |Series { name, ink, costs }: &Series| {
        let cost = costs.first()?;
        let full = share_of(u32::try_from(room).ok()?, cost.median / highest) as usize;
        let (name, median) = (padded(name.to(style.lang)), shown(cost.median));
        let bar = style.paint(*ink, &sign.repeat(full.max(1)));
        let rest = " ".repeat(room - full.max(1));
        let figures = format!("{:15} {}", cost.spread(), cost.times_floor());
        Some(format!("    {name}{median:>7} {bar}{rest} {}", figures.trim_end()))
    };
    chart.series.iter().filter_map(bar).collect()
}

fn curve_lines(style: Style, chart: &Chart) -> Vec<String> {
    let (highest, wide) = (chart.highest(|cost| cost.median), STEP as usize);
    let (axis, dot) = if style.ascii { ('|', '.') } else { ('│', '·') };
    let mut grid = vec![vec![(' ', Ink::Faint); (chart.places.len() - 1) * wide + 1]; ROWS as usize + 1];
    for (Series { ink, costs, .. }, mark) in chart.series.iter().zip(MARKS) {
        for (place, cost) in costs.iter().enumerate() {
            let next = costs.get(place + 1).unwrap_or(cost);
            for step in 0..STEP {
                let between = cost.median + (next.median - cost.median) * f64::from(step) / f64::from(STEP);
                let row = (ROWS - share_of(ROWS, between / highest)) as usize;
                // A mark is never hidden: not by a line, and not by the mark of a later side.
                let at = grid[row].get_mut(place * wide + step as usize);
                if let Some(cell) = at.filter(|cell| cell.0 == ' ' || (step == 0 && cell.0 == dot)) {
                    *cell = (if step == 0 { mark } else { dot }, *ink);
                }
            }
        }
    }
    let row = |(number, cells): (usize, Vec<(char, Ink)>)| {
        let label = match number {
            0 => shown(highest),
            _ if number == ROWS as usize => shown(0.0),
            _ => String::new(),
        };
        let painted = cells.chunk_by(|a, b| (a.0 == ' ') == (b.0 == ' ') && same(a.1, b.1)).map(|run| {
            let run_text: String = run.iter().map(|cell| cell.0).collect();
            if run[0].0 == ' ' { run_text } else { style.paint(run[0].1, &run_text) }
        });
        format!("{label:>8} {axis}{}", joined(painted)).trim_end().to_owned()
    };
    let mut lines: Vec<_> = grid.into_iter().enumerate().map(row).collect();
    let places = joined(chart.places.iter().map(|place| format!("{place:<wide$}")));
    lines.push(format!("{:10}{}", "", places.trim_end()));
    let cells = |costs: Vec<String>| joined(costs.into_iter().map(|cost| format!("{cost:>9}")));
    let places = cells(chart.places.iter().map(u64::to_string).collect());
    lines.push(style.paint(Ink::Faint, &format!("      {}{places}", padded(chart.across.to(style.lang)))));
    lines.extend(chart.series.iter().zip(MARKS).map(|(Series { name, ink, costs }, mark)| {
        let costs = cells(costs.iter().map(|cost| shown(cost.median)).collect());
        format!("    {} {}{costs}", style.paint(*ink, &mark.to_string()), padded(name.to(style.lang)))
    }));
    lines
}

fn same(one: Ink, other: Ink) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}

// The picture's units are those of its text, as wide as most fonts make it.
const WIDTH: u32 = 900;
const LINE: u32 = 30;
const LEFT: u32 = 230;
const RIGHT: u32 = 640;
const TALL: u32 = 300;

/// The chart as a picture for a page, which has the colours.
pub fn picture(chart: &Chart, lang: Lang) -> String {
    let (drawn, height) = if chart.places.len() > 1 { curve(chart, lang) } else { bars(chart, lang) };
    let title = text(chart.title.to(lang));
    format!(
        "<figure style=\"margin:.6rem 0;padding:.4rem;background:var(--panel)\">\n<figcaption style=\"font-weight:700\">{title}</figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\" \
         style=\"display:block;width:100%;font:16px sans-serif\">\n{drawn}</svg>\n</figure>\n"
    )
}

/// A variable of the page's style.
fn colour(ink: Ink) -> &'static str {
    match ink {
        Ink::Client => "var(--client)",
        Ink::Server => "var(--server)",
        Ink::Good => "var(--good)",
        Ink::Bad => "var(--bad)",
        Ink::Faint => "var(--faint)",
        Ink::Bold => "var(--text)",
    }
}

/// Words in a picture; `anchor` is `start`, `middle` or `end`.
fn label(x: u32, y: u32, anchor: &str, words: &str) -> String {
    let words = text(words);
    format!(
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" style=\"fill:var(--text);font-size:16px\">{words}</text>\n"
    )
}

fn bars(chart: &Chart, lang: Lang) -> (String, u32) {
    let highest = chart.highest(|cost| cost.high);
    let (mut y, mut drawn) = (0, String::new());
    for Series { name, ink, costs } in &chart.series {
        let Some(cost) = costs.first() else { continue };
        let of = |figure: f64| share_of(RIGHT - LEFT, figure / highest);
        let (long, low, high, middle) = (of(cost.median).max(1), of(cost.low), of(cost.high), y + LINE / 2);
        let figures = format!("{}  ({})  {}", shown(cost.median), cost.spread(), cost.times_floor());
        drawn.push_str(&label(LEFT - 10, middle + 6, "end", name.to(lang)));
        drawn.push_str(&rectangle(LEFT, y + 4, long, LINE - 8, colour(*ink)));
        let spread = format!("M{} {middle} H{}", LEFT + low, LEFT + high);
        drawn.push_str(&path(&spread, "stroke:var(--text);stroke-width:2"));
        drawn.push_str(&label(LEFT + long.max(high) + 8, middle + 6, "start", figures.trim_end()));
        y += LINE;
    }
    (drawn, y)
}

fn curve(chart: &Chart, lang: Lang) -> (String, u32) {
    let (highest, left, right) = (chart.highest(|cost| cost.median), 70, WIDTH - 30);
    let gaps = (2..).zip(&chart.places).last().map_or(1, |(count, _)| count - 2).max(1);
    let columns: Vec<u32> = (0..=gaps).map(|place| left + (right - left) * place / gaps).collect();
    let y = |cost: f64| LINE + TALL - share_of(TALL, cost / highest);
    let (bottom, mut drawn) = (y(0.0), String::new());
    for cost in [0.0, highest / 2.0, highest] {
        let at = y(cost);
        drawn.push_str(&path(&format!("M{left} {at} H{right}"), "stroke:var(--rule)"));
        drawn.push_str(&label(left - 10, at + 5, "end", &shown(cost)));
    }
    for (x, count) in columns.iter().zip(&chart.places) {
        drawn.push_str(&label(*x, bottom + 24, "middle", &count.to_string()));
    }
    drawn.push_str(&label(left.midpoint(right), bottom + 48, "middle", chart.across.to(lang)));
    for (number, Series { name, ink, costs }) in (0..).zip(&chart.series) {
        let colour = colour(*ink);
        let points: Vec<_> = columns.iter().zip(costs).map(|(x, cost)| (*x, y(cost.median))).collect();
        let line = points.iter().map(|(x, y)| format!("{x} {y}")).collect::<Vec<_>>().join(" L");
        drawn.push_str(&path(&format!("M{line}"), &format!("fill:none;stroke:{colour};stroke-width:3")));
        drawn.extend(
            points
                .iter()
                .map(|(x, y)| format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"5\" style=\"fill:{colour}\"/>\n")),
        );
        let at = left + 20 + number * 260;
        drawn.push_str(&rectangle(at, 3, 16, 16, colour));
        drawn.push_str(&label(at + 24, 17, "start", name.to(lang)));
    }
    (drawn, bottom + 56)
}

fn path(way: &str, style: &str) -> String {
    format!("<path d=\"{way}\" style=\"{style}\"/>\n")
}

fn rectangle(x: u32, y: u32, width: u32, height: u32, colour: &str) -> String {
    format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" style=\"fill:{colour}\"/>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style::plain(Lang::En);

    fn cost(median: f64) -> Cost {
        Cost { median, low: median / 2.0, high: median, ratio: Some(1.5) }
    }

    fn chart(places: &[u64], figures: [&[f64]; 2]) -> Chart {
        let series =
            figures.into_iter().zip([("ours", "我们的"), ("<floor>", "下限")]).map(|(costs, name)| {
                let costs = costs.iter().copied().map(cost).collect();
                Series { name: Words::fixed(name.0, name.1), ink: Ink::Client, costs }
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
        assert!(drawn[1].starts_with("    4.00 │+") && drawn[1].ends_with('o'), "{}", drawn[1]);
        assert!(drawn[13].starts_with("       0 │") && drawn[13].ends_with('+'), "{}", drawn[13]);
        assert!(drawn[16].ends_with("     1.00     2.00     4.00"), "{}", drawn[16]);
    }

    #[test]
    fn no_line_is_longer_than_the_style_says_in_either_language() {
        for (lang, width_of_line) in [(Lang::En, 80), (Lang::Zh, 80), (Lang::En, 100), (Lang::Zh, 160)] {
            for places in [&[1][..], &[1, 8, 64, 512, 4096]] {
                let costs = vec![1_234_567.0; places.len()];
                let style = Style { width: width_of_line, ..Style::plain(lang) };
                for line in lines(style, &chart(places, [&costs, &costs])) {
                    assert!(width(&line) <= width_of_line, "{} columns: {line}", width(&line));
                }
            }
        }
    }

    #[test]
    fn where_there_are_no_other_signs_it_is_drawn_in_ascii() {
        for places in [&[1][..], &[1, 8]] {
            let costs = &[7.25, 7.5][..places.len()];
            let drawn = lines(Style { ascii: true, ..PLAIN }, &chart(places, [costs, costs]));
            assert!(drawn.iter().all(|line| line.is_ascii()), "{drawn:?}");
        }
    }

    #[test]
    fn a_picture_shows_the_same_figures_and_escapes_names() {
        for places in [&[1][..], &[1, 8]] {
            let chart = chart(places, [&[7.25, 7.5][..places.len()], &[3.0, 2.0][..places.len()]]);
            let picture = picture(&chart, Lang::En);
            assert!(picture.contains("&lt;floor&gt;") && !picture.contains("<floor>"), "{picture}");
            assert_eq!(picture.matches("<svg").count() + picture.matches("</svg>").count(), 2);
            let (bars, dots) = (picture.matches("height=\"22\"").count(), picture.matches("<circle").count());
            assert_eq!((bars, dots), if places.len() == 1 { (2, 0) } else { (0, 4) });
            assert!(picture.contains("7.25") || places.len() > 1);
        }
    }

    #[test]
    fn a_figure_has_three_digits_or_all_before_the_point() {
        let figures = [0.0004, 0.01234, 0.9, 1.234, 12.34, 123.4, 10_084.4].map(shown);
        assert_eq!(figures, ["0", "0.012", "0.900", "1.23", "12.3", "123", "10084"]);
    }
}

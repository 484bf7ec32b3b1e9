//! Charts as pictures of a page, which has the colours. Pure.

use super::markup::text;
use crate::drawing::entry::{Chart, Series, share_of, shown};
use crate::drawing::style::Ink;
use crate::words::Lang;

// The picture's units are those of its text, as wide as most fonts make it.
const WIDTH: u32 = 900;
const LINE: u32 = 30;
const LEFT: u32 = 230;
const RIGHT: u32 = 640;
const TALL: u32 = 300;

pub fn picture(chart: &Chart, lang: Lang) -> String {
    let (drawn, height) = if chart.places.len() > 1 { curve(chart, lang) } else { bars(chart, lang) };
    let title = text(chart.title.to(lang));
    format!(
        "<figure style=\"margin:.6rem 0;padding:.4rem;background:var(--panel)\">\n<figcaption style=\"font-weight:700\">{title}</figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\" \
         style=\"display:block;width:100%;font:16px sans-serif\">\n{drawn}</svg>\n</figure>\n"
    )
}

fn colour(ink: Ink) -> &'static str {
    match ink {
        Ink::Client => "var(--client)",
        Ink::Server => "var(--server)",
        Ink::Good => "var(--good)",
        Ink::Bad => "var(--bad)",
        Ink::Held => "var(--held)",
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
        let figures = format!("{}  ({})  {}", shown(cost.median), cost.spread(), cost.times_baseline());
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
    use crate::drawing::entry::tests::chart;

    #[test]
    fn a_picture_shows_the_same_figures_and_escapes_names() {
        for places in [&[1][..], &[1, 8]] {
            let chart = chart(places, [&[7.25, 7.5][..places.len()], &[3.0, 2.0][..places.len()]]);
            let picture = picture(&chart, Lang::En);
            assert!(picture.contains("&lt;baseline&gt;") && !picture.contains("<baseline>"), "{picture}");
            assert_eq!(picture.matches("<svg").count() + picture.matches("</svg>").count(), 2);
            let (bars, dots) = (picture.matches("height=\"22\"").count(), picture.matches("<circle").count());
            assert_eq!((bars, dots), if places.len() == 1 { (2, 0) } else { (0, 4) });
            assert!(picture.contains("7.25") || places.len() > 1);
        }
    }
}

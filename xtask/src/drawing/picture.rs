//! What was told, as pieces of a page: paragraphs, and ladders as pictures.

use super::ladder::{Lanes, Mark, Rung, SERVER_LANE, WIRE, width};
use super::story::Told;
use crate::checks::{Check, Verdict};
use crate::wire::event::Lane;
use crate::words::Lang;

/// What was told, with the rungs between two other things as one ladder.
pub fn body(told: &[Told], lanes: &Lanes, lang: Lang) -> String {
    let line = |told: &Told| match told {
        Told::Act(words) => format!("<p class=\"act\">{}</p>\n", text(words.to(lang))),
        Told::Evidence(words) => format!("<p class=\"evidence\">{}</p>\n", text(words.to(lang))),
        Told::Socket(words) => format!("<pre class=\"row\">{}</pre>\n", text(words.to(lang))),
        Told::Check(check) => verdict(check, lang),
        Told::Hint(words) => format!("<p class=\"evidence\">→ {}</p>\n", text(words.to(lang))),
        Told::Rung(_) => String::new(),
    };
    let is_rung = |told: &Told| matches!(told, Told::Rung(_));
    joined(told.chunk_by(|a, b| is_rung(a) && is_rung(b)).map(|group| {
        let rungs: Vec<_> = group.iter().filter_map(Told::rung).collect();
        let ladders = rungs.chunks(RUNGS_A_LADDER).map(|rungs| ladder(rungs, lanes, lang));
        joined(ladders.chain(group.iter().map(line)))
    }))
}

fn verdict(check: &Check, lang: Lang) -> String {
    let class = match check.verdict {
        Verdict::Kept => "kept",
        Verdict::Broken(_) | Verdict::NotDecided(_) => "broken",
        Verdict::NotAvailable(_) => "absent",
    };
    format!("<p class=\"check {class}\">{} {}</p>\n", check.verdict.mark(), text(check.sentence().to(lang)))
}

/// Longer ladders go on in another one: so one with a heading above it fits a sheet of A4.
const RUNGS_A_LADDER: usize = 20;

// The picture's units are those of its text: a column is as wide as most monospaced fonts make it.
const COLUMN: usize = 9;
const LINE: usize = 24;
const LEFT_RAIL: usize = 11 * COLUMN;
const RIGHT_RAIL: usize = LEFT_RAIL + (WIRE + 2) * COLUMN;
const WIDTH: usize = RIGHT_RAIL + (SERVER_LANE + 1) * COLUMN;

fn ladder(rungs: &[&Rung], lanes: &Lanes, lang: Lang) -> String {
    let mut drawn = String::new();
    let mut y = LINE;
    drawn += &label("head", LEFT_RAIL + COLUMN, y, lanes.0.to(lang));
    drawn += &label("head", RIGHT_RAIL + COLUMN, y, lanes.1.to(lang));
    y += LINE;
    for rung in rungs {
        drawn += &label("time", 0, y, &format!("{:7.3} {:>2}", rung.time.as_secs_f64(), rung.label));
        match &rung.mark {
            Mark::Said(lane, lines) => {
                let (class, x) = match lane {
                    Lane::Client => ("client", LEFT_RAIL + COLUMN),
                    Lane::Server => ("server", RIGHT_RAIL + COLUMN),
                };
                for line in lines {
                    drawn += &label(class, x, y, line);
                    y += LINE;
                }
            }
            Mark::Crossed { toward, what, is_lost } => {
                drawn += &arrow(*toward, y, what.to(lang), *is_lost);
                y += LINE;
            }
        }
    }
    let rail = |x: usize| format!("<path class=\"rail\" d=\"M{x} {} V{}\"/>\n", LINE / 2, y - LINE / 3);
    format!(
        "<div class=\"ladder\" tabindex=\"0\"><svg viewBox=\"0 0 {WIDTH} {y}\" role=\"img\">\n{}{}{drawn}</svg></div>\n",
        rail(LEFT_RAIL),
        rail(RIGHT_RAIL),
    )
}

/// A line of text; `y` is its baseline.
fn label(class: &str, x: usize, y: usize, words: &str) -> String {
    format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>\n", text(words))
}

fn arrow(toward: Lane, y: usize, words: &str, is_lost: bool) -> String {
    let (from, to, back) = match toward {
        Lane::Server => (LEFT_RAIL, RIGHT_RAIL, RIGHT_RAIL - COLUMN),
        Lane::Client => (RIGHT_RAIL, LEFT_RAIL, LEFT_RAIL + COLUMN),
    };
    let (line, middle) = (y - LINE / 4, LEFT_RAIL.midpoint(RIGHT_RAIL));
    let (up, down) = (line - COLUMN / 2, line + COLUMN / 2);
    let half = (width(words) + 2) * COLUMN / 2; // of the gap for the words
    let (class, head) = if is_lost {
        ("lost", format!("<path class=\"cross\" d=\"M{back} {up} L{to} {down} M{to} {up} L{back} {down}\"/>"))
    } else {
        ("wire", format!("<path class=\"tip\" d=\"M{to} {line} L{back} {up} V{down} Z\"/>"))
    };
    let (left, right) = (from.min(back), from.max(back));
    let (before, after) = (middle - half, middle + half);
    format!(
        "<path class=\"{class}\" d=\"M{left} {line} H{before} M{after} {line} H{right}\"/>{head}\n{}",
        label(&format!("{class} what"), middle, y, words)
    )
}

pub fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect()
}

/// Text that a browser shows and does not obey.
pub fn text(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => shown += "&amp;",
            '<' => shown += "&lt;",
            '>' => shown += "&gt;",
            '"' => shown += "&quot;",
            '\'' => shown += "&#39;",
            _ => shown.push(c),
        }
    }
    shown
}

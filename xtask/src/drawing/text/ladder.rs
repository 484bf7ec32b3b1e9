//! The ladder as text of as many columns as there are: what the client's side said, what crossed the wire, what the
//! server's side said. Pure.

use std::iter;
use std::time::Duration;

use crate::drawing::columns::{fit, width, wrap};
use crate::drawing::entry::{Lanes, Mark, Rung};
use crate::drawing::style::{Ink, Style};
use crate::wire::event::Side;
use crate::words::Words;

/// The columns of the wire, which are the client's lane as well, where a line has [`Style::WIDTH`].
const WIRE: usize = 42;
/// The columns of a rung's time.
const TIME: usize = 7;
/// The columns of a connection's label; of somebody else's programs there may be thousands of connections.
const LABEL: usize = 2;
const LONG_LABEL: usize = 5;
/// The columns that are left to an arrow's line and tip, however long its text is.
const ARROW: usize = 6;

struct Columns {
    label: usize,
    wire: usize,
    server_lane: usize,
}

impl Columns {
    fn of(style: Style) -> Self {
        if style.bare {
            return Self { label: LONG_LABEL, wire: style.width - 18, server_lane: 0 };
        }
        let lanes = style.width - 16;
        Self { label: LABEL, wire: lanes / 2, server_lane: lanes - lanes / 2 }
    }
}

/// The line above the lanes.
pub fn head(style: Style, (client, server): &Lanes) -> String {
    let Columns { label, wire, .. } = Columns::of(style);
    let (time, client) = (Words::fixed("   time", "时间/秒"), client.to(style.lang));
    let (time, server) = (time.to(style.lang), server.to(style.lang));
    let room = if style.bare { wire.saturating_sub(width(server)) } else { wire + 3 };
    let pad = " ".repeat(room.saturating_sub(width(client)));
    style.paint(Ink::Faint, &format!("{time}  {:label$}  {client}{pad}{server}", ""))
}

/// A rung as a line of text, or as several where a program said much.
pub fn lines(style: Style, Rung { time, label, mark }: &Rung) -> Vec<String> {
    let (Columns { label: room, wire, server_lane }, rail) = (Columns::of(style), style.signs("│"));
    let drawn: Vec<_> = match mark {
        Mark::Said(side, said) => {
            let is_right = *side == Side::Server && !style.bare;
            let (ink, limit) = (
                if *side == Side::Client { Ink::Client } else { Ink::Server },
                if is_right { server_lane } else { wire },
            );
            let in_its_lane = |line: String| {
                let line = dotted(style, line, limit);
                let (said, pad) =
                    (style.paint(ink, &line), " ".repeat((wire + 1).saturating_sub(width(&line))));
                match side {
                    Side::Client => format!("{rail} {said}{pad}{rail}"),
                    Side::Server if style.bare => format!("{rail}{pad}{said} {rail}"),
                    Side::Server => format!("{rail}{:wire$}  {rail} {said}", ""),
                }
            };
            wrap(said, limit).into_iter().map(in_its_lane).collect()
        }
        Mark::Crossed { toward, what, is_lost } => vec![arrow(style, *toward, what, *is_lost)],
    };
    let margin = style.paint(Ink::Faint, &format!("{} {label:>room$} ", seconds(*time)));
    let continued = " ".repeat(margin_of(room));
    let margins = iter::once(margin.as_str()).chain(iter::repeat(continued.as_str()));
    margins.zip(drawn).map(|(margin, line)| format!("{margin}{line}")).collect()
}

/// Whether a line is one of a rung's [`lines`].
pub fn is_rung(line: &str) -> bool {
    margin_and_lanes(line).is_some()
}

/// A rung without its time; any other line as it is.
pub fn untimed(line: &str) -> &str {
    let is_timed = margin_and_lanes(line).is_some_and(|(margin, _)| !margin.trim().is_empty());
    if is_timed { &line[TIME..] } else { line }
}

/// The lines of a text, the rungs of each ladder in it place by place: each connection's wire, each client's lane,
/// the server's, the keyboard. In one place the order is certain; between two of them it is the scheduler's.
pub fn by_place(lines: &[String]) -> Vec<&str> {
    let mut lines: Vec<_> = lines.iter().map(String::as_str).collect();
    for ladder in lines.chunk_by_mut(|a, b| is_rung(a) && is_rung(b)) {
        ladder.sort_by_key(|rung| place(rung));
    }
    lines
}

fn place(rung: &str) -> String {
    let (margin, lanes) = margin_and_lanes(rung).unwrap_or_default();
    let label = margin[TIME.min(margin.len())..].trim();
    match lanes.strip_prefix(&format!("│{:WIRE$}  │ ", "")) {
        _ if lanes.contains('─') => format!("wire {label}"),
        Some("^C") => "keyboard".into(),
        Some(_) => "server".into(),
        None => format!("client {label}"),
    }
}

const fn margin_of(label: usize) -> usize {
    TIME + label + 2
}

fn margin_and_lanes(line: &str) -> Option<(&str, &str)> {
    let is_time = |time: &str| time.find('.') == Some(3) && time.trim_start().parse::<f64>().is_ok();
    let (margin, lanes) = line.split_at(line.find(['│', '├'])?);
    let is_timed = margin.len() >= margin_of(LABEL) && margin.get(..TIME).is_some_and(is_time);
    let is_continued = margin.trim().is_empty() && [LABEL, LONG_LABEL].map(margin_of).contains(&margin.len());
    (is_timed || is_continued).then_some((margin, lanes))
}

/// A time in 7 columns, as exactly as they allow: an experiment may go on for an hour.
fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let digits = if seconds < 999.9995 { 3 } else { 1 };
    format!("{seconds:TIME$.digits$}")
}

/// In ASCII, the sign of what was cut off is three dots: some terminals give the other one two columns.
fn dotted(style: Style, text: String, limit: usize) -> String {
    if !style.ascii || !text.ends_with('…') {
        return text;
    }
    fit(&text, limit - 2).trim_end_matches('…').to_owned() + "..."
}

fn arrow(style: Style, toward: Side, words: &Words, is_lost: bool) -> String {
    let wire = Columns::of(style).wire;
    let text = dotted(style, fit(words.to(style.lang), wire - ARROW), wire - ARROW);
    let room = wire - width(&text) - 2;
    let (before, after) = ("─".repeat(room / 2), "─".repeat(room - room / 2));
    let tip = |sign| if is_lost { '✗' } else { sign };
    let (left, right) = match toward {
        Side::Server => (format!("├{before}─ "), format!(" {after}{}│", tip('▶'))),
        Side::Client => (format!("│{}{before} ", tip('◀')), format!(" ─{after}┤")),
    };
    let ink = if is_lost { Ink::Bad } else { Ink::Faint };
    let [left, right] = [left, right].map(|part| style.paint(ink, &style.signs(&part)));
    format!("{left}{text}{right}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::columns::grouped;
    use crate::wire::event::{Crossing, Payload, What};
    use crate::words::Lang;

    const PLAIN: Style = Style::plain(Lang::En);

    fn drawn_in(style: Style, what: &What) -> String {
        let rung = Rung::of(Duration::from_millis(12), "#1", what).unwrap();
        lines(style, &rung).join("\n")
    }

    fn drawn(what: &What) -> String {
        drawn_in(PLAIN, what)
    }

    fn sent(toward: Side, bytes: impl Into<Payload>, is_lost: bool) -> What {
        let how = if is_lost { Crossing::Lost } else { Crossing::Plain };
        What::Sent { toward, bytes: bytes.into(), how }
    }

    #[test]
    fn every_line_keeps_its_lanes_and_its_columns_at_any_width() {
        let long = "long 长".repeat(40);
        let said = |lane, line: &str| What::Said { lane, program: 1, line: line.into(), is_error: false };
        for what in [
            said(Side::Client, &long),
            said(Side::Client, &"a word of two-and-twenty letters ".repeat(5)),
            said(Side::Client, "Hello, 张三!"),
            said(Side::Server, &long),
            said(Side::Server, "listening"),
            sent(Side::Server, long.as_bytes(), false),
            sent(Side::Client, &b"x"[..], true),
            sent(Side::Server, "张三\n".as_bytes(), true),
            What::Came { client: ([127, 0, 0, 1], 65_535).into() },
            What::Connected { port: 65_535 },
            What::Refused { why: long.clone(), is_absent: true },
            What::Ended { toward: Side::Client },
            What::Broke { toward: Side::Server, as_reset: true },
        ] {
            for width_of_line in [80, 81, 100, 160] {
                for (bare, ascii) in [(false, false), (false, true), (true, false), (true, true)] {
                    let style = Style { width: width_of_line, bare, ascii, ..PLAIN };
                    let rail_at = if bare { width_of_line - 1 } else { 14 + (width_of_line - 16) / 2 };
                    for line in drawn_in(style, &what).lines() {
                        assert!(width(line) <= width_of_line, "{} columns: {line}", width(line));
                        let margin = if bare { 14 } else { 11 };
                        let behind: String = line.chars().skip(margin + 1).collect();
                        let rail = behind.char_indices().find(|(at, sign)| {
                            "│┤|+".contains(*sign) && margin + 1 + width(&behind[..*at]) == rail_at
                        });
                        assert!(rail.is_some(), "no rail in column {rail_at}: {line}");
                        assert!(ascii || (is_rung(line) && !is_rung(&behind)), "{line}");
                        assert!(!ascii || !line.contains(['│', '├', '┤', '─', '▶', '◀', '✗', '…']), "{line}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_ladder_of_100_columns_is_the_one_that_the_readmes_show() {
        let said = What::Said { lane: Side::Server, program: 1, line: "up".into(), is_error: false };
        let lanes = (Words::fixed("client", ""), Words::fixed("server", ""));
        assert_eq!(head(PLAIN, &lanes), format!("   time      client{:39}server", ""));
        assert_eq!(drawn(&said), format!("  0.012 #1 │{:44}│ up", ""));
        let line = drawn(&sent(Side::Server, &b"x"[..], false));
        assert_eq!(line, format!("  0.012 #1 ├{} 1 byte  x {}▶│", "─".repeat(16), "─".repeat(16)));
    }

    #[test]
    fn a_time_has_its_columns_for_a_whole_day() {
        let shown =
            [0.0, 999.999, 999.9996, 1000.0, 86_399.9].map(|time| seconds(Duration::from_secs_f64(time)));
        assert_eq!(shown, ["  0.000", "999.999", " 1000.0", " 1000.0", "86399.9"]);
    }

    #[test]
    fn an_arrow_shows_its_direction_and_its_bytes_and_says_what_was_lost_cut_or_no_text() {
        let name = "张三".as_bytes();
        for (toward, is_lost, bytes, limit, shown) in [
            (Side::Server, false, &b"Michael\n"[..], 9, "─ 8 bytes  Michael\\n ─"),
            (Side::Server, false, b"x", 9, "─▶│"),
            (Side::Client, false, b"x", 9, "│◀─"),
            (Side::Client, true, b"x", 9, "│✗─"),
            (Side::Client, true, b"x", 9, "─ lost: 1 byte  x ─"),
            (Side::Server, false, name, 4, "─ 6 bytes  张… ─"),
            (Side::Server, false, name, 6, "─ 6 bytes  张三 ─"),
            (Side::Server, false, b"caf\xe9!", 9, "─ 5 bytes, not UTF-8  caf\\xe9! ─"),
            (Side::Server, false, b"\x1b[2J", 9, "─ 4 bytes  \\x1b[2J ─"),
        ] {
            let line = drawn(&sent(toward, Payload::of(bytes, limit), is_lost));
            assert!(line.contains(shown), "{line}");
        }
    }

    #[test]
    fn a_flow_is_one_rung_with_its_sums() {
        let (pieces, size, took) = (412, 12_345_678, Duration::from_millis(3210));
        let flow = What::Flowed { toward: Side::Client, how: Crossing::Plain, pieces, size, took };
        let line = drawn_in(Style { bare: true, ..PLAIN }, &flow);
        assert!(line.contains(" 412 reads, 12,345,678 bytes in 3.2 s ─"), "{line}");
        let numbers = [0, 999, 1000, 12_345, 123_456_789].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "123,456,789"]);
    }
}

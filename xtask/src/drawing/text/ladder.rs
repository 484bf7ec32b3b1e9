//! The ladder as text: what the client's side said, what crossed the wire, what the server's side said. Where there is
//! room, each has its own columns; where there is less, the client's lines and the wire share theirs.

use std::iter;

use crate::drawing::columns::{broken, fit, width, wrap};
use crate::drawing::entry::{Fate, Lanes, Mark, Rung};
use crate::drawing::style::{Ink, Style};
use crate::wire::event::Side;
use crate::words::Words;

/// The columns of a rung's time, and of its connection's label, with the blank before a short one.
const TIME: usize = 7;
const LABEL: usize = 3;

/// How many columns each text has; none where it is on the wire.
struct Columns {
    label: usize,
    client: Option<usize>,
    wire: usize,
    server: Option<usize>,
}

impl Columns {
    fn of(style: Style) -> Self {
        if style.bare {
            // Of somebody else's programs there may be thousands of connections.
            return Self { label: 6, client: None, wire: style.width - 18, server: None };
        }
        if style.width < 100 {
            let lanes = style.width - 16;
            return Self { label: LABEL, client: None, wire: lanes / 2, server: Some(lanes - lanes / 2) };
        }
        // At the fewest columns, "Hello, Michael!" fits with its bytes, and "accepted connection from" an IPv4 address.
        let more = style.width - 100;
        let (client, wire) = (15 + more * 2 / 5, 28 + more / 2);
        Self { label: LABEL, client: Some(client), wire, server: Some(style.width - 17 - client - wire) }
    }

    fn margin(&self) -> usize {
        TIME + self.label + 1
    }

    /// What the client's side, the wire and the server's side have in one line; where it has no columns, the client's
    /// is on the wire, which then has nothing.
    fn row(&self, style: Style, rail: &str, [client, wire, server]: [(Ink, &str); 3]) -> String {
        let last = padded(style, server, 0);
        let line = match (self.client, self.server) {
            (Some(room), _) => {
                let more = width(client.1).saturating_sub(room); // a title may be longer than what is printed
                let (first, wire) = (padded(style, client, room), padded(style, wire, self.wire + 2 - more));
                format!("{first} {rail}{wire}{rail} {last}")
            }
            (None, Some(_)) => format!("{rail} {}{rail} {last}", padded(style, client, self.wire + 1)),
            (None, None) => {
                let room = self.wire.saturating_sub(width(server.1));
                format!("{rail} {}{last} {rail}", padded(style, client, room))
            }
        };
        line.trim_end().to_owned()
    }
}

fn padded(style: Style, (ink, text): (Ink, &str), room: usize) -> String {
    let painted = if text.is_empty() { String::new() } else { style.paint(ink, text) };
    painted + &" ".repeat(room.saturating_sub(width(text)))
}

pub fn head(style: Style, (client, server): &Lanes) -> String {
    let columns = Columns::of(style);
    let [time, wire] = [Words::fixed("   time", "时间/秒"), Words::fixed(" wire", " 线路")];
    let cells = [client, &wire, server].map(|words| (Ink::Faint, words.to(style.lang)));
    let time = padded(style, (Ink::Faint, time.to(style.lang)), columns.margin());
    time + &columns.row(style, " ", cells)
}

pub fn lines(style: Style, rung: &Rung) -> Vec<String> {
    let columns = Columns::of(style);
    let drawn = match &rung.mark {
        Mark::Beside([client, server]) => {
            let folded = |words: &Words, room: Option<usize>| {
                let room = room.unwrap_or(columns.wire);
                let lines = wrap(words.to(style.lang), room).into_iter();
                lines.map(|line| dotted(style, &line, room)).collect::<Vec<_>>()
            };
            let sides = [folded(client, columns.client), folded(server, columns.server)];
            let row = |at| {
                let [client, server] = sides.each_ref().map(|lines| lines.get(at).map_or("", String::as_str));
                let cells = [(Ink::Client, client), (Ink::Faint, ""), (Ink::Server, server)];
                columns.row(style, &style.signs("│"), cells)
            };
            (0..sides[0].len().max(sides[1].len())).map(row).collect()
        }
        Mark::Crossed { toward, what, fate } => arrow(style, &columns, *toward, what.to(style.lang), *fate),
    };
    let margin = format!("{}{:>2$} ", rung.seconds(), rung.label, columns.label);
    let (margin, continued) = (style.paint(Ink::Faint, &margin), " ".repeat(columns.margin()));
    let margins = iter::once(margin).chain(iter::repeat(continued));
    margins.zip(drawn).map(|(margin, line)| margin + &line).collect()
}

/// An arrow, the first half of its text above it where that takes two lines; a longer text is cut, and takes one.
fn arrow(style: Style, columns: &Columns, toward: Side, text: &str, fate: Fate) -> Vec<String> {
    let most = columns.wire - 1;
    let mut above = broken(text, most);
    if above.len() > 2 {
        above = vec![fit(text, most - 2)];
    }
    let last = dotted(style, &above.pop().unwrap_or_default(), most);
    let halves = |room: usize| [room / 2, room - room / 2];
    let (before, rail) = (" ".repeat(columns.client.map_or(0, |room| room + 1)), style.signs("│"));
    let above = above.into_iter().map(|text| {
        let [left, right] = halves(columns.wire + 2 - width(&text)).map(|count| " ".repeat(count));
        format!("{before}{rail}{left}{text}{right}{rail}")
    });
    let (ink, line, tip) = match fate {
        Fate::Arrived => (Ink::Faint, "─", None),
        Fate::Lost => (Ink::Bad, "─", Some("✗")),
        Fate::HeldBack => (Ink::Held, "─", Some("‖")),
        Fate::Unseen => (Ink::Faint, "·", None),
    };
    let [left, right] = halves(most - width(&last)).map(|count| line.repeat(count));
    let (left, right) = match toward {
        _ if fate == Fate::Unseen => (format!("├{left} "), format!(" {right}{line}┤")),
        Side::Server => (format!("├{right} "), format!(" {left}{}│", tip.unwrap_or("▶"))),
        Side::Client => (format!("│{}{left} ", tip.unwrap_or("◀")), format!(" {right}┤")),
    };
    let [left, right] = [left, right].map(|part| style.paint(ink, &style.signs(&part)));
    above.chain([format!("{before}{left}{last}{right}")]).collect()
}

/// In ASCII, the sign of what was cut off is three dots: some terminals give the other one two columns.
fn dotted(style: Style, text: &str, limit: usize) -> String {
    if !style.ascii || !text.ends_with('…') {
        return text.into();
    }
    fit(text, limit - 2).trim_end_matches('…').to_owned() + "..."
}

pub fn is_rung(line: &str) -> bool {
    line.contains(['│', '├']) && (is_timed(line) || line.starts_with(&" ".repeat(TIME + LABEL + 1)))
}

fn is_timed(line: &str) -> bool {
    let is_time = |time: &str| time.find('.') == Some(3) && time.trim_start().parse::<f64>().is_ok();
    line.get(..TIME).is_some_and(is_time) && line[TIME..].starts_with([' ', '#'])
}

/// A rung without its time; any other line as it is.
pub fn untimed(line: &str) -> &str {
    if is_rung(line) && is_timed(line) { &line[TIME..] } else { line }
}

/// The lines of a text, the rungs of each ladder in it place by place: each connection's wire, each client's lane,
/// the server's, the keyboard. In one place the order is certain; between two of them it is the scheduler's.
pub fn by_place(lines: &[String]) -> Vec<&str> {
    let mut sorted = Vec::new();
    for ladder in lines.chunk_by(|a, b| is_rung(a) && is_rung(b)) {
        let mut rungs: Vec<_> = ladder.chunk_by(|_, line| !is_timed(line)).collect();
        rungs.sort_by_key(|rung| place(rung));
        sorted.extend(rungs.into_iter().flatten().map(String::as_str));
    }
    sorted
}

fn place(rung: &[String]) -> String {
    let label = rung[0].get(TIME..).and_then(|rest| rest.trim_start().split(' ').next()).unwrap_or_default();
    let label = if label.starts_with('#') { label } else { "" };
    match rung[0].rsplit(['│', '┤']).next().unwrap_or_default().trim() {
        _ if rung.iter().any(|line| line.contains('─')) => format!("wire {label}"),
        "" => format!("client {label}"),
        "^C" => "keyboard".into(),
        _ => "server".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::event::{Crossing, Payload, What};
    use crate::words::Lang;

    const PLAIN: Style = Style::plain(Lang::En);

    fn drawn(style: Style, what: &What) -> String {
        let rung = Rung::of(Duration::from_millis(12), "#1", what).unwrap();
        lines(style, &rung).join("\n")
    }

    fn said(lane: Side, line: &str) -> What {
        What::Said { lane, program: 1, line: line.into(), is_error: false }
    }

    fn sent(toward: Side, bytes: impl Into<Payload>, how: Crossing) -> What {
        What::Sent { toward, bytes: bytes.into(), how }
    }

    #[test]
    fn every_line_keeps_its_lanes_and_its_columns_at_any_width() {
        let long = "long 长".repeat(40);
        for what in [
            said(Side::Client, &long),
            said(Side::Client, &"a word of two-and-twenty letters ".repeat(5)),
            said(Side::Client, "Hello, 张三!"),
            said(Side::Server, &long),
            sent(Side::Server, long.as_bytes(), Crossing::Plain),
            sent(Side::Client, &b"x"[..], Crossing::Lost),
            sent(Side::Server, "张三\n".as_bytes(), Crossing::HeldBack),
            What::Came { client: ([127, 0, 0, 1], 65_535).into() },
            What::Refused { why: long.clone(), is_absent: true },
        ] {
            for width_of_line in [80, 81, 99, 100, 117, 160] {
                for (bare, ascii) in [(false, false), (false, true), (true, false), (true, true)] {
                    let style = Style { width: width_of_line, bare, ascii, ..PLAIN };
                    let columns = Columns::of(style);
                    let first = columns.margin() + columns.client.map_or(0, |room| room + 1);
                    for line in drawn(style, &what).lines() {
                        assert!(width(line) <= width_of_line, "{} columns: {line}", width(line));
                        for at in [first, first + columns.wire + 3] {
                            let is_rail = |(byte, sign)| "│├┤|+".contains(sign) && width(&line[..byte]) == at;
                            assert!(line.char_indices().any(is_rail), "no rail in column {at}: {line}");
                        }
                        assert!(ascii || (is_rung(line) && !is_rung(line.trim_start())), "{line}");
                        assert!(
                            !ascii || !line.contains(['│', '├', '┤', '─', '▶', '◀', '✗', '‖', '…']),
                            "{line}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn below_100_columns_what_the_client_prints_is_on_the_wire() {
        let style = Style { width: 80, ..PLAIN };
        let sent = sent(Side::Server, &b"sent before it is accepted"[..], Crossing::Plain);
        let whats = [said(Side::Client, "Hello, Michael!"), said(Side::Server, "up"), sent];
        let head = head(style, &(Words::fixed("client", ""), Words::fixed("server", "")));
        let expected = [
            "   time      client                             server",
            "  0.012 #1 │ Hello, Michael!                  │",
            "  0.012 #1 │                                  │ up",
            "  0.012 #1 │   26 bytes  sent before it is    │",
            "           ├──────────── accepted ───────────▶│",
        ];
        let rungs = whats.map(|what| drawn(style, &what)).join("\n");
        assert_eq!(format!("{head}\n{rungs}"), expected.join("\n"));
    }

    #[test]
    fn what_was_held_back_or_not_seen_is_no_loss() {
        let held = drawn(PLAIN, &sent(Side::Client, &b"x"[..], Crossing::HeldBack));
        assert!(held.contains("│‖─") && !held.contains('✗'), "{held}");
        let mark = Mark::Crossed { toward: Side::Server, what: Words::fixed("SYN", ""), fate: Fate::Unseen };
        let unseen = lines(PLAIN, &Rung { time: Duration::ZERO, label: String::new(), mark }).concat();
        assert!(unseen.contains("├·") && unseen.ends_with("· SYN ·············┤"), "{unseen}");
    }

    #[test]
    fn the_states_of_both_ends_are_beside_the_wire() {
        let mark = Mark::Beside([Words::fixed("[SYN_SENT]", ""), Words::fixed("[LISTEN]", "")]);
        let rung = Rung { time: Duration::ZERO, label: String::new(), mark };
        assert_eq!(lines(PLAIN, &rung), [format!("  0.000    [SYN_SENT]      │{:30}│ [LISTEN]", "")]);
    }

    #[test]
    fn an_arrow_shows_its_direction_and_its_bytes_and_says_what_was_lost_cut_or_no_text() {
        let name = "张三".as_bytes();
        for (toward, how, bytes, limit, shown) in [
            (Side::Server, Crossing::Plain, &b"Michael\n"[..], 9, "─ 8 bytes  Michael\\n ─"),
            (Side::Server, Crossing::Plain, b"x", 9, "─▶│"),
            (Side::Client, Crossing::Plain, b"x", 9, "│◀─"),
            (Side::Client, Crossing::Lost, b"x", 9, "│✗─"),
            (Side::Client, Crossing::Lost, b"x", 9, "─ lost: 1 byte  x ─"),
            (Side::Server, Crossing::Plain, name, 4, "─ 6 bytes  张… ─"),
            (Side::Server, Crossing::Plain, name, 6, "─ 6 bytes  张三 ─"),
            (Side::Server, Crossing::Plain, b"caf\xe9!", 9, "─ 5 bytes, not UTF-8  caf\\xe9! ─"),
            (Side::Server, Crossing::Plain, b"\x1b[2J", 9, "─ 4 bytes  \\x1b[2J ─"),
        ] {
            let line = drawn(Style { width: 160, ..PLAIN }, &sent(toward, Payload::of(bytes, limit), how));
            assert!(line.contains(shown), "{line}");
        }
    }

    #[test]
    fn a_flow_is_one_rung_with_its_sums() {
        let (pieces, size, took) = (412, 12_345_678, Duration::from_millis(3210));
        let flow = What::Flowed { toward: Side::Client, how: Crossing::Plain, pieces, size, took };
        let line = drawn(Style { bare: true, ..PLAIN }, &flow);
        assert!(line.contains(" 412 reads, 12,345,678 bytes in 3.2 s ─"), "{line}");
    }
}

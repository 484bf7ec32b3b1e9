//! The ladder: what the client's side said, what crossed the wire, what the server's side said. [`Rung`] is the
//! one model of it, an event as it is to be seen; [`lines`] draws it as text of 100 columns, and
//! `picture.rs` as a picture. Pure: it draws what it is given.

use std::time::Duration;

use common::narration::escape;

use super::style::{Ink, Style};
use crate::wire::event::{Lane, What};
use crate::words::Words;

/// The columns of the wire, which are the client's lane as well.
pub const WIRE: usize = 42;
/// The columns of the server's lane.
pub const SERVER_LANE: usize = 42;
/// The columns of a rung's time.
const TIME: usize = 7;
const CONTINUED: &str = "           ";

/// One event of a ladder.
#[derive(Clone, Debug)]
pub struct Rung {
    /// Since the lesson began.
    pub time: Duration,
    /// As [`crate::wire::event::Event::label`].
    pub label: String,
    /// What is to be seen.
    pub mark: Mark,
}

/// What is to be seen of an event.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A side printed a line, here in pieces that fit its lane.
    Said(Lane, Vec<String>),
    /// Something crossed the wire.
    Crossed {
        /// The side it went to.
        toward: Lane,
        /// What it was, in as many columns as an arrow has room for.
        what: Words,
        /// It did not arrive, or not yet.
        is_lost: bool,
    },
}

impl Rung {
    /// How an event is seen, if it is.
    pub fn of(time: Duration, label: &str, what: &What) -> Option<Self> {
        let crossed = |toward: &Lane, what: Words, is_lost| {
            let what = Words { en: fit(&what.en, WIRE - 6).into(), zh: fit(&what.zh, WIRE - 6).into() };
            Mark::Crossed { toward: *toward, what, is_lost }
        };
        let mark = match what {
            What::Said { lane: Lane::Client, line, .. } => Mark::Said(Lane::Client, wrap(line, WIRE)),
            What::Said { lane: Lane::Server, line, .. } => Mark::Said(Lane::Server, wrap(line, SERVER_LANE)),
            What::Connected { port } => {
                crossed(&Lane::Server, words!("connects from :{port}", "从 :{port} 连接"), false)
            }
            What::Sent { toward, bytes, lost: false } => crossed(toward, content(bytes), false),
            What::Sent { toward, bytes, lost: true } => {
                let Words { en, zh } = content(bytes);
                crossed(toward, words!("lost: {en}", "丢失：{zh}"), true)
            }
            What::Late { toward, bytes } => {
                let Words { en, zh } = content(bytes);
                crossed(toward, words!("held back: {en}", "扣住：{zh}"), true)
            }
            What::Ended { toward } => crossed(toward, Words::fixed("end of stream", "流结束"), false),
            What::Broke { toward } => crossed(toward, Words::fixed("reset", "复位"), false),
            What::Finished { .. } => return None,
        };
        Some(Self { time, label: label.into(), mark })
    }
}

/// Who stands on the client's and on the server's side.
pub type Lanes = (Words, Words);

/// The line above the lanes.
pub fn head(style: Style, (client, server): &Lanes) -> String {
    let (time, client) = (Words::fixed("   time", "   时间"), client.to(style.lang));
    let pad = " ".repeat((WIRE + 1).saturating_sub(width(client)));
    style.paint(Ink::Faint, &format!("{}      {client}{pad}  {}", time.to(style.lang), server.to(style.lang)))
}

/// A rung as a line of text, or as several where a program said much.
pub fn lines(style: Style, rung: &Rung) -> Vec<String> {
    let Rung { time, label, mark } = rung;
    let margin = style.paint(Ink::Faint, &format!("{:TIME$.3} {label:>2} ", time.as_secs_f64()));
    let drawn: Vec<_> = match mark {
        Mark::Said(Lane::Client, said) => said
            .iter()
            .map(|said| {
                format!("│ {}{:pad$}│", style.paint(Ink::Client, said), "", pad = WIRE + 1 - width(said))
            })
            .collect(),
        Mark::Said(Lane::Server, said) => {
            said.iter().map(|said| format!("│{:WIRE$}  │ {}", "", style.paint(Ink::Server, said))).collect()
        }
        Mark::Crossed { toward, what, is_lost } => vec![arrow(style, *toward, what, *is_lost)],
    };
    let margins = std::iter::once(margin.as_str()).chain(std::iter::repeat(CONTINUED));
    margins.zip(drawn).map(|(margin, line)| format!("{margin}{line}")).collect()
}

/// Whether a line is one of a rung's [`lines`].
pub fn is_rung(line: &str) -> bool {
    margin_and_lanes(line).is_some()
}

/// A rung without its time; any other line as it is.
pub fn untimed(line: &str) -> &str {
    let is_timed = margin_and_lanes(line).is_some_and(|(margin, _)| margin != CONTINUED);
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

/// A rung's time and label, and what stands behind them.
fn margin_and_lanes(line: &str) -> Option<(&str, &str)> {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let is_time = |time: &str| {
        let parts = time.trim_start().split_once('.');
        parts.is_some_and(|(whole, part)| is_number(whole) && is_number(part) && part.len() == 3)
    };
    let (margin, lanes) = line.split_at(line.find(['│', '├'])?);
    let is_timed = margin.len() >= CONTINUED.len() && margin.get(..TIME).is_some_and(is_time);
    (is_timed || margin == CONTINUED).then_some((margin, lanes))
}

/// How many bytes, and which.
fn content(bytes: &[u8]) -> Words {
    let (n, shown) = (bytes.len(), escape(bytes));
    let unit = if n == 1 { "byte" } else { "bytes" };
    words!("{n} {unit}  {shown}", "{n} 字节  {shown}")
}

fn arrow(style: Style, toward: Lane, words: &Words, is_lost: bool) -> String {
    let text = words.to(style.lang);
    let room = WIRE - width(text) - 2;
    let (before, after) = ("─".repeat(room / 2), "─".repeat(room - room / 2));
    let ink = if is_lost { Ink::Bad } else { Ink::Faint };
    let (left, right) = match toward {
        Lane::Server => (format!("├{before}─ "), format!(" {after}{}│", if is_lost { "✗" } else { "▶" })),
        Lane::Client => (format!("│{}{before} ", if is_lost { "✗" } else { "◀" }), format!(" ─{after}┤")),
    };
    format!("{}{text}{}", style.paint(ink, &left), style.paint(ink, &right))
}

/// The text in at most so many lines of at most `limit` columns, broken at a blank if there is one near the end.
fn wrap(text: &str, limit: usize) -> Vec<String> {
    const LINES: usize = 4;
    let mut lines = vec![String::new()];
    for c in text.chars() {
        if let Some(line) = lines.last_mut().filter(|line| width(line) + columns(c) > limit) {
            let blank = line.rfind(' ').filter(|at| *at > line.len() / 2);
            let begun = blank.map_or(String::new(), |at| line.split_off(at + 1));
            lines.push(begun);
        }
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        lines[LINES - 1] = fit(&format!("{}…", lines[LINES - 1]), limit);
    }
    lines
}

/// The text in at most `limit` columns.
fn fit(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.into();
    }
    let mut fitted = String::new();
    for c in text.chars() {
        if width(&fitted) + columns(c) >= limit {
            break;
        }
        fitted.push(c);
    }
    fitted + "…"
}

/// How many columns a terminal gives the text.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// East Asian wide characters and emoji take two columns (UAX #11, the blocks that names are written in).
fn columns(c: char) -> usize {
    let is_wide = matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}');
    1 + usize::from(is_wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;

    const PLAIN: Style = Style { colour: false, lang: Lang::En };

    fn drawn(what: &What) -> String {
        let rung = Rung::of(Duration::from_millis(12), "#1", what).unwrap();
        lines(PLAIN, &rung).join("\n")
    }

    fn sent(toward: Lane, bytes: &[u8], lost: bool) -> What {
        What::Sent { toward, bytes: bytes.into(), lost }
    }

    #[test]
    fn every_line_keeps_its_lanes_and_100_columns() {
        let long = "long 长".repeat(40);
        let said = |lane, line: &str| What::Said { lane, program: 1, line: line.into(), is_error: false };
        for what in [
            said(Lane::Client, &long),
            said(Lane::Client, &"a word of two-and-twenty letters ".repeat(5)),
            said(Lane::Client, "Hello, 张三!"),
            said(Lane::Server, &long),
            said(Lane::Server, "listening"),
            sent(Lane::Server, long.as_bytes(), false),
            sent(Lane::Client, b"x", true),
            sent(Lane::Server, "张三\n".as_bytes(), true),
            What::Connected { port: 65_535 },
            What::Ended { toward: Lane::Client },
            What::Broke { toward: Lane::Server },
        ] {
            for line in drawn(&what).lines() {
                assert!(width(line) <= 100, "{} columns: {line}", width(line));
                let behind: String = line.chars().skip(12).collect();
                let bar = behind.find(['│', '┤']).map(|at| 12 + width(&behind[..at]));
                assert_eq!(bar, Some(56), "{line}");
                assert!(is_rung(line) && !is_rung(&behind) && untimed(line).len() <= line.len(), "{line}");
            }
        }
    }

    #[test]
    fn arrows_show_direction_size_and_loss() {
        assert!(drawn(&sent(Lane::Server, b"Michael\n", false)).contains(" 8 bytes  Michael\\n ─"));
        assert!(drawn(&sent(Lane::Server, b"x", false)).ends_with("▶│"));
        assert!(drawn(&sent(Lane::Client, b"x", false)).contains("│◀─"));
        assert!(
            drawn(&sent(Lane::Client, b"x", true)).contains("│✗─")
                && drawn(&sent(Lane::Client, b"x", true)).contains("lost: 1")
        );
    }
}

//! What is told of a run, piece by piece: the one model, which `text` and `web` draw.

use std::time::Duration;

use common::narration::escape;

use super::columns::{fit, grouped};
use super::style::Ink;
use crate::checks::Check;
use crate::wire::event::{Crossing, Payload, Side, What};
use crate::wire::kernel::SocketRow;
use crate::words::Words;

#[derive(Clone, Debug)]
pub enum Entry {
    Title {
        name: &'static str,
        /// Its subject, shown after the name in Chinese; may be empty.
        subject_zh: &'static str,
        /// `IPv4` or `IPv6`.
        version: &'static str,
        /// It was not played just before.
        is_new: bool,
    },
    /// A claim's number, and what it says.
    Claim(&'static str, Words),
    Lanes(Lanes),
    Act(Words),
    Rung(Rung),
    Evidence(Words),
    /// Rows of the kernel's table of sockets, and whose end each is.
    Sockets(Vec<(Side, Words)>),
    Check(Check),
    Hint(Words),
    Code(&'static str),
    Chart(Chart),
    Question {
        question: Words,
        /// Numbered from 1.
        choices: Vec<Words>,
    },
    Judged {
        question: Words,
        verdict: Words,
        /// None where nothing was predicted.
        is_right: Option<bool>,
        why: Words,
    },
    Sum {
        sentence: Words,
        is_kept: bool,
    },
}

impl Entry {
    pub fn rung(&self) -> Option<&Rung> {
        if let Self::Rung(rung) = self { Some(rung) } else { None }
    }
}

/// A row of the kernel's table of sockets, and what its two numbers count in its state.
pub fn socket(side: Side, row: &SocketRow) -> Words {
    let SocketRow { state, port, peer_port, to_send, to_read, .. } = row;
    let (whose, whose_zh) = side.names();
    // Linux' own meaning of the two queues (proc(5), ss(8)): a listener's are connections, not bytes.
    let Words { en, zh } = match *state {
        "LISTEN" => words!("waiting to be accepted {to_read}", "排队 {to_read}"),
        "UNCONN" => words!("unread {to_read}", "未读 {to_read}"),
        _ => words!("unacknowledged {to_send}, unread {to_read}", "未确认 {to_send}，未读 {to_read}"),
    };
    let port = format!(":{port}");
    let peer = if *peer_port == 0 { ":*".into() } else { format!(":{peer_port}") };
    words!(
        "{whose} {state:11} {port:6} peer {peer:6}  {en}",
        "{whose_zh} {state:11} {port:6} 对端 {peer:6}  {zh}"
    )
}

/// The columns of the longest text on an arrow, and of the longest line that a program prints.
const LONGEST: usize = 120;
const LONGEST_LINE: usize = 600;

#[derive(Clone, Debug)]
pub struct Rung {
    /// Since the lesson began.
    pub time: Duration,
    pub label: String,
    pub mark: Mark,
}

#[derive(Clone, Debug)]
pub enum Mark {
    /// A line of the client's side, or of the server's, or of both.
    Beside([Words; 2]),
    Crossed {
        toward: Side,
        what: Words,
        fate: Fate,
    },
}

impl Mark {
    fn said(side: Side, line: &str) -> Self {
        let (line, nothing) = (words!("{line}", "{line}"), Words::fixed("", ""));
        Self::Beside(if side == Side::Client { [line, nothing] } else { [nothing, line] })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Arrived,
    Lost,
    HeldBack,
    /// It crossed in both directions, between kernels: nobody saw it here.
    Unseen,
}

impl Rung {
    /// The seconds in 7 columns, as exactly as they allow: an experiment may go on for an hour.
    pub fn seconds(&self) -> String {
        let seconds = self.time.as_secs_f64();
        let digits = if seconds < 999.9995 { 3 } else { 1 };
        format!("{seconds:7.digits$}")
    }

    /// How an event is seen, if it is.
    pub fn of(time: Duration, label: &str, what: &What) -> Option<Self> {
        let crossed = |toward: Side, (what, fate): (Words, Fate)| {
            let what = Words { en: fit(&what.en, LONGEST).into(), zh: fit(&what.zh, LONGEST).into() };
            Mark::Crossed { toward, what, fate }
        };
        let arrived = |toward, what| crossed(toward, (what, Fate::Arrived));
        let mark = match what {
            What::Said { lane, line, .. } => Mark::said(*lane, &fit(line, LONGEST_LINE)),
            What::Came { client } => Mark::said(Side::Client, &client.to_string()),
            What::Connected { port } => {
                arrived(Side::Server, words!("connects from :{port}", "三次握手完成，来自 :{port}"))
            }
            What::Refused { why, is_absent } => {
                let why = escape(why.as_bytes());
                let what = match is_absent {
                    true => words!("nobody listens there: {why}", "那里无人监听：{why}"),
                    false => words!("cannot connect: {why}", "无法连接：{why}"),
                };
                crossed(Side::Server, (what, Fate::Lost))
            }
            What::Sent { toward, bytes, how } => crossed(*toward, fated(*how, content(bytes))),
            What::Flowed { toward, how, pieces, size, took } => {
                let (size, seconds) = (grouped(*size), took.as_secs_f64());
                let reads = if *pieces == 1 { "read" } else { "reads" };
                let flow = words!(
                    "{pieces} {reads}, {size} bytes in {seconds:.1} s",
                    "读取 {pieces} 次，{size} 字节，历时 {seconds:.1} 秒"
                );
                crossed(*toward, fated(*how, flow))
            }
            What::Ended { toward } => arrived(*toward, Words::fixed("end of stream", "流结束（FIN）")),
            What::Broke { toward, .. } => arrived(*toward, Words::fixed("reset", "复位（RST）")),
            What::Finished { .. } | What::GaveWay | What::Mark => return None,
        };
        Some(Self { time, label: label.into(), mark })
    }
}

fn fated(how: Crossing, Words { en, zh }: Words) -> (Words, Fate) {
    match how {
        Crossing::Plain => (Words { en, zh }, Fate::Arrived),
        Crossing::Lost => (words!("lost: {en}", "丢失：{zh}"), Fate::Lost),
        Crossing::HeldBack => (words!("held back: {en}", "扣住：{zh}"), Fate::HeldBack),
        Crossing::Late => (words!("late: {en}", "迟到：{zh}"), Fate::Arrived),
        Crossing::Again => (words!("again: {en}", "重复：{zh}"), Fate::Arrived),
    }
}

/// The titles of the client's and of the server's lane.
pub type Lanes = (Words, Words);

fn content(Payload { bytes, size, is_text, .. }: &Payload) -> Words {
    // Of a text that is cut, half a character may be left at the end.
    let whole = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), str::len);
    // What happens to look like a character in other bytes is none: each of them is shown.
    let shown = if *is_text { escape(&bytes[..whole]) } else { bytes.chunks(1).map(escape).collect() };
    let more = if bytes.len() < *size { "…" } else { "" };
    let unit = if *size == 1 { "byte" } else { "bytes" };
    let (en, zh) = if *is_text { ("", "") } else { (", not UTF-8", "，非 UTF-8") };
    words!("{size} {unit}{en}  {shown}{more}", "{size} 字节{zh}  {shown}{more}")
}

/// Costs of several sides, at one place or at several ones from left to right: shorter is better.
#[derive(Clone, Debug)]
pub struct Chart {
    pub title: Words,
    /// What the places count.
    pub across: Words,
    /// The places: with one, it is bars, with more, a curve. They are drawn evenly spaced.
    pub places: Vec<u64>,
    pub series: Vec<Series>,
}

#[derive(Clone, Debug)]
pub struct Series {
    pub name: Words,
    pub ink: Ink,
    /// One for each place.
    pub costs: Vec<Cost>,
}

#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub median: f64,
    pub low: f64,
    pub high: f64,
    /// How many times as much as the baseline of the same round, in the median; the baseline has none.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_columns_for_a_whole_day() {
        let shown = [0.0, 999.999, 999.9996, 1000.0, 86_399.9].map(|seconds| {
            let (time, mark) = (Duration::from_secs_f64(seconds), Mark::said(Side::Client, ""));
            Rung { time, label: String::new(), mark }.seconds()
        });
        assert_eq!(shown, ["  0.000", "999.999", " 1000.0", " 1000.0", "86399.9"]);
    }

    #[test]
    fn a_figure_has_three_digits_or_all_before_the_point() {
        let figures = [0.0004, 0.01234, 0.9, 1.234, 12.34, 123.4, 10_084.4].map(shown);
        assert_eq!(figures, ["0", "0.012", "0.900", "1.23", "12.3", "123", "10084"]);
    }
}

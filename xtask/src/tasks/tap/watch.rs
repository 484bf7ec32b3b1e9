//! What is told of a wire on which anything may happen, for hours: all that a reader can follow, and the sums of the rest.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::time::{Duration, Instant};

use super::attendance::Attendance;
use super::sums::{Ending, Sums};
use crate::wire::event::{Crossing, Event, Payload, Side, What};
use crate::words::Words;

/// So many reads in one direction, without a pause between them, are told one by one; those that follow are a flow.
const TOLD_EACH: u32 = 32;
/// What ends a flow.
const PAUSE: Duration = Duration::from_millis(200);
/// So long a silence of both sides, in the middle of a line, is worth a remark.
const SILENCE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub enum Telling {
    Event(Event),
    Remark(Words),
}

#[derive(Default)]
struct Way {
    /// How many reads have come without a pause.
    row: u32,
    last: Option<Instant>,
    flow: Option<Flow>,
}

impl Way {
    fn pauses(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE)
    }
}

/// Reads that were not told one by one.
struct Flow {
    first: Payload,
    began: Instant,
    pieces: u64,
    size: u64,
}

#[derive(Default)]
struct Past {
    ways: BTreeMap<(Side, Crossing), Way>,
    /// The sides that were told an end.
    ended: Vec<Side>,
    /// When the last data was sent, and where to, where it ended no line and that is not told yet.
    unended: Option<(Instant, Side)>,
    is_half_told: bool,
}

impl Past {
    /// Takes note of bytes; returns whether they are told by themselves, after the flows that are over.
    fn hears(&mut self, at: Instant, toward: Side, bytes: &Payload, how: Crossing) -> bool {
        self.unended = (!bytes.ends_line).then_some((at, toward));
        let way = self.ways.entry((toward, how)).or_default();
        way.row = if way.pauses(at) { 1 } else { way.row.saturating_add(1) };
        way.last = Some(at);
        if way.row > TOLD_EACH {
            let new = || Flow { first: bytes.clone(), began: at, pieces: 0, size: 0 };
            let flow = way.flow.get_or_insert_with(new);
            flow.pieces += 1;
            flow.size += bytes.size as u64;
        }
        way.row <= TOLD_EACH
    }

    /// The flows that are over, under this label, oldest first.
    fn flows(&mut self, label: &str, is_over: impl Fn(&Way) -> bool) -> Vec<Telling> {
        let mut over = Vec::new();
        for (&(toward, how), way) in self.ways.iter_mut().filter(|(_, way)| is_over(way)) {
            let Some((at, Flow { first, began, pieces, size })) = way.last.zip(way.flow.take()) else {
                continue;
            };
            let took = at.saturating_duration_since(began);
            let what = match pieces {
                1 => What::Sent { toward, bytes: first, how },
                _ => What::Flowed { toward, how, pieces, size, took },
            };
            over.push(Event { at, label: label.into(), what });
        }
        over.sort_by_key(|event| event.at);
        over.into_iter().map(Telling::Event).collect()
    }
}

pub struct Watch {
    is_udp: bool,
    open: HashMap<String, Past>,
    sums: Sums,
    pub roll: Option<Attendance>,
}

impl Watch {
    pub fn new(is_udp: bool, roll: Option<Attendance>) -> Self {
        Self { is_udp, open: HashMap::new(), sums: Sums::default(), roll }
    }

    pub fn sees(&mut self, event: Event) -> Vec<Telling> {
        let (at, label) = (event.at, event.label.clone());
        match &event.what {
            What::Came { .. } => {
                self.sums.count += 1;
                self.open.insert(label.clone(), Past::default());
            }
            What::Sent { how: Crossing::Lost | Crossing::HeldBack, .. } => {}
            What::Sent { toward, bytes, .. } => self.sums.passed[*toward as usize] += bytes.size as u64,
            _ => {}
        }
        // What another thread recorded after the end of its connection is counted, and not told.
        let Some(connection) = self.open.get_mut(&label) else { return Vec::new() };
        let is_sent = matches!(event.what, What::Sent { .. });
        let mut found = connection.flows(&label, |way| !is_sent || way.pauses(at));
        let (ending, remark) = match &event.what {
            What::Sent { toward, bytes, how } => {
                if !connection.hears(at, *toward, bytes, *how) {
                    return found;
                }
                let is_half = connection.ended.contains(&toward.other())
                    && !mem::replace(&mut connection.is_half_told, true);
                (None, is_half.then(|| half_remark(&label, *toward)))
            }
            What::Ended { toward } => {
                connection.ended.push(*toward);
                ((connection.ended.len() == 2).then_some(Ending::BothEnded), None)
            }
            What::Broke { toward, as_reset } => {
                let is_client = *toward == Side::Server;
                let ending = if is_client { Ending::ResetByClient } else { Ending::ResetByServer };
                let (en, zh) = toward.names();
                let remark = words!(
                    "remark, {label}: to the {en} this looks like an end of stream, until it sends something: std cannot pass a \
                     reset on where nothing waits unread",
                    "备注 {label}：在{zh}看来这是流结束，等它再发送数据时才会得知复位：没有未读数据时，标准库无法转发复位"
                );
                (Some(ending), (!as_reset).then_some(remark))
            }
            What::Refused { .. } if !self.is_udp => (Some(Ending::NotTaken), None),
            What::GaveWay => {
                let remark = words!(
                    "remark, {label}: disconnected: all places are taken, and its address has the most of them",
                    "备注 {label}：断开：位置已满，而它的地址占得最多"
                );
                (Some(Ending::GaveWay), Some(remark))
            }
            _ => (None, None),
        };
        found.push(Telling::Event(event));
        found.extend(remark.map(Telling::Remark));
        if let Some(ending) = ending {
            self.open.remove(&label);
            self.sums.ended.entry(ending).or_default().push(number(&label));
        }
        found
    }

    /// What is to be told now that nothing has happened for a while: to be asked again and again.
    pub fn waits(&mut self, now: Instant) -> Vec<Telling> {
        let mut found = Vec::new();
        for (label, connection) in &mut self.open {
            found.extend(connection.flows(label, |way| way.pauses(now)));
            let is_silent = |(last, toward): &mut (Instant, Side)| {
                now.saturating_duration_since(*last) >= SILENCE && !connection.ended.contains(toward)
            };
            if !self.is_udp && connection.unended.take_if(is_silent).is_some() {
                let seconds = SILENCE.as_secs();
                found.push(Telling::Remark(words!(
                    "remark, {label}: both silent for {seconds} s; the last data has no line feed: a program that \
                     reads lines is still waiting",
                    "备注 {label}：双方已沉默 {seconds} 秒；最后到达的数据没有换行符：按行读取的一方仍在等待"
                )));
            }
        }
        found
    }

    pub fn summary(&self) -> Vec<Words> {
        let mut lines = self.sums.lines(self.is_udp, self.open.keys().map(|label| number(label)).collect());
        let here = self.roll.as_ref().map(Attendance::count);
        lines.extend(here.map(|Words { en, zh }| words!("roll: {en}", "点名：{zh}")));
        lines
    }

    pub fn rest(&mut self) -> Vec<Telling> {
        self.open.iter_mut().flat_map(|(label, connection)| connection.flows(label, |_| true)).collect()
    }
}

/// The number in a label such as `#1`.
fn number(label: &str) -> u64 {
    label.trim_start_matches('#').parse().unwrap_or_default()
}

/// The side that goes on is the one across from `toward`.
fn half_remark(label: &str, toward: Side) -> Words {
    let ((ended, ended_zh), (other, other_zh)) = (toward.names(), toward.other().names());
    words!(
        "remark, {label}: the {ended}'s side has ended, and the {other}'s goes on sending: one that has closed does \
         not read it, one that has ended its half alone does",
        "备注 {label}：{ended_zh}一侧已经结束，{other_zh}一侧还在发送：若{ended_zh}已 close，就读不到；\
         若只结束了自己的一半，仍能读到"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct TestWire(Watch, Instant);

    impl TestWire {
        fn new(is_udp: bool) -> Self {
            let mut wire = Self(Watch::new(is_udp, None), Instant::now());
            wire.at(0, What::Came { client: ([127, 0, 0, 1], 5000).into() });
            wire
        }

        fn at(&mut self, millis: u64, what: What) -> Vec<String> {
            let at = self.1 + Duration::from_millis(millis);
            told(self.0.sees(Event { at, label: "#1".into(), what }))
        }

        fn sent(&mut self, millis: u64, toward: Side, text: &str) -> Vec<String> {
            self.at(millis, What::Sent { toward, bytes: text.as_bytes().into(), how: Crossing::Plain })
        }

        fn waits(&mut self, millis: u64) -> Vec<String> {
            told(self.0.waits(self.1 + Duration::from_millis(millis)))
        }
    }

    fn told(found: Vec<Telling>) -> Vec<String> {
        let text = |telling| match telling {
            Telling::Remark(words) => words.en.into(),
            Telling::Event(event) => match event.what {
                What::Sent { bytes, .. } => String::from_utf8_lossy(&bytes.bytes).into(),
                What::Flowed { pieces, size, took, .. } => format!("{pieces} {size} {}", took.as_millis()),
                what => format!("{what:?}"),
            },
        };
        found.into_iter().map(text).collect()
    }

    #[test]
    fn a_stream_that_flows_is_one_find_that_is_told_when_it_pauses_or_ends() {
        let mut wire = TestWire::new(false);
        let told: usize = (0..1000).map(|n| wire.sent(n, Side::Client, "data").len()).sum();
        assert_eq!((told, wire.waits(999 + 199)), (32, vec![]));
        assert_eq!(wire.waits(999 + 200), ["968 3872 967"]);
        assert_eq!(wire.sent(1300, Side::Client, "again"), ["again"]);
        let told: usize = (0..41).map(|n| wire.sent(1400 + n, Side::Server, "x").len()).sum();
        assert_eq!(told, 32);
        let end = What::Ended { toward: Side::Server };
        assert_eq!(wire.at(1500, end), ["9 9 8", "Ended { toward: Server }"]);
    }

    #[test]
    fn three_seconds_of_silence_in_the_middle_of_a_line_are_remarked_once() {
        let mut wire = TestWire::new(false);
        wire.sent(0, Side::Client, "Welcome!");
        assert_eq!(wire.waits(2_999), [""; 0]);
        let remark = "remark, #1: both silent for 3 s; the last data has no line feed: a program that reads lines is still waiting";
        assert_eq!(wire.waits(3_000), [remark]);
        assert_eq!(wire.waits(9_000), [""; 0]);
        wire.sent(10_000, Side::Server, "Ann\n");
        assert_eq!(wire.waits(20_000), [""; 0], "a whole line: nobody waits for the rest");
        wire.sent(21_000, Side::Server, "exit");
        wire.at(21_000, What::Ended { toward: Side::Server });
        assert_eq!(wire.waits(30_000), [""; 0], "the end of the stream ends a line as well");
        let mut datagrams = TestWire::new(true);
        datagrams.sent(0, Side::Server, "Ann");
        assert_eq!(datagrams.waits(60_000), [""; 0]);
    }

    #[test]
    fn a_reset_that_could_not_be_passed_on_is_remarked() {
        for (as_reset, finds) in [(true, 1), (false, 2)] {
            let mut wire = TestWire::new(false);
            assert_eq!(wire.at(0, What::Broke { toward: Side::Server, as_reset }).len(), finds);
        }
    }
}

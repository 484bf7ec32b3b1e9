//! What is to be told of a wire on which anything may happen, for hours: all that a reader can follow, and the sums of
//! the rest. Pure: events and instants go in.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::drawing::columns::grouped;
use crate::wire::event::{Event, How, Payload, Side, What};
use crate::words::Words;

/// So many reads in one direction, without a pause between them, are told one by one; those that follow are a flow.
const TOLD_EACH: u32 = 32;
/// What ends a flow.
const PAUSE: Duration = Duration::from_millis(200);
/// A flow without a pause is told so often.
const LONG_FLOW: Duration = Duration::from_secs(10);
/// So long a silence of both sides, in the middle of a line, is worth a remark.
pub const SILENCE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub enum Found {
    Event(Event),
    /// What was noticed about it.
    Remark(Words),
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    BothEnded,
    ResetByClient,
    ResetByServer,
    NotTaken,
    LetGo,
    StillOpen,
    HeardLately,
}

impl Ending {
    fn words(self) -> Words {
        match self {
            Self::BothEnded => Words::fixed("both sides ended", "双方都已结束"),
            Self::ResetByClient => Words::fixed("reset on the client's side", "客户端一侧复位"),
            Self::ResetByServer => Words::fixed("reset on the server's side", "服务器一侧复位"),
            Self::NotTaken => Words::fixed("not taken by the server", "服务器未接受"),
            Self::LetGo => Words::fixed("silent for too long, and let go", "沉默过久，不再保留"),
            Self::StillOpen => Words::fixed("still open", "仍未结束"),
            Self::HeardLately => Words::fixed("heard lately", "最近还有来往"),
        }
    }
}

/// One direction of a connection, and one kind of fate.
#[derive(Default)]
struct Way {
    /// How many reads have come without a pause.
    row: u32,
    last: Option<Instant>,
    flow: Option<Flow>,
}

/// Reads that were not told one by one.
struct Flow {
    first: Payload,
    began: Instant,
    ended: Instant,
    pieces: u64,
    size: u64,
}

impl Flow {
    fn told(self, toward: Side, how: How) -> (Instant, What) {
        let Self { first, began, ended, pieces, size } = self;
        let took = ended.saturating_duration_since(began);
        let what = match pieces {
            1 => What::Sent { toward, bytes: first, how },
            _ => What::Flowed { toward, how, pieces, size, took },
        };
        (ended, what)
    }
}

/// What bytes are.
enum Heard {
    /// Something to be told by itself, behind the flow that was over then, if there was one.
    New(Option<Flow>),
    Flow,
}

#[derive(Default)]
struct Connection {
    ways: BTreeMap<(Side, How), Way>,
    /// The sides that were told an end.
    ended: Vec<Side>,
    /// When something was last sent, where it went, and whether it ended a line.
    last: Option<(Instant, Side, bool)>,
    is_silence_told: bool,
    is_half_told: bool,
}

impl Connection {
    /// Takes note of bytes.
    fn hears(&mut self, at: Instant, toward: Side, bytes: &Payload, how: How) -> Heard {
        self.last = Some((at, toward, bytes.ends_line));
        self.is_silence_told = false;
        let way = self.ways.entry((toward, how)).or_default();
        let is_pause = way.last.replace(at).is_none_or(|last| at.saturating_duration_since(last) >= PAUSE);
        way.row = if is_pause { 1 } else { way.row.saturating_add(1) };
        if way.row <= TOLD_EACH {
            return Heard::New(way.flow.take());
        }
        let new = || Flow { first: bytes.clone(), began: at, ended: at, pieces: 0, size: 0 };
        let flow = way.flow.get_or_insert_with(new);
        flow.ended = at;
        flow.pieces += 1;
        flow.size += bytes.size as u64;
        Heard::Flow
    }

    /// The flows that are over, oldest first.
    fn flows(&mut self, is_over: impl Fn(&Way, &Flow) -> bool) -> Vec<(Instant, What)> {
        let over = self.ways.iter_mut().filter_map(|((toward, how), way)| {
            let flow = way.flow.take()?;
            if is_over(way, &flow) {
                return Some(flow.told(*toward, *how));
            }
            way.flow = Some(flow);
            None
        });
        let mut over: Vec<_> = over.collect();
        over.sort_by_key(|(ended, _)| *ended);
        over
    }
}

/// What is known of the wire.
pub struct Watch {
    is_udp: bool,
    open: HashMap<String, Connection>,
    count: u64,
    /// Bytes to the server and to clients.
    passed: [u64; 2],
    ended: BTreeMap<Ending, Vec<u64>>,
}

impl Watch {
    /// Nothing has happened yet.
    pub fn new(is_udp: bool) -> Self {
        Self { is_udp, open: HashMap::new(), count: 0, passed: [0; 2], ended: BTreeMap::new() }
    }

    /// What is to be told now that this has happened.
    pub fn sees(&mut self, event: Event) -> Vec<Found> {
        if matches!(event.what, What::Came { .. }) {
            self.count += 1;
            self.open.insert(event.label.clone(), Connection::default());
        }
        if let What::Sent { toward, bytes, how } = &event.what {
            if !matches!(how, How::Lost | How::HeldBack) {
                self.passed[usize::from(*toward == Side::Client)] += bytes.size as u64;
            }
        }
        // What another thread recorded behind the end of its connection is told, too.
        let Some(connection) = self.open.get_mut(&event.label) else { return vec![Found::Event(event)] };
        let label = event.label.clone();
        let flowing = |(at, what)| Found::Event(Event { at, label: label.clone(), what });
        if let What::Sent { toward, bytes, how } = &event.what {
            let toward = *toward;
            let Heard::New(flow) = connection.hears(event.at, toward, bytes, *how) else { return Vec::new() };
            let mut found: Vec<_> = flow.map(|flow| flowing(flow.told(toward, *how))).into_iter().collect();
            found.push(Found::Event(event));
            if connection.ended.contains(&toward.other()) && !connection.is_half_told {
                connection.is_half_told = true;
                found.push(Found::Remark(half_remark(&label, toward)));
            }
            return found;
        }
        let mut remark = None;
        let ending = match &event.what {
            What::Ended { toward } => {
                connection.ended.push(*toward);
                (connection.ended.len() == 2).then_some(Ending::BothEnded)
            }
            What::Broke { toward, as_reset } => {
                remark = (!as_reset).then(|| soft_remark(&label, *toward));
                let is_client = *toward == Side::Server;
                Some(if is_client { Ending::ResetByClient } else { Ending::ResetByServer })
            }
            What::Refused { .. } if !self.is_udp => Some(Ending::NotTaken),
            What::LetGo => Some(Ending::LetGo),
            _ => return vec![Found::Event(event)],
        };
        let mut found: Vec<_> = connection.flows(|_, _| true).into_iter().map(flowing).collect();
        found.push(Found::Event(event));
        found.extend(remark.map(Found::Remark));
        if let Some(ending) = ending {
            self.open.remove(&label);
            self.ended.entry(ending).or_default().push(number(&label));
        }
        found
    }

    /// What is to be told now that nothing has happened for a while: to be asked again and again.
    pub fn waits(&mut self, now: Instant) -> Vec<Found> {
        let mut found = Vec::new();
        for (label, connection) in &mut self.open {
            let since = |then: Instant| now.saturating_duration_since(then);
            let over = connection.flows(|way, flow| {
                way.last.is_none_or(|last| since(last) >= PAUSE) || since(flow.began) >= LONG_FLOW
            });
            found.extend(
                over.into_iter().map(|(at, what)| Event { at, label: label.clone(), what }).map(Found::Event),
            );
            if let Some((last, toward, false)) = connection.last {
                let is_over = self.is_udp || connection.ended.contains(&toward) || connection.is_silence_told;
                if !is_over && since(last) >= SILENCE {
                    connection.is_silence_told = true;
                    found.push(Found::Remark(silence_remark(label)));
                }
            }
        }
        found
    }

    /// What is still to be told at the end.
    pub fn rest(&mut self) -> Vec<Found> {
        let mut found = Vec::new();
        for (label, connection) in &mut self.open {
            let flows = connection.flows(|_, _| true).into_iter();
            found.extend(flows.map(|(at, what)| Found::Event(Event { at, label: label.clone(), what })));
        }
        found
    }

    /// The sums, in lines.
    pub fn summary(&self) -> Vec<Words> {
        let [up, down] = self.passed.map(grouped);
        let count = self.count;
        let mut lines = vec![match (self.is_udp, count) {
            (false, 1) => words!(
                "1 connection, {up} bytes to the server, {down} bytes to the client",
                "1 条连接，发往服务器 {up} 字节，发往客户端 {down} 字节"
            ),
            (false, _) => words!(
                "{count} connections, {up} bytes to the server, {down} bytes to clients",
                "{count} 条连接，发往服务器 {up} 字节，发往客户端 {down} 字节"
            ),
            (true, 1) => words!(
                "1 client, {up} bytes to the server, {down} bytes to the client",
                "1 个客户端，发往服务器 {up} 字节，发往客户端 {down} 字节"
            ),
            (true, _) => words!(
                "{count} clients, {up} bytes to the server, {down} bytes to clients",
                "{count} 个客户端，发往服务器 {up} 字节，发往客户端 {down} 字节"
            ),
        }];
        let none = if self.is_udp { Ending::HeardLately } else { Ending::StillOpen };
        let open = (!self.open.is_empty()).then(|| (none, self.open.keys().map(|key| number(key)).collect()));
        for (ending, mut numbers) in self.ended.clone().into_iter().chain(open) {
            numbers.sort_unstable();
            let (Words { en, zh }, which) = (ending.words(), ranges(&numbers));
            lines.push(words!("  {en}: {which}", "  {zh}：{which}"));
        }
        lines
    }
}

fn number(label: &str) -> u64 {
    label.trim_start_matches('#').parse().unwrap_or_default()
}

/// `#1-#3, #5`; of very many, the first.
fn ranges(numbers: &[u64]) -> String {
    const SHOWN: usize = 20;
    let mut shown = String::new();
    let mut ranges = numbers.chunk_by(|a, b| a + 1 == *b);
    for (at, range) in ranges.by_ref().take(SHOWN).enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let _ = match range {
            [only] => write!(shown, "{comma}#{only}"),
            [first, .., last] => write!(shown, "{comma}#{first}-#{last}"),
            [] => Ok(()),
        };
    }
    if ranges.next().is_some() { shown + ", ..." } else { shown }
}

fn silence_remark(label: &str) -> Words {
    let seconds = SILENCE.as_secs();
    words!(
        "remark, {label}: both silent for {seconds} s; what came last has no line feed: whoever reads lines is \
         still waiting",
        "备注 {label}：双方已沉默 {seconds} 秒；最后到达的数据没有换行符：按行读取的一方仍在等待"
    )
}

/// The side that goes on is the one across from `toward`.
fn half_remark(label: &str, toward: Side) -> Words {
    match toward {
        Side::Client => words!(
            "remark, {label}: the client's side has ended, and the server's goes on sending: one that has closed \
             does not read it, one that has ended its half alone does",
            "备注 {label}：客户端一侧已经结束，服务器一侧还在发送：若客户端已 close，就读不到；若只结束了自己的一半，\
             仍能读到"
        ),
        Side::Server => words!(
            "remark, {label}: the server's side has ended, and the client's goes on sending: one that has closed \
             does not read it, one that has ended its half alone does",
            "备注 {label}：服务器一侧已经结束，客户端一侧还在发送：若服务器已 close，就读不到；若只结束了自己的一半，\
             仍能读到"
        ),
    }
}

fn soft_remark(label: &str, toward: Side) -> Words {
    let (en, zh) = match toward {
        Side::Client => ("client", "客户端"),
        Side::Server => ("server", "服务器"),
    };
    words!(
        "remark, {label}: to the {en} this looks like an end of stream, until it sends something: std cannot pass a \
         reset on where nothing waits unread",
        "备注 {label}：在{zh}看来这是流结束，等它再发送数据时才会得知复位：没有未读数据时，标准库无法转发复位"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Wire {
        watch: Watch,
        start: Instant,
        found: Vec<String>,
    }

    impl Wire {
        fn new(is_udp: bool) -> Self {
            let mut wire = Self { watch: Watch::new(is_udp), start: Instant::now(), found: Vec::new() };
            wire.at(0, What::Came { client: ([127, 0, 0, 1], 5000).into() });
            wire
        }

        fn keep(&mut self, found: Vec<Found>) {
            self.found.extend(found.into_iter().map(|found| match found {
                Found::Remark(words) => words.en.into(),
                Found::Event(Event { what: What::Sent { bytes, .. }, .. }) => {
                    String::from_utf8_lossy(&bytes.bytes).into()
                }
                Found::Event(Event { what: What::Flowed { pieces, size, took, .. }, .. }) => {
                    format!("{pieces} {size} {}", took.as_millis())
                }
                Found::Event(event) => format!("{:?}", event.what),
            }));
        }

        fn at(&mut self, millis: u64, what: What) {
            let event = Event { at: self.start + Duration::from_millis(millis), label: "#1".into(), what };
            let found = self.watch.sees(event);
            self.keep(found);
        }

        fn sent(&mut self, millis: u64, toward: Side, text: &str) {
            self.at(millis, What::Sent { toward, bytes: text.as_bytes().into(), how: How::Plain });
        }

        fn waits(&mut self, millis: u64) {
            let found = self.watch.waits(self.start + Duration::from_millis(millis));
            self.keep(found);
        }

        /// What was found since the last time.
        fn new_finds(&mut self) -> Vec<String> {
            std::mem::take(&mut self.found)
        }
    }

    #[test]
    fn a_stream_that_flows_is_one_find_that_is_told_when_it_pauses() {
        let mut wire = Wire::new(false);
        for n in 0..1000 {
            wire.sent(n, Side::Client, "data");
        }
        assert_eq!(wire.new_finds().len(), 1 + 32);
        wire.waits(999 + 199);
        assert_eq!(wire.new_finds(), [""; 0]);
        wire.waits(999 + 200);
        assert_eq!(wire.new_finds(), ["968 3872 967"]);
        wire.sent(1300, Side::Client, "again");
        assert_eq!(wire.new_finds(), ["again"]);
    }

    #[test]
    fn a_flow_without_a_pause_is_told_now_and_then_and_before_an_end() {
        let mut wire = Wire::new(false);
        for n in 0..=110 {
            wire.sent(100 * n, Side::Server, "x");
        }
        wire.new_finds();
        wire.waits(13_200 - 1);
        assert_eq!(wire.new_finds().len(), 1);
        wire.sent(13_200, Side::Server, "one");
        for n in 0..40 {
            wire.sent(13_300 + n, Side::Server, "x");
        }
        wire.new_finds();
        wire.at(13_400, What::Ended { toward: Side::Server });
        assert_eq!(wire.new_finds(), ["9 9 8", "Ended { toward: Server }"]);
    }

    #[test]
    fn three_seconds_of_silence_in_the_middle_of_a_line_are_remarked_once() {
        let mut wire = Wire::new(false);
        wire.sent(0, Side::Client, "Welcome!");
        wire.new_finds();
        wire.waits(2_999);
        assert_eq!(wire.new_finds(), [""; 0]);
        wire.waits(3_000);
        wire.waits(9_000);
        let remark = "remark, #1: both silent for 3 s; what came last has no line feed: whoever reads lines is still waiting";
        assert_eq!(wire.new_finds(), [remark]);
        wire.sent(10_000, Side::Server, "Ann\n");
        wire.waits(20_000);
        assert_eq!(wire.new_finds(), ["Ann\n"]); // a whole line: nobody waits for the rest
        wire.sent(21_000, Side::Server, "exit");
        wire.at(21_000, What::Ended { toward: Side::Server });
        wire.waits(30_000);
        assert_eq!(wire.new_finds().len(), 2); // the end of the stream ends a line as well
    }

    #[test]
    fn a_datagram_needs_no_line_feed() {
        let mut wire = Wire::new(true);
        wire.sent(0, Side::Server, "Ann");
        wire.new_finds();
        wire.waits(60_000);
        assert_eq!(wire.new_finds(), [""; 0]);
    }

    #[test]
    fn a_side_that_goes_on_behind_the_others_end_is_remarked_once() {
        let mut wire = Wire::new(false);
        wire.at(0, What::Ended { toward: Side::Server });
        wire.sent(1, Side::Client, "more\n");
        wire.sent(2, Side::Client, "and more\n");
        let found = wire.new_finds();
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(
            found[3].starts_with("remark, #1: the client's side has ended, and the server's goes on sending")
        );
    }

    #[test]
    fn a_reset_that_could_not_be_passed_on_is_remarked() {
        for (as_reset, finds) in [(true, 2), (false, 3)] {
            let mut wire = Wire::new(false);
            wire.at(0, What::Broke { toward: Side::Server, as_reset });
            assert_eq!(wire.new_finds().len(), finds);
        }
    }

    #[test]
    fn the_summary_says_how_each_ended() {
        let mut watch = Watch::new(false);
        let mut happens = |number: u64, what| {
            watch.sees(Event { at: Instant::now(), label: format!("#{number}"), what });
        };
        for number in 1..=6 {
            happens(number, What::Came { client: ([127, 0, 0, 1], 5000).into() });
        }
        for number in [3, 1, 2, 5] {
            happens(number, What::Sent { toward: Side::Server, bytes: b"12345"[..].into(), how: How::Plain });
            happens(number, What::Sent { toward: Side::Server, bytes: b"12345"[..].into(), how: How::Lost });
            happens(number, What::Ended { toward: Side::Server });
            happens(number, What::Ended { toward: Side::Client });
        }
        happens(4, What::Broke { toward: Side::Client, as_reset: true });
        let lines: Vec<_> = watch.summary().into_iter().map(|words| words.en.into_owned()).collect();
        let expected = [
            "6 connections, 20 bytes to the server, 0 bytes to clients",
            "  both sides ended: #1-#3, #5",
            "  reset on the server's side: #4",
            "  still open: #6",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn ranges_are_short_for_many_and_bounded_for_odd_ones() {
        assert_eq!(ranges(&(1..=5000).collect::<Vec<_>>()), "#1-#5000");
        let odd: Vec<_> = (0..100).map(|n| 2 * n + 1).collect();
        assert!(ranges(&odd).ends_with(", #39, ..."), "{}", ranges(&odd));
    }
}

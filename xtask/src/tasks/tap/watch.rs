//! What is to be told of a wire on which anything may happen, for hours: all that a reader can follow, and the sums of
//! the rest. Pure: events and instants go in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::past::Past;
use super::sums::{Ending, Sums, number};
use crate::wire::event::{Crossing, Event, Side, What};
use crate::words::Words;

/// So long a silence of both sides, in the middle of a line, is worth a remark.
const SILENCE: Duration = Duration::from_secs(3);

/// Something to be told.
#[derive(Debug)]
pub enum Telling {
    Event(Event),
    /// What was noticed about it.
    Remark(Words),
}

/// What is known of the wire.
pub struct Watch {
    is_udp: bool,
    open: HashMap<String, Past>,
    sums: Sums,
}

impl Watch {
    /// Nothing has happened yet.
    pub fn new(is_udp: bool) -> Self {
        Self { is_udp, open: HashMap::new(), sums: Sums::new(is_udp) }
    }

    /// What is to be told now that this has happened.
    pub fn sees(&mut self, event: Event) -> Vec<Telling> {
        if matches!(event.what, What::Came { .. }) {
            self.sums.comes();
            self.open.insert(event.label.clone(), Past::default());
        }
        if let What::Sent { toward, bytes, how } = &event.what {
            if !matches!(how, Crossing::Lost | Crossing::HeldBack) {
                self.sums.passes(*toward, bytes.size as u64);
            }
        }
        // What another thread recorded after the end of its connection is counted, and not told.
        let Some(connection) = self.open.get_mut(&event.label) else { return Vec::new() };
        let label = event.label.clone();
        let told = |flows: Vec<Event>| flows.into_iter().map(Telling::Event).collect::<Vec<_>>();
        if let What::Sent { toward, bytes, how } = &event.what {
            let (at, toward) = (event.at, *toward);
            let mut found = told(connection.flows(&label, |way| way.pauses(at)));
            if !connection.hears(at, toward, bytes, *how) {
                return found;
            }
            found.push(Telling::Event(event));
            if connection.ended.contains(&toward.other()) && !connection.is_half_told {
                connection.is_half_told = true;
                found.push(Telling::Remark(half_remark(&label, toward)));
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
            What::GaveWay => {
                remark = Some(way_remark(&label));
                Some(Ending::GaveWay)
            }
            _ => return vec![Telling::Event(event)],
        };
        let mut found = told(connection.flows(&label, |_| true));
        found.push(Telling::Event(event));
        found.extend(remark.map(Telling::Remark));
        if let Some(ending) = ending {
            self.open.remove(&label);
            self.sums.ends(ending, number(&label));
        }
        found
    }

    /// What is to be told now that nothing has happened for a while: to be asked again and again.
    pub fn waits(&mut self, now: Instant) -> Vec<Telling> {
        let mut found = Vec::new();
        for (label, connection) in &mut self.open {
            let flows = connection.flows(label, |way| way.pauses(now));
            found.extend(flows.into_iter().map(Telling::Event));
            if let Some((last, toward, false)) = connection.last {
                let is_over = self.is_udp || connection.ended.contains(&toward) || connection.is_silence_told;
                if !is_over && now.saturating_duration_since(last) >= SILENCE {
                    connection.is_silence_told = true;
                    found.push(Telling::Remark(silence_remark(label)));
                }
            }
        }
        found
    }

    /// The sums, in lines.
    pub fn summary(&self) -> Vec<Words> {
        self.sums.lines(self.open.keys().map(|label| number(label)).collect())
    }

    /// What is still to be told at the end.
    pub fn rest(&mut self) -> Vec<Telling> {
        let flows = self.open.iter_mut().flat_map(|(label, connection)| connection.flows(label, |_| true));
        flows.map(Telling::Event).collect()
    }
}

fn way_remark(label: &str) -> Words {
    words!(
        "remark, {label}: disconnected: all places are taken, and its address has the most of them",
        "备注 {label}：断开：位置已满，而它的地址占得最多"
    )
}

fn silence_remark(label: &str) -> Words {
    let seconds = SILENCE.as_secs();
    words!(
        "remark, {label}: both silent for {seconds} s; the last data has no line feed: a program that reads lines is \
         still waiting",
        "备注 {label}：双方已沉默 {seconds} 秒；最后到达的数据没有换行符：按行读取的一方仍在等待"
    )
}

fn named(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Client => ("client", "客户端"),
        Side::Server => ("server", "服务器"),
    }
}

/// The side that goes on is the one across from `toward`.
fn half_remark(label: &str, toward: Side) -> Words {
    let ((ended, ended_zh), (other, other_zh)) = (named(toward), named(toward.other()));
    words!(
        "remark, {label}: the {ended}'s side has ended, and the {other}'s goes on sending: one that has closed does \
         not read it, one that has ended its half alone does",
        "备注 {label}：{ended_zh}一侧已经结束，{other_zh}一侧还在发送：若{ended_zh}已 close，就读不到；\
         若只结束了自己的一半，仍能读到"
    )
}

fn soft_remark(label: &str, toward: Side) -> Words {
    let (en, zh) = named(toward);
    words!(
        "remark, {label}: to the {en} this looks like an end of stream, until it sends something: std cannot pass a \
         reset on where nothing waits unread",
        "备注 {label}：在{zh}看来这是流结束，等它再发送数据时才会得知复位：没有未读数据时，标准库无法转发复位"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct TestWire {
        watch: Watch,
        start: Instant,
        found: Vec<String>,
    }

    impl TestWire {
        fn new(is_udp: bool) -> Self {
            let mut wire = Self { watch: Watch::new(is_udp), start: Instant::now(), found: Vec::new() };
            wire.at(0, What::Came { client: ([127, 0, 0, 1], 5000).into() });
            wire
        }

        fn keep(&mut self, found: Vec<Telling>) {
            self.found.extend(found.into_iter().map(|found| match found {
                Telling::Remark(words) => words.en.into(),
                Telling::Event(Event { what: What::Sent { bytes, .. }, .. }) => {
                    String::from_utf8_lossy(&bytes.bytes).into()
                }
                Telling::Event(Event { what: What::Flowed { pieces, size, took, .. }, .. }) => {
                    format!("{pieces} {size} {}", took.as_millis())
                }
                Telling::Event(event) => format!("{:?}", event.what),
            }));
        }

        fn at(&mut self, millis: u64, what: What) {
            let event = Event { at: self.start + Duration::from_millis(millis), label: "#1".into(), what };
            let found = self.watch.sees(event);
            self.keep(found);
        }

        fn sent(&mut self, millis: u64, toward: Side, text: &str) {
            self.at(millis, What::Sent { toward, bytes: text.as_bytes().into(), how: Crossing::Plain });
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
        let mut wire = TestWire::new(false);
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
    fn a_flow_is_told_before_an_end() {
        let mut wire = TestWire::new(false);
        for n in 0..41 {
            wire.sent(n, Side::Server, "x");
        }
        wire.new_finds();
        wire.at(100, What::Ended { toward: Side::Server });
        assert_eq!(wire.new_finds(), ["9 9 8", "Ended { toward: Server }"]);
    }

    #[test]
    fn three_seconds_of_silence_in_the_middle_of_a_line_are_remarked_once() {
        let mut wire = TestWire::new(false);
        wire.sent(0, Side::Client, "Welcome!");
        wire.new_finds();
        wire.waits(2_999);
        assert_eq!(wire.new_finds(), [""; 0]);
        wire.waits(3_000);
        wire.waits(9_000);
        let remark = "remark, #1: both silent for 3 s; the last data has no line feed: a program that reads lines is still waiting";
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
        let mut wire = TestWire::new(true);
        wire.sent(0, Side::Server, "Ann");
        wire.new_finds();
        wire.waits(60_000);
        assert_eq!(wire.new_finds(), [""; 0]);
    }

    #[test]
    fn a_reset_that_could_not_be_passed_on_is_remarked() {
        for (as_reset, finds) in [(true, 2), (false, 3)] {
            let mut wire = TestWire::new(false);
            wire.at(0, What::Broke { toward: Side::Server, as_reset });
            assert_eq!(wire.new_finds().len(), finds);
        }
    }
}

//! What has happened, in order. A thread hands each event to a watcher when it happens, and only then to the record.

use std::collections::HashMap;
use std::iter;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::event::{Crossing, Event, Recorder, Side, What};

/// Where nothing at all happens for this long, an experiment is stuck, on the slowest machine.
pub const STUCK: Duration = Duration::from_secs(60);

/// A program's two outputs have no common order. What it printed on standard output before it complained is in the pipe
/// by then: this is much longer than it takes to be read.
const GRACE: Duration = Duration::from_millis(20);

type Watched = (Event, Result<()>);

pub struct Record {
    events: Sender<Event>,
    incoming: Receiver<Watched>,
    kept: Vec<Event>,
    /// Once it is dropped, what happens is not watched.
    _on: Arc<()>,
}

impl Record {
    pub fn new(mut watch: impl FnMut(&Event) -> Result<()> + Send + 'static) -> Self {
        let (events, happening) = mpsc::channel();
        let (watched, incoming) = mpsc::channel();
        let on = Arc::new(());
        let is_on = Arc::downgrade(&on);
        thread::spawn(move || {
            let next = || Some(with_grace(happening.recv().ok()?, &happening));
            for event in iter::from_fn(next).flatten().take_while(|_| is_on.strong_count() > 0) {
                let outcome = if matches!(event.what, What::Mark) { Ok(()) } else { watch(&event) };
                let _ = watched.send((event, outcome));
            }
        });
        Self { events, incoming, kept: Vec::new(), _on: on }
    }

    pub fn recorder(&self, label: &str) -> Recorder {
        let events = self.events.clone();
        Recorder::new(usize::MAX, move |event| events.send(event)).labelled(label)
    }

    /// Waits until something is found among the events, or none where it cannot come any more: where nothing happens,
    /// and each of several looks in the course of a second finds it hopeless.
    pub fn wait_unless<T>(
        &mut self,
        is_hopeless: impl Fn() -> bool,
        find: impl Fn(&[Event]) -> Option<T>,
    ) -> Result<Option<T>> {
        const LOOKS: u32 = 5;
        let (mut hopeless, mut quiet_since) = (0, Instant::now());
        loop {
            if let Some(found) = find(&self.kept) {
                return Ok(Some(found));
            }
            match self.incoming.recv_timeout(Duration::from_millis(200)) {
                Ok(watched) => {
                    (hopeless, quiet_since) = (0, Instant::now());
                    self.keep(watched)?;
                }
                Err(_) if hopeless == LOOKS => return Ok(None),
                Err(_) if quiet_since.elapsed() > STUCK => bail!("nothing has happened for {STUCK:?}"),
                Err(_) => hopeless = if is_hopeless() { hopeless + 1 } else { 0 },
            }
        }
    }

    pub fn wait_until<T>(&mut self, find: impl Fn(&[Event]) -> Option<T>) -> Result<T> {
        self.wait_unless(|| false, find)?.context("nothing can happen any more")
    }

    /// Keeps what comes until nothing has come for a while, so that late rungs are drawn in their place.
    pub fn wait_for_lull(&mut self, time: Duration) -> Result<()> {
        while let Ok(watched) = self.incoming.recv_timeout(time) {
            self.keep(watched)?;
        }
        Ok(())
    }

    /// Keeps what has happened up to now; the watcher has been handed it by then.
    pub fn catch_up(&mut self) -> Result<()> {
        self.recorder("").record(What::Mark);
        loop {
            match self.incoming.recv()? {
                (Event { what: What::Mark, .. }, _) => return Ok(()),
                watched => self.keep(watched)?,
            }
        }
    }

    fn keep(&mut self, (event, outcome): Watched) -> Result<()> {
        self.kept.push(event);
        outcome
    }

    pub fn events(&self) -> &[Event] {
        &self.kept
    }

    /// The reads or datagrams that crossed the wire to one side under a label, those that were lost included.
    pub fn pieces(&self, label: &str, side: Side) -> Vec<&[u8]> {
        let of_label = self.kept.iter().filter(|event| event.label == label);
        let pieces = of_label.filter_map(|event| match &event.what {
            What::Sent { how: Crossing::HeldBack, .. } => None, // it crosses later
            What::Sent { toward, bytes, .. } if *toward == side => Some(bytes.bytes.as_slice()),
            _ => None,
        });
        pieces.collect()
    }
}

/// An event, and where that is a complaint, what else happens until its grace is over.
fn with_grace(first: Event, happening: &Receiver<Event>) -> Vec<Event> {
    let until = first.at + GRACE;
    let mut events = vec![first];
    while matches!(events[0].what, What::Said { is_error: true, .. }) && Instant::now() < until {
        events.extend(happening.recv_timeout(until.saturating_duration_since(Instant::now())));
    }
    in_order(events)
}

/// Events by their times, but complaints after what the same program printed.
fn in_order(mut events: Vec<Event>) -> Vec<Event> {
    let mut printed = HashMap::new();
    for event in &events {
        if let What::Said { program, is_error: false, .. } = event.what {
            printed.insert(program, event.at);
        }
    }
    events.sort_by_key(|event| match event.what {
        What::Said { program, is_error: true, .. } => {
            (printed.get(&program).map_or(event.at, |at| event.at.max(*at)), 1)
        }
        What::Finished { .. } | What::Mark => (event.at, 2),
        _ => (event.at, 0),
    });
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_what_cannot_come_ends_and_one_for_what_has_come_does_not_look() {
        let mut record = Record::new(|_| Ok(()));
        record.recorder("").said(Side::Server, "here");
        let found =
            record.wait_unless(|| true, |events| events.first().map(|event| event.said() == Some("here")));
        assert_eq!(found.unwrap(), Some(true));
        assert_eq!(record.wait_unless(|| true, |events| events.get(1).map(|_| ())).unwrap(), None);
    }

    #[test]
    fn the_watcher_is_handed_an_event_when_it_happens_and_nothing_once_the_record_is_gone() {
        let (seen, watched) = mpsc::channel();
        let mut record = Record::new(move |event| Ok(seen.send(event.said() == Some("here"))?));
        let recorder = record.recorder("");
        recorder.said(Side::Server, "here");
        assert!(watched.recv().unwrap(), "nobody has asked the record for it");
        assert_eq!(record.events().len(), 0);
        record.catch_up().unwrap();
        assert_eq!(record.events().len(), 1, "a mark is no event");
        drop(record);
        recorder.said(Side::Server, "late");
        assert!(watched.recv().is_err(), "the watcher is gone");
    }

    #[test]
    fn a_complaint_keeps_its_time_and_its_place_but_for_what_its_program_printed() {
        let began = Instant::now();
        let event = |ms, what| Event { at: began + Duration::from_millis(ms), label: String::new(), what };
        let said = |ms, program, is_error| {
            let line = format!("{ms}{}", if is_error { "!" } else { "" });
            event(ms, What::Said { lane: Side::Client, program, line, is_error })
        };
        let end = |ms, program| event(ms, What::Finished { program });
        let printed = [said(1, 7, true), said(2, 7, false), said(3, 8, false), end(3, 8)];
        let events = in_order(printed.into_iter().chain([said(3, 8, true), end(4, 7)]).collect());
        let name = |event: &Event| {
            if let What::Said { line, .. } = &event.what { line.clone() } else { "end".into() }
        };
        let order: Vec<_> = events.iter().map(name).collect();
        assert_eq!(order, ["2", "1!", "3", "3!", "end", "end"]);
    }

    #[test]
    fn what_the_watcher_reports_is_reported_to_the_one_who_waits() {
        let mut record = Record::new(|_| bail!("no room"));
        record.recorder("").said(Side::Server, "here");
        assert_eq!(record.catch_up().unwrap_err().to_string(), "no room");
    }
}

//! What is told of a run, piece by piece and in order: on the terminal as it happens, in browsers a moment later, on
//! a page afterwards.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use common::narration::{self, say};

use super::entry::{Entry, Lanes, Mark, Rung};
use super::style::Style;
use crate::wire::awaited::Awaited;
use crate::wire::event::Event;

/// How many pieces a bounded story keeps.
pub const KEPT: usize = 10_000;

/// How many pieces a reader is handed at once.
const AT_ONCE: usize = 256;

type Print = dyn Fn(&str) -> Result<()> + Send + Sync;

/// What was told so far. Clones are the same story: one is told to, another watches the lab, others are read from.
#[derive(Clone)]
pub struct Transcript(Arc<Shared>);

struct Shared {
    style: Style,
    print: Box<Print>,
    /// Held from the note of a piece until it is printed: both have the same order.
    printing: Mutex<()>,
    contents: Awaited<Contents>,
}

struct Contents {
    /// When the times begin.
    began: Instant,
    hidden: Vec<String>,
    told: VecDeque<Arc<Piece>>,
    limit: usize,
    /// How many entries, the first ones, are no longer kept.
    forgotten: usize,
    /// The last lanes among those.
    lanes: Option<Lanes>,
    is_waiting: bool,
    is_over: bool,
}

impl Contents {
    fn count(&self) -> usize {
        self.forgotten + self.told.len()
    }
}

/// An entry, drawn once for all who watch.
pub struct Piece {
    pub entry: Entry,
    /// In markup, once somebody watches.
    pub drawn: OnceLock<String>,
}

/// What was told beyond a number.
pub struct News {
    /// The lanes, if the entry that named them is no longer kept.
    pub lanes: Option<Lanes>,
    /// How many entries beyond the number are no longer kept.
    pub missing: usize,
    /// The pieces, a few hundred at most.
    pub told: Vec<Arc<Piece>>,
    /// The number to ask beyond next.
    pub number: usize,
    /// The run waits for Enter.
    pub is_waiting: bool,
    pub is_over: bool,
}

impl Transcript {
    /// One that begins now, is printed in this style, and keeps everything.
    pub fn new(style: Style) -> Self {
        Self::keeping(usize::MAX, style, Box::new(|line| Ok(say(line)?)))
    }

    /// One that may go on all day: it keeps only the last [`KEPT`] entries, and is printed by a function.
    pub fn bounded(style: Style, print: impl Fn(&str) -> Result<()> + Send + Sync + 'static) -> Self {
        Self::keeping(KEPT, style, Box::new(print))
    }

    /// One that keeps everything, and is not printed.
    pub fn kept(style: Style) -> Self {
        Self::keeping(usize::MAX, style, Box::new(|_| Ok(())))
    }

    fn keeping(limit: usize, style: Style, print: Box<Print>) -> Self {
        let contents = Awaited::new(Contents {
            began: Instant::now(),
            hidden: Vec::new(),
            told: VecDeque::new(),
            limit,
            forgotten: 0,
            lanes: None,
            is_waiting: false,
            is_over: false,
        });
        Self(Arc::new(Shared { style, print, printing: Mutex::new(()), contents }))
    }

    fn state(&self) -> MutexGuard<'_, Contents> {
        self.0.contents.lock()
    }

    /// Begins anew with the times, and hides nothing.
    pub fn begin(&self) {
        let mut state = self.state();
        state.began = Instant::now();
        state.hidden.clear();
    }

    /// Tells no more of what happens under a label.
    pub fn hide(&self, label: &str) {
        self.state().hidden.push(label.into());
    }

    /// Leaves a pause, in which the audience was asked something, out of its times.
    pub fn leave_out(&self, pause: Duration) {
        self.state().began += pause;
    }

    /// Tells its readers whether the run waits for Enter.
    pub fn wait(&self, is_waiting: bool) {
        self.0.contents.change(|state| state.is_waiting = is_waiting);
    }

    /// Says to its readers that nothing will be told any more.
    pub fn end(&self) {
        self.0.contents.change(|state| state.is_over = true);
    }

    /// Tells an event, unless it is hidden.
    pub fn sees(&self, event: &Event) -> Result<()> {
        let state = self.state();
        // A program's hint is for a person who types the next command; here nobody does.
        if state.hidden.contains(&event.label) || event.starts_line(narration::HINT) {
            return Ok(());
        }
        let rung = Rung::of(event.at.saturating_duration_since(state.began), &event.label, &event.what);
        drop(state);
        rung.map_or(Ok(()), |rung| self.tell(Entry::Rung(rung)))
    }

    /// Tells a rung that is no event, as of now.
    pub fn draw(&self, mark: Mark) -> Result<()> {
        let time = self.state().began.elapsed();
        self.tell(Entry::Rung(Rung { time, label: String::new(), mark }))
    }

    pub fn tell(&self, told: Entry) -> Result<()> {
        let lines = told.lines(self.0.style);
        let _printing = self.0.printing.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.contents.change(|state| {
            state.told.push_back(Arc::new(Piece { entry: told, drawn: OnceLock::new() }));
            while state.told.len() > state.limit {
                if let Some(Entry::Lanes(lanes)) = state.told.pop_front().map(|piece| piece.entry.clone()) {
                    state.lanes = Some(lanes);
                }
                state.forgotten += 1;
            }
        });
        lines.iter().try_for_each(|line| (self.0.print)(line))
    }

    pub fn count(&self) -> usize {
        self.state().count()
    }

    /// The entries beyond the first `number` that are still kept.
    pub fn since(&self, number: usize) -> Vec<Entry> {
        let state = self.state();
        let kept = state.told.iter().skip(number.saturating_sub(state.forgotten));
        kept.map(|piece| piece.entry.clone()).collect()
    }

    pub fn told(&self) -> Vec<Entry> {
        self.since(0)
    }

    /// Waits until something is told beyond the first `number` entries, the end comes, or `is_waiting` is no longer what
    /// the reader knows; at most for `patience`.
    pub fn beyond(&self, number: usize, is_waiting: bool, patience: Duration) -> News {
        let is_news =
            |state: &Contents| state.count() > number || state.is_waiting != is_waiting || state.is_over;
        self.0.contents.wait_for(patience, is_news);
        let state = self.state();
        let first = number.clamp(state.forgotten, state.count());
        let told: Vec<_> = state.told.iter().skip(first - state.forgotten).take(AT_ONCE).cloned().collect();
        let number_now = first + told.len();
        let missing = first.saturating_sub(number);
        News {
            lanes: state.lanes.clone().filter(|_| missing > 0),
            missing,
            number: number_now,
            told,
            is_waiting: state.is_waiting,
            is_over: state.is_over && number_now == state.count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Lang, Words};
    use std::sync::mpsc;
    use std::thread;

    /// Long enough that a test which waits for it has failed.
    const LONG: Duration = Duration::from_secs(3600);

    fn story(limit: usize) -> Transcript {
        Transcript::keeping(limit, Style::plain(Lang::En), Box::new(|_| Ok(())))
    }

    fn act(number: usize) -> Entry {
        Entry::Act(words!("{number}", "{number}"))
    }

    fn drawn(told: &[Arc<Piece>]) -> Vec<String> {
        told.iter().flat_map(|piece| piece.entry.lines(Style::plain(Lang::En))).collect()
    }

    #[test]
    fn every_reader_gets_every_piece_by_its_number_however_late() {
        let story = story(usize::MAX);
        let early = thread::spawn({
            let story = story.clone();
            move || {
                let mut heard = Vec::new();
                loop {
                    let news = story.beyond(heard.len(), false, LONG);
                    heard.extend(news.told);
                    if news.is_over {
                        return heard;
                    }
                }
            }
        });
        let all = 3 * AT_ONCE / 2;
        (0..all).for_each(|number| story.tell(act(number)).unwrap());
        story.end();
        let late = story.beyond(0, false, LONG);
        assert_eq!((late.told.len(), late.number, late.is_over), (AT_ONCE, AT_ONCE, false));
        let rest = story.beyond(late.number, false, LONG);
        assert_eq!((rest.number, rest.is_over), (all, true));
        assert_eq!(drawn(&early.join().unwrap()), drawn(&[late.told, rest.told].concat()));
        assert_eq!(story.beyond(all + 9, false, LONG).number, all, "no number is beyond the end");
    }

    #[test]
    fn a_bounded_story_prints_all_forgets_its_beginning_and_says_how_much_and_whose_the_lanes_were() {
        let (lines, printed) = mpsc::channel();
        let print = move |line: &str| Ok(lines.send(line.to_owned())?);
        let story = Transcript::keeping(3, Style::plain(Lang::En), Box::new(print));
        story.tell(Entry::Lanes((Words::fixed("left", "left"), Words::fixed("right", "right")))).unwrap();
        (1..=5).for_each(|number| story.tell(act(number)).unwrap());
        assert_eq!((story.count(), story.told().len(), printed.try_iter().count()), (6, 3, 6));
        let news = story.beyond(1, false, LONG);
        assert_eq!((news.missing, drawn(&news.told).concat().as_str()), (2, "> 3> 4> 5"));
        assert_eq!(news.lanes.unwrap().0.en, "left");
        let news = story.beyond(4, false, LONG);
        assert_eq!((news.missing, drawn(&news.told).concat().as_str()), (0, "> 4> 5"));
        assert!(news.lanes.is_none());
    }

    #[test]
    fn a_wait_for_enter_is_news_until_it_is_known() {
        let story = story(3);
        story.wait(true);
        assert!(story.beyond(0, false, LONG).is_waiting);
        story.wait(false);
        assert!(!story.beyond(0, true, LONG).is_waiting);
        assert_eq!(story.beyond(0, false, Duration::ZERO).number, 0, "patience ends");
    }
}

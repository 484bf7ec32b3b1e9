//! What is told of a run, in order: on the terminal as it happens, in browsers a moment later, on a page afterwards.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use common::narration::{self, say};

use super::entry::{Entry, Mark, Rung};
use super::style::Style;
use super::votes::{Asking, State, Wait};
use crate::wire::awaited::Awaited;
use crate::wire::event::Event;

type Print = Box<dyn Fn(&str) -> Result<()> + Send>;

/// What was told so far. Clones are the same story: one is told to, another watches the lab, others are read from.
#[derive(Clone)]
pub struct Transcript(Arc<Shared>);

struct Shared {
    style: Style,
    /// Held from the note of an entry until it is printed: both have the same order.
    print: Mutex<Print>,
    contents: Awaited<Contents>,
}

struct Contents {
    began: Instant,
    hidden: Vec<String>,
    told: VecDeque<Arc<Piece>>,
    limit: usize,
    forgotten: usize,
    asking: Asking,
    is_over: bool,
}

impl Contents {
    fn count(&self) -> usize {
        self.forgotten + self.told.len()
    }
}

/// An entry, and its markup, which is made once for all who watch.
pub type Piece = (Entry, OnceLock<String>);

#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub entries: usize,
    /// Which change of the state and, if it may see them before they are told, of the votes.
    pub changes: u64,
    pub sees_votes: bool,
}

pub struct News {
    /// Entries that are no longer kept.
    pub missing: usize,
    pub told: Vec<Arc<Piece>>,
    pub seen: Seen,
    /// If it has changed.
    pub state: Option<State>,
    /// For each choice, if the reader may see them.
    pub votes: Vec<usize>,
    pub is_over: bool,
}

impl Transcript {
    /// One that begins now, is printed in this style, and keeps everything.
    pub fn new(style: Style) -> Self {
        Self::keeping(usize::MAX, style, Box::new(|line| Ok(say(line)?)))
    }

    /// One that keeps everything, and is not printed.
    pub fn kept(style: Style) -> Self {
        Self::keeping(usize::MAX, style, Box::new(|_| Ok(())))
    }

    /// One that keeps only the last `limit` entries, and is printed by a function.
    pub fn keeping(limit: usize, style: Style, print: Print) -> Self {
        let contents = Awaited::new(Contents {
            began: Instant::now(),
            hidden: Vec::new(),
            told: VecDeque::new(),
            limit,
            forgotten: 0,
            asking: Asking::default(),
            is_over: false,
        });
        Self(Arc::new(Shared { style, print: Mutex::new(print), contents }))
    }

    fn state(&self) -> MutexGuard<'_, Contents> {
        self.0.contents.lock()
    }

    /// Times begin anew, and nothing is hidden.
    pub fn begin(&self) {
        let mut state = self.state();
        state.began = Instant::now();
        state.hidden.clear();
    }

    pub fn hide(&self, label: &str) {
        self.state().hidden.push(label.into());
    }

    /// Leaves a pause, in which the audience was asked something, out of its times.
    pub fn leave_out(&self, pause: Duration) {
        self.state().began += pause;
    }

    /// Tells its readers what the run waits for. A prediction can be voted on until the run waits for something else.
    pub fn wait(&self, wait: Wait) {
        self.asking(|asking| asking.wait(wait));
    }

    pub fn asking<R>(&self, change: impl FnOnce(&mut Asking) -> R) -> R {
        self.0.contents.change(|contents| change(&mut contents.asking))
    }

    /// Waits for a line: one that is typed, or, where it waits for something, the page's. `read` has a thread read the
    /// former for [`Asking::typed`].
    pub fn line(&self, wait: Wait, read: impl FnOnce(Self)) -> io::Result<Vec<u8>> {
        if self.asking(|asking| asking.begins_to_read(wait)) {
            read(self.clone());
        }
        self.0.contents.wait_until(|contents| contents.asking.line.is_some());
        self.state().asking.line.take().unwrap_or_else(|| Ok(Vec::new()))
    }

    pub fn tell_votes(&self) -> Result<()> {
        let votes = self.state().asking.take_votes();
        votes.map_or(Ok(()), |votes| self.tell(Entry::Evidence(votes)))
    }

    pub fn end(&self) {
        self.0.contents.change(|state| state.is_over = true);
    }

    pub fn sees(&self, event: &Event) -> Result<()> {
        let state = self.state();
        // A program's hint is for a person who types the next command; here nobody does.
        if state.hidden.contains(&event.label)
            || event.said().is_some_and(|line| line.starts_with(narration::HINT))
        {
            return Ok(());
        }
        let rung = Rung::of(event.at.saturating_duration_since(state.began), &event.label, &event.what);
        drop(state);
        rung.map_or(Ok(()), |rung| self.tell(Entry::Rung(rung)))
    }

    pub fn draw(&self, mark: Mark) -> Result<()> {
        let time = self.state().began.elapsed();
        self.tell(Entry::Rung(Rung { time, label: String::new(), mark }))
    }

    pub fn tell(&self, told: Entry) -> Result<()> {
        let lines = told.lines(self.0.style);
        let print = self.0.print.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.contents.change(|state| {
            if let Entry::Judged { is_right: Some(is_right), .. } = told {
                state.asking.judged(is_right);
            }
            state.told.push_back(Arc::new((told, OnceLock::new())));
            while state.told.len() > state.limit {
                state.told.pop_front();
                state.forgotten += 1;
            }
        });
        lines.iter().try_for_each(|line| print(line))
    }

    pub fn count(&self) -> usize {
        self.state().count()
    }

    /// The entries beyond the first `number` that are still kept.
    pub fn since(&self, number: usize) -> Vec<Entry> {
        let state = self.state();
        let kept = state.told.iter().skip(number.saturating_sub(state.forgotten));
        kept.map(|piece| piece.0.clone()).collect()
    }

    /// Waits until there is something that a reader has not seen, or the end comes; at most for `patience`.
    pub fn beyond(&self, seen: Seen, patience: Duration) -> News {
        let changes = |state: &Contents| state.asking.changes(seen.sees_votes);
        self.0.contents.wait_for(patience, |state| {
            state.count() > seen.entries || changes(state) != seen.changes || state.is_over
        });
        let state = self.state();
        let changes = changes(&state);
        let first = seen.entries.clamp(state.forgotten, state.count());
        News {
            missing: first.saturating_sub(seen.entries),
            told: state.told.iter().skip(first - state.forgotten).cloned().collect(),
            state: (changes != seen.changes).then_some(state.asking.state),
            votes: if seen.sees_votes { state.asking.votes() } else { Vec::new() },
            is_over: state.is_over,
            seen: Seen { entries: state.count(), changes, ..seen },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;
    use std::sync::mpsc;

    /// Long enough that a test which waits for it has failed.
    const LONG: Duration = Duration::from_secs(3600);

    fn after(entries: usize) -> Seen {
        Seen { entries, ..Seen::default() }
    }

    fn drawn(told: &[Arc<Piece>]) -> String {
        told.iter().flat_map(|piece| piece.0.lines(Style::plain(Lang::En))).collect()
    }

    #[test]
    fn a_bounded_story_prints_all_forgets_its_beginning_and_says_how_much() {
        let (lines, printed) = mpsc::channel();
        let print = move |line: &str| Ok(lines.send(line.to_owned())?);
        let story = Transcript::keeping(3, Style::plain(Lang::En), Box::new(print));
        (0..=5).for_each(|number| story.tell(Entry::Act(words!("{number}", "{number}"))).unwrap());
        assert_eq!((story.count(), story.since(0).len(), printed.try_iter().count()), (6, 3, 6));
        let news = story.beyond(after(1), LONG);
        assert_eq!((news.missing, &*drawn(&news.told)), (2, "> 3> 4> 5"));
        let news = story.beyond(after(4), LONG);
        assert_eq!((news.missing, &*drawn(&news.told)), (0, "> 4> 5"));
        let news = story.beyond(after(99), Duration::ZERO);
        assert_eq!(news.seen.entries, 6, "no number is beyond the end");
    }
}

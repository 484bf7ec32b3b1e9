//! What is told of an experiment, piece by piece: on the terminal as it happens, on a page afterwards.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use common::narration::{self, say};

use super::ladder::{self, Rung};
use super::style::{Ink, Style};
use crate::checks::Check;
use crate::wire::event::Event;
use crate::wire::kernel::Row;
use crate::words::Words;

/// Something that was told.
#[derive(Clone, Debug)]
pub enum Told {
    /// What is about to happen.
    Act(Words),
    /// What happened.
    Rung(Rung),
    /// What was seen of it.
    Evidence(Words),
    /// A line of the kernel's table of sockets.
    Socket(Words),
    /// What came of a promise.
    Check(Check),
    /// What was noticed about what happened.
    Remark(Words),
}

impl Told {
    /// A line of the kernel's table.
    pub fn socket(row: &Row) -> Self {
        let peer = if row.peer_port == 0 { "*".into() } else { row.peer_port.to_string() };
        let Row { state, port, to_send, to_read, .. } = row;
        Self::Socket(words!(
            "{state:12} local :{port:<5} peer :{peer:<5}  to send {to_send}, to read {to_read}",
            "{state:12} 本端 :{port:<5} 对端 :{peer:<5}  待发送 {to_send}，待读取 {to_read}"
        ))
    }

    /// What happened, if it is that.
    pub fn rung(&self) -> Option<&Rung> {
        if let Self::Rung(rung) = self { Some(rung) } else { None }
    }

    /// What came of a promise, if it is that.
    pub fn check(&self) -> Option<&Check> {
        if let Self::Check(check) = self { Some(check) } else { None }
    }

    /// As lines of text.
    pub fn lines(&self, style: Style) -> Vec<String> {
        match self {
            Self::Act(words) => vec![style.paint(Ink::Bold, &format!("> {}", words.to(style.lang)))],
            Self::Rung(rung) => ladder::lines(style, rung),
            Self::Evidence(words) => vec![format!("    {}", words.to(style.lang))],
            Self::Socket(words) => {
                vec![style.paint(Ink::Faint, &format!("      {}", words.to(style.lang)))]
            }
            Self::Check(check) => {
                let mark = style.paint(check.verdict.ink(), check.verdict.mark());
                vec![format!("  {mark} {}", check.sentence().to(style.lang))]
            }
            Self::Remark(words) => {
                let lines = ladder::broken(words.to(style.lang), style.width - 6);
                let indented = lines.iter().enumerate();
                indented
                    .map(|(at, line)| format!("{:1$}{2}", "", if at == 0 { 4 } else { 6 }, line.trim_end()))
                    .collect()
            }
        }
    }
}

/// How many pieces a bounded story keeps.
pub const KEPT: usize = 10_000;

/// Where a story's lines go.
type Print = dyn Fn(&str) -> Result<()> + Send + Sync;

/// What was told so far. Clones are the same story: one is told to, another watches the lab.
#[derive(Clone)]
pub struct Story {
    style: Style,
    print: Arc<Print>,
    state: Arc<Mutex<State>>,
}

struct State {
    began: Instant,
    hidden: Vec<String>,
    told: VecDeque<Told>,
    limit: usize,
}

impl Story {
    /// One that begins now, printed in this style.
    pub fn new(style: Style) -> Self {
        Self::keeping(usize::MAX, style, |line| Ok(say(line)?))
    }

    /// One that begins now and may go on all day: only the last [`KEPT`] pieces are kept. Somebody else prints it.
    pub fn bounded(style: Style, print: impl Fn(&str) -> Result<()> + Send + Sync + 'static) -> Self {
        Self::keeping(KEPT, style, print)
    }

    fn keeping(
        limit: usize,
        style: Style,
        print: impl Fn(&str) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let print: Arc<Print> = Arc::new(print);
        let state = State { began: Instant::now(), hidden: Vec::new(), told: VecDeque::new(), limit };
        Self { style, print, state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells no more of what happens under a label.
    pub fn hide(&self, label: &str) {
        self.state().hidden.push(label.into());
    }

    /// Leaves a pause of the one who watches out of its times.
    pub fn leave_out(&self, pause: Duration) {
        self.state().began += pause;
    }

    /// Tells what happened, where that is to be seen.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn sees(&self, event: &Event) -> Result<()> {
        let state = self.state();
        // A program's hint is for whoever types the next command; here nobody does.
        if state.hidden.contains(&event.label) || event.starts_line(narration::HINT) {
            return Ok(());
        }
        let rung = Rung::of(event.at.saturating_duration_since(state.began), &event.label, &event.what);
        drop(state);
        rung.map_or(Ok(()), |rung| self.tell(Told::Rung(rung)))
    }

    /// Tells something.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn tell(&self, told: Told) -> Result<()> {
        let lines = told.lines(self.style);
        let mut state = self.state();
        state.told.push_back(told);
        while state.told.len() > state.limit {
            state.told.pop_front();
        }
        drop(state);
        lines.iter().try_for_each(|line| (self.print)(line))
    }

    /// Everything that was told.
    pub fn told(&self) -> Vec<Told> {
        self.state().told.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;

    #[test]
    fn a_bounded_story_prints_everything_and_forgets_its_beginning() {
        let printed = Arc::new(Mutex::new(0));
        let counting = Arc::clone(&printed);
        let story = Story::bounded(Style::plain(Lang::En), move |_| {
            *counting.lock().unwrap() += 1;
            Ok(())
        });
        for number in 0..KEPT + 5 {
            story.tell(Told::Act(words!("{number}", "{number}"))).unwrap();
        }
        let told = story.told();
        assert_eq!((told.len(), *printed.lock().unwrap()), (KEPT, KEPT + 5));
        assert!(matches!(&told[0], Told::Act(words) if words.en == "5"), "{:?}", told[0]);
    }

    #[test]
    fn a_remark_is_broken_where_the_line_ends() {
        let style = Style { width: 80, ..Style::plain(Lang::En) };
        let lines = Told::Remark(Words { en: "word ".repeat(40).into(), zh: "".into() }).lines(style);
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("    word") && lines[1].starts_with("      word"), "{lines:?}");
        assert!(lines.iter().all(|line| ladder::width(line) <= 80 && line.ends_with("word")), "{lines:?}");
    }
}

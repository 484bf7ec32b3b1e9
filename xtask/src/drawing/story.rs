//! What is told of an experiment, piece by piece: on the terminal as it happens, on a page afterwards.

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
    /// What to do about it.
    Hint(Words),
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
            Self::Hint(words) => {
                let lines = words.to(style.lang).lines().enumerate();
                let mark = |number| if number == 0 { "→" } else { " " };
                lines.map(|(number, line)| format!("    {} {line}", mark(number))).collect()
            }
            Self::Check(check) => {
                let mark = style.paint(check.verdict.ink(), check.verdict.mark());
                vec![format!("  {mark} {}", check.sentence().to(style.lang))]
            }
        }
    }
}

/// What was told so far. Clones are the same story: one is told to, another watches the lab.
#[derive(Clone)]
pub struct Story {
    style: Style,
    state: Arc<Mutex<State>>,
}

struct State {
    is_aloud: bool,
    began: Instant,
    hidden: Vec<String>,
    told: Vec<Told>,
}

impl Story {
    /// One that begins now, printed in this style.
    pub fn new(style: Style) -> Self {
        let state = State { is_aloud: true, began: Instant::now(), hidden: Vec::new(), told: Vec::new() };
        Self { style, state: Arc::new(Mutex::new(state)) }
    }

    /// One that is kept, and printed by whoever keeps it.
    pub fn kept(style: Style) -> Self {
        let story = Self::new(style);
        story.state().is_aloud = false;
        story
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
        state.told.push(told);
        let is_aloud = state.is_aloud;
        drop(state);
        Ok(lines.iter().filter(|_| is_aloud).try_for_each(|line| say(line))?)
    }

    /// Everything that was told.
    pub fn told(&self) -> Vec<Told> {
        self.state().told.clone()
    }
}

//! The person who watches: --step, --quiz, and what they type.

use std::fmt;
use std::io::{self, BufRead, IsTerminal};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Result;

use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::words::Words;

/// What the person who watches does.
#[derive(Clone, Copy, Debug)]
pub struct Audience {
    /// Presses Enter before every act.
    pub step: bool,
    /// Makes predictions.
    pub quiz: bool,
}

impl Audience {
    /// Waits for Enter, or for [`go_on`] from the live page. After the end of a standard input that is not a terminal,
    /// it no longer waits.
    ///
    /// # Errors
    /// [`Left`] on `q`, or at the end of a terminal's input.
    pub fn wait(style: Style, story: &Transcript) -> Result<()> {
        if DESK.state().at_eof {
            return Ok(());
        }
        style.say(Ink::Faint, &Words::fixed("  [Enter: go on, q: leave]", "  [回车继续，q 退出]"))?;
        let waited = DESK.wait(true, || story.wait(true));
        story.wait(false);
        let Some(line) = waited else { return Ok(()) };
        if matches!(&line, Ok(line) if line.is_empty()) && !io::stdin().is_terminal() {
            DESK.state().at_eof = true;
            let words = Words::fixed(
                "  [nobody can press Enter: standard input has ended; continuing without waiting]",
                "  [标准输入已经结束，没有人能按回车：以下不再等待]",
            );
            return style.say(Ink::Faint, &words);
        }
        heard(line).map(|_| ())
    }
}

/// The person who watches left.
#[derive(Debug)]
pub struct Left;

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left")
    }
}

impl std::error::Error for Left {}

/// A line from standard input, trimmed.
///
/// # Errors
/// [`Left`] for `q` and at the end of standard input, and errors of standard input.
pub fn answer() -> Result<String> {
    DESK.wait(false, || ()).map_or(Ok(String::new()), heard)
}

/// Ends a wait for Enter; false if there is none.
pub fn go_on() -> bool {
    DESK.go_on()
}

fn heard(line: io::Result<Vec<u8>>) -> Result<String> {
    let line = line?;
    let text: String = String::from_utf8_lossy(&line).chars().map(ascii).collect();
    match text.trim() {
        "q" | "Q" => Err(Left.into()),
        _ if line.is_empty() => Err(Left.into()),
        answer => Ok(answer.to_owned()),
    }
}

/// Standard input, shared by the waits for a line and for a step.
struct StdinGate {
    state: Mutex<GateState>,
    changed: Condvar,
}

static DESK: StdinGate = StdinGate {
    state: Mutex::new(GateState { is_reading: false, line: None, is_stepping: false, at_eof: false }),
    changed: Condvar::new(),
};

struct GateState {
    /// A thread reads a line. A read cannot be cancelled: if the wait ended without it, the line is for the next
    /// wait.
    is_reading: bool,
    /// The line that was read.
    line: Option<io::Result<Vec<u8>>>,
    /// The wait may end without a line.
    is_stepping: bool,
    /// Standard input has ended: no more steps.
    at_eof: bool,
}

impl StdinGate {
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a line from standard input; none if the live page went on instead. `announce` is called once it can
    /// do so, not before.
    fn wait(&'static self, is_step: bool, announce: impl FnOnce()) -> Option<io::Result<Vec<u8>>> {
        let mut state = self.state();
        state.is_stepping = is_step;
        announce();
        if !state.is_reading && state.line.is_none() {
            state.is_reading = true;
            thread::spawn(|| self.read());
        }
        let is_waiting = |state: &mut GateState| state.line.is_none() && state.is_stepping == is_step;
        let waited = self.changed.wait_while(state, is_waiting);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_stepping = false;
        state.line.take()
    }

    fn read(&self) {
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line);
        let mut state = self.state();
        (state.line, state.is_reading) = (Some(read.map(|_| line)), false);
        self.changed.notify_all();
    }

    fn go_on(&self) -> bool {
        let was_stepping = std::mem::take(&mut self.state().is_stepping);
        self.changed.notify_all();
        was_stepping
    }
}

/// Chinese input methods also type full-width digits and letters (U+FF01 to U+FF5E).
fn ascii(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

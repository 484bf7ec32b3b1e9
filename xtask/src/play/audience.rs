//! The person who watches: --step, --quiz, and what they type.

use std::fmt;
use std::io::{self, BufRead, IsTerminal};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Result;

use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::drawing::votes::Wait;
use crate::words::Words;

/// What the person who watches does.
#[derive(Clone, Copy, Debug)]
pub struct Audience {
    /// Presses Enter before every act.
    pub step: bool,
    /// Makes predictions.
    pub quiz: bool,
}

/// Waits for Enter, or for [`from_page`]. After the end of a standard input that is not a terminal, it no longer waits.
///
/// # Errors
/// [`Left`] on `q`, or at the end of a terminal's input.
pub fn wait(style: Style, story: &Transcript) -> Result<()> {
    if GATE.state().at_eof {
        return Ok(());
    }
    style.say(Ink::Faint, &Words::fixed("  [Enter: go on, q: leave]", "  [回车继续，q 退出]"))?;
    let line = GATE.wait(|| Some(story.wait(Wait::GoOn)));
    story.wait(Wait::Nothing);
    if matches!(&line, Ok(line) if line.is_empty()) && !io::stdin().is_terminal() {
        GATE.state().at_eof = true;
        let words = Words::fixed(
            "  [nobody can press Enter: standard input has ended; continuing without waiting]",
            "  [标准输入已经结束，没有人能按回车：以下不再等待]",
        );
        return style.say(Ink::Faint, &words);
    }
    heard(line).map(drop)
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
    heard(GATE.wait(|| None))
}

/// As [`answer`], or [`from_page`]: a prediction, with so many choices.
pub fn prediction(story: &Transcript, choices: u64) -> Result<String> {
    heard(GATE.wait(|| Some(story.wait(Wait::Prediction(choices)))))
}

/// Ends the wait of this number, as a line that is typed would; false if nobody waits for that.
pub fn from_page(number: u64, line: &str) -> bool {
    GATE.hear(number, line)
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

/// Standard input, and what the live page says in its place.
struct StdinGate {
    state: Mutex<GateState>,
    changed: Condvar,
}

static GATE: StdinGate = StdinGate {
    state: Mutex::new(GateState { is_reading: false, line: None, number: None, at_eof: false }),
    changed: Condvar::new(),
};

struct GateState {
    /// A thread reads a line. A read cannot be cancelled: if the wait ended without it, the line is for the next
    /// wait.
    is_reading: bool,
    /// The line that was read, or that the page said.
    line: Option<io::Result<Vec<u8>>>,
    /// Of the wait that the page may end.
    number: Option<u64>,
    /// Standard input has ended: no more steps.
    at_eof: bool,
}

impl StdinGate {
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a line from standard input, or from the page, if `announce` gives it the wait's number: that is called
    /// once the page can end the wait, not before.
    fn wait(&'static self, announce: impl FnOnce() -> Option<u64>) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        state.number = announce();
        if !state.is_reading && state.line.is_none() {
            state.is_reading = true;
            thread::spawn(|| self.read());
        }
        let waited = self.changed.wait_while(state, |state| state.line.is_none());
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.number = None;
        state.line.take().unwrap_or_else(|| Ok(Vec::new()))
    }

    fn read(&self) {
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line);
        let mut state = self.state();
        (state.line, state.is_reading) = (Some(read.map(|_| line)), false);
        self.changed.notify_all();
    }

    fn hear(&self, number: u64, line: &str) -> bool {
        let mut state = self.state();
        let is_awaited = state.number == Some(number) && state.line.is_none();
        if is_awaited {
            (state.line, state.number) = (Some(Ok(format!("{line}\n").into())), None);
            self.changed.notify_all();
        }
        is_awaited
    }
}

/// Chinese input methods also type full-width digits and letters (U+FF01 to U+FF5E).
fn ascii(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

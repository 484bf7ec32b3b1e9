//! What a program is judged by: stages, what they are made of, and what may come of them.

use common::framing::Framing;

use super::trial::Trial;
use crate::drawing::entry::Lanes;
use crate::peers::script::{How, Step, Stop};
use crate::wire::event::Side;
use crate::wire::kernel::Protocol;
use crate::words::Words;

/// A kind of program that can be judged.
pub struct Kind {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What it is to do.
    pub protocol: Words,
    /// How its command may look.
    pub example: &'static str,
    /// The places that its command needs, or the options that stand for them.
    pub places: &'static [&'static str],
    /// In the order in which such a program is built.
    pub stages: &'static [Stage],
    /// Of the stages, so many from the first are the ground of all others.
    pub ground: usize,
    /// What it speaks.
    pub speaks: Protocol,
    /// Where its messages end, whatever is asked for.
    pub framing: Option<Framing>,
    /// Its lane in a ladder.
    pub lane: Side,
    /// Who stands in the lanes.
    pub lanes: Lanes,
}

/// A step of what a program is judged by.
pub struct Stage {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What it promises, with the claim or the mistake of the notes that it is about.
    pub promise: (&'static str, Words),
    /// What is done, in this order.
    pub acts: &'static [Act],
    /// What the likely mistake is, where what came tells.
    pub hint: fn(&Evidence<'_>) -> Option<Hint>,
}

/// A part of a stage.
pub enum Act {
    /// The other side plays a script, and meets what stands in it.
    Plays(&'static [Step]),
    /// The judge starts something, or looks at the program itself.
    Does(fn(&mut Trial<'_>) -> Played),
}

/// What came of playing a stage, or a part of it.
pub type Played<T = ()> = Result<T, Halt>;

/// Why a stage was not played to its end.
pub enum Halt {
    /// The promise is broken: by what came, or by the kernel's table.
    Broken(Box<Failure>),
    /// Nothing came that would decide.
    NotDecided(Box<Failure>),
    /// It cannot be judged here.
    NotAvailable(Words),
    /// The judge himself cannot go on.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Halt {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// A mismatch that nothing is asked about is no verdict: the judge cannot go on.
impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::NotAvailable(why) => Self::NotAvailable(why),
            stop => Self::Failed(stop.into()),
        }
    }
}

impl From<std::io::Error> for Halt {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// What is wrong.
pub struct Failure {
    /// What was expected.
    pub expected: Words,
    /// What came.
    pub came: Words,
    /// What the kernel's table says of it, or what happened next.
    pub behind: Option<Words>,
    /// The likely mistake.
    pub hint: Option<Hint>,
}

impl Halt {
    /// Something is broken, by what came.
    pub fn broken(expected: Words, came: Words, hint: Option<Hint>) -> Self {
        Self::Broken(Box::new(Failure { expected, came, behind: None, hint }))
    }

    /// Nothing came that would decide.
    pub fn not_decided(expected: Words, came: Words, hint: Option<Hint>) -> Self {
        Self::NotDecided(Box::new(Failure { expected, came, behind: None, hint }))
    }
}

/// A likely mistake, and where it is shown.
#[derive(Clone)]
pub struct Hint {
    /// The number of the claim or the mistake; none where only the program's own words help.
    pub about: &'static str,
    /// What to look for.
    pub words: Words,
}

/// A hint; it says itself where it only guesses.
#[expect(clippy::unnecessary_wraps, reason = "who hints may have no hint")]
pub const fn hint(about: &'static str, en: &'static str, zh: &'static str) -> Option<Hint> {
    Some(Hint { about, words: Words::fixed(en, zh) })
}

/// What the kernel's tables say of the program, as far as there are any.
#[derive(Default)]
pub struct Tables {
    /// Connections that wait to be accepted.
    pub unaccepted: u64,
    /// Bytes that have come and are not read.
    pub unread: u64,
    /// The client has left, and the program's end is open.
    pub is_left_open: bool,
    /// The program runs, and nobody can come to it any more.
    pub is_closed: bool,
}

/// What was seen where something else was expected: hints are chosen by it.
pub struct Evidence<'a> {
    /// The message that was expected; none where it was something else: the end.
    pub expected: Option<&'a [u8]>,
    /// What the program had been told last, as it went over the wire.
    pub said: &'a [u8],
    /// How the wait ended.
    pub how: How,
    /// What came.
    pub bytes: &'a [u8],
    /// Where a message ends.
    pub framing: Framing,
    /// The program has ended.
    pub is_gone: bool,
    /// Its last lines, if it has.
    pub last_words: &'a str,
    /// What the kernel's tables say.
    pub tables: &'a Tables,
}

impl Evidence<'_> {
    /// Whether these bytes are somewhere in what came.
    pub fn has(&self, bytes: &[u8]) -> bool {
        self.bytes.windows(bytes.len().max(1)).any(|window| window == bytes)
    }

    /// Whether the connection is over.
    pub fn is_over(&self) -> bool {
        matches!(self.how, How::Ended | How::Reset | How::Refused)
    }
}

/// Whether a program's last words say that it fell over what is no text.
pub fn is_about_text(last_words: &str) -> bool {
    let words = last_words.to_lowercase();
    ["decode", "utf-8", "utf8", "unicode", "malformedinput"].iter().any(|word| words.contains(word))
}

//! What a row is made of: an exercise, its stages, and the likely mistakes, chosen by what was seen.

use std::net::SocketAddr;

use common::framing::Framing;
use common::greeting;

use crate::peers::names::Names;
use crate::peers::script::{Expected, How, Step};
use crate::wire::event::Side;
use crate::wire::kernel::Protocol;
use crate::words::Words;

/// What a program of one kind has to do.
pub struct Exercise {
    pub name: &'static str,
    pub description: Words,
    /// The places that its command needs.
    pub places: &'static [&'static str],
    pub transport: Protocol,
    /// Its lane in a ladder.
    pub side: Side,
    /// Where its messages end, whatever `--framing` says.
    pub framing: Option<Framing>,
    /// What no stage asks for, and why.
    pub not_asked: &'static [Words],
    /// In the order in which such a program is built.
    pub stages: &'static [Stage],
    /// Mistakes that any stage may meet, tried before its own.
    pub anywhere: &'static [Likely],
    /// Mistakes that are tried after the stage's own.
    pub otherwise: &'static [Likely],
}

impl Exercise {
    /// The likely mistake, by what was seen in one of its stages: the first that fits.
    pub fn likely(&self, stage: &Stage, seen: &Evidence<'_>) -> Option<&'static Mistake> {
        [self.anywhere, stage.likely, self.otherwise].into_iter().find_map(|list| first(list, seen))
    }

    /// What clients do to a server that runs already, stage by stage: for our own servers.
    pub fn scripts(&self) -> impl Iterator<Item = &'static [Step]> {
        let scripts = self.stages.iter().filter_map(|stage| stage.script.strip_prefix(&[Step::Starts]));
        scripts.filter(|script| !script.iter().any(Step::needs_the_process))
    }

    pub fn mistakes(&self) -> Vec<&'static Mistake> {
        let own = self.stages.iter().map(|stage| stage.likely);
        own.chain([self.anywhere, self.otherwise]).flat_map(all_of).collect()
    }

    pub fn stage(&self, name: &str) -> Option<&'static Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }
}

/// One step in building a program: a promise, how it is tested, and what is likely wrong where it fails.
pub struct Stage {
    pub name: &'static str,
    /// The number of the claim that it is about, and what the program has to do.
    pub promise: (&'static str, Words),
    pub script: &'static [Step],
    /// The likely mistakes; the first that fits is told.
    pub likely: &'static [Likely],
}

pub const fn stage(
    name: &'static str,
    claim: &'static str,
    (en, zh): (&'static str, &'static str),
    script: &'static [Step],
    likely: &'static [Likely],
) -> Stage {
    Stage { name, promise: (claim, Words::fixed(en, zh)), script, likely }
}

/// Whether something was seen.
pub type When = fn(&Evidence<'_>) -> bool;

/// An entry in a list of mistakes.
pub enum Likely {
    /// This mistake, if that was seen.
    Is(When, Mistake),
    /// The first that fits of these, if that was seen.
    Among(When, &'static [Likely]),
}

/// A likely mistake. One that is a guess says so.
#[derive(Debug, PartialEq)]
pub struct Mistake {
    /// Its name; the same name has the same words in all lists of an exercise.
    pub name: &'static str,
    /// The lesson that shows it; empty where none does.
    pub lesson: &'static str,
    /// What to look for, in English and in Chinese.
    pub words: [&'static str; 2],
}

impl Mistake {
    pub fn told(&self) -> Words {
        let [en, zh] = self.words;
        Words::fixed(en, zh)
    }
}

pub const fn is(
    name: &'static str,
    when: When,
    lesson: &'static str,
    en: &'static str,
    zh: &'static str,
) -> Likely {
    Likely::Is(when, Mistake { name, lesson, words: [en, zh] })
}

pub const fn all(likely: &'static [Likely]) -> Likely {
    Likely::Among(|_| true, likely)
}

fn first(list: &'static [Likely], seen: &Evidence<'_>) -> Option<&'static Mistake> {
    list.iter().find_map(|likely| match likely {
        Likely::Is(when, mistake) => when(seen).then_some(mistake),
        Likely::Among(when, more) => when(seen).then(|| first(more, seen)).flatten(),
    })
}

fn all_of(list: &'static [Likely]) -> Vec<&'static Mistake> {
    let of = |likely: &'static Likely| match likely {
        Likely::Is(_, mistake) => vec![mistake],
        Likely::Among(_, more) => all_of(more),
    };
    list.iter().flat_map(of).collect()
}

/// The answer holds the whole name that was expected, and what is around it is wrong.
pub fn other_around_the_name(seen: &Evidence<'_>) -> bool {
    let name = seen.message().and_then(|message| message.strip_prefix(b"Hello, ")?.strip_suffix(b"!"));
    let is_held = name.is_some_and(|name| name.is_empty() || seen.has(name));
    let has_right_words = seen.has(b"Hello, ") && seen.bytes.trim_ascii_end().ends_with(b"!");
    let is_answer = matches!(seen.how, How::Other | How::Ended) && !seen.is_gone && !seen.bytes.is_empty();
    is_answer && is_held && (!has_right_words || seen.after_message().is_some())
}

/// What the kernel's tables say of the program; all zero where a system has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tables {
    /// Connections that wait to be accepted.
    pub unaccepted: u64,
    /// Bytes that have arrived and were not read.
    pub unread: u64,
    /// The client has closed, and the program's end is still open (`CLOSE_WAIT`).
    pub is_left_open: bool,
    /// The program runs, and its listener is closed.
    pub is_closed: bool,
}

/// What the threads of a silent program wait for, where that is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waits {
    /// One waits for its standard input.
    pub is_input_read: bool,
    /// All of them wait for others: none computes, sends or sleeps.
    pub is_for_others: bool,
}

/// Where a server is, if not where it should be.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is seen alone")]
pub struct Location {
    /// Where it is instead.
    pub found: Vec<SocketAddr>,
    /// That is the other protocol's.
    pub is_other_protocol: bool,
    /// Earlier connections still occupy its port (`TIME_WAIT`).
    pub is_port_held: bool,
    /// No other program has its port.
    pub is_port_free: bool,
    /// The program's process that is there: its name and its number.
    pub owner: String,
    /// That has left the program's process group.
    pub has_left: bool,
    /// It ignores Ctrl-C (SIGINT).
    pub is_deaf: bool,
}

impl Location {
    /// It is at one of these ports, if at another address.
    pub fn has_port(&self, port: u16) -> bool {
        self.found.iter().any(|found| found.port() == port)
    }
}

/// What was seen where something else was expected.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The client that was failed, as the ladder counts them.
    pub number: usize,
    pub expected: &'a Expected,
    /// What was sent to the program last, with its framing.
    pub said: &'a [u8],
    pub how: How,
    pub bytes: &'a [u8],
    pub framing: Framing,
    pub is_gone: bool,
    /// The last lines that it printed, or the error that it reported.
    pub output: &'a str,
    /// Its exit status or its signal, unless it is 0.
    pub status: &'a str,
    pub tables: Tables,
    /// Where a server should be.
    pub at: SocketAddr,
    pub location: Location,
    pub waits: Waits,
    /// A client has come a second time.
    pub is_back: bool,
    pub names: Names,
}

impl<'a> Evidence<'a> {
    pub fn is_silent(&self) -> bool {
        self.how == How::Silent
    }

    pub fn is_over(&self) -> bool {
        matches!(self.how, How::Ended | How::Reset | How::Refused)
    }

    /// The message that was expected; none where it was something else.
    pub fn message(&self) -> Option<&'a [u8]> {
        if let Expected::Message(message) = self.expected { Some(message) } else { None }
    }

    /// No message was expected: an end, or nothing more.
    pub fn wants_end(&self) -> bool {
        self.message().is_none()
    }

    pub fn wants(&self, message: &[u8]) -> bool {
        self.message() == Some(message)
    }

    /// The greeting of a name of the row was expected.
    pub fn wants_greeting(&self, name: &[u8]) -> bool {
        self.wants(&greeting::of(&self.names.of(name)))
    }

    /// These bytes are somewhere in what arrived.
    pub fn has(&self, bytes: &[u8]) -> bool {
        self.bytes.windows(bytes.len().max(1)).any(|window| window == bytes)
    }

    /// The expected message is somewhere in what arrived.
    pub fn has_message(&self) -> bool {
        self.message().is_some_and(|message| !message.is_empty() && self.has(message))
    }

    /// What arrived after the expected message, if it begins with that.
    pub fn after_message(&self) -> Option<&'a [u8]> {
        self.bytes.strip_prefix(self.message().filter(|message| !message.is_empty())?)
    }

    /// The name that was sent last, without its framing.
    pub fn name(&self) -> &'a [u8] {
        match self.framing {
            Framing::Line => self.said.trim_ascii_end(),
            Framing::Length => self.said.get(4..).unwrap_or_default(),
            Framing::Raw => self.said,
        }
    }

    /// The name arrived between these bytes.
    pub fn has_name(&self, before: &[u8], after: &[u8]) -> bool {
        !self.name().is_empty() && self.has(&[before, self.name(), after].concat())
    }

    /// The program said why it failed, or its status does.
    pub fn complains(&self) -> bool {
        !(self.output.is_empty() && self.status.is_empty())
    }

    /// One of these, in lower case, is in its output or in its status.
    pub fn complains_of(&self, signs: &[&str]) -> bool {
        let words = format!("{}\n{}", self.output, self.status).to_lowercase();
        signs.iter().any(|sign| words.contains(sign))
    }
}

//! A script: what the other side of a program says and must hear, step by step: the clients of a server, or the server
//! that a client meets. Judge, soak and tests play the same scripts with the same meaning (`player.rs`).

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display, Formatter};

use anyhow::{Result, ensure};
use common::framing::Framing;
use common::narration::escape;

use crate::words::Words;

/// What one peer does, or must hear. Peers are counted from 1, as a ladder shows them. The names are those of the notes; a
/// run may have others in their place ([`Names`](super::names::Names)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Connects; over UDP, opens its socket.
    Comes(usize),
    /// Connects, and hears `Welcome!`.
    Enters(usize),
    /// Says these messages, over TCP with one write.
    Says(usize, &'static [&'static [u8]]),
    /// Says a message byte by byte: each byte once the one before was read, the last one after a second of silence.
    SaysByBytes(usize, &'static [u8]),
    /// Says the first half of a message.
    Begins(usize, &'static [u8]),
    /// Says the second half of it.
    Finishes(usize, &'static [u8]),
    /// Says the second half of it, and shuts down its half: the last byte and the end come together.
    EndsWith(usize, &'static [u8]),
    /// Says a name again and again and reads no answer, until the program takes no more.
    Floods(usize, &'static [u8]),
    /// Hears exactly this message next.
    Hears(usize, &'static [u8]),
    /// Hears this message next; where nothing comes, plays these steps and tries again: heard then, it was [`How::Later`].
    HearsOr(usize, &'static [u8], &'static [Step]),
    HearsGreeting(usize, &'static [u8]),
    /// Says a name, and hears its greeting.
    Greeted(usize, &'static [u8]),
    /// Says a name, and hears its greeting or a refusal.
    GreetedOrRefused(usize, &'static [u8]),
    /// Hears an HTTP request of this path, up to its empty line.
    IsAskedFor(usize, &'static str),
    /// Waits up to a second for something to come, and leaves it to be heard.
    Waits(usize),
    /// Hears any message, or the end.
    HearsAnything(usize),
    /// Hears a greeting of what it began to say, or none; then the end.
    HearsHalfAtMost(usize),
    /// Hears nothing more before it speaks again.
    HearsNoMore(usize),
    /// Hears the end, and nothing before it.
    HearsTheEnd(usize),
    /// Shuts down its half, and goes on listening.
    SaysNoMore(usize),
    /// Closes, with nothing unread.
    Leaves(usize),
    /// Waits for something to come, and closes with that unread: a reset.
    Resets(usize),
    /// All peers wait until the program is idle: it has dealt with everything that has come.
    Rest,
    /// All peers wait for a second.
    Thinks,
    /// Sends a datagram that is lost on its way.
    Loses(usize, &'static [u8]),
    /// A socket that the program never asked sends it a datagram.
    StrangerSays(usize, &'static [u8]),
    /// The program, which got a wrong answer, keeps waiting for the answer to this.
    IsWaitedFor(usize, &'static [u8]),
    /// The program has not sent more datagrams than this.
    AsksAtMost(usize, usize),
    /// Replies with a large page ([`large`](super::replies::large)).
    SendsMuch(usize),
    /// What follows needs messages with an end: the raw framing has none, and the script ends here.
    NeedsBoundary,
    /// Plays these steps: a part that several scripts share.
    Plays(&'static [Step]),

    // The program itself: only a judge, who has started it, plays these.
    /// A server is started, and waits where it was told to.
    Starts,
    /// It does not end at once.
    Stays,
    /// It is killed, and starts again on the same port; #1 sees the end, and leaves.
    Restarts,
    /// It gets Ctrl-C, and ends in time. Where it does not: the first steps may be what it waits for, and whether the
    /// second ones succeed says whether it goes on.
    IsInterrupted(&'static [Step], &'static [Step]),
    /// Twice ten clients, one after another, say this name and leave: after the second ten it has no more descriptors open,
    /// and no more ended processes to wait for, than after the first.
    GivesBack(&'static [u8]),
    /// It uses next to no processor time while nobody speaks.
    Sleeps,
    /// A client is started, and connects to #1; over UDP, #1 waits for its datagram.
    Hosts,
    /// A client is started, and no socket has the port that it is sent to.
    Nobody,
    /// It ends with status 0.
    Ends,
    /// It ends although its connection to #1 stays open.
    EndsOpen,
    /// It does not end before #1 does.
    Outwaits,
    /// It ends with a message and a status other than 0.
    Fails,
    /// It has printed each of these once.
    Prints(&'static [&'static str]),
    /// It has saved this body in the file; where that is empty, perhaps no file.
    Saves(&'static str),
    /// It has saved the large page.
    SavesMuch,
    /// It has printed this somewhere.
    Shows(&'static str),
}

impl Step {
    /// Whether a server that runs already, and was not started here, cannot be asked for it.
    pub fn needs_the_process(&self) -> bool {
        use Step::{GivesBack, IsInterrupted, Restarts, Sleeps, Starts, Stays};
        matches!(self, Starts | Stays | Restarts | IsInterrupted(..) | GivesBack(_) | Sleeps)
    }
}

/// What was expected of the program.
#[derive(Clone, Debug)]
pub enum Expected {
    Connection,
    Message(Vec<u8>),
    Anything,
    HalfAtMost,
    Request(&'static str),
    NoMore,
    End,
    Few(usize),
    /// To wait for the answer to this.
    Patience(Vec<u8>),
    /// A server: to be at its address.
    Ready,
    /// A client: to connect; over UDP, to send.
    Visit,
    Stop,
    /// To close the descriptors of clients that have left.
    Closes,
    /// To wait for the processes of clients that have left.
    Reaps,
    Sleeps,
    /// To end with status 0.
    Success,
    /// To end with a message and another status.
    Failure,
    /// To end after its peer.
    Outwaits,
    Printed(&'static str),
    Saved(Cow<'static, [u8]>),
    Shown(String),
}

impl Expected {
    /// Whether it is about the program itself, and not about what its peers hear.
    pub fn is_the_programs(&self) -> bool {
        use Expected::{Anything, Connection, End, Few, HalfAtMost, Message, NoMore, Patience, Request};
        !matches!(self, Connection | Message(_) | Anything | HalfAtMost | Request(_))
            && !matches!(self, NoMore | End | Few(_) | Patience(_))
    }
}

/// How a wait for something else ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Other bytes came.
    Other,
    /// The stream ended; over UDP, the program has. Of a file: there is none.
    Ended,
    /// The connection was reset; over UDP, no socket has that port.
    Reset,
    /// The connection was not accepted.
    Refused,
    /// Nothing more came for as long as the patience lasts.
    Silent,
    /// The program went on where it should have waited.
    WentOn,
    /// It came only after something else had been done.
    Later,
    /// It was not over in time, though something came again and again; of an end: it came too late.
    Late,
    /// Another client got it.
    Elsewhere,
    /// The program goes on as if nothing had happened.
    Unmoved,
}

/// What came in place of what was expected.
#[derive(Clone, Debug)]
pub struct Found {
    pub how: How,
    /// What had come by then and was not yet understood; why the connection was refused; which client got it.
    pub bytes: Vec<u8>,
}

impl Found {
    pub const fn nothing(how: How) -> Self {
        Self { how, bytes: Vec::new() }
    }
}

/// Where a script did not go on: a finding about the program, and an error for whoever tests one of ours.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// Which peer the program failed.
    pub number: usize,
    pub expected: Expected,
    pub found: Found,
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { number, expected, found: Found { how, bytes } } = self;
        match expected {
            Expected::Message(message) => write!(f, "#{number} expected '{}'", escape(message))?,
            other => write!(f, "#{number} expected {other:?}")?,
        }
        write!(f, ", got '{}' ({how:?})", escape(bytes))
    }
}

impl Error for Mismatch {}

/// Why a script cannot be played here.
#[derive(Debug)]
pub struct NotAvailable(pub Words);

impl Display for NotAvailable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.en)
    }
}

impl Error for NotAvailable {}

/// The part of a script that can be played with this framing.
///
/// # Errors
/// [`NotAvailable`], where nothing is left of it.
pub fn playable(script: &[Step], framing: Framing) -> Result<&[Step]> {
    let boundary = script.iter().position(|step| matches!(step, Step::NeedsBoundary));
    let boundary = boundary.filter(|_| framing == Framing::Raw);
    let why = Words::fixed(
        "raw framing marks no end of a message: cargo xtask demo framing",
        "raw 不标明消息在哪里结束：cargo xtask demo framing",
    );
    // A single step before it is only the start of the program.
    ensure!(boundary.is_none_or(|end| end > 1), NotAvailable(why));
    Ok(&script[..boundary.unwrap_or(script.len())])
}

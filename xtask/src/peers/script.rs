//! What the other side of a program says and has to hear, step by step: clients of a server, or the host that a client
//! meets. The judge plays a script on a student's program, the soak and the tests play it on ours.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use common::framing::Framing;
use common::greeting;
use common::narration::escape;

use super::found::{Found, How};
use super::tcp_peer::{TcpPeer, framed};
use super::udp_peer::UdpPeer;
use crate::wire::event::Recorder;
use crate::wire::kernel::Protocol;
use crate::wire::record::STUCK;

const SECOND: Duration = Duration::from_secs(1);

/// A program that starts is given so many times the patience: it may have to be compiled first.
pub const STARTS: u32 = 3;

/// What one of them does, or has to meet. They are counted from 1, as a ladder shows them.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Connects; over UDP it has a socket now.
    Comes(usize),
    /// Connects, and hears `Welcome!`.
    Enters(usize),
    /// Says these messages, over TCP with one write.
    Says(usize, &'static [&'static [u8]]),
    /// Says a message byte by byte, each once the one before was read, as far as anybody can tell.
    SaysByBytes(usize, &'static [u8]),
    /// Says a message but for its last four bytes, and ends its half.
    BreaksOff(usize, &'static [u8]),
    /// Hears this very message next.
    Hears(usize, &'static [u8]),
    /// Hears the greeting of this name next.
    HearsGreeting(usize, &'static [u8]),
    /// Says a name, and hears its greeting.
    Greeted(usize, &'static [u8]),
    /// Says a name, and hears its greeting or what is none: a refusal.
    GreetedOrRefused(usize, &'static [u8]),
    /// Is asked for this path by HTTP, with an empty line behind.
    IsAskedFor(usize, &'static str),
    /// Gives what may come for it a second, and leaves it to be heard.
    Waits(usize),
    /// Hears any message, or the end.
    HearsAnything(usize),
    /// Hears a greeting of what was broken off, or none; and then the end.
    HearsHalfAtMost(usize),
    /// Hears nothing more before it says something.
    HearsNoMore(usize),
    /// Hears the end, and nothing before it.
    HearsTheEnd(usize),
    /// Ends its half: it has nothing more to say, and goes on listening.
    SaysNoMore(usize),
    /// Closes, with nothing unread.
    Leaves(usize),
    /// Waits for something to come, and leaves with a reset.
    Resets(usize),
    /// All of them rest until the program has done what it does about what has come.
    Rest,
    /// Thinks for a second.
    Thinks,
    /// This datagram is lost on its way.
    Loses(usize, &'static [u8]),
    /// Somebody else says it, whom nobody has asked.
    StrangerSays(usize, &'static [u8]),
    /// Whom it has answered wrongly goes on waiting for the answer to this.
    IsWaitedFor(usize, &'static [u8]),
    /// What follows needs the end of a message to be marked; a framing without a mark ends the script here.
    NeedsBoundary,
}

/// What was expected of the program.
#[derive(Clone, Debug)]
pub enum Expected {
    /// To take a connection.
    Connection,
    /// To say this.
    Message(Vec<u8>),
    /// To say something, or to end the connection.
    Anything,
    /// To answer half a message at most, and to end the connection.
    HalfAtMost,
    /// To ask for this path.
    Request(&'static str),
    /// To say nothing more for the time being.
    NoMore,
    /// To end the connection.
    End,
    /// To wait for the answer to this.
    Patience(Vec<u8>),
}

/// Where a script did not go on.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// Whom the program failed.
    pub number: usize,
    /// What was expected.
    pub expected: Expected,
    /// What came in its place.
    pub found: Found,
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { number, expected, found } = self;
        match expected {
            Expected::Message(message) => write!(f, "#{number} expected '{}', ", escape(message))?,
            other => write!(f, "#{number} expected {other:?}, ")?,
        }
        write!(f, "and found {found}")
    }
}

/// One of those who play.
pub enum Peer {
    /// Over TCP.
    TcpPeer(TcpPeer),
    /// Over UDP.
    UdpPeer(UdpPeer),
}

impl Peer {
    /// What it said last, as it went.
    pub fn said(&self) -> &[u8] {
        match self {
            Self::TcpPeer(caller) => &caller.said,
            Self::UdpPeer(asker) => &asker.said,
        }
    }

    fn hears(&mut self, message: &[u8], is_over: &dyn Fn() -> bool) -> Result<(), Found> {
        match self {
            Self::TcpPeer(caller) => caller.hears(message),
            Self::UdpPeer(asker) => asker.hears(message, is_over),
        }
    }
}

/// Those who play, on a program at this address.
pub struct Peers {
    /// Where a server is; where a client finds its host.
    pub at: SocketAddr,
    /// What the clients of a server speak.
    pub protocol: Protocol,
    /// Where a message ends, over TCP.
    pub framing: Framing,
    /// How long a silence may be.
    pub patience: Duration,
    recorder: Recorder,
    parties: BTreeMap<usize, Peer>,
}

impl Peers {
    /// Nobody has come yet.
    pub fn new(
        at: SocketAddr,
        protocol: Protocol,
        framing: Framing,
        patience: Duration,
        recorder: Recorder,
    ) -> Self {
        Self { at, protocol, framing, patience, recorder, parties: BTreeMap::new() }
    }

    /// One of them, unless he has left.
    pub fn party(&mut self, number: usize) -> Option<&mut Peer> {
        self.parties.get_mut(&number)
    }

    /// One of them who speaks TCP, unless he has left.
    pub fn caller(&mut self, number: usize) -> Option<&mut TcpPeer> {
        match self.parties.get_mut(&number) {
            Some(Peer::TcpPeer(caller)) => Some(caller),
            _ => None,
        }
    }

    /// One of them who speaks UDP, unless he has left.
    pub fn asker(&mut self, number: usize) -> Option<&mut UdpPeer> {
        match self.parties.get_mut(&number) {
            Some(Peer::UdpPeer(asker)) => Some(asker),
            _ => None,
        }
    }

    /// One more of them, who is there already.
    pub fn joins(&mut self, number: usize, party: Peer) {
        self.parties.insert(number, party);
    }

    /// How many are there.
    pub fn size(&self) -> usize {
        self.parties.len()
    }

    /// The number of the next to come.
    pub fn next(&self) -> usize {
        self.parties.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// All leave.
    pub fn leave(&mut self) {
        self.parties.clear();
    }

    /// Plays one step. `is_over` says whether the program is gone, where no connection tells.
    ///
    /// # Errors
    /// What came in place of what was expected.
    pub fn plays(&mut self, step: Step, is_over: &dyn Fn() -> bool) -> Result<(), Mismatch> {
        match step {
            Step::Comes(number) => self.comes(number)?,
            Step::Enters(number) => {
                self.comes(number)?;
                self.hears(number, greeting::WELCOME, is_over)?;
            }
            Step::Says(number, messages) => self.says(number, messages),
            Step::SaysByBytes(number, message) => self.does(number, |caller| caller.says_by_bytes(message)),
            Step::BreaksOff(number, message) => self.does(number, |caller| caller.breaks_off(message)),
            Step::SaysNoMore(number) => self.does(number, TcpPeer::ends),
            Step::Waits(number) => self.does(number, |caller| {
                caller.came_within(SECOND);
            }),
            Step::Hears(number, message) => self.hears(number, message, is_over)?,
            Step::HearsGreeting(number, name) => self.hears(number, &greeting::of(name), is_over)?,
            Step::Greeted(number, name) => {
                self.says(number, &[name]);
                self.hears(number, &greeting::of(name), is_over)?;
            }
            Step::GreetedOrRefused(number, name) => {
                self.says(number, &[name]);
                let heard = self.hears(number, &greeting::of(name), is_over);
                heard.or_else(|miss| if miss.found.is_refusal() { Ok(()) } else { Err(miss) })?;
            }
            Step::IsAskedFor(number, path) => {
                self.finds(number, Expected::Request(path), |caller| caller.is_asked_for(path))?;
            }
            Step::HearsAnything(number) => {
                self.finds(number, Expected::Anything, TcpPeer::hears_anything)?;
            }
            Step::HearsHalfAtMost(number) => {
                self.finds(number, Expected::HalfAtMost, TcpPeer::hears_half_at_most)?;
            }
            Step::HearsNoMore(number) => self.finds(number, Expected::NoMore, TcpPeer::hears_no_more)?,
            Step::HearsTheEnd(number) => self.finds(number, Expected::End, TcpPeer::hears_the_end)?,
            Step::Leaves(number) => {
                // A datagram has no end.
                if let Some(Peer::TcpPeer(caller)) = self.parties.remove(&number) {
                    caller.leaves();
                }
            }
            Step::Resets(number) => {
                if let Some(Peer::TcpPeer(caller)) = self.parties.remove(&number) {
                    caller.resets();
                }
            }
            Step::Loses(number, message) => {
                self.asker(number).into_iter().for_each(|asker| asker.loses(message));
            }
            Step::StrangerSays(number, message) => {
                self.asker(number).into_iter().for_each(|asker| asker.is_outshouted(message));
            }
            Step::Thinks => thread::sleep(SECOND),
            Step::Rest | Step::IsWaitedFor(..) | Step::NeedsBoundary => {} // it takes a look into the program
        }
        Ok(())
    }

    /// What one does over TCP.
    fn does(&mut self, number: usize, act: impl FnOnce(&mut TcpPeer)) {
        if let Some(caller) = self.caller(number) {
            act(caller);
        }
    }

    /// What one has to find over TCP.
    fn finds(
        &mut self,
        number: usize,
        expected: Expected,
        find: impl FnOnce(&mut TcpPeer) -> Result<(), Found>,
    ) -> Result<(), Mismatch> {
        let found = self.caller(number).map_or(Ok(()), find);
        found.map_err(|found| Mismatch { number, expected, found })
    }

    /// One more client of the server.
    fn comes(&mut self, number: usize) -> Result<(), Mismatch> {
        let recorder = self.recorder.labelled(&format!("#{number}"));
        let came = match self.protocol {
            Protocol::Tcp => {
                TcpPeer::connect(self.at, self.framing, self.patience, recorder).map(Peer::TcpPeer)
            }
            Protocol::Udp => UdpPeer::new(self.at, self.patience, recorder).map(Peer::UdpPeer),
        };
        match came {
            Ok(party) => {
                self.joins(number, party);
                Ok(())
            }
            Err(e) => {
                let found = Found { how: How::Refused, bytes: e.to_string().into_bytes() };
                Err(Mismatch { number, expected: Expected::Connection, found })
            }
        }
    }

    /// One says messages: over TCP all of them with one write.
    pub fn says(&mut self, number: usize, messages: &[&[u8]]) {
        let framing = self.framing;
        match self.parties.get_mut(&number) {
            Some(Peer::TcpPeer(caller)) => {
                let bytes: Vec<_> = messages.iter().flat_map(|message| framed(framing, message)).collect();
                caller.sends(&bytes);
            }
            Some(Peer::UdpPeer(asker)) => messages.iter().for_each(|message| asker.says(message)),
            None => {}
        }
    }

    /// One has to hear this message next.
    ///
    /// # Errors
    /// Whatever came in its place.
    pub fn hears(
        &mut self,
        number: usize,
        message: &[u8],
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), Mismatch> {
        let nobody = || Err(Found::nothing(How::Ended));
        let heard = self.parties.get_mut(&number).map_or_else(nobody, |party| party.hears(message, is_over));
        heard.map_err(|found| Mismatch { number, expected: Expected::Message(message.into()), found })
    }
}

/// Plays a script on a server of ours, whose messages are lines.
///
/// # Errors
/// Where it does not go on.
pub fn plays_on(at: SocketAddr, protocol: Protocol, steps: &[Step]) -> Result<()> {
    let mut cast = Peers::new(at, protocol, Framing::Line, STUCK, Recorder::discarding());
    steps.iter().try_for_each(|step| cast.plays(*step, &|| false)).map_err(|miss| anyhow!("{miss}"))
}

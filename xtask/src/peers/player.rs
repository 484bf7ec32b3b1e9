//! The peers that play a script on a program: the clients of a server, or the server of a client.

use std::collections::BTreeMap;
use std::iter;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use common::greeting;

use super::replies;
use super::script::{Expected, Found, How, Mismatch, Step, playable};
use super::talk::{Talk, within};
use super::tcp_peer::TcpPeer;
use super::udp_peer::UdpPeer;
use crate::wire::kernel::{self, Protocol};

const SECOND: Duration = Duration::from_secs(1);

/// For what may have come just now, where nobody can tell.
const MOMENT: Duration = Duration::from_millis(20);

/// What a script may ask about the program.
pub struct Met<'a> {
    /// The process that was started; what it has started in its own process group belongs to it.
    pub program: Option<u32>,
    /// Whether it has ended: over UDP, no connection tells.
    pub has_ended: &'a dyn Fn() -> bool,
}

impl Met<'_> {
    /// Waits until the program has dealt with all that has come: all its threads sleep, three looks in a row, or it has
    /// ended. One that never sleeps gets 2 s, and one of which the kernel does not tell gets a moment.
    pub fn rests(&self) {
        const LIMIT: Duration = Duration::from_secs(2);
        const LOOKS: u32 = 3;
        let (asked, mut idle) = (Instant::now(), 0);
        while idle < LOOKS && asked.elapsed() < LIMIT {
            let Some(is_idle) = self.program.and_then(kernel::is_idle) else { break };
            idle = if is_idle { idle + 1 } else { 0 };
            thread::sleep(MOMENT / LOOKS);
        }
        thread::sleep(if idle == 0 { MOMENT } else { Duration::ZERO });
    }
}

pub enum Peer {
    Tcp(TcpPeer),
    Udp(UdpPeer),
}

impl Peer {
    /// What it said last, as it went over the wire.
    pub fn said(&self) -> &[u8] {
        match self {
            Self::Tcp(peer) => &peer.said,
            Self::Udp(peer) => &peer.said,
        }
    }
}

pub struct Peers {
    /// Where the server is: the program, or the peer of a client.
    pub at: SocketAddr,
    pub talk: Talk,
    protocol: Protocol,
    pub here: BTreeMap<usize, Peer>,
}

impl Peers {
    pub fn new(at: SocketAddr, protocol: Protocol, talk: Talk) -> Self {
        Self { at, talk, protocol, here: BTreeMap::new() }
    }

    pub fn peer(&mut self, number: usize) -> Result<&mut Peer> {
        self.here.get_mut(&number).with_context(|| format!("there is no #{number}, or it has left"))
    }

    pub fn tcp(&mut self, number: usize) -> Result<&mut TcpPeer> {
        let Peer::Tcp(peer) = self.peer(number)? else { bail!("#{number} speaks UDP") };
        Ok(peer)
    }

    pub fn udp(&mut self, number: usize) -> Result<&mut UdpPeer> {
        let Peer::Udp(peer) = self.peer(number)? else { bail!("#{number} speaks TCP") };
        Ok(peer)
    }

    pub fn joins(&mut self, number: usize, mut peer: Peer) {
        match &mut peer {
            Peer::Tcp(peer) => peer.number = number,
            Peer::Udp(peer) => peer.number = number,
        }
        self.here.insert(number, peer);
    }

    pub fn numbers(&self) -> Vec<usize> {
        self.here.keys().copied().collect()
    }

    pub fn next(&self) -> usize {
        self.here.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// Plays a script, as far as it can be played with this framing.
    pub fn plays(&mut self, script: &[Step], met: &Met<'_>) -> Result<()> {
        playable(script, self.talk.framing)?.iter().try_for_each(|step| self.plays_step(*step, met))
    }

    pub fn plays_step(&mut self, step: Step, met: &Met<'_>) -> Result<()> {
        let names = self.talk.names;
        match step {
            Step::Comes(number) => self.comes(number)?,
            Step::Enters(number) => {
                self.comes(number)?;
                self.hears(number, greeting::WELCOME, met)?;
            }
            Step::Says(number, messages) => {
                let messages: Vec<_> = messages.iter().map(|message| names.of(message)).collect();
                self.says(number, &messages.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            }
            Step::SaysByBytes(number, message) => self.says_by_bytes(number, &names.of(message), met)?,
            Step::Begins(number, message)
            | Step::Finishes(number, message)
            | Step::EndsWith(number, message) => {
                let peer = self.tcp(number)?;
                let whole = peer.framed(&names.of(message));
                let (begin, end) = whole.split_at(whole.len() / 2);
                match step {
                    Step::Begins(..) => peer.sends(begin),
                    Step::Finishes(..) => peer.sends(end),
                    _ => peer.ends_with(end),
                }
            }
            Step::Floods(number, name) => self.tcp(number)?.floods(&names.of(name), || met.rests()),
            Step::SaysNoMore(number) => self.tcp(number)?.ends(),
            Step::Waits(number) => _ = self.tcp(number)?.came_within(SECOND),
            Step::Hears(number, message) => self.hears(number, message, met)?,
            Step::HearsOr(number, message, steps) => self.hears_or(number, message, steps, met)?,
            Step::HearsGreeting(number, name) => self.hears(number, &greeting::of(&names.of(name)), met)?,
            Step::Greeted(number, name) => {
                let name = names.of(name);
                self.says(number, &[&name])?;
                self.hears(number, &greeting::of(&name), met)?;
            }
            Step::GreetedOrRefused(number, name) => {
                if let Err(stop) = self.plays_step(Step::Greeted(number, name), met) {
                    let mismatch = stop.downcast::<Mismatch>()?;
                    let Found { how, bytes } = &mismatch.found;
                    ensure!(*how == How::Other && !bytes.starts_with(b"Hello, "), mismatch);
                }
            }
            Step::IsAskedFor(number, path) => self.tcp(number)?.is_asked_for(path)?,
            Step::HearsAnything(number) => self.tcp(number)?.hears_anything()?,
            Step::HearsHalfAtMost(number) => self.tcp(number)?.hears_half_at_most()?,
            Step::HearsNoMore(number) => self.tcp(number)?.hears_no_more()?,
            Step::HearsTheEnd(number) => self.tcp(number)?.hears_the_end()?,
            Step::Leaves(number) | Step::Resets(number) => {
                self.peer(number)?;
                match (step, self.here.remove(&number)) {
                    (Step::Leaves(_), Some(Peer::Tcp(peer))) => peer.leaves(),
                    // Where nothing came, it has left like any other.
                    (_, Some(Peer::Tcp(peer))) => _ = peer.resets(),
                    _ => {} // a datagram has no end
                }
            }
            Step::Loses(number, message) => self.udp(number)?.loses(message),
            Step::StrangerSays(number, message) => self.udp(number)?.is_outshouted(message)?,
            Step::AsksAtMost(number, most) => self.udp(number)?.has_come(most)?,
            Step::IsWaitedFor(number, message) => self.is_waited_for(number, message, met)?,
            Step::Rest => met.rests(),
            Step::Thinks => thread::sleep(SECOND),
            Step::NeedsBoundary => {} // this framing has one
            Step::Plays(steps) => self.plays(steps, met)?,
            Step::SendsMuch(number) => {
                let peer = self.tcp(number)?;
                let body = replies::large();
                peer.sends(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()));
                if peer.sends_much(body).1 {
                    let (expected, found) = (Expected::Saved(body.into()), Found::nothing(How::Silent));
                    return Err(Mismatch { number, expected, found }.into());
                }
            }
            own => bail!("only a judge plays {own:?}"),
        }
        Ok(())
    }

    fn comes(&mut self, number: usize) -> Result<(), Mismatch> {
        let recorder = self.talk.recorder.labelled(&format!("#{number}"));
        let talk = Talk { recorder, ..self.talk.clone() };
        let came = match self.protocol {
            Protocol::Tcp => TcpPeer::connect(self.at, talk).map(Peer::Tcp),
            Protocol::Udp => UdpPeer::new(self.at, talk).map(Peer::Udp),
        };
        let refused = |why: std::io::Error| {
            let found = Found { how: How::Refused, bytes: why.to_string().into() };
            Mismatch { number, expected: Expected::Connection, found }
        };
        self.joins(number, came.map_err(refused)?);
        Ok(())
    }

    pub fn says(&mut self, number: usize, messages: &[&[u8]]) -> Result<()> {
        match self.peer(number)? {
            Peer::Tcp(peer) => peer.says(messages),
            Peer::Udp(peer) => messages.iter().for_each(|message| peer.says(message)),
        }
        Ok(())
    }

    /// One must hear this message next. Over UDP, another client may have got it.
    pub fn hears(&mut self, number: usize, message: &[u8], met: &Met<'_>) -> Result<()> {
        let heard = match self.peer(number)? {
            Peer::Tcp(peer) => peer.hears(message),
            Peer::Udp(peer) => peer.hears(message, met.has_ended),
        };
        let Err(mut mismatch) = heard else { return Ok(()) };
        if mismatch.found.how == How::Silent {
            let mut others = self.here.iter_mut().filter(|(other, _)| **other != number);
            let got_it = others.find_map(|(other, peer)| match peer {
                Peer::Udp(peer) => peer.has_heard(message).then_some(other),
                Peer::Tcp(_) => None,
            });
            if let Some(other) = got_it {
                mismatch.found = Found { how: How::Elsewhere, bytes: format!("#{other}").into() };
            }
        }
        Err(mismatch.into())
    }

    fn hears_or(&mut self, number: usize, message: &[u8], steps: &[Step], met: &Met<'_>) -> Result<()> {
        let Err(stop) = self.hears(number, message, met) else { return Ok(()) };
        let mut mismatch = stop.downcast::<Mismatch>()?;
        if mismatch.found.how == How::Silent {
            self.plays(steps, met)?;
            if self.hears(number, message, met).is_ok() {
                mismatch.found = Found::nothing(How::Later);
            }
        }
        Err(mismatch.into())
    }

    /// Says a message byte by byte, each byte once the one before was read, as far as anybody can tell. The last one
    /// goes a second after the program is idle: one that has gone on by then has taken silence for the end.
    fn says_by_bytes(&mut self, number: usize, message: &[u8], met: &Met<'_>) -> Result<()> {
        let patience = self.talk.patience;
        let peer = self.tcp(number)?;
        let bytes = peer.framed(message);
        let (mut is_read, mut is_quiet) = (true, peer.is_server());
        for (at, byte) in bytes.iter().enumerate() {
            if at + 1 == bytes.len() {
                met.rests();
                thread::sleep(SECOND);
                if let Err(mut mismatch) = peer.hears_no_more() {
                    if !peer.is_server() {
                        mismatch.found.how = How::Other; // it has answered a part
                    }
                    return Err(Mismatch { expected: Expected::Patience(message.into()), ..mismatch }.into());
                }
            } else if is_quiet {
                is_quiet = !peer.has_news(Duration::from_millis(1)); // for the ladder: before the next byte
            }
            peer.sends([*byte]);
            if peer.far_end().is_none() {
                thread::sleep(MOMENT);
            }
            // One that does not read is found out by what then does not come.
            is_read = is_read && within(patience, || peer.far_end().is_none_or(|row| row.to_read == 0));
        }
        Ok(())
    }

    /// Waits until the client has taken the datagram that it was sent, as far as anybody can tell: then it must not go
    /// on with another one than this.
    fn is_waited_for(&mut self, number: usize, message: &[u8], met: &Met<'_>) -> Result<()> {
        const WHILE: Duration = Duration::from_millis(200);
        let patience = self.talk.patience;
        let peer = self.udp(number)?;
        if let Some(client) = peer.client {
            let rows = || kernel::sockets(Protocol::Udp, client).unwrap_or_default();
            within(patience, || rows().iter().all(|row| row.to_read == 0));
        }
        met.rests();
        let asked = Instant::now();
        let next = || (asked.elapsed() < WHILE).then(|| peer.hears_one(WHILE, &|| false).ok()).flatten();
        let found = match iter::from_fn(next).find(|bytes| bytes != message) {
            Some(bytes) => Found { how: How::WentOn, bytes },
            None if (met.has_ended)() => Found::nothing(How::Ended),
            None => return Ok(()),
        };
        Err(Mismatch { number, expected: Expected::Patience(message.into()), found }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_step_of_a_peer_that_is_not_there_is_an_error_and_no_finding() {
        use Step::{HearsNoMore, HearsTheEnd, Leaves, Loses, Resets, Says};
        for step in
            [Says(2, &[b"Ann"]), HearsTheEnd(2), HearsNoMore(2), Leaves(2), Resets(2), Loses(2, b"Ann")]
        {
            let mut peers = Peers::new((Ipv4Addr::LOCALHOST, 1).into(), Protocol::Tcp, Talk::default());
            let stop = peers.plays(&[step], &Met { program: None, has_ended: &|| false });
            assert!(!stop.unwrap_err().is::<Mismatch>(), "{step:?}");
        }
    }
}

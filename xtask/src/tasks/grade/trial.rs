//! One stage being played on one program: the program, whom it meets, and what they find.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use common::framing::Framing;

use super::candidate::{Candidate, CommandLine};
use super::stage::{Act, Halt, Kind, Played, Stage};
use crate::drawing::entry::Entry;
use crate::drawing::style::Style;
use crate::drawing::transcript::Transcript;
use crate::lab::Lab;
use crate::peers::found::{Found, How};
use crate::peers::script::{Expected, Mismatch, Peers, Step};
use crate::peers::tcp_peer::{TcpPeer, framed};
use crate::wire::event::Side;
use crate::wire::kernel::{self, Protocol, Row};
use crate::words::Words;

/// What is judged, and how.
pub struct Config {
    /// The command.
    pub command: CommandLine,
    /// The loopback address.
    pub ip: std::net::IpAddr,
    /// The port that the program has in its code.
    pub port: Option<u16>,
    /// Where a message ends.
    pub framing: Framing,
    /// How long a silence may be.
    pub patience: Duration,
    /// How to print.
    pub style: Style,
    /// What is told, of one stage after the other, for whoever watches.
    pub story: Transcript,
}

/// How long a look takes for what may have come a moment ago.
const MOMENT: Duration = Duration::from_millis(20);

/// One stage on one program.
pub struct Trial<'a> {
    /// What is judged, and how.
    pub terms: &'a Config,
    /// What kind of program it is.
    pub kind: &'static Kind,
    /// The stage.
    pub stage: &'static Stage,
    /// Where things happen.
    pub lab: Lab,
    /// So much had been told before.
    from: usize,
    /// The program, once it is started.
    pub candidate: Option<Candidate>,
    /// Whom it meets.
    pub cast: Peers,
}

impl<'a> Trial<'a> {
    /// Nothing has been started yet.
    ///
    /// # Errors
    /// As [`Lab::new`].
    pub fn new(terms: &'a Config, kind: &'static Kind, stage: &'static Stage) -> Result<Self> {
        terms.story.begin();
        let (watching, from) = (terms.story.clone(), terms.story.count());
        let lab = Lab::new(move |event| watching.sees(event))?;
        let at = SocketAddr::new(terms.ip, terms.port.unwrap_or_default());
        let framing = kind.framing.unwrap_or(terms.framing);
        let cast = Peers::new(at, kind.speaks, framing, terms.patience, lab.record.recorder(""));
        Ok(Self { terms, kind, stage, lab, from, candidate: None, cast })
    }

    /// Plays the stage.
    ///
    /// # Errors
    /// Where it does not go on, and why.
    pub fn plays_the_stage(&mut self) -> Played {
        self.stage.acts.iter().try_for_each(|act| match act {
            Act::Plays(script) => self.plays(script),
            Act::PlaysOr(script, tries) => self.plays_or(script, *tries),
            Act::Does(act) => act(self),
        })
    }

    /// Has the others play a script.
    ///
    /// # Errors
    /// Where it does not go on, and why.
    pub fn plays(&mut self, script: &[Step]) -> Played {
        self.plays_or(script, |_, _| Ok(()))
    }

    /// As [`Trial::plays`]; `tries` is what decides where nothing comes.
    fn plays_or(&mut self, script: &[Step], tries: fn(&mut Self, &Mismatch) -> Played) -> Played {
        for (number, step) in script.iter().enumerate() {
            if matches!(step, Step::NeedsBoundary) && self.terms.framing == Framing::Raw {
                return if number == 0 { Err(needs_boundary()) } else { Ok(()) };
            }
            if let Err(miss) = self.plays_step(*step)? {
                if miss.found.how == How::Silent {
                    tries(self, &miss)?;
                }
                self.finds(miss)?;
            }
        }
        Ok(())
    }

    /// Plays one step: those here that take a look into the program, the others as anybody would.
    fn plays_step(&mut self, step: Step) -> Result<Result<(), Mismatch>> {
        match step {
            Step::Rest => self.settles().map(Ok),
            Step::SaysByBytes(number, message) => self.says_by_bytes(number, message),
            Step::IsWaitedFor(number, message) => self.is_waited_for(number, message),
            other => {
                let candidate = &self.candidate;
                let is_over = || {
                    let ended = candidate.as_ref().map(Candidate::ended);
                    ended.is_none_or(|ended| ended.is_ok_and(|status| status.is_some()))
                };
                Ok(self.cast.plays(other, &is_over))
            }
        }
    }

    /// Tells something behind what has happened meanwhile.
    ///
    /// # Errors
    /// What the lab reports.
    pub fn tell(&mut self, told: Entry) -> Result<()> {
        self.lab.record.catch_up()?;
        self.terms.story.tell(told)
    }

    /// Puts a remark of the judge's own into a lane of the ladder.
    pub fn remarks(&self, lane: Side, words: &Words) {
        self.lab.record.recorder("").said(lane, words.to(self.terms.style.lang));
    }

    /// What has been told of it.
    pub fn told(&self) -> Vec<Entry> {
        self.terms.story.since(self.from)
    }

    /// Starts the command; where it was started before, that is ended first.
    ///
    /// # Errors
    /// As [`Candidate::start`].
    pub fn spawn(&mut self) -> Result<()> {
        let at = self.cast.at;
        let places = [
            ("{host}", at.ip().to_string()),
            ("{port}", at.port().to_string()),
            ("{url}", format!("http://{at}/page")),
            ("{out}", self.out().to_string_lossy().into_owned()),
        ];
        self.candidate = None;
        let recorder = self.lab.record.recorder("");
        self.candidate = Some(Candidate::start(&self.terms.command, &places, self.kind.lane, &recorder)?);
        Ok(())
    }

    /// Where the program is to save what it gets.
    pub fn out(&self) -> PathBuf {
        self.lab.directory().join("page")
    }

    /// The program.
    ///
    /// # Errors
    /// When it has not been started.
    pub fn program(&self) -> Result<&Candidate> {
        self.candidate.as_ref().context("no program has been started")
    }

    /// One of those who speak TCP.
    ///
    /// # Errors
    /// When he has left.
    pub fn caller(&mut self, number: usize) -> Result<&mut TcpPeer> {
        self.cast.caller(number).with_context(|| format!("#{number} has left"))
    }

    /// What waits at the program's place: connections at a listener, bytes at a UDP socket, where the kernel tells.
    pub fn waiting_to_be_read(&self, protocol: Protocol) -> u64 {
        let rows = kernel::waiting(protocol).unwrap_or_default();
        rows.iter().filter(|row| row.is_reached_at(self.cast.at)).map(|row| row.to_read).sum()
    }

    /// Whether somebody is at the program's place, where the kernel tells.
    pub fn is_anybody_there(&self) -> Option<bool> {
        Some(kernel::waiting(self.kind.speaks)?.iter().any(|row| row.is_reached_at(self.cast.at)))
    }

    /// The program's end of a connection, where the kernel tells.
    pub fn far_end(&mut self, number: usize) -> Option<Row> {
        let (near, far) = self.cast.caller(number)?.ends_of_it().ok()?;
        kernel::far_end(near, far)
    }

    /// What has happened so far; for the eye, what is under way still belongs to it.
    ///
    /// # Errors
    /// What the lab reports.
    pub fn ladder(&mut self) -> Result<Vec<Entry>> {
        self.lab.record.wait_for_lull(MOMENT)?;
        Ok(self.told().into_iter().filter(|told| told.rung().is_some()).collect())
    }

    /// Ends everything: the clients first, so that the port is not kept waiting for them.
    ///
    /// # Errors
    /// What the lab reports.
    pub fn clear(&mut self) -> Result<()> {
        self.cast.leave();
        self.candidate = None;
        self.lab.clear()
    }

    /// Waits until the program has done what it does about all that has come: it sleeps, and not by chance, or it has
    /// ended. One that never sleeps is not waited for for long. Where the kernel does not tell, this is a moment.
    ///
    /// # Errors
    /// When no program has been started.
    pub fn settles(&self) -> Result<()> {
        const LIMIT: Duration = Duration::from_secs(2);
        const LOOKS: u32 = 3;
        let (asked, group) = (Instant::now(), self.program()?.program.pid);
        let mut idle = 0;
        while idle < LOOKS && asked.elapsed() < LIMIT {
            match kernel::is_idle(group) {
                Some(is_idle) => idle = if is_idle { idle + 1 } else { 0 },
                None => break,
            }
            thread::sleep(MOMENT / LOOKS);
        }
        thread::sleep(if idle == 0 { MOMENT } else { Duration::ZERO });
        Ok(())
    }

    /// Sends a message byte by byte, each once the one before was read, as far as anybody can tell. The last one goes
    /// when the program has settled: a client that has gone on by then has not waited for it.
    fn says_by_bytes(&mut self, number: usize, message: &[u8]) -> Result<Result<(), Mismatch>> {
        let bytes = framed(self.cast.framing, message);
        let mut is_read = true;
        for (at, byte) in bytes.iter().enumerate() {
            if at + 1 == bytes.len() {
                self.settles()?;
                let caller = self.caller(number)?;
                let looked = caller.hears_no_more();
                if let (true, Err(found)) = (caller.is_host(), looked) {
                    return Ok(Err(Mismatch { number, expected: Expected::Patience(message.into()), found }));
                }
            }
            self.caller(number)?.sends(&[*byte]);
            if self.far_end(number).is_none() {
                thread::sleep(MOMENT);
            }
            // One that does not read is found out by what then does not come.
            is_read =
                is_read && self.wait_until(|trial| trial.far_end(number).is_none_or(|row| row.to_read == 0));
        }
        Ok(Ok(()))
    }

    /// Waits until the client has taken the datagram that it was sent, as far as anybody can tell; it is not to go on
    /// then with another one than this.
    fn is_waited_for(&mut self, number: usize, message: &[u8]) -> Result<Result<(), Mismatch>> {
        const WHILE: Duration = Duration::from_millis(200);
        if let Some(client) = self.cast.asker(number).and_then(|asker| asker.client) {
            self.wait_until(|_| {
                let rows = kernel::sockets(Protocol::Udp, client).unwrap_or_default();
                rows.iter().all(|row| row.to_read == 0)
            });
        }
        self.settles()?;
        let miss = |how, bytes| {
            Ok(Err(Mismatch {
                number,
                expected: Expected::Patience(message.into()),
                found: Found { how, bytes },
            }))
        };
        let asked = Instant::now();
        while asked.elapsed() < WHILE {
            let Some(asker) = self.cast.asker(number) else { break };
            match asker.hears_one(WHILE, &|| false) {
                Ok(bytes) if bytes != message => return miss(How::WentOn, bytes),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        if self.program()?.ended()?.is_some() { miss(How::Ended, Vec::new()) } else { Ok(Ok(())) }
    }

    /// Waits until something is so, by the kernel's table or elsewhere; false once the patience is over.
    fn wait_until(&mut self, mut is_so: impl FnMut(&mut Self) -> bool) -> bool {
        let asked = Instant::now();
        loop {
            if is_so(self) {
                return true;
            }
            if asked.elapsed() > self.terms.patience {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Without a mark, nobody can tell where one message ends and the next begins.
fn needs_boundary() -> Halt {
    Halt::NotAvailable(Words::fixed(
        "raw framing marks no end of a message: cargo xtask demo framing",
        "raw 不标明消息在哪里结束：cargo xtask demo framing",
    ))
}

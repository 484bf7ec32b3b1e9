//! One stage being played on one program: the program, its peers, and what is asked of them.

use std::io::{self, IsTerminal};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use common::framing::Framing;

use super::candidate::{Candidate, CommandLine};
use super::files::ReportFiles;
use crate::drawing::entry::Entry;
use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::exercises::{Exercise, Location, Stage, Waits};
use crate::lab::Lab;
use crate::peers::names::Names;
use crate::peers::player::{Met, Peers};
use crate::peers::script::{Expected, Found, How, Mismatch};
use crate::peers::talk::Talk;
use crate::wire::event::Side;
use crate::wire::kernel::{self, Protocol, SocketRow};
use crate::words::Words;

/// What is judged, how, and what is told of it.
#[derive(Clone)]
pub struct Config {
    pub exercise: &'static Exercise,
    pub command: CommandLine,
    pub ip: IpAddr,
    /// The directory in which it runs; none is this one.
    pub directory: Option<PathBuf>,
    /// Where a server runs already; then the command is empty.
    pub at: Option<SocketAddr>,
    pub repeat: u16,
    /// The port that is hard-coded in the program.
    pub port: Option<u16>,
    /// Where messages end, and how long the program may be silent.
    pub talk: Talk,
    pub style: Style,
    /// What is told, one stage after another, for a browser that watches.
    pub story: Transcript,
    /// Continue after a failed stage.
    pub all: bool,
    /// Only this stage.
    pub only: Option<&'static Stage>,
    /// Of a ladder, print only the last rungs.
    pub brief: bool,
    /// After a hint, tell why, and how.
    pub more: bool,
    pub files: ReportFiles,
}

impl Config {
    /// What is judged, for people.
    pub fn shown(&self) -> String {
        self.at.map_or_else(|| self.command.shown(), |at| at.to_string())
    }

    /// The stages that are asked for.
    pub fn stages(&self) -> Vec<&'static Stage> {
        let is_wanted = |stage: &&Stage| self.only.is_none_or(|only| only.name == stage.name);
        self.exercise.stages.iter().filter(is_wanted).collect()
    }

    pub fn version(&self) -> &'static str {
        if self.ip.is_ipv4() { "IPv4" } else { "IPv6" }
    }

    /// Where messages end.
    pub fn framing(&self) -> Framing {
        self.exercise.framing.unwrap_or(self.talk.framing)
    }

    /// The columns of a ladder: who is on which side.
    pub fn lanes(&self) -> (Words, Words) {
        match self.exercise.side {
            Side::Server => (
                Words::fixed("the grader's clients", "评判程序的客户端"),
                Words::fixed("your server", "你的服务器"),
            ),
            Side::Client => (
                Words::fixed("your client", "你的客户端"),
                Words::fixed("the grader's server", "评判程序的服务器"),
            ),
        }
    }
}

/// For what may have arrived a moment ago.
const MOMENT: Duration = Duration::from_millis(20);

/// One stage on one program.
pub struct Trial<'a> {
    pub config: &'a Config,
    pub exercise: &'static Exercise,
    /// Where everything happens.
    pub lab: Lab,
    /// How much had been told before.
    from: usize,
    /// The program, once it is started.
    pub candidate: Option<Candidate>,
    pub peers: Peers,
    /// Where a server was found.
    pub location: Location,
    /// Where a client came to.
    pub listener: Option<TcpListener>,
    /// What the program's threads waited for when nothing came.
    pub waiting: (Waits, Option<Words>),
}

impl<'a> Trial<'a> {
    pub fn new(config: &'a Config) -> Result<Self> {
        config.story.begin();
        let (watching, from) = (config.story.clone(), config.story.count());
        let lab = Lab::new(move |event| watching.sees(event))?;
        let at = config.at.unwrap_or(SocketAddr::new(config.ip, config.port.unwrap_or_default()));
        let exercise = config.exercise;
        let names = Names { side: exercise.side, ..config.talk.names };
        let talk =
            Talk { framing: config.framing(), recorder: lab.record.recorder(""), names, ..config.talk };
        let peers = Peers::new(at, exercise.transport, talk);
        let (candidate, listener, location, waiting) = Default::default();
        Ok(Self { config, exercise, lab, from, candidate, peers, location, listener, waiting })
    }

    /// Lets the peers do something that may ask about the program.
    pub fn tries<T>(&mut self, what: impl FnOnce(&mut Peers, &Met<'_>) -> T) -> T {
        let (candidate, is_remote) = (self.candidate.as_ref(), self.config.at.is_some());
        let has_ended = || {
            candidate.map_or(!is_remote, |candidate| candidate.ended().is_ok_and(|status| status.is_some()))
        };
        let program = candidate.map(|candidate| candidate.program.pid);
        what(&mut self.peers, &Met { program, has_ended: &has_ended })
    }

    /// How long the program may be silent.
    pub fn patience(&self) -> Duration {
        self.peers.talk.patience
    }

    /// Tells whoever waits for this one program.
    pub fn notice(&self, Words { en, zh }: &Words) -> Result<()> {
        if self.config.directory.is_some() {
            return Ok(()); // it is one of many
        }
        let line = if io::stdout().is_terminal() { "\n" } else { "" }; // where the stage is named already
        self.config.style.say(Ink::Faint, &words!("{line}  {en}", "{line}  {zh}"))
    }

    /// Tells something after what has happened so far.
    pub fn tell(&mut self, told: Entry) -> Result<()> {
        self.lab.record.catch_up()?;
        self.config.story.tell(told)
    }

    /// Puts a remark of the judge into a lane of the ladder.
    pub fn remarks(&self, lane: Side, words: &Words) {
        self.lab.record.recorder("").said(lane, words.to(self.config.style.lang));
    }

    /// Everything that has been told of this stage.
    pub fn told(&self) -> Vec<Entry> {
        self.config.story.since(self.from)
    }

    /// Starts the command; one that was started before is ended first.
    pub fn spawn(&mut self) -> Result<()> {
        let (at, directory) = (self.peers.at, self.config.directory.as_deref());
        let places = [
            ("{host}", at.ip().to_string()),
            ("{port}", at.port().to_string()),
            ("{url}", format!("http://{at}/page")),
            ("{out}", self.out().to_string_lossy().into_owned()),
            ("{dir}", directory.unwrap_or(Path::new("{dir}")).to_string_lossy().into_owned()),
        ];
        self.candidate = None;
        let recorder = self.lab.record.recorder("");
        let command = &self.config.command;
        self.candidate = Some(Candidate::start(command, directory, &places, self.exercise.side, &recorder)?);
        Ok(())
    }

    /// Where the program should save what it gets.
    pub fn out(&self) -> PathBuf {
        self.lab.directory().join("page")
    }

    pub fn program(&self) -> Result<&Candidate> {
        self.candidate.as_ref().context("no program has been started")
    }

    /// What waits on this machine; not where the program may be on another one.
    fn waiting(&self, protocol: Protocol) -> Option<Vec<SocketRow>> {
        if self.config.at.is_some() { None } else { kernel::waiting(protocol) }
    }

    /// What waits at the program's address: connections at a listener, bytes at a UDP socket; 0 without such a table.
    pub fn waiting_to_be_read(&self, protocol: Protocol) -> u64 {
        let rows = self.waiting(protocol).unwrap_or_default();
        rows.iter().filter(|row| row.is_reached_at(self.peers.at)).map(|row| row.to_read).sum()
    }

    /// Whether a socket waits at the program's address, if the kernel says.
    pub fn is_anybody_there(&self) -> Option<bool> {
        let rows = self.waiting(self.exercise.transport)?;
        Some(rows.iter().any(|row| row.is_reached_at(self.peers.at)))
    }

    /// The program's end of a connection, if the kernel says.
    pub fn far_end(&mut self, number: usize) -> Option<SocketRow> {
        if self.config.at.is_some() {
            return None;
        }
        self.peers.tcp(number).ok()?.far_end()
    }

    /// What has happened so far, with what is still under way.
    pub fn ladder(&mut self) -> Result<Vec<Entry>> {
        self.lab.record.wait_for_lull(MOMENT)?;
        self.lab.record.catch_up()?; // on a busy machine, nothing may have been seen in that time
        Ok(self.told().into_iter().filter(|told| told.rung().is_some()).collect())
    }

    /// Ends everything: the clients first, so that no connection of theirs keeps the port.
    pub fn clear(&mut self) -> Result<()> {
        self.peers.here.clear();
        self.candidate = None;
        self.lab.clear()
    }
}

/// The program itself did something else, and no bytes came of that.
pub fn missed(expected: Expected, how: How) -> anyhow::Error {
    Mismatch { number: 1, expected, found: Found::nothing(how) }.into()
}

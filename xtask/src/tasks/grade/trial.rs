//! One stage being played on one program: the program, its peers, and what is asked of them.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use common::args::Args;
use common::framing::Framing;

use super::candidate::{Candidate, CommandLine};
use crate::drawing::entry::Entry;
use crate::drawing::style::Style;
use crate::drawing::transcript::Transcript;
use crate::exercises::{Exercise, Location, Stage, Waits};
use crate::lab::Lab;
use crate::peers::names::Names;
use crate::peers::player::{Met, Peers};
use crate::peers::script::{Expected, Found, How, Mismatch};
use crate::peers::talk::Talk;
use crate::tasks::wanted::Wanted;
use crate::wire::event::Side;
use crate::wire::kernel::{self, Protocol, SocketRow};
use crate::words::Words;

#[derive(Clone)]
pub struct Config {
    pub exercise: &'static Exercise,
    /// Empty where a server runs already.
    pub command: CommandLine,
    /// Where a server is or should be; its port is 0 if each start gets a free one.
    pub at: SocketAddr,
    pub repeat: u16,
    pub talk: Talk,
    pub style: Style,
    /// What is told, one stage after another, for a browser that watches.
    pub story: Transcript,
    pub all: bool,
    pub only: Option<&'static Stage>,
    pub brief: bool,
    pub more: bool,
    pub files: ReportFiles,
}

impl Config {
    /// A server runs already, and was not started here.
    pub fn runs_already(&self) -> bool {
        self.command.words.is_empty()
    }

    pub fn has_port(&self) -> bool {
        self.at.port() > 0
    }

    /// What is judged, for people: a command, or the address of the one server that runs already.
    pub fn shown(&self) -> String {
        if self.runs_already() && self.has_port() { self.at.to_string() } else { self.command.shown() }
    }

    pub fn stages(&self) -> Vec<&'static Stage> {
        self.only.map_or_else(|| self.exercise.stages.iter().collect(), |only| vec![only])
    }

    pub fn version(&self) -> &'static str {
        if self.at.is_ipv4() { "IPv4" } else { "IPv6" }
    }

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

/// The files that are asked for: the option, how the names of its files end, and the name.
#[derive(Clone)]
pub struct ReportFiles(Vec<(&'static str, &'static str, String)>);

impl ReportFiles {
    pub fn of(args: &mut Args) -> Result<Self> {
        let mut files = Vec::new();
        for (option, ending) in [("--html", "html"), ("--json", "json"), ("--csv", "csv"), ("--junit", "xml")]
        {
            files.extend(args.given(option)?.map(|file| (option, ending, file)));
        }
        Ok(Self(files))
    }

    /// Opens all of them; before any program is started, to see that this is possible. They are not kept open: an unfinished
    /// report beside a program that runs might be written by that.
    pub fn open(&self) -> Result<Vec<(&'static str, Wanted)>> {
        self.0
            .iter()
            .map(|(option, ending, file)| Ok((*ending, Wanted::open(option, file, ending)?)))
            .collect()
    }
}

pub struct Trial<'a> {
    pub config: &'a Config,
    pub exercise: &'static Exercise,
    pub lab: Lab,
    /// How much had been told before.
    from: usize,
    pub candidate: Option<Candidate>,
    pub peers: Peers,
    pub location: Location,
    pub listener: Option<TcpListener>,
    /// What the program's threads waited for when nothing came.
    pub waiting: (Waits, Option<Words>),
}

impl<'a> Trial<'a> {
    pub fn new(config: &'a Config) -> Result<Self> {
        config.story.begin();
        let (watching, from) = (config.story.clone(), config.story.count());
        let lab = Lab::new(move |event| watching.sees(event))?;
        let exercise = config.exercise;
        let names = Names { side: exercise.side, ..config.talk.names };
        let talk =
            Talk { framing: config.framing(), recorder: lab.record.recorder(""), names, ..config.talk };
        let peers = Peers::new(config.at, exercise.transport, talk);
        let (candidate, listener, location, waiting) = Default::default();
        Ok(Self { config, exercise, lab, from, candidate, peers, location, listener, waiting })
    }

    /// Lets the peers do something that may ask about the program.
    pub fn tries<T>(&mut self, what: impl FnOnce(&mut Peers, &Met<'_>) -> T) -> T {
        let (candidate, is_remote) = (self.candidate.as_ref(), self.config.runs_already());
        let has_ended = || {
            candidate.map_or(!is_remote, |candidate| candidate.ended().is_ok_and(|status| status.is_some()))
        };
        let program = candidate.map(|candidate| candidate.program.pid);
        what(&mut self.peers, &Met { program, has_ended: &has_ended })
    }

    pub fn is_tcp(&self) -> bool {
        matches!(self.exercise.transport, Protocol::Tcp)
    }

    pub fn patience(&self) -> Duration {
        self.peers.talk.patience
    }

    /// Tells something after what has happened so far.
    pub fn tell(&mut self, told: Entry) -> Result<()> {
        self.lab.record.catch_up()?;
        self.config.story.tell(told)
    }

    pub fn remarks(&self, lane: Side, words: &Words) {
        self.lab.record.recorder("").said(lane, words.to(self.config.style.lang));
    }

    pub fn told(&self) -> Vec<Entry> {
        self.config.story.since(self.from)
    }

    /// Starts the command; one that was started before is ended first.
    pub fn spawn(&mut self) -> Result<()> {
        let (at, command) = (self.peers.at, &self.config.command);
        let directory = command.directory.as_deref().unwrap_or(Path::new("{dir}"));
        let places = [
            ("{host}", at.ip().to_string()),
            ("{port}", at.port().to_string()),
            ("{url}", format!("http://{at}/page")),
            ("{out}", self.out().to_string_lossy().into_owned()),
            ("{dir}", directory.to_string_lossy().into_owned()),
        ];
        self.candidate = None;
        let recorder = self.lab.record.recorder("");
        self.candidate = Some(Candidate::start(command, &places, self.exercise.side, &recorder)?);
        Ok(())
    }

    /// Where the program should save what it gets.
    pub fn out(&self) -> PathBuf {
        self.lab.directory().join("page")
    }

    pub fn program(&self) -> Result<&Candidate> {
        self.candidate.as_ref().context("no program has been started")
    }

    /// The sockets that wait at the program's address, if the kernel says, and the program runs on this machine.
    pub fn sockets_there(&self) -> Option<Vec<SocketRow>> {
        let rows = kernel::waiting(self.exercise.transport).filter(|_| !self.config.runs_already())?;
        Some(rows.into_iter().filter(|row| row.is_reached_at(self.peers.at)).collect())
    }

    pub fn is_anybody_there(&self) -> Option<bool> {
        self.sockets_there().map(|rows| !rows.is_empty())
    }

    /// The program's end of a connection that it has accepted, if the kernel says.
    pub fn far_end(&mut self, number: usize) -> Option<SocketRow> {
        self.peers.tcp(number).ok()?.far_end().filter(|row| row.inode != 0 && !self.config.runs_already())
    }

    /// What has happened so far, with what is still under way.
    pub fn ladder(&mut self) -> Result<Vec<Entry>> {
        self.lab.record.wait_for_lull(Duration::from_millis(20))?;
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

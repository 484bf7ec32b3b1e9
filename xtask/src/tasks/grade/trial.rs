//! One stage being played on one program: the program, whom it meets, and what they find.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::candidate::{Candidate, CommandLine};
use super::stage::{Act, Kind, Played, Stage};
use crate::drawing::entry::Entry;
use crate::drawing::style::Style;
use crate::drawing::transcript::Transcript;
use crate::lab::Lab;
use crate::peers::player::{Met, Peers};
use crate::peers::script::{Step, Stop, playable};
use crate::peers::talk::{Patience, Talk};
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
    pub framing: common::framing::Framing,
    /// How long a silence may be.
    pub patience: Patience,
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
        let talk = Talk { framing, patience: terms.patience, recorder: lab.record.recorder("") };
        let cast = Peers::new(at, kind.speaks, talk);
        Ok(Self { terms, kind, stage, lab, from, candidate: None, cast })
    }

    /// Plays the stage.
    ///
    /// # Errors
    /// Where it does not go on, and why.
    pub fn plays_the_stage(&mut self) -> Played {
        self.stage.acts.iter().try_for_each(|act| match act {
            Act::Plays(script) => self.plays(script),
            Act::Does(act) => act(self),
        })
    }

    /// Has the others play a script.
    ///
    /// # Errors
    /// Where it does not go on, and why.
    pub fn plays(&mut self, script: &[Step]) -> Played {
        for step in playable(script, self.cast.talk.framing)? {
            match self.tries(|cast, met| cast.plays_step(*step, met)) {
                Err(Stop::Missed(miss)) => self.finds(miss)?,
                played => played?,
            }
        }
        Ok(())
    }

    /// Has the others do something that may ask about the program.
    ///
    /// # Errors
    /// What they find.
    pub fn tries<T>(&mut self, what: impl FnOnce(&mut Peers, &Met<'_>) -> T) -> T {
        let candidate = self.candidate.as_ref();
        let has_ended =
            || candidate.is_none_or(|candidate| candidate.ended().is_ok_and(|status| status.is_some()));
        let program = candidate.map(|candidate| candidate.program.pid);
        what(&mut self.cast, &Met { program, has_ended: &has_ended })
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
        let (near, far) = self.cast.tcp(number).ok()?.ends_of_it().ok()?;
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
}

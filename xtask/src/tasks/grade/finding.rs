//! What a mismatch means. Other bytes, an end or the kernel's table decide; silence alone does not, and so the peers do
//! what makes a server show itself.

use std::time::Duration;

use anyhow::Result;
use common::greeting;

use super::candidate::LastWords;
use super::judge::Failure;
use super::start::ENDING;
use super::trial::Trial;
use super::words::{ProgramState, joined, status_words};
use crate::exercises::{Evidence, Stage, Tables, Waits};
use crate::peers::script::{Expected, How, Mismatch, Step};
use crate::wire::event::Side;
use crate::wire::kernel::Protocol;
use crate::words::Words;

/// A mismatch, what the kernel's tables said of it, and what decides although nothing came.
type Finding = (Mismatch, Tables, Option<Words>);

impl Trial<'_> {
    /// What a mismatch means for the stage: none, if the program did what was expected after all.
    pub fn finds(&mut self, stage: &'static Stage, missed: Mismatch) -> Result<Option<Failure>> {
        let found = self.looks_closer(missed)?;
        found.map(|found| self.failure(stage, found)).transpose()
    }

    fn looks_closer(&mut self, mut missed: Mismatch) -> Result<Option<Finding>> {
        if missed.found.how == How::Silent {
            self.waiting = self.waits();
        }
        let is_client = self.exercise.side == Side::Client;
        let is_unvisited = is_client && self.peers.udp(1).is_ok_and(|server| server.client.is_none());
        if is_unvisited && !missed.expected.is_the_programs() {
            missed.expected = Expected::Visit; // over UDP, its first datagram is its visit
        }
        let is_own = missed.expected.is_the_programs();
        let tables = if is_own { Tables::default() } else { self.tables(missed.number) };
        let is_open = !is_own && !is_client && missed.found.how == How::Silent && tables.unaccepted == 0;
        match (self.exercise.transport, &missed.expected) {
            (Protocol::Tcp, Expected::Message(message)) if is_open => {
                let message = message.clone();
                self.provokes(missed, &message)
            }
            (Protocol::Udp, _) if is_open => {
                let is_answered = self.plays_step(Step::Greeted(missed.number, b"Nobody")).is_ok();
                let more = || Words::fixed("the next datagram was answered", "下一个数据报得到了回答");
                Ok(Some((missed, tables, is_answered.then(more))))
            }
            _ => Ok(Some((missed, tables, None))),
        }
    }

    fn mishears(&mut self, number: usize, message: &[u8]) -> Result<Option<Mismatch>> {
        let heard = self.tries(|peers, met| peers.hears(number, message, met));
        heard.err().map(anyhow::Error::downcast).transpose()
    }

    /// A client has heard nothing, or a message without its end. What arrives once it says another name, and once
    /// another client comes, decides.
    fn provokes(&mut self, mut missed: Mismatch, message: &[u8]) -> Result<Option<Finding>> {
        let number = missed.number;
        let has_begun = !missed.found.bytes.is_empty();
        // A message without an end has one where the next begins; and a server that does not welcome may greet.
        if has_begun || message == greeting::WELCOME {
            self.peers.says(number, &[b"Tracy"])?;
            match self.mishears(number, message)? {
                Some(other) => missed = other,
                None if has_begun => match self.mishears(number, &greeting::of(b"Tracy"))? {
                    Some(other) => missed = other,
                    None => return Ok(None),
                },
                None if self.is_answered_at_once(message)? => missed.found.how = How::Later,
                None => {
                    missed.found.how = How::Late;
                    return Ok(Some((missed, Tables::default(), None)));
                }
            }
        }
        let tables = self.tables(number); // as they are by now
        if missed.found.how != How::Silent {
            return Ok(Some((missed, tables, None)));
        }
        self.waiting = self.waits();
        // A conversation whose thread has died may keep its socket until the next client comes.
        let next = self.peers.next();
        let remark =
            words!("(#{next} comes, to see what the server does)", "（#{next} 来了，看服务器怎么做）");
        self.remarks(Side::Client, &remark);
        let came = self.plays_step(Step::Comes(next));
        let limit = self.patience().min(Duration::from_secs(1)); // for what the next client sets off
        let Err(nudged) = self.peers.tcp(number)?.hears_within(message, limit) else { return Ok(None) };
        if tables.unread == 0 {
            missed.found = nudged.found;
            return Ok(Some((missed, tables, None)));
        }
        // It has left something unread; serving the next client says that it will not come back to it.
        let is_next_served =
            came.is_ok() && self.peers.tcp(next)?.hears_within(greeting::WELCOME, limit).is_ok();
        let more = words!(
            "then #{next} came and was welcomed, and that is still unread",
            "随后 #{next} 来了并受到欢迎，而那些数据仍未读取"
        );
        Ok(Some((missed, tables, Some(more).filter(|_| is_next_served))))
    }

    /// Whether a welcome that has come once its client spoke comes for the next client, too, as soon as that speaks. One
    /// that is merely slow takes as long as before.
    fn is_answered_at_once(&mut self, message: &[u8]) -> Result<bool> {
        let (limit, next) = (self.patience() / 2, self.peers.next());
        for number in self.peers.numbers() {
            self.plays_step(Step::Leaves(number))?; // it may serve one at a time
        }
        if self.plays_step(Step::Comes(next)).is_err() {
            return Ok(true); // it is gone with its first client
        }
        self.peers.says(next, &[b"Tracy"])?;
        Ok(self.peers.tcp(next)?.hears_within(message, limit).is_ok())
    }

    fn tables(&mut self, number: usize) -> Tables {
        // Connections at a listener, bytes at a UDP socket; 0 without such a table.
        let waiting = self.sockets_there().unwrap_or_default().iter().map(|row| row.to_read).sum();
        if !self.is_tcp() {
            return Tables { unread: waiting, ..Tables::default() };
        }
        let far_end = self.far_end(number);
        Tables {
            unaccepted: waiting,
            unread: far_end.as_ref().map_or(0, |row| row.to_read),
            is_left_open: far_end.is_some_and(|row| row.state == "CLOSE_WAIT"),
            is_closed: self.exercise.side == Side::Server && self.is_anybody_there() == Some(false),
        }
    }

    fn failure(&mut self, stage: &'static Stage, (missed, tables, more): Finding) -> Result<Failure> {
        let Mismatch { number, expected, found } = &missed;
        let said = self.peers.peer(*number).map_or(Vec::new(), |peer| peer.said().to_vec());
        let state = self.state(found.how)?;
        let is_back = self.listener.as_ref().is_some_and(|listener| listener.accept().is_ok());
        let status = state.status.filter(|status| !status.success()).map(|status| status_words(status).en);
        let (output, is_silent) = (&state.last_words.text, found.how == How::Silent);
        let seen = Evidence {
            number: *number,
            expected,
            said: &said,
            how: found.how,
            bytes: &found.bytes,
            framing: self.peers.talk.framing,
            is_gone: state.status.is_some(),
            output,
            status: status.as_deref().unwrap_or_default(),
            tables,
            at: self.peers.at,
            location: self.location.clone(),
            waits: if is_silent { self.waiting.0 } else { Waits::default() },
            is_back,
            names: self.peers.talk.names,
        };
        // A client that waits for an answer in the middle of its own message will never end it.
        let is_unended = self.exercise.side == Side::Client && is_silent && !found.bytes.is_empty();
        let is_late = found.how == How::Late && !expected.is_the_programs();
        let is_decided = (!is_silent && !is_late)
            || seen.is_gone
            || tables.unaccepted > 0
            || tables.is_left_open
            || (is_unended && seen.waits.is_for_others)
            || more.is_some();
        let table = self.table(*number, tables).filter(|_| is_silent || found.how == How::Later);
        Ok(Failure {
            likely: self.exercise.likely(stage, &seen),
            expected: self.expected(&missed),
            got: self.got(&missed, &state, &said),
            more: table.map(|table| joined(table, more.clone())).or(more),
            waits: self.waiting.1.clone().filter(|_| is_silent && state.status.is_none()),
            is_decided,
        })
    }

    /// An error that ends a thread need not end the program: then it has reported the error, and says no more.
    fn state(&self, how: How) -> Result<ProgramState> {
        if self.config.runs_already() {
            return Ok(ProgramState::default());
        }
        let program = self.program()?;
        let status = program.wait_for_end(if how == How::Other { Duration::ZERO } else { ENDING })?;
        let last_words = match status {
            Some(_) => program.last_words(),
            None if how == How::Other => LastWords::default(),
            None => program.complaint(),
        };
        Ok(ProgramState { status, last_words })
    }
}

//! What a run waits for, who may end that, and how a class votes on a question: one vote for each browser, changed until
//! it is closed.

use std::collections::HashMap;
use std::{io, mem};

use crate::wire::request::Refused;
use crate::words::Words;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    #[default]
    Nothing,
    GoOn,
    /// A prediction: one of so many choices.
    Prediction(u64),
}

/// How the run is, besides what is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub wait: Wait,
    /// Of this wait, or of the last one.
    pub number: u64,
    /// Right predictions, and all.
    pub score: (usize, usize),
}

#[derive(Default)]
pub struct Asking {
    pub state: State,
    /// How often the state has changed, and how often the votes.
    changes: (u64, u64),
    /// Of the last question: its choices, and the votes by a number that each browser has picked.
    choices: u64,
    votes: HashMap<u128, u64>,
    /// The page may end the wait: nothing else has ended it.
    is_open: bool,
    /// A thread reads a line. A read cannot be cancelled: if the wait ended without it, the line is for the next wait.
    is_reading: bool,
    pub line: Option<io::Result<Vec<u8>>>,
}

impl Asking {
    /// Notes what the run waits for. It closes the question before.
    pub fn wait(&mut self, wait: Wait) {
        self.is_open = wait != Wait::Nothing && self.line.is_none();
        if self.state.wait != wait {
            if let Wait::Prediction(choices) = wait {
                (self.choices, self.votes) = (choices, HashMap::new());
            }
            self.state.wait = wait;
            self.state.number += u64::from(wait != Wait::Nothing);
            self.changes.0 += 1;
        }
    }

    /// As [`Self::wait`]; true if a line must be read for it.
    pub fn begins_to_read(&mut self, wait: Wait) -> bool {
        self.wait(wait);
        let begins = !self.is_reading && self.line.is_none();
        self.is_reading |= begins;
        begins
    }

    pub fn typed(&mut self, line: io::Result<Vec<u8>>) {
        (self.line, self.is_reading, self.is_open) = (Some(line), false, false);
    }

    /// Ends the wait of this number, as a line that is typed would: with a prediction, or with Enter.
    pub fn hear(&mut self, number: Option<u64>, answer: Option<u64>) -> Result<(), Refused> {
        if !self.is_open || number.is_some_and(|number| number != self.state.number) {
            return Err(CLOSED);
        }
        answer.map_or(Ok(()), |answer| self.check(self.state.number, answer))?;
        let line = answer.map_or_else(|| "\n".into(), |answer| format!("{answer}\n"));
        (self.line, self.is_open) = (Some(Ok(line.into())), false);
        Ok(())
    }

    /// Whether the question of this number is open and has this answer.
    fn check(&self, number: u64, choice: u64) -> Result<(), Refused> {
        match self.state.wait {
            Wait::Prediction(_) if self.state.number != number => Err(CLOSED),
            Wait::Prediction(choices) if (1..=choices).contains(&choice) => Ok(()),
            Wait::Prediction(_) => Err(Refused("400 Bad Request", "the question has no such choice")),
            _ => Err(CLOSED),
        }
    }

    /// Counts a browser's vote, in place of its last one.
    pub fn vote(&mut self, number: u64, voter: u128, choice: u64) -> Result<(), Refused> {
        self.check(number, choice)?;
        self.votes.insert(voter, choice);
        self.changes.1 += 1;
        Ok(())
    }

    pub fn judged(&mut self, is_right: bool) {
        let (right, asked) = self.state.score;
        self.state.score = (right + usize::from(is_right), asked + 1);
        self.changes.0 += 1;
    }

    pub fn changes(&self, with_votes: bool) -> u64 {
        self.changes.0 + if with_votes { self.changes.1 } else { 0 }
    }

    /// For each choice.
    pub fn votes(&self) -> Vec<usize> {
        let votes = |choice| self.votes.values().filter(|vote| **vote == choice).count();
        (1..=self.choices).map(votes).collect()
    }

    /// How the class has voted on the last question, once, if anybody has.
    pub fn take_votes(&mut self) -> Option<Words> {
        let votes = self.votes();
        let all = mem::take(&mut self.votes).len();
        let unit = if all == 1 { "vote" } else { "votes" };
        let share = |(choice, votes): (u64, &usize)| {
            (format!("{votes} for {choice}"), format!("选 {choice} 的 {votes} 票"))
        };
        let (en, zh): (Vec<_>, Vec<_>) = (1..).zip(&votes).map(share).unzip();
        let (en, zh) = (en.join(", "), zh.join("，"));
        (all > 0).then(|| words!("the class, {all} {unit}: {en}", "全班 {all} 票：{zh}"))
    }
}

const CLOSED: Refused = Refused("409 Conflict", "the run does not wait for that now");

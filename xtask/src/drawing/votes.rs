//! What a run waits for, and how a class votes on a question: one vote for each browser, changed until it is closed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::words::Words;

/// How many browsers may vote on a question: what more of them send is refused.
const VOTERS: usize = 512;

/// The highest number that is a vote, where the answer is any number.
const HIGHEST: u64 = 999_999;

/// How many different numbers are shown, those with the most votes.
const SHOWN: usize = 8;

/// What the run waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    #[default]
    Nothing,
    /// Enter, before it goes on.
    GoOn,
    /// A prediction, with so many choices; any number, where there are none.
    Prediction(u64),
}

/// How the run is, besides what is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub wait: Wait,
    /// Of this wait, or of the last one.
    pub number: u64,
    /// How many predictions came true, of how many.
    pub score: (usize, usize),
}

/// What readers are told besides the entries: how the run is, and the votes on the question that is asked.
#[derive(Default)]
pub struct Asking {
    pub state: State,
    /// How often the state has changed, and how often the votes.
    pub changes: (u64, u64),
    /// On the question that is asked.
    poll: Option<Poll>,
    /// Of the last question, until they are told.
    last: Option<Counts>,
}

impl Asking {
    /// Notes what the run waits for; returns the number of the wait. It closes the question before.
    pub fn wait(&mut self, wait: Wait) -> u64 {
        if self.state.wait != wait {
            self.last = self.poll.take().map(|poll| poll.counts()).or(self.last.take());
            if let Wait::Prediction(choices) = wait {
                (self.poll, self.last) = (Some(Poll::new(choices)), None);
            }
            self.state.wait = wait;
            self.state.number += u64::from(wait != Wait::Nothing);
            self.changes.0 += 1;
        }
        self.state.number
    }

    /// The question of this number, if it is open.
    pub fn open(&mut self, number: u64) -> Result<&mut Poll, NoVote> {
        self.poll.as_mut().filter(|_| self.state.number == number).ok_or(NoVote::Closed)
    }

    pub fn vote(&mut self, number: u64, voter: u128, choice: u64) -> Result<(), NoVote> {
        self.open(number)?.vote(voter, choice)?;
        self.changes.1 += 1;
        Ok(())
    }

    /// Notes whether a prediction came true.
    pub fn judged(&mut self, is_right: bool) {
        let (right, asked) = self.state.score;
        self.state.score = (right + usize::from(is_right), asked + 1);
        self.changes.0 += 1;
    }

    /// The votes on the question that is open.
    pub fn counts(&self) -> Counts {
        self.poll.as_ref().map(Poll::counts).unwrap_or_default()
    }

    /// The votes on the last question, once.
    pub fn take_counts(&mut self) -> Counts {
        self.last.take().unwrap_or_default()
    }
}

/// A question that is open.
pub struct Poll {
    choices: u64,
    /// By a number that a browser has picked.
    votes: HashMap<u128, u64>,
}

/// Why a vote changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoVote {
    /// Another question is asked, or none.
    Closed,
    /// That is no choice of this question.
    NoChoice,
    /// One more browser than may vote.
    Full,
}

/// How the votes are shared out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many there are.
    pub all: usize,
    /// Answers, with the votes of each.
    pub answers: Vec<(u64, usize)>,
}

impl Counts {
    pub fn heading(&self) -> Words {
        let (all, votes) = (self.all, if self.all == 1 { "vote" } else { "votes" });
        words!("the class, {all} {votes}", "全班 {all} 票")
    }
}

impl Poll {
    /// With so many choices, numbered from 1; any number is one where there are none.
    pub fn new(choices: u64) -> Self {
        Self { choices, votes: HashMap::new() }
    }

    /// Whether that is one of its answers.
    pub fn check(&self, choice: u64) -> Result<(), NoVote> {
        let possible = if self.choices == 0 { 0..=HIGHEST } else { 1..=self.choices };
        if possible.contains(&choice) { Ok(()) } else { Err(NoVote::NoChoice) }
    }

    /// Counts a browser's vote, in place of its last one.
    pub fn vote(&mut self, voter: u128, choice: u64) -> Result<(), NoVote> {
        self.check(choice)?;
        if self.votes.len() >= VOTERS && !self.votes.contains_key(&voter) {
            return Err(NoVote::Full);
        }
        self.votes.insert(voter, choice);
        Ok(())
    }

    /// The votes for each choice; of numbers, for those that most have given.
    pub fn counts(&self) -> Counts {
        let mut counts: BTreeMap<u64, usize> = (1..=self.choices).map(|choice| (choice, 0)).collect();
        for choice in self.votes.values() {
            *counts.entry(*choice).or_default() += 1;
        }
        let mut answers: Vec<_> = counts.into_iter().collect();
        if self.choices == 0 {
            answers.sort_by_key(|(_, votes)| Reverse(*votes));
            answers.truncate(SHOWN);
            answers.sort_unstable();
        }
        Counts { all: self.votes.len(), answers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_all_voters_have_voted_one_more_is_refused_and_the_others_may_change_theirs() {
        let mut poll = Poll::new(2);
        (0..VOTERS as u128).for_each(|voter| poll.vote(voter, 1).unwrap());
        assert_eq!(poll.vote(u128::MAX, 1), Err(NoVote::Full));
        assert_eq!(poll.vote(0, 2), Ok(()));
        assert_eq!(poll.counts().answers, [(1, VOTERS - 1), (2, 1)]);
    }

    #[test]
    fn of_any_numbers_those_with_the_most_votes_are_shown_in_their_order() {
        let mut poll = Poll::new(0);
        (0_u8..40).for_each(|voter| poll.vote(voter.into(), u64::from(voter % 20)).unwrap());
        (40..50).for_each(|voter| poll.vote(voter, 1024).unwrap());
        poll.vote(50, 7).unwrap();
        let counts = poll.counts();
        assert_eq!((counts.all, counts.answers.len(), counts.answers.last()), (51, SHOWN, Some(&(1024, 10))));
        assert!(counts.answers.is_sorted() && counts.answers.contains(&(7, 3)), "{counts:?}");
        assert_eq!(poll.vote(51, HIGHEST + 1), Err(NoVote::NoChoice));
    }
}

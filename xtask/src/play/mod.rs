//! A part being played: where it happens, what is told of it, and what is found.

pub mod audience;
pub mod quiz;
pub mod runner;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::checks::{Checks, Ended};
use crate::drawing::entry::Entry;
use crate::drawing::style::Style;
use crate::drawing::transcript::Transcript;
use crate::lab::Lab;
use crate::programs::program::Program;
use crate::wire::event::{How, Side, What};
use crate::wire::kernel::Row;
use crate::words::Words;

use audience::Audience;
use quiz::{Prediction, Score, Worth};

/// How long nothing has happened when nothing more is to be expected.
const MOMENT: Duration = Duration::from_millis(10);

/// One part on one loopback address.
pub struct Play {
    /// Where things happen.
    pub lab: Lab,
    /// What is told of them.
    pub story: Transcript,
    /// What is found.
    pub checks: Checks,
    /// The loopback address.
    pub ip: IpAddr,
    /// How good the predictions were.
    pub score: Score,
    /// How many of the checks have been shown.
    shown: usize,
    /// What came of a prediction: it is held back until the one who watches is asked again, or all is over.
    verdict: Option<[Entry; 2]>,
    style: Style,
    audience: Audience,
}

impl Play {
    /// An empty lab, whose events are told as they come, with times from now on.
    pub fn new(ip: IpAddr, story: Transcript, style: Style, audience: Audience) -> Result<Self> {
        story.begin();
        let watching = story.clone();
        let lab = Lab::new(move |event| watching.sees(event))?;
        let (checks, score) = (Checks::default(), Score::default());
        Ok(Self { lab, story, checks, ip, score, shown: 0, verdict: None, style, audience })
    }

    /// Tells something, behind what has happened meanwhile.
    fn tell(&mut self, told: Entry) -> Result<()> {
        self.lab.record.catch_up()?;
        self.story.tell(told)
    }

    /// Any port of the loopback address.
    pub fn loopback(&self) -> SocketAddr {
        SocketAddr::new(self.ip, 0)
    }

    /// Shows the checks of the act that is over.
    pub fn show_checks(&mut self) -> Result<()> {
        // For the eye: what is under way still belongs above the line that ends the act. No check depends on it.
        self.lab.record.wait_for_lull(MOMENT)?;
        let new = self.checks.all()[self.shown..].to_vec();
        self.shown += new.len();
        new.into_iter().try_for_each(|check| self.tell(Entry::Check(check)))
    }

    /// Ends the act before, and says what is about to happen; with `--step`, waits for Enter.
    ///
    /// # Errors
    /// [`Left`](audience::Left) when the one who steps says `q`.
    pub fn act(&mut self, words: &Words) -> Result<()> {
        self.show_checks()?;
        if self.audience.step {
            self.show_verdict()?;
        }
        self.tell(Entry::Act(words.clone()))?;
        self.pause(|play| play.audience.wait(play.style, &play.story))
    }

    /// Records a call that the lesson itself has made for one side, and what it returned.
    pub fn called(&self, lane: Side, call: impl Into<String>) {
        self.lab.record.recorder("").said(lane, call);
    }

    /// Records bytes that the lesson itself has sent.
    pub fn sent(&self, toward: Side, bytes: &[u8]) {
        self.lab.record.recorder("").sent(toward, bytes, How::Plain);
    }

    /// Records that the lesson itself has ended one direction.
    pub fn ended(&self, toward: Side) {
        self.lab.record.recorder("").record(What::Ended { toward });
    }

    /// Shows what was seen.
    pub fn evidence(&mut self, words: &Words) -> Result<()> {
        self.tell(Entry::Evidence(words.clone()))
    }

    /// Shows what the kernel's own table says, or that it has none that can be read.
    pub fn panel(&mut self, rows: Option<&Vec<Row>>) -> Result<()> {
        let Some(rows) = rows else {
            return self.evidence(&Words::fixed(
                "the kernel's table of sockets: not available here",
                "内核的套接字表：此处无法显示，缺 Linux 的 /proc/net",
            ));
        };
        self.evidence(&Words::fixed("the kernel's table of sockets:", "内核的套接字表："))?;
        rows.iter().try_for_each(|row| self.tell(Entry::socket(row)))
    }

    /// With `--quiz`, asks what is about to happen: for the number of a choice or, where there are none, any.
    pub fn predict(&mut self, question: &Words, choices: &[Words]) -> Result<Prediction> {
        if !self.audience.quiz {
            return Ok(Prediction::default());
        }
        self.show_checks()?;
        self.show_verdict()?;
        self.tell(Entry::Question { question: question.clone(), choices: choices.to_vec() })?;
        self.pause(|play| quiz::ask(play.style, question, choices))
    }

    /// Asks the one who watches; the time that it takes is none of the lesson's.
    fn pause<T>(&mut self, ask: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let asked = Instant::now();
        let answer = ask(self)?;
        self.story.leave_out(asked.elapsed());
        Ok(answer)
    }

    /// Judges a prediction by what was seen: `worth` says of every number what it is worth as an answer. The verdict
    /// is said at the end of the last act before the next wait for the one who predicted, where it is still seen.
    pub fn reveal<W: Into<Worth>>(
        &mut self,
        prediction: Prediction,
        worth: impl Fn(u64) -> W,
        why: &Words,
    ) -> Result<()> {
        self.show_verdict()?;
        self.verdict = self.score.judge(prediction, worth, why);
        Ok(())
    }

    /// Says what came of the last prediction.
    pub fn show_verdict(&mut self) -> Result<()> {
        self.verdict.take().into_iter().flatten().try_for_each(|told| self.tell(told))
    }

    /// Stops a server with Ctrl-C and checks how it ends; false where this cannot be done.
    pub fn stop(&mut self, server: Program) -> Result<bool> {
        let promise =
            Words::fixed("Ctrl-C stops the server with status 0", "按下 Ctrl-C，服务器停止，退出状态为 0");
        if cfg!(unix) {
            self.called(Side::Server, "^C");
        }
        if !server.interrupt() {
            let why = Words::fixed(
                "here one program cannot press another's Ctrl-C; press it in the server's own terminal, and \
                 look for 'stopped' and the exit status",
                "这里一个程序不能替另一个程序按 Ctrl-C；请在服务器自己的终端里按，看它是否输出“stopped”、退出状态如何",
            );
            self.checks.not_available(promise, why);
            return Ok(false);
        }
        let outcome = self.lab.wait_for_end(server)?;
        self.checks.equal(promise, &Ended(outcome.status), &Ended(Some(0)));
        let promise = Words::fixed("its last word is 'stopped'", "它最后输出“stopped”");
        self.checks.equal(promise, &outcome.said.last().map(String::as_str), &Some("stopped"));
        Ok(true)
    }
}

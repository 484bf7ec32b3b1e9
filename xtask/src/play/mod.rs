//! One lesson being played: its stage, its checks, and the voice that tells what is about to happen.

pub mod audience;
pub mod quiz;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Result;
use common::narration::say;

use self::quiz::{Prediction, Score};
use crate::checks::Checks;
use crate::drawing::ladder::{Ink, Style};
use crate::drawing::story::Told;
use crate::lab::Stage;
use crate::wire::event::{Lane, What};
use crate::wire::kernel::Row;
use crate::words::Words;

/// How lessons are told.
#[derive(Clone, Copy, Debug)]
pub struct Voice {
    /// In which language and colours.
    pub style: Style,
    /// Whether to wait for Enter before every act.
    pub step: bool,
    /// Whether to ask for predictions.
    pub quiz: bool,
}

impl Voice {
    /// Prints a line.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn tell(self, ink: Ink, words: &Words) -> Result<()> {
        Ok(say(&self.style.paint(ink, words.to(self.style.lang)))?)
    }

    /// With `--step`, waits for Enter.
    ///
    /// # Errors
    /// [`Left`](audience::Left) when the one who steps says `q`.
    pub fn wait(self) -> Result<()> {
        if !self.step {
            return Ok(());
        }
        self.tell(Ink::Faint, &Words::fixed("  [Enter: go on, q: leave]", "  [回车继续，q 退出]"))?;
        audience::answer().map(|_| ())
    }
}

/// How long nothing has happened when nothing more is to be expected.
const MOMENT: Duration = Duration::from_millis(10);

/// One lesson on one loopback address.
pub struct Play {
    /// Where things happen.
    pub stage: Stage,
    /// What is found.
    pub checks: Checks,
    /// The loopback address.
    pub ip: IpAddr,
    /// How good the predictions were.
    pub score: Score,
    /// How many of the checks have been shown.
    shown: usize,
    voice: Voice,
}

impl Play {
    /// An empty stage.
    ///
    /// # Errors
    /// As [`Stage::new`].
    pub fn new(ip: IpAddr, voice: Voice) -> Result<Self> {
        Ok(Self {
            stage: Stage::new(Some(voice.style))?,
            checks: Checks::default(),
            ip,
            score: Score::default(),
            shown: 0,
            voice,
        })
    }

    /// Any port of the loopback address.
    pub fn loopback(&self) -> SocketAddr {
        SocketAddr::new(self.ip, 0)
    }

    /// Shows the checks of the act that is over.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn show_checks(&mut self) -> Result<()> {
        // For the eye: what is under way still belongs above the line that ends the act. No check depends on it.
        self.stage.wait_for_quiet(MOMENT)?;
        let new = self.checks.all()[self.shown..].to_vec();
        self.shown += new.len();
        new.into_iter().try_for_each(|check| self.stage.tell(Told::Check(check)))
    }

    /// Ends the act before, and says what is about to happen; with `--step`, waits for Enter.
    ///
    /// # Errors
    /// [`Left`](audience::Left) when the one who steps says `q`.
    pub fn act(&mut self, words: &Words) -> Result<()> {
        self.show_checks()?;
        self.stage.tell(Told::Act(words.clone()))?;
        self.pause(Voice::wait)
    }

    /// Records a call that the lesson itself has made for one side, and what it returned.
    pub fn called(&self, lane: Lane, call: impl Into<String>) {
        self.stage.recorder("").said(lane, call);
    }

    /// Records bytes that the lesson itself has sent.
    pub fn sent(&self, toward: Lane, bytes: &[u8]) {
        self.stage.recorder("").record(What::Sent { toward, bytes: bytes.into(), lost: false });
    }

    /// Records that the lesson itself has ended one direction.
    pub fn ended(&self, toward: Lane) {
        self.stage.recorder("").record(What::Ended { toward });
    }

    /// Shows what was seen.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn evidence(&mut self, words: &Words) -> Result<()> {
        self.stage.tell(Told::Evidence(words.clone()))
    }

    /// Shows what the kernel's own table says, or that it has none that can be read.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn panel(&mut self, rows: Option<&Vec<Row>>) -> Result<()> {
        let Some(rows) = rows else {
            return self.evidence(&Words::fixed(
                "the kernel's table of sockets: not available here",
                "内核的套接字表：本系统不支持",
            ));
        };
        self.evidence(&Words::fixed("the kernel's table of sockets:", "内核的套接字表："))?;
        rows.iter().try_for_each(|row| self.stage.tell(Told::Row(row.shown())))
    }

    /// With `--quiz`, asks what is about to happen: for the number of a choice or, where there are none, any.
    ///
    /// # Errors
    /// As [`quiz::ask`].
    pub fn predict(&mut self, question: &Words, choices: &[Words]) -> Result<Prediction> {
        if !self.voice.quiz {
            return Ok(Prediction::default());
        }
        self.show_checks()?;
        self.pause(|voice| quiz::ask(voice.style, question, choices))
    }

    /// Asks the one who watches; the time that it takes is none of the lesson's.
    fn pause<T>(&mut self, ask: impl FnOnce(Voice) -> Result<T>) -> Result<T> {
        let asked = Instant::now();
        let answer = ask(self.voice)?;
        self.stage.leave_out(asked.elapsed());
        Ok(answer)
    }

    /// Judges a prediction by what was seen: `is_true` of every number that is a true answer.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn reveal(
        &mut self,
        prediction: &Prediction,
        is_true: impl Fn(u64) -> bool,
        why: &Words,
    ) -> Result<()> {
        self.stage.draw()?;
        self.score.judge(self.voice.style, prediction, is_true, why)
    }
}

//! A lesson being played: its programs and wires, what is shown, and its checks.

pub mod audience;
pub mod quiz;
pub mod runner;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::checks::{Checks, Ended};
use crate::drawing::entry::{Entry, Mark, socket};
use crate::drawing::style::Style;
use crate::drawing::transcript::Transcript;
use crate::drawing::votes::Wait;
use crate::lab::{Lab, Outcome};
use crate::programs::program::Program;
use crate::wire::event::{Crossing, Side, What};
use crate::wire::kernel::SocketRow;
use crate::words::Words;

use audience::Audience;
use quiz::Answer;

/// An act is over when nothing has happened for this long.
const MOMENT: Duration = Duration::from_millis(10);

/// One lesson on one loopback address.
pub struct Play {
    pub lab: Lab,
    pub story: Transcript,
    pub checks: Checks,
    pub ip: IpAddr,
    /// How many of the checks have been shown.
    shown: usize,
    /// What this act answers.
    asked: Option<Answer>,
    /// The verdict on it, until the act is over.
    verdict: Option<Entry>,
    style: Style,
    audience: Audience,
}

impl Play {
    /// An empty lab; its events are shown as they happen, with times from now on.
    pub fn new(ip: IpAddr, story: Transcript, style: Style, audience: Audience) -> Result<Self> {
        story.begin();
        let watching = story.clone();
        let lab = Lab::new(move |event| watching.sees(event))?;
        let checks = Checks::default();
        Ok(Self { lab, story, checks, ip, shown: 0, asked: None, verdict: None, style, audience })
    }

    /// Shows something, after everything that has happened so far.
    fn tell(&mut self, told: Entry) -> Result<()> {
        self.lab.record.catch_up()?;
        self.story.tell(told)
    }

    pub fn server(&mut self, name: &str, args: &[&str]) -> Result<(Program, SocketAddr)> {
        self.lab.start_server(name, &[&[&*self.loopback().to_string()], args].concat())
    }

    pub fn run(&mut self, label: &str, name: &str, args: &[&str]) -> Result<Outcome> {
        let client = self.lab.start(Side::Client, label, name, args)?;
        self.lab.wait_for_end(client)
    }

    pub fn loopback(&self) -> SocketAddr {
        SocketAddr::new(self.ip, 0)
    }

    /// Ends an act: shows its checks and, if it has answered a question, the verdict, which waits for Enter.
    pub fn end_act(&mut self) -> Result<()> {
        // Only for the order on the screen: rungs that are still on their way belong to this act.
        self.lab.record.wait_for_lull(MOMENT)?;
        let new = self.checks.all()[self.shown..].to_vec();
        self.shown += new.len();
        new.into_iter().try_for_each(|check| self.tell(Entry::Check(check)))?;
        self.asked = None; // this system did not show what would answer it
        let Some(verdict) = self.verdict.take() else { return Ok(()) };
        self.tell(verdict)?;
        self.story.tell_votes()?;
        self.pause(Self::wait)
    }

    /// Ends the act before, and says what is about to happen; with `--step`, waits for Enter.
    pub fn act(&mut self, words: &Words) -> Result<()> {
        self.end_act()?;
        self.begin(words)
    }

    fn begin(&mut self, words: &Words) -> Result<()> {
        self.tell(Entry::Act(words.clone()))?;
        if self.audience.step { self.pause(Self::wait) } else { Ok(()) }
    }

    fn wait(&self) -> Result<()> {
        audience::wait(self.style, &self.story)
    }

    /// Records a call that the lesson itself has made for one side, and what it returned.
    pub fn called(&self, lane: Side, call: impl Into<String>) {
        self.lab.record.recorder("").said(lane, call);
    }

    pub fn said(&self, lane: Side, what: &Words) {
        self.called(lane, self.in_its_language(what));
    }

    pub fn in_its_language(&self, words: &Words) -> String {
        words.to(self.style.lang).to_owned()
    }

    pub fn sent(&self, toward: Side, bytes: &[u8]) {
        self.lab.record.recorder("").sent(toward, bytes, Crossing::Plain);
    }

    pub fn ended(&self, toward: Side) {
        self.lab.record.recorder("").record(What::Ended { toward });
    }

    pub fn evidence(&mut self, words: &Words) -> Result<()> {
        self.tell(Entry::Evidence(words.clone()))
    }

    /// Shows rows of the kernel's table of sockets, if it can be read; a row is the server's end where its own
    /// address is one of `servers`.
    pub fn panel(&mut self, rows: Option<&Vec<SocketRow>>, servers: &[SocketAddr]) -> Result<()> {
        let Some(rows) = rows else {
            let words =
                words!("the kernel's table of sockets: not available here", "内核的套接字表：此处无法显示");
            return self.evidence(&words);
        };
        let told = |row: &SocketRow| {
            let is_server = servers.iter().any(|server| server.port() == row.port);
            let side = if is_server { Side::Server } else { Side::Client };
            (side, socket(side, row))
        };
        self.tell(Entry::Sockets(rows.iter().map(told).collect()))
    }

    /// Shows beside the lanes in which state the kernel has both ends of a connection, if its table can be read.
    pub fn states(&mut self, rows: Option<&Vec<SocketRow>>, ends: [SocketAddr; 2]) -> Result<()> {
        let Some(rows) = rows else { return Ok(()) };
        let state = |own: u16, other: u16| {
            let end = rows.iter().find(|row| (row.port, row.peer_port) == (own, other));
            end.map_or(words!("[no socket]", "[无套接字]"), |SocketRow { state, .. }| {
                words!("[{state}]", "[{state}]")
            })
        };
        let [client, server] = ends.map(|end| end.port());
        self.draw(Mark::Beside([state(client, server), state(server, client)]))
    }

    pub fn draw(&mut self, mark: Mark) -> Result<()> {
        self.lab.record.catch_up()?;
        self.story.draw(mark)
    }

    /// As [`Play::act`]; with `--quiz`, first asks which of the choices is about to happen. `why` explains the right one.
    pub fn predict(
        &mut self,
        act: &'static str,
        act_zh: &'static str,
        (ask, ask_zh): (&'static str, &'static str),
        choices: &[(&'static str, &'static str)],
        why: &'static str,
        why_zh: &'static str,
    ) -> Result<()> {
        self.end_act()?;
        if self.audience.quiz {
            let question = words!("{act} {ask}", "{act_zh}{ask_zh}");
            let choices: Vec<_> = choices.iter().map(|(en, zh)| Words::fixed(en, zh)).collect();
            self.tell(Entry::Question { question: question.clone(), choices: choices.clone() })?;
            let given = self.pause(|play| {
                let given = quiz::ask(play.style, &play.story, choices.len() as u64);
                play.story.wait(Wait::Nothing);
                given
            })?;
            self.asked = Some(Answer { question, choices, why: Words::fixed(why, why_zh), given });
        }
        self.begin(&Words::fixed(act, act_zh))
    }

    /// Asks the audience; the lesson's clock stops meanwhile.
    fn pause<T>(&mut self, ask: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let asked = Instant::now();
        let answer = ask(self)?;
        self.story.leave_out(asked.elapsed());
        Ok(answer)
    }

    /// Judges the prediction, if there was a question, by what was seen: the number of a choice, or none where that is no
    /// choice. The verdict is shown at the end of this act.
    pub fn reveal(&mut self, seen: Option<u64>) {
        if let Some(answer) = self.asked.take() {
            self.verdict = Some(answer.judged(seen));
        }
    }

    /// Stops a server with Ctrl-C and checks how it ends; false if this cannot be done.
    pub fn stop(&mut self, server: Program) -> Result<bool> {
        let promise = words!(
            "Ctrl-C stops the server: its last line is 'stopped', and its exit status 0",
            "按下 Ctrl-C，服务器停止：最后一行是“stopped”，退出状态为 0"
        );
        if cfg!(unix) {
            self.called(Side::Server, "^C");
        }
        if !server.interrupt() {
            let why = words!(
                "one program cannot press Ctrl-C for another here; press it in the server's terminal",
                "这里一个程序不能替另一个程序按 Ctrl-C；请在服务器自己的终端里按"
            );
            self.checks.not_available(promise, why);
            return Ok(false);
        }
        let outcome = self.lab.wait_for_end(server)?;
        let last = outcome.said.last().map(String::as_str);
        self.checks.equal(promise, &(last, Ended::from(&outcome)), &(Some("stopped"), Ended::with(0)));
        Ok(true)
    }
}

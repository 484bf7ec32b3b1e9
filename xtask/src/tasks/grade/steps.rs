//! What a program itself has to do, as [`Step`] says: stop at Ctrl-C, end, fail, print, save.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::mem;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Result, bail};

use super::trial::{Trial, missed};
use crate::peers::script::{Expected, Found, How, Mismatch, NotAvailable, Step};
use crate::peers::talk::within;
use crate::wire::event::{Recorder, Side};
use crate::wire::kernel;
use crate::words::Words;

/// How many seconds a server may take to end after Ctrl-C, as its stage says.
pub const STOP: u64 = 5;

impl Trial<'_> {
    /// Presses Ctrl-C, as a terminal does, for all of the group.
    pub fn is_interrupted(&mut self, held: &[Step], goes_on: &[Step]) -> Result<()> {
        if cfg!(not(unix)) {
            bail!(NotAvailable(Words::fixed(
                "only Unix lets a program send Ctrl-C to another one",
                "只有 Unix 允许程序向别的程序发送 Ctrl-C",
            )));
        }
        self.lab.record.recorder("").said(Side::Server, "^C");
        self.program()?.program.interrupt();
        let status = self.program()?.wait_for_end(Duration::from_secs(STOP))?;
        let has_ended = status.is_some();
        if status.is_some_and(is_crash) {
            return Err(missed(Expected::Stop, How::Ended));
        }
        self.finds_owner()?;
        if has_ended && !self.location.has_left {
            return Ok(());
        }
        let more = self.patience().saturating_sub(Duration::from_secs(STOP));
        let how = if !has_ended && self.ends_within(more)? {
            How::Late
        } else if !held.is_empty() && {
            self.tries(|peers, met| peers.plays(held, met))?;
            self.ends_within(self.patience())?
        } {
            How::Later
        } else if self.tries(|peers, met| peers.plays(goes_on, met)).is_ok() {
            How::Unmoved
        } else {
            How::Silent
        };
        Err(missed(Expected::Stop, how))
    }

    pub fn ends(&mut self) -> Result<()> {
        let is_success = self.waits_for_its_end(Expected::Success)?.success();
        if is_success { Ok(()) } else { Err(missed(Expected::Success, How::Ended)) }
    }

    /// Where it does not end while #1 keeps the connection, whether it does once #1 has closed decides.
    pub fn ends_open(&mut self) -> Result<()> {
        if self.ends_within(self.patience())? {
            return Ok(());
        }
        self.plays_step(Step::SaysNoMore(1))?;
        // That it does not end at all is found next.
        if self.ends_within(self.patience())? { Err(missed(Expected::Success, How::Later)) } else { Ok(()) }
    }

    pub fn outwaits(&mut self) -> Result<()> {
        self.tries(|_, met| met.rests());
        let has_left = self.ends_within(Duration::from_millis(1500))?; // whoever leaves at once is seen leaving
        if has_left { Err(missed(Expected::Outwaits, How::Ended)) } else { Ok(()) }
    }

    pub fn fails(&mut self) -> Result<()> {
        let is_failure = !self.waits_for_its_end(Expected::Failure)?.success();
        let output = self.program()?.output();
        let has_message = output.lines().any(|line| !line.is_empty() && !line.starts_with("Welcome!"));
        if is_failure && has_message { Ok(()) } else { Err(missed(Expected::Failure, How::Ended)) }
    }

    pub fn prints(&mut self, lines: &[&'static str]) -> Result<()> {
        let printed = self.program()?.printed();
        match lines.iter().find(|line| printed.matches(**line).count() != 1) {
            Some(line) if !printed.contains(line) && self.program()?.complained_of(line) => {
                Err(missed(Expected::Printed(line), How::Elsewhere))
            }
            Some(line) => Err(gave(Expected::Printed(line), printed.into_bytes())),
            None => Ok(()),
        }
    }

    /// What is no file is not read: a pipe or a device may have no end; nor more of a file than shows that it is wrong.
    pub fn saves(&mut self, body: Cow<'static, [u8]>) -> Result<()> {
        let (most, mut saved) = (body.len() as u64 + 1024, Vec::new());
        let file = Some(self.out()).filter(|out| out.is_file()).and_then(|out| File::open(out).ok());
        match file.map(|file| file.take(most).read_to_end(&mut saved)) {
            Some(Ok(_)) if body == saved => Ok(()),
            Some(Ok(_)) => Err(gave(Expected::Saved(body), saved)),
            _ if body.is_empty() => Ok(()),
            _ => Err(missed(Expected::Saved(body), How::Ended)),
        }
    }

    pub fn shows(&mut self, words: &str) -> Result<()> {
        self.waits_for_its_end(Expected::Success)?;
        let words = String::from_utf8_lossy(&self.peers.talk.names.of(words.as_bytes())).into_owned();
        let is_shown = self.program()?.output().contains(&words);
        if is_shown { Ok(()) } else { Err(missed(Expected::Shown(words), How::Ended)) }
    }

    /// What it has open after the last client, and had not after half of them, it does not give back.
    pub fn gives_back(&mut self, name: &'static [u8]) -> Result<()> {
        const HALF: usize = 10;
        let pid = self.program()?.program.pid;
        let recorder = mem::replace(&mut self.peers.talk.recorder, Recorder::discarding());
        let (mut served, mut before) = (0, None);
        let visited = (1..=2 * HALF).try_for_each(|number| {
            let visit = [Step::Enters(number), Step::Greeted(number, name), Step::Leaves(number)];
            self.tries(|peers, met| peers.plays(&visit, met))?;
            served = number;
            if number == HALF {
                self.tries(|_, met| met.rests());
                before = kernel::holdings(pid);
            }
            anyhow::Ok(())
        });
        self.peers.talk.recorder = recorder;
        let remark = words!("({served} came, and were served)", "（来了 {served} 个，都得到了服务）");
        self.remarks(Side::Client, &remark);
        visited?;
        let (descriptors, ended) = before.ok_or_else(only_linux)?;
        let more = || {
            let now = kernel::holdings(pid).unwrap_or_default();
            [now.0.saturating_sub(descriptors), now.1.saturating_sub(ended)]
        };
        let is_much = |more: usize| more >= HALF / 2;
        // It may be slow to let go.
        if within(Duration::from_secs(2), || !more().into_iter().any(is_much)) {
            return Ok(());
        }
        let [open, unwaited] = more();
        let (expected, more) =
            if is_much(open) { (Expected::Closes, open) } else { (Expected::Reaps, unwaited) };
        Err(gave(expected, more.to_string().into_bytes()))
    }

    pub fn sleeps(&mut self) -> Result<()> {
        let pid = self.program()?.program.pid;
        kernel::is_idle(pid).ok_or_else(only_linux)?;
        let is_idle = within(Duration::from_secs(2), || kernel::is_idle(pid) != Some(false));
        if is_idle { Ok(()) } else { Err(missed(Expected::Sleeps, How::Other)) }
    }

    fn ends_within(&self, limit: Duration) -> Result<bool> {
        Ok(self.program()?.wait_for_end(limit)?.is_some())
    }

    fn waits_for_its_end(&self, expected: Expected) -> Result<ExitStatus> {
        let program = self.program()?;
        let status = program.wait_for_end(self.patience() * 3)?;
        let status = status.ok_or_else(|| missed(expected, How::Silent))?;
        program.wait_for_output();
        Ok(status)
    }
}

/// Whether a program was killed by a signal that no other program sent: of a shell's or of its own making.
fn is_crash(status: ExitStatus) -> bool {
    /// SIGILL, SIGABRT, SIGBUS, SIGFPE and SIGSEGV, as signal(7) and macOS count them.
    const FAULTS: [i32; 6] = [4, 6, 7, 8, 10, 11];
    let signal = status.code().map(|code| code - 128);
    #[cfg(unix)]
    let signal = signal.or_else(|| std::os::unix::process::ExitStatusExt::signal(&status));
    signal.is_some_and(|signal| FAULTS.contains(&signal))
}

fn only_linux() -> NotAvailable {
    NotAvailable(Words::fixed(
        "only Linux tells what a program has open (/proc)",
        "只有 Linux 能说明程序打开了什么（/proc）",
    ))
}

fn gave(expected: Expected, bytes: Vec<u8>) -> anyhow::Error {
    Mismatch { number: 1, expected, found: Found { how: How::Other, bytes } }.into()
}

//! A student's program as a process: started in the student's own directory, whatever its language, in a process
//! group of its own, and ended with everything that it has started.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use common::narration::escape;
use common::text;

use crate::peers::talk::Patience;
use crate::programs::program::Program;
use crate::wire::event::{Recorder, Side, What};
use crate::wire::kernel::{self, Protocol, Row};

/// How often to look whether it is there, or gone.
const GLANCE: Duration = Duration::from_millis(3);
/// How often to look where else it may be, which takes longer.
const LOOK: Duration = Duration::from_millis(200);
/// A program may listen somewhere else first; where that has not changed for so long, it is where it listens.
const SETTLED: Duration = Duration::from_secs(2);
/// Of each output so many lines are shown, of so many bytes each.
const LINES: usize = 100;
const LINE: u64 = 400;
/// Of a backtrace, so many frames are shown, the last one by its sign.
const FRAMES: usize = 3;
/// Of what it said when it ended, so many last lines.
const LAST: usize = 3;
/// What stands in a line that says why a program has failed, in one language or another.
const TELLING: [&str; 4] = ["Error", "error:", "Exception", "panicked at"];

/// The command that starts it, with places to be filled: `{host}`, `{port}`, `{url}`, `{out}`.
#[derive(Clone, Debug)]
pub struct CommandLine(pub Vec<OsString>);

impl CommandLine {
    /// Whether the command has this place.
    pub fn has(&self, place: &str) -> bool {
        self.0.iter().any(|word| word.to_str().is_some_and(|text| text.contains(place)))
    }

    /// The words with their places filled.
    fn filled(&self, places: &[(&str, String)]) -> Vec<OsString> {
        let fill = |word: &OsString| match word.to_str() {
            Some(text) => {
                let fill = |text: String, (place, value): &(&str, String)| text.replace(place, value);
                places.iter().fold(text.to_owned(), fill).into()
            }
            None => word.clone(),
        };
        self.0.iter().map(fill).collect()
    }

    /// As one would type it, for people.
    pub fn shown(&self) -> String {
        self.0.iter().map(|word| escape(word.as_encoded_bytes())).collect::<Vec<_>>().join(" ")
    }
}

/// What an output ended with.
#[derive(Clone, Default)]
pub struct LastWords {
    /// The last line that says what failed.
    telling: Option<String>,
    lines: VecDeque<String>,
}

impl LastWords {
    fn add(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        match &mut self.telling {
            Some(begun) if begun.ends_with(':') => {
                *begun += " ";
                *begun += line.trim_start();
            }
            telling if TELLING.iter().any(|sign| line.contains(sign)) && !is_frame(line) => {
                *telling = Some(line.into());
            }
            _ => {}
        }
        self.lines.push_back(line.into());
        if self.lines.len() > LAST {
            self.lines.pop_front();
        }
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line that tells most: the one that says what failed, or the last one.
    pub fn telling(&self) -> Option<&str> {
        self.telling.as_deref().or(self.lines.back().map(String::as_str))
    }

    /// All that is known of them.
    pub fn text(&self) -> String {
        self.telling.iter().chain(&self.lines).map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Whether a line is one of a backtrace, as Rust, Java and Node draw it: the names in it tell nothing.
fn is_frame(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("at ") || line.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(": ")
}

type Last = Arc<Mutex<LastWords>>;

/// The running program.
pub struct Candidate {
    /// Its process.
    pub program: Program,
    complained: Last,
    said: Last,
    readers: Vec<thread::JoinHandle<()>>,
}

/// Whether a server is where it was told to be.
#[derive(Debug)]
pub enum Ready {
    /// It is.
    Yes,
    /// It has ended instead.
    Ended(ExitStatus),
    /// The kernel's table has it in these places, and not there.
    Elsewhere(Protocol, Vec<Row>),
    /// It runs, and is nowhere.
    Nowhere,
}

impl Candidate {
    /// Starts the command; what it prints is recorded in a lane.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        command: &CommandLine,
        places: &[(&str, String)],
        lane: Side,
        recorder: &Recorder,
    ) -> Result<Self> {
        let words = command.filled(places);
        let (name, args) = words.split_first().context("the command is empty")?;
        let mut direct = Command::new(name);
        direct.args(args).env("PYTHONUNBUFFERED", "1");
        let mut started = Program::spawn_group(direct);
        if cfg!(windows) && started.is_err() {
            // No .exe of that name: what npm and python put in its place is for the command interpreter.
            let mut shell = Command::new("cmd");
            shell.arg("/C").args(&words).env("PYTHONUNBUFFERED", "1");
            started = Program::spawn_group(shell);
        }
        let (program, stdout, stderr) = started.map_err(|e| {
            let is_there = e.downcast_ref().is_none_or(|e: &io::Error| e.kind() != ErrorKind::NotFound);
            let shown = escape(name.as_encoded_bytes());
            e.context(if is_there {
                text!("cannot start '{shown}'", "无法启动“{shown}”")
            } else {
                text!(
                    "cannot start '{shown}' - is it spelled as in your shell?",
                    "无法启动“{shown}”，它在你的 shell 里也是这样写的吗？"
                )
            })
        })?;
        let (said, complained) = (Last::default(), Last::default());
        let readers = vec![
            listen(Box::new(stdout), false, lane, program.pid, recorder.clone(), Arc::clone(&said))?,
            listen(Box::new(stderr), true, lane, program.pid, recorder.clone(), Arc::clone(&complained))?,
        ];
        Ok(Self { program, complained, said, readers })
    }

    /// How it ended, if nothing of it is left.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ended(&self) -> Result<Option<ExitStatus>> {
        let status = self.program.status()?;
        Ok(status.filter(|_| !kernel::has_members(self.program.pid)))
    }

    /// Waits for its end, for so long at most.
    ///
    /// # Errors
    /// As [`Candidate::ended`].
    pub fn wait_for_end(&self, limit: Duration) -> Result<Option<ExitStatus>> {
        let asked = Instant::now();
        loop {
            let status = self.ended()?;
            if status.is_some() || asked.elapsed() > limit {
                return Ok(status);
            }
            thread::sleep(GLANCE);
        }
    }

    /// Waits until what it printed has been read: it has ended, and so have its outputs, but for a moment.
    pub fn wait_for_output(&self) {
        let asked = Instant::now();
        while self.readers.iter().any(|reader| !reader.is_finished()) && asked.elapsed() < SETTLED {
            thread::sleep(GLANCE);
        }
    }

    /// What it printed last: its complaints, if it had any.
    pub fn last_words(&self) -> LastWords {
        self.wait_for_output();
        let of = |last: &Last| last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(of(&self.complained)).filter(|words| !words.is_empty()).unwrap_or_else(|| of(&self.said))
    }

    /// What it has complained of so far, if a line of that says what has failed.
    pub fn complaint(&self) -> LastWords {
        let complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        Some(complained.clone()).filter(|words| words.telling.is_some()).unwrap_or_default()
    }

    /// Waits until it is bound to an address, by the kernel's table where there is one: a connection of the
    /// student's is not spent on it.
    ///
    /// # Errors
    /// As [`Candidate::ended`].
    pub fn wait_until_ready(&self, protocol: Protocol, at: SocketAddr, patience: Patience) -> Result<Ready> {
        let asked = Instant::now();
        let (mut elsewhere, mut since, mut looked): (Vec<Row>, _, _) = (Vec::new(), asked, asked);
        loop {
            let is_there = match kernel::waiting(protocol) {
                Some(rows) => rows.iter().any(|row| row.is_reached_at(at)),
                None => answers(protocol, at),
            };
            // Somebody else may have been quicker; but one that hands its socket to others is there, too.
            if is_there && self.is_at(protocol, at) {
                return Ok(Ready::Yes);
            }
            if let Some(status) = self.ended()? {
                return Ok(Ready::Ended(status));
            }
            if is_there && asked.elapsed() > SETTLED {
                return Ok(Ready::Yes);
            }
            if looked.elapsed() > LOOK {
                let (found_protocol, rows) = self.places(protocol);
                if rows != elsewhere {
                    (elsewhere, since) = (rows, Instant::now());
                }
                if !elsewhere.is_empty() && since.elapsed() > SETTLED {
                    return Ok(Ready::Elsewhere(found_protocol, elsewhere));
                }
                looked = Instant::now();
            }
            if asked.elapsed() > patience.to_start() {
                return Ok(Ready::Nowhere);
            }
            thread::sleep(GLANCE);
        }
    }

    /// Whether a socket there is its own; so it is taken to be where nobody tells.
    fn is_at(&self, protocol: Protocol, at: SocketAddr) -> bool {
        kernel::waiting_of_group(protocol, self.program.pid)
            .is_none_or(|rows| rows.iter().any(|row| row.is_reached_at(at)))
    }

    /// Where else it waits for whoever comes: by this protocol, or else by the other.
    fn places(&self, protocol: Protocol) -> (Protocol, Vec<Row>) {
        let other = if matches!(protocol, Protocol::Tcp) { Protocol::Udp } else { Protocol::Tcp };
        let of = |protocol| kernel::waiting_of_group(protocol, self.program.pid).unwrap_or_default();
        match of(protocol) {
            rows if rows.is_empty() => (other, of(other)),
            rows => (protocol, rows),
        }
    }
}

/// Whether somebody is there, where the kernel has no table: who listens is connected to, and what is bound cannot
/// be bound again.
fn answers(protocol: Protocol, at: SocketAddr) -> bool {
    match protocol {
        Protocol::Tcp => TcpStream::connect(at).is_ok(),
        Protocol::Udp => UdpSocket::bind(at).is_err_and(|e| e.kind() == ErrorKind::AddrInUse),
    }
}

/// Records what a program prints, to its end: a limited part of it, as it may print without one.
fn listen(
    output: Box<dyn Read + Send>,
    is_error: bool,
    lane: Side,
    program: u32,
    recorder: Recorder,
    last: Last,
) -> Result<thread::JoinHandle<()>> {
    let listening = move || {
        let mut output = BufReader::new(output);
        let (mut number, mut frames) = (0, 0);
        loop {
            let mut bytes = Vec::new();
            if !matches!(output.by_ref().take(LINE).read_until(b'\n', &mut bytes), Ok(1..)) {
                return;
            }
            let line = escape(bytes.trim_ascii_end());
            last.lock().unwrap_or_else(PoisonError::into_inner).add(&line);
            frames = if is_frame(&line) { frames + 1 } else { 0 };
            if frames > FRAMES {
                continue;
            }
            let line = if number < LINES && frames < FRAMES { line } else { "…".into() };
            number += 1;
            if number <= LINES + 1 {
                recorder.record(What::Said { lane, program, line, is_error });
            }
        }
    };
    thread::Builder::new()
        .spawn(listening)
        .context("cannot start a thread - end programs that run beside this, and try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_tells_most_is_no_frame_of_a_backtrace() {
        for (lines, telling) in [
            (&["Traceback:", "  File \"s.py\"", "OSError: in use", ""][..], "OSError: in use"),
            (
                &["panicked at a.rs:2:", "AddrInUse", "   2: <std::io::error::ErrorKind>"],
                "panicked at a.rs:2: AddrInUse",
            ),
            (
                &["Error: listen EADDRINUSE", "    at new SystemError (node:1)", "Node.js v20"],
                "Error: listen EADDRINUSE",
            ),
            (&["one", "two"], "two"),
        ] {
            let mut words = LastWords::default();
            for line in lines {
                words.add(line);
            }
            assert_eq!(words.telling(), Some(telling));
        }
    }
}

//! A student's program as a process: started in the student's own directory, whatever its language, in a process
//! group of its own, and ended with everything that it has started.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use common::narration::escape;
use common::text;

use crate::peers::talk::within;
use crate::programs::program::Program;
use crate::wire::event::{Recorder, Side, What};
use crate::wire::kernel::{self, Protocol};

/// How long the outputs of a program that has ended are read on: what it started may still have them.
const LINGER: Duration = Duration::from_secs(2);
/// At least so many of the last bytes of each output are read for a verdict.
const READ: usize = 1 << 20;
/// How many lines of each output are drawn, and how many characters of each.
const DRAWN: (usize, usize) = (100, 400);
/// How many frames of a backtrace are drawn, the last one as a sign.
const FRAMES: usize = 3;
/// What a line contains that says why a program failed, in one language or another.
const TELLING: [&str; 4] = ["Error", "error:", "Exception", "panicked at"];
/// What is printed where an error has ended a thread, in Python, Java, Rust, Ruby and Perl: a mere log line is no such sign.
const DEAD: [&str; 5] = [
    "Traceback (",
    "Exception in thread",
    "panicked at",
    "terminated with exception",
    "terminated abnormally",
];
/// How lines begin that a launcher prints before the program: Java, because of `JAVA_TOOL_OPTIONS`; bash without its locale.
const LAUNCHER: [&str; 2] = ["Picked up ", "bash: warning: setlocale"];

#[derive(Clone, Debug)]
pub struct CommandLine {
    /// With places to be filled: `{host}`, `{port}`, `{url}`, `{out}`, `{dir}`.
    pub words: Vec<OsString>,
    /// Where it runs; none is the current directory.
    pub directory: Option<PathBuf>,
}

impl CommandLine {
    pub fn has(&self, place: &str) -> bool {
        self.words.iter().any(|word| word.to_str().is_some_and(|text| text.contains(place)))
    }

    fn filled(&self, places: &[(&str, String)]) -> Vec<OsString> {
        let put = |text: String, (place, value): &(&str, String)| text.replace(place, value);
        let fill = |text: &str| OsString::from(places.iter().fold(text.to_owned(), put));
        self.words.iter().map(|word| word.to_str().map_or_else(|| word.clone(), fill)).collect()
    }

    pub fn shown(&self) -> String {
        self.words.iter().map(|word| escape(word.as_encoded_bytes())).collect::<Vec<_>>().join(" ")
    }
}

/// What an output ended with.
#[derive(Default)]
pub struct LastWords {
    /// The line that tells most, as it is shown: the last one that says what failed, or the last one.
    pub telling: Option<String>,
    /// All of that line, if it says what failed, and the last three lines.
    pub text: String,
}

impl LastWords {
    fn of(output: &[u8]) -> Self {
        let lines = output.split(|byte| *byte == b'\n').map(|line| escape(line.trim_ascii_end()));
        let is_its_own =
            |line: &String| !line.is_empty() && !LAUNCHER.iter().any(|begin| line.starts_with(begin));
        let lines: Vec<_> = lines.filter(is_its_own).collect();
        let mut failed: Option<String> = None;
        for line in &lines {
            match &mut failed {
                Some(begun) if begun.ends_with(':') => *begun = format!("{begun} {}", line.trim_start()),
                failed if TELLING.iter().any(|sign| line.contains(sign)) && !is_frame(line) => {
                    *failed = Some(line.clone());
                }
                _ => {}
            }
        }
        let last = &lines[lines.len().saturating_sub(3)..];
        let text = failed.iter().chain(last).map(String::as_str).collect::<Vec<_>>().join("\n");
        let telling = failed.as_ref().or(last.last()).map(|line| line.chars().take(DRAWN.1).collect());
        Self { telling, text }
    }
}

/// Whether a line is one of a backtrace, as Rust, Java and Node draw it: the names in it tell nothing.
fn is_frame(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("at ") || line.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(": ")
}

/// One output, as it is read: of much, the end.
struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: thread::JoinHandle<()>,
}

impl Captured {
    /// Reads what a program prints, to its end. It may print without an end: a part of it is drawn.
    fn read(
        output: impl Read + Send + 'static,
        is_error: bool,
        (lane, program): (Side, u32),
        recorder: Recorder,
    ) -> Result<Self> {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&bytes);
        let reading = move || {
            let ((lines, columns), mut output) = (DRAWN, BufReader::new(output));
            let (mut number, mut frames, mut bytes) = (0, 0, Vec::new());
            while matches!(output.by_ref().take(1 << 16).read_until(b'\n', &mut bytes), Ok(1..)) {
                let line = escape(bytes.trim_ascii_end());
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.append(&mut bytes);
                let surplus = if kept.len() > 2 * READ { kept.len() - READ } else { 0 };
                kept.drain(..surplus);
                drop(kept);
                frames = if is_frame(&line) { frames + 1 } else { 0 };
                if frames > FRAMES || number > lines {
                    continue;
                }
                let line = match line.char_indices().nth(columns) {
                    _ if number == lines || frames == FRAMES => "…".into(),
                    Some((end, _)) => format!("{}…", &line[..end]),
                    None => line,
                };
                number += 1;
                recorder.record(What::Said { lane, program, line, is_error });
            }
        };
        let reader = thread::Builder::new().spawn(reading);
        let reader = reader.context("cannot start a thread - end other programs, and try again")?;
        Ok(Self { bytes, reader })
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

pub struct Candidate {
    pub program: Program,
    complained: Captured,
    said: Captured,
}

impl Candidate {
    pub fn start(
        command: &CommandLine,
        places: &[(&str, String)],
        lane: Side,
        recorder: &Recorder,
    ) -> Result<Self> {
        let words = command.filled(places);
        let (name, args) = words.split_first().context("the command is empty")?;
        let directory = command.directory.as_deref().unwrap_or(Path::new("."));
        let spawn = |mut program: Command, args: &[OsString]| {
            program.args(args).env("PYTHONUNBUFFERED", "1").current_dir(directory);
            Program::spawn_group(program)
        };
        let mut started = spawn(Command::new(name), args);
        if cfg!(windows) && started.is_err() {
            // No .exe of that name: what npm and python put in its place is for the command interpreter.
            started = spawn(Command::new("cmd"), &[&["/C".into()], &words[..]].concat());
        }
        let (program, stdout, stderr) = started.map_err(|e| {
            let shown = escape(name.as_encoded_bytes());
            e.context(text!(
                "cannot start '{shown}' - is it spelled as in your shell, without quotes around the whole command, \
                 and executable (chmod +x)?",
                "无法启动“{shown}”：它在你的 shell 里也是这样写的吗？整条命令外面不要加引号，文件要有执行权限（chmod +x）"
            ))
        })?;
        let said = Captured::read(stdout, false, (lane, program.pid), recorder.clone())?;
        let complained = Captured::read(stderr, true, (lane, program.pid), recorder.clone())?;
        Ok(Self { program, complained, said })
    }

    /// How it ended, if nothing of it is left.
    pub fn ended(&self) -> Result<Option<ExitStatus>> {
        let status = self.program.status()?;
        Ok(status.filter(|_| kernel::group_members(self.program.pid).is_none_or(|left| left.is_empty())))
    }

    /// Its processes, in its group or not, where the kernel tells.
    pub fn processes(&self) -> Vec<u32> {
        let members = kernel::group_members(self.program.pid).unwrap_or_default();
        let all: BTreeSet<_> = self.program.marked().into_iter().chain(members).collect();
        all.into_iter().collect()
    }

    /// The one of its processes that has left its group and has the socket at this address.
    pub fn runaway(&self, protocol: Protocol, at: SocketAddr) -> Option<u32> {
        let group = kernel::group_members(self.program.pid)?;
        let left: Vec<_> = self.program.marked().into_iter().filter(|pid| !group.contains(pid)).collect();
        kernel::owner(protocol, at, &left)
    }

    pub fn wait_for_end(&self, limit: Duration) -> Result<Option<ExitStatus>> {
        within(limit, || !matches!(self.ended(), Ok(None)));
        self.ended()
    }

    /// Waits until what it printed has been read: it has ended, and so have its outputs, but for a moment.
    pub fn wait_for_output(&self) {
        within(LINGER, || self.said.reader.is_finished() && self.complained.reader.is_finished());
    }

    pub fn printed(&self) -> String {
        self.said.text()
    }

    pub fn output(&self) -> String {
        format!("{}\n{}", self.said.text(), self.complained.text())
    }

    /// What it printed last: on standard error, if it did.
    pub fn last_words(&self) -> LastWords {
        self.wait_for_output();
        let complained = LastWords::of(&self.complained.bytes());
        if complained.text.is_empty() { LastWords::of(&self.said.bytes()) } else { complained }
    }

    /// The error that has ended one of its threads, if it has reported one.
    pub fn complaint(&self) -> LastWords {
        let bytes = self.complained.bytes();
        let text = String::from_utf8_lossy(&bytes);
        if DEAD.iter().any(|sign| text.contains(sign)) { LastWords::of(&bytes) } else { LastWords::default() }
    }

    pub fn complained_of(&self, words: &str) -> bool {
        self.complained.text().contains(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_tells_most_is_no_frame_of_a_backtrace() {
        for (lines, telling) in [
            (&b"Traceback:\n  File \"s.py\"\nOSError: in use\n\n"[..], "OSError: in use"),
            (b"panicked at a.rs:2:\nAddrInUse\n   2: <std::io::Error>", "panicked at a.rs:2: AddrInUse"),
            (b"Error: EADDRINUSE\n    at SystemError (a:1)\nNode.js v20", "Error: EADDRINUSE"),
            (b"one\ntwo", "two"),
        ] {
            assert_eq!(LastWords::of(lines).telling.as_deref(), Some(telling));
        }
    }
}

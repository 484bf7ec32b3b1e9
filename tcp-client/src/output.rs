//! Where a body goes: to a file, which is replaced when the body is complete, to an output, or to a terminal.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use common::narration::{self, Escaped, Stdout, escape};
use common::replacement::{self, Replacement};
use common::{show_bytes, stop};

/// The output of a body. A file's old content stays until [`Output::finish`].
pub struct Output {
    to: To,
    /// For messages.
    name: String,
    progress: Progress,
}

enum To {
    Stdout,
    Terminal(Escaped<Box<dyn Write>>),
    File(Replacement),
}

impl Output {
    /// Opens a file, or standard output where it is called `-`.
    pub fn open(file: &OsStr) -> Result<Self> {
        let (name, to) = if file == "-" {
            let is_terminal = io::stdout().is_terminal();
            stop::end_client_on_signal()?;
            let to = if is_terminal { To::Terminal(Escaped::on(Box::new(Stdout))) } else { To::Stdout };
            ("standard output".into(), to)
        } else {
            let name = escape(file.as_encoded_bytes());
            let file = open_file(Path::new(file)).with_context(|| format!("cannot write to '{name}'"))?;
            let is_terminal = file.is_terminal();
            (name, if is_terminal { To::Terminal(Escaped::on(Box::new(file))) } else { To::File(file) })
        };
        Ok(Self { to, name, progress: Progress::default() })
    }

    /// Prints a line where the body does not go. That a line is lost is no reason not to save a file.
    pub fn narrate(&self, line: &str) {
        match self.to {
            To::File(_) => say(line).unwrap_or_else(|e| narration::complain(&e.to_string())),
            To::Stdout | To::Terminal(_) => narration::complain(line),
        }
    }

    /// Puts the complete body in the file's place, and says how much it was.
    pub fn finish(mut self, bytes: u64, reads: u64) -> Result<()> {
        self.progress.clear();
        let unit = if reads == 1 { "read" } else { "reads" };
        let saved = format!("saved {} in {reads} {unit} to {}", show_bytes::Bytes(bytes), self.name);
        match self.to {
            To::File(file) => {
                file.finish().with_context(|| format!("cannot write to '{}'", self.name))?;
                say(&saved)?;
            }
            To::Stdout | To::Terminal(_) => narration::complain(&saved),
        }
        Ok(())
    }
}

/// Prints a line about a file; a closed standard output is not an error.
fn say(line: &str) -> Result<()> {
    match narration::say(line) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Stdout => Stdout.write(bytes),
            To::Terminal(terminal) => terminal.write(bytes),
            To::File(file) => {
                let n = file
                    .write(bytes)
                    .map_err(|e| io::Error::new(e.kind(), format!("cannot write to '{}': {e}", self.name)))?;
                // A pipe may end on this very screen, and a line about the progress would be in the way.
                if file.is_regular() {
                    self.progress.advance(n);
                }
                Ok(n)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Stdout => Stdout.flush(),
            To::Terminal(terminal) => terminal.flush(),
            To::File(file) => file.flush(),
        }
    }
}

/// Opens a file. From here on, Ctrl-C removes what is unfinished.
fn open_file(path: &Path) -> Result<Replacement> {
    stop::end_on_signal(replacement::abandon_all)?;
    Replacement::of(path)
}

/// A line on standard error, if that is a terminal, for a body that takes longer than a second.
#[derive(Default)]
struct Progress {
    bytes: u64,
    started: Option<Instant>,
    shown: Option<Instant>,
}

impl Progress {
    const QUIET: Duration = Duration::from_secs(1);
    const INTERVAL: Duration = Duration::from_millis(200);

    fn advance(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let taken = self.started.get_or_insert_with(Instant::now).elapsed();
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() > Self::INTERVAL);
        if taken > Self::QUIET && is_due && io::stderr().is_terminal() {
            self.shown = Some(Instant::now());
            let _ = write!(io::stderr(), "\r{} bytes in {} s ", self.bytes, taken.as_secs());
        }
    }

    fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(io::stderr(), "\r{:50}\r", "");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

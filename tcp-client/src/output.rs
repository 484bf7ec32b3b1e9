//! Where a body goes: to a file, which is replaced when the body is complete, to an output, or to a terminal.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use common::narration::{self, Escaped, Stdout, escape};
use common::replacement::{self, Replacement};
use common::{show_bytes, stop};

/// The output of a body. A file's old content stays until [`Output::finish`].
pub struct Output {
    to: To,
    name: String,
}

enum To {
    /// Standard output or a terminal; the latter gets no controls.
    Shown(Box<dyn Write>),
    File(Box<Replacement>),
}

impl Output {
    /// Opens a file, or standard output where it is called `-`.
    pub fn open(file: &OsStr) -> Result<Self> {
        if file == "-" {
            stop::end_client_on_signal()?;
            let to = shown(Stdout, io::stdout().is_terminal());
            return Ok(Self { to, name: "standard output".into() });
        }
        stop::end_on_signal(replacement::abandon_all)?;
        let name = escape(file.as_encoded_bytes());
        let file = Replacement::of(Path::new(file)).with_context(|| format!("cannot write to '{name}'"))?;
        let to = if file.is_terminal() { shown(file, true) } else { To::File(Box::new(file)) };
        Ok(Self { to, name })
    }

    /// Prints a line where the body does not go. That a line is lost is no reason not to save a file.
    pub fn narrate(&self, line: &str) {
        match self.to {
            To::File(_) => say(line).unwrap_or_else(|e| narration::complain(&e.to_string())),
            To::Shown(_) => narration::complain(line),
        }
    }

    /// Puts the complete body in the file's place, and says how much it was.
    pub fn finish(self, bytes: u64, reads: u64) -> Result<()> {
        let unit = if reads == 1 { "read" } else { "reads" };
        let saved = format!("saved {} in {reads} {unit} to {}", show_bytes::Bytes(bytes), self.name);
        match self.to {
            To::File(file) => {
                file.finish().with_context(|| format!("cannot write to '{}'", self.name))?;
                say(&saved)?;
            }
            To::Shown(_) => narration::complain(&saved),
        }
        Ok(())
    }
}

fn shown(out: impl Write + 'static, is_terminal: bool) -> To {
    To::Shown(if is_terminal { Box::new(Escaped::on(out)) } else { Box::new(out) })
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
            To::Shown(out) => out.write(bytes),
            To::File(file) => file
                .write(bytes)
                .map_err(|e| io::Error::new(e.kind(), format!("cannot write to '{}': {e}", self.name))),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Shown(out) => out.flush(),
            To::File(file) => file.flush(),
        }
    }
}

//! A running server, its lines at hand.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{ChildStderr, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::build;
use super::program::{Program, address_in};
use super::scratch::Scratch;

pub struct Server {
    pub program: Program,
    pub address: SocketAddr,
    /// What it prints after its first line. It is held up where nobody reads this, unless it was started unread.
    pub lines: Box<dyn BufRead + Send>,
    _stderr: ChildStderr,
    _said: Option<Scratch>,
}

impl Server {
    /// Starts it on a free port of 127.0.0.1.
    pub fn start(name: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(build::path_of(name)?);
        command.arg("127.0.0.1:0").args(args);
        Self::start_command(command)
    }

    /// Starts it through `sh -c`, after a limit such as `ulimit -n 40`.
    pub fn start_behind(limit: &str, name: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit} && exec \"$0\" \"$@\"")]);
        command.arg(build::path_of(name)?).arg("127.0.0.1:0").args(args);
        Self::start_command(command)
    }

    pub fn start_command(command: Command) -> Result<Self> {
        let (program, stdout, stderr) = Program::spawn(command)?;
        let mut lines = BufReader::with_capacity(64, stdout);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let (address, lines) = (address_in(&line)?, Box::new(lines));
        Ok(Self { program, address, lines, _stderr: stderr, _said: None })
    }

    /// Starts it by a command, and has it print into a file: who reads a pipe would be part of what is measured.
    pub fn start_unread(command: &Command) -> Result<Self> {
        let scratch = Scratch::new()?;
        let file = scratch.path().join("said");
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" >\"$SAID\""]).env("SAID", &file);
        shell.arg(command.get_program()).args(command.get_args());
        let (program, _, mut stderr) = Program::spawn(shell)?;
        loop {
            let said = fs::read_to_string(&file).unwrap_or_default();
            if let Some((line, _)) = said.split_once('\n') {
                let (address, lines) = (address_in(line)?, Box::new(io::empty()));
                return Ok(Self { program, address, lines, _stderr: stderr, _said: Some(scratch) });
            }
            if !program.is_running() {
                let mut why = String::new();
                stderr.read_to_string(&mut why)?;
                bail!("it ended: {}", why.trim_end());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Interrupts it; returns how it ended, and after how long.
    pub fn stop(self) -> Result<(ExitStatus, Duration)> {
        let asked = Instant::now();
        self.program.interrupt();
        let status = self.program.wait()?;
        Ok((status, asked.elapsed()))
    }
}

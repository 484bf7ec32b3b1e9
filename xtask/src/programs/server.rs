//! A running server, its lines at hand.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::build;
use super::program::{Program, address_in};

pub struct Server {
    pub program: Program,
    pub address: SocketAddr,
    /// What it prints after its first line. It is held up where nobody reads this.
    pub lines: BufReader<ChildStdout>,
    _stderr: ChildStderr,
}

impl Server {
    /// Starts it on a free port of 127.0.0.1.
    pub fn start(name: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(build::path_of(name)?);
        command.arg("127.0.0.1:0").args(args);
        Self::start_command(command)
    }

    pub fn start_command(command: Command) -> Result<Self> {
        let (program, stdout, stderr) = Program::spawn(command)?;
        let mut lines = BufReader::with_capacity(64, stdout);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        Ok(Self { program, address: address_in(&line)?, lines, _stderr: stderr })
    }

    /// Interrupts it; returns how it ended, and after how long.
    pub fn stop(self) -> Result<(ExitStatus, Duration)> {
        let asked = Instant::now();
        self.program.interrupt();
        let status = self.program.wait()?;
        Ok((status, asked.elapsed()))
    }
}

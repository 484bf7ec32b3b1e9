//! `cargo xtask soak`: the promises that need many clients, small limits or much data, a row each. What this
//! system has no means for is said to be not available, and every figure is measured here and now.

mod tcp_client;
mod tcp_server;
mod udp;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use common::args::Args;
use common::narration::say;

use crate::programs::{self, program::Program};

/// What came of a row: the figures, where it held.
enum Outcome {
    /// The promise held.
    Held(String),
    /// It was broken.
    Lost(String),
    /// This system has no means to try it.
    NotAvailable(String),
}

/// Something to try.
struct Row {
    /// What is tried.
    tried: &'static str,
    /// Tries it.
    run: fn() -> Result<Outcome>,
}

/// Set in the environment of a task that was started again with more descriptors.
const AGAIN: &str = "XTASK_SOAK_AGAIN";

/// Tries everything and prints a table.
///
/// # Errors
/// If anything was lost.
pub fn run(mut args: Args) -> Result<()> {
    args.finish()?;
    if cfg!(unix) && env::var_os(AGAIN).is_none() {
        return run_with_all_descriptors();
    }
    programs::house::close_on_interrupt()?;
    programs::build::build()?;
    let (mut held, mut lost, mut absent) = (0, 0, 0);
    for row in tcp_server::ROWS.iter().chain(&tcp_client::ROWS).chain(&udp::ROWS) {
        let outcome = (row.run)().unwrap_or_else(|e| Outcome::Lost(format!("{e:#}")));
        let (mark, count, found) = match &outcome {
            Outcome::Held(found) => ("✓", &mut held, found),
            Outcome::Lost(found) => ("✗", &mut lost, found),
            Outcome::NotAvailable(why) => ("-", &mut absent, &format!("not available here: {why}")),
        };
        *count += 1;
        say(&format!("{mark} {:52} {found}", row.tried))?;
    }
    let absent = if absent > 0 { format!(", {absent} not available here") } else { String::new() };
    if lost > 0 {
        bail!("{lost} of {} promises were broken{absent}", held + lost);
    }
    say(&format!("\nAll {held} promises held{absent}."))?;
    Ok(())
}

/// Starts this task again with as many descriptors as the system lets it have: only a shell can ask for them.
fn run_with_all_descriptors() -> Result<()> {
    let own = env::current_exe().context("cannot tell where this program is")?;
    let status = Command::new("sh")
        .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" soak"])
        .arg(own)
        .env(AGAIN, "yes")
        .status()
        .context("cannot run sh")?;
    match status.code() {
        Some(0) => Ok(()),
        _ => bail!("the soak ended with {status}"),
    }
}

/// A running tcp-server or udp-server.
struct Server {
    program: Program,
    address: SocketAddr,
    lines: BufReader<ChildStdout>,
    _stderr: ChildStderr,
}

impl Server {
    /// Starts it by itself, on a free port.
    fn start(name: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(programs::build::path_of(name)?);
        command.arg("127.0.0.1:0").args(args);
        Self::from(command)
    }

    /// Starts it through `sh -c`, behind a limit such as `ulimit -n 40`.
    fn start_behind(limit: &str, name: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit} && exec \"$0\" \"$@\"")]);
        command.arg(programs::build::path_of(name)?).arg("127.0.0.1:0").args(args);
        Self::from(command)
    }

    fn from(command: Command) -> Result<Self> {
        let (program, stdout, stderr) = Program::spawn(command)?;
        let mut lines = BufReader::with_capacity(64, stdout);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        Ok(Self { program, address: programs::program::address_in(&line)?, lines, _stderr: stderr })
    }

    fn connect(&self) -> Result<TcpStream> {
        TcpStream::connect(self.address).context("cannot connect")
    }

    /// A client that has been welcomed.
    fn guest(&self) -> Result<Guest> {
        let mut guest = Guest(BufReader::new(self.connect()?));
        guest.hears("Welcome!")?;
        Ok(guest)
    }

    /// Interrupts it; returns how it ended, and after how long.
    fn stop(self) -> Result<(ExitStatus, Duration)> {
        let asked = Instant::now();
        self.program.interrupt();
        let status = self.program.wait()?;
        Ok((status, asked.elapsed()))
    }

    /// Interrupts it and turns how it ends into a row: status 0 within two seconds.
    fn stop_in_time(self, found: &str) -> Result<Outcome> {
        let (status, taken) = self.stop()?;
        let found = format!("{found}; stopped in {} ms", taken.as_millis());
        Ok(held_if(status.success() && taken < Duration::from_secs(2), format!("{found}, {status}")))
    }
}

/// A client of the line framing.
struct Guest(BufReader<TcpStream>);

impl Guest {
    fn says(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.get_mut().write_all(bytes).context("cannot send")
    }

    fn hears(&mut self, line: &str) -> Result<()> {
        let mut heard = String::new();
        self.0.read_line(&mut heard)?;
        if heard.trim_end() == line { Ok(()) } else { bail!("heard {heard:?} instead of {line:?}") }
    }

    fn hears_the_end(&mut self) -> Result<String> {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest)?;
        Ok(rest)
    }
}

fn held_if(held: bool, found: String) -> Outcome {
    if held { Outcome::Held(found) } else { Outcome::Lost(found) }
}

/// A figure of a process in KiB from Linux' /proc/PID/status: `VmRSS`, `VmHWM` (the peak so far).
fn memory(program: &Program, what: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid)).ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// How much of one core a process used during a second, from Linux' /proc/PID/stat (in hundredths of a second,
/// user and system).
fn share_of_a_core(program: &Program) -> Option<u64> {
    let used = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", program.pid)).ok()?;
        let fields: Vec<_> = stat.rsplit(") ").next()?.split(' ').map(str::to_owned).collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    };
    let before = used()?;
    std::thread::sleep(Duration::from_secs(1));
    Some(used()? - before)
}

fn no_proc() -> Outcome {
    Outcome::NotAvailable("it takes Linux' /proc to measure it".into())
}

//! Where programs run and wires lie between them, and what happens is recorded. Nothing is drawn here.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use common::address::HostPort;
use common::narration::escape;

use crate::checks::Ended;
use crate::programs::build;
use crate::programs::program::{self, Program};
use crate::programs::scratch::Scratch;
use crate::wire::event::{Event, Side, What};
use crate::wire::impairments::Impairments;
use crate::wire::listening::{Listening, Receiving};
use crate::wire::record::Record;
use crate::wire::tcp_relay::{self, RelayMode};
use crate::wire::udp_relay;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// None if a signal ended it.
    pub status: Option<i32>,
    pub said: Vec<String>,
    pub complained: Vec<String>,
}

impl Outcome {
    fn of(pid: u32, events: &[Event]) -> Self {
        let mut outcome = Self::default();
        for event in events {
            if let What::Said { program, line, is_error, .. } = &event.what {
                let lines = if *is_error { &mut outcome.complained } else { &mut outcome.said };
                lines.extend((*program == pid).then(|| line.clone()));
            }
        }
        outcome
    }
}

impl From<&Outcome> for Ended {
    fn from(outcome: &Outcome) -> Self {
        let why = outcome.complained.last().filter(|_| outcome.status != Some(0));
        Self { status: outcome.status, why: why.cloned() }
    }
}

pub struct Lab {
    pub record: Record,
    wires: Vec<Listening>,
    udp_wires: Vec<Receiving>,
    scratch: Scratch,
}

impl Lab {
    /// Hands the events to a watcher; its programs run in an empty directory.
    pub fn new(watcher: impl FnMut(&Event) -> Result<()> + Send + 'static) -> Result<Self> {
        let scratch = Scratch::new()?;
        Ok(Self { record: Record::new(watcher), wires: Vec::new(), udp_wires: Vec::new(), scratch })
    }

    pub fn discarding() -> Result<Self> {
        Self::new(|_| Ok(()))
    }

    pub fn directory(&self) -> &Path {
        self.scratch.path()
    }

    /// Starts one of the four programs, whose lines appear in its lane.
    pub fn start(&self, lane: Side, label: &str, name: &str, args: &[&str]) -> Result<Program> {
        let mut command = Command::new(build::path_of(name)?);
        command.args(args);
        self.start_in(lane, label, command)
    }

    pub fn start_command(&self, command: Command) -> Result<Program> {
        self.start_in(Side::Client, "", command)
    }

    fn start_in(&self, lane: Side, label: &str, mut command: Command) -> Result<Program> {
        command.current_dir(self.directory());
        let name = command.get_program().to_string_lossy().into_owned();
        let (program, stdout, stderr) =
            Program::spawn(command).with_context(|| format!("cannot start {name}"))?;
        let (recorder, id) = (self.record.recorder(label), program.pid);
        thread::spawn(move || {
            let echo = |output: Box<dyn Read + Send>, is_error| {
                for bytes in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                    let line = escape(bytes.strip_suffix(b"\r").unwrap_or(&bytes));
                    recorder.record(What::Said { lane, program: id, line, is_error });
                }
            };
            thread::scope(|scope| {
                scope.spawn(|| echo(Box::new(stdout), false));
                echo(Box::new(stderr), true);
            });
            recorder.record(What::Finished { program: id });
        });
        Ok(program)
    }

    /// Starts a server and waits for the address in its first line.
    pub fn start_server(&mut self, name: &str, args: &[&str]) -> Result<(Program, SocketAddr)> {
        let program = self.start(Side::Server, "", name, args)?;
        let address = self.wait_for_address(&program)?;
        Ok((program, address))
    }

    pub fn wait_for_address(&mut self, server: &Program) -> Result<SocketAddr> {
        program::address_in(&self.wait_for_line(server, "")?)
    }

    /// A wire to a TCP server; every client that connects to it is recorded under the label.
    pub fn wire(&mut self, label: &str, server: SocketAddr, mode: RelayMode) -> Result<SocketAddr> {
        let recorder = self.record.recorder(label);
        let (near, server) = (TcpListener::bind((server.ip(), 0))?, HostPort::Ip(server));
        let wire = tcp_relay::start(near, server, mode, Duration::ZERO, move |_| recorder.clone())?;
        let address = wire.address;
        self.wires.push(wire);
        Ok(address)
    }

    pub fn udp_wire(&mut self, server: SocketAddr, impairments: Impairments) -> Result<SocketAddr> {
        let recorder = self.record.recorder("");
        let near = UdpSocket::bind((server.ip(), 0))?;
        let address = near.local_addr()?;
        self.udp_wires.push(udp_relay::start(near, server, impairments, move |_| recorder.clone())?);
        Ok(address)
    }

    pub fn wait_for_line(&mut self, program: &Program, start: &str) -> Result<String> {
        let mut said = self.wait_for_lines(program, 1, |line| line.starts_with(start))?;
        said.pop().with_context(|| format!("nothing was said before '{start}'"))
    }

    /// Waits until a program has printed `count` lines that are such; returns all that it has printed up to then.
    pub fn wait_for_lines(
        &mut self,
        program: &Program,
        count: usize,
        is_such: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>> {
        let pid = program.pid;
        let found = self.record.wait_until(|events| {
            let mut said = Outcome::of(pid, events).said;
            let such = said.iter().enumerate().filter(|(_, line)| is_such(line)).nth(count - 1);
            let Some((last, _)) = such else {
                return events.iter().any(|event| event.is_end_of(pid)).then_some(None);
            };
            said.truncate(last + 1);
            Some(Some(said))
        })?;
        found.with_context(|| {
            format!("a program ended before it said what was waited for: {:?}", self.outcome(pid))
        })
    }

    pub fn wait_for_end(&mut self, program: Program) -> Result<Outcome> {
        let pid = program.pid;
        self.record.wait_until(|events| events.iter().any(|event| event.is_end_of(pid)).then_some(()))?;
        let mut outcome = self.outcome(pid);
        outcome.status = program.wait()?.code();
        Ok(outcome)
    }

    pub fn outcome(&self, pid: u32) -> Outcome {
        Outcome::of(pid, self.record.events())
    }

    /// Takes the wires away once every client has left, and keeps what was still under way on them.
    pub fn clear(&mut self) -> Result<()> {
        self.wires.drain(..).for_each(|mut wire| wire.finish());
        self.udp_wires.clear();
        self.record.catch_up()
    }
}

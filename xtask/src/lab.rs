//! Where a lesson happens: it starts programs and relays, collects what they do as events, and draws each one
//! as it comes. A lesson waits for events, never for time.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use common::narration::{self, escape};

use crate::drawing::ladder::{Rung, Style};
use crate::drawing::story::Told;
use crate::programs::{self, Program, Scratch, Started};
use crate::wire::event::{Event, Lane, Recorder, What};
use crate::wire::tcp_relay::{self, Manner, TcpRelay};
use crate::wire::udp_relay::{self, Plan, UdpRelay};

/// A lesson in which nothing at all happens for so long is stuck, on the slowest machine.
pub const STUCK: Duration = Duration::from_secs(60);

/// How a program ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Its exit status; none if a signal ended it.
    pub status: Option<i32>,
    /// What it said on standard output.
    pub said: Vec<String>,
    /// What it said on standard error.
    pub complained: Vec<String>,
}

/// The events of one lesson.
pub struct Stage {
    events: Sender<Event>,
    incoming: Receiver<Event>,
    recorded: Vec<Event>,
    tcp_relays: Vec<TcpRelay>,
    udp_relays: Vec<UdpRelay>,
    started: Instant,
    style: Option<Style>,
    scratch: Scratch,
    hidden: Vec<String>,
    told: Vec<Told>,
}

impl Stage {
    /// An empty stage, drawn in a style, or not at all; its programs run in an empty directory.
    ///
    /// # Errors
    /// When the programs cannot be built, or the directory not be made.
    pub fn new(style: Option<Style>) -> Result<Self> {
        programs::build()?;
        let scratch = Scratch::new()?;
        let (events, incoming) = mpsc::channel();
        Ok(Self {
            events,
            incoming,
            recorded: Vec::new(),
            tcp_relays: Vec::new(),
            udp_relays: Vec::new(),
            started: Instant::now(),
            style,
            scratch,
            hidden: Vec::new(),
            told: Vec::new(),
        })
    }

    /// Draws no more of what happens under a label; it is recorded all the same.
    pub fn hide(&mut self, label: &str) {
        self.hidden.push(label.into());
    }

    /// The directory in which its programs run.
    pub fn directory(&self) -> &Path {
        self.scratch.path()
    }

    /// A recorder for what happens under a label.
    pub fn recorder(&self, label: &str) -> Recorder {
        Recorder::new(label, self.events.clone())
    }

    /// Starts a program, whose lines appear in its lane.
    ///
    /// # Errors
    /// As [`Program::start`].
    pub fn start(&self, lane: Lane, label: &str, name: &str, args: &[&str]) -> Result<Program> {
        Ok(self.listen_to(lane, label, Program::start(name, args, self.scratch.path())?))
    }

    /// Starts a command in the stage's directory.
    ///
    /// # Errors
    /// As [`Program::spawn`].
    pub fn start_command(&self, mut command: Command) -> Result<Program> {
        command.current_dir(self.scratch.path());
        let name = command.get_program().to_string_lossy().into_owned();
        let started = Program::spawn(command).with_context(|| format!("cannot start {name}"))?;
        Ok(self.listen_to(Lane::Client, "", started))
    }

    fn listen_to(&self, lane: Lane, label: &str, (program, stdout, stderr): Started) -> Program {
        let (recorder, id) = (self.recorder(label), program.pid);
        let echo = move |output: Box<dyn Read + Send>, is_error| {
            let recorder = recorder.clone();
            move || {
                for bytes in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                    let said = escape(bytes.strip_suffix(b"\r").unwrap_or(&bytes));
                    recorder.record(What::Said { lane, program: id, line: said, is_error });
                }
            }
        };
        let out = echo(Box::new(stdout), false);
        let err = echo(Box::new(stderr), true);
        let recorder = self.recorder(label);
        thread::spawn(move || {
            thread::scope(|scope| {
                scope.spawn(out);
                scope.spawn(err);
            });
            recorder.record(What::Finished { program: id });
        });
        program
    }

    /// Starts a server and waits for the address in its first line.
    ///
    /// # Errors
    /// When it does not start, or does not say where it is.
    pub fn start_server(&mut self, name: &str, args: &[&str]) -> Result<(Program, SocketAddr)> {
        let program = self.start(Lane::Server, "", name, args)?;
        let address = self.wait_for_address(&program)?;
        Ok((program, address))
    }

    /// Waits for the address in a server's first line.
    ///
    /// # Errors
    /// When the server does not say where it is.
    pub fn wait_for_address(&mut self, server: &Program) -> Result<SocketAddr> {
        programs::address_in(&self.wait_for_line(server, "")?)
    }

    /// A relay in front of a TCP server; every client that connects to it is drawn under the label.
    ///
    /// # Errors
    /// When the system gives it no socket.
    pub fn relay_tcp(&mut self, label: &str, upstream: SocketAddr, manner: Manner) -> Result<SocketAddr> {
        let relay =
            tcp_relay::start(upstream, manner, self.recorder(label)).context("cannot start the relay")?;
        let address = relay.address();
        self.tcp_relays.push(relay);
        Ok(address)
    }

    /// A relay in front of a UDP server that carries out the plan.
    ///
    /// # Errors
    /// When the system gives it no socket.
    pub fn relay_udp(&mut self, upstream: SocketAddr, plan: Plan) -> Result<SocketAddr> {
        let relay = udp_relay::start(upstream, plan, self.recorder("")).context("cannot start the relay")?;
        let address = relay.address;
        self.udp_relays.push(relay);
        Ok(address)
    }

    /// Waits for a program's line that starts with `start`.
    ///
    /// # Errors
    /// When the program ends without it.
    pub fn wait_for_line(&mut self, program: &Program, start: &str) -> Result<String> {
        let pid = program.pid;
        let found = self.wait_until(|events| {
            events.iter().find_map(|event| match &event.what {
                What::Said { program, line, is_error: false, .. }
                    if *program == pid && line.starts_with(start) =>
                {
                    Some(Some(line.clone()))
                }
                What::Finished { program } if *program == pid => Some(None),
                _ => None,
            })
        })?;
        match found {
            Some(line) => Ok(line),
            None => bail!("a program ended before it said '{start}': {:?}", self.outcome(pid)),
        }
    }

    /// Waits for a program's end.
    ///
    /// # Errors
    /// When nothing happens for a minute.
    pub fn wait_for_end(&mut self, program: Program) -> Result<Outcome> {
        let pid = program.pid;
        self.wait_until(|events| events.iter().any(|event| event.is_end_of(pid)).then_some(()))?;
        let mut outcome = self.outcome(pid);
        outcome.status = program.wait()?.code();
        Ok(outcome)
    }

    /// What a program has said so far.
    pub fn outcome(&self, pid: u32) -> Outcome {
        let mut outcome = Outcome::default();
        for event in &self.recorded {
            match &event.what {
                What::Said { program, line, is_error, .. } if *program == pid => {
                    let lines = if *is_error { &mut outcome.complained } else { &mut outcome.said };
                    lines.push(line.clone());
                }
                _ => {}
            }
        }
        outcome
    }

    /// Waits until something is found among the events.
    ///
    /// # Errors
    /// When nothing happens for a minute, or standard output fails.
    pub fn wait_until<T>(&mut self, find: impl Fn(&[Event]) -> Option<T>) -> Result<T> {
        loop {
            if let Some(found) = find(&self.recorded) {
                return Ok(found);
            }
            match self.incoming.recv_timeout(STUCK) {
                Ok(event) => self.keep(event)?,
                Err(RecvTimeoutError::Timeout) => bail!("nothing has happened for {STUCK:?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("nothing can happen any more"),
            }
        }
    }

    /// Waits until nothing has happened for a while: for one who writes down what comes, not for a test.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn wait_for_quiet(&mut self, time: Duration) -> Result<()> {
        while let Ok(event) = self.incoming.recv_timeout(time) {
            self.keep(event)?;
        }
        Ok(())
    }

    /// Draws what has happened meanwhile.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn draw(&mut self) -> Result<()> {
        while let Ok(event) = self.incoming.try_recv() {
            self.keep(event)?;
        }
        Ok(())
    }

    /// Ends the relays and draws what was still under way.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn finish(&mut self) -> Result<()> {
        self.tcp_relays.clear();
        self.udp_relays.clear();
        self.draw()
    }

    /// How many events are such.
    pub fn count(&self, is_such: impl Fn(&Event) -> bool) -> usize {
        self.recorded.iter().filter(|event| is_such(event)).count()
    }

    /// Leaves a pause of the one who steps through the lesson out of its times.
    pub fn leave_out(&mut self, pause: Duration) {
        self.started += pause;
    }

    /// All bytes that crossed the wire to one side under a label.
    pub fn crossed(&self, label: &str, side: Lane) -> Vec<u8> {
        self.pieces(label, side).concat()
    }

    /// The reads or datagrams that crossed the wire to one side under a label.
    pub fn pieces(&self, label: &str, side: Lane) -> Vec<&[u8]> {
        let of_label = self.recorded.iter().filter(|event| event.label == label);
        of_label
            .filter_map(|event| match &event.what {
                What::Sent { toward, bytes, .. } if *toward == side => Some(bytes.as_slice()),
                _ => None,
            })
            .collect()
    }

    /// How often the client sent this very datagram, those that were lost included.
    pub fn times_sent(&self, datagram: &[u8]) -> usize {
        self.pieces("", Lane::Server).iter().filter(|piece| **piece == datagram).count()
    }

    /// Shows something, behind what has happened meanwhile.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn tell(&mut self, told: Told) -> Result<()> {
        self.draw()?;
        self.show(told)
    }

    /// Everything that was shown.
    pub fn told(self) -> Vec<Told> {
        self.told
    }

    fn show(&mut self, told: Told) -> Result<()> {
        if let Some(style) = self.style {
            told.lines(style).iter().try_for_each(|line| narration::say(line))?;
            self.told.push(told);
        }
        Ok(())
    }

    fn keep(&mut self, event: Event) -> Result<()> {
        // A program's hint is for whoever types the next command; here nobody does.
        if !self.hidden.contains(&event.label) && !event.starts_line(narration::HINT) {
            let time = event.at.saturating_duration_since(self.started);
            if let Some(rung) = Rung::of(time, &event.label, &event.what) {
                self.show(Told::Rung(rung))?;
            }
        }
        self.recorded.push(event);
        Ok(())
    }
}

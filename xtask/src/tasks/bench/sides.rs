//! Who stands side by side: a program of ours, the floor, and a program in the notes' manner.

use std::env;
use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::baseline::BASELINE;
use crate::drawing::style::Ink;
use crate::programs::build;
use crate::programs::program::{Program, address_in};
use crate::programs::scratch::Scratch;
use crate::wire::record::STUCK;
use crate::words::Words;

/// One of those who do the same work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// A program of ours, which narrates as it does unless told otherwise.
    Ours,
    /// The same with `--quiet`.
    Quiet,
    /// The same std calls, and nothing else.
    Floor,
    /// The floor, with threads that are there before their clients are.
    Ready,
    /// In the notes' manner, in Python.
    Notes,
}

impl Contestant {
    /// For a machine.
    pub fn key(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Quiet => "ours_quiet",
            Self::Floor => "floor",
            Self::Ready => "floor_ready",
            Self::Notes => "notes",
        }
    }

    /// For a reader.
    pub fn name(self) -> Words {
        match self {
            Self::Ours => Words::fixed("ours", "我们的"),
            Self::Quiet => Words::fixed("ours, --quiet", "我们的，--quiet"),
            Self::Floor => Words::fixed("floor: bare std calls", "下限：只有 std 调用"),
            Self::Ready => Words::fixed("floor, threads ready", "下限，线程事先备好"),
            Self::Notes => Words::fixed("the notes' way, Python", "笔记的写法，Python"),
        }
    }

    /// Its colour.
    pub fn ink(self) -> Ink {
        match self {
            Self::Ours => Ink::Client,
            Self::Quiet => Ink::Good,
            Self::Floor => Ink::Faint,
            Self::Ready => Ink::Bold,
            Self::Notes => Ink::Server,
        }
    }

    /// What ends its messages over TCP: the notes' way has nothing there.
    pub fn end_of_message(self) -> &'static str {
        if self == Self::Notes { "" } else { "\n" }
    }

    /// Its server: `tcp` or `udp`.
    ///
    /// # Errors
    /// When it is not there.
    pub fn server(self, protocol: &str) -> Result<Server> {
        let command = match self {
            Self::Ours | Self::Quiet => {
                let mut command = Command::new(build::path_of(&format!("{protocol}-server"))?);
                command.arg("127.0.0.1:0");
                if protocol == "tcp" {
                    command.args(["--delay=0", "--max-clients=15000"]);
                }
                if self == Self::Quiet {
                    command.arg("--quiet");
                }
                command
            }
            Self::Floor => floor(&[protocol])?,
            Self::Ready => floor(&["ready"])?,
            Self::Notes if protocol == "tcp" => python(include_str!("notes/tcp_server.py"))?,
            Self::Notes => python(include_str!("notes/udp_server.py"))?,
        };
        Server::start(&command).with_context(|| format!("{} did not start", self.name().en))
    }

    /// Its client, which gets `/page` from there and saves it.
    ///
    /// # Errors
    /// When it is not there.
    pub fn client(self, at: SocketAddr, file: &Path) -> Result<Command> {
        let at = at.to_string();
        let mut command = match self {
            Self::Ours | Self::Quiet => {
                let mut command = Command::new(build::path_of("tcp-client")?);
                command.args(["get", &format!("http://{at}/page"), "-o"]);
                command
            }
            Self::Floor | Self::Ready => floor(&["get", &at])?,
            Self::Notes => {
                let mut command = python(include_str!("notes/tcp_client.py"))?;
                command.arg(at);
                command
            }
        };
        command.arg(file);
        Ok(command)
    }
}

fn floor(args: &[&str]) -> Result<Command> {
    let mut command = Command::new(env::current_exe().context("cannot tell where this program is")?);
    command.arg(BASELINE).args(args);
    Ok(command)
}

/// Where Python is, and its version, if it is here. What is called python3 may be a script that looks for it first.
pub fn python_here() -> Option<&'static (String, String)> {
    static PYTHON: OnceLock<Option<(String, String)>> = OnceLock::new();
    let look = || {
        let program = "import platform, sys; print(sys.executable); print(platform.python_version())";
        let output = Command::new("python3").args(["-c", program]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (path, version) = text.trim_end().split_once('\n')?;
        Some((path.into(), version.into()))
    };
    PYTHON.get_or_init(look).as_ref()
}

fn python(program: &str) -> Result<Command> {
    let (path, _) = python_here().context("there is no python3")?;
    let mut command = Command::new(path);
    command.args(["-c", program]);
    Ok(command)
}

/// A running server, whose narration goes to a file: who reads a pipe would be part of what is measured.
pub struct Server {
    pub program: Program,
    pub address: SocketAddr,
    _said: Scratch,
}

impl Server {
    fn start(command: &Command) -> Result<Self> {
        let scratch = Scratch::new()?;
        let file = scratch.path().join("said");
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" >\"$SAID\""]).env("SAID", &file);
        shell.arg(command.get_program()).args(command.get_args());
        let (program, _, mut stderr) = Program::spawn(shell)?;
        let asked = Instant::now();
        loop {
            let said = fs::read_to_string(&file).unwrap_or_default();
            if let Some((line, _)) = said.split_once('\n') {
                return Ok(Self { address: address_in(line)?, program, _said: scratch });
            }
            if !program.is_running() {
                let mut why = String::new();
                stderr.read_to_string(&mut why)?;
                bail!("it ended: {}", why.trim_end());
            }
            ensure!(asked.elapsed() < STUCK, "it has not said where it is");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

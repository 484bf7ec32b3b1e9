//! The variants of a program that are compared: ours, the baseline, and one written as the notes do it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, Result};

use super::baseline::BASELINE;
use crate::drawing::style::Ink;
use crate::programs::build;
use crate::programs::server::Server;
use crate::words::Words;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// A program of ours, with `--quiet`: no server prints while it is measured.
    Ours,
    Baseline,
    Ready,
    Notes,
}

impl Variant {
    /// Its name in JSON, its name for a reader, and its colour.
    pub fn shown(self) -> (&'static str, Words, Ink) {
        let (key, en, zh, ink) = match self {
            Self::Ours => ("ours", "ours", "我们的", Ink::Client),
            Self::Baseline => ("baseline", "baseline: bare std calls", "基准：只有 std 调用", Ink::Faint),
            Self::Ready => ("baseline_ready", "baseline, threads ready", "基准，线程事先备好", Ink::Bold),
            Self::Notes => ("notes", "the notes' way, Python", "笔记的写法，Python", Ink::Server),
        };
        (key, Words::fixed(en, zh), ink)
    }

    pub fn name(self) -> Words {
        self.shown().1
    }

    pub fn is_here(self) -> bool {
        self != Self::Notes || PYTHON.is_some()
    }

    /// Starts its server: `tcp` or `udp`.
    pub fn server(self, protocol: &str) -> Result<Server> {
        let is_tcp = protocol == "tcp";
        let limits: &[&str] = if is_tcp { &["--delay=0", "--max-clients=15000"] } else { &[] };
        let command = match self {
            Self::Ours => command(
                &build::path_of(&format!("{protocol}-server"))?,
                &[&["127.0.0.1:0", "--quiet"], limits].concat(),
            ),
            Self::Baseline => baseline(&[protocol])?,
            Self::Ready => baseline(&["ready"])?,
            Self::Notes if is_tcp => python(&[include_str!("notes/tcp_server.py")])?,
            Self::Notes => python(&[include_str!("notes/udp_server.py")])?,
        };
        Server::start_command(command).with_context(|| format!("{} did not start", self.name().en))
    }

    /// Its client, which gets `/page` from an address and throws it away: the disk is not what is measured.
    pub fn client(self, at: SocketAddr) -> Result<Command> {
        const FILE: &str = "/dev/null";
        let (at, page) = (&*at.to_string(), &*format!("http://{at}/page"));
        match self {
            Self::Ours => Ok(command(&build::path_of("tcp-client")?, &["get", page, "-o", FILE])),
            Self::Baseline | Self::Ready => baseline(&["get", at, FILE]),
            Self::Notes => python(&[include_str!("notes/tcp_client.py"), at, FILE]),
        }
    }
}

fn command(program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

fn baseline(args: &[&str]) -> Result<Command> {
    Ok(command(&build::path_of("xtask")?, &[&[BASELINE], args].concat()))
}

/// Where Python is, and its version, if it is here. What is called python3 may be a script that looks for it first.
pub static PYTHON: LazyLock<Option<(String, String)>> = LazyLock::new(|| {
    let program = "import platform, sys; print(sys.executable); print(platform.python_version())";
    let output = Command::new("python3").args(["-c", program]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (path, version) = text.trim_end().split_once('\n')?;
    Some((path.into(), version.into()))
});

fn python(args: &[&str]) -> Result<Command> {
    let (path, _) = PYTHON.as_ref().context("there is no python3")?;
    Ok(command(path.as_ref(), &[&["-c"], args].concat()))
}

//! The console blocks of one section of a README, played: `# terminal 2` says where the lines below it belong, `$ `
//! begins a command, and `^C` is pressed; what the program then says begins on that line, as on a terminal. Servers run
//! on until then, or to the end of the section.

use std::collections::BTreeMap;
use std::env;
use std::iter;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::markdown::Line;
use crate::lab::{Lab, Outcome};
use crate::programs::{build::path_of, program::Program};
use crate::random;
use crate::wire::event::{Event, What};
use crate::words::Lang;

/// What a terminal shows of Ctrl-C.
pub const INTERRUPT: &str = "^C";

/// What serves until it is stopped: how its command begins, and where it listens if that names no address.
const SERVERS: [(&str, &str); 4] = [
    ("cargo run -p tcp-server", " 127.0.0.1:9999"),
    ("cargo run -p udp-server", " 127.0.0.1:9999"),
    ("cargo xtask origin", " 127.0.0.1:8000"),
    ("cargo xtask tap", ""), // it names two
];

/// The program of ours that the READMEs have graded: it is built already.
const GRADED: &str = "cargo run -q -p tcp-server --";

const SHOWN_HOST: &str = "127.0.0.1";

/// The port that keeps other sessions off a host.
const GUARD: u16 = 9990;

/// A command and what it shows, or what one that still runs goes on to show.
pub struct Exchange {
    /// Where its output begins in the file, in lines from 0.
    pub at: usize,
    pub terminal: String,
    /// A command or [`INTERRUPT`]; empty where nothing is typed.
    pub typed: String,
    pub shown: Vec<String>,
}

pub fn exchanges(section: &[&Line]) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for block in section.chunk_by(|a, b| a.block == b.block) {
        let (mut terminal, mut is_other) = ("1".to_owned(), true);
        for Line { at, text, .. } in block {
            let (begin, typed, shown) = match text.split_at_checked(2) {
                Some(("# ", comment)) => {
                    (terminal, is_other) = (comment.chars().filter(char::is_ascii_digit).collect(), true);
                    continue;
                }
                Some(("$ ", command)) => (at + 1, command, None),
                Some((INTERRUPT, behind)) => (*at, INTERRUPT, Some(behind).filter(|said| !said.is_empty())),
                _ => (*at, "", Some(text.as_str())),
            };
            if is_other || !typed.is_empty() {
                let (terminal, typed) = (terminal.clone(), typed.to_owned());
                exchanges.push(Exchange { at: begin, terminal, typed, shown: Vec::new() });
                is_other = false;
            }
            if let Some(exchange) = exchanges.last_mut() {
                exchange.shown.extend(shown.map(str::to_owned));
            }
        }
    }
    exchanges
}

struct Terminal {
    program: Program,
    /// Until it is interrupted, or its section ends.
    runs_on: bool,
    /// How many of its lines have been compared.
    told: usize,
}

pub struct Session {
    lab: Lab,
    lang: Lang,
    terminals: BTreeMap<String, Terminal>,
    /// What stands for the host that is shown, and is as long: all of 127.0.0.0/8 is the loopback.
    host: String,
    _guard: TcpListener,
}

impl Session {
    pub fn new(lang: Lang) -> Result<Self> {
        let digit = || random::number() % 9 + 1;
        let hosts = iter::repeat_with(|| format!("127.{}.{}.{}", digit(), digit(), digit())).take(100);
        let mut free = hosts.filter_map(|host| Some((TcpListener::bind((&*host, GUARD)).ok()?, host)));
        let (guard, host) = free.next().context("no host is free")?;
        Ok(Self { lab: Lab::discarding()?, lang, terminals: BTreeMap::new(), host, _guard: guard })
    }

    /// Plays an exchange and returns what was seen. A server that runs on is asked for as many lines as are shown.
    pub fn play(&mut self, Exchange { terminal, typed, shown, .. }: &Exchange) -> Result<Vec<String>> {
        match typed.as_str() {
            "" => {}
            INTERRUPT => {
                let running = self.running(terminal)?;
                ensure!(running.program.interrupt(), "^C cannot be pressed here");
                running.runs_on = false;
            }
            command => {
                let is_free = !self.terminals.contains_key(terminal);
                ensure!(is_free, "in terminal {terminal}, something still runs");
                let is_server = |begin| command.starts_with(begin) && !command.ends_with("--help");
                let server = SERVERS.iter().find(|(begin, _)| is_server(begin));
                let address = server.filter(|_| !command.contains(':')).map_or("", |(_, address)| address);
                let typed = (command.to_owned() + address).replace(SHOWN_HOST, &self.host);
                let program = self.lab.start_command(self.command(&typed)?)?;
                let running = Terminal { program, runs_on: server.is_some(), told: 0 };
                self.terminals.insert(terminal.clone(), running);
            }
        }
        self.listen(terminal, shown.len())
    }

    fn running(&mut self, terminal: &str) -> Result<&mut Terminal> {
        self.terminals.get_mut(terminal).with_context(|| format!("nothing runs in terminal {terminal}"))
    }

    /// What is typed, as a process, in the README's language. Of the locale's variables only LANG is set: about an
    /// unknown `LC_ALL`, some shells complain.
    fn command(&self, typed: &str) -> Result<Command> {
        let (typed, graded) = (typed.replace(GRADED, "GRADED"), path_of("tcp-server")?.into_os_string());
        let words: Vec<_> = typed.split(' ').collect();
        let (program, args) = match &words[..] {
            ["cargo", "run", "-p", name, args @ ..] => {
                (path_of(name)?, args.strip_prefix(&["--"]).unwrap_or(args))
            }
            ["cargo", "xtask", args @ ..] => (path_of("xtask")?, args),
            ["cargo", ..] => bail!("'{typed}' is no command that a README can show"),
            _ => ("sh".into(), &["-c", &typed][..]),
        };
        let mut command = Command::new(program);
        if words.starts_with(&["cargo", "run", "-p", "udp-client"]) && !words.contains(&"--timeout") {
            command.args(["--timeout", "60"]); // on a slow machine, too, it asks once
        }
        command.args(args.iter().map(|arg| if *arg == "GRADED" { &*graded } else { arg.as_ref() }));
        let lang = if self.lang == Lang::Zh { "zh_CN.UTF-8" } else { "C.UTF-8" };
        command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env_remove("COLUMNS").env("LANG", lang);
        // As cargo does: a task's hints say how it was called.
        command.env("CARGO", env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        Ok(command)
    }

    /// The next `count` lines of what runs in a terminal, or all of them once it has ended: its errors last, and with the
    /// host that the README shows.
    fn listen(&mut self, terminal: &str, count: usize) -> Result<Vec<String>> {
        let Terminal { program, runs_on, told } = self.running(terminal)?;
        let (pid, before) = (program.pid, *told);
        *told += count;
        let wanted = if *runs_on { *told } else { usize::MAX };
        let has_ended = self.lab.record.wait_until(|events| {
            let has_ended = events.iter().any(|event| event.is_end_of(pid));
            let is_line = |event: &&Event| matches!(event.what, What::Said { program, .. } if program == pid);
            let is_enough = events.iter().filter(is_line).count() >= wanted;
            (has_ended || is_enough).then_some(has_ended)
        })?;
        let Outcome { said, complained, .. } = self.lab.outcome(pid);
        if has_ended {
            self.terminals.remove(terminal);
        }
        let lines =
            said.iter().chain(&complained).skip(before).take(if has_ended { usize::MAX } else { count });
        Ok(lines.map(|line| line.replace(&self.host, SHOWN_HOST)).collect())
    }
}

/// A port of the READMEs that a program has on all addresses of this machine. No session has the host that is asked.
pub fn taken_port() -> Option<u16> {
    let is_free = |at| TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok();
    [9999, 9998, 8080, 8000, GUARD].into_iter().find(|port| !is_free(("127.0.0.9", *port)))
}

pub fn has_nc() -> bool {
    Command::new("sh").args(["-c", "command -v nc"]).output().is_ok_and(|found| found.status.success())
}

//! The console blocks of one section of a README, played: each command runs in the terminal that its block names.
//!
//! A line `# terminal 2` says which terminal the lines below it belong to, `$ ` begins a command, and `^C` is
//! pressed; what the program then says begins on that line, as it does on a terminal. Servers run on until then, or
//! to the end of the section.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::compare::by_figure;
use super::markdown::Line;
use crate::lab::{Lab, Outcome};
use crate::programs::{self, program::Program};
use crate::wire::event::{Event, What};
use crate::words::Lang;

/// What a terminal shows of Ctrl-C.
pub const INTERRUPT: &str = "^C";

/// What serves until it is stopped, and says first where: how its command begins, and what says there where to
/// listen unless it is told. Its own address, behind an option or alone, is the last one of its command.
const SERVERS: [(&str, &str); 4] = [
    ("cargo run -p tcp-server", "127.0.0.1:9999"),
    ("cargo run -p udp-server", "127.0.0.1:9999"),
    ("cargo xtask origin", "127.0.0.1:8000"),
    ("cargo xtask tap", "--listen 127.0.0.1:9998"),
];

/// What not every system has; a command that names a missing one is not available.
const TOOLS: [&str; 2] = ["nc", "python3"];

/// A command and what it shows, or what one that still runs goes on to show.
pub struct Exchange {
    /// Where its output begins in the file, in lines from 0.
    pub at: usize,
    pub terminal: String,
    /// A command or [`INTERRUPT`]; empty where nothing is typed.
    pub typed: String,
    pub shown: Vec<String>,
}

/// Takes a section's console blocks apart.
pub fn exchanges(section: &[&Line]) -> Vec<Exchange> {
    section.chunk_by(|a, b| a.block == b.block).flat_map(exchanges_of_block).collect()
}

fn exchanges_of_block(block: &[&Line]) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut terminal = "1".to_owned();
    for Line { at, text, .. } in block {
        let (begin, typed, shown) = match text.split_at_checked(2) {
            Some(("# ", comment)) => {
                terminal = comment.chars().filter(char::is_ascii_digit).collect();
                continue;
            }
            Some(("$ ", command)) => (at + 1, command, None),
            Some((INTERRUPT, behind)) => (*at, INTERRUPT, Some(behind).filter(|said| !said.is_empty())),
            _ => (*at, "", Some(text.as_str())),
        };
        if !typed.is_empty() || exchanges.last().is_none_or(|exchange| exchange.terminal != terminal) {
            let (terminal, typed) = (terminal.clone(), typed.to_owned());
            exchanges.push(Exchange { at: begin, terminal, typed, shown: Vec::new() });
        }
        if let Some(exchange) = exchanges.last_mut() {
            exchange.shown.extend(shown.map(str::to_owned));
        }
    }
    exchanges
}

/// A program in a terminal.
struct Terminal {
    program: Program,
    /// Until it is interrupted, or its section ends.
    runs_on: bool,
    /// How many of its lines have been compared.
    told: usize,
}

/// One section of a README.
pub struct Session {
    lab: Lab,
    lang: Lang,
    terminals: BTreeMap<String, Terminal>,
    /// The ports that the commands name, and the ones that stand for them in this run.
    ports: BTreeMap<String, String>,
}

impl Session {
    pub fn new(lang: Lang) -> Result<Self> {
        let ports = ["", "0"].map(|port| (port.into(), port.into())); // none, and the wish for one
        Ok(Self { lab: Lab::discarding()?, lang, terminals: BTreeMap::new(), ports: ports.into() })
    }

    /// Plays an exchange and returns what was seen; none where it takes a tool that is not here. A server that runs
    /// on is asked for as many lines as are shown.
    pub fn play(
        &mut self,
        Exchange { terminal, typed, shown, .. }: &Exchange,
    ) -> Result<Option<Vec<String>>> {
        let is_free = !self.terminals.contains_key(terminal);
        match typed.as_str() {
            "" => {}
            INTERRUPT => {
                let running = self.running(terminal)?;
                ensure!(running.program.interrupt(), "^C cannot be pressed here");
                running.runs_on = false;
            }
            command if command.split(' ').any(is_missing) => return Ok(None),
            command => {
                ensure!(is_free, "in terminal {terminal}, something still runs");
                let running = self.start(command)?;
                self.terminals.insert(terminal.clone(), running);
            }
        }
        self.listen(terminal, shown.len()).map(Some)
    }

    /// Whether a port that is shown is one that the commands name.
    pub fn is_own(&self, shown: &str) -> bool {
        self.ports.contains_key(shown)
    }

    fn running(&mut self, terminal: &str) -> Result<&mut Terminal> {
        self.terminals.get_mut(terminal).with_context(|| format!("nothing runs in terminal {terminal}"))
    }

    fn start(&mut self, typed: &str) -> Result<Terminal> {
        let server = SERVERS.iter().find(|(begin, _)| typed.starts_with(begin) && !typed.ends_with("--help"));
        let typed = server.map_or(typed.into(), |(_, address)| with_address(typed, address));
        let own = by_figure(&typed).last().map_or("", |(port, _)| *port);
        let picks = server.is_some() && !self.is_own(own);
        if picks {
            self.ports.insert(own.into(), "0".into());
        }
        let real = self.with_real_ports(&typed)?;
        let program = self.lab.start_command(self.command(&real)?)?;
        if picks {
            let first = self.lab.wait_for_line(&program, "")?; // it says which
            let real = by_figure(&first).get(1).with_context(|| format!("no address, but {first:?}"))?.0;
            self.ports.insert(own.into(), real.into());
        }
        Ok(Terminal { program, runs_on: server.is_some(), told: 0 })
    }

    /// The command with the ports of this run. Where no server has one that is shown, nobody is at the one that
    /// stands for it.
    fn with_real_ports(&mut self, typed: &str) -> Result<String> {
        let mut command = String::new();
        for (port, text) in by_figure(typed) {
            if !self.is_own(port) {
                let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
                self.ports.insert(port.into(), free.to_string());
            }
            command = command + &self.ports[port] + text;
        }
        Ok(command)
    }

    /// What is typed, as a process, in the README's language. Of the locale's variables only LANG is set: about an
    /// unknown `LC_ALL`, some shells complain.
    fn command(&self, typed: &str) -> Result<Command> {
        let mut words: Vec<_> = typed.split(' ').collect();
        let graded = words.windows(4).position(|words| words == ["cargo", "run", "-q", "-p"]);
        let path; // of the program that is graded, which is one of ours, built already
        if let Some(at) = graded {
            path = programs::build::path_of(words.get(at + 4).context("no program is named")?)?;
            words.splice(at..words.len().min(at + 6), [path.to_str().context("its path is not Unicode")?]);
        }
        let (program, args) = match &words[..] {
            ["cargo", "run", "-p", name, args @ ..] => {
                (programs::build::path_of(name)?, args.strip_prefix(&["--"]).unwrap_or(args))
            }
            ["cargo", "xtask", args @ ..] => (programs::build::path_of("xtask")?, args),
            ["cargo", ..] => bail!("'{typed}' is no command that a README can show"),
            _ => ("sh".into(), &["-c", typed][..]),
        };
        let mut command = Command::new(program);
        if words.starts_with(&["cargo", "run", "-p", "udp-client"]) && !words.contains(&"--timeout") {
            command.args(["--timeout", "60"]); // on a slow machine, too, it asks once
        }
        let lang = if self.lang == Lang::Zh { "zh_CN.UTF-8" } else { "C.UTF-8" };
        command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env_remove("COLUMNS").env("LANG", lang);
        command.args(args);
        Ok(command)
    }

    /// The next so many lines of what runs in a terminal, or all of them once it has ended.
    fn listen(&mut self, terminal: &str, count: usize) -> Result<Vec<String>> {
        let Terminal { program, runs_on, told } = self.running(terminal)?;
        let (pid, told) = (program.pid, *told);
        let wanted = if *runs_on { told + count } else { usize::MAX };
        let has_ended = self.wait_for(pid, wanted)?;
        let mut lines = self.lines(pid).split_off(told);
        if has_ended {
            self.terminals.remove(terminal);
        } else {
            lines.truncate(count);
            self.running(terminal)?.told += count;
        }
        Ok(lines)
    }

    /// Waits until a program has said so many lines, or has ended; true where it has.
    fn wait_for(&mut self, pid: u32, lines: usize) -> Result<bool> {
        self.lab.record.wait_until(|events| {
            let has_ended = events.iter().any(|event| event.is_end_of(pid));
            let is_line = |event: &&Event| matches!(event.what, What::Said { program, .. } if program == pid);
            let is_enough = events.iter().filter(is_line).count() >= lines;
            (has_ended || is_enough).then_some(has_ended)
        })
    }

    /// All that a program has said, its errors last, with the ports that the README shows.
    fn lines(&self, pid: u32) -> Vec<String> {
        let shown = |real: &str| self.ports.iter().find(|pair| pair.1 == real).map(|pair| pair.0.clone());
        let as_shown = |line: &String| {
            let exchanges = by_figure(line).into_iter();
            exchanges.map(|(port, text)| shown(port).unwrap_or(port.into()) + text).collect()
        };
        let Outcome { said, complained, .. } = self.lab.outcome(pid);
        said.iter().chain(&complained).map(as_shown).collect()
    }
}

/// A server's command that says where to listen: as it does, or at this address.
fn with_address(typed: &str, address: &str) -> String {
    let told = address.split_once(' ').map_or(":", |(option, _)| option);
    if typed.contains(told) { typed.into() } else { format!("{typed} {address}") }
}

/// Whether this is a tool that the shell does not find, or cannot run.
fn is_missing(word: &str) -> bool {
    let mut probe = Command::new("sh");
    probe.args(["-c", &format!("{word} -h || test $? -lt 126")]);
    probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    TOOLS.contains(&word) && !probe.status().is_ok_and(|status| status.success())
}

//! The console blocks of one section of a README, played: each command runs in the terminal that its block names.
//!
//! A line `# terminal 2` says which terminal the lines below it belong to, `$ ` begins a command, and `^C` is
//! pressed; what the program then says begins on that line, as it does on a terminal. Servers run on until then, or
//! to the end of the section.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::compare::Ports;
use crate::lab::Lab;
use crate::programs::{self, program::Program};
use crate::wire::event::{Event, What};
use crate::words::Lang;

/// What a terminal shows of Ctrl-C.
pub const INTERRUPT: &str = "^C";

/// A command and what it shows, or what one that still runs goes on to show.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Where its output begins, in lines from the start of the block.
    pub at: usize,
    /// The terminal.
    pub terminal: String,
    /// What is typed, if anything is: a command or [`INTERRUPT`].
    pub typed: Option<String>,
    /// What is shown.
    pub shown: Vec<String>,
}

/// Takes a console block apart.
pub fn pieces(lines: &[String]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut terminal = "1".to_owned();
    for (at, line) in lines.iter().enumerate() {
        let begins = |at, typed: Option<&str>, shown: Option<&str>| Piece {
            at,
            terminal: terminal.clone(),
            typed: typed.map(str::to_owned),
            shown: shown.map(str::to_owned).into_iter().collect(),
        };
        if let Some(comment) = line.strip_prefix("# ") {
            terminal = comment.chars().filter(char::is_ascii_digit).collect();
        } else if let Some(command) = line.strip_prefix("$ ") {
            pieces.push(begins(at + 1, Some(command), None));
        } else if let Some(behind) = line.strip_prefix(INTERRUPT) {
            pieces.push(begins(at, Some(INTERRUPT), Some(behind).filter(|said| !said.is_empty())));
        } else if pieces.last().is_none_or(|piece| piece.terminal != terminal) {
            pieces.push(begins(at, None, Some(line)));
        } else if let Some(piece) = pieces.last_mut() {
            piece.shown.push(line.clone());
        }
    }
    pieces
}

/// A program in a terminal.
struct Running {
    program: Program,
    /// Until it is interrupted, or its section ends.
    runs_on: bool,
    /// How many of its lines have been compared.
    told: usize,
}

/// A command, ready to be started.
struct Prepared {
    command: Command,
    /// It runs until it is stopped.
    is_server: bool,
    /// The port that is shown, where none stands for it yet: the server picks one, and says which.
    new_port: Option<String>,
}

/// One section of a README.
pub struct Session {
    lab: Lab,
    lang: Lang,
    terminals: BTreeMap<String, Running>,
    /// The ports that the README shows.
    pub ports: Ports,
}

/// How long a server has nothing more to say, for one who writes down what it says.
const SETTLED: Duration = Duration::from_millis(500);

impl Session {
    /// Nothing runs yet.
    ///
    /// # Errors
    /// As [`Stage::new`].
    pub fn new(lang: Lang) -> Result<Self> {
        let (lab, terminals) = (Lab::unseen()?, BTreeMap::new());
        Ok(Self { lab, lang, terminals, ports: Ports::default() })
    }

    /// Plays a piece and returns what was seen; none where it takes a tool that is not here. A server that runs
    /// on is asked for as many lines as are shown or, to bless them, for all that it has to say.
    ///
    /// # Errors
    /// When the README asks for what cannot be played.
    pub fn play(&mut self, piece: &Piece, bless: bool) -> Result<Option<Vec<String>>> {
        match piece.typed.as_deref() {
            Some(INTERRUPT) => self.interrupt(&piece.terminal)?,
            Some(command) if !self.start(&piece.terminal, command)? => return Ok(None),
            Some(_) | None => {}
        }
        self.listen(&piece.terminal, piece.shown.len(), bless).map(Some)
    }

    /// Starts a command in a terminal; false where it takes a tool that is not here.
    fn start(&mut self, terminal: &str, typed: &str) -> Result<bool> {
        ensure!(!self.terminals.contains_key(terminal), "in terminal {terminal}, something still runs");
        let Some(Prepared { command, is_server, new_port }) = self.command(typed)? else { return Ok(false) };
        let program = self.lab.start_command(command)?;
        if let Some(port) = &new_port {
            let real = self.lab.wait_for_address(&program)?.port();
            self.ports.set(port, &real.to_string());
        }
        self.terminals.insert(terminal.into(), Running { program, runs_on: is_server, told: 0 });
        Ok(true)
    }

    fn running(&mut self, terminal: &str) -> Result<&mut Running> {
        self.terminals.get_mut(terminal).with_context(|| format!("nothing runs in terminal {terminal}"))
    }

    fn interrupt(&mut self, terminal: &str) -> Result<()> {
        let running = self.running(terminal)?;
        ensure!(running.program.interrupt(), "^C cannot be pressed here");
        running.runs_on = false;
        Ok(())
    }

    /// The next so many lines of what runs in a terminal, or all of them once it has ended.
    fn listen(&mut self, terminal: &str, count: usize, bless: bool) -> Result<Vec<String>> {
        let Running { program, runs_on, told } = self.running(terminal)?;
        let (pid, runs_on, wanted) = (program.pid, *runs_on, *told + count);
        if runs_on && bless {
            // As many lines as were shown are likely to come again, if not at once; then whatever else comes.
            for _ in 0..20 {
                self.lab.record.wait_for_lull(SETTLED)?;
                if self.lines(pid).len() >= wanted {
                    break;
                }
            }
        }
        let has_ended = self.lab.record.wait_until(|events| {
            let is_line = |e: &&Event| matches!(e.what, What::Said { program, .. } if program == pid);
            let has_ended = events.iter().any(|event| event.is_end_of(pid));
            let is_enough = runs_on && (bless || events.iter().filter(is_line).count() >= wanted);
            (has_ended || is_enough).then_some(has_ended)
        })?;
        let all = self.lines(pid);
        let running = self.running(terminal)?;
        let mut lines = all[running.told..].to_vec();
        if !has_ended && !bless {
            lines.truncate(count);
        }
        running.told += lines.len();
        if has_ended {
            self.terminals.remove(terminal);
        }
        Ok(lines)
    }

    /// All that a program has said, its errors last.
    fn lines(&self, pid: u32) -> Vec<String> {
        let outcome = self.lab.outcome(pid);
        [outcome.said, outcome.complained].concat()
    }

    /// Ends what still runs; returns what it said beyond what was asked for.
    ///
    /// # Errors
    /// When nothing ends.
    pub fn finish(mut self) -> Result<Vec<String>> {
        let mut rest = Vec::new();
        while let Some((_, running)) = self.terminals.pop_first() {
            let pid = running.program.pid;
            drop(running.program);
            self.lab
                .record
                .wait_until(|events| events.iter().any(|event| event.is_end_of(pid)).then_some(()))?;
            rest.extend(self.lines(pid).split_off(running.told));
        }
        Ok(rest)
    }

    /// What is typed, as a process; none where it takes a tool that is not here.
    fn command(&mut self, typed: &str) -> Result<Option<Prepared>> {
        let words: Vec<_> = typed.split(' ').collect();
        let (name, args) = match words[..] {
            ["cargo", "run", "-p", name] => (name, Vec::new()),
            ["cargo", "run", "-p", name, "--", ..] => (name, words[5..].to_vec()),
            ["cargo", "xtask", ..] => ("xtask", words[2..].to_vec()),
            ["cargo", ..] => bail!("'{typed}' is no command that a README can show"),
            _ => return self.shell(typed),
        };
        let mut args: Vec<_> = args.into_iter().map(str::to_owned).collect();
        let default = match (name, args.first().map(String::as_str)) {
            (_, Some("--help")) => None,
            ("tcp-server" | "udp-server", _) => Some("127.0.0.1:9999"),
            ("xtask", Some("origin")) => Some("127.0.0.1:8000"),
            _ => None,
        };
        let has_address = args.iter().any(|arg| arg.contains(':'));
        args.extend(default.filter(|_| !has_address).map(str::to_owned));
        if name == "udp-client" && !args.iter().any(|arg| arg == "--timeout") {
            args.splice(0..0, ["--timeout".into(), "60".into()]); // on a slow machine, too, it asks once
        }
        let mut new_port = None;
        for arg in &mut args {
            if let Some((host, port, rest)) = address_in(arg) {
                let is_new = default.is_some() && self.ports.real(port).is_none();
                let real = if is_new { "0".into() } else { self.real_port(port)? };
                new_port = is_new.then(|| port.to_owned());
                *arg = format!("{host}:{real}{rest}");
            }
        }
        let mut command = Command::new(programs::build::path_of(name)?);
        command.args(args);
        Ok(Some(Prepared { command: self.in_language(command), is_server: default.is_some(), new_port }))
    }

    /// The port that stands for the one that is shown; one at which nobody is, where no server has it.
    fn real_port(&mut self, shown: &str) -> Result<String> {
        if let Some(real) = self.ports.real(shown) {
            return Ok(real.into());
        }
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        self.ports.set(shown, &free);
        Ok(free)
    }

    /// A command for the shell, if the tools are here that it names.
    fn shell(&mut self, typed: &str) -> Result<Option<Prepared>> {
        const TOOLS: [&str; 2] = ["nc", "python3"];
        let mut words: Vec<_> = typed.split(' ').map(str::to_owned).collect();
        for word in &mut words {
            let is_port = word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
            if is_port {
                *word = self.real_port(word)?;
            } else if TOOLS.contains(&word.as_str()) {
                let mut probe = Command::new("sh");
                probe.args(["-c", &format!("command -v {word}")]).stdout(Stdio::null());
                if !probe.status().context("cannot run sh")?.success() {
                    return Ok(None);
                }
            }
        }
        let mut command = Command::new("sh");
        command.args(["-c", &words.join(" ")]);
        Ok(Some(Prepared { command: self.in_language(command), is_server: false, new_port: None }))
    }

    /// With the README's language. Of the locale's variables only LANG is set: about an unknown `LC_ALL`, some shells
    /// complain.
    fn in_language(&self, mut command: Command) -> Command {
        command.env_remove("LC_ALL").env_remove("LC_MESSAGES");
        command.env("LANG", if self.lang == Lang::Zh { "zh_CN.UTF-8" } else { "C.UTF-8" });
        command
    }
}

/// `HOST`, `PORT` and what follows, in `HOST:PORT` or a URL.
fn address_in(word: &str) -> Option<(&str, &str, &str)> {
    let at = word.rfind(':')?;
    let behind = &word[at + 1..];
    let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    (end > 0).then(|| (&word[..at], &behind[..end], &behind[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_taken_apart_by_terminal_and_command() {
        let block = "# terminal 1\n$ serve\nup\n# 终端 2\n$ ask\nhi\n$ again\n# terminal 1\nseen\n^Cstopped";
        let lines: Vec<_> = block.lines().map(str::to_owned).collect();
        let found: Vec<_> = pieces(&lines)
            .into_iter()
            .map(|piece| (piece.at, piece.terminal, piece.typed.unwrap_or_default(), piece.shown.join(" ")))
            .collect();
        let expected = [
            (2, "1", "serve", "up"),
            (5, "2", "ask", "hi"),
            (7, "2", "again", ""),
            (8, "1", "", "seen"),
            (9, "1", "^C", "stopped"),
        ];
        assert_eq!(found, expected.map(|(at, t, typed, shown)| (at, t.into(), typed.into(), shown.into())));
    }

    #[test]
    fn addresses_are_found_in_words_and_urls() {
        assert_eq!(address_in("[::1]:9999"), Some(("[::1]", "9999", "")));
        assert_eq!(address_in("http://127.0.0.1:8000/cut"), Some(("http://127.0.0.1", "8000", "/cut")));
        assert_eq!((address_in("http://h/"), address_in("Ann")), (None, None));
    }
}

//! A TCP server in parts, each of which a twin may replace.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{self, Command, Stdio};
use std::sync::Mutex;
use std::{env, fs, io, thread};

use super::Call;

pub struct TcpServer {
    /// Runs before it binds.
    pub begins: fn(&Call<'_>),
    pub port: fn(u16) -> u16,
    pub serves: fn(&'static Self, TcpListener),
    pub welcome: &'static [u8],
    pub converses: fn(&Self, &TcpStream),
    pub capacity: usize,
    /// Whether a line is complete without its line feed.
    pub is_whole: fn(&[u8]) -> bool,
    pub hears: fn(&TcpStream),
    pub is_exit: fn(&[u8]) -> bool,
    pub exits: fn(&TcpStream),
    /// The name that it answers; without one, it closes.
    pub name: fn(&TcpStream, Vec<u8>) -> Option<Vec<u8>>,
    /// What it takes what has been read for: one message, whole messages, or text. Without them, it closes.
    pub takes: fn(&mut Vec<u8>) -> Option<Vec<Vec<u8>>>,
    /// What follows a name.
    pub end: &'static [u8],
    /// Whether it goes on after an answer.
    pub goes_on: fn(&TcpStream) -> bool,
    /// The stream has ended, with this part of a line.
    pub ends: fn(&TcpStream, Vec<u8>),
    pub fails: fn(),
}

impl Default for TcpServer {
    fn default() -> Self {
        Self {
            begins: |_| {},
            port: |port| port,
            serves: side_by_side,
            welcome: b"Welcome!\n",
            converses: by_lines,
            capacity: 1024,
            is_whole: |_| false,
            hears: |_| {},
            is_exit: |line| line == b"exit",
            exits: |_| {},
            name: |_, name| Some(name),
            takes: |_| None,
            end: b"!\n",
            goes_on: |_| true,
            ends: |_, _| {},
            fails: || {},
        }
    }
}

impl TcpServer {
    pub fn reads(&mut self, takes: fn(&mut Vec<u8>) -> Option<Vec<Vec<u8>>>) {
        (self.converses, self.takes) = (by_reads, takes);
    }

    pub fn runs(self, call: &Call<'_>) {
        (self.begins)(call);
        let listener = TcpListener::bind((call.host, (self.port)(call.port))).expect("cannot listen");
        (self.serves)(Box::leak(Box::new(self)), listener);
    }
}

/// A connection whose conversation is over and which nobody closes before the next client comes.
pub static HELD: Mutex<Option<TcpStream>> = Mutex::new(None);

/// What has come of a message, from whichever client.
pub static ONE_BUFFER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

#[allow(clippy::needless_pass_by_value)] // others close it
fn side_by_side(server: &'static TcpServer, listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().expect("cannot accept");
        drop(HELD.lock().unwrap().take());
        thread::spawn(move || (server.converses)(server, &stream));
    }
}

pub fn by_lines(server: &TcpServer, mut stream: &TcpStream) {
    let _ = stream.write_all(server.welcome);
    let mut from = BufReader::with_capacity(server.capacity, stream);
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") && !(server.is_whole)(&line) {
            match from.by_ref().take(1).read_until(b'\n', &mut line) {
                Ok(0) => return (server.ends)(stream, line),
                Ok(_) => {}
                Err(_) => return (server.fails)(),
            }
        }
        line.splice(..0, ONE_BUFFER.lock().unwrap().drain(..));
        (server.hears)(stream);
        let name = line.strip_suffix(b"\n").unwrap_or(&line);
        if (server.is_exit)(name) {
            return (server.exits)(stream);
        }
        let Some(name) = (server.name)(stream, name.to_vec()) else { return };
        if stream.write_all(&[b"Hello, ", &name[..], server.end].concat()).is_err() {
            return (server.fails)();
        }
        if !(server.goes_on)(stream) {
            return;
        }
    }
}

fn by_reads(server: &TcpServer, mut stream: &TcpStream) {
    let _ = stream.write_all(server.welcome);
    let (mut rest, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(size @ 1..) = stream.read(&mut buffer) {
        rest.extend_from_slice(&buffer[..size]);
        let Some(names) = (server.takes)(&mut rest) else { return };
        for name in names {
            if name == b"exit" {
                return;
            }
            let _ = stream.write_all(&[b"Hello, ", &name[..], b"!\n"].concat());
        }
    }
}

/// What has come, without the line feed at its end.
pub fn taken(rest: &mut Vec<u8>) -> Vec<u8> {
    let read = std::mem::take(rest);
    read.strip_suffix(b"\n").unwrap_or(&read).to_vec()
}

/// Reads what comes and answers nothing.
pub fn reads_only(stream: &TcpStream) {
    let _ = io::copy(&mut { stream }, &mut io::sink());
}

/// As a program without `SO_REUSEADDR`, which std sets: whether a connection has this port, or had it (`TIME_WAIT`).
pub fn is_taken(port: u16) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let ours = format!(":{port:04X} ");
    let is_connection = |line: &str| {
        line.split(": ").nth(1).is_some_and(|row| row[..14].ends_with(&ours) && !row.contains(" 0A "))
    };
    table.lines().any(is_connection)
}

/// This program once more.
pub fn own(args: &[&str]) -> Command {
    let mut own = Command::new(env::current_exe().unwrap());
    own.args(args).stdin(Stdio::null());
    own
}

/// In a process group of its own, and silent.
pub fn outsider(mut command: Command) -> Command {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// Gives a copy of the connection to a program outside its group: that reads nothing of it before this one has ended, and
/// ends with the connection. Its twins are only for Unix.
pub fn hand_to_another(stream: &TcpStream) {
    let script = format!("while kill -0 {}; do sleep 0.01; done; cat", process::id());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]);
    #[cfg(not(unix))]
    let _ = stream;
    #[cfg(unix)]
    shell.stdin(std::os::fd::OwnedFd::from(stream.try_clone().unwrap()));
    drop(outsider(shell).spawn().expect("cannot start it"));
}

/// Prints a megabyte: half of it in many lines, and half, as an error, in one.
pub fn talks() {
    const HALF: usize = 500_000;
    print!("{}", format!("{}\n", "o".repeat(99)).repeat(HALF / 100));
    eprintln!("{}", "e".repeat(HALF));
}

/// One thread dies of an error, and the connection stays open.
pub fn dies_of(error: &str) -> ! {
    eprintln!("Exception in thread 1:\n{error}");
    super::waits_forever()
}

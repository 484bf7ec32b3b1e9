//! The programs as their users meet them: real processes, real sockets on the loopback, port 0. Every test
//! waits for a line or an event, never for time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::unnecessary_wraps, clippy::too_many_lines)]

mod command_lines;
mod demo;
mod get;
mod greet;
mod live;
mod readme;
mod tcp_server;
mod udp;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use xtask::{Lab, Lane, Outcome, Program};

/// A server, and the lab that it runs on.
struct Server {
    lab: Lab,
    program: Program,
    address: SocketAddr,
}

impl Server {
    fn start(name: &str, args: &[&str]) -> Self {
        let mut lab = Lab::unseen().unwrap();
        let has_address = args.iter().any(|arg| arg.contains(':'));
        let all = [args, if has_address { &[] } else { &["127.0.0.1:0"] }].concat();
        let (program, address) = lab.start_server(name, &all).unwrap();
        Self { lab, program, address }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// A client of the line framing that has been welcomed.
    fn guest(&self) -> Guest {
        let mut guest = Guest::new(self.connect());
        assert_eq!(guest.line(), "Welcome!");
        guest
    }

    fn wait_for(&mut self, start: &str) -> String {
        self.lab.wait_for_line(&self.program, start).unwrap()
    }

    /// Interrupts it and waits for its end.
    #[cfg(unix)]
    fn stop(mut self) -> Outcome {
        assert!(self.program.interrupt());
        self.lab.wait_for_end(self.program).unwrap()
    }
}

struct Guest {
    stream: TcpStream,
    from: BufReader<TcpStream>,
}

impl Guest {
    fn new(stream: TcpStream) -> Self {
        Self { from: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.from.read_until(b'\n', &mut line).unwrap();
        assert_eq!(line.pop(), Some(b'\n'), "no line, but the end");
        String::from_utf8_lossy(&line).into()
    }

    /// What comes until the server closes.
    fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.from.read_to_string(&mut rest).unwrap();
        rest
    }
}

/// Whether this system has IPv6; where it has not, what is about it is not available here.
fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

/// Runs a client to its end.
fn run(name: &str, args: &[&str]) -> Outcome {
    let mut lab = Lab::unseen().unwrap();
    run_on(&mut lab, name, args)
}

fn run_on(lab: &mut Lab, name: &str, args: &[&str]) -> Outcome {
    let program = lab.start(Lane::Client, "", name, args).unwrap();
    lab.wait_for_end(program).unwrap()
}

fn said(lines: &[&str]) -> Outcome {
    outcome(0, lines, &[])
}

fn outcome(status: i32, said: &[&str], complained: &[&str]) -> Outcome {
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    Outcome { status: Some(status), said: owned(said), complained: owned(complained) }
}

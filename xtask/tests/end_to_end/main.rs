//! The programs as their users meet them: real processes, real sockets on the loopback, port 0. Every test
//! waits for a line or an event, never for time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::unnecessary_wraps, clippy::too_many_lines)]

mod bench;
mod command_lines;
mod demo;
mod evidence;
mod get;
mod grade;
mod grade_class;
mod grade_use;
mod layout;
mod live;
mod live_tasks;
mod pairs;
mod plan;
mod process;
mod quiz;
mod readme;
mod saving;
#[cfg(unix)]
mod signals;
mod soak;
mod tap;
#[cfg(target_os = "linux")]
mod tap_resets;
mod tap_udp;
#[path = "../../examples/twins/main.rs"]
#[expect(dead_code, reason = "of the twins, the table is read here")]
mod twins;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use process::program;
use xtask::{Lab, Outcome, Program, TcpPeer};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct TestedServer {
    lab: Lab,
    program: Program,
    address: SocketAddr,
}

impl TestedServer {
    fn start(name: &str, args: &[&str]) -> Self {
        let mut lab = Lab::discarding().unwrap();
        let has_address = args.iter().any(|arg| arg.contains(':'));
        let mut command = program(name);
        command.args(args).args((!has_address).then_some("127.0.0.1:0"));
        let program = lab.start_command(command).unwrap();
        let address = lab.wait_for_address(&program).unwrap();
        Self { lab, program, address }
    }

    /// A client of the line framing that has been welcomed.
    fn client(&self) -> TcpPeer {
        TcpPeer::welcomed(self.address).unwrap()
    }

    fn wait_for(&mut self, start: &str) -> String {
        self.lab.wait_for_line(&self.program, start).unwrap()
    }

    /// Waits for so many lines in which this stands, and returns all that was said up to the last of them.
    fn wait_for_lines(&mut self, count: usize, text: &str) -> Vec<String> {
        self.lab.wait_for_lines(&self.program, count, |line| line.contains(text)).unwrap()
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    #[cfg(unix)]
    fn stop(mut self) -> Outcome {
        assert!(self.program.interrupt());
        self.lab.wait_for_end(self.program).unwrap()
    }
}

/// Whether this system has IPv6; where it has not, what is about it is not available here.
fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

fn run(name: &str, args: &[&str]) -> Outcome {
    let mut lab = Lab::discarding().unwrap();
    run_on(&mut lab, name, args)
}

fn run_on(lab: &mut Lab, name: &str, args: &[&str]) -> Outcome {
    let program = start_on(lab, name, args);
    lab.wait_for_end(program).unwrap()
}

fn start_on(lab: &Lab, name: &str, args: &[&str]) -> Program {
    let mut command = program(name);
    command.args(args);
    lab.start_command(command).unwrap()
}

/// Clients of tcp-server, one after another, each of which says all this at once and hears this.
#[cfg(unix)]
fn visits(server: SocketAddr, clients: usize, says: &str, hears: &str) {
    for _ in 0..clients {
        let mut client = TcpPeer::connected(server).unwrap();
        client.sends(says);
        assert_eq!(client.hears_out().unwrap(), hears);
    }
}

/// Runs a program that fails, and says this last.
fn failing(name: &str, args: &[&str], why: &str) {
    let outcome = run(name, args);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(outcome.complained.last().unwrap().contains(why), "{why}: {outcome:?}");
}

fn files(lab: &Lab) -> Vec<String> {
    let names = std::fs::read_dir(lab.directory()).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into()).collect()
}

fn outcome(status: i32, said: &[&str], complained: &[&str]) -> Outcome {
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    Outcome { status: Some(status), said: owned(said), complained: owned(complained) }
}

//! Programs with one mistake each: by them the judge of `cargo xtask grade` is judged. Each is a row, of which the test
//! reads what it should fail. `twins KIND TWIN HOST PORT`, or for `get` URL FILE; `none` has no mistake. A twin may also
//! be the name of a file that contains its name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::struct_excessive_bools, missing_docs)]

mod get;
mod tcp_client;
mod tcp_server;
mod tcp_server_rows;
mod udp;

use std::time::Duration;
use std::{env, fs, process, thread};

/// How a twin is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By all stages: it fails exactly those that it names.
    All,
    /// By each stage that it names, alone.
    One,
    /// By a test of its own.
    Own,
}

/// How a twin is judged, and what it fails.
#[derive(Clone, Copy)]
pub struct Expectation {
    pub name: &'static str,
    pub by: By,
    /// A mark, a stage, and the mistake that it is told; none where another stage's is told, too.
    pub fails: &'static [&'static str],
    /// Seconds of patience.
    pub patience: u32,
    /// Whether this system can judge it.
    pub is_here: bool,
}

pub struct Twin<P: 'static> {
    expected: Expectation,
    make: fn(&mut P),
}

impl<P: Default> Twin<P> {
    const fn new(name: &'static str, fails: &'static [&'static str], make: fn(&mut P)) -> Self {
        Self { expected: Expectation { name, by: By::All, fails, patience: 4, is_here: true }, make }
    }

    const fn by(self, by: By) -> Self {
        Self { expected: Expectation { by, ..self.expected }, ..self }
    }

    const fn patience(self, patience: u32) -> Self {
        Self { expected: Expectation { patience, ..self.expected }, ..self }
    }

    const fn only(self, is_here: bool) -> Self {
        Self { expected: Expectation { is_here, ..self.expected }, ..self }
    }

    fn of(rows: &[Self], name: &str) -> P {
        let mut program = P::default();
        match rows.iter().find(|twin| twin.expected.name == name) {
            Some(twin) => (twin.make)(&mut program),
            None if name == "none" => {}
            None => usage(&format!("no twin '{name}'")),
        }
        program
    }
}

/// All rows, with their kinds of programs, for the test.
pub fn rows() -> Vec<(&'static str, Expectation)> {
    fn of<P>(
        kind: &'static str,
        rows: &'static [Twin<P>],
    ) -> impl Iterator<Item = (&'static str, Expectation)> {
        rows.iter().map(move |twin| (kind, twin.expected))
    }
    let servers = of("tcp-server", tcp_server_rows::ROWS).chain(of("udp-server", udp::SERVERS));
    let clients = of("tcp-client", tcp_client::ROWS).chain(of("udp-client", udp::CLIENTS));
    servers.chain(clients).chain(of("get", get::ROWS)).collect()
}

#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What follows the twin's name and an equals sign.
    pub more: &'a str,
    pub host: &'a str,
    pub port: u16,
}

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    let [kind, twin, rest @ ..] = args.as_slice() else { usage("KIND TWIN HOST PORT") };
    let twin = fs::read_to_string(twin).unwrap_or_else(|_| twin.clone());
    let (name, more) = twin.trim_end().split_once('=').unwrap_or((twin.trim_end(), ""));
    let call = || Call { more, host: &rest[0], port: rest[1].parse().expect("a port") };
    match kind.as_str() {
        "sleeper" => thread::sleep(Duration::from_secs(3600)),
        "tcp-server" => Twin::of(tcp_server_rows::ROWS, name).runs(&call()),
        "udp-server" => Twin::of(udp::SERVERS, name).runs(&call()),
        "tcp-client" => Twin::of(tcp_client::ROWS, name).runs(&call()),
        "udp-client" => Twin::of(udp::CLIENTS, name).runs(&call()),
        "get" => Twin::of(get::ROWS, name).runs(&rest[0], &rest[1]),
        other => usage(&format!("no twin of '{other}'")),
    }
}

fn usage(error: &str) -> ! {
    eprintln!("twins: {error}");
    process::exit(2)
}

/// Waits until it is killed.
pub fn waits_forever() -> ! {
    loop {
        thread::park();
    }
}

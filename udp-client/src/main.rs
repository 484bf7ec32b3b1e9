//! The notes' UDP client: each name is a datagram, and so is each reply. Either may be lost, late, doubled or
//! from another sender.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow};
use common::address::{self, HostPort};
use common::args::{self, Args};
use common::datagram::{self, Wrong};
use common::narration::{self, escape};
use common::{greeting, show_bytes, stop, timed_stream};

/// How long to wait for a reply, and how often to ask.
struct Retry {
    timeout: Duration,
    tries: u16,
}

fn main() -> ExitCode {
    let who = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    args::run(who, include_str!("help.txt"), |mut args: Args| {
        let retry = Retry {
            timeout: args.seconds("--timeout", 1.0, 0.01..=3600.0)?,
            tries: args.number("--tries", 3, 1..=100)?,
        };
        let peer = args.operand_or("HOST:PORT", "127.0.0.1:9999")?;
        let names = args.names(&["Michael", "Tracy", "Sarah"], datagram::LONGEST_NAME)?;
        greet_all(&peer, &names, &retry)
    })
}

/// Prints each name's greeting. A host such as localhost may have several addresses: the first that answers is
/// asked for all names.
fn greet_all(peer: &HostPort, names: &[Vec<u8>], retry: &Retry) -> Result<()> {
    stop::end_client_on_signal()?;
    let addresses = address::resolve(peer)?;
    let (mut server, mut buffer) = (None, vec![0; datagram::BUFFER]);
    for name in names {
        let mut wrong = None;
        let answer = match server.take() {
            Some(socket) => {
                ask(&socket, &mut buffer, name, retry, &mut wrong).map(|greeting| (socket, greeting))
            }
            None => datagram::first_to_answer(&addresses, retry.tries, |address, tries| {
                let (socket, retry) = (connect(address)?, Retry { tries, ..*retry });
                ask(&socket, &mut buffer, name, &retry, &mut wrong).map(|greeting| (socket, greeting))
            }),
        };
        let (socket, greeting) = answer.map_err(|e| {
            let why = datagram::likely_reason(&e, wrong.as_deref(), &greeting::of(name), peer);
            anyhow!("cannot get the greeting for '{}' from {peer}: {e}{why}", show_bytes::name(name))
        })?;
        narration::say(&escape(&greeting))?;
        server = Some(socket);
    }
    Ok(())
}

/// A connected UDP socket sends to its peer and receives only from its peer; connecting it sends nothing.
fn connect(peer: SocketAddr) -> io::Result<UdpSocket> {
    // Bound to any port of the peer's IP version: std has no unbound UDP socket.
    let any = if peer.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(peer)?;
    Ok(socket)
}

/// Sends a name until its greeting comes back. Other datagrams are ignored, and the last one is kept in `wrong`.
fn ask(
    socket: &UdpSocket,
    buffer: &mut [u8],
    name: &[u8],
    retry: &Retry,
    wrong: &mut Wrong,
) -> io::Result<Vec<u8>> {
    let expected = greeting::of(name);
    let mut lost = None;
    for _ in 0..retry.tries {
        lost = datagram::lost(socket.send(name))?;
        let mut left = retry.timeout;
        while let Some(size) = receive(socket, buffer, &mut left)? {
            if buffer[..size] == expected {
                return Ok(expected);
            }
            datagram::ignore(&buffer[..size], name, wrong);
        }
    }
    Err(lost.unwrap_or_else(|| datagram::no_answer(wrong, retry.tries, retry.timeout)))
}

/// The size of the next datagram, or none when no time is left.
fn receive(socket: &UdpSocket, buffer: &mut [u8], left: &mut Duration) -> io::Result<Option<usize>> {
    timed_stream::wait(left, |time| socket.set_read_timeout(time), || socket.recv(buffer))
}

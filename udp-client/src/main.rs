//! The notes' UDP client: each name is a datagram, and so is each reply. Either may be lost, late, doubled or
//! somebody else's.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use common::address::{self, HostPort};
use common::args::{self, Args};
use common::datagram;
use common::greeting;
use common::narration::{self, escape};
use common::patience;

/// How long to wait for a reply, and how often to ask.
struct Retry {
    timeout: Duration,
    tries: u16,
}

/// Whatever the address: for one over IPv4, [`ask`] takes 20 bytes less.
const LONGEST_NAME: usize = datagram::LARGEST - greeting::OVERHEAD;

fn main() -> ExitCode {
    args::run(env!("CARGO_PKG_NAME"), include_str!("help.txt"), |mut args: Args| {
        let retry = Retry {
            timeout: args.seconds("--timeout", 1.0, 0.01..=3600.0)?,
            tries: args.number("--tries", 3, 1..=100)?,
        };
        let peer = args.operand_or("HOST:PORT", "127.0.0.1:9999")?;
        let names = args.names(&["Michael", "Tracy", "Sarah"], LONGEST_NAME)?;
        greet_all(&peer, &names, &retry)
    })
}

/// Prints each name's greeting. A host such as localhost may have several addresses: where nobody is at one,
/// the next is asked.
fn greet_all(peer: &HostPort, names: &[Vec<u8>], retry: &Retry) -> Result<()> {
    let mut addresses = address::resolve(peer)?.into_iter();
    let mut next_socket = || match addresses.next() {
        Some(address) => connect(address).with_context(|| format!("cannot reach {address}")),
        None => bail!("nobody answers at {peer} - is udp-server running there?"),
    };
    let mut socket = next_socket()?;
    for name in names {
        let greeting = loop {
            match ask(&socket, name, retry) {
                Ok(greeting) => break greeting,
                Err(e) if is_nobody_there(&e) => socket = next_socket()?,
                Err(e) => bail!("cannot get the greeting for '{}' from {peer}: {e}", escape(name)),
            }
        };
        narration::say(&escape(&greeting))?;
    }
    Ok(())
}

/// A connected UDP socket sends to its peer and receives from its peer alone; nothing crosses the wire for it.
fn connect(peer: SocketAddr) -> io::Result<UdpSocket> {
    // Bound to any port of the peer's IP version: std has no unbound UDP socket.
    let any = if peer.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(peer)?;
    Ok(socket)
}

/// Sends a name until its own greeting comes back.
fn ask(socket: &UdpSocket, name: &[u8], retry: &Retry) -> io::Result<Vec<u8>> {
    let largest = datagram::largest(socket.peer_addr()?) - greeting::OVERHEAD;
    if name.len() > largest {
        let why = format!("with more than {largest} bytes, its greeting does not fit one datagram");
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
    let expected = greeting::of(name);
    let mut ignored = 0;
    for _ in 0..retry.tries {
        socket.send(name)?;
        let end = Instant::now() + retry.timeout;
        while let Some(reply) = receive_until(end, socket)? {
            if reply == expected {
                return Ok(reply);
            }
            ignored += 1;
            if ignored == 1 {
                narration::complain(&format!(
                    "ignored a datagram that is not the greeting for '{}'",
                    escape(name)
                ));
            }
        }
    }
    let why = format!("no reply after {} x {:?} - is udp-server running there?", retry.tries, retry.timeout);
    Err(io::Error::new(ErrorKind::TimedOut, why))
}

/// The next datagram, or none once `end` has passed.
fn receive_until(end: Instant, socket: &UdpSocket) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = vec![0; datagram::BUFFER];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut buffer) {
            Ok(size) => {
                buffer.truncate(size);
                return Ok(Some(buffer));
            }
            Err(e) if patience::is_over(&e) => {} // the clock tells whether the time is up
            Err(e) => return Err(e),
        }
    }
}

/// Whether the peer's system said that no socket has that port, with an ICMP message for an earlier datagram.
fn is_nobody_there(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

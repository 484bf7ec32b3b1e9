//! The notes' UDP server: there are no connections, so one socket and one thread answer all clients.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use common::address::{self, HostPort};
use common::args::{self, Args};
use common::narrator::Narrator;
use common::stop::{self, Stop};
use common::{datagram, greeting, show_bytes, timed_stream};

const LONGEST_WAIT: Duration = Duration::from_secs(1);
const BACK_OFF: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let who = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    args::run(who, include_str!("help.txt"), |mut args: Args| {
        let quiet = args.flag("--quiet")?;
        let address = args.operand_or("HOST:PORT", "127.0.0.1:9999")?;
        args.finish()?;
        serve(&address, quiet)
    })
}

fn serve(address: &HostPort, quiet: bool) -> Result<()> {
    let socket = UdpSocket::bind(address).map_err(|e| anyhow!(address::cannot_bind(address, &e)))?;
    let bound = socket.local_addr().context("cannot tell the socket's address")?;

    // A signal may not wake recv_from; on Ctrl-C a datagram to ourselves does. If none can be sent, because every
    // port is taken, the time-out ends the wait.
    socket.set_read_timeout(Some(LONGEST_WAIT)).context("cannot limit the wait")?;
    socket.set_write_timeout(Some(datagram::SEND_LIMIT)).context("cannot limit the wait to send")?;
    let stop = Stop::on_signal(move || stop::knock_on_socket(bound))?;

    let narrator = Narrator::start(quiet).context("cannot start the narrator")?;
    narrator.announce(format_args!("bound to {bound}"));
    narrator.hint("udp-client --", bound, "");
    answer_until_stopped(&socket, bound, &stop, &narrator);
    narrator.announce("stopped");
    narrator.finish();
    Ok(())
}

/// Greets the name in each datagram. If one cannot be answered, that is printed, and the server goes on.
fn answer_until_stopped(socket: &UdpSocket, bound: SocketAddr, stop: &Stop, narrator: &Narrator) {
    let mut buffer = vec![0; datagram::BUFFER];
    loop {
        let received = socket.recv_from(&mut buffer);
        if stop.requested() {
            return;
        }
        match received {
            Ok((size, peer)) => {
                narrator.say(format_args!("Received {} from {peer}", show_bytes::Bytes(size as u64)));
                let name = &buffer[..size];
                if let Some(why_not) = reason_not_to_answer(name, peer, bound) {
                    narrator.say(format_args!("No reply to {peer}: {why_not}"));
                } else if let Err(e) = socket.send_to(&greeting::of(name), peer) {
                    narrator.say(format_args!("No reply to {peer}: {e}"));
                }
            }
            Err(e) if timed_stream::is_over(&e) || e.kind() == ErrorKind::Interrupted => {}
            // An earlier reply did not find its client, which Windows reports here: there is nothing to do.
            Err(e) if datagram::is_nobody_there(&e) => {}
            Err(e) => {
                narrator.say(format_args!("Cannot receive: {e}"));
                stop.pause(BACK_OFF);
            }
        }
    }
}

/// Two servers that greet each other's greetings would go on for thousands of datagrams, until one does not fit. One
/// datagram with a forged source is enough to start them, or a server with itself.
fn reason_not_to_answer(name: &[u8], peer: SocketAddr, bound: SocketAddr) -> Option<&'static str> {
    if name.len() > datagram::LONGEST_NAME {
        Some("the greeting would not fit one datagram")
    } else if greeting::is_one(name) {
        Some("this is a greeting itself")
    } else if peer == bound || peer == address::reachable(bound) {
        Some("it claims to come from this server")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_set_off_a_long_exchange_is_not_answered() {
        let at = |address: &str| address.parse().expect("an address");
        let reason = |name: &[u8], peer, bound| reason_not_to_answer(name, at(peer), at(bound));
        assert_eq!(reason(b"Michael", "127.0.0.1:5000", "127.0.0.1:9999"), None);
        assert_eq!(reason(b"Michael", "10.0.0.7:9999", "0.0.0.0:9999"), None);
        for (peer, bound) in [
            ("127.0.0.1:9999", "127.0.0.1:9999"),
            ("127.0.0.1:9999", "0.0.0.0:9999"),
            ("[::1]:9999", "[::]:9999"),
        ] {
            assert!(reason(b"Michael", peer, bound).is_some(), "{peer} to {bound}");
        }
        assert!(reason(b"Hello, Michael!", "10.0.0.7:9999", "0.0.0.0:9999").is_some());
        let long = vec![b'x'; 65_500];
        assert!(reason(&long, "127.0.0.1:5000", "127.0.0.1:9999").is_some());
    }
}

//! How large a UDP datagram can be, and how one is lost.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use crate::address::{self, HostPort};
use crate::narration;
use crate::{greeting, show_bytes};

/// Room for any datagram: into less, recv(2) puts only its beginning (Windows reports error 10040).
pub const BUFFER: usize = 65_535;

/// The most bytes in a name: over IPv4, its greeting fits one datagram of 65,507 bytes (RFC 791, RFC 768). A system may
/// send less: macOS stops at 9,216 bytes unless told otherwise.
pub const LONGEST_NAME: usize = 65_507 - greeting::OVERHEAD;

/// How long a datagram may wait for room in the send buffer. Datagrams to machines that do not answer ARP stay in it
/// for seconds, and the server would not receive meanwhile.
pub const SEND_LIMIT: Duration = Duration::from_millis(50);

/// What became of a datagram that was sent: an error is returned as a value if only this datagram is lost, and the
/// next may pass. A packet filter that drops it makes send(2) fail with EPERM, a full queue with ENOBUFS.
pub fn lost(sent: io::Result<usize>) -> io::Result<Option<io::Error>> {
    match sent {
        // EPERM on every Unix; ENOBUFS on Linux and on the BSDs; Windows' number for it.
        Err(e) if matches!(e.raw_os_error(), Some(1 | 105 | 55 | 10055)) => Ok(Some(e)),
        sent => sent.map(|_| None),
    }
}

/// Asks one address after another, until one answers. Each has its share of the tries, at least one; an address where
/// no socket has the port uses none up.
pub fn first_to_answer<T>(
    addresses: &[SocketAddr],
    mut tries: u16,
    mut ask: impl FnMut(SocketAddr, u16) -> io::Result<T>,
) -> io::Result<T> {
    address::first_of(addresses, |address, left| {
        let share = tries.div_ceil(left).max(1);
        let answer = ask(address, share);
        if !answer.as_ref().is_err_and(is_nobody_there) {
            tries = tries.saturating_sub(share);
        }
        answer
    })
}

/// Whether the peer's system said that no socket has that port, with an ICMP message for an earlier datagram.
pub fn is_nobody_there(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

/// The last datagram that was not the expected one.
pub type Wrong = Option<Vec<u8>>;

/// Keeps a datagram that is not the greeting for `name`, and reports the first one on standard error.
pub fn ignore(datagram: &[u8], name: &[u8], wrong: &mut Wrong) {
    let came = show_bytes::quoted(datagram);
    if wrong.replace(datagram.to_vec()).is_none() {
        let name = show_bytes::name(name);
        narration::complain(&format!("ignored a datagram that is not the greeting for '{name}': {came}"));
    }
}

/// The error for a name that was sent `tries` times.
pub fn no_answer(wrong: &Wrong, tries: u16, timeout: Duration) -> io::Error {
    let what = if wrong.is_some() { "no greeting" } else { "no reply" };
    io::Error::new(ErrorKind::TimedOut, format!("{what} after {tries} x {timeout:?}"))
}

/// The likely reason why `peer` did not send `expected`, to follow the text of `error`.
pub fn likely_reason(error: &io::Error, came: Option<&[u8]>, expected: &[u8], peer: &HostPort) -> String {
    if let Some(came) = came {
        let why = if came.trim_ascii_end() == expected { ": a line end too many" } else { "" };
        return format!("; {} came, not {}{why}", show_bytes::quoted(came), show_bytes::quoted(expected));
    }
    format!(" - {}", address::unreached(error, &address::starter("udp-server", peer, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_its_share_of_the_tries() {
        let addresses: Vec<SocketAddr> =
            (1..=3).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        let shares = |kind: ErrorKind, tries| {
            let mut shares = Vec::new();
            let error = first_to_answer(&addresses, tries, |_, share| -> io::Result<()> {
                shares.push(share);
                Err(kind.into())
            });
            let error = error.unwrap_err().to_string();
            assert!(addresses.iter().all(|address| error.contains(&address.to_string())), "{error}");
            shares
        };
        for (tries, expected) in [(3, [1, 1, 1]), (4, [2, 1, 1]), (8, [3, 3, 2]), (1, [1, 1, 1])] {
            assert_eq!(shares(ErrorKind::TimedOut, tries), expected);
        }
        assert_eq!(shares(ErrorKind::ConnectionRefused, 6), [2, 3, 6], "what nobody used is the next one's");
        let answer = first_to_answer(&addresses, 3, |address, _| match address.port() {
            2 => Ok("hello"),
            _ => Err(ErrorKind::TimedOut.into()),
        });
        assert_eq!(answer.unwrap(), "hello");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_datagram_that_the_system_dropped_is_lost_and_another_error_is_one() {
        let (eperm, eacces, emsgsize, enobufs) = (1, 13, 90, 105);
        let sent = |code| lost(Err(io::Error::from_raw_os_error(code)));
        assert!(lost(Ok(3)).unwrap().is_none());
        assert!([eperm, enobufs].iter().all(|code| sent(*code).unwrap().is_some()));
        assert!([eacces, emsgsize].iter().all(|code| sent(*code).is_err()));
    }

    #[test]
    fn whoever_has_answered_is_not_asked_whether_it_runs() {
        let reason = |kind: ErrorKind, came: Option<&[u8]>| {
            likely_reason(&kind.into(), came, b"Hello, A!", &"127.0.0.1:9".parse().unwrap())
        };
        let running = " - is a server running there? cargo run -p udp-server -- 127.0.0.1:9 starts one";
        assert_eq!(reason(ErrorKind::TimedOut, None), running);
        for (came, text) in [
            (&b"Hello, A!\r\n"[..], "; \"Hello, A!\\r\\n\" came, not \"Hello, A!\": a line end too many"),
            (b"\x1b", "; \"\\x1b\" came, not \"Hello, A!\""),
        ] {
            assert_eq!(reason(ErrorKind::TimedOut, Some(came)), text);
        }
    }
}

//! The kernel's own table of sockets, where there is one to read: Linux' /proc/net (proc(5)).

use std::fs;
use std::net::{IpAddr, SocketAddr};

/// A transport protocol.
#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    /// Its table is tcp or tcp6.
    Tcp,
    /// Its table is udp or udp6.
    Udp,
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The port of its own end.
    pub port: u16,
    /// The port of the other end, 0 if it has none.
    pub peer_port: u16,
    /// `LISTEN`, `ESTABLISHED`...
    pub state: &'static str,
    /// Bytes sent and not yet acknowledged.
    pub to_send: u64,
    /// Bytes received and not yet read; for a listener, connections not yet accepted.
    pub to_read: u64,
    /// Datagrams dropped because the queue was full (UDP).
    pub dropped: u64,
}

/// The sockets of this IP version whose own port is `port`; none where there is no such table.
pub fn sockets(protocol: Protocol, at: SocketAddr) -> Option<Vec<Row>> {
    settled(|| all(protocol, at.ip(), |row| row.port == at.port()))
}

/// How many datagrams the kernel dropped because this socket's queue was full.
pub fn dropped(at: SocketAddr) -> Option<u64> {
    Some(sockets(Protocol::Udp, at)?.first()?.dropped)
}

/// The two ends of a connection, the one at `first` before the one at `second`.
pub fn both_ends(first: SocketAddr, second: SocketAddr) -> Option<Vec<Row>> {
    let (one, two) = (first.port(), second.port());
    let is_theirs = |row: &Row| [(one, two), (two, one)].contains(&(row.port, row.peer_port));
    let mut rows = settled(|| all(Protocol::Tcp, first.ip(), is_theirs))?;
    rows.sort_by_key(|row| row.port != one);
    Some(rows)
}

/// The TCP sockets of this IP version whose other end is this port; none where there is no such table.
pub fn peers_of(at: SocketAddr) -> Option<Vec<Row>> {
    settled(|| all(Protocol::Tcp, at.ip(), |row| row.peer_port == at.port()))
}

/// The table is not read at one instant: while others connect, a row may be missing, or stand in it twice. So it
/// is read until it says the same two times running.
fn settled(read: impl Fn() -> Option<Vec<Row>>) -> Option<Vec<Row>> {
    const TRIES: usize = 100;
    let mut before = read()?;
    for _ in 0..TRIES {
        let now = read()?;
        if now == before {
            break;
        }
        before = now;
    }
    Some(before)
}

fn all(protocol: Protocol, ip: IpAddr, is_wanted: impl Fn(&Row) -> bool) -> Option<Vec<Row>> {
    let name = match (protocol, ip) {
        (Protocol::Tcp, IpAddr::V4(_)) => "tcp",
        (Protocol::Tcp, IpAddr::V6(_)) => "tcp6",
        (Protocol::Udp, IpAddr::V4(_)) => "udp",
        (Protocol::Udp, IpAddr::V6(_)) => "udp6",
    };
    let table = fs::read_to_string(format!("/proc/net/{name}")).ok()?;
    let mut rows: Vec<_> = table.lines().skip(1).filter_map(parse).filter(is_wanted).collect();
    for row in rows.iter_mut().filter(|row| matches!(protocol, Protocol::Udp) && row.state == "CLOSE") {
        row.state = "UNCONN"; // the table has TCP's states alone; ss(8) calls it so
    }
    rows.sort_by_key(|row| (row.port, row.peer_port));
    rows.dedup_by_key(|row| (row.port, row.peer_port));
    Some(rows)
}

fn parse(line: &str) -> Option<Row> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let port = |at: usize| u16::from_str_radix(fields.get(at)?.rsplit(':').next()?, 16).ok();
    let (to_send, to_read) = fields.get(4)?.split_once(':')?;
    let state = match *fields.get(3)? {
        "01" => "ESTABLISHED",
        "02" => "SYN_SENT",
        "03" => "SYN_RECV",
        "04" => "FIN_WAIT1",
        "05" => "FIN_WAIT2",
        "06" => "TIME_WAIT",
        "07" => "CLOSE",
        "08" => "CLOSE_WAIT",
        "09" => "LAST_ACK",
        "0A" => "LISTEN",
        "0B" => "CLOSING",
        _ => "UNKNOWN",
    };
    Some(Row {
        port: port(1)?,
        peer_port: port(2)?,
        state,
        to_send: u64::from_str_radix(to_send, 16).ok()?,
        to_read: u64::from_str_radix(to_read, 16).ok()?,
        dropped: fields.last()?.parse().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_is_read() {
        let line = "  12: 0100007F:270F 0200007F:C350 01 0000000A:0000001F 00:00000000 00000000     0        0 4711 1 0 20 0 0 10 -1";
        let row = parse(line).expect("a row");
        assert_eq!(
            (row.port, row.peer_port, row.state, row.to_send, row.to_read),
            (9999, 50000, "ESTABLISHED", 10, 31)
        );
        let line = " 1: 00000000:270F 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4711 2 0000000000000000 1834";
        assert_eq!(parse(line).map(|row| (row.state, row.dropped)), Some(("CLOSE", 1834)));
        assert_eq!(parse("sl local_address rem_address"), None);
    }
}

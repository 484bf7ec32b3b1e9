//! A line of the kernel's own tables of sockets: Linux' /proc/net/tcp and its like (proc(5)).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// In the order of their numbers (Linux' `include/net/tcp_states.h`).
const STATES: &str = "UNKNOWN ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK \
                      LISTEN CLOSING";

/// A socket as the kernel lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketRow {
    /// Of its own end.
    pub ip: IpAddr,
    /// Of its own end.
    pub port: u16,
    /// Of the other end, 0 if it has none.
    pub peer_port: u16,
    /// `LISTEN`, `ESTABLISHED`...
    pub state: &'static str,
    /// Bytes sent and not yet acknowledged.
    pub to_send: u64,
    /// Bytes received and not yet read; for a listener, connections not yet accepted.
    pub to_read: u64,
    /// Datagrams dropped because the queue was full (UDP).
    pub dropped: u64,
    /// The number by which a process' descriptor names it, 0 while none does.
    pub inode: u64,
}

impl SocketRow {
    /// Reads a line of a table; none from its head, or from what is no line of one.
    pub fn parse(line: &str) -> Option<Self> {
        let fields: Vec<_> = line.split_whitespace().collect();
        let port = |at: usize| u16::from_str_radix(fields.get(at)?.rsplit(':').next()?, 16).ok();
        let (to_send, to_read) = fields.get(4)?.split_once(':')?;
        let state = usize::from_str_radix(fields.get(3)?, 16).ok()?;
        Some(Self {
            ip: address(fields.get(1)?.split(':').next()?)?,
            port: port(1)?,
            peer_port: port(2)?,
            state: STATES.split(' ').nth(state).unwrap_or("UNKNOWN"),
            to_send: u64::from_str_radix(to_send, 16).ok()?,
            to_read: u64::from_str_radix(to_read, 16).ok()?,
            dropped: fields.last()?.parse().unwrap_or_default(),
            inode: fields.get(9).and_then(|field| field.parse().ok()).unwrap_or_default(),
        })
    }

    /// Whether what is sent to `at` reaches a socket that is bound here: to the very address, to all of its IP
    /// version, or, as an IPv6 socket may, to all of both.
    pub fn is_reached_at(&self, at: SocketAddr) -> bool {
        let is_for_both = self.ip == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let is_all = self.ip.is_unspecified() && (self.ip.is_ipv4() == at.is_ipv4() || is_for_both);
        self.port == at.port() && (is_all || self.ip.to_canonical() == at.ip())
    }
}

/// An address as the table has it: words of 32 bits, each as this machine keeps the bytes of the network.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    if hex.len() == 8 {
        return Some(IpAddr::from(word(0)?));
    }
    let words = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
    Some(IpAddr::from(<[u8; 16]>::try_from(words).ok()?))
}

/// Whether no TCP server listens at an address, but a connection has its port, as the kernel's tables have it on
/// Linux: it may be open at one end, or in `TIME_WAIT` (RFC 9293 section 3.6.1).
pub fn is_left_over(address: SocketAddr) -> bool {
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    let table = read("/proc/net/tcp") + &read("/proc/net/tcp6");
    is_left_over_in(table.lines().filter_map(SocketRow::parse), address)
}

fn is_left_over_in(rows: impl Iterator<Item = SocketRow>, address: SocketAddr) -> bool {
    let ip = address.ip();
    let overlaps = |row: &SocketRow| {
        row.ip.is_unspecified() || ip.is_unspecified() || row.ip.to_canonical() == ip.to_canonical()
    };
    let states: Vec<_> =
        rows.filter(|row| row.port == address.port() && overlaps(row)).map(|row| row.state).collect();
    !states.is_empty() && !states.contains(&"LISTEN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_a_server_from_what_one_left_behind() {
        let row = |(address, state): &(&str, &'static str)| {
            let at: SocketAddr = address.parse().unwrap();
            let (ip, port) = (at.ip(), at.port());
            SocketRow { ip, port, peer_port: 0, state, to_send: 0, to_read: 0, dropped: 0, inode: 0 }
        };
        let past = ("127.0.0.1:9999", "TIME_WAIT");
        for (rows, address, is_left_over) in [
            (&[past][..], "127.0.0.1:9999", true),
            (&[past, ("127.0.0.1:9999", "LISTEN")], "127.0.0.1:9999", false),
            (&[past, ("127.0.0.1:9999", "CLOSE_WAIT")], "127.0.0.1:9999", true),
            (&[("0.0.0.0:9999", "LISTEN")], "127.0.0.1:9999", false),
            (&[past], "0.0.0.0:9999", true),
            (&[("[::ffff:127.0.0.1]:9999", "TIME_WAIT")], "127.0.0.1:9999", true),
            (&[("127.0.0.2:9999", "TIME_WAIT"), ("127.0.0.1:9998", "TIME_WAIT")], "127.0.0.1:9999", false),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(is_left_over_in(rows.iter().map(row), address), is_left_over, "{rows:?} {address}");
        }
    }

    #[test]
    fn a_line_of_the_table_is_read() {
        let line = "  12: 0100007F:270F 0200007F:C350 01 0000000A:0000001F 00:00000000 00000000     0        0 4711 1 0 20 0 0 10 -1";
        let row = SocketRow::parse(line).expect("a row");
        let found = (row.ip, row.port, row.peer_port, row.state, row.to_send, row.to_read, row.inode);
        let ip = IpAddr::from(0x0100_007f_u32.to_ne_bytes());
        assert_eq!(found, (ip, 9999, 50000, "ESTABLISHED", 10, 31, 4711));
        let line = " 1: 00000000:270F 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4711 2 0000000000000000 1834";
        assert_eq!(SocketRow::parse(line).map(|row| (row.state, row.dropped)), Some(("CLOSE", 1834)));
        for other in ["  sl  local_address rem_address   st tx_queue rx_queue", "   0: 7F:270F"] {
            assert_eq!(SocketRow::parse(other), None);
        }
    }
}

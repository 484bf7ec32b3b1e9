//! The kernel's own table of sockets, where there is one to read: Linux' /proc/net (proc(5)).

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::OnceLock;

#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    /// Its table is tcp or tcp6.
    Tcp,
    /// Its table is udp or udp6.
    Udp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The address of its own end.
    pub ip: IpAddr,
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
    /// The number by which a process' descriptor names it, 0 while none does.
    pub inode: u64,
}

impl Row {
    /// Whether what is sent to `at` reaches a socket that is bound here: to the very address, to all of its IP
    /// version, or, as an IPv6 socket may, to all of both.
    pub fn is_reached_at(&self, at: SocketAddr) -> bool {
        let is_for_both = self.ip == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let is_all = self.ip.is_unspecified() && (self.ip.is_ipv4() == at.is_ipv4() || is_for_both);
        self.port == at.port() && (is_all || self.ip.to_canonical() == at.ip())
    }
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

/// The TCP sockets of this IP version one of whose ends is at this port, clients' ends last; none where there is no such
/// table.
pub fn around(at: SocketAddr) -> Option<Vec<Row>> {
    let mut rows =
        settled(|| all(Protocol::Tcp, at.ip(), |row| [row.port, row.peer_port].contains(&at.port())))?;
    rows.sort_by_key(|row| row.port != at.port());
    Some(rows)
}

/// Every socket of both IP versions that waits for whoever comes: TCP's listeners, UDP's sockets without a peer. It
/// is asked again and again, and so reads no more than it needs of each table, once: the listeners stand first.
pub fn waiting(protocol: Protocol) -> Option<Vec<Row>> {
    let is_waiting = |row: &Row| row.peer_port == 0 && matches!(row.state, "LISTEN" | "CLOSE");
    let of = |ip| Some(lines(protocol, ip)?.map_while(|line| parse(&line).filter(is_waiting)).collect());
    let of_udp = |ip| Some(lines(protocol, ip)?.filter_map(|line| parse(&line).filter(is_waiting)).collect());
    let rows = |ip| if matches!(protocol, Protocol::Tcp) { of(ip) } else { of_udp(ip) };
    let mut both: Vec<Row> = rows(Ipv4Addr::LOCALHOST.into())?;
    // Where IPv6 is switched off, it has no table.
    both.extend(rows(Ipv6Addr::LOCALHOST.into()).unwrap_or_default());
    Some(both)
}

/// The far end of a connection, read once.
pub fn far_end(near: SocketAddr, far: SocketAddr) -> Option<Row> {
    let (near, far) = (near.port(), far.port());
    let pair = format!(":{far:04X} ");
    let rows = lines(Protocol::Tcp, IpAddr::V4(Ipv4Addr::LOCALHOST))?
        .chain(lines(Protocol::Tcp, IpAddr::V6(Ipv6Addr::LOCALHOST)).into_iter().flatten());
    let mut rows = rows.filter(|line| line.contains(&pair)).filter_map(|line| parse(&line));
    rows.find(|row| (row.port, row.peer_port) == (far, near))
}

/// As [`waiting`], of one program's processes (Linux' /proc/PID/stat and /proc/PID/fd).
pub fn waiting_of_group(protocol: Protocol, group: u32) -> Option<Vec<Row>> {
    let owned: Vec<_> = group_members(group)?.into_iter().flat_map(inodes).collect();
    Some(waiting(protocol)?.into_iter().filter(|row| owned.contains(&row.inode)).collect())
}

/// The one of these processes that has the socket which waits at this address.
pub fn owner(protocol: Protocol, at: SocketAddr, pids: &[u32]) -> Option<u32> {
    let rows: Vec<_> = waiting(protocol)?.into_iter().filter(|row| row.is_reached_at(at)).collect();
    pids.iter().copied().find(|pid| inodes(*pid).iter().any(|own| rows.iter().any(|row| row.inode == *own)))
}

/// Whether a group has processes that have not ended; not, where nobody can tell.
pub fn has_members(group: u32) -> bool {
    group_members(group).is_some_and(|members| !members.is_empty())
}

/// How many descriptors the processes of a group have open, and how many of them have ended and are not waited for (the
/// first one apart); none where nobody can tell.
pub fn holdings(group: u32) -> Option<(usize, usize)> {
    let open = |pid| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    let descriptors = group_members(group)?.into_iter().map(open).sum();
    let has_ended = |pid: &u32| {
        *pid != group && state_and_group(Path::new(&format!("/proc/{pid}"))) == Some(('Z', group))
    };
    Some((descriptors, processes()?.filter(has_ended).count()))
}

fn processes() -> Option<impl Iterator<Item = u32>> {
    Some(fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}

/// The processes of a program that have not ended: its first one, and those in the process group of that number.
pub fn group_members(group: u32) -> Option<Vec<u32>> {
    let is_member = |pid: &u32| {
        state_and_group(Path::new(&format!("/proc/{pid}")))
            .is_some_and(|(state, of)| state != 'Z' && (*pid == group || of == group))
    };
    Some(processes()?.filter(is_member).collect())
}

/// The state of a process or a thread, and its group, from its directory in /proc.
fn state_and_group(directory: &Path) -> Option<(char, u32)> {
    let stat = fs::read_to_string(directory.join("stat")).ok()?;
    // PID (NAME) STATE PARENT GROUP: a name may have blanks and brackets in it.
    let mut fields = stat.rsplit(") ").next()?.split(' ');
    Some((fields.next()?.parse().ok()?, fields.nth(1)?.parse().ok()?))
}

/// Whether a process or a thread has ended, by its directory in /proc.
pub fn has_ended(directory: &Path) -> bool {
    state_and_group(directory).is_none_or(|(state, _)| state == 'Z')
}

/// Whether every thread of a group sleeps, or has ended: whatever has come, it has done what it does about it. None
/// where nobody can tell.
pub fn is_idle(group: u32) -> Option<bool> {
    let threads = |pid| fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut states =
        group_members(group)?.into_iter().flat_map(threads).filter_map(|at| state_and_group(&at.path()));
    Some(states.all(|(state, _)| !matches!(state, 'R' | 'D')))
}

/// The numbers of a process' sockets.
fn inodes(pid: u32) -> Vec<u64> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    descriptors.filter_map(|entry| socket_number(&fs::read_link(entry.path()).ok()?)).collect()
}

/// The number of a socket, from the link that a descriptor in /proc is.
pub fn socket_number(link: &Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
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

/// Whether the system keeps such tables: where a file is there and empty (WSL 1, some sandboxes), a listener of our own
/// is not in it.
fn has_tables() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let port = listener.as_ref().ok().and_then(|own| own.local_addr().ok()).map(|own| own.port());
        let table = fs::read_to_string(table(Protocol::Tcp, Ipv4Addr::LOCALHOST.into())).unwrap_or_default();
        port.is_some_and(|port| has_port(&table, port))
    })
}

fn has_port(table: &str, port: u16) -> bool {
    table.lines().filter_map(parse).any(|row| row.port == port)
}

/// The lines of a table, without its head.
fn lines(protocol: Protocol, ip: IpAddr) -> Option<impl Iterator<Item = String>> {
    if !has_tables() {
        return None;
    }
    Some(BufReader::new(File::open(table(protocol, ip)).ok()?).lines().skip(1).map_while(Result::ok))
}

fn table(protocol: Protocol, ip: IpAddr) -> String {
    let name = match (protocol, ip) {
        (Protocol::Tcp, IpAddr::V4(_)) => "tcp",
        (Protocol::Tcp, IpAddr::V6(_)) => "tcp6",
        (Protocol::Udp, IpAddr::V4(_)) => "udp",
        (Protocol::Udp, IpAddr::V6(_)) => "udp6",
    };
    format!("/proc/net/{name}")
}

fn all(protocol: Protocol, ip: IpAddr, is_wanted: impl Fn(&Row) -> bool) -> Option<Vec<Row>> {
    let mut rows: Vec<_> = lines(protocol, ip)?.filter_map(|line| parse(&line)).filter(is_wanted).collect();
    for row in rows.iter_mut().filter(|row| matches!(protocol, Protocol::Udp) && row.state == "CLOSE") {
        row.state = "UNCONN"; // the table has TCP's states alone; ss(8) calls it so
    }
    rows.sort_by_key(|row| (row.port, row.peer_port, row.ip));
    rows.dedup_by_key(|row| (row.port, row.peer_port, row.ip));
    Some(rows)
}

fn parse(line: &str) -> Option<Row> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let port = |at: usize| u16::from_str_radix(fields.get(at)?.rsplit(':').next()?, 16).ok();
    let ip = address(fields.get(1)?.split(':').next()?)?;
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
        ip,
        port: port(1)?,
        peer_port: port(2)?,
        state,
        to_send: u64::from_str_radix(to_send, 16).ok()?,
        to_read: u64::from_str_radix(to_read, 16).ok()?,
        dropped: fields.last()?.parse().unwrap_or_default(),
        inode: fields.get(9).and_then(|field| field.parse().ok()).unwrap_or_default(),
    })
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
        assert!(has_port(line, 9999) && !has_port(line, 9998));
        assert!(!has_port("  sl  local_address rem_address   st tx_queue rx_queue\n", 9999));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_listener_of_this_group_stands_in_the_table_under_its_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let group = stat.rsplit(") ").next().unwrap().split(' ').nth(2).unwrap().parse().unwrap();
        let rows = waiting_of_group(Protocol::Tcp, group).unwrap();
        assert!(rows.iter().any(|row| row.is_reached_at(at)), "{at} is not in {rows:?}");
        let elsewhere = SocketAddr::new([127, 0, 0, 2].into(), at.port());
        assert!(!rows.iter().any(|row| row.is_reached_at(elsewhere)));
    }
}

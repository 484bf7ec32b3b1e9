//! What Linux' kernel tells of sockets, in its own table of them, and of the processes that have them (proc(5)).

use std::env::consts::ARCH;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::OnceLock;

pub use common::socket_table::SocketRow;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    Tcp,
    Udp,
}

/// The sockets of this IP version whose own port is `port`; none where there is no such table.
pub fn sockets(protocol: Protocol, at: SocketAddr) -> Option<Vec<SocketRow>> {
    settled(protocol, at.ip(), |row| row.port == at.port())
}

/// The two ends of a connection, the one at `first` before the one at `second`.
pub fn both_ends(first: SocketAddr, second: SocketAddr) -> Option<Vec<SocketRow>> {
    let (one, two) = (first.port(), second.port());
    let is_theirs = |row: &SocketRow| [(one, two), (two, one)].contains(&(row.port, row.peer_port));
    let mut rows = settled(Protocol::Tcp, first.ip(), is_theirs)?;
    rows.sort_by_key(|row| row.port != one);
    Some(rows)
}

/// Every socket of both IP versions that waits for whoever comes: TCP's listeners, UDP's sockets without a peer. It
/// is asked again and again, and so reads no more than it needs of each table, once: the listeners stand first.
pub fn waiting(protocol: Protocol) -> Option<Vec<SocketRow>> {
    let is_waiting = |row: &SocketRow| row.peer_port == 0 && matches!(row.state, "LISTEN" | "CLOSE");
    let rows = |ip| {
        let rows = lines(protocol, ip)?.map(|line| SocketRow::parse(&line).filter(is_waiting));
        let is_among = |row: &Option<_>| matches!(protocol, Protocol::Udp) || row.is_some();
        Some(rows.take_while(is_among).flatten())
    };
    // Where IPv6 is switched off, it has no table.
    Some(rows(V4)?.chain(rows(V6).into_iter().flatten()).collect())
}

pub fn far_end(near: SocketAddr, far: SocketAddr) -> Option<SocketRow> {
    let (near, far) = (near.port(), far.port());
    let pair = format!(":{far:04X} ");
    let rows = lines(Protocol::Tcp, V4)?.chain(lines(Protocol::Tcp, V6).into_iter().flatten());
    let mut rows = rows.filter(|line| line.contains(&pair)).filter_map(|line| SocketRow::parse(&line));
    rows.find(|row| (row.port, row.peer_port) == (far, near))
}

/// As [`waiting`], of one program's processes (Linux' /proc/PID/stat and /proc/PID/fd).
pub fn waiting_of_group(protocol: Protocol, group: u32) -> Option<Vec<SocketRow>> {
    let owned: Vec<_> = group_members(group)?.into_iter().flat_map(inodes).collect();
    Some(waiting(protocol)?.into_iter().filter(|row| owned.contains(&row.inode)).collect())
}

/// The one of these processes that has the socket which waits at this address.
pub fn owner(protocol: Protocol, at: SocketAddr, pids: &[u32]) -> Option<u32> {
    let rows: Vec<_> = waiting(protocol)?.into_iter().filter(|row| row.is_reached_at(at)).collect();
    pids.iter().copied().find(|pid| inodes(*pid).iter().any(|own| rows.iter().any(|row| row.inode == *own)))
}

/// How many descriptors the processes of a group have open, and how many of them have ended and are not waited for (the
/// first one apart); none where nobody can tell.
pub fn holdings(group: u32) -> Option<(usize, usize)> {
    let open = |pid| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    let descriptors = group_members(group)?.into_iter().map(open).sum();
    let has_ended =
        |pid: &u32| *pid != group && state_and_group(format!("/proc/{pid}")) == Some(('Z', group));
    Some((descriptors, processes()?.filter(has_ended).count()))
}

fn processes() -> Option<impl Iterator<Item = u32>> {
    Some(fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}

/// The processes of a program that have not ended: its first one, and those in the process group of that number.
pub fn group_members(group: u32) -> Option<Vec<u32>> {
    let is_member = |pid: &u32| {
        let found = state_and_group(format!("/proc/{pid}"));
        found.is_some_and(|(state, of)| state != 'Z' && [*pid, of].contains(&group))
    };
    Some(processes()?.filter(is_member).collect())
}

/// The state of a process or a thread, and its group, from its directory in /proc.
fn state_and_group(directory: impl AsRef<Path>) -> Option<(char, u32)> {
    let stat = fs::read_to_string(directory.as_ref().join("stat")).ok()?;
    // PID (NAME) STATE PARENT GROUP: a name may have blanks and brackets in it.
    let mut fields = stat.rsplit(") ").next()?.split(' ');
    Some((fields.next()?.parse().ok()?, fields.nth(1)?.parse().ok()?))
}

/// Whether every thread of a group sleeps, or has ended: whatever has come, it has done what it does about it. None
/// where nobody can tell.
pub fn is_idle(group: u32) -> Option<bool> {
    let threads = |pid| fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut states =
        group_members(group)?.into_iter().flat_map(threads).filter_map(|at| state_and_group(at.path()));
    Some(states.all(|(state, _)| !matches!(state, 'R' | 'D')))
}

fn inodes(pid: u32) -> Vec<u64> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    descriptors.filter_map(|entry| socket_number(&fs::read_link(entry.path()).ok()?)).collect()
}

fn socket_number(link: &Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The table is not read at one instant: while others connect, a row may be missing, or stand in it twice. So it
/// is read until it says the same two times running.
fn settled(protocol: Protocol, ip: IpAddr, is_such: impl Fn(&SocketRow) -> bool) -> Option<Vec<SocketRow>> {
    let read = || {
        let rows = lines(protocol, ip)?.filter_map(|line| SocketRow::parse(&line));
        let mut rows: Vec<_> = rows.filter(&is_such).collect();
        for row in rows.iter_mut().filter(|row| matches!(protocol, Protocol::Udp) && row.state == "CLOSE") {
            row.state = "UNCONN"; // the table has TCP's states alone; ss(8) calls it so
        }
        rows.sort_by_key(|row| (row.port, row.peer_port, row.ip));
        rows.dedup_by_key(|row| (row.port, row.peer_port, row.ip));
        Some(rows)
    };
    let mut before = read()?;
    for _ in 0..100 {
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
        let table = fs::read_to_string(table(Protocol::Tcp, V4)).unwrap_or_default();
        table.lines().filter_map(SocketRow::parse).any(|row| Some(row.port) == port)
    })
}

fn lines(protocol: Protocol, ip: IpAddr) -> Option<impl Iterator<Item = String>> {
    let table = File::open(table(protocol, ip)).ok().filter(|_| has_tables())?;
    Some(BufReader::new(table).lines().skip(1).map_while(Result::ok))
}

fn table(protocol: Protocol, ip: IpAddr) -> String {
    let name = if matches!(protocol, Protocol::Tcp) { "tcp" } else { "udp" };
    format!("/proc/net/{name}{}", if ip.is_ipv4() { "" } else { "6" })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Accept,
    Receive,
    Send,
    Sleep,
    /// The end of a child.
    Child,
    /// Any of several descriptors, or something else that does not tell what it is about.
    Several,
    /// Another thread.
    Thread,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingThread {
    pub call: Call,
    /// The socket's number in the kernel's table.
    pub inode: Option<u64>,
    pub is_stdin: bool,
}

/// What each thread of these processes waits for, as Linux tells whoever may trace it (ptrace(2)); none where there
/// is no thread, or nobody can tell of one.
pub fn waits(pids: &[u32]) -> Option<Vec<WaitingThread>> {
    let mut all = Vec::new();
    for pid in pids {
        for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten().map(|entry| entry.path()) {
            if state_and_group(&thread).is_some_and(|(state, _)| state != 'Z') {
                all.push(wait(*pid, &fs::read_to_string(thread.join("syscall")).ok()?)?);
            }
        }
    }
    (!all.is_empty()).then_some(all)
}

/// A line such as `45 0x3 0x7f2e... 0x400 0x0 ...`: the call's number and its arguments; `running`, or -1 outside of a call.
fn wait(pid: u32, line: &str) -> Option<WaitingThread> {
    let mut fields = line.split_whitespace();
    let call = fields.next()?.parse().ok().and_then(call).unwrap_or(Call::Several);
    let descriptor = fields.next().and_then(|hex| u64::from_str_radix(hex.strip_prefix("0x")?, 16).ok());
    let descriptor = descriptor.filter(|_| matches!(call, Call::Accept | Call::Receive | Call::Send));
    let link = descriptor.and_then(|number| fs::read_link(format!("/proc/{pid}/fd/{number}")).ok());
    let inode = link.and_then(|link| socket_number(&link));
    Some(WaitingThread { call, inode, is_stdin: descriptor == Some(0) && inode.is_none() })
}

/// The numbers of each call, such as read, recvfrom and their like: on x86-64, and those that newer machines share
/// (asm-generic/unistd.h); of other machines nothing is told.
#[rustfmt::skip]
const CALLS: [(Call, &[i64], &[i64]); 6] = [
    (Call::Accept,  &[43, 288],                &[202, 242]),
    (Call::Receive, &[0, 17, 19, 45, 47, 299], &[63, 65, 67, 207, 212, 243]),
    (Call::Send,    &[1, 20, 44, 46, 307],     &[64, 66, 206, 211, 269]),
    (Call::Sleep,   &[35, 230],                &[101, 115]),
    (Call::Child,   &[61, 247],                &[95, 260]),
    (Call::Thread,  &[202, 449],               &[98, 449]),
];

fn call(number: i64) -> Option<Call> {
    let of_this_machine = |(_, old, new): &&(Call, &[i64], &[i64])| match ARCH {
        "x86_64" => old.contains(&number),
        "aarch64" => new.contains(&number),
        _ => false,
    };
    CALLS.iter().find(of_this_machine).map(|(call, ..)| *call)
}

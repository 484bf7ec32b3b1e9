//! `HOST:PORT`, read strictly: a text that is not clearly an address is refused with the reason.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use crate::narration::shell_word;
use crate::{lookalikes, socket_table, text};

/// Where to listen or to connect: `127.0.0.1:9999`, `[::1]:9999` or `localhost:9999`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPort {
    /// With an IP address.
    Ip(SocketAddr),
    /// With a name that the system resolves.
    Name(String, u16),
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Err(text!(
                "this is a URL; an address is HOST:PORT, such as localhost:9999",
                "这是 URL；地址应为 HOST:PORT，例如 localhost:9999"
            ));
        }
        if let Some(advice) = lookalikes::advice(text) {
            return Err(advice);
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let why = text!(
                "it has no host: write 127.0.0.1:{text} for this machine",
                "没有主机：本机请写 127.0.0.1:{text}"
            );
            return Err(why);
        }
        let Some((host, port)) = text.rsplit_once(':').filter(|(_, port)| !port.contains(']')) else {
            return Err(text!(
                "it has no port: write HOST:PORT, such as 127.0.0.1:9999",
                "没有端口：应为 HOST:PORT，例如 127.0.0.1:9999"
            ));
        };
        if host.contains(':') && !host.starts_with('[') {
            return Err(text!(
                "an IPv6 address must be in brackets: [::1]:9999",
                "IPv6 地址要放在方括号里：[::1]:9999"
            ));
        }
        let digits = Some(port).filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
        let Some(port) = digits.and_then(|port| port.parse().ok()) else {
            return Err(text!("a port is a decimal number from 0 to 65535", "端口是 0 到 65535 的十进制数"));
        };
        if host.starts_with('[') {
            return text.parse().map(Self::Ip).map_err(|_| why_not_ipv6(host));
        }
        if looks_numeric(host) {
            return match host.parse::<Ipv4Addr>() {
                Ok(ip) => Ok(Self::Ip(SocketAddr::from((ip, port)))),
                Err(_) => Err(text!(
                    "an IPv4 address is four decimal numbers from 0 to 255",
                    "IPv4 地址是四个 0 到 255 的十进制数"
                )),
            };
        }
        check_name(host)?;
        Ok(Self::Name(host.to_owned(), port))
    }
}

fn why_not_ipv6(host: &str) -> String {
    let Some(inside) = host.trim_start_matches('[').strip_suffix(']') else {
        return text!(
            "an IPv6 address ends with ] and then the port: [::1]:9999",
            "IPv6 地址以 ] 结束，后面是端口：[::1]:9999"
        );
    };
    match inside.split_once('%') {
        Some((ip, _)) if ip.parse::<Ipv6Addr>().is_ok() => text!(
            "a scope is the interface's index, a number (see 'ip link'), not its name",
            "作用域（scope）是网络接口的编号（见 ip link），不是它的名字"
        ),
        _ => text!("the text in the brackets is not an IPv6 address", "方括号里的不是 IPv6 地址"),
    }
}

/// Whether resolvers would read this as an IPv4 address in some notation: its last label is a number
/// (WHATWG URL, "ends in a number"). `127.1` and `0x7f.0.0.1` mean 127.0.0.1 to some of them.
fn looks_numeric(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// RFC 1123 section 2.1, and the underscore that real networks have.
fn check_name(host: &str) -> Result<(), String> {
    if host.is_empty() {
        return Err(text!(
            "the host is empty: 127.0.0.1 and [::1] are this machine",
            "没有写主机：127.0.0.1 和 [::1] 是本机"
        ));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err(text!(
            "a host name is labels of 1 to 63 letters with dots between, 253 in all",
            "主机名由若干段组成，每段 1 到 63 个字符，用点隔开，总共最多 253 个字符"
        ));
    }
    match name.chars().find(|c| *c != '.' && !u8::try_from(*c).is_ok_and(good)) {
        Some(c) => {
            // A character of another script may look like ASCII.
            let named = if c.is_ascii() { format!("{c:?}") } else { lookalikes::named(c) };
            Err(text!("{named} does not belong in a host name", "主机名里不能有 {named}"))
        }
        None => Ok(()),
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

impl ToSocketAddrs for HostPort {
    type Iter = std::vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        self.to_string().to_socket_addrs()
    }
}

/// Every address that a client may try, in the system's order.
///
/// # Errors
/// When the name does not resolve, and for port 0, which only a server may ask for.
pub fn resolve(peer: &HostPort) -> Result<Vec<SocketAddr>> {
    let found: Vec<_> = peer
        .to_socket_addrs()
        .map_err(|e| {
            anyhow!(text!(
                "cannot resolve {peer}: {e} - is the name spelled right, and the network up?",
                "无法解析 {peer}：{e}。名字拼写对吗？网络通吗？"
            ))
        })?
        .collect();
    ensure!(
        !found.is_empty(),
        text!("cannot resolve {peer} - the name has no address", "无法解析 {peer}：这个名字没有地址")
    );
    ensure!(
        found.iter().all(|address| address.port() != 0),
        text!(
            "cannot connect to {peer} - nobody can listen on port 0; write the port that the server printed",
            "无法连接 {peer}：端口 0 上不可能有人监听；请写服务器打印出来的端口"
        )
    );
    Ok(found)
}

/// Tries every address in turn, until one succeeds. `attempt` gets the number of addresses left, this one included,
/// so that it can take its share of the time or of the tries. The error has those of all addresses, and the kind of the
/// last one.
pub fn first_of<T>(
    addresses: &[SocketAddr],
    mut attempt: impl FnMut(SocketAddr, u16) -> io::Result<T>,
) -> io::Result<T> {
    let mut failures = Vec::new();
    let mut kind = ErrorKind::NotFound;
    for (tried, address) in addresses.iter().enumerate() {
        match attempt(*address, u16::try_from(addresses.len() - tried).unwrap_or(u16::MAX)) {
            Err(e) => {
                failures.push(if addresses.len() == 1 { e.to_string() } else { format!("{address}: {e}") });
                kind = e.kind();
            }
            success => return success,
        }
    }
    Err(io::Error::new(kind, failures.join("; ")))
}

/// Connects to the first resolved address that answers, with `call`, within `limit` for all of them together; the
/// time to resolve the name is not counted. `starter` is the command that starts a server, for the error.
pub fn connect<T>(
    peer: &HostPort,
    limit: Duration,
    call: impl Fn(&SocketAddr, Duration) -> io::Result<T>,
    starter: &str,
) -> Result<T> {
    let mut time = limit;
    let connected = first_of(&resolve(peer)?, |address, left| {
        let share = (time / left.into()).max(Duration::from_millis(1));
        let asked = Instant::now();
        let outcome = call(&address, share);
        // If this process was stopped meanwhile, it still waited no longer than its share for this address.
        time = time.saturating_sub(asked.elapsed().min(share));
        outcome
    });
    connected.map_err(|e| anyhow!("cannot connect to {peer}: {e} - {}", unreached(&e, starter)))
}

/// The command that starts one of our servers there, with the client's options.
pub fn starter(server: &str, peer: &HostPort, options: &str) -> String {
    format!("cargo run -p {server} -- {}{options}", shell_word(&peer.to_string()))
}

/// What to do when a client reached no server. If nothing could be sent, a missing server is not the likely reason
/// (ip(7), connect(2)).
pub fn unreached(error: &io::Error, starter: &str) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => {
            "is it a broadcast address, or does a firewall or a sandbox forbid it?".into()
        }
        ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable => {
            "this machine has no free port, or no address of that kind, to send from".into()
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkDown | ErrorKind::NetworkUnreachable => {
            "is the address right, and the network up?".into()
        }
        _ => format!("is a server running there? {starter} starts one"),
    }
}

/// The address at which this machine reaches a socket bound to `bound`: a socket bound to every interface
/// (`0.0.0.0` or `[::]`) is reached at the loopback.
pub fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        ip if !ip.is_unspecified() => return bound,
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, bound.port())
}

/// The address at which other machines reach a socket bound to `bound`, if it is bound to every interface and the
/// system has a route to other networks: the source address of a packet to one. No packet is sent: connecting a UDP
/// socket only consults the routing table. The networks are reserved for examples (RFC 5737, RFC 3849).
pub fn reachable_by_others(bound: SocketAddr) -> Option<SocketAddr> {
    let (any, elsewhere) = match bound.ip() {
        ip if !ip.is_unspecified() => return None,
        IpAddr::V4(_) => ("0.0.0.0:0", "192.0.2.1:9"),
        IpAddr::V6(_) => ("[::]:0", "[2001:db8::1]:9"),
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(elsewhere).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then(|| SocketAddr::new(ip, bound.port()))
}

/// Why a TCP server cannot listen, and what to do. Its address may be taken by another server, or by connections of a
/// server that has stopped.
pub fn cannot_listen(address: &HostPort, error: &io::Error) -> String {
    let mut taken = address.to_socket_addrs().into_iter().flatten();
    let remedy = if error.kind() == ErrorKind::AddrInUse && taken.any(socket_table::is_left_over) {
        text!(
            "no server listens there, but a connection has the port, open or in TIME_WAIT (SO_REUSEADDR at its \
             server would have let you in): end it, wait a minute, or take another port (127.0.0.1:0 picks one)",
            "那里没有服务器在监听，但有连接占着这个端口，还开着或处在 TIME_WAIT（它的服务器设了 SO_REUSEADDR \
             就不会这样）：请结束它、等一分钟，或者换一个端口（127.0.0.1:0 由系统挑选）"
        )
    } else {
        remedy(error)
    };
    text!("cannot listen on {address}: {error} - {remedy}", "无法在 {address} 上监听：{error}。{remedy}")
}

/// Why a UDP server cannot be bound, and what to do.
pub fn cannot_bind(address: &HostPort, error: &io::Error) -> String {
    let remedy = remedy(error);
    text!("cannot bind {address}: {error} - {remedy}", "无法绑定 {address}：{error}。{remedy}")
}

/// What an error of accept(2) means. Most likely there is no descriptor for one more connection.
pub fn cannot_accept(error: &io::Error) -> String {
    format!("cannot accept: {error} - it is tried again; newcomers wait until somebody leaves")
}

/// What to do when the system would not bind a server's address.
fn remedy(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => text!(
            "does another server run there? Stop it, or take another port (127.0.0.1:0 picks one)",
            "那里是不是已经有一个服务器？请先停掉它，或者换一个端口（127.0.0.1:0 由系统挑选）"
        ),
        ErrorKind::AddrNotAvailable => text!(
            "is it an address of this machine? 127.0.0.1 and [::1] always are",
            "这是本机的地址吗？127.0.0.1 和 [::1] 总是本机地址"
        ),
        ErrorKind::PermissionDenied => text!(
            "the system reserves this port, as it may those below 1024: take another one (127.0.0.1:0 picks one)",
            "系统保留了这个端口，1024 以下的端口常常如此：请换一个（127.0.0.1:0 由系统挑选）"
        ),
        _ => text!("is HOST:PORT right?", "HOST:PORT 写对了吗？"),
    }
}

#[cfg(test)]
mod tests;

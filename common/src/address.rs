//! `HOST:PORT`, read strictly: what is not surely an address is refused with the reason, never guessed at.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs, UdpSocket};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::narration::shell_word;
use crate::{lookalikes, port_owner};

/// Where to listen or to connect: `127.0.0.1:9999`, `[::1]:9999` or `localhost:9999`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPort {
    /// An address as it stands.
    Ip(SocketAddr),
    /// A name that the system resolves, and a port.
    Name(String, u16),
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Err("this is a URL; an address is HOST:PORT, such as localhost:9999".into());
        }
        if let Some(advice) = lookalikes::advice(text) {
            return Err(advice);
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("it has no host: write 127.0.0.1:{text} for this machine"));
        }
        let Some((host, port)) = text.rsplit_once(':').filter(|(_, port)| !port.contains(']')) else {
            return Err("it has no port: write HOST:PORT, such as 127.0.0.1:9999".into());
        };
        if host.contains(':') && !host.starts_with('[') {
            return Err("an IPv6 address stands in brackets: [::1]:9999".into());
        }
        let port = parse_port(port)?;
        if let Some(inside) = host.strip_prefix('[') {
            return parse_ipv6(inside).map(|ip| Self::Ip(with_port(ip, port)));
        }
        if looks_numeric(host) {
            return match host.parse::<Ipv4Addr>() {
                Ok(ip) => Ok(Self::Ip(SocketAddr::from((ip, port)))),
                Err(_) => Err("an IPv4 address is four decimal numbers from 0 to 255".into()),
            };
        }
        check_name(host)?;
        Ok(Self::Name(host.to_owned(), port))
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err("a port is a decimal number from 0 to 65535".into());
    }
    text.parse().map_err(|_| format!("port {text} is out of range: 0 to 65535"))
}

fn parse_ipv6(after_bracket: &str) -> Result<SocketAddrV6, String> {
    let Some(inside) = after_bracket.strip_suffix(']') else {
        return Err("an IPv6 address ends with ] and then the port: [::1]:9999".into());
    };
    // std reads a scope only as part of a whole socket address.
    format!("[{inside}]:0").parse().map_err(|_| match inside.split_once('%') {
        Some((ip, _)) if ip.parse::<Ipv6Addr>().is_ok() => {
            "a scope is the interface's index, a number (see 'ip link'), not its name".into()
        }
        _ => "what stands in the brackets is not an IPv6 address".into(),
    })
}

fn with_port(mut address: SocketAddrV6, port: u16) -> SocketAddr {
    address.set_port(port);
    address.into()
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
        return Err("the host is empty: 127.0.0.1 and [::1] are this machine".into());
    }
    if host.contains(char::is_whitespace) {
        return Err("it has a blank in it".into());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err("a host name is labels of 1 to 63 letters with dots between, 253 in all".into());
    }
    match name.chars().find(|c| *c != '.' && !u8::try_from(*c).is_ok_and(good)) {
        Some(c) if c.is_ascii() => Err(format!("{c:?} does not belong in a host name")),
        // It may look like a letter that does.
        Some(c) => Err(format!("{} does not belong in a host name", lookalikes::named(c))),
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
        match self {
            Self::Ip(address) => Ok(vec![*address].into_iter()),
            Self::Name(host, port) => (host.as_str(), *port).to_socket_addrs(),
        }
    }
}

/// Every address that a client may try, in the system's order.
///
/// # Errors
/// When the name does not resolve, and for port 0, which only a server may ask for.
pub fn resolve(peer: &HostPort) -> Result<Vec<SocketAddr>> {
    let found: Vec<_> = peer
        .to_socket_addrs()
        .map_err(|e| anyhow!("cannot resolve {peer}: {e} - is the name spelled right, and the network up?"))?
        .collect();
    if found.is_empty() {
        bail!("cannot resolve {peer} - the name has no address");
    }
    if found.iter().any(|address| address.port() == 0) {
        bail!(
            "cannot connect to {peer} - nobody can listen on port 0; write the port that the server printed"
        );
    }
    Ok(found)
}

/// Tries every address in turn, until one succeeds. `attempt` is told how many are left, itself one of
/// them, and takes no more than its share of time or of tries.
///
/// # Errors
/// Every address tried, with what came of it; the last one's kind.
pub fn first_of<T>(
    addresses: &[SocketAddr],
    mut attempt: impl FnMut(SocketAddr, u16) -> io::Result<T>,
) -> io::Result<T> {
    let mut failures = Vec::new();
    let mut kind = io::ErrorKind::NotFound;
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
/// time to resolve the name is not counted. `starter` is the command that starts a server.
///
/// # Errors
/// Every address tried, with what the system said of it.
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
    connected.map_err(|e| {
        let why = match e.kind() {
            io::ErrorKind::ConnectionReset => {
                "a server took the connection and ended it at once: is it too busy?".into()
            }
            _ => unreached(&e, starter),
        };
        anyhow!("cannot connect to {peer}: {e} - {why}")
    })
}

/// The command that starts one of our servers there, with the options that the client has.
pub fn starter(server: &str, peer: &HostPort, options: &str) -> String {
    format!("cargo run -p {server} -- {}{options}", shell_word(&peer.to_string()))
}

const FORBIDDEN: &str = "does a firewall or a sandbox forbid it?";

/// What a client ends with when it reached nobody: the likely reason and the command that helps. Where nothing was
/// sent, that is not a server that is missing (ip(7), connect(2)).
pub fn unreached(error: &io::Error, starter: &str) -> String {
    use io::ErrorKind::{
        AddrInUse, AddrNotAvailable, HostUnreachable, NetworkDown, NetworkUnreachable, PermissionDenied,
    };
    match error.kind() {
        PermissionDenied => "is it a broadcast address, or does a firewall or a sandbox forbid it?".into(),
        AddrInUse | AddrNotAvailable => {
            "this machine has no free port, or no address of that kind, to send from".into()
        }
        HostUnreachable | NetworkDown | NetworkUnreachable => {
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
/// system has a way out: the one that a packet to another network would come from. None is sent: to connect a UDP
/// socket takes the routing table alone. The networks asked for are those of examples (RFC 5737, RFC 3849).
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

/// What to try when the system would not let a TCP server listen. An address that is in use may be so by a server
/// or by the past of one.
pub fn listen_remedy(address: &HostPort, error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::AddrInUse {
        return remedy(error).into();
    }
    let holder = address.to_socket_addrs().ok().and_then(|mut all| all.find_map(port_owner::by));
    format!("{}, or take another port (127.0.0.1:0 picks one)", port_owner::remedy(holder))
}

/// What an error of accept(2) means for those who want to be accepted.
pub fn accept_outlook(error: &io::Error) -> &'static str {
    match (error.kind(), error.raw_os_error()) {
        // ENFILE and EMFILE, the same on every Unix; ENOBUFS on Linux and on the BSDs; Windows' numbers for them.
        (_, Some(23 | 24 | 105 | 55 | 10024 | 10055)) | (io::ErrorKind::OutOfMemory, _) => {
            "newcomers wait until somebody leaves"
        }
        (io::ErrorKind::PermissionDenied, _) => FORBIDDEN,
        (io::ErrorKind::NetworkDown, _) => "is the network up? The next client is waited for",
        _ => "that client is lost, and the next one is waited for",
    }
}

/// What to try when the system would not bind a server's address.
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "does another server run there? Stop it, or take another port (127.0.0.1:0 picks one)"
        }
        io::ErrorKind::AddrNotAvailable => "is it an address of this machine? 127.0.0.1 and [::1] always are",
        io::ErrorKind::PermissionDenied => {
            "the system reserves this port, as it may those below 1024: take another one (127.0.0.1:0 picks one)"
        }
        _ => "is HOST:PORT right?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn addresses_print_as_they_were_written() {
        for text in [
            "127.0.0.1:9999",
            "[::1]:9999",
            "[::]:0",
            "localhost:9999",
            "www.google.com:80",
            "www.google.com.:80",
            "[fe80::1%2]:65535",
            "a_b-c.example:1",
            "1a:1",
            "0xfg:1",
        ] {
            let parsed: HostPort = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(parsed.to_string(), text);
            assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "no port"),
            ("localhost", "no port"),
            ("9999", "no host"),
            ("[::1]", "no port"),
            ("127.0.0.1:", "a port is a decimal number"),
            ("127.0.0.1:+80", "a port is a decimal number"),
            ("127.0.0.1:-1", "a port is a decimal number"),
            ("127.0.0.1: 80", "a port is a decimal number"),
            ("127.0.0.1:80 ", "a port is a decimal number"),
            ("127.0.0.1:http", "a port is a decimal number"),
            ("127.0.0.1:65536", "out of range"),
            ("127.0.0.1:99999999999999999999", "out of range"),
            ("::1:9999", "brackets"),
            ("fe80::1%2:80", "brackets"),
            ("http://127.0.0.1:80", "URL"),
            ("127.1:80", "four decimal numbers"),
            ("127.0.0.1.:80", "four decimal numbers"),
            ("0x7f.0.0.1:80", "four decimal numbers"),
            ("0x7f000001:80", "four decimal numbers"),
            ("a.0X:80", "four decimal numbers"),
            ("2130706433:80", "four decimal numbers"),
            ("0177.0.0.1:80", "four decimal numbers"),
            ("256.0.0.1:80", "four decimal numbers"),
            ("[fe80::1%eth0]:80", "index"),
            ("[::1:80", "ends with ]"),
            ("[::1]x:80", "ends with ]"),
            ("[]:80", "not an IPv6"),
            ("[127.0.0.1]:80", "not an IPv6"),
            ("[::1%]:80", "index"),
            (":9999", "empty"),
            ("local host:80", "blank"),
            (" localhost:80", "blank"),
            ("a..b:80", "labels"),
            (".:80", "labels"),
            ("*:80", "does not belong"),
            ("user@host:80", "does not belong"),
            ("例子:80", "does not belong"),
            ("l\u{43e}calhost:80", "(U+043E) does not belong"),
            ("127.0.0.1：9999", "'：' (U+FF1A) in it: type ':'"),
            ("127。0.0.1:9999", "type '.'"),
            ("127.0.0.1:９999", "type '9'"),
            ("9999\u{3000}", "leave it out"),
            ("a\0b:80", "does not belong"),
            ("a/b:80", "does not belong"),
        ] {
            let error = text.parse::<HostPort>().expect_err(text);
            assert!(error.contains(reason), "{text:?}: {error}");
        }
        let long = format!("{}:80", "a".repeat(64));
        assert!(long.parse::<HostPort>().unwrap_err().contains("labels"));
    }

    #[test]
    fn random_text_never_panics_and_what_is_accepted_round_trips() {
        let mut random = crate::seeded::Seeded::from_environment();
        for _ in 0..20_000 {
            let parts = [
                "127.0.0.1",
                "[",
                "]",
                "::1",
                ":",
                "80",
                "0x7f",
                "%",
                "2",
                "a.b",
                " ",
                "localhost",
                "+",
                "é",
            ];
            let text: String = (0..random.below(6)).map(|_| parts[random.below(parts.len())]).collect();
            if let Ok(parsed) = text.parse::<HostPort>() {
                assert_eq!(parsed.to_string().parse(), Ok(parsed), "{text:?} {random:?}");
            }
        }
    }

    #[test]
    fn a_server_bound_to_every_interface_is_reached_at_the_loopback() {
        for (bound, at) in [("0.0.0.0:7", "127.0.0.1:7"), ("[::]:7", "[::1]:7"), ("10.0.0.1:7", "10.0.0.1:7")]
        {
            assert_eq!(reachable(bound.parse().unwrap()), at.parse().unwrap());
        }
    }

    #[test]
    fn others_are_told_no_loopback_and_only_where_others_can_come() {
        for bound in ["127.0.0.1:7", "[::1]:7", "10.0.0.1:7"] {
            assert_eq!(reachable_by_others(bound.parse().unwrap()), None);
        }
        for bound in ["0.0.0.0:7", "[::]:7"] {
            let bound: SocketAddr = bound.parse().unwrap();
            if let Some(at) = reachable_by_others(bound) {
                assert!(at.port() == 7 && at.is_ipv4() == bound.is_ipv4() && !at.ip().is_loopback(), "{at}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_a_want_of_descriptors_or_memory_is_said_to_end_when_somebody_leaves() {
        for (code, outlook) in [
            (24, "newcomers wait"),       // EMFILE
            (23, "newcomers wait"),       // ENFILE
            (12, "newcomers wait"),       // ENOMEM
            (105, "newcomers wait"),      // ENOBUFS
            (1, "firewall"),              // EPERM
            (100, "is the network"),      // ENETDOWN
            (71, "that client is lost"),  // EPROTO
            (113, "that client is lost"), // EHOSTUNREACH
        ] {
            let outlook_ = accept_outlook(&io::Error::from_raw_os_error(code));
            assert!(outlook_.contains(outlook), "{code}: {outlook_}");
        }
    }

    #[test]
    fn only_where_a_server_may_be_missing_is_its_command_named() {
        use io::ErrorKind::{
            AddrInUse, AddrNotAvailable, ConnectionRefused, NetworkDown, PermissionDenied, TimedOut,
        };
        for (kind, reason) in [
            (ConnectionRefused, "? this starts one"),
            (TimedOut, "? this starts one"),
            (PermissionDenied, "is it a broadcast address, or does a firewall"),
            (AddrNotAvailable, "this machine has no free port"),
            (AddrInUse, "this machine has no free port"),
            (NetworkDown, "the network up?"),
        ] {
            let why = unreached(&kind.into(), "this");
            assert!(why.contains(reason) && why.contains("starts") == reason.contains("starts"), "{why}");
        }
    }

    #[test]
    fn every_address_has_its_turn_and_its_end_in_the_error() {
        let all: Vec<SocketAddr> = ["127.0.0.1:9", "[::1]:9"].map(|at| at.parse().unwrap()).into();
        let mut tried = Vec::new();
        let error = first_of(&all, |address, left| -> io::Result<()> {
            tried.push((address, left.into()));
            Err(io::Error::other("silent"))
        });
        let expected: Vec<_> = all.iter().copied().zip((1..=all.len()).rev()).collect();
        assert_eq!(tried, expected);
        let error = error.unwrap_err().to_string();
        assert_eq!(error.matches("silent").count(), all.len(), "{error}");
        assert!(all.iter().all(|address| error.contains(&format!("{address}: silent"))));
    }

    #[test]
    fn a_connection_is_made_or_the_error_names_the_peer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = HostPort::Ip(listener.local_addr().unwrap());
        let connect = |peer: &HostPort| {
            connect(peer, Duration::from_secs(60), std::net::TcpStream::connect_timeout, "this")
        };
        connect(&peer).unwrap();
        drop(listener);
        let error = connect(&peer).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot connect to {peer}: ")), "{error}");
        assert!(error.ends_with(" - is a server running there? this starts one"), "{error}");
        let error = connect(&"127.0.0.1:0".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("port 0"), "{error}");
    }
}

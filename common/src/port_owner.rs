//! Who has the port that a server wants: another server, or a connection that a stopped server left.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::text;

/// What holds a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A socket that listens.
    Listener,
    /// A connection that is open, at one end at least.
    Connection,
    /// A connection in `TIME_WAIT`: it is over, and kept so that late segments are not mistaken for those of a new one
    /// (RFC 9293 section 3.6.1).
    Past,
}

/// What to do about it. Where the system does not tell the holder, both are named.
pub fn remedy(holder: Option<Holder>) -> String {
    match holder {
        Some(Holder::Listener) => {
            text!("another server listens there: stop it", "已有另一个服务器在那里监听，请先停掉它")
        }
        Some(Holder::Connection) => text!(
            "no server listens there, but a connection is open that has the port (SO_REUSEADDR at its \
             server would have let you in): end it",
            "那里没有服务器在监听，但有一个还开着的连接占着这个端口（它的服务器设了 SO_REUSEADDR 就不会这样）：请结束它"
        ),
        Some(Holder::Past) => text!(
            "no server listens there, but connections of one that has stopped keep the port in \
             TIME_WAIT, for a minute at most (SO_REUSEADDR at that server would have let you in): wait",
            "那里没有服务器在监听，但一个已停止的服务器留下的连接还处在 TIME_WAIT，占着这个端口，最多一分钟（那个服务器设了 SO_REUSEADDR 就不会这样）：请稍等"
        ),
        None => text!(
            "another server has it: stop it; or connections of one that has stopped keep it in \
             TIME_WAIT, for a minute at most (SO_REUSEADDR at that server would have let you in): wait",
            "另一个服务器占着它：请先停掉；或者是一个已停止的服务器留下的连接还处在 TIME_WAIT，最多一分钟（那个服务器设了 SO_REUSEADDR 就不会这样）：请稍等"
        ),
    }
}

/// What holds the port of a TCP address, from the kernel's tables on Linux (proc(5), /proc/net/tcp).
pub fn by(address: SocketAddr) -> Option<Holder> {
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    in_table(&(read("/proc/net/tcp") + &read("/proc/net/tcp6")), address)
}

/// A listener if there is one, or else an open connection, or else one in `TIME_WAIT`.
fn in_table(table: &str, address: SocketAddr) -> Option<Holder> {
    let holders = table.lines().filter_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let (ip, port) = columns.next()?.split_once(':')?;
        let state = columns.nth(1)?;
        let is_it =
            u16::from_str_radix(port, 16).ok()? == address.port() && overlap(parse_ip(ip)?, address.ip());
        is_it.then_some(match state {
            "0A" => Holder::Listener,
            "06" => Holder::Past,
            _ => Holder::Connection,
        })
    });
    holders.min_by_key(|holder| *holder as u8)
}

fn overlap(one: IpAddr, other: IpAddr) -> bool {
    one.is_unspecified() || other.is_unspecified() || one.to_canonical() == other.to_canonical()
}

/// An address in the table's form: numbers of four bytes, each in the byte order of the machine.
fn parse_ip(hex: &str) -> Option<IpAddr> {
    let number = |at: usize| u32::from_str_radix(hex.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    match hex.len() {
        8 => Some(Ipv4Addr::from(number(0)?).into()),
        32 => {
            let all = [number(0)?, number(8)?, number(16)?, number(24)?].concat();
            Some(Ipv6Addr::from(<[u8; 16]>::try_from(all).ok()?).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(address: &str, state: &str) -> String {
        let address: SocketAddr = address.parse().unwrap();
        let octets = match address.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let numbers = octets.chunks(4).map(|four| u32::from_ne_bytes(four.try_into().unwrap()));
        let hex = numbers.map(|number| format!("{number:08X}")).collect::<Vec<_>>().concat();
        format!("   0: {hex}:{:04X} 00000000:0000 {state} 00000000:00000000 00:00000000\n", address.port())
    }

    #[test]
    fn the_table_tells_a_server_from_what_one_left_behind() {
        let heading = "  sl  local_address rem_address   st tx_queue rx_queue\n";
        let at = |table: &[(&str, &str)], address: &str| {
            let lines: String = table.iter().map(|(address, state)| line(address, state)).collect();
            in_table(&format!("{heading}{lines}"), address.parse().unwrap())
        };
        for (table, address, holder) in [
            (&[("127.0.0.1:9999", "06")][..], "127.0.0.1:9999", Some(Holder::Past)),
            (&[("127.0.0.1:9999", "06"), ("127.0.0.1:9999", "0A")], "127.0.0.1:9999", Some(Holder::Listener)),
            (
                &[("127.0.0.1:9999", "06"), ("127.0.0.1:9999", "08")],
                "127.0.0.1:9999",
                Some(Holder::Connection),
            ),
            (&[("0.0.0.0:9999", "0A")], "127.0.0.1:9999", Some(Holder::Listener)),
            (&[("10.0.0.1:9999", "06")], "0.0.0.0:9999", Some(Holder::Past)),
            (&[("[::]:9999", "0A")], "127.0.0.1:9999", Some(Holder::Listener)),
            (&[("[::ffff:127.0.0.1]:9999", "06")], "127.0.0.1:9999", Some(Holder::Past)),
            (&[("[::1]:9999", "06")], "[::1]:9999", Some(Holder::Past)),
            (&[("127.0.0.2:9999", "0A"), ("127.0.0.1:9998", "0A")], "127.0.0.1:9999", None),
            (&[], "127.0.0.1:9999", None),
        ] {
            assert_eq!(at(table, address), holder, "{table:?} {address}");
        }
        assert_eq!(in_table("   0: 7F:270F\n", "127.0.0.1:9999".parse().unwrap()), None);
    }
}

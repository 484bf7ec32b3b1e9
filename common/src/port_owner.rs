//! Who has the port that a server wants: another server, or a connection that a stopped server left.

use std::net::{IpAddr, SocketAddr};

use crate::socket_table::SocketRow;
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

/// What to do about it.
pub fn remedy(holder: Holder) -> String {
    match holder {
        Holder::Listener => {
            text!("another server listens there: stop it", "已有另一个服务器在那里监听，请先停掉它")
        }
        Holder::Connection => text!(
            "no server listens there, but a connection is open that has the port (SO_REUSEADDR at its \
             server would have let you in): end it",
            "那里没有服务器在监听，但有一个还开着的连接占着这个端口（它的服务器设了 SO_REUSEADDR 就不会这样）：请结束它"
        ),
        Holder::Past => text!(
            "no server listens there, but connections of one that has stopped keep the port in \
             TIME_WAIT, for a minute at most (SO_REUSEADDR at that server would have let you in): wait",
            "那里没有服务器在监听，但一个已停止的服务器留下的连接还处在 TIME_WAIT，占着这个端口，最多一分钟（那个服务器设了 SO_REUSEADDR 就不会这样）：请稍等"
        ),
    }
}

/// What holds the port of a TCP address, from the kernel's tables on Linux.
pub fn by(address: SocketAddr) -> Option<Holder> {
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    let table = read("/proc/net/tcp") + &read("/proc/net/tcp6");
    of(table.lines().filter_map(SocketRow::parse), address)
}

/// A listener if there is one, or else an open connection, or else one in `TIME_WAIT`.
fn of(rows: impl Iterator<Item = SocketRow>, address: SocketAddr) -> Option<Holder> {
    let holders = rows.filter(|row| row.port == address.port() && overlap(row.ip, address.ip()));
    let holders = holders.map(|row| match row.state {
        "LISTEN" => Holder::Listener,
        "TIME_WAIT" => Holder::Past,
        _ => Holder::Connection,
    });
    holders.min_by_key(|holder| *holder as u8)
}

fn overlap(one: IpAddr, other: IpAddr) -> bool {
    one.is_unspecified() || other.is_unspecified() || one.to_canonical() == other.to_canonical()
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
        for (rows, address, holder) in [
            (&[("127.0.0.1:9999", "TIME_WAIT")][..], "127.0.0.1:9999", Some(Holder::Past)),
            (
                &[("127.0.0.1:9999", "TIME_WAIT"), ("127.0.0.1:9999", "LISTEN")],
                "127.0.0.1:9999",
                Some(Holder::Listener),
            ),
            (
                &[("127.0.0.1:9999", "TIME_WAIT"), ("127.0.0.1:9999", "CLOSE_WAIT")],
                "127.0.0.1:9999",
                Some(Holder::Connection),
            ),
            (&[("0.0.0.0:9999", "LISTEN")], "127.0.0.1:9999", Some(Holder::Listener)),
            (&[("10.0.0.1:9999", "TIME_WAIT")], "0.0.0.0:9999", Some(Holder::Past)),
            (&[("[::ffff:127.0.0.1]:9999", "TIME_WAIT")], "127.0.0.1:9999", Some(Holder::Past)),
            (&[("127.0.0.2:9999", "LISTEN"), ("127.0.0.1:9998", "LISTEN")], "127.0.0.1:9999", None),
        ] {
            assert_eq!(of(rows.iter().map(row), address.parse().unwrap()), holder, "{rows:?} {address}");
        }
    }
}

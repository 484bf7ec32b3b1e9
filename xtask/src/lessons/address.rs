//! Addresses: the one that a server is bound to, and those of a host name that a client tries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

use super::prelude::*;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "address", subject_zh: "地址与主机名", lanes: TCP, play,
    claims: &[
        claim("C26", "bind takes the address of an interface, which decides who can reach the server.",
                     "bind 绑定某个接口的地址：谁能连上服务器，由它决定。"),
        claim("C27", "connect also takes a host name: it is first resolved to all its addresses.",
                     "connect 也接受主机名：先解析，得到它的全部地址。"),
    ],
};

/// Another address of this machine that no other machine can reach: all of 127.0.0.0/8 is loopback (RFC 1122, section
/// 3.2.1.3), but some systems set up only 127.0.0.1.
const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

fn play(play: &mut Play) -> Result<()> {
    play.predict(
        "One server is bound to one address of this machine, one to all. A client connects to a second one.",
        "先有一个服务器只绑定本机的一个地址，再有一个绑定全部地址。客户端连接本机的另一个地址。",
        (
            "The first is bound to 127.0.0.1, and the client connects to 127.0.0.2: what happens?",
            "第一个绑定 127.0.0.1，客户端连接 127.0.0.2：会怎样？",
        ),
        &[
            ("it reaches the server: it is the same machine", "连上服务器：同一台机器"),
            ("it is refused", "被拒绝"),
            ("it waits", "一直等待"),
        ],
        "no socket listens on 127.0.0.2: a listening socket accepts connections to its own address only.",
        "127.0.0.2 上没有人监听：监听套接字只接受发往它自己地址的连接，同一台机器也不例外。",
    )?;
    let one =
        words!("a server bound to one address cannot be reached at another", "只绑一个地址，别的地址连不上");
    let all = words!("a server bound to all addresses (0.0.0.0) can", "绑定全部地址（0.0.0.0）时，连得上");
    if play.ip.is_ipv6() || TcpListener::bind((SECOND, 0)).is_err() {
        let why = words!(
            "it needs a second loopback address of this IP version, such as 127.0.0.2 of IPv4",
            "缺这个 IP 版本的第二个环回地址，例如 IPv4 的 127.0.0.2"
        );
        play.checks.not_available(one, why.clone());
        play.checks.not_available(all, why);
        return by_name(play);
    }
    for (bound, promise, expected) in
        [(play.ip, one, Err(ErrorKind::ConnectionRefused)), (Ipv4Addr::UNSPECIFIED.into(), all, Ok(()))]
    {
        let listener = TcpListener::bind((bound, 0))?;
        let at = SocketAddr::new(SECOND, listener.local_addr()?.port());
        let found = TcpStream::connect_timeout(&at, Duration::from_secs(10)).map(drop).map_err(|e| e.kind());
        let Words { en, zh } = found.map_or_else(|e| e.shown(), |()| words!("connected", "连上了"));
        play.said(Side::Server, &words!("listens on {bound}", "在 {bound} 上监听"));
        play.said(Side::Client, &words!("connects to {SECOND}: {en}", "连接 {SECOND}：{zh}"));
        play.reveal(Some(if found.is_err() { 2 } else { 1 })); // the question is about the first server
        play.checks.equal(promise, &found, &expected);
    }
    by_name(play)
}

/// C27: localhost may have several addresses, and the server has one of them.
fn by_name(play: &mut Play) -> Result<()> {
    play.act(&words!(
        "tcp-client connects to the name localhost; the server listens on one of its addresses.",
        "让 tcp-client 连接主机名 localhost；服务器只在 localhost 解析出的一个地址上监听。"
    ))?;
    let promise = words!("tcp-client finds the address that answers", "tcp-client 找到了有服务器应答的地址");
    let ips: Vec<_> = ("localhost", 0).to_socket_addrs().into_iter().flatten().map(|at| at.ip()).collect();
    let Words { en, zh } = ips.shown();
    play.evidence(&words!("localhost resolves to {en}", "localhost 解析为 {zh}"))?;
    if !ips.contains(&play.ip) {
        let why = words!("localhost has no address of this IP version", "localhost 没有这个 IP 版本的地址");
        play.checks.not_available(promise, why);
        return Ok(());
    }
    let port = free_port(play.ip)?;
    let address = SocketAddr::new(play.ip, port).to_string();
    let (_server, _) = play.lab.start_server("tcp-server", &[&address, "--delay", "0"])?;
    let outcome = play.run("", "tcp-client", &["greet", &format!("localhost:{port}"), "Michael"])?;
    let expected = ["Welcome!", "Hello, Michael!"].map(str::to_owned).to_vec();
    play.checks.equal(promise, &(Ended::from(&outcome), outcome.said), &(Ended::with(0), expected));
    Ok(())
}

/// The loopback address of the other IP version.
pub fn other_loopback(ip: IpAddr) -> IpAddr {
    if ip.is_ipv4() { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() }
}

/// A port that is free over both IP versions and both protocols.
pub fn free_port(ip: IpAddr) -> Result<u16> {
    loop {
        let port = TcpListener::bind((ip, 0))?.local_addr()?.port();
        let is_in_use = |e: io::Error| e.kind() == ErrorKind::AddrInUse; // not where there is no other version
        let other = TcpListener::bind((other_loopback(ip), port));
        if !other.is_err_and(is_in_use) && UdpSocket::bind((ip, port)).is_ok() {
            return Ok(port);
        }
    }
}

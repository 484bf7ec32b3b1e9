//! The same calls on every system, for both IP versions and both protocols; and what still differs.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::address::{free_port, other_loopback};
use super::prelude::*;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "system", subject_zh: "各系统的同一套调用",
    lanes: (Words::fixed("both clients", "两种客户端"), Words::fixed("both servers", "两种服务器")), play,
    claims: &[
        claim("C14", "The calls are the same on every system. In unusual cases, their results differ.",
                     "各系统的调用相同；遇到特殊情形，表现却不尽相同。"),
        claim("C15",
            "AF_INET is IPv4, AF_INET6 is IPv6. An IPv6 socket may also accept IPv4, as\n::ffff:a.b.c.d.",
            "AF_INET 即 IPv4，AF_INET6 即 IPv6：两个地址族。\nIPv6 套接字也可能以映射地址（::ffff:a.b.c.d）兼收 IPv4。"),
        claim("C16",
            "The TCP server and the UDP server can both use port 9999: each protocol has its own\nports.",
            "TCP 服务器和 UDP 服务器可以同用 9999 端口：每种协议有自己的端口空间。"),
        claim("C21",
            "Raw sockets send IP packets without TCP or UDP: not in std, for administrators.\n(Explained here, not shown.)",
            "原始套接字不经 TCP 或 UDP 收发 IP 数据包：标准库没有，\n系统也只允许管理员使用：此处只说明，不演示。"),
    ],
};

fn play(play: &mut Play) -> Result<()> {
    play.predict(
        "tcp-server uses a port number, and udp-server asks for the same one.",
        "tcp-server 已占用一个端口号，udp-server 也要同一个。",
        ("What happens?", "结果如何？"),
        &[
            ("an error: the address is in use", "出错：地址已被占用"),
            ("udp-server gets it, and both can be reached", "得到该端口，两者都能连通"),
            ("udp-server gets it, and tcp-server is cut off", "得到该端口，tcp-server 从此连不上"),
        ],
        "TCP and UDP have separate ports.",
        "TCP 和 UDP 的端口各自独立编号。",
    )?;
    let at = SocketAddr::new(play.ip, free_port(play.ip)?);
    let tcp = play.lab.start_server("tcp-server", &[&at.to_string(), "--delay", "0"])?;
    let udp = play.lab.start_server("udp-server", &[&at.to_string()])?;
    let mut is_reached = true;
    for (client, args) in [
        ("tcp-client", &["greet", &at.to_string(), "Michael"][..]),
        ("udp-client", &[&at.to_string(), "Michael"]),
    ] {
        let outcome = play.run("", client, args)?;
        is_reached &= outcome.status == Some(0);
        let promise = words!("{client} is greeted at that port number", "{client} 在该端口号得到问候");
        play.checks.equal(promise, &outcome.said.last().map(String::as_str), &Some("Hello, Michael!"));
    }
    play.reveal(is_reached.then_some(2));
    drop((tcp, udp));

    play.act(&words!(
        "A server listens over one IP version; a client connects to the same port number over the other one.",
        "服务器只用一个 IP 版本监听；客户端改用另一个版本连接同一端口号。"
    ))?;
    let other = other_loopback(play.ip);
    if TcpListener::bind((other, 0)).is_ok() {
        let listener = TcpListener::bind((play.ip, free_port(play.ip)?))?;
        let at = SocketAddr::new(other, listener.local_addr()?.port());
        let found = TcpStream::connect_timeout(&at, Duration::from_secs(5)).map(drop).map_err(|e| e.kind());
        let Words { en, zh } = found.shown();
        let promise = words!("a connection to {other} fails: {en}", "连接 {other} 失败：{zh}");
        play.checks.holds(promise, found.is_err(), &found);
    } else {
        let why = words!("this system has only one IP version", "本系统只有一个 IP 版本");
        play.checks.not_available(words!("the connection fails", "用另一个版本连接不上"), why);
    }

    // What differs between systems; without checks.
    play.act(&words!("What this system reports in unusual cases:", "本系统遇到特殊情形时的表现："))?;
    let gone = UdpSocket::bind(play.loopback())?.local_addr()?;
    let socket = UdpSocket::bind(play.loopback())?;
    socket.connect(gone)?;
    socket.set_read_timeout(Some(Duration::from_millis(300)))?;
    let _ = socket.send(b"anybody there?");
    let Words { en, zh } = match socket.recv(&mut [0; 8]).map_err(|e| e.kind()) {
        Err(error) if is_silence(error) => words!("no answer", "没有任何回应"),
        other => other.shown(),
    };
    play.evidence(&words!("a datagram to a closed port: {en}", "发往无人使用的端口的数据报：{zh}"))?;

    let dual = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).and_then(|listener| {
        TcpStream::connect((Ipv4Addr::LOCALHOST, listener.local_addr()?.port()))?;
        Ok(listener.accept()?.1.ip())
    });
    let Words { en, zh } = dual.map_err(|e| e.kind()).shown();
    play.evidence(&words!(
        "connecting over IPv4 to a listener on [::], it sees: {en}",
        "经 IPv4 连接 [::] 上的监听套接字，它看到的对端地址：{zh}"
    ))
}

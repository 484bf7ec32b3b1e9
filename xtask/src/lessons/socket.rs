//! What a socket hides: the handshake, and the queue of connections that are not accepted yet.

use common::backlog;

use super::prelude::*;
use crate::drawing::entry::{Fate, Mark};

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "socket", subject_zh: "三次握手与监听队列", lanes: BOTH_SIDES, play,
    claims: &[
        claim("C1",
            "Sockets hide TCP's three-way handshake: both kernels do it, and programs only call\nconnect and accept.",
            "套接字隐藏了 TCP 的三次握手：由双方内核完成，程序只调用 connect 和 accept。"),
        claim("C2", "listen(n) limits how many connections may wait to be accepted.",
                    "listen(n) 限定有多少连接可以排队等待 accept。"),
    ],
};

/// How long a connect may take before the queue counts as full: on loopback it takes microseconds. The first one
/// always succeeds.
const PATIENCE: [Duration; 2] = [Duration::from_secs(10), Duration::from_millis(300)];

fn play(play: &mut Play) -> Result<()> {
    play.predict(
        "A client connects and sends; the server listens, but has not called accept.",
        "客户端连接并发送；服务器只是监听，还没有调用 accept。",
        ("What happens?", "结果如何？"),
        &[
            ("connect waits for accept", "connect 一直等到 accept"),
            ("connect returns, and write waits for accept", "connect 返回，write 一直等到 accept"),
            ("both return", "两者都立即返回"),
        ],
        "the kernel completes the handshake and stores the data; accept only returns the connection.",
        "三次握手由内核完成，数据由内核保存；accept 只是把现成的连接交出来。",
    )?;
    let listener = TcpListener::bind(play.loopback())?;
    let at = listener.local_addr()?;
    play.said(Side::Server, &words!("bind and listen", "bind，listen"));
    let mut client = TcpStream::connect(at)?;
    let near = client.local_addr()?;
    let segments =
        words!("three-way handshake, not seen: SYN, SYN+ACK, ACK", "三次握手，看不到：SYN、SYN+ACK、ACK");
    play.draw(Mark::Crossed { toward: Side::Server, what: segments, fate: Fate::Unseen })?;
    play.states(kernel::both_ends(near, at).as_ref(), [near, at])?;
    client.write_all(b"sent before accept")?;
    play.sent(Side::Server, b"sent before accept");
    let table = kernel::both_ends(near, at);
    play.panel(table.as_ref(), &[at])?;
    let promise = words!(
        "before accept, the kernel has both ends of an established connection",
        "accept 之前，内核里已经有了这条连接的两端，状态都是 ESTABLISHED"
    );
    let established = table.map(|rows| rows.iter().filter(|row| row.state == "ESTABLISHED").count());
    play.checks.kernel_says(promise, established, &2);
    let (mut accepted, peer) = listener.accept()?;
    play.said(Side::Server, &words!("accept: a socket for {peer}", "accept：{peer} 的通信套接字"));
    let mut received = [0; 18];
    accepted.read_exact(&mut received)?;
    let read = escape(&received);
    play.said(Side::Server, &words!("read: {read}", "read：{read}"));
    let promise = words!("when accept returns, the bytes are already there", "accept 返回时，数据已在其中");
    play.checks.equal(promise, &escape(&received).as_str(), &"sent before accept");
    let promise = words!("accept also returns the client's address", "accept 还返回客户端的地址");
    play.checks.equal(promise, &peer, &near);

    // If connect or write waited for accept, the lesson would not get here.
    play.reveal(Some(3));

    // C2
    play.predict(
        "Nobody calls accept, and clients connect until one has to wait: after listen(0), listen(1) and listen(5).",
        "无人 accept，客户端一个接一个来连接，直到有一个要等：先后在 listen(0)、listen(1)、listen(5) 之后。",
        ("How many are connected after listen(5)?", "listen(5) 之后能连上几个？"),
        &[("five", "五个"), ("six", "六个"), ("more than six", "六个以上")],
        "Linux lets n + 1 wait, other systems have other rules.",
        "Linux 容纳 n + 1 个，其他系统各有规则。",
    )?;
    let mut found = 0;
    for asked in [0, 1, 5] {
        let listener = TcpListener::bind(play.loopback())?;
        let at = listener.local_addr()?;
        backlog::set(&listener, asked)?;
        let attempts = (0..200).map(|number: usize| TcpStream::connect_timeout(&at, PATIENCE[number.min(1)]));
        let waiting: Vec<_> = attempts.map_while(Result::ok).collect();
        let count = waiting.len();
        let tried = (count + 1).min(200); // the last one had to wait
        let promise = words!(
            "listen({asked}): {tried} try to connect, {count} are connected, the others wait",
            "listen({asked})：尝试 {tried} 个，连上 {count} 个，其余在等"
        );
        play.checks.holds(promise, (1..200).contains(&count), &count);
        found = count;
    }
    play.reveal(if found < 5 { None } else { Some((found.min(7) - 4) as u64) });
    Ok(())
}

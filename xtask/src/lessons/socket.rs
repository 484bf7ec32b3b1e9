//! What a socket hides: the handshake, and the queue of connections that are not accepted yet.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use common::backlog;
use common::narration::escape;

use super::{BOTH_SIDES, Lesson, claim};
use crate::drawing::entry::{Fate, Mark};
use crate::play::Play;
use crate::wire::event::Side;
use crate::wire::kernel::{self, Protocol};
use crate::words::{Shown, Words};

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
    let prediction = play.predict(
        "A server listens, but has not called accept. A client connects and writes. What happens?",
        "服务器在监听，但还没有调用 accept。客户端连接并写入数据，结果如何？",
        &[
            ("connect waits for accept", "connect 一直等到 accept"),
            ("connect returns, and write waits for accept", "connect 返回，write 一直等到 accept"),
            ("both return", "两者都立即返回"),
        ],
        "the kernel completes the handshake and stores the data; accept only returns the connection.",
        "三次握手由内核完成，数据由内核保存；accept 只是把现成的连接交出来。",
    )?;
    play.act(&Words::fixed(
        "A client connects and sends; the server listens, but has not called accept.",
        "客户端连接并发送；服务器只是监听，还没有调用 accept。",
    ))?;
    let listener = TcpListener::bind(play.loopback())?;
    let at = listener.local_addr()?;
    play.said(Side::Server, &Words::fixed("bind and listen", "bind，listen"));
    let mut client = TcpStream::connect(at)?;
    let near = client.local_addr()?;
    let segments = Words::fixed(
        "three-way handshake, not seen: SYN, SYN+ACK, ACK",
        "三次握手，看不到：SYN、SYN+ACK、ACK",
    );
    play.draw(Mark::Crossed { toward: Side::Server, what: segments, fate: Fate::Unseen })?;
    play.states(kernel::both_ends(near, at).as_ref(), near, at)?;
    client.write_all(b"sent before accept")?;
    play.sent(Side::Server, b"sent before accept");
    let table = kernel::both_ends(near, at);
    play.panel(table.as_ref(), &[at])?;
    let promise = Words::fixed(
        "before accept, the kernel has both ends of an established connection",
        "accept 之前，内核里已经有了这条连接的两端，状态都是 ESTABLISHED",
    );
    let established = table.map(|rows| rows.iter().filter(|row| row.state == "ESTABLISHED").count());
    play.checks.kernel_says(promise, established, &2);
    let (mut accepted, peer) = listener.accept()?;
    play.said(Side::Server, &words!("accept: a socket for {peer}", "accept：{peer} 的通信套接字"));
    let mut received = [0; 18];
    accepted.read_exact(&mut received)?;
    let read = escape(&received);
    play.said(Side::Server, &words!("read: {read}", "read：{read}"));
    let promise = Words::fixed(
        "accept returns the connection, and the bytes are already there",
        "accept 返回这条连接，数据已在其中",
    );
    play.checks.equal(promise, &escape(&received).as_str(), &"sent before accept");
    let promise = Words::fixed("accept also returns the client's address", "accept 还返回客户端的地址");
    play.checks.equal(promise, &peer, &near);

    // If connect or write waited for accept, the lesson would not get here.
    play.reveal(prediction, Some(3));
    queue(play)
}

/// C2: connects until one has to wait.
fn queue(play: &mut Play) -> Result<()> {
    let prediction = play.predict(
        "After listen(5), the server never calls accept, and seven clients connect. How many connections are established?",
        "listen(5) 之后无人 accept，七个客户端来连接。能建立多少个连接？",
        &[("five", "五个"), ("six", "六个"), ("all seven", "七个")],
        "Linux lets n + 1 wait, other systems have other rules.",
        "Linux 容纳 n + 1 个，其他系统各有规则。",
    )?;
    play.act(&Words::fixed(
        "The server does not call accept: how many connections fit into the queue?",
        "无人 accept：队列里容得下多少个连接？",
    ))?;
    let mut found = 0;
    for asked in [0, 1, 5] {
        let listener = TcpListener::bind(play.loopback())?;
        let at = listener.local_addr()?;
        backlog::set(&listener, asked)?;
        let mut waiting = Vec::new();
        while waiting.len() < 200 {
            match TcpStream::connect_timeout(&at, PATIENCE[waiting.len().min(1)]) {
                Ok(client) => waiting.push(client),
                Err(_) => break,
            }
        }
        let count = waiting.len();
        let tried = (count + 1).min(200); // the last one had to wait
        let held = kernel::sockets(Protocol::Tcp, at)
            .and_then(|rows| rows.iter().find(|row| row.state == "LISTEN").map(|row| row.to_read.to_string()))
            .unwrap_or_else(|| "?".into());
        play.evidence(&words!(
            "listen({asked}): the kernel's queue holds {held}",
            "listen({asked})：内核的全连接队列中有 {held} 个"
        ))?;
        let promise = words!(
            "listen({asked}): {tried} try to connect, {count} are connected, the others wait",
            "listen({asked})：尝试 {tried} 个，连上 {count} 个，其余在等"
        );
        play.checks.holds(promise, (1..200).contains(&count), &count);
        found = count;
    }
    play.reveal(prediction, if found < 5 { None } else { Some((found.min(7) - 4) as u64) });
    one_more_than_fits(play)
}

/// C2: with a full queue, Linux does not answer the SYN, so the client waits; other systems differ.
fn one_more_than_fits(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed(
        "The queue is full, and a second client connects. Then the server accepts the first.",
        "队列已满，又来第二个客户端。然后服务器 accept 第一个。",
    ))?;
    let waits = Words::fixed(
        "the second client gets no SYN+ACK: it is in SYN_SENT (unacknowledged 1: its SYN)",
        "它的 SYN 得不到 SYN+ACK，停在 SYN_SENT（“未确认 1”就是这个 SYN）",
    );
    let goes_on = Words::fixed("after a place is free, it is connected", "空出位置以后，它就连上了");
    if !cfg!(target_os = "linux") {
        for promise in [waits, goes_on] {
            let why =
                Words::fixed("only Linux treats a full queue like this", "这是 Linux 处理队列已满的方式");
            play.checks.not_available(promise, why);
        }
        return Ok(());
    }
    let listener = TcpListener::bind(play.loopback())?;
    let at = listener.local_addr()?;
    backlog::set(&listener, 0)?;
    let _first = TcpStream::connect(at)?; // it takes the only place
    play.said(Side::Client, &Words::fixed("connect: the first is connected", "connect：第一个连上了"));
    let asked = Instant::now();
    let connecting = thread::spawn(move || TcpStream::connect(at));
    let is_waiting = |row: &kernel::SocketRow| row.state == "SYN_SENT";
    let rows = loop {
        let rows = kernel::around(at);
        if rows.as_ref().is_none_or(|rows| rows.iter().any(is_waiting)) {
            break rows;
        }
        ensure!(!connecting.is_finished(), "the second was connected, though the queue was full");
        thread::sleep(Duration::from_millis(1));
    };
    if let Some(second) = rows.as_ref().and_then(|rows| rows.iter().find(|row| is_waiting(row))) {
        play.states(rows.as_ref(), SocketAddr::new(second.ip, second.port), at)?;
    }
    play.panel(rows.as_ref(), &[at])?;
    play.checks.kernel_says(waits, rows.map(|rows| rows.iter().any(is_waiting)), &true);
    let _accepted = listener.accept()?;
    play.said(Side::Server, &Words::fixed("accept: a place is free", "accept：空出一个位置"));
    let found =
        connecting.join().ok().context("the second client panicked")?.map(|_| ()).map_err(|e| e.kind());
    let took = asked.elapsed().as_secs_f64();
    let Words { en, zh } = match found {
        Ok(()) => Words::fixed("is connected", "连上了"),
        Err(error) => error.shown(),
    };
    play.said(Side::Client, &words!("connect: the second {en}", "connect：第二个{zh}"));
    play.checks.equal(goes_on, &found, &Ok(()));
    play.evidence(&words!(
        "its connect took {took:.2} s: an unanswered SYN is sent again after 1 s, 2 s, 4 s (RFC 6298)",
        "它的 connect 用了 {took:.2} 秒：SYN 得不到回应，内核隔 1、2、4 秒重传（RFC 6298）"
    ))?;
    Ok(())
}

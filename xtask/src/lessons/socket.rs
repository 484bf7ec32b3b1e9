//! What a socket hides: the handshake, and a queue of connections that nobody has accepted yet.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use common::backlog;
use common::narration::escape;

use super::{BOTH_SIDES, Lesson};
use crate::play::Play;
use crate::wire::event::{Side, What};
use crate::wire::kernel::{self, Protocol};
use crate::words::{Shown, Words};

pub const LESSON: Lesson = Lesson {
    name: "socket",
    claims: &[
        (
            "C1",
            Words::fixed(
                "Sockets hide TCP's handshake: the kernel does it.",
                "套接字隐藏了 TCP 的握手：握手由内核完成。",
            ),
        ),
        (
            "C2",
            Words::fixed(
                "listen(n) bounds how many connections may wait to be accepted.",
                "listen(n) 限定有多少连接可以排队等待 accept。",
            ),
        ),
    ],
    lanes: BOTH_SIDES,
    play,
};

/// A connect that takes longer finds no place in the queue; on loopback a place takes microseconds, and the
/// first one is certain.
const PATIENCE: [Duration; 2] = [Duration::from_secs(10), Duration::from_millis(300)];

fn play(play: &mut Play) -> Result<()> {
    let prediction = play.predict(
        &Words::fixed(
            "A server listens, but has not called accept. A client connects and writes. What happens?",
            "服务器在监听，但还没有调用 accept。客户端连接并写入数据，结果如何？",
        ),
        &[
            Words::fixed("connect waits for accept", "connect 一直等到 accept"),
            Words::fixed(
                "connect returns, and write waits for accept",
                "connect 返回，write 一直等到 accept",
            ),
            Words::fixed("both return", "两者都立即返回"),
        ],
    )?;
    play.act(&Words::fixed(
        "A client connects and sends; the server listens, but has not called accept.",
        "客户端连接并发送；服务器只是监听，还没有调用 accept。",
    ))?;
    let listener = TcpListener::bind(play.loopback())?;
    let at = listener.local_addr()?;
    play.called(Side::Server, "bind and listen");
    let mut client = TcpStream::connect(at)?;
    play.lab.record.recorder("").record(What::Connected { port: client.local_addr()?.port() });
    client.write_all(b"sent before accept")?;
    play.sent(Side::Server, b"sent before accept");
    let table = kernel::both_ends(client.local_addr()?, at);
    play.panel(table.as_ref())?;
    let promise = Words::fixed(
        "before any accept, the kernel holds both ends of an established connection",
        "accept 之前，内核里已经有了这条连接的两端，状态都是 ESTABLISHED",
    );
    let established = table.map(|rows| rows.iter().filter(|row| row.state == "ESTABLISHED").count());
    play.checks.kernel_says(promise, established, &2);
    let (mut accepted, peer) = listener.accept()?;
    play.called(Side::Server, format!("accept: a socket for {peer}"));
    let mut received = [0; 18];
    accepted.read_exact(&mut received)?;
    play.called(Side::Server, format!("read: {}", escape(&received)));
    play.checks.equal(
        Words::fixed(
            "accept returns the connection with the bytes in it",
            "accept 返回这条连接，数据已在其中",
        ),
        &escape(&received).as_str(),
        &"sent before accept",
    );
    play.checks.equal(
        Words::fixed("and the client's address", "并给出客户端的地址"),
        &peer,
        &client.local_addr()?,
    );

    // A connect or a write that waits for accept would have waited for ever.
    play.reveal(
        prediction,
        |choice| choice == 3,
        &Words::fixed(
            "the kernel shakes hands and keeps what comes; accept hands over what is there.",
            "握手由内核完成，数据由内核保存；accept 只是把现成的连接交出来。",
        ),
    )?;
    queue(play)
}

/// C2: connects until one has to wait.
fn queue(play: &mut Play) -> Result<()> {
    let prediction = play.predict(
        &Words::fixed(
            "Nobody accepts after listen(5). How many connections are established all the same?",
            "listen(5) 之后无人 accept，仍有多少个连接能够建立？",
        ),
        &[],
    )?;
    play.act(&Words::fixed(
        "Nobody accepts: how many connections fit into the queue?",
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
        let held = kernel::sockets(Protocol::Tcp, at)
            .and_then(|rows| rows.iter().find(|row| row.state == "LISTEN").map(|row| row.to_read.to_string()))
            .unwrap_or_else(|| "?".into());
        play.evidence(&words!(
            "listen({asked}): {count} connected unaccepted; the kernel's queue holds {held}",
            "listen({asked})：{count} 个已连上但还没被 accept；内核队列中有 {held} 个"
        ))?;
        play.checks.holds(
            words!(
                "listen({asked}): the queue has room for some, and not for all",
                "listen({asked})：队列容得下一部分连接，但不是全部"
            ),
            (1..200).contains(&count),
            &count,
        );
        found = count;
    }
    play.reveal(
        prediction,
        |number| number == found as u64,
        &words!(
            "{found} on this system; Linux lets n + 1 wait, others have rules of their own.",
            "本系统上是 {found} 个；Linux 容纳 n + 1 个，其他系统各有规则。"
        ),
    )?;
    one_too_many(play)
}

/// C2: who finds no place in the queue, on Linux, waits with the handshake; others refuse, each in its way.
fn one_too_many(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed(
        "The queue is full, and one more client connects. Then the server accepts one.",
        "队列已满，又来一个客户端。然后服务器 accept 一个。",
    ))?;
    let waits = Words::fixed(
        "the one too many waits, its handshake not answered",
        "多出来的一个在等待，握手得不到回应",
    );
    let goes_on = Words::fixed("once a place is free, it is connected", "空出位置以后，它就连上了");
    if !cfg!(target_os = "linux") {
        for promise in [waits, goes_on] {
            let why = Words::fixed("this is Linux' way with a full queue", "这是 Linux 处理队列已满的方式");
            play.checks.not_available(promise, why);
        }
        return Ok(());
    }
    let listener = TcpListener::bind(play.loopback())?;
    let at = listener.local_addr()?;
    backlog::set(&listener, 0)?;
    let _first = TcpStream::connect(at)?; // it has the one place
    play.called(Side::Client, "connect: the first is connected");
    let connecting = thread::spawn(move || TcpStream::connect(at));
    let rows = loop {
        let rows = kernel::peers_of(at);
        if rows.as_ref().is_none_or(|rows| rows.iter().any(|row| row.state == "SYN_SENT")) {
            break rows;
        }
        ensure!(!connecting.is_finished(), "the second was connected, though the queue was full");
        thread::sleep(Duration::from_millis(1));
    };
    play.panel(rows.as_ref())?;
    play.checks.kernel_says(waits, rows.map(|rows| rows.iter().any(|row| row.state == "SYN_SENT")), &true);
    let _accepted = listener.accept()?;
    play.called(Side::Server, "accept: a place is free");
    let found =
        connecting.join().ok().context("the second client panicked")?.map(|_| ()).map_err(|e| e.kind());
    play.called(Side::Client, format!("connect: the second, {}", found.shown().en));
    play.checks.equal(goes_on, &found, &Ok(()));
    Ok(())
}

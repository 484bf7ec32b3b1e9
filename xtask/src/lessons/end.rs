//! What a read returns, what the end of a stream is, and the states of a connection after close.

use std::net::Shutdown;

use super::prelude::*;
use crate::peers::sockets::is_quiet;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "end", subject_zh: "流的结束与四次挥手", lanes: BOTH_SIDES, play,
    claims: &[
        claim("C3", "recv(1024) returns at most 1024 bytes: call it in a loop until it returns 0 bytes.",
                    "recv(1024) 最多返回 1024 字节：循环读取，直到返回空。"),
        claim("C20", "close ends the connection once both sides have called it: each sends its own FIN.",
                     "四次挥手：双方各发一个 FIN，各得到一个确认；双方都 close，连接才真正结束。"),
    ],
};

fn play(play: &mut Play) -> Result<()> {
    play.predict(
        "One write sends 3000 bytes; they are read with a buffer of 1024.",
        "一次写入发送 3000 字节，用 1024 字节的缓冲区读取。",
        ("What does each read return?", "每次读取返回多少？"),
        &[
            ("what has arrived, at most 1024 bytes", "已经到达的数据，最多 1024 字节"),
            ("1024 bytes: it waits until the buffer is full", "1024 字节：等到缓冲区装满才返回"),
            ("3000 bytes: what the write sent", "3000 字节：那次写入发送的全部"),
        ],
        "any number from 1 to 1024 is possible: a read does not wait until its buffer is full.",
        "1 到 1024 字节都有可能：读取不会等到缓冲区装满。",
    )?;
    let (mut client, mut server) = pair(play.ip)?;
    client.write_all(&[b'x'; 3000])?;
    play.sent(Side::Server, &[b'x'; 3000]);
    let mut reads = Vec::new();
    while reads.iter().sum::<usize>() < 3000 {
        let n = server.read(&mut [0; 1024])?;
        play.said(Side::Server, &words!("read: {n} bytes", "read：{n} 字节"));
        reads.push(n);
    }
    let promise = words!("each read: 1 to 1024 bytes, 3000 in all", "每次读取 1 到 1024 字节，共 3000 字节");
    let is_right = reads.iter().all(|n| (1..=1024).contains(n)) && reads.iter().sum::<usize>() == 3000;
    play.checks.holds(promise, is_right, &reads);
    play.reveal(is_right.then_some(1)); // 3000 is no multiple of 1024: not each read was full
    let promise = words!("now no data is there, which is not the end", "此后暂时没有数据，但这不是结束");
    play.checks.equal(promise, &is_quiet(&server)?, &true);
    client.shutdown(Shutdown::Write)?;
    play.ended(Side::Server);
    let n = server.read(&mut [0; 1024])?;
    play.said(Side::Server, &words!("read: {n} bytes", "read：{n} 字节"));
    let promise = words!("after shutdown, 0 bytes are read: the end", "关闭写端后，读取返回 0 字节：流结束");
    play.checks.equal(promise, &n, &0);

    for (lane, who, other, who_zh, other_zh) in [
        (Side::Client, "client", "server", "客户端", "服务器"),
        (Side::Server, "server", "client", "服务器", "客户端"),
    ] {
        play.act(&words!("The {who} closes first.", "{who_zh}先关闭。"))?;
        let (client, server) = pair(play.ip)?;
        let ends = [client.local_addr()?, server.local_addr()?];
        let (first, second) = if lane == Side::Client { (client, server) } else { (server, client) };
        drop(first);
        play.called(lane, "close");
        play.ended(lane.other());
        let promise = words!(
            "the {who} is in FIN_WAIT2, the {other} in CLOSE_WAIT until it closes (unread 1: the FIN)",
            "{who_zh}处于 FIN_WAIT2，{other_zh}在 close 之前处于 CLOSE_WAIT（“未读 1”就是 FIN）"
        );
        states(play, promise, ends, lane, &["FIN_WAIT2", "CLOSE_WAIT"])?;
        drop(second);
        play.called(lane.other(), "close");
        play.ended(lane);
        let promise = words!(
            "the {who} is in TIME_WAIT, twice the longest life of a segment; the {other}'s end is gone",
            "主动关闭的{who_zh}停留在 TIME_WAIT（2MSL），被动关闭的{other_zh}一端已经消失"
        );
        states(play, promise, ends, lane, &["TIME_WAIT"])?;
    }
    Ok(())
}

/// Checks the states of a connection's two ends, that of the one which closes `first` before the other's.
fn states(
    play: &mut Play,
    promise: Words,
    [client, server]: [SocketAddr; 2],
    first: Side,
    expected: &[&'static str],
) -> Result<()> {
    let (near, far) = if first == Side::Client { (client, server) } else { (server, client) };
    let mut rows = None;
    within(SETTLED, || {
        rows = kernel::both_ends(near, far);
        rows.as_ref().is_none_or(|rows| rows.iter().map(|row| row.state).eq(expected.iter().copied()))
    });
    play.states(rows.as_ref(), [client, server])?;
    play.panel(rows.as_ref(), &[server])?;
    if rows.as_ref().is_some_and(|rows| rows.iter().all(|row| row.port != near.port())) {
        let why = words!("no more are kept (tcp_max_tw_buckets)", "本系统不再保留（tcp_max_tw_buckets）");
        play.checks.not_available(promise, why);
        return Ok(());
    }
    let found = rows.map(|rows| rows.iter().map(|row| row.state).collect());
    play.checks.kernel_says(promise, found, &expected.to_vec());
    Ok(())
}

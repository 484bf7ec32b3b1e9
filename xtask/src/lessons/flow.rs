//! Flow control: a reader that does not read stops the writer, and nothing is lost.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::stream::byte_at;
use super::{BOTH_SIDES, Lesson, claim};
use crate::peers::sockets::pair;
use crate::play::Play;
use crate::wire::event::Side;
use crate::wire::kernel;
use crate::words::Words;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "flow", subject_zh: "流量控制与接收窗口", lanes: BOTH_SIDES, play,
    claims: &[
        claim("C23",
            "Sockets hide flow control: a sender must not send more than fits in the window that\nthe \
             receiver announces.",
            "套接字隐藏了流量控制：已发送未确认的数据不超过对方通告的接收窗口。"),
        claim("C24", "Sockets hide error detection and congestion control. (Explained here, not shown.)",
                     "套接字隐藏了差错检测和拥塞控制：这里只说明，不演示。"),
    ],
};

fn play(play: &mut Play) -> Result<()> {
    let prediction = play.predict(
        "A client keeps writing, and its server reads nothing. What happens to the bytes?",
        "客户端不停地写，服务器一个字节也不读。这些字节会怎样？",
        &[
            ("they wait in queues on both sides, and then the writer has to wait", "在两边排队，随后写入方阻塞"),
            ("the server's kernel drops what does not fit", "服务器的内核丢弃放不下的部分"),
            ("they stay in the network", "它们停在网络里"),
        ],
        "each segment announces the receive window, the room that is left (RFC 9293); if it is 0, the sender waits.",
        "每个报文段都通告接收窗口，即剩余的空间（RFC 9293）；窗口为 0，发送方就等待。",
    )?;
    play.act(&Words::fixed(
        "The client writes 64 KiB at a time, until the kernel accepts no more; the server does not read.",
        "客户端每次写 64 KiB，直到内核不再接收；服务器不读取。",
    ))?;
    let (client, mut server) = pair(play.ip)?;
    client.set_nonblocking(true)?;
    let taken = fill(&client)?;
    play.said(
        Side::Client,
        &words!("write: {taken} bytes accepted, then none", "write：收下 {taken} 字节，然后一个也不收"),
    );
    let (near, far) = (client.local_addr()?, server.local_addr()?);
    let table = settled(near, far, taken as u64);
    play.panel(table.as_ref(), &[far])?;
    let waiting = table.as_deref().and_then(queues);
    let promise = Words::fixed("both queues hold data", "两个队列里都有数据");
    play.checks.kernel_says(promise, waiting.map(|(to_send, to_read)| to_send > 0 && to_read > 0), &true);
    let promise = Words::fixed(
        "they hold every byte: unacknowledged at the sender, or unread at the receiver",
        "全部字节都在两个队列里：发送方还未被确认的，接收方还未读取的",
    );
    let held = waiting.map(|(to_send, to_read)| to_send + to_read == taken as u64);
    play.checks.kernel_says(promise, waiting.map(|(to_send, to_read)| to_send + to_read), &(taken as u64));
    // Without a table, that the kernel accepts no more is all that is seen of it.
    play.reveal(prediction, held.unwrap_or(true).then_some(1));

    play.act(&Words::fixed(
        "Now the server reads all of it, and the client can continue.",
        "现在服务器全部读走，客户端可以接着写。",
    ))?;
    let mut received = vec![0; taken];
    server.read_exact(&mut received)?;
    play.said(Side::Server, &words!("read: {taken} bytes", "read：{taken} 字节"));
    client.set_nonblocking(false)?;
    let writing = thread::spawn(move || (&client).write_all(b"and on"));
    let mut more = String::new();
    server.read_to_string(&mut more)?;
    writing.join().ok().context("the writer panicked")??;
    play.said(Side::Server, &words!("read to the end: {more}", "读到结束：{more}"));
    let is_whole = received.iter().zip(0..).all(|(byte, at)| *byte == byte_at(at));
    let promise = Words::fixed("nothing was lost, and writing continued", "没有丢失任何数据，写入得以继续");
    play.checks.equal(promise, &(is_whole, more.as_str()), &(true, "and on"));
    said_not_shown(play)
}

/// Writes until the kernel accepts no more; returns how many bytes it accepted.
fn fill(mut stream: &TcpStream) -> Result<usize> {
    let mut taken = 0;
    let mut refusals = 0;
    // Bytes on their way to the other side may free some room a moment later.
    while refusals < 20 {
        let piece: Vec<u8> = (taken..taken + (64 << 10)).map(byte_at).collect();
        match stream.write(&piece) {
            Ok(n) => (taken, refusals) = (taken + n, 0),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                refusals += 1;
                thread::sleep(Duration::from_millis(5));
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(taken)
}

/// Both ends' rows, once all bytes are in one of the two queues.
fn settled(near: SocketAddr, far: SocketAddr, taken: u64) -> Option<Vec<kernel::SocketRow>> {
    let asked = Instant::now();
    loop {
        let rows = kernel::both_ends(near, far)?;
        let is_all = queues(&rows).is_some_and(|(to_send, to_read)| to_send + to_read == taken);
        if is_all || asked.elapsed() > Duration::from_secs(10) {
            return Some(rows);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The bytes unacknowledged at the client's end, and unread at the server's.
fn queues(rows: &[kernel::SocketRow]) -> Option<(u64, u64)> {
    let [near, far] = rows else { return None };
    Some((near.to_send, far.to_read))
}

/// What loopback cannot show: it is never congested, and damages nothing.
fn said_not_shown(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed(
        "Not shown, because loopback is never congested and damages nothing: congestion control and checksums.",
        "环回接口既不会拥塞也不会损坏数据，所以以下两项不演示：拥塞控制、校验和。",
    ))?;
    play.evidence(&Words::fixed(
        "each segment has a checksum; a damaged one is dropped, and the sender sends it again after a time-out \
         (RFC 9293)",
        "每个报文段都带校验和；损坏的被丢弃，由发送方超时重传（RFC 9293）",
    ))?;
    let (client, _server) = pair(play.ip)?;
    match congestion_window(client.local_addr()?.port()) {
        Some(segments) => play.evidence(&words!(
            "initial congestion window: {segments} segments (cwnd of ss -ti); it grows as acknowledgements arrive",
            "拥塞窗口初值：{segments} 个报文段（ss -ti 的 cwnd），收到确认后增大"
        )),
        None => play.evidence(&Words::fixed(
            "the congestion window: not available here, it needs Linux' ss -ti",
            "拥塞窗口：此处无法显示，缺 Linux 的 ss -ti",
        )),
    }
}

/// The congestion window of the connection from this port, in segments (tcp(7), `tcpi_snd_cwnd`; ss(8)).
fn congestion_window(port: u16) -> Option<u32> {
    let output = Command::new("ss").args(["-tin", &format!("sport = :{port}")]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().find_map(|word| word.strip_prefix("cwnd:")?.parse().ok())
}

//! What the kernel does for a stream, built by hand over datagrams, as small as it can be: numbers, acknowledgements
//! and a timer (stop and wait, as RFC 1350 has it) - and what happens without each of them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Lesson;
use crate::peers::sockets::{datagram_socket, is_silence, pair};
use crate::play::Play;
use crate::wire::event::Side;
use crate::wire::impairments::{Impairment, Impairments};
use crate::words::{Shown, Words};

pub const LESSON: Lesson = Lesson {
    name: "reliable",
    claims: &[(
        "C22",
        Words::fixed(
            "Sockets hide sequence numbers, acknowledgements and retransmission: for a stream, the\n\
             kernel does them.",
            "套接字隐藏了序号、确认和重传：对流来说，这些由内核完成。",
        ),
    )],
    lanes: (Words::fixed("a sender", "发送方"), Words::fixed("a receiver", "接收方")),
    play,
};

/// Every byte names its place.
const DATA: &str = "0123456789ABCDEF";
const PIECE: usize = 2;

/// How long to wait for an acknowledgement before sending again.
const TIMER: Duration = Duration::from_millis(100);
/// How long a wait is watched that would have no end.
const WATCHED: Duration = Duration::from_millis(500);

/// What a transfer is built of.
#[derive(Clone, Copy)]
struct Parts {
    /// Each datagram says which piece it carries, so that one that comes again is told from a new one.
    numbers: bool,
    /// The receiver says what has come, and the sender waits for it.
    acknowledgements: bool,
    /// A sender that has waited for too long sends again.
    timer: bool,
}

const ALL: Parts = Parts { numbers: true, acknowledgements: true, timer: true };

fn play(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed(
        "Numbers, acknowledgements and a timer, on a wire that loses 2, doubles 4, delays 7, and loses answer 5.",
        "序号、确认、定时器齐全；线路丢第 2 个、重复第 4 个、让第 7 个迟到，还丢第 5 个确认。",
    ))?;
    let up = [(2, Impairment::Lost), (4, Impairment::Twice), (7, Impairment::Late)];
    let bad = Impairments::numbered(&up, &[(5, Impairment::Lost)]);
    let (sent, received) = transfer(play, ALL, bad)?;
    let promise = Words::fixed("the data arrives whole and in order", "数据完整、按序到达");
    play.checks.equal(promise, &(sent, received.as_str()), &(Ok(()), DATA));

    without_each(play)?;

    play.act(&Words::fixed(
        "The same bytes over TCP: one write_all. Numbers, acknowledgements, timer: all in the kernel.",
        "同样的字节走 TCP：一次 write_all。序号、确认、定时器都在内核里。",
    ))?;
    let (mut client, mut server) = pair(play.ip)?;
    client.write_all(DATA.as_bytes())?;
    play.sent(Side::Server, DATA.as_bytes());
    drop(client);
    play.ended(Side::Server);
    let mut received = String::new();
    server.read_to_string(&mut received)?;
    play.called(Side::Server, format!("read to the end: {received}"));
    let promise =
        Words::fixed("TCP delivers the same, and nobody counted", "TCP 送达同样的数据，程序不必自己编号");
    play.checks.equal(promise, &received.as_str(), &DATA);
    Ok(())
}

/// The negative controls: each part is there for something.
fn without_each(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed(
        "Without acknowledgements, on a wire that loses 2.",
        "没有确认，线路丢第 2 个。",
    ))?;
    let parts = Parts { acknowledgements: false, ..ALL };
    let (_, received) = transfer(play, parts, Impairments::numbered(&[(2, Impairment::Lost)], &[]))?;
    let promise =
        Words::fixed("what is lost is missing, and nobody knows", "丢失的数据就此缺失，双方都不知道");
    play.checks.equal(promise, &received.as_str(), &"01456789ABCDEF");

    let prediction = play.predict(
        &Words::fixed(
            "Now with acknowledgements and a timer, but no numbers. An acknowledgement is lost. What arrives?",
            "有确认和定时器，但没有序号。一个确认丢失了。收到的是什么？",
        ),
        &[
            Words::fixed("all, once and in order", "全部数据，一次，按序"),
            Words::fixed("all, and one piece twice", "全部数据，其中一段重复"),
            Words::fixed("a piece too few", "少一段"),
        ],
    )?;
    play.act(&Words::fixed(
        "Without numbers, on a wire that loses the first acknowledgement.",
        "没有序号，线路丢第 1 个确认。",
    ))?;
    let parts = Parts { numbers: false, ..ALL };
    let (_, received) = transfer(play, parts, Impairments::numbered(&[], &[(1, Impairment::Lost)]))?;
    let is_doubled = received.starts_with("0101");
    play.reveal(
        prediction,
        |choice| choice == 2 && is_doubled,
        &Words::fixed(
            "the sender could not know that its piece had come, and sent it again; nothing told the receiver so.",
            "发送方不知道那一段已经到了，于是再发；接收方也无从得知那是重复的。",
        ),
    )?;
    let promise = Words::fixed("a piece that was sent again is taken for the next", "重发的一段被当成下一段");
    play.checks.holds(promise, is_doubled, &received);

    play.act(&Words::fixed("Without a timer, on a wire that loses 2.", "没有定时器，线路丢第 2 个。"))?;
    let parts = Parts { timer: false, ..ALL };
    let (sent, received) = transfer(play, parts, Impairments::numbered(&[(2, Impairment::Lost)], &[]))?;
    let (Words { en, zh }, ms) = (sent.shown(), WATCHED.as_millis());
    play.evidence(&words!(
        "watched for {ms} ms, the sender's wait came to: {en}",
        "观察了 {ms} 毫秒，发送方的等待结果：{zh}"
    ))?;
    let promise = Words::fixed("each waits for the other, for ever", "双方互相等待，没有尽头");
    play.checks.holds(promise, sent.is_err_and(is_silence) && received == "01", &received);
    Ok(())
}

/// Sends the data over a wire that impairs datagrams so; returns how the sender ended, and what the receiver took.
fn transfer(
    play: &mut Play,
    parts: Parts,
    impairments: Impairments,
) -> Result<(Result<(), ErrorKind>, String)> {
    let (near, far) = (datagram_socket(play.ip)?, datagram_socket(play.ip)?);
    near.connect(play.lab.udp_wire(far.local_addr()?, impairments)?)?;
    near.set_read_timeout(Some(if parts.timer { TIMER } else { WATCHED }))?;
    let receiving = thread::spawn(move || receive(&far, parts));
    let sent = send(&near, parts).map_err(|e| e.kind());
    near.send(b"")?; // the end, behind everything on the same wire
    let received = receiving.join().ok().context("the receiver panicked")??;
    play.called(Side::Server, format!("has {received}"));
    Ok((sent, received))
}

fn send(socket: &UdpSocket, parts: Parts) -> io::Result<()> {
    for (number, at) in (0..DATA.len()).step_by(PIECE).enumerate() {
        let piece = &DATA[at..at + PIECE];
        let datagram = if parts.numbers { format!("{number} {piece}") } else { piece.into() };
        loop {
            socket.send(datagram.as_bytes())?;
            match is_acknowledged(socket, number, parts) {
                Err(e) if parts.timer && is_silence(e.kind()) => {} // the timer: once more
                outcome => break outcome?,
            }
        }
    }
    Ok(())
}

fn is_acknowledged(socket: &UdpSocket, number: usize, parts: Parts) -> io::Result<()> {
    let expected = if parts.numbers { format!("ack {number}") } else { "ack".into() };
    let mut buffer = [0; 16];
    if !parts.acknowledgements {
        return Ok(());
    }
    loop {
        let n = socket.recv(&mut buffer)?;
        // One of an earlier piece may still have been under way.
        if buffer[..n] == *expected.as_bytes() {
            return Ok(());
        }
    }
}

/// What came, up to an empty datagram.
fn receive(socket: &UdpSocket, parts: Parts) -> io::Result<String> {
    let (mut received, mut next) = (String::new(), 0);
    let mut buffer = [0; 16];
    loop {
        let (n, peer) = socket.recv_from(&mut buffer)?;
        let datagram = String::from_utf8_lossy(&buffer[..n]);
        if datagram.is_empty() {
            return Ok(received);
        }
        let (number, piece) = match datagram.split_once(' ') {
            Some((number, piece)) => (number.parse().unwrap_or(next), piece),
            None => (next, &*datagram),
        };
        if parts.acknowledgements {
            let ack = if parts.numbers { format!("ack {number}") } else { "ack".into() };
            socket.send_to(ack.as_bytes(), peer)?;
        }
        // Without acknowledgements nothing comes again, and what is missing never does.
        if number >= next {
            received += piece;
            next = number + 1;
        }
    }
}

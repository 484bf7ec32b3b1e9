//! What the kernel does for a stream, built by hand over datagrams: sequence numbers, acknowledgements and a timer
//! (stop-and-wait, as in RFC 1350), and what happens without each of them.

use super::prelude::*;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "reliable", subject_zh: "停止等待协议",
    lanes: (Words::fixed("a sender", "发送方"), Words::fixed("a receiver", "接收方")), play,
    claims: &[claim("C22",
        "Sockets hide sequence numbers, acknowledgements and retransmission: for TCP, the\nkernel does all three.",
        "套接字隐藏了序号、确认号和超时重传：TCP 的这些由内核完成。")],
};

const PIECES: [&str; 4] = ["01", "23", "45", "67"];

/// How long to wait for an acknowledgement before sending again.
const TIMER: Duration = Duration::from_millis(100);
/// How long to watch a wait that would never end.
const WATCHED: Duration = Duration::from_millis(1500);

#[derive(Clone, Copy)]
struct Parts {
    /// Each datagram has the number of its piece, so that a repeated one is recognized.
    numbers: bool,
    acknowledgements: bool,
    /// After a time-out the sender sends again.
    timer: bool,
}

const ALL: Parts = Parts { numbers: true, acknowledgements: true, timer: true };

fn play(play: &mut Play) -> Result<()> {
    play.act(&words!(
        "Stop-and-wait: sequence numbers, acknowledgements, a timer. A relay loses datagram 2, doubles 4, loses ack 5.",
        "停止等待协议：序号、确认、超时重传齐全；中继使第 2 个数据报丢失，第 4 个重复，第 5 个确认丢失。"
    ))?;
    let up = [(2, Impairment::Lost), (4, Impairment::Twice)];
    let bad = Impairments::numbered(&up, &[(5, Impairment::Lost)]);
    let promise = words!("the data arrives whole and in order", "数据完整、按序到达");
    let found = transfer(play, ALL, bad)?;
    play.checks.equal(promise, &found, &(Ok(()), PIECES.concat()));

    play.act(&words!("Without acknowledgements; datagram 2 is lost.", "没有确认，第 2 个数据报丢失。"))?;
    let parts = Parts { acknowledgements: false, ..ALL };
    let (_, received) = transfer(play, parts, Impairments::numbered(&[(2, Impairment::Lost)], &[]))?;
    let promise = words!("the lost piece is missing, and neither side knows", "数据就此缺失，双方都不知道");
    play.checks.equal(promise, &received.as_str(), &"014567");

    play.predict(
        "With acknowledgements and a timer, but without sequence numbers; the relay loses the first acknowledgement.",
        "有确认和定时器，但没有序号；中继丢掉第 1 个确认。",
        ("What arrives?", "收到的是什么？"),
        &[
            ("all data, once and in order", "全部数据，一次，按序"),
            ("all data, with one piece twice", "全部数据，其中一段重复"),
            ("one piece is missing", "少一段"),
        ],
        "the sender cannot know that its piece arrived; without a number, the receiver cannot recognize it.",
        "发送方不知道那一段已经到了，于是再发；接收方也无从得知那是重复的。",
    )?;
    let parts = Parts { numbers: false, ..ALL };
    let (_, received) = transfer(play, parts, Impairments::numbered(&[], &[(1, Impairment::Lost)]))?;
    let is_doubled = received.starts_with("0101");
    play.reveal(is_doubled.then_some(2));
    let promise = words!("a piece that was sent again is mistaken for the next one", "重发的被当成下一段");
    play.checks.holds(promise, is_doubled, &received);

    play.act(&words!("Without a timer; the relay loses datagram 2.", "没有定时器，中继丢掉第 2 个数据报。"))?;
    let parts = Parts { timer: false, ..ALL };
    let (sent, received) = transfer(play, parts, Impairments::numbered(&[(2, Impairment::Lost)], &[]))?;
    let ms = WATCHED.as_millis();
    let promise = words!("after {ms} ms, each still waits for the other", "过了 {ms} 毫秒，双方仍在互相等待");
    play.checks.holds(promise, sent.is_err_and(is_silence) && received == "01", &received);

    play.act(&words!(
        "The same bytes over TCP, with one write_all: numbers, acknowledgements and timer are in the kernel.",
        "同样的字节走 TCP，一次 write_all：序号、确认号、超时重传都由内核完成。"
    ))?;
    let (mut client, server) = pair(play.ip)?;
    let data = PIECES.concat();
    client.write_all(data.as_bytes())?;
    play.sent(Side::Server, data.as_bytes());
    drop(client);
    play.ended(Side::Server);
    let received = io::read_to_string(server)?;
    play.said(Side::Server, &words!("read to the end: {received}", "读到结束：{received}"));
    play.evidence(&words!(
        "above, ack N confirms piece N; TCP's acknowledgement number is that of the next byte it expects",
        "前面的 ack N 确认的是第 N 段；TCP 的确认号是期望收到的下一个字节的序号"
    ))?;
    let promise = words!("TCP delivers it without numbers in the program", "TCP 送达同样数据，程序不必编号");
    play.checks.equal(promise, &received, &data);
    Ok(())
}

/// Sends the data over a wire that impairs datagrams so; returns how the sender ended, and what the receiver took.
fn transfer(play: &mut Play, parts: Parts, bad: Impairments) -> Result<(Result<(), ErrorKind>, String)> {
    let (near, far) = (datagram_socket(play.ip)?, datagram_socket(play.ip)?);
    near.connect(play.lab.udp_wire(far.local_addr()?, bad)?)?;
    near.set_read_timeout(Some(if parts.timer { TIMER } else { WATCHED }))?;
    let receiving = thread::spawn(move || receive(&far, parts));
    let sent = send(&near, parts).map_err(|e| e.kind());
    near.send(b"")?; // the end, after everything else on the same wire
    let received = receiving.join().ok().context("the receiver panicked")??;
    play.said(Side::Server, &words!("has received {received}", "共收到 {received}"));
    Ok((sent, received))
}

fn send(socket: &UdpSocket, parts: Parts) -> io::Result<()> {
    for (number, piece) in PIECES.iter().enumerate() {
        let datagram = if parts.numbers { format!("{number} {piece}") } else { (*piece).into() };
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
    if !parts.acknowledgements {
        return Ok(());
    }
    let mut buffer = [0; 16];
    loop {
        let n = socket.recv(&mut buffer)?;
        // It may be a late one, for an earlier piece.
        if buffer[..n] == *acknowledgement(number, parts).as_bytes() {
            return Ok(());
        }
    }
}

fn acknowledgement(number: usize, parts: Parts) -> String {
    if parts.numbers { format!("ack {number}") } else { "ack".into() }
}

fn receive(socket: &UdpSocket, parts: Parts) -> io::Result<String> {
    let (mut received, mut next) = (String::new(), 0);
    let mut buffer = [0; 16];
    loop {
        let (n, peer) = socket.recv_from(&mut buffer)?;
        let datagram = String::from_utf8_lossy(&buffer[..n]);
        if datagram.is_empty() {
            return Ok(received);
        }
        let (number, piece) = datagram.split_once(' ').unwrap_or(("", &datagram));
        let number = number.parse().unwrap_or(next);
        if parts.acknowledgements {
            socket.send_to(acknowledgement(number, parts).as_bytes(), peer)?;
        }
        // An earlier number is a repeated piece. Missing ones are not waited for: without acknowledgements, none
        // would be sent again.
        if number >= next {
            received += piece;
            next = number + 1;
        }
    }
}

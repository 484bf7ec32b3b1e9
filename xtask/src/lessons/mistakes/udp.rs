//! The mistakes of the notes' UDP client and server.

use super::{WATCHED, decode, instead, wrong};
use crate::lab::Outcome;
use crate::lessons::prelude::*;
use crate::peers::scripted_server::answering;
use crate::wire::event::Crossing;

/// The notes' UDP client: sends a name, and takes the next datagram from any sender as its reply, and as text. It
/// would wait forever; the sockets here have a time limit.
fn wrong_ask(play: &Play, socket: &UdpSocket, name: &[u8], server: SocketAddr) -> io::Result<String> {
    play.called(Side::Client, format!("sendto: {}", escape(name)));
    socket.send_to(name, server)?;
    let mut buffer = [0; 1024];
    let n = socket.recv(&mut buffer)?;
    play.called(Side::Client, format!("recv(1024): {}", escape(&buffer[..n])));
    decode(&buffer[..n], Side::Client, play)
}

fn udp_client(play: &mut Play, impairments: Impairments) -> Result<Outcome> {
    instead(play, "udp-client")?;
    let (_server, at) = play.server("udp-server", &["--quiet"])?;
    let wire = play.lab.udp_wire(at, impairments)?.to_string();
    play.run("", "udp-client", &[&wire, "Michael", "Tracy", "--timeout", "0.5", "--tries", "100"])
}

const BOTH: [&str; 2] = ["Hello, Michael!", "Hello, Tracy!"];

pub fn lost_reply(play: &mut Play) -> Result<()> {
    play.predict(
        "The notes' client asks for Michael, and the reply is lost.",
        "笔记的客户端发出 Michael，给它的回复丢了。",
        ("What does it do?", "它会怎样？"),
        &[
            ("it asks again after a while", "过一会儿再问一次"),
            ("it sends Tracy next", "接着发送 Tracy"),
            ("it waits in recv", "一直等在 recv 里"),
        ],
        "UDP does not send again, and recv without a time limit waits forever.",
        "UDP 不会重发，没有设超时的 recv 会一直等下去。",
    )?;
    let (at, _host) = answering(play.ip, false, |name| vec![greeting::of(name)])?;
    let wire = play.lab.udp_wire(at, Impairments::numbered(&[], &[(1, Impairment::Lost)]))?;
    let client = datagram_socket(play.ip)?;
    client.set_read_timeout(Some(WATCHED))?;
    let found = wrong_ask(play, &client, b"Michael", wire).map_err(|e| e.kind());
    if found.as_ref().is_err_and(|e| is_silence(*e)) {
        play.said(Side::Client, &words!("recv(1024): still waiting", "recv(1024)：仍在等待"));
    }
    let what = words!("it got nothing in half a second, and would wait forever", "半秒没等到，会永远等下去");
    wrong(play, what, found.is_err_and(is_silence), 3);
    let outcome =
        udp_client(play, Impairments::numbered(&[], &[1, 2, 3].map(|reply| (reply, Impairment::Lost))))?;
    let sent = play.lab.record.pieces("", Side::Server);
    // The notes' client asked once.
    let asked = sent.iter().filter(|piece| *piece == b"Michael").count().saturating_sub(1);
    let promise =
        words!("udp-client sends Michael again until a reply comes", "udp-client 重发 Michael，直到有回复");
    play.checks.holds(promise, asked >= 2 && outcome.said == BOTH, &(asked, outcome.said));
    Ok(())
}

pub fn late_reply(play: &mut Play) -> Result<()> {
    play.predict(
        "The notes' client, given a time limit, stops waiting for Michael's reply, which arrives just before it sends Tracy.",
        "给笔记的客户端加上超时：它不再等 Michael 的回复，而回复恰在它发送 Tracy 之前到达。",
        ("What does it read for Tracy?", "它为 Tracy 读到的是什么？"),
        &[
            ("Hello, Michael!", "Hello, Michael!"),
            ("Hello, Tracy!", "Hello, Tracy!"),
            ("both, one after the other", "两个，一前一后"),
        ],
        "recv returns the next datagram in the queue; nothing connects it to the one that was sent.",
        "recv 取出队列里的下一个数据报；没有什么把它和发出的那一个联系起来。",
    )?;
    let server = datagram_socket(play.ip)?;
    let wire = play.lab.udp_wire(server.local_addr()?, Impairments::default())?;
    let client = datagram_socket(play.ip)?;
    client.set_read_timeout(Some(WATCHED))?;
    let first = wrong_ask(play, &client, b"Michael", wire).map_err(|e| e.kind());
    play.said(Side::Client, &words!("recv(1024): a time-out", "recv(1024)：超时"));
    let (_, peer) = server.recv_from(&mut [0; 64])?;
    play.said(Side::Server, &words!("sendto, late: Hello, Michael!", "sendto，迟到：Hello, Michael!"));
    server.send_to(b"Hello, Michael!", peer)?;
    client.peek(&mut [0; 64])?; // it has arrived when Tracy is sent
    let second = wrong_ask(play, &client, b"Tracy", wire)?;
    let shown = escape(second.as_bytes());
    let what = words!("it takes '{shown}' for the reply to Tracy", "它把“{shown}”当作给 Tracy 的回复");
    wrong(play, what, first.is_err() && second == "Hello, Michael!", 1);
    let outcome = udp_client(play, Impairments::numbered(&[], &[(1, Impairment::Late)]))?;
    let promise = words!("udp-client gives each name its own greeting", "udp-client 让每个名字得到它的回复");
    play.checks.equal(promise, &outcome.said, &BOTH.map(str::to_owned).to_vec());
    Ok(())
}

/// A relay would hide the sender: the lesson records what crosses.
pub fn stranger(play: &mut Play) -> Result<()> {
    play.predict(
        "The notes' client asks the server, and a stranger answers from another port.",
        "笔记的客户端问的是服务器，应答的却是另一个端口上的陌生人。",
        ("What does its recv do?", "它的 recv 会怎样？"),
        &[
            ("it returns the stranger's datagram as the reply", "把陌生人的话当作回复收下"),
            ("it keeps waiting: only the server's datagrams reach it", "继续等待：只收服务器发来的"),
            ("it returns an error", "报错"),
        ],
        "a socket that is not connected receives datagrams from any sender, and recv does not tell which.",
        "没有 connect 的套接字谁的数据报都收，recv 也不告诉你是谁发的。",
    )?;
    let recorder = play.lab.record.recorder("");
    let answers = play.in_its_language(&words!("a stranger, from another port", "陌生人，从另一个端口"));
    let mut lies = vec![&b"send me your password"[..]];
    let (at, host) = answering(play.ip, true, move |asked| {
        let lie = lies.pop().unwrap_or(b"Hello, Michael!");
        recorder.sent(Side::Server, asked, Crossing::Plain);
        recorder.said(Side::Server, &*answers);
        recorder.sent(Side::Client, lie, Crossing::Plain);
        vec![lie.into()]
    })?;
    let found = wrong_ask(play, &datagram_socket(play.ip)?, b"Michael", at)?;
    let shown = escape(found.as_bytes());
    let what = words!("the client believes a stranger: '{shown}'", "笔记的客户端相信了陌生人：“{shown}”");
    wrong(play, what, found == "send me your password", 1);
    instead(play, "udp-client")?;
    let args = [&at.to_string(), "Michael", "--timeout", "0.3", "--tries", "2"];
    let outcome = play.run("", "udp-client", &args)?;
    drop(host); // after this, none of its events are missing
    let promise = words!("udp-client accepts nothing from the stranger", "udp-client 不接收陌生人的数据报");
    play.checks.equal(promise, &(Ended::from(&outcome), outcome.said), &(Ended::with(1), Vec::new()));
    Ok(())
}

pub fn cut_datagram(play: &mut Play) -> Result<()> {
    play.predict(
        "A datagram of 2000 bytes arrives, and the notes' server calls recvfrom(1024).",
        "来了一个 2000 字节的数据报，笔记的服务器调用 recvfrom(1024)。",
        ("What does it get?", "它得到什么？"),
        &[
            ("1024 bytes, and the other 976 with the next call", "1024 字节，下一次调用得到其余 976 字节"),
            ("1024 bytes, and the rest is lost", "1024 字节，其余的没了"),
            ("an error", "报错"),
        ],
        "each call takes a whole datagram; what does not fit is lost, or an error on some systems.",
        "一次调用取走整个数据报；放不下的部分，有的系统丢掉，有的系统报错。",
    )?;
    let receiver = datagram_socket(play.ip)?;
    let sender = UdpSocket::bind(play.loopback())?;
    sender.send_to(&[b'x'; 2000], receiver.local_addr()?)?;
    play.sent(Side::Server, &[b'x'; 2000]);
    let found = receiver.recv(&mut [0; 1024]).map_err(|e| e.kind());
    let Words { en, zh } = found.map_or_else(|e| e.shown(), |n| words!("{n} bytes", "{n} 字节"));
    play.said(Side::Server, &words!("recvfrom(1024): {en}", "recvfrom(1024)：{zh}"));
    sender.send_to(b"next", receiver.local_addr()?)?;
    play.sent(Side::Server, b"next");
    let mut next = [0; 1024];
    let n = receiver.recv(&mut next)?;
    play.called(Side::Server, format!("recvfrom(1024): {}", escape(&next[..n])));
    let Words { en, zh } = found.shown();
    let what = words!("of 2000, it gets {en}; the rest is lost", "2000 字节只得到 {zh}，其余没了");
    wrong(play, what, matches!(found, Ok(1024) | Err(_)) && next[..n] == *b"next", 2);

    instead(play, "udp-server")?;
    let (_server, at) = play.server("udp-server", &[])?;
    let wire = play.lab.udp_wire(at, Impairments::default())?.to_string();
    let name = "x".repeat(2000);
    play.story.hide("long"); // it prints a line of 2000 letters
    let outcome = play.run("long", "udp-client", &[&wire, &name])?;
    let promise = words!("udp-server and udp-client transfer all 2000", "udp-server 和 udp-client 全部送到");
    play.checks.equal(promise, &outcome.said, &vec![format!("Hello, {name}!")]);
    Ok(())
}

pub fn not_text(play: &mut Play) -> Result<()> {
    const BYTES: &[u8] = b"Hello, \xff!";
    play.predict(
        "A datagram with a byte 0xff arrives at the notes' client.",
        "笔记的客户端收到一个含有字节 0xff 的数据报。",
        ("What does it do?", "它会怎样？"),
        &[
            ("it ends with an exception", "因异常而结束"),
            ("it prints the text with a replacement character", "打印其余内容，那里打一个替代符号"),
            ("it waits for the next datagram", "继续等下一个"),
        ],
        "0xff never occurs in UTF-8, so decode raises an exception.",
        "UTF-8 文本里不会有 0xff，decode 于是抛出异常。",
    )?;
    let recorder = play.lab.record.recorder("");
    let (at, _host) = answering(play.ip, false, move |asked| {
        recorder.sent(Side::Server, asked, Crossing::Plain);
        let replies = [BYTES, b"Hello, Michael!"];
        for reply in replies {
            recorder.sent(Side::Client, reply, Crossing::Plain);
        }
        replies.map(Vec::from).into()
    })?;
    let found = wrong_ask(play, &datagram_socket(play.ip)?, b"Michael", at).map_err(|e| e.kind());
    let Words { en, zh } = found.shown();
    let what = words!("because of one byte 0xff, the client gets {en}", "因一个字节 0xff，客户端得到：{zh}");
    wrong(play, what, found == Err(ErrorKind::InvalidData), 1);

    instead(play, "udp-client")?;
    let outcome = play.run("", "udp-client", &[&at.to_string(), "Michael", "--timeout", "60"])?;
    let promise = words!("udp-client ignores it, and accepts the greeting", "udp-client 跳过它，收下问候");
    let expected = (Ended::with(0), vec!["Hello, Michael!".into()]);
    play.checks.equal(promise, &(Ended::from(&outcome), outcome.said), &expected);
    Ok(())
}

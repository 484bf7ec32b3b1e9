//! The mistakes of the notes' UDP client and server.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

use anyhow::Result;
use common::narration::escape;

use super::{WATCHED, decode, instead, the_notes_way, wrong};
use crate::lab::Outcome;
use crate::lessons::{Lesson, UDP};
use crate::peers::host::Host;
use crate::peers::sockets::{datagram_socket, is_silence};
use crate::play::Play;
use crate::wire::event::Lane;
use crate::wire::udp_relay::{Fate, Plan};
use crate::words::Words;

/// The notes' UDP client: sends, and believes whatever comes next, from whomever, to be text. Its wait would have no
/// end; here it has one, to be shown.
fn wrong_ask(socket: &UdpSocket, name: &[u8], server: SocketAddr) -> std::io::Result<String> {
    socket.send_to(name, server)?;
    let mut buffer = [0; 1024];
    let n = socket.recv(&mut buffer)?;
    decode(&buffer[..n])
}

/// Gives up once it has been watched.
fn impatient_socket(play: &Play) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(play.loopback())?;
    socket.set_read_timeout(Some(WATCHED))?;
    Ok(socket)
}

/// What udp-client says on a wire with this plan, behind which udp-server stands.
fn udp_client(play: &mut Play, plan: Plan) -> Result<Outcome> {
    instead(play, "udp-client")?;
    let any = play.loopback().to_string();
    let (_server, at) = play.lab.start_server("udp-server", &[&any])?;
    let wire = play.lab.udp_wire(at, plan)?.to_string();
    let args = [&wire, "Michael", "Tracy", "--timeout", "0.5", "--tries", "100"];
    let client = play.lab.start(Lane::Client, "", "udp-client", &args)?;
    play.lab.wait_for_end(client)
}

const BOTH: [&str; 2] = ["Hello, Michael!", "Hello, Tracy!"];

pub const LOST_REPLY: Lesson = Lesson {
    name: "lost-reply",
    claims: &[(
        "M4",
        Words::fixed("A lost reply blocks the UDP client for ever.", "一个回复丢失，UDP 客户端就永远阻塞。"),
    )],
    lanes: UDP,
    play: lost_reply,
};

fn lost_reply(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let silent = UdpSocket::bind(play.loopback())?;
    let found = wrong_ask(&impatient_socket(play)?, b"Michael", silent.local_addr()?).map_err(|e| e.kind());
    wrong(
        play,
        &Words::fixed(
            "the notes' client got nothing in half a second, and would wait for ever",
            "笔记的客户端半秒钟什么也没等到，它会永远等下去",
        ),
        found.is_err_and(is_silence),
    )?;
    let outcome =
        udp_client(play, Plan { up: Vec::new(), down: (1..=3).map(|reply| (reply, Fate::Lost)).collect() })?;
    let asked = play.lab.record.times_sent(b"Michael");
    play.checks.holds(
        Words::fixed("Michael was asked for again", "名字 Michael 又发了一次"),
        asked >= 2,
        &asked,
    );
    play.checks.equal(
        Words::fixed("udp-client asks again", "udp-client 再问一次"),
        &outcome.said,
        &BOTH.map(str::to_owned).to_vec(),
    );
    Ok(())
}

pub const LATE_REPLY: Lesson = Lesson {
    name: "late-reply",
    claims: &[(
        "M5",
        Words::fixed("A late reply is taken for the next name's.", "迟到的回复被当成了下一个名字的回复。"),
    )],
    lanes: UDP,
    play: late_reply,
};

fn late_reply(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let server = UdpSocket::bind(play.loopback())?;
    let (client, at) = (impatient_socket(play)?, server.local_addr()?);
    let first = wrong_ask(&client, b"Michael", at).map_err(|e| e.kind()); // it gave up waiting
    let (_, peer) = server.recv_from(&mut [0; 64])?;
    server.send_to(b"Hello, Michael!", peer)?; // late
    client.peek(&mut [0; 64])?; // it is there when Tracy is asked for
    let second = wrong_ask(&client, b"Tracy", at)?;
    let is_shifted = first.is_err() && second == "Hello, Michael!";
    wrong(
        play,
        &words!("the notes' client tells Tracy {second:?}", "笔记的客户端把 {second:?} 当作给 Tracy 的回复"),
        is_shifted,
    )?;
    let outcome = udp_client(play, Plan { up: Vec::new(), down: vec![(1, Fate::Late)] })?;
    let promise = Words::fixed("udp-client gives each name its own", "udp-client 让每个名字得到自己的回复");
    play.checks.equal(promise, &outcome.said, &BOTH.map(str::to_owned).to_vec());
    Ok(())
}

pub const STRANGER: Lesson = Lesson {
    name: "stranger",
    claims: &[("M6", Words::fixed("Any sender is believed.", "谁发来的都相信。"))],
    lanes: UDP,
    play: stranger,
};

fn stranger(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let recorder = play.lab.record.recorder("");
    let host = Host::answered_by_a_stranger(play.ip, move |number, _| {
        let lie = if number == 0 { &b"send me your password"[..] } else { b"Hello, Michael!" };
        recorder.said(Lane::Server, format!("a stranger sends: {}", escape(lie)));
        vec![lie.into()]
    })?;
    let at = host.address;
    let found = wrong_ask(&datagram_socket(play.ip)?, b"Michael", at)?;
    wrong(
        play,
        &words!("the notes' client believes a stranger: {found:?}", "笔记的客户端相信了陌生人：{found:?}"),
        found == "send me your password",
    )?;
    instead(play, "udp-client")?;
    let args = [&at.to_string(), "Michael", "--timeout", "0.3", "--tries", "2"];
    let client = play.lab.start(Lane::Client, "", "udp-client", &args)?;
    let outcome = play.lab.wait_for_end(client)?;
    drop(host); // whatever it still said has been told
    let promise = Words::fixed(
        "udp-client does not hear the stranger, not even with the right words",
        "udp-client 不接收陌生人的数据报，哪怕内容是对的",
    );
    play.checks.equal(promise, &(outcome.status, outcome.said), &(Some(1), Vec::new()));
    Ok(())
}

pub const CUT_DATAGRAM: Lesson = Lesson {
    name: "cut-datagram",
    claims: &[(
        "M7",
        Words::fixed(
            "A datagram of more than 1024 bytes is cut, or lost.",
            "超过 1024 字节的数据报被截断或丢失。",
        ),
    )],
    lanes: UDP,
    play: cut_datagram,
};

fn cut_datagram(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let receiver = UdpSocket::bind(play.loopback())?;
    let sender = UdpSocket::bind(play.loopback())?;
    sender.send_to(&[b'x'; 2000], receiver.local_addr()?)?;
    let found = receiver.recv(&mut [0; 1024]).map_err(|e| e.raw_os_error());
    wrong(
        play,
        &words!("of 2000 bytes, the notes' server gets {found:?}", "2000 字节中，笔记的服务器得到 {found:?}"),
        matches!(found, Ok(1024) | Err(_)),
    )?;

    instead(play, "udp-server")?;
    let any = play.loopback().to_string();
    let (_server, at) = play.lab.start_server("udp-server", &[&any])?;
    let name = "x".repeat(2000);
    let client = play.lab.start(Lane::Client, "", "udp-client", &[&at.to_string(), &name])?;
    let outcome = play.lab.wait_for_end(client)?;
    let promise = Words::fixed(
        "udp-server and udp-client carry all 2000",
        "udp-server 和 udp-client 把 2000 字节全部送到",
    );
    play.checks.equal(promise, &outcome.said, &vec![format!("Hello, {name}!")]);
    Ok(())
}

pub const NOT_TEXT: Lesson = Lesson {
    name: "not-text",
    claims: &[(
        "M13",
        Words::fixed(
            "A reply whose bytes are not UTF-8 ends the client with an exception.",
            "回复的字节不是 UTF-8，客户端就以异常结束。",
        ),
    )],
    lanes: UDP,
    play: not_text,
};

fn not_text(play: &mut Play) -> Result<()> {
    const BYTES: &[u8] = b"Hello, \xff!";
    the_notes_way(play)?;
    let (client, server) = (datagram_socket(play.ip)?, datagram_socket(play.ip)?);
    server.send_to(BYTES, client.local_addr()?)?;
    let found = wrong_ask(&client, b"Michael", server.local_addr()?).map_err(|e| e.kind());
    wrong(
        play,
        &words!(
            "for one byte 0xff, the notes' client gets {found:?}",
            "只因一个字节 0xff，笔记的客户端得到 {found:?}"
        ),
        found == Err(ErrorKind::InvalidData),
    )?;

    instead(play, "udp-client")?;
    let recorder = play.lab.record.recorder("");
    let host = Host::answering(play.ip, move |_, _| {
        let replies = [BYTES, b"Hello, Michael!"];
        for reply in replies {
            recorder.said(Lane::Server, format!("sends: {}", escape(reply)));
        }
        replies.map(Vec::from).into()
    })?;
    let args = [&host.address.to_string(), "Michael", "--timeout", "60"];
    let client = play.lab.start(Lane::Client, "", "udp-client", &args)?;
    let outcome = play.lab.wait_for_end(client)?;
    let promise = Words::fixed(
        "udp-client passes over what is not the greeting, and takes the greeting",
        "udp-client 跳过不是问候的数据报，收下问候",
    );
    play.checks.equal(promise, &(outcome.status, outcome.said), &(Some(0), vec!["Hello, Michael!".into()]));
    Ok(())
}

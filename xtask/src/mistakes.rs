//! `cargo xtask demo --mistakes`: each mistake of the notes' code that can be shown, seen to fail as predicted,
//! and then what the programs do instead. The wrong code stands here alone, as small as it can be, and is called
//! wrong.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use common::narration::escape;

use crate::event::Lane;
use crate::lessons::{Lesson, TCP, UDP, WEB, connect, datagram_socket, pair};
use crate::origin;
use crate::play::Play;
use crate::relay::{Fate, Manner, Plan};
use crate::stage::Outcome;
use crate::words;
use crate::words::Words;

/// All that can be shown, each as a lesson of its own.
pub static ALL: [Lesson; 8] = [
    Lesson {
        name: "glued",
        claims: &[(
            "M1",
            Words::fixed(
                "One recv is taken for one message: messages glue, and exit is not seen.",
                "把一次 recv 当作一条消息：消息粘连，exit 不被识别。",
            ),
        )],
        lanes: TCP,
        play: glued,
    },
    Lesson {
        name: "chunk-sizes",
        claims: &[(
            "M2",
            Words::fixed(
                "A chunked body is saved with its chunk sizes in it.",
                "分块的响应体连同分块大小一起被保存。",
            ),
        )],
        lanes: WEB,
        play: chunk_sizes,
    },
    Lesson {
        name: "cut-short",
        claims: &[(
            "M3",
            Words::fixed(
                "A body that was cut short is accepted as a whole one.",
                "被截断的响应体被当成完整的收下。",
            ),
        )],
        lanes: WEB,
        play: truncated,
    },
    Lesson {
        name: "lost-reply",
        claims: &[(
            "M4",
            Words::fixed(
                "A lost reply blocks the UDP client for ever.",
                "一个回复丢失，UDP 客户端就永远阻塞。",
            ),
        )],
        lanes: UDP,
        play: lost_reply,
    },
    Lesson {
        name: "late-reply",
        claims: &[(
            "M5",
            Words::fixed(
                "A late reply is taken for the next name's.",
                "迟到的回复被当成了下一个名字的回复。",
            ),
        )],
        lanes: UDP,
        play: late_reply,
    },
    Lesson {
        name: "stranger",
        claims: &[("M6", Words::fixed("Any sender is believed.", "谁发来的都相信。"))],
        lanes: UDP,
        play: foreign_reply,
    },
    Lesson {
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
    },
    Lesson {
        name: "reset",
        claims: &[(
            "M8",
            Words::fixed(
                "Closing with unread data sends a reset, and the goodbye may be lost.",
                "还有未读数据就关闭会发送复位（RST），告别的话可能丢失。",
            ),
        )],
        lanes: TCP,
        play: reset,
    },
];

/// The notes' server loop, the pause left out: one read is one message.
fn wrong_server_loop(mut stream: TcpStream) -> std::io::Result<Vec<String>> {
    let mut heard = Vec::new();
    loop {
        let mut buffer = [0; 1024];
        let n = stream.read(&mut buffer)?;
        let name = String::from_utf8_lossy(&buffer[..n]).into_owned();
        if n == 0 || name == "exit" {
            return Ok(heard);
        }
        stream.write_all(format!("Hello, {name}!").as_bytes())?;
        heard.push(name);
    }
}

fn glued(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let (mut client, server) = pair(play.ip)?;
    client.write_all(b"Michaelexit")?; // two sends that the network carries as one
    client.shutdown(std::net::Shutdown::Write)?;
    let heard = wrong_server_loop(server)?;
    wrong(
        play,
        &words!(
            "the notes' server greets {heard:?}, and sees no exit",
            "笔记的服务器问候 {heard:?}，没有识别出 exit"
        ),
        heard == ["Michaelexit"],
    )?;

    instead(play, "tcp-server")?;
    let any = play.loopback().to_string();
    let (_server, at) = play.stage.start_server("tcp-server", &[&any, "--delay", "0"])?;
    let wire = play.stage.relay_tcp("", at, Manner::AsItComes)?;
    let mut client = connect(wire)?;
    client.write_all(b"Michael\nexit\n")?;
    let mut all = String::new();
    client.read_to_string(&mut all)?;
    play.checks.equal(
        Words::fixed("tcp-server greets Michael and sees exit", "tcp-server 问候 Michael，并识别 exit"),
        &all,
        &"Welcome!\nHello, Michael!\n".to_owned(),
    );
    Ok(())
}

/// The notes' HTTP client: everything until the end, split once; what is behind the header is the body.
fn wrong_get(at: SocketAddr, path: &str) -> Result<String> {
    let mut stream = connect(at)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let (_header, body) = reply.split_once("\r\n\r\n").context("no header")?;
    Ok(body.to_owned())
}

/// What tcp-client makes of a page: its exit status, and what it saves.
fn tcp_client(play: &mut Play, at: SocketAddr, page: &str) -> Result<(Option<i32>, Option<String>)> {
    instead(play, "tcp-client")?;
    let client =
        play.stage.start(Lane::Client, "", "tcp-client", &["get", &format!("http://{at}/{page}")])?;
    let outcome = play.stage.wait_for_end(client)?;
    Ok((outcome.status, fs::read_to_string(play.stage.directory().join(page)).ok()))
}

fn chunk_sizes(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let origin = origin::start(play.ip, play.stage.recorder(""))?;
    let body = wrong_get(origin.address, "/chunked")?;
    let what = words!("the notes' client saves {body:?}", "笔记的客户端保存了 {body:?}");
    wrong(play, &what, body == "7\r\nHello, \r\n6\r\nworld!\r\n0\r\n\r\n")?;
    let found = tcp_client(play, origin.address, "chunked")?;
    let promise = Words::fixed("tcp-client saves the body alone", "tcp-client 只保存响应体");
    play.checks.equal(promise, &found, &(Some(0), Some("Hello, world!".into())));
    Ok(())
}

fn truncated(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let origin = origin::start(play.ip, play.stage.recorder(""))?;
    let body = wrong_get(origin.address, "/cut")?;
    let what = words!(
        "the notes' client saves {body:?}, 6 of 13 bytes, as if that were all",
        "笔记的客户端只收到 13 字节中的 {body:?}，却当作完整内容保存"
    );
    wrong(play, &what, body == "Hello,")?;
    let found = tcp_client(play, origin.address, "cut")?;
    let promise = Words::fixed("tcp-client fails and saves nothing", "tcp-client 报错，什么也不保存");
    play.checks.equal(promise, &found, &(Some(1), None));
    Ok(())
}

/// The notes' UDP client: sends, and believes whatever comes next, from whomever. Its wait would have no end;
/// here it has one, to be shown.
fn wrong_ask(socket: &UdpSocket, name: &[u8], server: SocketAddr) -> std::io::Result<String> {
    socket.send_to(name, server)?;
    let mut buffer = [0; 1024];
    let n = socket.recv(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..n]).into())
}

/// Gives up after half a second.
fn impatient_socket(play: &Play) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(play.loopback())?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    Ok(socket)
}

/// What udp-client says on a wire with this plan, behind which udp-server stands.
fn udp_client(play: &mut Play, plan: Plan) -> Result<Outcome> {
    instead(play, "udp-client")?;
    let any = play.loopback().to_string();
    let (_server, at) = play.stage.start_server("udp-server", &[&any])?;
    let wire = play.stage.relay_udp(at, plan)?.to_string();
    let args = [&wire, "Michael", "Tracy", "--timeout", "0.5", "--tries", "100"];
    let client = play.stage.start(Lane::Client, "", "udp-client", &args)?;
    play.stage.wait_for_end(client)
}

const BOTH: [&str; 2] = ["Hello, Michael!", "Hello, Tracy!"];

fn lost_reply(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let silent = UdpSocket::bind(play.loopback())?;
    let found = wrong_ask(&impatient_socket(play)?, b"Michael", silent.local_addr()?).map_err(|e| e.kind());
    let is_stuck = matches!(found, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut));
    wrong(
        play,
        &Words::fixed(
            "the notes' client got nothing in half a second, and would wait for ever",
            "笔记的客户端半秒钟什么也没等到，它会永远等下去",
        ),
        is_stuck,
    )?;
    let outcome =
        udp_client(play, Plan { up: Vec::new(), down: (1..=3).map(|reply| (reply, Fate::Lost)).collect() })?;
    let asked = play.stage.times_sent(b"Michael");
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

fn foreign_reply(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    // Two sockets: the one that is asked, and a stranger that answers in its stead.
    let (asked, stranger) = (datagram_socket(play.ip)?, datagram_socket(play.ip)?);
    let at = asked.local_addr()?;
    let recorder = play.stage.recorder("");
    let answering = thread::spawn(move || {
        let mut lies =
            [&b"send me your password"[..]].into_iter().chain(std::iter::repeat(&b"Hello, Michael!"[..]));
        loop {
            let (size, peer) = asked.recv_from(&mut [0; 64])?;
            let Some(lie) = lies.next().filter(|_| size > 0) else { return std::io::Result::Ok(()) };
            recorder.said(Lane::Server, format!("a stranger sends: {}", escape(lie)));
            stranger.send_to(lie, peer)?;
        }
    });
    let found = wrong_ask(&datagram_socket(play.ip)?, b"Michael", at)?;
    wrong(
        play,
        &words!("the notes' client believes a stranger: {found:?}", "笔记的客户端相信了陌生人：{found:?}"),
        found == "send me your password",
    )?;
    instead(play, "udp-client")?;
    let args = [&at.to_string(), "Michael", "--timeout", "0.3", "--tries", "2"];
    let client = play.stage.start(Lane::Client, "", "udp-client", &args)?;
    let outcome = play.stage.wait_for_end(client)?;
    datagram_socket(play.ip)?.send_to(b"", at)?; // nobody asks any more
    answering.join().ok().context("the stranger panicked")??;
    let promise = Words::fixed(
        "udp-client does not hear the stranger, not even with the right words",
        "udp-client 不接收陌生人的数据报，哪怕内容是对的",
    );
    play.checks.equal(promise, &(outcome.status, outcome.said), &(Some(1), Vec::new()));
    Ok(())
}

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
    let (_server, at) = play.stage.start_server("udp-server", &[&any])?;
    let name = "x".repeat(2000);
    let client = play.stage.start(Lane::Client, "", "udp-client", &[&at.to_string(), &name])?;
    let outcome = play.stage.wait_for_end(client)?;
    let promise = Words::fixed(
        "udp-server and udp-client carry all 2000",
        "udp-server 和 udp-client 把 2000 字节全部送到",
    );
    play.checks.equal(promise, &outcome.said, &vec![format!("Hello, {name}!")]);
    Ok(())
}

fn reset(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let (mut client, mut server) = pair(play.ip)?;
    client.write_all(b"a name that nobody reads")?;
    server.peek(&mut [0])?; // it has come
    server.write_all(b"goodbye")?;
    drop(server); // with the name unread
    let mut heard = Vec::new();
    let found = client.read_to_end(&mut heard).map_err(|e| e.kind());
    let heard = String::from_utf8_lossy(&heard).into_owned();
    wrong(
        play,
        &words!(
            "closed the notes' way, the client hears {heard:?}, then {found:?}",
            "按笔记的做法关闭，客户端收到 {heard:?}，然后是 {found:?}"
        ),
        found.is_err(),
    )?;

    instead(play, "tcp-server")?;
    let any = play.loopback().to_string();
    let (_server, at) = play.stage.start_server("tcp-server", &[&any, "--delay", "0"])?;
    let mut client = connect(at)?;
    // More than the server reads at once: some of it is still in the socket when it closes.
    client.write_all(format!("exit\n{}\n", "x".repeat(1000)).as_bytes())?;
    let mut all = String::new();
    let found = client.read_to_string(&mut all).map(|_| all).map_err(|e| e.kind());
    let promise = Words::fixed(
        "tcp-server ends its half and lets the client finish: an end, no reset",
        "tcp-server 先关闭写端，让客户端发完：收到的是流结束，不是复位",
    );
    play.checks.equal(promise, &found, &Ok("Welcome!\n".to_owned()));
    Ok(())
}

fn the_notes_way(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed("The notes' way.", "笔记的做法。"))
}

/// The turn from the mistake to the program that mends it.
fn instead(play: &mut Play, program: &str) -> Result<()> {
    play.act(&words!("What {program} does instead.", "再看 {program} 的做法。"))
}

/// The mistake has to be seen to fail, too.
fn wrong(play: &mut Play, what: &Words, failed: bool) -> Result<()> {
    play.evidence(what)?;
    let (en, zh) = (&what.en, &what.zh);
    play.checks.equal(words!("fails as predicted: {en}", "果然出错：{zh}"), &failed, &true);
    Ok(())
}

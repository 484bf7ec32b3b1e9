//! The mistakes of the notes' TCP server.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{decode, instead, the_notes_way, wrong};
use crate::lessons::{Lesson, TCP};
use crate::peers::guest::Guest;
use crate::peers::sockets::{connect, pair};
use crate::play::Play;
use crate::programs::program::Program;
use crate::wire::tcp_relay::Manner;
use crate::words::Words;

/// The notes' server loop: one read is one message, and text; it thinks before it looks at what came.
fn wrong_server_loop(mut stream: TcpStream, pause: Duration) -> std::io::Result<Vec<String>> {
    let mut heard = Vec::new();
    loop {
        let mut buffer = [0; 1024];
        let n = stream.read(&mut buffer)?;
        thread::sleep(pause);
        let name = decode(&buffer[..n])?;
        if n == 0 || name == "exit" {
            return Ok(heard);
        }
        stream.write_all(format!("Hello, {name}!").as_bytes())?;
        heard.push(name);
    }
}

/// Starts tcp-server, which pauses for so many seconds before each greeting; returns where it is, too.
fn tcp_server(play: &mut Play, delay: &str) -> Result<(Program, SocketAddr)> {
    instead(play, "tcp-server")?;
    let any = play.loopback().to_string();
    play.lab.start_server("tcp-server", &[&any, "--delay", delay])
}

pub const GLUED: Lesson = Lesson {
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
};

fn glued(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let (mut client, server) = pair(play.ip)?;
    client.write_all(b"Michaelexit")?; // two sends that the network carries as one
    client.shutdown(Shutdown::Write)?;
    let heard = wrong_server_loop(server, Duration::ZERO)?;
    wrong(
        play,
        &words!(
            "the notes' server greets {heard:?}, and sees no exit",
            "笔记的服务器问候 {heard:?}，没有识别出 exit"
        ),
        heard == ["Michaelexit"],
    )?;

    let (_server, at) = tcp_server(play, "0")?;
    let mut guest = Guest::arrived(play.lab.wire("", at, Manner::AsItComes)?)?;
    guest.says("Michael\nexit\n")?;
    let all = guest.hears_the_end()?;
    play.checks.equal(
        Words::fixed("tcp-server greets Michael and sees exit", "tcp-server 问候 Michael，并识别 exit"),
        &all,
        &"Welcome!\nHello, Michael!\n".to_owned(),
    );
    Ok(())
}

pub const RESET: Lesson = Lesson {
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
};

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

    let (_server, at) = tcp_server(play, "0")?;
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

pub const HALF_CHAR: Lesson = Lesson {
    name: "half-char",
    claims: &[(
        "M9",
        Words::fixed(
            "A character that arrives in two reads is no text: an exception ends the thread.",
            "一个字符分两次到达，第一次读到的不成文字：异常使线程结束。",
        ),
    )],
    lanes: TCP,
    play: half_char,
};

fn half_char(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let (mut client, server) = pair(play.ip)?;
    client.write_all(&"张".as_bytes()[..2])?; // the third byte is still under way
    let found = wrong_server_loop(server, Duration::ZERO).map_err(|e| e.kind());
    wrong(
        play,
        &words!(
            "from two of the three bytes of 张, the notes' server gets {found:?}",
            "“张”的三个字节只到了两个，笔记的服务器得到 {found:?}"
        ),
        found == Err(ErrorKind::InvalidData),
    )?;

    let (_server, at) = tcp_server(play, "0")?;
    let mut guest = Guest::arrived(play.lab.wire("", at, Manner::AsItComes)?)?;
    guest.says([b"Ann\n", &"张".as_bytes()[..2]].concat())?;
    guest.hears("Welcome!")?;
    guest.hears("Hello, Ann!")?; // hence what came with her name has been read
    guest.says([&"张".as_bytes()[2..], b"\nexit\n"].concat())?;
    let rest = guest.hears_the_end()?;
    let promise = Words::fixed(
        "tcp-server waits for the rest of 张 and of its line, and greets it",
        "tcp-server 等到“张”字和这一行收齐，才问候",
    );
    play.checks.equal(promise, &rest.as_str(), &"Hello, 张!\n");
    Ok(())
}

pub const SLOW_EXIT: Lesson = Lesson {
    name: "slow-exit",
    claims: &[(
        "M10",
        Words::fixed(
            "The server thinks before it looks at what came: exit takes a second, too.",
            "服务器先停顿，再看收到了什么：说 exit 也要等一秒。",
        ),
    )],
    lanes: TCP,
    play: slow_exit,
};

fn slow_exit(play: &mut Play) -> Result<()> {
    const PAUSE: Duration = Duration::from_millis(200);
    the_notes_way(play)?;
    let (mut client, server) = pair(play.ip)?;
    client.write_all(b"exit")?;
    let asked = Instant::now();
    let heard = wrong_server_loop(server, PAUSE)?;
    let waited = asked.elapsed();
    let (pause, ms) = (PAUSE.as_millis(), waited.as_millis());
    wrong(
        play,
        &words!(
            "the notes' server, thinking for {pause} ms here, takes {ms} ms to notice exit",
            "笔记的服务器（这里停顿 {pause} 毫秒）过了 {ms} 毫秒才识别出 exit"
        ),
        heard.is_empty() && waited >= PAUSE,
    )?;

    let (_server, at) = tcp_server(play, "3600")?;
    let mut guest = Guest::arrived(play.lab.wire("", at, Manner::AsItComes)?)?;
    guest.says("exit\n")?;
    let all = guest.hears_the_end()?;
    let promise = Words::fixed(
        "tcp-server pauses for an hour before a greeting here, and not before exit",
        "tcp-server 在这里问候之前要停顿一小时，收到 exit 却不停顿",
    );
    play.checks.equal(promise, &all.as_str(), &"Welcome!\n");
    Ok(())
}

//! The mistakes of the notes' TCP server.

use std::net::Shutdown;
use std::time::Instant;

use super::{decode, instead, wrong};
use crate::lessons::prelude::*;
use crate::wire::event::What;

/// How long the notes' server sleeps here; in the notes, it is a second.
const PAUSE: Duration = Duration::from_millis(200);

/// The notes' server loop: one read is one message, and text; it sleeps before it looks at the message.
fn wrong_server_loop(play: &Play, mut stream: TcpStream) -> io::Result<Vec<String>> {
    let mut heard = Vec::new();
    loop {
        let mut buffer = [0; 1024];
        let n = stream.read(&mut buffer)?;
        let read = if n == 0 { "b''".into() } else { escape(&buffer[..n]) };
        play.called(Side::Server, format!("recv(1024): {read}"));
        thread::sleep(PAUSE);
        let name = decode(&buffer[..n], Side::Server, play)?;
        if n == 0 || name == "exit" {
            play.called(Side::Server, "close()");
            return Ok(heard);
        }
        let greeting = format!("Hello, {name}!");
        play.called(Side::Server, format!("send: {greeting}"));
        stream.write_all(greeting.as_bytes())?;
        heard.push(name);
    }
}

/// Whom the notes' server greets when its client sends these bytes.
fn notes_server(play: &mut Play, bytes: &[u8], ends: bool) -> Result<Result<Vec<String>, ErrorKind>> {
    let listener = TcpListener::bind(play.loopback())?;
    let mut client = connect(play.lab.wire("", listener.local_addr()?, RelayMode::AsItComes)?)?;
    let mut server = listener.accept()?.0;
    server.set_read_timeout(Some(STUCK))?;
    play.called(Side::Server, "send: Welcome!");
    server.write_all(b"Welcome!")?;
    client.read_exact(&mut [0; 8])?;
    play.called(Side::Client, "recv(1024): Welcome!");
    client.write_all(bytes)?;
    if ends {
        client.shutdown(Shutdown::Write)?;
    }
    let greeted = wrong_server_loop(play, server).map_err(|e| e.kind());
    let mut all = Vec::new();
    client.read_to_end(&mut all)?;
    let all = escape(&all);
    play.said(Side::Client, &words!("recv until b'': {all}", "recv 直到 b''：{all}"));
    Ok(greeted)
}

/// What a client that sends these bytes receives from tcp-server, which waits before each greeting.
fn tcp_server(play: &mut Play, delay: &str, bytes: &[u8]) -> Result<String> {
    let (_server, at) = play.server("tcp-server", &["--delay", delay])?;
    let mut client = connect(play.lab.wire("", at, RelayMode::AsItComes)?)?;
    client.write_all(bytes)?;
    let mut all = Vec::new();
    client.read_to_end(&mut all)?;
    Ok(escape(&all))
}

pub fn glued(play: &mut Play) -> Result<()> {
    play.predict(
        "Michael and 'exit' arrive together. The notes' server reads up to 1024 bytes at a time.",
        "Michael 和 exit 一起到达。笔记的服务器每次读 1024 字节。",
        ("What does it do?", "它会怎样？"),
        &[
            ("greets Michael, and recognizes 'exit'", "问候 Michael，并识别 exit"),
            ("greets Michael, and then greets 'exit'", "问候 Michael，再问候“exit”"),
            ("greets Michaelexit", "问候一个叫“Michaelexit”的人"),
        ],
        "recv returns what has arrived; nothing marks where one message ends and the next begins.",
        "recv 返回已经到达的字节；一条消息到哪里为止，没有任何标记。",
    )?;
    // Like two sends that arrive together.
    let found = notes_server(play, b"Michaelexit", true)?;
    let Words { en, zh } = found.shown();
    let what = words!("the notes' server greets {en} and misses 'exit'", "笔记的服务器问候{zh}，没认出 exit");
    wrong(play, what, found == Ok(vec!["Michaelexit".into()]), 3);

    instead(play, "tcp-server")?;
    let all = tcp_server(play, "0", b"Michael\nexit\n")?;
    let promise =
        words!("tcp-server greets Michael and recognizes 'exit'", "tcp-server 问候 Michael，并识别 exit");
    play.checks.equal(promise, &all.as_str(), &r"Welcome!\nHello, Michael!\n");
    Ok(())
}

pub fn reset(play: &mut Play) -> Result<()> {
    play.predict(
        "The notes' server sends goodbye and closes, while its socket has an unread name.",
        "笔记的服务器发完 goodbye 就关闭，套接字里还有一个没读的名字。",
        ("How does the connection end for the client?", "客户端那边如何结束？"),
        &[
            ("with the end of the stream, as usual", "和往常一样：流结束（FIN）"),
            ("with an error in place of the end", "以错误结束，没有流结束"),
            ("it does not end: the client waits for an answer", "不结束：一直等待答复"),
        ],
        "data was thrown away, and the reset reports that (RFC 1122, section 4.2.2.13).",
        "有数据被丢弃，复位就是在报告这一点（RFC 1122，4.2.2.13 节）。",
    )?;
    // Without a relay, which would close its two connections in its own way.
    let (mut client, mut server) = pair(play.ip)?;
    client.write_all(b"a name that nobody reads")?;
    play.sent(Side::Server, b"a name that nobody reads");
    server.peek(&mut [0])?; // it has arrived
    server.write_all(b"goodbye")?;
    play.sent(Side::Client, b"goodbye");
    drop(server);
    play.said(Side::Server, &words!("close(), and the name is unread", "close()，名字还没有读"));
    let mut heard = Vec::new();
    let found = client.read_to_end(&mut heard).map(|_| ()).map_err(|e| e.kind());
    if found.is_err() {
        play.lab.record.recorder("").record(What::Broke { toward: Side::Client, as_reset: true });
    }
    let heard = escape(&heard);
    let Words { en, zh } = found.map_or_else(|e| e.shown(), |()| words!("an end of stream", "流结束（FIN）"));
    play.said(Side::Client, &words!("recv: '{heard}', then: {en}", "recv：“{heard}”，然后是：{zh}"));
    let what = words!("the client receives '{heard}', then: {en}", "客户端收到“{heard}”，然后是：{zh}");
    wrong(play, what, found.is_err(), 2);

    instead(play, "tcp-server")?;
    let (_server, at) = play.server("tcp-server", &["--delay", "0"])?;
    let mut client = connect(at)?;
    // More than the server reads at once, so that its socket has unread bytes when it closes.
    let words = format!("exit\n{}\n", "x".repeat(1000));
    client.write_all(words.as_bytes())?;
    play.sent(Side::Server, words.as_bytes());
    let mut all = String::new();
    let found = client.read_to_string(&mut all).map(|_| all).map_err(|e| e.kind());
    if let Ok(all) = &found {
        play.sent(Side::Client, all.as_bytes());
        play.ended(Side::Client);
    }
    let promise = words!(
        "tcp-server closes its sending half first and waits: the client sees an end of stream, no reset",
        "tcp-server 先关闭写端，让客户端发完：收到的是流结束（FIN），不是复位（RST）"
    );
    play.checks.equal(promise, &found, &Ok("Welcome!\n".to_owned()));
    Ok(())
}

pub fn half_char(play: &mut Play) -> Result<()> {
    play.predict(
        "Two of the three bytes of 张 arrive at the notes' server.",
        "“张”的三个字节，笔记的服务器只收到两个。",
        ("What does it do?", "它会怎样？"),
        &[
            ("it waits for the third", "等第三个字节"),
            ("it greets an unreadable character", "问候一个乱码字符"),
            ("its thread ends with an exception", "线程因异常而结束"),
        ],
        "recv returns what has arrived, but decode needs whole characters.",
        "recv 到多少返回多少，decode 却要求字符完整。",
    )?;
    // The third byte is still on its way.
    let found = notes_server(play, &"张".as_bytes()[..2], false)?;
    let Words { en, zh } = found.shown();
    let what = words!("from half of 张, the notes' server gets {en}", "“张”到两字节，笔记的服务器得到：{zh}");
    wrong(play, what, found == Err(ErrorKind::InvalidData), 3);

    instead(play, "tcp-server")?;
    let (_server, at) = play.server("tcp-server", &["--delay", "0"])?;
    let mut client = TcpPeer::connected(play.lab.wire("", at, RelayMode::AsItComes)?)?;
    client.sends([b"Ann\n", &"张".as_bytes()[..2]].concat());
    client.hears("Welcome!")?;
    client.hears("Hello, Ann!")?; // so the server has read what arrived with her name
    client.sends([&"张".as_bytes()[2..], b"\nexit\n"].concat());
    let rest = client.hears_out()?;
    let promise = words!("tcp-server awaits the whole line, and greets 张", "tcp-server 收齐整行才问候“张”");
    play.checks.equal(promise, &rest.as_str(), &"Hello, 张!\n");
    Ok(())
}

pub fn gbk_name(play: &mut Play) -> Result<()> {
    const GBK: &[u8] = b"\xd5\xc5\xc8\xfd";
    play.act(&words!(
        "A client sends 张三 in GBK, the four bytes d5 c5 c8 fd, to the notes' server.",
        "客户端把 GBK 编码的“张三”（四个字节 d5 c5 c8 fd）发给笔记的服务器。"
    ))?;
    let found = notes_server(play, GBK, false)?;
    let Words { en, zh } = found.shown();
    let what = words!("of 张三 in GBK, the notes' server gets {en}", "GBK 的“张三”，笔记的服务器得到：{zh}");
    wrong(play, what, found == Err(ErrorKind::InvalidData), 0);

    play.predict(
        "The same four bytes, d5 c5 c8 fd, are sent to tcp-server as a name.",
        "同样的四个字节 d5 c5 c8 fd 作为名字发给 tcp-server。",
        ("What does it answer?", "它怎样回答？"),
        &[
            ("with 张三 in UTF-8", "用 UTF-8 的“张三”"),
            ("with the four bytes, unchanged", "把这四个字节原样发回"),
            ("not at all: it closes the connection", "不回答，关闭连接"),
        ],
        "a socket carries bytes; both sides have to agree which text they mean.",
        "套接字传的是字节；它们是什么文字，要双方约定。",
    )?;
    let all = tcp_server(play, "0", &[GBK, b"\nexit\n"].concat())?;
    let promise = words!("tcp-server sends the same four bytes back", "tcp-server 原样发回这四个字节");
    let expected = escape(&[b"Welcome!\nHello, ", GBK, b"!\n"].concat());
    play.checks.equal(promise, &all, &expected);
    play.reveal((all == expected).then_some(2));
    Ok(())
}

pub fn slow_exit(play: &mut Play) -> Result<()> {
    play.predict(
        "The notes' server calls recv, then sleep(1), and only then looks at the message. A client sends 'exit'.",
        "笔记的服务器先 recv，再 sleep(1)，然后才看内容。客户端发送 exit。",
        ("When does the server close?", "服务器何时关闭？"),
        &[
            ("at once: there is no name to greet", "立即：没有谁要问候"),
            ("after the pause", "停顿之后"),
            ("when the client has closed", "客户端关闭之后"),
        ],
        "the loop sleeps before it checks the message.",
        "停顿写在判断之前，有没有事可做都要停。",
    )?;
    let asked = Instant::now();
    let found = notes_server(play, b"exit", false)?;
    let (pause, ms) = (PAUSE.as_millis(), asked.elapsed().as_millis());
    let what = words!(
        "the notes' server, which sleeps for {pause} ms here, needs {ms} ms in all to recognize 'exit'",
        "笔记的服务器（这里停顿 {pause} 毫秒）过了 {ms} 毫秒才识别出 exit"
    );
    wrong(play, what, found == Ok(Vec::new()) && ms >= pause, 2);

    instead(play, "tcp-server")?;
    let all = tcp_server(play, "3600", b"exit\n")?;
    let promise = words!(
        "tcp-server, started with a delay of an hour before greetings, closes at once on 'exit'",
        "tcp-server 在这里问候之前要停顿一小时，收到 exit 却立即关闭"
    );
    play.checks.equal(promise, &all.as_str(), &r"Welcome!\n");
    Ok(())
}

//! The mistakes of the notes' HTTP client.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result};
use common::narration::escape;

use super::{Question, WATCHED, decode, instead, the_notes_way, wrong};
use crate::checks::Ended;
use crate::lessons::{Lesson, WEB};
use crate::peers::origin;
use crate::peers::scripted_server::until_it_leaves;
use crate::peers::sockets::{connect, is_silence};
use crate::play::Play;
use crate::wire::event::Side;
use crate::wire::tcp_relay::RelayMode;
use crate::words::Words;

/// Sends the notes' request over a recorded wire.
fn requested(play: &mut Play, origin: SocketAddr, path: &str) -> Result<TcpStream> {
    let mut stream = connect(play.lab.wire("", origin, RelayMode::AsItComes)?)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes())?;
    Ok(stream)
}

/// The notes' HTTP client: reads to the end and splits once into the header, as text, and the body.
fn wrong_get(play: &mut Play, origin: SocketAddr, path: &str) -> Result<String> {
    let mut stream = requested(play, origin, path)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    let size = reply.len();
    play.said(
        Side::Client,
        &words!("recv(1024) until b'': {size} bytes", "recv(1024) 直到 b''：{size} 字节"),
    );
    let Some(end) = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        play.called(Side::Client, "split: ValueError");
        return Err(anyhow::anyhow!("no header"));
    };
    decode(&reply[..end], Side::Client, &play.lab.record.recorder(""))
        .context("a header that is not UTF-8")?;
    let body = &reply[end + 4..];
    play.called(Side::Client, format!("f.write: {}", escape(body)));
    Ok(String::from_utf8_lossy(body).into())
}

/// Runs tcp-client get: its exit status, and the file it saves.
fn tcp_client(play: &mut Play, at: SocketAddr, page: &str) -> Result<(Ended, Option<String>)> {
    let wire = play.lab.wire("", at, RelayMode::AsItComes)?;
    let client =
        play.lab.start(Side::Client, "", "tcp-client", &["get", &format!("http://{wire}/{page}")])?;
    let outcome = play.lab.wait_for_end(client)?;
    Ok((Ended::from(&outcome), fs::read_to_string(play.lab.directory().join(page)).ok()))
}

/// The expected exit status and file.
fn done(status: i32, saved: Option<&str>) -> (Ended, Option<String>) {
    (Ended::with(status), saved.map(str::to_owned))
}

pub const CHUNK_SIZES: Lesson = Lesson {
    name: "chunk-sizes",
    subject_zh: "混进网页的分块大小",
    claims: &[(
        "M2",
        Words::fixed(
            "A chunked body is saved with its chunk sizes in it.",
            "分块的响应体连同分块大小一起被保存。",
        ),
    )],
    lanes: WEB,
    play: chunk_sizes,
};

fn chunk_sizes(play: &mut Play) -> Result<()> {
    let question = Question {
        asks: Words::fixed(
            "The body arrives in two chunks, 'Hello, ' and 'world!'. What does the notes' client save?",
            "响应体分两块到来：“Hello, ”和“world!”。笔记的客户端保存了什么？",
        ),
        choices: [
            Words::fixed("Hello, world!", "Hello, world!"),
            Words::fixed("only the first chunk", "只有第一块"),
            Words::fixed("both chunks, and lines of hexadecimal digits", "两块，还有几行十六进制数字"),
        ],
        right: 3,
        why: Words::fixed(
            "the size of each chunk is part of the stream, before the chunk (RFC 9112, section 7.1).",
            "每块之前都有它的大小，就写在流里（RFC 9112，7.1 节）。",
        ),
    };
    let prediction = the_notes_way(play, &question)?;
    let origin = origin::start(play.ip, play.lab.record.recorder(""))?;
    let body = wrong_get(play, origin.address, "/chunked")?;
    let saved = escape(body.as_bytes());
    let what = words!("the notes' client saves '{saved}'", "笔记的客户端保存了“{saved}”");
    let failed = body == "7\r\nHello, \r\n6\r\nworld!\r\n0\r\n\r\n";
    wrong(play, &what, failed, &question, prediction)?;
    instead(play, "tcp-client")?;
    let found = tcp_client(play, origin.address, "chunked")?;
    let promise = Words::fixed("tcp-client saves only the body", "tcp-client 只保存响应体");
    play.checks.equal(promise, &found, &done(0, Some("Hello, world!")));
    Ok(())
}

pub const CUT_SHORT: Lesson = Lesson {
    name: "cut-short",
    subject_zh: "被截断的响应体",
    claims: &[(
        "M3",
        Words::fixed(
            "A body that was cut short is accepted as complete.",
            "被截断的响应体被当成完整的收下。",
        ),
    )],
    lanes: WEB,
    play: cut_short,
};

fn cut_short(play: &mut Play) -> Result<()> {
    let question = Question {
        asks: Words::fixed(
            "Content-Length announces 13 bytes, 6 arrive, and the server closes. What does the notes' client do?",
            "Content-Length 写着 13，只来了 6 字节，服务器就关闭了。笔记的客户端会怎样？",
        ),
        choices: [
            Words::fixed("it saves the 6 bytes, without an error", "保存这 6 字节，不报错"),
            Words::fixed("it ends with an exception", "因异常而结束"),
            Words::fixed("it waits for the other 7", "继续等另外 7 字节"),
        ],
        right: 1,
        why: Words::fixed(
            "an empty recv means the end of the stream, not that the body is complete.",
            "recv 返回空只表示流结束，并不表示响应体收全了。",
        ),
    };
    let prediction = the_notes_way(play, &question)?;
    let origin = origin::start(play.ip, play.lab.record.recorder(""))?;
    let body = wrong_get(play, origin.address, "/cut")?;
    let saved = escape(body.as_bytes());
    let what = words!(
        "the notes' client saves '{saved}', 6 of 13 bytes, as if it were complete",
        "笔记的客户端只收到 13 字节中的“{saved}”，却当作完整内容保存"
    );
    wrong(play, &what, body == "Hello,", &question, prediction)?;
    instead(play, "tcp-client")?;
    let found = tcp_client(play, origin.address, "cut")?;
    let promise = Words::fixed("tcp-client fails and saves nothing", "tcp-client 报错，什么也不保存");
    play.checks.equal(promise, &found, &done(1, None));
    Ok(())
}

pub const NO_HEADER: Lesson = Lesson {
    name: "no-header",
    subject_zh: "缺少或不是 UTF-8 的响应头",
    claims: &[(
        "M11",
        Words::fixed(
            "A reply without a header, or with a Latin-1 header, ends in an exception.",
            "没有响应头，或者响应头是 Latin-1 编码，程序就因异常而结束。",
        ),
    )],
    lanes: WEB,
    play: no_header,
};

fn no_header(play: &mut Play) -> Result<()> {
    const LATIN: &[u8] = b"HTTP/1.1 200 OK\r\nX-City: K\xf6ln\r\nContent-Length: 2\r\n\r\nhi";
    let question = Question {
        asks: Words::fixed(
            "A header has a Latin-1 byte, K\\xf6ln; the body is plain ASCII. What does the notes' client do?",
            "响应头里有一个 Latin-1 字节（K\\xf6ln），响应体没有问题。笔记的客户端会怎样？",
        ),
        choices: [
            Words::fixed("it saves the body, which it does not decode", "保存响应体：响应体并不解码"),
            Words::fixed("it ends with an exception, and saves nothing", "因异常而结束，什么也没保存"),
            Words::fixed("it prints a question mark, and saves the body", "打印一个问号，照样保存响应体"),
        ],
        right: 2,
        why: Words::fixed(
            "it first prints the header as UTF-8, but header bytes need not be UTF-8 (RFC 9110, section 5.5).",
            "它先按 UTF-8 打印响应头；响应头的字节却不一定是 UTF-8（RFC 9110，5.5 节）。",
        ),
    };
    let prediction = the_notes_way(play, &question)?;
    let latin = origin::replying(play.ip, |stream| stream.write_all(LATIN))?;
    let none = origin::replying(play.ip, |stream| stream.write_all(b"hi"))?;
    let mut failed = true;
    for (origin, why) in [(&latin, "a header that is not UTF-8"), (&none, "no header")] {
        let found = wrong_get(play, origin.address, "/").map_err(|e| e.to_string());
        failed &= found == Err(why.into());
    }
    let what = Words::fixed(
        "the notes' client ends with an exception in both cases",
        "两种情形下，笔记的客户端都因异常而结束",
    );
    wrong(play, &what, failed, &question, prediction)?;
    instead(play, "tcp-client")?;
    let found = tcp_client(play, latin.address, "latin")?;
    let promise = Words::fixed(
        "tcp-client does not decode the header, and saves the body",
        "tcp-client 不解码响应头，保存响应体",
    );
    play.checks.equal(promise, &found, &done(0, Some("hi")));
    let found = tcp_client(play, none.address, "none")?;
    let promise = Words::fixed(
        "without a header, tcp-client reports an error and saves nothing",
        "没有响应头，tcp-client 报错，什么也不保存",
    );
    play.checks.equal(promise, &found, &done(1, None));
    Ok(())
}

pub const KEPT_OPEN: Lesson = Lesson {
    name: "kept-open",
    subject_zh: "不关闭的连接",
    claims: &[(
        "M12",
        Words::fixed(
            "If the server does not close, the client waits forever, although everything arrived.",
            "服务器不关闭连接，客户端虽已收全，仍永远等下去。",
        ),
    )],
    lanes: WEB,
    play: kept_open,
};

fn kept_open(play: &mut Play) -> Result<()> {
    const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let question = Question {
        asks: Words::fixed(
            "Content-Length announces 2 bytes, and both arrive; the server leaves the connection open. What does \
             the notes' client do?",
            "Content-Length 写着 2，2 字节也到了；服务器不关闭连接。笔记的客户端会怎样？",
        ),
        choices: [
            Words::fixed("it keeps waiting", "继续等待"),
            Words::fixed("it saves the 2 bytes and ends", "保存 2 字节，结束"),
            Words::fixed("it ends with an exception", "因异常而结束"),
        ],
        right: 1,
        why: Words::fixed(
            "it ignores Content-Length: only an empty recv is the end for it.",
            "它不看 Content-Length：对它来说，只有 recv 返回空才是结束。",
        ),
    };
    let prediction = the_notes_way(play, &question)?;
    let origin = origin::replying(play.ip, |stream| {
        stream.write_all(REPLY)?;
        until_it_leaves(stream)
    })?;
    let mut stream = requested(play, origin.address, "/")?;
    let size = REPLY.len();
    stream.read_exact(&mut vec![0; size])?;
    play.said(Side::Client, &words!("recv(1024): {size} bytes", "recv(1024)：{size} 字节"));
    stream.set_read_timeout(Some(WATCHED))?;
    let next = stream.read(&mut [0]).map_err(|e| e.kind());
    let is_waiting = next.is_err_and(is_silence);
    if is_waiting {
        play.said(Side::Client, &Words::fixed("recv(1024): still waiting", "recv(1024)：仍在等待"));
    }
    let what = words!(
        "all {size} bytes have arrived; half a second later the notes' client still waits, and would wait forever",
        "全部 {size} 字节都到了；又过半秒，笔记的客户端还在等，会永远等下去"
    );
    drop(stream); // the server serves one client at a time
    wrong(play, &what, is_waiting, &question, prediction)?;
    instead(play, "tcp-client")?;
    let found = tcp_client(play, origin.address, "open")?;
    let promise = Words::fixed(
        "tcp-client counts bytes, and ends when all have arrived",
        "tcp-client 数着字节，收全就结束",
    );
    play.checks.equal(promise, &found, &done(0, Some("hi")));
    Ok(())
}

//! The mistakes of the notes' HTTP client.

use std::fs;

use super::{WATCHED, decode, instead, wrong};
use crate::lessons::page::quiet_origin;
use crate::lessons::prelude::*;
use crate::peers::origin;
use crate::peers::scripted_server::until_it_leaves;

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
    play.said(Side::Client, &words!("recv until b'': {size} bytes", "recv 直到 b''：{size} 字节"));
    let Some(end) = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        play.called(Side::Client, "split: ValueError");
        return Err(anyhow::anyhow!("no header"));
    };
    decode(&reply[..end], Side::Client, play).context("a header that is not UTF-8")?;
    let body = escape(&reply[end + 4..]);
    play.called(Side::Client, format!("f.write: {body}"));
    Ok(body)
}

/// Runs tcp-client get, and checks that it saves this body, or fails where there is none.
fn tcp_client(play: &mut Play, at: SocketAddr, page: &str, promise: Words, body: Option<&str>) -> Result<()> {
    instead(play, "tcp-client")?;
    let wire = play.lab.wire("", at, RelayMode::AsItComes)?;
    let outcome = play.run("", "tcp-client", &["get", &format!("http://{wire}/{page}")])?;
    let found = (Ended::from(&outcome), fs::read_to_string(play.lab.directory().join(page)).ok());
    play.checks.equal(promise, &found, &(Ended::with(i32::from(body.is_none())), body.map(str::to_owned)));
    Ok(())
}

pub fn chunk_sizes(play: &mut Play) -> Result<()> {
    play.predict(
        "The body arrives in two chunks, 'Hello, ' and 'world!'.",
        "响应体分两块到来：“Hello, ”和“world!”。",
        ("What does the notes' client save?", "笔记的客户端保存了什么？"),
        &[
            ("Hello, world!", "Hello, world!"),
            ("only the first chunk", "只有第一块"),
            ("both chunks, and lines of hexadecimal digits", "两块，还有几行十六进制数字"),
        ],
        "the size of each chunk is part of the stream, before the chunk (RFC 9112, section 7.1).",
        "每块之前都有它的大小，就写在流里（RFC 9112，7.1 节）。",
    )?;
    let origin = quiet_origin(play)?;
    let saved = wrong_get(play, origin.address, "/chunked")?;
    let what = words!("the notes' client saves '{saved}'", "笔记的客户端保存了“{saved}”");
    wrong(play, what, saved == r"7\r\nHello, \r\n6\r\nworld!\r\n0\r\n\r\n", 3);
    let promise = words!("tcp-client saves only the body", "tcp-client 只保存响应体");
    tcp_client(play, origin.address, "chunked", promise, Some("Hello, world!"))
}

pub fn cut_short(play: &mut Play) -> Result<()> {
    play.predict(
        "Content-Length announces 13 bytes, 6 arrive, and the server closes.",
        "Content-Length 写着 13，只来了 6 字节，服务器就关闭了。",
        ("What does the notes' client do?", "笔记的客户端会怎样？"),
        &[
            ("it saves the 6 bytes, without an error", "保存这 6 字节，不报错"),
            ("it ends with an exception", "因异常而结束"),
            ("it waits for the other 7", "继续等另外 7 字节"),
        ],
        "an empty recv means the end of the stream, not that the body is complete.",
        "recv 返回空只表示流结束，并不表示响应体收全了。",
    )?;
    let origin = quiet_origin(play)?;
    let saved = wrong_get(play, origin.address, "/cut")?;
    let what = words!(
        "the notes' client saves '{saved}', 6 of 13 bytes, as if it were complete",
        "笔记的客户端只收到 13 字节中的“{saved}”，却当作完整内容保存"
    );
    wrong(play, what, saved == "Hello,", 1);
    let promise = words!("tcp-client fails and saves nothing", "tcp-client 报错，什么也不保存");
    tcp_client(play, origin.address, "cut", promise, None)
}

pub fn no_header(play: &mut Play) -> Result<()> {
    const LATIN: &[u8] = b"HTTP/1.1 200 OK\r\nX-City: K\xf6ln\r\nContent-Length: 2\r\n\r\nhi";
    play.predict(
        "A header has a Latin-1 byte, K\\xf6ln; the body is plain ASCII.",
        "响应头里有一个 Latin-1 字节（K\\xf6ln），响应体没有问题。",
        ("What does the notes' client do?", "笔记的客户端会怎样？"),
        &[
            ("it saves the body, which it does not decode", "保存响应体：响应体并不解码"),
            ("it ends with an exception, and saves nothing", "因异常而结束，什么也没保存"),
            ("it prints a question mark, and saves the body", "打印一个问号，照样保存响应体"),
        ],
        "it first prints the header as UTF-8, but header bytes need not be UTF-8 (RFC 9110, section 5.5).",
        "它先按 UTF-8 打印响应头；响应头的字节却不一定是 UTF-8（RFC 9110，5.5 节）。",
    )?;
    let promise =
        words!("tcp-client decodes no header, and saves the body", "tcp-client 不解码响应头，保存响应体");
    exception(play, LATIN, "a header that is not UTF-8", "latin", promise, Some("hi"))?;
    play.act(&words!("Then a reply without a header.", "然后是没有响应头的响应。"))?;
    let promise = words!("tcp-client reports an error and saves nothing", "tcp-client 报错，什么也不保存");
    exception(play, b"hi", "no header", "none", promise, None)
}

/// Because of this reply, the notes' client ends with an exception; tcp-client does not.
fn exception(
    play: &mut Play,
    reply: &'static [u8],
    error: &str,
    page: &str,
    promise: Words,
    body: Option<&str>,
) -> Result<()> {
    let origin = origin::replying(play.ip, move |stream| stream.write_all(reply))?;
    let found = wrong_get(play, origin.address, "/").map_err(|e| e.to_string());
    let what = words!("the notes' client ends with an exception", "笔记的客户端因异常而结束");
    wrong(play, what, found == Err(error.into()), 2);
    tcp_client(play, origin.address, page, promise, body)
}

pub fn kept_open(play: &mut Play) -> Result<()> {
    const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    play.predict(
        "Content-Length announces 2 bytes, and both arrive; the server leaves the connection open.",
        "Content-Length 写着 2，2 字节也到了；服务器不关闭连接。",
        ("What does the notes' client do?", "笔记的客户端会怎样？"),
        &[
            ("it keeps waiting", "继续等待"),
            ("it saves the 2 bytes and ends", "保存 2 字节，结束"),
            ("it ends with an exception", "因异常而结束"),
        ],
        "it ignores Content-Length: only an empty recv is the end for it.",
        "它不看 Content-Length：对它来说，只有 recv 返回空才是结束。",
    )?;
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
        play.said(Side::Client, &words!("recv(1024): still waiting", "recv(1024)：仍在等待"));
    }
    let what = words!(
        "all {size} bytes have arrived; half a second later the notes' client still waits, and would wait forever",
        "全部 {size} 字节都到了；又过半秒，笔记的客户端还在等，会永远等下去"
    );
    drop(stream); // the server serves one client at a time
    wrong(play, what, is_waiting, 1);
    let promise = words!("tcp-client counts bytes, and ends after the last", "tcp-client 数字节，收全就结束");
    tcp_client(play, origin.address, "open", promise, Some("hi"))
}

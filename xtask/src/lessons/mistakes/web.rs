//! The mistakes of the notes' HTTP client.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result};

use super::{WATCHED, decode, instead, the_notes_way, wrong};
use crate::lessons::{Lesson, WEB};
use crate::peers::host::until_it_leaves;
use crate::peers::origin;
use crate::peers::sockets::{connect, is_silence};
use crate::play::Play;
use crate::wire::event::Lane;
use crate::wire::tcp_relay::Manner;
use crate::words::Words;

/// The notes' request, sent.
fn requested(at: SocketAddr, path: &str) -> Result<TcpStream> {
    let mut stream = connect(at)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes())?;
    Ok(stream)
}

/// The notes' HTTP client: everything until the end, split once; what is before is text, what is behind the body.
fn wrong_get(at: SocketAddr, path: &str) -> Result<String> {
    let mut stream = requested(at, path)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("no header")?;
    decode(&reply[..end]).context("a header that is not UTF-8")?;
    Ok(String::from_utf8_lossy(&reply[end + 4..]).into())
}

/// What tcp-client makes of a page: its exit status, and what it saves.
fn tcp_client(play: &mut Play, at: SocketAddr, page: &str) -> Result<(Option<i32>, Option<String>)> {
    let wire = play.lab.wire("", at, Manner::AsItComes)?;
    let client =
        play.lab.start(Lane::Client, "", "tcp-client", &["get", &format!("http://{wire}/{page}")])?;
    let outcome = play.lab.wait_for_end(client)?;
    Ok((outcome.status, fs::read_to_string(play.lab.directory().join(page)).ok()))
}

pub const CHUNK_SIZES: Lesson = Lesson {
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
};

fn chunk_sizes(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let origin = origin::start(play.ip, play.lab.record.recorder(""))?;
    let body = wrong_get(origin.address, "/chunked")?;
    let what = words!("the notes' client saves {body:?}", "笔记的客户端保存了 {body:?}");
    wrong(play, &what, body == "7\r\nHello, \r\n6\r\nworld!\r\n0\r\n\r\n")?;
    instead(play, "tcp-client")?;
    let found = tcp_client(play, origin.address, "chunked")?;
    let promise = Words::fixed("tcp-client saves the body alone", "tcp-client 只保存响应体");
    play.checks.equal(promise, &found, &(Some(0), Some("Hello, world!".into())));
    Ok(())
}

pub const CUT_SHORT: Lesson = Lesson {
    name: "cut-short",
    claims: &[(
        "M3",
        Words::fixed(
            "A body that was cut short is accepted as a whole one.",
            "被截断的响应体被当成完整的收下。",
        ),
    )],
    lanes: WEB,
    play: cut_short,
};

fn cut_short(play: &mut Play) -> Result<()> {
    the_notes_way(play)?;
    let origin = origin::start(play.ip, play.lab.record.recorder(""))?;
    let body = wrong_get(origin.address, "/cut")?;
    let what = words!(
        "the notes' client saves {body:?}, 6 of 13 bytes, as if that were all",
        "笔记的客户端只收到 13 字节中的 {body:?}，却当作完整内容保存"
    );
    wrong(play, &what, body == "Hello,")?;
    instead(play, "tcp-client")?;
    let found = tcp_client(play, origin.address, "cut")?;
    let promise = Words::fixed("tcp-client fails and saves nothing", "tcp-client 报错，什么也不保存");
    play.checks.equal(promise, &found, &(Some(1), None));
    Ok(())
}

pub const NO_HEADER: Lesson = Lesson {
    name: "no-header",
    claims: &[(
        "M11",
        Words::fixed(
            "A reply without a header, or with a Latin-1 one, ends in an exception.",
            "没有响应头，或者响应头是 Latin-1 编码，程序就以异常结束。",
        ),
    )],
    lanes: WEB,
    play: no_header,
};

fn no_header(play: &mut Play) -> Result<()> {
    const LATIN: &[u8] = b"HTTP/1.1 200 OK\r\nX-City: K\xf6ln\r\nContent-Length: 2\r\n\r\nhi";
    the_notes_way(play)?;
    let latin = origin::replying(play.ip, |stream| stream.write_all(LATIN))?;
    let none = origin::replying(play.ip, |stream| stream.write_all(b"hi"))?;
    let found = [&latin, &none].map(|origin| wrong_get(origin.address, "/").map_err(|e| e.to_string()));
    let what = words!("the notes' client gets {found:?}", "笔记的客户端得到 {found:?}");
    wrong(play, &what, found == [Err("a header that is not UTF-8".into()), Err("no header".into())])?;
    instead(play, "tcp-client")?;
    let found = tcp_client(play, latin.address, "latin")?;
    let promise = Words::fixed(
        "tcp-client decodes no header, and saves the body",
        "tcp-client 不解码响应头，保存响应体",
    );
    play.checks.equal(promise, &found, &(Some(0), Some("hi".into())));
    let found = tcp_client(play, none.address, "none")?;
    let promise = Words::fixed(
        "without a header, it fails with an error and saves nothing",
        "没有响应头，它报错，什么也不保存",
    );
    play.checks.equal(promise, &found, &(Some(1), None));
    Ok(())
}

pub const KEPT_OPEN: Lesson = Lesson {
    name: "kept-open",
    claims: &[(
        "M12",
        Words::fixed(
            "A server that does not close holds the client for ever, though all has come.",
            "服务器不关闭连接，客户端虽已收全，仍永远等下去。",
        ),
    )],
    lanes: WEB,
    play: kept_open,
};

fn kept_open(play: &mut Play) -> Result<()> {
    const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    the_notes_way(play)?;
    let origin = origin::replying(play.ip, |stream| {
        stream.write_all(REPLY)?;
        until_it_leaves(stream)
    })?;
    let mut stream = requested(origin.address, "/")?;
    let size = REPLY.len();
    stream.read_exact(&mut vec![0; size])?;
    stream.set_read_timeout(Some(WATCHED))?;
    let next = stream.read(&mut [0]).map_err(|e| e.kind());
    let what = words!(
        "all {size} bytes have come; half a second later, the notes' client gets {next:?}: it waits on, for ever",
        "全部 {size} 字节都到了；又过半秒，笔记的客户端得到 {next:?}：它会永远等下去"
    );
    drop(stream); // the origin has one client at a time
    wrong(play, &what, next.is_err_and(is_silence))?;
    instead(play, "tcp-client")?;
    let found = tcp_client(play, origin.address, "open")?;
    let promise =
        Words::fixed("tcp-client counts, and is done when all has come", "tcp-client 数着字节，收全就结束");
    play.checks.equal(promise, &found, &(Some(0), Some("hi".into())));
    Ok(())
}

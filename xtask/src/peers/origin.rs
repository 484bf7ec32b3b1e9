//! A loopback HTTP origin with one page for each way in which a body can end. What it sends is written out
//! byte for byte: it is the wire that a lesson is about.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::time::Duration;

use common::narration::escape;
use common::patience::Patient;

use crate::wire::event::{Lane, Recorder};
use crate::wire::listening::Listening;
use crate::words::Words;

/// A page: how its body ends, and the bytes of its reply.
#[derive(Debug)]
pub struct Page {
    /// The URL's path.
    pub path: &'static str,
    /// How the body ends.
    pub how: Words,
    /// The whole reply.
    pub reply: &'static str,
    /// The body in it, or none where the reply is cut short.
    pub body: Option<&'static str>,
}

/// One page for each way.
pub static PAGES: [Page; 5] = [
    Page {
        path: "/length",
        how: Words::fixed("after as many bytes as Content-Length says", "由 Content-Length 给出长度"),
        reply: "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!",
        body: Some("Hello, world!"),
    },
    Page {
        path: "/chunked",
        how: Words::fixed("with a chunk of size 0", "以大小为 0 的分块结尾"),
        reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nHello, \r\n6\r\nworld!\r\n0\r\n\r\n",
        body: Some("Hello, world!"),
    },
    Page {
        path: "/close",
        how: Words::fixed("where the connection is closed", "以关闭连接结束"),
        reply: "HTTP/1.1 200 OK\r\n\r\nHello, world!",
        body: Some("Hello, world!"),
    },
    Page {
        path: "/no-content",
        how: Words::fixed("before it begins: status 204 has none", "状态码 204，没有响应体"),
        reply: "HTTP/1.1 204 No Content\r\n\r\n",
        body: Some(""),
    },
    Page {
        path: "/cut",
        how: Words::fixed(
            "too early: 13 bytes are promised, 6 are sent",
            "提前中断，声明 13 字节，只发了 6 字节",
        ),
        reply: "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello,",
        body: None,
    },
];

/// For a client that does not say what it wants, or goes on and on.
const PATIENCE: Duration = Duration::from_secs(10);
const REQUEST_LIMIT: u64 = 8 * 1024;

/// Starts an origin that runs until it is dropped; what it is asked for appears in the server's lane.
///
/// # Errors
/// When the system gives it no socket.
pub fn start(ip: IpAddr, recorder: Recorder) -> io::Result<Listening> {
    on(TcpListener::bind((ip, 0))?, recorder)
}

/// Starts an origin that serves this listener, as [`start`].
///
/// # Errors
/// When the listener cannot tell its address.
pub fn on(listener: TcpListener, recorder: Recorder) -> io::Result<Listening> {
    Listening::start(listener, move |clients| {
        for stream in clients {
            let _ = answer(&stream, &recorder); // a client that leaves early is its own affair; its wire shows it
        }
    })
}

/// One client at a time, and the next one waits: so a client has a limit, in time and in bytes.
fn answer(mut stream: &TcpStream, recorder: &Recorder) -> io::Result<()> {
    let patient = Patient::new(stream, PATIENCE, PATIENCE).take(REQUEST_LIMIT);
    let mut lines =
        BufReader::new(patient).split(b'\n').map(|line| line.map(|line| escape(line.trim_ascii_end())));
    let request = lines.next().transpose()?.unwrap_or_default();
    recorder.said(Lane::Server, request.as_str());
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1);
    let page = PAGES.iter().find(|page| Some(page.path) == path);
    stream.write_all(
        page.map_or("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", |page| page.reply).as_bytes(),
    )
}

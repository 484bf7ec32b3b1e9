//! The baseline: the std calls that a program of ours is made of, and nothing else. No framing's limit, no time-out, no
//! narration, no stop. It is a hidden task: figures are those of a process.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

use anyhow::{Context, Result};
use common::args::{self, Args};
use common::narration::say;

pub const BASELINE: &str = "bare-calls";

/// Serves TCP (`tcp`, or `ready`: with threads that are there already) or UDP (`udp`) on a free port of 127.0.0.1,
/// or fetches a page into a file (`get HOST:PORT FILE`).
pub fn run(mut args: Args) -> Result<()> {
    match args.operand_or::<String>("WHAT", "")?.as_str() {
        "tcp" => a_thread_a_client(),
        "ready" => threads_that_are_ready(),
        "udp" => datagrams(),
        "get" => get(args.operand_or("HOST:PORT", "")?, &args.operand()?.unwrap_or_default()),
        _ => Err(args::usage("it is tcp, ready, udp or get")),
    }
}

fn listener() -> Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    say(&format!("listening on {}", listener.local_addr()?))?;
    Ok(listener)
}

fn a_thread_a_client() -> Result<()> {
    for stream in listener()?.incoming() {
        let stream = stream?;
        thread::Builder::new().spawn(move || converse(&stream))?;
    }
    Ok(())
}

fn threads_that_are_ready() -> Result<()> {
    let listener = listener()?;
    thread::scope(|scope| {
        // As many as clients come at once.
        for _ in 0..64 {
            scope.spawn(|| listener.incoming().flatten().for_each(|stream| drop(converse(&stream))));
        }
    });
    Ok(())
}

fn converse(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"Welcome!\n")?;
    let mut reader = BufReader::with_capacity(128, stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        line.pop();
        stream.write_all(&[b"Hello, ", &line[..], b"!\n"].concat())?;
        line.clear();
    }
    Ok(())
}

fn datagrams() -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    say(&format!("bound to {}", socket.local_addr()?))?;
    let mut buffer = vec![0; common::datagram::BUFFER];
    loop {
        let (size, peer) = socket.recv_from(&mut buffer)?;
        socket.send_to(&[b"Hello, ", &buffer[..size], b"!"].concat(), peer)?;
    }
}

/// Saves the whole reply, its header included.
fn get(at: SocketAddr, file: &OsString) -> Result<()> {
    let mut stream = TcpStream::connect(at)?;
    stream.write_all(format!("GET /page HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut file = File::create(file).context("cannot create the file")?;
    let mut buffer = vec![0; 16 << 10];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            size => file.write_all(&buffer[..size])?,
        }
    }
}

//! The notes' TCP client, which fetches a page, and the client that talks to the notes' TCP server.

mod output;

use std::ffi::OsStr;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use common::address::{self, HostPort};
use common::args::{self, Args};
use common::framing::{self, Framing};
use common::narration::{self, escape};
use common::timed_stream::TimedStream;
use common::url::Url;
use common::{greeting, http, stop};

use output::Output;

/// All waits of an exchange together may take this many times the limit of one wait.
const TOTAL_FACTOR: u32 = 120;

fn main() -> ExitCode {
    let who = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    args::run(who, include_str!("help.txt"), |mut args: Args| match args.command_or("get")?.as_str() {
        "get" => {
            let file = args.file("-o")?;
            let timeout = args.seconds("--timeout", 30.0, 0.01..=3600.0)?;
            let url: Url = args.operand_or("URL", "http://www.google.com/")?;
            args.finish()?;
            let file = file.unwrap_or_else(|| url.file_name().into());
            get(&url, &file, timeout).with_context(|| format!("cannot get http://{}{}", url.host, url.target))
        }
        "greet" => {
            let how = args.value("--framing", Framing::Line)?;
            let timeout = args.seconds("--timeout", 10.0, 0.01..=3600.0)?;
            let peer = args.operand_or("HOST:PORT", "127.0.0.1:9999")?;
            let names = args.names(&["Michael", "Tracy", "Sarah"], framing::LIMIT)?;
            greet(&peer, &names, how, timeout)
        }
        other => Err(args::usage(format!("unknown command '{other}': it is get or greet"))),
    })
}

/// Asks for a page, prints the header of the reply and saves its body.
fn get(url: &Url, file: &OsStr, timeout: Duration) -> Result<()> {
    let mut output = Output::open(file)?; // before asking for a page that could not be saved
    let starter = "on this machine, cargo xtask origin";
    let stream = address::connect(&url.peer, timeout, TcpStream::connect_timeout, starter)?;
    let mut timed = TimedStream::new(&stream, timeout, TOTAL_FACTOR * timeout);
    let (host, target) = (&url.host, &url.target);
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let sent = timed.write_all(request.as_bytes());

    let mut reader = BufReader::with_capacity(http::BUFFER, timed);
    let (head, body_end) = http::read_reply(&mut reader, sent)?;
    output.narrate(&head.lines.iter().map(|line| escape(line) + "\n").collect::<String>());
    ensure!(head.status != 304, "304 says that an older copy is still right: there is nothing to save");
    let bytes = http::copy_body(&mut reader, body_end, &mut output)?;
    output.finish(bytes, reader.get_ref().reads)
}

/// Has the notes' conversation: a welcome, a greeting for each name, `exit`, and the close.
fn greet(peer: &HostPort, names: &[Vec<u8>], how: Framing, timeout: Duration) -> Result<()> {
    stop::end_client_on_signal()?;
    let starter = address::starter("tcp-server", peer, how.option());
    let stream = address::connect(peer, timeout, TcpStream::connect_timeout, &starter)?;
    stream.set_nodelay(true)?;
    let timed = || TimedStream::new(&stream, timeout, TOTAL_FACTOR * timeout);
    let mut writer = timed();
    let mut reader = BufReader::with_capacity(framing::REPLY_LIMIT, timed());
    let mut receive = || framing::read(&mut reader, how, framing::REPLY_LIMIT);
    let mut send = |message: &[u8]| framing::write(&mut writer, how, message);

    let Some(welcome) = receive().context("no whole welcome (is it tcp-server with this framing?)")? else {
        bail!("the server at {peer} closed the connection before it said anything");
    };
    narration::say(&escape(&welcome))?;
    for name in names {
        let shown = escape(name);
        send(name).with_context(|| format!("cannot send '{shown}'"))?;
        let no_greeting = || format!("no greeting for '{shown}' (do both use the same framing?)");
        let Some(reply) = receive().with_context(no_greeting)? else {
            bail!("the server closed the connection before it greeted '{shown}'");
        };
        narration::say(&escape(&reply))?;
        let is_right = reply == greeting::of(name);
        ensure!(is_right, "that is not the greeting for '{shown}' - do both use the same framing?");
    }
    send(greeting::EXIT).context("cannot say exit")?;
    match receive().context("the server did not close the connection")? {
        None => Ok(()),
        Some(more) => bail!("the server went on after exit: {}", escape(&more)),
    }
}

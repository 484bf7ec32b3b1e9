//! The notes' TCP client, which fetches a page, and the client that talks to the notes' TCP server.

mod output;

use std::io::{BufReader, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use common::address::{self, HostPort};
use common::args::{self, Args};
use common::framing::{self, Framing};
use common::greeting;
use common::http;
use common::narration::{self, escape};
use common::patience::Patient;
use common::url::Url;

use output::Output;

/// How many times the wait for the next bytes the whole exchange may take.
const TOTAL: u32 = 120;

fn main() -> ExitCode {
    args::run(env!("CARGO_PKG_NAME"), include_str!("help.txt"), |mut args: Args| {
        match args.command("get")?.as_str() {
            "get" => {
                let file = args.given::<String>("-o")?;
                let timeout = args.seconds("--timeout", 30.0, 0.01..=3600.0)?;
                let url: Url = args.operand_or("URL", "http://www.google.com/")?;
                args.finish()?;
                let file = file.unwrap_or_else(|| url.file_name().to_owned());
                get(&url, &file, timeout)
                    .with_context(|| format!("cannot get http://{}{}", url.host, url.target))
            }
            "greet" => {
                let framing = args.value("--framing", Framing::Line)?;
                let timeout = args.seconds("--timeout", 10.0, 0.01..=3600.0)?;
                let peer = args.operand_or("HOST:PORT", "127.0.0.1:9999")?;
                let names = args.names(&["Michael", "Tracy", "Sarah"])?;
                if let Some(name) = names.iter().find(|name| name.len() > framing::LIMIT) {
                    let (limit, length) = (framing::LIMIT, name.len());
                    return Err(args::usage(format!(
                        "a name is at most {limit} bytes; this one has {length}"
                    )));
                }
                greet(&peer, &names, framing, timeout)
            }
            other => Err(args::usage(format!("unknown command '{other}': it is get or greet"))),
        }
    })
}

/// Asks for a page, prints the header of the reply and saves its body.
fn get(url: &Url, file: &str, timeout: Duration) -> Result<()> {
    let mut stream = address::connect(&url.peer, timeout)?;
    stream.set_write_timeout(Some(timeout))?;
    let (host, target) = (&url.host, &url.target);
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).context("the server would not take the request")?;

    let mut from = BufReader::with_capacity(http::BUFFER, Patient::new(&stream, timeout, TOTAL * timeout));
    let head = http::read_head(&mut from)?;
    let framing = http::body_framing(&head)?;
    let mut output = Output::open(file)?;
    output.narrate(&head.lines.iter().map(|line| escape(line) + "\n").collect::<String>())?;
    let bytes = http::copy_body(&mut from, framing, &mut output)?;
    let reads = from.get_ref().reads;
    output.finish(&format!("{bytes} bytes in {reads} {}", if reads == 1 { "read" } else { "reads" }))
}

/// Holds the notes' conversation: a welcome, a greeting for each name, `exit`, and the close.
fn greet(peer: &HostPort, names: &[Vec<u8>], framing: Framing, timeout: Duration) -> Result<()> {
    let stream = address::connect(peer, timeout)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(timeout))?;
    let patient = Patient::new(&stream, timeout, TOTAL * timeout);
    let mut from = BufReader::with_capacity(framing::REPLY_LIMIT, patient);
    let mut receive = || framing::read(&mut from, framing, framing::REPLY_LIMIT);
    let send = |message: &[u8]| framing::write(&mut &stream, framing, message);

    let Some(welcome) = receive().context("no welcome came - is it a tcp-server with this framing?")? else {
        bail!("the server at {peer} closed the connection before it said anything");
    };
    narration::say(&escape(&welcome))?;
    for name in names {
        let shown = escape(name);
        send(name).with_context(|| format!("cannot send '{shown}'"))?;
        let Some(reply) = receive().with_context(|| format!("no greeting came for '{shown}'"))? else {
            bail!("the server closed the connection before it greeted '{shown}'");
        };
        narration::say(&escape(&reply))?;
        ensure!(
            reply == greeting::of(name),
            "that is not the greeting for '{shown}' - do both use one framing?"
        );
    }
    send(greeting::EXIT).context("cannot say exit")?;
    match receive().context("the server did not close the connection")? {
        None => Ok(()),
        Some(more) => bail!("the server went on after exit: {}", escape(&more)),
    }
}

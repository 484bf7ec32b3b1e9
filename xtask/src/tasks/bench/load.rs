//! The load: what asks, counts and looks at the clock. It must not be what is measured, and says its own share. All of
//! it is one thread, which asks each client's question again as soon as that client has its answer: two calls an
//! answer, and no wait while any of the answers is there.

use std::io::{Read, Write};
use std::iter;
use std::net::TcpStream;
use std::process::{self, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use common::narration::escape;

use super::variants::Variant;
use crate::peers::{origin, sockets};
use crate::programs::figures::{self, used};
use crate::programs::server::Server;
use crate::tasks::shown::LOOPBACK;

/// How long each side is measured in a round.
const TIME: Duration = Duration::from_millis(400);
const QUESTION: &str = "Michael\n";
const WELCOME: &str = "Welcome!\n";
const ANSWER: &str = "Hello, Michael!\n";

/// What one side was seen to cost in one round.
#[derive(Clone, Debug)]
pub struct Measured {
    pub costs: [f64; 2],
    /// How many answers, clients or pages they are the mean of.
    pub count: u32,
    /// How much of one core the load took meanwhile, where time was measured.
    pub load: Option<f64>,
}

/// Takes turns for a while, each with `count` answers, clients or pages: time and CPU for each, in microseconds.
fn timed(server: Option<&Server>, count: u32, mut turn: impl FnMut() -> Result<()>) -> Result<Measured> {
    // By the server, or else by the children that have ended; and by the load.
    let used_so_far = || {
        let load = used(process::id()).context("/proc does not tell what was used")?;
        let measured = match server {
            Some(server) => used(server.program.pid).context("the server has ended")?.own,
            None => load.children,
        };
        Ok::<_, anyhow::Error>([measured, load.own])
    };
    let (before, began, mut counted) = (used_so_far()?, Instant::now(), 0);
    while counted == 0 || began.elapsed() < TIME {
        turn()?;
        counted += count;
    }
    let (time, now) = (began.elapsed().as_secs_f64(), used_so_far()?);
    let [measured, load] = [0, 1].map(|of| now[of].saturating_sub(before[of]).as_secs_f64());
    let each = 1e6 / f64::from(counted);
    Ok(Measured { costs: [time * each, measured * each], count: counted, load: Some(load / time) })
}

fn hears(mut stream: &TcpStream, expected: &str) -> Result<()> {
    let mut buffer = [0; 64];
    let heard = &mut buffer[..expected.len()];
    stream.read_exact(heard).context("no answer came")?;
    is_right(heard, expected)
}

fn is_right(heard: &[u8], expected: &str) -> Result<()> {
    ensure!(heard == expected.as_bytes(), "heard '{}' instead of '{expected}'", escape(heard));
    Ok(())
}

fn ask(mut client: &TcpStream) -> Result<()> {
    client.write_all(QUESTION.as_bytes()).context("cannot ask")
}

fn crowd(server: &Server, size: u32) -> Result<Vec<TcpStream>> {
    let arrive = |_| {
        let client = sockets::connect(server.address)?;
        hears(&client, WELCOME).map(|()| client)
    };
    (0..size).map(arrive).collect()
}

pub fn tcp(variant: Variant, count: u32) -> Result<Measured> {
    let server = variant.server("tcp")?;
    let clients = crowd(&server, count)?;
    let ask_again = |client: &TcpStream| hears(client, ANSWER).and_then(|()| ask(client));
    clients.iter().try_for_each(ask)?;
    clients.iter().try_for_each(ask_again)?; // what happens once is over
    let measured = timed(Some(&server), count, || clients.iter().try_for_each(ask_again))?;
    clients.iter().try_for_each(|client| hears(client, ANSWER))?;
    Ok(measured)
}

pub fn churn(variant: Variant, at_once: u32) -> Result<Measured> {
    let server = variant.server("tcp")?;
    let arrive = || {
        let client = sockets::connect(server.address)?;
        ask(&client).map(|()| client)
    };
    let mut clients = iter::repeat_with(arrive).take(at_once as usize).collect::<Result<Vec<_>>>()?;
    let mut change = |client: &mut TcpStream| {
        hears(client, WELCOME)?;
        hears(client, ANSWER)?;
        arrive().map(|next| *client = next)
    };
    clients.iter_mut().try_for_each(&mut change)?;
    timed(Some(&server), at_once, || clients.iter_mut().try_for_each(&mut change))
}

/// TCP clients that have been welcomed and are silent: bytes of memory and threads for each.
pub fn idle(variant: Variant, clients: u32) -> Result<Measured> {
    let server = variant.server("tcp")?;
    let _first = crowd(&server, 1)?; // what is taken once and for all is not counted
    let figures = || {
        let both = figures::resident(server.program.pid).zip(figures::status(server.program.pid, "Threads"));
        both.context("/proc does not tell what is taken")
    };
    let before = figures()?;
    let _crowd = crowd(&server, clients)?;
    let after = figures()?;
    let each = |before, after: u64| {
        Ok::<_, anyhow::Error>(f64::from(u32::try_from(after.saturating_sub(before))?) / f64::from(clients))
    };
    let costs = [each(before.0, after.0)? * 1024.0, each(before.1, after.1)?];
    Ok(Measured { costs, count: clients, load: None })
}

pub fn udp(variant: Variant, outstanding: u32) -> Result<Measured> {
    let server = variant.server("udp")?;
    let socket = sockets::datagram_socket(LOOPBACK[0])?;
    socket.connect(server.address)?;
    let ask = || socket.send(QUESTION.trim_end().as_bytes()).map(|_| ()).context("cannot ask");
    let hear = || {
        let mut buffer = [0; 64];
        let size = socket.recv(&mut buffer).context("no answer came")?;
        is_right(&buffer[..size], ANSWER.trim_end())
    };
    let ask_again = |_| hear().and_then(|()| ask());
    (0..outstanding).try_for_each(|_| ask())?;
    (0..100).try_for_each(ask_again)?;
    let measured = timed(Some(&server), 64, || (0..64).try_for_each(ask_again))?;
    (0..outstanding).try_for_each(|_| hear())?;
    Ok(measured)
}

/// A page of this many KiB, got by one process after another; time and CPU for each in milliseconds.
pub fn get(variant: Variant, kibibytes: u32) -> Result<Measured> {
    let page = vec![b'x'; kibibytes as usize * 1024];
    let header = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", page.len());
    let host = origin::replying(LOOPBACK[0], move |stream| {
        stream.write_all(header.as_bytes())?;
        stream.write_all(&page)
    })?;
    let get = || {
        let mut command = variant.client(host.address)?;
        let output = command.stdin(Stdio::null()).output().context("cannot start a client")?;
        ensure!(output.status.success(), "a client ended: {}", escape(&output.stderr));
        Ok(())
    };
    get()?;
    let mut measured = timed(None, 1, get)?;
    measured.costs = measured.costs.map(|cost| cost / 1e3);
    Ok(measured)
}

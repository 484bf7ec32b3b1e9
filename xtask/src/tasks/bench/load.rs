//! The load: what asks, counts and looks at the clock. It must not be what is measured, and says its own share. All of
//! it is one thread, which asks each client's question again as soon as that client has its answer: two calls an
//! answer, and no wait while any of the answers is there.

use std::fs;
use std::io::{Read, Write};
use std::iter;
use std::net::{IpAddr, Ipv4Addr, TcpStream, UdpSocket};
use std::process::{self, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use common::narration::escape;

use super::variants::Variant;
use crate::peers::{origin, sockets};
use crate::programs::figures::{self, busy, used};
use crate::programs::scratch::Scratch;
use crate::programs::server::Server;

/// How long each side is measured in a round.
const TIME: Duration = Duration::from_millis(400);
const NAME: &str = "Michael";
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What one side was seen to cost in one round.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The work's two figures.
    pub costs: [f64; 2],
    /// How many answers, clients or pages they are the mean of.
    pub count: u32,
    /// Shares of one core meanwhile, where time was measured.
    pub shares: Option<Shares>,
}

/// Shares of one core, from 0 to how many cores there are.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    pub load: f64,
    pub others: f64,
}

/// What has been used so far by the server, or else by the children that have ended; by the load; by all together.
fn used_so_far(server: Option<u32>) -> Result<[Duration; 3]> {
    let load = used(process::id()).context("/proc does not tell what was used")?;
    let measured = match server {
        Some(pid) => used(pid).context("the server has ended")?.own,
        None => load.children,
    };
    Ok([measured, load.own, busy().context("/proc/stat does not tell what was used")?])
}

/// Takes turns for a while, each with `count` answers, clients or pages: time and CPU for each, in microseconds.
fn timed(server: Option<&Server>, count: u32, mut turn: impl FnMut() -> Result<()>) -> Result<Measured> {
    let server = server.map(|server| server.program.pid);
    let (before, began, mut counted) = (used_so_far(server)?, Instant::now(), 0);
    while counted == 0 || began.elapsed() < TIME {
        turn()?;
        counted += count;
    }
    let (time, now) = (began.elapsed().as_secs_f64(), used_so_far(server)?);
    let [measured, load, all] = [0, 1, 2].map(|of| now[of].saturating_sub(before[of]).as_secs_f64());
    let each = 1e6 / f64::from(counted);
    let shares = Shares { load: load / time, others: (all - measured - load).max(0.0) / time };
    Ok(Measured { costs: [time * each, measured * each], count: counted, shares: Some(shares) })
}

/// One end of a conversation with a TCP server.
struct LoadClient {
    stream: TcpStream,
    question: String,
    welcome: String,
    answer: String,
}

impl LoadClient {
    fn arrives(server: &Server, variant: Variant) -> Result<Self> {
        let end = variant.end_of_message();
        let [question, welcome, answer] =
            [NAME, "Welcome!", &format!("Hello, {NAME}!")].map(|text| text.to_owned() + end);
        Ok(Self { stream: sockets::connect(server.address)?, question, welcome, answer })
    }

    fn is_welcomed(&self) -> Result<()> {
        hears(&self.stream, &self.welcome)
    }

    fn asks(&self) -> Result<()> {
        (&self.stream).write_all(self.question.as_bytes()).context("cannot ask")
    }

    fn is_answered(&self) -> Result<()> {
        hears(&self.stream, &self.answer)
    }
}

/// The very bytes, whatever partition they come in.
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

fn crowd(server: &Server, variant: Variant, size: u32) -> Result<Vec<LoadClient>> {
    let arrive = |_| {
        let client = LoadClient::arrives(server, variant)?;
        client.is_welcomed().map(|()| client)
    };
    (0..size).map(arrive).collect()
}

/// TCP clients, each of which asks as soon as it is answered.
pub fn tcp(variant: Variant, count: u32) -> Result<Measured> {
    let server = variant.server("tcp")?;
    let clients = crowd(&server, variant, count)?;
    let ask_again = |client: &LoadClient| client.is_answered().and_then(|()| client.asks());
    clients.iter().try_for_each(LoadClient::asks)?;
    clients.iter().try_for_each(ask_again)?; // what happens once is over
    let measured = timed(Some(&server), count, || clients.iter().try_for_each(ask_again))?;
    clients.iter().try_for_each(LoadClient::is_answered)?;
    Ok(measured)
}

/// TCP clients at once, each of which connects, asks once and leaves, and the next one comes.
pub fn churn(variant: Variant, at_once: u32) -> Result<Measured> {
    let server = variant.server("tcp")?;
    let arrive = || {
        let client = LoadClient::arrives(&server, variant)?;
        client.asks().map(|()| client)
    };
    let mut clients = iter::repeat_with(arrive).take(at_once as usize).collect::<Result<Vec<_>>>()?;
    let mut change = |client: &mut LoadClient| {
        client.is_welcomed()?;
        client.is_answered()?;
        *client = arrive()?;
        Ok::<_, anyhow::Error>(())
    };
    clients.iter_mut().try_for_each(&mut change)?;
    timed(Some(&server), at_once, || clients.iter_mut().try_for_each(&mut change))
}

/// TCP clients that have been welcomed and are silent: bytes of memory and threads for each.
pub fn idle(variant: Variant, clients: u32) -> Result<Measured> {
    let server = variant.server("tcp")?;
    let _first = crowd(&server, variant, 1)?; // what is taken once and for all is not counted
    let figures = || {
        let pid = server.program.pid;
        let both = figures::resident(pid).zip(figures::status(pid, "Threads"));
        both.context("/proc does not tell what is taken")
    };
    let before = figures()?;
    let _crowd = crowd(&server, variant, clients)?;
    let after = figures()?;
    let each = |before, after: u64| {
        Ok::<_, anyhow::Error>(f64::from(u32::try_from(after.saturating_sub(before))?) / f64::from(clients))
    };
    let costs = [each(before.0, after.0)? * 1024.0, each(before.1, after.1)?];
    Ok(Measured { costs, count: clients, shares: None })
}

/// One UDP socket, with this many datagrams on their way.
pub fn udp(variant: Variant, outstanding: u32) -> Result<Measured> {
    let server = variant.server("udp")?;
    let socket: UdpSocket = sockets::datagram_socket(LOCALHOST)?;
    socket.connect(server.address)?;
    let answer = format!("Hello, {NAME}!");
    let ask = || socket.send(NAME.as_bytes()).map(|_| ()).context("cannot ask");
    let hear = || {
        let mut buffer = [0; 64];
        let size = socket.recv(&mut buffer).context("no answer came")?;
        is_right(&buffer[..size], &answer)
    };
    let ask_again = |_| hear().and_then(|()| ask());
    (0..outstanding).try_for_each(|_| ask())?;
    (0..100).try_for_each(ask_again)?;
    let measured = timed(Some(&server), 64, || (0..64).try_for_each(ask_again))?;
    (0..outstanding).try_for_each(|_| hear())?;
    Ok(measured)
}

/// A page of this many MiB, got again and again, and thrown away: the disk is not what is measured.
pub fn get(variant: Variant, mebibytes: u32) -> Result<Measured> {
    pages(variant, mebibytes, 1 << 20, true)
}

/// A page of this many KiB, each got by a process that starts for it, saves it and ends.
pub fn start(variant: Variant, kibibytes: u32) -> Result<Measured> {
    pages(variant, kibibytes, 1 << 10, false)
}

/// A page in pieces, got by one process after another; time and CPU for each in milliseconds.
fn pages(variant: Variant, pieces: u32, size: usize, is_thrown_away: bool) -> Result<Measured> {
    let (piece, length) = (vec![b'x'; size], size * pieces as usize);
    let header = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let host = origin::replying(LOCALHOST, move |stream| {
        stream.write_all(header.as_bytes())?;
        (0..pieces).try_for_each(|_| stream.write_all(&piece))
    })?;
    let scratch = Scratch::new()?;
    let file = if is_thrown_away { "/dev/null".into() } else { scratch.path().join("page") };
    let get = || {
        let mut command = variant.client(host.address, &file)?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let output = command.output().context("cannot start a client")?;
        ensure!(output.status.success(), "a client ended: {}", escape(&output.stderr));
        if !is_thrown_away {
            let saved = fs::metadata(&file)?.len();
            ensure!(saved >= length as u64, "{saved} bytes were saved of {length}"); // the baseline's has the header, too
            fs::remove_file(&file)?;
        }
        Ok(())
    };
    get()?;
    let mut measured = timed(None, 1, get)?;
    measured.costs = measured.costs.map(|cost| cost / 1e3);
    Ok(measured)
}

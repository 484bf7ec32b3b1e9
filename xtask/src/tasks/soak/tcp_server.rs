//! tcp-server with many clients, with hostile ones, and with little of everything.

use std::io::{BufRead, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Guest, Outcome, Row, Server, held_if, memory, no_proc, share_of_a_core};
use crate::programs;

const QUIET: &[&str] = &["--delay=0", "--quiet"];

pub const ROWS: [Row; 14] = [
    Row { tried: "a burst of 1,000 connections, three times", run: burst },
    Row { tried: "500 clients, three names each, --delay 1", run: classroom },
    Row { tried: "Ctrl-C while 500 clients talk", run: stop_while_talking },
    Row { tried: "Ctrl-C while a client floods and does not read", run: stop_while_deaf },
    Row { tried: "Ctrl-C twice", run: stop_twice },
    Row { tried: "10,000 idle clients: memory, and the next one", run: ten_thousand },
    Row { tried: "18,000 connections against the default limit", run: too_many },
    Row { tried: "200 resets while their reply is thought about", run: resets },
    Row { tried: "64 MiB without an end", run: endless_name },
    Row { tried: "a client that floods and never reads", run: never_reads },
    Row { tried: "all descriptors used up", run: no_descriptors },
    Row { tried: "no threads to be had", run: no_threads },
    Row { tried: "standard output that nobody reads", run: stalled_output },
    Row { tried: "standard output on a full disk", run: full_output },
];

fn burst() -> Result<Outcome> {
    let mut welcomed = Vec::new();
    for _ in 0..3 {
        let server = Server::start("tcp-server", QUIET)?;
        let clients = (0..1000).map(|_| server.connect()).collect::<Result<Vec<_>>>()?;
        let is_welcome = |mut client: TcpStream| {
            let mut welcome = [0; 9];
            client.read_exact(&mut welcome).is_ok() && &welcome == b"Welcome!\n"
        };
        welcomed.push(clients.into_iter().map(is_welcome).filter(|welcome| *welcome).count());
    }
    Ok(held_if(welcomed.iter().all(|n| *n == 1000), format!("{welcomed:?} welcomed")))
}

/// Connects this many clients, each greeted by three names one after the other, all at once.
fn class(server: &Server, size: usize) -> Result<Duration> {
    let started = Instant::now();
    thread::scope(|scope| {
        let pupil = |number: usize| {
            let mut guest = server.guest()?;
            for name in ["a", "b", "c"] {
                guest.says(format!("{name}{number}\n").as_bytes())?;
                guest.hears(&format!("Hello, {name}{number}!"))?;
            }
            anyhow::Ok(())
        };
        let pupils: Vec<_> = (0..size).map(|number| scope.spawn(move || pupil(number))).collect();
        pupils
            .into_iter()
            .try_for_each(|pupil| pupil.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })?;
    Ok(started.elapsed())
}

fn classroom() -> Result<Outcome> {
    let server = Server::start("tcp-server", &["--quiet"])?;
    let taken = class(&server, 500)?;
    Ok(held_if(
        taken < Duration::from_secs(30),
        format!("all greeted in {:.2} s, not 1500", taken.as_secs_f64()),
    ))
}

fn stop_while_talking() -> Result<Outcome> {
    let server = Server::start("tcp-server", QUIET)?;
    let mut guests = (0..500).map(|_| server.guest()).collect::<Result<Vec<_>>>()?;
    thread::scope(|scope| {
        for guest in &mut guests {
            scope.spawn(|| while guest.says(b"x\n").and_then(|()| guest.hears("Hello, x!")).is_ok() {});
        }
        server.stop_in_time("all were let go")
    })
}

fn stop_while_deaf() -> Result<Outcome> {
    let server = Server::start("tcp-server", QUIET)?;
    let guest = server.guest()?;
    fill_up(&guest)?;
    server.stop_in_time("its writes were blocked")
}

/// Sends names and reads nothing until the server, blocked on its replies, takes no more.
fn fill_up(guest: &Guest) -> Result<()> {
    let mut stream = guest.0.get_ref();
    stream.set_nonblocking(true)?;
    let names = b"name\n".repeat(10_000);
    let mut full = 0;
    while full < 20 {
        full = if stream.write(&names).is_ok() { 0 } else { full + 1 };
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn stop_twice() -> Result<Outcome> {
    let server = Server::start("tcp-server", QUIET)?;
    let guest = server.guest()?;
    fill_up(&guest)?; // the grace of a second that this client is given is the time for the second signal
    ensure!(server.program.interrupt(), "no signal can be sent");
    let (status, taken) = server.stop()?;
    let found = format!("{status}, {} ms after the second one", taken.as_millis());
    Ok(held_if(status.code() == Some(130), found))
}

fn ten_thousand() -> Result<Outcome> {
    const CLIENTS: u64 = 10_000;
    let server = Server::start("tcp-server", &["--delay=0", "--quiet", "--max-clients=15000"])?;
    let Some(before) = memory(&server.program, "VmRSS") else { return Ok(no_proc()) };
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        match server.connect() {
            Ok(client) => clients.push(client),
            Err(e) => return Ok(Outcome::NotAvailable(format!("client {number}: {e:#}"))),
        }
    }
    for client in &mut clients {
        client.read_exact(&mut [0; 9]).context("a client was not welcomed")?;
    }
    let after = memory(&server.program, "VmRSS").unwrap_or_default();
    let asked = Instant::now();
    let mut guest = server.guest()?;
    guest.says(b"Michael\n")?;
    guest.hears("Hello, Michael!")?;
    let greeted = asked.elapsed();
    let each = (after - before) * 1024 / CLIENTS;
    let found = format!("{each} bytes each; the next greeted in {} ms", greeted.as_millis());
    if each > 10 * 1024 || greeted > Duration::from_secs(1) {
        return Ok(Outcome::Lost(found));
    }
    server.stop_in_time(&found)
}

fn too_many() -> Result<Outcome> {
    let server = Server::start("tcp-server", QUIET)?;
    let (mut inside, mut refused, mut slowest) = (Vec::new(), 0, Duration::ZERO);
    for _ in 0..18_000 {
        let asked = Instant::now();
        let mut guest = Guest(std::io::BufReader::new(server.connect()?));
        let mut line = String::new();
        guest.0.read_line(&mut line)?;
        if line == "Welcome!\n" {
            inside.push(guest);
        } else {
            ensure!(
                line == "refused: the server is full, try again later\n" && guest.hears_the_end()?.is_empty()
            );
            slowest = slowest.max(asked.elapsed());
            refused += 1;
        }
    }
    let (welcomed, freed) = (inside.len(), Instant::now());
    inside.truncate(4000);
    while server.guest().is_err() {
        ensure!(freed.elapsed() < Duration::from_secs(60), "no place came free");
    }
    let found = format!("{welcomed} served, {refused} told so, the slowest in {} ms", slowest.as_millis());
    if welcomed != 4096 {
        return Ok(Outcome::Lost(found));
    }
    server.stop_in_time(&found)
}

fn resets() -> Result<Outcome> {
    let server = Server::start("tcp-server", &["--delay=0.2", "--quiet"])?;
    let mut witness = server.guest()?;
    for _ in 0..200 {
        let mut stream = server.connect()?;
        stream.peek(&mut [0])?;
        stream.write_all(b"name\n")?; // the welcome stays unread, so that closing sends a reset
    }
    witness.says(b"Michael\n")?;
    witness.hears("Hello, Michael!")?;
    server.stop_in_time("the others were greeted")
}

fn endless_name() -> Result<Outcome> {
    let server = Server::start("tcp-server", QUIET)?;
    let mut first = server.guest()?; // so that what a refusal takes once and for all is not counted
    first.says(&[b'x'; 3000])?;
    first.hears("refused: a message is at most 1024 bytes")?;
    let mut guest = server.guest()?;
    let before = memory(&server.program, "VmHWM");
    let mut sender = guest.0.get_ref().try_clone()?;
    let sending = thread::spawn(move || {
        let piece = vec![b'x'; 1 << 20];
        let sent = (0..64).take_while(|_| sender.write_all(&piece).is_ok()).count();
        let _ = sender.shutdown(Shutdown::Write);
        sent
    });
    guest.hears("refused: a message is at most 1024 bytes")?;
    let taken = sending.join().unwrap_or_default();
    let (Some(before), Some(after)) = (before, memory(&server.program, "VmHWM")) else {
        return Ok(no_proc());
    };
    let found =
        format!("refused once, {taken} MiB taken off the wire; memory grew by {} KiB", after - before);
    Ok(held_if(after - before <= 64, found))
}

fn never_reads() -> Result<Outcome> {
    let mut server = Server::start("tcp-server", &["--delay=0"])?;
    let deaf = server.guest()?;
    let started = Instant::now();
    fill_up(&deaf)?;
    let mut other = server.guest()?;
    other.says(b"Michael\n")?;
    other.hears("Hello, Michael!")?;
    let mut line = String::new();
    while !line.contains("the peer has not read for 10s") {
        line.clear();
        ensure!(server.lines.read_line(&mut line)? > 0, "the server ended");
    }
    let found =
        format!("let go after {:.1} s; another was greeted meanwhile", started.elapsed().as_secs_f64());
    server.stop_in_time(&found)
}

fn no_descriptors() -> Result<Outcome> {
    let server = Server::start_behind("ulimit -n 40", "tcp-server", &["--delay=0"])?;
    let mut clients = (0..100).map(|_| server.connect()).collect::<Result<Vec<_>>>()?;
    let Some(share) = share_of_a_core(&server.program) else { return Ok(no_proc()) };
    // Those who were served leave; those who waited are served without being asked to come again.
    let waiting = clients.split_off(50);
    drop(clients);
    for mut client in waiting {
        client.read_exact(&mut [0; 9]).context("a client that waited was not welcomed")?;
    }
    let crowd = (0..100).map(|_| server.connect()).collect::<Result<Vec<_>>>()?;
    let found = format!("{share}% of a core meanwhile, 50 who waited were served");
    if share >= 20 {
        return Ok(Outcome::Lost(found));
    }
    let stopped = server.stop_in_time(&found);
    drop(crowd);
    stopped
}

fn no_threads() -> Result<Outcome> {
    // The limit counts a user's threads on the whole machine, and root has none: a user that has no other.
    let id = Command::new("id").arg("-u").output().map(|id| id.stdout).unwrap_or_default();
    let mut command = Command::new("prlimit");
    command.args(["--nproc=30:30", "setpriv", "--reuid=54321", "--clear-groups"]);
    command.arg(programs::build::path_of("tcp-server")?).args(["127.0.0.1:0", "--delay=0"]);
    if id != b"0\n" {
        return Ok(Outcome::NotAvailable("it takes root, to become a user without other threads".into()));
    }
    let server = match Server::from(command) {
        Ok(server) => server,
        Err(e) => return Ok(Outcome::NotAvailable(format!("another user cannot run it: {e:#}"))),
    };
    let (mut inside, mut refused) = (Vec::new(), 0);
    for _ in 0..60 {
        let mut guest = Guest(std::io::BufReader::new(server.connect()?));
        let mut line = String::new();
        guest.0.read_line(&mut line)?;
        if line == "Welcome!\n" { inside.push(guest) } else { refused += 1 }
    }
    let welcomed = inside.len();
    drop(inside);
    let freed = Instant::now();
    while server.guest().is_err() {
        ensure!(freed.elapsed() < Duration::from_secs(60), "no thread came free");
    }
    let found = format!("{welcomed} served, {refused} told so");
    if welcomed == 0 || refused == 0 {
        return Ok(Outcome::Lost(found));
    }
    server.stop_in_time(&found)
}

fn stalled_output() -> Result<Outcome> {
    let mut server = Server::start("tcp-server", &["--delay=0"])?;
    for _ in 0..4000 {
        let mut guest = server.guest()?;
        guest.says(b"exit\n")?;
        ensure!(guest.hears_the_end()?.is_empty());
    }
    let mut guest = server.guest()?;
    guest.says(b"Michael\n")?;
    guest.hears("Hello, Michael!")?;
    server.program.interrupt();
    let (mut printed, mut dropped) = (0, 0);
    let mut line = String::new();
    while server.lines.read_line(&mut line)? > 0 {
        match line.strip_prefix('(').and_then(|note| note.split(' ').next()?.parse::<usize>().ok()) {
            Some(count) => dropped += count,
            None => printed += 1,
        }
        line.clear();
    }
    let status = server.program.wait()?;
    let found = format!("4,001 served; {printed} lines printed, {dropped} said to be dropped");
    Ok(held_if(status.success() && dropped > 0, found))
}

fn full_output() -> Result<Outcome> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::NotAvailable("it takes Linux' /dev/full".into()));
    }
    // Nobody can read the address, so a port is chosen that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" >/dev/full"]).arg(programs::build::path_of("tcp-server")?);
    command.args([&address.to_string(), "--delay=0"]);
    let (program, ..) = programs::program::Program::spawn(command)?;
    let asked = Instant::now();
    let stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) => ensure!(asked.elapsed() < Duration::from_secs(60), "the server is not there"),
        }
    };
    let mut guest = Guest(std::io::BufReader::new(stream));
    guest.hears("Welcome!")?;
    guest.says(b"Michael\n")?;
    guest.hears("Hello, Michael!")?;
    program.interrupt();
    Ok(held_if(program.wait()?.success(), "greeted, and stopped with status 0".into()))
}

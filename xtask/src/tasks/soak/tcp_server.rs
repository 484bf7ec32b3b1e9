//! tcp-server with many clients, with hostile ones, and with little of everything.

use std::io::{BufRead, Write};
use std::net::{Shutdown, TcpListener};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Found, Row, no_proc, stop_in_time};
use crate::peers::guest::{self, Guest};
use crate::programs::figures::{memory, share_of_a_core};
use crate::programs::program::Program;
use crate::programs::{self, server::Server};

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

fn burst() -> Result<Found> {
    let mut welcomed = Vec::new();
    for _ in 0..3 {
        let server = Server::start("tcp-server", QUIET)?;
        let guests = crowd(&server, 1000)?;
        welcomed.push(guests.into_iter().filter_map(|mut guest| guest.hears("Welcome!").ok()).count());
    }
    Ok(Found::kept_if(welcomed.iter().all(|n| *n == 1000), format!("{welcomed:?} welcomed")))
}

/// Guests that have connected.
fn crowd(server: &Server, size: usize) -> Result<Vec<Guest>> {
    (0..size).map(|_| Guest::arrived(server.address)).collect()
}

fn classroom() -> Result<Found> {
    let server = Server::start("tcp-server", &["--quiet"])?;
    let started = Instant::now();
    guest::class(server.address, 500)?;
    let taken = started.elapsed();
    Ok(Found::kept_if(
        taken < Duration::from_secs(30),
        format!("all greeted in {:.2} s, not 1500", taken.as_secs_f64()),
    ))
}

fn stop_while_talking() -> Result<Found> {
    let server = Server::start("tcp-server", QUIET)?;
    let mut guests = (0..500).map(|_| Guest::welcomed(server.address)).collect::<Result<Vec<_>>>()?;
    thread::scope(|scope| {
        for guest in &mut guests {
            scope.spawn(|| guest.talks_on());
        }
        stop_in_time(server, "all were let go")
    })
}

fn stop_while_deaf() -> Result<Found> {
    let server = Server::start("tcp-server", QUIET)?;
    let guest = Guest::welcomed(server.address)?;
    fill_up(&guest)?;
    stop_in_time(server, "its writes were blocked")
}

fn fill_up(guest: &Guest) -> Result<()> {
    guest.fills_up(|| thread::sleep(Duration::from_millis(5)))
}

fn stop_twice() -> Result<Found> {
    let server = Server::start("tcp-server", QUIET)?;
    let guest = Guest::welcomed(server.address)?;
    fill_up(&guest)?; // the grace of a second that this client is given is the time for the second signal
    ensure!(server.program.interrupt(), "no signal can be sent");
    let (status, taken) = server.stop()?;
    let found = format!("{status}, {} ms after the second one", taken.as_millis());
    Ok(Found::kept_if(status.code() == Some(130), found))
}

fn ten_thousand() -> Result<Found> {
    const CLIENTS: u64 = 10_000;
    let server = Server::start("tcp-server", &["--delay=0", "--quiet", "--max-clients=15000"])?;
    let Some(before) = memory(&server.program, "VmRSS") else { return Ok(no_proc()) };
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        match Guest::arrived(server.address) {
            Ok(client) => clients.push(client),
            Err(e) => return Ok(Found::not_available(format!("client {number}: {e:#}"))),
        }
    }
    for client in &mut clients {
        client.hears("Welcome!").context("a client was not welcomed")?;
    }
    let after = memory(&server.program, "VmRSS").unwrap_or_default();
    let asked = Instant::now();
    let mut guest = Guest::welcomed(server.address)?;
    guest.gives_name("Michael")?;
    let greeted = asked.elapsed();
    let each = (after - before) * 1024 / CLIENTS;
    let found = format!("{each} bytes each; the next greeted in {} ms", greeted.as_millis());
    if each > 10 * 1024 || greeted > Duration::from_secs(1) {
        return Ok(Found::broken(found));
    }
    stop_in_time(server, &found)
}

fn too_many() -> Result<Found> {
    let server = Server::start("tcp-server", QUIET)?;
    let (mut inside, mut refused, mut slowest) = (Vec::new(), 0, Duration::ZERO);
    for _ in 0..18_000 {
        let asked = Instant::now();
        let mut guest = Guest::arrived(server.address)?;
        let line = guest.line()?;
        if line == "Welcome!" {
            inside.push(guest);
        } else {
            let is_all = guest.hears_the_end()?.is_empty();
            ensure!(line == "refused: the server is full, try again later" && is_all);
            slowest = slowest.max(asked.elapsed());
            refused += 1;
        }
    }
    let (welcomed, freed) = (inside.len(), Instant::now());
    inside.truncate(4000);
    while Guest::welcomed(server.address).is_err() {
        ensure!(freed.elapsed() < Duration::from_secs(60), "no place came free");
    }
    let found = format!("{welcomed} served, {refused} told so, the slowest in {} ms", slowest.as_millis());
    if welcomed != 4096 {
        return Ok(Found::broken(found));
    }
    stop_in_time(server, &found)
}

fn resets() -> Result<Found> {
    let server = Server::start("tcp-server", &["--delay=0.2", "--quiet"])?;
    let mut witness = Guest::welcomed(server.address)?;
    for _ in 0..200 {
        let mut guest = Guest::arrived(server.address)?;
        guest.says("name\n")?;
        guest.resets()?;
    }
    witness.gives_name("Michael")?;
    stop_in_time(server, "the others were greeted")
}

fn endless_name() -> Result<Found> {
    let server = Server::start("tcp-server", QUIET)?;
    let mut first = Guest::welcomed(server.address)?; // so that what a refusal takes once and for all is not counted
    first.says([b'x'; 3000])?;
    first.hears("refused: a message is at most 1024 bytes")?;
    let mut guest = Guest::welcomed(server.address)?;
    let before = memory(&server.program, "VmHWM");
    let mut sender = guest.stream().try_clone()?;
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
    Ok(Found::kept_if(after - before <= 64, found))
}

fn never_reads() -> Result<Found> {
    let mut server = Server::start("tcp-server", &["--delay=0"])?;
    let deaf = Guest::welcomed(server.address)?;
    let started = Instant::now();
    fill_up(&deaf)?;
    let mut other = Guest::welcomed(server.address)?;
    other.gives_name("Michael")?;
    let mut line = String::new();
    while !line.contains("the peer has not read for 10s") {
        line.clear();
        ensure!(server.lines.read_line(&mut line)? > 0, "the server ended");
    }
    let found =
        format!("let go after {:.1} s; another was greeted meanwhile", started.elapsed().as_secs_f64());
    stop_in_time(server, &found)
}

fn no_descriptors() -> Result<Found> {
    let server = Server::start_behind("ulimit -n 40", "tcp-server", &["--delay=0"])?;
    let mut clients = crowd(&server, 100)?;
    let Some(share) = share_of_a_core(&server.program) else { return Ok(no_proc()) };
    // Those who were served leave; those who waited are served without being asked to come again.
    let waiting = clients.split_off(50);
    drop(clients);
    for mut client in waiting {
        client.hears("Welcome!").context("a client that waited was not welcomed")?;
    }
    let crowd = crowd(&server, 100)?;
    let found = format!("{share}% of a core meanwhile, 50 who waited were served");
    if share >= 20 {
        return Ok(Found::broken(found));
    }
    let stopped = stop_in_time(server, &found);
    drop(crowd);
    stopped
}

fn no_threads() -> Result<Found> {
    // The limit counts a user's threads on the whole machine, and root has none: a user that has no other.
    let id = Command::new("id").arg("-u").output().map(|id| id.stdout).unwrap_or_default();
    let mut command = Command::new("prlimit");
    command.args(["--nproc=30:30", "setpriv", "--reuid=54321", "--clear-groups"]);
    command.arg(programs::build::path_of("tcp-server")?).args(["127.0.0.1:0", "--delay=0"]);
    if id != b"0\n" {
        return Ok(Found::not_available("it takes root, to become a user without other threads"));
    }
    let server = match Server::start_command(command) {
        Ok(server) => server,
        Err(e) => return Ok(Found::not_available(format!("another user cannot run it: {e:#}"))),
    };
    let (mut inside, mut refused) = (Vec::new(), 0);
    for _ in 0..60 {
        let mut guest = Guest::arrived(server.address)?;
        if guest.line()? == "Welcome!" { inside.push(guest) } else { refused += 1 }
    }
    let welcomed = inside.len();
    drop(inside);
    let freed = Instant::now();
    while Guest::welcomed(server.address).is_err() {
        ensure!(freed.elapsed() < Duration::from_secs(60), "no thread came free");
    }
    let found = format!("{welcomed} served, {refused} told so");
    if welcomed == 0 || refused == 0 {
        return Ok(Found::broken(found));
    }
    stop_in_time(server, &found)
}

fn stalled_output() -> Result<Found> {
    let mut server = Server::start("tcp-server", &["--delay=0"])?;
    for _ in 0..4000 {
        let mut guest = Guest::welcomed(server.address)?;
        guest.says("exit\n")?;
        ensure!(guest.hears_the_end()?.is_empty());
    }
    let mut guest = Guest::welcomed(server.address)?;
    guest.gives_name("Michael")?;
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
    Ok(Found::kept_if(status.success() && dropped > 0, found))
}

fn full_output() -> Result<Found> {
    if !cfg!(target_os = "linux") {
        return Ok(Found::not_available("it takes Linux' /dev/full"));
    }
    // Nobody can read the address, so a port is chosen that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" >/dev/full"]).arg(programs::build::path_of("tcp-server")?);
    command.args([&address.to_string(), "--delay=0"]);
    let (program, ..) = Program::spawn(command)?;
    let asked = Instant::now();
    let mut guest = loop {
        match Guest::welcomed(address) {
            Ok(guest) => break guest,
            Err(_) => ensure!(asked.elapsed() < Duration::from_secs(60), "the server is not there"),
        }
    };
    guest.gives_name("Michael")?;
    program.interrupt();
    Ok(Found::kept_if(program.wait()?.success(), "greeted, and stopped with status 0"))
}

//! The servers with many clients, with hostile ones, and where the system has too little.

use std::io::{BufRead, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use super::{Size, Tried, interrupted, needs, no_proc, stop_in_time};
use crate::checks::Ended;
use crate::exercises::TCP_SERVER;
use crate::peers::player::{Met, Peers};
use crate::peers::{script::NotAvailable, talk::Talk, tcp_peer::TcpPeer};
use crate::programs::figures::{share_of_a_core, status};
use crate::programs::{build, program::Program, server::Server};
use crate::words::{Shown, Words};

const QUIET: &[&str] = &["--delay=0", "--quiet"];

fn crowd(server: SocketAddr, size: usize) -> Result<Vec<TcpPeer>> {
    (0..size).map(|_| TcpPeer::connected(server)).collect()
}

/// Clients that have been welcomed, once all of them had connected.
fn welcomed(server: SocketAddr, size: usize) -> Result<Vec<TcpPeer>> {
    let mut clients = crowd(server, size)?;
    clients.iter_mut().try_for_each(|client| client.hears("Welcome!"))?;
    Ok(clients)
}

pub fn classroom(size: Size) -> Result<Tried> {
    let clients = size.of(500, 10);
    let server = Server::start("tcp-server", &["--quiet"])?;
    let give_names = |number: usize| -> Result<()> {
        let mut client = TcpPeer::welcomed(server.address)?;
        ["a", "b", "c"].iter().try_for_each(|name| Ok(client.gives_name(&format!("{name}{number}"))?))
    };
    let started = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|number| scope.spawn(move || give_names(number))).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow!("a panic"))?)
    })?;
    let (taken, all) = (started.elapsed(), 3 * clients);
    let s = taken.as_secs_f64();
    let figures = words!("all greeted in {s:.2} s, not {all}", "{s:.2} 秒内全部问候完毕，而不是 {all} 秒");
    Ok((size.within(taken, Duration::from_secs(30)), figures))
}

pub fn stop_while_talking(size: Size) -> Result<Tried> {
    let server = Server::start("tcp-server", QUIET)?;
    let mut clients = welcomed(server.address, size.of(500, 5))?;
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| while client.gives_name("x").is_ok() {});
        }
        stop_in_time(size, server, true, &Words::fixed("all were disconnected", "全部断开"))
    })
}

/// Sends names and reads nothing until the server, blocked on its replies, takes no more for half a second.
fn fill_up(client: &TcpPeer) -> Result<()> {
    let mut stream = &client.stream;
    stream.set_nonblocking(true)?;
    let names = [&[b'x'; 1000][..], b"\n"].concat().repeat(100);
    let (mut at, mut full) = (0, 0);
    while full < 100 {
        match stream.write(&names[at..]) {
            Ok(n) => (at, full) = ((at + n) % names.len(), 0), // no name may become longer than it is
            Err(_) => full += 1,
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

pub fn stop_twice(_: Size) -> Result<Tried> {
    for _ in 0..20 {
        let server = Server::start("tcp-server", QUIET)?;
        let client = TcpPeer::welcomed(server.address)?;
        fill_up(&client)?; // the second that the server then grants this client is the time for the second signal
        server.program.interrupt();
        while TcpStream::connect(server.address).is_ok() {} // it has been told
        thread::sleep(Duration::from_millis(200)); // two signals within 100 ms are one
        let (status, taken) = interrupted(server)?;
        // A blocked writer may find that all it has left fits after all: then the server ends before the second signal.
        if !status.success() || taken > Duration::from_millis(500) {
            let (ms, Words { en, zh }) = (taken.as_millis(), Ended::with(status.code()).shown());
            let figures = words!("{en}, {ms} ms after the second one", "{zh}，第二次之后 {ms} 毫秒");
            return Ok((status.code() == Some(130), figures));
        }
    }
    // On a busy machine, it may only have been slow whenever it looked blocked.
    needs("in 20 tries, the server was never blocked", "试了 20 次，服务器都没有被阻塞")
}

pub fn ten_thousand(size: Size) -> Result<Tried> {
    let number = size.of(10_000, 10);
    let server = Server::start("tcp-server", &["--delay=0", "--quiet", "--max-clients=15000"])?;
    let before = status(server.program.pid, "VmRSS").ok_or_else(no_proc)?;
    // A machine that has no room for so many says so here.
    let clients = welcomed(server.address, number)
        .map_err(|e| NotAvailable(words!("{number} clients: {e:#}", "{number} 个客户端：{e:#}")))?;
    let after = status(server.program.pid, "VmRSS").ok_or_else(no_proc)?;
    let asked = Instant::now();
    TcpPeer::welcomed(server.address)?.gives_name("Michael")?;
    let greeted = asked.elapsed();
    // Nor does anything else that clients do go wrong meanwhile.
    let has_ended = || !matches!(server.program.status(), Ok(None));
    let met = Met { program: Some(server.program.pid), has_ended: &has_ended };
    let peers = || Peers::new(server.address, TCP_SERVER.transport, Talk::default());
    TCP_SERVER.scripts().try_for_each(|script| peers().plays(script, &met))?;
    let each = (after - before) * 1024 / clients.len() as u64;
    let ms = greeted.as_millis();
    let figures = words!(
        "{each} bytes each; the next greeted in {ms} ms",
        "每个 {each} 字节；下一个在 {ms} 毫秒内得到问候"
    );
    let holds = size.within(each, 10 * 1024) && size.within(greeted, Duration::from_secs(1));
    stop_in_time(size, server, holds, &figures)
}

pub fn too_many(size: Size) -> Result<Tried> {
    let (places, clients) = size.of((4096, 18_000), (8, 24));
    let limit = format!("--max-clients={places}");
    let server = Server::start("tcp-server", size.of(QUIET, &["--delay=0", "--quiet", &limit]))?;
    let (mut inside, refused, slowest) = arrivals(server.address, clients)?;
    let served = inside.len();
    inside.truncate(places - places / 4);
    welcomed_at_last(server.address)?;
    let ms = slowest.as_millis();
    let figures = words!(
        "{served} served, {refused} refused with the reason, the slowest in {ms} ms",
        "服务 {served} 个，告知 {refused} 个已满，最慢的 {ms} 毫秒"
    );
    stop_in_time(size, server, served == places, &figures)
}

/// Clients that come one by one: those that are welcomed, how many are told that the server is full, and after how
/// long the slowest of these.
fn arrivals(server: SocketAddr, clients: usize) -> Result<(Vec<TcpPeer>, usize, Duration)> {
    let (mut inside, mut refused, mut slowest) = (Vec::new(), 0, Duration::ZERO);
    for _ in 0..clients {
        let asked = Instant::now();
        let mut client = TcpPeer::connected(server)?;
        let line = client.line()?;
        if line == "Welcome!" {
            inside.push(client);
        } else {
            ensure!(line == "refused: the server is full, try again later", "{line}");
            client.hears_the_end()?;
            slowest = slowest.max(asked.elapsed());
            refused += 1;
        }
    }
    Ok((inside, refused, slowest))
}

fn welcomed_at_last(server: SocketAddr) -> Result<TcpPeer> {
    let asked = Instant::now();
    loop {
        match TcpPeer::welcomed(server) {
            Err(_) if asked.elapsed() < Duration::from_secs(60) => {}
            welcomed => return welcomed,
        }
    }
}

pub fn resets(size: Size) -> Result<Tried> {
    let server = Server::start("tcp-server", &["--delay=0.2", "--quiet"])?;
    let mut witness = TcpPeer::welcomed(server.address)?;
    for _ in 0..size.of(200, 20) {
        let mut client = TcpPeer::connected(server.address)?;
        client.sends("name\n");
        client.resets()?;
    }
    witness.gives_name("Michael")?;
    stop_in_time(size, server, true, &Words::fixed("the others were greeted", "其他客户端得到了问候"))
}

pub fn endless_name(size: Size) -> Result<Tried> {
    const REFUSAL: &str = "refused: a message is at most 1024 bytes";
    let megabytes = size.of(64, 8);
    let server = Server::start("tcp-server", QUIET)?;
    let mut first = TcpPeer::welcomed(server.address)?; // so that what a first refusal costs is not counted
    first.sends([b'x'; 3000]);
    first.hears(REFUSAL)?;
    let mut client = TcpPeer::welcomed(server.address)?;
    let before = status(server.program.pid, "VmHWM").ok_or_else(no_proc)?;
    let mut sender = client.stream.try_clone()?;
    let sending = thread::spawn(move || {
        let piece = vec![b'x'; 1 << 20];
        let sent = (0..megabytes).take_while(|_| sender.write_all(&piece).is_ok()).count();
        let _ = sender.shutdown(Shutdown::Write);
        sent
    });
    client.hears(REFUSAL)?;
    let taken = sending.join().unwrap_or_default();
    let grown = status(server.program.pid, "VmHWM").ok_or_else(no_proc)?.saturating_sub(before);
    let figures = words!(
        "refused once, {taken} MiB taken off the wire; memory grew by {grown} KiB",
        "拒绝一次，从线路上取走 {taken} MiB；内存增加 {grown} KiB"
    );
    Ok((size.within(grown, 64), figures))
}

pub fn never_reads(size: Size) -> Result<Tried> {
    let mut server = Server::start("tcp-server", &["--delay=0"])?;
    let deaf = TcpPeer::welcomed(server.address)?;
    let started = Instant::now();
    fill_up(&deaf)?;
    TcpPeer::welcomed(server.address)?.gives_name("Michael")?;
    let mut line = String::new();
    while size == Size::Whole && !line.contains("the peer has not read for 10s") {
        line.clear();
        ensure!(server.lines.read_line(&mut line)? > 0, "the server ended");
    }
    let seconds = started.elapsed().as_secs_f64();
    let figures = words!(
        "disconnected after {seconds:.1} s, another greeted meanwhile; then a third flooded",
        "{seconds:.1} 秒后断开，其间另一个得到了问候；之后第三个猛发"
    );
    let third = TcpPeer::welcomed(server.address)?;
    fill_up(&third)?;
    stop_in_time(size, server, true, &figures)
}

pub fn no_descriptors(size: Size) -> Result<Tried> {
    let half = size.of(50, 24);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 40 && exec \"$0\" \"$@\""]).arg(build::path_of("tcp-server")?);
    command.args(["127.0.0.1:0", "--delay=0"]);
    let server = Server::start_command(command)?;
    let mut clients = crowd(server.address, 2 * half)?;
    let share = share_of_a_core(&server.program).ok_or_else(no_proc)?;
    // Those that were served leave; those that waited are served without connecting again.
    let waiting = clients.split_off(half);
    drop(clients);
    for mut client in waiting {
        client.hears("Welcome!").context("a client that waited was not welcomed")?;
    }
    let _crowd = crowd(server.address, 2 * half)?;
    let figures = words!(
        "{share}% of a core meanwhile, {half} that waited were served",
        "其间占用一个核的 {share}%，等着的 {half} 个都得到了服务"
    );
    stop_in_time(size, server, share < 20, &figures)
}

pub fn no_threads(size: Size) -> Result<Tried> {
    // The limit counts a user's threads on the whole machine, and root has none: a user that has no other.
    let mut command = Command::new("prlimit");
    command.args(["--nproc=30:30", "setpriv", "--reuid=54321", "--clear-groups"]);
    command.arg(build::path_of("tcp-server")?).args(["127.0.0.1:0", "--delay=0"]);
    let server = Server::start_command(command).map_err(|e| {
        NotAvailable(words!(
            "it needs root, to run as a user without other threads: {e:#}",
            "要有 root 权限，才能以一个没有其他线程的用户运行：{e:#}"
        ))
    })?;
    let (inside, refused, _) = arrivals(server.address, 60)?;
    let served = inside.len();
    drop(inside);
    welcomed_at_last(server.address)?;
    let figures = words!(
        "{served} served, {refused} refused with the reason",
        "服务 {served} 个，告知 {refused} 个已满"
    );
    stop_in_time(size, server, served > 0 && refused > 0, &figures)
}

pub fn full_output(_: Size) -> Result<Tried> {
    if !cfg!(target_os = "linux") {
        return needs("it needs Linux' /dev/full", "要有 Linux 的 /dev/full");
    }
    // Nobody can read the address, so a port is chosen that was free a moment ago, at an address that nobody else uses.
    let address = TcpListener::bind("127.0.0.3:0")?.local_addr()?;
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" >/dev/full"]).arg(build::path_of("tcp-server")?);
    command.args([&address.to_string(), "--delay=0"]);
    // A shell that warns (of a locale that is not installed) must not write to a pipe without a reader.
    let (program, _stdout, _stderr) = Program::spawn(command)?;
    let mut client = welcomed_at_last(address)?;
    client.gives_name("Michael")?;
    program.interrupt();
    let figures = Words::fixed("greeted, and stopped with status 0", "得到问候，停止时状态为 0");
    Ok((program.wait()?.success(), figures))
}

pub fn stop_in_the_flood(size: Size) -> Result<Tried> {
    let server = Server::start("udp-server", &["--quiet"])?;
    let (address, over) = (server.address, AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let Ok(socket) = UdpSocket::bind("127.0.0.1:0") else { return };
            while !over.load(Ordering::Relaxed) {
                let _ = socket.send_to(b"flood", address);
            }
        });
        thread::sleep(Duration::from_millis(100));
        let stopped = stop_in_time(size, server, true, &Words::fixed("it was flooded", "数据报不断涌来"));
        over.store(true, Ordering::Relaxed);
        stopped
    })
}

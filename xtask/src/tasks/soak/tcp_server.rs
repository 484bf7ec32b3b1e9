//! tcp-server with many clients, with hostile ones, and with little of everything.

use std::io::{BufRead, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use super::{Row, Size, Tried, can_wait, interrupted, no_proc, plays_all, stop_in_time};
use crate::checks::Ended;
use crate::peers::script::Stop;
use crate::peers::scripts::tcp_server as scripts;
use crate::peers::tcp_peer::TcpPeer;
use crate::programs::figures::{memory, share_of_a_core};
use crate::programs::program::Program;
use crate::programs::{self, server::Server};
use crate::wire::kernel::Protocol;
use crate::words::{Shown, Words};

const QUIET: &[&str] = &["--delay=0", "--quiet"];

pub static ROWS: [Row; 14] = [
    Row {
        tried: Words::fixed("a burst of 1,000 connections, three times", "一下子 1,000 个连接，三次"),
        run: burst,
    },
    Row {
        tried: Words::fixed(
            "500 clients, three names each, --delay 1",
            "500 个客户端，每个三个名字，--delay 1",
        ),
        run: classroom,
    },
    Row {
        tried: Words::fixed("Ctrl-C while 500 clients talk", "500 个客户端正在说话时按 Ctrl-C"),
        run: stop_while_talking,
    },
    Row {
        tried: Words::fixed(
            "Ctrl-C while a client floods and does not read",
            "一个客户端猛发而不读时按 Ctrl-C",
        ),
        run: stop_while_deaf,
    },
    Row { tried: Words::fixed("Ctrl-C twice", "按两次 Ctrl-C"), run: stop_twice },
    Row {
        tried: Words::fixed(
            "10,000 idle clients: memory, and the next one",
            "10,000 个沉默的客户端：内存，以及下一个客户端",
        ),
        run: ten_thousand,
    },
    Row {
        tried: Words::fixed("18,000 connections against the default limit", "18,000 个连接，上限为默认值"),
        run: too_many,
    },
    Row {
        tried: Words::fixed(
            "200 resets while a reply is being delayed",
            "服务器还在想怎么回答，200 个客户端已经复位",
        ),
        run: resets,
    },
    Row { tried: Words::fixed("64 MiB without an end", "64 MiB，没有结尾"), run: endless_name },
    Row {
        tried: Words::fixed("a client that floods and never reads", "一个客户端猛发而从不读"),
        run: never_reads,
    },
    Row { tried: Words::fixed("all file descriptors in use", "描述符全部用完"), run: no_descriptors },
    Row { tried: Words::fixed("no more threads", "不能再启动线程"), run: no_threads },
    Row {
        tried: Words::fixed("standard output that nobody reads", "标准输出没有人读"), run: stalled_output
    },
    Row {
        tried: Words::fixed("standard output on a full disk", "标准输出所在的磁盘已满"), run: full_output
    },
];

fn burst(size: Size) -> Result<Tried> {
    let clients = size.of(1000, 30);
    can_wait(clients)?;
    let mut welcomed = Vec::new();
    for _ in 0..3 {
        let server = Server::start("tcp-server", QUIET)?;
        let clients = crowd(server.address, clients)?;
        welcomed.push(clients.into_iter().filter_map(|mut client| client.hears("Welcome!").ok()).count());
    }
    let figures = words!("{welcomed:?} welcomed", "得到欢迎的：{welcomed:?}");
    Ok((welcomed.iter().all(|n| *n == clients), figures))
}

/// Clients that have connected.
fn crowd(server: SocketAddr, size: usize) -> Result<Vec<TcpPeer>> {
    (0..size).map(|_| TcpPeer::connected(server)).collect()
}

/// Clients that have been welcomed.
fn welcomed(server: SocketAddr, size: usize) -> Result<Vec<TcpPeer>> {
    (0..size).map(|_| TcpPeer::welcomed(server)).collect()
}

/// All of them give three names, each as soon as the one before was greeted.
fn classroom(size: Size) -> Result<Tried> {
    let clients = size.of(500, 10);
    let server = Server::start("tcp-server", &["--quiet"])?;
    let give_names = |number: usize| {
        let mut client = TcpPeer::welcomed(server.address)?;
        ["a", "b", "c"].iter().try_for_each(|name| Ok(client.gives_name(&format!("{name}{number}"))?))
    };
    let started = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|number| scope.spawn(move || give_names(number))).collect();
        let end = |client: thread::ScopedJoinHandle<'_, Result<()>>| {
            client.join().map_err(|_| anyhow!("a panic"))?
        };
        clients.into_iter().try_for_each(end)
    })?;
    let (taken, all) = (started.elapsed(), 3 * clients);
    let seconds = format!("{:.2}", taken.as_secs_f64());
    let figures =
        words!("all greeted in {seconds} s, not {all}", "{seconds} 秒内全部问候完毕，而不是 {all} 秒");
    Ok((size.within(taken, Duration::from_secs(30)), figures))
}

fn stop_while_talking(size: Size) -> Result<Tried> {
    let server = Server::start("tcp-server", QUIET)?;
    let mut clients = welcomed(server.address, size.of(500, 5))?;
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| while client.gives_name("x").is_ok() {});
        }
        stop_in_time(size, server, true, &Words::fixed("all were disconnected", "全部断开"))
    })
}

fn stop_while_deaf(size: Size) -> Result<Tried> {
    let server = Server::start("tcp-server", QUIET)?;
    let client = TcpPeer::welcomed(server.address)?;
    fill_up(&client)?;
    stop_in_time(size, server, true, &Words::fixed("its writes were blocked", "它的写已经堵住"))
}

/// Sends names and reads nothing until the server, blocked on its replies, takes no more for a quarter of a second.
fn fill_up(client: &TcpPeer) -> Result<()> {
    let mut stream = client.stream();
    stream.set_nonblocking(true)?;
    let names = [&[b'x'; 1000][..], b"\n"].concat().repeat(100);
    let mut full = 0;
    while full < 50 {
        full = if stream.write(&names).is_ok() { 0 } else { full + 1 };
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn stop_twice(_: Size) -> Result<Tried> {
    let server = Server::start("tcp-server", QUIET)?;
    let client = TcpPeer::welcomed(server.address)?;
    fill_up(&client)?; // the second that the server then grants this client is the time for the second signal
    server.program.interrupt();
    let (status, taken) = interrupted(server)?;
    let (ms, Words { en, zh }) = (taken.as_millis(), Ended::with(status.code()).shown());
    let figures = words!("{en}, {ms} ms after the second one", "{zh}，第二次之后 {ms} 毫秒");
    Ok((status.code() == Some(130), figures))
}

fn ten_thousand(size: Size) -> Result<Tried> {
    let number = size.of(10_000, 10);
    let server = Server::start("tcp-server", &["--delay=0", "--quiet", "--max-clients=15000"])?;
    let before = memory(&server.program, "VmRSS").ok_or_else(no_proc)?;
    // A machine that has no room for so many says so here.
    let clients = welcomed(server.address, number)
        .map_err(|e| Stop::NotAvailable(words!("{number} clients: {e:#}", "{number} 个客户端：{e:#}")))?;
    let after = memory(&server.program, "VmRSS").ok_or_else(no_proc)?;
    let asked = Instant::now();
    TcpPeer::welcomed(server.address)?.gives_name("Michael")?;
    let greeted = asked.elapsed();
    // Nor does anything else that clients do go wrong meanwhile.
    plays_all(&server, Protocol::Tcp, &scripts::ALL)?;
    let each = (after - before) * 1024 / clients.len() as u64;
    let ms = greeted.as_millis();
    let figures = words!(
        "{each} bytes each; the next greeted in {ms} ms",
        "每个 {each} 字节；下一个在 {ms} 毫秒内得到问候"
    );
    let holds = size.within(each, 10 * 1024) && size.within(greeted, Duration::from_secs(1));
    stop_in_time(size, server, holds, &figures)
}

fn too_many(size: Size) -> Result<Tried> {
    let (places, clients) = size.of((4096, 18_000), (8, 24));
    let limit = format!("--max-clients={places}");
    let server = Server::start("tcp-server", size.of(QUIET, &["--delay=0", "--quiet", &limit]))?;
    let (mut inside, mut refused, mut slowest) = (Vec::new(), 0, Duration::ZERO);
    for _ in 0..clients {
        let asked = Instant::now();
        let mut client = TcpPeer::connected(server.address)?;
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
    let (served, freed) = (inside.len(), Instant::now());
    inside.truncate(places - places / 4);
    while TcpPeer::welcomed(server.address).is_err() {
        ensure!(freed.elapsed() < Duration::from_secs(60), "no place came free");
    }
    let ms = slowest.as_millis();
    let figures = words!(
        "{served} served, {refused} refused with the reason, the slowest in {ms} ms",
        "服务 {served} 个，告知 {refused} 个已满，最慢的 {ms} 毫秒"
    );
    let holds = served == places;
    stop_in_time(size, server, holds, &figures)
}

fn resets(size: Size) -> Result<Tried> {
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

fn endless_name(size: Size) -> Result<Tried> {
    const REFUSAL: &str = "refused: a message is at most 1024 bytes";
    let megabytes = size.of(64, 8);
    let server = Server::start("tcp-server", QUIET)?;
    let mut first = TcpPeer::welcomed(server.address)?; // so that what a first refusal costs is not counted
    first.sends([b'x'; 3000]);
    first.hears(REFUSAL)?;
    let mut client = TcpPeer::welcomed(server.address)?;
    let before = memory(&server.program, "VmHWM").ok_or_else(no_proc)?;
    let mut sender = client.stream().try_clone()?;
    let sending = thread::spawn(move || {
        let piece = vec![b'x'; 1 << 20];
        let sent = (0..megabytes).take_while(|_| sender.write_all(&piece).is_ok()).count();
        let _ = sender.shutdown(Shutdown::Write);
        sent
    });
    client.hears(REFUSAL)?;
    let taken = sending.join().unwrap_or_default();
    let grown = memory(&server.program, "VmHWM").ok_or_else(no_proc)?.saturating_sub(before);
    let figures = words!(
        "refused once, {taken} MiB taken off the wire; memory grew by {grown} KiB",
        "拒绝一次，从线路上取走 {taken} MiB；内存增加 {grown} KiB"
    );
    Ok((grown <= 64, figures))
}

fn never_reads(size: Size) -> Result<Tried> {
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
    let seconds = format!("{:.1}", started.elapsed().as_secs_f64());
    let figures = words!(
        "disconnected after {seconds} s; another was greeted meanwhile",
        "{seconds} 秒后断开；其间另一个客户端得到了问候"
    );
    stop_in_time(size, server, true, &figures)
}

fn no_descriptors(size: Size) -> Result<Tried> {
    let half = size.of(50, 24);
    can_wait(2 * half)?;
    let server = Server::start_behind("ulimit -n 40", "tcp-server", &["--delay=0"])?;
    let mut clients = crowd(server.address, 2 * half)?;
    let share = share_of_a_core(&server.program).ok_or_else(no_proc)?;
    // Those that were served leave; those that waited are served without connecting again.
    let waiting = clients.split_off(half);
    drop(clients);
    for mut client in waiting {
        client.hears("Welcome!").context("a client that waited was not welcomed")?;
    }
    let crowd = crowd(server.address, 2 * half)?;
    let figures = words!(
        "{share}% of a core meanwhile, {half} that waited were served",
        "其间占用一个核的 {share}%，等着的 {half} 个都得到了服务"
    );
    let holds = share < 20;
    let stopped = stop_in_time(size, server, holds, &figures);
    drop(crowd);
    stopped
}

fn no_threads(size: Size) -> Result<Tried> {
    // The limit counts a user's threads on the whole machine, and root has none: a user that has no other.
    let id = Command::new("id").arg("-u").output().map(|id| id.stdout).unwrap_or_default();
    let mut command = Command::new("prlimit");
    command.args(["--nproc=30:30", "setpriv", "--reuid=54321", "--clear-groups"]);
    command.arg(programs::build::path_of("tcp-server")?).args(["127.0.0.1:0", "--delay=0"]);
    if id != b"0\n" {
        let why = Words::fixed(
            "it needs root, to become a user without other threads",
            "要有 root 权限，才能换成一个没有其他线程的用户",
        );
        return Err(Stop::NotAvailable(why).into());
    }
    let server = Server::start_command(command).map_err(|e| {
        Stop::NotAvailable(words!("another user cannot run it: {e:#}", "别的用户无法运行它：{e:#}"))
    })?;
    let (mut inside, mut refused) = (Vec::new(), 0);
    for _ in 0..60 {
        let mut client = TcpPeer::connected(server.address)?;
        if client.line()? == "Welcome!" { inside.push(client) } else { refused += 1 }
    }
    let served = inside.len();
    drop(inside);
    let freed = Instant::now();
    while TcpPeer::welcomed(server.address).is_err() {
        ensure!(freed.elapsed() < Duration::from_secs(60), "no thread came free");
    }
    let figures = words!(
        "{served} served, {refused} refused with the reason",
        "服务 {served} 个，告知 {refused} 个已满"
    );
    let holds = served > 0 && refused > 0;
    stop_in_time(size, server, holds, &figures)
}

/// There is no small size: it takes more lines than a pipe (64 KiB) and the narrator (192 KiB) hold together.
fn stalled_output(_: Size) -> Result<Tried> {
    const CLIENTS: usize = 4000;
    let mut server = Server::start("tcp-server", &["--delay=0"])?;
    for _ in 0..CLIENTS {
        let mut client = TcpPeer::welcomed(server.address)?;
        client.sends("exit\n");
        client.hears_the_end()?;
    }
    let mut client = TcpPeer::welcomed(server.address)?;
    client.gives_name("Michael")?;
    server.program.interrupt();
    let (mut printed, mut dropped) = (1, 0); // its address has been read
    let mut line = String::new();
    while server.lines.read_line(&mut line)? > 0 {
        match line.strip_prefix('(').and_then(|note| note.split(' ').next()?.parse::<usize>().ok()) {
            Some(count) => dropped += count,
            None => printed += 1,
        }
        line.clear();
    }
    client.hears_the_end()?;
    let status = server.program.wait()?;
    let figures = words!(
        "4,001 served; {printed} lines printed, {dropped} reported as dropped",
        "服务 4,001 个；打印 {printed} 行，说明丢弃了 {dropped} 行"
    );
    // An address, a hint and the end; two lines a client.
    let is_all = printed + dropped == 3 + 2 * (CLIENTS + 1);
    // A pipe has room for 16 pages of memory, and not all systems' are of 4 KiB.
    Ok((status.success() && is_all && (dropped > 0 || cfg!(not(target_arch = "x86_64"))), figures))
}

fn full_output(_: Size) -> Result<Tried> {
    if !cfg!(target_os = "linux") {
        let why = Words::fixed("it needs Linux' /dev/full", "要有 Linux 的 /dev/full");
        return Err(Stop::NotAvailable(why).into());
    }
    // Nobody can read the address, so a port is chosen that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" >/dev/full"]).arg(programs::build::path_of("tcp-server")?);
    command.args([&address.to_string(), "--delay=0"]);
    let (program, ..) = Program::spawn(command)?;
    let asked = Instant::now();
    let mut client = loop {
        match TcpPeer::welcomed(address) {
            Ok(client) => break client,
            Err(_) => ensure!(asked.elapsed() < Duration::from_secs(60), "the server is not there"),
        }
    };
    client.gives_name("Michael")?;
    program.interrupt();
    let figures = Words::fixed("greeted, and stopped with status 0", "得到问候，停止时状态为 0");
    Ok((program.wait()?.success(), figures))
}

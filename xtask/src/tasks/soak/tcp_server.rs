//! tcp-server with many clients, with hostile ones, and with little of everything.

use std::io::{BufRead, Write};
use std::net::{Shutdown, TcpListener};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Found, Row, no_proc, plays_all, stop_in_time};
use crate::checks::Ended;
use crate::peers::guest::{self, Guest};
use crate::peers::scripts::tcp_server as scripts;
use crate::programs::figures::{memory, share_of_a_core};
use crate::programs::program::Program;
use crate::programs::{self, server::Server};
use crate::wire::kernel::Protocol;
use crate::words::{Shown, Words};

const QUIET: &[&str] = &["--delay=0", "--quiet"];

pub const ROWS: [Row; 14] = [
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
            "200 resets while their reply is thought about",
            "服务器还在想怎么回答，200 个客户端已经复位",
        ),
        run: resets,
    },
    Row { tried: Words::fixed("64 MiB without an end", "64 MiB，没有结尾"), run: endless_name },
    Row {
        tried: Words::fixed("a client that floods and never reads", "一个客户端猛发而从不读"),
        run: never_reads,
    },
    Row { tried: Words::fixed("all descriptors used up", "描述符全部用完"), run: no_descriptors },
    Row { tried: Words::fixed("no threads to be had", "不能再启动线程"), run: no_threads },
    Row {
        tried: Words::fixed("standard output that nobody reads", "标准输出没有人读"), run: stalled_output
    },
    Row {
        tried: Words::fixed("standard output on a full disk", "标准输出所在的磁盘已满"), run: full_output
    },
];

fn burst() -> Result<Found> {
    let mut welcomed = Vec::new();
    for _ in 0..3 {
        let server = Server::start("tcp-server", QUIET)?;
        let guests = crowd(&server, 1000)?;
        welcomed.push(guests.into_iter().filter_map(|mut guest| guest.hears("Welcome!").ok()).count());
    }
    let found = words!("{welcomed:?} welcomed", "得到欢迎的：{welcomed:?}");
    Ok(Found::kept_if(welcomed.iter().all(|n| *n == 1000), found))
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
    let seconds = format!("{:.2}", taken.as_secs_f64());
    let found = words!("all greeted in {seconds} s, not 1500", "{seconds} 秒内全部问候完毕，而不是 1500 秒");
    Ok(Found::kept_if(taken < Duration::from_secs(30), found))
}

fn stop_while_talking() -> Result<Found> {
    let server = Server::start("tcp-server", QUIET)?;
    let mut guests = (0..500).map(|_| Guest::welcomed(server.address)).collect::<Result<Vec<_>>>()?;
    thread::scope(|scope| {
        for guest in &mut guests {
            scope.spawn(|| guest.talks_on());
        }
        stop_in_time(server, &Words::fixed("all were let go", "全部放走"))
    })
}

fn stop_while_deaf() -> Result<Found> {
    let server = Server::start("tcp-server", QUIET)?;
    let guest = Guest::welcomed(server.address)?;
    fill_up(&guest)?;
    stop_in_time(server, &Words::fixed("its writes were blocked", "它的写已经堵住"))
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
    let (ms, Words { en, zh }) = (taken.as_millis(), Ended::with(status.code()).shown());
    let found = words!("{en}, {ms} ms after the second one", "{zh}，第二次之后 {ms} 毫秒");
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
            Err(e) => {
                let why = words!("client {number}: {e:#}", "第 {number} 个客户端：{e:#}");
                return Ok(Found::not_available(why));
            }
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
    // Nor does anything else that clients do go wrong meanwhile.
    plays_all(&server, Protocol::Tcp, &scripts::ALL)?;
    let each = (after - before) * 1024 / CLIENTS;
    let ms = greeted.as_millis();
    let found = words!(
        "{each} bytes each; the next greeted in {ms} ms",
        "每个 {each} 字节；下一个在 {ms} 毫秒内得到问候"
    );
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
    let ms = slowest.as_millis();
    let found = words!(
        "{welcomed} served, {refused} told so, the slowest in {ms} ms",
        "服务 {welcomed} 个，告知 {refused} 个已满，最慢的 {ms} 毫秒"
    );
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
    stop_in_time(server, &Words::fixed("the others were greeted", "其他客户端得到了问候"))
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
    let grown = after.saturating_sub(before);
    let found = words!(
        "refused once, {taken} MiB taken off the wire; memory grew by {grown} KiB",
        "拒绝一次，从线路上取走 {taken} MiB；内存增加 {grown} KiB"
    );
    Ok(Found::kept_if(grown <= 64, found))
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
    let seconds = format!("{:.1}", started.elapsed().as_secs_f64());
    let found = words!(
        "let go after {seconds} s; another was greeted meanwhile",
        "{seconds} 秒后放走；其间另一个客户端得到了问候"
    );
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
    let found = words!(
        "{share}% of a core meanwhile, 50 who waited were served",
        "其间占用一个核的 {share}%，等着的 50 个都得到了服务"
    );
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
        return Ok(Found::not_available(Words::fixed(
            "it takes root, to become a user without other threads",
            "要有 root 权限，才能换成一个没有其他线程的用户",
        )));
    }
    let server = match Server::start_command(command) {
        Ok(server) => server,
        Err(e) => {
            let why = words!("another user cannot run it: {e:#}", "别的用户无法运行它：{e:#}");
            return Ok(Found::not_available(why));
        }
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
    let found = words!("{welcomed} served, {refused} told so", "服务 {welcomed} 个，告知 {refused} 个已满");
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
    let found = words!(
        "4,001 served; {printed} lines printed, {dropped} said to be dropped",
        "服务 4,001 个；打印 {printed} 行，说明丢弃了 {dropped} 行"
    );
    Ok(Found::kept_if(status.success() && dropped > 0, found))
}

fn full_output() -> Result<Found> {
    if !cfg!(target_os = "linux") {
        return Ok(Found::not_available(Words::fixed(
            "it takes Linux' /dev/full",
            "要有 Linux 的 /dev/full",
        )));
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
    let found = Words::fixed("greeted, and stopped with status 0", "得到问候，停止时状态为 0");
    Ok(Found::kept_if(program.wait()?.success(), found))
}

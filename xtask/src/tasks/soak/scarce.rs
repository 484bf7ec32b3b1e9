//! tcp-server where the system has too little: of descriptors, of threads, of room for its output.

use std::io::BufRead;
use std::net::TcpListener;
use std::process::Command;

use anyhow::{Context, Result};

use super::tcp_server::{arrivals, crowd, welcomed_at_last};
use super::{Size, Tried, can_wait, needs, no_proc, stop_in_time};
use crate::peers::script::NotAvailable;
use crate::peers::tcp_peer::TcpPeer;
use crate::programs::figures::share_of_a_core;
use crate::programs::program::Program;
use crate::programs::{self, server::Server};
use crate::words::Words;

pub fn no_descriptors(size: Size) -> Result<Tried> {
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

pub fn no_threads(size: Size) -> Result<Tried> {
    // The limit counts a user's threads on the whole machine, and root has none: a user that has no other.
    let id = Command::new("id").arg("-u").output().map(|id| id.stdout).unwrap_or_default();
    let mut command = Command::new("prlimit");
    command.args(["--nproc=30:30", "setpriv", "--reuid=54321", "--clear-groups"]);
    command.arg(programs::build::path_of("tcp-server")?).args(["127.0.0.1:0", "--delay=0"]);
    if id != b"0\n" {
        return needs(
            "it needs root, to become a user without other threads",
            "要有 root 权限，才能换成一个没有其他线程的用户",
        );
    }
    let server = Server::start_command(command).map_err(|e| {
        NotAvailable(words!("another user cannot run it: {e:#}", "别的用户无法运行它：{e:#}"))
    })?;
    let (inside, refused, _) = arrivals(server.address, 60)?;
    let served = inside.len();
    drop(inside);
    welcomed_at_last(server.address)?;
    let figures = words!(
        "{served} served, {refused} refused with the reason",
        "服务 {served} 个，告知 {refused} 个已满"
    );
    let holds = served > 0 && refused > 0;
    stop_in_time(size, server, holds, &figures)
}

/// There is no small size: it takes more lines than a pipe (64 KiB) and the narrator (192 KiB) hold together.
pub fn stalled_output(_: Size) -> Result<Tried> {
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

pub fn full_output(_: Size) -> Result<Tried> {
    if !cfg!(target_os = "linux") {
        return needs("it needs Linux' /dev/full", "要有 Linux 的 /dev/full");
    }
    // Nobody can read the address, so a port is chosen that was free a moment ago, at an address that nobody else uses.
    let address = TcpListener::bind("127.0.0.3:0")?.local_addr()?;
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" >/dev/full"]).arg(programs::build::path_of("tcp-server")?);
    command.args([&address.to_string(), "--delay=0"]);
    // A shell that warns (of a locale that is not installed) must not write to a pipe without a reader.
    let (program, _stdout, _stderr) = Program::spawn(command)?;
    let mut client = welcomed_at_last(address)?;
    client.gives_name("Michael")?;
    program.interrupt();
    let figures = Words::fixed("greeted, and stopped with status 0", "得到问候，停止时状态为 0");
    Ok((program.wait()?.success(), figures))
}

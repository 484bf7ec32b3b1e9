//! tcp-client with much data, with none that ends, and with no room to save it.

use std::fs;
use std::io::{Read, Write};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::{Size, Tried, needs, no_proc};
use crate::peers::{origin, scripted_server::repeat};
use crate::programs::{self, figures::status, program::Program, scratch::Scratch};
use crate::tasks::shown::LOOPBACK;
use crate::wire::listening::Listening;
use crate::words::Words;

/// What a process may keep in memory, in KiB, whatever a peer sends.
const MEMORY_LIMIT: u64 = 16 * 1024;

/// Gets a page into a file; returns whether it succeeded, and the most memory it took, in KiB.
fn watched_get(origin: &Listening, file: &str) -> Result<(bool, Option<u64>)> {
    let mut command = Command::new(programs::build::path_of("tcp-client")?);
    command.args(["get", &format!("http://{}/page", origin.address), "-o", file]);
    let (program, mut stdout, mut stderr) = Program::spawn(command)?;
    let reading =
        thread::spawn(move || (stdout.read_to_end(&mut Vec::new()), stderr.read_to_end(&mut Vec::new())));
    let mut peak = None;
    while !reading.is_finished() {
        peak = peak.max(status(program.pid, "VmHWM"));
        thread::sleep(Duration::from_millis(2));
    }
    Ok((program.wait()?.success(), peak))
}

pub fn one_gigabyte(size: Size) -> Result<Tried> {
    let pieces: usize = size.of(1024, 8);
    let length = format!("Content-Length: {}", pieces << 20);
    let mut found = Vec::new();
    for (head, before, after, end) in [
        (length, "", "", ""),
        ("Transfer-Encoding: chunked".into(), "100000\r\n", "\r\n", "0\r\n\r\n"),
        ("Connection: close".into(), "", "", ""),
    ] {
        let started = Instant::now();
        let name = head.split(':').next().unwrap_or_default().to_owned();
        let piece = [before.as_bytes(), &*vec![b'x'; 1 << 20], after.as_bytes()].concat();
        let origin = origin::replying(LOOPBACK[0], move |stream| {
            write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n")?;
            (0..pieces).try_for_each(|_| stream.write_all(&piece))?;
            stream.write_all(end.as_bytes())
        })?;
        let (succeeded, peak) = watched_get(&origin, "/dev/null")?;
        let peak = peak.ok_or_else(no_proc)?;
        found.push(format!("{name} {peak} KiB, {:.1} s", started.elapsed().as_secs_f64()));
        ensure!(succeeded && peak < MEMORY_LIMIT, "{}", found.join("; "));
    }
    let found = found.join("; ");
    Ok((true, words!("{found}", "{found}")))
}

pub fn endless_replies(_: Size) -> Result<Tried> {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut most = 0;
    for (start, pattern) in [
        (String::new(), "x"),
        ("HTTP/1.1 200 ".into(), "x"),
        ("HTTP/1.1 200 OK\r\nX: ".into(), "x"),
        ("HTTP/1.1 200 OK\r\n".into(), "X: y\r\n"),
        ("HTTP/1.1 200 OK\r\nX: y\r\n".into(), " y\r\n"),
        (String::new(), "HTTP/1.1 100 Continue\r\n\r\n"),
        (CHUNKED.into(), "1"),
        (format!("{CHUNKED}1;"), "x"),
        (format!("{CHUNKED}0\r\n"), "X: y\r\n"),
        (String::new(), "\n"),
    ] {
        let scratch = Scratch::new()?;
        let shown = format!("{start}{pattern}...");
        let origin = origin::replying(LOOPBACK[0], move |stream| {
            stream.write_all(start.as_bytes())?;
            repeat(stream, pattern.repeat(1000).as_bytes())
        })?;
        let (succeeded, peak) = watched_get(&origin, &scratch.path().join("f").to_string_lossy())?;
        ensure!(!succeeded && fs::read_dir(scratch.path())?.count() == 0, "{shown:?} was accepted");
        most = most.max(peak.unwrap_or_default());
    }
    let found = words!(
        "each refused, nothing saved; at most {most} KiB of memory",
        "每种都拒绝，什么也没有存下；内存最多 {most} KiB"
    );
    Ok((most < MEMORY_LIMIT, found))
}

pub fn full_disk(_: Size) -> Result<Tried> {
    let scratch = Scratch::new()?;
    let origin = origin::replying(LOOPBACK[0], |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        stream.write_all(&vec![b'x'; 4 << 20])
    })?;
    // A disk of 1 MiB, which Linux lets anybody have in a namespace of their own, with an old file on it.
    let script = "mount -t tmpfs -o size=1m tmpfs \"$1\" || exit 99; cd \"$1\"; echo old >page; \
                  \"$0\" get \"$2\" 2>&1 >/dev/null | grep -q \"cannot write to 'page'\" || exit 98; \
                  [ \"$(cat page; ls -A)\" = \"old\npage\" ] || exit 97";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(programs::build::path_of("tcp-client")?).arg(scratch.path());
    command.arg(format!("http://{}/page", origin.address));
    let figures = Words::fixed(
        "the error names the file; the old one is as it was",
        "错误信息写明了文件；旧文件原样未动",
    );
    match command.output().ok().and_then(|output| output.status.code()) {
        Some(0) => Ok((true, figures)),
        Some(97) => bail!("the old file changed, or another one is left"),
        Some(98) => bail!("the error does not name the file"),
        _ => needs("it needs its own mount namespace (unshare -rm)", "要有自己的挂载命名空间（unshare -rm）"),
    }
}

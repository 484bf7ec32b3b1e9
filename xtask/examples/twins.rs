//! Programs with one mistake each, as small as can be: by them the judge of `cargo xtask grade` is judged.
//! `twins KIND MISTAKE HOST PORT`, or for `get` URL FILE; with `none` for a mistake they have none. A mistake may also
//! be the name of a file that has it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::too_many_lines)]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, panic};

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    let [kind, mistake, rest @ ..] = args.as_slice() else { panic!("KIND MISTAKE HOST PORT") };
    let mistake: &'static str = fs::read_to_string(mistake).unwrap_or_else(|_| mistake.clone()).leak();
    let port = || rest[1].parse().expect("a port");
    match kind.as_str() {
        "sleeper" => thread::sleep(Duration::from_secs(3600)),
        #[cfg(unix)]
        "holder" => holder(mistake),
        "thief" => thief(Path::new(mistake), &rest[0], port()),
        "tcp-server" => tcp_server(mistake, &rest[0], port()),
        "udp-server" => udp_server(mistake, &rest[0], port()),
        "tcp-client" => tcp_client(mistake, &rest[0], port()),
        "udp-client" => udp_client(mistake, &rest[0], port()),
        "get" => get(mistake, &rest[0], &rest[1]),
        other => panic!("no twin of {other}"),
    }
}

fn tcp_server(mistake: &'static str, host: &str, port: u16) {
    let port = match mistake {
        "swapped" => port.swap_bytes(),
        "own-port" => 0,
        _ => port,
    };
    let mut port = port;
    if mistake == "restart" || mistake == "restart-unchecked" {
        // As without SO_REUSEADDR, which std sets: not while a connection has this port, or had it (TIME_WAIT).
        let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let ours = format!(":{port:04X} ");
        let is_connection = |line: &str| {
            line.split(": ").nth(1).is_some_and(|row| row[..14].ends_with(&ours) && !row.contains(" 0A "))
        };
        let is_taken = table.lines().any(is_connection);
        assert!(!is_taken || mistake != "restart", "cannot bind: Address already in use");
        port = if is_taken { 0 } else { port }; // as where listen follows a bind that failed
    }
    if mistake == "never-accepts" || mistake == "ends-at-once" {
        let _listener = TcpListener::bind((host, port)).expect("cannot listen");
        thread::sleep(Duration::from_millis(200)); // for all to see it
        if mistake == "never-accepts" {
            waits_for_ever();
        }
        return;
    }
    if mistake == "never-binds" {
        waits_for_ever();
    }
    if mistake == "on-udp" {
        let _socket = UdpSocket::bind((host, port)).expect("cannot bind");
        waits_for_ever();
    }
    if mistake == "hands-over" {
        // As a launcher does: it ends, and what it has started serves.
        let mut server = Command::new(env::current_exe().unwrap());
        server.args(["tcp-server", "handed-over", host, &port.to_string()]).stdin(Stdio::piped());
        drop(server.spawn().expect("cannot start it"));
        return;
    }
    if mistake == "handed-over" {
        let _ = std::io::stdin().read(&mut [0]); // the launcher has ended
        thread::sleep(Duration::from_millis(200)); // for whoever takes that for the end of all
    }
    assert!(mistake != "binds-twice", "{}", ErrorKind::AddrInUse);
    if let Some(path) = mistake.strip_prefix("robbed-") {
        robbed_once(path, host, port);
    }
    if let Some(path) = mistake.strip_prefix("beaten-") {
        beaten_once(path);
    }
    if mistake == "unbuffered" {
        assert_eq!(env::var("PYTHONUNBUFFERED").as_deref(), Ok("1"));
    }
    if mistake == "talkative" || mistake == "talks-and-ends" {
        talks();
    }
    if mistake == "talks-and-ends" {
        process::exit(3);
    }
    if mistake == "stops" {
        common::stop::Stop::on_signal(|| {}).expect("a handler");
    }
    assert!(mistake != "crashes", "at once");
    if let Some(mark) = mistake.strip_prefix("forks-") {
        let start = || Command::new(env::current_exe().unwrap()).args(["sleeper", mark]).spawn();
        let children = [(); 3].map(|()| start().expect("cannot start a child"));
        thread::spawn(move || children.map(|mut child| child.wait()));
    }
    let listener = TcpListener::bind((host, port)).expect("cannot listen");
    if matches!(mistake, "listens-once" | "closes-listener" | "stops-listening") {
        let (stream, _) = listener.accept().expect("cannot accept");
        let listener = Some(listener).filter(|_| mistake != "listens-once");
        converse(mistake, &stream);
        drop(stream);
        drop(listener);
        waits_for_ever();
    }
    for stream in listener.incoming() {
        let stream = stream.expect("cannot accept");
        drop(HELD.lock().unwrap().take());
        if mistake == "crowd" || mistake == "turns-away" && *IS_BUSY.lock().unwrap() {
            converse(if mistake == "crowd" { mistake } else { "sent-away" }, &stream);
        } else {
            thread::spawn(move || converse(mistake, &stream));
        }
    }
}

/// The connection of a conversation that has died, of which nothing is closed before the next one begins.
static HELD: Mutex<Option<TcpStream>> = Mutex::new(None);

/// Somebody has come, and nobody else is let in.
static IS_BUSY: Mutex<bool> = Mutex::new(false);

/// What has come of a message, whoever it is from.
static ONE_BUFFER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn waits_for_ever() -> ! {
    loop {
        thread::park();
    }
}

/// Prints a megabyte: half of it in many lines, and half, as a complaint, in one.
fn talks() {
    const HALF: usize = 500_000;
    print!("{}", format!("{}\n", "o".repeat(99)).repeat(HALF / 100));
    eprintln!("{}", "e".repeat(HALF));
}

/// Where there is no such file yet, somebody who is no child of its group takes its port before it does.
fn robbed_once(path: &str, host: &str, port: u16) {
    if fs::exists(path).unwrap() {
        return;
    }
    let mut thief = Command::new(env::current_exe().unwrap());
    thief.args(["thief", path, host, &port.to_string()]);
    thief.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut thief, 0);
    drop(thief.spawn().expect("cannot start it"));
    while !fs::exists(path).unwrap() {
        thread::yield_now();
    }
}

/// Where there is no such file yet, it ends as one does whose port somebody had for a moment.
fn beaten_once(path: &str) {
    let is_first = !fs::exists(path).unwrap();
    fs::write(path, "").unwrap();
    assert!(!is_first, "{}", ErrorKind::AddrInUse);
}

/// Has the port, and says so with a file; gives it back when the file is gone.
fn thief(path: &Path, host: &str, port: u16) {
    let _listener = TcpListener::bind((host, port)).expect("cannot listen");
    fs::write(path, "").unwrap();
    while path.exists() {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Gives a copy of the connection to a program that is not of its group, which has it until the client goes.
#[cfg(unix)]
fn hand_to_another(stream: &TcpStream) {
    let mut holder = Command::new(env::current_exe().unwrap());
    holder.args(["holder", &process::id().to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    holder.stdin(std::os::fd::OwnedFd::from(stream.try_clone().unwrap()));
    std::os::unix::process::CommandExt::process_group(&mut holder, 0);
    drop(holder.spawn().expect("cannot start it"));
}

/// Has a copy of a connection, and reads nothing of it while whoever gave it is there.
#[cfg(unix)]
fn holder(giver: &str) {
    while std::os::unix::process::parent_id().to_string() == giver {
        thread::sleep(Duration::from_millis(1));
    }
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
}

fn converse(mistake: &'static str, stream: &TcpStream) {
    let mut out = stream;
    #[cfg(unix)]
    if mistake == "held-open" || mistake == "deserts" {
        hand_to_another(stream);
    }
    if mistake == "sent-away" {
        return;
    }
    if mistake == "turns-away" {
        *IS_BUSY.lock().unwrap() = true;
    }
    if mistake == "never-answers" {
        let _ = stream.read_exact_of(usize::MAX);
        return;
    }
    if mistake == "anything" {
        while out.write_all(b"Welcome!\nHello, Michael!\nHello, Tracy!\n").is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
        return;
    }
    let mut waiting = if mistake == "buffered" { &b"Welcome!\n"[..] } else { b"" };
    if mistake != "welcome" && mistake != "buffered" {
        if mistake == "wordy" {
            let _ = out.write_all(b"Welcome! What is your name?\n");
        }
        if mistake == "chatty" {
            let _ = out.write_all(b"Welcome!\nWhat is your name?\n");
        }
        let _ = out.write_all(if matches!(mistake, "no-line-feed" | "never-ends-a-line") {
            b"Welcome!"
        } else {
            b"Welcome!\n"
        });
    }
    if mistake == "glued" || mistake == "cut" || mistake == "half-char" {
        return by_reads(mistake, stream);
    }
    if mistake == "never-ends-a-line" {
        let _ = stream.read_exact_of(usize::MAX);
        return;
    }
    let mut from = BufReader::with_capacity(if mistake == "exit-reset" { 1 } else { 1024 }, stream);
    loop {
        let mut line = Vec::new();
        if mistake == "exit-reset" {
            // A byte at a time: the line feed behind exit stays unread.
            while !line.ends_with(b"\n") && line != b"exit" {
                match from.by_ref().take(1).read_to_end(&mut line) {
                    Ok(1) => {}
                    _ => return,
                }
            }
        } else {
            let read = from.read_until(b'\n', &mut line);
            #[cfg(unix)]
            if mistake == "killed" {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("kill -s KILL {}", process::id())]).status().unwrap();
            }
            if mistake == "reset" && read.is_err() {
                eprintln!("connection reset by peer");
                process::exit(1);
            }
            let is_end = !line.ends_with(b"\n");
            if is_end && mistake == "leaves" {
                while out.write_all(b"Hello, !\n").is_ok() {}
            }
            if is_end && mistake == "left-open" {
                waits_for_ever();
            }
            if is_end && mistake == "one-buffer" {
                ONE_BUFFER.lock().unwrap().append(&mut line);
            }
            if is_end && mistake == "loses-a-byte" && line.pop().is_some() {
                let _ = out.write_all(&[b"Hello, ", &line[..], b"!\n"].concat());
            }
            if is_end {
                return;
            }
            line.splice(..0, ONE_BUFFER.lock().unwrap().drain(..));
        }
        if mistake == "deserts" {
            process::exit(0);
        }
        if let Some(of) = mistake.strip_prefix("thread-dies-of-") {
            eprintln!("Exception in thread 1:");
            match of {
                "text" => eprintln!("decode: no UTF-8"),
                "bytes" => eprintln!("a bytes-like object is required"),
                "its-socket" => eprintln!("bad file descriptor"),
                _ => eprintln!("no such key"),
            }
            waits_for_ever();
        }
        if mistake == "sleeps" {
            thread::sleep(Duration::from_secs(1));
        }
        let mut name = line.strip_suffix(b"\n").unwrap_or(&line).to_vec();
        if mistake == "exit-anywhere" && name.starts_with(b"exit") {
            return;
        }
        if name == b"exit" && mistake != "exit-greeted" {
            match mistake {
                "exit-ends-all" => process::exit(0),
                "exit-left-open" => thread::sleep(Duration::from_secs(3600)),
                "closes-listener" => *HELD.lock().unwrap() = stream.try_clone().ok(), // and not this
                _ => {}
            }
            return;
        }
        match mistake {
            "line-feed-kept" => name.push(b'\n'),
            "strip" => name = name.trim_ascii().to_vec(),
            "lossy" => name = String::from_utf8_lossy(&name).into_owned().into_bytes(),
            "closed-late" if std::str::from_utf8(&name).is_err() => {
                *HELD.lock().unwrap() = stream.try_clone().ok();
                return;
            }
            "empty-is-end" if name.is_empty() => return,
            "ascii" => name.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?'),
            "leftover" if name.len() < 7 => name.extend_from_slice(&b"Michael"[name.len()..]),
            "long" => name.truncate(512),
            "half-close" => {
                // It looks whether the client is still there before it answers.
                stream.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
                if matches!(stream.peek(&mut [0]), Ok(0)) {
                    return;
                }
                stream.set_read_timeout(None).unwrap();
            }
            _ => {}
        }
        let end = if mistake == "zero-byte" { &b"!\n\0"[..] } else { b"!\n" };
        let answer = [std::mem::take(&mut waiting), b"Hello, ", &name, end].concat();
        if out.write_all(&answer).is_err() && mistake == "reset" {
            eprintln!("connection reset by peer");
            process::exit(1);
        }
        if mistake == "again-ignored" {
            let _ = stream.read_exact_of(usize::MAX);
        }
        if mistake == "again" {
            let _ = stream.shutdown(Shutdown::Write);
            return;
        }
    }
}

/// One read is taken for what it is not: one message, whole messages, or text.
fn by_reads(mistake: &'static str, stream: &TcpStream) {
    let mut out = stream;
    let mut rest = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let n = out.read(&mut buffer).unwrap_or(0);
        if n == 0 {
            return;
        }
        if mistake == "half-char" && std::str::from_utf8(&buffer[..n]).is_err() {
            return;
        }
        rest.extend_from_slice(&buffer[..n]);
        if mistake != "cut" && !rest.ends_with(b"\n") {
            continue;
        }
        let read = std::mem::take(&mut rest);
        let whole = read.strip_suffix(b"\n").unwrap_or(&read);
        let names: Vec<_> =
            if mistake == "glued" { vec![whole] } else { whole.split(|byte| *byte == b'\n').collect() };
        for name in names {
            if name == b"exit" {
                return;
            }
            let _ = out.write_all(&[b"Hello, ", name, b"!\n"].concat());
        }
    }
}

/// Reads and throws away.
trait ReadExactOf {
    fn read_exact_of(&self, limit: usize) -> std::io::Result<u64>;
}

impl ReadExactOf for TcpStream {
    fn read_exact_of(&self, limit: usize) -> std::io::Result<u64> {
        std::io::copy(&mut self.take(limit as u64), &mut std::io::sink())
    }
}

fn udp_server(mistake: &'static str, host: &str, port: u16) {
    if mistake == "stops" {
        common::stop::Stop::on_signal(|| {}).expect("a handler");
    }
    if mistake == "on-tcp" {
        let _listener = TcpListener::bind((host, port)).expect("cannot listen");
        waits_for_ever();
    }
    if mistake == "unbound" {
        return;
    }
    let port = if mistake == "binds" { 0 } else { port };
    let socket = UdpSocket::bind((host, port)).expect("cannot bind");
    let mut buffer = vec![0; if mistake == "large" { 1024 } else { 65_535 }];
    let (mut first, mut seen) = (None, Vec::new());
    loop {
        let (size, peer) = socket.recv_from(&mut buffer).expect("cannot receive");
        let mut name = buffer[..size].to_vec();
        let peer = if mistake == "clients" { *first.get_or_insert(peer) } else { peer };
        match mistake {
            "line-feed" => name.push(b'\n'),
            "empty" if name.is_empty() => return,
            "strip" => name = name.trim_ascii().to_vec(),
            "bytes" => name = String::from_utf8_lossy(&name).into_owned().into_bytes(),
            _ => {}
        }
        let is_greeting = name.starts_with(b"Hello, ") && name.ends_with(b"!");
        if is_greeting && mistake != "greeting" {
            continue;
        }
        if mistake == "gone" && !seen.contains(&peer) {
            // Who has left keeps a place.
            seen.push(peer);
            assert!(seen.len() <= 3, "there is room for three clients");
        }
        if mistake == "in-parts" {
            socket.send_to(b"Hello, ", peer).unwrap();
        }
        let end = if mistake == "line-feed-behind" { &b"!\n"[..] } else { b"!" };
        let sent = socket.send_to(&[b"Hello, ", name.as_slice(), end].concat(), peer);
        sent.expect("cannot send");
        if mistake == "again" {
            return;
        }
    }
}

const NAMES: [&str; 3] = ["Michael", "Tracy", "Sarah"];

fn tcp_client(mistake: &'static str, host: &str, port: u16) {
    let began = Instant::now();
    assert!(mistake != "crashes", "at once");
    if mistake == "never-comes" {
        waits_for_ever();
    }
    if mistake == "mute" {
        panic::set_hook(Box::new(|_| {}));
    }
    let connected = TcpStream::connect((host, port));
    if mistake == "nobody" && connected.is_err() {
        return;
    }
    let stream = connected.expect("cannot connect");
    stream.set_read_timeout((mistake != "silent").then_some(Duration::from_secs(8))).unwrap();
    let mut from = BufReader::new(&stream);
    let mut out = &stream;
    let mut hear = || {
        let mut line = Vec::new();
        if mistake == "glued" || mistake == "cut" {
            line = vec![0; 1024];
            // One that cuts rightly what has come, but takes what has come by now for a whole message.
            let read = if mistake == "cut" {
                let come = from.fill_buf().map(|buffer| buffer.iter().position(|byte| *byte == b'\n'));
                let size = come.expect("nothing came").map_or(1024, |at| at + 1);
                from.read(&mut line[..size])
            } else {
                (&stream).read(&mut line)
            };
            line.truncate(read.expect("nothing came"));
        } else {
            let end = if mistake == "ends-at-mark" { b'!' } else { b'\n' };
            let read = from.read_until(end, &mut line);
            if mistake == "gives-up" && read.is_err() {
                process::exit(0);
            }
            read.expect("nothing came");
        }
        if line.is_empty() && mistake == "early" {
            process::exit(0);
        }
        assert!(!line.is_empty(), "the server closed");
        // Busy, and not asleep, before it goes on.
        let heard = Instant::now();
        while mistake == "ends-at-mark" && heard.elapsed() < Duration::from_millis(300) {}
        // By its own clock, and so even where it is the one that was not served.
        assert!(mistake != "slow" || began.elapsed() < Duration::from_millis(800), "too late");
        for _ in 0..if mistake == "prints-twice" { 2 } else { 1 } {
            println!("{}", String::from_utf8_lossy(&line).trim_end());
        }
    };
    hear();
    if mistake == "pipelines" {
        out.write_all(b"Michael\nTracy\nSarah\nexit\n").unwrap();
        for _ in NAMES {
            hear();
        }
        let _ = from.read_to_end(&mut Vec::new());
        return;
    }
    for name in if mistake == "greets" { &NAMES[..2] } else { &NAMES } {
        out.write_all(format!("{name}\n").as_bytes()).unwrap();
        hear();
    }
    out.write_all(b"exit\n").unwrap();
    if mistake != "exit" {
        let _ = from.read_to_end(&mut Vec::new());
    }
    if mistake == "fails-at-last" {
        process::exit(3);
    }
}

fn udp_client(mistake: &'static str, host: &str, port: u16) {
    let socket = UdpSocket::bind((host, 0)).unwrap();
    if mistake != "stranger" {
        socket.connect((host, port)).unwrap();
    }
    assert!(mistake != "crashes", "at once");
    // Who asks once may not be told a lie by a machine that is slow.
    let limit = Duration::from_secs(if mistake == "lost" { 2 } else { 1 });
    socket.set_read_timeout((mistake != "silent").then_some(limit)).unwrap();
    if mistake == "pipelines" {
        for name in NAMES {
            socket.send(name.as_bytes()).unwrap();
        }
        for _ in NAMES {
            let mut buffer = [0; 64];
            let size = socket.recv(&mut buffer).expect("no answer");
            println!("{}", String::from_utf8_lossy(&buffer[..size]));
        }
        return;
    }
    let mut surplus = 0; // of the whole run
    for name in NAMES {
        let expected = format!("Hello, {name}!").into_bytes();
        let mut tries = 0;
        loop {
            tries += 1;
            if tries > 3 || (mistake == "lost" && tries > 1) {
                if mistake == "nobody" {
                    println!("no answer");
                    return; // with status 0
                }
                panic!("no answer");
            }
            socket.send_to_or_send(name.as_bytes(), (host, port), mistake == "stranger");
            let answer = loop {
                let mut buffer = [0; 2048];
                match socket.recv(&mut buffer) {
                    Ok(size) if mistake == "bytes" => {
                        let text = String::from_utf8(buffer[..size].to_vec()).expect("decode: no UTF-8");
                        if text.as_bytes() == expected {
                            break Some(text.into_bytes());
                        }
                    }
                    // It believes whatever comes next, or whatever looks like a greeting.
                    Ok(size) if mistake == "late" => break Some(buffer[..size].to_vec()),
                    Ok(size) if buffer[..size] == expected => break Some(buffer[..size].to_vec()),
                    Ok(size) => {
                        surplus += 1;
                        assert!(surplus < 2 || mistake != "gives-up", "more answers than questions");
                        if surplus == 2 && mistake == "twice" {
                            break Some(buffer[..size].to_vec()); // who says it again will mean it
                        }
                    }
                    Err(_) => break None,
                }
            };
            if let Some(answer) = answer {
                if mistake != "greets" {
                    println!("{}", String::from_utf8_lossy(&answer));
                }
                break;
            }
        }
    }
}

/// One call for two kinds of sockets.
trait Asks {
    fn send_to_or_send(&self, bytes: &[u8], to: (&str, u16), is_unconnected: bool);
}

impl Asks for UdpSocket {
    fn send_to_or_send(&self, bytes: &[u8], to: (&str, u16), is_unconnected: bool) {
        let _ = if is_unconnected { self.send_to(bytes, to) } else { self.send(bytes) };
    }
}

fn get(mistake: &'static str, url: &str, out: &str) {
    let (at, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let stream = TcpStream::connect(at).expect("cannot connect");
    let host = if mistake == "no-host" { String::new() } else { format!("Host: {at}\r\n") };
    (&stream).write_all(format!("GET /{path} HTTP/1.1\r\n{host}\r\n").as_bytes()).unwrap();
    let mut from = BufReader::new(&stream);
    if mistake == "cut" {
        // One read is the whole reply.
        let mut reply = vec![0; 1 << 20];
        let size = (&stream).read(&mut reply).unwrap();
        let reply = String::from_utf8_lossy(&reply[..size]).into_owned();
        return fs::write(out, reply.split_once("\r\n\r\n").map_or("", |(_, body)| body)).unwrap();
    }
    let (mut head, mut length, mut is_chunked) = (String::new(), None, false);
    loop {
        let mut line = String::new();
        let _ = from.read_line(&mut line);
        if mistake == "no-http" && !line.starts_with("HTTP/") && head.is_empty() {
            break;
        }
        assert!(line.ends_with("\r\n") && (!head.is_empty() || line.starts_with("HTTP/")), "this is no HTTP");
        if line == "\r\n" {
            break;
        }
        let field = line.to_lowercase();
        length = field.strip_prefix("content-length: ").map_or(length, |n| n.trim().parse::<u64>().ok());
        is_chunked |= field.starts_with("transfer-encoding: chunked");
        head += &line;
    }
    if mistake != "status" {
        print!("{head}");
    }
    if mistake != "empty" && head.contains(" 204 ") {
        if mistake == "saves-head" {
            fs::write(out, head).unwrap();
        }
        return;
    }
    let mut body = Vec::new();
    if is_chunked && mistake != "chunked" {
        loop {
            let mut line = String::new();
            from.read_line(&mut line).unwrap();
            let size = u64::from_str_radix(line.trim(), 16).unwrap();
            from.by_ref().take(size).read_to_end(&mut body).unwrap();
            from.read_line(&mut line).unwrap();
            if size == 0 {
                break;
            }
        }
        if mistake == "chunk-by-close" {
            from.read_to_end(&mut Vec::new()).unwrap();
        }
    } else if let (Some(length), false) = (length, mistake == "open") {
        let limit = if mistake == "large" { length.min(1 << 25) } else { length };
        from.by_ref().take(limit).read_to_end(&mut body).unwrap();
        if mistake == "half-kept" {
            fs::write(out, &body).unwrap();
        }
        assert!(mistake == "short" || body.len() as u64 == limit, "it is cut short");
    } else {
        from.read_to_end(&mut body).unwrap();
        assert!(length.is_none_or(|length| length == body.len() as u64), "it is cut short");
    }
    match mistake {
        "header" => body = [head.as_bytes(), b"\r\n", &body].concat(),
        "close" if length.is_none() && !is_chunked => body.clear(),
        "unsaved" => return,
        _ => {}
    }
    fs::write(out, body).unwrap();
}

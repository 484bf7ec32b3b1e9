//! Programs with one mistake each, as small as can be: by them the judge of `cargo xtask grade` is judged.
//! `twins tcp-server MISTAKE HOST PORT`; with `none` for a mistake they have none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::too_many_lines)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;
use std::{env, fs, process};

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    let [kind, mistake, rest @ ..] = args.as_slice() else { panic!("KIND MISTAKE HOST PORT") };
    let mistake: &'static str = mistake.clone().leak();
    match kind.as_str() {
        "tcp-server" => tcp_server(mistake, &rest[0], rest[1].parse().expect("a port")),
        other => panic!("no twin of {other}"),
    }
}

fn tcp_server(mistake: &'static str, host: &str, port: u16) {
    let port = match mistake {
        "swapped" => port.swap_bytes(),
        "own-port" => 0,
        _ => port,
    };
    if mistake == "restart" {
        // Its predecessor's mark, which nobody takes away.
        let mark = env::temp_dir().join(format!("twin-{port}"));
        fs::File::create_new(&mark).inspect_err(|_| drop(fs::remove_file(&mark))).expect("is it running?");
    }
    if mistake == "never-accepts" {
        let _listener = TcpListener::bind((host, port)).expect("cannot listen");
        loop {
            thread::park();
        }
    }
    if mistake == "stops" {
        ctrlc::set_handler(|| {}).expect("a handler");
    }
    if mistake == "crashes" {
        panic!("at once");
    }
    if mistake == "talkative" {
        println!("{}", "a line without an end ".repeat(50_000));
    }
    let listener = TcpListener::bind((host, port)).expect("cannot listen");
    for stream in listener.incoming() {
        let stream = stream.expect("cannot accept");
        if mistake == "crowd" {
            converse(mistake, &stream);
        } else {
            thread::spawn(move || converse(mistake, &stream));
        }
    }
}

fn converse(mistake: &'static str, stream: &TcpStream) {
    let mut out = stream;
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
    if mistake != "welcome" {
        let _ = out.write_all(if mistake == "no-line-feed" { b"Welcome!" } else { b"Welcome!\n" });
    }
    if mistake == "glued" || mistake == "cut" || mistake == "half-char" {
        return by_reads(mistake, stream);
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
            if mistake == "reset" && read.is_err() {
                eprintln!("connection reset by peer");
                process::exit(1);
            }
            let is_end = !line.ends_with(b"\n");
            if is_end && mistake == "leaves" {
                while out.write_all(b"Hello, !\n").is_ok() {}
            }
            if is_end {
                return;
            }
        }
        if mistake == "sleeps" {
            thread::sleep(Duration::from_secs(1));
        }
        let mut name = line.strip_suffix(b"\n").unwrap_or(&line).to_vec();
        if name == b"exit" && mistake != "exit-greeted" {
            match mistake {
                "exit-ends-all" => process::exit(0),
                "exit-left-open" => thread::sleep(Duration::from_secs(3600)),
                _ => {}
            }
            return;
        }
        match mistake {
            "line-feed-kept" => name.push(b'\n'),
            "strip" => name = name.trim_ascii().to_vec(),
            "lossy" => name = String::from_utf8_lossy(&name).into_owned().into_bytes(),
            "empty-is-end" if name.is_empty() => return,
            "long" => name.truncate(512),
            "half-close" => {
                // It looks whether the client is still there before it answers.
                stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
                if matches!(stream.peek(&mut [0]), Ok(0)) {
                    return;
                }
                stream.set_read_timeout(None).unwrap();
            }
            _ => {}
        }
        if out.write_all(&[b"Hello, ", name.as_slice(), b"!\n"].concat()).is_err() && mistake == "reset" {
            eprintln!("connection reset by peer");
            process::exit(1);
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

//! tcp-client get: what is saved, what is not, and what is said of it.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc;

use xtask::{Lab, Listening, Outcome, repeat, speaking, until_it_leaves};

use crate::{LOOPBACK, files, run_on};

pub const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

pub fn origin(script: impl FnMut(&mut TcpStream) -> io::Result<()> + Send + 'static) -> Listening {
    xtask::replying(LOOPBACK, script).unwrap()
}

pub fn replying(reply: &'static [u8]) -> Listening {
    origin(|stream| stream.write_all(reply))
}

/// An origin that sends the page, but for its last two bytes.
fn stalling() -> Listening {
    origin(|stream| {
        stream.write_all(&HELLO[..HELLO.len() - 2])?;
        until_it_leaves(stream)
    })
}

fn page(origin: &Listening) -> String {
    format!("http://{}/dir/page.html?x=y", origin.address)
}

fn get(lab: &mut Lab, origin: &Listening, more: &[&str]) -> Outcome {
    run_on(lab, "tcp-client", &[&["get", &page(origin)][..], more].concat())
}

#[test]
fn the_request_is_the_notes_and_the_body_is_saved_under_the_urls_last_segment() {
    let mut lab = Lab::discarding().unwrap();
    let (hearing, heard) = mpsc::channel();
    let origin = speaking(LOOPBACK, move |stream| {
        let (mut head, mut from) = (String::new(), BufReader::new(&*stream));
        while from.read_line(&mut head)? > 2 {} // up to the empty line
        hearing.send(head).unwrap();
        stream.write_all(HELLO)
    });
    let origin = origin.unwrap();
    let outcome = get(&mut lab, &origin, &[]);
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
    let host = origin.address;
    let request = format!("GET /dir/page.html?x=y HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    assert_eq!(heard.recv().unwrap(), request);
    assert_eq!(outcome.said[..3], ["HTTP/1.1 200 OK", "Content-Length: 5", ""]);
    assert_eq!(outcome.said[3], "saved 5 bytes in 1 read to page.html");
    assert_eq!(fs::read(lab.directory().join("page.html")).unwrap(), b"hello");
    assert_eq!(files(&lab), ["page.html"]);
}

#[test]
fn dash_is_standard_output_and_the_header_goes_to_standard_error() {
    let mut lab = Lab::discarding().unwrap();
    let outcome = get(&mut lab, &replying(HELLO), &["-o", "-"]);
    assert_eq!((outcome.status, outcome.said), (Some(0), vec!["hello".to_owned()]));
    assert_eq!(outcome.complained[0], "HTTP/1.1 200 OK");
    assert!(files(&lab).is_empty());
}

#[test]
fn a_reply_that_is_cut_short_or_answers_another_question_leaves_the_old_file_as_it_was_and_no_other() {
    let cut_short = ": the reply was cut short ";
    let other = ": 304 says that an older copy is still right";
    for (reply, why) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello"[..], cut_short),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", cut_short),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", cut_short),
        (b"", cut_short),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", other),
    ] {
        let mut lab = Lab::discarding().unwrap();
        fs::write(lab.directory().join("page.html"), "old").unwrap();
        let outcome = get(&mut lab, &replying(reply), &[]);
        assert_eq!(outcome.status, Some(1));
        assert!(outcome.complained.last().unwrap().contains(why), "{outcome:?}");
        assert_eq!(fs::read(lab.directory().join("page.html")).unwrap(), b"old");
        assert_eq!(files(&lab), ["page.html"]);
    }
}

#[test]
fn controls_in_the_header_reach_the_terminal_escaped() {
    let mut lab = Lab::discarding().unwrap();
    let reply =
        b"HTTP/1.1 200 \x1b[31m\r\nX: \x7f \xc2\x9b \xe2\x80\xae \xe9 \x07\r\nContent-Length: 0\r\n\r\n";
    let outcome = get(&mut lab, &replying(reply), &["-o", "f"]);
    // The lab escapes again what is not printable; nothing was left for it to escape.
    assert_eq!(outcome.said[..2], ["HTTP/1.1 200 \\x1b[31m", "X: \\x7f \\u{9b} \\u{202e} \\xe9 \\x07"]);
}

#[test]
fn a_stall_and_a_trickle_end_with_the_limit_that_was_met() {
    let mut lab = Lab::discarding().unwrap();
    let outcome = get(&mut lab, &stalling(), &["--timeout", "0.1"]);
    assert!(outcome.complained.last().unwrap().ends_with(": nothing came for 100ms"), "{outcome:?}");

    let trickling = origin(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        repeat(stream, b"x")
    });
    let outcome = get(&mut lab, &trickling, &["--timeout", "0.01"]);
    assert_eq!(outcome.status, Some(1));
    let why = outcome.complained.last().unwrap();
    let limits = [": the waits for it took 1.2s in all", ": nothing came for 10ms"];
    assert!(limits.iter().any(|limit| why.ends_with(limit)), "{why}");
    assert!(files(&lab).is_empty());
}

#[test]
fn a_file_that_is_read_only_is_named_and_left_alone() {
    let mut lab = Lab::discarding().unwrap();
    let locked = lab.directory().join("locked");
    fs::write(&locked, "old").unwrap();
    let mut permissions = fs::metadata(&locked).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&locked, permissions).unwrap();
    let outcome = get(&mut lab, &replying(HELLO), &["-o", "locked"]);
    assert!(outcome.complained.last().unwrap().ends_with("it is read-only"), "{outcome:?}");
    assert_eq!(fs::read(&locked).unwrap(), b"old");
    assert_eq!(files(&lab), ["locked"]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::{ChildStderr, ChildStdout};
    use xtask::Program;

    #[test]
    fn a_symbolic_link_stays_a_link_and_permissions_stay() {
        let mut lab = Lab::discarding().unwrap();
        let (real, link) = (lab.directory().join("real"), lab.directory().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o4750)).unwrap();
        symlink("real", &link).unwrap();
        assert_eq!(get(&mut lab, &replying(HELLO), &["-o", "link"]).status, Some(0));
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"hello");
        // All but set-id: the new file is its maker's.
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o7777, 0o750);

        symlink("nowhere", lab.directory().join("dangling")).unwrap();
        let outcome = get(&mut lab, &replying(HELLO), &["-o", "dangling"]);
        assert!(outcome.complained.last().unwrap().contains("a symbolic link to nothing"), "{outcome:?}");
    }

    #[test]
    fn a_device_and_a_fifo_are_written_to_and_not_replaced() {
        let mut lab = Lab::discarding().unwrap();
        assert_eq!(get(&mut lab, &replying(HELLO), &["-o", "/dev/null"]).status, Some(0));
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let fifo = lab.directory().join("fifo");
        assert!(crate::process::command("mkfifo").arg(&fifo).status().unwrap().success());
        let reading = std::thread::spawn({
            let fifo = fifo.clone();
            move || fs::read(fifo).unwrap()
        });
        assert_eq!(get(&mut lab, &replying(HELLO), &["-o", "fifo"]).status, Some(0));
        assert_eq!(reading.join().unwrap(), b"hello");
        assert_eq!(files(&lab), ["fifo"]);
    }

    fn spawned(lab: &Lab, args: &[&str]) -> (Program, ChildStdout, ChildStderr) {
        let mut command = crate::program("tcp-client");
        command.args(args).current_dir(lab.directory());
        Program::spawn(command).unwrap()
    }

    #[test]
    fn a_file_is_saved_though_nobody_reads_what_is_said_of_it() {
        let lab = Lab::discarding().unwrap();
        let origin = replying(HELLO);
        let args = ["get", &page(&origin), "-o", "f"];
        let (program, stdout, mut stderr) = spawned(&lab, &args);
        drop(stdout);
        let mut complained = String::new();
        stderr.read_to_string(&mut complained).unwrap();
        assert_eq!((program.wait().unwrap().code(), complained.as_str()), (Some(0), ""));
        assert_eq!(fs::read(lab.directory().join("f")).unwrap(), b"hello");
    }

    #[test]
    fn an_interrupt_leaves_the_old_file_and_no_litter() {
        let mut lab = Lab::discarding().unwrap();
        fs::write(lab.directory().join("page.html"), "old").unwrap();
        let origin = stalling();
        let client = crate::start_on(&lab, "tcp-client", &["get", &page(&origin)]);
        lab.wait_for_line(&client, "HTTP/1.1 200 OK").unwrap(); // the unfinished file is there by now
        assert_eq!(files(&lab).len(), 2);
        assert!(client.interrupt());
        assert_eq!(lab.wait_for_end(client).unwrap().status, Some(130));
        assert_eq!(files(&lab), ["page.html"]);
    }

    #[test]
    fn a_reader_of_standard_output_that_leaves_ends_it_quietly() {
        let origin = origin(|stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            repeat(stream, b"line\n")
        });
        let directory = Lab::discarding().unwrap();
        let args = ["get", &page(&origin), "-o", "-"];
        let (program, mut stdout, mut stderr) = spawned(&directory, &args);
        stdout.read_exact(&mut [0; 5]).unwrap();
        drop(stdout);
        let mut complained = String::new();
        stderr.read_to_string(&mut complained).unwrap();
        assert_eq!(complained, "HTTP/1.1 200 OK\n\n");
        assert!(program.wait().unwrap().success());
    }
}

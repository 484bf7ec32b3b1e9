//! tcp-server against well-behaved, careless and hostile clients.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{ChildStderr, ChildStdout},
};

#[cfg(unix)]
use xtask::Program;

use crate::{Guest, Server};

const AT_ONCE: [&str; 2] = ["--delay", "0"];

fn server(more: &[&str]) -> Server {
    Server::start("tcp-server", &[&AT_ONCE[..], more].concat())
}

#[test]
fn two_messages_in_one_segment_are_two_and_a_split_one_is_one() {
    let server = server(&[]);
    let mut guest = server.guest();
    guest.stream.set_nodelay(true).unwrap();
    guest.say("Michael\nTracy\r\n\n");
    assert_eq!([guest.line(), guest.line(), guest.line()], ["Hello, Michael!", "Hello, Tracy!", "Hello, !"]);
    for byte in "张三\n".as_bytes() {
        guest.say([*byte]);
    }
    assert_eq!(guest.line(), "Hello, 张三!");
}

#[test]
fn names_are_bytes_and_come_back_as_they_went() {
    let server = server(&["--framing", "length"]);
    let mut stream = server.connect();
    let name: Vec<u8> = (0..=255).cycle().take(1024).collect();
    stream.write_all(&1024_u32.to_be_bytes()).unwrap();
    stream.write_all(&name).unwrap();
    let mut reply = [0; 4 + 8 + 4 + 1032];
    stream.read_exact(&mut reply).unwrap();
    let expected = [&b"\0\0\0\x08Welcome!\0\0\x04\x08Hello, "[..], &name, b"!"].concat();
    assert!(reply[..] == expected);
}

#[test]
fn exit_closes_that_connection_only() {
    let server = server(&[]);
    let (mut one, mut two) = (server.guest(), server.guest());
    one.say("exit\n");
    assert_eq!(one.rest(), "");
    two.say("Tracy\n");
    assert_eq!(two.line(), "Hello, Tracy!");
}

#[test]
fn clients_are_served_in_any_order_and_not_one_at_a_time() {
    let server = server(&[]);
    let mut guests: Vec<_> = (0..20).map(|_| server.guest()).collect();
    for (number, guest) in guests.iter_mut().enumerate().rev() {
        guest.say(format!("{number}\n"));
        assert_eq!(guest.line(), format!("Hello, {number}!"));
    }
}

#[test]
fn with_raw_framing_the_wire_is_the_notes_own() {
    let server = server(&["--framing", "raw"]);
    let mut stream = server.connect();
    for (heard, said) in [("Welcome!", "Michael"), ("Hello, Michael!", "exit")] {
        let mut got = vec![0; heard.len()];
        stream.read_exact(&mut got).unwrap();
        assert_eq!(got, heard.as_bytes());
        stream.write_all(said.as_bytes()).unwrap();
    }
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_message_over_the_limit_is_refused_with_the_reason_and_the_reason_arrives() {
    let lines = server(&[]);
    for size in [1025, 3000, 1 << 20] {
        let mut guest = lines.guest();
        // The server stops reading; a client that goes on may see that as an error, and still gets its answer.
        let _ = guest.stream.write_all(&[&vec![b'x'; size][..], b"\n"].concat());
        assert_eq!(guest.line(), "refused: a message is at most 1024 bytes");
    }
    let mut lengths = server(&["--framing", "length"]);
    for prefix in [1025, u32::MAX] {
        let mut stream = lengths.connect();
        stream.write_all(&prefix.to_be_bytes()).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"\0\0\0\x08Welcome!\0\0\0\x28refused: a message is at most 1024 bytes");
    }
    assert!(lengths.wait_for("closed connection").ends_with(": a message is at most 1024 bytes"));
}

#[test]
fn a_half_close_behind_a_name_still_gets_the_greeting() {
    let server = server(&[]);
    let mut guest = server.guest();
    guest.say("Michael\n");
    guest.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(guest.rest(), "Hello, Michael!\n");
}

#[test]
fn an_end_inside_a_message_is_narrated_and_nothing_is_greeted() {
    let mut server = server(&[]);
    let mut guest = server.guest();
    guest.say("Mich");
    guest.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(guest.rest(), "");
    assert!(server.wait_for("closed connection").ends_with(": the stream ended inside a message"));
}

#[test]
fn a_silent_client_is_let_go_and_the_others_are_not() {
    let mut server = server(&["--idle-timeout", "0.05"]);
    let mut silent = server.guest();
    assert_eq!(silent.rest(), "");
    assert!(server.wait_for("closed connection").ends_with(": nothing came for 50ms"));
    server.guest();
}

#[test]
fn connecting_and_resetting_200_times_harms_nobody() {
    let server = server(&[]);
    let mut witness = server.guest();
    for _ in 0..200 {
        // The welcome is left unread, so that closing sends a reset.
        let stream = server.connect();
        let mut byte = [0];
        stream.peek(&mut byte).unwrap();
    }
    witness.say("Michael\n");
    assert_eq!(witness.line(), "Hello, Michael!");
    server.guest();
}

#[test]
fn a_reset_while_its_reply_is_thought_about_is_narrated_and_harms_nobody() {
    let mut server = Server::start("tcp-server", &["--delay=0.2"]);
    let mut witness = server.guest();
    let mut stream = server.connect();
    stream.peek(&mut [0]).unwrap();
    stream.write_all(b"Michael\n").unwrap();
    drop(stream); // with the welcome unread, this sends a reset
    witness.say("Tracy\n");
    assert_eq!(witness.line(), "Hello, Tracy!");
    server.wait_for("closed connection");
}

#[test]
fn a_client_that_never_reads_does_not_disturb_the_others() {
    let server = server(&[]);
    let deaf = server.guest();
    deaf.stream.set_nonblocking(true).unwrap();
    let names = [&[b'x'; 1000][..], b"\n"].concat().repeat(100);
    // Full up: the server has stopped reading, because its own writes are blocked.
    let mut full = 0;
    while full < 50 {
        match (&deaf.stream).write(&names) {
            Ok(_) => full = 0,
            Err(_) => full += 1,
        }
        let mut guest = server.guest();
        guest.say("exit\n");
    }
    let mut guest = server.guest();
    guest.say("Tracy\n");
    assert_eq!(guest.line(), "Hello, Tracy!");
}

#[test]
fn a_client_too_many_is_told_so_and_a_place_that_comes_free_is_given_again() {
    let mut server = server(&["--max-clients", "2"]);
    let (mut one, _two) = (server.guest(), server.guest());
    let mut third = Guest::new(server.connect());
    assert_eq!(third.rest(), "refused: the server is full, try again later\n");
    assert!(server.wait_for("turned away").ends_with(": all places are taken (2)"));
    one.say("exit\n");
    one.rest();
    drop(one);
    server.wait_for("closed connection");
    while Guest::new(server.connect()).line() != "Welcome!" {} // it is given back just behind that line
}

#[test]
fn a_burst_of_500_is_welcomed_to_the_last() {
    let server = server(&[]);
    let mut streams: Vec<_> = (0..500).map(|_| server.connect()).collect();
    for stream in &mut streams {
        let mut welcome = [0; 9];
        stream.read_exact(&mut welcome).unwrap();
        assert_eq!(&welcome, b"Welcome!\n");
    }
}

#[test]
fn both_ip_versions_and_names_are_listened_to() {
    for address in ["[::1]:0", "localhost:0", "0.0.0.0:0"] {
        if address.starts_with('[') && !crate::has_ipv6() {
            continue;
        }
        let server = Server::start("tcp-server", &[address, "--delay=0"]);
        let reached = common::address::reachable(server.address);
        let mut guest = Guest::new(TcpStream::connect(reached).unwrap());
        assert_eq!(guest.line(), "Welcome!");
    }
}

#[test]
fn quiet_says_where_it_listens_and_no_more() {
    let server = server(&["--quiet"]);
    let mut guest = server.guest();
    guest.say("exit\n");
    guest.rest();
    #[cfg(unix)]
    assert_eq!(server.stop().said.len(), 2);
}

#[cfg(unix)]
mod stopping {
    use super::*;
    use crate::said;
    use std::net::TcpListener;

    /// The server's whole narration, the peers' ports left out.
    fn narration(server: Server) -> Vec<String> {
        let address = server.address;
        let outcome = server.stop();
        assert_eq!(outcome.status, Some(0));
        TcpListener::bind(address).expect("the port can be bound again at once");
        outcome.said
    }

    #[test]
    fn with_nobody_there_it_says_stopped() {
        let server = server(&[]);
        let first = format!("listening on {}", server.address);
        let hint = format!("in another terminal: cargo run -p tcp-client -- greet {}", server.address);
        assert_eq!(server.stop(), said(&[&first, &hint, "stopped"]));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_an_address_that_cannot_be_connected_to_it_stops_too() {
        for address in ["127.255.255.255:0", "224.0.0.1:0"] {
            let server = Server::start("tcp-server", &[address]);
            assert_eq!(server.stop().said.last().map(String::as_str), Some("stopped"), "{address}");
        }
    }

    #[test]
    fn with_idle_clients_each_is_closed() {
        let server = server(&[]);
        let mut guests: Vec<_> = (0..50).map(|_| server.guest()).collect();
        let said = narration(server);
        assert_eq!(said.iter().filter(|line| line.starts_with("closed connection")).count(), 50);
        assert_eq!(said.last().map(String::as_str), Some("stopped"));
        assert!(guests.iter_mut().all(|guest| guest.rest().is_empty()));
    }

    #[test]
    fn a_reply_under_way_still_leaves() {
        let server = Server::start("tcp-server", &["--delay", "0.5"]);
        let mut guest = server.guest();
        guest.say("Michael\nTracy\n"); // one segment: when Michael is greeted, Tracy has been read
        assert_eq!(guest.line(), "Hello, Michael!");
        narration(server);
        assert_eq!(guest.rest(), "Hello, Tracy!\n");
    }

    #[test]
    fn the_longest_delay_does_not_hold_it_up() {
        let server = Server::start("tcp-server", &["--delay", "3600"]);
        let mut guest = server.guest();
        guest.say("Michael\n");
        narration(server);
    }

    #[test]
    fn clients_that_talk_on_or_never_read_do_not_hold_it_up() {
        let server = server(&["--quiet"]);
        let mut deaf = server.guest();
        let mut talker = server.guest();
        std::thread::scope(|scope| {
            scope.spawn(|| while deaf.stream.write_all(b"a name\n").is_ok() {});
            scope.spawn(|| {
                while talker.stream.write_all(b"x\n").is_ok()
                    && talker.from.read(&mut [0; 64]).is_ok_and(|n| n > 0)
                {}
            });
            narration(server);
        });
    }
}

/// A server whose outputs are at hand, to be closed or not to be read, and where it is.
#[cfg(unix)]
fn with_outputs() -> (Program, BufReader<ChildStdout>, ChildStderr, SocketAddr) {
    let args = ["127.0.0.1:0", "--delay=0"];
    let (program, stdout, stderr) = Program::start("tcp-server", &args, &std::env::temp_dir()).unwrap();
    let mut stdout = BufReader::with_capacity(64, stdout);
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    (program, stdout, stderr, xtask::address_in(&line).unwrap())
}

#[cfg(unix)]
#[test]
fn a_closed_standard_output_costs_no_client_its_service() {
    let (program, stdout, _stderr, address) = with_outputs();
    drop(stdout);
    for _ in 0..20 {
        let mut guest = Guest::new(TcpStream::connect(address).unwrap());
        guest.say("Michael\nexit\n");
        assert_eq!(guest.rest(), "Welcome!\nHello, Michael!\n");
    }
    assert!(program.interrupt());
    assert!(program.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_standard_output_that_nobody_reads_costs_no_client_its_service() {
    let (program, stdout, _stderr, address) = with_outputs();
    // More narration than a pipe (64 KiB) and the narrator's queue (4096 lines) hold together.
    for _ in 0..4000 {
        let mut guest = Guest::new(TcpStream::connect(address).unwrap());
        guest.say("exit\n");
        assert_eq!(guest.rest(), "Welcome!\n");
    }
    let mut dropped = 0;
    let mut printed = 1;
    let mut guest = Guest::new(TcpStream::connect(address).unwrap());
    assert_eq!(guest.line(), "Welcome!");
    assert!(program.interrupt());
    for line in stdout.lines().map(Result::unwrap) {
        match line.strip_prefix('(') {
            Some(note) => dropped += note.split(' ').next().unwrap().parse::<usize>().unwrap(),
            None => printed += 1,
        }
    }
    assert_eq!(guest.rest(), "");
    assert_eq!(printed + dropped, 3 + 2 * 4001, "an address, a hint, two lines a guest, and the stop");
    // A pipe has room for 16 pages of memory, and not all systems' are of 4 KiB.
    assert!(dropped > 0 || cfg!(not(target_arch = "x86_64")), "{printed} lines were printed");
    assert!(program.wait().unwrap().success());
}

//! tcp-server against well-behaved, careless and hostile clients.

#[cfg(unix)]
use std::io::BufRead;
use std::io::{Read, Write};

use xtask::Guest;

use crate::Server;
use crate::process::{descriptors, eventually};

const AT_ONCE: [&str; 2] = ["--delay", "0"];

fn server(more: &[&str]) -> Server {
    Server::start("tcp-server", &[&AT_ONCE[..], more].concat())
}

#[test]
fn two_messages_in_one_segment_are_two_and_a_split_one_is_one() {
    let server = server(&[]);
    let mut guest = server.guest();
    guest.stream().set_nodelay(true).unwrap();
    guest.says("Michael\nTracy\r\n\n").unwrap();
    for greeting in ["Hello, Michael!", "Hello, Tracy!", "Hello, !"] {
        guest.hears(greeting).unwrap();
    }
    for byte in "张三\n".as_bytes() {
        guest.says([*byte]).unwrap();
    }
    guest.hears("Hello, 张三!").unwrap();
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
    one.says("exit\n").unwrap();
    assert_eq!(one.hears_the_end().unwrap(), "");
    two.gives_name("Tracy").unwrap();
}

#[test]
fn clients_are_served_in_any_order_and_not_one_at_a_time() {
    let server = server(&[]);
    let mut guests: Vec<_> = (0..20).map(|_| server.guest()).collect();
    for (number, guest) in guests.iter_mut().enumerate().rev() {
        guest.gives_name(&number.to_string()).unwrap();
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
        let _ = guest.says([&vec![b'x'; size][..], b"\n"].concat());
        guest.hears("refused: a message is at most 1024 bytes").unwrap();
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
    guest.says("Michael\n").unwrap();
    guest.says_no_more().unwrap();
    assert_eq!(guest.hears_the_end().unwrap(), "Hello, Michael!\n");
}

#[test]
fn an_end_inside_a_message_is_narrated_and_nothing_is_greeted() {
    let mut server = server(&[]);
    let mut guest = server.guest();
    guest.says("Mich").unwrap();
    guest.says_no_more().unwrap();
    assert_eq!(guest.hears_the_end().unwrap(), "");
    let closed = server.wait_for("closed connection");
    assert!(closed.contains(": the stream ended inside a message: 4 bytes came, \"Mich\""), "{closed}");
}

#[test]
fn a_silent_client_is_let_go_and_the_others_are_not() {
    let mut server = server(&["--idle-timeout", "0.05"]);
    let mut silent = server.guest();
    assert_eq!(silent.hears_the_end().unwrap(), "");
    assert!(server.wait_for("closed connection").ends_with(": nothing came for 50ms"));
    server.guest();
}

#[test]
fn connecting_and_resetting_200_times_harms_nobody() {
    let server = server(&[]);
    let mut witness = server.guest();
    for _ in 0..200 {
        Guest::arrived(server.address).unwrap().resets().unwrap();
    }
    witness.gives_name("Michael").unwrap();
    server.guest();
}

#[test]
fn a_reset_while_its_reply_is_thought_about_is_narrated_and_harms_nobody() {
    let mut server = Server::start("tcp-server", &["--delay=0.2"]);
    let mut witness = server.guest();
    let mut guest = Guest::arrived(server.address).unwrap();
    guest.says("Michael\n").unwrap();
    guest.resets().unwrap();
    witness.gives_name("Tracy").unwrap();
    server.wait_for("closed connection");
}

#[test]
fn a_client_that_never_reads_does_not_disturb_the_others() {
    let server = server(&[]);
    let deaf = server.guest();
    deaf.fills_up(|| server.guest().says("exit\n").unwrap()).unwrap();
    let mut guest = server.guest();
    guest.gives_name("Tracy").unwrap();
}

#[test]
fn a_client_too_many_is_told_so_and_a_place_that_comes_free_is_given_again() {
    let mut server = server(&["--max-clients", "2"]);
    let (mut one, _two) = (server.guest(), server.guest());
    let mut third = Guest::arrived(server.address).unwrap();
    assert_eq!(third.hears_the_end().unwrap(), "refused: the server is full, try again later\n");
    assert!(server.wait_for("turned away").ends_with(": all places are taken (2)"));
    one.says("exit\n").unwrap();
    one.hears_the_end().unwrap();
    drop(one);
    server.wait_for("closed connection");
    eventually("a place is free again, just after that line", || {
        (Guest::arrived(server.address).unwrap().line().unwrap() == "Welcome!").then_some(())
    });
}

#[test]
fn a_burst_of_clients_is_welcomed_to_the_last() {
    let server = server(&[]);
    let clients_that_fit = 500.min(descriptors() / 4); // other tests need some at the same time
    let mut guests: Vec<_> = (0..clients_that_fit).map(|_| Guest::arrived(server.address).unwrap()).collect();
    for guest in &mut guests {
        guest.hears("Welcome!").unwrap();
    }
}

#[test]
fn both_ip_versions_and_names_are_listened_to() {
    for address in ["[::1]:0", "localhost:0", "0.0.0.0:0"] {
        if address.starts_with('[') && !crate::has_ipv6()
            || address.starts_with('l') && !crate::is_localhost_ipv4()
        {
            continue;
        }
        let server = Server::start("tcp-server", &[address, "--delay=0"]);
        let reached = common::address::reachable(server.address);
        Guest::welcomed(reached).unwrap();
    }
}

#[test]
fn quiet_says_where_it_listens_and_no_more() {
    let server = server(&["--quiet"]);
    let mut guest = server.guest();
    guest.says("exit\n").unwrap();
    guest.hears_the_end().unwrap();
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
        assert!(guests.iter_mut().all(|guest| guest.hears_the_end().unwrap().is_empty()));
    }

    #[test]
    fn a_reply_under_way_still_leaves() {
        let server = Server::start("tcp-server", &["--delay", "0.5"]);
        let mut guest = server.guest();
        guest.says("Michael\nTracy\n").unwrap(); // one segment: when Michael is greeted, Tracy has been read
        guest.hears("Hello, Michael!").unwrap();
        narration(server);
        assert_eq!(guest.hears_the_end().unwrap(), "Hello, Tracy!\n");
    }

    #[test]
    fn the_longest_delay_does_not_hold_it_up() {
        let server = Server::start("tcp-server", &["--delay", "3600"]);
        let mut guest = server.guest();
        guest.says("Michael\n").unwrap();
        narration(server);
    }

    #[test]
    fn clients_that_talk_on_or_never_read_do_not_hold_it_up() {
        let server = server(&["--quiet"]);
        let mut deaf = server.guest();
        let mut talker = server.guest();
        std::thread::scope(|scope| {
            scope.spawn(|| while deaf.says("a name\n").is_ok() {});
            scope.spawn(|| talker.talks_on());
            narration(server);
        });
    }
}

/// A server whose outputs are at hand, to be closed or not to be read.
#[cfg(unix)]
fn with_outputs() -> xtask::Server {
    let mut command = crate::program("tcp-server");
    command.args(["127.0.0.1:0", "--delay=0"]);
    xtask::Server::start_command(command).unwrap()
}

#[cfg(unix)]
#[test]
fn a_closed_standard_output_costs_no_client_its_service() {
    let server = with_outputs();
    drop(server.lines);
    for _ in 0..20 {
        let mut guest = Guest::arrived(server.address).unwrap();
        guest.says("Michael\nexit\n").unwrap();
        assert_eq!(guest.hears_the_end().unwrap(), "Welcome!\nHello, Michael!\n");
    }
    assert!(server.program.interrupt());
    assert!(server.program.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_standard_output_that_nobody_reads_costs_no_client_its_service() {
    let server = with_outputs();
    // More narration than a pipe (64 KiB) and the narrator (192 KiB) hold together.
    for _ in 0..4000 {
        let mut guest = Guest::arrived(server.address).unwrap();
        guest.says("exit\n").unwrap();
        assert_eq!(guest.hears_the_end().unwrap(), "Welcome!\n");
    }
    let mut dropped = 0;
    let mut printed = 1;
    let mut guest = Guest::welcomed(server.address).unwrap();
    assert!(server.program.interrupt());
    for line in server.lines.lines().map(Result::unwrap) {
        match line.strip_prefix('(') {
            Some(note) => dropped += note.split(' ').next().unwrap().parse::<usize>().unwrap(),
            None => printed += 1,
        }
    }
    assert_eq!(guest.hears_the_end().unwrap(), "");
    assert_eq!(printed + dropped, 3 + 2 * 4001, "an address, a hint, two lines a guest, and the stop");
    // A pipe has room for 16 pages of memory, and not all systems' are of 4 KiB.
    assert!(dropped > 0 || cfg!(not(target_arch = "x86_64")), "{printed} lines were printed");
    assert!(server.program.wait().unwrap().success());
}

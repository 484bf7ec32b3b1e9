//! tcp-server: what neither the judge, which plays every stage on it, nor the soak says of it.

use std::io::{Read, Write};

use xtask::TcpPeer;

use crate::Server;

const AT_ONCE: [&str; 2] = ["--delay", "0"];

fn server(more: &[&str]) -> Server {
    Server::start("tcp-server", &[&AT_ONCE[..], more].concat())
}

#[test]
fn a_message_over_the_limit_is_refused_with_the_reason_and_the_reason_arrives() {
    let lines = server(&[]);
    for size in [1025, 3000, 1 << 20] {
        let mut client = lines.client();
        // The server stops reading; a client that goes on may see that as an error, and still gets its answer.
        client.sends([&vec![b'x'; size][..], b"\n"].concat());
        client.hears("refused: a message is at most 1024 bytes").unwrap();
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
fn an_end_inside_a_message_is_narrated_and_nothing_is_greeted() {
    let mut server = server(&[]);
    let mut client = server.client();
    client.sends("Mich");
    client.ends();
    assert_eq!(client.hears_out().unwrap(), "");
    let closed = server.wait_for("closed connection");
    assert!(closed.contains(": the stream ended inside a message: 4 bytes came, \"Mich\""), "{closed}");
}

#[test]
fn a_silent_client_is_let_go_and_the_others_are_not() {
    let mut server = server(&["--idle-timeout", "0.05"]);
    let mut silent = server.client();
    assert_eq!(silent.hears_out().unwrap(), "");
    assert!(server.wait_for("closed connection").ends_with(": nothing came for 50ms"));
    server.client();
}

#[test]
fn a_client_too_many_is_told_why_and_so_is_the_narration() {
    let mut server = server(&["--max-clients", "2"]);
    let _two = (server.client(), server.client());
    let mut third = TcpPeer::connected(server.address).unwrap();
    assert_eq!(third.hears_out().unwrap(), "refused: the server is full, try again later\n");
    assert!(server.wait_for("turned away").ends_with(": all places are taken (2)"));
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
        TcpPeer::welcomed(reached).unwrap();
    }
}

#[test]
fn quiet_says_where_it_listens_and_no_more() {
    let server = server(&["--quiet"]);
    let mut client = server.client();
    client.sends("exit\n");
    client.hears_out().unwrap();
    #[cfg(unix)]
    assert_eq!(server.stop().said.len(), 2);
}

#[cfg(unix)]
mod stopping {
    use super::*;
    use crate::said;

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
    fn the_longest_delay_does_not_hold_it_up() {
        let server = Server::start("tcp-server", &["--delay", "3600"]);
        let mut client = server.client();
        client.sends("Michael\n");
        assert_eq!(server.stop().status, Some(0));
    }
}

#[cfg(unix)]
#[test]
fn a_closed_standard_output_costs_no_client_its_service() {
    let mut command = crate::program("tcp-server");
    command.args(["127.0.0.1:0", "--delay=0"]);
    let server = xtask::Server::start_command(command).unwrap();
    drop(server.lines);
    crate::visits(server.address, 20, "Michael\nexit\n", "Welcome!\nHello, Michael!\n");
    assert!(server.program.interrupt());
    assert!(server.program.wait().unwrap().success());
}

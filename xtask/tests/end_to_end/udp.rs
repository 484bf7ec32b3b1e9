//! udp-server and udp-client, with each other and with peers that misbehave.

use std::net::UdpSocket;

use xtask::{ScriptedServer, ask};

use crate::{LOOPBACK, Server, run, said};

fn hello(name: &[u8]) -> Vec<u8> {
    common::greeting::of(name)
}

#[test]
fn the_pair_greets_over_both_ip_versions_and_by_name() {
    for (bind, host) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "[::1]"), ("0.0.0.0:0", "localhost")] {
        if bind.starts_with('[') && !crate::has_ipv6() || host == "localhost" && !crate::is_localhost_ipv4() {
            continue;
        }
        let server = Server::start("udp-server", &[bind]);
        let address = format!("{host}:{}", server.address.port());
        let greeted = run("udp-client", &[&address, "--timeout", "60"]);
        assert_eq!(greeted, said(&["Hello, Michael!", "Hello, Tracy!", "Hello, Sarah!"]), "{address}");
        let greeted = run("udp-client", &[&address, "张三", "", "a\nb", "--timeout", "60"]);
        assert_eq!(greeted, said(&["Hello, 张三!", "Hello, !", "Hello, a\\nb!"]));
    }
}

#[test]
fn every_size_is_greeted_whole_or_refused_with_a_line() {
    let mut server = Server::start("udp-server", &["127.0.0.1:0"]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for size in [0, 1, 1023, 1024, 1025, 1472, 8192, 65_498, 65_499] {
        let name: Vec<u8> = (0..size).map(|at: usize| at.to_le_bytes()[0]).collect();
        assert!(ask(&socket, server.address, &name).unwrap() == hello(&name), "{size}");
    }
    for size in [65_500, 65_507] {
        socket.send_to(&vec![b'x'; size], server.address).unwrap();
        server.wait_for(&format!("Received {size} bytes from {}", socket.local_addr().unwrap()));
    }
    let refusal = server.wait_for("No reply to ");
    assert!(refusal.ends_with(": the greeting would not fit one datagram"), "{refusal}");
    assert_eq!(ask(&socket, server.address, b"Michael").unwrap(), b"Hello, Michael!");
}

#[test]
fn that_a_greeting_gets_no_reply_is_narrated() {
    let mut server = Server::start("udp-server", &["127.0.0.1:0"]);
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"Hello, Michael!", server.address).unwrap();
    assert!(server.wait_for("No reply to ").ends_with(": this is a greeting itself"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_stops_it_at_once_and_the_port_is_free() {
    for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"] {
        if address.starts_with('[') && !crate::has_ipv6() {
            continue;
        }
        let server = Server::start("udp-server", &[address]);
        let bound = server.address;
        let first = format!("bound to {bound}");
        let at = common::address::reachable(bound);
        let at = if at.is_ipv6() { format!("\"{at}\"") } else { at.to_string() };
        let hint = format!("in another terminal: cargo run -p udp-client -- {at}");
        let elsewhere = common::address::reachable_by_others(bound).map(|at| {
            let at = common::narration::shell_word(&at.to_string());
            format!("on another machine: cargo run -p udp-client -- {at}")
        });
        let lines = [Some(&*first), Some(&*hint), elsewhere.as_deref(), Some("stopped")];
        assert_eq!(server.stop(), said(&lines.into_iter().flatten().collect::<Vec<_>>()));
        UdpSocket::bind(bound).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_an_address_that_cannot_be_sent_to_it_stops_too() {
    for address in ["127.255.255.255:0", "239.1.1.1:0"] {
        let server = Server::start("udp-server", &[address]);
        assert_eq!(server.stop().said.last().map(String::as_str), Some("stopped"), "{address}");
    }
}

#[test]
fn a_late_a_doubled_and_a_wrong_reply_are_never_taken_for_another_names() {
    let host = ScriptedServer::answering(LOOPBACK, |number, name| match number {
        0 => vec![hello(name), hello(name)],
        1 => vec![b"Hello, ".into(), b"\x1b[2J\xff".into(), vec![b'x'; 60_000], hello(name)],
        _ => vec![hello(b"B"), hello(name)],
    })
    .unwrap();
    let greeted = run("udp-client", &[&host.address.to_string(), "A", "B", "C", "--timeout", "60"]);
    assert_eq!(greeted.said, ["Hello, A!", "Hello, B!", "Hello, C!"]);
    let ignored = ["B': \"Hello, A!\"", "C': \"Hello, B!\""]
        .map(|which| format!("ignored a datagram that is not the greeting for '{which}"));
    assert_eq!((greeted.status, greeted.complained), (Some(0), ignored.to_vec()));
}

#[test]
fn no_reply_and_nobody_there_are_clear_errors() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let outcome = run("udp-client", &[&address, "A", "--timeout", "0.05", "--tries", "2"]);
    let why = "udp-client: cannot get the greeting for 'A' from ADDRESS: no reply after 2 x 50ms - is a server running there? cargo run -p udp-server -- ADDRESS starts one";
    assert_eq!(outcome, crate::outcome(1, &[], &[&why.replace("ADDRESS", &address)]));
    for _ in 0..2 {
        assert_eq!(silent.recv(&mut [0; 8]).unwrap(), 1);
    }
    // Below the ports that systems give away, so no other test has it meanwhile.
    let is_free = |port: &u16| UdpSocket::bind(("127.0.0.1", *port)).is_ok();
    let address = format!("127.0.0.1:{}", (10_000..12_000).find(is_free).unwrap());
    let outcome = run("udp-client", &[&address, "A", "--timeout", "60"]);
    let why = format!(" - is a server running there? cargo run -p udp-server -- {address} starts one");
    assert_eq!((outcome.status, outcome.said.len(), outcome.complained.len()), (Some(1), 0, 1));
    assert!(outcome.complained[0].ends_with(&why), "{outcome:?}");
    assert!(!outcome.complained[0].contains("no reply"), "it was told at once: {outcome:?}");
}

#[test]
fn a_name_whose_greeting_does_not_fit_is_refused_before_it_is_sent() {
    let why = "with more than 65499 bytes, its greeting does not fit one datagram";
    crate::failing("udp-client", &["127.0.0.1:9", &"x".repeat(65_500)], why);
}

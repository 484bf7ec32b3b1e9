//! The four programs with each other and with peers that misbehave: what neither the judge, which plays every stage on them,
//! nor the soak nor a lesson says of them, and the likely reason that goes with what came.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;

use xtask::{ask, repeat, speaking};

use crate::{LOOPBACK, TestedServer, failing, run};

fn greet(script: impl FnMut(&mut TcpStream) -> io::Result<()> + Send + 'static, why: &str) {
    let server = speaking(LOOPBACK, script).unwrap();
    failing("tcp-client", &["greet", &server.address.to_string(), "A"], why);
}

#[test]
fn what_is_not_a_tcp_server_is_an_error_in_time() {
    greet(|stream| repeat(stream, &[b'x'; 4096]), "a message is at most 1032 bytes");
    for (words, why) in [
        ("", "closed the connection before it said anything"),
        ("Welc", "the stream ended inside a message"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "that is not the greeting for 'A'"),
        ("Welcome!\n", "closed the connection before it greeted 'A'"),
        ("Welcome!\nHello, A!\nand more\n", "the server went on after exit: and more"),
    ] {
        greet(move |stream| stream.write_all(words.as_bytes()), why);
    }
}

#[test]
fn controls_from_a_server_are_printed_escaped() {
    let script = |stream: &mut TcpStream| stream.write_all(b"\x1b]0;owned\x07\n\xff\n");
    let server = speaking(LOOPBACK, script).unwrap();
    let outcome = run("tcp-client", &["greet", &server.address.to_string(), "A"]);
    assert_eq!(outcome.said, ["\\x1b]0;owned\\x07", "\\xff"]);
    let server = TestedServer::start("udp-server", &[]);
    let outcome = run("udp-client", &[&server.address.to_string(), "a\nb", "", "--timeout=60"]);
    assert_eq!(outcome, crate::outcome(0, &["Hello, a\\nb!", "Hello, !"], &[]));
}

#[test]
fn what_cannot_be_sent_is_an_error_that_names_it() {
    let server = TestedServer::start("tcp-server", &["--delay=0"]);
    let why = "cannot send 'a\\nb': line framing cannot carry a line feed";
    failing("tcp-client", &["greet", &server.address.to_string(), "a\nb"], why);
}

#[test]
fn a_datagram_of_every_size_is_greeted_whole_or_refused_with_a_line() {
    let mut server = TestedServer::start("udp-server", &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for size in [0, 1, 1023, 1024, 1025, 1472, 8192, 65_498, 65_499] {
        let name: Vec<u8> = (0..size).map(|at: usize| at.to_le_bytes()[0]).collect();
        let greeting = common::greeting::of(&name);
        assert!(ask(&socket, server.address, &name).unwrap() == greeting, "{size}");
    }
    for size in [65_500, 65_507] {
        socket.send_to(&vec![b'x'; size], server.address).unwrap();
        server.wait_for(&format!("Received {size} bytes from {}", socket.local_addr().unwrap()));
    }
    let refusal = server.wait_for("No reply to ");
    assert!(refusal.ends_with(": the greeting would not fit one datagram"), "{refusal}");
}

#[test]
fn that_no_reply_comes_is_a_clear_error() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let outcome = run("udp-client", &[&address, "A", "--timeout", "0.05", "--tries", "2"]);
    let why = "udp-client: cannot get the greeting for 'A' from ADDRESS: no reply after 2 x 50ms - is a server running there? cargo run -p udp-server -- ADDRESS starts one";
    assert_eq!(outcome, crate::outcome(1, &[], &[&why.replace("ADDRESS", &address)]));
    for _ in 0..2 {
        assert_eq!(silent.recv(&mut [0; 8]).unwrap(), 1);
    }
}

#[test]
fn a_silent_client_is_let_go_and_the_others_are_not() {
    let mut server = TestedServer::start("tcp-server", &["--delay=0", "--idle-timeout", "0.05"]);
    let mut silent = server.client();
    assert_eq!(silent.hears_out().unwrap(), "");
    assert!(server.wait_for("closed connection").ends_with(": nothing came for 50ms"));
    server.client();
}

#[test]
fn a_name_that_stays_incomplete_is_narrated_while_its_sender_is_still_there() {
    let mut server = TestedServer::start("tcp-server", &["--delay=0"]);
    let mut client = server.client();
    client.sends("Michael");
    let remark = server.wait_for("waiting for the rest from ");
    let address = client.stream.local_addr().unwrap();
    let what = format!("{address}: 7 bytes came, \"Michael\", and no line feed: try --framing raw");
    assert!(remark.ends_with(&what), "{remark}");
    client.sends("\n");
    assert_eq!(client.line().unwrap(), "Hello, Michael!");
}

#[test]
fn a_greeting_with_a_line_end_behind_it_is_shown_and_its_server_is_not_said_to_be_missing() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let outcome = thread::scope(|scope| {
        scope.spawn(|| {
            let (_, from) = socket.recv_from(&mut [0; 64]).unwrap();
            socket.send_to(b"Hello, Michael!\n", from).unwrap();
        });
        // A try is long enough for the slowest machine to answer in.
        run("udp-client", &[&address, "Michael", "--tries=1", "--timeout=10"])
    });
    let [ignored, why] = &outcome.complained[..] else { panic!("{outcome:?}") };
    assert!(ignored.ends_with("is not the greeting for 'Michael': \"Hello, Michael!\\n\""), "{ignored}");
    assert!(why.ends_with(" came, not \"Hello, Michael!\": a line end too many"), "{why}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_is_taken_is_a_servers_or_a_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let why = " - does another server run there? Stop it, or take another port";
    failing("tcp-server", &[&at.to_string()], why);
    // A client's own port, which connect(2) picked: nobody listens there, and it has no SO_REUSEADDR.
    let client = TcpStream::connect(at).unwrap();
    let own = client.local_addr().unwrap().to_string();
    failing("tcp-server", &[&own], " - no server listens there, but a connection has the port");
}

#[test]
fn the_command_that_starts_a_server_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    failing("tcp-client", &["greet", &address], &format!("cannot connect to {address}: "));
    let start = format!("? cargo run -p tcp-server -- {address} --framing raw starts one");
    failing("tcp-client", &["greet", &address, "--framing", "raw"], &start);
    let url = format!("http://{address}/");
    failing("tcp-client", &["get", &url], "? on this machine, cargo xtask origin starts one");
}

#[cfg(unix)]
mod stopping {
    use super::*;

    #[test]
    fn a_quiet_server_says_where_it_listens_and_that_it_stopped_and_no_delay_holds_it_up() {
        let server = TestedServer::start("tcp-server", &["--delay=3600", "--quiet"]);
        server.client().sends("Michael\n");
        let outcome = server.stop();
        assert_eq!((outcome.status, outcome.said.len()), (Some(0), 2));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_an_address_that_cannot_be_reached_a_server_stops_too() {
        for name in ["tcp-server", "udp-server"] {
            for address in ["127.255.255.255:0", "239.1.1.1:0", "0.0.0.0:0"] {
                let server = TestedServer::start(name, &[address]);
                let said = server.stop().said;
                assert_eq!(said.last().map(String::as_str), Some("stopped"), "{name} {address}");
            }
        }
    }

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
}

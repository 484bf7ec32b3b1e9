//! What came is said, and the likely reason with it; what is typed wrongly, with what to type.

use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::thread;

use xtask::{Listening, speaking, until_it_leaves};

use crate::{LOOPBACK, TestedServer, failing, run};

/// A peer that sends this to each TCP client, and then waits until the client has left.
fn saying(words: &'static [u8]) -> (String, Listening) {
    let host = speaking(LOOPBACK, |stream| {
        stream.write_all(words)?;
        until_it_leaves(stream)
    });
    let host = host.unwrap();
    (host.address.to_string(), host)
}

#[test]
fn a_welcome_in_another_framing_is_shown_with_the_framing_to_try() {
    for (framing, words, why) in [
        ("line", &b"\0\0\0\x08Welcome!"[..], "Welcome!\", and no line feed: try --framing length"),
        ("length", b"Welcome!\n", "\"Welc\" is no length but text: try --framing line or raw"),
    ] {
        let (address, _peer) = saying(words);
        failing("tcp-client", &["greet", &address, "--framing", framing, "--timeout", "0.5"], why);
    }
}

#[test]
fn a_name_that_stays_incomplete_is_narrated_while_its_sender_is_still_there() {
    let mut server = TestedServer::start("tcp-server", &["--delay=0"]);
    let mut client = server.client();
    client.sends("Michael");
    let remark = server.wait_for("waiting for the rest from ");
    let address = client.stream().local_addr().unwrap();
    let what = format!("{address}: 7 bytes came, \"Michael\", and no line feed: try --framing raw");
    assert!(remark.ends_with(&what), "{remark}");
    client.sends("\n");
    assert_eq!(client.line().unwrap(), "Hello, Michael!");
}

#[test]
fn a_greeting_with_a_line_end_behind_it_is_shown_and_its_server_is_not_said_to_be_missing() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let answering = thread::spawn(move || {
        let mut name = [0; 64];
        let (size, from) = socket.recv_from(&mut name).unwrap();
        let reply = [&b"Hello, "[..], &name[..size], b"!\n"].concat();
        socket.send_to(&reply, from).unwrap();
        socket // kept: a port that is let go would be said to be nobody's
    });
    // A try is long enough for the slowest machine to answer in.
    let outcome = run("udp-client", &[&address, "Michael", "--tries", "1", "--timeout", "10"]);
    drop(answering.join().unwrap());
    let [ignored, why] = &outcome.complained[..] else { panic!("{outcome:?}") };
    assert!(ignored.ends_with("is not the greeting for 'Michael': \"Hello, Michael!\\n\""), "{ignored}");
    assert!(
        why.ends_with("; \"Hello, Michael!\\n\" came, not \"Hello, Michael!\": a line end too many"),
        "{why}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_is_taken_is_a_servers_or_a_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    failing(
        "tcp-server",
        &[&at.to_string()],
        " - another server listens there: stop it, or take another port",
    );
    // A client's own port, which connect(2) picked: nobody listens there, and it has no SO_REUSEADDR.
    let client = std::net::TcpStream::connect(at).unwrap();
    let own = client.local_addr().unwrap().to_string();
    failing("tcp-server", &[&own], " - no server listens there, but a connection is open that has the port");
}

#[test]
fn the_command_that_starts_a_server_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    failing("tcp-client", &["greet", &address], &format!("cannot connect to {address}: "));
    let start = format!("? cargo run -p tcp-server -- {address} --framing raw starts one");
    failing("tcp-client", &["greet", &address, "--framing", "raw"], &start);
    failing(
        "tcp-client",
        &["get", &format!("http://{address}/")],
        "? on this machine, cargo xtask origin starts one",
    );
}

#[test]
fn what_looks_like_ascii_is_named_with_what_to_type() {
    for (program, args, why) in [
        ("udp-client", &["127。0.0.1:9999"][..], "it has '。' (U+3002) in it: type '.'"),
        (
            "udp-server",
            &["–quiet"],
            "unknown option '–quiet': it has '–' (U+2013) in it: type plain hyphens (--) and letters",
        ),
        ("tcp-client", &["get", "http：//h/"], "it has '：' (U+FF1A) in it: type ':'"),
        ("tcp-server", &["--delay", "０"], "it has '０' (U+FF10) in it: type '0'"),
    ] {
        let outcome = run(program, args);
        assert_eq!(outcome.status, Some(2), "{outcome:?}");
        assert!(outcome.complained[0].ends_with(why), "{outcome:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_answers_from_another_of_its_addresses_is_the_likely_reason() {
    let server = TestedServer::start("udp-server", &["0.0.0.0:0"]);
    let second = format!("127.0.0.2:{}", server.address.port());
    let args = [&*second, "Ann", "--timeout", "0.1", "--tries", "1"];
    failing(
        "udp-client",
        &args,
        "; a server on 0.0.0.0 may answer from another of its addresses, which is not heard",
    );
}

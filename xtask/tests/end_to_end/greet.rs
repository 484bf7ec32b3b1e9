//! tcp-client greet: against tcp-server, and against peers that are something else.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use xtask::{ScriptedServer, repeat, until_it_leaves};

use crate::{LOOPBACK, Server, run, said};

/// A server that says this to tcp-client, and where it is.
fn peer(script: impl FnMut(&mut TcpStream) -> io::Result<()> + Send + 'static) -> (String, ScriptedServer) {
    let host = ScriptedServer::speaking(LOOPBACK, script).unwrap();
    (host.address.to_string(), host)
}

fn failing(args: &[&str], why: &str) {
    crate::failing("tcp-client", &[&["greet"][..], args].concat(), why);
}

#[test]
fn it_talks_to_tcp_server_in_every_framing() {
    for framing in ["line", "length", "raw"] {
        let server = Server::start("tcp-server", &["--delay=0", "--framing", framing]);
        let address = server.address.to_string();
        let greeted = run("tcp-client", &["greet", &address, "--framing", framing]);
        assert_eq!(
            greeted,
            said(&["Welcome!", "Hello, Michael!", "Hello, Tracy!", "Hello, Sarah!"]),
            "{framing}"
        );
        let greeted =
            run("tcp-client", &["greet", &address, "张三", "a b", "--framing", framing, "--", "-x"]);
        assert_eq!(greeted, said(&["Welcome!", "Hello, 张三!", "Hello, a b!", "Hello, -x!"]), "{framing}");
    }
}

#[test]
fn what_is_not_a_tcp_server_is_an_error_in_time() {
    let silent = peer(|stream| stream.read(&mut [0]).map(|_| ()));
    failing(
        &[&silent.0, "--timeout", "0.1"],
        "no welcome - is it a tcp-server with this framing?: nothing came",
    );
    let flood = peer(|stream| repeat(stream, &[b'x'; 4096]));
    failing(&[&flood.0], "a message is at most 1032 bytes");
    let lines = peer(|stream| repeat(stream, b"line\n"));
    failing(&[&lines.0, "A"], "that is not the greeting for 'A' - do both use one framing?");
    for (words, why) in [
        ("", "closed the connection before it said anything"),
        ("Welc", "the stream ended inside a message"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "that is not the greeting for 'A'"),
        ("Welcome!\n", "closed the connection before it greeted 'A'"),
        ("Welcome!\nHello, A!\nand more\n", "the server went on after exit: and more"),
    ] {
        let says = peer(move |stream| stream.write_all(words.as_bytes()));
        failing(&[&says.0, "A"], why);
    }
    let open = peer(|stream| {
        stream.write_all(b"Welcome!\nHello, A!\n")?;
        until_it_leaves(stream)
    });
    failing(&[&open.0, "A", "--timeout", "2"], "the server did not close the connection");
}

#[test]
fn controls_from_a_server_are_printed_escaped() {
    let (address, _host) = peer(|stream| stream.write_all(b"\x1b]0;owned\x07\n\xff\n"));
    let outcome = run("tcp-client", &["greet", &address, "A"]);
    assert_eq!(outcome.said, ["\\x1b]0;owned\\x07", "\\xff"]);
}

#[test]
fn what_a_framing_cannot_carry_is_an_error_that_names_it() {
    let server = Server::start("tcp-server", &["--delay=0"]);
    failing(
        &[&server.address.to_string(), "a\nb"],
        "cannot send 'a\\nb': line framing cannot carry a line feed",
    );
}

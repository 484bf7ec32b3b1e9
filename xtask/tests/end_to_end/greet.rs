//! tcp-client greet: against tcp-server, and against peers that are something else.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use xtask::{ScriptedServer, repeat, until_it_leaves};

use crate::{LOOPBACK, Server, run, said};

/// A server that says this to tcp-client, and where it is.
fn peer(script: impl FnMut(&mut TcpStream) -> io::Result<()> + Send + 'static) -> (String, ScriptedServer) {
    let host = ScriptedServer::speaking(LOOPBACK, script).unwrap();
    (host.address.to_string(), host)
}

fn failing(args: &[&str], why: &str) {
    let outcome = run("tcp-client", &[&["greet"][..], args].concat());
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(outcome.complained[0].contains(why), "{outcome:?}");
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
    let gone = peer(|_| Ok(()));
    failing(&[&gone.0], "closed the connection before it said anything");
    let half = peer(|stream| stream.write_all(b"Welc"));
    failing(&[&half.0], "the stream ended inside a message");
    let flood = peer(|stream| repeat(stream, &[b'x'; 4096]));
    failing(&[&flood.0], "a message is at most 1032 bytes");
    let lines = peer(|stream| repeat(stream, b"line\n"));
    failing(&[&lines.0, "A"], "that is not the greeting for 'A' - do both use one framing?");
    let web = peer(|stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    failing(&[&web.0, "A"], "that is not the greeting for 'A'");
    let short = peer(|stream| stream.write_all(b"Welcome!\n"));
    failing(&[&short.0, "A"], "closed the connection before it greeted 'A'");
    let more = peer(|stream| stream.write_all(b"Welcome!\nHello, A!\nand more\n"));
    failing(&[&more.0, "A"], "the server went on after exit: and more");
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

#[test]
fn nobody_there_is_said_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    failing(&[&address], &format!("cannot connect to {address}: "));
}

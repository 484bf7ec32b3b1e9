//! What came is said, and the likely reason with it; what is typed wrongly, with what to type.

use std::net::{TcpListener, UdpSocket};
use std::thread;

use crate::{TestedServer, failing, run};

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
    let why = " - another server listens there: stop it, or take another port";
    failing("tcp-server", &[&at.to_string()], why);
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
    let url = format!("http://{address}/");
    failing("tcp-client", &["get", &url], "? on this machine, cargo xtask origin starts one");
}

//! The tap in front of a UDP server.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::TestedServer;
use crate::tap::{self, arrows};

/// In front of a UDP server, with a client of it.
fn between(options: &[&str]) -> (TestedServer, UdpSocket, UdpSocket) {
    let (server, client) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let tap = tap::tap(server.local_addr().unwrap(), &[&["--udp"], options].concat());
    client.connect(tap.address).unwrap();
    (tap, client, server)
}

fn receive(socket: &UdpSocket) -> (String, SocketAddr) {
    let mut buffer = [0; 100];
    let (n, from) = socket.recv_from(&mut buffer).unwrap();
    (String::from_utf8_lossy(&buffer[..n]).into(), from)
}

#[test]
fn a_delay_is_each_ways() {
    const DELAY: Duration = Duration::from_millis(150);
    let (_tap, client, server) = between(&["--delay", "0.15"]);
    let asked = Instant::now();
    client.send(b"Ann").unwrap();
    let (said, from) = receive(&server);
    server.send_to(said.as_bytes(), from).unwrap();
    assert_eq!(receive(&client).0, "Ann");
    assert!(asked.elapsed() >= 2 * DELAY);
}

#[test]
fn datagrams_of_either_side_are_lost_doubled_and_late_as_asked_and_drawn_so() {
    let there = ["--lose", "2", "--twice", "3", "--late", "4"];
    let back = ["--back-lose", "2", "--back-twice", "3", "--back-late", "1"];
    let (mut tap, client, server) = between(&[there, back].concat());
    for name in ["a", "b", "c", "d", "e"] {
        client.send(name.as_bytes()).unwrap();
    }
    let came: Vec<_> = (0..5).map(|_| receive(&server)).collect();
    assert_eq!(came.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "c", "c", "e", "d"]);
    tap.wait_for_lines(1, "─ late: ");
    for name in ["f", "g", "h"] {
        server.send_to(name.as_bytes(), came[0].1).unwrap();
    }
    assert_eq!([(); 3].map(|()| receive(&client).0), ["f", "h", "h"]);
    let expected = [
        ">1 byte  a",
        ">lost: 1 byte  b ✗",
        ">1 byte  c",
        ">again: 1 byte  c",
        ">held back: 1 byte  d ‖",
        ">1 byte  e",
        ">late: 1 byte  d",
        "<held back: 1 byte  f ‖",
        "<lost: 1 byte  g ✗",
        "<late: 1 byte  f",
        "<1 byte  h",
        "<again: 1 byte  h",
    ];
    assert_eq!(arrows(&tap.wait_for_lines(2, "─ again: ")), expected);
}

#[test]
fn a_share_is_lost_by_lots_that_a_seed_repeats() {
    let lost = |seed: &[&str]| {
        let (mut tap, client, server) = between(&[&["--lose", "1/2"], seed].concat());
        for number in 0..20 {
            client.send(format!("n{number};").as_bytes()).unwrap();
        }
        let said = tap.wait_for_lines(1, "n19;");
        drop(server);
        let lost: Vec<_> = arrows(&said).into_iter().filter(|arrow| arrow.starts_with(">lost: ")).collect();
        let seed = said.iter().find_map(|line| line.strip_prefix("the lots are those of --seed ")).unwrap();
        (seed.to_owned(), lost)
    };
    let (seed, first) = lost(&[]);
    assert_eq!(lost(&["--seed", &seed]), (seed, first));
    let (_, other) = lost(&["--seed=1"]);
    assert!(!other.is_empty() && other.len() < 20, "{other:?}");
    assert_ne!(other, lost(&["--seed=2"]).1);
}

#[test]
fn each_client_of_datagrams_has_its_own_way_to_the_server_and_back() {
    let (mut tap, first, server) = between(&["--lose", "2"]);
    let others = [(); 19].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    for other in &others {
        other.connect(tap.address).unwrap();
    }
    let clients: Vec<_> = std::iter::once(&first).chain(&others).collect();
    for (number, client) in clients.iter().enumerate() {
        client.send(format!("name {number}").as_bytes()).unwrap();
    }
    let asked: Vec<_> = clients.iter().map(|_| receive(&server)).collect();
    for (name, from) in asked.iter().rev() {
        server.send_to(format!("Hello, {name}!").as_bytes(), from).unwrap();
    }
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(receive(client).0, format!("Hello, name {number}!"));
    }
    let mut ports: Vec<_> = asked.iter().map(|(_, from)| from.port()).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 20);
    // The second datagram of each is lost, and not that of the second client.
    others[18].send(b"once more").unwrap();
    assert_eq!(arrows(&tap.wait_for_lines(1, "once more")).last().unwrap(), ">lost: 9 bytes  once more ✗");
}

#[cfg(target_os = "linux")]
#[test]
fn where_nobody_listens_for_datagrams_a_rung_says_so_too() {
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut tap = tap::tap(nobody, &["--udp"]);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"Ann", tap.address).unwrap();
    let drawn = arrows(&tap.wait_for_lines(1, "nobody listens there"));
    assert_eq!(drawn[0], ">3 bytes  Ann");
}

#[cfg(unix)]
#[test]
fn when_all_places_are_taken_the_longest_silent_gives_way_and_is_counted() {
    if !crate::process::has_descriptors(600) {
        return;
    }
    let (mut tap, first, server) = between(&[]);
    let others = [(); 256].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    for (number, client) in std::iter::once(&first).chain(&others).enumerate() {
        client.send_to(format!("name {number}").as_bytes(), tap.address).unwrap();
        assert_eq!(receive(&server).0, format!("name {number}"));
    }
    tap.wait_for_lines(1, "remark, #1: disconnected: all places are taken");
    let said = tap.stop().said;
    assert!(said.iter().any(|line| line.starts_with("257 clients, ")), "{said:?}");
    assert!(said.contains(&"  gave way to others: #1".into()), "{said:?}");
}

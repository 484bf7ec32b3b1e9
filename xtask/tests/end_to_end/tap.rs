//! The tap, in front of programs that are nobody's: plain sockets of these tests.

#[cfg(unix)]
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use xtask::Lab;
#[cfg(unix)]
use xtask::Scratch;

use crate::TestedServer;
#[cfg(unix)]
use crate::process::command;
use crate::process::program;

pub fn tap(server: SocketAddr, options: &[&str]) -> TestedServer {
    let mut command = program("xtask");
    command.args(["tap", &server.to_string(), "--lang=en", "--listen=127.0.0.1:0"]).args(options);
    started(command, server)
}

fn started(command: Command, server: SocketAddr) -> TestedServer {
    let mut lab = Lab::discarding().unwrap();
    let program = lab.start_command(command).unwrap();
    let first = lab.wait_for_line(&program, "listening on ").unwrap();
    let (address, to) = first["listening on ".len()..].split_once(", passing on to ").unwrap();
    assert_eq!(to, server.to_string());
    let address = address.parse().unwrap();
    TestedServer { lab, program, address }
}

pub fn tap_and_server(options: &[&str]) -> (TestedServer, TcpListener) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    (tap(server.local_addr().unwrap(), options), server)
}

/// A client of the tap, and its connection at the server.
pub fn connected(tap: &TestedServer, server: &TcpListener) -> (TcpStream, TcpStream) {
    (tap.connect(), server.accept().unwrap().0)
}

/// What stands on the arrows of a ladder, `>` before what goes to the server, and behind it, the sign of what was lost or is held back.
pub fn arrows(lines: &[String]) -> Vec<String> {
    let arrow = |line: &String| {
        let (_, arrow) = line.split_once(['├', '◀', '✗', '‖'])?;
        let is_up = line.contains('├');
        let text = arrow.trim_matches(['─', '▶', '│', '┤', '✗', '‖', ' ']).to_owned();
        let mark = [" ✗", " ‖"].into_iter().find(|mark| line.contains(&mark[1..])).unwrap_or_default();
        Some(format!("{}{text}{mark}", if is_up { ">" } else { "<" }))
    };
    lines.iter().filter(|line| line.contains('─')).filter_map(arrow).collect()
}

#[test]
fn what_either_side_says_passes_and_one_that_ended_its_half_still_hears_the_rest() {
    let (mut tap, server) = tap_and_server(&[]);
    let (mut client, mut accepted) = connected(&tap, &server);
    client.write_all(b"Ann").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut heard = Vec::new();
    accepted.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"Ann");
    accepted.write_all(b"Hello,").unwrap();
    client.read_exact(&mut [0; 6]).unwrap();
    accepted.write_all(b"Ann!").unwrap();
    drop(accepted);
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"Ann!");

    let lines = tap.wait_for_lines(2, "─ end of stream ─");
    let port = client.local_addr().unwrap().port();
    assert!(lines.iter().any(|line| line.contains(&format!("#1 │ 127.0.0.1:{port} "))), "{lines:?}");
    let drawn = arrows(&lines);
    assert!(drawn[0].starts_with(">connects from :"), "{drawn:?}");
    let expected =
        [">3 bytes  Ann", ">end of stream", "<6 bytes  Hello,", "<4 bytes  Ann!", "<end of stream"];
    assert_eq!(drawn[1..], expected);
    let remark = "    remark, #1: the client's side has ended, and the server's goes on sending: ";
    assert_eq!(lines.iter().filter(|line| line.starts_with(remark)).count(), 1, "{lines:?}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_with_the_sums_and_status_0() {
    let directory = Scratch::new().unwrap();
    let page = directory.path().join("page.html");
    let (mut tap, server) = tap_and_server(&["--html", page.to_str().unwrap()]);
    let mut pairs = [(); 2].map(|()| connected(&tap, &server));
    for (client, accepted) in &mut pairs {
        accepted.write_all(&[b'x'; 600]).unwrap();
        client.read_exact(&mut [0; 600]).unwrap();
    }
    let [(gone, one), (_staying, other)] = &pairs;
    for stream in [gone, one, other] {
        let _ = stream.shutdown(Shutdown::Both);
    }
    tap.wait_for_lines(3, "─ end of stream ─");
    let ended = tap.stop();
    assert_eq!((ended.status, ended.complained.len()), (Some(0), 0));
    let sums = ended.said.iter().position(|line| line.starts_with("2 connections, ")).unwrap();
    assert_eq!(ended.said[sums], "2 connections, 0 bytes to the server, 1,200 bytes to clients");
    let rest = ended.said[sums + 1..].join("\n");
    assert!(rest.contains("  both sides ended: #") && rest.contains("  still open: #"), "{rest}");
    let page = fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("</span>600 bytes  x").count(), 2, "{page}");
}

#[test]
fn a_cut_wire_carries_the_same_bytes_in_small_pieces_both_ways() {
    let (mut tap, server) = tap_and_server(&["--cut", "3"]);
    let (mut client, mut accepted) = connected(&tap, &server);
    client.write_all(b"Michael").unwrap();
    let mut heard = [0; 7];
    accepted.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"Michael");
    accepted.write_all(b"Hello").unwrap();
    client.read_exact(&mut heard[..5]).unwrap();
    assert_eq!(&heard[..5], b"Hello");
    let drawn = arrows(&tap.wait_for_lines(1, "  lo ─"));
    assert!(drawn[1..].iter().all(|arrow| arrow[1..].starts_with(['1', '2', '3'])), "{drawn:?}");
    let carried = |way: char| -> String {
        let pieces = drawn[1..].iter().filter(|arrow| arrow.starts_with(way));
        pieces.map(|arrow| arrow.split("  ").last().unwrap()).collect()
    };
    assert_eq!((carried('>').as_str(), carried('<').as_str()), ("Michael", "Hello"));
}

#[test]
fn a_delay_is_each_ways_and_loses_nothing() {
    const DELAY: Duration = Duration::from_millis(150);
    let (tap, server) = tap_and_server(&["--delay", "0.15"]);
    let (mut client, mut accepted) = connected(&tap, &server);
    let asked = Instant::now();
    client.write_all(b"Ann").unwrap();
    accepted.read_exact(&mut [0; 3]).unwrap();
    accepted.write_all(b"Hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    assert!(asked.elapsed() >= 2 * DELAY);
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(accepted.read(&mut [0]).unwrap(), 0);
}

#[test]
fn where_nobody_listens_a_rung_says_so_and_the_client_is_ended() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut tap = self::tap(nobody, &[]);
    let mut client = tap.connect();
    let mut heard = Vec::new();
    let _ = client.read_to_end(&mut heard); // an end or a reset
    assert_eq!(heard, b"");
    let drawn = arrows(&tap.wait_for_lines(1, "nobody listens there"));
    assert!(drawn[0].starts_with(">nobody listens there: ") && drawn[0].ends_with(" ✗"), "{drawn:?}");
}

#[cfg(unix)]
#[test]
fn where_the_system_has_no_socket_to_give_the_tap_says_so_once() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    let mut shell = command("sh");
    shell.args(["-c", "ulimit -n 30; exec \"$@\" --listen=127.0.0.1:0 --lang=en 2>&1", "sh"]);
    shell.arg(xtask::path_of("xtask").unwrap()).args(["tap", &at.to_string()]);
    let mut tap = started(shell, at);
    let clients: Vec<_> = (0..40).map(|_| tap.connect()).collect();
    tap.wait_for_lines(1, "newcomers wait");
    let said = tap.stop().said;
    assert_eq!(said.iter().filter(|line| line.starts_with("cannot accept: ")).count(), 1, "{said:?}");
    drop(clients);
}

#[cfg(unix)]
#[test]
fn the_sums_are_said_though_a_browser_does_not_read() {
    let (mut tap, _server) = tap_and_server(&["--live", "127.0.0.1:0"]);
    let live = tap.wait_for_lines(1, "live at http://").pop().unwrap();
    let at = live.trim_start_matches("live at http://").trim_end_matches('/');
    let mut browser = TcpStream::connect(at).unwrap();
    browser.write_all(format!("GET /events HTTP/1.1\r\nHost: {at}\r\n\r\n").as_bytes()).unwrap();
    browser.read_exact(&mut [0; 9]).unwrap();
    let sums = "0 connections, 0 bytes to the server, 0 bytes to clients";
    assert_eq!(tap.stop().said.last().unwrap(), sums);
}

#[cfg(unix)]
#[test]
fn the_roll_says_who_has_come_and_who_is_missing() {
    let directory = Scratch::new().unwrap();
    let names = directory.path().join("names.txt");
    fs::write(&names, "Ann\nBob\nAnn\n").unwrap();
    let twice = crate::run("xtask", &["tap", "127.0.0.1:9", "--roll", names.to_str().unwrap(), "--lang=en"]);
    assert_eq!(twice.status, Some(2));
    assert!(twice.complained[0].contains("'Ann' is there twice"), "{twice:?}");
    crate::failing(
        "xtask",
        &["tap", "127.0.0.1:9", "--roll=nothing.txt"],
        "cannot read the roll 'nothing.txt'",
    );
    fs::write(&names, "\u{feff}Ann\r\nBob\r\n\r\n张三\r\n").unwrap();
    let (mut tap, server) = tap_and_server(&["--roll", names.to_str().unwrap(), "--cut", "2"]);
    let (mut client, mut accepted) = connected(&tap, &server);
    client.write_all("张三\n".as_bytes()).unwrap();
    accepted.read_exact(&mut [0; 7]).unwrap();
    let said = tap.wait_for_lines(1, "roll: ");
    assert_eq!(said.last().unwrap(), "    roll: 张三 is here (#1); 1 of 3 are here; missing: Ann, Bob");
    client.write_all(b"Bob").unwrap();
    accepted.read_exact(&mut [0; 3]).unwrap();
    accepted.write_all(b"Hello, Bob!").unwrap();
    tap.wait_for_lines(1, "roll: Bob is here (#1)");
    assert_eq!(tap.stop().said.last().unwrap(), "roll: 2 of 3 are here; missing: Ann");
}

#[cfg(target_os = "linux")]
#[test]
fn when_many_clients_have_gone_no_descriptor_and_no_thread_of_theirs_is_left() {
    let (mut tap, server) = tap_and_server(&[]);
    let count = |what: &str| fs::read_dir(format!("/proc/{}/{what}", tap.program.pid)).unwrap().count();
    let before = (count("fd"), count("task"));
    let mut pairs = [(); 50].map(|()| connected(&tap, &server));
    for (client, accepted) in &mut pairs {
        client.write_all(b"Ann\n").unwrap();
        accepted.read_exact(&mut [0; 4]).unwrap();
    }
    assert!(count("fd") >= before.0 + 2 * 50);
    drop(pairs);
    crate::process::eventually("the tap's descriptors and threads are gone", || {
        ((count("fd"), count("task")) == before).then_some(())
    });
    tap.wait_for_lines(1, "#50 ");
    let said = tap.stop().said.join("\n");
    assert!(said.contains("\n50 connections, 200 bytes to the server, 0 bytes to clients\n"), "{said}");
    assert!(said.contains("\n  both sides ended: #1-#50"), "{said}");
}

#[test]
fn a_tap_before_itself_is_refused() {
    let own = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let found = crate::run("xtask", &["tap", &own, "--listen", &own, "--lang=en"]);
    assert_eq!(found.status, Some(2));
    assert!(found.complained[0].contains("SERVER is where the tap itself would listen"), "{found:?}");
}

//! The tap, in front of programs that are nobody's: plain sockets of these tests.

#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::io::{BufRead, BufReader};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::process::Stdio;
use std::time::{Duration, Instant};

#[cfg(unix)]
use xtask::Scratch;
use xtask::{Lab, Program};

#[cfg(unix)]
use crate::Outcome;
use crate::process::command;
#[cfg(unix)]
use crate::process::signal;
use crate::{outcome, run};

/// A tap, and the lab that it runs in.
pub struct Tap {
    lab: Lab,
    program: Program,
    pub address: SocketAddr,
}

impl Tap {
    pub fn start(server: SocketAddr, options: &[&str]) -> Self {
        let mut lab = Lab::discarding().unwrap();
        let server = server.to_string();
        let args = [&["tap", &*server, "--lang", "en", "--listen", "127.0.0.1:0"], options].concat();
        let program = crate::start_on(&lab, "xtask", &args);
        let first = lab.wait_for_line(&program, "listening on ").unwrap();
        let (address, to) = first["listening on ".len()..].split_once(", passing on to ").unwrap();
        assert_eq!(to, server);
        Self { lab, program, address: address.parse().unwrap() }
    }

    /// In front of a TCP server.
    pub fn before(options: &[&str]) -> (Self, TcpListener) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        (Self::start(server.local_addr().unwrap(), options), server)
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Waits for a line in which this stands, and returns all that was said up to it.
    pub fn wait_for(&mut self, text: &str) -> Vec<String> {
        self.wait_for_lines(1, text)
    }

    /// As [`Self::wait_for`], for so many of such lines.
    fn wait_for_lines(&mut self, count: usize, text: &str) -> Vec<String> {
        self.lab.wait_for_lines(&self.program, count, |line| line.contains(text)).unwrap()
    }

    #[cfg(unix)]
    pub fn stop(mut self) -> Outcome {
        assert!(self.program.interrupt());
        self.lab.wait_for_end(self.program).unwrap()
    }
}

/// What stands on the arrows of a ladder, `>` before what goes to the server, and behind it, the sign of what was lost or is held back.
pub fn arrows(lines: &[String]) -> Vec<String> {
    let arrow = |line: &String| {
        let (_, arrow) = line.split_once(['├', '◀', '✗', '‖'])?;
        let is_up = line.contains('├');
        let text = arrow.trim_matches(['─', '▶', '│', '┤', '✗', '‖', ' ']).to_owned();
        let mark = ['✗', '‖'].into_iter().find(|mark| line.contains(*mark));
        let mark = mark.map_or(String::new(), |mark| format!(" {mark}"));
        Some(format!("{}{text}{mark}", if is_up { ">" } else { "<" }))
    };
    lines.iter().filter(|line| line.contains('─')).filter_map(arrow).collect()
}

#[test]
fn what_either_side_says_passes_and_one_that_ended_its_half_still_hears_the_rest() {
    let (mut tap, server) = Tap::before(&[]);
    let mut client = tap.connect();
    let mut accepted = server.accept().unwrap().0;
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
    let (mut tap, server) = Tap::before(&[]);
    let (gone, staying) = (tap.connect(), tap.connect());
    let mut accepted: Vec<_> = (0..2).map(|_| server.accept().unwrap().0).collect();
    for stream in &mut accepted {
        stream.write_all(&[b'x'; 600]).unwrap();
    }
    for mut stream in [&gone, &staying] {
        stream.read_exact(&mut [0; 600]).unwrap();
    }
    for stream in [&gone].into_iter().chain(&accepted) {
        let _ = stream.shutdown(Shutdown::Both);
    }
    tap.wait_for_lines(3, "─ end of stream ─");
    let ended = tap.stop();
    assert_eq!((ended.status, ended.complained.len()), (Some(0), 0));
    let sums = ended.said.iter().position(|line| line.starts_with("2 connections, ")).unwrap();
    assert_eq!(ended.said[sums], "2 connections, 0 bytes to the server, 1,200 bytes to clients");
    let rest = ended.said[sums + 1..].join("\n");
    assert!(rest.contains("  both sides ended: #") && rest.contains("  still open: #"), "{rest}");
}

#[test]
fn a_cut_wire_carries_the_same_bytes_in_small_pieces_both_ways() {
    let (mut tap, server) = Tap::before(&["--cut", "3"]);
    let mut client = tap.connect();
    let mut accepted = server.accept().unwrap().0;
    client.write_all(b"Michael").unwrap();
    let mut heard = [0; 7];
    accepted.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"Michael");
    accepted.write_all(b"Hello").unwrap();
    client.read_exact(&mut heard[..5]).unwrap();
    assert_eq!(&heard[..5], b"Hello");
    let drawn = arrows(&tap.wait_for("  lo ─"));
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
    let (tap, server) = Tap::before(&["--delay", "0.15"]);
    let mut client = tap.connect();
    let mut accepted = server.accept().unwrap().0;
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
    let mut tap = Tap::start(nobody, &[]);
    let mut client = tap.connect();
    let mut heard = Vec::new();
    let _ = client.read_to_end(&mut heard); // an end or a reset
    assert_eq!(heard, b"");
    let drawn = arrows(&tap.wait_for("nobody listens there"));
    assert!(drawn[0].starts_with(">nobody listens there: ") && drawn[0].ends_with(" ✗"), "{drawn:?}");
}

#[cfg(unix)]
#[test]
fn where_the_system_has_no_socket_to_give_the_tap_says_so_once() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut tap = command("sh")
        .args(["-c", "ulimit -n 30; exec \"$0\" tap \"$1\" --listen 127.0.0.1:0 --lang en"])
        .args([xtask::path_of("xtask").unwrap().to_str().unwrap(), &server.local_addr().unwrap().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(tap.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let at = first["listening on ".len()..].split_once(", ").unwrap().0;
    let clients: Vec<_> = (0..40).map(|_| TcpStream::connect(at).unwrap()).collect();
    let mut complaints = BufReader::new(tap.stderr.take().unwrap()).lines().map(Result::unwrap);
    let complaint = complaints.next().unwrap();
    assert!(complaint.starts_with("cannot accept: ") && complaint.contains("newcomers wait"), "{complaint}");
    tap.kill().unwrap();
    tap.wait().unwrap();
    assert_eq!(complaints.next(), None, "once");
    drop(clients);
}

#[cfg(unix)]
#[test]
fn the_sums_are_said_though_a_browser_does_not_read() {
    let (mut tap, _server) = Tap::before(&["--live", "127.0.0.1:0"]);
    let live = tap.wait_for("live at http://").pop().unwrap();
    let at = live.trim_start_matches("live at http://").trim_end_matches('/');
    let mut browser = TcpStream::connect(at).unwrap();
    browser.write_all(format!("GET /events HTTP/1.1\r\nHost: {at}\r\n\r\n").as_bytes()).unwrap();
    browser.read_exact(&mut [0; 9]).unwrap();
    let sums = "0 connections, 0 bytes to the server, 0 bytes to clients";
    assert_eq!(tap.stop().said.last().unwrap(), sums);
}

#[cfg(unix)]
#[test]
fn nothing_that_is_sent_reaches_the_terminal_or_the_page_raw() {
    let directory = Scratch::new().unwrap();
    let page = directory.path().join("page.html");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    // Not in the lab: that escapes what it reads.
    let mut tap = crate::program("xtask")
        .args(["tap", "--listen", "127.0.0.1:0", "--lang", "en", "--html"])
        .args([page.to_str().unwrap(), &server.local_addr().unwrap().to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tap.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let address = first["listening on ".len()..].split_once(", ").unwrap().0.to_owned();
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"<i>\x1b[2J\xff\r\n\xe2\x80\xae").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let shown: Vec<_> = lines.by_ref().take_while(|line| !line.contains("end of stream")).collect();
    signal(tap.id(), "INT");
    let rest: Vec<_> = lines.collect();
    assert!(tap.wait().unwrap().success());
    let all = [shown, rest].concat().join("\n");
    assert!(all.contains(r"13 bytes, not UTF-8  <i>\x1b[2J\xff\r\n\xe2\x80\xae ─"), "{all}");
    assert!(!all.contains(['\u{1b}', '\r', '\u{202e}']), "{all:?}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("&lt;i&gt;") && !page.contains("<i>"), "{page}");
}

#[cfg(unix)]
#[test]
fn the_roll_says_who_has_come_and_who_is_missing() {
    let directory = Scratch::new().unwrap();
    let names = directory.path().join("names.txt");
    fs::write(&names, "Ann\nBob\nAnn\n").unwrap();
    let twice = run("xtask", &["tap", "127.0.0.1:9", "--roll", names.to_str().unwrap(), "--lang=en"]);
    assert_eq!(twice.status, Some(2));
    assert!(twice.complained[0].contains("'Ann' is there twice"), "{twice:?}");
    fs::write(&names, "\u{feff}Ann\r\nBob\r\n\r\n张三\r\n").unwrap();
    let (mut tap, server) = Tap::before(&["--roll", names.to_str().unwrap(), "--cut", "2"]);
    let mut client = tap.connect();
    let mut accepted = server.accept().unwrap().0;
    client.write_all("张三\n".as_bytes()).unwrap();
    accepted.read_exact(&mut [0; 7]).unwrap();
    let said = tap.wait_for("roll: ");
    assert_eq!(said.last().unwrap(), "    roll: 张三 is here (#1); 1 of 3 are here; missing: Ann, Bob");
    client.write_all(b"Bob").unwrap();
    accepted.read_exact(&mut [0; 3]).unwrap();
    accepted.write_all(b"Hello, Bob!").unwrap();
    tap.wait_for("roll: Bob is here (#1)");
    assert_eq!(tap.stop().said.last().unwrap(), "roll: 2 of 3 are here; missing: Ann");
}

#[cfg(target_os = "linux")]
#[test]
fn when_many_clients_have_gone_no_descriptor_and_no_thread_of_theirs_is_left() {
    let (mut tap, server) = Tap::before(&[]);
    let count = |what: &str| fs::read_dir(format!("/proc/{}/{what}", tap.program.pid)).unwrap().count();
    let before = (count("fd"), count("task"));
    let pairs_that_fit = 200.min(crate::process::descriptors() / 8); // here and in the tap, two descriptors for each
    let mut pairs: Vec<_> =
        (0..pairs_that_fit).map(|_| (tap.connect(), server.accept().unwrap().0)).collect();
    for (client, accepted) in &mut pairs {
        client.write_all(b"Ann\n").unwrap();
        accepted.read_exact(&mut [0; 4]).unwrap();
    }
    assert!(count("fd") >= before.0 + 2 * pairs_that_fit);
    drop(pairs);
    crate::process::eventually("the tap's descriptors and threads are gone", || {
        ((count("fd"), count("task")) == before).then_some(())
    });
    tap.wait_for(&format!("#{pairs_that_fit} "));
    let said = tap.stop().said;
    assert!(said.contains(&format!(
        "{pairs_that_fit} connections, {} bytes to the server, 0 bytes to clients",
        4 * pairs_that_fit
    )));
    assert!(said.contains(&format!("  both sides ended: #1-#{pairs_that_fit}")), "{:?}", said.last());
}

#[test]
fn a_mistake_on_its_command_line_is_named_and_exits_with_2() {
    let own = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let message = "SERVER is where the tap itself would listen: --listen HOST:PORT moves the tap";
    let expected = [&*format!("cargo xtask: {message}"), "Try 'cargo xtask --help'."];
    assert_eq!(run("xtask", &["tap", &own, "--listen", &own, "--lang=en"]), outcome(2, &[], &expected));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let found = run("xtask", &["tap", &taken.to_string(), "--roll", "nothing.txt", "--lang=en"]);
    assert_eq!(found.status, Some(1));
    assert!(found.complained[0].starts_with("cargo xtask: cannot read the roll 'nothing.txt'"), "{found:?}");
}

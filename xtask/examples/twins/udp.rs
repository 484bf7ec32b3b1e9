//! UDP servers and UDP clients with one mistake each.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process;
use std::time::Duration;

use super::By::{One, Own};
use super::{Call, Twin, waits_forever};

/// A UDP server in parts, each of which a twin may replace.
pub struct UdpServer {
    /// Runs before it binds.
    begins: fn(&Call<'_>),
    port: fn(u16) -> u16,
    buffer: usize,
    /// Runs once a datagram has come from the newest of these clients.
    hears: fn(&[SocketAddr]),
    /// The client that it answers, of all that have come.
    peer: fn(&[SocketAddr], SocketAddr) -> SocketAddr,
    name: fn(Vec<u8>) -> Vec<u8>,
    is_greeting: fn(&[u8]) -> bool,
    /// What it sends for a name, a datagram each.
    answers: fn(&[u8]) -> Vec<Vec<u8>>,
    answered: fn(),
}

impl Default for UdpServer {
    fn default() -> Self {
        Self {
            begins: |_| {},
            port: |port| port,
            buffer: 65_535,
            hears: |_| {},
            peer: |_, peer| peer,
            name: |name| name,
            is_greeting: |name| name.starts_with(b"Hello, ") && name.ends_with(b"!"),
            answers: |name| vec![[b"Hello, ", name, b"!"].concat()],
            answered: || {},
        }
    }
}

impl UdpServer {
    pub fn runs(self, call: &Call<'_>) {
        (self.begins)(call);
        let socket = UdpSocket::bind((call.host, (self.port)(call.port))).expect("cannot bind");
        let (mut buffer, mut clients) = (vec![0; self.buffer], Vec::new());
        loop {
            let (size, peer) = socket.recv_from(&mut buffer).expect("cannot receive");
            if !clients.contains(&peer) {
                clients.push(peer);
            }
            (self.hears)(&clients);
            let name = (self.name)(buffer[..size].to_vec());
            if (self.is_greeting)(&name) {
                continue;
            }
            for answer in (self.answers)(&name) {
                socket.send_to(&answer, (self.peer)(&clients, peer)).expect("cannot send");
            }
            (self.answered)();
        }
    }
}

const LINUX: bool = cfg!(target_os = "linux");

type ServerTwin = Twin<UdpServer>;

#[rustfmt::skip]
pub const SERVERS: &[ServerTwin] = &[
    ServerTwin::new("unbound", &["✗ binds failed-first"], |p| p.begins = |_| process::exit(0)),
    ServerTwin::new("tcp-socket", &["✗ binds tcp-socket"], |p| p.begins = |_| panic!("OSError: Transport endpoint is not connected")).by(One),
    ServerTwin::new("never-binds", &["? binds never-listens"], |p| p.begins = |_| waits_forever()).by(One).patience(1).only(LINUX),
    ServerTwin::new("binds", &["✗ binds other-port"], |p| p.port = |_| 0).only(LINUX),
    ServerTwin::new("on-tcp", &["✗ binds other-protocol"], |p| p.begins = |call| {
        let _listener = TcpListener::bind((call.host, call.port)).expect("cannot listen");
        waits_forever()
    }).only(LINUX),
    ServerTwin::new("no-exclamation", &[
        "✗ greets other-words", "✗ again other-words", "✗ clients other-words", "✗ empty other-words", "✗ bytes other-words",
        "✗ large other-words", "✗ gone other-words", "✗ greeting other-words", "✗ still other-words", "✗ stops other-words",
    ], |p| p.answers = |name| vec![[b"Hello, ", name].concat()]).by(One),
    ServerTwin::new("in-parts", &["✗ greets in-parts"], |p| p.answers = |name| vec![b"Hello, ".into(), [name, b"!"].concat()]),
    ServerTwin::new("line-feed-behind", &["✗ greets other-words"], |p| p.answers = |name| vec![[b"Hello, ", name, b"!\n"].concat()]),
    ServerTwin::new("python-words", &["✗ greets python-words"], |p| p.name = |name| [b"b'", &name[..], b"'"].concat()).by(One),
    ServerTwin::new("silent", &["? greets not-sent"], |p| p.answers = |_| Vec::new()).by(One),
    ServerTwin::new("never-reads", &["? greets not-read"], |p| p.begins = |call| {
        let _socket = UdpSocket::bind((call.host, call.port)).expect("cannot bind");
        waits_forever()
    }).by(One).only(LINUX),
    ServerTwin::new("dies", &["✗ greets datagram-ends-all"], |p| p.hears = |_| panic!("no such key")).by(One),
    ServerTwin::new("again", &[
        "✗ again answers-once", "✗ clients", "✗ empty", "✗ bytes", "✗ large", "✗ gone", "✗ greeting",
    ], |p| p.answered = || process::exit(0)),
    ServerTwin::new("clients", &["✗ clients answers-another"], |p| p.peer = |clients, _| clients[0]).by(One),
    ServerTwin::new("empty", &["✗ empty empty-is-end"], |p| p.name = |name| if name.is_empty() { process::exit(0) } else { name }),
    ServerTwin::new("bytes", &["✗ bytes name-changed"], |p| p.name = |name| String::from_utf8_lossy(&name).into_owned().into()),
    ServerTwin::new("strip", &["✗ bytes name-changed"], |p| p.name = |name| name.trim_ascii().to_vec()),
    ServerTwin::new("c-string", &["✗ bytes cut-at-zero"], |p| p.name = |name| name.split(|byte| *byte == 0).next().unwrap().to_vec()),
    ServerTwin::new("format", &["✗ bytes name-as-format"], |p| p.name = |name| if name.contains(&b'%') { process::abort() } else { name }),
    ServerTwin::new("large", &["✗ large datagram-cut"], |p| p.buffer = 1024),
    ServerTwin::new("gone", &["✗ gone gone-ends-all"], |p| p.hears = |clients| assert!(clients.len() <= 3, "there is room for three clients")),
    ServerTwin::new("greeting", &["✗ greeting greets-greetings"], |p| p.is_greeting = |_| false),
    ServerTwin::new("hello-anything", &["✗ greeting greets-greetings"], |p| p.is_greeting = |name| name.starts_with(b"Hello")),
    ServerTwin::new("never-sleeps", &["✗ still never-sleeps"], |p| p.begins = |_| drop(std::thread::spawn(|| loop { std::hint::spin_loop() })))
        .by(One).only(LINUX),
    ServerTwin::new("crashes-at-stop", &["✗ stops crashes-at-interrupt"], |p| p.begins = |_| {
        std::mem::forget(common::stop::Stop::on_signal(|| process::abort()).expect("a handler"));
    }).only(cfg!(unix)),
    ServerTwin::new("stops", &["✗ stops interrupt-ignored"], |p| p.begins = |_| drop(common::stop::Stop::on_signal(|| {}).expect("a handler")))
        .only(cfg!(unix)),
];

/// A UDP client in parts, each of which a twin may replace.
pub struct UdpClient {
    is_connected: bool,
    /// Runs before it asks.
    begins: fn(),
    limit: Option<Duration>,
    tries: usize,
    asks: fn(&str) -> String,
    at_once: usize,
    /// Whether a datagram is the answer, and how many came that were not.
    believes: fn(&[u8], &[u8], usize) -> bool,
    prints: fn(&[u8]),
    gives_up: fn(),
    ends: fn(),
}

impl Default for UdpClient {
    fn default() -> Self {
        Self {
            is_connected: true,
            begins: || {},
            limit: Some(Duration::from_secs(2)),
            tries: 3,
            asks: str::to_owned,
            at_once: 1,
            believes: |answer, expected, _| answer == expected,
            prints: |answer| println!("{}", String::from_utf8_lossy(answer)),
            gives_up: || panic!("no answer"),
            ends: || {},
        }
    }
}

impl UdpClient {
    pub fn runs(self, call: &Call<'_>) {
        let (socket, to) = (UdpSocket::bind((call.host, 0)).unwrap(), (call.host, call.port));
        if self.is_connected {
            socket.connect(to).unwrap();
        }
        (self.begins)();
        socket.set_read_timeout(self.limit).unwrap();
        let mut surplus = 0; // of the whole run
        for names in ["Michael", "Tracy", "Sarah"].chunks(self.at_once) {
            let mut tries = 0;
            let mut ask = || {
                tries += 1;
                if tries > self.tries {
                    (self.gives_up)();
                }
                for name in names.iter().map(|name| (self.asks)(name)) {
                    let name = name.as_bytes();
                    let _ = if self.is_connected { socket.send(name) } else { socket.send_to(name, to) };
                }
            };
            ask();
            for name in names {
                let expected = format!("Hello, {name}!").into_bytes();
                loop {
                    let mut buffer = [0; 2048];
                    match socket.recv(&mut buffer) {
                        Ok(size) if (self.believes)(&buffer[..size], &expected, surplus) => {
                            (self.prints)(&buffer[..size]);
                            break;
                        }
                        Ok(_) => surplus += 1,
                        Err(_) => ask(),
                    }
                }
            }
        }
        (self.ends)();
    }
}

type ClientTwin = Twin<UdpClient>;

#[rustfmt::skip]
pub const CLIENTS: &[ClientTwin] = &[
    ClientTwin::new("crashes", &["✗ greets failed-first"], |p| p.begins = || panic!("at once")),
    ClientTwin::new("greets", &["✗ greets not-printed"], |p| p.prints = |_| {}),
    ClientTwin::new("pipelines", &["✗ greets not-waited-for"], |p| p.at_once = 3),
    ClientTwin::new("line-feed", &["✗ greets more-than-the-name"], |p| p.asks = |name| format!("{name}\n")).by(One),
    ClientTwin::new("dies", &["✗ greets ended-too-early"], |p| p.prints = |_| panic!("no such key")).by(One),
    ClientTwin::new("lingers", &["? greets still-waits"], |p| p.ends = || waits_forever()).by(One).patience(1),
    // It asks once in each stage, so that its time-out is one that a slow machine keeps.
    ClientTwin::new("lost", &["✗ lost asks-once"], |p| { p.limit = Some(Duration::from_secs(3)); p.tries = 1 }),
    ClientTwin::new("late", &["✗ late takes-any-reply", "✗ twice takes-any-reply", "✗ bytes takes-any-reply"], |p| p.believes = |_, _, _| true),
    ClientTwin::new("twice", &["✗ twice takes-any-reply"], |p| p.believes = |answer, expected, surplus| answer == expected || surplus == 1),
    ClientTwin::new("gives-up", &["✗ twice failed-at-the-end"], |p| p.believes = |answer, expected, surplus| {
        assert!(answer == expected || surplus == 0, "more answers than questions");
        answer == expected
    }),
    ClientTwin::new("stranger", &["✗ stranger believes-a-stranger"], |p| p.is_connected = false),
    ClientTwin::new("bytes", &["✗ bytes not-text"], |p| p.believes = |answer, expected, _| {
        assert!(std::str::from_utf8(answer).is_ok(), "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff");
        answer == expected
    }),
    ClientTwin::new("nobody", &["✗ silent failure-unsaid", "✗ nobody failure-unsaid"], |p| p.gives_up = || {
        println!("no answer");
        process::exit(0)
    }),
    ClientTwin::new("floods", &["✗ silent floods"], |p| { p.limit = Some(Duration::from_millis(1)); p.tries = 150 }).by(One),
    ClientTwin::new("silent", &["? lost asks-once"], |p| p.limit = None).by(Own),
];

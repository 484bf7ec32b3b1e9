//! TCP clients with one mistake each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{io, panic, process};

use super::By::{One, Own};
use super::{Call, waits_forever};

/// A TCP client in parts, each of which a twin may replace.
pub struct TcpClient {
    /// Runs before it connects.
    begins: fn(),
    /// Runs before it connects for good.
    connects: fn((&str, u16)),
    refused: fn(),
    limit: Option<Duration>,
    /// Takes a message from the stream.
    hears: fn(&mut BufReader<&TcpStream>, &mut Vec<u8>) -> io::Result<usize>,
    gives_up: fn(),
    closed: fn(),
    /// A message has come, so long after the start.
    heard: fn(Duration),
    prints: fn(&str),
    /// What it sends, each once a message has come.
    says: &'static [&'static str],
    waits: bool,
    ends: fn(),
}

impl Default for TcpClient {
    fn default() -> Self {
        Self {
            begins: || {},
            connects: |_| {},
            refused: || panic!("cannot connect"),
            limit: Some(Duration::from_secs(8)),
            hears: |from, line| from.read_until(b'\n', line),
            gives_up: || panic!("nothing came"),
            closed: || panic!("the server closed"),
            heard: |_| {},
            prints: |line| println!("{line}"),
            says: &["Michael\n", "Tracy\n", "Sarah\n", "exit\n"],
            waits: true,
            ends: || {},
        }
    }
}

impl TcpClient {
    pub fn runs(self, call: &Call<'_>) {
        let began = Instant::now();
        (self.begins)();
        (self.connects)((call.host, call.port));
        let Ok(stream) = TcpStream::connect((call.host, call.port)) else { return (self.refused)() };
        stream.set_read_timeout(self.limit).unwrap();
        let (mut from, mut out) = (BufReader::new(&stream), &stream);
        for said in self.says {
            let mut line = Vec::new();
            if (self.hears)(&mut from, &mut line).is_err() {
                (self.gives_up)();
            }
            if line.is_empty() {
                (self.closed)();
            }
            (self.heard)(began.elapsed());
            (self.prints)(String::from_utf8_lossy(&line).trim_end());
            out.write_all(said.as_bytes()).unwrap();
        }
        if self.waits {
            let _ = from.read_to_end(&mut Vec::new());
        }
        (self.ends)();
    }
}

type Twin = super::Twin<TcpClient>;

#[rustfmt::skip]
pub const ROWS: &[Twin] = &[
    Twin::new("crashes", &["✗ greets failed-first"], |p| p.begins = || panic!("at once")),
    Twin::new("never-comes", &["? greets waits-first"], |p| p.begins = || waits_forever()).patience(1).only(cfg!(target_os = "linux")),
    Twin::new("greets", &["✗ greets leaves-early"], |p| p.says = &["Michael\n", "Tracy\n", "exit\n"]),
    Twin::new("no-exit", &["? greets leaves-early"], |p| p.says = &["Michael\n", "Tracy\n", "Sarah\n"]).by(One),
    Twin::new("pipelines", &["✗ greets not-waited-for"], |p| p.says = &["Michael\nTracy\nSarah\nexit\n", "", "", ""]),
    Twin::new("no-line-feed", &["✗ greets other-framing"], |p| p.says = &["Michael", "Tracy", "Sarah", "exit"]).by(One).only(cfg!(target_os = "linux")),
    Twin::new("reads-too-far", &["? greets reads-on"], |p| p.hears = |from, line| {
        let size = from.read_until(b'\n', line)?;
        if line.starts_with(b"Hello") { from.read_until(b'\n', line) } else { Ok(size) }
    }).by(One).only(cfg!(target_os = "linux")),
    Twin::new("reads-nothing", &["? greets welcome-not-read"], |p| p.hears = |_, _| waits_forever()).by(One).only(cfg!(target_os = "linux")),
    Twin::new("leaves-early", &["✗ greets leaves-early"], |p| { p.says = &["Michael\n"]; p.waits = false }).by(One),
    Twin::new("dies", &["✗ greets ended-too-early"], |p| p.heard = |_| panic!("no such key")).by(One),
    Twin::new("lingers", &["? greets still-waits"], |p| p.ends = || waits_forever()).by(One).patience(1),
    Twin::new("prints-aside", &["✗ greets not-printed"], |p| p.prints = |line| eprintln!("{line}")).by(One),
    Twin::new("reads-input", &["? greets reads-input"], |p| p.begins = || drop(io::stdin().read_line(&mut String::new()))).by(One).patience(1)
        .only(cfg!(target_os = "linux")),
    Twin::new("probes", &["✗ greets second-connection"], |p| p.connects = |at| drop(TcpStream::connect(at))).by(One),
    Twin::new("prints-twice", &["✗ greets not-printed"], |p| p.prints = |line| println!("{line}\n{line}")),
    Twin::new("greets-itself", &["✗ answers own-answer"], |p| p.prints = |_| {
        static HEARD: AtomicUsize = AtomicUsize::new(0);
        println!("{}", ["Welcome!", "Hello, Michael!", "Hello, Tracy!", "Hello, Sarah!"][HEARD.fetch_add(1, Ordering::SeqCst)]);
    }),
    Twin::new("fails-at-last", &["✗ greets failed-at-the-end"], |p| p.ends = || process::exit(3)),
    Twin::new("glued", &["✗ glued one-recv", "✗ cut one-recv"], |p| p.hears = |from, line| {
        *line = vec![0; 1024];
        let size = from.get_mut().read(line)?;
        line.truncate(size);
        Ok(size)
    }),
    Twin::new("silence-is-the-end", &["✗ cut one-recv"], |p| {
        p.limit = Some(Duration::from_millis(300));
        p.hears = |from, line| match from.read_until(b'\n', line) {
            Err(_) if !line.is_empty() => Ok(line.len()),
            heard => heard,
        };
    }).by(One),
    // By its own clock, so that a slow machine does not make a liar of it; it may fail in any stage there.
    Twin::new("slow", &["✗ slow impatient"], |p| p.heard = |began| assert!(began < Duration::from_millis(800), "too late")).by(One),
    Twin::new("exit", &["✗ exit leaves-first"], |p| p.waits = false),
    Twin::new("early", &["✗ early failure-unsaid"], |p| p.closed = || process::exit(0)),
    Twin::new("gives-up", &["✗ silent failure-unsaid"], |p| p.gives_up = || process::exit(0)),
    Twin::new("nobody", &["✗ nobody failure-unsaid"], |p| p.refused = || {}),
    Twin::new("mute", &["✗ early failure-unsaid", "✗ silent failure-unsaid", "✗ nobody failure-unsaid"], |p| {
        p.begins = || panic::set_hook(Box::new(|_| {}));
    }),
    Twin::new("silent", &["? silent no-time-out"], |p| p.limit = None).by(Own),
];

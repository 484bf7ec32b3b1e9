//! What was seen, for those mistakes that no twin makes.

use std::net::Ipv4Addr;

use common::framing::Framing;
use xtask::exercises::{Evidence, Location, Tables, Waits};
use xtask::{Expected, How, Names};

/// A kind, a stage, what was seen in it, and the mistake that is told.
type EvidenceRow = (&'static str, &'static str, Evidence<'static>, &'static str);

/// All of them.
#[rustfmt::skip]
pub fn evidence() -> Vec<EvidenceRow> {
    // The program runs, and nothing came.
    let silent = Evidence {
        number: 1, expected: &Expected::End, said: b"", how: How::Silent, bytes: b"", framing: Framing::Line,
        is_gone: false, output: "", status: "", tables: Tables::default(), at: (Ipv4Addr::LOCALHOST, 9999).into(),
        location: Location::default(), waits: Waits::default(), is_back: false, names: Names::OF_THE_NOTES,
    };
    let hears = |name: &str| Evidence { expected: Box::leak(Box::new(Expected::Message(format!("Hello, {name}!").into()))), ..silent.clone() };
    let gone = |output| Evidence { is_gone: true, output, how: How::Ended, ..silent.clone() };
    let got = |how, bytes| Evidence { how, bytes, ..silent.clone() };
    let heard = |framing, bytes| Evidence { framing, bytes, how: How::Other, said: b"Michael", ..hears("Michael") };
    let own = |expected, how| Evidence { expected, how, ..silent.clone() };
    let ready = |output| Evidence { expected: &Expected::Ready, ..gone(output) };
    let visit = |output, status| Evidence { expected: &Expected::Visit, status, ..gone(output) };
    let at = |address: &str| Evidence {
        location: Location { found: vec![address.parse().unwrap()], ..Location::default() },
        ..own(&Expected::Ready, How::Other)
    };
    let welcome = &*Box::leak(Box::new(Expected::Message(b"Welcome!".into())));
    let reads_input = Waits { is_input_read: true, ..Waits::default() };
    let left = Location { has_left: true, ..Location::default() };
    let deaf = Location { is_deaf: true, ..Location::default() };
    let free = Location { is_port_free: true, ..Location::default() };
    let mut rows = vec![
        ("tcp-server", "listens", at("0.0.0.1:9999"), "other-address"),
        ("tcp-server", "listens", at("127.0.0.1:3879"), "port-swapped"),
        ("tcp-server", "greets", heard(Framing::Length, b"\x0f\0\0\0Hello, Michael!"), "wrong-length"),
        ("tcp-server", "greets", heard(Framing::Length, b"\0\0\0\x10Hello, Michael!\n"), "wrong-length"),
        ("tcp-server", "greets", heard(Framing::Raw, b"Hello, Michael!\n"), "line-feed-in-raw"),
        ("tcp-server", "greets", got(How::WentOn, b"Hello, !\n"), "rest-is-no-name"),
        ("tcp-server", "exit", Evidence { how: How::Ended, said: b"exit\n", ..hears("Tracy") }, "exit-hurts-others"),
        ("tcp-server", "stops", own(&Expected::Stop, How::Later), "ends-late"),
        ("tcp-server", "leaves", Evidence { status: "signal: 13 (SIGPIPE)", ..gone("") }, "client-error"),
        ("tcp-server", "leaves", hears("Tracy"), "busy-with-the-end"),
        ("tcp-server", "crowd", Evidence { bytes: b"Hello, Tracy!\n", how: How::Other, ..hears("Sarah") }, "sockets-mixed-up"),
        // Other words around the whole name are told in any stage; what else is in the answer is not words.
        ("tcp-server", "again", Evidence { framing: Framing::Length, how: How::Other, bytes: b"\0\0\0\x0fHello, Tracyel!", ..hears("Tracy") }, "earlier-name"),
        ("udp-server", "again", Evidence { how: How::Other, bytes: b"Hello, Tracyel!", ..hears("Tracy") }, "earlier-name"),
        ("tcp-server", "half-close", Evidence { framing: Framing::Raw, how: How::Ended, bytes: b"Hello, Michael", ..hears("Michael") }, "other-words"),
        ("tcp-server", "reset", Evidence { how: How::Other, bytes: b"Hello, Tracy!!\n", ..hears("Tracy") }, "other-words"),
        ("tcp-server", "crowd", Evidence { how: How::Other, bytes: b"Hello, Sarah!\nHello, Tracy!\n", ..hears("Tracy") }, "sockets-mixed-up"),
        ("tcp-server", "leaves", Evidence { how: How::Other, bytes: b"Hello, MichTracy!\n", ..hears("Tracy") }, "one-buffer"),
        ("tcp-server", "long", hears("Tracy"), "too-long-for-all"),
        ("tcp-server", "stops", own(&Expected::Stop, How::Silent), "ends-late"),
        ("tcp-server", "stops", got(How::Reset, b""), "stops-by-reset"),
        ("tcp-server", "stops", got(How::Other, b"Bye!\n"), "stops-with-words"),
        ("tcp-server", "stops", Evidence { location: deaf.clone(), ..own(&Expected::Stop, How::Unmoved) }, "interrupt-blocked"),
        ("udp-server", "stops", Evidence { location: deaf, ..own(&Expected::Stop, How::Silent) }, "interrupt-blocked"),
        ("udp-server", "stops", Evidence { location: left.clone(), ..own(&Expected::Stop, How::Unmoved) }, "left-its-group"),
        ("tcp-server", "stops", Evidence { location: left, ..own(&Expected::Stop, How::Unmoved) }, "left-its-group"),
        ("tcp-server", "bytes", Evidence { number: 2, expected: welcome, ..silent.clone() }, "busy-with-the-end"),
        ("tcp-server", "long", Evidence { number: 2, expected: welcome, ..gone("killed") }, "ended-with-a-conversation"),
        ("udp-server", "binds", Evidence { waits: reads_input, ..own(&Expected::Ready, How::Silent) }, "reads-input"),
        ("get", "length", got(How::Late, b"GET /"), "slow"),
        ("tcp-client", "greets", got(How::Late, b"Mi"), "slow"),
        // What does not begin is told so in any language.
        ("tcp-server", "listens", ready("PHP Parse error:  syntax error, unexpected token"), "not-started"),
        ("tcp-server", "listens", ready("lua: s.lua:3: '=' expected near 'x'"), "not-started"),
        ("tcp-server", "listens", ready("./s.go:9:2: undefined: x"), "not-started"),
        ("udp-server", "binds", ready("SyntaxError: invalid syntax"), "not-started"),
        ("udp-server", "binds", ready("OSError: Address already in use"), "port-in-use"),
        ("udp-server", "binds", Evidence { location: free, ..ready("OSError: Address already in use") }, "binds-twice"),
        ("udp-server", "binds", ready("socket.gaierror"), "other-family"),
        ("udp-server", "binds", ready("a bytes-like object is required"), "text-for-bytes"),
        ("udp-server", "binds", at("0.0.0.1:9999"), "other-address"),
        ("udp-server", "binds", at("127.0.0.1:3879"), "port-swapped"),
        ("udp-server", "stops", own(&Expected::Stop, How::Silent), "ends-late"),
    ];
    for (kind, stage) in [("tcp-client", "greets"), ("udp-client", "greets"), ("get", "length")] {
        rows.extend([
            (kind, stage, Evidence { waits: reads_input, ..own(&Expected::Visit, How::Silent) }, "reads-input"),
            (kind, stage, own(&Expected::Visit, How::Silent), "waits-first"),
            (kind, stage, visit("can't open file", "exit status 2"), "not-started"),
            (kind, stage, visit("no such key", "exit status 2"), "failed-first"),
            (kind, stage, gone("a bytes-like object is required"), "text-for-bytes"),
            (kind, stage, Evidence { expected: &Expected::Success, ..gone("invalid utf-8") }, "not-text"),
        ]);
    }
    rows
}

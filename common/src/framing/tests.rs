use super::*;
use crate::seeded::Seeded;
use crate::test_streams::{Fails, InPieces, Writes};
use std::io::BufReader;

const DELIMITED: [Framing; 2] = [Framing::Line, Framing::Length];

fn framed(framing: Framing, messages: &[&[u8]]) -> Vec<u8> {
    let mut wire = Vec::new();
    for message in messages {
        write(&mut wire, framing, message).unwrap();
    }
    wire
}

fn read_all(from: &mut impl BufRead, framing: Framing) -> io::Result<Vec<Vec<u8>>> {
    std::iter::from_fn(|| read(from, framing, LIMIT).transpose()).collect()
}

fn kind_of(framing: Framing, wire: &[u8]) -> ErrorKind {
    read_all(&mut &wire[..], framing).unwrap_err().kind()
}

#[test]
fn messages_survive_every_way_of_cutting_the_stream_in_two() {
    let messages: [&[u8]; 5] = [b"Michael", b"", "张三".as_bytes(), b"\xff\0\r\x1b", b"exit"];
    for framing in DELIMITED {
        let wire = framed(framing, &messages);
        for at in 0..=wire.len() {
            let mut from = BufReader::new((&wire[..at]).chain(&wire[at..]));
            assert_eq!(read_all(&mut from, framing).unwrap(), messages, "{framing:?} cut at {at}");
        }
        for size in 1..=wire.len() {
            let mut from = BufReader::new(InPieces { data: &wire, size });
            assert_eq!(read_all(&mut from, framing).unwrap(), messages, "{framing:?} by {size}");
        }
    }
}

#[test]
fn a_stream_that_ends_inside_a_message_is_an_error_at_every_cut() {
    for framing in DELIMITED {
        let wire = framed(framing, &[b"Michael", b"Tracy"]);
        let between = framed(framing, &[b"Michael"]).len();
        for at in 0..=wire.len() {
            let outcome = read_all(&mut &wire[..at], framing);
            if [0, between, wire.len()].contains(&at) {
                assert!(outcome.is_ok());
            } else {
                assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UnexpectedEof, "{framing:?} {at}");
            }
        }
    }
}

#[test]
fn random_bytes_never_panic_and_never_yield_more_than_the_limit() {
    let mut random = Seeded::from_environment();
    for _ in 0..2000 {
        let wire = random.bytes(3 * LIMIT);
        for framing in [Framing::Raw, Framing::Line, Framing::Length] {
            let from = &mut &wire[..];
            while let Ok(Some(message)) = read(from, framing, LIMIT) {
                assert!(message.len() <= LIMIT, "{random:?}");
            }
        }
    }
}

#[test]
fn a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let just = vec![b'x'; LIMIT];
    let more = vec![b'x'; LIMIT + 1];
    for framing in DELIMITED {
        assert_eq!(read_all(&mut &framed(framing, &[&just])[..], framing).unwrap(), [just.as_slice()]);
        assert_eq!(kind_of(framing, &framed(framing, &[&more])), ErrorKind::InvalidData);
    }
    assert_eq!(read_all(&mut &[&just[..], b"\r\n"].concat()[..], Framing::Line).unwrap(), [just]);
    assert_eq!(kind_of(Framing::Line, &b"x".repeat(64 * 1024)), ErrorKind::InvalidData);
}

#[test]
fn a_message_that_stays_incomplete_is_shown_with_what_is_missing_and_the_likely_reason() {
    for (framing, came, text) in [
        (Framing::Line, &b"Welcome!"[..], "8 bytes came, \"Welcome!\", and no line feed: try --framing raw"),
        (
            Framing::Line,
            b"\0\0\0\x03Ann",
            "7 bytes came, \"\\x00\\x00\\x00\\x03Ann\", and no line feed: try --framing length",
        ),
        (Framing::Length, b"Hi", "2 bytes came, \"Hi\", and no length of 4 bytes: try --framing raw"),
        (
            Framing::Length,
            b"\0\0\0\x07Mich",
            "8 bytes came, \"\\x00\\x00\\x00\\x07Mich\", which is 4 of the 7 bytes that its length says",
        ),
        (Framing::Line, b"", "nothing came for 10s"),
        (Framing::Raw, b"", "nothing came for 10s"),
    ] {
        let silent = Fails(|| io::Error::new(ErrorKind::TimedOut, "nothing came for 10s"));
        let error = read(&mut BufReader::new(came.chain(silent)), framing, LIMIT).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::TimedOut, text));
    }
    let error = read_all(&mut &b"Ann\nMich"[..], Framing::Line).unwrap_err().to_string();
    assert!(error.starts_with("the stream ended inside a message: 4 bytes came, \"Mich\""), "{error}");
    let error = read_all(&mut &b"Welcome!"[..], Framing::Length).unwrap_err().to_string();
    assert!(error.ends_with("\"Welc\" is no length but text: try --framing line or raw"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_connection_that_died_inside_a_message_is_not_silence() {
    let dead = Fails(|| io::Error::from_raw_os_error(110)); // ETIMEDOUT
    let error = read(&mut BufReader::new(b"Mich".chain(dead)), Framing::Line, LIMIT).unwrap_err();
    assert!(error.to_string().contains("(os error 110): 4 bytes came"), "{error}");
}

#[test]
fn a_wait_inside_a_message_is_remarked_on_once_and_nothing_is_lost() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut far = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let near = listener.accept().unwrap().0;
    let patient = TimedStream::new(&near, Duration::from_secs(10), Duration::MAX);
    let mut reader = BufReader::new(patient);
    for (framing, begin, end, remark) in [
        (Framing::Line, &b"Mich"[..], &b"ael\n"[..], "4 bytes came, \"Mich\", and no line feed"),
        (Framing::Length, b"\0\0", b"\0\x07Michael", "2 bytes came"),
    ] {
        far.write_all(begin).unwrap();
        let mut remarks = Vec::new();
        let message = read_or_remark(&mut reader, framing, LIMIT, |what| {
            remarks.push(what.to_owned());
            far.write_all(end).unwrap();
        });
        assert_eq!(message.unwrap().as_deref(), Some(&b"Michael"[..]));
        assert!(remarks.len() == 1 && remarks[0].starts_with(remark), "{remarks:?}");
    }
    assert_eq!(reader.get_ref().idle, Duration::from_secs(10));
}

#[test]
fn telnets_carriage_return_is_dropped_once() {
    assert_eq!(read_all(&mut &b"exit\r\na\r\r\n"[..], Framing::Line).unwrap(), [&b"exit"[..], b"a\r"]);
}

#[test]
fn with_raw_framing_one_read_is_one_message() {
    let mut from = BufReader::new(InPieces { data: b"Michaelexit", size: 7 });
    assert_eq!(read_all(&mut from, Framing::Raw).unwrap(), [&b"Michael"[..], b"exit"]);
    assert_eq!(read_all(&mut &b"Michaelexit"[..], Framing::Raw).unwrap(), [b"Michaelexit"]);
}

#[test]
fn what_a_framing_cannot_carry_is_refused_before_a_byte_is_written() {
    for (framing, message) in
        [(Framing::Raw, &b""[..]), (Framing::Line, b"a\nb"), (Framing::Line, b"a\n"), (Framing::Line, b"a\r")]
    {
        let mut wire = Vec::new();
        assert_eq!(write(&mut wire, framing, message).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(wire.is_empty());
    }
}

#[test]
fn one_message_is_one_write() {
    for framing in [Framing::Raw, Framing::Line, Framing::Length] {
        let mut out = Writes::default();
        write(&mut out, framing, b"Michael").unwrap();
        assert_eq!(out.0.len(), 1, "{framing:?}");
    }
}

use std::io::{self, BufReader, ErrorKind, Read};

use crate::seeded::Seeded;
use crate::test_streams::{Fails, InPieces};

use super::head::{BodyFraming, body_framing, read_head};
use super::{copy_body, read_reply};

const HOPELESS: Fails = Fails(|| ErrorKind::TimedOut.into());

/// The status and the body of a reply that comes in pieces of `size` bytes; what was written before an
/// error is lost, as it is to a program's user.
fn get(reply: &[u8], size: usize) -> io::Result<(u16, Vec<u8>)> {
    let mut from = BufReader::new(InPieces { data: reply, size });
    let head = read_head(&mut from)?;
    let framing = body_framing(&head)?;
    let mut body = Vec::new();
    let copied = copy_body(&mut from, framing, &mut body)?;
    assert_eq!(copied, body.len() as u64);
    Ok((head.status, body))
}

fn whole(reply: &str) -> io::Result<(u16, Vec<u8>)> {
    get(reply.as_bytes(), usize::MAX)
}

fn kind_of(reply: &str) -> ErrorKind {
    whole(reply).expect_err(reply).kind()
}

/// Replies that say where they end, each with its body.
const DELIMITED: [(&str, u16, &str); 7] = [
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
    ("HTTP/1.0 404\ncontent-length:5\n\nhello", 404, "hello"),
    ("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, ""),
    ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, ""),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n03;a=b\r\nllo\r\n0\r\nX: y\r\n\r\n",
        200,
        "hello",
    ),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n5 ;x\nhello\n0\n\n", 200, "hello"),
    (
        "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 \r\n\r\nHTTP/1.1 999 x\r\nContent-Length: 1, 1\r\n\r\n!",
        999,
        "!",
    ),
];

#[test]
fn a_reply_reads_the_same_at_every_size_of_its_pieces() {
    let until_close = ("HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end");
    for (reply, status, body) in DELIMITED.into_iter().chain([until_close]) {
        for size in 1..=reply.len() {
            assert_eq!(get(reply.as_bytes(), size).unwrap(), (status, body.into()), "{reply:?} by {size}");
        }
    }
}

#[test]
fn a_reply_that_ends_early_is_an_error_at_every_cut() {
    for (reply, ..) in DELIMITED {
        for at in 0..reply.len() {
            let kind = get(&reply.as_bytes()[..at], usize::MAX).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::UnexpectedEof, "{:?}", &reply[..at]);
        }
    }
}

#[test]
fn a_length_is_decimal_digits_that_fit_and_agree() {
    let reply = |value: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\nhello!");
    for value in
        "+6|-6|0x6|6_0|6a|6\u{c}|| |6 0|6,|6, 7|18446744073709551617|5\r\nContent-Length: 6".split('|')
    {
        assert_eq!(kind_of(&reply(value)), ErrorKind::InvalidData, "{value:?}");
    }
    assert_eq!(kind_of(&reply("9223372036854775807")), ErrorKind::UnexpectedEof);
    for value in ["6", "6, 6", " 6\t ", "6\r\nContent-Length: 6", "006"] {
        assert_eq!(whole(&reply(value)).unwrap().1, b"hello!", "{value:?}");
    }
}

#[test]
fn chunks_are_read_to_the_letter() {
    let reply = |chunks: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    for size in "+5|0x5|5X||-5|5 5|00000000000000005|g| 5|\t5|5 | 5;x|\x0c5|;".split('|') {
        assert_eq!(kind_of(&reply(&format!("{size}\r\nhello\r\n0\r\n\r\n"))), ErrorKind::InvalidData);
    }
    for chunks in
        ["5\r\nhello0\r\n\r\n", "4\r\nhello\r\n0\r\n\r\n", "0\r\nno colon\r\n\r\n", "0\r\nX: \0\r\n\r\n"]
    {
        assert_eq!(kind_of(&reply(chunks)), ErrorKind::InvalidData, "{chunks:?}");
    }
    assert_eq!(kind_of(&reply("ffffffffffffffff\r\nhello")), ErrorKind::UnexpectedEof);
    for size in ["5;x", "5 ;x", "5 \t;", "5; x", "0000000000000005;n=v;q=\"\""] {
        assert_eq!(whole(&reply(&format!("{size}\r\nhello\r\n0\r\n\r\n"))).unwrap().1, b"hello");
    }
}

#[test]
fn a_transfer_coding_wins_over_a_length_and_an_unknown_one_is_refused() {
    let reply = |coding: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: {coding}\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        )
    };
    // Empty elements of a list are ignored (RFC 9110 section 5.6.1.2).
    for coding in ["Chunked", "chunked,", ", ,\tchunked", "chunked\r\nTransfer-Encoding:"] {
        assert_eq!(whole(&reply(coding)).unwrap().1, b"hi", "{coding:?}");
    }
    for coding in
        ["gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "xchunked", "", ","]
    {
        assert_eq!(kind_of(&reply(coding)), ErrorKind::InvalidData, "{coding:?}");
    }
}

#[test]
fn what_is_not_an_http_reply_is_refused() {
    for reply in [
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 -20 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.10 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nName : value\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: value\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        "HTTP/1.1 200 OK\0\r\n\r\n",
    ] {
        assert_eq!(kind_of(reply), ErrorKind::InvalidData, "{reply:?}");
    }
}

#[test]
fn a_first_byte_that_begins_no_reply_is_named_without_waiting_for_more() {
    for (came, reason) in [
        (&b"\x15\x03\x01\0\x02\x02\x46"[..], "\\x03\\x01\\x00\\x02\\x02F\" came - it looks like TLS"),
        (b"\x16\x03\x03", "it looks like TLS"),
        (b"\0\0\x12\x04\0\0\0\0\0", "it looks like HTTP/2"),
        (b"Welcome!", "\"Welcome!\" came - is the peer a web server?"),
        (b"SSH-2.0-", "is the peer a web server?"),
        (b"HTTP/2 200", "is the peer a web server?"),
        (b"http/1.1", "is the peer a web server?"),
        (b"\xff", "\"\\xff\" came"),
    ] {
        // Behind what came, the reader waits for ever: its next read is an error that nobody should see.
        let mut from = BufReader::new(came.chain(HOPELESS));
        let error = read_head(&mut from).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_reply_that_came_before_the_request_could_be_sent_counts_if_it_says_where_it_ends() {
    let refused = || Err(ErrorKind::ConnectionReset.into());
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";
    let (head, body_end) = read_reply(&mut busy.as_bytes(), refused()).unwrap();
    assert_eq!((head.status, body_end), (503, BodyFraming::Length(4)));
    for reply in ["", "HTTP/1.1 503 Bu", "HTTP/1.1 503 Busy\r\n\r\nbusy"] {
        let error = read_reply(&mut reply.as_bytes(), refused()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(error.to_string().starts_with("the server did not take the request: "), "{error}");
    }
    let (head, body_end) = read_reply(&mut &b"HTTP/1.1 200 OK\r\n\r\n"[..], Ok(())).unwrap();
    assert_eq!((head.status, body_end), (200, BodyFraming::UntilClose));
    let error = read_reply(&mut &b""[..], Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_reply_that_stalls_says_how_far_it_came() {
    for (reply, place) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "after 3 of 5 bytes: "),
        ("HTTP/1.1 200", "in the head: 12 bytes came, \"HTTP/1.1 200\", and no line feed: "),
        ("HTTP/1.1 200 OK\r\n", "in the head: "),
        ("HTTP/1.1 200 OK\r\n\r\nh", "after 1 byte: "),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", "inside a chunk, after 2 bytes: "),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n", "in the chunks, after 1 byte: "),
    ] {
        let mut from = BufReader::new(reply.as_bytes().chain(HOPELESS));
        let error = read_head(&mut from)
            .and_then(|head| copy_body(&mut from, body_framing(&head)?, &mut io::sink()))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().starts_with(place), "{error}");
    }
}

#[test]
fn a_mutated_reply_never_panics_and_is_never_a_short_success() {
    let mut random = Seeded::from_environment();
    for _ in 0..3000 {
        let (reply, ..) = DELIMITED[random.below(DELIMITED.len())];
        let mut mutated = reply.as_bytes().to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(mutated.len());
            match random.below(3) {
                0 => mutated[at] = random.bytes(1).first().copied().unwrap_or(b'\n'),
                1 => mutated.insert(at, b"\r\n:;0 5"[random.below(7)]),
                _ => _ = mutated.remove(at),
            }
        }
        let size = 1 + random.below(mutated.len());
        let mut from = BufReader::new(InPieces { data: &mutated, size });
        let Ok(head) = read_head(&mut from) else { continue };
        let Ok(framing) = body_framing(&head) else { continue };
        let mut body = Vec::new();
        let outcome = copy_body(&mut from, framing, &mut body);
        if let (BodyFraming::Length(length), Ok(copied)) = (framing, outcome) {
            assert_eq!((copied, body.len() as u64), (length, length), "{random:?}");
        }
    }
}

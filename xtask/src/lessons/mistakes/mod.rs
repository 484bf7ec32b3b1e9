//! `cargo xtask demo --mistakes`: each mistake of the notes' code first fails, and then a program shows how it is
//! fixed. Functions with the notes' wrong code are named `wrong_...`; their lane shows the notes' calls.

mod tcp;
mod udp;
mod web;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Result;

use crate::lessons::Lesson;
use crate::peers::sockets::connect;
use crate::play::Play;
use crate::play::quiz::Prediction;
use crate::wire::event::{Recorder, Side};
use crate::wire::record::STUCK;
use crate::wire::tcp_relay::RelayMode;
use crate::words::Words;

/// Each mistake is a separate lesson.
pub static ALL: [Lesson; 14] = [
    tcp::GLUED,
    web::CHUNK_SIZES,
    web::CUT_SHORT,
    udp::LOST_REPLY,
    udp::LATE_REPLY,
    udp::STRANGER,
    udp::CUT_DATAGRAM,
    tcp::RESET,
    tcp::HALF_CHAR,
    tcp::SLOW_EXIT,
    web::NO_HEADER,
    web::KEPT_OPEN,
    udp::NOT_TEXT,
    tcp::GBK_NAME,
];

/// How long to watch a wait of the notes' code that would never end.
const WATCHED: Duration = Duration::from_millis(500);

/// A question about what the notes' code does.
struct Question {
    asks: Words,
    choices: [Words; 3],
    /// The number of the right choice.
    right: u64,
    why: Words,
}

/// The notes' `decode('utf-8')`: bytes that are not UTF-8, or half a character, are an exception.
fn decode(bytes: &[u8], lane: Side, recorder: &Recorder) -> io::Result<String> {
    String::from_utf8(bytes.into()).map_err(|e| {
        recorder.said(lane, "decode('utf-8'): UnicodeDecodeError");
        io::Error::new(ErrorKind::InvalidData, e)
    })
}

/// Both ends of a connection over a recorded wire, after the server's welcome.
fn welcomed_pair(play: &mut Play) -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(play.loopback())?;
    let mut client = connect(play.lab.wire("", listener.local_addr()?, RelayMode::AsItComes)?)?;
    let mut server = listener.accept()?.0;
    server.set_read_timeout(Some(STUCK))?;
    play.called(Side::Server, "send: Welcome!");
    server.write_all(b"Welcome!")?;
    client.read_exact(&mut [0; 8])?;
    play.called(Side::Client, "recv(1024): Welcome!");
    Ok((client, server))
}

fn the_notes_way(play: &mut Play, question: &Question) -> Result<Prediction> {
    let prediction = play.predict(&question.asks, &question.choices)?;
    play.act(&Words::fixed("The notes' way.", "笔记的做法。"))?;
    Ok(prediction)
}

/// After the mistake: the program that does it right.
fn instead(play: &mut Play, program: &str) -> Result<()> {
    play.act(&words!("What {program} does instead.", "再看 {program} 的做法。"))
}

/// Checks that the notes' code failed.
fn wrong(
    play: &mut Play,
    what: &Words,
    failed: bool,
    question: &Question,
    prediction: Prediction,
) -> Result<()> {
    let (en, zh) = (&what.en, &what.zh);
    let promise = words!("the mistake shows: {en}", "果然出错：{zh}");
    if failed || cfg!(unix) {
        play.checks.equal(promise, &failed, &true);
    } else {
        // The answers are known from Unix; other systems may differ.
        let why = Words::fixed("the mistake does not show on this system", "在本系统上重现不了这个错误");
        play.checks.not_available(promise, why);
    }
    if failed {
        play.reveal(prediction, |choice| choice == question.right, &question.why)?;
    }
    Ok(())
}

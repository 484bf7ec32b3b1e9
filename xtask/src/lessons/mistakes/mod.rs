//! `cargo xtask demo --mistakes`: each mistake of the notes' code that can be shown, seen to fail as predicted,
//! and then what the programs do instead. The wrong code stands here alone, as small as it can be, and is called
//! wrong.

mod tcp;
mod udp;
mod web;

use std::io::{self, ErrorKind};
use std::time::Duration;

use anyhow::Result;

use crate::lessons::Lesson;
use crate::play::Play;
use crate::words::Words;

/// All that can be shown, each as a lesson of its own.
pub static ALL: [Lesson; 13] = [
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
];

/// How long a wait of the notes' code is watched that would have no end.
const WATCHED: Duration = Duration::from_millis(500);

/// The notes' `decode('utf-8')`: bytes that are no text, or half of it, are an exception.
fn decode(bytes: &[u8]) -> io::Result<String> {
    String::from_utf8(bytes.into()).map_err(|e| io::Error::new(ErrorKind::InvalidData, e))
}

fn the_notes_way(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed("The notes' way.", "笔记的做法。"))
}

/// The turn from the mistake to the program that mends it.
fn instead(play: &mut Play, program: &str) -> Result<()> {
    play.act(&words!("What {program} does instead.", "再看 {program} 的做法。"))
}

/// The mistake has to be seen to fail, too.
fn wrong(play: &mut Play, what: &Words, failed: bool) -> Result<()> {
    play.evidence(what)?;
    let (en, zh) = (&what.en, &what.zh);
    let promise = words!("fails as predicted: {en}", "果然出错：{zh}");
    if failed || cfg!(unix) {
        play.checks.equal(promise, &failed, &true);
    } else {
        // What was predicted was seen on Unix; another system may have another way with it.
        let why = Words::fixed("this system does not show this mistake", "这个错误在本系统上显不出来");
        play.checks.not_available(promise, why);
    }
    Ok(())
}

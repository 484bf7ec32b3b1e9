//! A stream of bytes: all arrive, in order, and nothing shows where a write began.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use common::narration::escape;

use super::{BOTH_SIDES, Lesson, claim};
use crate::peers::sockets::pair;
use crate::play::Play;
use crate::wire::event::Side;
use crate::words::Words;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "stream", subject_zh: "可靠有序的字节流", lanes: BOTH_SIDES, play,
    claims: &[
        claim("C4", "A stream is reliable and ordered.",
                    "字节流是可靠且有序的。"),
        claim("C7", "On a stream, one receive may return the data of three sends: only datagrams keep\ntheir boundaries.",
                    "在流上，三次发送可能一次收完：只有数据报保留边界。"),
    ],
};

const SIZE: usize = 8 << 20;

/// The byte at a position: a lost, doubled or misplaced byte is noticed.
pub(super) fn byte_at(place: usize) -> u8 {
    (place ^ (place >> 8) ^ (place >> 16)).to_le_bytes()[0]
}

fn play(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed(
        "8 MiB with a known pattern are sent to a slow reader.",
        "向一个读得很慢的接收方发送 8 MiB 有规律的数据。",
    ))?;
    let (mut client, mut server) = pair(play.ip)?;
    let sending = thread::spawn(move || {
        let data: Vec<u8> = (0..SIZE).map(byte_at).collect();
        client.write_all(&data)
    });
    let (mut buffer, mut reads, mut place, mut wrong) = (vec![0; 100_000], 0, 0, 0);
    loop {
        let n = server.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        wrong += buffer[..n].iter().zip(place..).filter(|(byte, at)| **byte != byte_at(*at)).count();
        place += n;
        reads += 1;
        if reads % 16 == 0 {
            thread::sleep(Duration::from_millis(2));
        }
    }
    sending.join().ok().context("the sender panicked")??;
    play.evidence(&words!("{place} bytes arrived in {reads} reads", "{reads} 次读取共收到 {place} 字节"))?;
    let promise = Words::fixed("every byte arrived, at its position", "所有字节都到了，位置也都正确");
    play.checks.equal(promise, &(place, wrong), &(SIZE, 0));

    play.predict(
        "Three writes, of 7, 5 and 5 bytes; then the server reads to the end.",
        "写三次，分别是 7、5、5 字节；然后服务器读到结束。",
        ("How many reads does it take to get them all?", "要读几次才能全部收到？"),
        &[
            ("always three: one for each write", "总是三次：每次写入读一次"),
            ("always one: they arrive together", "总是一次：它们一起到达"),
            ("that is not fixed", "不一定"),
        ],
        "any number from 1 to 17 is possible, as a stream keeps no boundaries.",
        "1 到 17 次都有可能，因为流不保留边界。",
    )?;
    let (mut client, mut server) = pair(play.ip)?;
    for name in ["Michael", "Tracy", "Sarah"] {
        client.write_all(name.as_bytes())?;
        play.sent(Side::Server, name.as_bytes());
    }
    drop(client);
    play.ended(Side::Server);
    let (mut pieces, mut all) = (Vec::new(), String::new());
    loop {
        let n = server.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        let piece = escape(&buffer[..n]);
        play.said(Side::Server, &words!("read: {piece}", "read：{piece}"));
        pieces.push(n);
        all += &String::from_utf8_lossy(&buffer[..n]);
    }
    let promise = Words::fixed(
        "the bytes of all writes, in order: nothing shows where a write began",
        "收到的就是依次写入的字节：没有任何东西标明每次写入从哪里开始",
    );
    play.checks.equal(promise, &all.as_str(), &"MichaelTracySarah");
    play.reveal((1..=17).contains(&pieces.len()).then_some(3));
    Ok(())
}

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
use crate::words::{Shown, Words};

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "stream", subject_zh: "可靠有序的字节流", lanes: BOTH_SIDES, play,
    claims: &[
        claim("C4", "A stream is reliable and ordered.",
                    "字节流是可靠且有序的。"),
        claim("C7", "On a stream, one receive may return the data of three sends: only datagrams keep\ntheir boundaries.",
                    "在流上，三次发送可能一次收完：只有数据报保留边界。"),
        claim("C17", "send sends the data, or only a part if the buffers are full; write_all sends all.",
                     "send 发送数据，缓冲区满了就只发送一部分；write_all 才发送全部。"),
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

    let prediction = play.predict(
        "Three writes, of 7, 5 and 5 bytes. How many reads does it take to get them all?",
        "写三次，分别是 7、5、5 字节。要读几次才能全部收到？",
        &[
            ("always three: one for each write", "总是三次：每次写入读一次"),
            ("always one: they arrive together", "总是一次：它们一起到达"),
            ("that is not fixed", "不一定"),
        ],
        "any number from 1 to 17 is possible, as a stream keeps no boundaries.",
        "1 到 17 次都有可能，因为流不保留边界。",
    )?;
    play.act(&Words::fixed("Three writes, then the server reads.", "写三次，然后读取。"))?;
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
    let Words { en, zh } = pieces.shown();
    play.evidence(&words!(
        "the reads returned {en} bytes; the writes sent 7, 5 and 5",
        "各次读取得到 {zh} 字节；写入的是 7、5、5"
    ))?;
    let promise = Words::fixed(
        "the bytes of all writes, in order: nothing shows where a write began",
        "收到的就是依次写入的字节：没有任何东西标明每次写入从哪里开始",
    );
    play.checks.equal(promise, &all.as_str(), &"MichaelTracySarah");
    play.reveal(prediction, (1..=17).contains(&pieces.len()).then_some(3));
    partial_write(play)
}

/// C17: a write to a non-blocking socket.
fn partial_write(play: &mut Play) -> Result<()> {
    let prediction = play.predict(
        "64 MiB are written to a non-blocking socket, and the other side does not read. What does write return?",
        "向一个非阻塞（不等待）、对方又不读取的套接字写 64 MiB，write 会怎样？",
        &[
            ("all of them", "全部收下"),
            ("a part of them", "收下一部分"),
            ("an error; none were accepted", "出错，什么也没收下"),
        ],
        "the system accepted what fits in its buffers, and returned how much: the program has to send the rest.",
        "系统收下缓冲区容得下的部分，并返回是多少；其余的要由程序再发。",
    )?;
    play.act(&Words::fixed(
        "64 MiB are written to a non-blocking socket, and the other side does not read.",
        "把 64 MiB 写入一个非阻塞（不等待）、对方又不读取的套接字。",
    ))?;
    let (client, mut server) = pair(play.ip)?;
    let data = vec![b'x'; 64 << 20];
    client.set_nonblocking(true)?;
    let taken = (&client).write(&data)?;
    let size = data.len();
    play.said(
        Side::Client,
        &words!("write: {taken} of {size} bytes", "write：{size} 字节中收下 {taken} 字节"),
    );
    let promise = Words::fixed(
        "one write accepted a part, and returned how much",
        "一次写入只收下一部分，并返回收下多少",
    );
    play.checks.holds(promise, (1..data.len()).contains(&taken), &taken);
    play.reveal(prediction, (1..data.len()).contains(&taken).then_some(2));
    client.set_nonblocking(false)?;
    let rest = thread::spawn(move || (&client).write_all(&data[taken..]));
    let received = std::io::copy(&mut server, &mut std::io::sink())?;
    rest.join().ok().context("the sender panicked")??;
    let promise = Words::fixed(
        "write_all sent the rest while the other side read",
        "对方开始读取后，write_all 发完其余部分",
    );
    play.checks.equal(promise, &received, &(64 << 20));
    Ok(())
}

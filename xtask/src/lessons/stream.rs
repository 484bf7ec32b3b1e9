//! A stream of bytes: all of them, in order, and no trace of the writes that sent them.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use common::narration::escape;

use super::{BOTH_SIDES, Lesson};
use crate::peers::sockets::pair;
use crate::play::Play;
use crate::play::quiz::a_number;
use crate::wire::event::Side;
use crate::words::{Shown, Words};

pub const LESSON: Lesson = Lesson {
    name: "stream",
    claims: &[
        ("C4", Words::fixed("A stream is reliable and ordered.", "字节流是可靠且有序的。")),
        (
            "C7",
            Words::fixed(
                "On a stream, three sends may be one receive: only datagrams keep their\nboundaries.",
                "在流上，三次发送可能一次收完：只有数据报保留边界。",
            ),
        ),
        (
            "C17",
            Words::fixed(
                "send sends the data - or a part, if the system takes no more; write_all sends all.",
                "send 发送数据——系统收不下时只发送一部分；write_all 才发送全部。",
            ),
        ),
    ],
    lanes: BOTH_SIDES,
    play,
};

const SIZE: usize = 8 << 20;

/// The byte at a place of the stream: one that is lost, doubled or out of order shows.
fn byte_at(place: usize) -> u8 {
    (place ^ (place >> 8) ^ (place >> 16)).to_le_bytes()[0]
}

fn play(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed(
        "8 MiB of a pattern are sent to a reader that dawdles.",
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
    play.evidence(&words!("{place} bytes came in {reads} reads", "{reads} 次读取共收到 {place} 字节"))?;
    let promise = Words::fixed("every byte came, in its place", "所有字节都到了，位置也都正确");
    play.checks.equal(promise, &(place, wrong), &(SIZE, 0));

    let prediction = play.predict(
        &Words::fixed(
            "Three writes, of 7, 5 and 5 bytes. How many reads will it take to get them all?",
            "写三次，分别是 7、5、5 字节。要读几次才能全部收到？",
        ),
        &[],
    )?;
    play.act(&Words::fixed("Three writes, then one reader.", "写三次，然后读取。"))?;
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
        play.called(Side::Server, format!("read: {}", escape(&buffer[..n])));
        pieces.push(n);
        all += &String::from_utf8_lossy(&buffer[..n]);
    }
    let Words { en, zh } = pieces.shown();
    play.evidence(&words!(
        "the reads gave {en} bytes; the writes were of 7, 5 and 5",
        "各次读取得到 {zh} 字节；写入的是 7、5、5"
    ))?;
    let promise = Words::fixed(
        "the bytes are those of the writes, one after the other: nothing says where each began",
        "收到的就是依次写入的字节：没有任何东西标明每次写入从哪里开始",
    );
    play.checks.equal(promise, &all.as_str(), &"MichaelTracySarah");
    let count = pieces.len();
    play.reveal(
        prediction,
        |number| a_number(number, count as u64, 17),
        &words!(
            "it took {count} here; any number from 1 to 17 is possible, as a stream keeps no boundaries.",
            "这一次读了 {count} 次；1 到 17 次都有可能，因为流不保留边界。"
        ),
    )?;
    partial_write(play)
}

/// C17: what a write does that must not wait.
fn partial_write(play: &mut Play) -> Result<()> {
    let prediction = play.predict(
        &Words::fixed(
            "64 MiB are written to a socket that must not wait, and nobody reads. What does write say?",
            "向一个非阻塞（不许等待）、对方又不读取的套接字写 64 MiB，write 会怎样？",
        ),
        &[
            Words::fixed("it took all", "全部收下"),
            Words::fixed("it took a part", "收下一部分"),
            Words::fixed("an error, and it took nothing", "出错，什么也没收下"),
        ],
    )?;
    play.act(&Words::fixed(
        "64 MiB are offered to a socket that must not wait, and that nobody reads.",
        "把 64 MiB 写入一个非阻塞（不许等待）、对方又不读取的套接字。",
    ))?;
    let (client, mut server) = pair(play.ip)?;
    let data = vec![b'x'; 64 << 20];
    client.set_nonblocking(true)?;
    let taken = (&client).write(&data)?;
    play.called(Side::Client, format!("write: took {taken} of {} bytes", data.len()));
    play.evidence(&words!("one write took {taken} bytes", "一次写入收下 {taken} 字节"))?;
    let promise =
        Words::fixed("one write took a part, and said how much", "一次写入只收下一部分，并说明收下多少");
    play.checks.holds(promise, (1..data.len()).contains(&taken), &taken);
    play.reveal(
        prediction,
        |choice| choice == 2 && (1..data.len()).contains(&taken),
        &Words::fixed(
            "the system took what its buffers hold, and said how much: the rest is the caller's to send.",
            "系统收下缓冲区容得下的部分，并说明是多少；其余的要由调用者再发。",
        ),
    )?;
    client.set_nonblocking(false)?;
    let rest = thread::spawn(move || (&client).write_all(&data[taken..]));
    let received = std::io::copy(&mut server, &mut std::io::sink())?;
    rest.join().ok().context("the sender panicked")??;
    let promise =
        Words::fixed("write_all sent the rest while somebody read", "对方开始读取后，write_all 发完其余部分");
    play.checks.equal(promise, &received, &(64 << 20));
    Ok(())
}

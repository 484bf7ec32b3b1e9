//! Where a message ends: raw, line and length framing on a wire that cuts messages and joins them.

use std::io::{Read, Write};
use std::net::SocketAddr;

use anyhow::Result;
use common::framing::{self, Framing};
use common::greeting;

use super::{Lesson, TCP, claim};
use crate::checks::Ended;
use crate::peers::sockets::connect;
use crate::play::Play;
use crate::wire::tcp_relay::RelayMode;
use crate::words::Words;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "framing", subject_zh: "消息边界", lanes: TCP, play,
    claims: &[claim("C7",
        "A stream has no message boundaries: a program has to mark where each message ends.",
        "字节流没有消息边界（所谓“粘包”）：要传递消息，就必须标明消息在何处结束。")],
};

const NAME: &str = "Alexander";
const CUTS: [usize; 4] = [1, 2, 7, 1024];

fn play(play: &mut Play) -> Result<()> {
    let prediction = play.predict(
        "One write of 'Alexander'; the wire carries two bytes at a time. Whom does the raw server greet first?",
        "一次写入“Alexander”，线路每次只传两个字节。raw 服务器最先问候谁？",
        &[
            ("Alexander: it was one write", "Alexander：它是一次写入的"),
            ("Al", "Al"),
            ("nobody, until the rest has arrived", "其余部分到达之前，谁也不问候"),
        ],
        "a read returns what has arrived, and nothing in it says that the name is incomplete.",
        "读取返回已经到达的数据，其中没有任何东西说明名字还没完。",
    )?;
    play.act(&Words::fixed(
        "raw, the notes' way: one read is one message. The wire cuts what the client sends into 1, 2, 7 or 1024 \
         bytes; shown: 2.",
        "raw，即笔记的做法：一次读取就是一条消息。线路把客户端发送的数据每 1、2、7、1024 字节切一段；只画出 2 的情形。",
    ))?;
    let (_raw, at) = play.server("tcp-server", &["--delay", "0", "--framing", "raw"])?;
    let mut first_greeted = None;
    for (number, size) in (1..).zip(CUTS) {
        let label = format!("r{number}");
        if size != 2 {
            play.story.hide(&label); // one cut is enough to look at
        }
        let wire = play.lab.wire(&label, at, RelayMode::InLockstep(size))?.to_string();
        let outcome = play.run(&label, "tcp-client", &["greet", &wire, NAME, "--framing", "raw"])?;
        let heard = &NAME[..size.min(NAME.len())];
        let predicted = format!("Hello, {heard}!");
        // Only the first greeting is certain: the next may be joined to it, or arrive too late to be read.
        let greeted = outcome.said.get(1).is_some_and(|line| line.starts_with(&predicted));
        let holds = greeted && outcome.status == Some(i32::from(heard != NAME));
        let promise = words!(
            "raw, cut at {size}: '{heard}' is greeted",
            "raw，每 {size} 字节切一段：问候的是“{heard}”"
        );
        play.checks.holds(promise, holds, &(Ended::from(&outcome), &outcome.said));
        if size == 2 {
            first_greeted = outcome.said.into_iter().nth(1);
        }
    }
    let is_al = first_greeted.is_some_and(|greeting| greeting.starts_with("Hello, Al!"));
    play.reveal(prediction, is_al.then_some(2))?;

    with_a_mark(play)
}

/// A line feed or a length marks where each message ends.
fn with_a_mark(play: &mut Play) -> Result<()> {
    for (how, name) in [(Framing::Line, "line"), (Framing::Length, "length")] {
        let (mark, mark_zh) = match how {
            Framing::Length => ("each message after its length", "消息前面写明长度"),
            _ => ("a line feed ends each message", "换行符标明消息结尾"),
        };
        play.act(&words!(
            "{name}: {mark}. Three names and 'exit' in one write, cut at 1, 2, 7, 1024 bytes; shown: 7.",
            "{name}：{mark_zh}。一次写入三个名字和 exit，每 1、2、7、1024 字节切一段；只画出 7 的情形。"
        ))?;
        let (_server, at) = play.server("tcp-server", &["--delay", "0", "--framing", name])?;
        let expected = predicted(how)?;
        for (number, size) in (1..).zip(CUTS) {
            let label = format!("{}{number}", &name[..1]);
            if size != 7 {
                play.story.hide(&label); // one cut is enough to look at
            }
            let wire = play.lab.wire(&label, at, RelayMode::Cut(size))?;
            let transcript = converse(wire, how)?;
            let promise = words!(
                "{name}, cut at {size}: each name is greeted, and 'exit' is recognized",
                "{name}，每 {size} 字节切一段：每个名字都得到问候，exit 也被识别"
            );
            play.checks.equal(promise, &transcript, &expected);
        }
    }
    Ok(())
}

const NAMES: [&[u8]; 3] = [b"Michael", "张三".as_bytes(), b"Sarah"];

/// Sends all names and exit with one write; returns everything that comes back until the end.
fn converse(at: SocketAddr, how: Framing) -> Result<String> {
    let mut stream = connect(at)?;
    let mut all = Vec::new();
    for name in NAMES.iter().chain([&greeting::EXIT]) {
        framing::write(&mut all, how, name)?;
    }
    stream.write_all(&all)?;
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard)?;
    Ok(common::narration::escape(&heard))
}

fn predicted(how: Framing) -> Result<String> {
    let mut all = Vec::new();
    framing::write(&mut all, how, greeting::WELCOME)?;
    for name in NAMES {
        framing::write(&mut all, how, &greeting::of(name))?;
    }
    Ok(common::narration::escape(&all))
}

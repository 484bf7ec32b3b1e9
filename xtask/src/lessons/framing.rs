//! Where a message ends: raw, line and length framing on a wire that cuts messages and joins them.

use anyhow::Result;
use common::framing::Framing;
use common::greeting;

use super::{Lesson, TCP, claim};
use crate::checks::Ended;
use crate::peers::tcp_peer::{TcpPeer, framed};
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
const CUTS: [usize; 4] = [1, 2, DRAWN, 1024];
/// The cut that is drawn.
const DRAWN: usize = 7;

fn play(play: &mut Play) -> Result<()> {
    let prediction = play.predict(
        "tcp-server runs with --framing raw: it reads as the notes' server does. One write sends 'Alexander', and a \
         relay passes on seven bytes at a time. Which name does the server greet first?",
        "tcp-server 用 --framing raw 运行，读法和笔记的服务器一样。一次写入“Alexander”，中继每次只转七个字节。\
         服务器最先问候谁？",
        &[
            ("Alexander: it was one write", "Alexander：它是一次写入的"),
            ("Alexand", "Alexand"),
            ("none, until the rest has arrived", "其余部分到达之前，谁也不问候"),
        ],
        "a read returns what has arrived, and nothing in it says that the name is incomplete.",
        "读取返回已经到达的数据，其中没有任何东西说明名字还没完。",
    )?;
    play.act(&Words::fixed(
        "raw, the notes' way: one read is one message. The name is cut into pieces of 1, 2, 7 or 1024 bytes; drawn: 7.",
        "raw，即笔记的做法：一次读取就是一条消息。名字每 1、2、7、1024 字节切一段；只画出 7 的情形。",
    ))?;
    let (_raw, at) = play.server("tcp-server", &["--delay", "0", "--quiet", "--framing", "raw"])?;
    let (mut found, mut expected) = (Vec::new(), Vec::new());
    for size in CUTS {
        let label = label_of(play, size);
        let wire = play.lab.wire(&label, at, RelayMode::InLockstep(size))?.to_string();
        let outcome = play.run(&label, "tcp-client", &["greet", &wire, NAME, "--framing", "raw"])?;
        let heard = &NAME[..size.min(NAME.len())];
        // Only the first greeting is certain: the next may be joined to it, or arrive too late to be read.
        let greeting = format!("Hello, {heard}!");
        let first = outcome.said.get(1).map(|line| line[..line.len().min(greeting.len())].to_owned());
        found.push((Ended::from(&outcome), first));
        expected.push((Ended::with(i32::from(heard != NAME)), Some(greeting)));
    }
    let promise = Words::fixed(
        "raw, cut at 1, 2, 7, 1024: 'A', 'Al', 'Alexand' and 'Alexander' are greeted first",
        "raw，每 1、2、7、1024 字节切一段：最先问候的是“A”、“Al”、“Alexand”、“Alexander”",
    );
    play.reveal(prediction, (found[2] == expected[2]).then_some(2));
    play.checks.equal(promise, &found, &expected);
    play.lab.clear()?; // the reset of a client that gave up belongs to this act

    with_a_mark(play)
}

/// The label of a cut; all but one are not drawn.
fn label_of(play: &Play, size: usize) -> String {
    if size == DRAWN {
        return String::new();
    }
    let label = size.to_string();
    play.story.hide(&label);
    label
}

/// A line feed or a length marks where each message ends.
fn with_a_mark(play: &mut Play) -> Result<()> {
    for (how, name) in [(Framing::Line, "line"), (Framing::Length, "length")] {
        let (mark, mark_zh) = match how {
            Framing::Length => ("each message after its length", "消息前面写明长度"),
            _ => ("a line feed ends each message", "换行符标明消息结尾"),
        };
        play.act(&words!(
            "{name}: {mark}. A name and 'exit' in one write, cut in the same ways.",
            "{name}：{mark_zh}。一次写入一个名字和 exit，切法同上。"
        ))?;
        let (_server, at) = play.server("tcp-server", &["--delay", "0", "--quiet", "--framing", name])?;
        let framed = |messages: [&[u8]; 2]| messages.map(|message| framed(how, message)).concat();
        let expected = framed([greeting::WELCOME, &greeting::of(NAME.as_bytes())]);
        let mut heard = Vec::new();
        for size in CUTS {
            let label = label_of(play, size);
            let mut client = TcpPeer::connected(play.lab.wire(&label, at, RelayMode::Cut(size))?)?;
            client.sends(framed([NAME.as_bytes(), greeting::EXIT]));
            heard.push(client.hears_out()?);
        }
        let promise = words!(
            "{name}, cut at 1, 2, 7, 1024: '{NAME}' is greeted, and 'exit' is recognized",
            "{name}，每 1、2、7、1024 字节切一段：“{NAME}”得到问候，exit 也被识别"
        );
        play.checks.equal(
            promise,
            &heard,
            &vec![String::from_utf8_lossy(&expected).into_owned(); CUTS.len()],
        );
    }
    Ok(())
}

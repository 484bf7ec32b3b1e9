//! Where a message ends: raw, line and length framing on a wire that cuts messages and joins them.

use common::framing::Framing;

use super::prelude::*;
use crate::peers::talk::Talk;
use crate::peers::tcp_peer::framed;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "framing", subject_zh: "消息边界", lanes: TCP, play,
    claims: &[claim("C7",
        "A stream has no message boundaries: a program has to mark where each message ends.",
        "字节流没有消息边界（所谓“粘包”）：要传递消息，就必须标明消息在何处结束。")],
};

const NAME: &str = "Alexander";
/// Sizes of the pieces, and their labels; the ones that have a label are not drawn.
const CUTS: [(usize, &str); 4] = [(1, "1"), (2, "2"), (7, ""), (1024, "1024")];

fn play(play: &mut Play) -> Result<()> {
    play.predict(
        "--framing raw reads as the notes' server does. 1, 2, 7 or all 9 bytes of 'Alexander' arrive; drawn: 7.",
        "--framing raw 的读法和笔记的服务器一样。“Alexander”只到达前 1、2、7 或全部 9 字节；只画出 7 的情形。",
        ("Seven bytes have arrived: whom does it greet?", "到了七个字节：它问候谁？"),
        &[
            ("nobody: it waits for the rest", "谁也不问候：等其余部分"),
            ("Alexand", "Alexand"),
            ("nobody: it reports an error", "谁也不问候：报错"),
        ],
        "a read returns what has arrived, and nothing in it says that the name is incomplete.",
        "读取返回已经到达的数据，其中没有任何东西说明名字还没完。",
    )?;
    CUTS.iter().filter(|(_, label)| !label.is_empty()).for_each(|(_, label)| play.story.hide(label));
    let (_raw, at) = play.server("tcp-server", &["--delay", "0", "--quiet", "--framing", "raw"])?;
    let mut found = Vec::new();
    for (size, label) in CUTS {
        let talk = Talk { framing: Framing::Raw, ..Talk::default() };
        let mut client = TcpPeer::connect(play.lab.wire(label, at, RelayMode::AsItComes)?, talk)?;
        client.hears(greeting::WELCOME)?;
        client.sends(&NAME[..size.min(NAME.len())]);
        found.push(escape(client.came_within(STUCK)));
    }
    let expected = ["Hello, A!", "Hello, Al!", "Hello, Alexand!", "Hello, Alexander!"].map(str::to_owned);
    let promise = words!(
        "raw, after 1, 2, 7 and 9 bytes: 'A', 'Al', 'Alexand' and 'Alexander' are greeted",
        "raw，到达 1、2、7、9 字节之后：分别问候“A”、“Al”、“Alexand”、“Alexander”"
    );
    play.reveal((found[2] == expected[2]).then_some(2));
    play.checks.equal(promise, &found, &expected.to_vec());

    for (how, name, mark, mark_zh) in [
        (Framing::Line, "line", "a line feed ends each message", "换行符标明消息结尾"),
        (Framing::Length, "length", "each message after its length", "消息前面写明长度"),
    ] {
        play.act(&words!(
            "{name}: {mark}. A name and 'exit' in one write, cut into pieces of 1, 2, 7 or 1024 bytes; drawn: 7.",
            "{name}：{mark_zh}。一次写入一个名字和 exit，每 1、2、7、1024 字节切一段；只画出 7 的情形。"
        ))?;
        let (_server, at) = play.server("tcp-server", &["--delay", "0", "--quiet", "--framing", name])?;
        let framed = |messages: [&[u8]; 2]| messages.map(|message| framed(how, message)).concat();
        let expected = framed([greeting::WELCOME, &greeting::of(NAME.as_bytes())]);
        let mut heard = Vec::new();
        for (size, label) in CUTS {
            let mut client = TcpPeer::connected(play.lab.wire(label, at, RelayMode::Cut(size))?)?;
            client.sends(framed([NAME.as_bytes(), greeting::EXIT]));
            heard.push(client.hears_out()?);
        }
        let promise = words!(
            "{name}, cut at 1, 2, 7, 1024: '{NAME}' is greeted, and 'exit' is recognized",
            "{name}，每 1、2、7、1024 字节切一段：“{NAME}”得到问候，exit 也被识别"
        );
        let expected = String::from_utf8_lossy(&expected).into_owned();
        play.checks.equal(promise, &heard, &vec![expected; CUTS.len()]);
    }
    Ok(())
}

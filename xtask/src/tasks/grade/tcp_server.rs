//! The stages of a TCP server: what it does when it is alone with one client, with many, and with careless ones.

use super::ending::goes_on_hint;
use super::stage::Act::{Does, Plays};
use super::stage::{Halt, Played, Stage};
use super::starting::{starts, stays};
use super::tcp_server_hints as hints;
use super::tcp_server_words::welcome_hint;
use super::trial::Trial;
use crate::peers::script::Step;
use crate::peers::scripts::tcp_server as scripts;
use crate::wire::event::Side;
use crate::words::Words;

/// In the order in which a server is built.
pub static STAGES: [Stage; 15] = [
    Stage {
        name: "listens",
        promise: ("C8", Words::fixed("binds and listens where it is told to", "在给定的地址和端口上监听")),
        acts: &[Does(starts), Does(stays)],
        hint: |_| None,
    },
    Stage {
        name: "welcome",
        promise: ("C8", Words::fixed("says Welcome! to whoever connects", "对每个连上的客户端说 Welcome!")),
        acts: &[Does(starts), Plays(scripts::WELCOMES)],
        hint: welcome_hint,
    },
    Stage {
        name: "greets",
        promise: (
            "C8",
            Words::fixed("answers Michael with Hello, Michael!", "收到 Michael，回复 Hello, Michael!"),
        ),
        acts: &[Does(starts), Plays(scripts::GREETS)],
        hint: hints::greets,
    },
    Stage {
        name: "again",
        promise: ("C8", Words::fixed("answers three names, one after the other", "依次回答三个名字")),
        acts: &[Does(starts), Plays(scripts::AGAIN)],
        hint: hints::again,
    },
    Stage {
        name: "exit",
        promise: (
            "C13",
            Words::fixed(
                "closes the connection on exit, that one alone, with an end and no reset",
                "收到 exit 就关闭这个连接，只关这一个；是正常结束，不是复位",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::EXITS)],
        hint: hints::exit,
    },
    Stage {
        name: "leaves",
        promise: (
            "C3",
            Words::fixed(
                "lets go clients that leave, without a word or in mid-word, and answers no end",
                "客户端一言不发或话说到一半就离开，照常收场，看到流结束就不再回答",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::LEAVES)],
        hint: hints::leaves,
    },
    Stage {
        name: "crowd",
        promise: (
            "C9",
            Words::fixed(
                "serves three clients at once, whoever of them speaks first",
                "同时服务三个客户端，谁先说话都行",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::CROWD)],
        hint: hints::crowd,
    },
    Stage {
        name: "glued",
        promise: (
            "M1",
            Words::fixed(
                "obeys both when Michael and exit come in one segment",
                "Michael 和 exit 在同一个报文段里到达，两条都照办",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::GLUED)],
        hint: hints::glued,
    },
    Stage {
        name: "cut",
        promise: (
            "M9",
            Words::fixed(
                "waits for a name that comes byte by byte, a character cut in two",
                "名字一个字节一个字节地到达、一个字符被拆开，也等到收齐",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::CUT)],
        hint: hints::cut,
    },
    Stage {
        name: "bytes",
        promise: (
            "M13",
            Words::fixed(
                "gives back every name as it came: not UTF-8, blanks, an empty one",
                "名字原样返回：不是 UTF-8 的、全是空格的、空的",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::BYTES)],
        hint: hints::bytes,
    },
    Stage {
        name: "long",
        promise: (
            "C3",
            Words::fixed(
                "takes a name of 1024 bytes; one byte more is answered or refused, and it lives",
                "接受 1024 字节的名字；再多一个字节，回答或拒绝都行，服务器不能因此崩溃",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::LONG)],
        hint: hints::long,
    },
    Stage {
        name: "half-close",
        promise: (
            "C11",
            Words::fixed(
                "still answers a client that ends its own half behind a name",
                "客户端说完名字就关闭自己的写端，仍然收到回复",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::HALF_CLOSE)],
        hint: hints::half_close,
    },
    Stage {
        name: "reset",
        promise: (
            "M8",
            Words::fixed(
                "goes on for the others when one client resets its connection",
                "一个客户端复位了连接，其他客户端照常得到服务",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::RESETS)],
        hint: hints::reset,
    },
    Stage {
        name: "stops",
        promise: (
            "-",
            Words::fixed(
                "ends within 5 s of Ctrl-C with a client connected, who sees an end",
                "有客户端连着时按 Ctrl-C，5 秒内结束，客户端看到流结束",
            ),
        ),
        acts: &[Does(starts), Plays(&[Step::Enters(1)]), Does(stops)],
        hint: hints::stops,
    },
    Stage {
        name: "restart",
        promise: ("-", Words::fixed("starts again at once on the same port", "立刻在同一端口上再次启动")),
        acts: &[Does(starts), Plays(&[Step::Enters(1)]), Does(restarts), Plays(&[Step::Enters(2)])],
        hint: |_| None,
    },
];

fn stops(trial: &mut Trial<'_>) -> Played {
    if trial.ends_at_an_interrupt()? {
        return trial.plays(&[Step::HearsTheEnd(1)]);
    }
    let expected = Words::fixed("it ends, with a client connected", "有客户端连着，它也结束");
    trial.plays(&[Step::Leaves(1)])?;
    if trial.program()?.wait_for_end(trial.terms.patience.silence())?.is_some() {
        let came = Words::fixed("it ended once its client had left", "客户端离开之后它才结束");
        return Err(Halt::broken(expected, came, hints::is_held()));
    }
    let next = Step::Enters(2);
    if trial.tries(|cast, met| cast.plays(&[next], met)).is_ok() {
        let came =
            Words::fixed("it goes on, and has welcomed another client", "它照常运行，还欢迎了新的客户端");
        return Err(Halt::broken(expected, came, goes_on_hint()));
    }
    let came = Words::fixed("it still runs, and serves nobody", "它还在运行，但不再服务任何人");
    Err(Halt::not_decided(expected, came, hints::is_ending()))
}

fn restarts(trial: &mut Trial<'_>) -> Played {
    trial.remarks(Side::Server, &Words::fixed("(killed, and started again)", "（强行终止，再次启动）"));
    trial.candidate = None;
    // The side that ends first keeps the connection in TIME_WAIT: here, the server's.
    let _ = trial.cast.tcp(1)?.hears_the_end();
    trial.plays(&[Step::Leaves(1)])?;
    trial.spawn()?;
    trial.expect_ready(trial.wait_until_ready()?)
}

//! The stages of a TCP client: it greets Michael, Tracy and Sarah, prints what comes back, says exit.

use std::thread;
use std::time::Duration;

use common::greeting;

use super::client::{NAMES, broken, has_printed_greetings, said_hint};
use super::trial::{Hint, Played, Seen, Stage, Trial, hint};
use crate::peers::caller::{How, framed};
use crate::words::Words;

/// In the order in which a client is built.
pub static STAGES: [Stage; 8] = [
    Stage {
        name: "greets",
        promise: (
            "C3",
            Words::fixed(
                "says Michael, Tracy and Sarah, prints each greeting, and ends with status 0",
                "依次说 Michael、Tracy、Sarah，打印每个回复，以状态 0 结束",
            ),
        ),
        play: |trial| converse(trial, Duration::ZERO),
        hint: said_hint,
    },
    Stage {
        name: "glued",
        promise: (
            "M1",
            Words::fixed(
                "takes two messages out of one segment: the welcome and a greeting",
                "欢迎和问候在同一个报文段里到达，也分成两条消息",
            ),
        ),
        play: glued,
        hint: glued_hint,
    },
    Stage {
        name: "cut",
        promise: (
            "M1",
            Words::fixed(
                "waits for a greeting that comes byte by byte",
                "问候一个字节一个字节地到达，也等到收齐",
            ),
        ),
        play: cut,
        hint: said_hint,
    },
    Stage {
        name: "slow",
        promise: (
            "C3",
            Words::fixed("waits for a server that thinks for a second", "服务器想一秒钟才回答，也耐心等待"),
        ),
        play: |trial| converse(trial, Duration::from_secs(1)),
        hint: slow_hint,
    },
    Stage {
        name: "exit",
        promise: (
            "C20",
            Words::fixed(
                "says exit, and waits for the server's end before it ends",
                "说 exit，等服务器关闭之后才结束",
            ),
        ),
        play: exit,
        hint: said_hint,
    },
    Stage {
        name: "early",
        promise: (
            "C20",
            Words::fixed(
                "fails with a message and a status that is not 0 when the server closes too early",
                "服务器提前关闭时，打印出错信息，并以非 0 状态结束",
            ),
        ),
        play: early,
        hint: said_hint,
    },
    Stage {
        name: "silent",
        promise: (
            "M12",
            Words::fixed(
                "ends by itself within 30 s when the server says nothing",
                "服务器什么也不说时，30 秒内自己结束",
            ),
        ),
        play: |trial| {
            trial.hosts()?;
            trial.fails_and_says_so(timeout_hint(), failure_hint()).map(|_| ())
        },
        hint: said_hint,
    },
    Stage {
        name: "nobody",
        promise: (
            "C1",
            Words::fixed(
                "fails with a message and a status that is not 0 when nobody listens",
                "没有人监听时，打印出错信息，并以非 0 状态结束",
            ),
        ),
        play: |trial| {
            trial.nobody(true)?;
            trial.fails_and_says_so(timeout_hint(), failure_hint()).map(|_| ())
        },
        hint: said_hint,
    },
];

/// The whole conversation; the server pauses before its welcome and its first greeting.
fn converse(trial: &mut Trial<'_>, pause: Duration) -> Played {
    let one = trial.hosts()?;
    thread::sleep(pause);
    trial.says(one, &[greeting::WELCOME])?;
    for (number, name) in NAMES.iter().enumerate() {
        trial.host_hears(one, name)?;
        thread::sleep(if number == 0 { pause } else { Duration::ZERO });
        trial.says(one, &[&greeting::of(name)])?;
    }
    farewell(trial, one)
}

/// From `exit` to the client's end.
fn farewell(trial: &mut Trial<'_>, one: usize) -> Played {
    trial.host_hears(one, greeting::EXIT)?;
    trial.caller(one)?.ends();
    let outcome = trial.ends_well()?;
    has_printed_greetings(&outcome)
}

fn glued(trial: &mut Trial<'_>) -> Played {
    trial.needs_boundary()?;
    let one = trial.hosts()?;
    trial.says(one, &[greeting::WELCOME, &greeting::of(NAMES[0])])?;
    trial.host_hears(one, NAMES[0])?;
    match trial.caller(one)?.hears(NAMES[1]) {
        Ok(()) => {}
        Err(found) if found.how == How::Silent => {
            // One that waits for what it has already goes on with the next greeting.
            trial.says(one, &[&greeting::of(NAMES[1])])?;
            if trial.caller(one)?.hears(NAMES[1]).is_ok() {
                let expected = Words::fixed(
                    "it says Tracy: Michael's greeting has come",
                    "它说 Tracy：给 Michael 的问候已经到了",
                );
                let came = Words::fixed(
                    "it waited on, and went on with the next message",
                    "它还在等，来了下一条消息才继续",
                );
                return broken(expected, came, one_recv_hint());
            }
            return Err(trial.flaw(Some(one), Some(NAMES[1]), &found, None));
        }
        Err(found) => return Err(trial.flaw(Some(one), Some(NAMES[1]), &found, None)),
    }
    trial.says(one, &[&greeting::of(NAMES[1])])?;
    trial.host_hears(one, NAMES[2])?;
    trial.says(one, &[&greeting::of(NAMES[2])])?;
    farewell(trial, one)
}

fn cut(trial: &mut Trial<'_>) -> Played {
    trial.needs_boundary()?;
    let one = trial.hosts()?;
    let framing = trial.terms.framing;
    let expected = Words::fixed("it waits until the message is whole", "它等到一条消息收齐");
    let came = Words::fixed("it went on before the last byte had come", "最后一个字节还没来，它就继续了");
    trial.says(one, &[greeting::WELCOME])?;
    trial.host_hears(one, NAMES[0])?;
    if trial.says_in_bytes(one, &framed(framing, &greeting::of(NAMES[0])))? {
        return broken(expected, came, one_recv_hint());
    }
    for name in &NAMES[1..] {
        trial.host_hears(one, name)?;
        trial.says(one, &[&greeting::of(name)])?;
    }
    farewell(trial, one)
}

fn glued_hint(seen: &Seen<'_>) -> Option<Hint> {
    // It has been greeted already, and has not seen it.
    if seen.expected == Some(NAMES[1]) { one_recv_hint() } else { said_hint(seen) }
}

fn slow_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.is_gone || matches!(seen.how, How::Ended | How::Reset) {
        return hint(
            "M10",
            "A server may think: the client's time-out has to be longer than that.",
            "服务器可能要想一会儿：客户端的超时应当更长。",
        );
    }
    said_hint(seen)
}

fn one_recv_hint() -> Option<Hint> {
    hint(
        "M1",
        "One recv was taken for one message. Keep what came in a buffer, and cut it where a message ends.",
        "把一次 recv 当成了一条消息。应把收到的放进缓冲区，按消息的结尾切开。",
    )
}

fn exit(trial: &mut Trial<'_>) -> Played {
    /// For a client that leaves at once to be seen leaving.
    const MOMENT: Duration = Duration::from_millis(300);
    let one = trial.hosts()?;
    trial.says(one, &[greeting::WELCOME])?;
    for name in NAMES {
        trial.host_hears(one, name)?;
        trial.says(one, &[&greeting::of(name)])?;
    }
    trial.host_hears(one, greeting::EXIT)?;
    trial.settles()?;
    if trial.program()?.wait_for_end(MOMENT)?.is_some() {
        let expected = Words::fixed("it waits for the end of the stream", "它等待流结束");
        let came = Words::fixed("it ended first, with the connection open", "连接还开着，它就先结束了");
        let told = hint(
            "C20",
            "After exit, recv once more: it returns nothing once the server has closed. Only then is it over.",
            "说完 exit 再 recv 一次：服务器关闭之后它返回空，那时才算结束。",
        );
        return broken(expected, came, told);
    }
    trial.caller(one)?.ends();
    trial.ends_well().map(|_| ())
}

fn early(trial: &mut Trial<'_>) -> Played {
    let one = trial.hosts()?;
    trial.says(one, &[greeting::WELCOME])?;
    trial.host_hears(one, NAMES[0])?;
    trial.caller(one)?.ends();
    let told = hint(
        "C3",
        "recv that returns nothing is the end: where a greeting should come, that is a failure to be said, and\n\
         the status of a failure is not 0.",
        "recv 返回空就是流结束：本该有回复的地方，这就是失败，要说出来，状态也不能是 0。",
    );
    trial.fails_and_says_so(told.clone(), told).map(|_| ())
}

/// A wait without a limit.
pub fn timeout_hint() -> Option<Hint> {
    hint(
        "M12",
        "It waits for ever: give the socket a time-out, and say so when it is over (status not 0).",
        "它会永远等下去：给套接字设超时，超时后说明原因（状态不为 0）。",
    )
}

/// A failure that is none to see.
pub fn failure_hint() -> Option<Hint> {
    hint(
        "C1",
        "That nobody answers is a failure: say it, and end with a status that is not 0.",
        "没有人应答就是失败：要说出来，并以不为 0 的状态结束。",
    )
}

//! The stages of a TCP client: it greets Michael, Tracy and Sarah, prints what comes back, says exit.

use std::time::Duration;

use common::greeting;

use super::ending::{failure_hint, printed_hint};
use super::hints;
use super::stage::Act::{Does, Plays};
use super::stage::{Evidence, Halt, Hint, Played, Stage, hint};
use super::starting::{hosts, sends_to_nobody};
use super::trial::Trial;
use crate::peers::script::How;
use crate::peers::script::Step;
use crate::peers::scripts::{THE_OTHERS, tcp_client as scripts};
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
        acts: &[Does(hosts), Plays(scripts::GREETS), Plays(THE_OTHERS), Plays(scripts::EXITS), Does(ends)],
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
        acts: &[Does(hosts), Plays(scripts::GLUED), Plays(scripts::EXITS), Does(ends)],
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
        acts: &[Does(hosts), Plays(scripts::CUT), Plays(THE_OTHERS), Plays(scripts::EXITS), Does(ends)],
        hint: cut_hint,
    },
    Stage {
        name: "slow",
        promise: (
            "C3",
            Words::fixed("waits for a server that thinks for a second", "服务器想一秒钟才回答，也耐心等待"),
        ),
        acts: &[Does(hosts), Plays(scripts::SLOW), Plays(THE_OTHERS), Plays(scripts::EXITS), Does(ends)],
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
        acts: &[
            Does(hosts),
            Plays(scripts::GREETS),
            Plays(THE_OTHERS),
            Plays(scripts::EXITS),
            Does(waits_for_the_end),
        ],
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
        acts: &[
            Does(hosts),
            Plays(scripts::EARLY),
            Does(|trial| trial.fails_and_says_so(early_hint(), early_hint()).map(|_| ())),
        ],
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
        acts: &[Does(hosts), Does(|trial| fails(trial, timeout_hint()))],
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
        acts: &[Does(sends_to_nobody), Does(|trial| fails(trial, timeout_hint()))],
        hint: said_hint,
    },
];

/// The server closes behind exit, and so the client ends.
fn ends(trial: &mut Trial<'_>) -> Played {
    trial.plays(&[Step::SaysNoMore(1)])?;
    trial.has_printed_greetings(printed_hint("C8"))
}

/// As [`ends`], and not before the server closes.
fn waits_for_the_end(trial: &mut Trial<'_>) -> Played {
    /// For a client that leaves at once to be seen leaving.
    const MOMENT: Duration = Duration::from_millis(1500);
    trial.tries(|_, met| met.rests());
    if trial.program()?.wait_for_end(MOMENT)?.is_some() {
        let expected = Words::fixed("it waits for the end of the stream", "它等待流结束");
        let came = Words::fixed("it ended first, with the connection open", "连接还开着，它就先结束了");
        return Err(Halt::broken(expected, came, end_hint()));
    }
    trial.plays(&[Step::SaysNoMore(1)])?;
    trial.ends_well().map(|_| ())
}

fn fails(trial: &mut Trial<'_>, if_not: Option<Hint>) -> Played {
    trial.fails_and_says_so(if_not, failure_hint()).map(|_| ())
}

fn glued_hint(seen: &Evidence<'_>) -> Option<Hint> {
    // It has been greeted already, and has not seen it.
    if seen.expected == Some(b"Tracy") { hints::one_recv() } else { said_hint(seen) }
}

fn cut_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.how == How::WentOn { hints::one_recv() } else { said_hint(seen) }
}

fn slow_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.is_gone || matches!(seen.how, How::Ended | How::Reset) {
        return hint(
            "M10",
            "A server may think: the client's time-out has to be longer than that.",
            "服务器可能要想一会儿：客户端的超时应当更长。",
        );
    }
    said_hint(seen)
}

fn end_hint() -> Option<Hint> {
    hint(
        "C20",
        "After exit, recv once more: it returns nothing once the server has closed. Only then is it over.",
        "说完 exit 再 recv 一次：服务器关闭之后它返回空，那时才算结束。",
    )
}

fn early_hint() -> Option<Hint> {
    hint(
        "C3",
        "recv that returns nothing is the end: where a greeting should come, that is a failure to be said, and the \
         status of a failure is not 0.",
        "recv 返回空就是流结束：本该有回复的地方，这就是失败，要说出来，状态也不能是 0。",
    )
}

/// A wait without a limit.
fn timeout_hint() -> Option<Hint> {
    hint(
        "M12",
        "It waits for ever, or for too long: give the socket a time-out, and say so when it is over (status not 0).",
        "它会永远等下去，或者等得太久：给套接字设超时，超时后说明原因（状态不为 0）。",
    )
}

/// Why a client may not have said what it should.
fn said_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.how == How::WentOn || (seen.how == How::Other && seen.has(b"Michael") && seen.has(b"Tracy")) {
        return hint(
            "C7",
            "The names are not waited for: each goes out when the greeting of the one before has come, with what its \
             framing adds.",
            "名字一口气发了出去：上一个的回复到了才发下一个，并加上所选的边界标记。",
        );
    }
    let is_unended =
        seen.expected.is_some_and(|expected| !expected.is_empty() && seen.bytes.starts_with(expected));
    if seen.expected == Some(greeting::EXIT) && !is_unended && seen.bytes.is_empty() {
        return hint(
            "C13",
            "Say exit behind the last name, and read until the end.",
            "最后一个名字之后还要说 exit，再读到流结束。",
        );
    }
    if seen.is_gone && !is_unended && !seen.last_words.is_empty() {
        return hints::ended_in_the_middle("C1");
    }
    match seen.how {
        How::Silent if seen.tables.unread > 0 => hint(
            "C3",
            "What the server said has come, and is not read: recv comes before the next send.",
            "服务器的话已经到了，还没有读取：下一次 send 之前要先 recv。",
        ),
        How::Silent if !is_unended && seen.expected == Some(b"Michael") => hint(
            "C7",
            "A guess: it says nothing yet - Michael comes first; or what it says sits in a buffer: flush it; or it waits \
             for more than has come: read until the welcome's end, and no further.",
            "猜测：它还什么都没说（首先是 Michael）；或者说的话留在缓冲区里：要 flush；或者它等的比来的多：读到欢迎的结尾为止，不要再等。",
        ),
        How::Silent if !is_unended => hint(
            "C7",
            "A guess: it waits for more than has come - for a message, read until its end and no further.",
            "猜测：它等的比来的多：一条消息读到它的结尾为止，不要再等。",
        ),
        How::Ended | How::Reset if !is_unended => hint(
            "C20",
            "It leaves before it is done: the names are Michael, Tracy, Sarah, and then exit.",
            "它没做完就离开了：名字依次是 Michael、Tracy、Sarah，最后是 exit。",
        ),
        How::Other if seen.has(b"exit") => hint(
            "C13",
            "exit comes last: the names are Michael, Tracy, Sarah.",
            "exit 最后才说：名字依次是 Michael、Tracy、Sarah。",
        ),
        _ => hint(
            "C7",
            "A message is the name, and what its framing adds: a line feed with line, four bytes before it with \
             length, nothing with raw.",
            "一条消息就是名字，加上所选的边界标记：line 末尾一个换行符，length 前面 4 个字节，raw 什么也不加。",
        ),
    }
}

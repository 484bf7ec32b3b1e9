//! The stages of a UDP client: each name is a datagram, and its reply may be lost, late, doubled or a stranger's.

use super::ending::{failure_hint, not_text_hint, printed_hint};
use super::hints;
use super::stage::Act::{Does, Plays};
use super::stage::{Evidence, Hint, Played, Stage, hint, is_about_text};
use super::starting::{hosts_datagrams as hosts, sends_to_nobody};
use super::trial::Trial;
use crate::peers::script::How;
use crate::peers::scripts::{THE_OTHERS, udp_client as scripts};
use crate::words::Words;

/// In the order in which a client is built.
pub static STAGES: [Stage; 8] = [
    Stage {
        name: "greets",
        promise: (
            "C12",
            Words::fixed(
                "sends Michael, Tracy and Sarah, prints each greeting, and ends with status 0",
                "依次发送 Michael、Tracy、Sarah，打印每个回复，以状态 0 结束",
            ),
        ),
        acts: &[
            Does(hosts),
            Plays(scripts::GREETS),
            Plays(THE_OTHERS),
            Does(|trial| trial.has_printed_greetings(printed_hint("C12"))),
        ],
        hint: asked_hint,
    },
    Stage {
        name: "lost",
        promise: ("M4", Words::fixed("asks again when a reply is lost", "回复丢失，就再问一次")),
        acts: &[
            Does(hosts),
            Plays(scripts::LOST),
            Plays(THE_OTHERS),
            Does(|trial| trial.has_printed_greetings(printed_hint("C12"))),
        ],
        hint: lost_hint,
    },
    Stage {
        name: "late",
        promise: (
            "M5",
            Words::fixed(
                "does not take a late reply for the next name's",
                "不把迟到的回复当成下一个名字的回复",
            ),
        ),
        acts: &[Does(hosts), Plays(scripts::LATE), Does(|trial| trial.has_printed_greetings(late_hint()))],
        hint: believed_hint,
    },
    Stage {
        name: "twice",
        promise: ("M5", Words::fixed("copes with replies that come twice", "回复来了两份，也不出错")),
        acts: &[Does(hosts), Plays(scripts::TWICE), Does(|trial| trial.has_printed_greetings(late_hint()))],
        hint: believed_hint,
    },
    Stage {
        name: "stranger",
        promise: (
            "M6",
            Words::fixed(
                "does not believe another socket, whatever it says",
                "别的套接字发来的，说什么都不信",
            ),
        ),
        acts: &[
            Does(hosts),
            Plays(scripts::STRANGER),
            Plays(THE_OTHERS),
            Does(|trial| trial.has_printed_greetings(stranger_hint())),
        ],
        hint: believed_a_stranger_hint,
    },
    Stage {
        name: "bytes",
        promise: (
            "M13",
            Words::fixed("survives a datagram that is not UTF-8", "收到不是 UTF-8 的数据报，也不崩溃"),
        ),
        acts: &[
            Does(hosts),
            Plays(scripts::BYTES),
            Plays(THE_OTHERS),
            Does(|trial| trial.has_printed_greetings(printed_hint("C12"))),
        ],
        hint: believed_hint,
    },
    Stage {
        name: "silent",
        promise: (
            "M4",
            Words::fixed(
                "ends by itself within 30 s, with a message and a status that is not 0, when nobody answers",
                "没有人回答时，30 秒内自己结束，给出消息，状态不为 0",
            ),
        ),
        acts: &[Does(hosts), Does(fails)],
        hint: asked_hint,
    },
    Stage {
        name: "nobody",
        promise: (
            "M4",
            Words::fixed("does so when no socket has that port, too", "没有套接字使用那个端口时，也是如此"),
        ),
        acts: &[Does(sends_to_nobody), Does(fails)],
        hint: asked_hint,
    },
];

fn fails(trial: &mut Trial<'_>) -> Played {
    trial.fails_and_says_so(blocked_hint(), failure_hint()).map(|_| ())
}

/// Why a client may not have asked for what it should.
fn asked_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.is_gone && is_about_text(seen.last_words) {
        return not_text_hint();
    }
    match seen.how {
        How::Other => hint(
            "C7",
            "A datagram is the name and nothing else: no line feed, no zero byte goes with it.",
            "一个数据报就是名字，别的什么也没有：不带换行符，也不带零字节。",
        ),
        How::WentOn => hint(
            "C12",
            "The names are not waited for: each is sent when the greeting of the one before has come.",
            "名字一口气发了出去：上一个的回复到了才发下一个。",
        ),
        How::Ended => ended_hint(seen),
        _ => blocked_hint(),
    }
}

/// It has not asked again.
fn lost_hint(seen: &Evidence<'_>) -> Option<Hint> {
    let has_gone_on = seen.how == How::Other && seen.bytes == b"Tracy";
    if seen.how == How::Ended || has_gone_on { blocked_hint() } else { asked_hint(seen) }
}

/// It may have believed what it should not have.
fn believed_hint(seen: &Evidence<'_>) -> Option<Hint> {
    match seen.how {
        How::WentOn => late_hint(),
        How::Ended if !is_about_text(seen.last_words) => late_hint(),
        _ => asked_hint(seen),
    }
}

/// It may have believed whoever spoke.
fn believed_a_stranger_hint(seen: &Evidence<'_>) -> Option<Hint> {
    match seen.how {
        How::WentOn | How::Ended => stranger_hint(),
        _ => asked_hint(seen),
    }
}

/// Why it may have ended before it had asked for everything.
fn ended_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.last_words.is_empty() {
        return hint(
            "C12",
            "It came to the end of its code too early: the names are Michael, Tracy and Sarah, each a datagram.",
            "程序过早运行到代码末尾：名字依次是 Michael、Tracy、Sarah，各发一个数据报。",
        );
    }
    hints::ended_in_the_middle("C12")
}

fn blocked_hint() -> Option<Hint> {
    hint(
        "M4",
        "A datagram may be lost, and recv without a time-out then waits for ever: give it one, and ask again \
         when it is over, a few times; then say that nobody answers.",
        "数据报可能丢失，没有超时的 recv 会永远等下去：设一个超时，到时就再问，问几次仍没有回复，就说明没有人回答。",
    )
}

fn late_hint() -> Option<Hint> {
    hint(
        "M5",
        "Whatever came next was taken for the reply: take only the greeting for the name that was asked, and \
         wait on.",
        "下一个来的就被当成了回复：只接受所问名字的问候，其余的忽略，继续等。",
    )
}

fn stranger_hint() -> Option<Hint> {
    hint(
        "M6",
        "Whoever sends to its port is believed: connect the UDP socket, or compare the sender's address.",
        "谁往它的端口发都信：应当 connect 这个 UDP 套接字，或者比较发送者的地址。",
    )
}

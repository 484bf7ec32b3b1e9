//! The stages of a UDP server: every datagram stands alone, and is answered to whoever sent it.

use super::ending::goes_on_hint;
use super::hints;
use super::stage::Act::{Does, Plays};
use super::stage::{Evidence, Halt, Hint, Played, Stage, hint, is_about_text};
use super::starting::{starts, stays};
use super::trial::Trial;
use crate::peers::script::{How, Step};
use crate::peers::scripts::udp_server as scripts;
use crate::words::Words;

/// In the order in which a server is built.
pub static STAGES: [Stage; 10] = [
    Stage {
        name: "binds",
        promise: ("C12", Words::fixed("is bound where it is told to be", "绑定到给定的地址和端口")),
        acts: &[Does(starts), Does(stays)],
        hint: |_| None,
    },
    Stage {
        name: "greets",
        promise: (
            "C12",
            Words::fixed("answers Michael with Hello, Michael!", "收到 Michael，回复 Hello, Michael!"),
        ),
        acts: &[Does(starts), Plays(scripts::GREETS)],
        hint: answer_hint,
    },
    Stage {
        name: "again",
        promise: ("C12", Words::fixed("answers three names, one after the other", "依次回答三个名字")),
        acts: &[Does(starts), Plays(scripts::AGAIN)],
        hint: again_hint,
    },
    Stage {
        name: "clients",
        promise: (
            "C12",
            Words::fixed("answers three clients in turns, each its own", "三个客户端交替提问，各得各的回复"),
        ),
        acts: &[Does(starts), Plays(scripts::CLIENTS)],
        hint: clients_hint,
    },
    Stage {
        name: "empty",
        promise: ("C7", Words::fixed("answers an empty datagram, and goes on", "空数据报也回答，并继续服务")),
        acts: &[Does(starts), Plays(scripts::EMPTY)],
        hint: empty_hint,
    },
    Stage {
        name: "bytes",
        promise: (
            "M13",
            Words::fixed(
                "gives back every name as it came: not UTF-8, blanks",
                "名字原样返回：不是 UTF-8 的、全是空格的",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::BYTES)],
        hint: bytes_hint,
    },
    Stage {
        name: "large",
        promise: (
            "M7",
            Words::fixed(
                "answers 1024 bytes whole, and 8000 whole or with a refusal, but never cut",
                "1024 字节完整回答；8000 字节完整回答或说明拒绝，但不截断",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::LARGE)],
        hint: large_hint,
    },
    Stage {
        name: "gone",
        promise: (
            "C12",
            Words::fixed(
                "goes on when a client has left before its answer",
                "客户端没等回复就离开，照常服务下一个",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::GONE)],
        hint: gone_hint,
    },
    Stage {
        name: "greeting",
        promise: (
            "C12",
            Words::fixed(
                "does not greet a greeting: two such servers would never stop",
                "收到问候不再问候：否则两台这样的服务器会没完没了",
            ),
        ),
        acts: &[Does(starts), Plays(scripts::GREETING)],
        hint: greeting_hint,
    },
    Stage {
        name: "stops",
        promise: ("-", Words::fixed("ends within 5 s of Ctrl-C", "按 Ctrl-C，5 秒内结束")),
        acts: &[Does(starts), Plays(scripts::GREETS), Does(stops)],
        hint: |_| None,
    },
];

fn stops(trial: &mut Trial<'_>) -> Played {
    if trial.ends_at_an_interrupt()? {
        return Ok(());
    }
    let expected = Words::fixed("it ends", "它结束");
    if trial.tries(|cast, met| cast.plays(&[Step::Greeted(1, b"Tracy")], met)).is_ok() {
        let came = Words::fixed("it goes on, and has answered Tracy", "它照常运行，还回答了 Tracy");
        return Err(Halt::broken(expected, came, goes_on_hint()));
    }
    let came = Words::fixed("it still runs, and answers nobody", "它还在运行，但不再回答任何人");
    Err(Halt::not_decided(expected, came, None))
}

fn answer_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.is_gone {
        return ended_hint(seen);
    }
    match seen.how {
        How::Other if is_other_by_its_end(seen) => hint(
            "C7",
            "A datagram has its own end: no line feed, no zero byte, no length goes with it.",
            "数据报自带边界：不需要换行符、零字节或长度。",
        ),
        How::Other if seen.expected.is_some_and(|expected| expected.starts_with(seen.bytes)) => hint(
            "C7",
            "A part of the answer is a datagram of its own: put the answer together, and send it once.",
            "回复的一部分单独成了一个数据报：先拼成完整的回复，再一次发送。",
        ),
        How::Other if seen.has(b"b'") => hints::python_words("C12"),
        How::Other => hint(
            "C12",
            "The words have to be these to the letter: 'Hello, ', the name as it came (as many bytes as recvfrom \
             returned), '!'.",
            "回复必须一字不差：“Hello, ”、原样的名字（recvfrom 返回多少字节就是多少）、“!”。",
        ),
        How::Silent if seen.tables.unread > 0 => hint(
            "C12",
            "It has not come to read the datagram: recvfrom is not reached.",
            "它还没有读取数据报：没有执行到 recvfrom。",
        ),
        _ => hint(
            "C12",
            "A guess: it prints the answer and does not send it, or sends it to another address, or by another socket. \
             recvfrom tells who asked: sendto goes there.",
            "猜测：它打印了回复却没有发送，或者发到了别处，或者用了另一个套接字。recvfrom 会告诉你是谁问的，sendto 就发给他。",
        ),
    }
}

/// It is the answer, but for what stands behind it.
fn is_other_by_its_end(seen: &Evidence<'_>) -> bool {
    let trimmed = |bytes: &[u8]| bytes.strip_suffix(b"\0").unwrap_or(bytes).trim_ascii_end().to_vec();
    trimmed(seen.bytes) == trimmed(seen.expected.unwrap_or_default())
}

/// Why a server may have ended in the middle of it.
fn ended_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if is_about_text(seen.last_words) {
        return bytes_hint(seen);
    }
    if seen.last_words.is_empty() {
        return hint(
            "C12",
            "It came to the end of its code: a server goes on. recvfrom and sendto stand in a loop.",
            "程序运行到代码末尾就结束了，而服务器要一直运行：recvfrom 和 sendto 要放在循环里。",
        );
    }
    hint(
        "C12",
        "One datagram ended the whole server: its last words say why. Loop around recvfrom, and let no \
         datagram out of its own turn.",
        "一个数据报就让整个服务器结束了，原因见它最后的输出。recvfrom 要放在循环里，一个数据报的错误不能影响到下一个。",
    )
}

fn again_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.bytes.starts_with(b"Hello, Tracyel") {
        return hint(
            "C12",
            "An earlier name is in this answer: only the bytes that this recvfrom returned are the name.",
            "回答里有先前的名字：只有这次 recvfrom 返回的那些字节才是名字。",
        );
    }
    if seen.how == How::Silent || (seen.is_gone && seen.last_words.is_empty()) {
        return hint(
            "C12",
            "It answers once and no more: recvfrom and sendto stand in a loop.",
            "它只回答一次：recvfrom 和 sendto 要放在循环里。",
        );
    }
    answer_hint(seen)
}

fn clients_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.is_gone {
        return ended_hint(seen);
    }
    mixed_up_hint()
}

fn mixed_up_hint() -> Option<Hint> {
    hint(
        "C12",
        "An answer went to another client: there is no connection, so each goes to the address that this very \
         recvfrom returned (and a connected socket hears one client alone).",
        "回复发给了别的客户端：UDP 没有连接，每个回复都要发往这一次 recvfrom 返回的地址（已 connect 的套接字只收得到一个客户端）。",
    )
}

fn empty_hint(_: &Evidence<'_>) -> Option<Hint> {
    hint(
        "C7",
        "An empty datagram is a datagram, and not the end: UDP has none.",
        "空数据报也是数据报，不是结束：UDP 没有结束。",
    )
}

fn bytes_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.expected == Some(b"Hello,    !") {
        return hint(
            "C7",
            "The blanks are gone, or were skipped: a datagram is the name as it stands (no strip, trim or scanf).",
            "空格丢了，或者被跳过了：整个数据报就是名字，原样不动（不要用 strip、trim、scanf）。",
        );
    }
    hints::not_as_it_came()
}

fn large_hint(_: &Evidence<'_>) -> Option<Hint> {
    hint(
        "M7",
        "recvfrom(N) cuts a datagram that is longer than N bytes, and the rest is lost: give it room for any (65,535 \
         bytes).",
        "recvfrom(N) 会截断超过 N 字节的数据报，其余的就丢了：缓冲区要装得下任何数据报（65,535 字节）。",
    )
}

fn gone_hint(_: &Evidence<'_>) -> Option<Hint> {
    hint(
        "C12",
        "That nobody is there any more is no reason to end: an error of sendto or recvfrom is about one datagram.",
        "对方不在了，不是结束的理由：sendto 或 recvfrom 的错误只关系到一个数据报。",
    )
}

fn greeting_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.is_gone {
        return ended_hint(seen);
    }
    hint(
        "C12",
        "What begins with 'Hello, ' and ends with '!' is an answer: do not answer it.",
        "以“Hello, ”开头、以“!”结尾的是回复：不要再回答它。",
    )
}

//! The stages of a UDP server: every datagram stands alone, and is answered to whoever sent it.

use common::greeting;

use super::client::broken;
use super::tcp_server::{TIME_TO_STOP, interrupt};
use super::trial::{Flaw, Halt, Hint, Played, Seen, Stage, Trial, hint, shown};
use crate::peers::caller::{Found, How};
use crate::wire::kernel::Protocol;
use crate::words::Words;

/// In the order in which a server is built.
pub static STAGES: [Stage; 10] = [
    Stage {
        name: "binds",
        promise: ("C12", Words::fixed("is bound where it is told to be", "绑定到给定的地址和端口")),
        play: |trial| {
            trial.start_server(Protocol::Udp)?;
            trial.stays(Protocol::Udp)
        },
        hint: |_| None,
    },
    Stage {
        name: "greets",
        promise: (
            "C12",
            Words::fixed("answers Michael with Hello, Michael!", "收到 Michael，回复 Hello, Michael!"),
        ),
        play: |trial| {
            trial.start_server(Protocol::Udp)?;
            let one = trial.asks()?;
            trial.answered(one, b"Michael")
        },
        hint: answer_hint,
    },
    Stage {
        name: "again",
        promise: ("C12", Words::fixed("answers three names, one after the other", "依次回答三个名字")),
        play: |trial| {
            trial.start_server(Protocol::Udp)?;
            let one = trial.asks()?;
            trial.answered(one, b"Michael")?;
            trial.answered(one, b"Tracy")?;
            trial.answered(one, "张三".as_bytes())
        },
        hint: again_hint,
    },
    Stage {
        name: "clients",
        promise: (
            "C12",
            Words::fixed("answers three clients in turns, each its own", "三个客户端交替提问，各得各的回复"),
        ),
        play: clients,
        hint: clients_hint,
    },
    Stage {
        name: "empty",
        promise: ("C7", Words::fixed("answers an empty datagram, and goes on", "空数据报也回答，并继续服务")),
        play: |trial| {
            trial.start_server(Protocol::Udp)?;
            let one = trial.asks()?;
            trial.answered(one, b"")?;
            trial.answered(one, b"Tracy")
        },
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
        play: |trial| {
            trial.start_server(Protocol::Udp)?;
            let one = trial.asks()?;
            trial.answered(one, b"\xff\xfe")?;
            trial.answered(one, b"   ")
        },
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
        play: large,
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
        play: gone,
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
        play: greeted_greeting,
        hint: greeting_hint,
    },
    Stage {
        name: "stops",
        promise: ("-", Words::fixed("ends within 5 s of Ctrl-C", "按 Ctrl-C，5 秒内结束")),
        play: stops,
        hint: |_| None,
    },
];

fn clients(trial: &mut Trial<'_>) -> Played {
    trial.start_server(Protocol::Udp)?;
    let names: [&[u8]; 3] = [b"Michael", b"Tracy", b"Sarah"];
    let all = [trial.asks()?, trial.asks()?, trial.asks()?];
    for (number, name) in all.iter().zip(names) {
        trial.asker(*number)?.says(name);
    }
    for (number, name) in all.iter().zip(names).rev() {
        let heard = trial.asker(*number)?.hears(&greeting::of(name));
        if heard.as_ref().is_err_and(|found| found.how == How::Silent) {
            heard_by_another(trial, &all, *number, name)?;
        }
        trial.judge(*number, &greeting::of(name), heard)?;
    }
    trial.answered(all[1], b"Michael")
}

/// What another client has heard decides, where the one that asked has heard nothing.
fn heard_by_another(trial: &mut Trial<'_>, all: &[usize], asked: usize, name: &[u8]) -> Played {
    for other in all.iter().filter(|other| **other != asked) {
        if trial.asker(*other)?.has_heard(&greeting::of(name)) {
            let (label, other, name) = (asked + 1, other + 1, shown(&greeting::of(name)));
            return broken(
                words!("#{label} hears {name}", "#{label} 收到 {name}"),
                words!("#{other} heard it", "收到的是 #{other}"),
                mixed_up_hint(),
            );
        }
    }
    Ok(())
}

fn large(trial: &mut Trial<'_>) -> Played {
    const LARGE: usize = 8000;
    trial.start_server(Protocol::Udp)?;
    let one = trial.asks()?;
    trial.answered(one, &[b'x'; 1024])?;
    let name = vec![b'y'; LARGE];
    trial.asker(one)?.says(&name);
    match trial.asker(one)?.hears(&greeting::of(&name)) {
        // What is no greeting is a statement.
        Err(Found { how: How::Other, bytes }) if !bytes.starts_with(b"Hello, y") => Ok(()),
        heard => trial.judge(one, &greeting::of(&name), heard),
    }
}

fn gone(trial: &mut Trial<'_>) -> Played {
    trial.start_server(Protocol::Udp)?;
    for _ in 0..3 {
        let leaving = trial.asks()?;
        trial.asker(leaving)?.says(b"Michael");
        trial.leaves(leaving);
    }
    let next = trial.asks()?;
    trial.answered(next, b"Tracy")
}

fn greeted_greeting(trial: &mut Trial<'_>) -> Played {
    trial.start_server(Protocol::Udp)?;
    let one = trial.asks()?;
    trial.asker(one)?.says(b"Hello, Bob!");
    trial.answered(one, b"Tracy")
}

fn stops(trial: &mut Trial<'_>) -> Played {
    trial.start_server(Protocol::Udp)?;
    let one = trial.asks()?;
    trial.answered(one, b"Michael")?;
    interrupt(trial)?;
    if trial.program()?.wait_for_end(TIME_TO_STOP.max(trial.terms.patience))?.is_some() {
        return Ok(());
    }
    let expected = Words::fixed("it ends", "它结束");
    trial.asker(one)?.says(b"Tracy");
    if trial.asker(one)?.hears(&greeting::of(b"Tracy")).is_ok() {
        let came = Words::fixed("it goes on, and has answered Tracy", "它照常运行，还回答了 Tracy");
        let told = hint(
            "-",
            "Ctrl-C reached it and it went on: a handler that only returns, or an exception that is caught\n\
             around recvfrom.",
            "Ctrl-C 到了，它却继续运行：处理函数只是返回，或者 recvfrom 外面把异常捕获了。",
        );
        return Err(Halt::Broken(Box::new(Flaw { expected, came, table: None, hint: told })));
    }
    let came = Words::fixed("it still runs, and answers nobody", "它还在运行，但不再回答任何人");
    Err(Halt::NotDecided(Box::new(Flaw { expected, came, table: None, hint: None })))
}

fn answer_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.is_gone {
        return ended_hint(seen);
    }
    match seen.how {
        How::Other if seen.bytes.trim_ascii_end() == seen.expected.unwrap_or_default().trim_ascii_end() => {
            hint(
                "C7",
                "A datagram has its own end: no line feed, no zero byte, no length goes with it.",
                "数据报自带边界：不需要换行符、零字节或长度。",
            )
        }
        How::Other if seen.has(b"b'") => hint(
            "C12",
            "These are Python's words for bytes: put bytes together as bytes, or decode them first.",
            "这是 Python 打印 bytes 的样子：用 bytes 拼接，或者先解码。",
        ),
        How::Other => hint(
            "C12",
            "The words have to be these to the letter: 'Hello, ', the name as it came, '!'.",
            "回复必须一字不差：“Hello, ”、原样的名字、“!”。",
        ),
        _ if seen.unread > 0 => hint(
            "C12",
            "It has not come to read the datagram: recvfrom is not reached.",
            "它还没有读取数据报：没有执行到 recvfrom。",
        ),
        _ => hint(
            "C12",
            "A guess: it answers to another address. recvfrom tells who asked: sendto goes there.",
            "猜测：它把回复发到了别处。recvfrom 会告诉你是谁问的，sendto 就发给他。",
        ),
    }
}

/// Why a server may have ended in the middle of it.
fn ended_hint(seen: &Seen<'_>) -> Option<Hint> {
    let words = seen.last_words.to_lowercase();
    if words.contains("decode") || words.contains("utf-8") || words.contains("unicode") {
        return bytes_hint(seen);
    }
    hint(
        "C12",
        "One datagram ended the whole server: its last words say why. Loop around recvfrom, and let no\n\
         datagram out of its own turn.",
        "一个数据报就让整个服务器结束了，原因见它最后的输出。recvfrom 要放在循环里，\n一个数据报的错误不能影响到下一个。",
    )
}

fn again_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.how == How::Silent || seen.is_gone {
        return hint(
            "C12",
            "It answers once and no more: recvfrom and sendto stand in a loop.",
            "它只回答一次：recvfrom 和 sendto 要放在循环里。",
        );
    }
    answer_hint(seen)
}

fn clients_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.is_gone {
        return ended_hint(seen);
    }
    mixed_up_hint()
}

fn mixed_up_hint() -> Option<Hint> {
    hint(
        "C12",
        "An answer went to another client: there is no connection, so each goes to the address that this very\n\
         recvfrom returned (and a connected socket hears one client alone).",
        "回复发给了别的客户端：UDP 没有连接，每个回复都要发往这一次 recvfrom 返回的地址\n（已 connect 的套接字只收得到一个客户端）。",
    )
}

fn empty_hint(_: &Seen<'_>) -> Option<Hint> {
    hint(
        "C7",
        "An empty datagram is a datagram, and not the end: UDP has none.",
        "空数据报也是数据报，不是结束：UDP 没有结束。",
    )
}

fn bytes_hint(_: &Seen<'_>) -> Option<Hint> {
    hint(
        "M13",
        "A name is bytes, and need not be UTF-8: give them back as they came, and decode only to print.",
        "名字是字节，不一定是 UTF-8：原样返回，打印时才解码。",
    )
}

fn large_hint(_: &Seen<'_>) -> Option<Hint> {
    hint(
        "M7",
        "recvfrom(1024) cuts a longer datagram, and the rest is lost: give it room for any (65,535 bytes).",
        "recvfrom(1024) 会截断更长的数据报，其余的就丢了：缓冲区要装得下任何数据报（65,535 字节）。",
    )
}

fn gone_hint(_: &Seen<'_>) -> Option<Hint> {
    hint(
        "C12",
        "That nobody is there any more is no reason to end: an error of sendto or recvfrom is about one datagram.",
        "对方不在了，不是结束的理由：sendto 或 recvfrom 的错误只关系到一个数据报。",
    )
}

fn greeting_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.is_gone {
        return ended_hint(seen);
    }
    hint(
        "C12",
        "What begins with 'Hello, ' and ends with '!' is an answer: do not answer it.",
        "以“Hello, ”开头、以“!”结尾的是回复：不要再回答它。",
    )
}

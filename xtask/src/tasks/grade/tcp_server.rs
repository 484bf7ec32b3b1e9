//! The stages of a TCP server: what it does when it is alone with one client, with many, and with careless ones.

use std::time::Duration;

use common::framing::{self, Framing};
use common::greeting;

use super::trial::{Flaw, Halt, Hint, Played, Seen, Stage, Trial, hint};
use crate::peers::caller::{Found, How, framed};
use crate::programs::house;
use crate::wire::event::Lane;
use crate::wire::kernel::Protocol;
use crate::words::Words;

/// In the order in which a server is built.
pub static STAGES: [Stage; 15] = [
    Stage {
        name: "listens",
        promise: ("C8", Words::fixed("binds and listens where it is told to", "在给定的地址和端口上监听")),
        play: |trial| {
            trial.start_server(Protocol::Tcp)?;
            trial.stays(Protocol::Tcp)
        },
        hint: |_| None,
    },
    Stage {
        name: "welcome",
        promise: ("C8", Words::fixed("says Welcome! to whoever connects", "对每个连上的客户端说 Welcome!")),
        play: |trial| {
            trial.start_server(Protocol::Tcp)?;
            trial.enters().map(|_| ())
        },
        hint: welcome_hint,
    },
    Stage {
        name: "greets",
        promise: (
            "C8",
            Words::fixed("answers Michael with Hello, Michael!", "收到 Michael，回复 Hello, Michael!"),
        ),
        play: |trial| {
            let one = entered(trial)?;
            trial.greeted(one, b"Michael")
        },
        hint: |seen| words_hint(seen).or_else(|| answer_hint(seen)),
    },
    Stage {
        name: "again",
        promise: ("C8", Words::fixed("answers three names, one after the other", "依次回答三个名字")),
        play: |trial| {
            let one = entered(trial)?;
            trial.greeted(one, b"Michael")?;
            trial.greeted(one, b"Tracy")?;
            trial.greeted(one, "张三".as_bytes())
        },
        hint: again_hint,
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
        play: exit,
        hint: exit_hint,
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
        play: leaves,
        hint: leaves_hint,
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
        play: crowd,
        hint: crowd_hint,
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
        play: |trial| {
            trial.needs_boundary()?;
            let one = entered(trial)?;
            trial.says(one, &[b"Michael", b"exit"])?;
            trial.hears(one, &greeting::of(b"Michael"))?;
            trial.hears_the_end(one)
        },
        hint: glued_hint,
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
        play: cut,
        hint: cut_hint,
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
        play: bytes,
        hint: bytes_hint,
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
        play: long,
        hint: long_hint,
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
        play: |trial| {
            let one = entered(trial)?;
            trial.says(one, &[b"Michael"])?;
            trial.caller(one)?.ends();
            trial.hears(one, &greeting::of(b"Michael"))?;
            trial.hears_the_end(one)
        },
        hint: half_close_hint,
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
        play: reset,
        hint: reset_hint,
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
        play: stops,
        hint: stops_hint,
    },
    Stage {
        name: "restart",
        promise: ("-", Words::fixed("starts again at once on the same port", "立刻在同一端口上再次启动")),
        play: restart,
        hint: |_| None,
    },
];

/// A server, and a client that it has welcomed.
fn entered(trial: &mut Trial<'_>) -> Played<usize> {
    trial.start_server(Protocol::Tcp)?;
    trial.enters()
}

fn exit(trial: &mut Trial<'_>) -> Played {
    /// Whoever is served at the same time is welcomed by then; who is served afterwards is judged by `crowd`.
    const MEANWHILE: Duration = Duration::from_secs(1);
    let one = entered(trial)?;
    let two = trial.connects()?;
    let welcomed = trial.caller(two)?.hears_within(greeting::WELCOME, MEANWHILE);
    trial.says(one, &[greeting::EXIT])?;
    trial.hears_the_end(one)?;
    if welcomed.is_err() {
        trial.hears(two, greeting::WELCOME)?;
    }
    trial.greeted(two, b"Tracy")
}

fn leaves(trial: &mut Trial<'_>) -> Played {
    let silent = entered(trial)?;
    trial.take(silent)?.leaves();
    let ending = trial.enters()?;
    trial.caller(ending)?.ends();
    trial.hears_the_end(ending)?;

    let cut_off = trial.enters()?;
    let whole = framed(trial.terms.framing, b"Michael");
    let part = &whole[..whole.len() - 4];
    trial.caller(cut_off)?.sends(part);
    trial.caller(cut_off)?.ends();
    // Half a name may be answered, once.
    match trial.caller(cut_off)?.hears(&greeting::of(part)) {
        Ok(()) => trial.hears_the_end(cut_off)?,
        Err(Found { how: How::Ended, bytes }) if bytes.is_empty() => {}
        Err(found) => {
            let expected = Words::fixed("one answer at most, then the end", "至多一个回答，然后结束");
            return Err(trial.flaw_instead(cut_off, &found, expected));
        }
    }
    let next = trial.enters()?;
    trial.greeted(next, b"Tracy")
}

fn crowd(trial: &mut Trial<'_>) -> Played {
    let first = entered(trial)?;
    let others = [trial.connects()?, trial.connects()?];
    for other in others {
        if let Err(found) = trial.caller(other)?.hears(greeting::WELCOME) {
            if found.how == How::Silent {
                one_at_a_time(trial, first, other)?;
            }
            return Err(trial.flaw(Some(other), Some(greeting::WELCOME), &found, None));
        }
    }
    trial.greeted(others[1], b"Sarah")?;
    trial.greeted(others[0], b"Tracy")?;
    trial.greeted(first, b"Michael")
}

/// What comes once the first has left decides where the kernel has no table.
fn one_at_a_time(trial: &mut Trial<'_>, first: usize, waiting: usize) -> Played {
    let unaccepted = trial.unaccepted();
    let label = waiting + 1;
    let connected = 3;
    let accepted = connected - unaccepted;
    let table = (unaccepted > 0).then(|| {
        words!(
            "the kernel's table: {connected} connected, {accepted} accepted",
            "内核的套接字表：已连接 {connected} 个，其中 accept 了 {accepted} 个"
        )
    });
    trial.take(first)?.leaves();
    if trial.caller(waiting)?.hears(greeting::WELCOME).is_ok() {
        let flaw = Flaw {
            expected: words!("#{label} is welcomed while #1 is there", "#1 还在时，#{label} 就收到欢迎"),
            came: words!("#{label} was welcomed once #1 had left", "#1 离开之后，#{label} 才收到欢迎"),
            table,
            hint: one_at_a_time_hint(),
        };
        return Err(Halt::Broken(Box::new(flaw)));
    }
    Ok(())
}

fn cut(trial: &mut Trial<'_>) -> Played {
    trial.needs_boundary()?;
    let one = entered(trial)?;
    let name = "张三".as_bytes();
    trial.says_in_bytes(one, &framed(trial.terms.framing, name))?;
    trial.hears(one, &greeting::of(name))
}

fn bytes(trial: &mut Trial<'_>) -> Played {
    trial.start_server(Protocol::Tcp)?;
    let names: [&[u8]; 3] = [b"\xff\xfe", b"   ", b""];
    let count = if trial.terms.framing == Framing::Raw { 2 } else { 3 }; // raw cannot carry an empty one
    for name in &names[..count] {
        let one = trial.enters()?;
        trial.greeted(one, name)?;
        trial.take(one)?.leaves();
    }
    Ok(())
}

fn long(trial: &mut Trial<'_>) -> Played {
    let one = entered(trial)?;
    let name = vec![b'x'; framing::LIMIT];
    trial.greeted(one, &name)?;
    if trial.terms.framing == Framing::Raw {
        return Ok(()); // one more would be two messages
    }
    trial.says(one, &[&vec![b'y'; framing::LIMIT + 1]])?;
    if let Err(found) = trial.caller(one)?.hears_anything() {
        let expected = Words::fixed("an answer, a refusal or the end", "回答、拒绝或结束");
        return Err(trial.flaw_instead(one, &found, expected));
    }
    trial.take(one)?.leaves();
    let next = trial.enters()?;
    trial.greeted(next, b"Tracy")
}

fn reset(trial: &mut Trial<'_>) -> Played {
    let witness = entered(trial)?;
    let leaving = trial.connects()?;
    trial.says(leaving, &[b"Michael"])?;
    trial.take(leaving)?.resets();
    trial.settles()?; // whom a reset ends is gone by then
    trial.greeted(witness, b"Tracy")?;
    trial.take(witness)?.leaves();
    let next = trial.enters()?;
    trial.greeted(next, b"Sarah")
}

/// How long a server may take to end.
pub const TIME_TO_STOP: Duration = Duration::from_secs(5);

fn stops(trial: &mut Trial<'_>) -> Played {
    let one = entered(trial)?;
    interrupt(trial)?;
    // The promise says 5 s; the verdict waits as long as the patience lasts, for a machine that is slow.
    let limit = TIME_TO_STOP.max(trial.terms.patience);
    if trial.program()?.wait_for_end(limit)?.is_some() {
        return match trial.caller(one)?.hears_the_end() {
            Ok(()) => Ok(()),
            Err(found) => Err(trial.flaw(Some(one), None, &found, None)),
        };
    }
    let expected = Words::fixed("it ends, with a client connected", "有客户端连着，它也结束");
    let broken = |came, hint| {
        Err(Halt::Broken(Box::new(Flaw { expected: expected.clone(), came, table: None, hint })))
    };
    trial.take(one)?.leaves();
    if trial.program()?.wait_for_end(trial.terms.patience)?.is_some() {
        let came = Words::fixed("it ended once its client had left", "客户端离开之后它才结束");
        return broken(
            came,
            hint(
                "-",
                "The client's thread holds it: make it a daemon thread, or shut down the sockets of those\n\
                 who are still there.",
                "客户端的线程拖住了它：设为守护线程，或者把还连着的套接字 shutdown。",
            ),
        );
    }
    let late = trial.connects()?;
    if trial.caller(late)?.hears(greeting::WELCOME).is_ok() {
        let came =
            Words::fixed("it goes on, and has welcomed another client", "它照常运行，还欢迎了新的客户端");
        let told = hint(
            "-",
            "Ctrl-C reached it and it went on: a handler that only returns, or an exception that is caught\n\
             around accept.",
            "Ctrl-C 到了，它却继续运行：处理函数只是返回，或者 accept 外面把异常捕获了。",
        );
        return broken(came, told);
    }
    let came = Words::fixed("it still runs, and serves nobody", "它还在运行，但不再服务任何人");
    Err(Halt::NotDecided(Box::new(Flaw { expected, came, table: None, hint: None })))
}

/// Presses Ctrl-C, as a terminal does it: to all of the group.
pub fn interrupt(trial: &mut Trial<'_>) -> Played {
    if !house::can_interrupt() {
        return Err(Halt::NotAvailable(Words::fixed(
            "only Unix lets a program send another its Ctrl-C",
            "只有 Unix 允许程序向别的程序发送 Ctrl-C",
        )));
    }
    trial.lab.record.recorder("").said(Lane::Server, "^C");
    trial.program()?.program.interrupt_group();
    Ok(())
}

fn restart(trial: &mut Trial<'_>) -> Played {
    let one = entered(trial)?;
    trial.lab.record.recorder("").said(Lane::Server, "(killed, and started again)");
    trial.candidate = None;
    // The side that ends first keeps the connection in TIME_WAIT: here, the server's.
    let _ = trial.caller(one)?.hears_the_end();
    trial.take(one)?.leaves();
    trial.spawn(Lane::Server)?;
    let ready = trial.wait_until_ready(Protocol::Tcp)?;
    trial.expect_ready(Protocol::Tcp, ready)?;
    trial.enters().map(|_| ())
}

/// A mistake in the words or their framing, which any stage may be the first to meet.
fn words_hint(seen: &Seen<'_>) -> Option<Hint> {
    let name = name_in(seen);
    if seen.is_gone {
        return gone_hint(seen);
    }
    if seen.how == How::Silent {
        return None;
    }
    let expected = seen.expected.unwrap_or_default();
    let (is_line, is_length) = (seen.framing == Framing::Line, seen.framing == Framing::Length);
    if is_line && seen.bytes.starts_with(expected) && !expected.is_empty() {
        return hint(
            "C7",
            "No line feed ends your message: send one behind each, or the client cannot tell where it ends.",
            "消息末尾没有换行符：每条消息后面都要发一个，否则客户端不知道它在哪里结束。",
        );
    }
    if is_line
        && !name.is_empty()
        && (seen.has(&[name, b"\n!"].concat()) || seen.has(&[name, b"\r\n!"].concat()))
    {
        return hint(
            "C7",
            "The line feed marks where the message ends and is no part of the name: take it off.",
            "换行符只标明消息在哪里结束，不是名字的一部分：先去掉它。",
        );
    }
    if is_length && seen.bytes.starts_with(expected) && !expected.is_empty() {
        return hint(
            "C7",
            "Four bytes have to come first: the message's length, big-endian.",
            "前面要先有 4 个字节：消息的长度，大端序。",
        );
    }
    if is_length && seen.bytes.get(..4).is_some_and(|prefix| prefix[0] > 0 && prefix[1..] == [0, 0, 0]) {
        return hint(
            "C7",
            "The length's bytes are in the wrong order: the network's is big-endian (htonl; '>I').",
            "长度的字节序反了：网络字节序是大端（htonl；'>I'）。",
        );
    }
    if !name.is_empty() && seen.has(&[b"b'", name].concat()) {
        return hint(
            "C8",
            "These are Python's words for bytes: put bytes together as bytes, or decode them first.",
            "这是 Python 打印 bytes 的样子：用 bytes 拼接，或者先解码。",
        );
    }
    if seen.framing == Framing::Raw && seen.bytes.trim_ascii_end() == expected && !expected.is_empty() {
        return hint(
            "C7",
            "Something stands behind the words: with raw framing there is no line feed (or use --framing line).",
            "后面多了东西：raw 没有换行符（或者用 --framing line）。",
        );
    }
    None
}

/// Words that are not those of the protocol.
fn answer_hint(seen: &Seen<'_>) -> Option<Hint> {
    match seen.how {
        How::Silent if seen.unread > 0 => hint(
            "C3",
            "It has not come to read what was sent: recv is not reached, or waits on another socket.",
            "它还没有读取发来的数据：没有执行到 recv，或者读的是另一个套接字。",
        ),
        How::Silent => hint(
            "C7",
            "A guess: it has read the name and waits for more, or its answer sits in a buffer: flush it.",
            "猜测：它读到了名字却还在等更多的数据，或者回答留在缓冲区里：要 flush。",
        ),
        How::Other => hint(
            "C8",
            "The words have to be these to the letter: 'Hello, ', the name as it came, '!'.",
            "回复必须一字不差：“Hello, ”、原样的名字、“!”。",
        ),
        How::Ended | How::Reset => hint(
            "C8",
            "It closes the connection where it should answer: the name is read and answered before that.",
            "它没有回答就关闭了连接：应先读取名字并回答。",
        ),
    }
}

/// Why a program may have ended in the middle of it.
fn gone_hint(seen: &Seen<'_>) -> Option<Hint> {
    let words = seen.last_words.to_lowercase();
    if words.contains("decode") || words.contains("utf-8") || words.contains("unicode") {
        return hint(
            "M9",
            "What arrives need not be text, nor a whole character: work with bytes, and decode only to print.",
            "到达的不一定是文本，也不一定是完整的字符：一律按字节处理，打印时才解码。",
        );
    }
    if words.contains("reset") || words.contains("broken pipe") || words.contains("epipe") {
        return hint(
            "M8",
            "A client that leaves is an error in one conversation: catch it there, and serve the others.",
            "客户端离开只是一个会话里的错误：就地处理，继续服务其他客户端。",
        );
    }
    if words.is_empty() {
        return hint(
            "C9",
            "It came to the end of its code: a server goes on. Loop around accept, and in each conversation\n\
             around recv.",
            "程序运行到代码末尾就结束了，而服务器要一直运行：accept 放在循环里，每个会话里 recv 也放在循环里。",
        );
    }
    hint(
        "C9",
        "The whole server ended where one conversation did: its last words say why. Loop around accept, and\n\
         let no client's error out of its own conversation.",
        "一个会话出了问题，整个服务器就结束了，原因见它最后的输出。accept 要放在循环里，\n一个客户端的错误不能影响到会话之外。",
    )
}

/// The name that was said last, without its framing.
fn name_in<'a>(seen: &Seen<'a>) -> &'a [u8] {
    match seen.framing {
        Framing::Line => seen.said.trim_ascii_end(),
        Framing::Length => seen.said.get(4..).unwrap_or_default(),
        Framing::Raw => seen.said,
    }
}

/// What is wrong before the first client is welcomed, in whatever stage it is met.
pub fn welcome_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.unaccepted > 0 {
        return hint(
            "C1",
            "connect succeeds before accept: the kernel shakes hands. Your program does not come to accept.",
            "connect 不等 accept 就成功：握手由内核完成。你的程序没有执行到 accept。",
        );
    }
    if seen.bytes.starts_with(b"Hello") {
        return hint(
            "C8",
            "It answers and never welcomes: send Welcome! as soon as accept returns, before the first recv.",
            "它只回答，不欢迎：accept 一返回就发送 Welcome!，然后才 recv。",
        );
    }
    words_hint(seen).or_else(|| match seen.how {
        How::Silent if seen.unread > 0 => hint(
            "C8",
            "It neither says nor reads anything: send Welcome! as soon as accept returns, then recv.",
            "它既不说话，也不读取：accept 一返回就发送 Welcome!，然后 recv。",
        ),
        How::Silent => hint(
            "C8",
            "A guess: it reads before it has said Welcome!, or the welcome sits in a buffer: flush it.",
            "猜测：它还没说 Welcome! 就去读取，或者“Welcome!”还留在缓冲区里：要 flush。",
        ),
        How::Other => hint("C8", "The word has to be this to the letter: Welcome!", "必须一字不差：Welcome!"),
        How::Ended | How::Reset => hint(
            "C8",
            "The connection is closed as soon as it is made: keep the accepted socket while its client stays.",
            "刚连上就被关闭：客户端还在，就要留着 accept 返回的套接字。",
        ),
    })
}

fn again_hint(seen: &Seen<'_>) -> Option<Hint> {
    if let Some(told) = words_hint(seen) {
        return Some(told);
    }
    let is_end = matches!(seen.how, How::Ended | How::Reset);
    if is_end || (seen.how == How::Silent && seen.unread > 0) {
        return hint(
            "C13",
            "It reads one name and no more: recv in a loop, until exit or the end.",
            "它只读一个名字：要循环 recv，直到 exit 或流结束。",
        );
    }
    let older = [&b"Michael"[..], b"Tracy"].into_iter().filter(|name| *name != name_in(seen));
    if older.clone().any(|name| seen.has(name)) {
        return hint(
            "C7",
            "An earlier name is in this answer: only the bytes that this recv returned are new in the buffer.",
            "回答里有先前的名字：缓冲区里只有这次 recv 返回的那些字节是新的。",
        );
    }
    answer_hint(seen)
}

fn exit_hint(seen: &Seen<'_>) -> Option<Hint> {
    let is_end_expected = seen.expected.is_none();
    if seen.is_gone && seen.last_words.is_empty() {
        return hint(
            "C13",
            "exit closes the connection that said it, and does not end the server.",
            "exit 只关闭说 exit 的那个连接，不结束服务器。",
        );
    }
    if let Some(told) = words_hint(seen).filter(|_| seen.is_gone) {
        return Some(told);
    }
    match seen.how {
        How::Reset if is_end_expected => hint(
            "M8",
            "A socket that is closed with something unread in it sends a reset: read it all, then close.",
            "还有未读的数据就关闭套接字，发出的是复位：先读完，再关闭。",
        ),
        How::Other if is_end_expected && seen.has(b"exit") => hint(
            "C13",
            "exit is greeted like a name: compare the message, its line feed taken off, with exit.",
            "exit 被当成名字问候了：先去掉换行符，再与 exit 比较。",
        ),
        How::Other if is_end_expected => hint(
            "C13",
            "exit is not answered: the connection is closed, and nothing is said before.",
            "exit 不需要回答：什么也不说，直接关闭连接。",
        ),
        How::Silent if is_end_expected => hint(
            "C13",
            "A guess: it leaves the loop and does not close the socket, or a copy of it (a file made of it,\n\
             another process) keeps it open.",
            "猜测：退出了循环却没有关闭套接字，或者它的副本（由它得到的文件对象、另一个进程）还开着。",
        ),
        _ => hint(
            "C13",
            "exit closes the connection that said it; the others go on.",
            "exit 只关闭说 exit 的那个连接，其他的照常。",
        ),
    }
}

fn leaves_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.is_gone && seen.last_words.to_lowercase().contains("broken pipe") {
        return hint(
            "C3",
            "It answers a client that has left: when recv returns nothing, that is the end. Leave the loop.",
            "它在回答已经离开的客户端：recv 返回空就是流结束，应退出循环。",
        );
    }
    if seen.is_gone {
        return gone_hint(seen);
    }
    if seen.has(b"Hello, !") || (seen.how == How::Other && seen.expected.is_none()) {
        return hint(
            "C3",
            "The end is answered like a name: when recv returns nothing, the client has left. Leave the loop.",
            "流结束被当成名字回答了：recv 返回空，说明客户端已经离开，应退出循环。",
        );
    }
    if seen.unaccepted > 0 || (seen.how == How::Silent && seen.expected.is_some()) {
        return hint(
            "C3",
            "A client has left and the server is still busy with it: when recv returns nothing, leave the\n\
             loop, and go back to accept.",
            "客户端已经离开，服务器却还在为它忙：recv 返回空就退出循环，回到 accept。",
        );
    }
    if seen.how == How::Silent {
        return hint(
            "C20",
            "Its client has left and the socket stays open: when recv returns nothing, close it.",
            "客户端已经离开，套接字却还开着：recv 返回空，就关闭它。",
        );
    }
    words_hint(seen).or_else(|| answer_hint(seen))
}

fn one_at_a_time_hint() -> Option<Hint> {
    hint(
        "C9",
        "It serves one client at a time, and the others wait in the backlog: give each a thread (or a\n\
         process, a task, a poll loop), and go back to accept at once.",
        "它一次只服务一个客户端，其他的在 backlog 里等：给每个客户端一个线程（或进程、任务、\n轮询），然后立刻回到 accept。",
    )
}

fn crowd_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.unaccepted > 0 {
        return one_at_a_time_hint();
    }
    if seen.is_gone {
        return gone_hint(seen);
    }
    if let Some(told) = words_hint(seen) {
        return Some(told);
    }
    match seen.how {
        How::Silent => hint(
            "C9",
            "A guess: all are accepted, and one conversation waits for another - it serves them in turn.",
            "猜测：都已 accept，但一个会话要等另一个：服务器在轮流服务。",
        ),
        _ => hint(
            "C8",
            "The clients' sockets are mixed up: each conversation keeps the socket that accept returned to it.",
            "客户端的套接字弄混了：每个会话只用 accept 为它返回的那个套接字。",
        ),
    }
}

fn glued_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.has(b"exit") {
        return hint(
            "M1",
            "One recv was taken for one message. Keep what came in a buffer, and cut it where a message ends.",
            "把一次 recv 当成了一条消息。应把收到的放进缓冲区，按消息的结尾切开。",
        );
    }
    if seen.how == How::Silent && seen.expected.is_none() {
        return hint(
            "M1",
            "Of what one recv returned, only the first message was taken: the rest waits in the buffer for\n\
             its turn, and no recv is needed for it.",
            "一次 recv 返回的数据里只取了第一条消息：其余的还在缓冲区里，不必再 recv 就该处理。",
        );
    }
    if matches!(seen.how, How::Ended | How::Reset) && seen.expected.is_some() {
        return hint(
            "M1",
            "A guess: it looked for exit anywhere in what came. Cut it into messages first.",
            "猜测：它在收到的全部数据里找 exit。应先切成一条条消息。",
        );
    }
    words_hint(seen).or_else(|| answer_hint(seen))
}

fn cut_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.is_gone || matches!(seen.how, How::Ended | How::Reset) || seen.has("\u{fffd}".as_bytes()) {
        return hint(
            "M9",
            "Half a character was decoded: a message is complete where its end is, and only then text.",
            "解码了半个字符：到了消息的结尾才算收齐，那时才是文本。",
        );
    }
    if seen.how == How::Other {
        return hint(
            "M1",
            "It answered a part of the name: one recv was taken for one message. Read on until its end.",
            "它回答的只是名字的一部分：把一次 recv 当成了一条消息。应一直读到消息的结尾。",
        );
    }
    hint(
        "M1",
        "A guess: of a name that came in several reads, only the last one is kept, or none.",
        "猜测：名字分几次读到，它只留下了最后一次的，或者都没留下。",
    )
}

fn bytes_hint(seen: &Seen<'_>) -> Option<Hint> {
    let name = seen.expected.and_then(|greeting| greeting.strip_prefix(b"Hello, ")?.strip_suffix(b"!"));
    match name {
        Some(b"") => hint(
            "C3",
            "An empty name is a message of no bytes, and not the end: only a recv that returns nothing is.",
            "空名字是一条零字节的消息，不是结束：只有 recv 返回空才是结束。",
        ),
        Some(b"   ") => hint(
            "C7",
            "The blanks are gone: take off the one line feed that ends the message, and no more (no strip).",
            "空格丢了：只去掉标明消息结尾的那一个换行符，别的不动（不要用 strip）。",
        ),
        _ => hint(
            "M13",
            "A name is bytes, and need not be UTF-8: give them back as they came, and decode only to print.",
            "名字是字节，不一定是 UTF-8：原样返回，打印时才解码。",
        ),
    }
}

fn long_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.expected.is_some_and(|expected| expected.len() > framing::LIMIT) {
        return hint(
            "C3",
            "recv(1024) returns at most 1024 bytes, and the message with its framing has more: read on until\n\
             its end.",
            "recv(1024) 最多返回 1024 字节，消息加上边界标记不止这么多：应一直读到消息的结尾。",
        );
    }
    if seen.is_gone {
        return gone_hint(seen);
    }
    hint(
        "C3",
        "A name that is too long is one client's affair: answer or refuse it, and serve the next.",
        "名字太长只是那一个客户端的事：回答或拒绝它，然后继续服务。",
    )
}

fn half_close_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.is_gone {
        return gone_hint(seen);
    }
    if matches!(seen.how, How::Ended | How::Reset) && seen.expected.is_some() {
        return hint(
            "C11",
            "The client has ended its half, not yours: answer all that came before the end, then close.",
            "客户端只关闭了它那一半：结束之前收到的都要回答，然后再关闭。",
        );
    }
    leaves_hint(seen)
}

fn reset_hint(seen: &Seen<'_>) -> Option<Hint> {
    if seen.how == How::Silent && !seen.is_gone {
        return hint(
            "M8",
            "A guess: the server is still busy with the client that has left: a reset ends its conversation.",
            "猜测：服务器还在为已经离开的客户端忙：收到复位，会话就该结束。",
        );
    }
    hint(
        "M8",
        "A reset is an error of recv or send in one conversation: catch it there, close, and serve the others.",
        "复位是某个会话里 recv 或 send 的错误：就地捕获，关闭它，继续服务其他客户端。",
    )
}

fn stops_hint(seen: &Seen<'_>) -> Option<Hint> {
    match seen.how {
        How::Reset => hint(
            "M8",
            "The client sees a reset: end its half (shutdown) before the program ends.",
            "客户端看到的是复位：程序结束之前先 shutdown 写端。",
        ),
        _ => words_hint(seen),
    }
}

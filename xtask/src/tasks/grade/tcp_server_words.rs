//! What is likely wrong with what a TCP server says, or with how it ends, in whatever stage that is met.

use common::framing::Framing;
use common::greeting;

use super::hints;
use super::stage::{Evidence, Hint, hint, is_about_text};
use crate::peers::script::How;

/// What any stage may be the first to meet, if it is one of these.
pub fn met_anywhere(number: usize, seen: &Evidence<'_>) -> Option<Hint> {
    let (is_welcome, is_running) = (seen.expected == Some(greeting::WELCOME), !seen.is_gone);
    let is_turned_away = is_running && is_welcome && seen.is_over();
    if is_running && !seen.last_words.is_empty() && !seen.tables.is_left_open {
        return fallen_hint(seen);
    }
    if number == 1 && is_welcome {
        return welcome_hint(seen);
    }
    if is_running && seen.how == How::Refused || is_turned_away && seen.tables.is_closed {
        return refused_hint();
    }
    if seen.how == How::WentOn {
        return surplus_hint(seen);
    }
    if is_turned_away { turned_away_hint() } else { None }
}

/// A mistake in the words or their framing, which any stage may be the first to meet.
pub fn words_hint(seen: &Evidence<'_>) -> Option<Hint> {
    let name = name_in(seen);
    // One that said something and came to its end has no last words that tell more than what it said.
    if seen.is_gone && (seen.bytes.is_empty() || !seen.last_words.is_empty()) {
        return fallen_hint(seen);
    }
    if seen.how == How::Silent && seen.bytes.is_empty() {
        return None;
    }
    let expected = seen.expected.unwrap_or_default();
    let (is_line, is_length) = (seen.framing == Framing::Line, seen.framing == Framing::Length);
    if let Some(told) = zero_hint(seen) {
        return Some(told);
    }
    let begins = [b"Hello, ", expected].iter().any(|words| seen.bytes.starts_with(words));
    if !is_length && !expected.is_empty() && seen.has(expected) && !begins {
        return hint(
            "C7",
            "Something stands before the words: what puts a length or a header of its own in front (writeUTF, \
             writeObject) speaks another protocol. Send the bytes alone.",
            "前面多了东西：自己加长度或头部的写法（writeUTF、writeObject）是另一种协议。只发送这些字节本身。",
        );
    }
    // Nothing is behind it, or the next message.
    let is_unended = |behind: &[u8]| !behind.contains(&b'\n') || behind.starts_with(b"Hello, ");
    if is_line && !expected.is_empty() && seen.bytes.strip_prefix(expected).is_some_and(is_unended) {
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
    if is_length && !expected.is_empty() && seen.has(expected) {
        return hint(
            "C7",
            "The length in front is another one: four bytes, big-endian, for as many bytes of message as follow (and no \
             line feed).",
            "前面的长度不对：4 个字节，大端序，等于后面消息的字节数（没有换行符）。",
        );
    }
    if seen.bytes.starts_with(b"b'") || (!name.is_empty() && seen.has(&[b"b'", name].concat())) {
        return hints::python_words("C8");
    }
    if seen.framing == Framing::Raw && seen.bytes.trim_ascii_end() == expected && !expected.is_empty() {
        return line_feed_hint();
    }
    if seen.is_gone { fallen_hint(seen) } else { None }
}

/// What a string of C's has, and no message.
fn zero_hint(seen: &Evidence<'_>) -> Option<Hint> {
    let is_told = seen.framing != Framing::Length
        && (seen.bytes.ends_with(b"\0") || seen.has(b"\0Hello, ") || seen.has(b"\0!"));
    hint(
        "C7",
        "A zero byte is in it: it ends a string of C's, and no message (send strlen bytes, and not one more).",
        "里面有一个零字节：它结束的是 C 的字符串，不是消息（发送 strlen 个字节，不要多发）。",
    )
    .filter(|_| is_told)
}

/// It says something that nobody has asked for.
fn surplus_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if let Some(told) = zero_hint(seen) {
        return Some(told);
    }
    if seen.framing == Framing::Raw && seen.bytes.trim_ascii().is_empty() {
        return line_feed_hint();
    }
    if seen.bytes.starts_with(b"Hello, !") {
        return hint(
            "C7",
            "What is behind the last line feed is no name, even if it is empty: it is the beginning of the next message.",
            "最后一个换行符后面的不是名字，空的也不是：那是下一条消息的开头。",
        );
    }
    hint(
        "C8",
        "It says more than it should: Welcome! to whoever comes, one greeting for each name, and nothing else.",
        "它说得太多了：客户端来了说 Welcome!，每个名字一个问候，别的什么也不说。",
    )
}

fn line_feed_hint() -> Option<Hint> {
    hint(
        "C7",
        "Something stands behind the words: with raw framing there is no line feed (or use --framing line).",
        "后面多了东西：raw 没有换行符（或者用 --framing line）。",
    )
}

/// Another client is let in, and sent away unheard.
fn turned_away_hint() -> Option<Hint> {
    hint(
        "C9",
        "Another client is sent away: as long as the server runs, whoever comes has a conversation of his own.",
        "别的客户端被拒之门外：服务器运行期间，谁来都有自己的会话。",
    )
}

/// Words that are not those of the protocol.
pub fn answer_hint(seen: &Evidence<'_>) -> Option<Hint> {
    match seen.how {
        How::Silent if seen.tables.unread > 0 => hint(
            "C3",
            "It has not come to read what was sent: recv is not reached, or waits on another socket.",
            "它还没有读取发来的数据：没有执行到 recv，或者读的是另一个套接字。",
        ),
        How::Silent => hint(
            "C7",
            "A guess: it has read the name and waits for more, or its answer is printed and not sent, or sits in a \
             buffer: flush it.",
            "猜测：它读到了名字却还在等更多的数据，或者只打印了回答却没有发送，或者回答留在缓冲区里：要 flush。",
        ),
        How::Other if is_greeting_of_a_part(seen) => hint(
            "C3",
            "It answers the beginning of the name: recv(N) returns N bytes at most. Read on until the message's end.",
            "它回答的只是名字的开头：recv(N) 最多返回 N 字节。应一直读到消息的结尾。",
        ),
        How::Other | How::WentOn | How::Later | How::Elsewhere => hint(
            "C8",
            "The words have to be these to the letter: 'Hello, ', the name as it came (as many bytes as recv \
             returned), '!'.",
            "回复必须一字不差：“Hello, ”、原样的名字（recv 返回多少字节就是多少）、“!”。",
        ),
        How::Ended | How::Reset | How::Refused => hint(
            "C8",
            "It closes the connection where it should answer: the name is read and answered before that.",
            "它没有回答就关闭了连接：应先读取名字并回答。",
        ),
    }
}

/// Whether the greeting of a name's beginning came.
fn is_greeting_of_a_part(seen: &Evidence<'_>) -> bool {
    let name = name_in(seen);
    let part = seen.bytes.strip_prefix(b"Hello, ").and_then(|rest| rest.split(|byte| *byte == b'!').next());
    part.is_some_and(|part| !part.is_empty() && part.len() < name.len() && name.starts_with(part))
}

/// Why a program, or one of its threads, may have ended in the middle of it.
pub fn fallen_hint(seen: &Evidence<'_>) -> Option<Hint> {
    let words = seen.last_words.to_lowercase();
    if is_about_text(seen.last_words) {
        return hint(
            "M9",
            "What arrives need not be text, nor a whole character: work with bytes, and decode only to print.",
            "到达的不一定是文本，也不一定是完整的字符：一律按字节处理，打印时才解码。",
        );
    }
    if words.contains("not connected") {
        return on_the_listener();
    }
    if words.contains("bad file descriptor")
        || words.contains("socket closed")
        || words.contains("socket is closed")
    {
        return hint(
            "C13",
            "It goes on with a socket that it has closed: behind close, leave the loop; and close the one that accept \
             returned, not the listener.",
            "套接字已经关闭，却还在用：关闭之后就退出循环；要关闭的是 accept 返回的那个，不是监听套接字。",
        );
    }
    if words.contains("sigpipe") {
        return hint(
            "M8",
            "It sent to a client that had left, and the signal SIGPIPE ended it: ignore that signal (or send with \
             MSG_NOSIGNAL), and leave the loop when recv returns nothing.",
            "它向已经离开的客户端发送，被信号 SIGPIPE 终止：忽略这个信号（或用 MSG_NOSIGNAL 发送），recv 返回空就退出循环。",
        );
    }
    if words.contains("node.js v") && (words.contains("econnreset") || words.contains("epipe")) {
        return hint(
            "M8",
            "A reset is an event of one socket, 'error', and one that nobody handles ends the program: \
             socket.on('error', ...).",
            "复位是某个套接字的 'error' 事件，没有处理的错误会结束整个程序：socket.on('error', ...)。",
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
            "It came to the end of its code: a server goes on. Loop around accept, and in each conversation \
             around recv.",
            "程序运行到代码末尾就结束了，而服务器要一直运行：accept 放在循环里，每个会话里 recv 也放在循环里。",
        );
    }
    if !seen.is_gone {
        return hint(
            "C9",
            "An error has ended one conversation, and not the program: what it complains of says why.",
            "一个错误结束了一个会话，程序还在运行：原因见它报的错。",
        );
    }
    hint(
        "C9",
        "The whole server ended where one conversation did: its last words or its status say why. Loop around \
         accept, and let no client's error out of its own conversation.",
        "一个会话出了问题，整个服务器就结束了，原因见它最后的输出或状态。accept 要放在循环里，一个客户端的错误不能影响到会话之外。",
    )
}

fn on_the_listener() -> Option<Hint> {
    hint(
        "C8",
        "It speaks or reads on the listener, which is connected to nobody: use the socket that accept returned.",
        "它在监听套接字上收发，而监听套接字没有连接任何人：应使用 accept 返回的套接字。",
    )
}

/// The name that was said last, without its framing.
pub fn name_in<'a>(seen: &Evidence<'a>) -> &'a [u8] {
    match seen.framing {
        Framing::Line => seen.said.trim_ascii_end(),
        Framing::Length => seen.said.get(4..).unwrap_or_default(),
        Framing::Raw => seen.said,
    }
}

/// What is wrong before the first client is welcomed, in whatever stage it is met.
pub fn welcome_hint(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.tables.unaccepted > 0 {
        return hint(
            "C1",
            "connect succeeds before accept: the kernel shakes hands. Your program does not come to accept.",
            "connect 不等 accept 就成功：握手由内核完成。你的程序没有执行到 accept。",
        );
    }
    if seen.is_gone && seen.last_words.is_empty() && seen.bytes.is_empty() && !seen.said.is_empty() {
        return hint(
            "C8",
            "It has read, and come to its end, and Welcome! was never sent: send it before the first recv, and flush \
             it, where what is printed goes through a buffer.",
            "它读了数据，运行到结尾，Welcome! 却一直没有发出：先发送，再 recv；输出经过缓冲区的，还要 flush。",
        );
    }
    if seen.bytes.starts_with(b"Hello") {
        return hint(
            "C8",
            "It answers and never welcomes: send Welcome! as soon as accept returns, before the first recv.",
            "它只回答，不欢迎：accept 一返回就发送 Welcome!，然后才 recv。",
        );
    }
    if seen.is_gone && seen.last_words.to_lowercase().contains("broken pipe") {
        return on_the_listener();
    }
    // Who has been told a name has waited for the welcome in vain, whatever came then.
    let has_waited = seen.is_over() && !seen.said.is_empty();
    let how = if has_waited { How::Silent } else { seen.how };
    words_hint(seen).or_else(|| match how {
        How::Silent if seen.tables.unread > 0 => hint(
            "C8",
            "It neither says nor reads anything: send Welcome! as soon as accept returns, then recv.",
            "它既不说话，也不读取：accept 一返回就发送 Welcome!，然后 recv。",
        ),
        How::Silent => hint(
            "C8",
            "A guess: it says nothing to whoever comes, or reads first: send Welcome! as soon as accept returns, and \
             flush it, where what is printed goes through a buffer.",
            "猜测：客户端来了它什么也不说，或者先去读取：accept 一返回就发送 Welcome!；输出经过缓冲区的，还要 flush。",
        ),
        How::Other | How::WentOn | How::Later | How::Elsewhere => hint("C8", "The word has to be this to the letter: Welcome!", "必须一字不差：Welcome!"),
        How::Ended | How::Reset | How::Refused => hint(
            "C8",
            "The connection is closed as soon as it is made: keep the accepted socket while its client stays.",
            "刚连上就被关闭：客户端还在，就要留着 accept 返回的套接字。",
        ),
    })
}

/// A client is not let in, and the server runs.
fn refused_hint() -> Option<Hint> {
    hint(
        "C9",
        "Nobody listens any more: the listener stays open as long as the server runs, and what a conversation \
         closes is the socket that accept returned.",
        "没有人监听了：服务器运行期间监听套接字要一直开着，会话结束时关闭的是 accept 返回的那个套接字。",
    )
}

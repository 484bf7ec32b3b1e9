//! What is likely wrong with what a TCP server says, or with how it ends, in any stage.

use common::framing::{Framing, LIMIT};
use common::greeting::WELCOME;

use super::any::{self, NOT_TEXT};
use super::prelude::*;
use super::stage::Location;

/// What any stage may be the first to meet.
pub static ANYWHERE: &[Likely] = &[
    any::TEXT_FOR_BYTES,
    any::SLOW,
    is("bind-unchecked", has_not_bound, "stop",
        "bind failed: earlier connections still occupy the port (TIME_WAIT). Set SO_REUSEADDR before bind, and check what bind returns.",
        "bind 失败了：以前的连接还占着端口（TIME_WAIT）。在 bind 之前设置 SO_REUSEADDR，并检查 bind 的返回值。"),
    Among(|e| matches!(e.expected, Expected::Ready), any::START),
    Among(|e| !e.is_gone && e.complains() && !e.tables.is_left_open, FALLEN),
    Among(|e| e.number == 1 && e.wants(WELCOME), UNWELCOMED),
    is("listener-closed", |e| !e.is_gone && (e.how == How::Refused || (e.tables.is_closed && (is_turned_away(e) || (e.is_silent() && e.wants_end())))), "crowd",
        "Your server no longer listens: keep the listening socket open while the server runs. At the end of a conversation, close only the socket that accept returned.",
        "服务器不再监听了：服务器运行期间监听套接字要一直开着，会话结束时关闭的是 accept 返回的那个套接字。"),
    Among(|e| e.how == How::WentOn, SURPLUS),
    Among(other_around_the_name, &[all(WORDS), other_words(|_| true)]),
    is("turned-away", is_turned_away, "crowd",
        "Your server disconnects a client without a welcome: while the server runs, welcome and serve each client that connects, and keep the socket that accept returned open (in Python, also keep it in a variable) until its client disconnects.",
        "还没有欢迎，服务器就断开了一个客户端：服务器运行期间，每个连上的客户端都要欢迎并服务；客户端离开之前，accept 返回的套接字要一直开着（用 Python 的话，还要有变量引用它）。"),
];

/// The program, or one of its threads, died during a conversation.
pub static FALLEN: &[Likely] = &[
    is("decoded", |e| e.complains_of(NOT_TEXT), "half-char",
        "Decoding failed: what arrives is not always text, and may end in the middle of a character. Work with bytes, and decode only to print.",
        "解码失败：到达的不一定是文本，也不一定是完整的字符。一律按字节处理，打印时才解码。"),
    on_the_listener(|e| e.complains_of(&["not connected"])),
    is("closed-socket-used", |e| e.complains_of(&["bad file descriptor", "socket closed", "socket is closed"]), "crowd",
        "Your server uses a socket after closing it. Either it must leave the loop after close, or it closed the listening socket by mistake, and must close the one that accept returned.",
        "套接字已经关闭，却还在用：或者关闭之后没有退出循环，或者误关了监听套接字，要关闭的是 accept 返回的那个。"),
    is("client-error", |e| e.complains_of(&["reset", "sigpipe", "broken pipe", "epipe"]), "reset",
        "A client disconnected, and your server did not handle the error: catch the errors of each conversation (in Node.js: socket.on('error', ...); in C: ignore SIGPIPE, or send with MSG_NOSIGNAL), and serve the other clients.",
        "客户端断开了，你的服务器没有处理这个错误：每个会话的错误就在会话里捕获（Node.js：socket.on('error', ...)；C：忽略 SIGPIPE，或用 MSG_NOSIGNAL 发送），继续服务其他客户端。"),
    is("end-of-code", |e| !e.complains(), "crowd",
        "Your program reached its end and exited, but a server must keep running: call accept in a loop, and in each conversation call recv in a loop.",
        "程序运行到代码末尾就结束了，而服务器要一直运行：accept 放在循环里，每个会话里 recv 也放在循环里。"),
    is("ended-with-a-conversation", |_| true, "crowd",
        "An error ended a conversation, or the whole server: what your program printed last, or its exit status, says why. Call accept in a loop, and catch the errors of each conversation there.",
        "一个错误结束了一个会话，或者整个服务器：原因见程序最后的输出，或它的退出状态。accept 要放在循环里，每个会话的错误就在会话里捕获。"),
];

const fn on_the_listener(when: When) -> Likely {
    is("on-the-listener", when, "crowd",
        "Your server sends or receives on the listening socket, which has no connection: use the socket that accept returned.",
        "你的服务器在监听套接字上收发，而监听套接字没有连接：应使用 accept 返回的套接字。")
}

/// Wrong words, or a wrong mark of a message's end.
pub static WORDS: &[Likely] = &[
    // If the program sent something and reached its end, what it sent tells more.
    Among(|e| e.is_gone && (e.bytes.is_empty() || e.complains()), FALLEN),
    ZERO_BYTE,
    is("words-in-front", |e| e.framing != Framing::Length && e.has_message() && e.after_message().is_none() && !e.bytes.starts_with(b"Hello, "), "framing",
        "Your message begins with extra bytes: functions such as writeUTF and writeObject add a length or a header. Send only the bytes of the message.",
        "消息前面多了字节：writeUTF、writeObject 这样的函数会自己加上长度或头部。只发送消息本身的字节。"),
    is("no-line-feed", |e| e.framing == Framing::Line && e.after_message().is_some_and(is_unended), "framing",
        "Your messages lack a line feed: send one after each, or the client cannot tell where a message ends.",
        "消息末尾没有换行符：每条消息后面都要发一个，否则客户端不知道它在哪里结束。"),
    is("line-feed-kept", |e| e.framing == Framing::Line && (e.has_name(b"", b"\n!") || e.has_name(b"", b"\r\n!")), "framing",
        "The line feed marks the end of the message and is not part of the name: remove it.",
        "换行符只标明消息在哪里结束，不是名字的一部分：先去掉它。"),
    is("wrong-length", |e| e.framing == Framing::Length && (e.has_message() || matches!(e.bytes, [1..=u8::MAX, 0, 0, 0, ..])), "framing",
        "Before each message must come four bytes, big-endian (htonl in C, '>I' in Python), with the number of bytes that follow (and no line feed).",
        "每条消息前面要有 4 个字节，大端序（htonl；'>I'），等于后面消息的字节数（没有换行符）。"),
    any::PYTHON_WORDS,
    line_feed_in_raw(|e| e.framing == Framing::Raw && !e.wants(b"") && e.wants(e.bytes.trim_ascii_end())),
    Among(|e| e.is_gone, FALLEN),
];
const fn line_feed_in_raw(when: When) -> Likely {
    is("line-feed-in-raw", when, "framing",
        "Your message has extra bytes at its end: with --framing raw, send no line feed. (If you want line feeds, grade with --framing line.)",
        "消息末尾多了字节：--framing raw 不发换行符。（想用换行符，评判时就用 --framing line。）")
}

/// The first client is not welcomed.
pub static UNWELCOMED: &[Likely] = &[
    is("never-accepts", |e| e.tables.unaccepted > 0, "socket",
        "Your program does not reach accept. (The client is connected all the same: the kernel completes the handshake, with or without accept.)",
        "你的程序没有执行到 accept。（客户端照样连得上：三次握手由内核完成，不等 accept。）"),
    on_the_listener(|e| e.is_gone && e.complains_of(&["broken pipe"])),
    all(WORDS),
    is("welcome-waits", |e| e.how == How::Later || e.bytes.starts_with(b"Hello") || has_waited_in_vain(e), "crowd",
        "The welcome comes too late, or not at all: send Welcome! as soon as accept returns, before the first recv, and flush it if the output is buffered.",
        "欢迎来得太晚，或者没有来：accept 一返回就发送 Welcome!，不要先 recv；输出经过缓冲区的，还要 flush。"),
    is("other-welcome", |e| matches!(e.how, How::Other | How::WentOn), "crowd",
        "The first message to a client must be exactly: Welcome!",
        "给客户端的第一条消息必须一字不差：Welcome!"),
];

/// The server says more than it was asked for.
pub static SURPLUS: &[Likely] = &[
    is("limit-counts-the-end", |e| e.bytes.starts_with(b"Hello, !") && e.name().len() >= LIMIT, "end",
        "Your limit of 1024 bytes also counts the line feed: your server read the name without its line feed, and took the line feed for an empty name. Count only the name.",
        "1024 字节的上限把换行符也算了进去：1024 字节的名字读到了，换行符却成了另一个名字。上限要给结尾标记留出位置。"),
    ZERO_BYTE,
    line_feed_in_raw(|e| e.framing == Framing::Raw && e.bytes.trim_ascii().is_empty()),
    is("rest-is-no-name", |e| e.bytes.starts_with(b"Hello, !"), "framing",
        "Your server answers what comes after the last line feed, which is nothing, as if it were a name: answer only names that end with a line feed.",
        "最后一个换行符后面还什么都没有收到，那不是空的名字。只回答以换行符结尾的名字。"),
    is("says-too-much", |_| true, "crowd",
        "Your server sends too much: send Welcome! to each client that connects, one greeting for each name, and nothing else.",
        "它说得太多了：客户端来了说 Welcome!，每个名字一个问候，别的什么也不说。"),
];

/// No answer, or a wrong one.
pub static ANSWER: &[Likely] = &[
    is("not-read", |e| e.is_silent() && e.tables.unread > 0, "end",
        "Your server has not read everything that the client sent: it does not call recv, or not again, or calls it on another socket.",
        "客户端发来的数据，服务器没有读完：没有调用 recv，或者没有再次调用，或者读的是另一个套接字。"),
    is("reads-on", |e| e.how == How::Silent, "framing",
        "The client waits for your server's next message. Perhaps your server waits in recv for more, because it does not notice that the name is complete; or it only prints its answer; or the answer is still in a buffer (flush it).",
        "客户端在等服务器的下一条消息。也许服务器还在 recv 里等：它没看出名字已经收齐；也许只打印了回答，没有发送；也许回答留在缓冲区里（要 flush）。"),
    pieces_not_joined(|e| e.how == How::Other && is_greeting_of_a_part(e)),
    other_words(|e| matches!(e.how, How::Other | How::WentOn)),
    is("closed-unanswered", |_| true, "crowd",
        "Your server closes the connection instead of answering: read the name and answer it first.",
        "它没有回答就关闭了连接：应先读取名字并回答。"),
];

pub const fn pieces_not_joined(when: When) -> Likely {
    is("pieces-not-joined", when, "glued",
        "A name may arrive in several pieces, and recv(N) returns at most N bytes: add each piece to a buffer, look there for the end of the message, and only then answer.",
        "一个名字可能分几段到达，recv(N) 最多返回 N 字节：每一段都放进缓冲区，在那里找消息的结尾，找到了才回答。")
}

const fn other_words(when: When) -> Likely {
    is("other-words", when, "crowd",
        "The answer must be exactly 'Hello, ', then the name as it arrived (only the bytes that recv returned, and nothing of an earlier name), then '!'.",
        "回复必须一字不差：“Hello, ”、原样的名字（recv 返回多少字节就是多少，没有先前名字留下的部分）、“!”。")
}

/// A client has disconnected.
pub static LEFT: &[Likely] = &[
    is("answers-the-end", |e| e.has(b"Hello, !") || (e.how == How::Other && e.wants_end()) || (e.is_gone && e.complains_of(&["broken pipe"])), "end",
        "Your server answers the end of the stream: when recv returns nothing, the client has disconnected, and what it began to say is no name. Send nothing, and leave the loop.",
        "流结束也回答了：recv 返回空，说明客户端已经离开，没说完的不是名字。结束这个会话，不再回答。"),
    Among(|e| e.is_gone, FALLEN),
    busy_with_the_end(|e| e.tables.unaccepted > 0 || e.is_silent()),
    one_buffer(|e| e.has(&e.names.of(MICHAEL)[..4])),
    all(WORDS),
    all(ANSWER),
];

/// The next client is not served; what the stage is about has not been tried with it yet.
pub static NEXT_UNSERVED: &[Likely] = &[Among(|e| e.is_gone, FALLEN), busy_with_the_end(|e| e.how == How::Silent)];

const fn busy_with_the_end(when: When) -> Likely {
    is("busy-with-the-end", when, "end",
        "A client has disconnected, and your server is not done with it: when recv returns nothing, leave the loop, close the socket wherever it is open (in a file object, in another process), and serve the next client.",
        "客户端已经离开，服务器却没有结束为它的服务：recv 返回空就退出循环，关闭套接字（共用它的文件对象、另一个进程里也要关闭），服务下一个客户端。")
}

pub const fn one_buffer(when: When) -> Likely {
    is("one-buffer", when, "crowd",
        "This answer contains what another client sent: each conversation needs its own buffer.",
        "回答里有别的客户端说的话：每个会话要有自己的缓冲区。")
}

const ZERO_BYTE: Likely = is("zero-byte", |e| e.framing != Framing::Length && (e.bytes.ends_with(b"\0") || e.has(b"\0Hello, ") || e.has(b"\0!")), "framing",
    "Your message contains a zero byte: it ends a string in C, but is not part of a message. Send only the strlen(message) bytes before it.",
    "消息里有一个零字节：它结束 C 的字符串，但不是消息的一部分。只发送它前面的 strlen(消息) 个字节。");

/// Its port is held by earlier connections, and it is nowhere near it.
fn has_not_bound(seen: &Evidence<'_>) -> bool {
    let Location { is_port_held, is_other_protocol, has_left, .. } = seen.location;
    let is_near = |port: &u16| seen.location.has_port(*port);
    let is_elsewhere = is_other_protocol || [seen.at.port(), seen.at.port().swap_bytes()].iter().any(is_near);
    matches!(seen.expected, Expected::Ready) && !seen.is_gone && is_port_held && !has_left && !is_elsewhere
}

/// Nothing comes after it, or the next message does.
fn is_unended(after: &[u8]) -> bool {
    !after.contains(&b'\n') || after.starts_with(b"Hello, ")
}

fn is_turned_away(seen: &Evidence<'_>) -> bool {
    !seen.is_gone && seen.wants(WELCOME) && seen.is_over()
}

/// Nothing came, or an end once a name was sent in place of waiting.
fn has_waited_in_vain(seen: &Evidence<'_>) -> bool {
    seen.is_silent() || (seen.is_over() && !seen.said.is_empty())
}

fn is_greeting_of_a_part(seen: &Evidence<'_>) -> bool {
    let part = seen.bytes.strip_prefix(b"Hello, ").and_then(|rest| rest.split(|byte| *byte == b'!').next());
    part.is_some_and(|part| {
        !part.is_empty() && part.len() < seen.name().len() && seen.name().starts_with(part)
    })
}

//! What is likely wrong with a TCP server, by the stage in which it is met.

use common::framing;

use super::hints;
use super::stage::{Evidence, Hint, hint};
use super::tcp_server_words::{answer_hint, fallen_hint, name_in, words_hint};
use crate::peers::script::How;

pub fn greets(seen: &Evidence<'_>) -> Option<Hint> {
    words_hint(seen).or_else(|| answer_hint(seen))
}

pub fn again(seen: &Evidence<'_>) -> Option<Hint> {
    if let Some(told) = words_hint(seen) {
        return Some(told);
    }
    if seen.is_over() || (seen.tables.unread > 0 && seen.how == How::Silent) {
        return hint(
            "C13",
            "It reads one name and no more: recv in a loop, until exit or the end.",
            "它只读一个名字：要循环 recv，直到 exit 或流结束。",
        );
    }
    if seen.bytes.starts_with(b"Hello, ") && seen.expected.is_some_and(|expected| !expected.is_ascii()) {
        return hint(
            "M13",
            "This name is not ASCII, and does not come back as it came: pass its bytes on, or decode and encode them \
             both as UTF-8.",
            "这个名字不是 ASCII，没有原样返回：直接传递它的字节，或者解码和编码都用 UTF-8。",
        );
    }
    // A whole name, or what a shorter one leaves of it.
    let older = [&b"Michael"[..], b"Tracy\nl", b"Tracyel"].into_iter().filter(|name| *name != name_in(seen));
    if older.clone().any(|name| seen.has(name)) {
        return hint(
            "C7",
            "An earlier name is in this answer: only the bytes that this recv returned are new in the buffer.",
            "回答里有先前的名字：缓冲区里只有这次 recv 返回的那些字节是新的。",
        );
    }
    if seen.how == How::Silent {
        return hint(
            "C13",
            "A guess: it takes one name and no more. recv in a loop (or handle every event), until exit or the end.",
            "猜测：它只处理一个名字。要循环 recv（或处理每一次事件），直到 exit 或流结束。",
        );
    }
    answer_hint(seen)
}

pub fn exit(seen: &Evidence<'_>) -> Option<Hint> {
    let is_end_expected = seen.expected.is_none();
    let has_just_ended = seen.last_words.is_empty() || seen.last_words.starts_with("exit ");
    if seen.is_gone && has_just_ended {
        return hint(
            "C13",
            "exit closes the connection that said it, and does not end the server.",
            "exit 只关闭说 exit 的那个连接，不结束服务器。",
        );
    }
    if let Some(told) = words_hint(seen).filter(|_| seen.is_gone) {
        return Some(told);
    }
    if seen.is_over() && name_in(seen) == b"exiting" {
        return hint(
            "C13",
            "exit is a whole message: a name that begins with it, or has it in it, is a name.",
            "exit 是整条消息：以它开头、包含它的名字，还是名字。",
        );
    }
    match seen.how {
        How::Reset if is_end_expected => hint(
            "M8",
            "A socket that is closed with something unread in it sends a reset (as one does that is told to: \
             SO_LINGER, destroy): read it all, then close.",
            "还有未读的数据就关闭套接字，发出的是复位（要求它复位时也是：SO_LINGER、destroy）：先读完，再关闭。",
        ),
        How::Other if is_end_expected && seen.has(b"exit") => hint(
            "C13",
            "exit is greeted like a name: compare the message, its line feed taken off, with exit, before it is \
             answered.",
            "exit 被当成名字问候了：先去掉换行符，与 exit 比较，然后才回答。",
        ),
        How::Other if is_end_expected => hint(
            "C13",
            "exit is not answered: the connection is closed, and nothing is said before.",
            "exit 不需要回答：什么也不说，直接关闭连接。",
        ),
        How::Silent if is_end_expected && seen.tables.is_closed => hint(
            "C13",
            "It closes the listener: what exit closes is the socket that accept returned.",
            "它关闭的是监听套接字：exit 要关闭的是 accept 返回的那个套接字。",
        ),
        How::Silent if is_end_expected => hint(
            "C13",
            "A guess: it leaves the loop and does not close the socket, or closes another client's, or a copy of it \
             (a file made of it, another process) keeps it open.",
            "猜测：退出了循环却没有关闭套接字，或者关闭了别的客户端的，或者它的副本（由它得到的文件对象、另一个进程）还开着。",
        ),
        _ => hint(
            "C13",
            "exit closes the connection that said it; the others go on.",
            "exit 只关闭说 exit 的那个连接，其他的照常。",
        ),
    }
}

pub fn leaves(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.is_gone && seen.last_words.to_lowercase().contains("broken pipe") {
        return hint(
            "C3",
            "It answers a client that has left: when recv returns nothing, that is the end. Leave the loop.",
            "它在回答已经离开的客户端：recv 返回空就是流结束，应退出循环。",
        );
    }
    if seen.is_gone {
        return fallen_hint(seen);
    }
    if seen.has(b"Hello, Mic!") {
        return hint(
            "C7",
            "Mich broke off, and has lost a byte: take off a line feed only where there is one - without it, the \
             name is not complete.",
            "Mich 没说完，又丢了一个字节：有换行符才去掉它；没有，名字就还没收齐。",
        );
    }
    if seen.has(b"Hello, !") || (seen.how == How::Other && seen.expected.is_none()) {
        return hint(
            "C3",
            "The end is answered: when recv returns nothing, the client has left. Say nothing, and leave the loop.",
            "流结束也回答了：recv 返回空，说明客户端已经离开。什么也不说，退出循环。",
        );
    }
    if seen.tables.unaccepted > 0 || (seen.how == How::Silent && seen.expected.is_some()) {
        return hint(
            "C3",
            "A client has left and the server is still busy with it: when recv returns nothing, leave the \
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
    if seen.has(b"Mich") {
        return hint(
            "C9",
            "What another client said is in this answer: each conversation has a buffer of its own.",
            "回答里有别的客户端说的话：每个会话要有自己的缓冲区。",
        );
    }
    words_hint(seen).or_else(|| answer_hint(seen))
}

pub fn one_at_a_time() -> Option<Hint> {
    hint(
        "C9",
        "It serves one client at a time, and the others wait in the backlog: give each a thread (or a \
         process, a task, a poll loop), and go back to accept at once.",
        "它一次只服务一个客户端，其他的在 backlog 里等：给每个客户端一个线程（或进程、任务、轮询），然后立刻回到 accept。",
    )
}

pub fn crowd(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.tables.unaccepted > 0 || seen.how == How::Later {
        return one_at_a_time();
    }
    if seen.is_gone {
        return fallen_hint(seen);
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

pub fn glued(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.has(b"exit") {
        return hints::one_recv();
    }
    if seen.how == How::Silent && seen.expected.is_none() {
        return hint(
            "M1",
            "Of what one recv returned, only the first message was taken: the rest waits in the buffer for \
             its turn, and no recv is needed for it. (Or exit closes nothing: see --stage exit.)",
            "一次 recv 返回的数据里只取了第一条消息：其余的还在缓冲区里，不必再 recv 就该处理。（或者 exit 没有关闭连接：见 --stage exit。）",
        );
    }
    if seen.is_over() && seen.expected.is_some() {
        return hint(
            "M1",
            "A guess: exit was obeyed before the name in front of it was answered. Cut what came into messages, and \
             be done with one before the next.",
            "猜测：前面的名字还没回答，exit 就先执行了。应先切成一条条消息，处理完一条再处理下一条。",
        );
    }
    words_hint(seen).or_else(|| answer_hint(seen))
}

pub fn cut(seen: &Evidence<'_>) -> Option<Hint> {
    let answers = seen.bytes.windows(7).filter(|window| window == b"Hello, ").count();
    if !seen.is_gone && answers > 1 {
        return answered_a_part();
    }
    if seen.is_gone || seen.is_over() || seen.has("\u{fffd}".as_bytes()) {
        return hint(
            "M9",
            "Half a character was decoded: a message is complete where its end is, and only then text.",
            "解码了半个字符：到了消息的结尾才算收齐，那时才是文本。",
        );
    }
    if seen.how == How::Other {
        return answered_a_part();
    }
    hint(
        "M1",
        "A guess: of a name that came in several reads, only the last one is kept, or none.",
        "猜测：名字分几次读到，它只留下了最后一次的，或者都没留下。",
    )
}

fn answered_a_part() -> Option<Hint> {
    hint(
        "M1",
        "It answered a part of the name: one recv was taken for one message. Read on until its end.",
        "它回答的只是名字的一部分：把一次 recv 当成了一条消息。应一直读到消息的结尾。",
    )
}

pub fn bytes(seen: &Evidence<'_>) -> Option<Hint> {
    let name = seen.expected.and_then(|greeting| greeting.strip_prefix(b"Hello, ")?.strip_suffix(b"!"));
    match name {
        Some(b"") => hint(
            "C3",
            "An empty name is a message of no bytes, and not the end: only a recv that returns nothing is.",
            "空名字是一条零字节的消息，不是结束：只有 recv 返回空才是结束。",
        ),
        Some(b"   ") => hint(
            "C7",
            "The blanks are gone, or were skipped: take off the one line feed that ends the message, and no more (no \
             strip, trim or scanf).",
            "空格丢了，或者被跳过了：只去掉标明消息结尾的那一个换行符，别的不动（不要用 strip、trim、scanf）。",
        ),
        _ => hints::not_as_it_came(),
    }
}

pub fn long(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.expected.is_some_and(|expected| expected.len() > framing::LIMIT) {
        return hint(
            "C3",
            "Its buffer, or its limit, is full before the message is complete: recv(1024) returns at most 1024 bytes, \
             and the message has its framing besides. Read on until its end, and count the name alone.",
            "消息还没收齐，缓冲区或上限就满了：recv(1024) 最多返回 1024 字节，消息还要加上边界标记。应一直读到消息的结尾，计数只算名字。",
        );
    }
    if seen.is_gone {
        return fallen_hint(seen);
    }
    hint(
        "C3",
        "A name that is too long is one client's affair: answer or refuse it, and serve the next.",
        "名字太长只是那一个客户端的事：回答或拒绝它，然后继续服务。",
    )
}

pub fn half_close(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.is_gone {
        return fallen_hint(seen);
    }
    if seen.is_over() && seen.expected.is_some() {
        return hint(
            "C11",
            "The client has ended its half, not yours: answer all that came before the end, then close.",
            "客户端只关闭了它那一半：结束之前收到的都要回答，然后再关闭。",
        );
    }
    leaves(seen)
}

pub fn reset(seen: &Evidence<'_>) -> Option<Hint> {
    if seen.is_gone && seen.last_words.contains("Node.js v") {
        return fallen_hint(seen);
    }
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

pub fn stops(seen: &Evidence<'_>) -> Option<Hint> {
    match seen.how {
        How::Reset => hint(
            "M8",
            "The client sees a reset: end its half (shutdown) before the program ends.",
            "客户端看到的是复位：程序结束之前先 shutdown 写端。",
        ),
        How::Other => hint(
            "C13",
            "Its client is told something before the end: close without a word.",
            "结束之前客户端还收到了别的：什么也不说，直接关闭。",
        ),
        _ => hint(
            "C20",
            "It has ended, and its client sees no end: something that it has started still has the connection.",
            "它结束了，客户端却看不到流结束：它启动的别的进程还占着这个连接。",
        ),
    }
}

/// It ends, but only with its last client.
pub fn is_held() -> Option<Hint> {
    hint(
        "-",
        "A client that is still there holds it: shut down the sockets of all of them (shutdown; close alone wakes no \
         thread that reads). Or let the threads that wait for clients be daemon threads.",
        "还连着的客户端拖住了它：把它们的套接字都 shutdown（只 close 唤不醒正在读的线程）。或者把等待客户端的线程设为守护线程。",
    )
}

/// It has begun to end, and is not through with it.
pub fn is_ending() -> Option<Hint> {
    hint(
        "-",
        "A guess: it has begun to end, and waits for something: for a thread that waits for its client (shut the \
         clients' sockets down), or for a time that is too long.",
        "猜测：它开始结束了，却还在等什么：等一个正在等待客户端的线程（应 shutdown 客户端的套接字），或者等的时间太长。",
    )
}

//! What is likely wrong with a TCP server, by what came where something else was expected.

use common::framing::{self, Framing};

use super::stage::{Hint, Seen, hint, is_about_text};
use crate::peers::found::How;

/// A mistake in the words or their framing, which any stage may be the first to meet.
fn words_hint(seen: &Seen<'_>) -> Option<Hint> {
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
        return hint(
            "C8",
            "These are Python's words for bytes: put bytes together as bytes, or decode them first.",
            "这是 Python 打印 bytes 的样子：用 bytes 拼接，或者先解码。",
        );
    }
    if seen.framing == Framing::Raw && seen.bytes.trim_ascii_end() == expected && !expected.is_empty() {
        return line_feed_hint();
    }
    if seen.is_gone { fallen_hint(seen) } else { None }
}

/// What a string of C's has, and no message.
fn zero_hint(seen: &Seen<'_>) -> Option<Hint> {
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
pub fn surplus_hint(seen: &Seen<'_>) -> Option<Hint> {
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
pub fn turned_away_hint() -> Option<Hint> {
    hint(
        "C9",
        "Another client is sent away: as long as the server runs, whoever comes has a conversation of his own.",
        "别的客户端被拒之门外：服务器运行期间，谁来都有自己的会话。",
    )
}

pub fn greets(seen: &Seen<'_>) -> Option<Hint> {
    words_hint(seen).or_else(|| answer_hint(seen))
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
            "A guess: it has read the name and waits for more, or its answer is printed and not sent, or sits in a \
             buffer: flush it.",
            "猜测：它读到了名字却还在等更多的数据，或者只打印了回答却没有发送，或者回答留在缓冲区里：要 flush。",
        ),
        How::Other if is_greeting_of_a_part(seen) => hint(
            "C3",
            "It answers the beginning of the name: recv(N) returns N bytes at most. Read on until the message's end.",
            "它回答的只是名字的开头：recv(N) 最多返回 N 字节。应一直读到消息的结尾。",
        ),
        How::Other | How::WentOn => hint(
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
fn is_greeting_of_a_part(seen: &Seen<'_>) -> bool {
    let name = name_in(seen);
    let part = seen.bytes.strip_prefix(b"Hello, ").and_then(|rest| rest.split(|byte| *byte == b'!').next());
    part.is_some_and(|part| !part.is_empty() && part.len() < name.len() && name.starts_with(part))
}

/// Why a program, or one of its threads, may have ended in the middle of it.
pub fn fallen_hint(seen: &Seen<'_>) -> Option<Hint> {
    let words = seen.last_words.to_lowercase();
    if is_about_text(seen.last_words) {
        return hint(
            "M9",
            "What arrives need not be text, nor a whole character: work with bytes, and decode only to print.",
            "到达的不一定是文本，也不一定是完整的字符：一律按字节处理，打印时才解码。",
        );
    }
    if words.contains("not connected") {
        return hint(
            "C8",
            "It speaks or reads on the listener, which is connected to nobody: use the socket that accept returned.",
            "它在监听套接字上收发，而监听套接字没有连接任何人：应使用 accept 返回的套接字。",
        );
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
        return hint(
            "C8",
            "It speaks on the listener, which is connected to nobody: use the socket that accept returned.",
            "它在监听套接字上说话，而监听套接字没有连接任何人：应使用 accept 返回的套接字。",
        );
    }
    // Who has been told a name has waited for the welcome in vain, whatever came then.
    let has_waited = seen.is_over() && !seen.said.is_empty();
    let how = if has_waited { How::Silent } else { seen.how };
    words_hint(seen).or_else(|| match how {
        How::Silent if seen.unread > 0 => hint(
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
        How::Other | How::WentOn => hint("C8", "The word has to be this to the letter: Welcome!", "必须一字不差：Welcome!"),
        How::Ended | How::Reset | How::Refused => hint(
            "C8",
            "The connection is closed as soon as it is made: keep the accepted socket while its client stays.",
            "刚连上就被关闭：客户端还在，就要留着 accept 返回的套接字。",
        ),
    })
}

pub fn again(seen: &Seen<'_>) -> Option<Hint> {
    if let Some(told) = words_hint(seen) {
        return Some(told);
    }
    if seen.is_over() || (seen.unread > 0 && seen.how == How::Silent) {
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

/// A client is not let in, and the server runs.
pub fn refused_hint() -> Option<Hint> {
    hint(
        "C9",
        "Nobody listens any more: the listener stays open as long as the server runs, and what a conversation \
         closes is the socket that accept returned.",
        "没有人监听了：服务器运行期间监听套接字要一直开着，会话结束时关闭的是 accept 返回的那个套接字。",
    )
}

pub fn exit(seen: &Seen<'_>) -> Option<Hint> {
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
        How::Silent if is_end_expected && seen.is_closed => hint(
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

pub fn leaves(seen: &Seen<'_>) -> Option<Hint> {
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
    if seen.unaccepted > 0 || (seen.how == How::Silent && seen.expected.is_some()) {
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

pub fn crowd(seen: &Seen<'_>) -> Option<Hint> {
    if seen.unaccepted > 0 {
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

pub fn glued(seen: &Seen<'_>) -> Option<Hint> {
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

pub fn cut(seen: &Seen<'_>) -> Option<Hint> {
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

pub fn bytes(seen: &Seen<'_>) -> Option<Hint> {
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
        _ => hint(
            "M13",
            "A name is bytes, and need not be UTF-8: give them back as they came, and decode only to print.",
            "名字是字节，不一定是 UTF-8：原样返回，打印时才解码。",
        ),
    }
}

pub fn long(seen: &Seen<'_>) -> Option<Hint> {
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

pub fn half_close(seen: &Seen<'_>) -> Option<Hint> {
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

pub fn reset(seen: &Seen<'_>) -> Option<Hint> {
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

pub fn stops(seen: &Seen<'_>) -> Option<Hint> {
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

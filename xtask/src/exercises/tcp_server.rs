//! A TCP server: with one client, with many, and with careless ones.

use common::framing::LIMIT;
use common::greeting::{EXIT, WELCOME};

use super::any::{self, one_recv};
use super::stage::Likely::Among;
use super::stage::{Evidence, Exercise, Stage, all, is, other, silent, stage};
use super::tcp_words::{ANSWER, ANYWHERE, FALLEN, LEFT, UNWELCOMED, WORDS};
use super::{CHINESE, EXITING, MICHAEL, NOT_UTF8, SARAH, SPACES, TRACY};
use crate::peers::script::How;
use crate::peers::script::Step::{
    BreaksOff, Comes, Enters, Greeted, Hears, HearsAnything, HearsGreeting, HearsHalfAtMost, HearsNoMore,
    HearsOr, HearsTheEnd, IsInterrupted, Leaves, NeedsBoundary, Resets, Rest, Restarts, Says, SaysByBytes,
    SaysNoMore, Starts, Stays, Waits,
};
use crate::wire::event::Side;
use crate::wire::kernel::Protocol;
use crate::words::Words;

/// A TCP server.
pub static TCP_SERVER: Exercise = Exercise {
    name: "tcp-server",
    description: Words::fixed(
        "Sends Welcome! to each client, answers each name with Hello, NAME!, and closes the connection on exit. By \
         default, a message ends at a line feed. With --framing length, four bytes before it give its length; with --framing \
         raw, whatever one read returns is a message.",
        "对每个客户端说 Welcome!，收到名字回复 Hello, NAME!，收到 exit 就关闭连接。一条消息默认以换行符结尾。\
         用 --framing length，前面有四个字节写明它的长度；用 --framing raw，一次读取的内容就是一条消息。",
    ),
    places: &["{port}"],
    transport: Protocol::Tcp,
    side: Side::Server,
    framing: None,
    required_first: 3,
    stages: STAGES,
    anywhere: ANYWHERE,
    otherwise: &[],
};

/// In the order in which a server is built.
#[rustfmt::skip]
static STAGES: &[Stage] = &[
    stage("listens", "C8", ("binds and listens at the given address", "在给定的地址和端口上监听"),
        &[Starts, Stays],
        &[]),

    stage("welcome", "C8", ("sends Welcome! to each client that connects", "对每个连上的客户端说 Welcome!"),
        &[Starts, Enters(1), Rest, HearsNoMore(1)],
        &[all(UNWELCOMED)]),

    stage("greets", "C8", ("answers Michael with Hello, Michael!", "收到 Michael，回复 Hello, Michael!"),
        &[Starts, Enters(1), Greeted(1, MICHAEL), Rest, HearsNoMore(1)],
        &[all(WORDS), all(ANSWER)]),

    stage("again", "C8", ("answers three names, one after another", "依次回答三个名字"),
        &[Starts, Enters(1), Greeted(1, MICHAEL), Greeted(1, TRACY), Greeted(1, CHINESE)],
        &[
            all(WORDS),
            is("one-name-read", |e| e.is_over() || (e.is_silent() && e.tables.unread > 0), "crowd",
                "Your server reads only one name: call recv in a loop, until exit or the end of the stream.",
                "它只读一个名字：要循环 recv，直到 exit 或流结束。"),
            is("name-recoded", |e| e.bytes.starts_with(b"Hello, ") && e.message().is_some_and(|name| !name.is_ascii()), "not-text",
                "This name is not ASCII, and comes back changed: send back the bytes that arrived. If you decode them, use UTF-8 for that and for encoding the answer.",
                "这个名字不是 ASCII，没有原样返回：把到达的字节原样发回；要解码的话，解码和编码回复都用 UTF-8。"),
            is("earlier-name", has_an_earlier_name, "framing",
                "This answer contains a part of an earlier name, which is still in your buffer: use only the first n bytes, where n is what this recv returned, or clear the buffer after each answer.",
                "回答里有先前名字的一部分，它还留在缓冲区里：只用前 n 个字节（n 是这次 recv 返回的字节数），或者每次回答之后清空缓冲区。"),
            is("one-name-taken", silent, "crowd",
                "A guess: your server answers only the first name. Call recv in a loop until exit or the end of the stream (with events: handle every one).",
                "猜测：服务器只回答第一个名字。要循环 recv，直到 exit 或流结束（用事件的话，每一次都要处理）。"),
            all(ANSWER),
        ]),

    // First with no other client. Then #3 is welcomed before #2 says exit, and so is served at the same time.
    stage("exit", "C13", ("on exit, closes only this connection, with an end of stream and no reset",
                          "收到 exit 就关闭这个连接，只关闭这一个；是流结束，不是复位"),
        &[Starts, Enters(1), Says(1, &[EXIT]), HearsTheEnd(1), Enters(2), Comes(3), Waits(3), Says(2, &[EXIT]), HearsTheEnd(2),
          Hears(3, WELCOME), Greeted(3, EXITING)],
        &[
            is("exit-ends-all", |e| e.is_gone && e.output.is_empty() && (e.status.is_empty() || e.status.starts_with("exit ")), "crowd",
                "The message exit ends only the connection that it came on: close that connection, and keep the server running.",
                "exit 这条消息只结束发来它的那个连接：关闭那个连接，服务器继续运行。"),
            Among(|e| e.is_gone, WORDS),
            is("exit-anywhere", |e| e.is_over() && e.name() == EXITING, "crowd",
                "Only a message that is exactly exit closes the connection: a name that begins with exit or contains it is a name, and must be answered.",
                "整条消息正好是 exit，才关闭连接：以 exit 开头、包含 exit 的名字还是名字，要回答。"),
            is("exit-reset", |e| e.wants_end() && e.how == How::Reset, "reset",
                "The client got a reset: your server closed a socket that had unread bytes. Read everything, then close. (The option SO_LINGER and, in Node.js, destroy() can also send a reset.)",
                "客户端收到的是复位：服务器关闭套接字时，里面还有未读的数据。先读完，再关闭。（选项 SO_LINGER、Node.js 的 destroy() 也会发出复位。）"),
            is("exit-greeted", |e| e.wants_end() && e.is_other() && e.has(EXIT), "crowd",
                "Your server greets exit like a name: remove the line feed and compare the message with exit before you answer it.",
                "exit 被当成名字问候了：先去掉换行符，与 exit 比较，然后才回答。"),
            is("exit-answered", |e| e.wants_end() && e.is_other(), "crowd",
                "Do not answer exit: close the connection without sending anything.",
                "exit 不需要回答：什么也不说，直接关闭连接。"),
            is("exit-closes-listener", |e| e.wants_end() && e.is_silent() && e.tables.is_closed, "crowd",
                "Your server closed its listening socket: on exit, close the socket that accept returned.",
                "服务器关闭了监听套接字：收到 exit，要关闭的是 accept 返回的那个套接字。"),
            is("exit-left-open", |e| e.wants_end() && e.is_silent(), "crowd",
                "A guess: after exit, your server did not close this client's socket, or closed another client's socket. Or the socket is still open in another place: in a file object made from it, or in another process.",
                "猜测：收到 exit 之后，没有关闭这个客户端的套接字，或者关闭了别的客户端的；或者它在别处还开着：由它得到的文件对象，或另一个进程。"),
            is("exit-hurts-others", |_| true, "crowd",
                "The message exit closes only the connection that it came on; the other connections must continue.",
                "exit 这条消息只关闭发来它的那个连接，其他连接照常。"),
        ]),

    stage("leaves", "C3", ("handles clients that disconnect, silently or in the middle of a message",
                           "客户端什么也没发，或一条消息只发了一半就断开：结束这个会话，不再回答"),
        &[Starts, Enters(1), Leaves(1), Enters(2), SaysNoMore(2), HearsTheEnd(2), Enters(3), BreaksOff(3, MICHAEL),
          HearsHalfAtMost(3), Enters(4), Greeted(4, TRACY)],
        LEFT),

    stage("crowd", "C9", ("serves three clients at once, in any order", "同时服务三个客户端，谁先说话都行"),
        &[Starts, Enters(1), Comes(2), Comes(3), HearsOr(2, WELCOME, &[Leaves(1)]), HearsOr(3, WELCOME, &[Leaves(1)]),
          Greeted(3, SARAH), Greeted(2, TRACY), Greeted(1, MICHAEL)],
        &[
            is("one-at-a-time", |e| e.tables.unaccepted > 0 || e.how == How::Later, "crowd",
                "Your server serves one client at a time, and the others wait in the backlog: give each client a thread (or a process, or a task, or use a poll loop), and call accept again at once.",
                "它一次只服务一个客户端，其他的在全连接队列（backlog）里等：给每个客户端一个线程（或进程、任务、轮询），然后立刻回到 accept。"),
            Among(|e| e.is_gone, FALLEN),
            all(WORDS),
            is("in-turn", silent, "crowd",
                "A guess: your server accepts all clients, but serves one after another: each client waits until the one before it is finished. Give each client a thread.",
                "猜测：都已 accept，但服务完一个才服务下一个。给每个客户端一个线程。"),
            is("sockets-mixed-up", |_| true, "crowd",
                "Your server mixes up its clients' sockets: in each conversation, use only the socket that accept returned for this client.",
                "客户端的套接字弄混了：每个会话只用 accept 为它返回的那个套接字。"),
        ]),

    stage("glued", "M1", ("handles Michael and exit arriving in one segment", "Michael 和 exit 在同一个报文段里到达，两条都照办"),
        &[Starts, NeedsBoundary, Enters(1), Says(1, &[MICHAEL, EXIT]), HearsGreeting(1, MICHAEL), HearsTheEnd(1)],
        &[
            one_recv(|e| e.has(EXIT)),
            is("rest-not-taken", |e| e.is_silent() && e.wants_end(), "glued",
                "Your server takes only the first message from what one recv returned: handle the rest of the buffer before the next recv. (Or your server does not close the connection on exit: test that with --stage exit.)",
                "一次 recv 返回的数据里只取了第一条消息：其余的还在缓冲区里，不必再 recv 就该处理。（或者收到 exit 没有关闭连接：用 --stage exit 测试。）"),
            is("exit-first", |e| e.is_over() && !e.wants_end(), "glued",
                "A guess: your server handles exit before it answers the name that came first. Split what arrives into messages, and finish one before the next.",
                "猜测：前面的名字还没回答，exit 就先执行了。应先切成一条条消息，处理完一条再处理下一条。"),
            all(WORDS),
            all(ANSWER),
        ]),

    stage("cut", "M9", ("waits until all bytes of a name have arrived, even if they come one by one",
                        "名字一个字节一个字节地到达，字符被拆开，也等到收齐"),
        &[Starts, NeedsBoundary, Enters(1), SaysByBytes(1, CHINESE), HearsGreeting(1, CHINESE)],
        &[
            is("answered-a-part", |e| answers_more_than_one(e) || (e.is_other() && !is_half_decoded(e)), "glued",
                "Your server answers a part of the name, as if one recv were one message: continue to read until the message ends.",
                "它回答的只是名字的一部分：把一次 recv 当成了一条消息。应一直读到消息的结尾。"),
            is("half-decoded", is_half_decoded, "half-char",
                "Your server decodes half a character: wait for the end of the message, and only then decode it.",
                "解码了半个字符：到了消息的结尾才算收齐，那时才是文本。"),
            is("last-read-kept", |_| true, "glued",
                "A guess: the name arrives in several reads, and your server keeps only the last one, or none.",
                "猜测：名字分几次读到，它只留下了最后一次的，或者都没留下。"),
        ]),

    stage("bytes", "M13", ("returns every name unchanged, even one that is not UTF-8, only spaces, or empty", "名字原样返回：不是 UTF-8 的、全是空格的、空的"),
        &[Starts, Enters(1), Greeted(1, NOT_UTF8), Leaves(1), Enters(2), Greeted(2, SPACES), Leaves(2), NeedsBoundary, Enters(3),
          Greeted(3, b"")],
        &[
            is("empty-is-end", |e| e.wants(b"Hello, !"), "end",
                "An empty name is a message, too, and must be answered. Only a recv that returns nothing means the end of the stream.",
                "空名字也是一条消息，也要回答：只有 recv 返回空才是流结束。"),
            is("spaces-stripped", |e| e.wants(b"Hello,    !"), "framing",
                "Spaces were stripped or skipped: remove only the one line feed that ends the message (no strip, trim or scanf).",
                "空格丢了，或者被跳过了：只去掉标明消息结尾的那一个换行符，别的不动（不要用 strip、trim、scanf）。"),
            any::NAME_CHANGED,
        ]),

    stage("long", "C3", ("accepts a name of 1024 bytes; answers or refuses one byte more, and survives",
                         "接受 1024 字节的名字；再多一个字节，回答或拒绝都行，服务器不能因此崩溃"),
        &[Starts, Enters(1), Greeted(1, &[b'x'; LIMIT]), NeedsBoundary, Says(1, &[&[b'y'; LIMIT + 1]]), HearsAnything(1), Leaves(1),
          Enters(2), Greeted(2, TRACY)],
        &[
            is("small-buffer", |e| e.message().is_some_and(|greeting| greeting.len() > LIMIT), "end",
                "Your buffer or your limit is too small: the name has 1024 bytes, and the message is longer, because its line feed (or its length) comes with it. Continue to read until the end of the message; if you have a limit, count only the name.",
                "缓冲区或上限太小：名字有 1024 字节，消息还要加上换行符（或长度）。应一直读到消息的结尾；有上限的话，只算名字。"),
            Among(|e| e.is_gone, FALLEN),
            is("too-long-for-all", |_| true, "end",
                "A name that is too long concerns only its client: answer or refuse it, and serve the next client.",
                "名字太长只是那一个客户端的事：回答或拒绝它，然后继续服务。"),
        ]),

    stage("half-close", "C11", ("still answers a client that closes its sending half after a name",
                                "客户端说完名字就关闭自己的写端，仍然收到回复"),
        &[Starts, Enters(1), Says(1, &[MICHAEL]), SaysNoMore(1), HearsGreeting(1, MICHAEL), HearsTheEnd(1)],
        &[
            Among(|e| e.is_gone, FALLEN),
            is("end-before-answer", |e| e.is_over() && !e.wants_end(), "duplex",
                "The client closed its own half, not yours: answer everything that arrived before the end, then close.",
                "客户端只关闭了它那一半：结束之前收到的都要回答，然后再关闭。"),
            all(LEFT),
        ]),

    // A listener that is closed while accept waits may still take one connection: so two more come.
    stage("reset", "M8", ("keeps serving the others after one client resets its connection", "一个客户端复位了连接，其他客户端照常得到服务"),
        &[Starts, Enters(1), Comes(2), Says(2, &[MICHAEL]), Resets(2), Rest, Greeted(1, TRACY), Leaves(1), Enters(3),
          Greeted(3, SARAH), Leaves(3), Enters(4)],
        &[
            Among(|e| e.is_gone && e.output.contains("Node.js v"), FALLEN),
            is("busy-with-the-gone", |e| e.is_silent() && !e.is_gone, "reset",
                "A guess: your server is still busy with the client that reset its connection: a reset ends the conversation.",
                "猜测：服务器还在为已经离开的客户端忙：收到复位，会话就该结束。"),
            is("reset-ends-all", |_| true, "reset",
                "When a client resets its connection, recv or send fails for this client: catch the error in its conversation, close its socket, and serve the others.",
                "客户端复位了连接，它的 recv 或 send 就会出错：在它的会话里捕获错误，关闭它的套接字，继续服务其他客户端。"),
        ]),

    stage("stops", "-", ("ends within 5 s of Ctrl-C, and a connected client sees the end of the stream",
                         "有客户端连着时按 Ctrl-C，5 秒内结束，客户端看到流结束"),
        &[Starts, Enters(1), IsInterrupted(&[Leaves(1)], &[Enters(2)]), HearsTheEnd(1)],
        &[
            is("held-by-a-client", |e| e.how == How::Later, "stop",
                "Your server does not end while a client is connected: call shutdown on each client's socket, which wakes the thread that reads from it (close alone does not). Or make the threads that serve clients daemon threads.",
                "客户端还连着，服务器就不结束：对每个客户端的套接字调用 shutdown，正在读的线程就会醒来（只 close 不行）。或者把服务客户端的线程设为守护线程。"),
            any::INTERRUPT_IGNORED,
            any::STILL_ENDING,
            is("stops-by-reset", |e| e.how == How::Reset, "reset",
                "The client got a reset: call shutdown for the sending half of its socket before the program ends.",
                "客户端看到的是复位：程序结束之前先 shutdown 写端。"),
            is("stops-with-words", other, "crowd",
                "Your server sends something before the end: close without sending anything.",
                "结束之前客户端还收到了别的：什么也不说，直接关闭。"),
            is("connection-kept", |_| true, "end",
                "Your server has ended, but its client sees no end of the stream: another process, which your server started, still has the socket open.",
                "服务器结束了，客户端却看不到流结束：服务器启动的另一个进程还开着这个套接字。"),
        ]),

    stage("restart", "-", ("starts again at once on the same port", "立刻在同一端口上再次启动"),
        &[Starts, Enters(1), Restarts, Enters(2)],
        &[]),
];

/// A whole name, or what is left of it behind a shorter one.
fn has_an_earlier_name(seen: &Evidence<'_>) -> bool {
    [MICHAEL, b"Tracy\nl", b"Tracyel"].iter().any(|name| *name != seen.name() && seen.has(name))
}

fn answers_more_than_one(seen: &Evidence<'_>) -> bool {
    !seen.is_gone && seen.bytes.windows(7).filter(|window| window == b"Hello, ").count() > 1
}

fn is_half_decoded(seen: &Evidence<'_>) -> bool {
    seen.is_gone || seen.is_over() || seen.has("\u{fffd}".as_bytes())
}

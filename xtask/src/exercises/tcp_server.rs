//! A TCP server: with one client, with many, and with careless ones.

use common::framing::LIMIT;
use common::greeting::{EXIT, WELCOME};

use super::any::{self, one_recv};
use super::prelude::*;
use super::tcp_words::{
    ANSWER, ANYWHERE, FALLEN, LEFT, NEXT_UNSERVED, UNWELCOMED, WORDS, one_buffer, pieces_not_joined,
};

pub static TCP_SERVER: Exercise = Exercise {
    name: "tcp-server",
    description: Words::fixed(
        "Sends Welcome! to each client, answers each name with 'Hello, NAME!', and closes the connection on \
         'exit'. The grader's option --framing chooses how the end of a message is marked. line (the default): a line feed after the message; length: four bytes before \
         the message give its length, the most significant first; raw: not at all (what one recv returns is one message).",
        "对每个客户端说 Welcome!，收到名字回复 Hello, NAME!，收到 exit 就关闭连接。评判程序的选项 --framing 决定怎样标明消息的结尾：\
         line（默认）以换行符结尾；length 在前面用四个字节（大端序）写明长度；raw 不标明，一次 recv 返回的就是一条消息。",
    ),
    places: &["{port}"],
    transport: Protocol::Tcp,
    side: Side::Server,
    framing: None,
    not_asked: &[
        Words::fixed("that it keeps running when no client arrives for a long time: a test of that would take too long",
                     "长时间没有客户端来，它仍继续运行：测试这个太费时间"),
        any::WHAT_IT_KEEPS,
        Words::fixed("that it closes without a reset when more bytes follow 'exit' than it reads with one recv: how many that is depends on the program",
                     "exit 后面的数据比一次 recv 读取的还多，关闭时也不复位：一次读取多少，各个程序不同"),
    ],
    stages: STAGES,
    anywhere: ANYWHERE,
    otherwise: &[],
};

static STAGES: &[Stage] = &[
    stage("listens", "C8", ("binds and listens at the given address", "在给定的地址和端口上监听"),
        &[Starts, Stays],
        &[]),

    stage("welcome", "C8", ("sends Welcome! to each client that connects", "对每个连上的客户端说 Welcome!"),
        &[Starts, Enters(1), Rest, HearsNoMore(1)],
        &[all(UNWELCOMED)]),

    stage("greets", "C8", ("answers a name with 'Hello, NAME!'", "收到名字，回复 Hello, NAME!"),
        &[Starts, Enters(1), Greeted(1, MICHAEL), Rest, HearsNoMore(1)],
        &[all(WORDS), all(ANSWER)]),

    stage("again", "C8", ("answers three names, one after another", "依次回答三个名字"),
        &[Starts, Enters(1), Greeted(1, MICHAEL), Greeted(1, TRACY), Greeted(1, CHINESE)],
        &[
            all(WORDS),
            Among(|e| e.bytes.starts_with(b"Hello, ") && e.message().is_some_and(|name| !name.is_ascii()), &[any::NAME_CHANGED]),
            any::EARLIER_NAME,
            is("next-name-ignored", |e| e.is_over() || e.is_silent(), "crowd",
                "Your server does not answer this name: answer every name, not only the first. Call recv in a loop until 'exit' or the end of the stream. (If you use events or callbacks, answer at every 'data' event.)",
                "这个名字它没有回答：每个名字都要回答，不只是第一个。要循环 recv，直到 exit 或流结束（用事件或回调的话，每个 data 事件都要回答）。"),
            all(ANSWER),
        ]),

    // First with no other client. Then #3 is welcomed before #2 says exit, and so is served at the same time.
    stage("exit", "C13", ("on 'exit' (not 'EXIT'), closes only this connection: the client sees the end of the stream, not a reset",
                          "收到 exit（不是 EXIT）就关闭这个连接，只关闭这一个；是流结束，不是复位"),
        &[Starts, Enters(1), Says(1, &[EXIT]), HearsTheEnd(1), Enters(2), Comes(3), Waits(3), Says(2, &[EXIT]), HearsTheEnd(2),
          Hears(3, WELCOME), Greeted(3, EXITING), Greeted(3, b"EXIT"), Greeted(3, b" exit")],
        &[
            is("exit-ends-all", |e| e.is_gone && e.output.is_empty() && (e.status.is_empty() || e.status.starts_with("exit ")), "crowd",
                "Your server ended on 'exit': close only the connection on which 'exit' arrived, and keep the server running.",
                "exit 这条消息只结束发来它的那个连接：关闭那个连接，服务器继续运行。"),
            Among(|e| e.is_gone, WORDS),
            is("exit-in-other-words", |e| (e.is_over() && e.wants_greeting(EXITING)) || (!e.is_silent() && (e.wants_greeting(b"EXIT") || e.wants_greeting(b" exit"))), "crowd",
                "Only a message that is exactly 'exit' closes the connection: 'exiting', 'EXIT' and ' exit' are names, and must be answered. Compare all bytes as they arrived (no lower, strip or trim, and not only the beginning).",
                "整条消息正好是 exit，才关闭连接：exiting、EXIT、前面有空格的 exit 都是名字，要回答。按收到的全部字节比较（不要用 lower、strip、trim，也不要只比较开头）。"),
            EXIT_RESET,
            is("exit-answered", |e| e.wants_end() && e.how == How::Other, "crowd",
                "Your server answers 'exit', perhaps as if it were a name: remove the line feed, compare the message with 'exit' before you answer it, and then close the connection without sending anything.",
                "exit 不需要回答，也不是名字：先去掉换行符，与 exit 比较；是 exit 就什么也不说，直接关闭连接。"),
            is("exit-not-closed", |e| e.wants_end() && e.is_silent(), "crowd",
                "After 'exit', this connection is still open. If your server still waits in recv on it, it did not recognize 'exit': remove the line feed from the message, and compare the rest with 'exit'. Otherwise, close this client's socket after the loop, wherever it is open: in a file object made from it, or in another process.",
                "说了 exit，这个连接却还开着。如果服务器还在对它 recv，就是没有认出 exit：先去掉换行符再比较。否则，循环之后要关闭这个客户端的套接字，它的副本（由它得到的文件对象、另一个进程）也要关闭。"),
            is("exit-hurts-others", |_| true, "crowd",
                "The message 'exit' closes only the connection on which it arrived: the other connections must continue.",
                "exit 这条消息只关闭发来它的那个连接，其他连接照常。"),
        ]),

    stage("leaves", "C3", ("closes the socket of a client that disconnects without 'exit', even in the middle of a message, and serves the next",
                           "客户端没说 exit 就断开，哪怕一条消息只发了一半：关闭它的套接字，服务下一个"),
        &[Starts, Enters(1), Leaves(1), Enters(2), SaysNoMore(2), HearsTheEnd(2), Enters(3), Begins(3, MICHAEL), SaysNoMore(3),
          HearsHalfAtMost(3), Enters(4), Greeted(4, TRACY)],
        LEFT),

    stage("crowd", "C9", ("serves three clients at the same time, whichever of them sends first", "同时服务三个客户端，谁先说话都行"),
        &[Starts, Enters(1), Comes(2), Comes(3), HearsOr(2, WELCOME, &[Leaves(1)]), HearsOr(3, WELCOME, &[Leaves(1)]),
          Greeted(3, SARAH), Greeted(2, TRACY), Greeted(1, MICHAEL)],
        &[
            is("one-at-a-time", |e| e.number == 2 && (e.tables.unaccepted > 0 || e.how == How::Later), "crowd",
                "Your server serves one client at a time. Until it is done, the others wait: not accepted, or accepted and not served. Give each client a thread (or a process or a task, or use select or poll), and call accept again at once.",
                "它一次只服务一个客户端，服务完之前，其他的都在等：还没有 accept，或者 accept 了却没有服务。给每个客户端一个线程（或进程、任务、轮询），然后立刻回到 accept。"),
            Among(|e| e.is_gone, FALLEN),
            all(WORDS),
            is("in-turn", |e| e.is_silent() || e.how == How::Later, "crowd",
                "A guess: a client waits until your server has finished with another one: it serves clients in turn, or its pool has too few threads. Give each client a thread (or a process or a task, or use select or poll).",
                "猜测：服务器服务完别的客户端，才轮到这一个：它逐个服务，或者线程池的线程太少。给每个客户端一个线程（或进程、任务、轮询）。"),
            is("sockets-mixed-up", |_| true, "crowd",
                "Your server mixes up its clients' sockets: in each conversation, use only the socket that accept returned for this client.",
                "客户端的套接字弄混了：每个会话只用 accept 为它返回的那个套接字。"),
        ]),

    stage("glued", "M1", ("when a name and 'exit' arrive together, greets the name, then closes without a reset, even if bytes follow 'exit'",
                          "名字和 exit 一起到达：先问候，再关闭；exit 后面还有数据，也是流结束，不是复位"),
        &[Starts, NeedsBoundary, Enters(1), Says(1, &[MICHAEL, EXIT]), HearsGreeting(1, MICHAEL), HearsTheEnd(1), Enters(2),
          Says(2, &[EXIT, &[b'z'; 1000]]), HearsTheEnd(2)],
        &[
            EXIT_RESET,
            one_recv(|e| e.has(EXIT)),
            is("rest-not-taken", |e| e.is_silent() && e.wants_end(), "glued",
                "Your server takes only the first message from what one recv returned: look for more messages in the rest of the buffer before you call recv again. Create a buffered reader (makefile, BufferedReader) only once for each connection: a new one loses what the old one had read. (Or your server does not close the connection on 'exit': test that with --stage exit.)",
                "一次 recv 返回的数据里只取了第一条消息：其余的还在缓冲区里，不必再 recv 就该处理。带缓冲的读取对象（makefile、BufferedReader）每个连接只建一个：再建一个，前一个读到的就丢了。（或者收到 exit 没有关闭连接：用 --stage exit 测试。）"),
            is("exit-first", |e| e.is_over() && !e.wants_end(), "glued",
                "A guess: your server closes on 'exit' before it has answered the name that arrived first. Split what arrives into messages, and finish one before the next.",
                "猜测：前面的名字还没回答，exit 就先执行了。应先切成一条条消息，处理完一条再处理下一条。"),
            all(WORDS),
            all(ANSWER),
        ]),

    stage("cut", "M9", ("when a name arrives in pieces, answers only after the last piece, even if pieces of another client's name arrive in between",
                        "名字分成几段、中间停顿，或与另一个名字交错到达，也等到收齐"),
        &[Starts, NeedsBoundary, Enters(1), SaysByBytes(1, CHINESE), HearsGreeting(1, CHINESE), Enters(2), Begins(1, SARAH), Rest,
          Begins(2, TRACY), Rest, Finishes(1, SARAH), HearsGreeting(1, SARAH), Finishes(2, TRACY), HearsGreeting(2, TRACY)],
        &[
            one_buffer(|e| e.how == How::Other && e.message().is_some() && !e.wants_greeting(CHINESE)),
            is("half-decoded", |e| is_half_decoded(e) && !answers_more_than_one(e), "half-char",
                "Your server decodes half a character: wait for the end of the message, and only then decode it.",
                "解码了半个字符：到了消息的结尾才算收齐，那时才是文本。"),
            pieces_not_joined(|_| true),
        ]),

    stage("bytes", "M13", ("greets every name with exactly the bytes that arrived, even if it is empty, is not UTF-8, has only spaces, or contains a zero byte or a %", "名字原样返回：不是 UTF-8 的、全是空格的、含零字节或 % 的、空的"),
        &[Starts, Enters(1), Greeted(1, NOT_UTF8), Leaves(1), Enters(2), Greeted(2, SPACES), Greeted(2, ZERO), Greeted(2, FORMAT),
          Leaves(2), NeedsBoundary, Enters(3), Greeted(3, b"")],
        &[
            Among(is_next, NEXT_UNSERVED),
            any::CUT_AT_ZERO,
            any::NAME_AS_FORMAT,
            is("empty-is-end", |e| e.wants(b"Hello, !"), "end",
                "An empty name is a message, too, and must be answered. Only a recv that returns nothing means the end of the stream.",
                "空名字也是一条消息，也要回答：只有 recv 返回空才是流结束。"),
            any::NAME_CHANGED,
        ]),

    stage("long", "C3", ("greets a name of 1024 bytes; after one of 1025 bytes, may answer or close the connection, but must serve the next client",
                         "问候 1024 字节的名字；1025 字节的，回答它或关闭那个连接都行，然后服务下一个客户端"),
        &[Starts, Enters(1), Greeted(1, &[b'x'; LIMIT]), Rest, HearsNoMore(1), NeedsBoundary, Says(1, &[&[b'y'; LIMIT + 1]]), HearsAnything(1), Leaves(1),
          Enters(2), Greeted(2, TRACY)],
        &[
            Among(is_next, NEXT_UNSERVED),
            is("small-buffer", |e| e.message().is_some_and(|greeting| greeting.len() > LIMIT), "end",
                "Your buffer or your limit is too small: the name has 1024 bytes, and the message is longer, because its line feed (or its length) comes with it. Continue to read until the end of the message; if you have a limit, count only the name.",
                "缓冲区或上限太小：名字有 1024 字节，消息还要加上换行符（或长度）。应一直读到消息的结尾；有上限的话，只算名字。"),
            Among(|e| e.is_gone, FALLEN),
            is("too-long-for-all", |_| true, "end",
                "A name that is too long must not stop your server: answer it, or close the connection on which it arrived, and serve the next client.",
                "名字太长，服务器也不能停下：回答它，或者关闭发来它的那个连接，然后服务下一个客户端。"),
        ]),

    stage("half-close", "C11", ("still answers a client that closes its sending half after a name",
                                "客户端说完名字就关闭自己的写端，仍然收到回复"),
        &[Starts, Enters(1), Says(1, &[MICHAEL]), SaysNoMore(1), HearsGreeting(1, MICHAEL), HearsTheEnd(1), Leaves(1), NeedsBoundary,
          Enters(2), Greeted(2, TRACY), Begins(2, MICHAEL), Rest, EndsWith(2, MICHAEL), HearsGreeting(2, MICHAEL), HearsTheEnd(2)],
        &[
            Among(|e| e.is_gone, FALLEN),
            pieces_not_joined(|e| e.how == How::Other && e.wants_greeting(MICHAEL)),
            is("end-before-answer", |e| e.is_over() && !e.wants_end(), "duplex",
                "The client closed its own sending half, not yours: answer everything that arrived before the end, then close.",
                "客户端只关闭了它那一半：结束之前收到的都要回答，然后再关闭。"),
            all(LEFT),
        ]),

    // A listener that is closed while accept waits may still take one connection: so two more come.
    stage("reset", "M8", ("keeps serving the others after one client resets its connection", "一个客户端复位了连接，其他客户端照常得到服务"),
        &[Starts, Enters(1), Comes(2), Says(2, &[MICHAEL]), Resets(2), Rest, Greeted(1, TRACY), Leaves(1), Enters(3),
          Greeted(3, SARAH), Leaves(3), Enters(4)],
        &[
            is("reset-ends-all", |_| true, "reset",
                "When a client resets its connection, recv or send fails for this client: catch the error in its conversation (in Node.js: socket.on('error', ...)), close its socket, and serve the others.",
                "客户端复位了连接，它的 recv 或 send 就会出错：在它的会话里捕获错误（Node.js：socket.on('error', ...)），关闭它的套接字，继续服务其他客户端。"),
        ]),

    stage("unread", "C23", ("serves the others while one client sends names and reads no answers",
                            "一个客户端只管说名字、不读回复，其他客户端照常得到服务"),
        &[Starts, Enters(1), Floods(1, &[b'w'; LIMIT]), Enters(2), Greeted(2, TRACY)],
        &[
            Among(|e| e.is_gone, FALLEN),
            is("blocked-by-one", |_| true, "flow",
                "A client that reads nothing blocks your server: the client's receive window is full, so send waits. Give each client a thread. If you use select or poll, keep the bytes that send did not accept, and send them when the socket is writable.",
                "一个客户端什么也不读，服务器就停住了：它的接收窗口满了，send 在等。给每个客户端一个线程；用 select 或 poll 的，把 send 没有接受的字节留着，等套接字可写时再发。"),
        ]),

    stage("tidy", "C9", ("serves twenty clients one after another; afterwards, has no socket or child process left over from them, and uses no CPU when idle",
                         "先后服务二十个客户端，不留下他们的套接字和进程，没有人说话时不占用 CPU"),
        &[Starts, GivesBack(MICHAEL), Sleeps],
        &[
            is("descriptors-kept", |e| matches!(e.expected, Expected::Closes), "crowd",
                "After each client, a descriptor stays open, and the system limits how many a program may have: at the end of each conversation, close the socket, also in other processes and file objects that share it. (shutdown does not close a socket.)",
                "每个客户端都留下一个没有关闭的描述符，而一个程序能有的数目有限：会话结束时关闭套接字，共用它的其他进程和文件对象里也要关闭（shutdown 不会关闭套接字）。"),
            is("processes-kept", |e| matches!(e.expected, Expected::Reaps), "crowd",
                "After each client, an ended process remains (a zombie): wait for each child, or ignore SIGCHLD.",
                "每个客户端都留下一个已结束的进程（僵尸进程）：要 wait 每个子进程，或者忽略 SIGCHLD。"),
            any::NEVER_SLEEPS,
            Among(|e| e.is_gone, FALLEN),
            is("only-so-many", |e| e.number > 1, "crowd",
                "Your server serves only a few clients, and then no more: call accept in an endless loop. If you limit the number of clients, make room again when one disconnects.",
                "它只服务有限的几个客户端：accept 要放在没有尽头的循环里，限制了客户端个数的话，离开一个就要能再来一个。"),
        ]),

    stage("stops", "-", ("ends within 5 s of Ctrl-C; a connected client receives no more data, only the end of the stream",
                         "有客户端连着时按 Ctrl-C，5 秒内结束，客户端不再收到数据，只看到流结束"),
        &[Starts, Enters(1), Rest, IsInterrupted(&[Leaves(1)], &[Enters(2)]), HearsTheEnd(1)],
        &[
            any::CRASHES_AT_INTERRUPT,
            all(any::UNSTOPPED),
            is("stops-by-reset", |e| e.how == How::Reset, "reset",
                "The client got a reset: call shutdown for the sending half of its socket before the program ends.",
                "客户端看到的是复位：程序结束之前先 shutdown 写端。"),
            is("stops-with-words", |e| e.how == How::Other, "crowd",
                "Your server sends something after Ctrl-C: close the connection without sending anything.",
                "结束之前客户端还收到了别的：什么也不说，直接关闭。"),
            is("connection-kept", |_| true, "end",
                "Your server has ended, but its client sees no end of the stream: another process, which your server started, still has the socket open.",
                "服务器结束了，客户端却看不到流结束：服务器启动的另一个进程还开着这个套接字。"),
        ]),

    stage("restart", "-", ("after it was ended with a client connected, can be started again at once on the same port", "有客户端连着时被终止，也能立刻在同一端口上再次启动"),
        &[Starts, Enters(1), Restarts, Enters(2)],
        &[]),
];

const EXIT_RESET: Likely = is("exit-reset", |e| e.wants_end() && e.how == How::Reset, "reset",
    "The client got a reset: your server closed a socket that had unread bytes. Read everything, then close. (The option SO_LINGER and, in Node.js, destroy() can also send a reset.)",
    "客户端收到的是复位：服务器关闭套接字时，里面还有未读的数据。先读完，再关闭。（选项 SO_LINGER、Node.js 的 destroy() 也会发出复位。）");

/// A client connects after another one has left, and is not welcomed.
fn is_next(seen: &Evidence<'_>) -> bool {
    seen.number > 1 && seen.wants(WELCOME) && (seen.is_silent() || seen.is_gone)
}

fn answers_more_than_one(seen: &Evidence<'_>) -> bool {
    !seen.is_gone && seen.bytes.windows(7).filter(|window| window == b"Hello, ").count() > 1
}

fn is_half_decoded(seen: &Evidence<'_>) -> bool {
    seen.is_gone || seen.is_over() || seen.has("\u{fffd}".as_bytes())
}

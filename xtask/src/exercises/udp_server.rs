//! A UDP server: every datagram stands alone, and is answered to its sender.

use super::any;
use super::prelude::*;

/// A name that begins like a greeting.
const HELLOISE: &[u8] = b"Helloise";

pub static UDP_SERVER: Exercise = Exercise {
    name: "udp-server",
    description: Words::fixed(
        "Answers each datagram, which is a name, with 'Hello, NAME!' in one datagram.",
        "每个数据报是一个名字，用另一个数据报回复 Hello, NAME!。",
    ),
    places: &["{port}"],
    transport: Protocol::Udp,
    side: Side::Server,
    framing: None,
    not_asked: &[
        Words::fixed("that it keeps running when no datagram arrives for a long time: a test of that would take too long",
                     "长时间没有数据报来，它仍继续运行：测试这个太费时间"),
        any::WHAT_IT_KEEPS,
    ],
    stages: STAGES,
    anywhere: ANYWHERE,
    otherwise: &[],
};

static STAGES: &[Stage] = &[
    stage("binds", "C12", ("binds the given address", "绑定到给定的地址和端口"),
        &[Starts, Stays],
        &[]),

    stage("greets", "C12", ("answers a name with 'Hello, NAME!'", "收到名字，回复 Hello, NAME!"),
        &[Starts, Comes(1), Greeted(1, MICHAEL)],
        ANSWER),

    stage("again", "C12", ("answers three names, one after another", "依次回答三个名字"),
        &[Starts, Comes(1), Greeted(1, MICHAEL), Greeted(1, TRACY), Greeted(1, CHINESE)],
        &[
            any::EARLIER_NAME,
            is("answers-once", |e| e.is_silent() || (e.is_gone && !e.complains()), "udp",
                "Your server answers only once: call recvfrom and sendto in a loop.",
                "它只回答一次：recvfrom 和 sendto 要放在循环里。"),
            all(ANSWER),
        ]),

    stage("clients", "C12", ("when three clients send names at the same time, sends each client the answer to its own name", "三个客户端交替提问，各得各的回复"),
        &[Starts, Comes(1), Comes(2), Comes(3), Says(1, &[MICHAEL]), Says(2, &[TRACY]), Says(3, &[SARAH]), HearsGreeting(3, SARAH),
          HearsGreeting(2, TRACY), HearsGreeting(1, MICHAEL), Greeted(2, MICHAEL)],
        &[
            Among(|e| e.is_gone, FALLEN),
            is("answers-another", |_| true, "udp",
                "An answer went to another client: send each answer to the address that recvfrom returned with the name. (And do not connect the socket: a connected UDP socket receives from only one client.)",
                "回复发给了别的客户端：每个回复都要发往收到名字的那次 recvfrom 返回的地址。（也不要 connect 这个套接字：已 connect 的套接字只收得到一个客户端。）"),
        ]),

    stage("empty", "C7", ("answers an empty datagram (an empty name) with 'Hello, !', and continues", "空数据报（空名字）回复 Hello, !，并继续服务"),
        &[Starts, Comes(1), Greeted(1, b""), Greeted(1, TRACY)],
        &[is("empty-is-end", |_| true, "udp",
            "An empty datagram is a message like any other: answer it, and continue. It does not mean the end, because UDP has no end of stream.",
            "空数据报也是一条消息：回答它，然后继续。它不表示结束，UDP 没有流结束。")]),

    stage("bytes", "M13", ("greets every name with exactly the bytes that arrived, even if it is not UTF-8, has only spaces, or contains a zero byte or a %", "名字原样返回：不是 UTF-8 的、全是空格的、含零字节或 % 的"),
        &[Starts, Comes(1), Greeted(1, NOT_UTF8), Greeted(1, SPACES), Greeted(1, ZERO), Greeted(1, FORMAT)],
        CHANGED),

    stage("large", "M7", ("answers a name of 1024 bytes in full; answers one of 8000 bytes in full, or with an error message",
                          "1024 字节的名字完整回答；8000 字节的完整回答，或者回复一条出错信息"),
        &[Starts, Comes(1), Greeted(1, &[b'x'; 1024]), GreetedOrRefused(1, &[b'y'; 8000])],
        &[is("datagram-cut", |_| true, "cut-datagram",
            "recvfrom(N) cuts a datagram longer than N bytes, and the rest is lost: use a buffer that holds any datagram (65,535 bytes).",
            "recvfrom(N) 会截断超过 N 字节的数据报，其余的就丢了：缓冲区要装得下任何数据报（65,535 字节）。")]),

    stage("gone", "C12", ("continues when a client has left before its answer was sent", "客户端没等回复就离开，照常服务下一个"),
        &[Starts, Comes(1), Says(1, &[MICHAEL]), Leaves(1), Comes(2), Says(2, &[MICHAEL]), Leaves(2), Comes(3), Says(3, &[MICHAEL]),
          Leaves(3), Comes(4), Greeted(4, TRACY)],
        &[is("gone-ends-all", |_| true, "udp",
            "Your server stopped answering after a client left: an error of sendto or recvfrom is about one datagram only. Ignore the error, and continue.",
            "一个客户端离开之后，服务器就不再回答了：sendto 或 recvfrom 出错，只关系到一个数据报。忽略它，继续。")]),

    stage("greeting", "C12", ("does not answer a greeting such as 'Hello, Bob!' (two servers would answer each other forever), but answers the name Helloise",
                             "收到问候不再问候（否则两台这样的服务器会没完没了），但要问候 Helloise"),
        &[Starts, Comes(1), Says(1, &[b"Hello, Bob!"]), Greeted(1, TRACY), Greeted(1, HELLOISE), Greeted(1, b"Hello, Bob")],
        &[
            Among(|e| e.is_gone, FALLEN),
            is("greets-greetings", |_| true, "udp",
                "A datagram that begins with 'Hello, ' and also ends with '!' is a greeting: do not answer it. Everything else is a name, and must be answered.",
                "以“Hello, ”开头、并且以“!”结尾的是问候：不要再回答它。其余的都是名字，都要回答。"),
        ]),

    stage("still", "C12", ("uses no CPU when no datagram arrives", "没有人说话时就睡眠"),
        &[Starts, Comes(1), Greeted(1, MICHAEL), Sleeps],
        &[any::NEVER_SLEEPS, all(ANSWER)]),

    stage("stops", "-", ("ends within 5 s of Ctrl-C", "按 Ctrl-C，5 秒内结束"),
        &[Starts, Comes(1), Greeted(1, MICHAEL), Rest, IsInterrupted(&[], &[Greeted(1, TRACY)])],
        &[any::CRASHES_AT_INTERRUPT, all(any::UNSTOPPED)]),
];

static ANYWHERE: &[Likely] = &[
    any::TEXT_FOR_BYTES,
    is("tcp-socket", |e| matches!(e.expected, Expected::Ready) && e.is_gone && e.complains_of(&["not connected"]), "system",
        "Your server uses a TCP socket without a connection: make a UDP socket, with SOCK_DGRAM.",
        "服务器用的是没有连接的 TCP 套接字：UDP 要用 SOCK_DGRAM。"),
    Among(|e| matches!(e.expected, Expected::Ready), any::START),
    Among(other_around_the_name, WORDS),
];

/// The program died while it served.
static FALLEN: &[Likely] = &[
    Among(|e| e.complains_of(any::NOT_TEXT), CHANGED),
    is("datagram-ends-all", |_| true, "udp",
        "Your program ended, but a server must keep running: its last output, if there is any, says why. Call recvfrom and sendto in a loop, and catch the errors of each datagram there.",
        "程序结束了，而服务器要一直运行：原因见它最后的输出（如果有）。recvfrom 和 sendto 要放在循环里，一个数据报的错误也在循环里捕获。"),
];

/// No answer, or a wrong one.
static ANSWER: &[Likely] = &[
    Among(|e| e.is_gone, FALLEN),
    is("in-parts", |e| e.how == How::Other && e.message().is_some_and(|message| message.starts_with(e.bytes)), "udp",
        "Your server sent the answer in several datagrams: join its parts, and send it with one sendto.",
        "服务器把回复分成几个数据报发送了：先拼成完整的回复，再用一次 sendto 发送。"),
    Among(|e| e.how == How::Other, WORDS),
    is("not-read", |e| e.is_silent() && e.tables.unread > 0, "udp",
        "Your server has not read the datagram: it does not reach recvfrom.",
        "服务器还没有读取数据报：没有执行到 recvfrom。"),
    is("not-sent", |_| true, "udp",
        "A guess: your server prints the answer instead of sending it, or sends it to another address, or from another socket. recvfrom returns the sender's address: give that to sendto.",
        "猜测：它打印了回复却没有发送，或者发到了别处，或者用了另一个套接字。recvfrom 返回发送者的地址：sendto 就用这个地址。"),
];

/// Other words than the answer.
static WORDS: &[Likely] = &[
    any::PYTHON_WORDS,
    is("other-words", |_| true, "udp",
        "The answer must be exactly 'Hello, ', then the name as it arrived (only the bytes that recvfrom returned, and nothing of an earlier name), then '!', and nothing else: a datagram needs no line feed, no zero byte and no length.",
        "回复必须一字不差：“Hello, ”、原样的名字（recvfrom 返回多少字节就是多少，没有先前名字留下的部分）、“!”，别的什么也没有：数据报自带边界，不需要换行符、零字节或长度。"),
];

static CHANGED: &[Likely] = &[
    any::CUT_AT_ZERO,
    any::NAME_AS_FORMAT,
    any::NAME_CHANGED,
];

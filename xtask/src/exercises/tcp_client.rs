//! A TCP client: it greets Michael, Tracy and Sarah, prints the answers, says exit.

use common::greeting::{EXIT, WELCOME};

use super::any::{self, one_recv};
use super::prelude::*;

pub static TCP_CLIENT: Exercise = Exercise {
    name: "tcp-client",
    description: Words::fixed(
        "Waits for Welcome!, then sends Michael, Tracy and Sarah: after each, it waits for the answer ('Hello, NAME!') and prints it on standard output. \
         Then it sends 'exit'. The grader's option --framing chooses how the end of a message is marked. line (the default): a line feed after the message; \
         length: four bytes before the message give its length, the most significant first; raw: not at all.",
        "先收到 Welcome!，再依次说 Michael、Tracy、Sarah，每个都等到 Hello, NAME! 并打印到标准输出，才说下一个，最后说 exit。\
         评判程序的选项 --framing 决定怎样标明消息的结尾：line（默认）以换行符结尾；length 在前面用四个字节（大端序）写明长度；raw 不标明。",
    ),
    places: &["{port}"],
    transport: Protocol::Tcp,
    side: Side::Client,
    framing: None,
    not_asked: &[
        Words::fixed("what it does after it has printed an answer that is not the expected one",
                     "回复与预期不同时，客户端打印之后怎么做"),
    ],
    stages: STAGES,
    anywhere: ANYWHERE,
    otherwise: SAID,
};

/// An answer that is not the expected one.
const OTHER: &str = "Hello, Stranger!";

/// How the server goes on after Michael's greeting, until the client says exit.
const THE_OTHERS: Step = Plays(&[
    Hears(1, TRACY),
    Says(1, &[HELLO_TRACY]),
    Hears(1, SARAH),
    Says(1, &[HELLO_SARAH]),
    Hears(1, EXIT),
]);

static STAGES: &[Stage] = &[
    stage("greets", "C3", ("sends Michael, Tracy and Sarah, prints each greeting, and ends with status 0",
                           "依次说 Michael、Tracy、Sarah，打印每个回复，以状态 0 结束"),
        &[Hosts, Says(1, &[WELCOME]), Hears(1, MICHAEL), Rest, HearsNoMore(1), Says(1, &[HELLO_MICHAEL]), THE_OTHERS,
          SaysNoMore(1), Ends, Prints(GREETINGS)],
        &[]),

    stage("answers", "C3", ("prints the answer that arrives, even if it is not the usual greeting", "来的是别的回复，也照来的打印"),
        &[Hosts, Says(1, &[WELCOME]), Hears(1, MICHAEL), Says(1, &[OTHER.as_bytes()]), SaysNoMore(1), Shows(OTHER)],
        &[is("own-answer", |e| matches!(e.expected, Expected::Shown(_)), "crowd",
            "Your client prints nothing, or a greeting that it built itself: print what recv returned.",
            "它打印的是自己拼出来的问候，或者什么也没打印：应打印 recv 返回的内容。")]),

    stage("glued", "M1", ("prints a greeting that arrived together with the welcome, in one segment", "欢迎和问候在同一个报文段里到达，也分成两条消息"),
        &[Hosts, NeedsBoundary, Says(1, &[WELCOME, HELLO_MICHAEL]), Hears(1, MICHAEL),
          HearsOr(1, TRACY, &[Says(1, &[HELLO_TRACY])]), Says(1, &[HELLO_TRACY]), Hears(1, SARAH), Says(1, &[HELLO_SARAH]),
          Hears(1, EXIT), SaysNoMore(1), Ends, Prints(GREETINGS)],
        // The greeting arrived with the welcome, and the client has not seen it.
        &[one_recv(|e| e.how == How::Later || e.wants(TRACY))]),

    stage("cut", "M1", ("waits for all bytes of a greeting that arrives byte by byte", "问候一个字节一个字节地到达，也等到收齐"),
        &[Hosts, NeedsBoundary, Says(1, &[WELCOME]), Hears(1, MICHAEL), SaysByBytes(1, HELLO_MICHAEL), THE_OTHERS,
          SaysNoMore(1), Ends, Prints(GREETINGS)],
        &[one_recv(|e| e.how == How::WentOn)]),

    stage("slow", "C3", ("waits for a server that needs a second before it answers", "服务器想一秒钟才回答，也耐心等待"),
        &[Hosts, Thinks, Says(1, &[WELCOME]), Hears(1, MICHAEL), Thinks, Says(1, &[HELLO_MICHAEL]), THE_OTHERS,
          SaysNoMore(1), Ends, Prints(GREETINGS)],
        &[is("impatient", |e| e.is_gone || matches!(e.how, How::Ended | How::Reset), "slow-exit",
            "Your client does not wait long enough: a server may need a second before it answers, so set a longer time-out.",
            "客户端等得不够久：服务器可能要一秒钟才回答，超时应当更长。")]),

    stage("exit", "C20", ("sends 'exit', and ends only after the server has closed the connection", "说 exit，等服务器关闭之后才结束"),
        &[Hosts, Says(1, &[WELCOME]), Hears(1, MICHAEL), Rest, HearsNoMore(1), Says(1, &[HELLO_MICHAEL]), THE_OTHERS,
          Outwaits, SaysNoMore(1), Ends],
        &[is("leaves-first", |e| matches!(e.expected, Expected::Outwaits), "end",
            "After you have sent 'exit', call recv once more: it returns nothing when the server has closed. Only then close your socket and end.",
            "说完 exit 再 recv 一次：服务器关闭之后它返回空，那时才算结束。")]),

    stage("early", "C20", ("fails with a message and a status other than 0 when the server closes too early",
                           "服务器提前关闭时，打印出错信息，并以非 0 状态结束"),
        &[Hosts, Says(1, &[WELCOME]), Hears(1, MICHAEL), SaysNoMore(1), Fails],
        &[any::FAILURE_UNSAID]),

    stage("silent", "M12", ("ends within 30 s, with a message and a status other than 0, if the server is silent",
                             "服务器什么也不发送时，30 秒内以失败结束，给出消息，状态不为 0"),
        &[Hosts, Fails],
        NO_ANSWER),

    stage("nobody", "C1", ("fails with a message and a status other than 0 when nobody listens", "没有人监听时，打印出错信息，并以非 0 状态结束"),
        &[Nobody, Fails],
        NO_ANSWER),
];

static ANYWHERE: &[Likely] = &[
    any::TEXT_FOR_BYTES,
    any::SLOW,
    is("second-connection", |e| e.is_back && e.is_over() && e.bytes.is_empty() && e.message().is_some(), "socket",
        "Your client closed its first connection without sending anything, and opened another: use one connection for the whole conversation, and open none just to test whether the server listens.",
        "它的第一个连接什么也没说就关闭了，又另建了一个：整个会话都在一个连接里（只为看看有没有人监听的连接，也算一个）。"),
    Among(|e| matches!(e.expected, Expected::Visit), any::NOT_COME),
    is("still-waits", |e| matches!(e.expected, Expected::Success) && e.is_silent(), "end",
        "A guess: your client waits for one more message, although the stream has ended: end when recv returns nothing.",
        "猜测：流已经结束，客户端还在等一条消息：recv 返回空就结束。"),
    Among(|e| matches!(e.expected, Expected::Success), any::FAILED),
    any::NOT_PRINTED,
];

/// The client should have given up.
static NO_ANSWER: &[Likely] = &[
    is("no-time-out", |e| matches!(e.expected, Expected::Failure) && e.is_silent(), "kept-open",
        "Your client waits forever, or too long: set a time-out on the socket, and when it is over, print a message and exit with a status other than 0.",
        "客户端会永远等下去，或者等得太久：给套接字设超时，超时后打印出错信息，以不为 0 的状态结束。"),
    any::FAILURE_UNSAID,
];

/// The client has not said what it should.
static SAID: &[Likely] = &[
    is("not-waited-for", |e| e.how == How::WentOn || (e.how == How::Other && e.has(MICHAEL) && e.has(TRACY)), "framing",
        "Your client does not wait for the greetings: send the next name only when the greeting for the name before it has arrived. End each message as --framing says (with --framing line: with a line feed).",
        "名字一口气发了出去：上一个的回复到了才发下一个。每条消息按 --framing 结束（line：换行符）。"),
    is("ended-too-early", |e| e.is_gone && !e.status.is_empty() && e.after_message().is_none(), "socket",
        "Your client ended in the middle of the conversation: the last output of your program says why.",
        "客户端中途结束了：原因见它最后的输出。"),
    is("leaves-early", |e| (e.wants(EXIT) && e.bytes.is_empty()) || (matches!(e.how, How::Ended | How::Reset) && e.after_message().is_none()) || (e.how == How::Other && e.has(EXIT)), "crowd",
        "Your client must send four messages, in this order: Michael, Tracy, Sarah and 'exit'. Then it reads until the end of the stream, and only then may it close its connection.",
        "客户端要依次发送四条消息：Michael、Tracy、Sarah、exit，再读到流结束，然后才关闭。"),
    is("welcome-not-read", |e| e.is_silent() && e.tables.unread > 0, "end",
        "Your client has not read what the server sent: call recv before you send again.",
        "服务器的话已经到了，还没有读取：下一次 send 之前要先 recv。"),
    is("reads-on", |e| e.is_silent() && e.after_message().is_none(), "framing",
        "The server waits for the next message of your client. Perhaps your client waits in recv for more than was sent: read only until the end of a message (with --framing line, until the line feed). Or its message is still in a buffer: flush it.",
        "服务器在等客户端的下一条消息。也许客户端还在 recv 里等更多的数据：消息读到结尾就收齐了，结尾由所选的 framing 标明（line：换行符）。或者它的消息还留在缓冲区里：要 flush。"),
    is("other-framing", |_| true, "framing",
        "A message must be exactly the name, and what --framing adds: a line feed after it (line), its length in four bytes before it (length), or nothing (raw).",
        "一条消息就是名字，加上所选的边界标记：line 末尾一个换行符，length 前面 4 个字节，raw 什么也不加。"),
];

//! A UDP client: each name is a datagram, and its reply may be lost, late, doubled or a stranger's.

use super::any;
use super::prelude::*;

pub static UDP_CLIENT: Exercise = Exercise {
    name: "udp-client",
    description: Words::fixed(
        "Sends Michael, Tracy and Sarah, each in its own datagram: after each, it waits for the answer ('Hello, NAME!') and prints it on standard output.",
        "依次发送 Michael、Tracy、Sarah，每个一个数据报；等到 Hello, NAME! 并打印到标准输出，才发下一个。",
    ),
    places: &["{port}"],
    transport: Protocol::Udp,
    side: Side::Client,
    framing: None,
    not_asked: &[
        Words::fixed("that it prints the answer that arrived, and not one that it built itself: it must ignore any other answer, so both look the same",
                     "打印的是收到的回复，不是自己拼出来的：别的回复它都应忽略，所以两者看起来一样"),
    ],
    stages: STAGES,
    anywhere: ANYWHERE,
    otherwise: ASKED,
};

/// How the server goes on after Michael's greeting.
const THE_OTHERS: Step =
    Plays(&[Hears(1, TRACY), Says(1, &[HELLO_TRACY]), Hears(1, SARAH), Says(1, &[HELLO_SARAH])]);

static STAGES: &[Stage] = &[
    stage("greets", "C12", ("sends Michael, Tracy and Sarah, prints each greeting, and ends with status 0",
                            "依次发送 Michael、Tracy、Sarah，打印每个回复，以状态 0 结束"),
        &[Hosts, Hears(1, MICHAEL), IsWaitedFor(1, MICHAEL), Says(1, &[HELLO_MICHAEL]), THE_OTHERS, Ends, Prints(GREETINGS)],
        &[]),

    stage("lost", "M4", ("sends the name again when no reply arrives", "收不到回复，就再发一次名字"),
        &[Hosts, Hears(1, MICHAEL), Loses(1, HELLO_MICHAEL), Hears(1, MICHAEL), Says(1, &[HELLO_MICHAEL]), THE_OTHERS, Ends,
          Prints(GREETINGS)],
        &[asks_once(|e| e.how == How::Ended || (e.how == How::Other && e.bytes == TRACY))]),

    // A copy of the first reply arrives late.
    stage("late", "M5", ("does not mistake a late reply for the reply to the next name", "不把迟到的回复当成下一个名字的回复"),
        &[Hosts, Hears(1, MICHAEL), Says(1, &[HELLO_MICHAEL]), Hears(1, TRACY), Says(1, &[HELLO_MICHAEL]), IsWaitedFor(1, TRACY),
          Says(1, &[HELLO_TRACY]), Hears(1, SARAH), Says(1, &[HELLO_SARAH]), Ends, Prints(GREETINGS)],
        &[takes_any(|e| matches!(e.expected, Expected::Printed(_))), Among(|_| true, BELIEVED)]),

    stage("twice", "M5", ("works correctly when every reply arrives twice", "回复来了两份，也不出错"),
        &[Hosts, Hears(1, MICHAEL), Says(1, &[HELLO_MICHAEL, HELLO_MICHAEL]), Hears(1, TRACY), Says(1, &[HELLO_TRACY, HELLO_TRACY]),
          Hears(1, SARAH), Says(1, &[HELLO_SARAH, HELLO_SARAH]), Ends, Prints(GREETINGS)],
        &[takes_any(|e| matches!(e.expected, Expected::Printed(_))), Among(|_| true, BELIEVED)]),

    stage("stranger", "M6", ("ignores datagrams that do not come from the server's socket", "别的套接字发来的，说什么都不信"),
        &[Hosts, Hears(1, MICHAEL), StrangerSays(1, HELLO_MICHAEL), IsWaitedFor(1, MICHAEL), Says(1, &[HELLO_MICHAEL]), THE_OTHERS,
          Ends, Prints(GREETINGS)],
        &[is("believes-a-stranger", |e| matches!(e.how, How::WentOn | How::Ended) || matches!(e.expected, Expected::Printed(_)), "stranger",
            "Your client accepts replies from any sender: connect the UDP socket, or compare the sender's address with the server's.",
            "谁往它的端口发都信：应当 connect 这个 UDP 套接字，或者比较发送者的地址。")]),

    stage("bytes", "M13", ("continues after a datagram that is not UTF-8", "收到不是 UTF-8 的数据报，照常继续"),
        &[Hosts, Hears(1, MICHAEL), Says(1, &[b"Hello, \xff\xfe!"]), IsWaitedFor(1, MICHAEL), Says(1, &[HELLO_MICHAEL]), THE_OTHERS,
          Ends, Prints(GREETINGS)],
        BELIEVED),

    stage("silent", "M4", ("when the server does not answer, ends with a message and a status other than 0, after at most 30 s and 100 datagrams",
                           "服务器不回答时，最多问 100 次，30 秒内自己结束，给出消息，状态不为 0"),
        &[Hosts, Fails, AsksAtMost(1, 100)],
        &[
            is("floods", |e| matches!(e.expected, Expected::Few(_)), "lost-reply",
                "Your client sends the name too often: wait longer before each new try (one second, then two), and give up after a few tries.",
                "它问得太频繁：每次重试之前多等一会儿（一秒，然后两秒），几次之后就放弃。"),
            all(NO_ANSWER),
        ]),

    stage("nobody", "M4", ("when no socket uses the server's port (recv on a connected socket may then report an error), ends with a message and a status other than 0", "没有套接字使用那个端口时（已连接的套接字，recv 这时可能报错），打印出错信息，并以非 0 状态结束"),
        &[Nobody, Fails],
        NO_ANSWER),
];

static ANYWHERE: &[Likely] = &[
    any::TEXT_FOR_BYTES,
    Among(|e| matches!(e.expected, Expected::Visit), any::NOT_COME),
    is("still-waits", |e| matches!(e.expected, Expected::Success) && e.is_silent(), "udp",
        "A guess: your client has not closed its socket, or waits for one more datagram. UDP has no end of stream: close the socket when the last greeting has arrived.",
        "猜测：客户端还没有关闭套接字，或者还在等一个数据报。UDP 没有流结束：最后一个回复到了就关闭套接字。"),
    Among(|e| matches!(e.expected, Expected::Success), any::FAILED),
];

/// The client should have given up.
static NO_ANSWER: &[Likely] =
    &[asks_once(|e| matches!(e.expected, Expected::Failure) && e.is_silent()), any::FAILURE_UNSAID];

const fn asks_once(when: When) -> Likely {
    is("asks-once", when, "lost-reply",
        "A datagram may be lost, and recv without a time-out waits forever: set a time-out, and when it is over, send the name again. After a few times, print that nobody answers, and end with a status other than 0.",
        "数据报可能丢失，没有超时的 recv 会永远等下去：设一个超时，到时就再发送一次名字；几次之后仍没有回复，就打印没有人回答，然后结束。")
}

const fn takes_any(when: When) -> Likely {
    is("takes-any-reply", when, "late-reply",
        "Your client accepts any datagram as the reply: accept only the greeting for the name that it just sent, ignore other datagrams, and continue to wait.",
        "下一个来的就被当成了回复：只接受所问名字的问候，其余的忽略，继续等。")
}

/// The client may have accepted a wrong reply.
static BELIEVED: &[Likely] =
    &[takes_any(|e| e.how == How::WentOn || (e.how == How::Ended && !e.complains_of(any::NOT_TEXT)))];

/// The client has not asked for what it should.
static ASKED: &[Likely] = &[
    any::NOT_PRINTED,
    any::NOT_AS_TEXT,
    is("more-than-the-name", |e| e.how == How::Other, "udp",
        "Each datagram must be exactly the name: send no line feed and no zero byte with it.",
        "一个数据报就是名字，别的什么也没有：不带换行符，也不带零字节。"),
    is("not-waited-for", |e| e.how == How::WentOn, "udp",
        "Your client does not wait for the greetings: send the next name only when the greeting for the name before it has arrived.",
        "名字一口气发了出去：上一个的回复到了才发下一个。"),
    is("ended-too-early", |e| e.how == How::Ended, "udp",
        "Your client ended too early: its last output, if there is any, says why. The names are Michael, Tracy and Sarah, each in its own datagram.",
        "客户端中途结束了：原因见它最后的输出（如果有）。名字依次是 Michael、Tracy、Sarah，各发一个数据报。"),
    asks_once(|_| true),
];

//! A client that gets a page: where its body ends, and what is not a success.

use common::framing::Framing;

use super::any;
use super::prelude::*;
use crate::peers::replies::{self, BODY, LINES};

const ASKED: Step = IsAskedFor(1, "/page");

pub static GET: Exercise = Exercise {
    name: "get",
    description: Words::fixed(
        "Gets the page at {url} with GET and HTTP/1.1, prints the header, and saves the body in the file {out}.",
        "用 GET 和 HTTP/1.1 获取 {url}，打印头部，把响应体存为文件 {out}。",
    ),
    places: &["{url}", "{out}"],
    transport: Protocol::Tcp,
    side: Side::Client,
    framing: Some(Framing::Raw),
    not_asked: &[
        Words::fixed("HTTPS, redirects, compressed bodies, fields after the last chunk: this exercise is about where a body ends",
                     "HTTPS、重定向、压缩的响应体、最后一块之后的字段：这里只关于响应体在哪里结束"),
    ],
    stages: STAGES,
    anywhere: &[any::TEXT_FOR_BYTES, any::SLOW, Among(|e| matches!(e.expected, Expected::Visit), any::NOT_COME)],
    otherwise: OTHERWISE,
};

static STAGES: &[Stage] = &[
    stage("length", "C19", ("saves a body of Content-Length bytes, and prints the header", "按 Content-Length 保存响应体，并打印头部"),
        &[Hosts, ASKED, Says(1, &[replies::LENGTH.as_bytes()]), SaysNoMore(1), Ends, Saves(BODY), Shows("Content-Length")],
        &[]),

    stage("close", "C19", ("saves a body that ends when the server closes the connection", "响应体以关闭连接结束，也完整保存"),
        &[Hosts, ASKED, Says(1, &[replies::CLOSE.as_bytes()]), SaysNoMore(1), Ends, Saves(BODY)],
        &[]),

    stage("chunked", "M2", ("saves a chunked body without its chunk sizes", "分块的响应体，保存时不含分块大小"),
        &[Hosts, ASKED, Says(1, &[replies::CHUNKED_LINES.as_bytes()]), SaysNoMore(1), Ends, Saves(LINES)],
        &[]),

    stage("cut", "C3", ("reads a reply that arrives byte by byte, also one with a chunked body", "响应一个字节一个字节地到达，分块的也是，都读得完整"),
        &[Hosts, ASKED, SaysByBytes(1, replies::LENGTH.as_bytes()), SaysNoMore(1), Ends, Saves(BODY),
          Hosts, ASKED, SaysByBytes(1, replies::CHUNKED_LINES.as_bytes()), SaysNoMore(1), Ends, Saves(LINES)],
        &[is("one-recv", |e| matches!(e.expected, Expected::Success | Expected::Saved(_)) && !e.is_silent(), "end",
            "One recv may return only a part of the reply, or of its header: call recv in a loop until the empty line, and then until the end of the body.",
            "一次 recv 收到的不是完整的响应，也不一定是完整的头部：循环 recv，先到空行，再到响应体自己的结尾。")]),

    stage("empty", "C19", ("knows that status 204 has no body, and does not wait for one", "知道 204 没有响应体，不去等它"),
        &[Hosts, ASKED, Says(1, &[replies::NO_CONTENT.as_bytes()]), EndsOpen, Ends, Saves("")],
        &[]),

    stage("short", "M3", ("when a body, chunked or not, is cut short, prints a message, exits with a status other than 0, and keeps no part of the body in {out}",
                          "响应体中断（分块的也一样）时，打印出错信息，以非 0 状态结束，{out} 里不留下已收到的部分"),
        &[Hosts, ASKED, Says(1, &[replies::CUT.as_bytes()]), SaysNoMore(1), Fails, Saves(""),
          Hosts, ASKED, Says(1, &[replies::CUT_CHUNKED.as_bytes()]), SaysNoMore(1), Fails, Saves("")],
        &[is("cut-short", |e| matches!(e.expected, Expected::Failure | Expected::Saved(_)), "cut-short",
            "An empty recv is the end of the stream, but the body may not be complete: count its bytes and compare with Content-Length, or read until the chunk of size 0. Write to another file, and rename it to {out} only when everything has arrived.",
            "recv 返回空是流结束，不等于响应体收齐：按 Content-Length 数字节，或者等大小为 0 的块，收齐了才留下文件（先写到别的文件，再改名）。")]),

    stage("open", "M12", ("ends when the body is complete, though the server keeps the connection open", "响应体收齐就结束，服务器不关闭连接也一样"),
        &[Hosts, ASKED, Says(1, &[replies::LENGTH.as_bytes()]), EndsOpen, Ends, Saves(BODY),
          Hosts, ASKED, Says(1, &[replies::CHUNKED_LINES.as_bytes()]), EndsOpen, Ends, Saves(LINES)],
        &[]),

    stage("fields", "C19", ("recognizes Content-Length and Transfer-Encoding in upper and lower case", "字段名不分大小写：content-length 也认得"),
        &[Hosts, ASKED, Says(1, &[replies::LENGTH_SPELLED.as_bytes()]), EndsOpen, Ends, Saves(BODY),
          Hosts, ASKED, Says(1, &[replies::CHUNKED_SPELLED.as_bytes()]), EndsOpen, Ends, Saves(LINES)],
        &[is("field-spelled", |e| !e.is_silent() && !matches!(e.expected, Expected::Visit), "page",
            "Your client recognizes Content-Length or Transfer-Encoding only in one spelling: names of fields may be in upper or lower case, so convert them to lower case before you compare.",
            "Content-Length 或 Transfer-Encoding，它只认得一种写法：字段名不分大小写，应转成小写再比较。")]),

    stage("large", "C4", ("saves 64 MiB with every byte correct", "64 MiB 保存得一字节不差"),
        &[Hosts, ASKED, SendsMuch(1), SaysNoMore(1), Ends, SavesMuch],
        &[]),

    stage("status", "C19", ("when a page is not found, prints the status of the reply (404)", "页面不存在时，打印响应的状态（404）"),
        &[Hosts, ASKED, Says(1, &[replies::NOT_FOUND.as_bytes()]), SaysNoMore(1), Shows("404")],
        &[]),

    stage("no-http", "M11", ("fails with a message and a status other than 0 when the reply is not HTTP, or when there is no reply", "收到的不是 HTTP，或者什么也没有：打印出错信息，并以非 0 状态结束"),
        &[Hosts, ASKED, Says(1, &[b"SSH-2.0-OpenSSH_9.6\r\n"]), SaysNoMore(1), Fails, Saves(""),
          Hosts, ASKED, SaysNoMore(1), Fails, Saves("")],
        &[is("no-header", |e| matches!(e.expected, Expected::Failure | Expected::Saved(_)), "no-header",
            "This reply has no HTTP header: check that a reply begins with HTTP/ and that an empty line ends its header; if not, print what is missing, and exit with a status other than 0.",
            "这个响应没有 HTTP 头部：检查开头是不是 HTTP/，有没有空行；缺了就打印缺什么，并以失败结束。")]),
];

static OTHERWISE: &[Likely] = &[
    is("waits-for-the-end", |e| e.how == How::Later, "kept-open",
        "The reply says where it ends: after Content-Length bytes, after the chunk of size 0, or right after its header if the status is 204. Do not wait until the server closes the connection, even if you sent Connection: close. Close it yourself, and end.",
        "响应自己说明了在哪里结束：Content-Length 个字节之后、大小为 0 的块之后，204 则立刻结束。不要等连接关闭（也不要指望 Connection: close）：自己关闭，然后结束。"),
    is("at-work", |e| matches!(e.expected, Expected::Success | Expected::Saved(_)) && e.is_silent(), "stream",
        "A guess: your client waits for more bytes than the reply has. Or it is too slow: join the bytes once, at the end, not after every recv.",
        "猜测：客户端等的字节比响应的多。或者它太慢：不要每次 recv 之后都重新拼接，最后拼接一次。"),
    Among(|e| matches!(e.expected, Expected::Success), any::FAILED),
    is("header-unprinted", |e| matches!(e.expected, Expected::Shown(_)), "page",
        "Print the header of the reply as it arrived, whatever its status is: its first line, with the status, and its fields, up to the empty line.",
        "把响应的头部照原样打印出来，不管状态是什么：第一行（状态就在其中）和各个字段，直到空行。"),
    is("no-file", |e| matches!(e.expected, Expected::Saved(_)) && e.how == How::Ended, "page",
        "Save the body in the file that {out} names on the command line.",
        "命令行上的 {out} 就是保存响应体的文件名。"),
    Among(|e| matches!(e.expected, Expected::Saved(_)), SAVED),
    is("ended-too-early", |e| e.is_gone && e.complains(), "page",
        "Your client ended too early: the last output of your program says why.",
        "客户端中途结束了：原因见它最后的输出。"),
    is("other-request", |_| true, "page",
        "Request the path in {url}, with GET and HTTP/1.1, and send a Host field. After the last field, send \\r\\n\\r\\n (the end of that line, and an empty line).",
        "请求 {url} 里的路径，用 GET 和 HTTP/1.1，并写上 Host；最后一个字段后面发送 \\r\\n\\r\\n（这一行的结尾，加上一个空行）。"),
];

/// The client saved something else.
static SAVED: &[Likely] = &[
    is("header-saved", |e| e.bytes.starts_with(b"HTTP/"), "page",
        "The file contains the header: the body begins after the first empty line.",
        "头部也存进去了：响应体从第一个空行之后开始。"),
    any::PYTHON_WORDS,
    is("chunk-sizes-saved", |e| e.bytes.starts_with(b"b\r\n") || e.bytes.starts_with(&e.names.of(b"bHello")), "chunk-sizes",
        "The file contains the chunk sizes: with Transfer-Encoding: chunked, a size comes before each chunk. Save only the chunks, until the chunk of size 0.",
        "分块大小也存进去了：Transfer-Encoding: chunked 时，每块前面是它的大小，大小为 0 的块结束响应体。"),
    is("not-all", |_| true, "end",
        "The file is not complete, or has extra bytes: call recv in a loop until the end of the body (of a chunked body: until the chunk of size 0).",
        "文件不完整，或者多了别的字节：循环 recv，直到响应体自己的结尾（分块的：直到大小为 0 的块）。"),
];

//! The stages of a client that gets a page: where its body ends, and what is no success.

use std::fs;

use super::client::broken;
use super::trial::{Flaw, Halt, Hint, Played, Seen, Stage, Trial, ended_with, hint};
use crate::peers::caller::How;
use crate::words::Words;

const BODY: &[u8] = b"Hello, world!";
/// What a page is made of where it is large: of different bytes everywhere.
const LARGE: usize = 64 << 20;

/// In the order in which such a client is built.
pub static STAGES: [Stage; 10] = [
    Stage {
        name: "length",
        promise: (
            "C19",
            Words::fixed(
                "saves a body of as many bytes as Content-Length says",
                "按 Content-Length 保存响应体",
            ),
        ),
        play: |trial| saves(trial, b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!", BODY),
        hint: request_hint,
    },
    Stage {
        name: "close",
        promise: (
            "C19",
            Words::fixed("saves a body that ends with the connection", "响应体以关闭连接结束，也完整保存"),
        ),
        play: |trial| saves(trial, b"HTTP/1.1 200 OK\r\n\r\nHello, world!", BODY),
        hint: request_hint,
    },
    Stage {
        name: "chunked",
        promise: (
            "M2",
            Words::fixed("saves a chunked body without its chunk sizes", "分块的响应体，保存时不含分块大小"),
        ),
        play: |trial| {
            let reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nHello, \r\n6\r\nworld!\r\n0\r\n\r\n";
            saves(trial, reply, BODY)
        },
        hint: request_hint,
    },
    Stage {
        name: "cut",
        promise: (
            "C3",
            Words::fixed("reads a reply that comes byte by byte", "响应一个字节一个字节地到达，也读得完整"),
        ),
        play: cut,
        hint: request_hint,
    },
    Stage {
        name: "empty",
        promise: (
            "C19",
            Words::fixed(
                "knows that status 204 has no body, and does not wait for one",
                "知道 204 没有响应体，不去等它",
            ),
        ),
        play: empty,
        hint: request_hint,
    },
    Stage {
        name: "short",
        promise: (
            "M3",
            Words::fixed(
                "takes a body that is cut short for a failure, and saves no file that looks whole",
                "响应体中断算作失败，不留下看似完整的文件",
            ),
        ),
        play: |trial| fails(trial, b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello,", short_hint()),
        hint: request_hint,
    },
    Stage {
        name: "open",
        promise: (
            "M12",
            Words::fixed(
                "ends when the body is complete, though the server keeps the connection",
                "响应体收齐就结束，服务器不关闭连接也一样",
            ),
        ),
        play: open,
        hint: request_hint,
    },
    Stage {
        name: "large",
        promise: ("C4", Words::fixed("saves 64 MiB right to the byte", "64 MiB 保存得一字节不差")),
        play: large,
        hint: request_hint,
    },
    Stage {
        name: "status",
        promise: ("C19", Words::fixed("shows that a page was not found (404)", "页面不存在时显示 404")),
        play: status,
        hint: request_hint,
    },
    Stage {
        name: "no-http",
        promise: (
            "M11",
            Words::fixed(
                "takes a reply that is no HTTP for a failure, and says so",
                "收到的不是 HTTP 就是失败，并说明",
            ),
        ),
        play: |trial| fails(trial, b"SSH-2.0-OpenSSH_9.6\r\n", no_header_hint()),
        hint: request_hint,
    },
];

/// The client has come, and asked for the page; returns its number.
fn asked(trial: &mut Trial<'_>) -> Played<usize> {
    let one = trial.hosts()?;
    match trial.caller(one)?.hears_until(b"\r\n\r\n") {
        Ok(request) if request.starts_with(b"GET /page ") => Ok(one),
        Ok(request) => {
            let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let came = super::trial::shown(line);
            let expected = Words::fixed("a request: GET /page HTTP/1.1", "请求：GET /page HTTP/1.1");
            broken(expected, words!("{came}", "{came}"), path_hint())
        }
        Err(found) => {
            let expected =
                Words::fixed("a request, and the empty line behind it", "一个请求，后面跟一个空行");
            Err(trial.flaw_instead(one, &found, expected))
        }
    }
}

/// Replies, closes, and looks what was saved.
fn saves(trial: &mut Trial<'_>, reply: &[u8], body: &[u8]) -> Played {
    let one = asked(trial)?;
    trial.caller(one)?.sends(reply);
    trial.caller(one)?.ends();
    trial.ends_well()?;
    has_saved(trial, body)
}

fn has_saved(trial: &mut Trial<'_>, body: &[u8]) -> Played {
    /// So much is not shown any more.
    const MUCH: usize = 1000;
    let saved = fs::read(trial.out());
    if saved.as_ref().is_ok_and(|saved| saved == body) {
        return Ok(());
    }
    if let (Ok(saved), MUCH..) = (&saved, body.len()) {
        let (size, length) = (body.len(), saved.len());
        let same = saved.iter().zip(body).take_while(|(one, other)| one == other).count();
        let expected = words!("{{out}} holds these {size} bytes", "{{out}} 的内容就是这 {size} 字节");
        let came = words!(
            "it holds {length} bytes, of which the first {same} are right",
            "它有 {length} 字节，其中前 {same} 字节是对的"
        );
        return broken(expected, came, saved_hint(saved));
    }
    let shown = super::trial::shown;
    let whole = shown(body);
    let expected = words!("{{out}} holds {whole}", "{{out}} 的内容是 {whole}");
    let (came, told) = match &saved {
        Err(_) => (
            Words::fixed("there is no such file", "没有这个文件"),
            hint(
                "C19",
                "{out} on its command line names the file that the body goes to.",
                "命令行上的 {out} 就是保存响应体的文件名。",
            ),
        ),
        Ok(saved) => {
            let found = shown(saved);
            (words!("it holds {found}", "它的内容是 {found}"), saved_hint(saved))
        }
    };
    broken(expected, came, told)
}

fn saved_hint(saved: &[u8]) -> Option<Hint> {
    if saved.starts_with(b"HTTP/") {
        return hint(
            "C19",
            "The header is in it: the body begins behind the first empty line.",
            "头部也存进去了：响应体从第一个空行之后开始。",
        );
    }
    if saved.starts_with(b"7\r\n") {
        return hint(
            "M2",
            "The chunk sizes are in it: with Transfer-Encoding: chunked, each chunk has its size before it, and\n\
             one of size 0 ends the body.",
            "分块大小也存进去了：Transfer-Encoding: chunked 时，每块前面是它的大小，大小为 0 的块结束响应体。",
        );
    }
    hint(
        "C3",
        "Not all of it, or something besides: recv in a loop until the body's own end.",
        "不完整，或者多了别的：循环 recv，直到响应体自己的结尾。",
    )
}

fn cut(trial: &mut Trial<'_>) -> Played {
    let one = asked(trial)?;
    trial.says_in_bytes(one, b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!")?;
    trial.caller(one)?.ends();
    trial.ends_well()?;
    has_saved(trial, BODY)
}

fn empty(trial: &mut Trial<'_>) -> Played {
    let one = asked(trial)?;
    trial.caller(one)?.sends(b"HTTP/1.1 204 No Content\r\n\r\n");
    ends_with_connection_open(trial, one)?;
    match fs::read(trial.out()) {
        Ok(saved) if !saved.is_empty() => has_saved(trial, b""),
        _ => Ok(()),
    }
}

fn open(trial: &mut Trial<'_>) -> Played {
    let one = asked(trial)?;
    trial.caller(one)?.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!");
    ends_with_connection_open(trial, one)?;
    has_saved(trial, BODY)
}

/// What comes once the server has closed decides where the client waits for that.
fn ends_with_connection_open(trial: &mut Trial<'_>, one: usize) -> Played {
    if trial.program()?.wait_for_end(trial.terms.patience)?.is_none() {
        trial.caller(one)?.ends();
        if trial.program()?.wait_for_end(trial.terms.patience)?.is_some() {
            let expected = Words::fixed("it ends when the reply is complete", "响应收齐，它就结束");
            let came = Words::fixed("it ended once the server had closed", "服务器关闭之后它才结束");
            return broken(
                expected,
                came,
                hint(
                    "M12",
                    "The reply says where it ends: after Content-Length bytes, at once with 204. Do not wait for the\n\
                 end of the connection (nor leave it to Connection: close).",
                    "响应自己说明了在哪里结束：Content-Length 个字节之后，204 则立刻结束。不要等连接关闭\n（也不要指望 Connection: close）。",
                ),
            );
        }
    }
    trial.ends_well().map(|_| ())
}

fn large(trial: &mut Trial<'_>) -> Played {
    let one = asked(trial)?;
    let body: Vec<u8> = (0..LARGE).map(|at| at.to_le_bytes()[at % 3]).collect();
    trial.caller(one)?.sends(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes());
    trial.caller(one)?.sends_much(&body);
    trial.caller(one)?.ends();
    trial.ends_well()?;
    has_saved(trial, &body)
}

fn status(trial: &mut Trial<'_>) -> Played {
    let one = asked(trial)?;
    trial.caller(one)?.sends(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    trial.caller(one)?.ends();
    let outcome = trial.ends_within(3 * trial.terms.patience, None)?;
    if outcome.said.iter().chain(&outcome.complained).any(|line| line.contains("404")) {
        return Ok(());
    }
    let expected = Words::fixed("it prints the status 404", "它打印状态 404");
    let last_words = trial.program()?.last_words();
    let came = ended_with(&format!("status {:?}", outcome.status.unwrap_or_default()), &last_words);
    broken(
        expected,
        came,
        hint(
            "C19",
            "The first line of the reply has the status: print it, whatever it is.",
            "响应的第一行就是状态：不管是什么都打印出来。",
        ),
    )
}

/// A reply that is no page: a message, a status that is not 0, and no file.
fn fails(trial: &mut Trial<'_>, reply: &[u8], told: Option<Hint>) -> Played {
    let one = asked(trial)?;
    trial.caller(one)?.sends(reply);
    trial.caller(one)?.ends();
    trial.fails_and_says_so(told.clone(), told.clone())?;
    match fs::read(trial.out()) {
        Ok(saved) if !saved.is_empty() => {
            let found = super::trial::shown(&saved);
            let expected = Words::fixed("no file that looks whole", "没有看似完整的文件");
            Err(Halt::Broken(Box::new(Flaw {
                expected,
                came: words!("{{out}} holds {found}", "{{out}} 的内容是 {found}"),
                table: None,
                hint: told,
            })))
        }
        _ => Ok(()),
    }
}

fn short_hint() -> Option<Hint> {
    hint(
        "M3",
        "An empty recv is the end of the stream, and not of the body: count the bytes against Content-Length,\n\
         and keep the file only when all have come (write another one, and rename it).",
        "recv 返回空是流结束，不等于响应体收齐：按 Content-Length 数字节，收齐了才留下文件\n（先写到别的文件，再改名）。",
    )
}

fn no_header_hint() -> Option<Hint> {
    hint(
        "M11",
        "A reply need not have a header: look for HTTP/ at its beginning and for the empty line, and say what\n\
         is missing.",
        "响应不一定有头部：看开头是不是 HTTP/，有没有空行，缺什么就说明。",
    )
}

fn path_hint() -> Option<Hint> {
    hint(
        "C19",
        "Ask for the path that {url} has, with GET and HTTP/1.1, and say the Host.",
        "请求 {url} 里的路径，用 GET 和 HTTP/1.1，并写上 Host。",
    )
}

fn request_hint(seen: &Seen<'_>) -> Option<Hint> {
    match seen.how {
        How::Silent => hint(
            "C19",
            "A request ends with an empty line: \\r\\n\\r\\n behind its last field.",
            "请求以空行结束：最后一个字段后面是 \\r\\n\\r\\n。",
        ),
        _ => path_hint(),
    }
}

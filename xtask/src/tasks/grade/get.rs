//! The stages of a client that gets a page: where its body ends, and what is no success.

use std::fs;

use super::finding::{common_prefix, ended_with, shown};
use super::hints;
use super::stage::Act::{Does, Plays};
use super::stage::{Evidence, Failure, Halt, Hint, Played, Stage, hint};
use super::starting::hosts;
use super::trial::Trial;
use crate::peers::replies::{BODY, LINES};
use crate::peers::script::How;
use crate::peers::script::Step;
use crate::peers::scripts::get as scripts;
use crate::words::Words;

/// How large a page is where it is large, and how large the blocks are that it is made of.
const LARGE: usize = 64 << 20;
const BLOCK: usize = 64 << 10;

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
        acts: &[Does(hosts), Plays(scripts::LENGTH), Does(saves)],
        hint: request_hint,
    },
    Stage {
        name: "close",
        promise: (
            "C19",
            Words::fixed("saves a body that ends with the connection", "响应体以关闭连接结束，也完整保存"),
        ),
        acts: &[Does(hosts), Plays(scripts::CLOSE), Does(saves)],
        hint: request_hint,
    },
    Stage {
        name: "chunked",
        promise: (
            "M2",
            Words::fixed("saves a chunked body without its chunk sizes", "分块的响应体，保存时不含分块大小"),
        ),
        acts: &[Does(hosts), Plays(scripts::CHUNKED), Does(saves_lines)],
        hint: request_hint,
    },
    Stage {
        name: "cut",
        promise: (
            "C3",
            Words::fixed("reads a reply that comes byte by byte", "响应一个字节一个字节地到达，也读得完整"),
        ),
        acts: &[Does(hosts), Plays(scripts::CUT), Does(saves_what_came_in_pieces)],
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
        acts: &[Does(hosts), Plays(scripts::EMPTY), Does(ends_with_connection_open), Does(saves_nothing)],
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
        acts: &[Does(hosts), Plays(scripts::SHORT), Does(|trial| fails(trial, short_hint()))],
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
        acts: &[
            Does(hosts),
            Plays(scripts::OPEN),
            Does(ends_with_connection_open),
            Does(saves),
            Does(hosts),
            Plays(scripts::OPEN_CHUNKED),
            Does(ends_with_connection_open),
            Does(saves_lines),
        ],
        hint: request_hint,
    },
    Stage {
        name: "large",
        promise: ("C4", Words::fixed("saves 64 MiB right to the byte", "64 MiB 保存得一字节不差")),
        acts: &[Does(hosts), Plays(scripts::LARGE), Does(saves_much)],
        hint: request_hint,
    },
    Stage {
        name: "status",
        promise: ("C19", Words::fixed("shows that a page was not found (404)", "页面不存在时显示 404")),
        acts: &[Does(hosts), Plays(scripts::STATUS), Does(shows_status)],
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
        acts: &[Does(hosts), Plays(scripts::NO_HTTP), Does(|trial| fails(trial, no_header_hint()))],
        hint: request_hint,
    },
];

/// It ends well, and has saved the body.
fn saves(trial: &mut Trial<'_>) -> Played {
    trial.ends_well()?;
    has_saved(trial, BODY.as_bytes())
}

/// As [`saves`], a body with a line's end in it.
fn saves_lines(trial: &mut Trial<'_>) -> Played {
    trial.ends_well()?;
    has_saved(trial, LINES.as_bytes())
}

/// As [`saves`]; what goes wrong is likely to be about the pieces.
fn saves_what_came_in_pieces(trial: &mut Trial<'_>) -> Played {
    saves(trial).map_err(|halt| match halt {
        Halt::Broken(flaw) => Halt::Broken(Box::new(Failure { hint: pieces_hint(), ..*flaw })),
        other => other,
    })
}

fn has_saved(trial: &Trial<'_>, body: &[u8]) -> Played {
    /// So much is not shown any more.
    const MUCH: usize = 1000;
    let saved = match fs::read(trial.out()) {
        Ok(saved) if saved == body => return Ok(()),
        Ok(saved) => saved,
        Err(_) => {
            let expected = Words::fixed("the body in the file {out}", "文件 {out} 里是响应体");
            let came = Words::fixed("there is no such file", "没有这个文件");
            return Err(Halt::broken(expected, came, file_hint()));
        }
    };
    let (expected, came) = if body.len() < MUCH {
        let (whole, found) = (shown(body), shown(&saved));
        (
            words!("{{out}} holds {whole}", "{{out}} 的内容是 {whole}"),
            words!("it holds {found}", "它的内容是 {found}"),
        )
    } else {
        let (size, length) = (body.len(), saved.len());
        let same = common_prefix(&saved, body);
        (
            words!("{{out}} holds these {size} bytes", "{{out}} 的内容就是这 {size} 字节"),
            words!(
                "it holds {length} bytes, of which the first {same} are right",
                "它有 {length} 字节，其中前 {same} 字节是对的"
            ),
        )
    };
    Err(Halt::broken(expected, came, saved_hint(&saved)))
}

fn saves_nothing(trial: &mut Trial<'_>) -> Played {
    match fs::read(trial.out()) {
        Ok(saved) if !saved.is_empty() => has_saved(trial, b""),
        _ => Ok(()),
    }
}

/// What comes once the server has closed decides where the client waits for that.
fn ends_with_connection_open(trial: &mut Trial<'_>) -> Played {
    if trial.program()?.wait_for_end(trial.terms.patience.silence())?.is_none() {
        trial.plays(&[Step::SaysNoMore(1)])?;
        if trial.program()?.wait_for_end(trial.terms.patience.silence())?.is_some() {
            let expected = Words::fixed("it ends when the reply is complete", "响应收齐，它就结束");
            let came = Words::fixed("it ended once the server had closed", "服务器关闭之后它才结束");
            return Err(Halt::broken(expected, came, open_hint()));
        }
    }
    trial.ends_well().map(|_| ())
}

fn saves_much(trial: &mut Trial<'_>) -> Played {
    let body = large_body();
    let host = trial.cast.tcp(1)?;
    host.sends(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes());
    if !host.sends_much(&body) {
        let seconds = trial.terms.patience.silence().as_secs_f64();
        let expected = words!("it takes all of these {LARGE} bytes", "它收下全部 {LARGE} 字节");
        let came = words!("it took no more of them for {seconds} s", "{seconds} 秒内它没有再收");
        return Err(Halt::not_decided(expected, came, trial.at_work_hint()));
    }
    trial.plays(&[Step::SaysNoMore(1)])?;
    trial.ends_well()?;
    has_saved(trial, &body)
}

/// No block is like another, and none like itself where a part of it is missing.
fn large_body() -> Vec<u8> {
    let counters: Vec<u8> = (0_u32..).take(BLOCK / 4).flat_map(u32::to_be_bytes).collect();
    let block = |number: u64| [&number.to_be_bytes(), &counters[8..]].concat();
    (0..).take(LARGE / BLOCK).map(block).collect::<Vec<_>>().concat()
}

fn shows_status(trial: &mut Trial<'_>) -> Played {
    let outcome = trial.ends(None)?;
    if outcome.said.iter().chain(&outcome.complained).any(|line| line.contains("404")) {
        return Ok(());
    }
    let expected = Words::fixed("it prints the status 404", "它打印状态 404");
    let status = format!("status {}", outcome.status.unwrap_or_default());
    let came = ended_with(status, &trial.program()?.last_words());
    Err(Halt::broken(expected, came, status_hint()))
}

/// A reply that is no page: a message, a status that is not 0, and no file.
fn fails(trial: &mut Trial<'_>, told: Option<Hint>) -> Played {
    trial.fails_and_says_so(told.clone(), told.clone())?;
    match fs::read(trial.out()) {
        Ok(saved) if !saved.is_empty() => {
            let found = shown(&saved);
            let expected = Words::fixed("no file that looks whole", "没有看似完整的文件");
            Err(Halt::broken(expected, words!("{{out}} holds {found}", "{{out}} 的内容是 {found}"), told))
        }
        _ => Ok(()),
    }
}

fn saved_hint(saved: &[u8]) -> Option<Hint> {
    if saved.starts_with(b"HTTP/") {
        return hint(
            "C19",
            "The header is in it: the body begins behind the first empty line.",
            "头部也存进去了：响应体从第一个空行之后开始。",
        );
    }
    if saved.starts_with(b"b'") {
        return hint(
            "C8",
            "These are Python's words for bytes: write the bytes themselves, to a file that is opened as binary ('wb').",
            "这是 Python 打印 bytes 的样子：文件用二进制方式打开（'wb'），写入字节本身。",
        );
    }
    if LINES.as_bytes().strip_suffix(b"rld!") == Some(saved) {
        return hint(
            "M2",
            "This is the first chunk: read on, until the one of size 0.",
            "这只是第一块：应继续读，直到大小为 0 的块。",
        );
    }
    if saved.starts_with(b"b\r\n") || saved.starts_with(b"bHello") {
        return hint(
            "M2",
            "The chunk sizes are in it: with Transfer-Encoding: chunked, each chunk has its size before it, and \
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

fn pieces_hint() -> Option<Hint> {
    hint(
        "C3",
        "One recv is not the whole reply, nor its header: recv in a loop until the empty line, and then until the \
         body's own end.",
        "一次 recv 收到的不是完整的响应，也不一定是完整的头部：循环 recv，先到空行，再到响应体自己的结尾。",
    )
}

fn file_hint() -> Option<Hint> {
    hint(
        "C19",
        "{out} on its command line names the file that the body goes to.",
        "命令行上的 {out} 就是保存响应体的文件名。",
    )
}

fn open_hint() -> Option<Hint> {
    hint(
        "M12",
        "The reply says where it ends: after Content-Length bytes, with the chunk of size 0, at once with 204. Do not \
         wait for the end of the connection (nor leave it to Connection: close): close it yourself, and end.",
        "响应自己说明了在哪里结束：Content-Length 个字节之后、大小为 0 的块之后，204 则立刻结束。不要等连接关闭（也不要指望 Connection: close）：自己关闭，然后结束。",
    )
}

fn status_hint() -> Option<Hint> {
    hint(
        "C19",
        "The first line of the reply has the status: print it, whatever it is.",
        "响应的第一行就是状态：不管是什么都打印出来。",
    )
}

fn short_hint() -> Option<Hint> {
    hint(
        "M3",
        "An empty recv is the end of the stream, and not of the body: count the bytes against Content-Length, \
         and keep the file only when all have come (write another one, and rename it).",
        "recv 返回空是流结束，不等于响应体收齐：按 Content-Length 数字节，收齐了才留下文件（先写到别的文件，再改名）。",
    )
}

fn no_header_hint() -> Option<Hint> {
    hint(
        "M11",
        "A reply need not have a header: look for HTTP/ at its beginning and for the empty line, and say what \
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

fn request_hint(seen: &Evidence<'_>) -> Option<Hint> {
    match seen.how {
        _ if seen.is_gone && !seen.last_words.is_empty() => hints::ended_in_the_middle("C19"),
        How::Silent => hint(
            "C19",
            "A request ends with an empty line: \\r\\n\\r\\n behind its last field.",
            "请求以空行结束：最后一个字段后面是 \\r\\n\\r\\n。",
        ),
        _ => path_hint(),
    }
}

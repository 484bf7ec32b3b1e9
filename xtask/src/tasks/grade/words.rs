//! What was expected of a program and what it did, in words.

use std::process::ExitStatus;

use common::narration::escape;

use super::candidate::LastWords;
use super::steps::STOP;
use super::trial::Trial;
use crate::exercises::Tables;
use crate::peers::script::{Expected, Found, How, Mismatch};
use crate::peers::tcp_peer::framed;
use crate::wire::event::Side;
use crate::words::Words;

/// How many bytes of a long message are shown.
const ROOM: usize = 60;

impl Trial<'_> {
    pub fn label(&self, number: usize) -> Words {
        match self.exercise.side {
            Side::Client => Words::fixed("the server", "服务器"),
            Side::Server => words!("#{number}", "#{number}"),
        }
    }

    pub fn expected(&self, Mismatch { number, expected, found }: &Mismatch) -> Words {
        let Words { en: label, zh: label_zh } = self.label(*number);
        let (at, is_tcp, protocol) = (self.peers.at, self.is_tcp(), name(self.is_tcp()));
        let seconds = (self.patience() * 3).as_secs_f64();
        let shown = match expected {
            Expected::Message(message) if is_tcp => shown(&framed(self.peers.talk.framing, message)),
            Expected::Message(message) | Expected::Patience(message) => shown(message),
            Expected::Saved(body) => shown(body),
            _ => String::new(),
        };
        match expected {
            Expected::Connection => words!("client {label} is accepted", "接受客户端 {label_zh}"),
            Expected::Message(_) => words!("{label} receives {shown}", "{label_zh} 收到 {shown}"),
            Expected::Request(path) => words!(
                "a request: GET {path} HTTP/1.1, the Host, and an empty line after them",
                "请求：GET {path} HTTP/1.1，Host，后面跟一个空行"
            ),
            Expected::Anything => {
                words!("an answer, a refusal or the end for {label}", "{label_zh} 得到回答、拒绝或流结束")
            }
            Expected::HalfAtMost => words!(
                "at most one answer for {label}, then the end",
                "{label_zh} 至多得到一个回答，然后流结束"
            ),
            Expected::NoMore if self.exercise.side == Side::Server => {
                words!("nothing more until {label} sends something", "{label_zh} 说话之前，什么也不再来")
            }
            Expected::NoMore => {
                Words::fixed("nothing more until your client gets an answer", "得到回复之前，什么也不再说")
            }
            Expected::End => words!("the end of {label}'s connection", "{label_zh} 的连接结束"),
            Expected::Patience(_) if is_tcp => {
                words!("your client waits for all of {shown}", "客户端等 {shown} 收齐")
            }
            Expected::Patience(_) => {
                words!("your client waits for the answer to {shown}", "客户端等待对 {shown} 的回复")
            }
            Expected::Ready => words!(
                "a {protocol} socket at {at} that waits for clients",
                "在 {at} 等待客户端的 {protocol} 套接字"
            ),
            Expected::Visit if is_tcp => words!("your client connects to {at}", "你的客户端连接 {at}"),
            Expected::Visit => words!("your client sends to {at}", "你的客户端向 {at} 发送"),
            Expected::Few(most) => words!("at most {most} datagrams", "最多 {most} 个数据报"),
            Expected::Closes => Words::fixed(
                "after ten more clients, as many open descriptors as before",
                "又来过十个客户端，打开的描述符不比之前多",
            ),
            Expected::Reaps => Words::fixed(
                "after ten more clients, no more ended processes than before",
                "又来过十个客户端，已结束而无人等待的进程不比之前多",
            ),
            Expected::Sleeps => {
                Words::fixed("your program sleeps while no data arrives", "没有人说话时，程序在睡眠")
            }
            Expected::Stop => {
                words!("your program ends within {STOP} s of Ctrl-C", "按 Ctrl-C 之后 {STOP} 秒内程序结束")
            }
            Expected::Success if found.how == How::Later => {
                Words::fixed("your client ends when the reply is complete", "响应收齐，客户端就结束")
            }
            Expected::Success | Expected::Failure if found.how == How::Silent => {
                words!("your program ends within {seconds} s", "程序在 {seconds} 秒内结束")
            }
            Expected::Success => Words::fixed("your program ends with status 0", "程序以状态 0 结束"),
            Expected::Failure => {
                Words::fixed("a message, and a status other than 0", "一条消息，以及不为 0 的状态")
            }
            Expected::Outwaits => {
                Words::fixed("your client waits for the end of the stream", "客户端等待流结束")
            }
            Expected::Printed(line) => words!("your program prints '{line}', once", "程序打印“{line}”，一次"),
            Expected::Saved(body) if body.is_empty() => {
                words!("no file {{out}}, or an empty one", "没有文件 {{out}}，或者是空的")
            }
            Expected::Saved(_) => words!("{{out}} contains {shown}", "{{out}} 的内容是 {shown}"),
            Expected::Shown(text) => words!("your program prints '{text}'", "程序打印“{text}”"),
        }
    }

    pub fn got(&self, missed: &Mismatch, state: &ProgramState, said: &[u8]) -> Words {
        let Mismatch { expected, found, .. } = missed;
        if expected.is_the_programs() {
            return self.did(expected, found, state);
        }
        let came = joined(self.came(missed, said), differs(expected, found));
        let is_only_its_end = state.status.is_some() && found.how == How::Ended && found.bytes.is_empty();
        match state.words() {
            Some(state) if is_only_its_end => state,
            state => joined(came, state),
        }
    }

    fn did(&self, expected: &Expected, found: &Found, state: &ProgramState) -> Words {
        let ended = || state.words().unwrap_or(Words::fixed("your program still runs", "程序还在运行"));
        let (more, seconds) = (escape(&found.bytes), self.patience().as_secs_f64());
        let (shown, protocol) = (shown(&found.bytes), name(self.is_tcp()));
        match (expected, found.how) {
            (Expected::Ready | Expected::Stop, _) if self.location.has_left => {
                let (at, name) = (self.peers.at, &self.location.owner);
                words!(
                    "{name}, which your program started and which has left its process group, is at {at}",
                    "{at} 上的是 {name}：它由你的程序启动，已经离开了程序的进程组"
                )
            }
            (Expected::Ready, How::Other) => {
                let places: Vec<_> = self.location.found.iter().map(ToString::to_string).collect();
                let places = places.join(", ");
                let protocol = name(self.is_tcp() != self.location.is_other_protocol);
                words!(
                    "your program waits for clients at {protocol} {places}",
                    "程序在 {protocol} {places} 等待客户端"
                )
            }
            (Expected::Ready, How::Silent) => words!(
                "your program runs, but has no {protocol} socket that waits for clients",
                "程序在运行，但没有等待中的 {protocol} 套接字"
            ),
            (Expected::Visit, How::Silent) => {
                Words::fixed("your program runs, but has not done so", "程序在运行，却没有这样做")
            }
            (Expected::Closes, _) => words!("{more} more are open", "多打开了 {more} 个"),
            (Expected::Reaps, _) => words!(
                "{more} more have ended, and it has not waited for them",
                "多了 {more} 个，它没有等待它们"
            ),
            (Expected::Sleeps, _) => {
                Words::fixed("your program ran all the time, for 2 s", "2 秒里程序一直在运行")
            }
            (Expected::Stop, How::Ended) => ended(),
            (Expected::Stop, How::Later) => Words::fixed(
                "your program ended only after its client had disconnected",
                "客户端离开之后程序才结束",
            ),
            (Expected::Stop, How::Late) => {
                Words::fixed("your program ended later than that", "超过了这个时间程序才结束")
            }
            (Expected::Stop, How::Unmoved) => Words::fixed(
                "your program continues, and still serves clients",
                "程序照常运行，还在服务客户端",
            ),
            (Expected::Stop, _) => Words::fixed(
                "your program still runs, but serves no client",
                "程序还在运行，但不再服务任何人",
            ),
            (Expected::Success, How::Later) => Words::fixed(
                "your client ended only after the server had closed",
                "服务器关闭之后客户端才结束",
            ),
            (Expected::Failure, How::Ended) if state.status.is_some_and(|status| !status.success()) => {
                joined(ended(), Some(Words::fixed("it printed no message", "没有打印出错信息")))
            }
            (Expected::Outwaits, _) => Words::fixed(
                "your client ended first, with the connection open",
                "连接还开着，客户端就先结束了",
            ),
            (Expected::Printed(_), How::Elsewhere) => {
                Words::fixed("your program printed that on standard error", "程序打印到了标准错误")
            }
            (Expected::Printed(_), _) => words!("your program printed {shown}", "程序打印了 {shown}"),
            (Expected::Saved(_), How::Ended) => Words::fixed("there is no such file", "没有这个文件"),
            (Expected::Saved(_), How::Silent) => {
                words!("your client accepted no more bytes for {seconds} s", "{seconds} 秒内客户端没有再收")
            }
            (Expected::Saved(_), _) => {
                let saved = words!("{{out}} contains {shown}", "{{out}} 的内容是 {shown}");
                joined(saved, differs(expected, found))
            }
            _ => ended(),
        }
    }

    fn came(&self, Mismatch { number, expected, found }: &Mismatch, said: &[u8]) -> Words {
        let (heard, seconds) = (shown(&found.bytes), self.patience().as_secs_f64());
        let (what, before, is_empty) = (escape(&found.bytes), shown(said), found.bytes.is_empty());
        match found.how {
            How::Other | How::Unmoved => words!("{heard}", "{heard}"),
            How::Ended if is_empty => Words::fixed("the end of the connection", "连接结束了"),
            How::Ended => words!("{heard}, then the end of the connection", "{heard}，然后连接结束了"),
            How::Reset if !self.is_tcp() => Words::fixed("no socket has that port", "没有套接字使用这个端口"),
            How::Reset if is_empty => Words::fixed("a reset of the connection", "连接被复位（RST）"),
            How::Reset => words!("{heard}, then a reset", "{heard}，然后连接被复位（RST）"),
            How::Refused => words!("{what}", "{what}"),
            How::Silent if is_empty => words!("nothing, for {seconds} s", "{seconds} 秒内什么也没有"),
            How::Silent => {
                words!("{heard}, and nothing more for {seconds} s", "{heard}，此后 {seconds} 秒内再没有")
            }
            How::WentOn if matches!(expected, Expected::Few(_)) => {
                words!("{heard} or more", "{heard} 个以上")
            }
            How::WentOn if said.is_empty() => {
                words!("your program continued with {heard}", "程序继续发送 {heard}")
            }
            How::WentOn => words!(
                "your program continued with {heard} when {before} arrived",
                "收到 {before} 之后，程序就继续发送 {heard}"
            ),
            How::Late if is_empty => {
                words!("nothing for {seconds} s, and then it arrived", "{seconds} 秒内什么也没有，后来才到")
            }
            How::Late => {
                let seconds = (self.patience() * 3).as_secs_f64();
                words!("{heard}, and not all of it within {seconds} s", "{heard}，{seconds} 秒内没有收齐")
            }
            How::Later if self.exercise.side == Side::Client => Words::fixed(
                "your client continued only after the next message",
                "来了下一条消息客户端才继续",
            ),
            How::Later if *number == 1 => {
                Words::fixed("that arrived only after #1 had sent something", "#1 说话之后才来")
            }
            How::Later => words!(
                "#{number} received it only after #1 had disconnected",
                "#1 离开之后，#{number} 才收到"
            ),
            How::Elsewhere => words!("{what} received it", "收到的是 {what}"),
        }
    }

    pub fn table(&self, number: usize, tables: Tables) -> Option<Words> {
        let Words { en: label, zh: label_zh } = self.label(number);
        let (at, connected) = (self.peers.at, self.peers.here.len() as u64);
        let accepted = connected.saturating_sub(tables.unaccepted);
        let Words { en, zh } = match tables {
            Tables { unaccepted: 1.., .. } => words!(
                "{connected} connected, {accepted} accepted",
                "已连接 {connected} 个，其中 accept 了 {accepted} 个"
            ),
            Tables { is_left_open: true, .. } => words!(
                "{label} has disconnected, and your end is still open (CLOSE_WAIT)",
                "{label_zh} 已经离开，你这一端还没有关闭（CLOSE_WAIT）"
            ),
            Tables { is_closed: true, .. } => {
                words!("your program no longer listens at {at}", "你的程序不再监听 {at}")
            }
            // Over UDP, with the kernel's overhead.
            Tables { unread: unread @ 1.., .. } => words!(
                "your program has not read all that {label} sent ({unread} bytes in its queue)",
                "{label_zh} 发送的数据你的程序还没有读完（队列中有 {unread} 字节）"
            ),
            _ => return None,
        };
        Some(words!("the kernel's table: {en}", "内核的套接字表：{zh}"))
    }
}

#[derive(Default)]
pub struct ProgramState {
    pub status: Option<ExitStatus>,
    /// What it printed last; of one that runs, the error that it reported.
    pub last_words: LastWords,
}

impl ProgramState {
    /// How it ended, or what it complains of; none if it runs and does not.
    fn words(&self) -> Option<Words> {
        let line = self.last_words.telling.as_deref();
        let Some(status) = self.status else {
            return line.map(|line| words!("your program complains: {line}", "你的程序报错：{line}"));
        };
        let Words { en, zh } = status_words(status);
        Some(match line {
            Some(line) => words!("your program has ended ({en}): {line}", "你的程序已经结束（{zh}）：{line}"),
            None => words!("your program has ended ({en})", "你的程序已经结束（{zh}）"),
        })
    }
}

fn name(is_tcp: bool) -> &'static str {
    if is_tcp { "TCP" } else { "UDP" }
}

pub fn status_words(status: ExitStatus) -> Words {
    match status.code() {
        Some(code) => words!("exit status {code}", "退出状态 {code}"),
        None => words!("{status}", "{status}"), // a signal
    }
}

pub fn joined(Words { en, zh }: Words, next: Option<Words>) -> Words {
    match next {
        Some(Words { en: next, zh: next_zh }) => words!("{en}; {next}", "{zh}；{next_zh}"),
        None => Words { en, zh },
    }
}

/// Bytes as they are shown: of a long message, its beginning.
fn shown(bytes: &[u8]) -> String {
    let text = escape(&bytes[..bytes.len().min(ROOM)]);
    match bytes.len() {
        0..=ROOM => format!("'{text}'"),
        n => format!("'{text}...' ({n} bytes)"),
    }
}

/// Where bytes differ from the expected ones, if that is not among those that are shown.
fn differs(expected: &Expected, found: &Found) -> Option<Words> {
    let right: &[u8] = match expected {
        Expected::Message(message) => message,
        Expected::Saved(body) => body,
        _ => return None,
    };
    let same = found.bytes.iter().zip(right).take_while(|(one, other)| one == other).count();
    let is_hidden = found.how == How::Other && same >= ROOM && same < right.len();
    is_hidden.then(|| words!("the first {same} bytes are right", "前 {same} 字节是对的"))
}

//! What a miss comes to: it is broken by what came or by the kernel's table; silence alone decides nothing, and so
//! the others do what makes a server show itself.

use std::fmt::Display;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;
use common::greeting;
use common::narration::escape;

use super::candidate::LastWords;
use super::hints;
use super::stage::{Evidence, Failure, Halt, Hint, Played, Tables, hint};
use super::starting::{ENDING, not_come};
use super::tcp_server_words as server;
use super::trial::Trial;
use crate::peers::script::{Expected, Found, How, Mismatch, Step, Stop};
use crate::peers::tcp_peer::framed;
use crate::wire::event::Side;
use crate::wire::kernel::Protocol;
use crate::words::Words;

/// Of what is long, so many bytes are shown.
const ROOM: usize = 60;

/// What has become of the program.
struct Fate {
    status: Option<ExitStatus>,
    last_words: LastWords,
}

impl Fate {
    /// In words, where there is something to say.
    fn words(&self) -> Option<Words> {
        let Some(status) = self.status else {
            let line = self.last_words.telling()?;
            return Some(words!("your program complains: {line}", "你的程序报错：{line}"));
        };
        Some(ended_with(status, &self.last_words))
    }

    /// All its words; a status that is not 0 has the last one.
    fn text(&self) -> String {
        let status = self.status.filter(|status| !status.success()).map(|status| status.to_string());
        [self.last_words.text()].into_iter().chain(status).collect::<Vec<_>>().join("\n").trim().to_owned()
    }
}

impl Trial<'_> {
    /// What a miss comes to; nothing, where it was kept after all.
    ///
    /// # Errors
    /// The verdict.
    pub fn finds(&mut self, miss: Mismatch) -> Played {
        let tables = self.tables(miss.number);
        let is_silent = miss.found.how == How::Silent;
        if !is_silent || self.kind.lane == Side::Client || tables.unaccepted > 0 {
            return Err(self.halt(&miss, &tables, None)?);
        }
        match (self.kind.speaks, &miss.expected) {
            (Protocol::Tcp, Expected::Message(message)) => {
                let message = message.clone();
                self.provokes_a_message(miss, &message)
            }
            (Protocol::Udp, _) => {
                let behind = Words::fixed("the next datagram was answered", "下一个数据报得到了回答");
                let nudge = Step::Greeted(miss.number, b"Nobody");
                let is_answered = self.tries(|cast, met| cast.plays(&[nudge], met)).is_ok();
                Err(self.halt(&miss, &tables, Some(behind).filter(|_| is_answered))?)
            }
            _ => Err(self.halt(&miss, &tables, None)?),
        }
    }

    /// A client has heard nothing, or a message without its end. What comes once it says another name, and once
    /// another client comes, decides.
    fn provokes_a_message(&mut self, mut miss: Mismatch, message: &[u8]) -> Played {
        let number = miss.number;
        let has_begun = !miss.found.bytes.is_empty();
        // A message without an end has one where the next begins; and who does not welcome may greet.
        if has_begun || message == greeting::WELCOME {
            self.cast.says(number, &[b"Tracy"])?;
            match self.tries(|cast, met| cast.hears(number, message, met)) {
                Ok(()) if has_begun => {
                    return self.plays(&[Step::HearsGreeting(number, b"Tracy")]);
                }
                Ok(()) => return Err(welcomed_late(number)),
                Err(Stop::Missed(other)) => miss = other,
                Err(stop) => return Err(stop.into()),
            }
        }
        let tables = self.tables(number); // as they are by now
        if miss.found.how != How::Silent {
            return Err(self.halt(&miss, &tables, None)?);
        }
        // A conversation whose thread has died may keep its socket until the next client comes.
        let next = self.cast.next();
        self.remarks(
            Side::Client,
            &words!("(#{next} comes, to see what the server does)", "（#{next} 来了，看服务器怎么做）"),
        );
        let came = self.tries(|cast, met| cast.plays(&[Step::Comes(next)], met));
        let limit = self.terms.patience.after_a_nudge();
        let Err(nudged) = self.cast.tcp(number)?.hears_within(message, limit) else { return Ok(()) };
        if tables.unread == 0 {
            miss.found = nudged.found;
            return Err(self.halt(&miss, &tables, None)?);
        }
        // What it has left unread is seen already; whom it then serves says that it will not come back to it.
        let is_next_served =
            came.is_ok() && self.cast.tcp(next)?.hears_within(greeting::WELCOME, limit).is_ok();
        let behind = words!(
            "then #{next} came, and was welcomed, with that unread",
            "随后 #{next} 来了并受到欢迎，而那些数据仍未读取"
        );
        Err(self.halt(&miss, &tables, Some(behind).filter(|_| is_next_served))?)
    }

    fn tables(&mut self, number: usize) -> Tables {
        match self.kind.speaks {
            Protocol::Udp => Tables { unread: self.waiting_to_be_read(Protocol::Udp), ..Tables::default() },
            Protocol::Tcp => {
                let far_end = self.far_end(number).filter(|row| row.inode != 0); // it is accepted
                let is_server = self.kind.lane == Side::Server;
                Tables {
                    unaccepted: self.waiting_to_be_read(Protocol::Tcp),
                    unread: far_end.as_ref().map_or(0, |row| row.to_read),
                    is_left_open: far_end.is_some_and(|row| row.state == "CLOSE_WAIT"),
                    is_closed: is_server && self.is_anybody_there() == Some(false),
                }
            }
        }
    }

    /// The verdict; `behind` is what decides where nothing came.
    fn halt(&mut self, miss: &Mismatch, tables: &Tables, behind: Option<Words>) -> Result<Halt> {
        let Mismatch { number, expected, found } = miss;
        let (is_silent, said) = (found.how == How::Silent, self.said(*number));
        let fate = self.fate(found.how)?;
        if self.kind.lane == Side::Client && self.cast.udp(1).is_ok_and(|server| server.client.is_none()) {
            return not_come(self, fate.status);
        }
        let came = joined(
            came(miss, self.kind.speaks, self.terms.patience.silence(), &said),
            differs(expected, found),
        );
        let is_all = fate.status.is_some() && found.how == How::Ended && found.bytes.is_empty();
        let came = match fate.words() {
            Some(fate) if is_all => fate,
            fate => joined(came, fate),
        };
        let message = match expected {
            Expected::Message(message) => Some(message.as_slice()),
            _ => None,
        };
        let text = fate.text();
        let seen = Evidence {
            expected: message,
            said: &said,
            how: found.how,
            bytes: &found.bytes,
            framing: self.cast.talk.framing,
            is_gone: fate.status.is_some(),
            last_words: &text,
            tables,
        };
        let is_decided =
            !is_silent || seen.is_gone || tables.unaccepted > 0 || tables.is_left_open || behind.is_some();
        let hint = self.hint(*number, &seen);
        let table = self.table(*number, tables).filter(|_| is_silent || found.how == How::Later);
        let behind = match table {
            Some(table) => Some(joined(table, behind)),
            None => behind,
        };
        let flaw = Box::new(Failure { expected: self.expected(*number, expected), came, behind, hint });
        Ok(if is_decided { Halt::Broken(flaw) } else { Halt::NotDecided(flaw) })
    }

    /// The likely mistake: what any stage may be the first to meet, or one of this stage.
    fn hint(&self, number: usize, seen: &Evidence<'_>) -> Option<Hint> {
        if seen.last_words.contains("bytes-like object") {
            return hints::text_for_bytes();
        }
        let is_tcp_server = self.kind.lane == Side::Server && matches!(self.kind.speaks, Protocol::Tcp);
        let anywhere = is_tcp_server.then(|| server::met_anywhere(number, seen)).flatten();
        anywhere.or_else(|| (self.stage.hint)(seen))
    }

    /// What has become of the program. What ends a thread need not end all of it: then it has complained, and says
    /// no more.
    fn fate(&self, how: How) -> Result<Fate> {
        let program = self.program()?;
        let status = program.wait_for_end(if how == How::Other { Duration::ZERO } else { ENDING })?;
        let last_words = match status {
            Some(_) => program.last_words(),
            None if how == How::Other => LastWords::default(),
            None => program.complaint(),
        };
        Ok(Fate { status, last_words })
    }

    /// What one said last.
    fn said(&mut self, number: usize) -> Vec<u8> {
        self.cast.peer(number).map_or(Vec::new(), |peer| peer.said().to_vec())
    }

    /// Whom the program has to do with, by his name.
    fn label(&self, number: usize) -> (String, String) {
        match self.kind.lane {
            Side::Client => ("the server".into(), "服务器".into()),
            Side::Server => (format!("#{number}"), format!("#{number}")),
        }
    }

    /// What was expected, in words.
    fn expected(&self, number: usize, expected: &Expected) -> Words {
        let (label, label_zh) = self.label(number);
        match expected {
            Expected::Connection => words!("client {label} is accepted", "接受客户端 {label_zh}"),
            Expected::Message(message) => {
                let shown = shown(&match self.kind.speaks {
                    Protocol::Tcp => framed(self.cast.talk.framing, message),
                    Protocol::Udp => message.clone(),
                });
                words!("{label} hears {shown}", "{label_zh} 收到 {shown}")
            }
            Expected::Request(path) => words!(
                "a request: GET {path} HTTP/1.1, the Host, and an empty line behind them",
                "请求：GET {path} HTTP/1.1，Host，后面跟一个空行"
            ),
            Expected::Anything => {
                words!("an answer, a refusal or the end for {label}", "{label_zh} 得到回答、拒绝或流结束")
            }
            Expected::HalfAtMost => {
                words!(
                    "one answer at most for {label}, then the end",
                    "{label_zh} 至多得到一个回答，然后流结束"
                )
            }
            Expected::NoMore => match self.kind.lane {
                Side::Server => {
                    words!("nothing more, until {label} speaks", "{label_zh} 说话之前，什么也不再来")
                }
                Side::Client => {
                    Words::fixed("nothing more, until it is answered", "得到回复之前，什么也不再说")
                }
            },
            Expected::End => words!("the end of {label}'s connection", "{label_zh} 的连接结束"),
            Expected::Patience(message) => {
                let shown = shown(message);
                match self.kind.speaks {
                    Protocol::Tcp => words!("it waits for all of {shown}", "它等 {shown} 收齐"),
                    Protocol::Udp => {
                        words!("it waits for the answer to {shown}", "它等待对 {shown} 的回复")
                    }
                }
            }
        }
    }

    /// What the kernel's tables say, in words.
    fn table(&self, number: usize, tables: &Tables) -> Option<Words> {
        let (label, label_zh) = self.label(number);
        let (connected, unread) = (self.cast.size() as u64, tables.unread);
        if tables.unaccepted > 0 {
            let accepted = connected.saturating_sub(tables.unaccepted);
            return Some(words!(
                "the kernel's table: {connected} connected, {accepted} accepted",
                "内核的套接字表：已连接 {connected} 个，其中 accept 了 {accepted} 个"
            ));
        }
        if tables.is_left_open {
            return Some(words!(
                "the kernel's table: {label} has left, and your end is still open (CLOSE_WAIT)",
                "内核的套接字表：{label_zh} 已经离开，你这一端还没有关闭（CLOSE_WAIT）"
            ));
        }
        if tables.is_closed {
            let at = self.cast.at;
            return Some(words!(
                "the kernel's table: your program listens at {at} no more",
                "内核的套接字表：你的程序不再监听 {at}"
            ));
        }
        let overhead = matches!(self.kind.speaks, Protocol::Udp);
        let (with, with_zh) = if overhead { (", with overhead", "，含开销") } else { ("", "") };
        (unread > 0).then(|| {
            words!(
                "the kernel's table: your program has not read what {label} sent ({unread} bytes wait{with})",
                "内核的套接字表：{label_zh} 发送的数据你的程序还没有读取（{unread} 字节在等待{with_zh}）"
            )
        })
    }
}

/// Where what came is not what was expected, if that cannot be seen.
fn differs(expected: &Expected, found: &Found) -> Option<Words> {
    let Expected::Message(message) = expected else { return None };
    let same = common_prefix(&found.bytes, message);
    let is_hidden = found.how == How::Other && same >= ROOM && same < message.len();
    is_hidden.then(|| words!("the first {same} bytes are right", "前 {same} 字节是对的"))
}

/// How many bytes are the same in both, from the first: whole blocks are compared at once, for what is large.
pub fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    const BLOCK: usize = 4096;
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let begun = BLOCK * blocks.take_while(|(one, other)| one == other).count();
    begun + one[begun..].iter().zip(&other[begun..]).take_while(|(one, other)| one == other).count()
}

/// One remark and the next.
fn joined(Words { en, zh }: Words, next: Option<Words>) -> Words {
    match next {
        Some(Words { en: next, zh: next_zh }) => words!("{en}; {next}", "{zh}；{next_zh}"),
        None => Words { en, zh },
    }
}

/// The welcome came, and not before the client had spoken.
fn welcomed_late(number: usize) -> Halt {
    Halt::broken(
        words!("#{number} is welcomed, and then speaks", "#{number} 先收到欢迎，然后才说话"),
        words!("the welcome came once #{number} had spoken", "#{number} 说话之后，欢迎才来"),
        hint(
            "C8",
            "The welcome waits: send it as soon as accept returns, before the first recv; and flush it, where what \
             is printed goes through a buffer.",
            "欢迎被耽搁了：accept 一返回就发送，不要先 recv；输出经过缓冲区的，还要 flush。",
        ),
    )
}

/// Bytes as they are shown: what is long, by its beginning.
pub fn shown(bytes: &[u8]) -> String {
    let text = escape(&bytes[..bytes.len().min(ROOM)]);
    match bytes.len() {
        0..=ROOM => format!("'{text}'"),
        n => format!("'{text}...' ({n} bytes)"),
    }
}

/// What came, in words.
fn came(
    Mismatch { number, found, .. }: &Mismatch,
    protocol: Protocol,
    patience: Duration,
    said: &[u8],
) -> Words {
    let (shown_bytes, seconds) = (shown(&found.bytes), patience.as_secs_f64());
    let is_empty = found.bytes.is_empty();
    match found.how {
        How::Other => words!("{shown_bytes}", "{shown_bytes}"),
        How::Ended if is_empty => Words::fixed("the end of the connection", "连接结束了"),
        How::Ended => {
            words!("{shown_bytes}, then the end of the connection", "{shown_bytes}，然后连接结束了")
        }
        How::Reset if matches!(protocol, Protocol::Udp) => {
            Words::fixed("no socket has that port", "没有套接字使用这个端口")
        }
        How::Reset if is_empty => Words::fixed("a reset of the connection", "连接被复位（RST）"),
        How::Reset => words!("{shown_bytes}, then a reset", "{shown_bytes}，然后连接被复位（RST）"),
        How::Refused => {
            let why = escape(&found.bytes);
            words!("{why}", "{why}")
        }
        How::Silent if is_empty => words!("nothing, for {seconds} s", "{seconds} 秒内什么也没有"),
        How::Silent => {
            words!(
                "{shown_bytes}, and nothing more for {seconds} s",
                "{shown_bytes}，此后 {seconds} 秒内再没有"
            )
        }
        How::Later if *number == 1 => {
            Words::fixed("it waited on, and went on with the next message", "它还在等，来了下一条消息才继续")
        }
        How::Later => words!("#{number} was welcomed once #1 had left", "#1 离开之后，#{number} 才收到欢迎"),
        How::Elsewhere => {
            let other = escape(&found.bytes);
            words!("{other} heard it", "收到的是 {other}")
        }
        How::WentOn if said.is_empty() => words!("it went on with {shown_bytes}", "它继续发送 {shown_bytes}"),
        How::WentOn => {
            let said = shown(said);
            words!(
                "it went on with {shown_bytes} when {said} came",
                "收到 {said} 之后，它就继续发送 {shown_bytes}"
            )
        }
    }
}

/// That the program has ended, with the line that tells most.
pub fn ended_with(status: impl Display, last_words: &LastWords) -> Words {
    match last_words.telling() {
        Some(line) => {
            words!("your program has ended ({status}): {line}", "你的程序已经结束（{status}）：{line}")
        }
        None => words!("your program has ended ({status})", "你的程序已经结束（{status}）"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_from_the_first_is_counted_across_blocks_and_to_the_shorter_ones_end() {
        let whole = vec![b'x'; 10_000];
        for differs in [0, 4095, 4096, 9999] {
            let mut other = whole.clone();
            other[differs] = b'y';
            assert_eq!(common_prefix(&whole, &other), differs);
        }
        for size in [0, 4095, 8192, 10_000] {
            assert_eq!(common_prefix(&whole, &whole[..size]), size);
        }
    }
}

//! What the stages of clients share: the judge is the host, waits for the program, and looks how it ends.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use super::trial::{Flaw, Halt, Hint, Played, Seen, Trial, ended_with, hint, shown};
use crate::lab::Outcome;
use crate::peers::caller::{Caller, How};
use crate::wire::event::Lane;
use crate::wire::kernel::Protocol;
use crate::words::Words;

/// The names that a client says, in this order.
pub const NAMES: [&[u8]; 3] = [b"Michael", b"Tracy", b"Sarah"];

/// Something is broken, by what came.
pub fn broken<T>(expected: Words, came: Words, hint: Option<Hint>) -> Played<T> {
    Err(Halt::Broken(Box::new(Flaw { expected, came, table: None, hint })))
}

impl Trial<'_> {
    /// Starts the client, and accepts its connection; returns its number.
    pub fn hosts(&mut self) -> Played<usize> {
        let any = SocketAddr::new(self.at.ip(), self.terms.port.unwrap_or_default());
        let listener = TcpListener::bind(any)?;
        self.at = listener.local_addr()?;
        self.spawn(Lane::Client)?;
        self.accepts(&listener)
    }

    fn accepts(&mut self, listener: &TcpListener) -> Played<usize> {
        const GLANCE: Duration = Duration::from_millis(1);
        listener.set_nonblocking(true)?;
        let (asked, mut ended) = (Instant::now(), None);
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    let recorder = self.lab.record.recorder("");
                    let caller = Caller::accepted(stream, self.terms.framing, self.terms.patience, recorder)?;
                    self.callers.push(Some(caller));
                    return Ok(self.callers.len() - 1);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e.into()),
            }
            // It may connect and be gone before it is accepted: so once more after it has ended.
            if let Some(status) = ended.take() {
                return self.not_come(Some(status));
            }
            ended = self.program()?.ended()?;
            if asked.elapsed() > 3 * self.terms.patience {
                return self.not_come(None);
            }
            if ended.is_none() {
                thread::sleep(GLANCE);
            }
        }
    }

    /// It did not come to its host.
    pub fn not_come<T>(&mut self, status: Option<std::process::ExitStatus>) -> Played<T> {
        let at = self.at;
        let expected = words!("it comes to {at}", "它来到 {at}");
        let (came, told) = match status {
            Some(status) => {
                let last_words = self.program()?.last_words();
                (
                    ended_with(&status.to_string(), &last_words),
                    hint(
                        "C1",
                        "Its last words say why. It is given {host} and {port} on its command line.",
                        "原因在它最后的输出里。命令行给出了 {host} 和 {port}。",
                    ),
                )
            }
            None => (
                Words::fixed("it runs, and does not come", "程序在运行，却没有来"),
                hint(
                    "C1",
                    "A guess: it waits for something first, or goes to another port.",
                    "猜测：它先在等别的什么，或者去了别的端口。",
                ),
            ),
        };
        let flaw = Box::new(Flaw { expected, came, table: None, hint: told });
        Err(if status.is_some() { Halt::Broken(flaw) } else { Halt::NotDecided(flaw) })
    }

    /// The host waits for a message of the client.
    pub fn host_hears(&mut self, number: usize, message: &[u8]) -> Played {
        let heard = self.caller(number)?.hears(message);
        heard.map_err(|found| self.flaw(Some(number), Some(message), &found, None))
    }

    /// Waits for the client's end; not decided where there is none within `limit`.
    pub fn ends_within(&mut self, limit: Duration, told: Option<Hint>) -> Played<Outcome> {
        let Some(status) = self.program()?.wait_for_end(limit)? else {
            let seconds = limit.as_secs_f64();
            let expected = words!("it ends within {seconds} s", "它在 {seconds} 秒内结束");
            let came = Words::fixed("it still runs", "它还在运行");
            return Err(Halt::NotDecided(Box::new(Flaw { expected, came, table: None, hint: told })));
        };
        self.program()?.wait_for_output();
        self.lab.record.catch_up()?;
        let pid = self.program()?.program.pid;
        let mut outcome = self.lab.outcome(pid);
        outcome.status = status.code();
        Ok(outcome)
    }

    /// It ends well.
    pub fn ends_well(&mut self) -> Played<Outcome> {
        let outcome = self.ends_within(
            3 * self.terms.patience,
            hint(
                "C20",
                "A guess: it waits for one more message; the end of the stream is the sign to end.",
                "猜测：它还在等一条消息；流结束就是结束的信号。",
            ),
        )?;
        if outcome.status == Some(0) {
            return Ok(outcome);
        }
        let words = self.program()?.last_words();
        let came = ended_with(&status_of(&outcome), &words);
        let last = words.join("\n").to_lowercase();
        let told = if last.contains("decode") || last.contains("utf-8") {
            hint(
                "M13",
                "What comes need not be UTF-8: work with bytes, and print what is no text some other way.",
                "收到的不一定是 UTF-8：按字节处理，不是文本的换一种方式打印。",
            )
        } else {
            hint(
                "C20",
                "All went well on the wire: its last words say why it failed nevertheless.",
                "线路上一切正常：失败的原因见它最后的输出。",
            )
        };
        broken(Words::fixed("it ends with status 0", "它以状态 0 结束"), came, told)
    }

    /// It ends by itself, says why, and its status says that it failed.
    pub fn fails_and_says_so(&mut self, if_not: Option<Hint>, told: Option<Hint>) -> Played<Outcome> {
        let outcome = self.ends_within(3 * self.terms.patience, if_not)?;
        let expected = Words::fixed("a message, and a status that is not 0", "一条消息，以及不为 0 的状态");
        if outcome.status == Some(0) {
            let last = self.program()?.last_words();
            return broken(expected, ended_with("status 0", &last), told);
        }
        let is_word = |line: &&String| !line.is_empty() && !line.starts_with("Welcome!");
        if outcome.complained.iter().chain(&outcome.said).find(is_word).is_none() {
            let came = ended_with(&status_of(&outcome), &["(it said nothing)".into()]);
            return broken(expected, came, told);
        }
        Ok(outcome)
    }

    /// Has nobody listen where the client is sent to.
    pub fn nobody(&mut self, is_tcp: bool) -> Played {
        self.at = self.free_port(if is_tcp { Protocol::Tcp } else { Protocol::Udp })?;
        self.spawn(Lane::Client)?;
        Ok(())
    }
}

/// It has printed each name's greeting, once.
pub fn has_printed_greetings(outcome: &Outcome) -> Played {
    let printed = outcome.said.join("\n");
    let greeting = |name: &[u8]| format!("Hello, {}!", String::from_utf8_lossy(name));
    let is_printed = |name: &&[u8]| printed.matches(&greeting(name)).count() == 1;
    if let Some(name) = NAMES.iter().find(|name| !is_printed(name)) {
        let greeting = greeting(name);
        let expected = words!("it prints '{greeting}', once", "它打印“{greeting}”，一次");
        let printed = shown(printed.as_bytes());
        let came = words!("it printed {printed}", "它打印了 {printed}");
        let told = hint(
            "C12",
            "What comes back for a name is printed, and is that name's own.",
            "每个名字的回复都要打印出来，而且是它自己的。",
        );
        return broken(expected, came, told);
    }
    Ok(())
}

fn status_of(outcome: &Outcome) -> String {
    outcome.status.map_or("a signal".into(), |status| format!("status {status}"))
}

/// Why a client may not have said what it should.
pub fn said_hint(seen: &Seen<'_>) -> Option<Hint> {
    let is_unended =
        seen.expected.is_some_and(|expected| !expected.is_empty() && seen.bytes.starts_with(expected));
    if seen.is_gone && !is_unended {
        return hint(
            "C1",
            "It ended in the middle of it: its last words say why.",
            "它中途结束了：原因见它最后的输出。",
        );
    }
    match seen.how {
        How::Silent if seen.unread > 0 => hint(
            "C3",
            "What the server said has come, and is not read: recv comes before the next send.",
            "服务器的话已经到了，还没有读取：下一次 send 之前要先 recv。",
        ),
        How::Silent if !is_unended => hint(
            "C7",
            "A guess: it waits for more than has come - for a message, read until its end and no further.",
            "猜测：它等的比来的多：一条消息读到它的结尾为止，不要再等。",
        ),
        How::Ended | How::Reset if !is_unended => hint(
            "C20",
            "It leaves before it is done: the names are Michael, Tracy, Sarah, and then exit.",
            "它没做完就离开了：名字依次是 Michael、Tracy、Sarah，最后是 exit。",
        ),
        How::Other if seen.has(b"exit") => hint(
            "C13",
            "exit comes last: the names are Michael, Tracy, Sarah.",
            "exit 最后才说：名字依次是 Michael、Tracy、Sarah。",
        ),
        _ => hint(
            "C7",
            "A message is the name, and what its framing adds: a line feed with line, four bytes before it with\n\
             length, nothing with raw.",
            "一条消息就是名字，加上所选的边界标记：line 末尾一个换行符，length 前面 4 个字节，raw 什么也不加。",
        ),
    }
}

//! How a program ends: a server at Ctrl-C, a client with a status and with what it has printed.

use super::finding::{ended_with, shown};
use super::stage::{Halt, Hint, Played, hint, is_about_text};
use super::trial::Trial;
use crate::lab::Outcome;
use crate::programs::cleanup;
use crate::wire::event::Side;
use crate::wire::kernel::Protocol;
use crate::words::Words;

/// The names that a client says, in this order.
const NAMES: [&str; 3] = ["Michael", "Tracy", "Sarah"];

impl Trial<'_> {
    /// Presses Ctrl-C, as a terminal does it, for all of the group; false where it does not end in time. The promise
    /// says 5 s; the verdict waits as long as the patience lasts, for a machine that is slow.
    ///
    /// # Errors
    /// Not available, where nobody can press it.
    pub fn ends_at_an_interrupt(&mut self) -> Played<bool> {
        if !cleanup::can_interrupt() {
            return Err(Halt::NotAvailable(Words::fixed(
                "only Unix lets a program send another its Ctrl-C",
                "只有 Unix 允许程序向别的程序发送 Ctrl-C",
            )));
        }
        self.lab.record.recorder("").said(Side::Server, "^C");
        self.program()?.program.interrupt_group();
        Ok(self.program()?.wait_for_end(self.terms.patience.to_stop())?.is_some())
    }

    /// Waits for the client's end; `if_not` is the likely mistake where there is none.
    ///
    /// # Errors
    /// Not decided, where it goes on.
    pub fn ends(&mut self, if_not: Option<Hint>) -> Played<Outcome> {
        let limit = self.terms.patience.to_end();
        let Some(status) = self.program()?.wait_for_end(limit)? else {
            let seconds = limit.as_secs_f64();
            let expected = words!("it ends within {seconds} s", "它在 {seconds} 秒内结束");
            return Err(Halt::not_decided(expected, Words::fixed("it still runs", "它还在运行"), if_not));
        };
        self.program()?.wait_for_output();
        self.lab.record.catch_up()?;
        let outcome = self.lab.outcome(self.program()?.program.pid);
        Ok(Outcome { status: status.code(), ..outcome })
    }

    /// It ends with status 0.
    ///
    /// # Errors
    /// How else it ends.
    pub fn ends_well(&mut self) -> Played<Outcome> {
        let outcome = self.ends(self.at_work_hint())?;
        if outcome.status == Some(0) {
            return Ok(outcome);
        }
        let last_words = self.program()?.last_words();
        let told = if is_about_text(&last_words.text()) { not_text_hint() } else { failed_hint() };
        let expected = Words::fixed("it ends with status 0", "它以状态 0 结束");
        Err(Halt::broken(expected, ended_with(status_of(&outcome), &last_words), told))
    }

    /// Why a client may not have ended yet.
    pub fn at_work_hint(&self) -> Option<Hint> {
        match self.kind.speaks {
            Protocol::Udp => hint(
                "C12",
                "A guess: its socket is still open, or it waits for one more datagram. UDP has no end: close the \
                 socket when the last greeting has come.",
                "猜测：套接字还开着，或者它还在等一个数据报。UDP 没有结束：最后一个回复到了就关闭套接字。",
            ),
            Protocol::Tcp if self.kind.framing.is_some() => hint(
                "C4",
                "A guess: it waits for more than the reply has, or is still at work: join what came in pieces once, and \
                 not piece by piece.",
                "猜测：它等的比响应多，或者还在忙：分段收到的数据最后一次拼接，不要来一段拼一次。",
            ),
            Protocol::Tcp => hint(
                "C20",
                "A guess: it waits for one more message; the end of the stream is the sign to end.",
                "猜测：它还在等一条消息；流结束就是结束的信号。",
            ),
        }
    }

    /// It ends by itself, says why, and its status says that it failed.
    ///
    /// # Errors
    /// How else it ends.
    pub fn fails_and_says_so(&mut self, if_not: Option<Hint>, told: Option<Hint>) -> Played<Outcome> {
        let outcome = self.ends(if_not)?;
        let expected = Words::fixed("a message, and a status that is not 0", "一条消息，以及不为 0 的状态");
        let last_words = self.program()?.last_words();
        if outcome.status == Some(0) {
            return Err(Halt::broken(expected, ended_with("status 0", &last_words), told));
        }
        let is_word = |line: &&String| !line.is_empty() && !line.starts_with("Welcome!");
        if outcome.complained.iter().chain(&outcome.said).find(is_word).is_none() {
            let status = status_of(&outcome);
            let came = words!(
                "your program has ended ({status}), and said nothing",
                "你的程序已经结束（{status}），什么也没说"
            );
            return Err(Halt::broken(expected, came, told));
        }
        Ok(outcome)
    }

    /// It ends with status 0, and has printed each name's greeting, once; `told` is the likely mistake where not.
    ///
    /// # Errors
    /// What else it did.
    pub fn has_printed_greetings(&mut self, told: Option<Hint>) -> Played {
        let printed = self.ends_well()?.said.join("\n");
        let greeting = |name: &str| format!("Hello, {name}!");
        let is_printed = |name: &&str| printed.matches(&greeting(name)).count() == 1;
        let Some(name) = NAMES.iter().find(|name| !is_printed(name)) else { return Ok(()) };
        let greeting = greeting(name);
        let expected = words!("it prints '{greeting}', once", "它打印“{greeting}”，一次");
        let printed = shown(printed.as_bytes());
        Err(Halt::broken(expected, words!("it printed {printed}", "它打印了 {printed}"), told))
    }
}

fn status_of(outcome: &Outcome) -> String {
    outcome.status.map_or("a signal".into(), |status| format!("status {status}"))
}

/// Its own greeting is what is printed for a name.
pub fn printed_hint(about: &'static str) -> Option<Hint> {
    hint(
        about,
        "What comes back for a name is printed whole, on standard output, and is that name's own.",
        "每个名字的回复都要完整地打印到标准输出，而且是它自己的。",
    )
}

fn failed_hint() -> Option<Hint> {
    hint(
        "C20",
        "All went well on the wire: its last words say why it failed nevertheless.",
        "线路上一切正常：失败的原因见它最后的输出。",
    )
}

/// What came was no text.
pub fn not_text_hint() -> Option<Hint> {
    hint(
        "M13",
        "What comes need not be UTF-8: work with bytes, and print what is no text some other way.",
        "收到的不一定是 UTF-8：按字节处理，不是文本的换一种方式打印。",
    )
}

/// A failure that is none to see.
pub fn failure_hint() -> Option<Hint> {
    hint(
        "C1",
        "That nobody answers is a failure: say it, and end with a status that is not 0.",
        "没有人应答就是失败：要说出来，并以不为 0 的状态结束。",
    )
}

/// It does not end at Ctrl-C.
pub fn goes_on_hint() -> Option<Hint> {
    hint(
        "-",
        "Ctrl-C reached it and it went on: a handler that only returns, or an exception that is caught around \
         accept or recvfrom.",
        "Ctrl-C 到了，它却继续运行：处理函数只是返回，或者 accept、recvfrom 外面把异常捕获了。",
    )
}

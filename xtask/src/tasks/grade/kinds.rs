//! The kinds of programs that can be judged.

use std::ffi::OsStr;

use anyhow::Result;
use common::args;
use common::framing::Framing;
use common::narration::{escape, say};
use common::text;

use super::candidate::CommandLine;
use super::stage::{Kind, Stage};
use super::{get, tcp_client, tcp_server, udp_client, udp_server};
use crate::drawing::style::Style;
use crate::wire::event::Side;
use crate::wire::kernel::Protocol;
use crate::words::Words;

const CLIENTS: Words = Words::fixed("the judge's clients", "评判程序的客户端");
const YOUR_SERVER: Words = Words::fixed("your server", "你的服务器");
const YOUR_CLIENT: Words = Words::fixed("your client", "你的客户端");
const SERVER: Words = Words::fixed("the judge's server", "评判程序的服务器");

pub static KINDS: [Kind; 5] = [
    Kind {
        name: "tcp-server",
        protocol: Words::fixed(
            "Says Welcome! to each client, answers each name with Hello, NAME!, and closes on exit. A message ends at \
             a line feed (--framing line), follows its length in four bytes (length), or is what one read gives (raw).",
            "对每个客户端说 Welcome!，收到名字回复 Hello, NAME!，收到 exit 就关闭连接。一条消息以换行符结尾（--framing line）， \
             或跟在四个字节的长度后面（length），或就是一次读取的内容（raw）。",
        ),
        example: "cargo xtask grade tcp-server -- python3 my_server.py {host} {port}",
        places: &["{port}"],
        stages: &tcp_server::STAGES,
        ground: 3,
        speaks: Protocol::Tcp,
        framing: None,
        lane: Side::Server,
        lanes: (CLIENTS, YOUR_SERVER),
    },
    Kind {
        name: "udp-server",
        protocol: Words::fixed(
            "Answers each datagram, which is a name, with Hello, NAME! in another one.",
            "每个数据报是一个名字，用另一个数据报回复 Hello, NAME!。",
        ),
        example: "cargo xtask grade udp-server -- python3 my_server.py {host} {port}",
        places: &["{port}"],
        stages: &udp_server::STAGES,
        ground: 2,
        speaks: Protocol::Udp,
        framing: None,
        lane: Side::Server,
        lanes: (CLIENTS, YOUR_SERVER),
    },
    Kind {
        name: "tcp-client",
        protocol: Words::fixed(
            "Hears Welcome!, says Michael, Tracy and Sarah, hears and prints Hello, NAME! for each before it says the \
             next, then says exit. A message ends as --framing says: at a line feed, unless it is length or raw.",
            "先收到 Welcome!，再依次说 Michael、Tracy、Sarah，每个都等到 Hello, NAME! 并打印，才说下一个，最后说 exit。 \
             消息在哪里结束由 --framing 决定：line（换行符，默认）、length 或 raw。",
        ),
        example: "cargo xtask grade tcp-client -- python3 my_client.py {host} {port}",
        places: &["{port}"],
        stages: &tcp_client::STAGES,
        ground: 1,
        speaks: Protocol::Tcp,
        framing: None,
        lane: Side::Client,
        lanes: (YOUR_CLIENT, SERVER),
    },
    Kind {
        name: "udp-client",
        protocol: Words::fixed(
            "Sends Michael, Tracy and Sarah, a datagram each, and prints Hello, NAME! for each before it sends the next.",
            "依次发送 Michael、Tracy、Sarah，每个一个数据报；等到并打印 Hello, NAME!，才发下一个。",
        ),
        example: "cargo xtask grade udp-client -- python3 my_client.py {host} {port}",
        places: &["{port}"],
        stages: &udp_client::STAGES,
        ground: 1,
        speaks: Protocol::Udp,
        framing: None,
        lane: Side::Client,
        lanes: (YOUR_CLIENT, SERVER),
    },
    Kind {
        name: "get",
        protocol: Words::fixed(
            "Gets the page at {url} with GET and HTTP/1.1, prints the header, and saves the body as the file {out}.",
            "用 GET 和 HTTP/1.1 获取 {url}，打印头部，把响应体存为文件 {out}。",
        ),
        example: "cargo xtask grade get -- python3 my_get.py {url} {out}",
        places: &["{url}", "{out}"],
        stages: &get::STAGES,
        ground: 1,
        speaks: Protocol::Tcp,
        framing: Some(Framing::Raw),
        lane: Side::Client,
        lanes: (YOUR_CLIENT, SERVER),
    },
];

impl Kind {
    /// The kind of this name.
    ///
    /// # Errors
    /// A usage error, with all the names.
    pub fn of(name: &OsStr) -> Result<&'static Self> {
        KINDS.iter().find(|kind| *name == *kind.name).ok_or_else(|| {
            let (shown, names) = (escape(name.as_encoded_bytes()), names());
            args::usage(text!(
                "cannot grade '{shown}': it is one of {names}",
                "“{shown}”不能评判，应为其中之一：{names}"
            ))
        })
    }

    /// Its stage of this name.
    ///
    /// # Errors
    /// A usage error, with all the names.
    pub fn stage(&self, name: &str) -> Result<&'static Stage> {
        self.stages.iter().find(|stage| stage.name == name).ok_or_else(|| {
            let names: Vec<_> = self.stages.iter().map(|stage| stage.name).collect();
            let (shown, names) = (escape(name.as_bytes()), names.join(" "));
            args::usage(text!(
                "no stage '{shown}': it is one of {names}",
                "没有“{shown}”这一项，应为其中之一：{names}"
            ))
        })
    }

    /// Refuses a command without the places that it needs.
    ///
    /// # Errors
    /// A usage error, with an example.
    pub fn check(&self, command: &CommandLine, port: Option<u16>) -> Result<()> {
        let example = self.example();
        if command.0.is_empty() {
            return Err(args::usage(text!(
                "the command that starts your program is missing: {example}",
                "缺少启动你的程序的命令：{example}"
            )));
        }
        let is_missing = |place: &&&str| !command.has(place) && (port.is_none() || **place != "{port}");
        let Some(place) = self.places.iter().find(is_missing) else { return Ok(()) };
        let port = if *place == "{port}" {
            text!(", or --port N for one that it has in its code", "（端口写在代码里的程序用 --port N）")
        } else {
            String::new()
        };
        // PowerShell takes braces that stand by themselves for a block of its own, and passes on what is in them.
        let bare = place.trim_matches(['{', '}']);
        let is_bare = command.0.iter().any(|word| *word == *bare);
        let quotes = if is_bare {
            text!(
                " (PowerShell takes braces away: put them in quotes)",
                "（PowerShell 会去掉花括号，请加引号）"
            )
        } else {
            String::new()
        };
        Err(args::usage(text!(
            "the command has no {place}{port}{quotes}: {example}",
            "命令里没有 {place}{port}{quotes}：{example}"
        )))
    }

    /// How its command may look, in every shell: PowerShell wants the braces in quotes.
    fn example(&self) -> String {
        self.example.replace('{', "\"{").replace('}', "}\"")
    }

    /// Every stage in a sentence: the exercise sheet.
    ///
    /// # Errors
    /// When it cannot be printed.
    pub fn introduce(&self, style: Style) -> Result<()> {
        say(self.name)?;
        style.broken("", self.protocol.to(style.lang)).iter().try_for_each(|line| say(line))?;
        say("")?;
        for (number, stage) in (1..).zip(self.stages) {
            let head = format!("{number:4} {:11} ", stage.name);
            style.broken(&head, stage.promise.1.to(style.lang)).iter().try_for_each(|line| say(line))?;
        }
        Ok(say(&format!("\n{}", self.example()))?)
    }
}

/// The names of all kinds.
pub fn names() -> String {
    KINDS.each_ref().map(|kind| kind.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_about_something_that_a_lesson_shows() {
        for stage in KINDS.iter().flat_map(|kind| kind.stages) {
            assert!(crate::lessons::about(stage.promise.0).is_some(), "{}: {}", stage.name, stage.promise.0);
        }
    }
}

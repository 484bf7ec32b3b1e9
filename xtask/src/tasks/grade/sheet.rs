//! The exercise sheet, and what is wrong with a command.

use std::ffi::OsStr;
use std::net::SocketAddr;

use anyhow::Result;
use common::args;
use common::narration::{escape, say};
use common::text;

use super::candidate::CommandLine;
use crate::drawing::style::Style;
use crate::exercises::{ALL, Exercise, Stage};
use crate::tasks::shown;
use crate::wire::event::Side;
use crate::wire::kernel::Protocol;
use crate::words::Words;

pub fn exercise(name: &OsStr) -> Result<&'static Exercise> {
    let found = ALL.into_iter().find(|exercise| *name == *exercise.name);
    found.ok_or_else(|| unknown(name, &names()))
}

pub fn stage(exercise: &Exercise, name: &str) -> Result<&'static Stage> {
    let names = || exercise.stages.iter().map(|stage| stage.name).collect::<Vec<_>>().join(" ");
    exercise.stage(name).ok_or_else(|| unknown(name.as_ref(), &names()))
}

fn unknown(name: &OsStr, names: &str) -> anyhow::Error {
    let name = escape(name.as_encoded_bytes());
    args::usage(text!(
        "cannot grade '{name}': it is one of {names}",
        "“{name}”不能评判，应为其中之一：{names}"
    ))
}

pub fn check(exercise: &Exercise, command: &CommandLine, at: SocketAddr, is_each: bool) -> Result<()> {
    let example = example(exercise);
    if command.has("{dir}") && !is_each {
        return Err(args::usage(text!(
            "{{dir}} in a command needs --each, which grades several directories: {example}",
            "命令里的 {{dir}} 要与 --each 同用，那是评判多个目录用的：{example}"
        )));
    }
    if at.is_ipv6() && command.has("{host}:{port}") && !command.has("[{host}]:{port}") {
        return Err(args::usage(text!(
            "an IPv6 address is written in brackets before a port: [{{host}}]:{{port}}",
            "端口前面的 IPv6 地址要写在方括号里：[{{host}}]:{{port}}"
        )));
    }
    if command.words.is_empty() {
        return Err(args::usage(text!(
            "the command that starts your program is missing: {example}",
            "缺少启动你的程序的命令：{example}"
        )));
    }
    let is_missing = |place: &&&str| !command.has(place) && (at.port() == 0 || **place != "{port}");
    let Some(place) = exercise.places.iter().find(is_missing) else { return Ok(()) };
    // PowerShell evaluates bare braces as a block, and passes on what is in them.
    let bare = place.trim_matches(['{', '}']);
    let remark = if command.words.iter().any(|word| *word == *bare) {
        text!(" (PowerShell takes braces away: put them in quotes)", "（PowerShell 会去掉花括号，请加引号）")
    } else if *place == "{port}" {
        text!(" (or --port N, if the port is hard-coded)", "（端口写在代码里的程序用 --port N）")
    } else {
        String::new()
    };
    Err(args::usage(text!(
        "the command has no {place}{remark}: {example}",
        "命令里没有 {place}{remark}：{example}"
    )))
}

/// How a command may look, in every shell: PowerShell needs quotes around the braces.
fn example(exercise: &Exercise) -> String {
    let words = match exercise.side {
        Side::Server => r#"my_server.py "{host}" "{port}""#,
        Side::Client if exercise.places.contains(&"{port}") => r#"my_client.py "{host}" "{port}""#,
        Side::Client => r#"my_get.py "{url}" "{out}""#,
    };
    format!("{} grade {} -- python3 {words}", shown::typed(), exercise.name)
}

/// What is judged in every stage; the first, of programs with messages over TCP.
const RULES: [Words; 4] = [
    Words::fixed(
        "Your program sends only the messages above. One conversation, from Welcome! to 'exit', is one connection.",
        "你的程序只发送上面说的消息；从 Welcome! 到 exit 只用一个连接。",
    ),
    Words::fixed(
        "Your program is started again for each stage, and must be ready within 30 s: compile it first.",
        "每一项都重新启动它，30 秒内要就绪：请先编译好。",
    ),
    Words::fixed(
        "Do not start it in the background or as a daemon, or Ctrl-C cannot stop it.",
        "不要让它转入后台，也不要做成 daemon，否则 Ctrl-C 停不了它。",
    ),
    Words::fixed(
        "It gets no input: its standard input stays open, and nothing arrives there.",
        "标准输入一直开着，但没有人输入。",
    ),
];

pub fn introduce(exercise: &Exercise, style: Style) -> Result<()> {
    let print = |head: &str, words: &Words| {
        style.broken(head, words.to(style.lang)).iter().try_for_each(|line| say(line))
    };
    say(exercise.name)?;
    print("", &exercise.description)?;
    let has_words = matches!(exercise.transport, Protocol::Tcp) && exercise.framing.is_none();
    RULES.iter().skip(usize::from(!has_words)).try_for_each(|rule| print("  - ", rule))?;
    say("")?;
    for (number, stage) in (1..).zip(exercise.stages) {
        print(&format!("{number:4} {:11} ", stage.name), &stage.promise.1)?;
    }
    say(Words::fixed("\nNot tested:", "\n不测试：").to(style.lang))?;
    exercise.not_asked.iter().try_for_each(|not_asked| print("  - ", not_asked))?;
    Ok(say(&format!("\n{}", example(exercise)))?)
}

pub fn names() -> String {
    ALL.map(|exercise| exercise.name).join(", ")
}

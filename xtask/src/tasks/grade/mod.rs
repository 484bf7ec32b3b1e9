//! `cargo xtask grade`: a student's own program, in any language, judged by what it does on the wire.

mod candidate;
mod class;
mod digest;
mod finding;
mod judge;
mod output;
mod report;
mod sheet;
mod start;
mod steps;
mod sum;
mod trial;
mod waits;
mod words;

use std::fs;
use std::net::{IpAddr, TcpListener};
use std::time::Duration;
use std::{iter, mem, thread};

use anyhow::{Context, Result};
use common::address::HostPort;
use common::args::{self, Args};
use common::framing::Framing;
use common::narration::{complain, say};
use common::text;

use super::shown::{self, Only};
use crate::drawing::live;
use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::exercises::ALL;
use crate::peers::names::Names;
use crate::peers::talk::Talk;
use crate::programs::cleanup;
use crate::random;
use crate::wire::event::{Recorder, Side};
use crate::words::Words;
use candidate::CommandLine;
use report::{cover, grade};
use trial::{Config, ReportFiles};

pub fn run(mut args: Args) -> Result<()> {
    let (list, all, watch) = (args.flag("--list")?, args.flag("--all")?, args.flag("--watch")?);
    let more = args.flag("--more")?;
    let (each, brief, anonymous) = (args.flag("--each")?, args.flag("--brief")?, args.flag("--anonymous")?);
    let Only(ip) = args.given("--ip")?.unwrap_or(Only(shown::LOOPBACK[0]));
    let style = shown::style(&mut args)?;
    let (stage, files) = (args.given::<String>("--stage")?, ReportFiles::of(&mut args)?);
    let live = args.given_or::<HostPort>("--live", live::DEFAULT)?;
    let framing = args.value("--framing", Framing::Line)?;
    let patience = args.seconds("--patience", 10.0, 0.1..=3600.0)?;
    // Short enough to be typed.
    let seed = args.whole("--seed")?.unwrap_or_else(|| 1 + random::number() % 999_999);
    let port = args.number("--port", 0, 1..=u16::MAX)?;
    let (repeat, jobs) = (args.number("--repeat", 1, 1..=1000)?, args.number("--jobs", 0, 1..=1000)?);
    let at = args.given::<String>("--at")?;
    let mut operands = args.operands_before_dashes()?;
    let exercise = match operands.first() {
        Some(name) => sheet::exercise(name)?,
        None if list => {
            return ALL.iter().try_for_each(|one| sheet::introduce(one, style).and_then(|()| Ok(say("")?)));
        }
        None => {
            let names = sheet::names();
            return Err(args::usage(text!("say what to grade: {names}", "请写出要评判什么：{names}")));
        }
    };
    let only = stage.map(|name| sheet::stage(exercise, &name)).transpose()?;
    if list {
        return sheet::introduce(exercise, style);
    }
    operands.remove(0);
    let mut words = if each { Vec::new() } else { mem::take(&mut operands) };
    words.extend(iter::from_fn(|| args.operand().transpose()).collect::<Result<Vec<_>>>()?);
    let command = CommandLine { words, directory: None };
    let is_running = (at.is_some() || (each && command.words.is_empty())) && exercise.side == Side::Server;
    for (one, is_one, other, is_other) in [
        ("--each", each, "--watch", watch),
        ("--each", each, "--live", live.is_some()),
        ("--each", each, "--at", at.is_some()),
        ("--at", at.is_some(), "--watch", watch),
        ("--at", at.is_some(), "--port", port > 0),
        ("--at", at.is_some(), "COMMAND", !command.words.is_empty()),
        ("--jobs", jobs > 1, "--port", port > 0),
    ] {
        if is_one && is_other {
            return Err(args::usage(text!("{one} cannot be used with {other}", "{one} 不能与 {other} 同用")));
        }
    }
    if !each && (jobs > 0 || anonymous) {
        let why = text!("--jobs and --anonymous are for --each", "--jobs 和 --anonymous 用于 --each");
        return Err(args::usage(why));
    }
    let at = at.map_or(Ok((ip, port).into()), |at| class::running(&at))?;
    let submissions = each.then(|| class::submissions(&operands, &command)).transpose()?;
    if !is_running {
        sheet::check(exercise, &command, at, each)?;
        notes_own_options(&command, style)?;
        check_version(ip)?;
    }
    let names = Names { seed, ..Names::OF_THE_NOTES };
    let talk = Talk { framing, patience, recorder: Recorder::discarding(), names };
    let story = Transcript::kept(style);
    let config = Config { exercise, command, at, repeat, talk, style, story, all, only, brief, more, files };
    if let Some(submissions) = submissions {
        return class::grade(&config, &submissions, jobs, anonymous);
    }
    cleanup::close_on_interrupt()?;
    let live = shown::go_live(live.as_ref(), &config.story, cover(&config, &config.shown()), style, false)?;
    if watch {
        return grade_again_and_again(&config);
    }
    let outcome = grade(&config);
    shown::stay(live.as_ref(), style);
    outcome
}

fn check_version(ip: IpAddr) -> Result<()> {
    let (version, other) = if ip.is_ipv4() { (4, 6) } else { (6, 4) };
    TcpListener::bind((ip, 0)).map(drop).with_context(|| {
        text!(
            "cannot use IPv{version} on this machine; try --ip {other}",
            "这台机器上不能使用 IPv{version}，请试试 --ip {other}"
        )
    })
}

/// Says which options of the judge went to the program, because they come after '--'.
fn notes_own_options(command: &CommandLine, style: Style) -> Result<()> {
    let own = ["--stage", "--all", "--patience", "--watch"];
    let passed_on = own.into_iter().find(|name| command.words.iter().any(|word| *word == **name));
    let Some(name) = passed_on else { return Ok(()) };
    let note = words!(
        "({name} comes after '--', and so it is passed to your program)",
        "（{name} 写在 -- 后面，所以交给了你的程序）"
    );
    style.say(Ink::Faint, &note)
}

/// Grades whenever a file that the command names has changed, until Ctrl-C.
fn grade_again_and_again(config: &Config) -> Result<()> {
    let modified = |word| fs::metadata(word).and_then(|file| file.modified()).ok();
    let changed = || config.command.words.iter().map(modified);
    if changed().all(|time| time.is_none()) {
        return Err(args::usage(text!(
            "--watch: the command names no file to watch: name the program's own file in it",
            "--watch：命令里没有写出可以监视的文件：请写出程序自己的文件"
        )));
    }
    loop {
        let before: Vec<_> = changed().collect();
        // The next version may be better.
        let why = grade(config).err().map(|e| format!("{e:#}"));
        why.iter().filter(|why| !why.is_empty()).for_each(|why| complain(why));
        let wait =
            Words::fixed("\nWaiting for a change; Ctrl-C ends it.", "\n等待文件改动；按 Ctrl-C 结束。");
        config.style.say(Ink::Faint, &wait)?;
        while changed().eq(before.iter().copied()) {
            thread::sleep(Duration::from_millis(200));
        }
        say("")?;
    }
}

//! `cargo xtask grade`: a student's own program, in any language, judged by what it does on the wire.

mod candidate;
mod finding;
mod judge;
mod report;
mod sheet;
mod start;
mod steps;
mod trial;
mod verdict;
mod words;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use common::address::HostPort;
use common::args::{self, Args};
use common::framing::Framing;
use common::narration::{complain, say};
use common::text;

use super::shown::{self, Only};
use crate::drawing::live;
use crate::drawing::style::Ink;
use crate::drawing::transcript::Transcript;
use crate::exercises::{ALL, Exercise};
use crate::peers::names::Names;
use crate::peers::talk::{Patience, Talk};
use crate::programs::cleanup;
use crate::random;
use crate::wire::event::Recorder;
use crate::words::Words;
use candidate::CommandLine;
use report::{Selection, cover, grade};
use trial::Config;

/// Judges the program that the arguments name.
///
/// # Errors
/// A usage error; a failure where a stage has not passed.
pub fn run(mut args: Args) -> Result<()> {
    let (list, all, watch) = (args.flag("--list")?, args.flag("--all")?, args.flag("--watch")?);
    let Only(ip) = args.value("--ip", Only(Ipv4Addr::LOCALHOST.into()))?;
    let style = shown::style(&mut args)?;
    let (stage, file) = (args.given::<String>("--stage")?, args.given::<String>("--html")?);
    let address = args.given_or::<HostPort>("--live", live::DEFAULT)?;
    let framing = args.value("--framing", Framing::Line)?;
    let patience = args.seconds("--patience", 10.0, 0.1..=3600.0)?;
    // Short enough to be typed.
    let seed = args.whole("--seed")?.unwrap_or_else(|| 1 + random::number() % 999_999);
    let port = Some(args.number("--port", 0, 1..=u16::MAX)?).filter(|port| *port > 0);
    let exercise = match args.operand()? {
        Some(name) => sheet::exercise(&name)?,
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
    let mut command = Vec::new();
    while let Some(word) = args.operand()? {
        command.push(word);
    }
    let command = CommandLine(command);
    sheet::check(exercise, &command, port)?;
    let (version, other) = if ip.is_ipv4() { (4, 6) } else { (6, 4) };
    TcpListener::bind((ip, 0)).with_context(|| {
        text!(
            "cannot use IPv{version} on this machine; try --ip {other}",
            "这台机器上不能使用 IPv{version}，请试试 --ip {other}"
        )
    })?;
    cleanup::close_on_interrupt()?;
    let names = Names { seed, ..Names::OF_THE_NOTES };
    let talk = Talk { framing, patience: Patience::new(patience), recorder: Recorder::discarding(), names };
    let config = Config { command, ip, port, talk, style, story: Transcript::kept(style) };
    let selection = Selection { all, only, file };
    let live = shown::go_live(address.as_ref(), &config.story, cover(exercise, &config), style, None)?;
    if watch {
        return grade_again_and_again(exercise, &config, &selection);
    }
    let outcome = grade(exercise, &config, &selection);
    shown::stay(live.as_ref(), style);
    outcome
}

/// Grades whenever a file that the command names has changed, until Ctrl-C.
fn grade_again_and_again(exercise: &'static Exercise, config: &Config, selection: &Selection) -> Result<()> {
    const GLANCE: Duration = Duration::from_millis(200);
    let changed =
        || config.command.0.iter().map(|word| fs::metadata(word).and_then(|file| file.modified()).ok());
    if changed().all(|time| time.is_none()) {
        return Err(args::usage(text!(
            "--watch: the command names no file to watch: name the program's own file in it",
            "--watch：命令里没有写出可以监视的文件：请写出程序自己的文件"
        )));
    }
    loop {
        let before: Vec<_> = changed().collect();
        if let Err(e) = grade(exercise, config, selection) {
            complain(&format!("{e:#}")); // the next version may be better
        }
        let wait =
            Words::fixed("\nWaiting for a change; Ctrl-C ends it.", "\n等待文件改动；按 Ctrl-C 结束。");
        config.style.say(Ink::Faint, &wait)?;
        while changed().eq(before.iter().copied()) {
            thread::sleep(GLANCE);
        }
        say("")?;
    }
}

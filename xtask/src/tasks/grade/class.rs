//! Programs of a whole class, judged several at a time. Each has its own processes, ports, scratch directory and ladder;
//! what came out undecided beside others is judged again alone.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{self, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use common::address::{self, HostPort};
use common::args;
use common::narration::{Stdout, escape, say};
use common::stop::{self, Stop};
use common::text;

use super::candidate::CommandLine;
use super::judge::{judge, judge_all};
use super::output::{Run, Work};
use super::sum;
use super::trial::Config;
use crate::drawing::style::Ink;
use crate::drawing::transcript::Transcript;
use crate::programs::cleanup;
use crate::words::Words;

pub struct Submission {
    name: String,
    directory: Option<PathBuf>,
    at: Option<SocketAddr>,
}

/// The submissions that the operands name: directories for a command; without one, servers that run already.
pub fn submissions(operands: &[OsString], command: &CommandLine) -> Result<Vec<Submission>> {
    let found = if command.words.is_empty() {
        operands.iter().map(|word| server(word)).collect::<Result<Vec<_>>>()?
    } else {
        directories(operands)?
    };
    if found.is_empty() {
        return Err(args::usage(text!(
            "--each: no directory to grade: name them, or the one that they are in: --each submissions -- COMMAND",
            "--each：没有要评判的目录：请写出它们，或者它们所在的那个目录：--each submissions -- 命令"
        )));
    }
    let mut names = HashSet::new();
    match found.iter().find(|one| !names.insert(&one.name)) {
        None => Ok(found),
        Some(Submission { name, .. }) => Err(args::usage(text!(
            "--each: two submissions are called '{name}': rename one of the directories",
            "--each：有两份都叫“{name}”：请给其中一个目录改名"
        ))),
    }
}

/// `HOST:PORT`, or `NAME=HOST:PORT`.
fn server(word: &OsStr) -> Result<Submission> {
    let text = word.to_string_lossy();
    let (name, at) = text.split_once('=').unwrap_or((&text, &text));
    Ok(Submission { name: escape(name.as_bytes()), directory: None, at: Some(running(at)?) })
}

pub fn running(at: &str) -> Result<SocketAddr> {
    let shown = escape(at.as_bytes());
    let bad = |why: String| {
        args::usage(text!(
            "'{shown}' is no address of a server: {why} (or is the COMMAND after -- missing?)",
            "“{shown}”不是服务器的地址：{why}（或者缺少 -- 后面的命令？）"
        ))
    };
    let at: HostPort = at.parse().map_err(bad)?;
    address::resolve(&at)?.first().copied().context("no address")
}

/// The directories that are named; of one, those in it.
fn directories(operands: &[OsString]) -> Result<Vec<Submission>> {
    let mut paths: Vec<_> = operands.iter().map(PathBuf::from).collect();
    if let [whole] = &paths[..] {
        let is_shown =
            |path: &PathBuf| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let entries = fs::read_dir(whole).into_iter().flatten().flatten().map(|entry| entry.path());
        paths = entries.filter(|path| path.is_dir() && is_shown(path)).collect();
    }
    paths.sort();
    let of = |path: &PathBuf| {
        let whole = path::absolute(path)?;
        let name = escape(whole.file_name().unwrap_or(whole.as_os_str()).as_encoded_bytes());
        if whole.is_dir() {
            return Ok(Submission { name, directory: Some(whole), at: None });
        }
        Err(args::usage(text!(
            "--each: '{name}' is not a directory: in a shell, submissions/*/ names only directories",
            "--each：“{name}”不是目录：在 shell 里，submissions/*/ 只代表目录"
        )))
    };
    paths.iter().map(of).collect()
}

/// Judges all of them, and sums up. Ctrl-C ends it with what has been judged.
pub fn grade(config: &Config, submissions: &[Submission], jobs: u16, is_anonymous: bool) -> Result<()> {
    config.files.open()?;
    let (style, all) = (config.style, submissions.len());
    let jobs = match usize::from(jobs) {
        0 if config.has_port() => 1, // all have that port
        0 => 2 * thread::available_parallelism().map_or(1, usize::from), // most of a judgement is waiting
        jobs => jobs,
    };
    let (jobs, seed) = (jobs.min(all), config.talk.names.seed);
    let (name, shown) = (config.exercise.name, config.command.shown());
    let head = words!(
        "{name}: {shown} ({all} submissions, {jobs} at a time, --seed {seed})",
        "{name}：{shown}（{all} 份，同时评判 {jobs} 份，--seed {seed}）"
    );
    style.explain(Ink::Bold, &head)?;
    let stop = Stop::on_signal(cleanup::end_children)?;
    let (numbers, works) = (Mutex::new(0..all), Mutex::new(BTreeMap::new()));
    let next = || numbers.lock().unwrap_or_else(PoisonError::into_inner).next();
    let judge_on = || {
        while let Some(number) = next() {
            let work = judge_one(config, &submissions[number]);
            // What happens to a program once all are being ended is not its own doing.
            if stop.requested() {
                return;
            }
            let mut works = works.lock().unwrap_or_else(PoisonError::into_inner);
            works.insert(number, work);
            let done = works.len();
            progress(&words!("{done} of {all} tested", "已测试 {done} 份，共 {all} 份"), config);
        }
    };
    thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(judge_on))));
    let mut works = works.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (number, work) in works.iter_mut().filter(|(_, work)| work.is_open()) {
        progress(&Words::fixed("again, alone: what is undecided", "未能判定的，单独再评判一次"), config);
        let again = judge_one(config, &submissions[*number]);
        if stop.requested() {
            break;
        }
        *work = Work { is_again: true, took: again.took + work.took, ..again };
    }
    progress(&Words::fixed("", ""), config);
    let named = |(number, work): (usize, Work)| {
        if is_anonymous { Work { name: (number + 1).to_string(), ..work } } else { work }
    };
    let run = Run { config, works: works.into_iter().map(named).collect() };
    let mut paths: Vec<_> = submissions.iter().filter_map(|one| one.directory.as_deref()).collect();
    paths.retain(|_| is_anonymous);
    paths.sort_by_key(|path| std::cmp::Reverse(path.as_os_str().len())); // one may begin like another
    let hide = |text: String, path: &&Path| text.replace(&*path.to_string_lossy(), "{dir}");
    let hidden = |text| paths.iter().fold(text, hide);
    sum::lines(&run).into_iter().try_for_each(|line| say(&hidden(line)))?;
    run.write(|| sum::html(&run), hidden)?;
    if stop.requested() {
        let (done, status) = (run.works.len(), u8::try_from(stop::INTERRUPTED)?);
        let why = text!("interrupted: {done} of {all} were tested", "已中断：测试了 {done} 份，共 {all} 份");
        return Err(args::with_status(status, why));
    }
    run.outcome()
}

fn judge_one(config: &Config, Submission { name, directory, at }: &Submission) -> Work {
    let began = Instant::now();
    let own = Config {
        command: CommandLine { directory: directory.clone(), ..config.command.clone() },
        at: at.unwrap_or(config.at),
        story: Transcript::kept(config.style),
        ..config.clone()
    };
    let mut work = Work { name: name.clone(), ..Work::default() };
    let outcome = judge_all(&own, &mut work.stages, |stage| judge(&own, stage));
    work.trouble = outcome.err().map(|e| format!("{e:#}"));
    work.took = began.elapsed();
    work
}

fn progress(words: &Words, config: &Config) {
    if io::stdout().is_terminal() {
        let _ = write!(Stdout, "\r\x1b[K{}", words.to(config.style.lang)).and_then(|()| Stdout.flush());
    }
}

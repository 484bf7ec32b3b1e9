//! What one command plays: lessons and options, from the command line or from a row of a plan.

use std::ffi::OsString;
use std::fs;
use std::net::IpAddr;
use std::slice;

use anyhow::Result;
use common::args::{self, Args};
use common::narration::escape;
use common::text;

use crate::drawing::style::Style;
use crate::lessons::{self, Lesson, mistakes};
use crate::play::audience::Audience;
use crate::tasks::shown::{LOOPBACK, Only};
use crate::words::Lang;

pub struct Row {
    /// In a plan, with its comment.
    pub typed: String,
    /// Each once.
    pub named: Vec<&'static Lesson>,
    pub audience: Audience,
    is_of_mistakes: bool,
    only: Option<IpAddr>,
}

impl Row {
    pub fn parse(args: &mut Args) -> Result<Self> {
        let audience = Audience { step: args.flag("--step")?, quiz: args.flag("--quiz")? };
        let is_of_mistakes = args.flag("--mistakes")?;
        let only = args.given("--ip")?.map(|Only(ip)| ip);
        let mut named = Vec::<&Lesson>::new();
        while let Some(name) = args.operand()? {
            let lesson = lessons::find(&name).ok_or_else(|| {
                let name = escape(name.as_encoded_bytes());
                let all = lessons::ALL.each_ref().map(|lesson| lesson.name).join(" ");
                args::usage(text!(
                    "unknown lesson '{name}': it is one of {all}, or a mistake; 'demo --list' lists both",
                    "没有“{name}”这一课：应为 {all} 之一，或一个错误的名字；“demo --list”列出全部"
                ))
            })?;
            if !named.iter().any(|other| other.name == lesson.name) {
                named.push(lesson);
            }
        }
        Ok(Self { typed: String::new(), named, audience, is_of_mistakes, only })
    }

    pub fn plays(&self) -> impl Iterator<Item = (&'static Lesson, IpAddr)> {
        let chosen = match (self.named.is_empty(), self.is_of_mistakes) {
            (false, _) => self.named.clone(),
            (true, false) => lessons::ALL.iter().collect(),
            (true, true) => mistakes::ALL.iter().collect(),
        };
        let addresses = match &self.only {
            Some(ip) => slice::from_ref(ip),
            None if self.audience.quiz => &LOOPBACK[..1], // the answers over IPv6 are those over IPv4
            None => &LOOPBACK,
        };
        chosen.into_iter().flat_map(move |lesson| addresses.iter().map(move |ip| (lesson, *ip)))
    }

    /// The options that play the same again, each after a blank.
    pub fn again(&self, style: Style) -> String {
        let options = [
            (" --quiz", self.audience.quiz),
            (" --step", self.audience.step),
            (" --ip 4", self.only == Some(LOOPBACK[0])),
            (" --ip 6", self.only == Some(LOOPBACK[1])),
            (style.lang.pick(" --lang en", " --lang zh"), style.lang != Lang::of_locale()),
            (" --ascii", style.ascii),
        ];
        options.into_iter().filter_map(|(option, is_given)| is_given.then_some(option)).collect()
    }
}

/// The rows of a plan: one command a line, without `cargo xtask demo`. `#` begins a comment. All of them are checked
/// before anything is played; `beside` is what the command line has besides the plan's name.
pub fn plan(file: &str, beside: &Row) -> Result<Vec<Row>> {
    let Row { named, audience: Audience { step, quiz }, is_of_mistakes, only, .. } = beside;
    if !named.is_empty() || *step || *quiz || *is_of_mistakes || only.is_some() {
        return Err(args::usage(text!(
            "--plan plays the rows of its file: write lessons, --quiz, --step, --mistakes and --ip there",
            "--plan 演示文件里的各行：课名、--quiz、--step、--mistakes、--ip 要写在文件里"
        )));
    }
    let name = escape(file.as_bytes());
    let text = fs::read_to_string(file).map_err(|e| {
        args::usage(text!(
            "cannot read the plan '{name}': {e}: it must be a text file in UTF-8",
            "无法读取计划“{name}”：{e}：应为 UTF-8 文本文件"
        ))
    })?;
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let words: Vec<_> = line.split('#').next().into_iter().flat_map(str::split_whitespace).collect();
        if words.is_empty() {
            continue;
        }
        let row = Row::parse(&mut Args::new(words.iter().map(OsString::from))).map_err(|e| {
            args::usage(text!("the plan '{name}', line {number}: {e:#}", "计划“{name}”第 {number} 行：{e:#}"))
        })?;
        rows.push(Row { typed: line.trim().into(), ..row });
    }
    if rows.is_empty() {
        return Err(args::usage(text!(
            "the plan '{name}' has no rows: write lessons and options of demo, one command a line",
            "计划“{name}”里没有内容：每行写一条命令的课名和选项"
        )));
    }
    Ok(rows)
}

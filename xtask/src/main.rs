//! The project's tasks: `cargo xtask TASK`.

use std::process::ExitCode;

use common::args::{self, Args};
use common::{language, narration, text};
use xtask::lessons::loss;
use xtask::tasks::bench::{self, baseline};
use xtask::tasks::{demo, docs, grade, origin, shown, soak, tap};
use xtask::{Lang, Words};

/// What the help says of one task: its lines of the usage, and the paragraphs that name it.
fn help_of(help: &str, task: &str) -> String {
    let mut paragraphs = help.trim_end().split("\n\n").skip(1);
    let usage = paragraphs.next().unwrap_or_default();
    let (own, indented) = (format!("cargo xtask {task} "), " ".repeat(20));
    let mut is_own = false;
    let lines = usage.lines().filter(|line| {
        is_own = line.contains(&own) || (is_own && line.starts_with(&indented));
        is_own
    });
    let label = usage.split_whitespace().next();
    let usage = label.into_iter().chain(lines).collect::<Vec<_>>().join("\n");
    let about = paragraphs.filter(|text| text.contains(&format!("{task} ")));
    std::iter::once(usage.as_str()).chain(about).collect::<Vec<_>>().join("\n\n")
}

fn main() -> ExitCode {
    let lang = Lang::of_command_line();
    if lang == Lang::Zh {
        language::speak_chinese();
    }
    let help = Words::fixed(include_str!("help.txt"), include_str!("help.zh.txt"));
    let (version, typed) = (env!("CARGO_PKG_VERSION"), shown::typed());
    let asked = std::env::args().nth(1).filter(|task| task == "grade");
    let help = asked.map_or_else(|| help.to(lang).to_owned(), |task| help_of(help.to(lang), &task));
    args::run((&typed, version), &help, |mut args: Args| match args.command_or("")?.as_str() {
        "demo" => demo::run(args),
        "grade" => grade::run(args),
        "soak" => soak::run(args),
        "bench" => bench::run(args),
        "origin" => origin::run(args),
        "tap" => tap::run(args),
        "docs" => docs::run(args),
        baseline::BASELINE => baseline::run(args),
        loss::LOSSY => loss::in_a_lossy_network(args),
        "help" => Ok(narration::say(help.trim_end())?), // of every task, as --help is
        task => {
            let tasks = "demo, grade, tap, soak, bench, origin, docs";
            Err(args::usage(match task {
                "" => text!("no task is given: it is one of {tasks}", "没有写任务，应为其中之一：{tasks}"),
                _ => text!(
                    "unknown task '{task}': it is one of {tasks}",
                    "没有“{task}”这个任务，应为其中之一：{tasks}"
                ),
            }))
        }
    })
}

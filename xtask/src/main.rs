//! The project's tasks: `cargo xtask TASK`.

use std::process::ExitCode;

use common::args::{self, Args};
use common::{language, narration, text};
use xtask::lessons::loss;
use xtask::tasks::bench::{self, baseline};
use xtask::tasks::{demo, docs, grade, origin, shown, soak, tap};
use xtask::{Lang, Words};

fn main() -> ExitCode {
    let lang = Lang::of_command_line();
    if lang == Lang::Zh {
        language::speak_chinese();
    }
    let help = Words::fixed(include_str!("help.txt"), include_str!("help.zh.txt"));
    let (help, version, typed) = (help.to(lang), env!("CARGO_PKG_VERSION"), shown::typed());
    args::run((&typed, version), help, |mut args: Args| match args.command_or("")?.as_str() {
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

//! The project's tasks: `cargo xtask TASK`.

use std::process::ExitCode;

use common::args::{self, Args};
use common::narration;
use xtask::lessons::loss;
use xtask::tasks::bench::{self, floor};
use xtask::tasks::{demo, docs, grade, origin, soak, tap};
use xtask::{Lang, Words};

fn main() -> ExitCode {
    let help = Words::fixed(include_str!("help.txt"), include_str!("help.zh.txt"));
    let help = help.to(Lang::of_command_line());
    args::run("cargo xtask", help, |mut args: Args| {
        match args.command_or("")?.as_str() {
            "demo" => demo::run(args),
            "grade" => grade::run(args),
            "soak" => soak::run(args),
            "bench" => bench::run(args),
            "origin" => origin::run(args),
            "tap" => tap::run(args),
            "docs" => docs::run(args),
            floor::FLOOR => floor::run(args),
            loss::LOSSY => loss::in_a_lossy_network(args),
            "help" => Ok(narration::say(help.trim_end())?), // of every task, as --help is
            "" => Err(args::usage(no_task("no task is given", "没有指明任务"))),
            other => Err(args::usage(no_task(
                &format!("unknown task '{other}'"),
                &format!("没有“{other}”这个任务"),
            ))),
        }
    })
}

fn no_task(en: &str, zh: &str) -> String {
    match Lang::of_command_line() {
        Lang::En => format!("{en}: it is demo, grade, tap, soak, bench, origin or docs"),
        Lang::Zh => format!("{zh}：应为 demo、grade、tap、soak、bench、origin、docs 之一"),
    }
}

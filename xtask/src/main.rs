//! The project's tasks: `cargo xtask TASK`.

use std::process::ExitCode;

use common::args::{self, Args, Program};
use common::narration;
use xtask::lessons::loss;
use xtask::tasks::bench::{self, baseline};
use xtask::tasks::{demo, docs, grade, origin, soak, tap};
use xtask::{Lang, Words, complaints};

const TASKS: &str = "it is demo, grade, tap, soak, bench, origin or docs";

fn main() -> ExitCode {
    let help = Words::fixed(include_str!("help.txt"), include_str!("help.zh.txt"));
    let help = help.to(Lang::of_command_line());
    args::run(Program::from("cargo xtask").worded(complaints::worded), help, |mut args: Args| {
        match args.command_or("")?.as_str() {
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
            "" => Err(args::usage(format!("no task is given: {TASKS}"))),
            other => Err(args::usage(format!("unknown task '{other}': {TASKS}"))),
        }
    })
}

//! The project's tasks: `cargo xtask TASK`.

use std::process::ExitCode;

use common::args::{self, Args};
use xtask::{demo, soak};

const HELP: &str = "\
cargo xtask - runs the programs against each other and checks what happens

Usage: cargo xtask demo [SCENE]...      plays all scenes, or these
       cargo xtask demo --list          says what there is
       cargo xtask soak                 many clients, small limits, much data

Each scene starts real programs on free ports of this machine's loopback, first over IPv4
and then over IPv6, draws what crosses the wire as it happens, and ends with its checks.
The soak tries what takes minutes and prints a table.
The exit status is 1 if any check failed.

Options:
  --help, --version

Colour is used on a terminal, unless NO_COLOR is set.";

fn main() -> ExitCode {
    args::run("cargo xtask", HELP, |mut args: Args| match args.command("")?.as_str() {
        "demo" => demo::run(args),
        "soak" => soak::run(args),
        "" => Err(args::usage("no task is given: it is demo or soak")),
        other => Err(args::usage(format!("unknown task '{other}': it is demo or soak"))),
    })
}

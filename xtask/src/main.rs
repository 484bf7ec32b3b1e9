//! The project's tasks: `cargo xtask TASK`.

use std::process::ExitCode;

use common::args::{self, Args};
use xtask::lessons::loss;
use xtask::{demo, soak};

const HELP: &str = "\
cargo xtask - runs the programs against each other and checks what happens

Usage: cargo xtask demo [LESSON]... [OPTIONS]    plays all lessons, or these
       cargo xtask demo --list                   says what there is, with the claims of each
       cargo xtask soak                          many clients, small limits, much data

Each lesson starts real programs on free ports of this machine's loopback, first over IPv4
and then over IPv6, draws what crosses the wire as it happens, and ends with its checks.
The soak tries what takes a minute and prints a table.
The exit status is 1 if any check failed.

Options of demo:
  --step              waits for Enter before every act; q leaves
  --mistakes          shows the notes' mistakes: each fails as predicted, and is mended
  --lang en|zh        the language of narration [default: the locale's, or en]
  --help, --version

Colour is used on a terminal, unless NO_COLOR is set.";

fn main() -> ExitCode {
    args::run("cargo xtask", HELP, |mut args: Args| match args.command_or("")?.as_str() {
        "demo" => demo::run(args),
        "soak" => soak::run(args),
        loss::LOSSY => loss::in_a_lossy_network(args),
        "" => Err(args::usage("no task is given: it is demo or soak")),
        other => Err(args::usage(format!("unknown task '{other}': it is demo or soak"))),
    })
}

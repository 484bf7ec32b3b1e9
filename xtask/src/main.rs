//! The project's tasks: `cargo xtask TASK`.

use std::process::ExitCode;

use common::args::{self, Args};
use xtask::lessons::loss;
use xtask::tasks::{demo, docs, grade, origin, soak, tap};

const HELP: &str = "\
cargo xtask - runs the programs against each other and checks what happens

Usage: cargo xtask demo [LESSON]... [OPTIONS]    plays all lessons, or these
       cargo xtask demo --list                   says what there is: lessons and mistakes
       cargo xtask grade KIND [OPTIONS] -- COMMAND...
                                                 judges your own program, in any language
       cargo xtask grade KIND --list             the exercise: every stage in a sentence
       cargo xtask tap SERVER [OPTIONS]          draws what crosses the wire to a server
       cargo xtask soak                          many clients, small limits, much data
       cargo xtask origin [HOST:PORT]            serves tcp-client a few pages until Ctrl-C
       cargo xtask docs [--bless]                checks what the READMEs show

Each lesson starts real programs on free ports of this machine's loopback, first over IPv4
and then over IPv6, draws what crosses the wire as it happens, and checks it.
The soak tries what takes a minute and prints a table. The origin listens on 127.0.0.1:8000
unless HOST:PORT is given. The tap stands between clients and SERVER, HOST:PORT, whatever
programs they are, until Ctrl-C. Of the READMEs, every command is run and compared with what they
show; --bless writes what was seen where it differs.
The exit status is 1 if any check failed, or a stage is not kept.

KIND is tcp-server, udp-server, tcp-client, udp-client or get. In COMMAND, {host}, {port},
{url} and {out} stand for what your program is told: grade tcp-server -- python3 my_server.py
{host} {port}. It is started anew for each stage, in this directory.

Options of demo:
  --step              waits for Enter before every act; q leaves
  --quiz              asks for predictions over IPv4, and keeps the score
  --ip 4|6            plays over one IP version [default: over both]
  --mistakes          plays the notes' mistakes: each fails as predicted, and is mended
  --html FILE         writes what was played as one page, too; FILE ends in .html
  --live [HOST:PORT]  shows it in browsers as it happens, too, until Enter at its end; to this
                      machine alone unless HOST is another [default: 127.0.0.1:8080]
  --lang en|zh        the language of narration [default: the locale's, or en]
  --ascii             draws with | - > < + [default: where the locale is not UTF-8]
  --help, --version

Options of grade, besides --html, --lang and --ascii:
  --framing HOW       where a message ends: line, length or raw [default: line]
  --stage NAME        plays this one alone
  --all               goes on behind a stage that is not kept
  --patience S        seconds that a program may be silent, 0.1 to 3600 [default: 10]
  --port N            for a program that has its port in its code
  --ip 4|6            judges over this IP version [default: 4]
  --watch             grades again whenever a file that COMMAND names has changed

Options of tap, besides --html, --live, --lang and --ascii:
  --udp               datagrams, in place of TCP connections
  --listen HOST:PORT  where clients connect; port 0 picks one [default: 127.0.0.1:9998]
  --cut N             TCP: in pieces of at most N bytes, both ways
  --lockstep N        TCP: clients' bytes in such pieces, each once the one before was answered
  --delay SECONDS     each way, up to 60 [default: 0]
  --lose N,N --twice N,N --late N,N
                      UDP: of each client's datagrams, counted from 1, or a share of them: 1/5
  --back-lose N,N --back-twice N,N --back-late N,N
                      UDP: of the server's to each client
  --seed N            for shares: the same seed, the same fates
  --roll FILE         names, a line each: who has said theirs, and who is missing

Colour is used on a terminal, unless NO_COLOR is set.";

fn main() -> ExitCode {
    args::run("cargo xtask", HELP, |mut args: Args| match args.command_or("")?.as_str() {
        "demo" => demo::run(args),
        "grade" => grade::run(args),
        "soak" => soak::run(args),
        "origin" => origin::run(args),
        "tap" => tap::run(args),
        "docs" => docs::run(args),
        loss::LOSSY => loss::in_a_lossy_network(args),
        "" => Err(args::usage("no task is given: it is demo, grade, tap, soak, origin or docs")),
        other => {
            Err(args::usage(format!("unknown task '{other}': it is demo, grade, tap, soak, origin or docs")))
        }
    })
}

//! The notes' TCP server: one socket listens, and each client has its own socket and thread.

mod acceptor;

use std::io::{self, BufReader, ErrorKind, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use common::address::{self, HostPort};
use common::args::{self, Args};
use common::framing::{self, Framing};
use common::narrator::Narrator;
use common::stop::{self, Stop};
use common::timed_stream::TimedStream;
use common::{backlog, greeting};

/// In bytes. Small, as each of thousands of clients has one; a longer message takes several reads.
const READ_BUFFER: usize = 64;
/// For a client that does not read what it is sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// For a client that does not close after we did.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(500);

struct Options {
    framing: Framing,
    delay: Duration,
    idle_timeout: Duration,
    max_clients: u16,
    backlog: u16,
    quiet: bool,
}

fn main() -> ExitCode {
    let who = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    args::run(who, include_str!("help.txt"), |mut args: Args| {
        let options = Options {
            framing: args.value("--framing", Framing::Line)?,
            delay: args.seconds("--delay", 1.0, 0.0..=3600.0)?,
            idle_timeout: args.seconds("--idle-timeout", 300.0, 0.01..=86400.0)?,
            max_clients: args.number("--max-clients", 4096, 1..=15000)?,
            backlog: args.number("--backlog", 4096, 0..=u16::MAX)?,
            quiet: args.flag("--quiet")?,
        };
        let address = args.operand_or("HOST:PORT", "127.0.0.1:9999")?;
        args.finish()?;
        serve(&address, &options)
    })
}

fn serve(address: &HostPort, options: &Options) -> Result<()> {
    // The notes call socket, bind and listen; std's bind does all three.
    let listener = TcpListener::bind(address).map_err(|e| anyhow!(address::cannot_listen(address, &e)))?;
    backlog::set(&listener, options.backlog).context("cannot set the backlog")?;
    let bound = listener.local_addr().context("cannot tell the listener's address")?;

    // accept cannot be interrupted: on Ctrl-C, the server connects to itself to wake it.
    let mut spare = listener.try_clone().ok();
    let stop = Stop::on_signal(move || stop::knock_on_listener(bound, spare.take()))?;

    let narrator = Narrator::start(options.quiet).context("cannot start the narrator")?;
    narrator.announce(format_args!("listening on {bound}"));
    narrator.hint("tcp-client -- greet", bound, options.framing.option());
    // This runs in a separate thread for each client.
    acceptor::accept_until_stopped(listener, &stop, options, &narrator, |stream, peer| {
        narrator.say(format_args!("accepted connection from {peer}"));
        let remark = |what: &str| narrator.say(format_args!("waiting for the rest from {peer}: {what}"));
        let ended = converse(stream, options, &stop, remark);
        say_goodbye(stream);
        match ended {
            Ok(()) => narrator.say(format_args!("closed connection from {peer}")),
            Err(e) => narrator.say(format_args!("closed connection from {peer}: {e}")),
        }
    });
    narrator.announce("stopped");
    narrator.finish();
    Ok(())
}

/// Welcomes a client, then greets each name it sends, until it sends `exit` or closes.
fn converse(stream: &TcpStream, options: &Options, stop: &Stop, remark: impl Fn(&str)) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = TimedStream::new(stream, WRITE_TIMEOUT, Duration::MAX);
    framing::write(&mut writer, options.framing, greeting::WELCOME)?;

    let timed = TimedStream::new(stream, options.idle_timeout, Duration::MAX);
    let mut reader = BufReader::with_capacity(READ_BUFFER, timed);
    loop {
        match framing::read_or_remark(&mut reader, options.framing, framing::LIMIT, &remark) {
            Ok(None) => return Ok(()),
            Ok(Some(name)) if name == greeting::EXIT => return Ok(()),
            Ok(Some(name)) => {
                let stopping = stop.pause(options.delay);
                framing::write(&mut writer, options.framing, &greeting::of(&name))?;
                if stopping {
                    return Ok(());
                }
                thread::yield_now(); // other clients' answers are sent before this one's next name is read
            }
            Err(e) if e.kind() == ErrorKind::InvalidData => {
                framing::write(&mut writer, options.framing, format!("refused: {e}").as_bytes())?;
                return Err(e);
            }
            Err(e) => return Err(e),
        }
    }
}

/// Ends our half and waits a moment until the client ends its half: closing a socket with unread data sends a reset,
/// and after a reset the client may not receive our last message.
fn say_goodbye(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
    let mut rest = TimedStream::new(stream, GOODBYE_TIMEOUT, GOODBYE_TIMEOUT);
    while matches!(rest.read(&mut [0; framing::LIMIT]), Ok(1..)) {}
}

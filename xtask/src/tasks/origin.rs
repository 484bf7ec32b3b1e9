//! `cargo xtask origin`: serves the pages until Ctrl-C, to tcp-client in another terminal.

use std::net::TcpListener;
use std::sync::mpsc;

use anyhow::{Result, anyhow};
use common::address::{self, HostPort};
use common::args::Args;
use common::narration::{HINT, say, shell_word};

use crate::peers::{origin, replies::PAGES};
use crate::programs::cleanup;
use crate::wire::event::{Recorder, What};

pub fn run(mut args: Args) -> Result<()> {
    let address: HostPort = args.operand_or("HOST:PORT", "127.0.0.1:8000")?;
    args.finish()?;
    cleanup::close_on_interrupt()?; // a task that was started in the background would inherit to ignore it
    let listener = TcpListener::bind(&address).map_err(|e| anyhow!(address::cannot_listen(&address, &e)))?;
    // Where nobody reads what is printed, clients wait.
    let (events, requests) = mpsc::sync_channel(64);
    let origin = origin::start(listener, Recorder::new(0, move |event| events.send(event)))?;
    say(&format!("listening on {}", origin.address))?;
    let paths = PAGES.iter().map(|page| page.path).collect::<Vec<_>>().join(" ");
    say(&format!("pages: {paths}"))?;
    let url = shell_word(&format!("http://{}{}", address::reachable(origin.address), PAGES[0].path));
    say(&format!("{HINT}cargo run -p tcp-client -- get {url}"))?;
    for request in requests {
        if let What::Said { line, .. } = request.what {
            say(&line)?;
        }
    }
    Ok(())
}

//! The accept loop and its end. Only the acceptor has the list of clients, which therefore needs no lock.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use common::address;
use common::framing::{self, Framing};
use common::narrator::Narrator;
use common::stop::Stop;

use super::Options;

/// In bytes. With std's 2 MiB, 8,000 clients would take 16 GB of address space.
const STACK: usize = 128 * 1024;

/// How long to wait when the system has no descriptor or thread left; without a pause, the loop would only repeat
/// the failed call.
const BACK_OFF: Duration = Duration::from_millis(50);

/// How long unfinished replies may take when the server stops.
const GRACE: Duration = Duration::from_secs(1);

/// Accepts clients and starts a thread for each, until the stop; then ends all conversations and joins their threads.
pub fn accept_until_stopped(
    listener: TcpListener,
    stop: &Stop,
    options: &Options,
    narrator: &Narrator,
    each_client: impl Fn(&TcpStream, SocketAddr) + Sync,
) {
    let each_client = &each_client;
    let mut clients: Vec<Weak<TcpStream>> = Vec::new();
    let mut backing_off = false;
    thread::scope(|scope| {
        loop {
            let accepted = listener.accept();
            if stop.requested() {
                break;
            }
            let (stream, peer) = match accepted {
                Ok((stream, peer)) => (Arc::new(stream), peer),
                // The client left before it was accepted.
                Err(e) if matches!(e.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {
                    continue;
                }
                Err(e) => {
                    if !std::mem::replace(&mut backing_off, true) {
                        narrator.say(address::cannot_accept(&e));
                    }
                    stop.pause(BACK_OFF);
                    continue;
                }
            };
            backing_off = false;
            if clients.len() >= options.max_clients.into() {
                clients.retain(is_live);
            }
            if clients.len() >= options.max_clients.into() {
                narrator
                    .say(format_args!("turned away {peer}: all places are taken ({})", options.max_clients));
                let _ = turn_away(&stream, options.framing);
                continue;
            }
            clients.push(Arc::downgrade(&stream));
            let own = Arc::clone(&stream);
            let builder = thread::Builder::new().stack_size(STACK);
            if let Err(e) = builder.spawn_scoped(scope, move || each_client(&own, peer)) {
                narrator.say(format_args!("turned away {peer}: cannot start a thread: {e}"));
                let _ = turn_away(&stream, options.framing);
                stop.pause(BACK_OFF);
            }
        }
        drop(listener); // new clients are refused and do not wait
        end_all(&clients);
    });
}

/// Tells a client that the server is full. Nothing here waits, as this runs between two accepts.
fn turn_away(mut stream: &TcpStream, framing: Framing) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    framing::write(&mut stream, framing, b"refused: the server is full, try again later")?;
    stream.shutdown(Shutdown::Write)?;
    let _ = stream.read(&mut [0; framing::LIMIT]); // unread data would turn the close into a reset
    Ok(())
}

/// Ends reading, as if every client had closed, so that unfinished replies are still sent; after the grace, ends
/// writing, too, which is all that wakes a thread that writes to a client that does not read.
fn end_all(clients: &[Weak<TcpStream>]) {
    let shut_down =
        |how| clients.iter().filter_map(Weak::upgrade).for_each(|stream| _ = stream.shutdown(how));
    shut_down(Shutdown::Read);
    let end = Instant::now() + GRACE;
    while clients.iter().any(is_live) && Instant::now() < end {
        thread::sleep(Duration::from_millis(2));
    }
    shut_down(Shutdown::Both);
}

/// A client's thread owns its socket, which is closed when the thread ends.
fn is_live(client: &Weak<TcpStream>) -> bool {
    client.strong_count() > 0
}

//! The accept loop and its end. The acceptor alone owns the list of live clients: there is no lock on it, and
//! no client can slip in between being accepted and being listed.

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

/// 16 GB of address space less at 8,000 clients than with std's 2 MiB.
const STACK: usize = 128 * 1024;

/// How long to leave a system alone that has no descriptor or thread to give: it says no at once, for ever.
const BACK_OFF: Duration = Duration::from_millis(50);

/// How long replies under way may take to leave once the server stops.
const GRACE: Duration = Duration::from_secs(1);

/// Accepts clients and gives each a thread, until the stop; then ends every conversation and joins its thread.
pub fn accept_until_stopped(
    listener: TcpListener,
    stop: &Stop,
    options: &Options,
    narrator: &Narrator,
    each_client: impl Fn(&TcpStream, SocketAddr) + Sync,
) {
    let each_client = &each_client;
    let mut clients = Clients::default();
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
                        narrator.say(format_args!("cannot accept: {e} - {}", address::accept_outlook(&e)));
                    }
                    stop.pause(BACK_OFF);
                    continue;
                }
            };
            backing_off = false;
            if clients.live() >= options.max_clients.into() {
                narrator
                    .say(format_args!("turned away {peer}: all places are taken ({})", options.max_clients));
                let _ = turn_away(&stream, options.framing);
                continue;
            }
            let place = clients.add(&stream);
            let own = Arc::clone(&stream);
            let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                each_client(&own, peer);
                drop((own, place)); // the socket first: a place that is free has a descriptor, too
            });
            if let Err(e) = thread {
                narrator.say(format_args!("turned away {peer}: cannot start a thread: {e}"));
                let _ = turn_away(&stream, options.framing);
                stop.pause(BACK_OFF);
            }
        }
        drop(listener); // newcomers are refused, not left waiting
        clients.end();
    });
}

/// A client that there is no room for is told so. Nothing here waits: it runs between two accepts.
fn turn_away(mut stream: &TcpStream, framing: Framing) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    framing::write(&mut stream, framing, b"refused: the server is full, try again later")?;
    stream.shutdown(Shutdown::Write)?;
    let _ = stream.read(&mut [0; framing::LIMIT]); // unread data would turn the close into a reset
    Ok(())
}

/// The live clients. A client's thread owns its socket, so that the descriptor goes when the thread does.
#[derive(Default)]
struct Clients {
    sockets: Vec<Weak<TcpStream>>,
    places: Arc<()>,
}

impl Clients {
    fn live(&self) -> usize {
        Arc::strong_count(&self.places) - 1
    }

    /// Lists a client; it counts as live until the place is dropped.
    fn add(&mut self, stream: &Arc<TcpStream>) -> Arc<()> {
        // Sweeping only a list that has to grow costs each client the same, however many there are.
        if self.sockets.len() == self.sockets.capacity() {
            self.sockets.retain(|socket| socket.strong_count() > 0);
            self.sockets.reserve(self.sockets.len() + 1);
        }
        self.sockets.push(Arc::downgrade(stream));
        Arc::clone(&self.places)
    }

    /// To each conversation it looks as if its client hung up, so that a reply under way still leaves;
    /// after the grace, writing ends too: a writer blocked on a client that does not read notices nothing else.
    fn end(&self) {
        self.shut_down(Shutdown::Read);
        let end = Instant::now() + GRACE;
        while self.live() > 0 && Instant::now() < end {
            thread::sleep(Duration::from_millis(2));
        }
        self.shut_down(Shutdown::Both);
    }

    fn shut_down(&self, how: Shutdown) {
        for stream in self.sockets.iter().filter_map(Weak::upgrade) {
            let _ = stream.shutdown(how);
        }
    }
}

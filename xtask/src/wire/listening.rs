//! A listener that a thread accepts from, until it is dropped, and places for the clients that come.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::address;
use common::narration::complain;

use super::awaited::Awaited;

/// How long to leave a system alone that has no socket to give.
const BACK_OFF: Duration = Duration::from_millis(50);

/// How long what standard error has said is not said again.
const SAID_FOR: Duration = Duration::from_secs(60);

/// An address as an IPv4 socket has it, though an IPv6 one has accepted it.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The listener and its thread.
pub struct Listening {
    pub address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    places: ServedClients,
}

impl Listening {
    /// Hands each client and its address to `take`, on one thread, until this is dropped. Where the system has no socket
    /// to give, standard error says so.
    pub fn start(
        listener: TcpListener,
        mut take: impl FnMut(TcpStream, SocketAddr) + Send + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&over);
        let thread = thread::Builder::new().spawn(move || {
            let mut said: Option<Instant> = None;
            loop {
                let accepted = listener.accept();
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                match accepted {
                    Ok((client, from)) => {
                        take(client, canonical(from));
                    }
                    // It left before it was accepted.
                    Err(e)
                        if matches!(e.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
                    Err(e) => {
                        if said.is_none_or(|said| said.elapsed() > SAID_FOR) {
                            said = Some(Instant::now());
                            complain(&address::cannot_accept(&e));
                        }
                        thread::sleep(BACK_OFF);
                    }
                }
            }
        })?;
        Ok(Self { address, over, thread: Some(thread), places: ServedClients::default() })
    }

    /// Serves up to `limit` clients at once, each on its own thread. `welcome` makes two things of a client and its
    /// address: what serves it, and what is told when it is disconnected for lack of room. When one more comes, one
    /// [`gives_way`], the oldest first.
    pub fn serving<Serve, Tell>(
        listener: TcpListener,
        limit: usize,
        mut welcome: impl FnMut(Arc<TcpStream>, SocketAddr) -> (Serve, Tell) + Send + 'static,
    ) -> io::Result<Self>
    where
        Serve: FnOnce() + Send + 'static,
        Tell: FnOnce() + Send + 'static,
    {
        let places = ServedClients::default();
        let taken = places.clone();
        let mut number = 0;
        let mut listening = Self::start(listener, move |client, from| {
            number += 1;
            let client = Arc::new(client);
            let (stream, ip) = (Arc::downgrade(&client), from.ip());
            let (serve, tell) = welcome(client, from);
            taken.add(Served { number, ip, stream, tell: Box::new(tell) }, limit);
            let leaving = taken.clone();
            let spawned = thread::Builder::new().spawn(move || {
                let _leaving = Leaving(leaving, number);
                serve();
            });
            if spawned.is_err() {
                taken.disconnect(number);
            }
        })?;
        listening.places = places;
        Ok(listening)
    }

    /// Accepts no more, and waits until nobody is served any more.
    pub fn finish(&mut self) {
        self.stop();
        self.places.0.wait_until(Vec::is_empty);
    }

    fn stop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // A knock: nothing else wakes accept. Where there is no socket for it, the thread ends with the process.
        let knock = TcpStream::connect(address::reachable(self.address));
        if let Some(thread) = self.thread.take().filter(|_| knock.is_ok()) {
            let _ = thread.join();
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Served {
    number: u64,
    ip: IpAddr,
    stream: Weak<TcpStream>,
    tell: Box<dyn FnOnce() + Send>,
}

/// Those that are taken, oldest first. Clones are the same.
#[derive(Clone, Default)]
struct ServedClients(Arc<Awaited<Vec<Served>>>);

impl ServedClients {
    fn add(&self, place: Served, limit: usize) {
        let full = self.0.lock().iter().map(|place| (place.number, place.ip)).collect::<Vec<_>>();
        if full.len() >= limit {
            if let Some(at) = gives_way(full.iter().map(|(_, ip)| *ip)) {
                self.disconnect(full[at].0);
            }
        }
        self.0.lock().push(place);
    }

    /// Takes a client from its place, if it has one.
    fn remove(&self, number: u64) -> Option<Served> {
        self.0.change(|places| {
            let at = places.iter().position(|place| place.number == number)?;
            Some(places.remove(at))
        })
    }

    /// Takes a client's place from it: it is told and disconnected.
    fn disconnect(&self, number: u64) {
        let Some(place) = self.remove(number) else { return };
        (place.tell)();
        if let Some(stream) = place.stream.upgrade() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Leaves a place when it is dropped.
struct Leaving(ServedClients, u64);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

/// Which client gives way to one more, by the addresses of all in the order in which they would: the first of those
/// whose address has the most, so that nobody takes the places of others; of several such, not one on this machine.
pub fn gives_way(addresses: impl Iterator<Item = IpAddr>) -> Option<usize> {
    let addresses: Vec<_> = addresses.collect();
    let mut counts = HashMap::<IpAddr, usize>::new();
    for ip in &addresses {
        *counts.entry(*ip).or_default() += 1;
    }
    let order = addresses.iter().enumerate().rev(); // of equals, max_by_key takes the last
    order.max_by_key(|(_, ip)| (counts.get(ip), !ip.is_loopback())).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_the_address_that_has_the_most_gives_way() {
        let first = |addresses: &[[u8; 4]]| gives_way(addresses.iter().map(|ip| (*ip).into()));
        let (own, ann, bob) = ([127, 0, 0, 1], [10, 0, 0, 1], [10, 0, 0, 2]);
        assert_eq!(first(&[ann, bob, bob, own]), Some(1));
        assert_eq!(first(&[own, bob, ann]), Some(1), "of others than this machine first");
        assert_eq!(first(&[ann, own, own]), Some(1), "but not whatever it takes");
        assert_eq!(first(&[]), None);
    }
}

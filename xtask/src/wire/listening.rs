//! Sockets that a thread takes from, until it is dropped, and places for the clients that come.

use std::io;
use std::io::ErrorKind::{ConnectionAborted, ConnectionReset};
use std::mem;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::address;
use common::narration::complain;

use super::awaited::Awaited;
use super::event::{Recorder, What};

/// An address as an IPv4 socket has it, though an IPv6 one has accepted it.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

pub struct Listening {
    pub address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    places: Places,
}

impl Listening {
    /// Hands each client and its address to `take`, on one thread, until this is dropped. Where the system has no socket
    /// to give, standard error says so once.
    pub fn start(
        listener: TcpListener,
        mut take: impl FnMut(TcpStream, SocketAddr) + Send + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&over);
        let thread = thread::Builder::new().spawn(move || {
            let mut has_said = false;
            loop {
                let accepted = listener.accept();
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                match accepted {
                    Ok((client, from)) => take(client, canonical(from)),
                    // It left before it was accepted.
                    Err(e) if [ConnectionAborted, ConnectionReset].contains(&e.kind()) => {}
                    Err(e) => {
                        if !mem::replace(&mut has_said, true) {
                            complain(&address::cannot_accept(&e));
                        }
                        thread::sleep(Duration::from_millis(50)); // leaves the system alone
                    }
                }
            }
        })?;
        Ok(Self { address, over, thread: Some(thread), places: Places::default() })
    }

    /// Serves up to `limit` clients at once, each on its own thread. `welcome` returns what serves a client, and where it is
    /// recorded that it is disconnected for lack of room: when one more comes, one [`gives_way`], the oldest first.
    pub fn serving<Serve: FnOnce() + Send + 'static>(
        listener: TcpListener,
        limit: usize,
        mut welcome: impl FnMut(Arc<TcpStream>, SocketAddr) -> (Serve, Recorder) + Send + 'static,
    ) -> io::Result<Self> {
        let places = Places::default();
        let taken = Arc::clone(&places);
        let mut number = 0;
        let mut listening = Self::start(listener, move |client, from| {
            number += 1;
            let client = Arc::new(client);
            let stream = Arc::downgrade(&client);
            let (serve, recorder) = welcome(client, from);
            add(&taken, Served { number, ip: from.ip(), stream, recorder: recorder.clone() }, limit);
            let leaving = Leaving(Arc::clone(&taken), number);
            let spawned = thread::Builder::new().spawn(move || {
                let _leaving = leaving;
                serve();
            });
            spawned.map_or_else(|e| recorder.record(What::refused(&e)), drop);
        })?;
        listening.places = places;
        Ok(listening)
    }

    /// Accepts no more, and waits until nobody is served any more.
    pub fn finish(&mut self) {
        self.stop();
        self.places.wait_until(Vec::is_empty);
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
    recorder: Recorder,
}

/// Oldest first.
type Places = Arc<Awaited<Vec<Served>>>;

fn add(places: &Places, client: Served, limit: usize) {
    let gone = places.change(|places| {
        let addresses: Vec<_> = places.iter().map(|place| place.ip).collect();
        let first = if places.len() < limit { None } else { gives_way(&addresses) };
        let gone = first.map(|at| places.remove(at));
        places.push(client);
        gone
    });
    if let Some(Served { recorder, stream, .. }) = gone {
        recorder.record(What::GaveWay);
        let _ = stream.upgrade().map(|stream| stream.shutdown(Shutdown::Both));
    }
}

struct Leaving(Places, u64);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.change(|places| places.retain(|place| place.number != self.1));
    }
}

/// Which client gives way to one more, by the addresses of all in the order in which they would: the first of those
/// whose address has the most, so that nobody takes the places of others; of several such, not one on this machine.
pub fn gives_way(addresses: &[IpAddr]) -> Option<usize> {
    let count = |ip: &IpAddr| addresses.iter().filter(|other| *other == ip).count();
    let order = addresses.iter().enumerate().rev(); // of equals, max_by_key takes the last
    order.max_by_key(|(_, ip)| (count(ip), !ip.is_loopback())).map(|(at, _)| at)
}

/// A UDP socket that a thread receives from.
pub struct Receiving {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiving {
    /// Hands each datagram and its sender to `take`, and each error; the socket may be sent from meanwhile.
    pub fn start(
        socket: Arc<UdpSocket>,
        mut take: impl FnMut(io::Result<(&[u8], SocketAddr)>) + Send + 'static,
    ) -> io::Result<Self> {
        socket.set_read_timeout(Some(Duration::from_millis(20)))?; // to look whether it is over
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = thread::Builder::new().spawn(move || {
            let mut buffer = vec![0; 65_535];
            while !told.load(Ordering::SeqCst) {
                let received = socket.recv_from(&mut buffer);
                take(received.map(|(size, sender)| (&buffer[..size], sender)));
            }
        })?;
        Ok(Self { over, thread: Some(thread) })
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_the_address_that_has_the_most_gives_way() {
        let first = |addresses: &[[u8; 4]]| {
            gives_way(&addresses.iter().map(|ip| IpAddr::from(*ip)).collect::<Vec<_>>())
        };
        let (own, ann, bob) = ([127, 0, 0, 1], [10, 0, 0, 1], [10, 0, 0, 2]);
        assert_eq!(first(&[ann, bob, bob, own]), Some(1));
        assert_eq!(first(&[own, bob, ann]), Some(1), "of others than this machine first");
        assert_eq!(first(&[ann, own, own]), Some(1), "but not whatever it takes");
        assert_eq!(first(&[]), None);
    }
}

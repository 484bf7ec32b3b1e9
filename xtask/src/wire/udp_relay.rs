//! A recording relay of datagrams: it stands on the wire between clients and a server, records what passes, and
//! passes it on, impaired as it was asked for.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use common::datagram::is_nobody_there;

use super::event::{Recorder, Side, What};
use super::impairments::{Impairer, Impairments};
use super::listening::gives_way;
use super::running::{GLANCE, RunningThread};

/// How many clients there may be at once: each has a thread and a socket. When one more comes, one [`gives_way`], the
/// longest silent first.
const CLIENTS: usize = 256;
/// How many datagrams may be under way on a wire with a delay; those beyond wait in the sockets.
const UNDER_WAY: usize = 1024;

/// A relay of datagrams that runs until it is dropped.
pub struct UdpRelay {
    pub address: SocketAddr,
    _running: RunningThread,
}

/// Starts a relay in front of a UDP server, with the server's IP version.
pub fn start(server: SocketAddr, impairments: Impairments, recorder: Recorder) -> io::Result<UdpRelay> {
    let near = UdpSocket::bind(SocketAddr::new(server.ip(), 0))?;
    on(near, vec![server], impairments, move |_| recorder.clone())
}

/// Starts a relay on this socket, with a socket to the server for each client. Of the server's addresses the first is
/// asked at which somebody is. Each client, with its address, is given a recorder.
pub fn on(
    near: UdpSocket,
    servers: Vec<SocketAddr>,
    impairments: Impairments,
    mut recorder_for: impl FnMut(SocketAddr) -> Recorder + Send + 'static,
) -> io::Result<UdpRelay> {
    near.set_read_timeout(Some(GLANCE))?;
    let address = near.local_addr()?;
    let running = RunningThread::start(move |over| {
        let link = &UdpLink { near, servers, server: AtomicUsize::new(0), impairments, over };
        thread::scope(|scope| {
            let (wire, under_way) = mpsc::sync_channel::<(Instant, Job)>(UNDER_WAY);
            let delivering = thread::Builder::new().spawn_scoped(scope, move || link.deliver(under_way));
            if delivering.is_err() {
                return;
            }
            let mut clients = HashMap::<SocketAddr, Arc<UdpClient>>::new();
            let mut seeds = (0..).map(|number| link.impairments.seed.wrapping_add(number));
            let mut buffer = vec![0; 65_535];
            while !link.is_over() {
                let received = link.near.recv_from(&mut buffer);
                let Ok((n, from)) = received else { continue };
                if !clients.contains_key(&from) {
                    make_room(&mut clients);
                    let recorder = recorder_for(from);
                    let met = link.meet(from, seeds.next().unwrap_or_default(), recorder.clone());
                    let met = met.and_then(|client| {
                        let (client, wire) = (Arc::new(client), wire.clone());
                        clients.insert(from, Arc::clone(&client));
                        thread::Builder::new().spawn_scoped(scope, move || link.listen(&client, &wire))
                    });
                    if let Err(e) = met {
                        clients.remove(&from);
                        recorder.record(What::refused(&e));
                    }
                }
                if let Some(client) = clients.get(&from) {
                    client.touch();
                    link.send_off(&wire, client, Side::Server, &buffer[..n]);
                }
            }
        });
    })?;
    Ok(UdpRelay { address, _running: running })
}

/// Has one client give way where all places are taken.
fn make_room(clients: &mut HashMap<SocketAddr, Arc<UdpClient>>) {
    if clients.len() < CLIENTS {
        return;
    }
    let mut by_silence: Vec<_> =
        clients.values().map(|client| (*lock(&client.seen), client.address)).collect();
    by_silence.sort_unstable();
    let first = gives_way(by_silence.iter().map(|(_, address)| address.ip()));
    if let Some(client) = first.and_then(|at| clients.remove(&by_silence[at].1)) {
        client.is_gone.store(true, Ordering::SeqCst);
        client.recorder.record(What::GaveWay);
    }
}

/// A datagram of a client's, or for it, that is under way.
type Job = (Arc<UdpClient>, Side, Vec<u8>);

/// The way to the server, the same for all clients.
struct UdpLink<'a> {
    near: UdpSocket,
    servers: Vec<SocketAddr>,
    /// Which of them; at those before it nobody is.
    server: AtomicUsize,
    impairments: Impairments,
    over: &'a AtomicBool,
}

/// A client, and its own socket to the server.
struct UdpClient {
    address: SocketAddr,
    far: Mutex<Far>,
    recorder: Recorder,
    up: Mutex<Impairer>,
    down: Mutex<Impairer>,
    seen: Mutex<Instant>,
    is_gone: AtomicBool,
}

struct Far {
    socket: Arc<UdpSocket>,
    /// Which of the server's addresses it asks.
    server: usize,
    /// What was last sent there.
    sent: Vec<u8>,
}

impl UdpClient {
    fn touch(&self) {
        *lock(&self.seen) = Instant::now();
    }

    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }

    /// The socket, and which of the server's addresses it asks.
    fn far(&self) -> (Arc<UdpSocket>, usize) {
        let far = lock(&self.far);
        (Arc::clone(&far.socket), far.server)
    }
}

impl UdpLink<'_> {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn meet(&self, address: SocketAddr, seed: u64, recorder: Recorder) -> io::Result<UdpClient> {
        let server = self.server.load(Ordering::SeqCst);
        let far = Mutex::new(self.far(server, Vec::new())?);
        let (up, down) = (&self.impairments.up, &self.impairments.down);
        let (up, down) = (Mutex::new(Impairer::new(up, seed)), Mutex::new(Impairer::new(down, !seed)));
        let (seen, is_gone) = (Mutex::new(Instant::now()), AtomicBool::new(false));
        Ok(UdpClient { address, far, recorder, up, down, seen, is_gone })
    }

    /// A socket to one of the server's addresses.
    fn far(&self, server: usize, sent: Vec<u8>) -> io::Result<Far> {
        let at = self.servers.get(server).ok_or(ErrorKind::AddrNotAvailable)?;
        let any = if at.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.connect(at)?;
        socket.set_read_timeout(Some(GLANCE))?;
        Ok(Far { socket: Arc::new(socket), server, sent })
    }

    /// Sends to the server. An error may be the answer to an earlier datagram, and then this one was not sent.
    fn send(&self, client: &UdpClient, datagram: &[u8]) {
        lock(&client.far).sent = datagram.to_vec();
        for _ in 0..2 {
            let (far, server) = client.far();
            match far.send(datagram) {
                Ok(_) => return,
                Err(e) if self.asks_elsewhere(client, server, &e) => return,
                Err(e) => client.recorder.record(What::refused(&e)),
            }
        }
    }

    /// Where nobody is at this address of the server's, asks at the next, with what was sent last; false where there is
    /// no other.
    fn asks_elsewhere(&self, client: &UdpClient, server: usize, error: &io::Error) -> bool {
        let mut far = lock(&client.far);
        if far.server == server && is_nobody_there(error) {
            let Ok(next) = self.far(server + 1, far.sent.clone()) else { return false };
            *far = next;
            self.server.fetch_max(far.server, Ordering::SeqCst);
            let _ = far.socket.send(&far.sent);
        }
        far.server > server
    }

    /// Listens to the server for one client.
    fn listen(&self, client: &Arc<UdpClient>, wire: &SyncSender<(Instant, Job)>) {
        let mut buffer = vec![0; 65_535];
        while !self.is_over() && !client.is_gone() {
            let (far, server) = client.far();
            match far.recv(&mut buffer) {
                Ok(n) => {
                    client.touch();
                    self.send_off(wire, client, Side::Client, &buffer[..n]);
                }
                Err(e) if is_nobody_there(&e) => {
                    if !self.asks_elsewhere(client, server, &e) {
                        client.recorder.record(What::refused(&e));
                    }
                }
                Err(_) => {}
            }
        }
    }

    /// Passes a datagram on, at once or after the delay.
    fn send_off(
        &self,
        wire: &SyncSender<(Instant, Job)>,
        client: &Arc<UdpClient>,
        toward: Side,
        datagram: &[u8],
    ) {
        if self.impairments.delay.is_zero() {
            return self.pass_on(client, toward, datagram);
        }
        let _ = wire
            .send((Instant::now() + self.impairments.delay, (Arc::clone(client), toward, datagram.to_vec())));
    }

    fn deliver(&self, under_way: mpsc::Receiver<(Instant, Job)>) {
        for (due, (client, toward, datagram)) in under_way {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if self.is_over() {
                return;
            }
            self.pass_on(&client, toward, &datagram);
        }
    }

    fn pass_on(&self, client: &UdpClient, toward: Side, datagram: &[u8]) {
        match toward {
            Side::Server => {
                lock(&client.up)
                    .pass_on(datagram, toward, &client.recorder, |bytes| self.send(client, bytes));
            }
            Side::Client => lock(&client.down).pass_on(datagram, toward, &client.recorder, |bytes| {
                let _ = self.near.send_to(bytes, client.address); // one that is gone does not hear it
            }),
        }
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn of_a_servers_addresses_the_first_is_asked_at_which_somebody_is_whatever_the_seed() {
        let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let servers = vec![nobody, nobody, server.local_addr().unwrap()];
        let impairments = Impairments { seed: u64::MAX, ..Impairments::default() };
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        let relay = on(near, servers, impairments, |_| Recorder::discarding()).unwrap();
        for name in [b"Ann", b"Bob"] {
            let client = UdpSocket::bind("127.0.0.1:0").unwrap();
            client.send_to(name, relay.address).unwrap();
            let mut buffer = [0; 9];
            let (size, from) = server.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..size], name);
            server.send_to(b"Hello", from).unwrap();
            assert_eq!(client.recv(&mut buffer).unwrap(), 5);
        }
    }
}

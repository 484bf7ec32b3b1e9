//! A recording relay of datagrams: it stands on the wire between clients and a server, records what passes, and
//! passes it on by a plan.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::event::{How, Recorder, Side, What};

/// How often a relay of datagrams looks whether it is over, and whether a client has been silent for too long.
const GLANCE: Duration = Duration::from_millis(20);
/// A client that has been silent for so long, and was not answered either, is forgotten.
pub const IDLE: Duration = Duration::from_secs(60);
/// How many clients there may be at once: each has a thread and a socket. The datagrams of others are dropped.
pub const CLIENTS: usize = 256;
/// How many datagrams may be under way on a wire with a delay; those beyond wait in the sockets.
const UNDER_WAY: usize = 1024;

/// A relay of datagrams that runs until it is dropped.
pub struct UdpRelay {
    /// Where clients find it.
    pub address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for UdpRelay {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Lost,
    /// It arrives twice.
    Twice,
    /// It arrives behind the next one.
    Late,
}

/// The fates of datagrams, counted from 1; all others arrive once and in order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Of the client's.
    pub up: Vec<(usize, Fate)>,
    /// Of the server's.
    pub down: Vec<(usize, Fate)>,
}

/// Which of one side's datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// This one, counted from 1.
    Number(usize),
    /// So many of so many, by chance.
    Share(u32, u32),
}

/// What a wire does with the datagrams of each client, and of the server to it. Of two fates the first counts.
#[derive(Clone, Debug)]
pub struct Weather {
    /// With the client's.
    pub up: Vec<(Which, Fate)>,
    /// With the server's.
    pub down: Vec<(Which, Fate)>,
    /// Where chance begins: the same seed, the same fates for the first client, the second one and so on.
    pub seed: u64,
    /// How long each is under way.
    pub delay: Duration,
    /// As [`IDLE`].
    pub idle: Duration,
}

impl From<Plan> for Weather {
    fn from(Plan { up, down }: Plan) -> Self {
        let numbered = |fates: Vec<(usize, Fate)>| {
            fates.into_iter().map(|(number, fate)| (Which::Number(number), fate)).collect()
        };
        Self { up: numbered(up), down: numbered(down), seed: 0, delay: Duration::ZERO, idle: IDLE }
    }
}

/// `SplitMix64`: enough to draw lots, and the same on every system.
struct Lots(u64);

impl Lots {
    fn draw(&mut self, (part, of): (u32, u32)) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % u64::from(of.max(1)) < part.into()
    }
}

/// One direction of a plan, as it is carried out.
struct Carrier {
    fates: Vec<(Which, Fate)>,
    lots: Lots,
    count: usize,
    late: Vec<Vec<u8>>,
}

impl Carrier {
    fn new(fates: &[(Which, Fate)], seed: u64) -> Self {
        Self { fates: fates.to_vec(), lots: Lots(seed), count: 0, late: Vec::new() }
    }

    /// What becomes of things now that this datagram was sent.
    fn carry(&mut self, datagram: &[u8]) -> Vec<(How, Vec<u8>)> {
        self.count += 1;
        let (count, lots) = (self.count, &mut self.lots);
        // Each lot is drawn each time, so that one fate's numbers do not depend on another's.
        let is_meant = |which| match which {
            Which::Number(number) => number == count,
            Which::Share(part, of) => lots.draw((part, of)),
        };
        let meant: Vec<_> = self.fates.iter().map(|(which, _)| *which).map(is_meant).collect();
        let fate = self.fates.iter().zip(meant).find(|(_, is_meant)| *is_meant).map(|(fate, _)| fate.1);
        let hows: &[How] = match fate {
            Some(Fate::Lost) => &[How::Lost],
            Some(Fate::Late) => &[How::HeldBack],
            Some(Fate::Twice) => &[How::Plain, How::Again],
            None => &[How::Plain],
        };
        let mut carried: Vec<_> = hows.iter().map(|how| (*how, datagram.to_vec())).collect();
        carried.extend(self.late.drain(..).map(|bytes| (How::Late, bytes)));
        if fate == Some(Fate::Late) {
            self.late.push(datagram.to_vec());
        }
        carried
    }

    fn pass_on(&mut self, datagram: &[u8], toward: Side, recorder: &Recorder, send: impl Fn(&[u8])) {
        for (how, bytes) in self.carry(datagram) {
            recorder.sent(toward, &bytes, how);
            if !matches!(how, How::Lost | How::HeldBack) {
                send(&bytes);
            }
        }
    }
}

/// Starts a relay in front of a UDP server, with the server's IP version.
pub fn start(upstream: SocketAddr, plan: Plan, recorder: Recorder) -> io::Result<UdpRelay> {
    let near = UdpSocket::bind(SocketAddr::new(upstream.ip(), 0))?;
    on(near, upstream, plan.into(), move |_| recorder.clone())
}

/// Starts a relay on this socket, with a socket to the server for each client. Each client, with its address, is given
/// a recorder.
///
/// # Errors
/// When the system refuses it a thread, or the socket cannot tell its address.
pub fn on(
    near: UdpSocket,
    upstream: SocketAddr,
    weather: Weather,
    mut recorder_for: impl FnMut(SocketAddr) -> Recorder + Send + 'static,
) -> io::Result<UdpRelay> {
    near.set_read_timeout(Some(GLANCE))?;
    let address = near.local_addr()?;
    let over = Arc::new(AtomicBool::new(false));
    let ending = Arc::clone(&over);
    let thread = thread::Builder::new().spawn(move || {
        let relay = &Relay { near, weather, over: ending };
        thread::scope(|scope| {
            let (wire, under_way) = mpsc::sync_channel::<(Instant, Job)>(UNDER_WAY);
            let delivering = thread::Builder::new().spawn_scoped(scope, move || relay.deliver(under_way));
            if delivering.is_err() {
                return;
            }
            let mut clients = HashMap::<SocketAddr, Arc<Client>>::new();
            let mut seeds = relay.weather.seed..;
            let mut buffer = vec![0; 65_535];
            while !relay.is_over() {
                let received = relay.near.recv_from(&mut buffer);
                clients.retain(|_, client| !client.is_gone.load(Ordering::SeqCst));
                let Ok((n, from)) = received else { continue };
                if !clients.contains_key(&from) && clients.len() < CLIENTS {
                    let recorder = recorder_for(from);
                    match relay.meet(upstream, from, seeds.next().unwrap_or_default(), recorder.clone()) {
                        Ok(client) => {
                            let (client, wire) = (Arc::new(client), wire.clone());
                            clients.insert(from, Arc::clone(&client));
                            let listening = move || relay.listen(&client, &wire);
                            let _ = thread::Builder::new().spawn_scoped(scope, listening);
                        }
                        Err(e) => recorder.record(What::refused(&e)),
                    }
                }
                if let Some(client) = clients.get(&from) {
                    client.touch();
                    relay.send_off(&wire, client, Side::Server, &buffer[..n]);
                }
            }
        });
    })?;
    Ok(UdpRelay { address, over, thread: Some(thread) })
}

/// A datagram of a client's, or for it, that is under way.
type Job = (Arc<Client>, Side, Vec<u8>);

struct Relay {
    near: UdpSocket,
    weather: Weather,
    over: Arc<AtomicBool>,
}

/// A client, and its own socket to the server.
struct Client {
    address: SocketAddr,
    far: UdpSocket,
    recorder: Recorder,
    up: Mutex<Carrier>,
    down: Mutex<Carrier>,
    seen: Mutex<Instant>,
    is_gone: AtomicBool,
}

impl Client {
    fn touch(&self) {
        *lock(&self.seen) = Instant::now();
    }

    /// Sends to the server. An error may be the answer to an earlier datagram, and then this one was not sent.
    fn send(&self, datagram: &[u8]) {
        for _ in 0..2 {
            match self.far.send(datagram) {
                Ok(_) => return,
                Err(e) => self.recorder.record(What::refused(&e)),
            }
        }
    }
}

impl Relay {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn meet(
        &self,
        upstream: SocketAddr,
        address: SocketAddr,
        seed: u64,
        recorder: Recorder,
    ) -> io::Result<Client> {
        let any =
            if upstream.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let far = UdpSocket::bind(SocketAddr::new(any, 0))?;
        far.connect(upstream)?;
        far.set_read_timeout(Some(GLANCE))?;
        let carrier = |fates: &[_], seed| Mutex::new(Carrier::new(fates, seed));
        let (up, down) = (carrier(&self.weather.up, seed), carrier(&self.weather.down, !seed));
        let (seen, is_gone) = (Mutex::new(Instant::now()), AtomicBool::new(false));
        Ok(Client { address, far, recorder, up, down, seen, is_gone })
    }

    /// Listens to the server for one client, as long as one of the two has something to say.
    fn listen(&self, client: &Arc<Client>, wire: &SyncSender<(Instant, Job)>) {
        let mut buffer = vec![0; 65_535];
        while !self.is_over() {
            match client.far.recv(&mut buffer) {
                Ok(n) => {
                    client.touch();
                    self.send_off(wire, client, Side::Client, &buffer[..n]);
                }
                Err(e) if matches!(e.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) => {
                    client.recorder.record(What::refused(&e));
                }
                Err(_) if lock(&client.seen).elapsed() >= self.weather.idle => {
                    client.is_gone.store(true, Ordering::SeqCst);
                    client.recorder.record(What::LetGo);
                    return;
                }
                Err(_) => {}
            }
        }
    }

    /// Passes a datagram on, at once or after the delay.
    fn send_off(
        &self,
        wire: &SyncSender<(Instant, Job)>,
        client: &Arc<Client>,
        toward: Side,
        datagram: &[u8],
    ) {
        if self.weather.delay.is_zero() {
            return self.pass_on(client, toward, datagram);
        }
        let _ =
            wire.send((Instant::now() + self.weather.delay, (Arc::clone(client), toward, datagram.to_vec())));
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

    fn pass_on(&self, client: &Client, toward: Side, datagram: &[u8]) {
        match toward {
            Side::Server => {
                lock(&client.up).pass_on(datagram, toward, &client.recorder, |bytes| client.send(bytes));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const NOWHERE: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

    #[test]
    fn a_relay_of_datagrams_leaves_tcp_alone() {
        let recorder = Recorder::new("", mpsc::channel().0);
        // The two protocols count their ports apart; of a free one there are many.
        let (relay, listener) = loop {
            let relay = start(NOWHERE.into(), Plan::default(), recorder.clone()).unwrap();
            if let Ok(listener) = TcpListener::bind(relay.address) {
                break (relay, listener);
            }
        };
        listener.set_nonblocking(true).unwrap();
        drop(relay);
        assert_eq!(listener.accept().map_err(|e| e.kind()).err(), Some(ErrorKind::WouldBlock));
    }

    #[test]
    fn a_plan_is_carried_out_to_the_letter() {
        let fates = [(2, Fate::Late), (4, Fate::Lost), (5, Fate::Twice), (6, Fate::Late)];
        let mut carrier = Carrier::new(&fates.map(|(number, fate)| (Which::Number(number), fate)), 0);
        let arrives =
            |(how, bytes): (How, Vec<u8>)| (!matches!(how, How::Lost | How::HeldBack)).then_some(bytes);
        let arrived: Vec<u8> =
            (1..=7).flat_map(|number| carrier.carry(&[number])).filter_map(arrives).flatten().collect();
        assert_eq!(arrived, [1, 3, 2, 5, 5, 7, 6]);
    }

    #[test]
    fn chance_has_its_share_and_the_same_seed_the_same_fates() {
        let lost = |seed| {
            let mut carrier = Carrier::new(&[(Which::Share(1, 5), Fate::Lost)], seed);
            (0..10_000).filter(|_| carrier.carry(b"x")[0].0 == How::Lost).collect::<Vec<_>>()
        };
        assert_eq!(lost(1), lost(1));
        assert_ne!(lost(1), lost(2));
        assert!((1_800..2_200).contains(&lost(1).len()), "{}", lost(1).len());
    }

    #[test]
    fn a_silent_client_is_let_go_with_its_socket_and_its_thread() {
        let (events, happened) = mpsc::sync_channel(16);
        let (recorder, near) = (Recorder::bounded(events, 16), UdpSocket::bind("127.0.0.1:0").unwrap());
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let weather = Weather { idle: Duration::ZERO, ..Plan::default().into() };
        let relay =
            on(near, server.local_addr().unwrap(), weather, move |_| recorder.labelled("#1")).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.send_to(b"Ann", relay.address).unwrap();
        let seen = [(); 2].map(|()| happened.recv().unwrap().what); // of two threads
        let is_name = |what: &What| matches!(what, What::Sent { bytes, .. } if bytes.bytes == b"Ann");
        assert!(seen.iter().any(is_name) && seen.iter().any(|what| matches!(what, What::LetGo)), "{seen:?}");
        drop(relay);
        assert!(happened.recv().is_err()); // nobody is left who could record
    }
}

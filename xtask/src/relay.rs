//! Recording relays: they stand on the wire between a client and a server, record what passes, and pass it
//! on. What is recorded was recorded before it was passed on, so that the record is in the order of causes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::event::{Lane, Recorder, What};
use crate::listening::Listening;

/// How often a relay of datagrams looks whether the lesson is over.
const GLANCE: Duration = Duration::from_millis(20);

/// A relay of connections that runs until it is dropped.
pub struct TcpRelay {
    gate: Count,
    listening: Listening,
}

impl TcpRelay {
    /// Where clients find it.
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }
}

impl Drop for TcpRelay {
    fn drop(&mut self) {
        self.gate.add_one(); // a lesson that stopped short may have left it closed
    }
}

/// A relay of datagrams that runs until it is dropped.
pub struct UdpRelay {
    /// Where the client finds it.
    pub address: SocketAddr,
    over: Arc<AtomicBool>,
    threads: [Option<JoinHandle<()>>; 2],
}

impl Drop for UdpRelay {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        for thread in self.threads.iter_mut().filter_map(Option::take) {
            let _ = thread.join();
        }
    }
}

/// A number that threads wait for. Clones are the same number.
#[derive(Clone, Default)]
pub struct Count(Arc<(Mutex<u64>, Condvar)>);

impl Count {
    fn lock(&self) -> MutexGuard<'_, u64> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more, and wakes who waits.
    pub fn add_one(&self) {
        *self.lock() += 1;
        self.0.1.notify_all();
    }

    fn wait_until_over(&self, number: u64) {
        drop(self.0.1.wait_while(self.lock(), |count| *count <= number));
    }
}

/// How a TCP relay passes on what it is sent.
#[derive(Clone)]
pub enum Manner {
    /// As it comes.
    AsItComes,
    /// What clients say is held back until this counts one.
    Held(Count),
    /// In pieces of at most so many bytes, both ways.
    Cut(usize),
    /// What clients say in pieces of at most so many bytes, each passed on once the one before was answered:
    /// the server reads exactly these pieces.
    CutInLockstep(usize),
}

/// Starts a relay in front of a TCP server, with the server's IP version.
///
/// # Errors
/// When the system gives it no socket.
pub fn tcp(upstream: SocketAddr, manner: Manner, recorder: Recorder) -> io::Result<TcpRelay> {
    let listener = TcpListener::bind(SocketAddr::new(upstream.ip(), 0))?;
    let gate = if let Manner::Held(gate) = &manner { gate.clone() } else { Count::default() };
    let listening = Listening::start(listener, move |clients| {
        thread::scope(|scope| {
            for client in clients {
                // Refused by the server, a client is refused by the relay: its connection is dropped.
                let Ok(server) = TcpStream::connect(upstream) else { continue };
                recorder.record(What::Connected { port: server.local_addr().map_or(0, |at| at.port()) });
                let (client, server) = (Arc::new(client), Arc::new(server));
                let (up, down) = ((Arc::clone(&client), Arc::clone(&server)), (server, client));
                let answers = Count::default();
                let counted = answers.clone();
                let is_broken = Arc::new(AtomicBool::new(false));
                let is_broken_too = Arc::clone(&is_broken);
                let (manner, recorder) = (&manner, &recorder);
                scope.spawn(move || {
                    pass_on(&up.0, &up.1, Lane::Server, recorder, &is_broken, |piece, pass| {
                        hold_and_cut(manner, piece, &answers, pass)
                    });
                });
                scope.spawn(move || {
                    pass_on(&down.0, &down.1, Lane::Client, recorder, &is_broken_too, |piece, pass| {
                        counted.add_one();
                        let size = if let Manner::Cut(size) = manner { *size } else { piece.len() };
                        piece.chunks(size).try_for_each(pass)
                    });
                    counted.add_one(); // the end answers, too
                });
            }
        });
    })?;
    Ok(TcpRelay { gate, listening })
}

type Pass<'a> = &'a mut dyn FnMut(&[u8]) -> io::Result<()>;

fn hold_and_cut(manner: &Manner, bytes: &[u8], answers: &Count, pass: Pass<'_>) -> io::Result<()> {
    match manner {
        Manner::AsItComes => pass(bytes),
        Manner::Held(gate) => {
            gate.wait_until_over(0);
            pass(bytes)
        }
        Manner::Cut(size) => bytes.chunks(*size).try_for_each(pass),
        Manner::CutInLockstep(size) => bytes.chunks(*size).try_for_each(|piece| {
            let before = *answers.lock();
            pass(piece)?;
            answers.wait_until_over(before);
            Ok(())
        }),
    }
}

fn pass_on(
    mut from: &TcpStream,
    mut to: &TcpStream,
    toward: Lane,
    recorder: &Recorder,
    is_broken: &AtomicBool,
    manner: impl Fn(&[u8], Pass<'_>) -> io::Result<()>,
) {
    // A connection that breaks is ended in both directions, and has broken once.
    let record_break = |toward| {
        if !is_broken.swap(true, Ordering::SeqCst) {
            recorder.record(What::Broke { toward });
        }
    };
    let _ = to.set_nodelay(true);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => {
                recorder.record(What::Ended { toward });
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(n) => {
                let passed = manner(&buffer[..n], &mut |piece| {
                    if is_broken.load(Ordering::SeqCst) {
                        return Err(ErrorKind::BrokenPipe.into());
                    }
                    recorder.record(What::Sent { toward, bytes: piece.into(), lost: false });
                    to.write_all(piece)
                });
                if passed.is_err() {
                    record_break(toward.other());
                    let _ = from.shutdown(Shutdown::Both);
                    return;
                }
            }
            Err(_) => {
                record_break(toward);
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
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

/// One direction of a plan, as it is carried out.
struct Carrier {
    fates: Vec<(usize, Fate)>,
    count: usize,
    late: Vec<Vec<u8>>,
}

impl Carrier {
    fn new(fates: Vec<(usize, Fate)>) -> Self {
        Self { fates, count: 0, late: Vec::new() }
    }

    /// What arrives now that this datagram was sent, and its fate.
    fn carry(&mut self, datagram: &[u8]) -> (Vec<Vec<u8>>, Option<Fate>) {
        self.count += 1;
        let fate = self.fates.iter().find(|(number, _)| *number == self.count).map(|(_, fate)| *fate);
        let copies = match fate {
            Some(Fate::Lost | Fate::Late) => 0,
            Some(Fate::Twice) => 2,
            None => 1,
        };
        let mut arriving = vec![datagram.to_vec(); copies];
        arriving.append(&mut self.late);
        if fate == Some(Fate::Late) {
            self.late.push(datagram.to_vec());
        }
        (arriving, fate)
    }

    fn pass_on(&mut self, datagram: &[u8], toward: Lane, recorder: &Recorder, send: impl Fn(&[u8])) {
        let (arriving, fate) = self.carry(datagram);
        match fate {
            Some(Fate::Lost) => recorder.record(What::Sent { toward, bytes: datagram.into(), lost: true }),
            Some(Fate::Late) => recorder.record(What::Held { toward, bytes: datagram.into() }),
            Some(Fate::Twice) | None => {}
        }
        for bytes in arriving {
            recorder.record(What::Sent { toward, bytes: bytes.clone(), lost: false });
            send(&bytes);
        }
    }
}

/// Starts a relay in front of a UDP server, with the server's IP version, for one client at a time.
///
/// # Errors
/// When the system gives it no socket.
pub fn udp(upstream: SocketAddr, plan: Plan, recorder: Recorder) -> io::Result<UdpRelay> {
    let anywhere = SocketAddr::new(upstream.ip(), 0);
    let near = Arc::new(UdpSocket::bind(anywhere)?);
    let far = Arc::new(UdpSocket::bind(anywhere)?);
    far.connect(upstream)?;
    near.set_read_timeout(Some(GLANCE))?;
    far.set_read_timeout(Some(GLANCE))?;
    let address = near.local_addr()?;
    let over = Arc::new(AtomicBool::new(false));
    let client = Arc::new(Mutex::new(None));

    let (from, to, peers, ending, notes) =
        (Arc::clone(&near), Arc::clone(&far), Arc::clone(&client), Arc::clone(&over), recorder.clone());
    let up = thread::spawn(move || {
        let mut buffer = vec![0; 65_535];
        let mut carrier = Carrier::new(plan.up);
        while !ending.load(Ordering::SeqCst) {
            let Ok((n, peer)) = from.recv_from(&mut buffer) else { continue };
            *peers.lock().unwrap_or_else(PoisonError::into_inner) = Some(peer);
            carrier.pass_on(&buffer[..n], Lane::Server, &notes, |bytes| _ = to.send(bytes));
        }
    });
    let ending = Arc::clone(&over);
    let down = thread::spawn(move || {
        let mut buffer = vec![0; 65_535];
        let mut carrier = Carrier::new(plan.down);
        while !ending.load(Ordering::SeqCst) {
            let Ok(n) = far.recv(&mut buffer) else { continue };
            let Some(peer) = *client.lock().unwrap_or_else(PoisonError::into_inner) else { continue };
            carrier.pass_on(&buffer[..n], Lane::Client, &recorder, |bytes| _ = near.send_to(bytes, peer));
        }
    });
    Ok(UdpRelay { address, over, threads: [up, down].map(Some) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_relay_of_datagrams_leaves_tcp_alone() {
        let recorder = Recorder::new("", mpsc::channel().0);
        // The two protocols count their ports apart; of a free one there are many.
        let (relay, listener) = loop {
            let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
            let relay = udp(nobody, Plan::default(), recorder.clone()).unwrap();
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
        let mut carrier =
            Carrier::new(vec![(2, Fate::Late), (4, Fate::Lost), (5, Fate::Twice), (6, Fate::Late)]);
        let arrived: Vec<u8> = (1..=7).flat_map(|number| carrier.carry(&[number]).0.concat()).collect();
        assert_eq!(arrived, [1, 3, 2, 5, 5, 7, 6]);
    }
}

//! Recording relays: they stand on the wire between a client and a server, record what passes, and pass it
//! on. What is recorded was recorded before it was passed on, so that the record is in the order of causes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::stage::{Lane, Recorder, What};

/// How often a relay of datagrams looks whether the scene is over.
const GLANCE: Duration = Duration::from_millis(20);

/// A relay that runs until it is dropped.
pub struct Relay {
    /// Where clients find it.
    pub address: SocketAddr,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // a knock, for the one that accepts
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Holds back what clients say until it is opened. Clones are the same gate.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// An open one.
    pub fn open_already() -> Self {
        let gate = Self::default();
        gate.open();
        gate
    }

    /// Lets everything pass from now on.
    pub fn open(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.1.wait_while(open, |open| !*open));
    }
}

/// Starts a relay in front of a TCP server, with the server's IP version.
///
/// # Errors
/// When the system gives it no socket.
pub fn tcp(upstream: SocketAddr, gate: Gate, recorder: Recorder) -> io::Result<Relay> {
    let listener = TcpListener::bind(SocketAddr::new(upstream.ip(), 0))?;
    let address = listener.local_addr()?;
    let over = Arc::new(AtomicBool::new(false));
    let ending = Arc::clone(&over);
    let thread = thread::spawn(move || {
        thread::scope(|scope| {
            while let Ok((client, _)) = listener.accept() {
                if ending.load(Ordering::SeqCst) {
                    break;
                }
                // Refused by the server, a client is refused by the relay: its connection is dropped.
                let Ok(server) = TcpStream::connect(upstream) else { continue };
                recorder.record(What::Connected);
                let (client, server) = (Arc::new(client), Arc::new(server));
                let (up, down) = ((Arc::clone(&client), Arc::clone(&server)), (server, client));
                let (gate, recorder) = (&gate, &recorder);
                scope.spawn(move || pass_on(&up.0, &up.1, Lane::Server, Some(gate), recorder));
                scope.spawn(move || pass_on(&down.0, &down.1, Lane::Client, None, recorder));
            }
        });
    });
    Ok(Relay { address, over, threads: vec![thread] })
}

fn pass_on(mut from: &TcpStream, mut to: &TcpStream, toward: Lane, gate: Option<&Gate>, recorder: &Recorder) {
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
                if let Some(gate) = gate {
                    gate.pass();
                }
                recorder.record(What::Sent { toward, bytes: buffer[..n].into(), lost: false });
                if to.write_all(&buffer[..n]).is_err() {
                    let _ = from.shutdown(Shutdown::Both);
                    return;
                }
            }
            Err(_) => {
                recorder.record(What::Broke { toward });
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

/// Which of the client's datagrams are lost, counted from 1.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Their numbers.
    pub lost: Vec<usize>,
}

/// Starts a relay in front of a UDP server, with the server's IP version, for one client at a time.
///
/// # Errors
/// When the system gives it no socket.
pub fn udp(upstream: SocketAddr, plan: Plan, recorder: Recorder) -> io::Result<Relay> {
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
        let mut count = 0;
        while !ending.load(Ordering::SeqCst) {
            let Ok((n, peer)) = from.recv_from(&mut buffer) else { continue };
            *peers.lock().unwrap_or_else(PoisonError::into_inner) = Some(peer);
            count += 1;
            let lost = plan.lost.contains(&count);
            notes.record(What::Sent { toward: Lane::Server, bytes: buffer[..n].into(), lost });
            if !lost {
                let _ = to.send(&buffer[..n]);
            }
        }
    });
    let ending = Arc::clone(&over);
    let down = thread::spawn(move || {
        let mut buffer = vec![0; 65_535];
        while !ending.load(Ordering::SeqCst) {
            let Ok(n) = far.recv(&mut buffer) else { continue };
            let Some(peer) = *client.lock().unwrap_or_else(PoisonError::into_inner) else { continue };
            recorder.record(What::Sent { toward: Lane::Client, bytes: buffer[..n].into(), lost: false });
            let _ = near.send_to(&buffer[..n], peer);
        }
    });
    Ok(Relay { address, over, threads: vec![up, down] })
}

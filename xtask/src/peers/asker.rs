//! A client of a UDP server that is being judged: each question is a datagram, and so is what comes back.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use common::datagram;

use super::caller::{Found, How};
use super::sockets::is_silence;
use crate::wire::event::{How as Crossing, Lane, Recorder, What};

/// A client with a socket of its own, which hears the server alone.
pub struct Asker {
    socket: UdpSocket,
    recorder: Recorder,
    patience: Duration,
    /// What it said last.
    pub said: Vec<u8>,
}

impl Asker {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// When the system gives it no socket.
    pub fn new(server: SocketAddr, patience: Duration, recorder: Recorder) -> io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0))?;
        socket.connect(server)?;
        Ok(Self { socket, recorder, patience, said: Vec::new() })
    }

    /// Sends a datagram. That it does not get through is seen by what then comes.
    pub fn says(&mut self, bytes: &[u8]) {
        self.recorder.record(What::Sent { toward: Lane::Server, bytes: bytes.into(), how: Crossing::Plain });
        self.said = bytes.into();
        let _ = self.socket.send(bytes);
    }

    /// Waits for the next datagram.
    ///
    /// # Errors
    /// How the wait ended without one: in silence, or because nobody is there.
    pub fn hears_one(&mut self) -> Result<Vec<u8>, How> {
        let asked = Instant::now();
        let mut buffer = vec![0; datagram::BUFFER];
        loop {
            let left = self.patience.saturating_sub(asked.elapsed());
            if left.is_zero() {
                return Err(How::Silent);
            }
            let _ = self.socket.set_read_timeout(Some(left));
            match self.socket.recv(&mut buffer) {
                Ok(size) => {
                    let bytes = buffer[..size].to_vec();
                    self.recorder.record(What::Sent {
                        toward: Lane::Client,
                        bytes: bytes.as_slice().into(),
                        how: Crossing::Plain,
                    });
                    return Ok(bytes);
                }
                Err(e) if is_silence(e.kind()) || e.kind() == io::ErrorKind::Interrupted => {}
                // The system says that no socket has that port (an ICMP message).
                Err(_) => return Err(How::Reset),
            }
        }
    }

    /// Whether this very datagram is among those that have come.
    pub fn has_heard(&mut self, message: &[u8]) -> bool {
        let patience = std::mem::replace(&mut self.patience, Duration::from_millis(1));
        let has_heard = std::iter::from_fn(|| self.hears_one().ok()).any(|bytes| bytes == message);
        self.patience = patience;
        has_heard
    }

    /// Waits for this very datagram.
    ///
    /// # Errors
    /// Whatever came in its place.
    pub fn hears(&mut self, message: &[u8]) -> Result<(), Found> {
        match self.hears_one() {
            Ok(bytes) if bytes == message => Ok(()),
            Ok(bytes) => Err(Found { how: How::Other, bytes }),
            Err(how) => Err(Found { how, bytes: Vec::new() }),
        }
    }
}

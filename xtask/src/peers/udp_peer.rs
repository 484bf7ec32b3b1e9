//! The other side of datagrams with a program that is being judged: a client of a server, or the host that a client
//! asks.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use common::datagram;

use super::found::{Found, How};
use super::script::STARTS;
use super::sockets::is_silence;
use crate::wire::event::{How as Crossing, Recorder, Side};

/// How often to look whether the program is gone.
const GLANCE: Duration = Duration::from_millis(20);

/// One with a socket of its own.
pub struct UdpPeer {
    socket: UdpSocket,
    /// The lane of the program.
    program: Side,
    /// Whoever asked this host last.
    pub client: Option<SocketAddr>,
    recorder: Recorder,
    patience: Duration,
    /// What it said last.
    pub said: Vec<u8>,
    /// What it has heard: a client may ask again.
    heard: Vec<Vec<u8>>,
}

impl UdpPeer {
    /// A client, who hears the server alone.
    ///
    /// # Errors
    /// When the system gives it no socket.
    pub fn new(server: SocketAddr, patience: Duration, recorder: Recorder) -> io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0))?;
        socket.connect(server)?;
        Ok(Self::on(socket, Side::Server, patience, recorder))
    }

    /// A host, who hears everybody and answers whoever spoke last.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn host(at: SocketAddr, patience: Duration, recorder: Recorder) -> io::Result<Self> {
        Ok(Self::on(UdpSocket::bind(at)?, Side::Client, patience, recorder))
    }

    fn on(socket: UdpSocket, program: Side, patience: Duration, recorder: Recorder) -> Self {
        Self { socket, program, client: None, recorder, patience, said: Vec::new(), heard: Vec::new() }
    }

    /// Whether the program is its client.
    pub fn is_host(&self) -> bool {
        self.program == Side::Client
    }

    /// Where it is.
    ///
    /// # Errors
    /// What the system reports.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends a datagram. That it does not get through is seen by what then comes.
    pub fn says(&mut self, bytes: &[u8]) {
        self.recorder.sent(self.program, bytes, Crossing::Plain);
        self.said = bytes.into();
        let _ = match self.client {
            Some(client) => self.socket.send_to(bytes, client),
            None => self.socket.send(bytes),
        };
    }

    /// Sends a datagram that is lost on its way.
    pub fn loses(&mut self, bytes: &[u8]) {
        self.recorder.sent(self.program, bytes, Crossing::Lost);
        self.said = bytes.into();
    }

    /// Somebody else answers in its place, from a socket that nobody has asked.
    pub fn is_outshouted(&mut self, bytes: &[u8]) {
        let stranger = self.address().and_then(|at| UdpSocket::bind((at.ip(), 0)));
        let from = stranger.as_ref().ok().and_then(|stranger| stranger.local_addr().ok());
        if let (Some(client), Ok(stranger), Some(from)) = (self.client, stranger, from) {
            self.recorder.said(self.program.other(), format!("a stranger, from :{}", from.port()));
            self.recorder.sent(self.program, bytes, Crossing::Plain);
            self.said = bytes.into();
            let _ = stranger.send_to(bytes, client);
        }
    }

    /// The next datagram within this time.
    ///
    /// # Errors
    /// How the wait ended without one: in silence, because nobody is there, or because it is over.
    pub fn hears_one(&mut self, limit: Duration, is_over: &dyn Fn() -> bool) -> Result<Vec<u8>, How> {
        let (asked, mut was_over) = (Instant::now(), false);
        let mut buffer = vec![0; datagram::BUFFER];
        loop {
            let left = limit.saturating_sub(asked.elapsed()).min(GLANCE);
            let _ = self.socket.set_read_timeout(Some(left.max(Duration::from_millis(1))));
            match self.socket.recv_from(&mut buffer) {
                Ok((size, from)) => {
                    let bytes = buffer[..size].to_vec();
                    self.recorder.sent(self.program.other(), &bytes, Crossing::Plain);
                    self.client = Some(from).filter(|_| self.is_host());
                    return Ok(bytes);
                }
                Err(e) if is_silence(e.kind()) || e.kind() == io::ErrorKind::Interrupted => {}
                // The system says that no socket has that port (an ICMP message).
                Err(_) if !self.is_host() => return Err(How::Reset),
                Err(_) => std::thread::sleep(GLANCE), // the client has left
            }
            if was_over {
                return Err(How::Ended);
            }
            if asked.elapsed() >= limit {
                return Err(How::Silent);
            }
            was_over = is_over(); // what it sent before is still there
        }
    }

    /// Whether this very datagram is among those that have come.
    pub fn has_heard(&mut self, message: &[u8]) -> bool {
        std::iter::from_fn(|| self.hears_one(Duration::ZERO, &|| false).ok()).any(|bytes| bytes == message)
    }

    /// Waits for this very datagram; a host lets those pass that a client may ask again.
    ///
    /// # Errors
    /// Whatever came in its place.
    pub fn hears(&mut self, message: &[u8], is_over: &dyn Fn() -> bool) -> Result<(), Found> {
        let is_first = self.is_host() && self.client.is_none();
        let patience = self.patience * if is_first { STARTS } else { 1 };
        loop {
            let bytes = self.hears_one(patience, is_over).map_err(Found::nothing)?;
            if bytes == message {
                self.heard.push(bytes);
                return Ok(());
            }
            if !self.is_host() || !self.heard.contains(&bytes) {
                return Err(Found { how: How::Other, bytes });
            }
        }
    }
}

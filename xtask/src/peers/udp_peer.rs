//! The other side of datagrams with a program: a client of a server, or the server that a client asks.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use common::datagram;

use super::script::{Expected, Found, How, Mismatch};
use super::sockets::is_silence;
use super::talk::Talk;
use crate::wire::event::{Crossing, Side};

/// How often to look whether the program has ended.
const GLANCE: Duration = Duration::from_millis(20);

pub struct UdpPeer {
    pub number: usize,
    socket: UdpSocket,
    program: Side,
    /// The client that asked this server last.
    pub client: Option<SocketAddr>,
    talk: Talk,
    /// What it said last.
    pub said: Vec<u8>,
    /// What it has heard: a client may ask again.
    heard: Vec<Vec<u8>>,
}

impl UdpPeer {
    /// A client, which hears only this server.
    pub fn new(server: SocketAddr, talk: Talk) -> io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0))?;
        socket.connect(server)?;
        Ok(Self::on(socket, Side::Server, talk))
    }

    /// A server, which hears everybody and answers whichever client spoke last.
    pub fn server(at: SocketAddr, talk: Talk) -> io::Result<Self> {
        Ok(Self::on(UdpSocket::bind(at)?, Side::Client, talk))
    }

    fn on(socket: UdpSocket, program: Side, talk: Talk) -> Self {
        Self { number: 0, socket, program, client: None, talk, said: Vec::new(), heard: Vec::new() }
    }

    /// Whether the program is its client.
    pub fn is_server(&self) -> bool {
        self.program == Side::Client
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends a datagram. That it does not get through is seen by what then comes.
    pub fn says(&mut self, bytes: &[u8]) {
        self.talk.recorder.sent(self.program, bytes, Crossing::Plain);
        self.said = bytes.into();
        let _ = match self.client {
            Some(client) => self.socket.send_to(bytes, client),
            None => self.socket.send(bytes),
        };
    }

    pub fn loses(&mut self, bytes: &[u8]) {
        self.talk.recorder.sent(self.program, bytes, Crossing::Lost);
        self.said = bytes.into();
    }

    pub fn is_outshouted(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(client) = self.client else { return Ok(()) };
        let stranger = UdpSocket::bind((self.address()?.ip(), 0))?;
        let from = format!("a stranger, from :{}", stranger.local_addr()?.port());
        self.talk.recorder.said(self.program.other(), from);
        self.talk.recorder.sent(self.program, bytes, Crossing::Plain);
        self.said = bytes.into();
        stranger.send_to(bytes, client).map(drop)
    }

    /// The next datagram within this time.
    ///
    /// # Errors
    /// How the wait ended without one: in silence, because nobody is there, or because it is over.
    pub fn hears_one(&mut self, limit: Duration, is_over: &dyn Fn() -> bool) -> Result<Vec<u8>, How> {
        let (asked, mut was_over) = (Instant::now(), false);
        let mut buffer = vec![0; datagram::BUFFER];
        loop {
            let left = limit.saturating_sub(asked.elapsed());
            let _ = self.socket.set_read_timeout(Some(left.clamp(Duration::from_millis(1), GLANCE)));
            match self.socket.recv_from(&mut buffer) {
                Ok((size, from)) => {
                    let bytes = buffer[..size].to_vec();
                    self.talk.recorder.sent(self.program.other(), &bytes, Crossing::Plain);
                    self.client = Some(from).filter(|_| self.is_server());
                    return Ok(bytes);
                }
                Err(e) if is_silence(e.kind()) || e.kind() == io::ErrorKind::Interrupted => {}
                // The system says that no socket has that port (an ICMP message).
                Err(_) if !self.is_server() => return Err(How::Reset),
                Err(_) => std::thread::sleep(GLANCE), // the client has left
            }
            if was_over {
                return Err(How::Ended);
            }
            if left.is_zero() {
                return Err(How::Silent); // a look after the time
            }
            was_over = is_over(); // what it sent before is still there
        }
    }

    pub fn has_heard(&mut self, message: &[u8]) -> bool {
        std::iter::from_fn(|| self.hears_one(Duration::ZERO, &|| false).ok()).any(|bytes| bytes == message)
    }

    /// Looks how many datagrams have come. The system keeps a few hundred; of more than `most` only so many are drawn.
    pub fn has_come(&mut self, most: usize) -> Result<(), Mismatch> {
        let came =
            std::iter::from_fn(|| self.hears_one(Duration::ZERO, &|| false).ok()).take(most + 1).count();
        let (number, expected) = (self.number, Expected::Few(most));
        let found = Found { how: How::WentOn, bytes: came.to_string().into() };
        if came <= most { Ok(()) } else { Err(Mismatch { number, expected, found }) }
    }

    /// Waits for exactly this datagram; a server lets those pass that a client may send again.
    pub fn hears(&mut self, message: &[u8], is_over: &dyn Fn() -> bool) -> Result<(), Mismatch> {
        let is_first = self.is_server() && self.client.is_none();
        let patience = self.talk.patience;
        let limit = if is_first { patience * 3 } else { patience };
        let number = self.number;
        let missed = |found| Mismatch { number, expected: Expected::Message(message.into()), found };
        loop {
            let bytes = self.hears_one(limit, is_over).map_err(|how| missed(Found::nothing(how)))?;
            if bytes == message {
                self.heard.push(bytes);
                return Ok(());
            }
            if !self.is_server() || !self.heard.contains(&bytes) {
                return Err(missed(Found { how: How::Other, bytes }));
            }
        }
    }
}

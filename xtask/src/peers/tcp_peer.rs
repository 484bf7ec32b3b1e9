//! The other side of a conversation with a program that is being judged: a client of a server, or the host that a
//! client meets. What it hears is a finding, and no error: it may be anything.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use common::framing::{self, Framing};
use common::greeting;

use super::found::{Found, How};
use super::sockets::is_silence;
use crate::wire::event::{How as Crossing, Payload, Recorder, Side, What};

/// More than any answer here has; a server that says more than this says too much.
const ENOUGH: usize = 4096;

/// How long to go on listening, for the eye alone, once what came is not what was expected.
const REST_OF_IT: Duration = Duration::from_millis(100);

/// How long the rest of a message may take that has begun.
const UNFINISHED: Duration = Duration::from_secs(2);

/// One with a connection of its own, which is recorded.
pub struct TcpPeer {
    stream: TcpStream,
    /// The lane of the program.
    program: Side,
    recorder: Recorder,
    framing: Framing,
    patience: Duration,
    heard: Vec<u8>,
    /// What it said last, as it went.
    pub said: Vec<u8>,
    /// How much of the last name went out, where it broke off.
    begun: Vec<u8>,
}

impl TcpPeer {
    /// Connects to the server.
    pub fn connect(
        at: SocketAddr,
        framing: Framing,
        patience: Duration,
        recorder: Recorder,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect(at)?;
        recorder.record(What::Connected { port: stream.local_addr()?.port() });
        Self::on(stream, Side::Server, framing, patience, recorder)
    }

    /// Has accepted a client.
    pub fn accepted(
        stream: TcpStream,
        framing: Framing,
        patience: Duration,
        recorder: Recorder,
    ) -> io::Result<Self> {
        recorder.record(What::Connected { port: stream.peer_addr()?.port() });
        Self::on(stream, Side::Client, framing, patience, recorder)
    }

    fn on(
        stream: TcpStream,
        program: Side,
        framing: Framing,
        patience: Duration,
        recorder: Recorder,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self {
            stream,
            program,
            recorder,
            framing,
            patience,
            heard: Vec::new(),
            said: Vec::new(),
            begun: Vec::new(),
        })
    }

    /// Whether the program is its client.
    pub fn is_host(&self) -> bool {
        self.program == Side::Client
    }

    /// Its own end, and the program's.
    pub fn ends_of_it(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.stream.local_addr()?, self.stream.peer_addr()?))
    }

    /// What has come and is not yet understood, waiting for no more than `patience`.
    pub fn came_within(&mut self, patience: Duration) -> &[u8] {
        let _ = self.read(patience);
        &self.heard
    }

    /// Sends much, of which the beginning alone is recorded; false where no more of it was taken for as long as the
    /// patience lasts. That nobody is there any more is seen by what then comes.
    pub fn sends_much(&mut self, bytes: &[u8]) -> bool {
        let mut taken = 0;
        let outcome = loop {
            match self.stream.write(&bytes[taken..]) {
                Ok(0) => break Ok(()),
                Ok(n) => taken += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => break Err(e),
            }
        };
        self.recorder.record(What::Sent {
            toward: self.program,
            bytes: Payload::of(&bytes[..taken], 64),
            how: Crossing::Plain,
        });
        !outcome.is_err_and(|e| is_silence(e.kind()))
    }

    /// Waits for a request of this path and the empty line behind it. It has to name the Host (RFC 9112, section 3.2).
    ///
    /// # Errors
    /// Whatever came in its place: another request, by its first line.
    pub fn is_asked_for(&mut self, path: &str) -> Result<(), Found> {
        const END: &[u8] = b"\r\n\r\n";
        while !self.heard.windows(END.len()).any(|window| window == END) {
            if self.heard.len() > ENOUGH {
                return Err(self.found(How::Other));
            }
            self.read(self.patience).map_err(|how| self.found(how))?;
        }
        let head = String::from_utf8_lossy(&self.heard).to_lowercase();
        let is_it = self.heard.starts_with(format!("GET {path} HTTP/1.1\r\n").as_bytes());
        if is_it && head.contains("\r\nhost:") {
            self.heard.clear();
            return Ok(());
        }
        let line = self.heard.split(|byte| *byte == b'\r').next().filter(|_| !is_it);
        Err(Found { how: How::Other, bytes: line.unwrap_or(&self.heard).to_vec() })
    }

    /// Sends bytes as they are. That they do not get through is seen by what then comes.
    pub fn sends(&mut self, bytes: &[u8]) {
        self.recorder.sent(self.program, bytes, Crossing::Plain);
        self.said = bytes.into();
        let _ = self.stream.write_all(bytes);
    }

    /// Says a message byte by byte.
    pub fn says_by_bytes(&mut self, message: &[u8]) {
        for byte in framed(self.framing, message) {
            self.sends(&[byte]);
        }
    }

    /// Says a message but for its last bytes, and ends its half.
    pub fn breaks_off(&mut self, message: &[u8]) {
        const LEFT_OUT: usize = 4;
        let whole = framed(self.framing, message);
        self.sends(&whole[..whole.len().saturating_sub(LEFT_OUT)]);
        let prefix = if self.framing == Framing::Length { LEFT_OUT } else { 0 };
        self.begun = self.said.get(prefix..).unwrap_or_default().to_vec();
        self.ends();
    }

    /// Ends its half: it has nothing more to say, and goes on listening.
    pub fn ends(&mut self) {
        self.recorder.record(What::Ended { toward: self.program });
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Leaves with a reset: the system sends one where a socket is closed with something unread in it. So this
    /// waits until there is something, and does not read it.
    pub fn resets(self) {
        let _ = self.stream.set_read_timeout(Some(self.patience));
        let _ = self.stream.peek(&mut [0]);
        self.recorder.record(What::Broke { toward: self.program, as_reset: true });
    }

    /// Leaves: closes, with nothing unread.
    pub fn leaves(self) {
        self.recorder.record(What::Ended { toward: self.program });
    }

    /// Waits for this very message; a carriage return before its line feed is fine.
    ///
    /// # Errors
    /// Whatever came in its place.
    pub fn hears(&mut self, message: &[u8]) -> Result<(), Found> {
        self.hears_within(message, self.patience)
    }

    /// As [`TcpPeer::hears`], with a patience of its own.
    ///
    /// # Errors
    /// Whatever came in its place.
    pub fn hears_within(&mut self, message: &[u8], patience: Duration) -> Result<(), Found> {
        loop {
            match self.understood(message) {
                Some(Ok(size)) => {
                    self.heard.drain(..size);
                    return Ok(());
                }
                Some(Err(())) => return Err(self.other()),
                None => {
                    let limit = if self.heard.is_empty() { patience } else { patience.min(UNFINISHED) };
                    self.read(limit).map_err(|how| self.found(how))?;
                }
            }
        }
    }

    /// Waits for a greeting of what was broken off, or for none, and then for the end.
    ///
    /// # Errors
    /// Whatever came in their place.
    pub fn hears_half_at_most(&mut self) -> Result<(), Found> {
        let greeting = greeting::of(&self.begun);
        match self.hears(&greeting) {
            Ok(()) => self.hears_the_end(),
            Err(found) if found.how == How::Ended && found.bytes.is_empty() => Ok(()),
            Err(found) => Err(found),
        }
    }

    /// Takes a look at what else has come; that it waited until all could be here is the script's affair.
    ///
    /// # Errors
    /// What came, if anything did.
    pub fn hears_no_more(&mut self) -> Result<(), Found> {
        const LOOK: Duration = Duration::from_millis(20);
        if self.came_within(LOOK).is_empty() { Ok(()) } else { Err(self.found(How::WentOn)) }
    }

    /// Waits for the end of the stream, with nothing before it.
    ///
    /// # Errors
    /// Whatever came in its place.
    pub fn hears_the_end(&mut self) -> Result<(), Found> {
        if !self.heard.is_empty() {
            return Err(self.other());
        }
        match self.read(self.patience) {
            Ok(()) => Err(self.other()),
            Err(How::Ended) => Ok(()),
            Err(how) => Err(self.found(how)),
        }
    }

    /// Waits for any message at all, or for any end.
    ///
    /// # Errors
    /// When neither comes.
    pub fn hears_anything(&mut self) -> Result<(), Found> {
        loop {
            match (self.framing, self.read(self.patience)) {
                (Framing::Line, Ok(())) if !self.heard.contains(&b'\n') && self.heard.len() < ENOUGH => {}
                (_, Ok(()) | Err(How::Ended | How::Reset)) => return Ok(()),
                (_, Err(how)) => return Err(self.found(how)),
            }
        }
    }

    /// How many bytes of what came are this message; an error if it cannot be it any more, none if it still can.
    fn understood(&self, message: &[u8]) -> Option<Result<usize, ()>> {
        let could_be = |whole: &[u8]| whole.starts_with(&self.heard);
        match self.framing {
            Framing::Line => match self.heard.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let line = &self.heard[..end];
                    let is_it = line.strip_suffix(b"\r").unwrap_or(line) == message || line == message;
                    Some(if is_it { Ok(end + 1) } else { Err(()) })
                }
                None => (!could_be(&[message, b"\r"].concat())).then_some(Err(())),
            },
            Framing::Raw | Framing::Length => {
                let expected = framed(self.framing, message);
                if self.heard.starts_with(&expected) {
                    return Some(Ok(expected.len()));
                }
                (!could_be(&expected)).then_some(Err(()))
            }
        }
    }

    /// What came is something else; what is still under way of it is shown, too.
    fn other(&mut self) -> Found {
        let began = Instant::now();
        let is_line = self.framing == Framing::Line;
        let is_whole = |heard: &[u8]| is_line && heard.ends_with(b"\n");
        while !is_whole(&self.heard) && self.heard.len() < ENOUGH && began.elapsed() < REST_OF_IT {
            if self.read(REST_OF_IT).is_err() {
                break;
            }
        }
        self.found(How::Other)
    }

    fn found(&self, how: How) -> Found {
        Found { how, bytes: self.heard.clone() }
    }

    /// Reads what comes within this time, and records it.
    fn read(&mut self, patience: Duration) -> Result<(), How> {
        let asked = Instant::now();
        let mut buffer = [0; ENOUGH];
        loop {
            let left = patience.saturating_sub(asked.elapsed());
            if left.is_zero() {
                return Err(How::Silent);
            }
            let _ = self.stream.set_read_timeout(Some(left));
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.recorder.record(What::Ended { toward: self.program.other() });
                    return Err(How::Ended);
                }
                Ok(n) => {
                    self.heard.extend_from_slice(&buffer[..n]);
                    self.recorder.record(What::Sent {
                        toward: self.program.other(),
                        bytes: buffer[..n].into(),
                        how: Crossing::Plain,
                    });
                    return Ok(());
                }
                Err(e) if is_silence(e.kind()) || e.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.recorder.record(What::Broke { toward: self.program.other(), as_reset: true });
                    return Err(How::Reset);
                }
            }
        }
    }
}

/// A message as it goes over the wire; nothing where this framing cannot carry it.
pub fn framed(framing: Framing, message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Only a message that the framing cannot carry is an error, and then nothing has been written.
    let _ = framing::write(&mut bytes, framing, message);
    bytes
}

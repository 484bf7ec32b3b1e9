//! The other side of a TCP conversation with a program: a client of a server, or the server that a client meets. What
//! it hears is a finding, and an error for whoever tests one of our programs.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use common::framing::{self, Framing};
use common::greeting;

use super::script::{Expected, Found, How, Mismatch};
use super::sockets::is_silence;
use super::talk::Talk;
use crate::wire::event::{Crossing, Payload, Side, What};
use crate::wire::kernel::{self, SocketRow};

/// More bytes than any answer has; a program that says more than this says too much.
const ENOUGH: usize = 4096;

/// How many bytes are kept of a program that never stops, where its words are wanted whole.
const LIMIT: usize = 1 << 20;

/// How long to go on listening once something unexpected came: for the ladder, nothing depends on it.
const REST_OF_IT: Duration = Duration::from_millis(100);

/// A peer with a TCP connection; dropped, it closes.
pub struct TcpPeer {
    pub number: usize,
    pub stream: TcpStream,
    program: Side,
    talk: Talk,
    heard: Vec<u8>,
    /// What it said last, as it went over the wire.
    pub said: Vec<u8>,
}

impl TcpPeer {
    /// A client, which connects to the server.
    pub fn connect(server: SocketAddr, talk: Talk) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        talk.recorder.record(What::Connected { port: stream.local_addr()?.port() });
        Self::on(stream, Side::Server, talk)
    }

    /// A server, which has accepted a client.
    pub fn accepted(stream: TcpStream, talk: Talk) -> io::Result<Self> {
        talk.recorder.record(What::Connected { port: stream.peer_addr()?.port() });
        Self::on(stream, Side::Client, talk)
    }

    /// A client of one of our own servers, unrecorded and patient.
    pub fn connected(server: SocketAddr) -> Result<Self> {
        Self::connect(server, Talk::default()).with_context(|| format!("cannot connect to {server}"))
    }

    /// As [`TcpPeer::connected`], after the welcome.
    pub fn welcomed(server: SocketAddr) -> Result<Self> {
        let mut peer = Self::connected(server)?;
        peer.hears(greeting::WELCOME)?;
        Ok(peer)
    }

    fn on(stream: TcpStream, program: Side, talk: Talk) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(talk.patience))?;
        let (heard, said) = Default::default();
        Ok(Self { number: 0, stream, program, talk, heard, said })
    }

    /// Whether the program is its client.
    pub fn is_server(&self) -> bool {
        self.program == Side::Client
    }

    /// The program's end of the connection, if the kernel says.
    pub fn far_end(&self) -> Option<SocketRow> {
        kernel::far_end(self.stream.local_addr().ok()?, self.stream.peer_addr().ok()?)
    }

    /// What has come and is not yet understood, waiting for no more than `patience`.
    pub fn came_within(&mut self, patience: Duration) -> &[u8] {
        let _ = self.read(patience);
        &self.heard
    }

    /// Whether something comes within this time, be it the end; what has come is left to be heard.
    pub fn has_news(&mut self, patience: Duration) -> bool {
        self.read(patience) != Err(How::Silent)
    }

    /// Sends what is taken of much: how many bytes, and whether the program took no more for as long as the patience
    /// lasts. Their beginning is recorded. That the program has left is seen by what then comes.
    pub fn sends_much(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut taken = 0;
        let is_silent = loop {
            match self.stream.write(&bytes[taken..]) {
                Ok(0) => break false,
                Ok(n) => taken += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => break is_silence(e.kind()),
            }
        };
        if taken > 0 {
            let beginning = Payload::of(&bytes[..taken], 64);
            let sent = What::Sent { toward: self.program, bytes: beginning, how: Crossing::Plain };
            self.talk.recorder.record(sent);
        }
        (taken, is_silent)
    }

    /// Says a name again and again and reads nothing, until no more of it is taken for a moment although the program
    /// `rests`. One that keeps what it cannot send would take all there is.
    pub fn floods(&mut self, name: &[u8], rests: impl Fn()) {
        const MOMENT: Duration = Duration::from_millis(100);
        const MOST: usize = 16 << 20;
        self.said = self.framed(name);
        let bytes = self.said.repeat(MOST / self.said.len().max(1));
        let _ = self.stream.set_write_timeout(Some(MOMENT));
        let mut taken = 0;
        while let (more @ 1.., true) = self.sends_much(&bytes[taken..]) {
            taken += more;
            rests();
        }
        let _ = self.stream.set_write_timeout(Some(self.talk.patience));
    }

    /// Waits for a request of this path and the empty line after it. It must name the Host (RFC 9112, section 3.2).
    /// Of another request, the first line is found.
    pub fn is_asked_for(&mut self, path: &'static str) -> Result<(), Mismatch> {
        let asked = Instant::now();
        while !self.heard.windows(4).any(|window| window == b"\r\n\r\n") {
            let heard = match self.heard.len() {
                0..=ENOUGH if asked.elapsed() > self.talk.patience * 3 => Err(How::Late),
                0..=ENOUGH => self.read(self.talk.patience),
                _ => Err(How::Other),
            };
            heard.map_err(|how| self.missed(Expected::Request(path), how))?;
        }
        let head = String::from_utf8_lossy(&self.heard).to_lowercase();
        let is_it = self.heard.starts_with(format!("GET {path} HTTP/1.1\r\n").as_bytes());
        if is_it && head.contains("\r\nhost:") {
            self.heard.clear();
            return Ok(());
        }
        if !is_it {
            self.heard = self.heard.split(|byte| *byte == b'\r').next().unwrap_or_default().to_vec();
        }
        Err(self.missed(Expected::Request(path), How::Other))
    }

    pub fn framed(&self, message: &[u8]) -> Vec<u8> {
        framed(self.talk.framing, message)
    }

    pub fn says(&mut self, messages: &[&[u8]]) {
        let bytes: Vec<_> = messages.iter().flat_map(|message| self.framed(message)).collect();
        self.sends(bytes);
    }

    /// Sends bytes as they are. That they do not get through is seen by what then comes.
    pub fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.talk.recorder.sent(self.program, bytes, Crossing::Plain);
        self.said = bytes.into();
        let _ = self.stream.write_all(bytes);
    }

    /// Sends bytes and shuts down its half. The system keeps the last byte back until the others are acknowledged (Nagle's
    /// algorithm, RFC 9293, section 3.7.4), and so sends it in one segment with the end. To a client that it has answered,
    /// Linux delays that by at least 40 ms.
    pub fn ends_with(&mut self, bytes: &[u8]) {
        let _ = self.stream.set_nodelay(false);
        let (begin, last) = bytes.split_at(bytes.len().saturating_sub(1));
        self.talk.recorder.sent(self.program, bytes, Crossing::Plain);
        self.talk.recorder.record(What::Ended { toward: self.program });
        let _ = self.stream.write_all(begin).and_then(|()| self.stream.write_all(last));
        let _ = self.stream.shutdown(Shutdown::Write);
        self.said = bytes.into();
    }

    pub fn ends(&mut self) {
        self.talk.recorder.record(What::Ended { toward: self.program });
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Leaves with a reset: the system sends one where a socket is closed with something unread in it. So this waits
    /// until there is something, and does not read it. Where nothing came, it has left without a reset.
    pub fn resets(self) -> Result<(), Mismatch> {
        let _ = self.stream.set_read_timeout(Some(self.talk.patience));
        let (toward, has_come) = (self.program, matches!(self.stream.peek(&mut [0]), Ok(1)));
        let left = if has_come { What::Broke { toward, as_reset: true } } else { What::Ended { toward } };
        self.talk.recorder.record(left);
        if has_come { Ok(()) } else { Err(self.missed(Expected::Anything, How::Silent)) }
    }

    pub fn leaves(self) {
        self.talk.recorder.record(What::Ended { toward: self.program });
    }

    /// Waits for exactly this message; a carriage return before its line feed is fine.
    pub fn hears(&mut self, message: impl AsRef<[u8]>) -> Result<(), Mismatch> {
        self.hears_within(message, self.talk.patience)
    }

    /// As [`TcpPeer::hears`], but waits only this long for each part of it.
    pub fn hears_within(&mut self, message: impl AsRef<[u8]>, limit: Duration) -> Result<(), Mismatch> {
        let (message, asked) = (message.as_ref(), Instant::now());
        let expected = || Expected::Message(message.into());
        loop {
            match self.understood(message) {
                Some(Ok(size)) => {
                    self.heard.drain(..size);
                    return Ok(());
                }
                Some(Err(())) => return Err(self.other(expected())),
                None if asked.elapsed() > self.talk.patience * 3 => {
                    return Err(self.missed(expected(), How::Late));
                }
                None => self.read(limit).map_err(|how| self.missed(expected(), how))?,
            }
        }
    }

    pub fn gives_name(&mut self, name: &str) -> Result<(), Mismatch> {
        self.says(&[name.as_bytes()]);
        self.hears(greeting::of(name.as_bytes()))
    }

    /// The next line, without its line feed; what is not UTF-8 in it is replaced.
    pub fn line(&mut self) -> Result<String, Mismatch> {
        while !self.heard.contains(&b'\n') && self.heard.len() <= LIMIT {
            self.read(self.talk.patience).map_err(|how| self.missed(Expected::Anything, how))?;
        }
        let end = self.heard.iter().position(|byte| *byte == b'\n');
        let end = end.ok_or_else(|| self.missed(Expected::Anything, How::Other))?;
        let line: Vec<_> = self.heard.drain(..=end).collect();
        Ok(String::from_utf8_lossy(&line[..end]).into())
    }

    /// All that still comes before the end; what is not UTF-8 in it is replaced.
    pub fn hears_out(&mut self) -> Result<String, Mismatch> {
        loop {
            match self.read(self.talk.patience) {
                Ok(()) if self.heard.len() <= LIMIT => {}
                Ok(()) => return Err(self.missed(Expected::End, How::Other)),
                Err(How::Ended) => return Ok(String::from_utf8_lossy(&mem::take(&mut self.heard)).into()),
                Err(how) => return Err(self.missed(Expected::End, how)),
            }
        }
    }

    pub fn hears_half_at_most(&mut self) -> Result<(), Mismatch> {
        let length = if self.talk.framing == Framing::Length { 4 } else { 0 };
        let heard = match self.hears(greeting::of(self.said.get(length..).unwrap_or_default())) {
            Ok(()) => self.hears_the_end(),
            Err(missed) if missed.found.how == How::Ended && missed.found.bytes.is_empty() => Ok(()),
            missed => missed,
        };
        heard.map_err(|missed| Mismatch { expected: Expected::HalfAtMost, ..missed })
    }

    /// Looks whether anything else has come; waiting until all could be here is the script's job.
    pub fn hears_no_more(&mut self) -> Result<(), Mismatch> {
        let is_quiet = self.came_within(Duration::from_millis(20)).is_empty();
        if is_quiet { Ok(()) } else { Err(self.missed(Expected::NoMore, How::WentOn)) }
    }

    pub fn hears_the_end(&mut self) -> Result<(), Mismatch> {
        let heard = if self.heard.is_empty() { self.read(self.talk.patience) } else { Ok(()) };
        match heard {
            Ok(()) => Err(self.other(Expected::End)),
            Err(How::Ended) => Ok(()),
            Err(how) => Err(self.missed(Expected::End, how)),
        }
    }

    pub fn hears_anything(&mut self) -> Result<(), Mismatch> {
        loop {
            match (self.talk.framing, self.read(self.talk.patience)) {
                (Framing::Line, Ok(())) if !self.heard.contains(&b'\n') && self.heard.len() < ENOUGH => {}
                (_, Ok(()) | Err(How::Ended | How::Reset)) => return Ok(()),
                (_, Err(how)) => return Err(self.missed(Expected::Anything, how)),
            }
        }
    }

    /// How many bytes of what came are this message; an error if it cannot be it any more, none if it still can.
    fn understood(&self, message: &[u8]) -> Option<Result<usize, ()>> {
        let forms = match self.talk.framing {
            Framing::Line => vec![[message, b"\n"].concat(), [message, b"\r\n"].concat()],
            Framing::Raw | Framing::Length => vec![self.framed(message)],
        };
        if let Some(whole) = forms.iter().find(|whole| self.heard.starts_with(whole)) {
            return Some(Ok(whole.len()));
        }
        let could_be = forms.iter().any(|whole| whole.starts_with(&self.heard));
        (!could_be).then_some(Err(()))
    }

    /// Something else came; the rest of it is shown, too.
    fn other(&mut self, expected: Expected) -> Mismatch {
        let began = Instant::now();
        let is_line = self.talk.framing == Framing::Line;
        let is_whole = |heard: &[u8]| is_line && heard.ends_with(b"\n");
        while !is_whole(&self.heard) && self.heard.len() < ENOUGH && began.elapsed() < REST_OF_IT {
            if self.read(REST_OF_IT).is_err() {
                break;
            }
        }
        self.missed(expected, How::Other)
    }

    fn missed(&self, expected: Expected, how: How) -> Mismatch {
        Mismatch { number: self.number, expected, found: Found { how, bytes: self.heard.clone() } }
    }

    /// Reads what comes within this time, and records it.
    fn read(&mut self, patience: Duration) -> Result<(), How> {
        let asked = Instant::now();
        let mut buffer = [0; ENOUGH];
        loop {
            let left = patience.saturating_sub(asked.elapsed());
            let _ = self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))));
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.talk.recorder.record(What::Ended { toward: self.program.other() });
                    return Err(How::Ended);
                }
                Ok(n) => {
                    self.heard.extend_from_slice(&buffer[..n]);
                    self.talk.recorder.sent(self.program.other(), &buffer[..n], Crossing::Plain);
                    return Ok(());
                }
                // On a machine that stalls, it may have come since: so the last look is after the time.
                Err(e) if is_silence(e.kind()) && left.is_zero() => return Err(How::Silent),
                Err(e) if is_silence(e.kind()) || e.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.talk.recorder.record(What::Broke { toward: self.program.other(), as_reset: true });
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

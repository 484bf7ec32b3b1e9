//! A recording relay of connections: it stands on the wire between a client and a server, records what passes, and
//! passes it on. What is recorded was recorded before it was passed on, so that the record is in the order of causes.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::address::HostPort;

use super::awaited::{Awaited, Gate};
use super::delay::{DelayLine, delayed};
use super::event::{Crossing, Recorder, Side, What};
use super::listening::Listening;

/// How many connections there may be at once; each has two threads and two sockets. With as many, a live page still has
/// room beside them in the 1,024 descriptors that systems give.
const CONNECTIONS: usize = 400;
/// How many reads may be under way on a wire with a delay, each way; a side that sends more waits.
const UNDER_WAY: usize = 64;
/// How long a side may take nothing before it is asked whether the other one is still there. On Windows a write that
/// timed out leaves a socket in no known state (Winsock, `SO_SNDTIMEO`): there it waits as long as it takes.
const GLANCE: Option<Duration> = if cfg!(windows) { None } else { Some(Duration::from_secs(5)) };

#[derive(Clone)]
pub enum RelayMode {
    AsItComes,
    /// What clients say waits behind this gate.
    Behind(Gate),
    /// In pieces of at most so many bytes, both ways.
    Cut(usize),
}

/// Starts a relay that serves this listener; whatever passes is `delay` on its way. Each client, with its address,
/// is given a recorder.
pub fn start(
    listener: TcpListener,
    upstream: HostPort,
    mode: RelayMode,
    delay: Duration,
    mut recorder_for: impl FnMut(SocketAddr) -> Recorder + Send + 'static,
) -> io::Result<Listening> {
    let link = Arc::new(TcpLink { upstream, mode, delay });
    Listening::serving(listener, CONNECTIONS, move |client, from| {
        let (link, recorder) = (Arc::clone(&link), recorder_for(from));
        let told = recorder.clone();
        let serve = move || link.serve(client, &told).unwrap_or_else(|e| told.record(What::refused(&e)));
        (serve, recorder)
    })
}

struct TcpLink {
    upstream: HostPort,
    mode: RelayMode,
    delay: Duration,
}

impl TcpLink {
    /// Serves a client to its end. Refused by the server, it is refused by the relay: its connection is dropped.
    fn serve(self: Arc<Self>, client: Arc<TcpStream>, recorder: &Recorder) -> io::Result<()> {
        let server = Arc::new(TcpStream::connect(&self.upstream)?);
        let port = server.local_addr()?.port();
        let sides = [client, server];
        for stream in &sides {
            // A client that has reset its connection already may refuse; that is heard when it is read.
            let _ = stream.set_nodelay(true).and_then(|()| stream.set_write_timeout(GLANCE));
        }
        let state = Awaited::default();
        let connection = Arc::new(Connection { sides, link: self, recorder: recorder.clone(), state });
        let line = |toward| {
            let connection = Arc::clone(&connection);
            delayed(connection.link.delay, UNDER_WAY, move |passing| connection.deliver(toward, passing))
        };
        let (down, up) = (line(Side::Client)?, line(Side::Server)?);
        recorder.record(What::Connected { port });
        thread::scope(|scope| {
            thread::Builder::new().spawn_scoped(scope, || connection.read(Side::Client, down))?;
            connection.read(Side::Server, up);
            Ok(())
        })
    }
}

/// What a side's socket gave: no bytes are the end of what it says, and an error is the end of the connection.
type Passing = io::Result<Vec<u8>>;

struct Connection {
    /// The client and the server.
    sides: [Arc<TcpStream>; 2],
    link: Arc<TcpLink>,
    recorder: Recorder,
    state: Awaited<RelayState>,
}

#[derive(Default)]
struct RelayState {
    told_end: [bool; 2],
    /// Which sides take nothing any more.
    gone: [bool; 2],
    is_broken: bool,
}

impl Connection {
    fn side(&self, lane: Side) -> &TcpStream {
        &self.sides[lane as usize]
    }

    fn unbroken(&self) -> io::Result<()> {
        if self.state.lock().is_broken { Err(ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    fn read(&self, toward: Side, mut pass: DelayLine<Passing>) {
        let mut from = self.side(toward.other());
        let mut buffer = vec![0; 128 * 1024];
        let mut goes_on = true;
        while goes_on && self.unbroken().is_ok() {
            let read = from.read(&mut buffer).map(|n| buffer[..n].to_vec());
            if read.as_ref().is_err_and(|e| e.kind() == ErrorKind::Interrupted) {
                continue;
            }
            goes_on = read.as_ref().is_ok_and(|bytes| !bytes.is_empty());
            goes_on &= pass(read).is_ok();
        }
    }

    fn deliver(&self, toward: Side, passing: Passing) -> io::Result<()> {
        self.unbroken()?; // or else what was read is our own shutdown
        match passing {
            Ok(bytes) if bytes.is_empty() => self.end(toward),
            Ok(bytes) => {
                let size = if let RelayMode::Cut(size) = self.link.mode { size } else { bytes.len() };
                if let (RelayMode::Behind(gate), Side::Server) = (&self.link.mode, toward) {
                    gate.wait();
                }
                let passed = bytes.chunks(size).try_for_each(|piece| self.write(toward, piece));
                return passed.inspect_err(|_| self.lose(toward));
            }
            Err(_) => self.break_off(toward),
        }
        Ok(())
    }

    fn write(&self, toward: Side, mut piece: &[u8]) -> io::Result<()> {
        self.unbroken()?;
        self.recorder.sent(toward, piece, Crossing::Plain);
        let mut to = self.side(toward);
        while !piece.is_empty() {
            match to.write(piece) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => piece = &piece[n..],
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if GLANCE.is_some() && e.kind() == ErrorKind::WouldBlock => self.check(toward)?,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Whether it is worth waiting for this side: whoever waits for it does not read from the other, and would never
    /// hear that it has been reset.
    fn check(&self, toward: Side) -> io::Result<()> {
        let other = toward.other();
        if self.state.lock().gone[other as usize] || self.side(other).take_error()?.is_some() {
            self.break_off(toward);
        }
        self.unbroken()
    }

    /// A side takes nothing any more: its connection was reset. What it had said before that is still in our socket, and
    /// is read to its end before the connection is broken off.
    fn lose(&self, side: Side) {
        let is_read = self.state.change(|state| {
            state.gone[side as usize] = true;
            state.told_end[side.other() as usize]
        });
        if is_read {
            self.break_off(side.other());
        }
    }

    /// The side across has said all that it had to say.
    fn end(&self, toward: Side) {
        let is_gone = self.state.change(|state| {
            state.told_end[toward as usize] = true;
            state.gone[toward.other() as usize]
        });
        if is_gone {
            return self.break_off(toward);
        }
        self.recorder.record(What::Ended { toward });
        let _ = self.side(toward).shutdown(Shutdown::Write);
    }

    /// A connection that breaks is ended in both directions, and has broken once.
    ///
    /// A reset on one side should be one on the other, and std has no call for that (`SO_LINGER` is not stable). But on
    /// Linux a socket that is closed with unread bytes in it sends a reset (RFC 2525 section 2.17). So where there are
    /// some they stay there, and our readers are woken by a shutdown that sends nothing, to let both sockets go.
    /// Where there are none, the other side is told an end of stream, and whatever it then sends is answered by a reset.
    fn break_off(&self, toward: Side) {
        if self.state.change(|state| mem::replace(&mut state.is_broken, true)) {
            return;
        }
        let other = self.side(toward);
        let as_reset = cfg!(target_os = "linux")
            && other.shutdown(Shutdown::Read).is_ok()
            && other.peek(&mut [0]).is_ok_and(|waiting| waiting > 0);
        self.recorder.record(What::Broke { toward, as_reset });
        let how = if as_reset { Shutdown::Read } else { Shutdown::Both };
        for stream in &self.sides {
            let _ = stream.shutdown(how);
        }
    }
}

//! A recording relay of connections: it stands on the wire between a client and a server, records what passes, and
//! passes it on. What is recorded was recorded before it was passed on, so that the record is in the order of causes.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use common::address::HostPort;

use super::event::{How, Recorder, Side, What};
use super::listening::Listening;

/// How much is read at once.
const READ_BUFFER: usize = 128 * 1024;
/// How many reads may be under way on a wire with a delay, each way; a side that sends more waits.
const UNDER_WAY: usize = 64;
/// How often whoever waits on one side looks whether the other one has broken meanwhile. On Windows a write that
/// timed out leaves a socket in no known state (Winsock, `SO_SNDTIMEO`): there it waits as long as it takes.
const GLANCE: Option<Duration> = if cfg!(windows) { None } else { Some(Duration::from_secs(1)) };

/// A relay of connections that runs until it is dropped.
pub struct TcpRelay {
    gate: Gate,
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
        self.gate.open(); // a lesson that stopped short may have left it closed
    }
}

/// What clients say waits behind it until it is opened. Clones are the same gate.
#[derive(Clone, Default)]
pub struct Gate(Awaited<bool>);

impl Gate {
    /// Lets through what waits, and all that comes.
    pub fn open(&self) {
        self.0.change(|is_open| *is_open = true);
    }
}

/// A value that a thread waits for and another one changes.
#[derive(Clone, Default)]
struct Awaited<T>(Arc<(Mutex<T>, Condvar)>);

impl<T> Awaited<T> {
    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut *self.lock());
        self.0.1.notify_all();
    }

    fn wait_until(&self, is_such: impl Fn(&T) -> bool) {
        drop(self.0.1.wait_while(self.lock(), |value| !is_such(value)));
    }

    /// As [`Self::wait_until`], for so long; returns whether it is such.
    fn wait_for(&self, time: Duration, is_such: impl Fn(&T) -> bool) -> bool {
        let waited = self.0.1.wait_timeout_while(self.lock(), time, |value| !is_such(value));
        is_such(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// How a TCP relay passes on what it is sent.
#[derive(Clone)]
pub enum RelayMode {
    /// As it comes.
    AsItComes,
    /// What clients say waits behind this gate.
    Behind(Gate),
    /// In pieces of at most so many bytes, both ways.
    Cut(usize),
    /// What clients say in pieces of at most so many bytes, each passed on once the one before was answered:
    /// the server reads exactly these pieces.
    InLockstep(usize),
}

/// Starts a relay in front of a TCP server, with the server's IP version.
pub fn start(upstream: SocketAddr, manner: RelayMode, recorder: Recorder) -> io::Result<TcpRelay> {
    let listener = TcpListener::bind(SocketAddr::new(upstream.ip(), 0))?;
    on(listener, HostPort::Ip(upstream), manner, Duration::ZERO, move |_| recorder.clone())
}

/// Starts a relay that serves this listener; whatever passes is `delay` on its way. Each client, with its address,
/// is given a recorder.
pub fn on(
    listener: TcpListener,
    upstream: HostPort,
    manner: RelayMode,
    delay: Duration,
    mut recorder_for: impl FnMut(SocketAddr) -> Recorder + Send + 'static,
) -> io::Result<TcpRelay> {
    let gate = if let RelayMode::Behind(gate) = &manner { gate.clone() } else { Gate::default() };
    let listening = Listening::start(listener, move |clients| {
        let (upstream, manner) = (&upstream, &manner);
        thread::scope(|scope| {
            for client in clients {
                let Ok(address) = client.peer_addr() else { continue }; // it has left already
                let recorder = recorder_for(address);
                let refusal = recorder.clone();
                // To connect may take long: the next client does not wait for it.
                let serving = thread::Builder::new().spawn_scoped(scope, move || {
                    if let Err(e) = serve(client, upstream, manner, delay, &recorder) {
                        recorder.record(What::refused(&e));
                    }
                });
                if let Err(e) = serving {
                    refusal.record(What::refused(&e));
                }
            }
        });
    })?;
    Ok(TcpRelay { gate, listening })
}

/// Serves a client to its end. Refused by the server, it is refused by the relay: its connection is dropped.
fn serve(
    client: TcpStream,
    upstream: &HostPort,
    manner: &RelayMode,
    delay: Duration,
    recorder: &Recorder,
) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(GLANCE)?;
    }
    let port = server.local_addr()?.port();
    let (is_broken, answers) = (AtomicBool::new(false), Awaited::default());
    let connection = &Connection { client, server, manner, delay, recorder, is_broken, answers };
    thread::scope(|scope| {
        let (ready, is_ready) = mpsc::channel();
        thread::Builder::new().spawn_scoped(scope, move || {
            if is_ready.recv().is_ok() {
                connection.pass_on(Side::Client);
                connection.answers.change(|count| *count += 1); // the end answers, too
            }
        })?;
        recorder.record(What::Connected { port });
        let _ = ready.send(());
        connection.pass_on(Side::Server);
        Ok(())
    })
}

/// What passes in one direction.
enum Passing<'a> {
    Bytes(Cow<'a, [u8]>),
    End,
    Break,
}

/// A client's connection and the one to the server, joined.
struct Connection<'a> {
    client: TcpStream,
    server: TcpStream,
    manner: &'a RelayMode,
    delay: Duration,
    recorder: &'a Recorder,
    /// One of the two broke, and both are ended.
    is_broken: AtomicBool,
    /// How many times the server has said something.
    answers: Awaited<u64>,
}

impl Connection<'_> {
    fn side(&self, lane: Side) -> &TcpStream {
        match lane {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::SeqCst)
    }

    /// Passes on what goes to one side, until there is nothing more.
    fn pass_on(&self, toward: Side) {
        if self.delay.is_zero() {
            return self.read(toward, |passing| self.deliver(toward, passing));
        }
        let (wire, under_way) = mpsc::sync_channel::<(Instant, Passing<'static>)>(UNDER_WAY);
        thread::scope(|scope| {
            let delivering = thread::Builder::new().spawn_scoped(scope, move || {
                for (due, passing) in under_way {
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    if self.deliver(toward, passing).is_err() {
                        return;
                    }
                }
            });
            match delivering {
                Ok(_) => self.read(toward, |passing| self.send_off(&wire, passing)),
                Err(_) => self.break_off(toward),
            }
            drop(wire);
        });
    }

    fn send_off(
        &self,
        wire: &SyncSender<(Instant, Passing<'static>)>,
        passing: Passing<'_>,
    ) -> io::Result<()> {
        let passing = match passing {
            Passing::Bytes(bytes) => Passing::Bytes(Cow::Owned(bytes.into_owned())),
            Passing::End => Passing::End,
            Passing::Break => Passing::Break,
        };
        wire.send((Instant::now() + self.delay, passing)).map_err(|_| ErrorKind::BrokenPipe.into())
    }

    /// Reads what goes to one side, as long as it can be passed on.
    fn read(&self, toward: Side, mut pass: impl FnMut(Passing<'_>) -> io::Result<()>) {
        let mut from = self.side(toward.other());
        let mut buffer = vec![0; READ_BUFFER];
        let mut goes_on = true;
        while goes_on && !self.is_broken() {
            let passed = match from.read(&mut buffer) {
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Ok(n @ 1..) => pass(Passing::Bytes(Cow::Borrowed(&buffer[..n]))),
                Ok(0) => pass(Passing::End).and(Err(ErrorKind::UnexpectedEof.into())),
                Err(e) => pass(Passing::Break).and(Err(e)),
            };
            goes_on = passed.is_ok();
        }
    }

    fn deliver(&self, toward: Side, passing: Passing<'_>) -> io::Result<()> {
        if self.is_broken() {
            return Err(ErrorKind::BrokenPipe.into()); // what was read then is our own shutdown
        }
        match passing {
            Passing::Bytes(bytes) => {
                let passed = self.hold_and_cut(toward, &bytes);
                passed.inspect_err(|_| self.break_off(toward.other()))
            }
            Passing::End => {
                self.recorder.record(What::Ended { toward });
                let _ = self.side(toward).shutdown(Shutdown::Write);
                Ok(())
            }
            Passing::Break => {
                self.break_off(toward);
                Ok(())
            }
        }
    }

    fn hold_and_cut(&self, toward: Side, bytes: &[u8]) -> io::Result<()> {
        let mut pieces = bytes.chunks(match self.manner {
            RelayMode::Cut(size) => *size,
            RelayMode::InLockstep(size) if toward == Side::Server => *size,
            _ => bytes.len(),
        });
        if toward == Side::Client {
            self.answers.change(|count| *count += 1);
            return pieces.try_for_each(|piece| self.write(toward, piece));
        }
        if let RelayMode::Behind(gate) = self.manner {
            gate.0.wait_until(|is_open| *is_open);
        }
        pieces.try_for_each(|piece| {
            let before = *self.answers.lock();
            self.write(toward, piece)?;
            if matches!(self.manner, RelayMode::InLockstep(_)) {
                while !self.answers.wait_for(Duration::from_secs(1), |count| *count > before) {
                    self.check(toward)?;
                }
            }
            Ok(())
        })
    }

    fn write(&self, toward: Side, mut piece: &[u8]) -> io::Result<()> {
        if self.is_broken() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.recorder.sent(toward, piece, How::Plain);
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

    /// Whether there still is something to be passed on, and somebody to take it. Whoever waits for one side does
    /// not read from the other, and would never hear that it has been reset.
    fn check(&self, toward: Side) -> io::Result<()> {
        if let Some(e) = self.side(toward.other()).take_error()? {
            self.break_off(toward);
            return Err(e);
        }
        if self.is_broken() { Err(ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    /// A connection that breaks is ended in both directions, and has broken once.
    ///
    /// A reset on one side should be one on the other, and std has no call for that (`SO_LINGER` is not stable). But on
    /// Linux a socket that is closed with unread bytes in it sends a reset (RFC 2525 section 2.17). So where there are
    /// some they stay there, and our readers are woken by a shutdown that sends nothing, to let both sockets go.
    /// Where there are none, the other side is told an end of stream, and whatever it then sends is answered by a reset.
    fn break_off(&self, toward: Side) {
        if self.is_broken.swap(true, Ordering::SeqCst) {
            return;
        }
        let other = self.side(toward);
        let as_reset = cfg!(target_os = "linux")
            && other.shutdown(Shutdown::Read).is_ok()
            && other.peek(&mut [0]).is_ok_and(|waiting| waiting > 0);
        self.recorder.record(What::Broke { toward, as_reset });
        let how = if as_reset { Shutdown::Read } else { Shutdown::Both };
        for stream in [&self.client, &self.server] {
            let _ = stream.shutdown(how);
        }
        self.answers.change(|count| *count += 1); // nothing more will answer
    }
}

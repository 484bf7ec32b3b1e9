//! A recording relay of connections: it stands on the wire between a client and a server, records what passes, and
//! passes it on. What is recorded was recorded before it was passed on, so that the record is in the order of causes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::event::{Lane, Recorder, What};
use super::listening::Listening;

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
}

/// How a TCP relay passes on what it is sent.
#[derive(Clone)]
pub enum Manner {
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
///
/// # Errors
/// When the system gives it no socket.
pub fn start(upstream: SocketAddr, manner: Manner, recorder: Recorder) -> io::Result<TcpRelay> {
    let listener = TcpListener::bind(SocketAddr::new(upstream.ip(), 0))?;
    let gate = if let Manner::Behind(gate) = &manner { gate.clone() } else { Gate::default() };
    let listening = Listening::start(listener, move |clients| {
        thread::scope(|scope| {
            for client in clients {
                // Refused by the server, a client is refused by the relay: its connection is dropped.
                let Ok(server) = TcpStream::connect(upstream) else { continue };
                recorder.record(What::Connected { port: server.local_addr().map_or(0, |at| at.port()) });
                let (client, server) = (Arc::new(client), Arc::new(server));
                let (up, down) = ((Arc::clone(&client), Arc::clone(&server)), (server, client));
                let answers = Awaited::<u64>::default();
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
                        counted.change(|count| *count += 1);
                        let size = if let Manner::Cut(size) = manner { *size } else { piece.len() };
                        piece.chunks(size).try_for_each(pass)
                    });
                    counted.change(|count| *count += 1); // the end answers, too
                });
            }
        });
    })?;
    Ok(TcpRelay { gate, listening })
}

type Pass<'a> = &'a mut dyn FnMut(&[u8]) -> io::Result<()>;

fn hold_and_cut(manner: &Manner, bytes: &[u8], answers: &Awaited<u64>, pass: Pass<'_>) -> io::Result<()> {
    match manner {
        Manner::AsItComes => pass(bytes),
        Manner::Behind(gate) => {
            gate.0.wait_until(|is_open| *is_open);
            pass(bytes)
        }
        Manner::Cut(size) => bytes.chunks(*size).try_for_each(pass),
        Manner::InLockstep(size) => bytes.chunks(*size).try_for_each(|piece| {
            let before = *answers.lock();
            pass(piece)?;
            answers.wait_until(|count| *count > before);
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

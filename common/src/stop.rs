//! Stopping a server: Ctrl-C and SIGTERM are a flag and a knock.
//!
//! A signal does not wake a blocked `accept` or `recv_from`, and std cannot cancel one. So the handler sets a
//! flag and then knocks: it connects to its own server, or sends it an empty datagram, and the server, awake,
//! sees the flag.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{address, replacement};

/// The exit status of a program that a signal ended: 128 plus SIGINT's number, as in shells.
pub const INTERRUPTED: i32 = 130;

/// A signal that follows the first within this time belongs to the same stop: `timeout` signals its command and
/// then the command's group.
const SAME_STOP: Duration = Duration::from_millis(100);

/// For a connection to ourselves, which takes microseconds.
const KNOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// Wakes an `accept` that is blocked on this listener, by a connection to it. A connection needs a descriptor, a
/// port and an address that can be connected to. If one of them is missing, `spare`, a clone of the listener, is shut
/// down, which wakes `accept` on Linux, and closed, which frees a descriptor for one more try.
pub fn knock_on_listener(bound: SocketAddr, spare: Option<TcpListener>) {
    let connect = || TcpStream::connect_timeout(&address::reachable(bound), KNOCK_TIMEOUT);
    if connect().is_err() {
        if let Some(spare) = spare {
            shut_down(spare);
        }
        let _ = connect();
    }
}

#[cfg(unix)]
fn shut_down(listener: TcpListener) {
    let _ = TcpStream::from(std::os::fd::OwnedFd::from(listener)).shutdown(std::net::Shutdown::Both);
}

#[cfg(not(unix))]
fn shut_down(_listener: TcpListener) {}

/// Wakes a `recv_from` that is blocked on a socket bound there, by an empty datagram. If that cannot be sent, the
/// socket's read time-out ends the wait.
pub fn knock_on_socket(bound: SocketAddr) {
    let server = address::reachable(bound);
    if let Ok(socket) = UdpSocket::bind(SocketAddr::new(server.ip(), 0)) {
        let _ = socket.send_to(&[], server);
    }
}

/// Whether the server has been told to stop. The flag needs no lock, as it is read for every message.
#[derive(Default)]
pub struct Stop {
    requested: AtomicBool,
    pausing: Mutex<()>,
    changed: Condvar,
}

impl Stop {
    /// Waits for Ctrl-C, SIGTERM or SIGHUP: the first sets the flag and calls `knock`, on a separate thread; the next
    /// one, from 100 ms on, ends the process at once with status 130. SIGTERM or SIGHUP stays ignored if it was
    /// ignored when the program was started (nohup).
    pub fn on_signal(mut knock: impl FnMut() + Send + 'static) -> Result<Arc<Self>> {
        let stop = Arc::new(Self::default());
        let flag = Arc::clone(&stop);
        let mut stopped: Option<Instant> = None;
        set_handler(move || match stopped {
            None => {
                flag.request();
                knock();
                stopped = Some(Instant::now());
            }
            Some(first) if first.elapsed() < SAME_STOP => {}
            Some(_) => {
                replacement::abandon_all();
                process::exit(INTERRUPTED);
            }
        })?;
        Ok(stop)
    }

    /// Sets the flag, and wakes every thread that pauses.
    fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
        drop(self.pausing.lock()); // so that no thread is between reading the flag and waiting
        self.changed.notify_all();
    }

    /// Whether the stop was requested.
    pub fn requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Sleeps for `time`, or until the stop is requested; returns whether it was.
    pub fn pause(&self, time: Duration) -> bool {
        if !time.is_zero() {
            let pausing = self.pausing.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.changed.wait_timeout_while(pausing, time, |()| !self.requested()));
        }
        self.requested()
    }
}

/// Lets Ctrl-C, SIGTERM and SIGHUP end this program with status 130, after a call of `last` on a separate thread.
/// SIGTERM or SIGHUP stays ignored if it was ignored when the program was started (nohup).
pub fn end_on_signal(mut last: impl FnMut() + Send + 'static) -> Result<()> {
    set_handler(move || {
        last();
        process::exit(INTERRUPTED)
    })
}

/// Lets Ctrl-C end a client in a container, too: a signal that the first process of a container does not handle is
/// ignored (`pid_namespaces(7)`). Elsewhere the system ends the client, as its shell expects.
pub fn end_client_on_signal() -> Result<()> {
    if process::id() == 1 {
        return end_on_signal(|| {});
    }
    signals::ignore(&[signals::SIGXFSZ]);
    Ok(())
}

/// ctrlc handles all three signals, even if they were ignored before. SIGXFSZ would end a process whose output reaches
/// the limit of a file's size (`ulimit -f`); if it is ignored, the write fails, as on a full disk.
fn set_handler(handler: impl FnMut() + Send + 'static) -> Result<()> {
    let ignored = signals::ignored_at_start();
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
    signals::ignore(&ignored);
    signals::ignore(&[signals::SIGXFSZ]);
    Ok(())
}

/// What ctrlc does not offer: to ignore a signal, by its number on Linux, macOS and the BSDs.
#[cfg(unix)]
mod signals {
    const SIGHUP: i32 = 1;
    const SIGTERM: i32 = 15;
    pub const SIGXFSZ: i32 = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 31 } else { 25 };

    const SIG_DFL: usize = 0;
    const SIG_IGN: usize = 1;

    #[expect(unsafe_code, reason = "declares signal(2): two integers, never a handler, no memory")]
    unsafe extern "C" {
        safe fn signal(number: i32, action: usize) -> usize;
    }

    pub fn ignore(numbers: &[i32]) {
        for number in numbers {
            signal(*number, SIG_IGN);
        }
    }

    /// Which of SIGTERM and SIGHUP are ignored, before a handler is set.
    pub fn ignored_at_start() -> Vec<i32> {
        let is_ignored = |number: &i32| {
            let before = signal(*number, SIG_IGN);
            if before != SIG_IGN {
                signal(*number, SIG_DFL);
            }
            before == SIG_IGN
        };
        [SIGTERM, SIGHUP].into_iter().filter(is_ignored).collect()
    }
}

/// Nothing to ignore.
#[cfg(not(unix))]
mod signals {
    pub const SIGXFSZ: i32 = 0;
    pub fn ignore(_numbers: &[i32]) {}
    pub fn ignored_at_start() -> Vec<i32> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_pause_ends_with_its_time_or_with_the_stop() {
        let stop = Stop::default();
        assert!(!stop.pause(Duration::from_millis(1)));
        thread::scope(|scope| {
            let pausing = scope.spawn(|| stop.pause(Duration::from_secs(3600)));
            stop.request();
            assert!(pausing.join().unwrap());
        });
        assert!(stop.requested());
        assert!(stop.pause(Duration::from_secs(3600)));
    }
}

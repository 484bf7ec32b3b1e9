//! Stopping a server: Ctrl-C and SIGTERM are a flag and a knock.
//!
//! A signal does not wake a blocked `accept` or `recv_from`, and std cannot cancel one. So the handler sets a
//! flag and then knocks: it connects to its own server, or sends it an empty datagram, and the server, awake,
//! sees the flag.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::address;

/// The exit status of a program that a signal ended: 128 and SIGINT's number, as shells have it.
pub const INTERRUPTED: i32 = 130;

/// For a connection to ourselves, which takes microseconds.
const KNOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// Wakes an `accept` that is blocked on this listener, by a connection to it. A connection takes a descriptor, a
/// port and an address that can be connected to. Where one of them is wanting, `spare`, a clone of the listener,
/// is shut down, which wakes `accept` on Linux, and its descriptor let go for one more try.
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

/// Wakes a `recv_from` that is blocked on a socket bound there, by an empty datagram. Where that cannot be sent,
/// the socket's read time-out has to do.
pub fn knock_on_socket(bound: SocketAddr) {
    let server = address::reachable(bound);
    if let Ok(socket) = UdpSocket::bind(SocketAddr::new(server.ip(), 0)) {
        let _ = socket.send_to(&[], server);
    }
}

/// Whether the server has been told to stop: a flag that is read without a lock, as every message asks.
#[derive(Default)]
pub struct Stop {
    requested: AtomicBool,
    pausing: Mutex<()>,
    changed: Condvar,
}

impl Stop {
    /// Waits for Ctrl-C, SIGTERM or SIGHUP: the first sets the flag and calls `knock`, on a thread of its own;
    /// the second ends the process at once with status 130. Of the latter two, one that was ignored when the program
    /// was started (nohup) stays ignored.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn on_signal(mut knock: impl FnMut() + Send + 'static) -> Result<Arc<Self>> {
        let stop = Arc::new(Self::default());
        let flag = Arc::clone(&stop);
        set_handler(move || {
            if flag.request() {
                process::exit(INTERRUPTED);
            }
            knock();
        })?;
        Ok(stop)
    }

    /// Sets the flag; returns what it was.
    fn request(&self) -> bool {
        let before = self.requested.swap(true, Ordering::SeqCst);
        // With the lock, nobody is between having read the flag and waiting.
        drop(self.pausing.lock());
        self.changed.notify_all();
        before
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

/// Lets Ctrl-C, SIGTERM and SIGHUP end this program with status 130, after `last` was called on a thread of its own.
/// Of the latter two, one that was ignored when the program was started (nohup) stays ignored.
///
/// # Errors
/// When the system refuses the handler, of which a process has one.
pub fn end_on_signal(mut last: impl FnMut() + Send + 'static) -> Result<()> {
    set_handler(move || {
        last();
        process::exit(INTERRUPTED)
    })
}

/// Lets Ctrl-C end a client everywhere: the first process of a container is ended by no signal that it does not
/// handle (`pid_namespaces(7)`). Elsewhere the system ends it, as the shell that started it expects.
///
/// # Errors
/// As [`end_on_signal`].
pub fn end_client_on_signal() -> Result<()> {
    if process::id() == 1 {
        return end_on_signal(|| {});
    }
    signals::ignore(&[signals::SIGXFSZ]);
    Ok(())
}

/// ctrlc handles all three signals, whatever they were before. SIGXFSZ would end a process whose output reaches the
/// limit on files' sizes (`ulimit -f`); with it ignored, the write fails, as on a full disk.
fn set_handler(handler: impl FnMut() + Send + 'static) -> Result<()> {
    let ignored = signals::ignored_at_start();
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
    signals::ignore(&ignored);
    signals::ignore(&[signals::SIGXFSZ]);
    Ok(())
}

/// The one thing about signals that ctrlc does not offer: to ignore one, by its number in Linux and the BSDs (macOS
/// among them).
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

    /// Which of SIGTERM and SIGHUP are ignored, as long as nobody handles them.
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
            assert!(!stop.request());
            assert!(pausing.join().unwrap());
        });
        assert!(stop.requested() && stop.request());
        assert!(stop.pause(Duration::from_secs(3600)));
    }
}

//! Stopping a server: Ctrl-C and SIGTERM are a flag and a knock.
//!
//! A signal does not wake a blocked `accept` or `recv_from`, and std cannot cancel one. So the handler sets a
//! flag and then knocks: it connects to its own server, or sends it an empty datagram, and the server, awake,
//! sees the flag.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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

/// Whether the server has been told to stop.
#[derive(Default)]
pub struct Stop {
    requested: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Waits for Ctrl-C, SIGTERM or SIGHUP: the first sets the flag and calls `knock`, on a thread of its own;
    /// the second ends the process at once with status 130.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn on_signal(mut knock: impl FnMut() + Send + 'static) -> Result<Arc<Self>> {
        let stop = Arc::new(Self::default());
        let flag = Arc::clone(&stop);
        ctrlc::set_handler(move || {
            if flag.request() {
                process::exit(INTERRUPTED);
            }
            knock();
        })
        .context("cannot listen for Ctrl-C")?;
        Ok(stop)
    }

    /// Sets the flag; returns what it was.
    fn request(&self) -> bool {
        let before = std::mem::replace(&mut *self.lock(), true);
        self.changed.notify_all();
        before
    }

    /// Whether the stop was requested.
    pub fn requested(&self) -> bool {
        *self.lock()
    }

    /// Sleeps for `time`, or until the stop is requested; returns whether it was.
    pub fn pause(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), time, |requested| !*requested);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.requested.lock().unwrap_or_else(PoisonError::into_inner)
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

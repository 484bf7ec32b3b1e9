//! Stopping a server: Ctrl-C and SIGTERM are a flag and a knock.
//!
//! A signal does not wake a blocked `accept` or `recv_from`, and std cannot cancel one. So the handler sets a
//! flag and then knocks: it connects to its own server, or sends it an empty datagram, and the server, awake,
//! sees the flag.

use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

/// The exit status of a program that a signal ended: 128 and SIGINT's number, as shells have it.
pub const INTERRUPTED: i32 = 130;

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

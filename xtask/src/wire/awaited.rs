//! A value that a thread waits for and another one changes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What clients say waits behind it until it is opened, or dropped. Clones are the same gate.
#[derive(Clone, Default)]
pub struct Gate(Arc<Awaited<bool>>);

impl Gate {
    pub fn open(&self) {
        self.0.change(|is_open| *is_open = true);
    }

    pub fn wait(&self) {
        self.0.wait_until(|is_open| *is_open);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open(); // a lesson that stopped short may have left it closed
    }
}

#[derive(Default)]
pub struct Awaited<T>(Mutex<T>, Condvar);

impl<T> Awaited<T> {
    pub fn new(value: T) -> Self {
        Self(Mutex::new(value), Condvar::new())
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let outcome = change(&mut *self.lock());
        self.1.notify_all();
        outcome
    }

    pub fn wait_until(&self, is_such: impl Fn(&T) -> bool) {
        drop(self.1.wait_while(self.lock(), |value| !is_such(value)));
    }

    /// As [`Self::wait_until`], for so long; returns whether it is such.
    pub fn wait_for(&self, time: Duration, is_such: impl Fn(&T) -> bool) -> bool {
        let waited = self.1.wait_timeout_while(self.lock(), time, |value| !is_such(value));
        is_such(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

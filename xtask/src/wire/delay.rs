//! A delay line: what enters it comes out after the same time.

use std::io::{self, ErrorKind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

pub type DelayLine<T> = Box<dyn FnMut(T) -> io::Result<()> + Send>;

/// A line to `deliver`, in order, after a delay, until that fails. As many as there is room for may be under way, and a
/// giver of more waits. What is under way when the line is dropped still arrives.
pub fn delayed<T: Send + 'static>(
    delay: Duration,
    room: usize,
    mut deliver: impl FnMut(T) -> io::Result<()> + Send + 'static,
) -> io::Result<DelayLine<T>> {
    if delay.is_zero() {
        return Ok(Box::new(deliver));
    }
    let (wire, under_way) = mpsc::sync_channel::<(Instant, T)>(room);
    thread::Builder::new().spawn(move || {
        for (due, item) in under_way {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if deliver(item).is_err() {
                return;
            }
        }
    })?;
    Ok(Box::new(move |item| {
        wire.send((Instant::now() + delay, item)).map_err(|_| ErrorKind::BrokenPipe.into())
    }))
}

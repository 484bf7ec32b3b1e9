//! Reading and writing with a time limit, so that no peer can block a program forever.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// On Windows a shutdown by another thread does not wake a blocked read (rust-lang/rust 121594), it only ends the
/// next one. So a long wait is split into short ones.
const SLICE: Duration = if cfg!(windows) { Duration::from_millis(100) } else { Duration::MAX };

/// The last look, when the time is up: a socket has no time-out of zero.
const LOOK: Duration = Duration::from_millis(1);

/// A stream that waits at most `idle` for the next bytes, or until the peer takes some, and at most `total` in all its
/// reads together. The time between two reads is not the peer's, and is not counted.
pub struct TimedStream<'a> {
    stream: &'a TcpStream,
    /// How long it waits for the next bytes.
    pub idle: Duration,
    total: Duration,
    waited: Duration,
    /// The time-outs that were set last, because setting one is a system call.
    read_limit: Option<Duration>,
    write_limit: Option<Duration>,
    /// How many reads have returned bytes.
    pub reads: u64,
}

impl<'a> TimedStream<'a> {
    /// A stream that has not waited yet.
    pub fn new(stream: &'a TcpStream, idle: Duration, total: Duration) -> Self {
        let (read_limit, write_limit) = (None, None);
        Self { stream, idle, total, waited: Duration::ZERO, read_limit, write_limit, reads: 0 }
    }
}

impl Read for TimedStream<'_> {
    /// Fails with `TimedOut`, and names the limit that was reached.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stream = self.stream;
        let limit = self.idle.min(self.total.saturating_sub(self.waited));
        let mut left = limit;
        let set = |time| set_once(&mut self.read_limit, time, |time| stream.set_read_timeout(time));
        let got = wait(&mut left, set, || (&*stream).read(buffer))?;
        self.waited += limit.saturating_sub(left);
        self.reads += u64::from(got.is_some_and(|n| n > 0));
        got.ok_or_else(|| {
            timed_out(if self.waited == self.total {
                format!("the waits for it took {:?} in all", self.total)
            } else {
                format!("nothing came for {:?}", self.idle)
            })
        })
    }
}

impl Write for TimedStream<'_> {
    /// Returns how many bytes were taken, even if it is only a part: the next write tells whether the peer reads. So a
    /// peer that reads nothing may be waited for twice.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stream = self.stream;
        let set = |time| set_once(&mut self.write_limit, time, |time| stream.set_write_timeout(time));
        let taken = wait(&mut { self.idle }, set, || (&*stream).write(bytes))?;
        taken.ok_or_else(|| timed_out(format!("the peer has not read for {:?}", self.idle)))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sets a time-out of a socket, unless it is the one that was set last.
fn set_once(
    last: &mut Option<Duration>,
    time: Option<Duration>,
    set: impl FnOnce(Option<Duration>) -> io::Result<()>,
) -> io::Result<()> {
    if *last != time {
        set(time)?;
        *last = time;
    }
    Ok(())
}

/// Calls `act` on a socket until it succeeds; `None` when no time is left. `set` sets the socket's time-out. An
/// interrupted wait starts over: after SIGSTOP and SIGCONT the deadline has passed although data may be there
/// (signal(7)). Not every system reports the interruption, so there is one last look when the time is up.
pub fn wait<T>(
    left: &mut Duration,
    mut set: impl FnMut(Option<Duration>) -> io::Result<()>,
    mut act: impl FnMut() -> io::Result<T>,
) -> io::Result<Option<T>> {
    if left.is_zero() {
        return Ok(None);
    }
    loop {
        let is_last_look = left.is_zero();
        set(Some((*left).clamp(LOOK, SLICE)))?;
        let asked = Instant::now();
        let outcome = act();
        if outcome.as_ref().is_err_and(|e| e.kind() == ErrorKind::Interrupted) {
            continue;
        }
        *left = left.saturating_sub(asked.elapsed());
        match outcome {
            Err(e) if is_over(&e) && is_last_look => return Ok(None),
            Err(e) if is_over(&e) => {}
            outcome => return outcome.map(Some),
        }
    }
}

/// Whether a socket's time-out has passed. That is EAGAIN on Unix, where ETIMEDOUT means that the connection failed (the
/// peer acknowledges nothing, tcp(7)); Windows has one error for both.
pub fn is_over(error: &io::Error) -> bool {
    error.kind() == if cfg!(windows) { ErrorKind::TimedOut } else { ErrorKind::WouldBlock }
}

/// Whether an error comes from the limit of a [`TimedStream`]; an error of the system has a number.
pub fn is_given_up(error: &io::Error) -> bool {
    error.kind() == ErrorKind::TimedOut && error.raw_os_error().is_none()
}

fn timed_out(why: String) -> io::Error {
    io::Error::new(ErrorKind::TimedOut, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const LONG: Duration = Duration::from_secs(3600);
    const SHORT: Duration = Duration::from_millis(20);

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, listener.accept().unwrap().0)
    }

    #[test]
    fn a_peer_that_never_stops_sending_meets_the_total_limit() {
        let (near, mut far) = pair();
        let mut patient = TimedStream::new(&near, LONG, SHORT);
        let error = loop {
            far.write_all(b"x").unwrap();
            if let Err(e) = patient.read(&mut [0; 8]) {
                break e;
            }
        };
        let expected = (ErrorKind::TimedOut, "the waits for it took 20ms in all".into());
        assert_eq!((error.kind(), error.to_string()), expected);
    }

    #[test]
    fn of_what_a_peer_takes_in_part_the_next_write_tells_whether_it_reads() {
        let (near, _far) = pair();
        let mut patient = TimedStream::new(&near, SHORT, LONG);
        let more_than_buffers_hold = vec![b'x'; 64 << 20];
        let taken = patient.write(&more_than_buffers_hold).unwrap();
        assert!(taken > 0 && taken < more_than_buffers_hold.len());
        let rest = &more_than_buffers_hold[taken..];
        let error = patient.write_all(rest).unwrap_err();
        let expected = (ErrorKind::TimedOut, "the peer has not read for 20ms".into());
        assert_eq!((error.kind(), error.to_string()), expected);
    }

    #[test]
    fn a_time_out_is_set_once_and_not_for_each_message() {
        let set = std::cell::Cell::new(0);
        let mut last = None;
        for time in [SHORT, SHORT, LONG, LONG] {
            let count = |_| {
                set.set(set.get() + 1);
                Ok(())
            };
            set_once(&mut last, Some(time), count).unwrap();
        }
        assert_eq!(set.get(), 2);
    }

    #[test]
    fn an_interrupted_wait_begins_anew_and_what_is_there_at_its_end_is_taken() {
        let (interrupted, over) = (|| Err(ErrorKind::Interrupted.into()), || Err(out_of_time()));
        let mut outcomes = [interrupted(), over(), Ok(7)].into_iter();
        let slow = || {
            std::thread::sleep(SHORT); // longer than the whole wait, as if this process had been stopped
            outcomes.next().unwrap()
        };
        assert_eq!(wait(&mut LOOK.clone(), |_| Ok(()), slow).unwrap(), Some(7));
    }

    #[test]
    fn a_wait_is_over_when_the_socket_says_so_and_a_connection_that_failed_is_not_a_wait() {
        let slow_over = || {
            std::thread::sleep(LOOK);
            Err::<(), _>(out_of_time())
        };
        assert!(wait(&mut LOOK.clone(), |_| Ok(()), slow_over).unwrap().is_none());
        if cfg!(unix) {
            let failed = || Err::<(), _>(ErrorKind::TimedOut.into());
            assert_eq!(wait(&mut LONG.clone(), |_| Ok(()), failed).unwrap_err().kind(), ErrorKind::TimedOut);
        }
    }

    /// What a socket reports at the end of its time-out.
    fn out_of_time() -> io::Error {
        if cfg!(windows) { ErrorKind::TimedOut } else { ErrorKind::WouldBlock }.into()
    }
}

//! Reading and writing with a limit on the wait: no peer can hold a program for ever.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// On Windows a shutdown by another thread does not wake a blocked read (rust-lang/rust 121594), it
/// only ends the next one; so there a wait is made of short reads.
const SLICE: Duration = if cfg!(windows) { Duration::from_millis(100) } else { Duration::MAX };

/// A stream that waits no longer than `idle` for the next bytes, or for its own to be taken, and reads no longer
/// than `total` in all.
pub struct Patient<'a> {
    stream: &'a TcpStream,
    /// How long it waits for the next bytes.
    pub idle: Duration,
    total: Duration,
    started: Instant,
    /// How many reads have returned bytes.
    pub reads: u64,
}

impl<'a> Patient<'a> {
    /// The clock for `total` starts here.
    pub fn new(stream: &'a TcpStream, idle: Duration, total: Duration) -> Self {
        Self { stream, idle, total, started: Instant::now(), reads: 0 }
    }
}

impl Read for Patient<'_> {
    /// `TimedOut`, with a text that names the limit, when one of them is over.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let asked = Instant::now();
        loop {
            let total = self.total.saturating_sub(self.started.elapsed());
            let idle = self.idle.saturating_sub(asked.elapsed());
            if total.is_zero() {
                return Err(timed_out(format!("it was not over after {:?}", self.total)));
            }
            if idle.is_zero() {
                return Err(timed_out(format!("nothing came for {:?}", self.idle)));
            }
            self.stream.set_read_timeout(Some(idle.min(total).min(SLICE)))?;
            match self.stream.read(buffer) {
                Err(e) if is_over(&e) => {}
                outcome => {
                    self.reads += u64::from(matches!(outcome, Ok(1..)));
                    return outcome;
                }
            }
        }
    }
}

impl Write for Patient<'_> {
    /// Takes all bytes, or the time is up: a blocking socket takes a part of them only when its wait was ended, by
    /// the time-out or, much earlier than that, by a signal.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let asked = Instant::now();
        self.stream.set_write_timeout(Some(self.idle))?;
        match self.stream.write(bytes) {
            Ok(n) if n == bytes.len() || asked.elapsed() < self.idle / 2 => Ok(n),
            Err(e) if !is_over(&e) || e.kind() == ErrorKind::Interrupted => Err(e),
            _ => Err(timed_out(format!("the peer has not read for {:?}", self.idle))),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a socket's wait ended with nothing: its time-out is over (one error on Unix, another on Windows), or a
/// signal came in between, after which a wait with a time-out is not resumed (signal(7)).
pub fn is_over(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
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
    fn bytes_that_came_are_returned_and_silence_is_an_error_that_names_its_limit() {
        let (near, mut far) = pair();
        far.write_all(b"x").unwrap();
        let mut patient = Patient::new(&near, SHORT, LONG);
        assert_eq!(patient.read(&mut [0; 8]).unwrap(), 1);
        let error = patient.read(&mut [0; 8]).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::TimedOut, "nothing came for 20ms".into()));
        assert_eq!(patient.reads, 1);
    }

    #[test]
    fn a_peer_that_never_stops_sending_meets_the_total_limit() {
        let (near, mut far) = pair();
        let mut patient = Patient::new(&near, LONG, SHORT);
        let error = loop {
            far.write_all(b"x").unwrap();
            if let Err(e) = patient.read(&mut [0; 8]) {
                break e;
            }
        };
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::TimedOut, "it was not over after 20ms".into())
        );
    }

    #[test]
    fn a_peer_that_does_not_read_is_an_error_that_says_so() {
        let (near, _far) = pair();
        let mut patient = Patient::new(&near, SHORT, LONG);
        let error = loop {
            if let Err(e) = patient.write_all(&[b'x'; 4096]) {
                break e;
            }
        };
        let expected = (ErrorKind::TimedOut, "the peer has not read for 20ms".into());
        assert_eq!((error.kind(), error.to_string()), expected);
    }

    #[test]
    fn the_end_of_the_stream_is_the_end() {
        let (near, far) = pair();
        drop(far);
        let mut patient = Patient::new(&near, LONG, LONG);
        assert_eq!(patient.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(patient.reads, 0);
    }
}

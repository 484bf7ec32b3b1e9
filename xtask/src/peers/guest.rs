//! A client of a server of lines, polite or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use common::narration::escape;

use super::sockets;

/// Of a server that goes on and on, so many bytes are read.
const LIMIT: u64 = 1 << 20;

/// One connection to a server; dropped, it closes.
pub struct Guest(BufReader<TcpStream>);

impl Guest {
    /// Has connected, and heard nothing yet.
    ///
    /// # Errors
    /// When it is refused.
    pub fn arrived(at: SocketAddr) -> Result<Self> {
        // Small, as a crowd of ten thousand has one each.
        Ok(Self(BufReader::with_capacity(256, sockets::connect(at).context("cannot connect")?)))
    }

    /// Has connected, and been welcomed.
    ///
    /// # Errors
    /// When it is refused, or hears something else.
    pub fn welcomed(at: SocketAddr) -> Result<Self> {
        let mut guest = Self::arrived(at)?;
        guest.hears("Welcome!")?;
        Ok(guest)
    }

    /// Its socket, for whoever makes a call of its own.
    pub fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Sends bytes; the line feed is the caller's to add.
    ///
    /// # Errors
    /// When the server takes them no more.
    pub fn says(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.stream().write_all(bytes.as_ref()).context("cannot send")
    }

    /// Ends its half, and may hear on.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn says_no_more(&mut self) -> Result<()> {
        self.stream().shutdown(Shutdown::Write).context("cannot shut down")
    }

    /// The next line, without its line feed; what is not UTF-8 in it is replaced.
    ///
    /// # Errors
    /// When no whole line comes.
    pub fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        (&mut self.0).take(LIMIT).read_until(b'\n', &mut line).context("cannot read a line")?;
        match line.strip_suffix(b"\n") {
            Some(line) => Ok(String::from_utf8_lossy(line).into()),
            None => bail!("heard no line, but '{}' and the end", escape(&line)),
        }
    }

    /// Hears this very line next.
    ///
    /// # Errors
    /// When it is another one, or none.
    pub fn hears(&mut self, line: &str) -> Result<()> {
        let heard = self.line()?;
        ensure!(heard == line, "heard {heard:?} instead of {line:?}");
        Ok(())
    }

    /// Gives a name, and hears the greeting for it.
    ///
    /// # Errors
    /// When it hears something else.
    pub fn gives_name(&mut self, name: &str) -> Result<()> {
        self.says(format!("{name}\n"))?;
        self.hears(&format!("Hello, {name}!"))
    }

    /// What still comes until the server ends its half.
    ///
    /// # Errors
    /// When the connection breaks first, what comes is not UTF-8, or it has no end.
    pub fn hears_the_end(&mut self) -> Result<String> {
        let mut rest = String::new();
        let n = (&mut self.0).take(LIMIT).read_to_string(&mut rest).context("cannot read to the end")?;
        ensure!((n as u64) < LIMIT, "heard {n} bytes, and no end");
        Ok(rest)
    }

    /// Leaves with what it was sent unread, once it is there: so that closing sends a reset.
    ///
    /// # Errors
    /// When nothing comes.
    pub fn resets(self) -> Result<()> {
        self.stream().peek(&mut [0]).context("nothing came")?;
        Ok(())
    }

    /// Gives a name again and again, until it is let go.
    pub fn talks_on(&mut self) {
        while self.gives_name("x").is_ok() {}
    }

    /// Sends names and reads nothing until the server, blocked on its replies, takes no more: however often it is
    /// tried again after a `pause`.
    ///
    /// # Errors
    /// When the socket cannot be told not to wait.
    pub fn fills_up(&self, mut pause: impl FnMut()) -> Result<()> {
        self.stream().set_nonblocking(true)?;
        let names = [&[b'x'; 1000][..], b"\n"].concat().repeat(100);
        let mut full = 0;
        while full < 50 {
            full = if self.stream().write(&names).is_ok() { 0 } else { full + 1 };
            pause();
        }
        Ok(())
    }
}

/// A class of this many guests, each greeted by three names one after the other, all at once.
///
/// # Errors
/// When one of them is not.
pub fn class(at: SocketAddr, size: usize) -> Result<()> {
    let pupil = |number: usize| {
        let mut guest = Guest::welcomed(at)?;
        for name in ["a", "b", "c"] {
            guest.gives_name(&format!("{name}{number}"))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let pupils: Vec<_> = (0..size).map(|number| scope.spawn(move || pupil(number))).collect();
        pupils.into_iter().try_for_each(|pupil| pupil.join().map_err(|_| anyhow!("a client panicked"))?)
    })
}

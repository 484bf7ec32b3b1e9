//! What the programs say: safe on a terminal, and never in a server's way.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::address;

/// Bytes as text that a terminal shows and does not obey: controls, bidirectional controls and bytes that
/// are not UTF-8 are written as escapes.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_unsafe(c) { text.extend(c.escape_default()) } else { text.push(c) }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Unicode's control characters, line separators, byte order mark and bidirectional controls (UAX #9).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Prints a line on standard output.
///
/// # Errors
/// Names standard output; see [`reader_left`].
pub fn say(line: &str) -> io::Result<()> {
    let mut out = Stdout;
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}

/// Prints a line on standard error; where that fails there is nobody left to tell.
pub fn complain(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Standard output, with errors that say so.
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush().map_err(named)
    }
}

fn named(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => io::Error::new(ErrorKind::BrokenPipe, ReaderLeft),
        ErrorKind::Interrupted => error,
        kind => io::Error::new(kind, format!("cannot write to standard output: {error}")),
    }
}

/// Whoever read standard output closed it.
#[derive(Debug)]
struct ReaderLeft;

impl fmt::Display for ReaderLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output was closed")
    }
}

impl Error for ReaderLeft {}

/// Whether an error only says that the reader of standard output left.
pub fn reader_left(error: &anyhow::Error) -> bool {
    // What an io::Error wraps is not its source, so the chain does not show it.
    let wrapped =
        |cause: &io::Error| cause.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<ReaderLeft>);
    error.chain().any(|cause| cause.downcast_ref().is_some_and(wrapped))
}

/// A terminal: a peer's bytes are escaped, tabs and the ends of lines (LF, CRLF) aside.
pub struct Escaped<W> {
    out: W,
    /// The end of the last write, where a character or a line's end may be incomplete.
    held: Vec<u8>,
}

impl<W: Write> Escaped<W> {
    /// Escaped, a byte may take many times its room: few of them are escaped at once.
    const AT_ONCE: usize = 8 * 1024;

    /// Prints there.
    pub fn on(out: W) -> Self {
        Self { out, held: Vec::new() }
    }

    fn print(&mut self, length: usize) -> io::Result<()> {
        let mut text = String::new();
        for line in self.held[..length].split_inclusive(|&b| b == b'\n') {
            let (line, end) = match line {
                [line @ .., b'\r', b'\n'] => (line, "\r\n"),
                [line @ .., b'\n'] => (line, "\n"),
                line => (line, ""),
            };
            text += &line.split(|&b| b == b'\t').map(escape).collect::<Vec<_>>().join("\t");
            text += end;
        }
        self.held.drain(..length);
        self.out.write_all(text.as_bytes())
    }
}

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(Self::AT_ONCE)];
        self.held.extend_from_slice(bytes);
        let last = match self.held.last() {
            Some(b'\r') => 1,
            _ => self.held.utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len()),
        };
        self.print(self.held.len() - last)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.print(self.held.len())?;
        self.out.flush()
    }
}

/// An address or a URL as a word of a command line: to some shells, the brackets of IPv6 are a pattern.
pub fn shell_word(word: &str) -> String {
    if word.contains('[') { format!("\"{word}\"") } else { word.into() }
}

/// How a hint at the next command begins.
pub const HINT: &str = "in another terminal: ";

/// How it begins for those whom the network reaches.
pub const ELSEWHERE: &str = "on another machine: ";

/// How many lines may wait for a slow standard output before lines are dropped.
const WAITING: usize = 4096;

/// How long a server that stops waits for a standard output that nobody reads.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A server's narration. A thread of its own prints, so that a terminal that is paused, a disk that is full
/// or a pipe that is closed costs lines, and never a client its service. Dropped lines are counted, and said.
pub struct Narrator {
    lines: SyncSender<String>,
    printer: JoinHandle<()>,
    dropped: Arc<AtomicU64>,
    quiet: bool,
}

impl Narrator {
    /// Starts the printing thread; a quiet narrator prints what is announced, and nothing else.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(quiet: bool) -> io::Result<Self> {
        Self::on(quiet, Stdout)
    }

    fn on(quiet: bool, mut out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = mpsc::sync_channel::<String>(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let missing = Arc::clone(&dropped);
        let printer = thread::Builder::new().name("narrator".into()).spawn(move || {
            for line in waiting {
                print_or_drop(&mut out, &line, &missing);
            }
            print_or_drop(&mut out, "", &missing);
        })?;
        Ok(Self { lines, printer, dropped, quiet })
    }

    /// Prints a line, unless quiet. Never waits and never fails.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            self.announce(line);
        }
    }

    /// Prints which client to start next, unless quiet: its command line up to the address, the address that
    /// this server is bound to, and what follows it.
    pub fn hint(&self, client: &str, bound: SocketAddr, options: &str) {
        let at = shell_word(&address::reachable(bound).to_string());
        self.say(&format!("{HINT}cargo run -p {client} {at}{options}"));
        if let Some(at) = address::reachable_by_others(bound) {
            let at = shell_word(&at.to_string());
            self.say(&format!("{ELSEWHERE}cargo run -p {client} {at}{options}"));
        }
    }

    /// Prints a line even when quiet. Never waits and never fails.
    pub fn announce(&self, line: &str) {
        if self.lines.try_send(format!("{line}\n")).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Prints what still waits, as long as somebody reads it, and says on standard error what was dropped.
    pub fn finish(self) {
        drop(self.lines);
        let end = Instant::now() + LAST_WORDS;
        while !self.printer.is_finished() && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
        let missing = self.dropped.load(Ordering::Relaxed);
        if missing > 0 {
            complain(&format!("{missing} lines were dropped: standard output did not take them"));
        }
    }
}

fn print_or_drop(out: &mut impl Write, line: &str, dropped: &AtomicU64) {
    let missing = dropped.swap(0, Ordering::Relaxed);
    let note = match missing {
        0 => String::new(),
        n => format!("({n} lines were dropped here: standard output did not take them)\n"),
    };
    let text = note + line;
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        dropped.fetch_add(missing + u64::from(!line.is_empty()), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_peer_sends_reaches_the_terminal_raw() {
        assert_eq!(escape("Grüße, 张三 👋".as_bytes()), "Grüße, 张三 👋");
        assert_eq!(escape(b"a\x1b[2J\x07\x7f\r\n\t"), "a\\u{1b}[2J\\u{7}\\u{7f}\\r\\n\\t");
        assert_eq!(escape("\u{9b}31m \u{202e} \u{2066}".as_bytes()), "\\u{9b}31m \\u{202e} \\u{2066}");
        assert_eq!(escape(b"caf\xe9 \xff\xfe \xe4\xb8"), "caf\\xe9 \\xff\\xfe \\xe4\\xb8");
    }

    #[test]
    fn on_a_terminal_only_a_carriage_return_that_ends_a_line_is_none_to_escape() {
        let text = b"a\tb\r\n\r\nc\rd\ne\r\r\n\xe4\xb8\xad\x1b\r";
        for size in 1..=text.len() {
            let mut shown = Vec::new();
            let mut terminal = Escaped::on(&mut shown);
            text.chunks(size).for_each(|piece| terminal.write_all(piece).unwrap());
            terminal.flush().unwrap();
            let shown = String::from_utf8(shown).unwrap();
            assert_eq!(shown, "a\tb\r\n\r\nc\\rd\ne\\r\r\n中\\u{1b}\\r", "in pieces of {size}");
        }
    }

    /// Takes no byte until it is told to, and then keeps what it got.
    #[derive(Clone, Default)]
    struct Stalled(Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_output_costs_lines_that_are_counted_and_never_a_wait() {
        let out = Stalled::default();
        let stalled = out.0.lock().unwrap();
        let narrator = Narrator::on(false, out.clone()).unwrap();
        let said = 3 * WAITING;
        for n in 0..said {
            narrator.say(&format!("line {n}"));
        }
        drop(stalled);
        drop(narrator.lines);
        narrator.printer.join().unwrap();
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let (notes, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with('('));
        let dropped: usize =
            notes.iter().map(|n| n[1..].split(' ').next().unwrap().parse::<usize>().unwrap()).sum();
        assert_eq!(lines.len() + dropped, said);
        assert!(dropped > 0);
    }

    #[test]
    fn an_output_that_fails_for_a_while_is_told_what_it_missed() {
        struct Full(u32, Stalled);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.saturating_sub(1);
                if self.0 > 0 { Err(ErrorKind::StorageFull.into()) } else { self.1.write(bytes) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let out = Stalled::default();
        let narrator = Narrator::on(false, Full(4, out.clone())).unwrap();
        for line in ["one", "two", "three", "four"] {
            narrator.say(line);
        }
        narrator.finish();
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "(3 lines were dropped here: standard output did not take them)\nfour\n");
    }

    #[test]
    fn a_quiet_narrator_only_announces() {
        let out = Stalled::default();
        let narrator = Narrator::on(true, out.clone()).unwrap();
        narrator.say("accepted");
        narrator.announce("stopped");
        narrator.finish();
        assert_eq!(*out.0.lock().unwrap(), b"stopped\n");
    }
}

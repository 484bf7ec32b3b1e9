//! A server's narration. A thread of its own prints, so that a terminal that is paused, a disk that is full or a
//! pipe that is closed costs lines, and never a client its service. What it costs is counted, and said.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::address;
use crate::narration::{self, ELSEWHERE, HINT};

/// How many bytes are written at once: a pipe takes so many whole or not at all (`PIPE_BUF`, pipe(7)), so that it
/// is known what a reader got who stopped reading.
const PIECE: usize = 4096;

/// How many pieces may wait for a slow standard output before lines are dropped.
const WAITING: usize = 48;

/// How long the printer looks away after it has printed: what is said meanwhile wakes nobody, which costs more than
/// to print it.
const NAP: Duration = Duration::from_millis(1);

/// How long a server that stops waits for an output that nobody reads.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Says what a server does, without ever waiting for the one who reads it.
pub struct Narrator {
    lines: Arc<Mutex<Lines>>,
    printer: JoinHandle<()>,
    quiet: bool,
}

/// What was said and is not printed yet.
#[derive(Default)]
struct Lines {
    waiting: VecDeque<Piece>,
    /// Up when a line is said, down when it was printed, or its loss told.
    owed: usize,
    is_last_said: bool,
}

/// Some lines; or, without a text yet, the lines that were lost here.
struct Piece {
    text: Vec<u8>,
    /// For how many lines each line feed stands.
    worth: usize,
}

impl Narrator {
    /// Starts the printing thread; a quiet narrator prints what is announced, and nothing else.
    ///
    /// # Errors
    /// When the system refuses a thread, or a descriptor.
    pub fn start(quiet: bool) -> io::Result<Self> {
        Self::on(quiet, unbuffered_stdout()?)
    }

    fn on(quiet: bool, out: impl Write + Send + 'static) -> io::Result<Self> {
        let lines = Arc::new(Mutex::new(Lines::default()));
        let to_print = Arc::clone(&lines);
        let printer =
            thread::Builder::new().name("narrator".into()).spawn(move || print_all(&to_print, out))?;
        Ok(Self { lines, printer, quiet })
    }

    /// Prints a line, unless quiet. Never waits and never fails.
    pub fn say(&self, line: impl Display) {
        if !self.quiet {
            self.announce(line);
        }
    }

    /// Prints which client to start next, unless quiet: its command line up to the address, the address that
    /// this server is bound to, and what follows it.
    pub fn hint(&self, client: &str, bound: SocketAddr, options: &str) {
        let at = narration::shell_word(&address::reachable(bound).to_string());
        self.say(format_args!("{HINT}cargo run -p {client} {at}{options}"));
        if let Some(at) = address::reachable_by_others(bound) {
            let at = narration::shell_word(&at.to_string());
            self.say(format_args!("{ELSEWHERE}cargo run -p {client} {at}{options}"));
        }
    }

    /// Prints a line even when quiet. Never waits and never fails.
    pub fn announce(&self, line: impl Display) {
        let line = format!("{line}\n");
        lock(&self.lines).add(line.as_bytes());
        self.printer.thread().unpark(); // a system call only where the printer sleeps for want of lines
    }

    /// Prints what still waits, as long as somebody reads it, and says on standard error what was lost, which may be
    /// the same pipe that nobody reads.
    pub fn finish(self) {
        let owed = self.end();
        if owed > 0 {
            let tell = move || {
                narration::complain(&format!("{owed} lines were dropped: standard output did not take them"));
            };
            if let Ok(telling) = thread::Builder::new().spawn(tell) {
                wait_a_moment_for(&telling);
            }
        }
    }

    /// Prints what still waits; returns how many lines remain owed.
    fn end(self) -> usize {
        lock(&self.lines).is_last_said = true;
        self.printer.thread().unpark();
        wait_a_moment_for(&self.printer);
        lock(&self.lines).owed
    }
}

fn wait_a_moment_for(thread: &JoinHandle<()>) {
    let end = Instant::now() + LAST_WORDS;
    while !thread.is_finished() && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
}

fn lock(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lines {
    fn add(&mut self, line: &[u8]) {
        self.owed += 1;
        let is_full = self.waiting.len() >= WAITING;
        match self.waiting.back_mut() {
            Some(lost) if lost.text.is_empty() && is_full => lost.worth += 1,
            Some(last) if last.takes(line) => last.text.extend_from_slice(line),
            _ if is_full => self.waiting.push_back(Piece { text: Vec::new(), worth: 1 }),
            _ => self.waiting.push_back(Piece { text: line.to_vec(), worth: 1 }),
        }
    }
}

impl Piece {
    fn takes(&self, line: &[u8]) -> bool {
        self.worth == 1 && !self.text.is_empty() && self.text.len() + line.len() <= PIECE
    }

    /// Writes all of it; what is written is owed no more.
    fn print(&mut self, out: &mut impl Write, lines: &Mutex<Lines>) -> io::Result<()> {
        if self.text.is_empty() {
            let lost = self.worth;
            self.text =
                format!("({lost} lines were dropped here: standard output did not take them)\n").into();
        }
        while !self.text.is_empty() {
            match narration::taken(|| out.write(&self.text)) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => {
                    let printed = self.text.drain(..n).filter(|byte| *byte == b'\n').count();
                    lock(lines).owed -= printed * self.worth;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// Prints until the last line was said. What the output refuses is tried again with the next line.
fn print_all(lines: &Mutex<Lines>, mut out: impl Write) {
    let next = || lock(lines).waiting.pop_front();
    loop {
        let is_last_turn = lock(lines).is_last_said;
        while let Some(mut piece) = next() {
            if piece.print(&mut out, lines).is_err() {
                lock(lines).waiting.push_front(piece);
                break;
            }
        }
        if is_last_turn {
            return;
        }
        thread::sleep(NAP);
        thread::park();
    }
}

/// Standard output without std's buffer: what that keeps for later, nobody can count.
#[cfg(unix)]
fn unbuffered_stdout() -> io::Result<impl Write + Send> {
    use std::os::fd::AsFd;
    io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from)
}

/// Standard output; on Windows, a console takes its text from std alone.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)] // as on Unix
fn unbuffered_stdout() -> io::Result<impl Write + Send> {
    Ok(narration::Stdout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Takes no byte until it is told to, and then keeps what it got.
    #[derive(Clone, Default)]
    struct Stalled(Arc<Mutex<Vec<u8>>>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines of a narration, and how many lines it says were lost.
    fn told(text: &[u8]) -> (Vec<&str>, usize) {
        let text = std::str::from_utf8(text).unwrap();
        let (notes, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with('('));
        (lines, notes.iter().map(|note| note[1..].split(' ').next().unwrap().parse::<usize>().unwrap()).sum())
    }

    #[test]
    fn a_stalled_output_costs_lines_that_are_counted_in_their_place_and_never_a_wait() {
        let out = Stalled::default();
        let stalled = out.0.lock().unwrap();
        let narrator = Narrator::on(false, out.clone()).unwrap();
        let said = 2 * WAITING * PIECE / "line 12345\n".len();
        for n in 0..said {
            narrator.say(format_args!("line {n}"));
        }
        assert_eq!(lock(&narrator.lines).owed, said);
        drop(stalled);
        assert_eq!(narrator.end(), 0);
        let text = out.0.lock().unwrap().clone();
        let (lines, lost) = told(&text);
        assert_eq!(lines.len() + lost, said);
        assert!(lost > 0);
        let in_order: Vec<_> = (0..lines.len()).map(|n| format!("line {n}")).collect();
        assert_eq!(lines, in_order, "what was lost was said last");
    }

    #[test]
    fn lines_that_wait_or_are_in_the_printers_hand_at_the_end_are_owed() {
        let out = Stalled::default();
        let stalled = out.0.lock().unwrap();
        let narrator = Narrator::on(false, out.clone()).unwrap();
        for line in ["one", "two", "three"] {
            narrator.say(line);
        }
        assert_eq!(narrator.end(), 3);
        drop(stalled);
    }

    #[test]
    fn what_an_output_refuses_is_tried_again_with_the_next_line() {
        struct FullOnce(Option<mpsc::Sender<()>>, Stalled);
        impl Write for FullOnce {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                match self.0.take() {
                    Some(refused) => {
                        refused.send(()).unwrap();
                        Err(ErrorKind::StorageFull.into())
                    }
                    None => self.1.write(&bytes[..1]),
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let out = Stalled::default();
        let (refused, was_refused) = mpsc::channel();
        let narrator = Narrator::on(false, FullOnce(Some(refused), out.clone())).unwrap();
        narrator.say("one");
        was_refused.recv().unwrap();
        narrator.say("two");
        assert_eq!(narrator.end(), 0);
        assert_eq!(*out.0.lock().unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn of_a_piece_that_was_taken_in_part_the_rest_alone_is_owed() {
        struct Short(usize);
        impl Write for Short {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let taken = self.0.min(bytes.len());
                self.0 -= taken;
                if taken == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(taken) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let narrator = Narrator::on(false, Short("one\ntwo\nth".len())).unwrap();
        for line in ["one", "two", "three", "four"] {
            narrator.say(line);
        }
        assert_eq!(narrator.end(), 2);
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

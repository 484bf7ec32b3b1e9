//! A server's narration. A separate thread prints it, so that a paused terminal, a full disk or a closed pipe costs
//! lines, which are counted, and never makes a client wait.

use std::fmt::Display;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{iter, mem};

use crate::address;
use crate::narration::{self, HINT};

/// How many lines may wait for standard output before lines are dropped.
const WAITING: usize = 4096;

/// How many bytes are written at once: a pipe takes these as a whole or not at all (`PIPE_BUF`, pipe(7)), so that it
/// is known which lines were printed.
const PIECE: usize = 4096;

/// After printing, sleep this long so that further lines are batched; waking a thread costs more than printing.
const NAP: Duration = Duration::from_millis(1);

/// How long a server that stops waits for a standard output that nobody reads.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Prints what a server does; nothing here waits for a reader, except the end for a moment.
pub struct Narrator {
    said: Mutex<Said>,
    /// How many lines were printed, or their loss was.
    told: Arc<AtomicUsize>,
    printer: JoinHandle<()>,
    quiet: bool,
}

struct Said {
    lines: usize,
    /// Each text comes with the number of lines that were said before it: where that is more than were told, lines are
    /// missing.
    texts: SyncSender<(usize, String)>,
}

impl Narrator {
    /// Starts the printing thread; a quiet narrator prints only announcements.
    pub fn start(quiet: bool) -> io::Result<Self> {
        Self::on(quiet, unbuffered_stdout()?)
    }

    fn on(quiet: bool, out: impl Write + Send + 'static) -> io::Result<Self> {
        let (texts, to_print) = mpsc::sync_channel(WAITING);
        let told = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&told);
        let print = move || print_all(&to_print, &counted, out);
        let printer = thread::Builder::new().name("narrator".into()).spawn(print)?;
        Ok(Self { said: Mutex::new(Said { lines: 0, texts }), told, printer, quiet })
    }

    /// Prints a line, unless quiet.
    pub fn say(&self, line: impl Display) {
        if !self.quiet {
            self.announce(line);
        }
    }

    /// Prints how to start a client, unless quiet: its command up to the address, the address of this server, and
    /// the client's options.
    pub fn hint(&self, client: &str, bound: SocketAddr, options: &str) {
        let others = address::reachable_by_others(bound).map(|at| ("on another machine: ", at));
        for (place, at) in iter::once((HINT, address::reachable(bound))).chain(others) {
            let at = narration::shell_word(&at.to_string());
            self.say(format_args!("{place}cargo run -p {client} {at}{options}"));
        }
    }

    /// Prints a line even when quiet.
    pub fn announce(&self, line: impl Display) {
        let text = format!("{line}\n");
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let before = said.lines;
        said.lines += text.matches('\n').count();
        let _ = said.texts.try_send((before, text)); // where it is full, the printer sees that lines are missing
    }

    /// Prints the lines that wait, as long as they are read, and reports on standard error how many were lost; both
    /// may be the same pipe that nobody reads.
    pub fn finish(self) {
        let lost = self.end();
        let complaint = format!("{lost} lines were dropped: standard output did not take them");
        if lost > 0 {
            let telling = thread::Builder::new().spawn(move || narration::complain(&complaint));
            let _ = telling.map(|telling| wait_a_moment_for(&telling));
        }
    }

    /// Prints the lines that wait; returns how many were lost without a word.
    fn end(self) -> usize {
        let said = self.said.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop(said.texts);
        wait_a_moment_for(&self.printer);
        said.lines - self.told.load(SeqCst)
    }
}

fn wait_a_moment_for(thread: &JoinHandle<()>) {
    let end = Instant::now() + LAST_WORDS;
    while !thread.is_finished() && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Prints until the narrator is gone. Lines that the output refuses are missing, too.
fn print_all(texts: &Receiver<(usize, String)>, counted: &AtomicUsize, mut out: impl Write) {
    let told = || counted.load(SeqCst);
    let mut print = |text: &str, stands_for: usize| {
        counted.fetch_add(lines_taken(&mut out, text) * stands_for, SeqCst);
    };
    let mut piece = String::new();
    while let Ok(first) = texts.recv() {
        for (before, text) in iter::once(first).chain(texts.try_iter()) {
            if told() + piece.matches('\n').count() < before || piece.len() + text.len() > PIECE {
                print(&mem::take(&mut piece), 1);
            }
            let missing = before.saturating_sub(told());
            if missing > 0 && piece.is_empty() {
                let note = "lines were dropped here: standard output did not take them";
                print(&format!("({missing} {note})\n"), missing);
            }
            piece += &text;
        }
        print(&mem::take(&mut piece), 1);
        thread::sleep(NAP);
    }
}

/// Writes lines; returns how many were taken whole.
fn lines_taken(out: &mut impl Write, lines: &str) -> usize {
    let mut taken = 0;
    while let Ok(n @ 1..) = narration::taken(|| out.write(&lines.as_bytes()[taken..])) {
        taken += n;
    }
    lines.match_indices('\n').take_while(|(at, _)| *at < taken).count()
}

/// Standard output without std's buffer: what is in a buffer is neither printed nor lost.
#[cfg(unix)]
fn unbuffered_stdout() -> io::Result<impl Write + Send> {
    use std::os::fd::AsFd;
    io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from)
}

/// Standard output; on Windows, only std can write text to a console.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)] // as on Unix
fn unbuffered_stdout() -> io::Result<impl Write + Send> {
    Ok(narration::Stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes no byte while its lock is held.
    #[derive(Clone, Default)]
    struct Slow(Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_output_costs_lines_that_are_counted_in_their_place_and_never_a_wait() {
        let out = Slow::default();
        let stalled = out.0.lock().unwrap();
        let narrator = Narrator::on(false, out.clone()).unwrap();
        let said = 2 * WAITING + PIECE;
        for n in 0..said {
            narrator.say(format_args!("line {n}"));
        }
        assert_eq!(narrator.told.load(SeqCst), 0);
        drop(stalled);
        while narrator.told.load(SeqCst) < WAITING {
            thread::yield_now();
        }
        narrator.say(format_args!("line {said}"));
        assert_eq!(narrator.end(), 0);
        let (mut next, mut lost) = (0, 0);
        for line in String::from_utf8_lossy(&out.0.lock().unwrap()).lines() {
            if let Some(note) = line.strip_prefix('(') {
                lost += note.split(' ').next().unwrap().parse::<usize>().unwrap();
            } else {
                assert_eq!(line, format!("line {}", next + lost));
                next += 1;
            }
        }
        assert!(lost > 0 && next + lost == said + 1);
    }
}

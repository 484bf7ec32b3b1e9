//! Output of the programs: safe on a terminal, with errors that name standard output.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

/// Bytes as text that cannot control a terminal: control characters, invisible characters and bytes that are not
/// UTF-8 are written as escapes.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                c if c.is_ascii_control() => text += &c.to_string().as_bytes().escape_ascii().to_string(),
                c if is_unsafe(c) => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        text += &chunk.invalid().escape_ascii().to_string();
    }
    text
}

/// Unicode's controls, and characters that are not seen but change what is: line separators, bidirectional controls
/// (UAX #9), zero-width spaces and joiners, fillers, tags.
fn is_unsafe(c: char) -> bool {
    const ALONE: &str = "\u{ad}\u{61c}\u{115f}\u{1160}\u{180e}\u{3164}\u{feff}\u{ffa0}";
    c.is_control()
        || ALONE.contains(c)
        || matches!(c, '\u{fffe}'..='\u{ffff}') // not allowed in XML
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Prints a line on standard output. An error names standard output; see [`reader_left`].
pub fn say(line: &str) -> io::Result<()> {
    let mut out = Stdout;
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}

/// Prints a line on standard error. If that fails, there is no other place to report it.
pub fn complain(line: &str) {
    let line = format!("{line}\n");
    let mut rest = line.as_bytes();
    while let Ok(n @ 1..) = taken(|| io::stderr().write(rest)) {
        rest = &rest[n..];
    }
}

/// Standard output, with errors that say so.
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        taken(|| io::stdout().write(bytes)).map_err(|e| named(&e))
    }

    fn flush(&mut self) -> io::Result<()> {
        taken(|| io::stdout().flush()).map_err(|e| named(&e))
    }
}

/// Writes to an output that may be non-blocking, as another program that has it open may have made it, and waits until it
/// takes something.
pub fn taken<T>(mut write: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match write() {
            Err(e) if e.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn named(error: &io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => io::Error::new(ErrorKind::BrokenPipe, CLOSED),
        kind => io::Error::new(kind, format!("cannot write to standard output: {error}")),
    }
}

const CLOSED: &str = "standard output was closed";

/// Whether an error only says that the reader of standard output closed it.
pub fn reader_left(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.to_string() == CLOSED)
}

/// A terminal, which gets a peer's bytes escaped, except tabs and line ends (LF, CRLF).
pub struct Escaped<W> {
    out: W,
    /// The end of the last write, where a character or a line end may be incomplete.
    held: Vec<u8>,
}

impl<W: Write> Escaped<W> {
    /// In bytes. Escaped text is much longer, so only this much is escaped at once.
    const AT_ONCE: usize = 8 * 1024;

    /// Prints on `out`.
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

/// An address or a URL as a word of a command line: some shells read the brackets of IPv6 as a pattern.
pub fn shell_word(word: &str) -> String {
    if word.contains('[') { format!("\"{word}\"") } else { word.into() }
}

/// The beginning of a hint at the next command.
pub const HINT: &str = "in another terminal: ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_peer_sends_reaches_the_terminal_raw() {
        assert_eq!(escape("Grüße, 张三 👋".as_bytes()), "Grüße, 张三 👋");
        assert_eq!(escape(b"a\x1b[2J\x07\x7f\r\n\t"), "a\\x1b[2J\\x07\\x7f\\r\\n\\t");
        assert_eq!(escape("\u{9b}31m \u{202e} \u{2066}".as_bytes()), "\\u{9b}31m \\u{202e} \\u{2066}");
        assert_eq!(escape("Ann\u{200b} \u{e0041}".as_bytes()), "Ann\\u{200b} \\u{e0041}");
        assert_eq!(escape(b"caf\xe9 \xff\xfe \xe4\xb8"), "caf\\xe9 \\xff\\xfe \\xe4\\xb8");
    }

    #[test]
    fn an_output_that_does_not_wait_is_waited_for() {
        let mut outcomes =
            [Err(ErrorKind::WouldBlock.into()), Err(ErrorKind::Interrupted.into()), Ok(7)].into_iter();
        assert_eq!(taken(|| outcomes.next().unwrap()).unwrap(), 7);
        let full = || Err::<(), _>(ErrorKind::StorageFull.into());
        assert_eq!(taken(full).unwrap_err().kind(), ErrorKind::StorageFull);
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
            assert_eq!(shown, "a\tb\r\n\r\nc\\rd\ne\\r\r\n中\\x1b\\r", "in pieces of {size}");
        }
    }
}

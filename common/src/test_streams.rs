//! What the tests of this package read from and write to.

use std::io::{self, Read, Write};

/// Yields its data in pieces of at most `size` bytes, as a network may.
pub struct InPieces<'a> {
    pub data: &'a [u8],
    pub size: usize,
}

impl Read for InPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.size.min(self.data.len());
        (&self.data[..n]).read(buffer).inspect(|n| self.data = &self.data[*n..])
    }
}

/// Fails in every read.
pub struct Fails(pub fn() -> io::Error);

impl Read for Fails {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0())
    }
}

/// The size of each write.
#[derive(Default)]
pub struct Writes(pub Vec<usize>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

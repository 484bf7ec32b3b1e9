//! What tests of the readers share: a reader that yields small pieces and a small seeded generator.

use std::fmt;
use std::io::{self, Read};

/// Yields its data in pieces of at most `size` bytes, as a network may.
pub struct InPieces<'a> {
    pub data: &'a [u8],
    pub size: usize,
}

impl Read for InPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.size.min(buffer.len()).min(self.data.len());
        let (piece, rest) = self.data.split_at(n);
        buffer[..n].copy_from_slice(piece);
        self.data = rest;
        Ok(n)
    }
}

/// `SplitMix64`: enough for test data. A failure prints it with `{:?}`, and `SEED=` that number repeats it.
pub struct Seeded {
    seed: u64,
    state: u64,
}

impl Seeded {
    pub fn from_environment() -> Self {
        let seed = match std::env::var("SEED") {
            Ok(text) => text.parse().expect("SEED is a number"),
            Err(_) => std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into(),
        };
        Self { seed, state: seed }
    }

    fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end` - 1.
    #[allow(clippy::cast_possible_truncation)]
    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    /// Up to `most` random bytes.
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        (0..length).map(|_| self.number().to_le_bytes()[0]).collect()
    }
}

impl fmt::Debug for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SEED={}", self.seed)
    }
}

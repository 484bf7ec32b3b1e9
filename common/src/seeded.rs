//! Numbers that a seed repeats, on every system.

use std::fmt;

/// `SplitMix64` (Steele, Lea and Flood, 2014): for test data and for losses, not for secrets. A failing test prints it
/// with `{:?}`, and `SEED=` that number repeats the test.
pub struct Seeded {
    seed: u64,
    state: u64,
}

impl Seeded {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// Begins with the number in the variable `SEED`, or else with the time; for tests.
    pub fn from_environment() -> Self {
        let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos();
        Self::new(given.unwrap_or_else(|| now.into()))
    }

    /// Any number of 64 bits.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end` - 1.
    #[expect(clippy::cast_possible_truncation, reason = "it is less than a usize")]
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

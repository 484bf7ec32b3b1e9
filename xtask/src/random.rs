//! Numbers that nobody can guess.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 bits of the system's own randomness, from which std keys its hash maps.
pub fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

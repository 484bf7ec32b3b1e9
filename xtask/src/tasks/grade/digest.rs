//! What was judged: the files that a command names, by their SHA-256 (FIPS 180-4), so that `sha256sum FILE` can be
//! compared with a report.

use std::fs::{self, Metadata};
use std::path::Path;

use super::candidate::CommandLine;

/// `NAME sha256:DIGEST` of each file that the command names.
pub fn of_files(CommandLine { words, directory }: &CommandLine) -> Vec<String> {
    let is_small = |file: &Metadata| file.is_file() && file.len() <= 16 << 20; // a larger one is no student's program
    let digest = |word: &std::ffi::OsString| {
        let path = directory.as_deref().unwrap_or(Path::new("")).join(word);
        path.metadata().ok().filter(is_small)?;
        let (name, bytes) = (common::narration::escape(word.as_encoded_bytes()), fs::read(path).ok()?);
        Some(format!("{name} sha256:{}", sha256(&bytes)))
    };
    words.iter().filter_map(digest).collect()
}

/// The first 32 bits of the fractional part of a root of a prime, by whole numbers only: `root` is 2 or 3.
fn fraction(prime: u128, root: u32) -> u32 {
    // The greatest x with x^root <= prime * 2^(32 root); its low 32 bits are the fraction.
    let (mut low, mut high) = (0u128, 1 << 37);
    while high - low > 1 {
        let middle = u128::midpoint(low, high);
        if middle.pow(root) <= prime << (32 * root) { low = middle } else { high = middle }
    }
    u32::try_from(low & 0xffff_ffff).unwrap_or_default()
}

fn sha256(bytes: &[u8]) -> String {
    let primes: Vec<u128> = (2..312).filter(|n| (2..*n).all(|divisor| n % divisor != 0)).collect();
    let mut state: Vec<u32> = primes.iter().take(8).map(|prime| fraction(*prime, 2)).collect();
    let constants: Vec<u32> = primes.iter().take(64).map(|prime| fraction(*prime, 3)).collect();
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize((bytes.len() + 9).next_multiple_of(64), 0);
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(8 * bytes.len() as u64).to_be_bytes());
    let number = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_be_bytes);
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> = block.chunks_exact(4).map(number).collect();
        for at in 16..64 {
            let (fifteenth, second) = (words[at - 15], words[at - 2]);
            let first = fifteenth.rotate_right(7) ^ fifteenth.rotate_right(18) ^ (fifteenth >> 3);
            let last = second.rotate_right(17) ^ second.rotate_right(19) ^ (second >> 10);
            words.push(words[at - 16].wrapping_add(first).wrapping_add(words[at - 7]).wrapping_add(last));
        }
        let mut now = state.clone();
        for (word, constant) in words.iter().zip(&constants) {
            let (one, five) = (now[0], now[4]);
            let chosen = (five & now[5]) ^ (!five & now[6]);
            let majority = (one & now[1]) ^ (one & now[2]) ^ (now[1] & now[2]);
            let high = five.rotate_right(6) ^ five.rotate_right(11) ^ five.rotate_right(25);
            let low = one.rotate_right(2) ^ one.rotate_right(13) ^ one.rotate_right(22);
            let next =
                [high, chosen, *constant, *word].iter().fold(now[7], |sum, part| sum.wrapping_add(*part));
            now.rotate_right(1);
            now[4] = now[4].wrapping_add(next);
            now[0] = next.wrapping_add(low).wrapping_add(majority);
        }
        state.iter_mut().zip(now).for_each(|(old, new)| *old = old.wrapping_add(new));
    }
    state.iter().fold(String::new(), |text, word| text + &format!("{word:08x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard_for_all_lengths_of_a_last_block() {
        // FIPS 180-4's examples, and what sha256sum says of 55, 56 and 64 bytes 'a'.
        for (bytes, digest) in [
            (&b""[..], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (&[b'a'; 55], "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
            (&[b'a'; 56], "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
            (&[b'a'; 64], "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
        ] {
            assert_eq!(sha256(bytes), digest);
        }
    }
}

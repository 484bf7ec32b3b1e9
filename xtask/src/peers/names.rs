//! The words of a run. A row has those of the notes; by its seed, a run plays it with others of the same kind and length:
//! what a program knows by heart helps it nothing, and what a row expects of it holds for all of them.

use std::collections::BTreeMap;

use common::seeded::Seeded;

use crate::wire::event::Side;

/// What the sheet itself tells a client to say or to understand: it stays.
const TOLD: [&[u8]; 6] = [b"Michael", b"Tracy", b"Sarah", b"Welcome!", b"Content-Length", b"SSH-"];
/// How a name begins that is special for that: it stays.
const SPECIAL: [&[u8]; 2] = [b"exit", b"hello"];
/// Without q, x and b, which is the size of a chunk.
const CONSONANTS: &[u8] = b"cdfghjklmnprstvwyz";
const VOWELS: &[u8] = b"aeiou";

#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// By which they are drawn; 0 has the words of the notes.
    pub seed: u64,
    /// Whose: a server's clients have names; to a client other words are sent.
    pub side: Side,
}

impl Names {
    pub const OF_THE_NOTES: Self = Self { seed: 0, side: Side::Server };

    /// What this run has in place of a row's words.
    pub fn of(&self, words: &[u8]) -> Vec<u8> {
        let is_told = || TOLD.iter().any(|told| words.windows(told.len()).any(|window| window == *told));
        match self.side {
            _ if self.seed == 0 => words.into(),
            // In a reply, what comes after its header.
            Side::Client if words.starts_with(b"HTTP/") => {
                let end = words.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(words.len());
                [&words[..end], &self.letters(&words[end..])].concat()
            }
            Side::Client if is_told() => words.into(),
            Side::Client => self.letters(words),
            Side::Server => self.name(words),
        }
    }

    fn name(&self, name: &[u8]) -> Vec<u8> {
        let mut seeded = Seeded::new(self.seed);
        let word = name.trim_ascii_start();
        let begins =
            |special: &&&[u8]| word.get(..special.len()).is_some_and(|it| it.eq_ignore_ascii_case(special));
        let stays = SPECIAL.iter().find(begins).map_or(0, |special| name.len() - word.len() + special.len());
        match std::str::from_utf8(name) {
            Ok(_) if word.is_empty() && !name.is_empty() => vec![b' '; 2 + seeded.below(4)],
            Ok(text) if !text.is_ascii() => {
                // Three bytes in UTF-8, as those of the notes.
                let chinese = |_| ('\u{4e00}'..='\u{5dff}').nth(seeded.below(4096));
                text.chars().filter_map(chinese).collect::<String>().into()
            }
            Ok(_) => [&name[..stays], &self.letters(&name[stays..])].concat(),
            // No byte of these is in any UTF-8.
            Err(_) => name.iter().map(|_| b"\xf8\xf9\xfa\xfb\xfc\xfd"[seeded.below(6)]).collect(),
        }
    }

    /// Each letter by another one, always the same: so different words stay different.
    fn letters(&self, words: &[u8]) -> Vec<u8> {
        let mut seeded = Seeded::new(self.seed);
        let mut others = BTreeMap::new();
        for letters in [CONSONANTS, VOWELS] {
            let mut drawn = letters.to_vec();
            (1..drawn.len()).for_each(|last| drawn.swap(last, seeded.below(last + 1)));
            others.extend(letters.iter().zip(drawn));
        }
        let drawn = |byte: &u8| match others.get(&byte.to_ascii_lowercase()) {
            Some(other) if byte.is_ascii_uppercase() => other.to_ascii_uppercase(),
            other => *other.unwrap_or(byte),
        };
        words.iter().map(drawn).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn drawn_names_are_of_the_same_kind_different_and_repeated_by_their_seed() {
        let rows =
            ["Michael", "Tracy", "Sarah", "exiting", " exit", "EXIT", "Helloise", "张三", "   ", "", "%s"];
        for seed in 1..200 {
            let names = Names { seed, ..Names::OF_THE_NOTES };
            let drawn = rows.map(|name| String::from_utf8(names.of(name.as_bytes())).unwrap());
            assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), rows.len(), "{drawn:?}");
            assert_eq!(drawn, rows.map(|name| String::from_utf8(names.of(name.as_bytes())).unwrap()));
            for (name, drawn) in rows.iter().zip(&drawn) {
                let kind = |name: &str| (name.trim().len(), name.contains("exit"), name.is_ascii());
                assert_eq!(kind(name), kind(drawn), "{drawn}");
            }
            assert!(std::str::from_utf8(&names.of(b"\xff\xfe")).is_err());
        }
        assert_eq!(Names::OF_THE_NOTES.of(b"Michael"), b"Michael");
    }

    #[test]
    fn a_client_is_told_its_names_and_gets_other_answers_and_bodies() {
        let names = Names { seed: 7, side: Side::Client };
        for told in [&b"Hello, Michael!"[..], b"Welcome!", b"SSH-2.0"] {
            assert_eq!(names.of(told), told);
        }
        let reply = names.of(b"HTTP/1.1 200 OK\r\n\r\nb\r\nHello, \r\nwo");
        assert!(reply.starts_with(b"HTTP/1.1 200 OK\r\n\r\nb\r\n") && !reply.ends_with(b"Hello, \r\nwo"));
        assert!(reply.ends_with(&names.of(b"Hello, \r\nwo")));
    }
}

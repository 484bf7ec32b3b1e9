//! What a bad network does to datagrams, as it was asked for.

use std::mem;
use std::time::Duration;

use common::seeded::Seeded;

use super::event::{Crossing, Recorder, Side};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impairment {
    Lost,
    Twice,
    /// After the next one.
    Late,
}

/// Which of one side's datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// This one, counted from 1.
    Number(usize),
    /// So many of so many, by chance.
    Share(u32, u32),
}

/// What a wire does with the datagrams of each client, and of the server to it; all others arrive once and in order. Of
/// two that are meant the first counts.
#[derive(Clone, Debug, Default)]
pub struct Impairments {
    pub up: Vec<(Which, Impairment)>,
    pub down: Vec<(Which, Impairment)>,
    /// Where chance begins: the same seed, the same for the first client, the second one and so on.
    pub seed: u64,
    pub delay: Duration,
}

impl Impairments {
    pub fn numbered(up: &[(usize, Impairment)], down: &[(usize, Impairment)]) -> Self {
        let numbered = |of: &[(usize, Impairment)]| {
            of.iter().map(|(number, impairment)| (Which::Number(*number), *impairment)).collect()
        };
        Self { up: numbered(up), down: numbered(down), ..Self::default() }
    }
}

pub struct Impairer {
    impairments: Vec<(Which, Impairment)>,
    generator: Seeded,
    count: usize,
    /// The one that was held back.
    late: Option<Vec<u8>>,
}

impl Impairer {
    pub fn new(impairments: &[(Which, Impairment)], seed: u64) -> Self {
        Self { impairments: impairments.to_vec(), generator: Seeded::new(seed), count: 0, late: None }
    }

    pub fn pass_on(&mut self, datagram: &[u8], toward: Side, recorder: &Recorder, send: impl Fn(&[u8])) {
        self.count += 1;
        // Each share is drawn each time, so that one's numbers do not depend on another's.
        let is_meant = |(which, _): &&(Which, Impairment)| match which {
            Which::Number(number) => *number == self.count,
            Which::Share(part, of) => self.generator.number() % u64::from((*of).max(1)) < (*part).into(),
        };
        let meant: Vec<_> = self.impairments.iter().filter(is_meant).collect();
        let impairment = meant.first().map(|(_, impairment)| *impairment);
        let hows: &[Crossing] = match impairment {
            Some(Impairment::Lost) => &[Crossing::Lost],
            Some(Impairment::Late) => &[Crossing::HeldBack],
            Some(Impairment::Twice) => &[Crossing::Plain, Crossing::Again],
            None => &[Crossing::Plain],
        };
        let held_back = (impairment == Some(Impairment::Late)).then(|| datagram.to_vec());
        let late = mem::replace(&mut self.late, held_back);
        let late = late.iter().map(|bytes| (Crossing::Late, bytes.as_slice()));
        for (how, bytes) in hows.iter().map(|how| (*how, datagram)).chain(late) {
            recorder.sent(toward, bytes, how);
            if !matches!(how, Crossing::Lost | Crossing::HeldBack) {
                send(bytes);
            }
        }
    }
}

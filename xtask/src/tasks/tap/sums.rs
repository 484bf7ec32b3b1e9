//! The sums of a wire: how many connections, how many bytes, and how each ended.

use std::collections::BTreeMap;

use crate::drawing::columns::grouped;
use crate::words::Words;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    BothEnded,
    ResetByClient,
    ResetByServer,
    NotTaken,
    GaveWay,
    StillOpen,
}

impl Ending {
    fn words(self) -> Words {
        match self {
            Self::BothEnded => Words::fixed("both sides ended", "双方都已结束"),
            Self::ResetByClient => Words::fixed("reset on the client's side", "客户端一侧复位"),
            Self::ResetByServer => Words::fixed("reset on the server's side", "服务器一侧复位"),
            Self::NotTaken => Words::fixed("not taken by the server", "服务器未接受"),
            Self::GaveWay => Words::fixed("gave way to others", "让位给了别的客户端"),
            Self::StillOpen => Words::fixed("still open", "仍未结束"),
        }
    }
}

#[derive(Default)]
pub struct Sums {
    pub count: u64,
    /// Bytes to clients and to the server.
    pub passed: [u64; 2],
    /// The connections' numbers.
    pub ended: BTreeMap<Ending, Vec<u64>>,
}

impl Sums {
    /// In lines; these are still open.
    pub fn lines(&self, is_udp: bool, open: Vec<u64>) -> Vec<Words> {
        let [down, up] = self.passed.map(grouped);
        let count = self.count;
        let (who, zh) = if is_udp { ("client", "个客户端") } else { ("connection", "条连接") };
        let (s, to) = if count == 1 { ("", "the client") } else { ("s", "clients") };
        let mut lines = vec![words!(
            "{count} {who}{s}, {up} bytes to the server, {down} bytes to {to}",
            "{count} {zh}，发往服务器 {up} 字节，发往客户端 {down} 字节"
        )];
        let open = (!open.is_empty() && !is_udp).then_some((Ending::StillOpen, open));
        for (ending, mut numbers) in self.ended.clone().into_iter().chain(open) {
            numbers.sort_unstable();
            let (Words { en, zh }, which) = (ending.words(), ranges(&numbers));
            lines.push(words!("  {en}: {which}", "  {zh}：{which}"));
        }
        lines
    }
}

/// `#1-#3, #5`; of very many, the first.
fn ranges(numbers: &[u64]) -> String {
    const SHOWN: usize = 20;
    let text = |(at, range): (usize, &[u64])| match range {
        _ if at == SHOWN => "...".into(),
        [first, .., last] => format!("#{first}-#{last}"),
        _ => format!("#{}", range[0]),
    };
    let ranges = numbers.chunk_by(|a, b| a + 1 == *b).enumerate();
    ranges.take(SHOWN + 1).map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_short_for_many_and_bounded_for_odd_ones() {
        assert_eq!(ranges(&(1..=5000).collect::<Vec<_>>()), "#1-#5000");
        let odd: Vec<_> = (0..100).map(|n| 2 * n + 1).collect();
        assert!(ranges(&odd).ends_with(", #39, ..."), "{}", ranges(&odd));
    }
}

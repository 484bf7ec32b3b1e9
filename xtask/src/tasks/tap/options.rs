//! What a user of the tap asks for.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use common::address::HostPort;
use common::args::{self, Args};
use common::text;

use crate::drawing::live;
use crate::drawing::style::Style;
use crate::random;
use crate::tasks::shown;
use crate::wire::impairments::{Impairment, Impairments, Which};
use crate::wire::tcp_relay::RelayMode;

pub struct TapOptions {
    pub server: HostPort,
    pub listen: HostPort,
    pub wire: Wire,
    /// A file, as `html`.
    pub roll: Option<String>,
    pub html: Option<String>,
    pub live: Option<HostPort>,
    pub style: Style,
}

pub enum Wire {
    Tcp(RelayMode, Duration),
    /// With whether something is left to chance.
    Udp(Impairments, bool),
}

impl TapOptions {
    pub fn of(mut args: Args) -> Result<Self> {
        let is_udp = args.flag("--udp")?;
        let listen = args.value("--listen", HostPort::Ip(([127, 0, 0, 1], 9998).into()))?;
        let (roll, html) = (args.given("--roll")?, args.given("--html")?);
        let live = args.given_or("--live", live::DEFAULT)?;
        let style = shown::style(&mut args)?;
        // 0 stands for none; nobody can ask for it.
        let cut = args.number("--cut", 0, 1..=u16::MAX)?;
        let delay = args.seconds("--delay", 0.0, 0.0..=60.0)?;
        let seed = args.whole("--seed")?;
        let up = impairments(&mut args, ["--lose", "--twice", "--late"])?;
        let down = impairments(&mut args, ["--back-lose", "--back-twice", "--back-late"])?;
        let server = args.operand()?.ok_or_else(|| {
            args::usage(text!(
                "no SERVER is given: HOST:PORT, where it listens",
                "没有写 SERVER：它在哪里监听，HOST:PORT"
            ))
        })?;
        let server = Args::new(std::iter::once(server)).operand_or("SERVER", "")?;
        args.finish()?;
        let by_chance = up.iter().chain(&down).any(|(which, _)| matches!(which, Which::Share(..)));
        let wrong = match (is_udp, cut) {
            (true, 1..) => text!(
                "--cut is for TCP: a datagram crosses whole",
                "--cut 只用于 TCP：数据报总是整个传过去的"
            ),
            (false, _) if !(up.is_empty() && down.is_empty()) => text!(
                "a stream loses nothing and keeps its order: --lose and its like go with --udp",
                "字节流不丢失，也不乱序：--lose 等选项要与 --udp 同用"
            ),
            _ if seed.is_some() && !by_chance => text!(
                "--seed goes with a fraction, such as --lose 1/5: nothing else is left to chance",
                "--seed 要与比例同用，例如 --lose 1/5：别的都不是随机的"
            ),
            _ => {
                let seed = seed.unwrap_or_else(|| random::number() % 1_000_000); // short, to be typed again
                let wire = match cut {
                    _ if is_udp => Wire::Udp(Impairments { up, down, seed, delay }, by_chance),
                    0 => Wire::Tcp(RelayMode::AsItComes, delay),
                    size => Wire::Tcp(RelayMode::Cut(size.into()), delay),
                };
                return Ok(Self { server, listen, wire, roll, html, live, style });
            }
        };
        Err(args::usage(wrong))
    }
}

fn impairments(args: &mut Args, names: [&str; 3]) -> Result<Vec<(Which, Impairment)>> {
    let mut impairments = Vec::new();
    let kinds = [Impairment::Lost, Impairment::Twice, Impairment::Late];
    for (name, impairment) in names.into_iter().zip(kinds) {
        let Some(Numbers(which)) = args.given(name)? else { continue };
        impairments.extend(which.into_iter().map(|which| (which, impairment)));
    }
    Ok(impairments)
}

/// `2`, `2,5` or `1/5`.
struct Numbers(Vec<Which>);

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse().map(NonZeroU32::get).map_err(|_| {
                text!(
                    "it must be numbers from 1, such as 2 or 2,5, or a fraction, such as 1/5",
                    "应为从 1 数起的编号，例如 2 或 2,5，或者比例，例如 1/5"
                )
            })
        };
        if let Some((part, of)) = text.split_once('/') {
            let (part, of) = (number(part)?, number(of)?);
            let share = (part <= of).then(|| Self(vec![Which::Share(part, of)]));
            return share.ok_or_else(|| text!("a fraction is at most 1/1", "比例最大是 1/1"));
        }
        let numbers = text.split(',').map(|text| Ok(Which::Number(number(text)? as usize)));
        numbers.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<TapOptions> {
        TapOptions::of(Args::new(line.split(' ').map(Into::into)))
    }

    fn error(line: &str) -> String {
        read(line).err().unwrap_or_else(|| panic!("'{line}' was accepted")).to_string()
    }

    #[test]
    fn what_becomes_of_datagrams_is_read_in_numbers_and_shares() {
        let options = read("--udp h:1 --lose 2,4 --twice=3 --late 1/5 --back-lose 1 --seed 7").unwrap();
        let Wire::Udp(Impairments { up, down, seed: 7, .. }, true) = options.wire else {
            panic!("not this wire")
        };
        let expected = [
            (Which::Number(2), Impairment::Lost),
            (Which::Number(4), Impairment::Lost),
            (Which::Number(3), Impairment::Twice),
            (Which::Share(1, 5), Impairment::Late),
        ];
        assert_eq!(up, expected);
        assert_eq!(down, [(Which::Number(1), Impairment::Lost)]);
    }

    #[test]
    fn what_does_not_go_together_is_refused_with_the_reason() {
        for (line, reason) in [
            ("--udp", "no SERVER is given"),
            ("h", "SERVER 'h': it has no port"),
            ("h:1 --cut 0", "a number from 1"),
            ("h:1 --lose 1", "go with --udp"),
            ("h:1 --udp --cut 1", "a datagram crosses whole"),
            ("h:1 --udp --lose 0", "numbers from 1"),
            ("h:1 --udp --lose 1,", "numbers from 1"),
            ("h:1 --udp --lose 1/0", "numbers from 1"),
            ("h:1 --udp --lose 3/2", "at most 1/1"),
            ("h:1 --udp --lose 2 --seed 1", "goes with a fraction"),
            ("h:1 --delay 61", "seconds from 0 to 60"),
            ("h:1 h:2", "unexpected argument 'h:2'"),
        ] {
            assert!(error(line).contains(reason), "{line}: {}", error(line));
        }
    }
}

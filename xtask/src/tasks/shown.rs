//! What every task may be asked for: a language, ASCII signs, a live page, one version of IP.

use std::env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use anyhow::Result;
use common::address::HostPort;
use common::args::Args;
use common::text;

use crate::drawing::live::Live;
use crate::drawing::page::Cover;
use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::drawing::votes::Wait;
use crate::play::audience;
use crate::words::{Lang, Words};

pub const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// `--ip 4` or `--ip 6`: the one loopback address to play on.
pub struct Only(pub IpAddr);

impl FromStr for Only {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "4" => Ok(Self(LOOPBACK[0])),
            "6" => Ok(Self(LOOPBACK[1])),
            _ => Err(text!("it is 4 or 6", "应为 4 或 6")),
        }
    }
}

/// How this program was called: by cargo, or by its own name.
pub fn typed() -> String {
    match env::args_os().next() {
        Some(path) if env::var_os("CARGO").is_none() => path.to_string_lossy().into_owned(),
        _ => "cargo xtask".into(),
    }
}

/// What to type to play a lesson: that needs the project, where cargo builds its programs.
pub fn demo(lessons: &str) -> String {
    let place = match env::var_os("CARGO") {
        Some(_) => String::new(),
        None => text!(" (in the project's directory)", "（在项目的目录里）"),
    };
    format!("cargo xtask demo {lessons}{place}")
}

/// How to print, by `--lang`, `--ascii` and the terminal.
pub fn style(args: &mut Args) -> Result<Style> {
    let ascii = args.flag("--ascii")?;
    let lang = args.given("--lang")?.unwrap_or_else(Lang::of_locale);
    Ok(Style::of_output(lang, ascii))
}

/// Serves the transcript live, if an address is given for that, and prints where.
pub fn go_live(
    at: Option<&HostPort>,
    transcript: &Transcript,
    cover: Cover,
    style: Style,
    is_led: bool,
) -> Result<Option<Live>> {
    let live = at.map(|at| Live::start(at, transcript, cover, style.lang, is_led)).transpose()?;
    live.iter().flat_map(Live::words).try_for_each(|words| style.say(Ink::Bold, &words))?;
    Ok(live)
}

/// Keeps the live page, if there is one, until Enter, so that a class can read on.
pub fn stay(live: Option<&Live>, style: Style) {
    let words = Words::fixed("[the page stays live until Enter]", "[网页保持可用，按回车结束]");
    if let Some(live) = live.filter(|_| style.say(Ink::Faint, &words).is_ok()) {
        let _ = audience::answer(live.story(), Wait::Nothing); // any line, or the end of standard input
    }
}

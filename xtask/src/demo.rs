//! `cargo xtask demo`: plays lessons over IPv4 and IPv6, and sums up.

use std::env;
use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use anyhow::{Result, bail};
use common::args::{self, Args};
use common::narration::{self, say};
use common::patience;

use crate::checks::{Checks, Verdict};
use crate::ladder::{self, Ink, Style};
use crate::lessons::{self, Lesson};
use crate::mistakes;
use crate::play::{Left, Play, Voice};
use crate::programs;
use crate::words;
use crate::words::{Lang, Words};

/// Plays the lessons that the arguments name, or all of them.
///
/// # Errors
/// A usage error for an unknown lesson; a failure if any check failed.
pub fn run(mut args: Args) -> Result<()> {
    let (list, step, wrong) = (args.flag("--list")?, args.flag("--step")?, args.flag("--mistakes")?);
    let lang = args.given("--lang")?.unwrap_or_else(Lang::of_locale);
    let mut chosen = Vec::new();
    while let Some(name) = args.operand()? {
        let lesson = lessons::ALL.iter().find(|lesson| *lesson.name == *name);
        chosen.push(lesson.ok_or_else(|| {
            args::usage(format!("unknown lesson '{}': see 'cargo xtask demo --list'", name.to_string_lossy()))
        })?);
    }
    if chosen.is_empty() && !wrong {
        chosen.extend(&lessons::ALL);
    }
    if list {
        chosen.iter().try_for_each(|lesson| introduce(lesson, lang))?;
        let mistakes = if wrong { &mistakes::ALL[..] } else { &[] };
        return mistakes.iter().try_for_each(|mistake| Ok(say(mistake.about.to(lang))?));
    }
    programs::close_house_on_interrupt()?;
    let colour = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let voice = Voice { style: Style { colour, lang }, step };
    match play_all(&chosen, wrong, &[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], voice) {
        Err(e) if e.is::<Left>() => Ok(()),
        outcome => outcome,
    }
}

/// Prints a lesson's name and its claims.
fn introduce(lesson: &Lesson, lang: Lang) -> Result<()> {
    for (number, (claim, words)) in lesson.claims.iter().enumerate() {
        let name = if number == 0 { lesson.name } else { "" };
        let text = words.to(lang).replace('\n', &format!("\n{:15}", ""));
        say(&format!("{name:10}{claim:4} {text}"))?;
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    kept: usize,
    broken: usize,
    not_available: usize,
}

impl Tally {
    fn add(&mut self, checks: &Checks) {
        self.kept += checks.kept();
        self.broken += checks.broken();
        self.not_available += checks.all().len() - checks.kept() - checks.broken();
    }
}

/// Plays each lesson on each of the loopback addresses, and then the mistakes where they are asked for.
///
/// # Errors
/// If any check failed.
pub fn play_all(chosen: &[&Lesson], wrong: bool, addresses: &[IpAddr], voice: Voice) -> Result<()> {
    programs::build()?;
    greet(chosen, voice)?;
    let mut tally = Tally::default();
    for lesson in chosen {
        let mut claims_told = false;
        for ip in addresses {
            let version = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
            let name = lesson.name;
            voice.tell(Ink::Bold, &words!("\n== {name} over {version} ==", "\n== {name}（{version}）=="))?;
            if !is_here(*ip, voice)? {
                tally.not_available += 1;
                continue;
            }
            if !std::mem::replace(&mut claims_told, true) {
                for (claim, words) in lesson.claims {
                    say(&format!("{claim:4} {}", words.to(voice.style.lang).replace('\n', "\n     ")))?;
                }
            }
            if let Some((client, server)) = &lesson.lanes {
                say(&ladder::head(voice.style, client, server))?;
            }
            tally.add(&watch(lesson.play, *ip, voice)?);
        }
    }
    if wrong {
        let count = mistakes::ALL.len();
        for (number, mistake) in (1..).zip(&mistakes::ALL) {
            voice.tell(
                Ink::Bold,
                &words!("\n== mistake {number} of {count} ==", "\n== 错误 {number}/{count} =="),
            )?;
            let (client, server) =
                (Words::fixed("the client", "客户端"), Words::fixed("the server", "服务器"));
            say(&ladder::head(voice.style, &client, &server))?;
            let shown = |play: &mut Play| play.act(&mistake.about).and_then(|()| (mistake.play)(play));
            tally.add(&watch(shown, Ipv4Addr::LOCALHOST.into(), voice)?);
        }
    }
    sum_up(&tally, voice)
}

fn greet(chosen: &[&Lesson], voice: Voice) -> Result<()> {
    if chosen.len() == lessons::ALL.len() {
        let count = chosen.len();
        voice.tell(
            Ink::Faint,
            &words!(
                "All {count} lessons on real sockets of this machine's loopback ('--list' says what they show).",
                "在本机环回接口的真实套接字上演示全部 {count} 课（--list 列出各课内容）。"
            ),
        )?;
    }
    voice.tell(
        Ink::Faint,
        &Words::fixed(
            "The lanes show what programs print, the arrows between them what crosses the wire; lines within a\n\
             millisecond or two of each other may stand in either order.",
            "两侧是程序打印的内容，中间的箭头是线路上经过的数据；相隔一两毫秒之内的行，先后不定。",
        ),
    )
}

fn is_here(ip: IpAddr, voice: Voice) -> Result<bool> {
    match TcpListener::bind((ip, 0)) {
        Ok(_) => Ok(true),
        Err(e) => {
            voice.tell(Ink::Faint, &words!("not available here: {e}", "此处不可用：{e}"))?;
            Ok(false)
        }
    }
}

/// Plays something, and prints its checks.
fn watch(what: impl FnOnce(&mut Play) -> Result<()>, ip: IpAddr, voice: Voice) -> Result<Checks> {
    let mut play = Play::new(ip, voice)?;
    let played = what(&mut play).and_then(|()| play.stage.finish());
    match played {
        Err(e) if narration::reader_left(&e) || e.is::<Left>() => return Err(e),
        Err(e) if e.downcast_ref().is_some_and(patience::is_over) => {
            play.checks.stopped_short(&words!("nothing came for a minute", "一分钟没有收到任何数据"));
        }
        Err(e) => play.checks.stopped_short(&words!("{e:#}", "{e:#}")),
        Ok(()) => {}
    }
    for check in play.checks.all() {
        let promise = check.promise.to(voice.style.lang);
        say(&match &check.verdict {
            Verdict::Kept => format!("  {} {promise}", voice.style.paint(Ink::Good, "✓")),
            Verdict::Broken(why) => {
                format!("  {} {promise}: {}", voice.style.paint(Ink::Bad, "✗"), why.to(voice.style.lang))
            }
            Verdict::NotAvailable(why) => {
                let absent = Words::fixed("not available here", "此处不可用");
                format!("  - {promise}: {}: {}", absent.to(voice.style.lang), why.to(voice.style.lang))
            }
        })?;
    }
    voice.wait()?;
    Ok(play.checks)
}

fn sum_up(tally: &Tally, voice: Voice) -> Result<()> {
    let Tally { kept, broken, not_available } = tally;
    let absent = match not_available {
        0 => words!("", ""),
        n => words!(", {n} not available here", "，{n} 项此处不可用"),
    };
    let (en, zh) = (&absent.en, &absent.zh);
    if *broken > 0 {
        let all = kept + broken;
        bail!(
            "{}",
            words!("{broken} of {all} checks failed{en}", "{all} 项检查中 {broken} 项失败{zh}")
                .to(voice.style.lang)
        );
    }
    voice.tell(Ink::Good, &words!("\nAll {kept} checks passed{en}.", "\n全部 {kept} 项检查通过{zh}。"))
}

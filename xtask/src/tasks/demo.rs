//! `cargo xtask demo`: plays lessons over IPv4 and IPv6, and sums up.

use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use anyhow::{Result, bail};
use common::args::{self, Args};
use common::narration::{self, say};
use common::patience;

use crate::drawing::ladder::{self, Ink, Style};
use crate::drawing::page::Page;
use crate::drawing::scene::{self, Scene};
use crate::lessons::mistakes;
use crate::lessons::{self, Lesson};
use crate::play::audience::Left;
use crate::play::quiz::Score;
use crate::play::{Play, Voice};
use crate::programs;
use crate::words::{Lang, Words};

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Plays the lessons that the arguments name, or all of them.
///
/// # Errors
/// A usage error for an unknown lesson; a failure if any check failed.
pub fn run(mut args: Args) -> Result<()> {
    let (list, step, wrong) = (args.flag("--list")?, args.flag("--step")?, args.flag("--mistakes")?);
    let quiz = args.flag("--quiz")?;
    let lang = args.given("--lang")?.unwrap_or_else(Lang::of_locale);
    let file = args.given::<String>("--html")?;
    let mut chosen = Vec::new();
    while let Some(name) = args.operand()? {
        let lesson = find(&name).ok_or_else(|| {
            let name = narration::escape(name.as_encoded_bytes());
            let all = lessons::ALL.each_ref().map(|lesson| lesson.name).join(" ");
            args::usage(format!("unknown lesson '{name}': it is one of {all}; 'demo --list' says more"))
        })?;
        if !chosen.iter().any(|other: &&Lesson| other.name == lesson.name) {
            chosen.push(lesson);
        }
    }
    if chosen.is_empty() {
        chosen.extend(lessons::ALL.iter().filter(|_| list || !wrong));
        chosen.extend(mistakes::ALL.iter().filter(|_| list || wrong));
    }
    if list && (quiz || step || file.is_some()) {
        return Err(args::usage("--list plays nothing: --quiz, --step and --html do not go with it"));
    }
    if quiz && chosen.iter().any(|lesson| is_mistake(lesson)) {
        return Err(args::usage("--quiz asks about lessons; about mistakes it has no questions"));
    }
    if list {
        return introduce(&chosen, lang);
    }
    programs::close_house_on_interrupt()?;
    let page = file.as_deref().map(Page::open).transpose()?;
    let colour = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let voice = Voice { style: Style { colour, lang }, step, quiz };
    // Whoever has been asked over IPv4 knows the answers over IPv6.
    let addresses = if quiz { &LOOPBACK[..1] } else { &LOOPBACK };
    let mut demo = Demo::new(voice);
    let is_left = match demo.play(&chosen, addresses) {
        // Where nobody watches any more, the page is still wanted.
        Err(e) if e.is::<Left>() || (page.is_some() && narration::reader_left(&e)) => true,
        outcome => outcome.map(|()| false)?,
    };
    if let Some(page) = page.filter(|_| !demo.scenes.is_empty()) {
        let name = page.write(&demo.scenes, lang)?;
        voice.tell(Ink::Bold, &words!("\nThe page is in {name}.", "\n网页已存入 {name}。"))?;
    }
    demo.sum_up(is_left)
}

/// The lesson or the mistake of this name.
pub fn find(name: &OsStr) -> Option<&'static Lesson> {
    lessons::ALL.iter().chain(&mistakes::ALL).find(|lesson| *lesson.name == *name)
}

fn is_mistake(lesson: &Lesson) -> bool {
    mistakes::ALL.iter().any(|mistake| mistake.name == lesson.name)
}

/// Prints the lessons' names and claims, lessons and mistakes apart.
fn introduce(chosen: &[&Lesson], lang: Lang) -> Result<()> {
    let lessons = Words::fixed(
        "Lessons, and the notes' claims that they are about:",
        "各课名称，以及每课所讲的笔记说法：",
    );
    let mistakes = Words::fixed(
        "Mistakes of the notes' code, to be played by name or with --mistakes:",
        "笔记代码里的错误（写出名字演示其中一个，或用 --mistakes 演示全部）：",
    );
    for group in chosen.chunk_by(|a, b| is_mistake(a) == is_mistake(b)) {
        say(if is_mistake(group[0]) { &mistakes } else { &lessons }.to(lang))?;
        for lesson in group {
            for (number, (claim, words)) in lesson.claims.iter().enumerate() {
                let name = if number == 0 { lesson.name } else { "" };
                let text = words.to(lang).replace('\n', &format!("\n{:20}", ""));
                say(&format!("  {name:13}{claim:4} {text}"))?;
            }
        }
    }
    Ok(())
}

/// Lessons being played, one after the other.
pub struct Demo<'a> {
    voice: Voice,
    scenes: Vec<Scene<'a>>,
    score: Score,
}

impl<'a> Demo<'a> {
    /// Nothing has been played yet.
    pub fn new(voice: Voice) -> Self {
        Self { voice, scenes: Vec::new(), score: Score::default() }
    }

    /// What has been played.
    pub fn scenes(&self) -> &[Scene<'a>] {
        &self.scenes
    }

    /// Plays each lesson on each of the loopback addresses.
    ///
    /// # Errors
    /// When the programs cannot be built or standard output fails, and [`Left`]; a failed check is none.
    pub fn play(&mut self, chosen: &[&'a Lesson], addresses: &[IpAddr]) -> Result<()> {
        programs::build()?;
        self.greet(chosen)?;
        for lesson in chosen {
            for (number, ip) in addresses.iter().enumerate() {
                let version = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
                let name = lesson.name;
                self.voice.tell(
                    Ink::Bold,
                    &words!("\n== {name} over {version} ==", "\n== {name}（{version}）=="),
                )?;
                if number == 0 && !self.voice.quiz {
                    self.claim(lesson)?;
                }
                self.watch(lesson, *ip, version)?;
                if self.voice.quiz {
                    self.claim(lesson)?; // before, it would have given answers away
                }
            }
        }
        Ok(())
    }

    /// Says what the lesson is about, in the notes' words.
    fn claim(&self, lesson: &Lesson) -> Result<()> {
        lesson.claims.iter().try_for_each(|(claim, words)| {
            let text = words.to(self.voice.style.lang).replace('\n', "\n     ");
            Ok(say(&format!("{claim:4} {text}"))?)
        })
    }

    /// Tells where the one who watches is, and what comes.
    fn greet(&self, chosen: &[&Lesson]) -> Result<()> {
        let is_all = chosen.len() == lessons::ALL.len() && !chosen.iter().any(|lesson| is_mistake(lesson));
        let count = chosen.len();
        if is_all {
            self.voice.tell(
                Ink::Bold,
                &words!(
                    "{count} lessons about sockets, on real sockets of this machine alone; Ctrl-C ends it.",
                    "{count} 课套接字演示，用的是本机环回接口上真实的套接字；按 Ctrl-C 结束。"
                ),
            )?;
        }
        if self.voice.quiz {
            let how = Words::fixed(
                "Each asks before it shows, over IPv4 only; Enter alone skips a question, 'q' leaves.",
                "每课先提问，再演示，只用 IPv4；只按回车跳过一题，q 退出。",
            );
            self.voice.tell(Ink::Bold, &how)?;
        } else if is_all {
            let how = Words::fixed(
                "Each plays over IPv4, then over IPv6 ('--step' waits for Enter, '--list' says what comes).",
                "每课先用 IPv4，再用 IPv6（--step 逐步等待回车，--list 列出各课内容）。",
            );
            self.voice.tell(Ink::Bold, &how)?;
        }
        self.voice.tell(
            Ink::Faint,
            &Words::fixed(
                "> says what is about to happen, ✓ what was promised and came true, ✗ what did not.\n\
                 The lanes show what programs print, the arrows between them what crosses the wire; one that\n\
                 ends in ✗ is lost or held back. Lines within a millisecond or two of each other may stand in\n\
                 either order.",
                "以 > 开头的行说明接下来做什么；✓ 表示结果与所说的相符，✗ 表示不符。\n\
                 两侧是程序打印的内容，中间的箭头是线路上经过的数据；末端是 ✗ 的，表示丢失或暂时扣住；\n\
                 时刻相差在一两毫秒以内的行，先后不定。",
            ),
        )
    }

    /// Plays a lesson, and prints its checks.
    fn watch(&mut self, lesson: &'a Lesson, ip: IpAddr, version: &'static str) -> Result<()> {
        let mut play = Play::new(ip, self.voice)?;
        let played = if let Err(e) = TcpListener::bind((ip, 0)) {
            play.checks.not_available(Words::fixed("the lesson is played", "演示本课"), words!("{e}", "{e}"));
            Ok(())
        } else {
            say(&ladder::head(self.voice.style, &lesson.lanes))?;
            (lesson.play)(&mut play).and_then(|()| play.stage.finish())
        };
        self.score.add(play.score);
        let mut left = None;
        match played {
            Err(e) if narration::reader_left(&e) || e.is::<Left>() => left = Some(e),
            Err(e) if e.downcast_ref().is_some_and(patience::is_over) => {
                play.checks
                    .stopped_short(&Words::fixed("nothing came for a minute", "一分钟没有收到任何数据"));
            }
            Err(e) => play.checks.stopped_short(&words!("{e:#}", "{e:#}")),
            Ok(()) => {}
        }
        let shown = left.map_or_else(|| play.show_checks(), Err);
        let scene = Scene { lesson, version, told: play.stage.told(), checks: play.checks };
        // Whoever leaves at the first question has seen nothing.
        self.scenes.extend(Some(scene).filter(|scene| shown.is_ok() || !scene.told.is_empty()));
        shown.and_then(|()| self.voice.wait())
    }

    /// Says how many checks came true, and how many predictions.
    ///
    /// # Errors
    /// If any check failed.
    pub fn sum_up(&self, is_left: bool) -> Result<()> {
        if self.voice.quiz {
            say("")?;
            self.voice.tell(Ink::Bold, &self.score.sentence())?;
        }
        let tally = scene::tally(&self.scenes);
        let sentence = tally.sentence();
        if tally.broken > 0 {
            bail!("{}", sentence.to(self.voice.style.lang));
        }
        say("")?;
        if is_left {
            let Words { en, zh } = sentence;
            return self.voice.tell(Ink::Bold, &words!("Left before the end. {en}", "提前退出。{zh}"));
        }
        self.voice.tell(Ink::Good, &sentence)
    }
}

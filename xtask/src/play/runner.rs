//! Plays lessons one after another, and sums up.

use std::net::{IpAddr, TcpListener};
use std::time::Instant;

use anyhow::{Result, bail};
use common::narration::{self, say};
use common::timed_stream;

use super::Play;
use super::audience::{self, Audience, Left};
use super::quiz;
use crate::drawing::entry::{Entry, Lanes};
use crate::drawing::page::{self, Chapter};
use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::wire::record::STUCK;
use crate::words::Words;

/// An experiment about some of the notes' claims.
pub struct Lesson {
    pub name: &'static str,
    /// For its Chinese title; in English its name is the title.
    pub subject_zh: &'static str,
    pub claims: &'static [(&'static str, Words)],
    pub lanes: Lanes,
    pub play: fn(&mut Play) -> Result<()>,
}

pub struct Runner {
    style: Style,
    audience: Audience,
    pub story: Transcript,
    pub chapters: Vec<Chapter>,
    /// How many chapters earlier commands have played.
    earlier: usize,
}

impl Runner {
    pub fn new(style: Style, audience: Audience) -> Self {
        Self { style, audience, story: Transcript::new(style), chapters: Vec::new(), earlier: 0 }
    }

    /// Begins the next command: it is summed up alone.
    pub fn begin(&mut self, audience: Audience) {
        (self.audience, self.earlier) = (audience, self.chapters.len());
    }

    /// Plays a lesson on a loopback address. A failed check is no error; [`Left`] is one.
    pub fn play(&mut self, lesson: &Lesson, ip: IpAddr) -> Result<()> {
        let (name, version) = (lesson.name, if ip.is_ipv4() { "IPv4" } else { "IPv6" });
        let is_new = self.chapters.last().is_none_or(|last| last.name != name);
        self.story.tell(Entry::Title { name, subject_zh: lesson.subject_zh, version, is_new })?;
        if is_new && !self.audience.quiz {
            self.claim(lesson)?;
        }
        self.watch(lesson, ip, version)?;
        if self.audience.quiz {
            self.claim(lesson)?; // shown earlier, it would give answers away
        }
        if self.audience.step { audience::wait(self.style, &self.story) } else { Ok(()) }
    }

    fn claim(&self, lesson: &Lesson) -> Result<()> {
        let mut claims = lesson.claims.iter();
        claims.try_for_each(|(claim, words)| self.story.tell(Entry::Claim(claim, words.clone())))
    }

    fn watch(&mut self, lesson: &Lesson, ip: IpAddr, version: &'static str) -> Result<()> {
        let mut play = Play::new(ip, self.story.clone(), self.style, self.audience)?;
        let (mut from, began) = (self.story.count(), Instant::now());
        let played = if let Err(e) = TcpListener::bind((ip, 0)) {
            play.checks.not_available(Words::fixed("the lesson is played", "演示本课"), words!("{e}", "{e}"));
            Ok(())
        } else {
            self.story.tell(Entry::Lanes(lesson.lanes.clone()))?;
            from += 1;
            (lesson.play)(&mut play).and_then(|()| play.lab.clear())
        };
        let played = played.or_else(|e| {
            // The error of a socket's time-out is also that of a system that has no thread to give.
            let is_stuck = began.elapsed() >= STUCK && e.downcast_ref().is_some_and(timed_stream::is_over);
            play.checks.stopped_short(&match is_stuck {
                _ if narration::reader_left(&e) || e.is::<Left>() => return Err(e),
                true => Words::fixed("nothing happened for a minute", "一分钟内没有任何动静"),
                false => words!("{e:#}", "{e:#}"),
            });
            Ok(())
        });
        let shown = played.and_then(|()| play.end_act());
        let told = self.story.since(from);
        // A chapter with only questions was left before anything was played.
        if shown.is_ok() || told.iter().any(|told| !matches!(told, Entry::Question { .. })) {
            let Lesson { name, subject_zh, claims, lanes, .. } = lesson;
            self.chapters.push(Chapter { name, subject_zh, version, claims, lanes: lanes.clone(), told });
        }
        shown
    }

    /// Tells the score and the sum. `options` are those to repeat missed lessons with, each after a blank.
    pub fn sum_up(&self, is_left: bool, options: &str) -> Result<()> {
        let chapters = &self.chapters[self.earlier..];
        if self.audience.quiz {
            say("")?;
            let (sentence, missed) = quiz::score(chapters.iter().flat_map(|chapter| &chapter.told));
            self.style.say(Ink::Bold, &sentence)?;
            let Style { lang, .. } = self.style;
            for question in missed {
                let lines = self.style.broken(lang.pick("  missed: ", "  答错："), question.to(lang));
                say(&self.style.paint(Ink::Bad, &lines.join("\n")))?;
            }
            let is_missed = |chapter: &&Chapter| !quiz::score(chapter.told.iter()).1.is_empty();
            let again: Vec<_> = chapters.iter().filter(is_missed).map(|chapter| chapter.name).collect();
            if !again.is_empty() {
                let again = again.join(" ") + options;
                let hint =
                    words!("Play again: cargo xtask demo {again}", "再来一遍：cargo xtask demo {again}");
                self.style.say(Ink::Bold, &hint)?;
            }
        }
        let tally = page::tally(chapters);
        let (mut sentence, is_kept) = (tally.sentence(), tally.failed == 0);
        if is_left && is_kept {
            let Words { en, zh } = sentence;
            sentence = words!("Left before the end. {en}", "提前退出。{zh}");
        }
        self.story.tell(Entry::Sum { sentence: sentence.clone(), is_kept })?;
        if is_kept { Ok(()) } else { bail!("{}", sentence.to(self.style.lang)) }
    }
}

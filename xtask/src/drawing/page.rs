//! `cargo xtask demo --html FILE`: the lessons as they were played, as one page for a projector and for paper. It
//! needs no script and fetches nothing. Drawn from what the terminal was told, rung by rung.

use std::env::consts;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use common::args;
use common::narration::escape;

use crate::checks::{Check, Tally, Verdict};
use crate::drawing::ladder::{Mark, Rung, SERVER_LANE, WIRE, width};
use crate::drawing::scene::{self, Scene};
use crate::drawing::story::Told;
use crate::replacement::Replacement;
use crate::wire::event::Lane;
use crate::words::{Lang, Words};

const CSS: &str = include_str!("page.css");

/// A page that will be written; the file's old content stays until it is.
pub struct Page {
    name: String,
    replacement: Replacement,
}

impl Page {
    /// Makes sure that the file can be written, before anything is played for it.
    ///
    /// # Errors
    /// A usage error for a name that is not a page's: what is replaced should be one. A failure as
    /// [`Replacement::of`].
    pub fn open(file: &str) -> Result<Self> {
        let (name, path) = (escape(file.as_bytes()), Path::new(file));
        let is_page = path.extension().is_some_and(|extension| extension == "html");
        if !is_page || file.ends_with(std::path::is_separator) {
            return Err(args::usage(format!("--html '{name}': the name of a page ends in .html")));
        }
        let replacement = Replacement::of(path).with_context(|| cannot_write(&name))?;
        Ok(Self { name, replacement })
    }

    /// Writes the page, and says where it is.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(self, scenes: &[Scene<'_>], lang: Lang) -> Result<String> {
        self.replacement.write(&html(scenes, lang)).with_context(|| cannot_write(&self.name))?;
        Ok(self.name)
    }
}

fn cannot_write(name: &str) -> String {
    format!("cannot write the page to '{name}'")
}

/// The whole page.
pub fn html(scenes: &[Scene<'_>], lang: Lang) -> String {
    let to = |en: &'static str, zh: &'static str| Words::fixed(en, zh).to(lang).to_owned();
    let tag = if lang == Lang::Zh { "zh-CN" } else { "en" };
    let title = to("Socket lessons, as they ran", "套接字各课实录");
    let (os, arch) = (consts::OS, consts::ARCH);
    let where_run = words!(
        "One run of cargo xtask demo on {os} ({arch}). Nothing on this page was drawn by hand but the legend.",
        "在 {os}（{arch}）上运行一次 cargo xtask demo 的记录。除图例以外，页面内容全部来自这次运行。"
    );
    let tally = scene::tally(scenes);
    let (state, sum) = (state(&tally), text(tally.sentence().to(lang)));
    let lessons = joined(by_lesson(scenes).map(|scenes| section(scenes, lang)));
    let (contents, legend_title) = (to("Contents", "目录"), to("How to read it", "图例"));
    [
        &format!("<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n"),
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        &format!("<title>{title}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n"),
        &format!("<h1>{title}</h1>\n<p>{}</p>\n", text(where_run.to(lang))),
        &format!("<div class=\"sum {state}\"><p>{sum}</p>\n{}</div>\n", failures(scenes, lang)),
        &format!("<nav>\n<h2>{contents}</h2>\n<ul>\n{}</ul>\n</nav>\n", contents_list(scenes, lang)),
        &format!("<section>\n<h2>{legend_title}</h2>\n{}</section>\n", legend(lang)),
        &lessons,
        "</body>\n</html>\n",
    ]
    .concat()
}

/// The scenes of each lesson.
fn by_lesson<'a, 'b>(scenes: &'a [Scene<'b>]) -> impl Iterator<Item = &'a [Scene<'b>]> {
    scenes.chunk_by(|a, b| a.lesson.name == b.lesson.name)
}

/// The class of a sum.
fn state(tally: &Tally) -> &'static str {
    if tally.broken > 0 { "broken" } else { "kept" }
}

fn anchor(scene: &Scene<'_>) -> String {
    format!("{}-{}", scene.lesson.name, scene.version)
}

/// Every check that failed, where nobody can miss it.
fn failures(scenes: &[Scene<'_>], lang: Lang) -> String {
    let failed = scenes.iter().flat_map(|scene| {
        let broken = scene.checks.all().iter().filter(|check| matches!(check.verdict, Verdict::Broken(_)));
        broken.map(move |check| (scene, check))
    });
    joined(failed.map(|(scene, check)| {
        let (at, name, version) = (anchor(scene), scene.lesson.name, scene.version);
        let sentence = text(check.sentence().to(lang));
        format!("<p><a href=\"#{at}\">✗ {name}, {version}</a>: {sentence}</p>\n")
    }))
}

fn contents_list(scenes: &[Scene<'_>], lang: Lang) -> String {
    let entry = |scenes: &[Scene<'_>]| {
        let lesson = scenes[0].lesson;
        let claims: Vec<_> = lesson.claims.iter().map(|(_, words)| one_line(words, lang)).collect();
        let tally = scene::tally(scenes);
        let state = state(&tally);
        let marks = match tally.broken {
            0 => format!("✓ {}", tally.kept),
            broken => format!("✗ {broken}"),
        };
        let link = |scene| format!(" <a href=\"#{}\">{}</a>", anchor(scene), scene.version);
        let versions = joined(scenes.iter().map(link));
        let (name, claims) = (lesson.name, text(&claims.join(if lang == Lang::Zh { "" } else { " " })));
        let head = format!("<a href=\"#{name}\"><b>{name}</b></a>{versions}");
        format!("<li>{head} <span class=\"{state}\">{marks}</span><br>{claims}</li>\n")
    };
    joined(by_lesson(scenes).map(entry))
}

/// A ladder with everything that a ladder can show.
fn legend(lang: Lang) -> String {
    let rung = |label: &str, mark| Told::Rung(Rung { time: Duration::ZERO, label: label.into(), mark });
    let said = |lane, en: &'static str, zh: &'static str| {
        Mark::Said(lane, vec![Words::fixed(en, zh).to(lang).to_owned()])
    };
    let crossed = |toward, en: &'static str, zh: &'static str, is_lost| Mark::Crossed {
        toward,
        what: Words::fixed(en, zh),
        is_lost,
    };
    let told = [
        rung("#1", said(Lane::Client, "what a program on the left prints", "左侧程序打印的一行")),
        rung("#1", crossed(Lane::Server, "bytes on the wire, to the right", "线路上向右的数据", false)),
        rung("#2", crossed(Lane::Client, "to the left, on connection #2", "向左，属于连接 #2", false)),
        rung("", crossed(Lane::Server, "lost, or not there yet", "丢失，或尚未到达", true)),
        rung("", said(Lane::Server, "what a program on the right prints", "右侧程序打印的一行")),
    ];
    let lanes =
        (Words::fixed("the client's side", "客户端一侧"), Words::fixed("the server's side", "服务器一侧"));
    let note = Words::fixed(
        "Times are seconds since the lesson began. Lines within a millisecond or two of each other may stand in \
         either order: a program's line shows when it was read. Behind each act stand its checks: ✓ came true, \
         ✗ did not, - cannot be judged on this system.",
        "时间是本课开始后的秒数。时刻相差在一两毫秒以内的行，先后不定：程序打印的一行，标的是它被读到的时刻。\
         每一步之后是它的检查结果：✓ 相符，✗ 不符，- 在本系统上无法判断。",
    );
    format!("{}<p>{}</p>\n", body(&told, &lanes, lang), text(note.to(lang)))
}

fn section(scenes: &[Scene<'_>], lang: Lang) -> String {
    let lesson = scenes[0].lesson;
    let name = lesson.name;
    let claims = joined(lesson.claims.iter().map(|(number, words)| {
        format!("<p class=\"claim\"><b>{number}</b> {}</p>\n", text(&one_line(words, lang)))
    }));
    let plays = joined(scenes.iter().map(|scene| {
        let (at, version) = (anchor(scene), scene.version);
        let told = body(&scene.told, &lesson.lanes, lang);
        let heading = words!("{name} over {version}", "{name}（{version}）");
        format!("<h3 id=\"{at}\">{}</h3>\n{told}", heading.to(lang))
    }));
    format!("<section>\n<h2 id=\"{name}\">{name}</h2>\n{claims}{plays}</section>\n")
}

/// What was told, with the rungs between two other things as one ladder.
fn body(told: &[Told], lanes: &(Words, Words), lang: Lang) -> String {
    let line = |told: &Told| match told {
        Told::Act(words) => format!("<p class=\"act\">{}</p>\n", text(words.to(lang))),
        Told::Evidence(words) => format!("<p class=\"evidence\">{}</p>\n", text(words.to(lang))),
        Told::Row(words) => format!("<pre class=\"row\">{}</pre>\n", text(words.to(lang))),
        Told::Check(check) => verdict(check, lang),
        Told::Rung(_) => String::new(),
    };
    let is_rung = |told: &Told| matches!(told, Told::Rung(_));
    joined(told.chunk_by(|a, b| is_rung(a) && is_rung(b)).map(|group| {
        let rungs: Vec<_> = group.iter().filter_map(Told::rung).collect();
        let ladders = rungs.chunks(RUNGS_A_LADDER).map(|rungs| ladder(rungs, lanes, lang));
        joined(ladders.chain(group.iter().map(line)))
    }))
}

fn verdict(check: &Check, lang: Lang) -> String {
    let class = match check.verdict {
        Verdict::Kept => "kept",
        Verdict::Broken(_) => "broken",
        Verdict::NotAvailable(_) => "absent",
    };
    format!("<p class=\"check {class}\">{} {}</p>\n", check.mark(), text(check.sentence().to(lang)))
}

/// Longer ladders go on in another one: so one with a heading above it fits a sheet of A4.
const RUNGS_A_LADDER: usize = 20;

// The picture's units are those of its text: a column is as wide as most monospaced fonts make it.
const COLUMN: usize = 9;
const LINE: usize = 24;
const LEFT_RAIL: usize = 11 * COLUMN;
const RIGHT_RAIL: usize = LEFT_RAIL + (WIRE + 2) * COLUMN;
const WIDTH: usize = RIGHT_RAIL + (SERVER_LANE + 1) * COLUMN;

fn ladder(rungs: &[&Rung], lanes: &(Words, Words), lang: Lang) -> String {
    let mut drawn = String::new();
    let mut y = LINE;
    drawn += &label("head", LEFT_RAIL + COLUMN, y, lanes.0.to(lang));
    drawn += &label("head", RIGHT_RAIL + COLUMN, y, lanes.1.to(lang));
    y += LINE;
    for rung in rungs {
        drawn += &label("time", 0, y, &format!("{:7.3} {:>2}", rung.time.as_secs_f64(), rung.label));
        match &rung.mark {
            Mark::Said(lane, lines) => {
                let (class, x) = match lane {
                    Lane::Client => ("client", LEFT_RAIL + COLUMN),
                    Lane::Server => ("server", RIGHT_RAIL + COLUMN),
                };
                for line in lines {
                    drawn += &label(class, x, y, line);
                    y += LINE;
                }
            }
            Mark::Crossed { toward, what, is_lost } => {
                drawn += &arrow(*toward, y, what.to(lang), *is_lost);
                y += LINE;
            }
        }
    }
    let rail = |x: usize| format!("<path class=\"rail\" d=\"M{x} {} V{}\"/>\n", LINE / 2, y - LINE / 3);
    format!(
        "<div class=\"ladder\" tabindex=\"0\"><svg viewBox=\"0 0 {WIDTH} {y}\" role=\"img\">\n{}{}{drawn}</svg></div>\n",
        rail(LEFT_RAIL),
        rail(RIGHT_RAIL),
    )
}

/// A line of text; `y` is its baseline.
fn label(class: &str, x: usize, y: usize, words: &str) -> String {
    format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>\n", text(words))
}

fn arrow(toward: Lane, y: usize, words: &str, is_lost: bool) -> String {
    let (from, to, back) = match toward {
        Lane::Server => (LEFT_RAIL, RIGHT_RAIL, RIGHT_RAIL - COLUMN),
        Lane::Client => (RIGHT_RAIL, LEFT_RAIL, LEFT_RAIL + COLUMN),
    };
    let (line, middle) = (y - LINE / 4, LEFT_RAIL.midpoint(RIGHT_RAIL));
    let (up, down) = (line - COLUMN / 2, line + COLUMN / 2);
    let half = (width(words) + 2) * COLUMN / 2; // of the gap for the words
    let (class, head) = if is_lost {
        ("lost", format!("<path class=\"cross\" d=\"M{back} {up} L{to} {down} M{to} {up} L{back} {down}\"/>"))
    } else {
        ("wire", format!("<path class=\"tip\" d=\"M{to} {line} L{back} {up} V{down} Z\"/>"))
    };
    let (left, right) = (from.min(back), from.max(back));
    let (before, after) = (middle - half, middle + half);
    format!(
        "<path class=\"{class}\" d=\"M{left} {line} H{before} M{after} {line} H{right}\"/>{head}\n{}",
        label(&format!("{class} what"), middle, y, words)
    )
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect()
}

/// The claim on one line: its line feeds are for terminals.
fn one_line(words: &Words, lang: Lang) -> String {
    words.to(lang).replace('\n', if lang == Lang::Zh { "" } else { " " })
}

/// Text that a browser shows and does not obey.
fn text(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => shown += "&amp;",
            '<' => shown += "&lt;",
            '>' => shown += "&gt;",
            '"' => shown += "&quot;",
            '\'' => shown += "&#39;",
            _ => shown.push(c),
        }
    }
    shown
}

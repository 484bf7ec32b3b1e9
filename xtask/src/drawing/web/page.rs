//! What was told, as one page for a projector and for paper, without scripts.

use std::time::Duration;

use super::pieces::{self, body, joined, one_line, text};
use crate::checks::Tally;
use crate::drawing::entry::{Entry, Fate, Lanes, Mark, Rung};
use crate::wire::event::Side;
use crate::words::{Lang, Words};

pub const CSS: &str = include_str!("page.css");
pub const DARK: &str = include_str!("dark.css");
/// Where it is dark: never on paper.
pub const DARK_WHEN: &str = "screen and (prefers-color-scheme: dark)";

pub struct Cover {
    pub title: Words,
    pub intro: Words,
    /// Nothing is printed in its lanes: an arrow has the room of both.
    pub is_bare: bool,
}

impl Cover {
    pub fn main(&self) -> &'static str {
        if self.is_bare { "<main class=\"bare\">\n" } else { "<main>\n" }
    }
}

pub struct Chapter {
    pub name: &'static str,
    pub subject_zh: &'static str,
    pub version: &'static str,
    pub claims: &'static [(&'static str, Words)],
    pub lanes: Lanes,
    pub told: Vec<Entry>,
}

pub fn tally(chapters: &[Chapter]) -> Tally {
    let mut tally = Tally::default();
    for told in chapters.iter().flat_map(|chapter| &chapter.told) {
        if let Entry::Check(check) = told {
            tally.add(&check.verdict);
        }
    }
    tally
}

pub fn html(cover: &Cover, chapters: &[Chapter], lang: Lang) -> String {
    let tally = tally(chapters);
    let mut page = begin(cover, "", lang);
    if asks(chapters) {
        page += &printing(lang);
    }
    if tally != Tally::default() {
        page += &pieces::sum(&tally.sentence(), tally.failed == 0, lang);
    }
    let lessons = chapters.chunk_by(|a, b| a.name == b.name);
    page += &contents(lessons.clone(), lang);
    // A page of charts has no ladders to read.
    if chapters.iter().flat_map(|chapter| &chapter.told).any(|told| told.rung().is_some()) {
        page += &legend(cover.is_bare, lang);
    }
    page.extend(lessons.map(|chapters| section(chapters, lang)));
    page + "</main>\n</body>\n</html>\n"
}

/// Whether these ask anything: only then is what they show folded away.
fn asks(chapters: &[Chapter]) -> bool {
    chapters.iter().flat_map(|chapter| &chapter.told).any(is_question)
}

fn is_question(told: &Entry) -> bool {
    matches!(told, Entry::Question { .. })
}

/// How to print a quiz with its answers and without. A box that is checked shows all answers; without a script, only
/// loading the page again closes those that were opened one by one.
fn printing(lang: Lang) -> String {
    let print = lang.pick(
        "Printed, this page is a sheet of questions; answers that are shown are printed, too.",
        "打印出来是一张试题；显示出来的答案也会打印。",
    );
    let show = lang.pick("show all answers", "显示全部答案");
    let hide = lang.pick("close all answers (loads the page again)", "收起全部答案（重新载入本页）");
    format!(
        "<input type=\"checkbox\" id=\"answers\" autocomplete=\"off\"> <label for=\"answers\">{show}</label>\n\
         <p id=\"printing\">{print} <a href=\"?\">{hide}</a></p>\n"
    )
}

/// A chapter's questions, with what answers them folded away after each.
fn asked(Chapter { told, lanes, .. }: &Chapter, claims: &str, lang: Lang) -> String {
    let name = lang.pick("What happened, and the answer", "实验过程与答案");
    let folded = |answer: &str| {
        // Beside what folds it, not in it, an answer can be shown without a script.
        format!(
            "<details class=\"fold\"><summary>{name}</summary></details>\n<div class=\"answer\">\n{answer}</div>\n"
        )
    };
    let mut parts = told.chunk_by(|a, b| is_question(a) == is_question(b)).peekable();
    let mut drawn = String::new();
    while let Some(part) = parts.next() {
        let claims = if parts.peek().is_none() { claims } else { "" };
        let shown = body(part, lanes, lang);
        drawn += &if is_question(&part[0]) { shown } else { folded(&(shown + claims)) };
    }
    drawn
}

/// A page up to its main part, with more styles than each has.
pub fn begin(cover: &Cover, styles: &str, lang: Lang) -> String {
    let (title, intro, main) = (text(cover.title.to(lang)), text(cover.intro.to(lang)), cover.main());
    let head = head(&title, lang);
    format!(
        "{head}<style>\n{CSS}{styles}</style>\n<style media=\"{DARK_WHEN}\">\n{DARK}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n<p>{intro}</p>\n</header>\n{main}"
    )
}

pub fn head(title: &str, lang: Lang) -> String {
    let tag = lang.pick("en", "zh-CN");
    format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n"
    )
}

fn contents<'a>(lessons: impl Iterator<Item = &'a [Chapter]>, lang: Lang) -> String {
    let entry = |chapters: &[Chapter]| {
        let first = &chapters[0];
        let claims = first.claims.iter().filter(|_| !asks(chapters)); // they would give answers away
        let claims: Vec<_> = claims.map(|(_, words)| one_line(words, lang)).collect();
        let tally = tally(chapters);
        let (state, marks) = match (tally.failed, tally.undecided, tally.passed) {
            (0, 0, 0) => ("passed", String::new()),
            (0, 0, passed) => ("passed", format!("✓ {passed}")),
            (0, open, _) => ("failed", format!("? {open}")),
            (failed, ..) => ("failed", format!("✗ {failed}")),
        };
        let link =
            |Chapter { name, version, .. }: &Chapter| format!(" <a href=\"#{name}-{version}\">{version}</a>");
        let versions = joined(chapters.iter().map(link));
        let (name, claims) = (first.name, text(&claims.join(lang.pick(" ", ""))));
        let shown = text(&pieces::named(name, first.subject_zh, lang));
        format!(
            "<li><a href=\"#{name}\"><b>{shown}</b></a>{versions} <span class=\"{state}\">{marks}</span><br>{claims}</li>\n"
        )
    };
    let (name, list) = (lang.pick("Contents", "目录"), joined(lessons.map(entry)));
    format!(
        "<nav aria-labelledby=\"contents\">\n<h2 id=\"contents\">{name}</h2>\n<ul>\n{list}</ul>\n</nav>\n"
    )
}

/// A ladder with everything that a ladder can show.
pub fn legend(is_bare: bool, lang: Lang) -> String {
    let rung = |label: &str, mark| Entry::Rung(Rung { time: Duration::ZERO, label: label.into(), mark });
    let of = Words::fixed;
    let beside = |client, server| rung("", Mark::Beside([client, server]));
    let crossed = |label, toward, what, fate| rung(label, Mark::Crossed { toward, what, fate });
    let mut told = vec![
        beside(of("printed by a program on the left", "左侧程序打印的一行"), of("", "")),
        crossed("#1", Side::Server, of("bytes on the wire, to the right", "线路上向右的数据"), Fate::Arrived),
        crossed("#2", Side::Client, of("to the left, on connection #2", "向左，属于连接 #2"), Fate::Arrived),
        crossed("", Side::Server, of("lost", "丢失"), Fate::Lost),
        crossed("", Side::Server, of("held back", "扣住，稍后才放行"), Fate::HeldBack),
        beside(of("", ""), of("printed by a program on the right", "右侧程序打印的一行")),
        beside(of("[STATE]", "[状态]"), of("[state in the kernel]", "[内核里的状态]")),
    ];
    told.retain(|told| !is_bare || matches!(told, Entry::Rung(Rung { mark: Mark::Crossed { .. }, .. })));
    let lanes = (of("the client's side", "客户端一侧"), of("the server's side", "服务器一侧"));
    let note = if is_bare {
        lang.pick("Times are seconds since the beginning.", "时间是从开始算起的秒数。")
    } else {
        lang.pick(
            "Times are seconds since the lesson began. A printed line is seen slightly later than bytes on the wire. So \
             the order of two lines that are less than two milliseconds apart may be wrong. After each act come its \
             checks: ✓ passed, ✗ failed, - not available on this system.",
            "时间是本课开始后的秒数。两行相差不到两毫秒，先后就可能画反：程序打印的内容，看到得比线路上的字节稍晚。\
             每一步之后是它的检查：✓ 通过，✗ 失败，- 在本系统上无法演示。",
        )
    };
    let (heading, drawn) = (lang.pick("How to read it", "图例"), body(&told, &lanes, lang));
    format!(
        "<section aria-labelledby=\"legend\">\n<h2 id=\"legend\">{heading}</h2>\n{drawn}<p>{}</p>\n</section>\n",
        text(note)
    )
}

fn section(chapters: &[Chapter], lang: Lang) -> String {
    let (first, is_quiz) = (&chapters[0], asks(chapters));
    let name = first.name;
    let shown = text(&pieces::named(name, first.subject_zh, lang));
    let claims = joined(
        first.claims.iter().map(|(number, words)| pieces::piece(&Entry::Claim(number, words.clone()), lang)),
    );
    let plays = joined(chapters.iter().map(|chapter| {
        let told =
            if is_quiz { asked(chapter, &claims, lang) } else { body(&chapter.told, &chapter.lanes, lang) };
        format!("{}{told}", pieces::title((name, ""), chapter.version, false, lang))
    }));
    let claims = if is_quiz { "" } else { &claims };
    format!(
        "<section aria-labelledby=\"{name}\">\n<h2 id=\"{name}\">{shown}</h2>\n{claims}{plays}</section>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A colour's relative luminance (WCAG 2.2).
    fn luminance(css: &str, name: &str) -> f64 {
        let at = css.find(&format!("--{name}: #")).unwrap() + name.len() + 5;
        let channel = |from| {
            let value = f64::from(u8::from_str_radix(&css[at + from..][..2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    }

    #[test]
    fn the_back_row_can_tell_text_and_lines_from_what_is_behind_them() {
        for (where_, css) in
            [("light", CSS), ("dark", DARK), ("paper", &CSS[CSS.find("@media print").unwrap()..])]
        {
            // On paper, what is not said anew is as where it is light.
            let of = |name| luminance(if css.contains(&format!("--{name}: ")) { css } else { CSS }, name);
            let stands_out = |name, behind, least| {
                let (a, b): (f64, f64) = (of(name), of(behind));
                let found = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(found >= least, "{where_}: {name} on {behind} has {found:.2}");
            };
            for behind in ["paper", "panel"] {
                for name in ["text", "faint", "client", "server", "good", "bad", "held"] {
                    stands_out(name, behind, 4.5);
                }
                stands_out("rule", behind, 3.0);
            }
            stands_out("bad", "bad-paper", 4.5);
        }
    }

    #[test]
    fn on_the_page_of_a_quiz_only_questions_are_shown_and_a_lesson_without_one_is_shown_in_full() {
        let of = |text| Words::fixed(text, "");
        let claims = const { &[("C1", Words::fixed("the claim", ""))] };
        let chapter = |name, told| {
            let lanes = (of("client"), of("server"));
            Chapter { name, subject_zh: "", version: "IPv4", claims, lanes, told }
        };
        let (question, verdict, why) = (of("what happens?"), of("right"), of("because"));
        let ask = Entry::Question { question: question.clone(), choices: vec![of("this"), of("that")] };
        let judged = Entry::Judged { question, verdict, is_right: Some(true), why };
        let asked = vec![ask, Entry::Act(of("it")), judged];
        let chapters = [chapter("quiz", asked), chapter("plain", vec![Entry::Act(of("plain act"))])];
        let page = html(&Cover { title: of("t"), intro: of("i"), is_bare: false }, &chapters, Lang::En);
        let (quiz, plain) = page.split_once("<h2 id=\"plain\">").unwrap();
        let (shown, folded) = quiz.split_once("<details").unwrap();
        assert!(shown.contains("<li>1. this</li><li>2. that</li>"), "{shown}");
        assert!(shown.contains("id=\"answers\"") && shown.contains("<a href=\"?\">"), "all of them: {shown}");
        for answer in ["<h4 class=\"act\">it", "= right</b>: because"] {
            assert!(!shown.contains(answer) && folded.contains(answer), "{answer}: {page}");
        }
        assert_eq!((page.matches("<details").count(), plain.matches("<details").count()), (1, 0), "{page}");
        assert!(plain.contains("the claim") && plain.contains("<h4 class=\"act\">plain act"), "{plain}");
    }
}

//! What was told, as pieces of a page: paragraphs, and ladders as lists of rungs. A rung's words are text, for screen
//! readers; its arrow is made of lines (`page.css`) and a tip.

use crate::checks::Verdict;
use crate::drawing::entry::{Entry, Fate, Lanes, Mark, Rung};
use crate::drawing::style::Style;
use crate::wire::event::Side;
use crate::words::{Lang, Words};

pub fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect()
}

/// Text that a browser shows and does not obey.
pub fn text(words: &str) -> String {
    let shown = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    shown.replace('"', "&quot;").replace('\'', "&#39;")
}

/// What was told, with the rungs between two other things as one ladder under its lanes.
pub fn body(told: &[Entry], standing: &Lanes, lang: Lang) -> String {
    let is_rung = |told: &Entry| matches!(told, Entry::Rung(_));
    let draw = |told: &[Entry]| joined(told.iter().map(|told| piece(told, lang)));
    joined(told.chunk_by(|a, b| is_rung(a) && is_rung(b)).map(|group| {
        if !is_rung(&group[0]) {
            return draw(group);
        }
        let lanes = lanes(standing, lang);
        let drawn = |rungs| format!("<div class=\"sheet\">\n{lanes}{}</div>\n", ladder(&draw(rungs), lang));
        joined(group.chunks(RUNGS_A_SHEET).map(drawn))
    }))
}

/// Longer ladders go on in another one, under the lanes again: so one with a heading above it fits a sheet of A4.
const RUNGS_A_SHEET: usize = 20;

/// One thing that was told; a rung is an item of a [`ladder`].
pub fn piece(told: &Entry, lang: Lang) -> String {
    let paragraph = |class: &str, shown: &str| format!("<p class=\"{class}\">{}</p>\n", text(shown));
    match told {
        Entry::Title { name, subject_zh, version, is_new } => {
            title((name, subject_zh), version, *is_new, lang)
        }
        Entry::Claim(number, words) => {
            format!("<p class=\"claim\"><b>{}</b> {}</p>\n", text(number), text(&one_line(words, lang)))
        }
        Entry::Lanes(standing) => lanes(standing, lang),
        Entry::Act(words) => format!("<h4 class=\"act\">{}</h4>\n", text(words.to(lang))),
        Entry::Rung(it) => rung(it, lang),
        Entry::Evidence(words) => paragraph("evidence", words.to(lang)),
        Entry::Check(check) => {
            let shown = format!("{} {}", check.verdict.mark(), check.sentence().to(lang));
            paragraph(&format!("check {}", class(&check.verdict)), &shown)
        }
        Entry::Hint(words) => paragraph("evidence", &format!("→ {}", one_line(words, lang))),
        Entry::Code(line) => paragraph("row", line),
        // A chart and a table are the terminal's: the same figures at the same places, which are read out, too.
        Entry::Chart(_) | Entry::Sockets(_) => {
            let lines = told.lines(Style::plain(lang)).join("\n");
            format!("<pre class=\"printed\" tabindex=\"0\">{}</pre>\n", text(&lines))
        }
        Entry::Question { question, choices } => {
            // A number is text: whoever listens, or copies, gets it, too.
            let choice =
                |(number, choice): (usize, &Words)| format!("<li>{number}. {}</li>", text(choice.to(lang)));
            let (question, choices) = (text(question.to(lang)), joined((1..).zip(choices).map(choice)));
            format!("<div class=\"question\"><p>? {question}</p><ol>{choices}</ol></div>\n")
        }
        Entry::Judged { question, verdict, is_right, why } => {
            let class = is_right.map_or("absent", |right| if right { "passed" } else { "failed" });
            let [question, verdict, why] = [question, verdict, why].map(|words| text(words.to(lang)));
            let colon = lang.pick(": ", "：");
            format!(
                "<p class=\"evidence verdict\">? {question}<br><b class=\"{class}\">= {verdict}</b>{colon}{why}</p>\n"
            )
        }
        Entry::Sum { sentence, is_kept } => sum(sentence, *is_kept, lang),
    }
}

pub fn ladder(rungs: &str, lang: Lang) -> String {
    let name = lang.pick("ladder", "时序图");
    format!("<ol class=\"ladder\" role=\"list\" aria-label=\"{name}\">\n{rungs}</ol>\n")
}

/// What is played over which version, under the name where that is new.
pub fn title((name, subject): (&str, &str), version: &str, is_new: bool, lang: Lang) -> String {
    let (name, shown) = (text(name), text(&named(name, subject, lang)));
    let heading = if is_new { format!("<h2 id=\"{name}\">{shown}</h2>\n") } else { String::new() };
    let full = words!("{name} over {version}", "{name}（{version}）");
    format!("{heading}<h3 id=\"{name}-{version}\">{}</h3>\n", full.to(lang))
}

/// A name, in Chinese with its subject.
pub fn named(name: &str, subject_zh: &str, lang: Lang) -> String {
    if lang == Lang::En || subject_zh.is_empty() { name.into() } else { format!("{name}：{subject_zh}") }
}

pub fn sum(sentence: &Words, is_kept: bool, lang: Lang) -> String {
    let (state, name) = (if is_kept { "passed" } else { "failed" }, lang.pick("Result", "结果"));
    let sentence = text(sentence.to(lang));
    format!("<section class=\"sum {state}\" aria-label=\"{name}\"><p>{sentence}</p></section>\n")
}

/// The claim on one line: its line feeds are for terminals.
pub fn one_line(words: &Words, lang: Lang) -> String {
    words.to(lang).replace('\n', lang.pick(" ", ""))
}

pub fn class(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) | Verdict::Undecided(_) => "failed",
        Verdict::NotAvailable(_) => "absent",
    }
}

fn lanes((client, server): &Lanes, lang: Lang) -> String {
    let lane = |name| format!("<span>{}</span>", text(name));
    let [time, wire] = [lang.pick("time", "时间/秒"), lang.pick("wire", "线路")];
    format!("<p class=\"lanes\">{}</p>\n", [time, client.to(lang), wire, server.to(lang)].map(lane).join(" "))
}

/// A rung, with whose it is in words: for a screen reader, what its place and its arrow show.
fn rung(rung: &Rung, lang: Lang) -> String {
    let cell = |class: &str, whose: &str, what: &Words, tip: &str| {
        let (whose, what) = (format!("<span class=\"twin\">{whose}</span>"), text(what.to(lang)));
        let tip = match tip {
            "" => String::new(),
            path => format!(
                "<svg class=\"tip\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><path d=\"{path}\"/></svg>"
            ),
        };
        format!(" <span class=\"{class}\"><span class=\"what\">{whose}{what}</span>{tip}</span>")
    };
    let drawn = match &rung.mark {
        Mark::Beside(lines) => {
            let sides = [
                ("client", lang.pick("client's side: ", "客户端一侧：")),
                ("server", lang.pick("server's side: ", "服务器一侧：")),
            ];
            let lines = sides.iter().zip(lines).filter(|(_, line)| !line.en.is_empty());
            joined(lines.map(|((class, whose), line)| cell(class, whose, line, "")))
        }
        Mark::Crossed { what, fate: Fate::Unseen, .. } => {
            cell("wire unseen", lang.pick("both ways: ", "双向："), what, "")
        }
        Mark::Crossed { toward, what, fate } => {
            let to_server = lang.pick("to the server's side: ", "发往服务器一侧：");
            let to_client = lang.pick("to the client's side: ", "发往客户端一侧：");
            let (way, whose, arrow) = match toward {
                Side::Server => ("right", to_server, "M0 0 L10 5 L0 10 Z"),
                Side::Client => ("left", to_client, "M10 0 L0 5 L10 10 Z"),
            };
            let (how, tip) = match fate {
                Fate::Lost => (" lost", "M1.5 1.5 L8.5 8.5 M8.5 1.5 L1.5 8.5"),
                Fate::HeldBack => (" held", "M3 0 V10 M8 0 V10"),
                Fate::Arrived | Fate::Unseen => ("", arrow),
            };
            cell(&format!("wire {way}{how}"), whose, what, tip)
        }
    };
    let (seconds, label) = (rung.seconds(), text(&rung.label));
    let seconds = seconds.trim_start();
    format!("<li class=\"rung\"><span class=\"time\">{seconds:>6} {label:>2}</span>{drawn}</li>\n")
}

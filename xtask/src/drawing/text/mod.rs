//! What was told, as lines of text.

mod chart;
pub mod ladder;

use super::entry::Entry;
use super::style::{Ink, Style};
use crate::wire::event::Side;
use crate::words::Words;

impl Entry {
    pub fn lines(&self, style: Style) -> Vec<String> {
        let to = |words: &Words| words.to(style.lang).to_owned();
        let broken = |head: &str, words: &Words| style.broken(&style.signs(head), &to(words));
        let bold = |lines: Vec<String>| lines.iter().map(|line| style.paint(Ink::Bold, line)).collect();
        // What is in colour is never broken: a line's width is that of its text.
        let with = |ink, mark: &str, lines: Vec<String>| -> Vec<_> {
            let (mark, mut lines) = (style.signs(mark), lines.into_iter());
            let first = lines.next().map(|line| line.replacen(&mark, &style.paint(ink, &mark), 1));
            first.into_iter().chain(lines).collect()
        };
        match self {
            Self::Title { name, subject_zh, version, .. } => {
                let colon = if subject_zh.is_empty() { "" } else { "：" };
                let title =
                    words!("== {name} over {version} ==", "== {name}{colon}{subject_zh}（{version}）==");
                vec![String::new(), style.paint(Ink::Bold, &to(&title))]
            }
            Self::Claim(number, words) => broken(&format!("{number:4} "), words),
            Self::Lanes(lanes) => vec![ladder::head(style, lanes)],
            Self::Act(words) => bold(broken("> ", words)),
            Self::Rung(rung) => ladder::lines(style, rung),
            Self::Evidence(words) => style.broken("    ", &style.signs(&to(words))),
            Self::Hint(words) => broken("    → ", words),
            Self::Code(line) => vec![format!("        {line}")],
            Self::Sockets(rows) => {
                let head = Words::fixed("the kernel's table of sockets:", "内核的套接字表：");
                let row = |(side, words): &(Side, Words)| {
                    let ink = if *side == Side::Client { Ink::Client } else { Ink::Server };
                    style.paint(ink, &format!("      {}", to(words)))
                };
                broken("    ", &head).into_iter().chain(rows.iter().map(row)).collect()
            }
            Self::Check(check) => {
                let mark = check.verdict.mark();
                with(check.verdict.ink(), mark, broken(&format!("  {mark} "), &check.sentence()))
            }
            Self::Chart(chart) => chart::lines(style, chart),
            Self::Question { question, choices } => {
                let choices = (1..).zip(choices);
                let choices = choices.flat_map(|(number, choice)| broken(&format!("    {number}  "), choice));
                bold(broken("? ", question)).into_iter().chain(choices).collect()
            }
            Self::Judged { question, verdict, is_right, why } => {
                let ink = is_right.map_or(Ink::Bold, |right| if right { Ink::Good } else { Ink::Bad });
                let verdict = to(verdict);
                let why = format!("{verdict}{}{}", style.lang.pick(": ", "："), to(why));
                let answer = with(ink, &format!("= {verdict}"), style.broken("= ", &why));
                [bold(broken("? ", question)), answer].concat()
            }
            Self::Sum { sentence, is_kept: true } => {
                vec![String::new(), style.paint(Ink::Good, sentence.to(style.lang))]
            }
            Self::Sum { is_kept: false, .. } => Vec::new(), // the task reports it as its error
        }
    }
}

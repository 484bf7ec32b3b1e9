//! What was told, as lines of text.

mod chart;
pub mod ladder;

use std::iter;

use super::columns::broken;
use super::entry::Entry;
use super::style::{Ink, Style};

impl Entry {
    /// As lines of text.
    pub fn lines(&self, style: Style) -> Vec<String> {
        match self {
            Self::Title { name, subject_zh, version, .. } => {
                let colon = if subject_zh.is_empty() { "" } else { "：" };
                let title =
                    words!("== {name} over {version} ==", "== {name}{colon}{subject_zh}（{version}）==");
                vec![String::new(), style.paint(Ink::Bold, title.to(style.lang))]
            }
            Self::Claim(number, words) => {
                let lines = words.to(style.lang).lines().map(|line| style.folded(5, line));
                vec![format!("{number:4} {}", lines.collect::<Vec<_>>().join("\n     "))]
            }
            Self::Lanes(lanes) => vec![ladder::head(style, lanes)],
            Self::Act(words) => {
                vec![style.paint(Ink::Bold, &format!("> {}", style.folded(2, words.to(style.lang))))]
            }
            Self::Rung(rung) => ladder::lines(style, rung),
            Self::Evidence(words) => vec![format!("    {}", style.folded(4, words.to(style.lang)))],
            Self::Socket(words) => {
                vec![style.paint(Ink::Faint, &format!("      {}", words.to(style.lang)))]
            }
            Self::Hint(words) => style.broken(&style.signs("    → "), words.to(style.lang)),
            Self::Check(check) => {
                let (mark, sentence) = (style.mark(&check.verdict), check.sentence());
                vec![format!("  {mark} {}", style.folded(4, sentence.to(style.lang)))]
            }
            Self::Chart(chart) => chart::lines(style, chart),
            Self::Remark(words) => {
                let lines = broken(&style.signs(words.to(style.lang)), style.width - 6);
                let indented = lines.iter().enumerate();
                indented
                    .map(|(at, line)| format!("{:1$}{2}", "", if at == 0 { 4 } else { 6 }, line.trim_end()))
                    .collect()
            }
            Self::Question { question, choices } => {
                let question =
                    style.paint(Ink::Bold, &format!("? {}", style.folded(2, question.to(style.lang))));
                let choices = (1..).zip(choices);
                let choices = choices.map(|(number, choice)| {
                    format!("    {number}  {}", style.folded(7, choice.to(style.lang)))
                });
                iter::once(question).chain(choices).collect()
            }
            Self::Judged { verdict, is_right, why } => {
                let ink = is_right.map_or(Ink::Bold, |right| if right { Ink::Good } else { Ink::Bad });
                let verdict = format!("= {}", verdict.to(style.lang));
                let (en, zh) = (&why.en, &why.zh);
                let line = words!("{verdict}: {en}", "{verdict}：{zh}");
                let folded = style.folded(2, line.to(style.lang));
                vec![folded.replacen(&verdict, &style.paint(ink, &verdict), 1)]
            }
            Self::Sum { sentence, is_kept: true } => {
                vec![String::new(), style.paint(Ink::Good, sentence.to(style.lang))]
            }
            Self::Sum { is_kept: false, .. } => Vec::new(), // the task reports it as its error
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::columns::width;
    use crate::words::{Lang, Words};

    #[test]
    fn a_remark_is_broken_where_the_line_ends() {
        let style = Style { width: 80, ..Style::plain(Lang::En) };
        let lines = Entry::Remark(Words { en: "word ".repeat(40).into(), zh: "".into() }).lines(style);
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("    word") && lines[1].starts_with("      word"), "{lines:?}");
        assert!(lines.iter().all(|line| width(line) <= 80 && line.ends_with("word")), "{lines:?}");
    }
}

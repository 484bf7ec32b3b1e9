//! What came of many programs, as one page: a table, the mistakes, and a section for each.

use super::markup::{joined, text};
use super::page::{self, Cover};
use super::pieces::{self, body};
use crate::checks::Verdict;
use crate::drawing::entry::{Entry, Lanes};
use crate::words::{Lang, Words};

/// How the table looks.
const TABLE: &str = include_str!("board.css");

/// One program.
pub struct ClassRow {
    pub name: String,
    /// How many stages have passed.
    pub passed: Words,
    /// Where it stopped.
    pub note: Words,
    /// A verdict for each stage that was judged.
    pub cells: Vec<Option<Verdict>>,
    /// What its section shows.
    pub told: Vec<Entry>,
}

/// A mistake: how often it was made, its name, what is told of it, and what plays it.
pub type Counted<'a> = (usize, &'a str, Words, String);

pub fn html(
    cover: &Cover,
    sum: &[Words],
    stages: &[(&str, &Words)],
    rows: &[ClassRow],
    mistakes: &[Counted<'_>],
    standing: &Lanes,
    lang: Lang,
) -> String {
    let to = |words: &Words| text(words.to(lang));
    let head = |(name, sentence): &(&str, &Words)| {
        format!("<th scope=\"col\" title=\"{}\"><span>{}</span></th>", to(sentence), text(name))
    };
    let cell = |(verdict, (stage, _)): (&Option<Verdict>, &(&str, &Words))| {
        let Some(verdict) = verdict else { return "<td></td>".into() };
        let (class, name, mark) = (pieces::class(verdict), to(&verdict.name()), verdict.mark());
        format!(
            "<td class=\"{class}\" title=\"{stage}: {name}\">{mark}<span class=\"twin\"> {name}</span></td>"
        )
    };
    let row = |(number, row): (usize, &ClassRow)| {
        let cells = joined(row.cells.iter().zip(stages).map(cell));
        let (name, passed) = (text(&row.name), to(&row.passed));
        let head = format!("<th scope=\"row\"><a href=\"#s{number}\">{name}</a></th>");
        format!("<tr>{head}<td>{passed}</td>{cells}</tr>\n")
    };
    let mistake = |(count, name, words, lesson): &Counted<'_>| {
        let (name, words, lesson) = (text(name), to(words), text(lesson));
        format!("<p><b>{count} × {name}</b><br>{words}<br><code>{lesson}</code></p>\n")
    };
    let section = |(number, row): (usize, &ClassRow)| {
        let (name, passed, note, told) =
            (text(&row.name), to(&row.passed), to(&row.note), body(&row.told, standing, lang));
        format!(
            "<section aria-labelledby=\"s{number}\">\n<h2 id=\"s{number}\">{name}: {passed}</h2>\n\
             <p>{note}</p>\n{told}</section>\n"
        )
    };
    let sum = joined(sum.iter().map(|words| format!("<p>{}</p>\n", to(words))));
    let found = joined(mistakes.iter().map(mistake));
    let heading = Words::fixed("Mistakes", "错误");
    let found = if found.is_empty() { found } else { format!("<h2>{}</h2>\n{found}", to(&heading)) };
    let (heads, numbered) = (joined(stages.iter().map(head)), || (1..).zip(rows));
    [
        &page::begin(cover, TABLE, lang),
        &format!("<div class=\"sum\">{sum}</div>\n"),
        &format!(
            "<div class=\"wide\" tabindex=\"0\"><table class=\"board\">\n<tr><td></td><td></td>{heads}</tr>\n"
        ),
        &format!("{}</table></div>\n{found}", joined(numbered().map(row))),
        &joined(numbered().map(section)),
        "</main>\n</body>\n</html>\n",
    ]
    .concat()
}

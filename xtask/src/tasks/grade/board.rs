//! What came of a class, as one page: a table, the mistakes, and a section for each submission, with the ladders of what
//! has not passed.

use super::output::{Run, Work};
use super::report::intro;
use super::sum::{mistakes, note, passed, sentence, tomorrow};
use crate::drawing::entry::Entry;
use crate::drawing::page::{self, Cover};
use crate::drawing::pieces::{self, body, joined, text};
use crate::exercises::{Mistake, Stage};
use crate::tasks::shown;
use crate::words::Words;

/// How the table looks.
const TABLE: &str = include_str!("board.css");

pub fn html(run: &Run<'_>) -> String {
    let (config, lang, stages) = (run.config, run.config.style.lang, run.config.stages());
    let to = |words: &Words| text(words.to(lang));
    let head = |stage: &&Stage| {
        format!("<th scope=\"col\" title=\"{}\"><span>{}</span></th>", to(&stage.promise.1), stage.name)
    };
    let cell = |work: &Work, stage: &'static Stage| {
        let Some(verdict) = work.of(stage).map(|judged| &judged.verdict) else { return "<td></td>".into() };
        let (class, name, mark) = (pieces::class(verdict), to(&verdict.name()), verdict.mark());
        let stage = stage.name;
        format!(
            "<td class=\"{class}\" title=\"{stage}: {name}\">{mark}<span class=\"twin\"> {name}</span></td>"
        )
    };
    let row = |(number, work): (usize, &Work)| {
        let cells = joined(stages.iter().map(|stage| cell(work, stage)));
        let (name, passed) = (text(&work.name), to(&passed(work, run)));
        let head = format!("<th scope=\"row\"><a href=\"#s{number}\">{name}</a></th>");
        format!("<tr>{head}<td>{passed}</td>{cells}</tr>\n")
    };
    let mistake = |(count, mistake): (usize, &Mistake)| {
        let (name, words) = (mistake.name, to(&mistake.told()));
        let lesson =
            if mistake.lesson.is_empty() { String::new() } else { text(&shown::demo(mistake.lesson)) };
        format!("<p><b>{count} × {name}</b><br>{words}<br><code>{lesson}</code></p>\n")
    };
    let section = |(number, work): (usize, &Work)| {
        let told = work.stages.iter().flat_map(|judged| match judged.failure {
            Some(_) => judged.told.clone(),
            None => vec![Entry::Check(judged.check())],
        });
        let told = body(&told.collect::<Vec<_>>(), &config.lanes(), lang);
        let (name, passed, note) = (text(&work.name), to(&passed(work, run)), to(&note(work)));
        format!(
            "<section aria-labelledby=\"s{number}\">\n<h2 id=\"s{number}\">{name}: {passed}</h2>\n\
             <p>{note}</p>\n{told}</section>\n"
        )
    };
    let kind = config.exercise.name;
    let title = words!("{kind}: a class", "{kind}：全班");
    let cover = Cover { title, intro: intro(&config.shown(), config.talk.names.seed), is_bare: false };
    let sum = std::iter::once(sentence(run)).chain(tomorrow(run));
    let sum = joined(sum.map(|words| format!("<p>{}</p>\n", to(&words))));
    let found = joined(mistakes(run).into_iter().map(mistake));
    let heading = Words::fixed("Mistakes", "错误");
    let found = if found.is_empty() { found } else { format!("<h2>{}</h2>\n{found}", to(&heading)) };
    let (heads, numbered) = (joined(stages.iter().map(head)), || (1..).zip(&run.works));
    [
        &page::begin(&cover, TABLE, lang),
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

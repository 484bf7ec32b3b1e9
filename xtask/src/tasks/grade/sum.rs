//! What came of a class, on the terminal and as one page: a table, the mistakes by their names, and what to teach next.

use super::judge::hint;
use super::output::{Run, Work};
use super::report::cover;
use super::words;
use crate::checks::Verdict;
use crate::drawing::columns;
use crate::drawing::entry::Entry;
use crate::drawing::page;
use crate::drawing::pieces::{self, body, joined, text};
use crate::exercises::{Mistake, Stage};
use crate::tasks::shown;
use crate::words::Words;

const TABLE: &str = include_str!("board.css");
/// How many groups of submissions a sentence names.
const GROUPS: usize = 6;

/// Equal ones together, the most frequent first.
fn counted<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<(usize, T)> {
    let mut counts: Vec<(usize, T)> = Vec::new();
    for item in items {
        match counts.iter_mut().find(|(_, other)| *other == item) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, item)),
        }
    }
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    counts
}

/// Where one stopped, in words; nothing if it passed all.
fn stopped(work: &Work) -> Option<Words> {
    if work.trouble.is_some() {
        return Some(Words::fixed("could not be tested", "无法测试"));
    }
    let (judged, mistake) = work.stop().map(|judged| (judged, judged.mistake()))?;
    let (stage, is_open) = (judged.stage.name, matches!(judged.verdict, Verdict::Undecided(_)));
    let (en, zh) = if is_open { ("undecided", "未能判定") } else { ("failed", "失败") };
    Some(if mistake.is_empty() {
        words!("{en} at {stage}", "在 {stage} {zh}")
    } else {
        words!("{en} at {stage} ({mistake})", "在 {stage} {zh}（{mistake}）")
    })
}

fn sentence(run: &Run<'_>) -> Words {
    let all = run.works.len();
    let part = |(count, stop): (usize, Option<Words>)| {
        let Words { en, zh } = stop.unwrap_or(Words::fixed("passed all", "全部通过"));
        (format!("{count} {en}"), format!("{count} 份{zh}"))
    };
    let mut groups = counted(run.works.iter().map(stopped));
    groups.sort_by_key(|(_, stop)| stop.is_some());
    let others: usize = groups.iter().skip(GROUPS).map(|(count, _)| count).sum();
    groups.truncate(GROUPS);
    if others > 0 {
        groups.push((others, Some(Words::fixed("others", "在别处"))));
    }
    let (en, zh): (Vec<_>, Vec<_>) = groups.into_iter().map(part).unzip();
    let (en, zh) = (en.join(", "), zh.join("，"));
    words!("{all} submissions: {en}", "{all} 份：{zh}")
}

fn mistakes(run: &Run<'_>) -> Vec<(usize, &'static Mistake)> {
    let judged = run.works.iter().flat_map(|work| &work.stages);
    let failed = judged.filter(|judged| matches!(judged.verdict, Verdict::Failed(_)));
    counted(failed.filter_map(|judged| judged.failure.as_ref()?.likely))
}

fn tomorrow(run: &Run<'_>) -> Option<Words> {
    let mut names: Vec<&str> = Vec::new();
    for (_, mistake) in mistakes(run) {
        if !names.contains(&mistake.lesson) && !mistake.lesson.is_empty() {
            names.push(mistake.lesson);
        }
    }
    names.truncate(3); // there is no time for more
    let play = shown::demo(&format!("{} --quiz", names.join(" ")));
    (!names.is_empty()).then(|| words!("lessons about these mistakes: {play}", "讲这些错误的课：{play}"))
}

fn passed(work: &Work, run: &Run<'_>) -> Words {
    let (passed, all) = (work.tally().passed, work.all(&run.config.stages()));
    words!("{passed} of {all}", "{passed}/{all}")
}

fn note(work: &Work) -> Words {
    let Words { en, zh } = stopped(work).unwrap_or(Words::fixed("", ""));
    let more = work.trouble.as_deref().map_or_else(String::new, |trouble| format!(": {trouble}"));
    let again = || Words::fixed("tested again, alone", "单独再测试过一次");
    words::joined(words!("{en}{more}", "{zh}{more}"), work.is_again.then(again))
}

fn sentences(run: &Run<'_>) -> impl Iterator<Item = Words> {
    let again = run.works.iter().filter(|work| work.is_again).count();
    let again = (again > 0).then(|| {
        words!(
            "tested again, with no other at the same time, because a stage was undecided: {again}",
            "有一项未能判定，因此单独再测试过：{again} 份"
        )
    });
    [Some(sentence(run)), again, tomorrow(run)].into_iter().flatten()
}

pub fn lines(run: &Run<'_>) -> Vec<String> {
    let (style, stages) = (run.config.style, run.config.stages());
    let name = |work: &Work| columns::width(&work.name);
    let widest = run.works.iter().map(name).max().unwrap_or_default().max(6);
    let fives = (5..=stages.len()).step_by(5);
    let fives = fives.fold(String::new(), |fives, number| fives + &format!("{number:<10}"));
    let scale = if fives.is_empty() { fives } else { format!("1       {fives}") };
    let mut lines = vec![String::new(), format!("{:widest$}  {scale}", "").trim_end().to_owned()];
    for work in &run.works {
        let cell = |stage| work.of(stage).map_or(".".into(), |judged| style.mark(&judged.verdict));
        let cells: Vec<_> = stages.iter().map(|stage| cell(stage)).collect();
        let (room, passed) = (widest - name(work), passed(work, run));
        let (passed, note) = (passed.to(style.lang).to_owned(), note(work));
        let line =
            format!("{}{:room$}  {}  {passed:8}  {}", work.name, "", cells.join(" "), note.to(style.lang));
        lines.push(line.trim_end().to_owned());
    }
    lines.push(String::new());
    lines.extend(sentences(run).map(|words| style.paragraph(&words)));
    lines
}

/// The page: a table, the mistakes, and a section for each submission, with the ladders of what has not passed.
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
        format!("<p><b>{count} × {}</b><br>{}</p>\n", mistake.name, to(&hint(mistake)))
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
    let sum = joined(sentences(run).map(|words| format!("<p>{}</p>\n", to(&words))));
    let found = joined(mistakes(run).into_iter().map(mistake));
    let heading = Words::fixed("Mistakes", "错误");
    let found = if found.is_empty() { found } else { format!("<h2>{}</h2>\n{found}", to(&heading)) };
    let (heads, numbered) = (joined(stages.iter().map(head)), || (1..).zip(&run.works));
    [
        &page::begin(&cover(config, &config.shown()), TABLE, lang),
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

//! What came of a run, as files for other programs: JSON, CSV and `JUnit`'s XML, from one model.

use std::time::Duration;

use anyhow::Result;
use common::args;

use super::judge::{Failure, Judged};
use super::trial::Config;
use crate::checks::{Tally, Verdict};
use crate::drawing::pieces::text;
use crate::drawing::style::{Ink, Style};
use crate::drawing::text::ladder;
use crate::exercises::Stage;
use crate::tasks::json::{array, object, string};
use crate::words::Words;

#[derive(Default)]
pub struct Work {
    /// Whose it is; of a single program, its command.
    pub name: String,
    pub stages: Vec<Judged>,
    /// Why it could not be judged, or not further.
    pub trouble: Option<String>,
    /// It was undecided first, and was judged again with no other program beside it.
    pub is_again: bool,
    /// How long it took, the second time included.
    pub took: Duration,
}

impl Work {
    pub fn of(&self, stage: &Stage) -> Option<&Judged> {
        self.stages.iter().find(|judged| judged.stage.name == stage.name)
    }

    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.stages.iter().for_each(|judged| tally.add(&judged.verdict));
        tally
    }

    pub fn all(&self, stages: &[&Stage]) -> usize {
        stages.len() - self.tally().not_available
    }

    pub fn stop(&self) -> Option<&Judged> {
        self.stages.iter().find(|judged| judged.failure.is_some())
    }

    /// Whether another judgement, alone, may decide more.
    pub fn is_open(&self) -> bool {
        self.trouble.is_some() || self.tally().undecided > 0
    }
}

pub struct Run<'a> {
    pub config: &'a Config,
    pub works: Vec<Work>,
}

impl Run<'_> {
    /// That something failed (status 1), or is undecided (3), is an error that says nothing more.
    pub fn outcome(&self) -> Result<()> {
        let has_failed = self.works.iter().any(|work| work.tally().failed > 0);
        if has_failed || self.works.iter().any(Work::is_open) {
            return Err(args::with_status(if has_failed { 1 } else { 3 }, ""));
        }
        Ok(())
    }

    /// Writes the files; the page is given. `hidden` takes out what is not to be shown.
    pub fn write(&self, page: impl Fn() -> String, hidden: impl Fn(String) -> String) -> Result<()> {
        let mut names = Vec::new();
        for (ending, file) in self.config.files.open()? {
            let content = match ending {
                "json" => json(self),
                "csv" => csv(self),
                "xml" => junit(self),
                _ => page(),
            };
            names.push(file.write(&hidden(content))?);
        }
        let names = names.join(", ");
        let words = words!("\nThe report is in {names}.", "\n报告已存入 {names}。");
        if names.is_empty() { Ok(()) } else { self.config.style.say(Ink::Bold, &words) }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

fn ladder_text(config: &Config, judged: &Judged) -> String {
    let style = Style::plain(config.style.lang);
    let lines = judged.ladder.iter().flat_map(|told| told.lines(style));
    lines.fold(ladder::head(style, &config.lanes()), |text, line| text + "\n" + &line)
}

fn json(Run { config, works }: &Run<'_>) -> String {
    let (lang, stages) = (config.style.lang, config.stages());
    let to = |words: &Words| string(words.to(lang));
    let null = || "null".to_owned();
    let stage = |work: &Work, stage: &'static Stage| {
        let (name, sentence) = (string(stage.name), to(&stage.promise.1));
        let Some(judged) = work.of(stage) else {
            return object(&[("name", name), ("sentence", sentence), ("verdict", string("not judged"))]);
        };
        let failure = judged.failure.as_ref();
        let of = |words: fn(&Failure) -> Option<&Words>| failure.and_then(words).map_or_else(null, to);
        let mistake = failure.and_then(|failure| failure.likely);
        let named = |name: Option<&str>| name.filter(|name| !name.is_empty()).map_or_else(null, string);
        let why = if let Verdict::NotAvailable(why) = &judged.verdict { to(why) } else { null() };
        object(&[
            ("name", name),
            ("sentence", sentence),
            ("verdict", string(&judged.verdict.name().en)),
            ("times", judged.times.0.to_string()),
            ("times_passed", judged.times.1.to_string()),
            ("seconds", seconds(judged.took)),
            ("expected", of(|failure| Some(&failure.expected))),
            ("got", of(|failure| Some(&failure.got))),
            ("evidence", of(|failure| failure.more.as_ref())),
            ("not_available_because", why),
            ("mistake", named(mistake.map(|mistake| mistake.name))),
            ("hint", mistake.map_or_else(null, |mistake| to(&mistake.told()))),
            ("lesson", named(mistake.map(|mistake| mistake.lesson))),
            ("ladder", failure.map_or_else(null, |_| string(&ladder_text(config, judged)))),
        ])
    };
    let work = |work: &Work| {
        object(&[
            ("name", string(&work.name)),
            ("passed", work.tally().passed.to_string()),
            ("of", work.all(&stages).to_string()),
            ("seconds", seconds(work.took)),
            ("judged_again", work.is_again.to_string()),
            ("trouble", work.trouble.as_deref().map_or_else(null, string)),
            ("stages", array(stages.iter().map(|one| format!("\n   {}", stage(work, one))))),
        ])
    };
    object(&[
        ("schema", string("xtask grade 1")), // another form gets another number
        ("xtask", string(env!("CARGO_PKG_VERSION"))),
        ("kind", string(config.exercise.name)),
        ("command", string(&config.shown())),
        ("version", string(config.version())),
        ("framing", string(&format!("{:?}", config.framing()).to_lowercase())),
        ("seed", config.talk.names.seed.to_string()),
        ("submissions", array(works.iter().map(|one| format!("\n  {}", work(one))))),
    ]) + "\n"
}

/// One line a program (RFC 4180).
fn csv(Run { config, works }: &Run<'_>) -> String {
    let stages = config.stages();
    let quoted = |field: String| {
        let is_plain = !field.contains([',', '"', '\n', '\r']);
        if is_plain { field } else { format!("\"{}\"", field.replace('"', "\"\"")) }
    };
    let line = |fields: Vec<_>| fields.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n";
    let of = |work: &Work| {
        let verdict = |stage: &&'static Stage| {
            work.of(stage).map_or_else(String::new, |judged| judged.verdict.name().en.into())
        };
        let (passed, all) = (work.tally().passed.to_string(), work.all(&stages).to_string());
        let next = work.stop().map_or("", |judged| judged.stage.name).to_owned();
        let mistake = work.stop().map_or("", Judged::mistake).to_owned();
        let first = [work.name.clone(), passed, all, next, mistake].into_iter();
        let last = [seconds(work.took), work.trouble.clone().unwrap_or_default()];
        line(first.chain(stages.iter().map(verdict)).chain(last).collect())
    };
    let head = ["name", "passed", "of", "next", "mistake"].into_iter();
    let head = head.chain(stages.iter().map(|stage| stage.name)).chain(["seconds", "trouble"]);
    line(head.map(str::to_owned).collect()) + &works.iter().map(of).collect::<String>()
}

fn junit(Run { config, works }: &Run<'_>) -> String {
    let (lang, name, stages) = (config.style.lang, config.exercise.name, config.stages());
    let case = |work: &Work, stage: &&'static Stage| {
        let (class, judged) = (text(&format!("{name}.{}", work.name)), work.of(stage));
        let time = seconds(judged.map_or(Duration::ZERO, |judged| judged.took));
        let head = format!("  <testcase classname=\"{class}\" name=\"{}\" time=\"{time}\"", stage.name);
        let with = |element: &str, message: &str, words: &str| {
            let (message, words) = (text(message).replace('\n', "&#10;"), text(words));
            format!("{head}><{element} message=\"{message}\">{words}</{element}></testcase>\n")
        };
        let Some(judged) = judged else {
            return match &work.trouble {
                Some(why) => with("error", why, ""),
                None => with("skipped", "not tested: an earlier stage has not passed", ""),
            };
        };
        let told = || {
            let lines = judged.told.iter().flat_map(|told| told.lines(Style::plain(lang)));
            lines.collect::<Vec<_>>().join("\n")
        };
        match &judged.verdict {
            Verdict::Passed => format!("{head}/>\n"),
            Verdict::Failed(got) => with("failure", got.to(lang), &told()),
            Verdict::Undecided(got) => with("error", got.to(lang), &told()),
            Verdict::NotAvailable(why) => with("skipped", why.to(lang), ""),
        }
    };
    let suite = |work: &Work| {
        let cases: String = stages.iter().map(|stage| case(work, stage)).collect();
        let count = |element: &str| cases.matches(&format!("><{element} message=")).count();
        let (failures, errors, skipped) = (count("failure"), count("error"), count("skipped"));
        let (name, tests, time) = (text(&work.name), stages.len(), seconds(work.took));
        format!(
            " <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" \
             skipped=\"{skipped}\" time=\"{time}\">\n{cases} </testsuite>\n"
        )
    };
    let suites: String = works.iter().map(suite).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{name}\">\n{suites}</testsuites>\n"
    )
}

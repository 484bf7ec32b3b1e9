//! A file that a task is asked for. It is opened before anything is played, so that nothing is played in vain.

use std::io::Write as _;
use std::path::{self, Path};

use anyhow::{Context, Result};
use common::args;
use common::narration::escape;
use common::replacement::Replacement;
use common::text;

use crate::words::Words;

/// A file that will be written; its old content stays until then.
pub struct Wanted {
    /// Its name, escaped.
    name: String,
    /// What an error calls it.
    what: Words,
    replacement: Replacement,
}

impl Wanted {
    /// The page that `--html` asks for. Any other ending is a usage error, so that only a page is ever replaced.
    pub fn page(file: &str) -> Result<Self> {
        Self::open("--html", file, "html", Words::fixed("page", "网页"))
    }

    /// The figures that `--json` asks for, with the same rule for `.json`.
    pub fn figures(file: &str) -> Result<Self> {
        Self::open("--json", file, "json", Words::fixed("figures", "数据"))
    }

    /// What `grade` writes for people and for other programs: an option has one ending.
    pub fn results(option: &str, file: &str, ending: &str) -> Result<Self> {
        let opened = Self::open(option, file, ending, Words::fixed("report", "报告"));
        opened.map_err(|e| {
            let why = format!("{e:#}");
            args::usage(why)
        })
    }

    fn open(option: &str, file: &str, ending: &str, what: Words) -> Result<Self> {
        let (name, path) = (escape(file.as_bytes()), Path::new(file));
        let has_ending = path.extension().is_some_and(|extension| extension == ending);
        if !has_ending || file.ends_with(path::is_separator) {
            return Err(args::usage(text!(
                "{option} '{name}': the file's name must end in .{ending}",
                "{option}“{name}”：文件名要以 .{ending} 结尾"
            )));
        }
        let replacement = Replacement::of(path).with_context(|| cannot_write(&what, &name))?;
        Ok(Self { name, what, replacement })
    }

    /// Writes the file, and returns its name.
    pub fn write(mut self, content: &str) -> Result<String> {
        let written = self.replacement.write_all(content.as_bytes()).map_err(Into::into);
        let finished = written.and_then(|()| self.replacement.finish());
        finished.with_context(|| cannot_write(&self.what, &self.name))?;
        Ok(self.name)
    }
}

fn cannot_write(Words { en, zh }: &Words, name: &str) -> String {
    text!("cannot write the {en} to '{name}'", "无法把{zh}写入“{name}”")
}

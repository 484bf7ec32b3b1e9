//! A file that a task is asked for. It is opened before anything is played, so that nothing is played in vain.

use std::io::Write as _;
use std::path::{self, Path};

use anyhow::Result;
use common::args;
use common::narration::escape;
use common::replacement::Replacement;
use common::text;

/// A file that will be written; its old content stays until then.
pub struct Wanted {
    name: String,
    replacement: Replacement,
}

impl Wanted {
    /// What an option asks for. Another ending is a usage error, so that only such a file is ever replaced; so is one that
    /// cannot be written.
    pub fn open(option: &str, file: &str, ending: &str) -> Result<Self> {
        let (name, path) = (escape(file.as_bytes()), Path::new(file));
        let has_ending = path.extension().is_some_and(|extension| extension == ending);
        if !has_ending || file.ends_with(path::is_separator) {
            return Err(args::usage(text!(
                "{option} '{name}': the file's name must end in .{ending}",
                "{option}“{name}”：文件名要以 .{ending} 结尾"
            )));
        }
        let why = |e| format!("{:#}", cannot_write(e, &name));
        let replacement = Replacement::of(path).map_err(why).map_err(args::usage)?;
        Ok(Self { name, replacement })
    }

    pub fn write(mut self, content: &str) -> Result<String> {
        let written = self.replacement.write_all(content.as_bytes()).map_err(Into::into);
        written.and_then(|()| self.replacement.finish()).map_err(|e| cannot_write(e, &self.name))?;
        Ok(self.name)
    }
}

fn cannot_write(e: anyhow::Error, name: &str) -> anyhow::Error {
    e.context(text!("cannot write to '{name}'", "无法写入“{name}”"))
}

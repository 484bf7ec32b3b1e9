//! The files that a run is asked for.

use anyhow::Result;
use common::args::Args;

use crate::tasks::wanted::Wanted;

/// The options that ask for files, and how the names of these end.
const KINDS: [(&str, &str); 4] =
    [("--html", "html"), ("--json", "json"), ("--csv", "csv"), ("--junit", "xml")];

/// The files that are asked for, by [`KINDS`].
#[derive(Clone, Default)]
pub struct ReportFiles([Option<String>; KINDS.len()]);

impl ReportFiles {
    /// As the options say.
    pub fn of(args: &mut Args) -> Result<Self> {
        let mut files = Self::default();
        for ((option, _), file) in KINDS.iter().zip(&mut files.0) {
            *file = args.given(option)?;
        }
        Ok(files)
    }

    /// Sees before any program is started that all of them can be opened. They are not kept open: an unfinished report
    /// beside a program that runs might be written by that.
    pub fn check(&self) -> Result<()> {
        self.open().map(drop)
    }

    /// Opens all of them.
    pub fn open(&self) -> Result<Vec<(&'static str, Wanted)>> {
        let files = KINDS.iter().zip(&self.0).filter_map(|(kind, file)| Some((kind, file.as_deref()?)));
        files.map(|((option, ending), file)| Ok((*ending, Wanted::open(option, file, ending)?))).collect()
    }
}

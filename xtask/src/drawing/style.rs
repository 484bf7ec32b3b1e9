//! Colours, language, signs and width: how anything is printed.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::iter;
use std::process::{Command, Stdio};

use anyhow::Result;
use common::narration::say;

use super::columns;
use crate::checks::Verdict;
use crate::words::{self, Lang, Words};

#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub colour: bool,
    pub lang: Lang,
    /// For a terminal that has no other signs or gives them two columns.
    pub ascii: bool,
    /// In columns, at least 80.
    pub width: usize,
    /// Nothing is printed in the lanes: an arrow has the room of both.
    pub bare: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Faint,
    Bold,
    Client,
    Server,
    Good,
    Bad,
    Held,
}

impl Style {
    /// For a file, and as the READMEs show it.
    pub const fn plain(lang: Lang) -> Self {
        Self { colour: false, lang, ascii: false, width: 100, bare: false }
    }

    /// For standard output: in colour if it is a terminal that has any and `NO_COLOR` is not set, as wide as it is from
    /// 80 columns to 160 (a longer line is not read more easily), in ASCII if the locale's charset is not UTF-8.
    pub fn of_output(lang: Lang, ascii: bool) -> Self {
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = io::stdout().is_terminal() && !is_dumb && !is_unwanted;
        let plain = Self::plain(lang);
        let width = columns_here().unwrap_or(plain.width).clamp(80, 160);
        Self { colour, ascii: ascii || !words::has_utf8(), width, ..plain }
    }

    pub fn paint(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Faint => "2",
            Ink::Bold => "1",
            Ink::Client => "36",
            Ink::Server => "33",
            Ink::Good => "32",
            Ink::Bad => "31;1",
            Ink::Held => "35",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }

    /// A text of ours, in ASCII with its signs replaced by others of the same width.
    pub fn signs(self, text: &str) -> String {
        let signs = || "✓✗‖→µ│─├┤▶◀█·".chars().zip("+x=>u|-++><#.".chars());
        let ascii = |c| signs().find(|(sign, _)| *sign == c).map_or(c, |(_, ascii)| ascii);
        text.chars().map(|c| if self.ascii { ascii(c) } else { c }).collect()
    }

    pub fn mark(self, verdict: &Verdict) -> String {
        self.paint(verdict.ink(), &self.signs(verdict.mark()))
    }

    /// A paragraph in lines that fit; a line feed ends a sentence.
    pub fn paragraph(self, words: &Words) -> String {
        self.broken("", &self.signs(words.to(self.lang))).join("\n")
    }

    pub fn explain(self, ink: Ink, words: &Words) -> Result<()> {
        Ok(say(&self.paint(ink, &self.paragraph(words)))?)
    }

    /// A text in lines that fit, all of them indented by the width of a head, which precedes the first.
    pub fn broken(self, head: &str, text: &str) -> Vec<String> {
        let indent = " ".repeat(columns::width(head));
        let lines = text.lines().flat_map(|line| columns::broken(line, self.width - indent.len()));
        let heads = iter::once(head).chain(iter::repeat(indent.as_str()));
        heads.zip(lines).map(|(head, line)| format!("{head}{}", line.trim_end())).collect()
    }

    pub fn say(self, ink: Ink, words: &Words) -> Result<()> {
        Ok(say(&self.paint(ink, words.to(self.lang)))?)
    }
}

/// How many columns standard output has, from COLUMNS or, on a terminal, from stty(1), which asks the terminal that
/// it reads from.
fn columns_here() -> Option<usize> {
    let given = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let found: Option<usize> = given.or_else(|| {
        let terminal = io::stdout().is_terminal().then(|| File::open("/dev/tty"))?;
        let terminal = terminal.map_or_else(|_| Stdio::inherit(), Stdio::from);
        let told = Command::new("stty").arg("size").stdin(terminal).stderr(Stdio::null()).output().ok()?;
        String::from_utf8_lossy(&told.stdout).split_whitespace().nth(1)?.parse().ok()
    });
    found.filter(|columns| *columns > 0) // a terminal that does not know says 0
}

impl Verdict {
    pub fn mark(&self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::Failed(_) => "✗",
            Self::Undecided(_) => "?",
            Self::NotAvailable(_) => "-",
        }
    }

    pub fn ink(&self) -> Ink {
        match self {
            Self::Passed => Ink::Good,
            Self::Failed(_) | Self::Undecided(_) => Ink::Bad,
            Self::NotAvailable(_) => Ink::Faint,
        }
    }
}

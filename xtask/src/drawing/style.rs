//! Colours and language: how anything is printed for the one who watches.

use anyhow::Result;
use common::narration::say;

use crate::checks::Verdict;
use crate::words::{Lang, Words};

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// With ANSI escape sequences.
    pub colour: bool,
    /// In which language to name what happens.
    pub lang: Lang,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug)]
pub enum Ink {
    /// Times and rules.
    Faint,
    /// A heading.
    Bold,
    /// The client's side.
    Client,
    /// The server's side.
    Server,
    /// A promise kept.
    Good,
    /// A promise broken, or a loss.
    Bad,
}

impl Style {
    /// The text in its ink.
    pub fn paint(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Faint => "2",
            Ink::Bold => "1",
            Ink::Client => "36",
            Ink::Server => "33",
            Ink::Good => "32",
            Ink::Bad => "31;1",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }

    /// Prints a line.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn say(self, ink: Ink, words: &Words) -> Result<()> {
        Ok(say(&self.paint(ink, words.to(self.lang)))?)
    }
}

impl Verdict {
    /// One character that says what came of a promise.
    pub fn mark(&self) -> &'static str {
        match self {
            Self::Kept => "✓",
            Self::Broken(_) => "✗",
            Self::NotDecided(_) => "?",
            Self::NotAvailable(_) => "-",
        }
    }

    /// The colour of the mark.
    pub fn ink(&self) -> Ink {
        match self {
            Self::Kept => Ink::Good,
            Self::Broken(_) | Self::NotDecided(_) => Ink::Bad,
            Self::NotAvailable(_) => Ink::Faint,
        }
    }
}

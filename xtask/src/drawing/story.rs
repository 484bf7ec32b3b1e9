//! What a lesson tells, piece by piece: on the terminal as it happens, on the page afterwards.

use crate::checks::Check;
use crate::drawing::ladder::{self, Ink, Rung, Style};
use crate::words::Words;

/// Something that a lesson told.
#[derive(Clone, Debug)]
pub enum Told {
    /// What is about to happen.
    Act(Words),
    /// What happened.
    Rung(Rung),
    /// What was seen of it.
    Evidence(Words),
    /// A line of the kernel's table of sockets.
    Row(Words),
    /// What came of a promise.
    Check(Check),
}

impl Told {
    /// What happened, if it is that.
    pub fn rung(&self) -> Option<&Rung> {
        if let Self::Rung(rung) = self { Some(rung) } else { None }
    }

    /// As lines of text.
    pub fn lines(&self, style: Style) -> Vec<String> {
        match self {
            Self::Act(words) => vec![style.paint(Ink::Bold, &format!("> {}", words.to(style.lang)))],
            Self::Rung(rung) => ladder::lines(style, rung),
            Self::Evidence(words) => vec![format!("    {}", words.to(style.lang))],
            Self::Row(words) => vec![style.paint(Ink::Faint, &format!("      {}", words.to(style.lang)))],
            Self::Check(check) => {
                let mark = style.paint(check.ink(), check.mark());
                vec![format!("  {mark} {}", check.sentence().to(style.lang))]
            }
        }
    }
}

//! `cargo xtask demo --quiz`: asks for predictions before an act, and judges them by what then happens.

use anyhow::Result;
use common::narration::{escape, say};

use super::audience;
use crate::drawing::entry::Entry;
use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::words::Words;

/// How good the predictions were.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// Predictions that came true.
    right: usize,
    /// Predictions that are possible, but did not come true this time.
    possible: usize,
    /// The questions with impossible predictions, or with none.
    missed: Vec<Words>,
}

/// A prediction; empty without a quiz.
#[must_use = "a prediction gets a verdict"]
#[derive(Default)]
pub struct Prediction(Option<Answer>);

struct Answer {
    question: Words,
    /// Empty if the answer is any number.
    choices: Vec<Words>,
    why: Words,
    /// Any number from 1 to this is possible, though only one was seen.
    most: u64,
    /// The choice or the number; none for Enter alone.
    given: Option<u64>,
}

impl Prediction {
    /// Explains a number with what was measured; any from 1 to `most` is possible.
    pub fn because(self, why: Words, most: u64) -> Self {
        Self(self.0.map(|answer| Answer { why, most, ..answer }))
    }
}

/// Asks until there is an answer: the number of a choice or, without choices, any number.
///
/// # Errors
/// [`Left`](audience::Left) for `q`, and errors of the standard streams.
pub fn ask(
    style: Style,
    story: &Transcript,
    question: Words,
    choices: Vec<Words>,
    why: Words,
) -> Result<Prediction> {
    let most = choices.len() as u64;
    let answer = |given| Ok(Prediction(Some(Answer { question, choices, why, most: 0, given })));
    let form = match most {
        0 => Words::fixed("a number", "一个数"),
        _ => words!("one of 1 to {most}", "1 到 {most} 中的一个数"),
    };
    let (en, zh) = (&form.en, &form.zh);
    let prompt = words!(
        "  [your prediction: {en}; Enter: none, q: leave]",
        "  [你的预测：{zh}；只按回车则不预测，q 退出]"
    );
    loop {
        say(&style.paint(Ink::Faint, prompt.to(style.lang)))?;
        match audience::prediction(story, most)?.as_str() {
            "" => return answer(None),
            text => match text.parse() {
                Ok(number) if most == 0 || (1..=most).contains(&number) => return answer(Some(number)),
                _ => {
                    let typed = escape(text.as_bytes());
                    say(words!("  '{typed}' is not {en}", "  “{typed}”无效：请输入 {zh}").to(style.lang))?;
                }
            },
        }
    }
}

impl Score {
    /// Judges and counts a prediction, if there is one, by what was seen. The verdict repeats the question, which may
    /// have scrolled away.
    pub fn judge(&mut self, prediction: Prediction, seen: Option<u64>) -> Option<[Entry; 2]> {
        let Answer { question, choices, why, most, given } = prediction.0?;
        let right = (1..).zip(&choices).find(|(number, _)| Some(*number) == seen);
        let Words { en, zh } = right.map_or(Words::fixed("", ""), |(right, Words { en, zh })| {
            words!("; the right choice is {right}, '{en}'", "，应选 {right}（{zh}）")
        });
        let (is_right, verdict) = match given {
            Some(number) if Some(number) == seen => {
                self.right += 1;
                (Some(true), words!("{number} is right", "{number}，对了"))
            }
            Some(number) if (1..=most).contains(&number) => {
                self.possible += 1;
                (None, words!("{number} is possible, but was not seen", "{number}，有可能，这次没有出现"))
            }
            Some(number) => {
                self.missed.push(question.clone());
                (Some(false), words!("{number} is not right{en}", "{number}，不对{zh}"))
            }
            None => (None, words!("no prediction{en}", "没有预测{zh}")),
        };
        let asked = Entry::Question { question, choices: Vec::new() };
        Some([asked, Entry::Judged { verdict, is_right, why }])
    }

    /// The questions that were missed.
    pub fn missed(&self) -> &[Words] {
        &self.missed
    }

    /// Adds another score.
    pub fn add(&mut self, other: Self) {
        self.right += other.right;
        self.possible += other.possible;
        self.missed.extend(other.missed);
    }

    /// The score as a sentence. A possible prediction does not count.
    pub fn sentence(&self) -> Words {
        let Self { right, possible, missed } = self;
        let asked = right + missed.len();
        let Words { en, zh } = match possible {
            0 => Words::fixed("", ""),
            n => words!("; possible, but not seen: {n}", "；有可能但没有出现：{n} 题"),
        };
        words!("Right predictions: {right} of {asked}{en}.", "预测正确：{asked} 题中 {right} 题{zh}。")
    }
}

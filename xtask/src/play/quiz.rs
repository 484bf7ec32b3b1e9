//! `cargo xtask demo --quiz`: asks for predictions before an act, and judges them by what then happens.

use anyhow::Result;
use common::narration::{escape, say};

use super::audience;
use crate::drawing::entry::Entry;
use crate::drawing::style::{Ink, Style};
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

/// The verdict on a prediction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    Right,
    /// It could have happened, but did not this time.
    Possible,
    /// It cannot happen.
    Wrong,
}

impl From<bool> for Worth {
    fn from(is_right: bool) -> Self {
        if is_right { Self::Right } else { Self::Wrong }
    }
}

/// The verdict on a number where any from 1 to `most` is possible.
pub fn a_number(predicted: u64, seen: u64, most: u64) -> Worth {
    match predicted {
        number if number == seen => Worth::Right,
        number if (1..=most).contains(&number) => Worth::Possible,
        _ => Worth::Wrong,
    }
}

/// A prediction; empty without a quiz.
#[must_use = "a prediction gets a verdict"]
#[derive(Default)]
pub struct Prediction(Option<Answer>);

struct Answer {
    question: Words,
    /// Empty if the answer is any number.
    choices: Vec<Words>,
    /// The choice or the number; none for Enter alone.
    given: Option<u64>,
}

/// Asks until there is an answer: the number of a choice or, without choices, any number.
///
/// # Errors
/// [`Left`](audience::Left) for `q`, and errors of the standard streams.
pub fn ask(style: Style, question: &Words, choices: &[Words]) -> Result<Prediction> {
    let answer =
        |given| Prediction(Some(Answer { question: question.clone(), choices: choices.to_vec(), given }));
    let choices = choices.len() as u64;
    let form = match choices {
        0 => Words::fixed("a number", "一个数"),
        _ => words!("one of 1 to {choices}", "1 到 {choices} 中的一个数"),
    };
    let (en, zh) = (&form.en, &form.zh);
    let prompt = words!(
        "  [your prediction: {en}; Enter: none, q: leave]",
        "  [你的预测：{zh}；只按回车则不预测，q 退出]"
    );
    loop {
        say(&style.paint(Ink::Faint, prompt.to(style.lang)))?;
        match audience::answer()?.as_str() {
            "" => return Ok(answer(None)),
            text => match text.parse() {
                Ok(number) if choices == 0 || (1..=choices).contains(&number) => {
                    return Ok(answer(Some(number)));
                }
                _ => {
                    let typed = escape(text.as_bytes());
                    say(words!("  '{typed}' is not {en}", "  “{typed}”无效：请输入 {zh}").to(style.lang))?;
                }
            },
        }
    }
}

impl Score {
    /// Judges and counts a prediction, if there is one. The verdict repeats the question, which may have scrolled
    /// away.
    pub fn judge<W: Into<Worth>>(
        &mut self,
        prediction: Prediction,
        worth: impl Fn(u64) -> W,
        why: &Words,
    ) -> Option<[Entry; 2]> {
        let Answer { question, choices, given } = prediction.0?;
        let right = (1..).zip(&choices).find(|(number, _)| worth(*number).into() == Worth::Right);
        let Words { en, zh } = right.map_or(Words::fixed("", ""), |(right, Words { en, zh })| {
            words!("; {right} is right ({en})", "，应是 {right}（{zh}）")
        });
        let (is_right, verdict) = match given.map(|number| (number, worth(number).into())) {
            Some((number, Worth::Right)) => {
                self.right += 1;
                (Some(true), words!("{number} is right", "{number}，对了"))
            }
            Some((number, Worth::Possible)) => {
                self.possible += 1;
                (None, words!("{number} is possible, but was not seen", "{number}，有可能，这次没有出现"))
            }
            Some((number, Worth::Wrong)) => {
                self.missed.push(question.clone());
                (Some(false), words!("{number} is not right{en}", "{number}，不对{zh}"))
            }
            None => (None, words!("no prediction{en}", "没有预测{zh}")),
        };
        let asked = Entry::Question { question, choices: Vec::new() };
        Some([asked, Entry::Judged { verdict, is_right, why: why.clone() }])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_of_what_was_seen_has_a_point_and_one_that_was_possible_costs_none() {
        let mut score = Score::default();
        for given in [Some(3), Some(2), Some(0), Some(5), None] {
            let question = Words::fixed("how many?", "几个？");
            let prediction = Prediction(Some(Answer { question, choices: Vec::new(), given }));
            let verdict = score.judge(prediction, |number| a_number(number, 3, 4), &Words::fixed("", ""));
            assert!(verdict.is_some());
        }
        assert!(score.judge(Prediction::default(), |_| true, &Words::fixed("", "")).is_none());
        assert_eq!(score.sentence().en, "Right predictions: 1 of 3; possible, but not seen: 1.");
        assert_eq!(score.missed().len(), 2);
    }
}

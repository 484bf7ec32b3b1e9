//! `cargo xtask demo --quiz`: asks for predictions before an act, and judges them by what then happens.

use anyhow::Result;
use common::narration::{escape, say};

use super::audience;
use crate::drawing::entry::Entry;
use crate::drawing::style::{Ink, Style};
use crate::drawing::transcript::Transcript;
use crate::drawing::votes::Wait;
use crate::words::Words;

/// A question, and what was predicted.
pub struct Answer {
    pub question: Words,
    pub choices: Vec<Words>,
    pub why: Words,
    /// The number of a choice; none for Enter alone.
    pub given: Option<u64>,
}

impl Answer {
    /// Judges the prediction by what was seen. The verdict repeats the question, which may have scrolled away.
    pub fn judged(self, seen: Option<u64>) -> Entry {
        let right = (1..).zip(&self.choices).find(|(number, _)| Some(*number) == seen);
        let Words { en, zh } = right.map_or(Words::fixed("", ""), |(right, Words { en, zh })| {
            words!("; the right choice is {right}, '{en}'", "，应选 {right}（{zh}）")
        });
        let is_right = self.given.map(|_| self.given == seen);
        let verdict = match self.given {
            Some(number) if is_right == Some(true) => words!("{number} is right", "{number}，对了"),
            Some(number) => words!("{number} is not right{en}", "{number}，不对{zh}"),
            None => words!("no prediction{en}", "没有预测{zh}"),
        };
        Entry::Judged { question: self.question, verdict, is_right, why: self.why }
    }
}

/// Asks until there is the number of a choice, from 1 to `most`, or Enter alone.
pub fn ask(style: Style, story: &Transcript, most: u64) -> Result<Option<u64>> {
    let prompt = words!(
        "  [your prediction: one of 1 to {most}; Enter: none, q: leave]",
        "  [你的预测：1 到 {most} 中的一个数；只按回车则不预测，q 退出]"
    );
    loop {
        say(&style.paint(Ink::Faint, prompt.to(style.lang)))?;
        let text = audience::answer(story, Wait::Prediction(most))?;
        let given = text.parse().ok().filter(|number| (1..=most).contains(number));
        if given.is_some() || text.is_empty() {
            return Ok(given);
        }
        let typed = escape(text.as_bytes());
        let words =
            words!("  '{typed}' is not one of 1 to {most}", "  “{typed}”无效：请输入 1 到 {most} 中的一个数");
        say(words.to(style.lang))?;
    }
}

/// The score of the predictions among what was told, as a sentence, and the questions that were missed.
pub fn score<'a>(told: impl Iterator<Item = &'a Entry>) -> (Words, Vec<&'a Words>) {
    let judged = told.filter_map(|told| match told {
        Entry::Judged { question, is_right: Some(is_right), .. } => Some((question, *is_right)),
        _ => None,
    });
    let (right, missed): (Vec<_>, Vec<_>) = judged.partition(|(_, is_right)| *is_right);
    let (right, asked) = (right.len(), right.len() + missed.len());
    let sentence = words!("Right predictions: {right} of {asked}.", "预测正确：{asked} 题中 {right} 题。");
    (sentence, missed.into_iter().map(|(question, _)| question).collect())
}

//! `cargo xtask demo --quiz`: predictions, asked for before an act and judged by what was then seen.

use anyhow::Result;
use common::narration::{escape, say};

use super::audience;
use crate::drawing::style::{Ink, Style};
use crate::words::Words;

/// How many predictions were made, and were right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Predictions of what was then seen.
    pub asked: usize,
    /// Those that may come true.
    pub right: usize,
}

/// What was predicted: nothing, where there is no quiz.
#[must_use = "the one who predicted wants to know"]
#[derive(Default)]
pub struct Prediction(Option<Answer>);

struct Answer {
    /// How many choices there were; none where any number was one.
    choices: u64,
    /// The choice or the number, unless only Enter was pressed.
    given: Option<u64>,
}

/// Asks, until there is an answer: the number of one of the choices or, where there are none, any number.
///
/// # Errors
/// [`Left`](audience::Left) for `q`; what the standard streams report.
pub fn ask(style: Style, question: &Words, choices: &[Words]) -> Result<Prediction> {
    say(&style.paint(Ink::Bold, &format!("? {}", question.to(style.lang))))?;
    for (number, choice) in (1..).zip(choices) {
        say(&format!("    {number}  {}", choice.to(style.lang)))?;
    }
    let choices = choices.len() as u64;
    let form = match choices {
        0 => Words::fixed("a number", "一个数"),
        _ => words!("one of 1 to {choices}", "1 至 {choices} 中的一个"),
    };
    let (en, zh) = (&form.en, &form.zh);
    let prompt = words!(
        "  [your prediction: {en}; Enter: none, q: leave]",
        "  [你的预测：{zh}；只按回车则不预测，q 退出]"
    );
    loop {
        say(&style.paint(Ink::Faint, prompt.to(style.lang)))?;
        match audience::answer()?.as_str() {
            "" => return Ok(Prediction(Some(Answer { choices, given: None }))),
            text => match text.parse() {
                Ok(number) if choices == 0 || (1..=choices).contains(&number) => {
                    return Ok(Prediction(Some(Answer { choices, given: Some(number) })));
                }
                _ => {
                    let typed = escape(text.as_bytes());
                    say(words!("  '{typed}' is not {en}", "  “{typed}”不行，应输入：{zh}").to(style.lang))?;
                }
            },
        }
    }
}

impl Score {
    /// Says whether a prediction came true, and why; counts it.
    ///
    /// # Errors
    /// When standard output fails.
    pub fn judge(
        &mut self,
        style: Style,
        prediction: &Prediction,
        is_true: impl Fn(u64) -> bool,
        why: &Words,
    ) -> Result<()> {
        let Some(Answer { choices, given }) = &prediction.0 else { return Ok(()) };
        let right = (1..=*choices).find(|choice| is_true(*choice));
        let (en, zh) = right
            .map_or(Default::default(), |right| (format!("; {right} is right"), format!("，应是 {right}")));
        let (ink, verdict) = match given {
            Some(number) if is_true(*number) => {
                self.right += 1;
                (Ink::Good, words!("{number} is right", "{number}，对了"))
            }
            Some(number) => (Ink::Bad, words!("{number} is not right{en}", "{number}，不对{zh}")),
            None => (Ink::Bold, words!("no prediction{en}", "没有预测{zh}")),
        };
        self.asked += usize::from(given.is_some());
        let verdict = style.paint(ink, &format!("= {}", verdict.to(style.lang)));
        let (en, zh) = (&why.en, &why.zh);
        say(words!("{verdict}: {en}", "{verdict}：{zh}").to(style.lang))?;
        Ok(())
    }

    /// Counts what was counted elsewhere, too.
    pub fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.right += other.right;
    }

    /// The score as a sentence.
    pub fn sentence(self) -> Words {
        let Self { asked, right } = self;
        words!("Right predictions: {right} of {asked}.", "预测正确：{asked} 题中 {right} 题。")
    }
}

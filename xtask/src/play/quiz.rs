//! `cargo xtask demo --quiz`: predictions, asked for before an act and judged by what was then seen.

use anyhow::Result;
use common::narration::{escape, say};

use super::audience;
use crate::drawing::story::Told;
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

/// Asks for an answer, until there is one: the number of one of the choices or, where there are none, any number.
///
/// # Errors
/// [`Left`](audience::Left) for `q`; what the standard streams report.
pub fn ask(style: Style, choices: u64) -> Result<Prediction> {
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
    /// Whether a prediction came true, and why; counts it. Nothing, where nobody was asked.
    pub fn judge(
        &mut self,
        prediction: &Prediction,
        is_true: impl Fn(u64) -> bool,
        why: &Words,
    ) -> Option<Told> {
        let Answer { choices, given } = prediction.0.as_ref()?;
        let right = (1..=*choices).find(|choice| is_true(*choice));
        let (en, zh) = right
            .map_or(Default::default(), |right| (format!("; {right} is right"), format!("，应是 {right}")));
        let is_right = given.map(&is_true);
        let verdict = match given {
            Some(number) if is_right == Some(true) => words!("{number} is right", "{number}，对了"),
            Some(number) => words!("{number} is not right{en}", "{number}，不对{zh}"),
            None => words!("no prediction{en}", "没有预测{zh}"),
        };
        self.asked += usize::from(given.is_some());
        self.right += usize::from(is_right == Some(true));
        Some(Told::Judged { verdict, is_right, why: why.clone() })
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

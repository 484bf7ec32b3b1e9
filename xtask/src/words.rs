//! Everything that the tasks say, in English and in Chinese. The two stand together, so that a missing one
//! does not compile.

use std::borrow::Cow;
use std::env;
use std::str::FromStr;

/// A language of narration. The programs' own lines are English in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl Lang {
    /// What the locale asks for: the first that is set of `LC_ALL`, `LC_MESSAGES` and `LANG` (locale(7)).
    pub fn of_locale() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().filter_map(|name| env::var(name).ok());
        match set.into_iter().find(|value| !value.is_empty()) {
            Some(locale) if locale.starts_with("zh") => Self::Zh,
            _ => Self::En,
        }
    }
}

impl FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "en" => Ok(Self::En),
            "zh" => Ok(Self::Zh),
            _ => Err("it is en or zh".into()),
        }
    }
}

/// One text in both languages.
#[derive(Clone, Debug)]
pub struct Words {
    /// English.
    pub en: Cow<'static, str>,
    /// Chinese.
    pub zh: Cow<'static, str>,
}

impl Words {
    /// A text without figures.
    pub const fn fixed(en: &'static str, zh: &'static str) -> Self {
        Self { en: Cow::Borrowed(en), zh: Cow::Borrowed(zh) }
    }

    /// The text in a language.
    pub fn to(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

/// [`Words`] from two format strings that capture the same variables.
macro_rules! words {
    ($en:literal, $zh:literal $(,)?) => {
        $crate::words::Words { en: format!($en).into(), zh: format!($zh).into() }
    };
}

//! Everything that the tasks say, in English and in Chinese. The two stand together, so that a missing one
//! does not compile.

use std::borrow::Cow;
use std::env;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use common::args::Args;

/// A language of narration. The programs' own lines are English in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    En,
    Zh,
}

impl Lang {
    pub fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        if self == Self::Zh { zh } else { en }
    }

    /// What the locale asks for. Chinese is written in UTF-8 here, which a terminal of another charset would not show.
    pub fn of_locale() -> Self {
        if locale("LC_MESSAGES").starts_with("zh") && has_utf8() { Self::Zh } else { Self::En }
    }

    /// What the command line asks for, whatever else is wrong with it; or else the locale.
    pub fn of_command_line() -> Self {
        let asked = Args::new(env::args_os().skip(1)).given("--lang");
        asked.ok().flatten().unwrap_or_else(Self::of_locale)
    }
}

/// The locale of a category: the first that is set of `LC_ALL`, its own variable and `LANG` (locale(7)).
fn locale(category: &str) -> String {
    let mut set = ["LC_ALL", category, "LANG"].into_iter().filter_map(|name| env::var(name).ok());
    set.find(|value| !value.is_empty()).unwrap_or_default()
}

/// Whether the locale's charset, as in `zh_CN.UTF-8@pinyin`, is UTF-8, or none is named.
pub fn has_utf8() -> bool {
    let locale = locale("LC_CTYPE");
    let charset = locale.split_once('.').map(|(_, behind)| behind.split('@').next().unwrap_or_default());
    charset.is_none_or(|name| ["utf8", "utf-8"].iter().any(|utf8| name.eq_ignore_ascii_case(utf8)))
}

impl FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "en" => Ok(Self::En),
            "zh" => Ok(Self::Zh),
            _ => Err(common::text!("it is en or zh", "应为 en 或 zh")),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    pub en: Cow<'static, str>,
    pub zh: Cow<'static, str>,
}

impl Words {
    pub const fn fixed(en: &'static str, zh: &'static str) -> Self {
        Self { en: Cow::Borrowed(en), zh: Cow::Borrowed(zh) }
    }

    pub fn to(&self, lang: Lang) -> &str {
        lang.pick(&self.en, &self.zh)
    }
}

/// [`Words`] from two format strings that capture the same variables.
macro_rules! words {
    ($en:literal, $zh:literal $(,)?) => {
        $crate::words::Words { en: format!($en).into(), zh: format!($zh).into() }
    };
}

/// A value as a sentence shows it, in either language.
pub trait Shown {
    fn shown(&self) -> Words;
}

macro_rules! shown_as_printed {
    ($form:literal: $($kind:ty),+) => {
        $(impl Shown for $kind {
            fn shown(&self) -> Words {
                Words { en: format!($form, self).into(), zh: format!($form, self).into() }
            }
        })+
    };
}

shown_as_printed!("{0}": i32, u64, u128, usize, IpAddr, SocketAddr);
shown_as_printed!("{0:?}": str, String);

impl Shown for Words {
    fn shown(&self) -> Words {
        self.clone()
    }
}

impl Shown for bool {
    fn shown(&self) -> Words {
        if *self { Words::fixed("yes", "是") } else { Words::fixed("no", "否") }
    }
}

impl Shown for () {
    fn shown(&self) -> Words {
        Words::fixed("done", "成功")
    }
}

impl Shown for ErrorKind {
    fn shown(&self) -> Words {
        match self {
            // Unix has one error for a wait that ended with nothing, Windows another.
            Self::WouldBlock | Self::TimedOut => Words::fixed("a time-out", "超时"),
            Self::ConnectionReset => Words::fixed("a reset", "复位（RST）"),
            Self::ConnectionRefused => Words::fixed("connection refused", "连接被拒绝"),
            Self::InvalidData => Words::fixed("an exception: not UTF-8", "异常：不是 UTF-8"),
            other => words!("{other}", "其他错误（{other}）"),
        }
    }
}

impl<T: Shown + ?Sized> Shown for &T {
    fn shown(&self) -> Words {
        (*self).shown()
    }
}

impl<T: Shown> Shown for [T] {
    fn shown(&self) -> Words {
        let values = self.iter().map(Shown::shown);
        let (en, zh): (Vec<_>, Vec<_>) = values.map(|words| (words.en, words.zh)).unzip();
        match self {
            [] => Words::fixed("nothing", "无"),
            _ => Words { en: en.join(", ").into(), zh: zh.join("、").into() },
        }
    }
}

impl<T: Shown, const N: usize> Shown for [T; N] {
    fn shown(&self) -> Words {
        self.as_slice().shown()
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> Words {
        self.as_slice().shown()
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> Words {
        self.as_slice().shown()
    }
}

impl<T: Shown, E: Shown> Shown for Result<T, E> {
    fn shown(&self) -> Words {
        self.as_ref().map_or_else(Shown::shown, Shown::shown)
    }
}

impl<A: Shown, B: Shown> Shown for (A, B) {
    fn shown(&self) -> Words {
        let (Words { en, zh }, Words { en: then, zh: then_zh }) = (self.0.shown(), self.1.shown());
        words!("{en}; {then}", "{zh}；{then_zh}")
    }
}

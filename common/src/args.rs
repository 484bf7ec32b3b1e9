//! Command lines: operands, `--name value` or `--name=value`, and `--` to end the options. A program takes its options
//! by name, then its operands in order; anything left over is an error.

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;

use crate::narration::{self, escape};
use crate::{lookalikes, text};

const USAGE: u8 = 2;

/// A message, and the exit status with which the program ends.
#[derive(Debug)]
struct End(String, u8);

impl Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error that is the user's mistake: the program ends with status 2 and points at its `--help`.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    with_status(USAGE, message)
}

/// An error that ends the program with this exit status; without a message where all has been said.
pub fn with_status(status: u8, message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::msg(End(message.into(), status))
}

/// Runs a program of this name and version: answers `--help` and `--version`, and turns its outcome into an exit
/// status: 0, 1 for a failure, 2 for a usage error, or another one ([`with_status`]). A standard output that its reader
/// closed (`| head -1`) ends it quietly.
pub fn run((name, version): (&str, &str), help: &str, program: impl FnOnce(Args) -> Result<()>) -> ExitCode {
    let args = Args::new(std::env::args_os().skip(1));
    let outcome = if args.words.iter().any(|word| word == "--help" || word == "-h") {
        narration::say(help.trim_end()).map_err(Into::into)
    } else if args.words.iter().any(|word| word == "--version") {
        narration::say(&format!("{name} {version}")).map_err(Into::into)
    } else {
        program(args)
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    if narration::reader_left(&error) {
        return ExitCode::SUCCESS;
    }
    let why = format!("{error:#}");
    if !why.is_empty() {
        narration::complain(&format!("{name}: {why}"));
    }
    let status = error.downcast_ref().map_or(1, |End(_, status)| *status);
    if status == USAGE {
        let is_typed_so = name.starts_with("cargo ") || std::env::var_os("CARGO").is_none();
        let typed = if is_typed_so { name } else { &format!("cargo run -p {name} --") };
        narration::complain(&text!("Try '{typed} --help'.", "用法请看 {typed} --help。"));
    }
    ExitCode::from(status)
}

/// The words of a command line that have not been read yet.
pub struct Args {
    words: Vec<OsString>,
    after_dashes: Vec<OsString>,
}

impl Args {
    /// Without the program's name.
    pub fn new(words: impl Iterator<Item = OsString>) -> Self {
        let mut words: Vec<_> = words.collect();
        let end = words.iter().position(|word| word == "--");
        let after_dashes = end.map(|at| words.drain(at..).skip(1).collect()).unwrap_or_default();
        Self { words, after_dashes }
    }

    /// The first word, which says what to do, or `default` on an empty command line.
    pub fn command_or(&mut self, default: &str) -> Result<String> {
        if self.words.is_empty() && self.after_dashes.is_empty() {
            return Ok(default.into());
        }
        let Some(word) = self.words.first().filter(|word| !is_option(word)) else {
            return Err(usage(text!(
                "the command comes first, before options",
                "任务名要写在最前面，选项写在后面"
            )));
        };
        if has_other_dash(word) {
            return Err(unknown_option(word));
        }
        if let Some(advice) = word.to_str().and_then(lookalikes::advice) {
            return Err(bad(&text!("command", "任务"), word, &advice));
        }
        parse(&text!("command", "任务"), &self.words.remove(0))
    }

    /// The value of the option `name`, or `default` where it is not given.
    pub fn value<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> Result<T> {
        Ok(self.given(name)?.unwrap_or(default))
    }

    /// The value of the option `name`, if it is given.
    pub fn given<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<Option<T>> {
        self.take(name, true)?.map(|text| parse(name, &text)).transpose()
    }

    /// The value of the option `name`, if it is given. As a separate word, it may have any bytes.
    pub fn file(&mut self, name: &str) -> Result<Option<OsString>> {
        self.take(name, true)
    }

    /// The value of the option `name`, if it is given, or `default` if it is given without one. As operands may
    /// follow, the next word is the value only if it looks like an address: it has a colon, or only digits.
    pub fn given_or<T: FromStr<Err: Display>>(&mut self, name: &str, default: &str) -> Result<Option<T>> {
        if let Some(at) = self.words.iter().position(|word| word == name) {
            if !self.words.get(at + 1).is_some_and(is_like_an_address) {
                self.words[at] = format!("{name}={default}").into();
            }
        }
        self.given(name)
    }

    /// A whole number in `range`, written in decimal digits.
    pub fn number(&mut self, name: &str, default: u16, range: RangeInclusive<u16>) -> Result<u16> {
        Ok(self.decimal(name, &text!("a number", "整数"), range)?.unwrap_or(default))
    }

    /// The whole number of the option `name`, if it is given.
    pub fn whole(&mut self, name: &str) -> Result<Option<u64>> {
        self.decimal(name, &text!("a number", "整数"), 0..=u64::MAX)
    }

    /// A time in decimal seconds in `range`, as `sleep` takes it: `2`, `0.2`.
    pub fn seconds(&mut self, name: &str, default: f64, range: RangeInclusive<f64>) -> Result<Duration> {
        let seconds = self.decimal(name, &text!("seconds", "秒数"), range)?;
        Ok(Duration::from_secs_f64(seconds.unwrap_or(default)))
    }

    fn decimal<T: FromStr + PartialOrd + Display>(
        &mut self,
        name: &str,
        what: &str,
        range: RangeInclusive<T>,
    ) -> Result<Option<T>> {
        let Some(text) = self.take(name, true)? else { return Ok(None) };
        // f64 reads more than decimals: 1e3, inf, nan, +1.
        let decimal = text.to_str().filter(|t| t.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        let number = decimal.and_then(|t| t.parse().ok()).filter(|n| range.contains(n));
        let (least, most) = (range.start(), range.end());
        let why = || text!("it must be {what} from {least} to {most}", "应为{what}，{least} 到 {most} 之间");
        number.map(Some).ok_or_else(|| bad(name, &text, &why()))
    }

    /// Whether the option `name` is given; it takes no value.
    pub fn flag(&mut self, name: &str) -> Result<bool> {
        Ok(self.take(name, false)?.is_some())
    }

    /// The operands before `--` that are left. Options are read first.
    pub fn operands_before_dashes(&mut self) -> Result<Vec<OsString>> {
        self.no_option_left()?;
        Ok(std::mem::take(&mut self.words))
    }

    /// The next operand, if there is one. Options are read first: one that is left here is unknown.
    pub fn operand(&mut self) -> Result<Option<OsString>> {
        self.no_option_left()?;
        let from = if self.words.is_empty() { &mut self.after_dashes } else { &mut self.words };
        Ok((!from.is_empty()).then(|| from.remove(0)))
    }

    fn no_option_left(&self) -> Result<()> {
        let option = self.words.iter().find(|word| is_option(word) || has_other_dash(word));
        option.map_or(Ok(()), |word| Err(unknown_option(word)))
    }

    /// The next operand, read as a `T` (an address, a URL), or `default` where there is none.
    pub fn operand_or<T: FromStr<Err: Display>>(&mut self, what: &str, default: &str) -> Result<T> {
        parse(what, &self.operand()?.unwrap_or_else(|| default.into()))
    }

    /// All operands that are left, as bytes, each at most `limit` bytes, or `default` if there is none. An empty one
    /// counts. On Windows, text that is not Unicode is encoded in WTF-8.
    pub fn names(&mut self, default: &[&str], limit: usize) -> Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        while let Some(word) = self.operand()? {
            let name = word.into_encoded_bytes();
            if name.len() > limit {
                return Err(usage(format!("a name is at most {limit} bytes; this one has {}", name.len())));
            }
            names.push(name);
        }
        if names.is_empty() {
            names.extend(default.iter().map(|name| name.as_bytes().to_vec()));
        }
        Ok(names)
    }

    /// Nothing may be left over.
    pub fn finish(&mut self) -> Result<()> {
        let Some(shown) = self.operand()?.as_ref().map(show) else { return Ok(()) };
        Err(usage(text!("unexpected argument '{shown}'", "多了一个参数“{shown}”")))
    }

    fn take(&mut self, name: &str, has_value: bool) -> Result<Option<OsString>> {
        let Some(at) = self.words.iter().position(|word| is_named(word, name)) else { return Ok(None) };
        let word = self.words.remove(at);
        let unicode = word.to_str().ok_or_else(|| bad(name, &word, &not_unicode()))?;
        let value = match (unicode.get(name.len() + 1..), has_value) {
            (Some(value), true) => value.into(),
            (None, true) if at < self.words.len() && !is_option(&self.words[at]) => self.words.remove(at),
            (None, true) => return Err(usage(text!("{name} needs a value", "{name} 后面缺一个值"))),
            (Some(_), false) => return Err(usage(text!("{name} takes no value", "{name} 后面不能有值"))),
            (None, false) => OsString::new(),
        };
        if self.words.iter().any(|word| is_named(word, name)) {
            return Err(usage(text!("{name} is given twice", "{name} 写了两次")));
        }
        Ok(Some(value))
    }
}

fn is_option(word: &OsString) -> bool {
    word != "-" && word.as_encoded_bytes().starts_with(b"-")
}

fn is_like_an_address(word: &OsString) -> bool {
    let bytes = word.as_encoded_bytes();
    !is_option(word) && (bytes.contains(&b':') || bytes.iter().all(u8::is_ascii_digit))
}

fn unknown_option(word: &OsString) -> anyhow::Error {
    let shown = show(word);
    usage(match word.to_str().and_then(lookalikes::option_advice) {
        Some(why) => text!("unknown option '{shown}': {why}", "没有“{shown}”这个选项：{why}"),
        None => text!("unknown option '{shown}'", "没有“{shown}”这个选项"),
    })
}

fn has_other_dash(word: &OsString) -> bool {
    word.to_str().is_some_and(lookalikes::begins_with_a_dash)
}

fn is_named(word: &OsString, name: &str) -> bool {
    let rest = word.as_encoded_bytes().strip_prefix(name.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
}

fn not_unicode() -> String {
    text!("it is not Unicode", "不是 Unicode 文本")
}

fn parse<T: FromStr<Err: Display>>(what: &str, text: &OsString) -> Result<T> {
    let unicode = text.to_str().ok_or_else(|| bad(what, text, &not_unicode()))?;
    unicode.parse().map_err(|e: T::Err| bad(what, text, &e.to_string()))
}

/// A character that looks like ASCII may be why.
fn bad(what: &str, text: &OsString, why: &str) -> anyhow::Error {
    let (shown, advice) = (show(text), text.to_str().and_then(lookalikes::advice));
    let more = advice.filter(|advice| !why.contains(advice));
    let more = more.map_or_else(String::new, |advice| text!("; {advice}", "；{advice}"));
    usage(text!("{what} '{shown}': {why}{more}", "{what}“{shown}”：{why}{more}"))
}

fn show(text: &OsString) -> String {
    escape(text.as_encoded_bytes())
}

#[cfg(test)]
mod tests;

//! Command lines: operands, `--name value` or `--name=value`, and `--` to end the options.
//!
//! A program takes its options by name, then its operands in order; whatever is left over is an error.

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;

use crate::lookalikes;
use crate::narration::{self, escape};

/// The user's mistake: the program ends with status 2 and points at its `--help`.
#[derive(Debug)]
struct Usage(String);

impl Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// An error that is the user's mistake.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    Usage(message.into()).into()
}

/// Who is run, and its version.
pub struct Program {
    name: &'static str,
    version: &'static str,
    /// How a line of complaint is worded.
    wording: fn(&str) -> String,
}

impl Program {
    /// It complains in other words, such as those of another language: each line is passed through `wording`.
    #[must_use]
    pub fn worded(self, wording: fn(&str) -> String) -> Self {
        Self { wording, ..self }
    }
}

impl From<(&'static str, &'static str)> for Program {
    fn from((name, version): (&'static str, &'static str)) -> Self {
        Self { name, version, wording: str::to_owned }
    }
}

impl From<&'static str> for Program {
    /// A part of this workspace that has no version of its own.
    fn from(name: &'static str) -> Self {
        (name, env!("CARGO_PKG_VERSION")).into()
    }
}

/// Runs a program: answers `--help` and `--version`, and turns its outcome into an exit status: 0, 1 for a
/// failure, 2 for a usage error. A standard output that its reader closed (`| head -1`) ends it quietly.
pub fn run(who: impl Into<Program>, help: &str, program: impl FnOnce(Args) -> Result<()>) -> ExitCode {
    let Program { name, version, wording } = who.into();
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
    narration::complain(&wording(&format!("{name}: {error:#}")));
    if error.is::<Usage>() {
        let typed = if name.starts_with("cargo ") { name.into() } else { format!("cargo run -p {name} --") };
        narration::complain(&wording(&format!("Try '{typed} --help'.")));
        return ExitCode::from(2);
    }
    ExitCode::FAILURE
}

/// The words of a command line that were not taken yet.
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
        match self.words.first() {
            Some(word) if has_other_dash(word) => Err(unknown_option(word)),
            Some(word) if !is_option(word) => {
                if let Some(advice) = word.to_str().and_then(lookalikes::advice) {
                    return Err(bad("command", word, &advice));
                }
                parse("command", &self.words.remove(0))
            }
            _ => Err(usage("the command comes first, before options")),
        }
    }

    /// The value of the option `name`, or `default` where it is not given.
    pub fn value<T>(&mut self, name: &str, default: T) -> Result<T>
    where
        T: FromStr<Err: Display>,
    {
        Ok(self.given(name)?.unwrap_or(default))
    }

    /// The value of the option `name`, if it is given.
    pub fn given<T>(&mut self, name: &str) -> Result<Option<T>>
    where
        T: FromStr<Err: Display>,
    {
        let Some(text) = self.take(name, true)? else { return Ok(None) };
        let unicode = text.to_str().ok_or_else(|| bad(name, &text, "it is not Unicode"))?;
        unicode.parse().map(Some).map_err(|e: T::Err| wrong(name, &text, &e.to_string()))
    }

    /// The value of the option `name`, if it is given, as it stands: on Unix, a file's name is bytes.
    pub fn file(&mut self, name: &str) -> Result<Option<OsString>> {
        self.take(name, true)
    }

    /// The value of the option `name`, if it is given, or `default` where it is given without one. Operands may
    /// follow: the next word is the value if it could be an address, with a colon or all of digits.
    pub fn given_or<T>(&mut self, name: &str, default: &str) -> Result<Option<T>>
    where
        T: FromStr<Err: Display>,
    {
        if let Some(at) = self.words.iter().position(|word| word == name) {
            if !self.words.get(at + 1).is_some_and(is_like_an_address) {
                self.words[at] = format!("{name}={default}").into();
            }
        }
        self.given(name)
    }

    /// A whole number in `range`, written in decimal digits.
    pub fn number(&mut self, name: &str, default: u16, range: RangeInclusive<u16>) -> Result<u16> {
        let Some(text) = self.take(name, true)? else { return Ok(default) };
        let digits = text.to_str().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
        match digits.and_then(|t| t.parse().ok()).filter(|n| range.contains(n)) {
            Some(n) => Ok(n),
            None => Err(wrong(
                name,
                &text,
                &format!("it must be a number from {} to {}", range.start(), range.end()),
            )),
        }
    }

    /// A time in decimal seconds in `range`, as `sleep` takes it: `2`, `0.2`.
    pub fn seconds(&mut self, name: &str, default: f64, range: RangeInclusive<f64>) -> Result<Duration> {
        let Some(text) = self.take(name, true)? else { return Ok(Duration::from_secs_f64(default)) };
        // f64 reads more than decimals: 1e3, inf, nan, +1.
        let decimal = text.to_str().filter(|t| t.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        match decimal.and_then(|t| t.parse().ok()).filter(|s| range.contains(s)) {
            Some(seconds) => Ok(Duration::from_secs_f64(seconds)),
            None => Err(wrong(
                name,
                &text,
                &format!("it must be seconds from {} to {}", range.start(), range.end()),
            )),
        }
    }

    /// Whether the option `name` is given; it takes no value.
    pub fn flag(&mut self, name: &str) -> Result<bool> {
        Ok(self.take(name, false)?.is_some())
    }

    /// The next operand, if there is one. Options come first: one still left here is unknown.
    pub fn operand(&mut self) -> Result<Option<OsString>> {
        if let Some(word) = self.words.iter().find(|word| is_option(word) || has_other_dash(word)) {
            return Err(unknown_option(word));
        }
        let from = if self.words.is_empty() { &mut self.after_dashes } else { &mut self.words };
        Ok((!from.is_empty()).then(|| from.remove(0)))
    }

    /// The next operand, read as a `T` (an address, a URL), or `default` where there is none.
    pub fn operand_or<T>(&mut self, what: &str, default: &str) -> Result<T>
    where
        T: FromStr<Err: Display>,
    {
        parse(what, &self.operand()?.unwrap_or_else(|| default.into()))
    }

    /// All operands that are left, as the bytes they are, each at most `limit` bytes, or `default` where there
    /// is none. An empty one counts. On Windows, text that is not Unicode comes in WTF-8.
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
        match self.operand()? {
            Some(word) => Err(usage(format!("unexpected argument '{}'", show(&word)))),
            None => Ok(()),
        }
    }

    fn take(&mut self, name: &str, has_value: bool) -> Result<Option<OsString>> {
        let Some(at) = self.words.iter().position(|word| is_named(word, name)) else { return Ok(None) };
        let word = self.words.remove(at);
        let value = match (behind(&word, name.len()).map_err(|why| bad(name, &word, why))?, has_value) {
            (Some(value), true) => value,
            (None, true) if at < self.words.len() && !is_option(&self.words[at]) => self.words.remove(at),
            (None, true) => return Err(usage(format!("{name} needs a value"))),
            (Some(_), false) => return Err(usage(format!("{name} takes no value"))),
            (None, false) => OsString::new(),
        };
        if self.words.iter().any(|word| is_named(word, name)) {
            return Err(usage(format!("{name} is given twice")));
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
    let advice = word.to_str().and_then(lookalikes::option_advice);
    let why = advice.map(|advice| format!(": {advice}")).unwrap_or_default();
    usage(format!("unknown option '{}'{why}", show(word)))
}

fn has_other_dash(word: &OsString) -> bool {
    word.to_str().is_some_and(lookalikes::begins_with_a_dash)
}

fn is_named(word: &OsString, name: &str) -> bool {
    let rest = word.as_encoded_bytes().strip_prefix(name.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
}

/// What stands behind an option's name of so many bytes, and its `=`.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "as elsewhere")]
fn behind(word: &OsString, length: usize) -> Result<Option<OsString>, &'static str> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    Ok(word.as_bytes().get(length + 1..).map(|value| OsString::from_vec(value.to_vec())))
}

#[cfg(not(unix))]
fn behind(word: &OsString, length: usize) -> Result<Option<OsString>, &'static str> {
    Ok(word.to_str().ok_or("it is not Unicode")?.get(length + 1..).map(OsString::from))
}

fn parse<T>(what: &str, text: &OsString) -> Result<T>
where
    T: FromStr<Err: Display>,
{
    let unicode = text.to_str().ok_or_else(|| bad(what, text, "it is not Unicode"))?;
    unicode.parse().map_err(|e: T::Err| bad(what, text, &e.to_string()))
}

fn bad(what: &str, text: &OsString, why: &str) -> anyhow::Error {
    usage(format!("{what} '{}': {why}", show(text)))
}

/// As [`bad`], for a value that has to be ASCII.
fn wrong(what: &str, text: &OsString, why: &str) -> anyhow::Error {
    match text.to_str().and_then(lookalikes::advice) {
        Some(advice) if !why.contains(&advice) => bad(what, text, &format!("{why}; {advice}")),
        _ => bad(what, text, why),
    }
}

fn show(text: &OsString) -> String {
    escape(text.as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::HostPort;
    use crate::framing::Framing;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(OsString::from))
    }

    fn error<T>(outcome: Result<T>) -> String {
        let Err(error) = outcome else { panic!("this was accepted") };
        assert!(error.is::<Usage>());
        error.to_string()
    }

    #[test]
    fn options_stand_anywhere_before_the_dashes_in_both_forms() {
        let mut args = args("a:1 --delay 0.2 --quiet Bob --framing=raw -o - -- --quiet -x");
        assert!(args.flag("--quiet").unwrap());
        assert_eq!(args.value("--framing", Framing::Line).unwrap(), Framing::Raw);
        assert_eq!(args.seconds("--delay", 1.0, 0.0..=60.0).unwrap(), Duration::from_millis(200));
        assert_eq!(args.given::<String>("-o").unwrap().as_deref(), Some("-"));
        assert_eq!(args.number("--backlog", 7, 0..=9).unwrap(), 7);
        assert_eq!(args.operand_or::<HostPort>("HOST:PORT", "b:2").unwrap().to_string(), "a:1");
        assert_eq!(args.names(&[], 9).unwrap(), [&b"Bob"[..], b"--quiet", b"-x"]);
        args.finish().unwrap();
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let mut args = args("");
        assert!(!args.flag("--quiet").unwrap());
        assert_eq!(args.seconds("--delay", 1.5, 0.0..=60.0).unwrap(), Duration::from_millis(1500));
        assert_eq!(args.operand_or::<HostPort>("HOST:PORT", "b:2").unwrap().to_string(), "b:2");
        assert_eq!(args.names(&["Tracy", "Sarah"], 9).unwrap(), [b"Tracy", b"Sarah"]);
    }

    #[test]
    fn a_value_that_may_be_left_out_is_known_by_its_colon_or_its_digits() {
        let live = |line| args(line).given_or::<HostPort>("--live", "c:3");
        for (line, at) in
            [("--live a:1 x", "a:1"), ("--live=a:1", "a:1"), ("x --live", "c:3"), ("--live x", "c:3")]
        {
            assert_eq!(live(line).unwrap().unwrap().to_string(), at, "{line}");
        }
        assert_eq!(live("--live --quiet").unwrap().unwrap().to_string(), "c:3");
        assert!(live("x a:1").unwrap().is_none());
        assert!(
            error(live("--live 8080")).starts_with("--live '8080': it has no host: write 127.0.0.1:8080")
        );
        assert_eq!(error(live("--live --live=a:1")), "--live is given twice");
    }

    #[test]
    fn mistakes_are_named() {
        let range = 1..=9;
        assert_eq!(error(args("--nope").finish()), "unknown option '--nope'");
        assert_eq!(error(args("-").finish()), "unexpected argument '-'");
        assert_eq!(error(args("-- -x").finish()), "unexpected argument '-x'");
        assert_eq!(error(args("--framing").value("--framing", Framing::Raw)), "--framing needs a value");
        assert_eq!(error(args("--n --quiet").number("--n", 1, range.clone())), "--n needs a value");
        assert_eq!(error(args("--n 1 --n=2").number("--n", 1, range.clone())), "--n is given twice");
        assert_eq!(error(args("--quiet=yes").flag("--quiet")), "--quiet takes no value");
        assert_eq!(error(args("\x1b[2J").finish()), "unexpected argument '\\x1b[2J'");
        for number in ["0", "10", "+1", "1.0", "", "x", "99999999999999999999"] {
            let text = error(args(&format!("--n={number}")).number("--n", 1, range.clone()));
            assert_eq!(text, format!("--n '{number}': it must be a number from 1 to 9"));
        }
        for seconds in ["-1", "+1", "1e0", "nan", "inf", "", ".", "1.2.3", "61", "1s", "0x1"] {
            let text = error(args(&format!("--d={seconds}")).seconds("--d", 1.0, 0.0..=60.0));
            assert_eq!(text, format!("--d '{seconds}': it must be seconds from 0 to 60"));
        }
        for (line, text) in [
            ("–quiet", "unknown option '–quiet': it has '–' (U+2013) in it: type --quiet"),
            ("--quiet—", "unknown option '--quiet—': it has '—' (U+2014) in it: type --quiet-"),
            ("a –b=1", "unknown option '–b=1': it has '–' (U+2013) in it: type -b=1"),
        ] {
            assert_eq!(error(args(line).finish()), text);
        }
        assert_eq!(args("-- –x").names(&[], 9).unwrap(), ["–x".as_bytes()]);
        let text = error(args("--n １").number("--n", 1, range));
        assert_eq!(text, "--n '１': it must be a number from 1 to 9; it has '１' (U+FF11) in it: type '1'");
        let text = error(args("--d 0。5").seconds("--d", 1.0, 0.0..=60.0));
        assert!(text.ends_with("; it has '。' (U+3002) in it: type '.'"), "{text}");
        let text = error(args("--framing ｒaw").value("--framing", Framing::Line));
        assert!(text.ends_with("; it has 'ｒ' (U+FF52) in it: type 'r'"), "{text}");
        let text = error(args("—help").command_or(""));
        assert_eq!(text, "unknown option '—help': it has '—' (U+2014) in it: type --help");
        let text = error(args("ｇet").command_or(""));
        assert_eq!(text, "command 'ｇet': it has 'ｇ' (U+FF47) in it: type 'g'");
        let text = error(args("::1:9").operand_or::<HostPort>("HOST:PORT", ""));
        assert_eq!(text, "HOST:PORT '::1:9': an IPv6 address stands in brackets: [::1]:9999");
    }

    #[cfg(unix)]
    #[test]
    fn names_and_files_are_bytes_and_other_values_are_unicode() {
        use std::os::unix::ffi::OsStringExt;
        let odd = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let mut args = Args::new([&b"--f=\xff"[..], b"-o=\xff=", b"\xff\xfe"].map(odd).into_iter());
        assert_eq!(error(args.value("--f", Framing::Raw)), "--f '\\xff': it is not Unicode");
        assert_eq!(args.file("-o").unwrap().unwrap(), odd(b"\xff="));
        assert_eq!(args.names(&[], 9).unwrap(), [b"\xff\xfe"]);
    }
}

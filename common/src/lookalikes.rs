//! Characters that look like ASCII, from a keyboard or a word processor: a full-width colon, a long dash.

use crate::text;

/// What to type instead of the first such character in `text`, if there is one.
pub fn advice(text: &str) -> Option<String> {
    let (c, meant) = text.chars().find_map(|c| Some((c, ascii(c)?)))?;
    let instead = if meant == ' ' {
        text!("leave it out", "请去掉")
    } else {
        text!("type '{meant}'", "请改成 '{meant}'")
    };
    let has = has(c);
    Some(text!("{has}: {instead}", "{has}，{instead}"))
}

/// How to type a word that begins with any kind of dash as an option, if it has a character that is not ASCII. A
/// letter of another script may only look like ASCII: it is named, but not replaced.
pub fn option_advice(word: &str) -> Option<String> {
    let Some(c) = word.chars().find(|c| ascii(*c).is_some()) else {
        return word.chars().find(|c| !c.is_ascii()).map(has);
    };
    let is_seen = |c: &char| c.is_whitespace() || ascii(*c) != Some(' ');
    let plain: String = word.chars().filter(is_seen).map(|c| ascii(c).unwrap_or(c)).collect();
    let name = plain.trim().trim_start_matches('-');
    let dashes =
        if name.split('=').next().is_some_and(|name| name.chars().count() == 1) { "-" } else { "--" };
    let has = has(c);
    Some(text!("{has}: type {dashes}{name}", "{has}，请改成 {dashes}{name}"))
}

fn has(c: char) -> String {
    let named = named(c);
    text!("it has {named} in it", "里面有 {named}")
}

/// Whether a word begins with a dash that is not ASCII's.
pub fn begins_with_a_dash(word: &str) -> bool {
    word.chars().next().and_then(ascii) == Some('-')
}

/// A character and its number: it may look like another one, or be invisible.
pub fn named(c: char) -> String {
    let shown = crate::narration::escape(c.encode_utf8(&mut [0; 4]).as_bytes());
    format!("'{shown}' (U+{:04X})", u32::from(c))
}

/// Zeros of other scripts; the nine digits follow each.
const ZEROS: [char; 16] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}',
    '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}',
];

/// The ASCII character that a character stands for, a space if it should be left out, or none. Full-width forms are
/// ASCII, further up (Unicode, Halfwidth and Fullwidth Forms).
fn ascii(c: char) -> Option<char> {
    match c {
        _ if is_quote(c) || is_blank(c) => Some(' '),
        _ if is_dash(c) => Some('-'),
        // The last one is on the colon's key, without shift.
        '\u{2d0}' | '\u{2236}' | '\u{a789}' | '\u{fe30}' | '\u{fe55}' | '；' => Some(':'),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + u32::from('!')),
        '。' | '\u{ff61}' | '\u{b7}' | '\u{2024}' | '\u{2027}' | '\u{30fb}' | '\u{fe52}' => Some('.'),
        '、' | '\u{2044}' | '\u{2215}' => Some('/'),
        '【' | '「' | '〔' => Some('['),
        '】' | '」' | '〕' => Some(']'),
        '\u{66a}' | '\u{fe6a}' => Some('%'),
        '\u{fe66}' => Some('='),
        _ => ZEROS.iter().find_map(|zero| char::from_digit(u32::from(c).checked_sub(u32::from(*zero))?, 10)),
    }
}

/// Long dashes, the minus, the box drawing line that some input methods type, and the Japanese long vowel mark.
fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2d7}' | '\u{2043}' | '\u{2212}' | '\u{2500}' | '\u{2501}')
        || matches!(c, '\u{2796}' | '\u{2e3a}' | '\u{2e3b}' | '\u{30fc}' | '\u{fe58}' | '\u{fe63}')
}

fn is_quote(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}' | '\u{ff02}' | '\u{ff07}' | '«' | '»' | '《' | '》')
}

/// Unicode's spaces and format characters, some of which are invisible.
fn is_blank(c: char) -> bool {
    (c.is_whitespace() && !c.is_ascii())
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stand_in_is_named_with_what_to_type() {
        for (text, advice_) in [
            ("127.0.0.1：9999", "it has '：' (U+FF1A) in it: type ':'"),
            ("h／", "it has '／' (U+FF0F) in it: type '/'"),
            ("127。0", "it has '。' (U+3002) in it: type '.'"),
            ("１", "it has '１' (U+FF11) in it: type '1'"),
            ("٣", "it has '٣' (U+0663) in it: type '3'"),
            ("９", "it has '９' (U+FF19) in it: type '9'"),
            ("ａ", "it has 'ａ' (U+FF41) in it: type 'a'"),
            ("~～", "it has '～' (U+FF5E) in it: type '~'"),
            ("【::1】", "it has '【' (U+3010) in it: type '['"),
            ("“h”", "it has '“' (U+201C) in it: leave it out"),
            ("\u{feff}h", "it has '\\u{feff}' (U+FEFF) in it: leave it out"),
            ("h\u{a0}", "it has '\u{a0}' (U+00A0) in it: leave it out"),
            ("a–b", "it has '–' (U+2013) in it: type '-'"),
            ("h；80", "it has '；' (U+FF1B) in it: type ':'"),
            ("hː80", "it has 'ː' (U+02D0) in it: type ':'"),
            ("១", "it has '១' (U+17E1) in it: type '1'"),
        ] {
            assert_eq!(advice(text).as_deref(), Some(advice_), "{text}");
        }
        for text in ["", "localhost:9999", "例子", "é", "\u{1b}"] {
            assert_eq!(advice(text), None, "{text}");
        }
    }

    #[test]
    fn an_option_is_written_out_with_as_many_dashes_as_its_name_takes() {
        for (word, instead) in [
            ("–quiet", "--quiet"),
            ("—quiet", "--quiet"),
            ("-–quiet", "--quiet"),
            ("−−quiet", "--quiet"),
            ("–o", "-o"),
            ("—timeout=2", "--timeout=2"),
            ("--timeout＝2", "--timeout=2"),
            ("──quiet", "--quiet"),
            ("⸺quiet", "--quiet"),
            ("--framing\u{3000}raw", "--framing raw"),
            ("--delay\u{a0}2", "--delay 2"),
            ("--qui\u{200b}et\u{3000}", "--quiet"),
            ("—", "--"),
        ] {
            let advice = option_advice(word).unwrap();
            assert!(advice.ends_with(&format!(": type {instead}")), "{word}: {advice}");
        }
        assert_eq!(option_advice("--nope"), None);
        let cyrillic = option_advice("--qu\u{456}et").unwrap();
        assert_eq!(cyrillic, "it has '\u{456}' (U+0456) in it");
        assert!(begins_with_a_dash("–x") && !begins_with_a_dash("-x") && !begins_with_a_dash("x–"));
    }
}

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

/// What is wrong with an option that has a character that is not ASCII, if it has one.
pub fn option_advice(word: &str) -> Option<String> {
    let has = has(word.chars().find(|c| !c.is_ascii())?);
    Some(text!("{has}: type plain hyphens (--) and letters", "{has}，请用半角连字符（--）和字母"))
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

/// The ASCII character that a character stands for, a space if it should be left out, or none. Full-width forms are
/// ASCII, further up (Unicode, Halfwidth and Fullwidth Forms).
fn ascii(c: char) -> Option<char> {
    match c {
        _ if c.is_whitespace() && !c.is_ascii() => Some(' '),
        // Invisible characters, and quotes.
        '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2018}'..='\u{201f}' | '《' | '》' => Some(' '),
        // Long dashes, the minus, and the box drawing line that some input methods type.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' => Some('-'),
        '；' => Some(':'), // on the colon's key, without shift
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + u32::from('!')),
        '。' => Some('.'),
        '、' => Some('/'),
        '【' | '「' => Some('['),
        '】' | '」' => Some(']'),
        _ => None,
    }
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
            ("~～", "it has '～' (U+FF5E) in it: type '~'"),
            ("【::1】", "it has '【' (U+3010) in it: type '['"),
            ("“h”", "it has '“' (U+201C) in it: leave it out"),
            ("\u{feff}h", "it has '\\u{feff}' (U+FEFF) in it: leave it out"),
            ("h\u{a0}", "it has '\u{a0}' (U+00A0) in it: leave it out"),
            ("a–b", "it has '–' (U+2013) in it: type '-'"),
            ("h；80", "it has '；' (U+FF1B) in it: type ':'"),
        ] {
            assert_eq!(advice(text).as_deref(), Some(advice_), "{text}");
        }
        for text in ["", "localhost:9999", "例子", "é", "\u{1b}"] {
            assert_eq!(advice(text), None, "{text}");
        }
    }

    #[test]
    fn of_an_option_the_first_character_that_is_not_ascii_is_named() {
        for (word, named) in [
            ("–quiet", "'–' (U+2013)"),
            ("--timeout＝2", "'＝' (U+FF1D)"),
            ("--qu\u{456}et", "'\u{456}' (U+0456)"),
        ] {
            let advice = format!("it has {named} in it: type plain hyphens (--) and letters");
            assert_eq!(option_advice(word), Some(advice));
        }
        assert_eq!(option_advice("--nope"), None);
        assert!(begins_with_a_dash("–x") && !begins_with_a_dash("-x") && !begins_with_a_dash("x–"));
    }
}

//! JSON (RFC 8259), written only: each function returns a valid value.

use std::fmt::Write as _;

pub fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

pub fn array(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

pub fn object(members: &[(&str, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{}: {value}", string(name))).collect();
    format!("{{{}}}", members.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_string_or_is_a_control_is_escaped() {
        let all = object(&[("a", array([string("a\"b\\c\n\u{7f}张"), "1".into()]))]);
        assert_eq!(all, r#"{"a": ["a\"b\\c\u000a\u007f张", 1]}"#);
        assert_eq!(object(&[]) + &array([]), "{}[]");
    }
}

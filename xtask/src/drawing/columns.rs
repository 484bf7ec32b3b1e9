//! How many columns a text takes, and how it is fitted into fewer. Pure.

use std::mem;

/// The text in at most four lines of at most `limit` columns.
pub fn wrap(text: &str, limit: usize) -> Vec<String> {
    const LINES: usize = 4;
    let mut lines = broken(text, limit);
    if lines.len() > LINES {
        lines.truncate(LINES);
        lines[LINES - 1] = fit(&format!("{}…", lines[LINES - 1]), limit);
    }
    lines
}

/// The text in lines of at most `limit` columns, broken at a blank if there is one near the end.
pub fn broken(text: &str, limit: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for c in text.chars() {
        if width(&line) + columns(c) > limit {
            let blank = line.rfind(' ').filter(|at| *at > line.len() / 2);
            let begun = blank.map_or(String::new(), |at| line.split_off(at + 1));
            lines.push(mem::replace(&mut line, begun));
        }
        line.push(c);
    }
    lines.push(line);
    lines
}

/// The text in at most `limit` columns.
pub fn fit(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.into();
    }
    let mut taken = 0;
    let fits = |c: &char| {
        taken += columns(*c);
        taken < limit
    };
    text.chars().take_while(fits).collect::<String>() + "…"
}

/// How many columns a terminal gives the text.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// East Asian wide characters and emoji take two columns (UAX #11, the blocks that names are written in).
fn columns(c: char) -> usize {
    let is_wide = matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}');
    1 + usize::from(is_wide)
}

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let groups = digits.as_bytes()[first..].chunks(3).map(|group| String::from_utf8_lossy(group));
    let head = Some(digits[..first].into()).filter(|head: &std::borrow::Cow<'_, str>| !head.is_empty());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

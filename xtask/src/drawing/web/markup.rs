//! Markup, and text that is none.

pub fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect()
}

/// Text that a browser shows and does not obey.
pub fn text(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => shown += "&amp;",
            '<' => shown += "&lt;",
            '>' => shown += "&gt;",
            '"' => shown += "&quot;",
            '\'' => shown += "&#39;",
            _ => shown.push(c),
        }
    }
    shown
}

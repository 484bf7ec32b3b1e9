//! Markup, and text that is none.

pub fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect()
}

/// Text that a browser shows and does not obey.
pub fn text(words: &str) -> String {
    let shown = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    shown.replace('"', "&quot;").replace('\'', "&#39;")
}

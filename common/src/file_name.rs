//! The name under which a page is saved: a plain file name on every system.

use crate::narration::escape;

/// For a URL without a usable name.
const DEFAULT: &str = "index.html";

/// The most bytes in a file name on Linux and macOS. Windows counts UTF-16 units, of which there are never more.
const LIMIT: usize = 255;

/// The part after the last dot is an extension only up to this length in bytes.
const EXTENSION_LIMIT: usize = 32;

/// Makes a name from the last segment of a URL's path: decoded, if that is a plain name; or as it is written, if that
/// is one; or else `index.html`. A name that is too long is cut before its extension.
pub fn from_segment(segment: &str) -> String {
    let decoded = String::from_utf8(decode(segment)).ok();
    let names = decoded.into_iter().chain([segment.to_owned()]);
    names.map(cut).find(|name| is_plain(name)).unwrap_or_else(|| DEFAULT.into())
}

/// Percent-decoded (RFC 3986 section 2.1); a percent sign without two hexadecimal digits stays as it is.
fn decode(segment: &str) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = segment_hex(after).filter(|_| *first == b'%');
        decoded.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    decoded
}

fn segment_hex(bytes: &[u8]) -> Option<u8> {
    let digits = bytes.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Cuts a name to [`LIMIT`], between two characters.
fn cut(name: String) -> String {
    if name.len() <= LIMIT {
        return name;
    }
    let dot = name.rfind('.').filter(|&dot| name.len() - dot <= EXTENSION_LIMIT).unwrap_or(name.len());
    let (stem, extension) = name.split_at(dot);
    let most = LIMIT - extension.len();
    let end = (0..=most).rev().find(|&end| stem.is_char_boundary(end)).unwrap_or(0);
    let stem = &stem[..end];
    // Without an extension, the cut may leave a dot or a space at the end.
    let stem = if extension.is_empty() { stem.trim_end_matches(['.', ' ']) } else { stem };
    format!("{stem}{extension}")
}

/// Whether every system reads it as the name of a plain file in this directory: not a path, a `-` or a device of
/// Windows, and without characters that Windows refuses (Microsoft, "Naming Files, Paths, and Namespaces"), that macOS
/// reads as a slash or that control a terminal.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "-")
        && !name.contains(['<', '>', ':', '"', '/', '\\', '|', '?', '*'])
        && !name.ends_with(['.', ' '])
        && escape(name.as_bytes()) == name
        && !is_device(name)
}

/// Whether Windows reads a name as a device, whatever follows its first dot.
pub fn is_device(name: &str) -> bool {
    let stem = name.split(['.', ':']).next().unwrap_or_default().trim_end_matches(' ').to_uppercase();
    let digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '¹', '²', '³'];
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$" => true,
        _ => {
            let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
            number.is_some_and(|number| digits.iter().any(|digit| number.chars().eq([*digit])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_decoded_where_it_is_then_a_plain_files_everywhere() {
        for (segment, name) in [
            ("page.html", "page.html"),
            ("%E7%BD%91%e9%a1%b5.html", "网页.html"),
            ("a%20b.txt", "a b.txt"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%2541", "%41"),
            (".profile", ".profile"),
            ("console", "console"),
            ("com10", "com10"),
            ("COMÄ", "COMÄ"),
        ] {
            assert_eq!(from_segment(segment), name, "{segment}");
        }
    }

    #[test]
    fn what_would_not_do_decoded_stays_as_it_was_written() {
        let gbk_and_right_to_left = ["%CE%C4.html", "x%E2%80%AEgpj.exe"];
        let others = "a%2Fb %2e%2E %2D a%00b a%1Bb a%0Ab a%7Cb a%5Cb x%20 report%2E %63on con%20.html";
        for segment in gbk_and_right_to_left.into_iter().chain(others.split(' ')) {
            assert_eq!(from_segment(segment), segment);
        }
    }

    #[test]
    fn what_some_system_reserves_is_saved_as_the_index() {
        let paths = r#", ., .., ..., -, a\b, a:b, a|b, a*b, a<b, a>b, a"b, report., x "#;
        let devices =
            "con, Aux.html, nul, NUL.tar.gz, prn., com0, COM1.txt, lpt9, com¹, LPT³.x, conin$, CONOUT$";
        for segment in paths.split(", ").chain(devices.split(", ")) {
            assert_eq!(from_segment(segment), "index.html", "{segment}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_at_a_character_and_keeps_its_extension() {
        let of = |text: String| {
            from_segment(&text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}")))
        };
        assert_eq!(of("文".repeat(28) + ".html"), "文".repeat(28) + ".html", "89 bytes, 257 encoded");
        assert_eq!(of("文".repeat(100) + ".html"), "文".repeat(83) + ".html", "254 bytes");
        assert_eq!(of("a".repeat(300)), "a".repeat(255));
        assert_eq!(of("a".repeat(250) + ".html"), "a".repeat(250) + ".html", "255 bytes");
        assert_eq!(of("a".repeat(251) + ".html"), "a".repeat(250) + ".html");
        assert_eq!(of("a".repeat(254) + " " + &"b".repeat(40)), "a".repeat(254), "no blank at the end");
        assert_eq!(of(format!("a.{}", "文".repeat(90))), format!("a.{}", "文".repeat(84)), "no extension");
    }
}

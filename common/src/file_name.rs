//! The name under which a page is saved: a plain file name on every system.

use crate::narration::escape;

/// For a URL without a usable name.
const DEFAULT: &str = "index.html";

/// The most bytes in a file name on Linux and macOS. Windows counts UTF-16 units, of which there are never more.
const LIMIT: usize = 255;

/// Makes a name from the last segment of a URL's path, decoded: or `index.html`, if that is not a plain name.
pub fn from_segment(segment: &str) -> String {
    let decoded = String::from_utf8(decode(segment)).ok();
    decoded.filter(|name| is_plain(name)).unwrap_or_else(|| DEFAULT.into())
}

/// Percent-decoded (RFC 3986 section 2.1); a percent sign without two hexadecimal digits stays as it is.
fn decode(segment: &str) -> Vec<u8> {
    let mut parts = segment.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(b'%'));
        decoded.extend_from_slice(&part.as_bytes()[if byte.is_some() { 2 } else { 0 }..]);
    }
    decoded
}

/// Whether every system reads it as the name of a plain file in this directory: not a path, a `-` or a device of
/// Windows, and without characters that Windows refuses (Microsoft, "Naming Files, Paths, and Namespaces"), that macOS
/// reads as a slash or that control a terminal.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "-")
        && name.len() <= LIMIT
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
    fn what_is_no_plain_name_everywhere_is_saved_as_the_index() {
        let (gbk, right_to_left, long) = ("%CE%C4.html", "x%E2%80%AEgpj.exe", &*"a".repeat(256));
        let encoded = "a%2Fb %2e%2E %2D a%00b a%1Bb a%0Ab a%7Cb a%5Cb x%20 report%2E %63on con%20.html";
        let paths = r#". .. ... - a\b a:b a|b a*b a<b a>b a"b report."#;
        let devices = "con Aux.html nul NUL.tar.gz prn. com0 COM1.txt lpt9 com¹ LPT³.x conin$ CONOUT$";
        let listed = [encoded, paths, devices].into_iter().flat_map(|names| names.split(' '));
        for segment in listed.chain(["", "x ", gbk, right_to_left, long]) {
            assert_eq!(from_segment(segment), "index.html", "{segment}");
        }
        assert_eq!(from_segment(&long[1..]), long[1..]);
    }
}

//! `http://` URLs, the part of RFC 3986 that a GET needs.

use std::fmt::Write as _;
use std::str::FromStr;

use crate::address::HostPort;
use crate::lookalikes;
use crate::narration::escape;

/// Where to connect and what to ask for.
#[derive(Debug, PartialEq, Eq)]
pub struct Url {
    /// Where to connect.
    pub peer: HostPort,
    /// For the `Host` field: the authority without a scope, which means nothing to other machines, and without the colon
    /// of an empty port.
    pub host: String,
    /// For the request line: the path and the query, with other characters percent-encoded.
    pub target: String,
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host_start = text.find("://").map_or(0, |at| at + 3);
        let host_end = text[host_start..].find(['/', '?', '#']).map_or(text.len(), |at| host_start + at);
        if let Some(advice) = lookalikes::advice(&text[..host_end]) {
            return Err(advice);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("a URL starts with http://, as in http://127.0.0.1:8000/length".into());
        };
        if scheme.eq_ignore_ascii_case("https") {
            return Err("https needs TLS, and this client speaks only what a plain socket carries; \
                        is there an http:// address?"
                .into());
        }
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(format!("{scheme}:// is not http://"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("a user name in a URL is not supported".into());
        }
        let authority = without_empty_port(authority);
        let has_port = authority.rsplit(']').next().is_some_and(|end| end.contains(':'));
        let peer = if has_port { authority.parse() } else { format!("{authority}:80").parse() }?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { peer, host: without_scope(authority), target: format!("{slash}{}", encode(target)?) })
    }
}

impl Url {
    /// The name under which the body is saved: the last segment of the path, decoded, or `index.html` if that is not a
    /// plain file's name on every system.
    pub fn file_name(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        let decoded = String::from_utf8(decode(path.rsplit('/').next().unwrap_or_default())).ok();
        decoded.filter(|name| is_plain(name)).unwrap_or_else(|| "index.html".into())
    }
}

fn without_scope(authority: &str) -> String {
    match (authority.find('%'), authority.find(']')) {
        (Some(scope), Some(end)) if scope < end => format!("{}{}", &authority[..scope], &authority[end..]),
        _ => authority.to_owned(),
    }
}

/// An empty port is the default port (RFC 3986 section 3.2.3).
fn without_empty_port(authority: &str) -> &str {
    let host = authority.strip_suffix(':').filter(|host| host.ends_with(']') || !host.contains(':'));
    host.unwrap_or(authority)
}

/// The characters of a path or a query, besides letters and digits (RFC 3986 sections 2.2, 2.3, 3.3 and 3.4).
const BELONGS: &[u8] = b"-._~!$&'()*+,;=:@/?";

/// Encodes the characters that a request line must not have (RFC 9112 section 3.2). A percent sign that begins an
/// encoding stays.
fn encode(target: &str) -> Result<String, String> {
    let mut encoded = String::new();
    for (at, byte) in target.bytes().enumerate() {
        let is_hex = |at: usize| target.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
        match byte {
            b' ' => return Err("it has a space in it: write it as %20".into()),
            0..=31 | 127 => return Err("it has a control character in it".into()),
            b'%' if is_hex(at + 1) && is_hex(at + 2) => encoded.push('%'),
            _ if byte.is_ascii_alphanumeric() || BELONGS.contains(&byte) => encoded.push(byte.into()),
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
    }
    Ok(encoded)
}

/// The most bytes in a file name on Linux and macOS. Windows counts UTF-16 units, of which there are never more.
const NAME_LIMIT: usize = 255;

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

/// Whether every system reads it as the name of a plain file in this directory: not a path or a `-`, and without
/// characters that Windows refuses (Microsoft, "Naming Files, Paths, and Namespaces"), that macOS reads as a slash or
/// that control a terminal.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "-")
        && name.len() <= NAME_LIMIT
        && !name.contains(['<', '>', ':', '"', '/', '\\', '|', '?', '*'])
        && !name.ends_with(['.', ' '])
        && escape(name.as_bytes()) == name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_to_connect_and_what_to_ask_for() {
        for (text, peer, host, target, file) in [
            ("http://www.google.com/", "www.google.com:80", "www.google.com", "/", "index.html"),
            ("HTTP://h", "h:80", "h", "/", "index.html"),
            ("http://h:8080/a/b.html?c=d/e#f", "h:8080", "h:8080", "/a/b.html?c=d/e", "b.html"),
            ("http://h?q", "h:80", "h", "/?q", "index.html"),
            ("http://[::1]/x", "[::1]:80", "[::1]", "/x", "x"),
            ("http://[::1]:81/x/", "[::1]:81", "[::1]:81", "/x/", "index.html"),
            ("http://[fe80::1%2]:81/", "[fe80::1%2]:81", "[fe80::1]:81", "/", "index.html"),
            ("http://h:/x", "h:80", "h", "/x", "x"),
            ("http://[fe80::1%254]/", "[fe80::1%254]:80", "[fe80::1]", "/", "index.html"),
            ("http://h/页：？q", "h:80", "h", "/%E9%A1%B5%EF%BC%9A%EF%BC%9Fq", "页：？q"),
            ("http://h/x?|{}^<>\"`[]\\", "h:80", "h", "/x?%7C%7B%7D%5E%3C%3E%22%60%5B%5D%5C", "x"),
            ("http://h/x?a%20b%2fc%", "h:80", "h", "/x?a%20b%2fc%25", "x"),
            ("http://h/x?%zz%4", "h:80", "h", "/x?%25zz%254", "x"),
            ("http://h/x?-._~!$&'()*+,;=:@/?", "h:80", "h", "/x?-._~!$&'()*+,;=:@/?", "x"),
        ] {
            let url: Url = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            let found = (&*url.peer.to_string(), &*url.host, &*url.target, &*url.file_name());
            assert_eq!(found, (peer, host, target, file), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_http_url_is_refused_with_the_reason() {
        for (text, reason) in [
            ("www.google.com", "starts with http://"),
            ("https://www.google.com/", "TLS"),
            ("ftp://h/", "ftp:// is not http://"),
            ("http://", "empty"),
            ("http://u:p@h/", "user name"),
            ("http://h:x/", "decimal number"),
            ("http://:/", "empty"),
            ("http://fe80::/", "brackets"),
            ("http://[fe80::1%25eth0]/", "index"),
            ("http：//h/", "'：' (U+FF1A) in it: type ':'"),
            ("http:／／h/", "type '/'"),
            ("ｈttp://h/", "type 'h'"),
            ("“http://h/”", "leave it out"),
            ("http://127.0.0.1：80/", "type ':'"),
            ("h：80/", "type ':'"),
            ("h/页：x", "starts with http://"),
            ("http://h/a b", "%20"),
            ("http://h/a\r\nX: y", "control"),
            ("http://h x/", "does not belong"),
        ] {
            let error = text.parse::<Url>().expect_err(text);
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_body_is_saved_under_the_last_segment_if_that_is_a_plain_name_everywhere() {
        let saved_as = |segment: &str| {
            let (peer, host) = (HostPort::Name("h".into(), 80), "h".into());
            Url { peer, host, target: format!("/a/{segment}") }.file_name()
        };
        for (segment, name) in [
            ("page.html?q/r", "page.html"),
            ("%E7%BD%91%e9%a1%b5.html", "网页.html"),
            ("a%20b.txt", "a b.txt"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%2541", "%41"),
            (".profile", ".profile"),
        ] {
            assert_eq!(saved_as(segment), name, "{segment}");
        }
        let (gbk, right_to_left, long) = ("%CE%C4.html", "x%E2%80%AEgpj.exe", &*"a".repeat(256));
        let encoded = "a%2Fb %2e%2E %2D a%00b a%1Bb a%0Ab a%7Cb a%5Cb x%20 report%2E";
        let paths = r#". .. ... - a\b a:b a|b a*b a<b a>b a"b report."#;
        let listed = [encoded, paths].into_iter().flat_map(|names| names.split(' '));
        for segment in listed.chain(["", "x ", gbk, right_to_left, long]) {
            assert_eq!(saved_as(segment), "index.html", "{segment}");
        }
        assert_eq!(saved_as(&long[1..]), long[1..]);
    }
}

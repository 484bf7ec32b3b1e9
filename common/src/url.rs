//! `http://` URLs, as much of RFC 3986 as a GET needs.

use std::fmt::Write as _;
use std::str::FromStr;

use crate::address::HostPort;
use crate::file_name;

const DEFAULT_PORT: &str = "80";

/// Where to connect and what to ask for.
#[derive(Debug, PartialEq, Eq)]
pub struct Url {
    /// Where to connect.
    pub peer: HostPort,
    /// What the `Host` field says: the authority as written, without a scope (RFC 6874).
    pub host: String,
    /// What the request line asks for: the path and the query; what is not ASCII is percent-encoded.
    pub target: String,
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("a URL starts with http://, as in http://{text}"));
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
        let has_port = authority.rsplit(']').next().is_some_and(|end| end.contains(':'));
        let peer = if has_port { authority.parse() } else { format!("{authority}:{DEFAULT_PORT}").parse() }?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { peer, host: without_scope(authority), target: format!("{slash}{}", encode(target)?) })
    }
}

impl Url {
    /// The name under which the body is saved: the last segment of the path, decoded where it is then a plain
    /// file's name on every system, or `index.html`; see [`file_name`].
    pub fn file_name(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        file_name::from_segment(path.rsplit('/').next().unwrap_or_default())
    }
}

fn without_scope(authority: &str) -> String {
    match (authority.find('%'), authority.find(']')) {
        (Some(scope), Some(end)) if scope < end => format!("{}{}", &authority[..scope], &authority[end..]),
        _ => authority.to_owned(),
    }
}

fn encode(target: &str) -> Result<String, String> {
    let mut encoded = String::new();
    for byte in target.bytes() {
        match byte {
            b' ' => return Err("it has a blank in it: write it as %20".into()),
            0..=31 | 127 => return Err("it has a control character in it".into()),
            128.. => _ = write!(encoded, "%{byte:02X}"),
            _ => encoded.push(byte.into()),
        }
    }
    Ok(encoded)
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
            ("http://h#f", "h:80", "h", "/", "index.html"),
            ("http://[::1]/x", "[::1]:80", "[::1]", "/x", "x"),
            ("http://[::1]:81/x/", "[::1]:81", "[::1]:81", "/x/", "index.html"),
            ("http://[fe80::1%2]:81/", "[fe80::1%2]:81", "[fe80::1]:81", "/", "index.html"),
            ("http://h/页?é", "h:80", "h", "/%E9%A1%B5?%C3%A9", "页"),
            ("http://h/a/..", "h:80", "h", "/a/..", "index.html"),
            ("http://h/-", "h:80", "h", "/-", "index.html"),
            ("http://h/a\\..\\b", "h:80", "h", "/a\\..\\b", "index.html"),
            ("http://h/c:evil", "h:80", "h", "/c:evil", "index.html"),
        ] {
            let url: Url = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!((url.peer.to_string().as_str(), url.host.as_str()), (peer, host), "{text}");
            assert_eq!((url.target.as_str(), url.file_name().as_str()), (target, file), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_http_url_is_refused_with_the_reason() {
        for (text, reason) in [
            ("www.google.com", "as in http://www.google.com"),
            ("https://www.google.com/", "TLS"),
            ("ftp://h/", "ftp:// is not http://"),
            ("http://", "empty"),
            ("http:///path", "empty"),
            ("http://u:p@h/", "user name"),
            ("http://h:/", "decimal number"),
            ("http://h:x/", "decimal number"),
            ("http://::1/", "brackets"),
            ("http://127.1/", "four decimal"),
            ("http://h/a b", "%20"),
            ("http://h/a\r\nX: y", "control"),
            ("http://h x/", "blank"),
        ] {
            let error = text.parse::<Url>().expect_err(text);
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}

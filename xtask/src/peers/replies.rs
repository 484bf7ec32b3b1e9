//! What an origin sends, byte for byte.

use std::sync::LazyLock;

use crate::words::Words;

/// Whose body is as long as it says.
pub const LENGTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!";
/// In two chunks.
pub const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nHello, \r\n6\r\nworld!\r\n0\r\n\r\n";
/// In two chunks, one with a size that is no decimal number, and a line's end within it.
pub const CHUNKED_LINES: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
     b\r\nHello, \r\nwo\r\n4\r\nrld!\r\n0\r\n\r\n";
/// The body in that.
pub const LINES: &str = "Hello, \r\nworld!";
/// Whose body ends with the connection.
pub const CLOSE: &str = "HTTP/1.1 200 OK\r\n\r\nHello, world!";
/// Without a body.
pub const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";
/// Whose body is cut short.
pub const CUT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello,";
/// Whose field names are spelled otherwise, as they may be (RFC 9110, section 5.1).
pub const LENGTH_SPELLED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nHello, world!";
/// The same, in chunks.
pub const CHUNKED_SPELLED: &str = "HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: chunked\r\n\r\n\
     b\r\nHello, \r\nwo\r\n4\r\nrld!\r\n0\r\n\r\n";
/// Without its last chunks.
pub const CUT_CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nHello, \r\nwo\r\n";
/// There is no such page.
pub const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
/// The body in them, where it is whole.
pub const BODY: &str = "Hello, world!";

/// A body of 64 MiB: no block of it is like another, and none like itself where a part of it is missing.
pub fn large() -> &'static [u8] {
    const BLOCK: usize = 64 << 10;
    const BLOCKS: usize = 1024;
    static BODY: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let counters: Vec<u8> = (0_u32..).take(BLOCK / 4).flat_map(u32::to_be_bytes).collect();
        let block = |number: u64| [&number.to_be_bytes(), &counters[8..]].concat();
        (0..).take(BLOCKS).map(block).collect::<Vec<_>>().concat()
    });
    &BODY
}

/// A page: how its body ends, and the bytes of its reply.
#[derive(Debug)]
pub struct Page {
    pub path: &'static str,
    pub how: Words,
    pub reply: &'static str,
    /// The body in it, or none where the reply is cut short.
    pub body: Option<&'static str>,
}

const fn page(
    path: &'static str,
    (en, zh): (&'static str, &'static str),
    reply: &'static str,
    body: Option<&'static str>,
) -> Page {
    Page { path, how: Words::fixed(en, zh), reply, body }
}

/// One page for each way.
pub static PAGES: [Page; 5] = [
    page(
        "/length",
        ("after the number of bytes that Content-Length announces", "由 Content-Length 给出长度"),
        LENGTH,
        Some(BODY),
    ),
    page("/chunked", ("with a chunk of size 0", "以大小为 0 的分块结尾"), CHUNKED, Some(BODY)),
    page("/close", ("when the connection is closed", "以关闭连接结束"), CLOSE, Some(BODY)),
    page(
        "/no-content",
        ("at once: a reply with status 204 has no body", "状态码 204，没有响应体"),
        NO_CONTENT,
        Some(""),
    ),
    page(
        "/cut",
        ("too early: 13 bytes are announced, 6 are sent", "提前中断，声明 13 字节，只发了 6 字节"),
        CUT,
        None,
    ),
];

/// The reply at `/`: for a browser, a list of the pages.
pub fn index() -> String {
    let link = |Page { path, how, .. }: &Page| {
        format!("<li><a href=\"{path}\">{path}</a>: the body ends {} / {}</li>\n", how.en, how.zh)
    };
    let links: String = PAGES.iter().map(link).collect();
    let body =
        format!("<!doctype html>\n<meta charset=\"utf-8\">\n<title>origin</title>\n<ul>\n{links}</ul>\n");
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

//! Likely mistakes that programs of more than one kind make.

use super::stage::{Hint, hint};

/// One recv is one message.
pub fn one_recv() -> Option<Hint> {
    hint(
        "M1",
        "One recv was taken for one message. Keep what came in a buffer, and cut it where a message ends.",
        "把一次 recv 当成了一条消息。应把收到的放进缓冲区，按消息的结尾切开。",
    )
}

/// A name is text.
pub fn not_as_it_came() -> Option<Hint> {
    hint(
        "M13",
        "A name is bytes, and need not be UTF-8: give them back as they came, and decode only to print.",
        "名字是字节，不一定是 UTF-8：原样返回，打印时才解码。",
    )
}

/// Bytes stand in a text as Python prints them.
pub fn python_words(about: &'static str) -> Option<Hint> {
    hint(
        about,
        "These are Python's words for bytes: put bytes together as bytes, or decode them first.",
        "这是 Python 打印 bytes 的样子：用 bytes 拼接，或者先解码。",
    )
}

/// A text is sent as it stands.
pub fn text_for_bytes() -> Option<Hint> {
    hint(
        "C8",
        "A socket carries bytes, and this is text: write b'...', or encode it.",
        "套接字收发的是字节，这里给的是文本：写成 b'...'，或先 encode。",
    )
}

/// A client has given up, and said something.
pub fn ended_in_the_middle(about: &'static str) -> Option<Hint> {
    hint(about, "It ended in the middle of it: its last words say why.", "它中途结束了：原因见它最后的输出。")
}

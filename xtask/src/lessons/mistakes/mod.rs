//! `cargo xtask demo --mistakes`: each mistake of the notes' code first fails, and then a program shows how it is
//! fixed. Functions with the notes' wrong code are named `wrong_...`; their lane shows the notes' calls.

mod tcp;
mod udp;
mod web;

use crate::lessons::prelude::*;
use crate::lessons::{UDP, WEB};

#[rustfmt::skip]
pub static ALL: [Lesson; 14] = [
    Lesson { name: "glued", subject_zh: "消息粘连", lanes: TCP, play: tcp::glued,
        claims: &[claim("M1",
            "One recv is treated as one message: messages merge, and 'exit' is not recognized.",
            "把一次 recv 当作一条消息：消息粘连，exit 不被识别。")] },
    Lesson { name: "chunk-sizes", subject_zh: "混进网页的分块大小", lanes: WEB, play: web::chunk_sizes,
        claims: &[claim("M2", "A chunked body is saved with its chunk sizes in it.",
                              "分块的响应体连同分块大小一起被保存。")] },
    Lesson { name: "cut-short", subject_zh: "被截断的响应体", lanes: WEB, play: web::cut_short,
        claims: &[claim("M3", "A body that was cut short is accepted as complete.",
                              "被截断的响应体被当成完整的收下。")] },
    Lesson { name: "lost-reply", subject_zh: "丢失的回复", lanes: UDP, play: udp::lost_reply,
        claims: &[claim("M4", "A lost reply blocks the UDP client forever.",
                              "一个回复丢失，UDP 客户端就永远阻塞。")] },
    Lesson { name: "late-reply", subject_zh: "迟到的回复", lanes: UDP, play: udp::late_reply,
        claims: &[claim("M5", "A late reply is mistaken for the reply to the next name.",
                              "迟到的回复被当成了下一个名字的回复。")] },
    Lesson { name: "stranger", subject_zh: "陌生人的回答", lanes: UDP, play: udp::stranger,
        claims: &[claim("M6", "The client accepts datagrams from any sender.",
                              "客户端谁发来的都收。")] },
    Lesson { name: "cut-datagram", subject_zh: "被截断的数据报", lanes: UDP, play: udp::cut_datagram,
        claims: &[claim("M7", "A datagram of more than 1024 bytes is cut, or lost.",
                              "超过 1024 字节的数据报被截断或丢失。")] },
    Lesson { name: "reset", subject_zh: "复位与最后的数据", lanes: TCP, play: tcp::reset,
        claims: &[claim("M8", "Closing with unread data sends a reset, and the last message may be lost.",
                              "还有未读数据就关闭会发送复位（RST），最后发送的数据可能丢失。")] },
    Lesson { name: "half-char", subject_zh: "半个汉字", lanes: TCP, play: tcp::half_char,
        claims: &[claim("M9",
            "A character that arrives in two reads is not valid text: an exception ends the\nthread.",
            "一个字符分两次到达，第一次读到的不是完整的字符：异常使线程结束。")] },
    Lesson { name: "slow-exit", subject_zh: "迟钝的 exit", lanes: TCP, play: tcp::slow_exit,
        claims: &[claim("M10", "The server sleeps before it looks at the message: even 'exit' takes a second.",
                               "服务器先停顿，再看收到了什么：说 exit 也要等一秒。")] },
    Lesson { name: "no-header", subject_zh: "缺少或不是 UTF-8 的响应头", lanes: WEB, play: web::no_header,
        claims: &[claim("M11", "A reply without a header, or with a Latin-1 header, ends the client with an\nexception.",
                               "没有响应头，或者响应头是 Latin-1 编码，程序就因异常而结束。")] },
    Lesson { name: "kept-open", subject_zh: "不关闭的连接", lanes: WEB, play: web::kept_open,
        claims: &[claim("M12",
            "If the server does not close, the client waits forever, although everything arrived.",
            "服务器不关闭连接，客户端虽已收全，仍永远等下去。")] },
    Lesson { name: "not-text", subject_zh: "不是 UTF-8 的回复", lanes: UDP, play: udp::not_text,
        claims: &[claim("M13", "A reply whose bytes are not UTF-8 ends the client with an exception.",
                               "回复的字节不是 UTF-8，客户端就因异常而结束。")] },
    Lesson { name: "gbk-name", subject_zh: "GBK 编码的名字", lanes: TCP, play: tcp::gbk_name,
        claims: &[claim("M14",
            "A name whose bytes are not UTF-8, such as 张三 in GBK, ends the server's thread.",
            "名字的字节不是 UTF-8（例如 GBK 编码的“张三”），服务器的线程就因异常而结束。")] },
];

/// How long to watch a wait of the notes' code that would never end.
const WATCHED: Duration = Duration::from_millis(500);

/// The notes' `decode('utf-8')`: bytes that are not UTF-8, or half a character, are an exception.
fn decode(bytes: &[u8], lane: Side, play: &Play) -> io::Result<String> {
    String::from_utf8(bytes.into()).map_err(|e| {
        play.called(lane, "decode('utf-8'): UnicodeDecodeError");
        io::Error::new(ErrorKind::InvalidData, e)
    })
}

fn instead(play: &mut Play, program: &str) -> Result<()> {
    play.act(&words!("What {program} does instead.", "再看 {program} 的做法。"))
}

/// Checks that the notes' code failed, which makes choice `right` of its question the right one.
fn wrong(play: &mut Play, Words { en, zh }: Words, failed: bool, right: u64) {
    let promise = words!("the mistake shows: {en}", "果然出错：{zh}");
    if failed || cfg!(unix) {
        play.checks.equal(promise, &failed, &true);
    } else {
        // The answers are known from Unix; other systems may differ.
        let why = words!("the mistake does not show on this system", "在本系统上重现不了这个错误");
        play.checks.not_available(promise, why);
    }
    if failed {
        play.reveal(Some(right));
    }
}

//! A page fetched once for each way in which a body can end.

use std::fs;

use super::WEB;
use super::prelude::*;
use crate::peers::origin;
use crate::peers::replies::PAGES;
use crate::wire::listening::Listening;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "page", subject_zh: "响应体在哪里结束", lanes: WEB, play,
    claims: &[claim("C19",
        "recv returns nothing at the end of a reply, but also when the reply was cut short.\n\
         Only the length in the header, or the last chunk, proves that all has arrived.",
        "recv 返回空就表示接收完毕？只有响应自己说明了在哪里结束，才能断定。\n被截断的响应体同样以空的 recv 结束。")],
};

fn play(play: &mut Play) -> Result<()> {
    let origin = quiet_origin(play)?;
    for (number, page) in (1..).zip(&PAGES) {
        let (label, Words { en, zh }) = (format!("#{number}"), &page.how);
        let is_cut = page.body.is_none();
        if is_cut {
            play.predict(
                "The body ends too early: 13 bytes are announced, 6 arrive, and the connection is closed.",
                "响应体如何结束：过早地结束，声明了 13 字节，只来了 6 字节，连接就关闭了。",
                ("What does tcp-client do?", "tcp-client 会怎样？"),
                &[
                    ("it saves the 6 bytes", "保存这 6 字节"),
                    ("it fails, and saves nothing", "报错，什么也不保存"),
                    ("it waits for the other 7", "继续等另外 7 字节"),
                ],
                "Content-Length says 13, so the end after 6 is an error.",
                "Content-Length 声明 13 字节，收到 6 字节就结束，所以是错误。",
            )?;
        } else {
            play.act(&words!("The body ends {en}.", "响应体如何结束：{zh}。"))?;
        }
        let wire = play.lab.wire(&label, origin.address, RelayMode::AsItComes)?;
        let outcome = play.run(&label, "tcp-client", &["get", &format!("http://{wire}{}", page.path)])?;
        let saved = fs::read_to_string(play.lab.directory().join(page.path.trim_start_matches('/'))).ok();
        let says_how_much = outcome.complained.concat().contains("cut short after 6 of 13 bytes");
        let promise = if is_cut {
            words!("{label} nothing is saved; it says how much is missing", "{label} 不保存，报错说缺多少")
        } else {
            words!("{label} the body is saved as it is", "{label} 响应体原样保存")
        };
        let found = (says_how_much, (Ended::from(&outcome), saved));
        let expected = (is_cut, (Ended::with(i32::from(is_cut)), page.body.map(str::to_owned)));
        play.checks.equal(promise, &found, &expected);
        play.reveal((found == expected).then_some(2));
    }
    Ok(())
}

/// An origin whose own lines are not drawn: the arrows show what it is asked for.
pub(super) fn quiet_origin(play: &Play) -> Result<Listening> {
    play.story.hide("origin");
    Ok(origin::start(TcpListener::bind((play.ip, 0))?, play.lab.record.recorder("origin"))?)
}

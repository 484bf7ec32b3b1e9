//! A stream of bytes: nothing shows where a write began.

use super::prelude::*;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "stream", subject_zh: "没有边界的字节流", lanes: BOTH_SIDES, play,
    claims: &[
        claim("C7", "On a stream, one receive may return the data of three sends: only datagrams keep\ntheir boundaries.",
                    "在流上，三次发送可能一次收完：只有数据报保留边界。"),
    ],
};

fn play(play: &mut Play) -> Result<()> {
    play.predict(
        "Three writes, of 7, 5 and 5 bytes, two times: one server reads after each write, another one after all three.",
        "写三次，分别是 7、5、5 字节，做两遍：一个服务器在每次写入之后读，另一个在三次都写完之后才读。",
        ("How many reads does it take to get them all?", "要读几次才能全部收到？"),
        &[
            ("always three: one for each write", "总是三次：每次写入读一次"),
            ("always one: they arrive together", "总是一次：它们一起到达"),
            ("that is not fixed", "不一定"),
        ],
        "nothing in a stream shows where a write began: any number from 1 to 17 is possible.",
        "流里没有任何东西标明每次写入从哪里开始：1 到 17 次都有可能。",
    )?;
    let mut counts = Vec::new();
    for waits in [false, true] {
        let (mut client, mut server) = pair(play.ip)?;
        let (mut sent, mut all, mut count) = (0, String::new(), 0);
        for name in ["Michael", "Tracy", "Sarah"] {
            client.write_all(name.as_bytes())?;
            play.sent(Side::Server, name.as_bytes());
            sent += name.len();
            while all.len() < sent && (!waits || name == "Sarah") {
                let mut buffer = [0; 1024];
                let n = server.read(&mut buffer)?;
                let piece = escape(&buffer[..n]);
                play.said(Side::Server, &words!("read: {piece}", "read：{piece}"));
                all += &piece;
                count += 1;
            }
        }
        let promise = words!("reads: {count}; all bytes came in order", "读了 {count} 次，字节依次全部到达");
        play.checks.equal(promise, &all.as_str(), &"MichaelTracySarah");
        counts.push(count);
    }
    play.reveal((counts[0] != counts[1]).then_some(3));
    Ok(())
}

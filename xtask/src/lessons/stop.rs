//! Stopping: the notes' server does not, with a client connected; this one does, and can start again at once.

use super::prelude::*;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "stop", subject_zh: "停止服务器",
    lanes: (Words::fixed("two clients", "两个客户端"), Words::fixed("tcp-server", "tcp-server")), play,
    claims: &[claim("-",
        "Not in the notes: a server should stop on Ctrl-C, whatever its clients do, and be\nable to restart at once.",
        "笔记里没有说的：不管客户端在做什么，\n按 Ctrl-C，服务器都应停止，并能立即再次启动。")],
};

fn play(play: &mut Play) -> Result<()> {
    play.predict(
        "One client is silent, and the reply to another takes 2 seconds: Ctrl-C meanwhile.",
        "一个客户端沉默，给另一个的回复要准备 2 秒：这时按 Ctrl-C。",
        ("What does tcp-server do?", "tcp-server 会怎样？"),
        &[
            ("it ends at once; the reply is lost", "立即结束，回复丢失"),
            ("it sends the reply, then ends", "发出回复，然后结束"),
            ("it ends when both clients have left", "等两个客户端都离开才结束"),
        ],
        "each conversation reads an end of stream, as if its client had left, so the reply is still sent.",
        "每个会话读到的都是流结束，和客户端离开时一样；正在准备的回复因此照常发出。",
    )?;
    let (server, at) = play.server("tcp-server", &["--delay", "2", "--quiet"])?;
    let mut silent = TcpPeer::welcomed(play.lab.wire("#1", at, RelayMode::AsItComes)?)?;
    let mut asking = TcpPeer::welcomed(play.lab.wire("#2", at, RelayMode::AsItComes)?)?;
    // Both names in one segment: once the first is greeted, the server has read the second.
    asking.sends("Michael\nTracy\n");
    asking.hears("Hello, Michael!")?;
    if !play.stop(server)? {
        return Ok(());
    }
    let (rest_of_silent, rest_of_asking) = (silent.hears_out()?, asking.hears_out()?);
    play.reveal((!rest_of_asking.is_empty()).then_some(2));
    let promise = words!("the reply still came; then both streams ended", "回复仍然到达，随后两个流都结束");
    play.checks.equal(promise, &(rest_of_asking.as_str(), rest_of_silent.as_str()), &("Hello, Tracy!\n", ""));
    let again = TcpListener::bind(at).map(|_| ()).map_err(|e| e.to_string());
    let promise = words!("the port can be bound again at once", "端口立即可以再次绑定");
    play.checks.equal(promise, &again, &Ok(()));
    Ok(())
}

//! Both directions at once, each with its own end; and how two sides can wait for each other forever.

use std::net::Shutdown;

use super::prelude::*;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "duplex", subject_zh: "双向通信与半关闭", lanes: BOTH_SIDES, play,
    claims: &[claim("C11", "Sockets work in both directions: each side may send at any time.",
                           "套接字支持双向通信：双方都可以随时发送。")],
};

const SIZE: usize = 64 << 20;

fn play(play: &mut Play) -> Result<()> {
    play.act(&words!("Both send 64 MiB at once, and read while sending.", "双方同时发 64 MiB，边发边读。"))?;
    let (client, server) = pair(play.ip)?;
    let [one, two] = thread::scope(|scope| {
        let readers = [&client, &server].map(|end| {
            scope.spawn(|| send(end)); // if it fails, the other end receives less
            scope.spawn(|| io::copy(&mut &*end, &mut io::sink()))
        });
        readers.map(|reader| reader.join().ok().context("a reader panicked"))
    });
    let exchanged = [one??, two??];
    for (side, read) in [(Side::Client, exchanged[0]), (Side::Server, exchanged[1])] {
        play.said(side, &words!("read {read} of {SIZE} bytes", "{SIZE} 字节中读到 {read} 字节"));
    }
    let promise = words!("each side received all that the other sent", "双方都收到了对方发送的全部数据");
    play.checks.equal(promise, &exchanged, &[SIZE as u64; 2]);

    play.act(&words!(
        "Half-close: the client closes its sending half, and the server still answers.",
        "半关闭：客户端关闭自己的写端，服务器照样回答。"
    ))?;
    let (mut client, mut server) = pair(play.ip)?;
    client.write_all(b"the last word")?;
    play.sent(Side::Server, b"the last word");
    client.shutdown(Shutdown::Write)?;
    play.ended(Side::Server);
    let heard = io::read_to_string(&server)?;
    play.said(Side::Server, &words!("read to the end: {heard}", "读到结束：{heard}"));
    let reply = format!("heard: {heard}");
    server.write_all(reply.as_bytes())?;
    play.sent(Side::Client, reply.as_bytes());
    drop(server);
    play.ended(Side::Client);
    let answer = io::read_to_string(&client)?;
    play.said(Side::Client, &words!("read to the end: {answer}", "读到结束：{answer}"));
    let promise = words!("the answer arrived in the direction still open", "回答经由仍然打开的那个方向到达");
    play.checks.equal(promise, &answer.as_str(), &"heard: the last word");

    play.predict(
        "For comparison: both sides send 64 MiB first, and read only afterwards.",
        "对照：双方都先发 64 MiB，打算发完再读。",
        ("Which of them finishes sending?", "谁能发完？"),
        &[("both", "双方都能"), ("one of them", "其中一方"), ("neither", "谁也发不完")],
        "the buffers are full, and each side waits for the other to read: a deadlock.",
        "缓冲区满了，双方都在等对方读取：死锁。",
    )?;
    let (client, server) = pair(play.ip)?;
    let [one, two] = thread::scope(|scope| {
        let senders = [&client, &server].map(|end| scope.spawn(|| send_first(end)));
        senders.map(|sender| sender.join().ok().context("a sender panicked"))
    });
    let (one, two) = (one?, two?);
    for (side, written) in [(Side::Client, one), (Side::Server, two)] {
        let Words { en, zh } = written.shown();
        play.said(side, &words!("write (300 ms limit): {en}", "write（限 300 毫秒）：{zh}"));
    }
    let finished = u64::from(one.is_ok()) + u64::from(two.is_ok());
    play.reveal(Some(3 - finished));
    let promise = words!("neither read, so neither finished: a deadlock", "双方都不读，双方都发不完：死锁");
    play.checks.holds(promise, one.is_err_and(is_silence) && two.is_err_and(is_silence), &(one, two));
    Ok(())
}

fn send(mut stream: &TcpStream) -> Result<()> {
    stream.write_all(&vec![b'x'; SIZE])?;
    Ok(stream.shutdown(Shutdown::Write)?)
}

fn send_first(mut stream: &TcpStream) -> Result<(), ErrorKind> {
    stream.set_write_timeout(Some(Duration::from_millis(300))).map_err(|e| e.kind())?;
    stream.write_all(&vec![b'x'; SIZE]).map_err(|e| e.kind())
}

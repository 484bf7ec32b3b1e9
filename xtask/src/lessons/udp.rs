//! Datagrams: each is separate, there are no connections, and one socket serves all clients.

use std::time::Instant;

use super::UDP;
use super::prelude::*;
use crate::peers::sockets::ask;
use crate::wire::kernel::Protocol;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "udp", subject_zh: "没有连接的数据报", lanes: UDP, play,
    claims: &[
        claim("C7",
            "Each datagram is separate: three sends need three receives, and an empty datagram\nis a message, not the end.",
            "每个数据报各自独立：发三次就收三次，空的数据报也是一条消息，不是结束。"),
        claim("C28", "Each datagram is addressed and routed separately (one machine cannot show routing).",
                     "每个数据报都单独寻址和路由（路由在本机上看不到）。"),
        claim("C12", "UDP keeps no connection, and needs fewer resources.",
                     "UDP 不建立也不维护连接，占用的资源较少。"),
        claim("C18", "One thread is enough for the UDP server, as long as it answers each name at once.",
                     "UDP 服务器立即应答，所以一个线程就够了，前提是它确实能立即应答。"),
    ],
};

const NAMES: [&str; 3] = ["Michael", "Tracy", "Sarah"];

fn play(play: &mut Play) -> Result<()> {
    play.predict(
        "udp-client sends three names as datagrams. A relay loses the second, and only the client can notice.",
        "udp-client 把三个名字作为数据报发送。中继丢掉第二个，只有客户端自己能发觉。",
        ("What does udp-client print?", "udp-client 会打印什么？"),
        &[
            ("all three greetings", "全部三个问候"),
            ("the first and the third", "第一个和第三个"),
            ("the first, and then it waits forever", "第一个，然后永远等下去"),
        ],
        "no reply arrived in time, so udp-client sent the name again; UDP itself never does.",
        "没有按时收到回复，于是 udp-client 再问一次；UDP 本身不会重发。",
    )?;
    let (server, at) = play.server("udp-server", &["--quiet"])?;
    let plan = Impairments::numbered(&[(2, Impairment::Lost)], &[]);
    let wire = play.lab.udp_wire(at, plan)?.to_string();
    let outcome = play.run("", "udp-client", &[&wire, NAMES[0], NAMES[1], NAMES[2], "--tries", "100"])?;
    let greetings = NAMES.map(|name| format!("Hello, {name}!"));
    play.reveal((outcome.said == greetings).then_some(1));
    let promise = words!("each name gets its own greeting, in order", "每个名字依次得到自己的问候");
    play.checks.equal(promise, &(Ended::from(&outcome), outcome.said), &(Ended::with(0), greetings.to_vec()));
    let asked: Vec<_> = play.lab.record.pieces("", Side::Server).into_iter().map(escape).collect();
    let promise = words!("each datagram is one name, and nothing else", "每个数据报就是一个名字，没有别的");
    play.checks.holds(promise, asked.iter().all(|name| NAMES.contains(&name.as_str())), &asked);

    play.act(&words!("A datagram without bytes, then another one.", "一个零字节的数据报，然后再发一个。"))?;
    let socket = datagram_socket(play.ip)?;
    let replies = [greeting(&socket, at, b"")?, greeting(&socket, at, b"Bob")?];
    let promise = words!("the empty name is greeted, and so is the next one", "空名字得到问候，下一个也得到");
    play.checks.equal(promise, &replies, &["Hello, !".to_owned(), "Hello, Bob!".to_owned()]);

    // C28: each reply has its sender's address.
    play.act(&words!("One socket asks two servers.", "一个套接字向两个服务器提问。"))?;
    let (_one, one) = play.server("udp-server", &[])?;
    let (_two, two) = play.server("udp-server", &[])?;
    let asking = datagram_socket(play.ip)?;
    asking.send_to(b"Ann", one)?;
    asking.send_to(b"Bob", two)?;
    let mut replies = Vec::new();
    for _ in 0..2 {
        let mut buffer = [0; 64];
        let (n, server) = asking.recv_from(&mut buffer)?;
        let reply = escape(&buffer[..n]);
        play.called(Side::Client, format!("recv_from {server}: {reply}"));
        replies.push((server, reply));
    }
    replies.sort_by_key(|(server, _)| *server != one); // either may arrive first
    let promise = words!("recv_from tells the two replies apart", "recv_from 能分清两个回复来自哪个服务器");
    let expected = vec![(one, "Hello, Ann!".to_owned()), (two, "Hello, Bob!".to_owned())];
    play.checks.equal(promise, &replies, &expected);

    // C12
    play.act(&words!("Four clients for each of the two servers.", "两种服务器各有四个客户端。"))?;
    let (_server, tcp) = play.server("tcp-server", &["--delay", "0", "--quiet"])?;
    let streams = (0..4).map(|_| connect(tcp)).collect::<Result<Vec<_>>>()?;
    for stream in &streams {
        stream.peek(&mut [0])?; // welcomed, so accepted
    }
    for _ in 0..4 {
        ask(&datagram_socket(play.ip)?, at, b"Bob")?;
    }
    let held = kernel::sockets(Protocol::Tcp, tcp).zip(kernel::sockets(Protocol::Udp, at));
    play.panel(held.clone().map(|(tcp, udp)| [tcp, udp].concat()).as_ref(), &[tcp, at])?;
    let promise = words!("tcp-server has 5 sockets, udp-server 1", "tcp-server 5 个套接字，udp-server 1 个");
    // Connections in TIME_WAIT belong to no program: an earlier one may have used this port.
    let count = |rows: Vec<kernel::SocketRow>| rows.iter().filter(|row| row.state != "TIME_WAIT").count();
    play.checks.kernel_says(promise, held.map(|(tcp, udp)| (count(tcp), count(udp))), &(5, 1));

    play.act(&words!("The server is stopped; another starts on its port.", "在同一端口重新启动服务器。"))?;
    if play.stop(server)? {
        let (_again, _) = play.lab.start_server("udp-server", &[&at.to_string()])?;
        let promise = words!("the same socket continues with the new server", "同一个套接字与它继续对话");
        play.checks.equal(promise, &greeting(&socket, at, b"again")?, &"Hello, again!".to_owned());
    }
    thinking(play)
}

fn greeting(socket: &UdpSocket, server: SocketAddr, name: &[u8]) -> Result<String> {
    Ok(escape(&ask(socket, server, name)?))
}

/// C18: a server with one thread that needs 50 ms for each answer.
fn thinking(play: &mut Play) -> Result<()> {
    play.predict(
        "A server with one thread needs 50 ms for each answer; three clients ask at once.",
        "一个单线程、每次回答要用 50 毫秒的服务器，三个客户端同时提问。",
        ("When is the third answered?", "第三个等多久才得到回答？"),
        &[
            ("after about 50 ms: all ask at once", "约 50 毫秒：三个是同时问的"),
            ("after about 100 ms: two are before it", "约 100 毫秒：前面有两个"),
            ("after about 150 ms", "约 150 毫秒"),
        ],
        "50 ms for each of the two before it, 50 for its own answer; the rest is the machine's.",
        "前面两个各 50 毫秒，自己的 50 毫秒，其余是机器本身的耗时。",
    )?;
    let server = UdpSocket::bind(play.loopback())?;
    let at = server.local_addr()?;
    let clients = [datagram_socket(play.ip)?, datagram_socket(play.ip)?, datagram_socket(play.ip)?];
    let asked = Instant::now();
    for client in &clients {
        client.send_to(b"?", at)?; // all three wait in the server's queue before it starts
    }
    let thinking = thread::spawn(move || {
        let mut answered = Vec::new();
        for _ in 0..3 {
            let (_, peer) = server.recv_from(&mut [0; 8])?;
            thread::sleep(Duration::from_millis(50));
            answered.push((peer, asked.elapsed()));
            server.send_to(b"!", peer)?;
        }
        std::io::Result::Ok(answered)
    });
    for client in &clients {
        client.recv(&mut [0; 8])?;
    }
    let answered = thinking.join().ok().context("the server panicked")??;
    let waits: Vec<_> = answered.iter().map(|(_, wait)| wait.as_millis()).collect();
    let Words { en, zh } = waits.shown();
    play.evidence(&words!("answered after {en} ms", "分别在 {zh} 毫秒后得到回答"))?;
    play.reveal((waits[2] >= 150).then_some(3));
    let order: Vec<_> = answered.iter().map(|(peer, _)| *peer).collect();
    let expected = clients.iter().map(UdpSocket::local_addr).collect::<std::io::Result<Vec<_>>>()?;
    let promise =
        words!("answered one after another, in the order of asking", "按提问的先后，一个接一个得到回答");
    play.checks.equal(promise, &order, &expected);
    Ok(())
}

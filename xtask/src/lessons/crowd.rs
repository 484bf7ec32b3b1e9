//! One listener, and for each client a socket and a thread of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Result;
use common::narration::escape;

use super::{Lesson, TCP};
use crate::checks::Ended;
use crate::peers::scripted_server::{ScriptedServer, until_it_leaves};
use crate::peers::sockets::{connect, is_quiet};
use crate::play::Play;
use crate::play::quiz::Prediction;
use crate::programs::figures;
use crate::wire::awaited::Gate;
use crate::wire::event::{Side, What};
use crate::wire::kernel::{self, Protocol};
use crate::wire::record::STUCK;
use crate::wire::tcp_relay::RelayMode;
use crate::words::{Shown, Words};

pub const LESSON: Lesson = Lesson {
    name: "crowd",
    claims: &[
        (
            "C8",
            Words::fixed(
                "A server has two kinds of sockets: one that listens, and one for each client.",
                "服务器有两种套接字：一个监听套接字，以及每个客户端一个通信套接字。",
            ),
        ),
        (
            "C9",
            Words::fixed(
                "Each client has a thread of its own, and none disturbs another.",
                "每个客户端有自己的线程，互不干扰。",
            ),
        ),
        (
            "C10",
            Words::fixed(
                "Each socket keeps its own state: what one client sends fills one queue.",
                "每个套接字维护自己的状态：一个客户端发来的数据只进入它自己的队列。",
            ),
        ),
        ("C13", Words::fixed("exit closes that connection only.", "exit 只关闭那一条连接。")),
    ],
    lanes: TCP,
    play,
};

const CLIENTS: [(&str, [&str; 2]); 3] =
    [("#1", ["Michael", "张三"]), ("#2", ["Tracy", "Li"]), ("#3", ["Sarah", "Bob"])];

fn play(play: &mut Play) -> Result<()> {
    let any = play.loopback().to_string();
    let prediction = play.predict(
        &Words::fixed(
            "Three clients are connected to tcp-server, all at its one port. How many sockets has the server?",
            "三个客户端连上 tcp-server，都是同一个端口。服务器有几个套接字？",
        ),
        &[
            Words::fixed("one: there is one port", "一个：端口只有一个"),
            Words::fixed("three: one for each client", "三个：每个客户端一个"),
            Words::fixed("four", "四个"),
        ],
    )?;
    play.act(&Words::fixed(
        "Three clients connect. The wire holds back what they say until all three are welcomed.",
        "三个客户端连接。线路先扣住它们发送的数据，直到三个都收到欢迎。",
    ))?;
    let (server, at) =
        play.lab.start_server("tcp-server", &[&any, "--delay", "0.2", "--idle-timeout", "86400"])?;
    let gates = [Gate::default(), Gate::default(), Gate::default()];
    let mut clients = Vec::new();
    for ((label, names), gate) in CLIENTS.into_iter().zip(&gates) {
        let wire = play.lab.wire(label, at, RelayMode::Behind(gate.clone()))?.to_string();
        let args = ["greet", &wire, names[0], names[1], "--timeout", "3600"];
        clients.push(play.lab.start(Side::Client, label, "tcp-client", &args)?);
    }
    // A thread that waits in accept is woken by the first connection that waits for it. Where one waits, and all
    // threads sleep, nobody is there who would accept it.
    let nobody_accepts = || {
        let waits = |row: &kernel::Row| row.state == "LISTEN" && row.to_read > 0;
        figures::is_asleep(&server)
            && kernel::sockets(Protocol::Tcp, at).is_some_and(|rows| rows.iter().any(waits))
    };
    let all = play.lab.record.wait_unless(nobody_accepts, |events| {
        let welcomed = |label| events.iter().any(|event| event.label == label && event.is_line("Welcome!"));
        let accepted = events.iter().filter(|event| event.starts_line("accepted connection")).count();
        (accepted == 3 && CLIENTS.iter().all(|(label, _)| welcomed(*label))).then_some(())
    })?;
    let left = play.lab.record.count(|event| matches!(event.what, What::Ended { .. } | What::Broke { .. }));
    let welcomed = play.lab.record.count(|event| event.is_line("Welcome!"));
    play.checks.equal(
        Words::fixed("all three are welcomed, and none has left", "三个都已收到欢迎，且都还连着"),
        &(welcomed, left),
        &(3, 0),
    );
    sockets_of(play, at, prediction)?;
    if all.is_none() {
        play.checks.stopped_short(&Words::fixed(
            "connections wait in the listener's queue, and no thread of the server waits for them",
            "有连接排在监听套接字的队列里，服务器却没有一个线程在等它们",
        ));
        return Ok(());
    }

    play.act(&Words::fixed(
        "The third may speak, and says exit at its end; then the second, then the first.",
        "放行第三个，它最后说 exit；然后是第二个，再是第一个。",
    ))?;
    for ((client, (label, names)), gate) in clients.into_iter().zip(CLIENTS).zip(&gates).rev() {
        gate.open();
        let outcome = play.lab.wait_for_end(client)?;
        let greetings = names.map(|name| format!("Hello, {name}!"));
        let expected = [&["Welcome!".to_owned()][..], &greetings].concat();
        play.checks.equal(
            words!(
                "{label} is welcomed, greeted by each of its names, and exits with 0",
                "{label} 收到欢迎，每个名字都得到问候，退出状态为 0"
            ),
            &(Ended(outcome.status), outcome.said),
            &(Ended(Some(0)), expected),
        );
        let sent = names.map(|name| format!("{name}\n")).concat() + "exit\n";
        let crossed = String::from_utf8_lossy(&play.lab.record.crossed(label, Side::Server)).into_owned();
        play.checks.equal(
            words!("{label} sent a line for each name, and exit", "{label} 每个名字发一行，最后发 exit"),
            &crossed,
            &sent,
        );
    }
    play.stop(server)?;
    queues(play)?;
    one_at_a_time(play)
}

/// C8: what the kernel, or the server's own narration, says of the sockets.
fn sockets_of(play: &mut Play, at: SocketAddr, prediction: Prediction) -> Result<()> {
    let table = kernel::sockets(Protocol::Tcp, at);
    play.panel(table.as_ref())?;
    let promise = Words::fixed(
        "the server has one listening socket and three for its clients",
        "服务器有一个监听套接字和三个通信套接字",
    );
    let count = |state| Some(table.as_ref()?.iter().filter(|row| row.state == state).count());
    play.checks.kernel_says(promise, count("LISTEN").zip(count("ESTABLISHED")), &(1, 3));
    // Where the kernel has no table, what was seen says at least that each of the three has been accepted.
    let sockets = table.map_or(4, |rows| rows.len() as u64);
    play.reveal(
        prediction,
        |choice| choice == match sockets { 1 => 1, 3 => 2, _ => 3 },
        &Words::fixed(
            "one listens, and accept has made one more for each client; a connection is told by all four: both \
             addresses and both ports.",
            "一个在监听，accept 又为每个客户端各建一个；区分连接的是四元组：双方的地址和端口。",
        ),
    )?;
    Ok(())
}

/// C8 and C10, on plain sockets: conversations outlive their listener, and each has a queue of its own.
fn queues(play: &mut Play) -> Result<()> {
    play.act(&Words::fixed(
        "Two clients; the listener is closed; one client sends 10000 bytes that nobody reads.",
        "两个客户端；关闭监听套接字；其中一个发来 10000 字节，却无人读取。",
    ))?;
    let listener = TcpListener::bind(play.loopback())?;
    let at = listener.local_addr()?;
    let mut loud = connect(at)?;
    let from_loud = listener.accept()?.0;
    let mut calm = connect(at)?;
    let mut from_calm = listener.accept()?.0;
    drop(listener);
    let refused = TcpStream::connect(at).map(|_| ()).map_err(|e| e.kind());
    play.checks.equal(
        Words::fixed("newcomers are refused", "新的连接被拒绝"),
        &refused,
        &Err(ErrorKind::ConnectionRefused),
    );
    loud.write_all(&[b'x'; 10_000])?;
    from_loud.peek(&mut [0])?; // they have come
    play.panel(kernel::sockets(Protocol::Tcp, at).as_ref())?;
    let promise = Words::fixed("the other client's queue is empty", "另一个客户端的队列是空的");
    play.checks.equal(promise, &is_quiet(&from_calm)?, &true);
    calm.write_all(b"calm")?;
    let mut heard = [0; 4];
    from_calm.read_exact(&mut heard)?;
    let promise =
        Words::fixed("its conversation goes on, without the listener", "监听套接字关了，它的会话照常进行");
    play.checks.equal(promise, &escape(&heard).as_str(), &"calm");
    Ok(())
}

/// The negative control: the check of C9 has to be able to fail.
fn one_at_a_time(play: &mut Play) -> Result<()> {
    let prediction = play.predict(
        &Words::fixed(
            "A server serves one client at a time, and three connect. What do the second and third notice?",
            "一个每次只服务一个客户端的服务器，来了三个客户端。第二、第三个会看到什么？",
        ),
        &[
            Words::fixed("connection refused", "连接被拒绝"),
            Words::fixed("they are connected, and then there is silence", "连上了，然后什么也没有"),
            Words::fixed("connect does not return", "connect 一直不返回"),
        ],
    )?;
    play.act(&Words::fixed(
        "For comparison: a server that serves one client at a time, and three clients again.",
        "对照：一个每次只服务一个客户端的服务器，仍是三个客户端。",
    ))?;
    let host = ScriptedServer::speaking(play.ip, |stream| {
        stream.write_all(b"Welcome!")?;
        until_it_leaves(stream)
    })?;
    let mut clients = (0..3).map(|_| connect(host.address)).collect::<Result<Vec<_>>>()?;
    let is_welcomed = |client: &mut TcpStream, limit| {
        let _ = client.set_read_timeout(Some(limit));
        client.read_exact(&mut [0; 8]).is_ok()
    };
    // The first is surely welcomed, if not at once; the others are not, however long one waits.
    let welcomed: Vec<_> = clients
        .iter_mut()
        .zip([STUCK, Duration::from_millis(300), Duration::from_millis(300)])
        .map(|(client, limit)| is_welcomed(client, limit))
        .collect();
    let Words { en, zh } = welcomed.shown();
    play.evidence(&words!(
        "all three connected; is each welcomed? {en}",
        "三个都已连上；是否都收到了欢迎？{zh}"
    ))?;
    play.checks.equal(
        Words::fixed(
            "one at a time: all are connected, and only the first is welcomed",
            "每次只服务一个时：三个都连上了，只有第一个收到欢迎",
        ),
        &welcomed,
        &vec![true, false, false],
    );
    play.reveal(
        prediction,
        |choice| choice == 2 && welcomed == [true, false, false],
        &Words::fixed(
            "the kernel shakes hands for whoever waits in the queue: to be connected is not to be served.",
            "排队的连接由内核完成握手：连上了，不等于有人服务。",
        ),
    )
}

//! One listening socket, and a socket and a thread for each client.

use super::prelude::*;
use crate::peers::scripted_server::{speaking, until_it_leaves};
use crate::peers::sockets::is_quiet;
use crate::peers::talk::Talk;
use crate::programs::figures;
use crate::wire::awaited::Gate;
use crate::wire::event::{Event, What};
use crate::wire::kernel::Protocol;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "crowd", subject_zh: "同时服务多个客户端", lanes: TCP, play,
    claims: &[
        claim("C8", "A server has two kinds of sockets: one that listens, and one for each client.",
                    "服务器有两种套接字：一个监听套接字，以及每个客户端一个通信套接字。"),
        claim("C9", "Each client has its own thread; clients do not disturb each other.",
                    "每个客户端有自己的线程，互不干扰。"),
        claim("C10",
            "Each socket keeps its own state (numbers, buffers): one client's data fills only\nits own receive buffer.",
            "每个套接字维护自己的状态（序号、确认号、收发缓冲区）：\n一个客户端发来的数据只进入它自己的接收队列。"),
        claim("C13", "The message 'exit' closes only the connection on which it arrived.",
                     "exit 这条消息只关闭发来它的那一条连接。"),
    ],
};

const CLIENTS: [(&str, &[&str]); 3] = [("#1", &["张三"]), ("#2", &["Tracy"]), ("#3", &["Sarah", "Bob"])];

fn play(play: &mut Play) -> Result<()> {
    play.act(&words!(
        "Three clients connect. The relay holds back the names that they send until all three are welcomed.",
        "三个客户端连接。中继先扣住它们发送的名字，直到三个都收到欢迎。"
    ))?;
    let (server, at) =
        play.server("tcp-server", &["--delay", "0.2", "--idle-timeout", "86400", "--quiet"])?;
    let gates = [Gate::default(), Gate::default(), Gate::default()];
    let threads_before = figures::status(server.pid, "Threads");
    let mut clients = Vec::new();
    for ((label, names), gate) in CLIENTS.into_iter().zip(&gates) {
        let wire = play.lab.wire(label, at, RelayMode::Behind(gate.clone()))?.to_string();
        let args = [&["greet", &wire, "--timeout", "3600"], names].concat();
        clients.push(play.lab.start(Side::Client, label, "tcp-client", &args)?);
    }
    // A connection waits in the queue while all threads sleep: no thread is in accept, which it would have woken.
    let nobody_accepts = || {
        let waits = |row: &kernel::SocketRow| row.state == "LISTEN" && row.to_read > 0;
        kernel::is_idle(server.pid) == Some(true)
            && kernel::sockets(Protocol::Tcp, at).is_some_and(|rows| rows.iter().any(waits))
    };
    let all = play.lab.record.wait_unless(nobody_accepts, |events| {
        (events.iter().filter(|event| event.said() == Some("Welcome!")).count() == 3).then_some(())
    })?;
    let welcomed = play.lab.record.events().iter().filter(|event| event.said() == Some("Welcome!")).count();
    let promise = words!("all three are welcomed, and none has left", "三个都已收到欢迎，没有一个离开");
    let left = ends(play, &["#1", "#2", "#3"]);
    let found = words!("{welcomed} welcomed, {left} left", "{welcomed} 个收到欢迎，{left} 个离开");
    play.checks.holds(promise, (welcomed, left) == (3, 0), &found);

    play.predict(
        "All three are connected to the same port of tcp-server: its sockets, as the kernel lists them, and its threads.",
        "三个客户端连着 tcp-server 的同一个端口：看服务器的套接字（内核的表）和线程。",
        ("How many sockets does it have?", "它有几个套接字？"),
        &[
            ("one: there is one port", "一个：端口只有一个"),
            ("three: one for each client", "三个：每个客户端一个"),
            ("four", "四个"),
        ],
        "one listens, and accept returned one more for each client; both addresses and ports tell them apart.",
        "一个在监听，accept 又为每个客户端各建一个；区分连接的是四元组：双方的地址和端口。",
    )?;
    let table = kernel::sockets(Protocol::Tcp, at);
    play.panel(table.as_ref(), &[at])?;
    let promise =
        words!("tcp-server: one listening socket, three for clients", "一个监听套接字，三个通信套接字");
    let count = |state| Some(table.as_ref()?.iter().filter(|row| row.state == state).count());
    let found = count("LISTEN").zip(count("ESTABLISHED"));
    play.checks.kernel_says(promise, found, &(1, 3));
    // Without a table: each of the three has been accepted, so there are four.
    play.reveal(found.is_none_or(|found| found == (1, 3)).then_some(3));
    if all.is_none() {
        play.checks.stopped_short(&words!(
            "connections wait in the listener's queue, but no thread of the server calls accept",
            "有连接排在监听套接字的队列里，服务器却没有一个线程在 accept"
        ));
        return Ok(());
    }
    let more = threads_before
        .zip(figures::status(server.pid, "Threads"))
        .map(|(before, now)| now.saturating_sub(before));
    let promise = words!(
        "three more threads than before: one for each client (/proc/PID/status)",
        "线程比连接之前多了三个：每个客户端一个（/proc/PID/status）"
    );
    play.checks.kernel_says(promise, more, &3);

    play.act(&words!(
        "The third client may send, and ends with 'exit'; the other two stay silent.",
        "放行第三个客户端，它最后说 exit；另外两个仍然沉默。"
    ))?;
    for ((client, (label, names)), gate) in clients.into_iter().zip(CLIENTS).zip(&gates).rev() {
        gate.open();
        let outcome = play.lab.wait_for_end(client)?;
        let greetings = names.iter().map(|name| format!("Hello, {name}!"));
        let expected = ["Welcome!".to_owned()].into_iter().chain(greetings).collect();
        let crossed =
            String::from_utf8_lossy(&play.lab.record.pieces(label, Side::Server).concat()).into_owned();
        let promise = words!(
            "{label} sent its names and 'exit', each name was greeted, and it exits with 0",
            "{label} 发出各个名字和 exit，每个名字都得到问候，退出状态为 0"
        );
        play.checks.equal(
            promise,
            &(crossed, (Ended::from(&outcome), outcome.said)),
            &(names.join("\n") + "\nexit\n", (Ended::with(0), expected)),
        );
        if label == "#3" {
            let promise = words!("the connections of the other two are still open", "另外两个的连接仍然开着");
            play.checks.equal(promise, &ends(play, &["#1", "#2"]), &0);
            play.act(&words!("Then the second, and then the first.", "然后是第二个，再是第一个。"))?;
        }
    }
    drop(server);
    queues(play)?;
    one_at_a_time(play)
}

/// How many ends of streams have crossed the wires of these clients.
fn ends(play: &Play, labels: &[&str]) -> usize {
    let is_end = |event: &Event| matches!(event.what, What::Ended { .. } | What::Broke { .. });
    play.lab.record.events().iter().filter(|event| labels.contains(&&*event.label) && is_end(event)).count()
}

/// C8 and C10, on plain sockets: conversations outlive their listener, and each has its own queue.
fn queues(play: &mut Play) -> Result<()> {
    play.act(&words!(
        "Two clients are connected, and the listening socket is closed; one sends 1000 bytes that nobody reads.",
        "两个客户端连着时关闭监听套接字；其中一个发来 1000 字节，服务器不读。"
    ))?;
    let listener = TcpListener::bind(play.loopback())?;
    let at = listener.local_addr()?;
    let mut loud = connect(at)?;
    let from_loud = listener.accept()?.0;
    let mut calm = connect(at)?;
    let mut from_calm = listener.accept()?.0;
    drop(listener);
    let refused = TcpStream::connect(at).map(|_| ()).map_err(|e| e.kind());
    let promise = words!("new connections are refused", "新的连接被拒绝");
    play.checks.equal(promise, &refused, &Err(ErrorKind::ConnectionRefused));
    loud.write_all(&[b'x'; 1000])?; // little enough for any buffer
    from_loud.peek(&mut [0])?; // they have arrived
    play.panel(kernel::sockets(Protocol::Tcp, at).as_ref(), &[at])?;
    let promise = words!("the other client's receive queue is empty", "另一个客户端的接收队列是空的");
    play.checks.equal(promise, &is_quiet(&from_calm)?, &true);
    calm.write_all(b"calm")?;
    let mut heard = [0; 4];
    from_calm.read_exact(&mut heard)?;
    let promise = words!("its conversation goes on without the listener", "监听套接字关了，它的会话照常进行");
    play.checks.equal(promise, &escape(&heard).as_str(), &"calm");
    Ok(())
}

/// The check of C9 must be able to fail: a server for which it does.
fn one_at_a_time(play: &mut Play) -> Result<()> {
    play.predict(
        "For comparison: three clients, and a server that serves one client at a time.",
        "对照：一个每次只服务一个客户端的服务器，仍是三个客户端。",
        ("What do the second and the third see?", "第二、第三个会看到什么？"),
        &[
            ("connection refused", "连接被拒绝"),
            ("they are connected, and then nothing arrives", "连上了，然后什么也没有"),
            ("connect does not return", "connect 一直不返回"),
        ],
        "the kernel completes the handshake and queues the connection: connected does not mean served.",
        "三次握手由内核完成，连接进入全连接队列（已完成连接的队列，长度由 backlog 限定）：连上了，不等于有人服务。",
    )?;
    let host = speaking(play.ip, |stream| {
        stream.write_all(b"Welcome!")?;
        until_it_leaves(stream)
    })?;
    let mut clients = Vec::new();
    for (label, _) in CLIENTS {
        let talk = Talk { recorder: play.lab.record.recorder(label), ..Talk::default() };
        clients.push(TcpPeer::connect(host.address, talk)?);
    }
    let mut limit = STUCK; // the first is welcomed for certain, the others never
    let mut welcomed = Vec::new();
    for client in &mut clients {
        welcomed.push(client.came_within(limit) == b"Welcome!");
        limit = Duration::from_millis(300);
    }
    let promise = words!("all are connected, only the first is welcomed", "三个都连上了，只有第一个收到欢迎");
    play.checks.equal(promise, &welcomed, &vec![true, false, false]);
    play.reveal((welcomed == [true, false, false]).then_some(2));
    Ok(())
}

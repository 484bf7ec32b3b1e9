//! One thread for all clients: non-blocking sockets, and a loop that reads each in turn.

use super::prelude::*;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "nonblocking", subject_zh: "一个线程与非阻塞套接字",
    lanes: (Words::fixed("three clients", "三个客户端"), Words::fixed("a server with one thread", "单线程服务器")), play,
    claims: &[claim("C25", "With threads or asynchronous programming, a server serves many clients at once.",
                           "通过多线程或异步编程，套接字可以同时服务多个客户端。")],
};

const CLIENTS: [(&str, &str); 3] = [("#1", "Michael"), ("#2", "Tracy"), ("#3", "Sarah")];

fn play(play: &mut Play) -> Result<()> {
    play.act(&words!(
        "Three clients connect to a server with one thread and non-blocking sockets.",
        "三个客户端连接一个单线程服务器，它的套接字都是非阻塞的。"
    ))?;
    let listener = TcpListener::bind(play.loopback())?;
    let at = listener.local_addr()?;
    let serving = thread::spawn(move || serve(&listener, CLIENTS.len()));
    let mut clients = Vec::new();
    for (label, name) in CLIENTS {
        let manner = if label == "#3" { RelayMode::Cut(4) } else { RelayMode::AsItComes };
        clients.push((TcpPeer::welcomed(play.lab.wire(label, at, manner)?)?, name));
    }

    play.predict(
        "The third client sends first, in pieces; then the second, then the first.",
        "第三个客户端先发送，数据分成几段到达；然后是第二个，再是第一个。",
        ("One thread serves them: which is greeted first?", "服务器只有一个线程：谁先得到问候？"),
        &[
            ("the first: it connected first", "第一个：它先来"),
            ("the third", "第三个"),
            ("none: the thread waits for the first", "谁也没有：线程在等第一个"),
        ],
        "a non-blocking read without data returns at once, and the loop goes on to the next client.",
        "非阻塞的读发现没有数据就立即返回，循环接着查询下一个。",
    )?;
    let mut greeted = Vec::new();
    for (client, name) in clients.iter_mut().rev() {
        client.sends(format!("{name}\n"));
        greeted.push(client.line()?);
    }
    play.reveal((greeted[0] == "Hello, Sarah!").then_some(2));
    let expected = CLIENTS.map(|(_, name)| format!("Hello, {name}!")).into_iter().rev().collect();
    let promise = words!("greeted as they send, not in order of connecting", "先发送先问候，与连接先后相反");
    play.checks.equal(promise, &greeted, &expected);

    play.act(&words!("All send 'exit'; what one thread costs.", "客户端说 exit；一个线程的代价。"))?;
    let mut last_words = String::new();
    for (client, _) in &mut clients {
        client.sends("exit\n");
        last_words += &client.hears_out()?;
    }
    let promise = words!("'exit' ends each connection; no more is sent", "exit 结束各自的连接，不再收到数据");
    play.checks.equal(promise, &last_words.as_str(), &"");
    let turns = serving.join().ok().context("the server panicked")??;
    play.said(Side::Server, &words!("{turns} rounds of the loop", "循环了 {turns} 圈"));
    play.evidence(&words!(
        "no thread's stack keeps what a client has sent so far: the program stores it, and reads every client in turn",
        "没有线程栈替你记住进度：每个客户端收到了哪里，程序要自己记录，还要逐个查询"
    ))?;
    play.evidence(&words!(
        "it sleeps after each round: std cannot ask the kernel which client has data, as poll and epoll do",
        "查询一圈之后短暂休眠：标准库不能像 poll、epoll 那样向内核查询“谁有数据”"
    ))
}

/// Serves `expected` clients with one thread until all have left; returns the rounds of the loop.
fn serve(listener: &TcpListener, expected: usize) -> io::Result<u64> {
    listener.set_nonblocking(true)?;
    let (mut open, mut left, mut turns) = (Vec::new(), 0, 0);
    while left < expected {
        turns += 1;
        if let Some((mut stream, _)) = unless_it_would_wait(listener.accept())? {
            stream.set_nonblocking(true)?;
            stream.write_all(b"Welcome!\n")?; // a few bytes always fit; more would have to be stored, too
            open.push((stream, Vec::new()));
        }
        let before = open.len();
        open.retain_mut(|(stream, heard)| listen_to(stream, heard).is_ok_and(|is_over| !is_over));
        left += before - open.len();
        thread::sleep(Duration::from_millis(1));
    }
    Ok(turns)
}

/// Reads what a client has sent, and greets each whole line; `heard` keeps the rest. Returns whether the client has said
/// exit or disconnected.
fn listen_to(stream: &mut TcpStream, heard: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = [0; 1024];
    let Some(n) = unless_it_would_wait(stream.read(&mut buffer))? else { return Ok(false) };
    heard.extend(&buffer[..n]);
    while let Some(end) = heard.iter().position(|byte| *byte == b'\n') {
        let line: Vec<_> = heard.drain(..=end).take(end).collect();
        if line == greeting::EXIT {
            return Ok(true);
        }
        stream.write_all(&[greeting::of(&line), b"\n".to_vec()].concat())?;
    }
    Ok(n == 0)
}

fn unless_it_would_wait<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
        outcome => outcome.map(Some),
    }
}

//! TCP servers with one mistake each.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, UdpSocket};
use std::process::{self, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, fs, thread};

use super::By::{One, Own};
use super::tcp_server::{
    HELD, ONE_BUFFER, TcpServer, by_lines, dies_of, hand_to_another, is_taken, outsider, own, reads_only,
    taken, talks,
};
use super::waits_forever;

const UNIX: bool = cfg!(unix);
const LINUX: bool = cfg!(target_os = "linux");

type Twin = super::Twin<TcpServer>;

#[rustfmt::skip]
pub const ROWS: &[Twin] = &[
    // It does not start as it should.
    Twin::new("crashes", &["✗ listens failed-first"], |p| p.begins = |_| panic!("at once")),
    Twin::new("talks-and-ends", &["✗ listens failed-first"], |p| p.begins = |_| { talks(); process::exit(3) }).by(Own),
    Twin::new("binds-twice", &["✗ listens binds-twice"], |p| p.begins = |_| panic!("{}", ErrorKind::AddrInUse)),
    Twin::new("other-family", &["✗ listens other-family"], |p| p.begins = |_| panic!("gaierror: Address family not supported")).by(One),
    Twin::new("ends-at-once", &["✗ listens failed-first"], |p| p.serves = |_, _listener| thread::sleep(Duration::from_millis(200))),
    Twin::new("never-binds", &["? listens never-listens"], |p| p.begins = |_| waits_forever()).patience(1).only(LINUX),
    Twin::new("reads-input", &["? listens reads-input"], |p| p.begins = |_| drop(std::io::stdin().read(&mut [0]))).by(One).patience(1).only(LINUX),
    Twin::new("daemon", &["✗ listens left-its-group"], |p| p.begins = |call| {
        if call.more.is_empty() {
            drop(outsider(own(&["tcp-server", "daemon=apart", call.host, &call.port.to_string()])).spawn().expect("cannot start it"));
            process::exit(0)
        }
    }).by(One).only(LINUX),
    // Another listener is there long before the one that is waited for.
    Twin::new("metrics", &["✓ listens"], |p| p.begins = |call| {
        std::mem::forget(TcpListener::bind((call.host, 0)).expect("no port"));
        thread::sleep(Duration::from_secs(3));
    }).by(One).patience(10),
    // Its welcome comes in two parts.
    Twin::new("pauses", &["✓ crowd"], |p| p.converses = |p, mut stream| {
        let _ = stream.write_all(b"Wel");
        thread::sleep(Duration::from_secs(3));
        let rest = TcpServer { welcome: b"come!\n", name: p.name, ..TcpServer::default() };
        by_lines(&rest, stream);
    }).by(One).patience(10),
    // It serves until Enter is pressed.
    Twin::new("until-enter", &["✓ welcome"], |p| p.serves = |p, listener| {
        let serves = TcpServer::default().serves;
        thread::spawn(move || serves(p, listener));
        let _ = std::io::stdin().read(&mut [0]);
        process::exit(0)
    }).by(One),
    Twin::new("own-port", &["✗ listens other-port"], |p| p.port = |_| 0).only(LINUX),
    Twin::new("on-udp", &["✗ listens other-protocol"], |p| p.begins = |call| {
        let _socket = UdpSocket::bind((call.host, call.port)).expect("cannot bind");
        waits_forever()
    }).only(LINUX),
    Twin::new("restart", &["✗ restart port-in-use"], |p| p.begins = |call| assert!(!is_taken(call.port), "Address already in use")).only(LINUX),
    // As where listen follows a bind that failed.
    Twin::new("restart-unchecked", &["✗ restart bind-unchecked"], |p| p.port = |port| if is_taken(port) { 0 } else { port }).only(LINUX),

    // The welcome.
    Twin::new("never-accepts", &["✗ welcome never-accepts"], |p| p.serves = |_, _listener| waits_forever()).only(LINUX),
    Twin::new("welcome", &["✗ welcome welcome-waits"], |p| p.welcome = b""),
    Twin::new("wordy", &["✗ welcome other-welcome"], |p| p.welcome = b"Welcome! What is your name?\n"),
    Twin::new("chatty", &["✗ welcome says-too-much"], |p| p.welcome = b"Welcome!\nWhat is your name?\n"),
    // It is slow, whatever its clients do.
    Twin::new("slow-welcome", &["? welcome slow"], |p| p.converses = |p, stream| {
        thread::sleep(Duration::from_secs(5));
        by_lines(p, stream);
    }).by(One),
    Twin::new("buffered", &["✗ welcome welcome-waits"], |p| { p.welcome = b""; p.hears = |mut stream| drop(stream.write_all(b"Welcome!\n")) }),
    Twin::new("no-line-feed", &["✗ welcome no-line-feed"], |p| p.welcome = b"Welcome!"),
    Twin::new("never-ends-a-line", &["? welcome no-line-feed"], |p| p.converses = |_, mut stream| {
        let _ = stream.write_all(b"Welcome!");
        reads_only(stream);
    }).by(One),
    Twin::new("never-answers", &["? welcome welcome-waits"], |p| p.converses = |_, stream| reads_only(stream)).by(Own).only(LINUX),
    Twin::new("closes-at-once", &["✗ welcome turned-away"], |p| p.converses = |_, _| {}).by(One),
    Twin::new("on-the-listener", &["✗ welcome on-the-listener"], |p| p.converses = |_, _| {
        eprintln!("BrokenPipeError: [Errno 32] Broken pipe");
        process::exit(1)
    }).by(One),

    // The answers.
    Twin::new("line-feed-kept", &["✗ greets line-feed-kept"], |p| p.name = |_, name| Some([&name[..], b"\n"].concat())),
    Twin::new("zero-byte", &["✗ greets zero-byte"], |p| p.end = b"!\n\0").by(One),
    Twin::new("python-words", &["✗ greets python-words"], |p| p.name = |_, name| Some([b"b'", &name[..], b"'"].concat())).by(One),
    Twin::new("part-of-name", &["✗ greets pieces-not-joined"], |p| p.name = |_, name| Some(name[..4].to_vec())).by(One),
    Twin::new("other-words", &[
        "✗ greets other-words", "✗ again other-words", "✗ exit other-words", "✗ leaves other-words", "✗ crowd other-words",
        "✗ glued other-words", "✗ cut other-words", "✗ bytes other-words", "✗ long other-words", "✗ half-close other-words",
        "✗ reset other-words", "✗ unread other-words", "✗ tidy other-words",
    ], |p| p.end = b"?\n").by(One),
    Twin::new("header", &["✗ welcome words-in-front"], |p| p.welcome = b"\0\x08Welcome!\n").by(One),
    Twin::new("closes-unanswered", &["✗ greets closed-unanswered"], |p| p.name = |_, _| None).by(One),
    Twin::new("logs-errors", &["? greets reads-on"], |p| p.name = |stream, _| {
        eprintln!("INFO: Error handlers registered");
        reads_only(stream);
        None
    }).by(One).only(LINUX),
    Twin::new("never-reads", &["✗ greets not-read"], |p| p.converses = |_, mut stream| {
        let _ = stream.write_all(b"Welcome!\n");
        waits_forever()
    }).by(One).only(LINUX),
    Twin::new("deserts", &["✗ greets end-of-code"], |p| {
        p.converses = |p, stream| { hand_to_another(stream); by_lines(p, stream) };
        p.hears = |_| process::exit(0);
    }).by(One).only(UNIX),
    Twin::new("thread-dies-of-bytes", &["? greets text-for-bytes"], |p| p.hears = |_| dies_of("a bytes-like object is required")).by(One),
    Twin::new("thread-dies-of-its-socket", &["? greets closed-socket-used"], |p| p.hears = |_| dies_of("bad file descriptor")).by(One),
    Twin::new("thread-dies-of-text", &["? greets decoded"], |p| p.hears = |_| dies_of("'utf-8' codec can't decode byte 0xff")).by(One),
    Twin::new("warns-of-utf-8", &["? greets ended-with-a-conversation"], |p| p.hears = |_| {
        eprintln!("Picked up JAVA_TOOL_OPTIONS: -Dfile.encoding=UTF-8\nbash: warning: setlocale: cannot change locale (en_US.UTF-8)");
        dies_of("no such key")
    }).by(One),
    Twin::new("again", &["✗ again next-name-ignored", "✗ exit", "✗ cut", "✗ bytes", "✗ half-close"], |p| p.goes_on = |stream| { let _ = stream.shutdown(Shutdown::Write); false }),
    Twin::new("again-ignored", &["? again next-name-ignored"], |p| p.goes_on = |stream| { reads_only(stream); true }).by(One).only(LINUX),
    Twin::new("ascii", &["✗ again name-changed"], |p| p.name = |_, mut name| {
        name.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
        Some(name)
    }).by(One),

    // exit, and clients that leave.
    Twin::new("exit-anywhere", &["✗ exit exit-in-other-words"], |p| p.is_exit = |name| name.starts_with(b"exit")),
    Twin::new("exit-in-other-words", &["✗ exit exit-in-other-words"], |p| p.is_exit = |name| name.trim_ascii().eq_ignore_ascii_case(b"exit")),
    Twin::new("exit-ends-all", &["✗ exit exit-ends-all", "✗ glued"], |p| p.exits = |_| process::exit(0)),
    Twin::new("exit-answered", &["✗ exit exit-answered"], |p| p.exits = |mut stream| drop(stream.write_all(b"Bye!\n"))).by(One),
    Twin::new("exit-reset", &["✗ exit exit-reset", "✗ glued exit-reset"], |p| { p.capacity = 1; p.is_whole = |line| line == b"exit" }).only(UNIX),
    Twin::new("exit-left-open", &["? exit exit-not-closed"], |p| p.exits = |_| waits_forever()).by(Own).only(LINUX),
    Twin::new("closes-listener", &["? exit listener-closed"], |p| p.serves = |p, listener| {
        let (stream, _) = listener.accept().expect("cannot accept");
        (p.converses)(p, &stream);
        drop(listener); // and not the stream
        waits_forever()
    }).by(One).only(LINUX),
    Twin::new("listens-once", &["✗ exit listener-closed"], |p| p.serves = |p, listener| {
        let (stream, _) = listener.accept().expect("cannot accept");
        drop(listener);
        (p.converses)(p, &stream);
        drop(stream);
        waits_forever()
    }).by(One),
    Twin::new("leaves", &["✗ leaves answers-the-end", "✗ half-close answers-the-end"], |p| {
        p.ends = |mut stream, _| while stream.write_all(b"Hello, !\n").is_ok() {};
    }),
    Twin::new("left-open", &["✗ leaves busy-with-the-end", "✗ half-close busy-with-the-end", "✗ tidy descriptors-kept"], |p| p.ends = |_, _| waits_forever()).only(LINUX),
    Twin::new("one-buffer", &["✗ leaves one-buffer"], |p| p.ends = |_, mut line| ONE_BUFFER.lock().unwrap().append(&mut line)),
    Twin::new("crowd", &["✗ crowd one-at-a-time", "✗ cut", "✗ unread"], |p| p.serves = |p, listener| {
        listener.incoming().for_each(|stream| (p.converses)(p, &stream.expect("cannot accept")));
    }),
    Twin::new("pool-of-two", &["✗ crowd in-turn"], |p| p.converses = |p, stream| {
        let has_room = |busy| (busy < 2).then_some(busy + 1);
        while BUSY.fetch_update(Ordering::SeqCst, Ordering::SeqCst, has_room).is_err() { thread::sleep(Duration::from_millis(1)) }
        by_lines(p, stream);
        BUSY.fetch_sub(1, Ordering::SeqCst);
    }).by(One),
    Twin::new("turns-away", &["✗ crowd turned-away"], |p| p.serves = |p, listener| {
        let (stream, _) = listener.accept().expect("cannot accept");
        thread::spawn(move || (p.converses)(p, &stream));
        listener.incoming().for_each(drop);
    }).by(One),

    // Where messages end, and what is in them.
    Twin::new("glued", &["✗ glued one-recv"], |p| p.reads(|rest| Some(if rest.ends_with(b"\n") { vec![taken(rest)] } else { Vec::new() }))),
    Twin::new("first-only", &["? glued rest-not-taken"], |p| p.reads(|rest| {
        let line = rest.iter().position(|byte| *byte == b'\n').map(|end| rest.drain(..=end).collect::<Vec<_>>());
        Some(line.map(|line| line.trim_ascii().to_vec()).into_iter().collect())
    })).by(One),
    Twin::new("exit-first", &["✗ glued exit-first"], |p| p.reads(|rest| (!rest.ends_with(b"exit\n")).then(|| vec![taken(rest)]))).by(One),
    Twin::new("cut", &["✗ cut pieces-not-joined", "✗ half-close pieces-not-joined"], |p| p.reads(|rest| {
        Some(taken(rest).split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect())
    })),
    Twin::new("silence-is-the-end", &["✗ cut pieces-not-joined"], |p| p.converses = |p, mut stream| {
        let _ = stream.write_all(p.welcome);
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let (mut name, mut byte) = (Vec::new(), [0]);
        loop {
            match stream.read(&mut byte) {
                Ok(0) => return,
                Ok(_) if byte != *b"\n" => name.extend(byte),
                Err(_) if name.is_empty() => {}
                _ => drop(stream.write_all(&[b"Hello, ", &std::mem::take(&mut name)[..], b"!\n"].concat())),
            }
        }
    }).by(One),
    Twin::new("half-char", &["✗ cut half-decoded", "✗ bytes name-changed"], |p| p.reads(|rest| {
        std::str::from_utf8(rest).ok()?;
        let whole = if rest.ends_with(b"\n") { taken(rest) } else { return Some(Vec::new()) };
        Some(whole.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect())
    })),
    Twin::new("shared-buffer", &["✗ cut one-buffer"], |p| p.reads(|read| {
        let mut all = ONE_BUFFER.lock().unwrap();
        all.append(read);
        Some(if all.ends_with(b"\n") { vec![taken(&mut all)] } else { Vec::new() })
    })).by(One),
    Twin::new("lossy", &["✗ bytes name-changed"], |p| p.name = |_, name| Some(String::from_utf8_lossy(&name).into_owned().into())),
    Twin::new("closed-late", &["✗ bytes name-changed"], |p| p.name = |stream, name| {
        if std::str::from_utf8(&name).is_err() {
            *HELD.lock().unwrap() = stream.try_clone().ok();
            return None;
        }
        Some(name)
    }),
    Twin::new("strip", &["✗ exit exit-in-other-words", "✗ bytes name-changed"], |p| p.name = |_, name| Some(name.trim_ascii().to_vec())),
    Twin::new("c-string", &["✗ bytes cut-at-zero"], |p| p.name = |_, name| name.split(|byte| *byte == 0).next().map(<[u8]>::to_vec)),
    Twin::new("format", &["✗ bytes name-as-format"], |p| p.name = |_, name| if name.contains(&b'%') { process::abort() } else { Some(name) }),
    Twin::new("empty-is-end", &["✗ bytes empty-is-end"], |p| p.name = |_, name| Some(name).filter(|name| !name.is_empty())),
    Twin::new("long", &["✗ long small-buffer"], |p| p.name = |_, mut name| { name.truncate(512); Some(name) }),
    Twin::new("limit-with-its-end", &["✗ long limit-counts-the-end"], |p| p.is_whole = |line| line.len() == 1024),
    Twin::new("too-long", &["✗ long ended-with-a-conversation"], |p| p.name = |_, name| {
        if name.len() > 1024 { process::exit(3) } else { Some(name) }
    }),
    // It looks whether the client is still there before it answers.
    Twin::new("half-close", &["✗ half-close end-before-answer"], |p| p.name = |stream, name| {
        stream.set_nonblocking(true).unwrap();
        let is_gone = matches!(stream.peek(&mut [0]), Ok(0));
        stream.set_nonblocking(false).unwrap();
        Some(name).filter(|_| !is_gone)
    }).only(LINUX),
    Twin::new("reset", &["✗ reset reset-ends-all"], |p| p.fails = || {
        eprintln!("connection reset by peer");
        process::exit(1)
    }).only(UNIX),

    Twin::new("one-at-a-send", &["? unread blocked-by-one"], |p| {
        p.hears = |_| while SENDING.swap(true, Ordering::SeqCst) { thread::sleep(Duration::from_millis(1)) };
        p.goes_on = |_| { SENDING.store(false, Ordering::SeqCst); true };
    }).by(One).only(LINUX),
    Twin::new("keeps-processes", &["✗ tidy processes-kept"], |p| p.ends = |_, _| drop(process::Command::new("true").spawn().unwrap()))
        .by(One).only(LINUX),
    Twin::new("never-sleeps", &["✗ tidy never-sleeps"], |p| p.begins = |_| drop(thread::spawn(|| loop { std::hint::spin_loop() })))
        .by(One).only(LINUX),
    Twin::new("four-clients", &["✗ tidy only-so-many"], |p| p.serves = |p, listener| {
        for stream in listener.incoming().take(4) {
            let stream = stream.expect("cannot accept");
            thread::spawn(move || (p.converses)(p, &stream));
        }
        waits_forever()
    }).only(LINUX),

    // Ctrl-C.
    Twin::new("crashes-at-stop", &["✗ stops crashes-at-interrupt"], |p| p.begins = |_| {
        std::mem::forget(common::stop::Stop::on_signal(|| process::abort()).expect("a handler"));
    }).only(UNIX),
    Twin::new("stops", &["✗ stops interrupt-ignored"], |p| p.begins = |_| drop(common::stop::Stop::on_signal(|| {}).expect("a handler"))).only(UNIX),
    Twin::new("ends-late", &["✗ stops ends-late"], |p| p.begins = |_| {
        let late = || { thread::sleep(Duration::from_secs(7)); process::exit(0) };
        drop(common::stop::Stop::on_signal(late).expect("a handler"));
    }).by(One).patience(20).only(UNIX),
    Twin::new("held-open", &["✗ stops connection-kept"], |p| p.converses = |p, stream| { hand_to_another(stream); by_lines(p, stream) })
        .by(One).patience(1).only(UNIX),

    // No mistakes, or those that a test of their own is about.
    Twin::new("sleeps", &[], |p| p.hears = |_| thread::sleep(Duration::from_secs(1))).by(Own),
    Twin::new("talkative", &[], |p| p.begins = |_| talks()).by(Own),
    Twin::new("unbuffered", &["✓ listens"], |p| p.begins = |_| assert_eq!(env::var("PYTHONUNBUFFERED").as_deref(), Ok("1"))).by(One),
    Twin::new("anything", &[], |p| p.converses = |_, mut stream| while stream.write_all(b"Welcome!\nHello, Michael!\nHello, Tracy!\n").is_ok() {
        thread::sleep(Duration::from_millis(1));
    }).by(Own),
    // Where there is no such file yet, it ends like a program whose port another one had for a moment.
    Twin::new("beaten", &[], |p| p.begins = |call| {
        let is_first = !fs::exists(call.more).unwrap();
        fs::write(call.more, "").unwrap();
        assert!(!is_first, "{}", ErrorKind::AddrInUse);
    }).by(Own),
    Twin::new("forks", &[], |p| p.begins = |call| {
        let children = [(); 3].map(|()| own(&["sleeper", call.more]).spawn().expect("cannot start a child"));
        thread::spawn(move || children.map(|mut child| child.wait()));
    }).by(Own),
    // As a launcher does: it ends, and what it has started serves.
    Twin::new("hands-over", &["✓ greets", "✓ stops"], |p| p.begins = |call| {
        let mut server = own(&["tcp-server", "handed-over", call.host, &call.port.to_string()]);
        drop(server.stdin(Stdio::piped()).spawn().expect("cannot start it"));
        process::exit(0)
    }).by(One).only(LINUX),
    Twin::new("handed-over", &[], |p| p.begins = |_| {
        let _ = std::io::stdin().read(&mut [0]); // the launcher has ended
        thread::sleep(Duration::from_millis(200)); // so that a judge could take that for the end of all
    }).by(Own),
];

/// How many threads of the pool serve a client.
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// Whether an answer is on its way.
static SENDING: AtomicBool = AtomicBool::new(false);

//! The judge is judged: our own programs keep every stage, and each twin with one mistake breaks its own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;

use crate::has_ipv6;

/// What a run of the judge said, and how it ended.
struct Judged {
    out: String,
    status: Option<i32>,
}

impl Judged {
    /// The stages with this mark, in order.
    fn marked(&self, mark: char) -> Vec<&str> {
        let marked = self.out.lines().filter_map(|line| line.strip_prefix(mark)?.strip_prefix(' '));
        marked.filter_map(|line| line.split(' ').next()).collect()
    }

    /// The lessons that its hints name, in order.
    fn lessons(&self) -> Vec<&str> {
        self.out.lines().filter_map(|line| line.trim().strip_prefix("see it: cargo xtask demo ")).collect()
    }
}

fn grade(args: &[&str]) -> Judged {
    let mut judge = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let done = judge.args(["grade", "--lang=en"]).args(args).output().unwrap();
    let out = format!("{}{}", String::from_utf8(done.stdout).unwrap(), String::from_utf8_lossy(&done.stderr));
    for line in out.lines().filter(|line| line.contains('│')) {
        assert!(xtask::width(line) <= 100, "{line}");
    }
    Judged { out, status: done.status.code() }
}

/// The programs with one mistake each; cargo builds them where it has built this test.
fn twins() -> String {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let path = BUILT.get_or_init(|| {
        let own = PathBuf::from(env!("CARGO_BIN_EXE_xtask"));
        let profile = own.parent().unwrap();
        let mut target = profile.parent().unwrap().to_owned();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package=xtask", "--example=twins"]);
        if target.ends_with(env!("TARGET_TRIPLE")) {
            cargo.args(["--target", env!("TARGET_TRIPLE")]);
            target.pop();
        }
        cargo.arg("--target-dir").arg(target);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "cargo builds the twins");
        profile.join("examples").join("twins").with_extension(std::env::consts::EXE_EXTENSION)
    });
    path.to_str().unwrap().to_owned()
}

fn twin(kind: &str, mistake: &str, options: &[&str]) -> Judged {
    let twins = twins();
    let places = if kind == "get" { ["{url}", "{out}"] } else { ["{host}", "{port}"] };
    let command = ["--", &twins, kind, mistake];
    grade(&[&[kind, "--all"], options, &command, &places].concat())
}

/// Judges a command by each stage alone, side by side.
fn side_by_side(kind: &str, options: &[&str], command: &[&str]) -> Judged {
    let sheet = grade(&[kind, "--list"]).out;
    let is_numbered = |line: &&str| line.trim_start().starts_with(|first: char| first.is_ascii_digit());
    let names = sheet.lines().filter(is_numbered).filter_map(|line| line.split_whitespace().nth(1));
    let judge = |name| grade(&[&[kind, "--stage", name], options, &["--"], command].concat());
    let judged = thread::scope(|scope| {
        let threads: Vec<_> = names.map(|name| scope.spawn(move || judge(name))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let status = judged.iter().map(|judged| judged.status).find(|status| *status != Some(0));
    let status = status.unwrap_or(Some(0));
    Judged { out: judged.into_iter().map(|judged| judged.out).collect(), status }
}

fn path(name: &str) -> String {
    xtask::path_of(name).unwrap().to_str().unwrap().to_owned()
}

/// The IP versions of this machine, with a server's address as our programs take it.
fn versions() -> impl Iterator<Item = (&'static str, &'static str)> {
    let both = [("4", "{host}:{port}"), ("6", "[{host}]:{port}")];
    both.into_iter().filter(|(ip, _)| *ip == "4" || has_ipv6())
}

#[test]
fn our_tcp_server_keeps_every_stage_in_every_framing_over_both_ip_versions() {
    let server = path("tcp-server");
    let framings = [("line", 15), ("length", 15), ("raw", 13)];
    let rows: Vec<_> = versions().flat_map(|version| framings.map(|framing| (version, framing))).collect();
    each(&rows, |((ip, at), (framing, kept))| {
        let all = ["tcp-server", "--ip", ip, "--framing", framing, "--"];
        let judged = grade(&[&all[..], &[&server, at, "--delay=0", "--framing", framing]].concat());
        let absent = usize::from(!cfg!(unix)); // without Ctrl-C
        assert_eq!(judged.marked('✓').len(), kept - absent, "{}", judged.out);
        assert_eq!(judged.marked('-').len(), 15 - kept + absent, "{}", judged.out);
        assert_eq!(judged.status, Some(0), "{}", judged.out);
    });
}

#[test]
fn our_udp_server_and_our_clients_keep_every_stage_over_both_ip_versions() {
    let [udp_server, tcp_client, udp_client] = ["udp-server", "tcp-client", "udp-client"].map(path);
    let rows: Vec<_> = versions()
        .flat_map(|(ip, at)| {
            let greet = [&tcp_client, "greet", at, "--timeout=12", "--framing"];
            let greeting = |framing| [&greet[..], &[framing]].concat();
            [
                (ip, "udp-server", "line", vec![&udp_server[..], at], if cfg!(unix) { 10 } else { 9 }),
                (ip, "tcp-client", "line", greeting("line"), 8),
                (ip, "tcp-client", "length", greeting("length"), 8),
                (ip, "tcp-client", "raw", greeting("raw"), 6),
                (ip, "udp-client", "line", vec![&udp_client, at], 8),
                (ip, "get", "line", vec![&tcp_client, "get", "{url}", "-o", "{out}"], 10),
            ]
        })
        .collect();
    each(&rows, |(ip, kind, framing, command, kept)| {
        let judged = grade(&[&[kind, "--ip", ip, "--framing", framing, "--"], &command[..]].concat());
        assert_eq!((judged.marked('✓').len(), judged.status), (*kept, Some(0)), "{}", judged.out);
    });
}

/// The mistake, what it breaks, and the lesson that the first hint names.
type Row = (&'static str, &'static [&'static str], &'static str);

fn each_breaks_its_own(kind: &str, rows: &[Row]) {
    each(rows, |(mistake, broken, lesson)| {
        // Far from every limit of the twins, of which TCP's clients wait longest: 8 s.
        let judged = twin(kind, mistake, &["--patience=4"]);
        assert_eq!(judged.marked('✗'), *broken, "{mistake}: {}", judged.out);
        assert_eq!(judged.lessons().first(), Some(lesson), "{mistake}: {}", judged.out);
        assert_eq!(judged.status, Some(1), "{mistake}: {}", judged.out);
        assert!(judged.marked('?').is_empty(), "{mistake}: {}", judged.out);
    });
}

/// Judges each row, side by side: a judge waits more than it works.
fn each<T: Sync>(rows: &[T], judge: impl Fn(&T) + Sync) {
    thread::scope(|scope| rows.iter().for_each(|row| drop(scope.spawn(|| judge(row)))));
}

#[test]
fn a_server_with_one_mistake_breaks_its_stage_and_is_told_which_mistake_it_is() {
    each_breaks_its_own(
        "tcp-server",
        &[
            ("crashes", &["listens"], "crowd"),
            ("welcome", &["welcome"], "crowd"),
            ("buffered", &["welcome"], "crowd"),
            ("no-line-feed", &["welcome"], "framing"),
            ("line-feed-kept", &["greets"], "framing"),
            ("again", &["again"], "crowd"),
            ("exit-ends-all", &["exit"], "crowd"),
            ("leaves", &["leaves", "half-close"], "end"),
            ("crowd", &["crowd"], "crowd"),
            ("glued", &["glued"], "glued"),
            ("cut", &["cut"], "glued"),
            ("half-char", &["cut", "bytes"], "half-char"),
            ("lossy", &["bytes"], "not-text"),
            ("strip", &["bytes"], "framing"),
            ("empty-is-end", &["bytes"], "end"),
            ("long", &["long"], "end"),
            ("half-close", &["half-close"], "duplex"),
        ],
    );
}

#[cfg(unix)]
#[test]
fn a_server_that_resets_falls_to_a_reset_or_does_not_stop_is_told_so() {
    each_breaks_its_own(
        "tcp-server",
        &[
            ("exit-reset", &["exit", "glued"], "reset"),
            ("reset", &["reset"], "reset"),
            ("stops", &["stops"], "stop"),
        ],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn the_kernels_table_says_where_a_server_is_instead_and_that_it_accepts_nobody() {
    each_breaks_its_own(
        "tcp-server",
        &[
            ("restart", &["restart"], "stop"),
            ("own-port", &["listens"], "crowd"),
            ("never-accepts", &["welcome"], "socket"),
        ],
    );
    let judged = twin("tcp-server", "never-accepts", &["--patience=2"]);
    assert!(judged.out.contains("1 connected, 0 accepted"), "{}", judged.out);
    // A port that is free with its bytes swapped, too, and open to everybody.
    let free =
        std::iter::repeat_with(|| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let is_free = |port: u16| port > 1023 && TcpListener::bind(("127.0.0.1", port)).is_ok();
    let port = free.into_iter().find(|port| is_free(port.swap_bytes())).unwrap();
    let judged = twin("tcp-server", "swapped", &[&format!("--port={port}")]);
    assert_eq!((judged.marked('✗'), judged.lessons()), (vec!["listens"], vec!["crowd"]), "{}", judged.out);
    assert!(judged.out.contains("two bytes swapped: htons"), "{}", judged.out);
}

#[test]
fn a_udp_server_with_one_mistake_breaks_its_stage() {
    each_breaks_its_own(
        "udp-server",
        &[
            ("line-feed", &["greets"], "udp"),
            ("empty", &["empty"], "framing"),
            ("bytes", &["bytes"], "not-text"),
            ("large", &["large"], "cut-datagram"),
            ("gone", &["gone"], "udp"),
            ("greeting", &["greeting"], "udp"),
        ],
    );
    each(&["again", "clients"], |mistake| {
        let command = [&twins(), "udp-server", mistake, "{host}", "{port}"];
        let judged = side_by_side("udp-server", &["--patience=3"], &command);
        assert_eq!(judged.marked('✗').first(), Some(mistake), "{}", judged.out);
    });
}

#[cfg(unix)]
#[test]
fn a_udp_server_that_goes_on_at_ctrl_c_does_not_stop() {
    each_breaks_its_own("udp-server", &[("stops", &["stops"], "stop")]);
}

#[test]
fn a_tcp_client_with_one_mistake_breaks_its_stage() {
    each_breaks_its_own(
        "tcp-client",
        &[
            ("greets", &["greets"], "crowd"),
            ("glued", &["glued", "cut"], "glued"),
            ("cut", &["cut"], "glued"),
            ("exit", &["exit"], "end"),
            ("early", &["early"], "end"),
            ("nobody", &["nobody"], "socket"),
        ],
    );
    // Its mistake is a time, and a slow machine may meet it in any stage.
    let judged = twin("tcp-client", "slow", &["--stage=slow"]);
    assert_eq!((judged.marked('✗'), judged.lessons()), (vec!["slow"], vec!["slow-exit"]), "{}", judged.out);
}

#[test]
fn a_udp_client_with_one_mistake_breaks_its_stage() {
    each_breaks_its_own(
        "udp-client",
        &[
            ("greets", &["greets"], "udp"),
            ("lost", &["lost"], "lost-reply"),
            ("late", &["late", "twice", "bytes"], "late-reply"),
            ("stranger", &["stranger"], "stranger"),
            ("bytes", &["bytes"], "not-text"),
            ("nobody", &["silent", "nobody"], "socket"),
        ],
    );
}

#[test]
fn a_client_that_gets_pages_with_one_mistake_breaks_its_stage() {
    each_breaks_its_own(
        "get",
        &[
            ("header", &["length"], "page"),
            ("close", &["close"], "end"),
            ("chunked", &["chunked"], "chunk-sizes"),
            ("empty", &["empty"], "kept-open"),
            ("short", &["short"], "cut-short"),
            ("open", &["open"], "kept-open"),
            ("large", &["large"], "end"),
            ("status", &["status"], "page"),
            ("no-http", &["no-http"], "no-header"),
        ],
    );
    let judged = twin("get", "cut", &[]);
    assert!(judged.marked('✗').contains(&"cut") && judged.marked('✓').contains(&"open"), "{}", judged.out);
}

#[test]
fn silence_alone_decides_nothing() {
    let rows = [
        ("tcp-server", "never-answers", "welcome"),
        ("tcp-server", "exit-left-open", "exit"),
        ("tcp-client", "silent", "silent"),
        ("udp-client", "silent", "lost"),
    ];
    each(&rows, |(kind, mistake, stage)| {
        let judged = side_by_side(kind, &["--patience=3"], &[&twins(), kind, mistake, "{host}", "{port}"]);
        assert_eq!(judged.marked('?').first(), Some(stage), "{mistake}: {}", judged.out);
        assert!(judged.marked('✗').is_empty() && judged.status == Some(1), "{mistake}: {}", judged.out);
    });
}

#[test]
fn a_server_that_thinks_for_a_second_keeps_every_stage_and_so_does_one_that_prints_much() {
    each(&["sleeps", "talkative"], |mistake| {
        let judged = side_by_side("tcp-server", &[], &[&twins(), "tcp-server", mistake, "{host}", "{port}"]);
        assert_eq!(judged.status, Some(0), "{mistake}: {}", judged.out);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn of_a_server_that_starts_others_nothing_is_left() {
    let mark = format!("of-{}", std::process::id());
    let judged = twin("tcp-server", &format!("forks-{mark}"), &[]);
    assert_eq!(judged.status, Some(0), "{}", judged.out);
    let is_left = || {
        let commands = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let command = std::fs::read(entry.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&command).replace('\0', " "))
        });
        commands.into_iter().any(|command| command.contains(&format!("sleeper {mark}")))
    };
    // Killed, and nobody's child any more, it is gone once the system has come to it.
    let asked = std::time::Instant::now();
    while is_left() {
        assert!(asked.elapsed().as_secs() < 60, "a child of the server is left");
    }
}

/// The notes' TCP server, with its imports.
const NOTES_TCP_SERVER: &str = "\
import socket, sys, threading, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen(5)
def talk(c, peer):
    c.send(b'Welcome!')
    while True:
        data = c.recv(1024)
        time.sleep(1)
        if not data or data.decode('utf-8') == 'exit':
            break
        c.send(('Hello, %s!' % data.decode('utf-8')).encode('utf-8'))
    c.close()
while True:
    c, peer = s.accept()
    threading.Thread(target=talk, args=(c, peer)).start()
";

/// The notes' UDP server, with its import.
const NOTES_UDP_SERVER: &str = "\
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
while True:
    data, peer = s.recvfrom(1024)
    s.sendto(b'Hello, %s!' % data, peer)
";

/// The notes' UDP client, with its import.
const NOTES_UDP_CLIENT: &str = "\
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for data in [b'Michael', b'Tracy', b'Sarah']:
    s.sendto(data, (sys.argv[1], int(sys.argv[2])))
    print(s.recv(1024).decode('utf-8'))
s.close()
";

/// The notes' TCP client, for any page.
const NOTES_GET: &str = "\
import socket, sys
host, path = sys.argv[1][len('http://'):].split('/', 1)
name, port = host.split(':')
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect((name, int(port)))
s.send(('GET /%s HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n' % (path, host)).encode())
buffer = []
while True:
    d = s.recv(1024)
    if not d:
        break
    buffer.append(d)
data = b''.join(buffer)
s.close()
header, html = data.split(b'\\r\\n\\r\\n', 1)
print(header.decode('utf-8'))
with open(sys.argv[2], 'wb') as f:
    f.write(html)
";

#[cfg(unix)]
#[test]
fn the_notes_programs_fail_where_their_mistakes_are_known() {
    if !Command::new("python3").arg("--version").output().is_ok_and(|done| done.status.success()) {
        return println!("not available here: python3");
    }
    let rows = [
        ("tcp-server", NOTES_TCP_SERVER, &["bytes", "stops", "restart"][..], &[][..]),
        ("udp-server", NOTES_UDP_SERVER, &["large", "greeting"], &[]),
        (
            "udp-client",
            NOTES_UDP_CLIENT,
            &["late", "twice", "stranger", "bytes"],
            &["lost", "silent", "nobody"],
        ),
        ("get", NOTES_GET, &["chunked", "empty", "short", "open"], &[]),
    ];
    each(&rows, |(kind, code, broken, open)| {
        let places = if *kind == "get" { ["{url}", "{out}"] } else { ["{host}", "{port}"] };
        let command = [&["python3", "-c", code], &places[..]].concat();
        let judged = side_by_side(kind, &["--framing=raw", "--patience=4"], &command);
        assert_eq!(judged.marked('✗'), *broken, "{kind}: {}", judged.out);
        assert_eq!(judged.marked('?'), *open, "{kind}: {}", judged.out);
    });
}

#[test]
fn a_server_that_answers_everything_with_everything_does_not_get_far() {
    let command = [&twins(), "tcp-server", "anything", "{host}", "{port}"];
    let judged = side_by_side("tcp-server", &["--patience=3"], &command);
    let kept = judged.marked('✓');
    assert_eq!(kept, ["listens", "welcome", "greets", "restart"], "{}", judged.out);
}

#[test]
fn the_first_stage_that_is_not_kept_ends_the_run_and_one_alone_can_be_played() {
    let twins = twins();
    let command = ["--", &twins, "tcp-server", "glued", "{host}", "{port}"];
    let judged = grade(&[&["tcp-server"], &command[..]].concat());
    assert_eq!(judged.marked('✗'), ["glued"]);
    assert!(
        judged.out.ends_with("7 of 15 kept. Next: glued; '--stage glued' plays it alone\n"),
        "{}",
        judged.out
    );
    let judged = grade(&[&["tcp-server", "--stage=again"], &command[..]].concat());
    assert_eq!((judged.marked('✓'), judged.status), (vec!["again"], Some(0)), "{}", judged.out);
}

#[test]
fn what_cannot_be_graded_is_a_usage_error_that_says_what_to_type() {
    for (args, told) in [
        (&[][..], "say what to grade"),
        (&["soup"], "cannot grade 'soup'"),
        (&["tcp-server"], "the command that starts your program is missing"),
        (&["tcp-server", "--", "x"], "the command has no {port}"),
        (&["tcp-server", "--stage=soup", "--", "x", "{port}"], "no stage 'soup'"),
        (&["tcp-server", "--patience=0", "--", "x", "{port}"], "--patience '0'"),
    ] {
        let judged = grade(args);
        assert_eq!(judged.status, Some(2), "{args:?}: {}", judged.out);
        assert!(judged.out.contains(told), "{args:?}: {}", judged.out);
    }
    let judged = grade(&["tcp-server", "--", "./no-such-program", "{port}"]);
    assert_eq!(judged.status, Some(1));
    assert!(judged.out.contains("cannot start './no-such-program'"), "{}", judged.out);
}

//! The judge is judged: our own programs keep every stage, and each twin with one mistake breaks its own.

use std::io::{BufRead, BufReader, Lines};
#[cfg(target_os = "linux")]
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::OnceLock;
use std::thread;

use xtask::Scratch;

use crate::has_ipv6;
use crate::process::command;

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

    /// The sentence of the first hint, on one line, and the lesson that it names.
    fn hint(&self) -> (String, &str) {
        let hint = self.out.split_once("\n    → ").map_or("", |(_, hint)| hint);
        let (sentence, lesson) = hint.split_once("see it: cargo xtask demo ").unwrap_or_default();
        let words: Vec<_> = sentence.split_whitespace().collect();
        (words.join(" "), lesson.lines().next().unwrap_or_default())
    }

    /// What became of each stage that was not kept: as if there were no other.
    fn flaws(&self) -> impl Iterator<Item = Judged> {
        let marks = ["\n✗ ", "\n? ", "\n✓ ", "\n- "];
        let starts = |at: &usize| marks.iter().any(|mark| self.out[*at..].starts_with(mark));
        let mut starts: Vec<_> = self.out.match_indices('\n').map(|(at, _)| at).filter(starts).collect();
        starts.push(self.out.len());
        let parts: Vec<_> = starts.windows(2).map(|part| self.out[part[0] + 1..part[1]].to_owned()).collect();
        let flaws = parts.into_iter().filter(|part| part.starts_with(['✗', '?']));
        flaws.map(|out| Judged { out, status: self.status })
    }

    /// These stages are not kept, each with its mark, and each is told the likely mistake.
    fn assert_flaws(&self, mark: char, expected: &[Failure], of: &str) {
        let flaws: Vec<_> = self.flaws().collect();
        let found: Vec<_> = flaws.iter().flat_map(|flaw| flaw.marked(mark)).collect();
        let stages: Vec<_> = expected.iter().map(|(stage, ..)| *stage).collect();
        assert_eq!((flaws.len(), found), (expected.len(), stages), "{of}: {}", self.out);
        for (flaw, (stage, lesson, words)) in flaws.iter().zip(expected) {
            let (sentence, see) = flaw.hint();
            assert!(sentence.contains(words) && see.contains(lesson), "{of} in {stage}: {}", flaw.out);
        }
        assert_eq!(self.status, Some(1), "{of}: {}", self.out);
    }
}

/// A stage that is not kept, the lesson that its hint names, and some words that no other hint has. Both are empty
/// where a stage only falls with another one, which has the hint.
type Failure = (&'static str, &'static str, &'static str);

fn grade(args: &[&str]) -> Judged {
    let done = crate::program("xtask").args(["grade", "--lang=en"]).args(args).output().unwrap();
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
        let mut cargo = command(env!("CARGO"));
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

/// The mistake, and what it breaks.
type Row = (&'static str, &'static [Failure]);

fn each_breaks_its_own(kind: &str, rows: &[Row]) {
    each(rows, |(mistake, broken)| {
        // Far from every limit of the twins, of which TCP's clients wait longest: 8 s.
        twin(kind, mistake, &["--patience=4"]).assert_flaws('✗', broken, mistake);
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
            ("crashes", &[("listens", "crowd", "it is to bind, listen, accept")]),
            ("binds-twice", &[("listens", "crowd", "it binds twice")]),
            ("ends-at-once", &[("listens", "crowd", "It came to the end of its code")]),
            ("welcome", &[("welcome", "crowd", "It answers and never welcomes")]),
            ("wordy", &[("welcome", "crowd", "The word has to be this to the letter")]),
            ("chatty", &[("welcome", "crowd", "It says more than it should")]),
            ("buffered", &[("welcome", "crowd", "The welcome waits")]),
            ("no-line-feed", &[("welcome", "framing", "No line feed ends your message")]),
            ("line-feed-kept", &[("greets", "framing", "is no part of the name: take it off")]),
            ("again", &[("again", "crowd", "It reads one name and no more")]),
            ("exit-anywhere", &[("exit", "crowd", "exit is a whole message")]),
            ("exit-ends-all", &[("exit", "crowd", "and does not end the server")]),
            ("exit-greeted", &[("exit", "crowd", "exit is greeted like a name"), ("glued", "", "")]),
            (
                "leaves",
                &[
                    ("leaves", "end", "The end is answered: when recv returns nothing"),
                    ("half-close", "end", "The end is answered: when recv returns nothing"),
                ],
            ),
            ("one-buffer", &[("leaves", "crowd", "each conversation has a buffer of its own")]),
            ("crowd", &[("crowd", "crowd", "It serves one client at a time")]),
            ("glued", &[("glued", "glued", "cut it where a message ends")]),
            ("cut", &[("cut", "glued", "It answered a part of the name")]),
            (
                "half-char",
                &[
                    ("cut", "half-char", "Half a character was decoded"),
                    ("bytes", "not-text", "give them back as they came"),
                ],
            ),
            ("lossy", &[("bytes", "not-text", "give them back as they came")]),
            ("closed-late", &[("bytes", "not-text", "give them back as they came")]),
            ("strip", &[("bytes", "framing", "The blanks are gone")]),
            ("empty-is-end", &[("bytes", "end", "An empty name is a message of no bytes")]),
            (
                "long",
                &[("long", "end", "recv(1024) returns at most 1024 bytes, and the message has its framing")],
            ),
            ("half-close", &[("half-close", "duplex", "The client has ended its half, not yours")]),
        ],
    );
}

#[cfg(unix)]
#[test]
fn a_server_that_resets_falls_to_a_reset_or_does_not_stop_is_told_so() {
    each_breaks_its_own(
        "tcp-server",
        &[
            ("exit-reset", &[("exit", "reset", "with something unread in it"), ("glued", "", "")]),
            ("reset", &[("reset", "reset", "A reset is an error of recv or send")]),
            ("stops", &[("stops", "stop", "an exception that is caught around accept")]),
        ],
    );
}

#[test]
fn one_at_a_time_is_seen_by_who_is_served_once_the_first_has_left() {
    let judged = twin("tcp-server", "crowd", &["--stage=crowd", "--patience=4"]);
    judged.assert_flaws('✗', &[("crowd", "crowd", "It serves one client at a time")], "crowd");
    assert!(judged.out.contains("came      #2 was welcomed once #1 had left"), "{}", judged.out);
}

#[cfg(unix)]
#[test]
fn a_server_that_ends_while_its_clients_see_no_end_has_not_stopped_as_it_should() {
    let command = ["--patience=1", "--", &twins(), "tcp-server", "held-open", "{host}", "{port}"];
    let judged = grade(&[&["tcp-server", "--stage=stops"], &command[..]].concat());
    assert_eq!((judged.flaws().count(), judged.status), (1, Some(1)), "{}", judged.out);
    assert!(judged.out.contains("expected  the end of #1's connection"), "{}", judged.out);
    // It has ended, and somebody else has its connection: silence and an end decide.
    let command = ["--patience=4", "--", &twins(), "tcp-server", "deserts", "{host}", "{port}"];
    let judged = grade(&[&["tcp-server", "--stage=greets"], &command[..]].concat());
    judged.assert_flaws('✗', &[("greets", "crowd", "It came to the end of its code")], "deserts");
}

#[cfg(target_os = "linux")]
#[test]
fn the_kernels_table_says_where_a_server_is_instead_and_that_it_accepts_nobody() {
    each_breaks_its_own(
        "tcp-server",
        &[
            ("restart", &[("restart", "stop", "SO_REUSEADDR, set before bind")]),
            (
                "restart-unchecked",
                &[("restart", "stop", "bind fails: connections of the past have the port")],
            ),
            ("own-port", &[("listens", "crowd", "Not the port that it was given")]),
            ("on-udp", &[("listens", "system", "This is the other protocol")]),
            ("never-accepts", &[("welcome", "socket", "does not come to accept")]),
            (
                "left-open",
                &[
                    ("leaves", "end", "Its client has left and the socket stays open"),
                    ("half-close", "end", "Its client has left and the socket stays open"),
                ],
            ),
        ],
    );
    each_breaks_its_own(
        "udp-server",
        &[
            ("binds", &[("binds", "crowd", "Not the port that it was given")]),
            ("on-tcp", &[("binds", "system", "This is the other protocol")]),
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
    judged.assert_flaws('✗', &[("listens", "crowd", "two bytes swapped: htons")], "swapped");
}

#[test]
fn a_udp_server_with_one_mistake_breaks_its_stage() {
    each_breaks_its_own(
        "udp-server",
        &[
            ("unbound", &[("binds", "udp", "It came to the end of its code")]),
            ("line-feed", &[("greets", "udp", "The words have to be these to the letter")]),
            ("in-parts", &[("greets", "framing", "put the answer together, and send it once")]),
            ("line-feed-behind", &[("greets", "framing", "A datagram has its own end")]),
            (
                "again",
                &[
                    ("again", "udp", "It answers once and no more"),
                    ("clients", "", ""),
                    ("empty", "", ""),
                    ("bytes", "", ""),
                    ("large", "", ""),
                    ("gone", "", ""),
                ],
            ),
            ("empty", &[("empty", "framing", "An empty datagram is a datagram")]),
            ("bytes", &[("bytes", "not-text", "give them back as they came")]),
            ("strip", &[("bytes", "framing", "The blanks are gone")]),
            ("large", &[("large", "cut-datagram", "recvfrom(N) cuts a datagram that is longer")]),
            ("gone", &[("gone", "udp", "That nobody is there any more is no reason to end")]),
            ("greeting", &[("greeting", "udp", "is an answer: do not answer it")]),
        ],
    );
    let judged = twin("udp-server", "clients", &["--patience=3"]);
    assert_eq!((judged.marked('✗'), judged.marked('?')), (vec!["clients"], vec!["gone"]), "{}", judged.out);
    let (sentence, lesson) = judged.hint();
    assert!(sentence.starts_with("An answer went to another client") && lesson == "udp", "{}", judged.out);
}

#[cfg(unix)]
#[test]
fn a_udp_server_that_goes_on_at_ctrl_c_does_not_stop() {
    const GOES_ON: Failure = ("stops", "stop", "caught around accept or recvfrom");
    each_breaks_its_own("udp-server", &[("stops", &[GOES_ON])]);
}

#[test]
fn a_tcp_client_with_one_mistake_breaks_its_stage() {
    const NO_FAILURE: &str = "That nobody answers is a failure";
    each_breaks_its_own(
        "tcp-client",
        &[
            ("crashes", &[("greets", "socket", "Its command line says where its server is")]),
            ("greets", &[("greets", "crowd", "exit comes last")]),
            ("pipelines", &[("greets", "framing", "The names are not waited for")]),
            ("prints-twice", &[("greets", "crowd", "printed whole, on standard output")]),
            ("fails-at-last", &[("greets", "end", "All went well on the wire")]),
            (
                "glued",
                &[
                    ("glued", "glued", "cut it where a message ends"),
                    ("cut", "glued", "cut it where a message ends"),
                ],
            ),
            ("cut", &[("cut", "glued", "cut it where a message ends")]),
            ("exit", &[("exit", "end", "After exit, recv once more")]),
            ("early", &[("early", "end", "where a greeting should come, that is a failure")]),
            ("gives-up", &[("silent", "socket", NO_FAILURE)]),
            ("nobody", &[("nobody", "socket", NO_FAILURE)]),
            (
                "mute",
                &[
                    ("early", "end", "where a greeting should come, that is a failure"),
                    ("silent", "socket", NO_FAILURE),
                    ("nobody", "socket", NO_FAILURE),
                ],
            ),
        ],
    );
    // It thinks before it goes on, which the judge waits for where the kernel tells that it is busy.
    if cfg!(target_os = "linux") {
        each_breaks_its_own(
            "tcp-client",
            &[("ends-at-mark", &[("cut", "glued", "cut it where a message ends")])],
        );
    }
    // Its mistake is a time, and a slow machine may meet it in any stage.
    let told = ("slow", "slow-exit", "the client's time-out has to be longer");
    twin("tcp-client", "slow", &["--stage=slow"]).assert_flaws('✗', &[told], "slow");
}

#[test]
fn a_udp_client_with_one_mistake_breaks_its_stage() {
    const ANY: &str = "Whatever came next was taken for the reply";
    const NO_FAILURE: &str = "That nobody answers is a failure";
    each_breaks_its_own(
        "udp-client",
        &[
            ("crashes", &[("greets", "socket", "Its command line says where its server is")]),
            ("greets", &[("greets", "udp", "printed whole, on standard output")]),
            ("pipelines", &[("greets", "udp", "The names are not waited for")]),
            ("lost", &[("lost", "lost-reply", "ask again when it is over")]),
            (
                "late",
                &[("late", "late-reply", ANY), ("twice", "late-reply", ANY), ("bytes", "late-reply", ANY)],
            ),
            ("twice", &[("twice", "late-reply", ANY)]),
            ("gives-up", &[("twice", "end", "its last words say why it failed nevertheless")]),
            ("stranger", &[("stranger", "stranger", "Whoever sends to its port is believed")]),
            ("bytes", &[("bytes", "not-text", "work with bytes, and print what is no text")]),
            ("nobody", &[("silent", "socket", NO_FAILURE), ("nobody", "socket", NO_FAILURE)]),
        ],
    );
}

#[test]
fn a_client_that_gets_pages_with_one_mistake_breaks_its_stage() {
    const ITS_END: &str = "recv in a loop until the body's own end";
    each_breaks_its_own(
        "get",
        &[
            ("header", &[("length", "page", "the body begins behind the first empty line")]),
            ("no-host", &[("length", "page", "and say the Host")]),
            ("unsaved", &[("length", "page", "names the file that the body goes to")]),
            ("close", &[("close", "end", ITS_END)]),
            (
                "chunked",
                &[
                    ("chunked", "chunk-sizes", "The chunk sizes are in it"),
                    ("open", "kept-open", "with the chunk of size 0"),
                ],
            ),
            ("chunk-by-close", &[("open", "kept-open", "with the chunk of size 0")]),
            ("empty", &[("empty", "kept-open", "The reply says where it ends")]),
            ("saves-head", &[("empty", "page", "the body begins behind the first empty line")]),
            ("short", &[("short", "cut-short", "the end of the stream, and not of the body")]),
            ("half-kept", &[("short", "cut-short", "keep the file only when all have come")]),
            ("open", &[("open", "kept-open", "The reply says where it ends")]),
            ("large", &[("large", "end", ITS_END)]),
            ("status", &[("status", "page", "The first line of the reply has the status")]),
            ("no-http", &[("no-http", "no-header", "A reply need not have a header")]),
        ],
    );
    let judged = twin("get", "cut", &[]);
    let cut = judged.flaws().find(|flaw| flaw.marked('✗') == ["cut"]).expect("cut is broken");
    assert!(cut.hint().0.starts_with("One recv is not the whole reply, nor its header"), "{}", cut.out);
    assert!(judged.marked('✓').contains(&"length"), "{}", judged.out);
}

#[test]
fn silence_alone_decides_nothing() {
    let rows = [
        (
            "tcp-server",
            "never-answers",
            "welcome",
            "crowd",
            "it says nothing to whoever comes, or reads first",
        ),
        ("tcp-server", "exit-left-open", "exit", "crowd", "leaves the loop and does not close the socket"),
        ("tcp-client", "silent", "silent", "kept-open", "It waits for ever"),
        ("udp-client", "silent", "lost", "lost-reply", "recv without a time-out then waits for ever"),
    ];
    each(&rows, |(kind, mistake, stage, lesson, words)| {
        let judged = side_by_side(kind, &["--patience=3"], &[&twins(), kind, mistake, "{host}", "{port}"]);
        assert_eq!(judged.marked('?').first(), Some(stage), "{mistake}: {}", judged.out);
        assert!(judged.marked('✗').is_empty() && judged.status == Some(1), "{mistake}: {}", judged.out);
        let (sentence, see) = judged.hint();
        assert!(sentence.contains(words) && see == *lesson, "{mistake}: {}", judged.out);
    });
}

#[test]
fn a_hint_of_one_stage_says_what_was_seen_in_it() {
    let rows = [
        ("never-ends-a-line", '?', ("welcome", "framing", "No line feed ends your message")),
        ("again-ignored", '?', ("again", "crowd", "it takes one name and no more")),
        ("listens-once", '✗', ("exit", "crowd", "Nobody listens any more")),
        ("stops-listening", '✗', ("exit", "crowd", "Nobody listens any more")),
        ("turns-away", '✗', ("crowd", "crowd", "Another client is sent away")),
        ("ascii", '✗', ("again", "not-text", "This name is not ASCII")),
        ("leftover", '✗', ("again", "framing", "An earlier name is in this answer")),
        ("zero-byte", '✗', ("greets", "framing", "A zero byte is in it")),
        ("loses-a-byte", '✗', ("leaves", "framing", "Mich broke off, and has lost a byte")),
        ("thread-dies-of-a-key", '?', ("greets", "crowd", "An error has ended one conversation")),
        ("thread-dies-of-bytes", '?', ("greets", "crowd", "A socket carries bytes, and this is text")),
        ("thread-dies-of-its-socket", '?', ("greets", "crowd", "a socket that it has closed")),
        ("thread-dies-of-text", '?', ("greets", "half-char", "need not be text, nor a whole character")),
        #[cfg(unix)]
        ("killed", '✗', ("greets", "crowd", "its last words or its status say why")),
        #[cfg(target_os = "linux")]
        ("closes-listener", '?', ("exit", "crowd", "It closes the listener")),
    ];
    each(&rows, |(mistake, mark, flaw)| {
        let stage = format!("--stage={}", flaw.0);
        let command = ["--patience=4", "--", &twins(), "tcp-server", mistake, "{host}", "{port}"];
        let judged = grade(&[&["tcp-server", &stage], &command[..]].concat());
        judged.assert_flaws(*mark, &[*flaw], mistake);
    });
}

#[test]
fn of_a_program_that_is_nowhere_nothing_is_decided_either() {
    let rows = [
        ("tcp-server", "never-binds", ("listens", "crowd", "it does not come to listen")),
        ("tcp-client", "never-comes", ("greets", "socket", "it waits for something first")),
    ];
    each(&rows, |(kind, mistake, flaw)| {
        twin(kind, mistake, &["--patience=1"]).assert_flaws('?', &[*flaw], mistake);
    });
}

#[test]
fn a_server_that_thinks_for_a_second_keeps_every_stage_and_so_does_one_that_prints_much() {
    each(&["sleeps", "talkative"], |mistake| {
        let judged = side_by_side("tcp-server", &[], &[&twins(), "tcp-server", mistake, "{host}", "{port}"]);
        assert_eq!(judged.status, Some(0), "{mistake}: {}", judged.out);
    });
}

#[test]
fn of_what_a_program_prints_without_an_end_a_part_is_shown() {
    let judged = twin("tcp-server", "talks-and-ends", &[]);
    judged.assert_flaws('✗', &[("listens", "crowd", "Its last words say why")], "talks-and-ends");
    assert!(judged.out.lines().any(|line| line.ends_with('…')), "{}", judged.out);
    assert!(judged.out.len() < 100_000, "{} bytes of a million", judged.out.len());
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

#[cfg(target_os = "linux")]
#[test]
fn a_launcher_may_end_while_what_it_has_started_serves() {
    each(&["greets", "stops"], |stage| {
        let judged = twin("tcp-server", "hands-over", &[&format!("--stage={stage}")]);
        assert_eq!((judged.marked('✓'), judged.status), (vec![*stage], Some(0)), "{}", judged.out);
    });
}

#[test]
fn a_program_is_asked_not_to_hold_back_what_it_prints() {
    let command = ["--", &twins(), "tcp-server", "unbuffered", "{host}", "{port}"];
    let judged = grade(&[&["tcp-server", "--stage=listens"], &command[..]].concat());
    assert_eq!(judged.status, Some(0), "{}", judged.out);
}

/// A port that no system gives to clients, as the judge's are; no two tests have the same.
#[cfg(target_os = "linux")]
fn own_port() -> (TcpListener, u16) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let first = std::process::id() as usize + 1000 * CALLS.fetch_add(1, Ordering::Relaxed);
    let ports = (12_000..32_000).cycle().skip(first % 20_000);
    ports.into_iter().find_map(|port| Some((TcpListener::bind(("127.0.0.1", port)).ok()?, port))).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_somebody_has_is_not_graded_and_one_that_somebody_takes_meanwhile_is_no_mistake() {
    let (_listener, port) = own_port();
    let (twins, port) = (twins(), format!("--port={port}"));
    let judged = grade(&["tcp-server", &port, "--", &twins, "tcp-server", "none", "{host}", "{port}"]);
    assert_eq!((judged.flaws().count(), judged.status), (0, Some(1)), "{}", judged.out);
    assert!(judged.out.contains("already - end that program, and grade again"), "{}", judged.out);

    let scratch = Scratch::new().unwrap();
    for thief in ["robbed", "beaten"] {
        let taken = scratch.path().join(thief);
        let robbed = format!("{thief}-{}", taken.display());
        let command = ["--", &twins, "tcp-server", &robbed, "{host}", "{port}"];
        let judged = grade(&[&["tcp-server", "--stage=greets"], &command[..]].concat());
        assert!(taken.exists(), "{thief}: the port was taken");
        assert_eq!((judged.marked('✓'), judged.status), (vec!["greets"], Some(0)), "{}", judged.out);
    }
}

/// A judge that runs, and what it says.
struct Judge {
    task: Child,
    out: Lines<BufReader<ChildStdout>>,
}

impl Judge {
    fn start(args: &[&str]) -> Self {
        let mut judge = crate::program("xtask");
        let mut task =
            judge.args(["grade", "--lang=en"]).args(args).stdout(Stdio::piped()).spawn().expect("a judge");
        let out = BufReader::new(task.stdout.take().unwrap()).lines();
        Self { task, out }
    }

    /// Waits for a line with these words.
    fn wait_for(&mut self, words: &str) {
        let mut said = Vec::new();
        for line in self.out.by_ref().map_while(Result::ok) {
            if line.contains(words) {
                return;
            }
            said.push(line);
        }
        panic!("no '{words}' in {said:#?}");
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.task.kill();
        let _ = self.task.wait();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_a_connection_of_the_past_still_has_is_waited_for() {
    let (listener, port) = own_port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let connection = listener.accept().unwrap();
    drop(listener);
    let twins = twins();
    let command = ["--", &twins, "tcp-server", "restart", "{host}", "{port}"];
    let mut judge =
        Judge::start(&[&["tcp-server", "--stage=greets", &format!("--port={port}")], &command[..]].concat());
    judge.wait_for(&format!("port {port} is in TIME_WAIT"));
    // As long as another server is judged, this one waits.
    assert_eq!(twin("tcp-server", "none", &["--stage=listens"]).status, Some(0));
    drop(client); // first, and so nothing of it is left here
    drop(connection);
    judge.wait_for("✓ greets");
}

#[test]
fn a_change_of_a_file_that_the_command_names_is_graded() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("mistake");
    let name = file.to_str().unwrap();
    std::fs::write(&file, "line-feed-kept").unwrap();
    let twins = twins();
    let command = ["--", &twins, "tcp-server", name, "{host}", "{port}"];
    let mut judge = Judge::start(&[&["tcp-server", "--watch", "--stage=greets"], &command[..]].concat());
    judge.wait_for("✗ greets");
    judge.wait_for("Waiting for a change");
    let mended = scratch.path().join("mended");
    std::fs::write(&mended, "none").unwrap();
    // Some file systems have no finer time than two seconds.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    std::fs::File::options().write(true).open(&mended).unwrap().set_modified(later).unwrap();
    std::fs::rename(&mended, &file).unwrap();
    judge.wait_for("✓ greets");
    judge.wait_for("Waiting for a change");
}

#[test]
fn a_report_has_a_chapter_for_each_stage_that_was_played_with_what_came_of_it() {
    let scratch = Scratch::new().unwrap();
    let report = scratch.path().join("report.html");
    let twins = twins();
    let command = ["--", &twins, "tcp-server", "glued", "{host}", "{port}"];
    let judged = grade(&[&["tcp-server", "--html", report.to_str().unwrap()], &command[..]].concat());
    let report = std::fs::read_to_string(report).unwrap();
    let stages = [judged.marked('✓'), judged.marked('✗')].concat();
    assert_eq!((stages.len(), judged.marked('✗')), (8, vec!["glued"]), "{}", judged.out);
    for stage in stages {
        assert!(report.contains(&format!("<h2 id=\"{stage}\">{stage}</h2>")), "{stage} is not in {report}");
    }
    for words in ["tcp-server glued {host} {port}", "Hello, Michael\\nexit!", "One recv was taken for one"] {
        assert!(report.contains(words), "'{words}' is not in {report}");
    }
}

/// The notes' TCP server, with its imports.
#[cfg(unix)]
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
#[cfg(unix)]
const NOTES_UDP_SERVER: &str = "\
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
while True:
    data, peer = s.recvfrom(1024)
    s.sendto(b'Hello, %s!' % data, peer)
";

/// The notes' UDP client, with its import.
#[cfg(unix)]
const NOTES_UDP_CLIENT: &str = "\
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for data in [b'Michael', b'Tracy', b'Sarah']:
    s.sendto(data, (sys.argv[1], int(sys.argv[2])))
    print(s.recv(1024).decode('utf-8'))
s.close()
";

/// The notes' TCP client, for any page.
#[cfg(unix)]
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
    if !crate::process::has_tool("python3", &["--version"]) {
        return;
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
        let judged = side_by_side(kind, &["--framing=raw", "--patience=20"], &command);
        assert_eq!(judged.marked('✗'), *broken, "{kind}: {}", judged.out);
        assert_eq!(judged.marked('?'), *open, "{kind}: {}", judged.out);
    });
}

#[test]
fn a_server_that_answers_everything_with_everything_does_not_get_far() {
    let command = [&twins(), "tcp-server", "anything", "{host}", "{port}"];
    let judged = side_by_side("tcp-server", &["--patience=3"], &command);
    let kept = judged.marked('✓');
    assert_eq!(kept, ["listens", "restart"], "{}", judged.out);
}

#[test]
fn the_first_stage_that_is_not_kept_ends_the_run_and_one_alone_can_be_played() {
    let twins = twins();
    let command = ["--", &twins, "tcp-server", "glued", "{host}", "{port}"];
    let judged = grade(&[&["tcp-server"], &command[..]].concat());
    assert_eq!(judged.marked('✗'), ["glued"]);
    assert!(judged.out.contains("13 bytes  Michael\\nexit\\n"), "the ladder: {}", judged.out);
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
    for (args, told) in [
        (&["soup"][..], "“soup”不能评判，应为其中之一："),
        (&["tcp-server"], "缺少启动你的程序的命令："),
        (&["get", "--", "x", "url"], "命令里没有 {url}（PowerShell 会去掉花括号，请加引号）："),
        (&["tcp-server", "--stage=soup", "--", "x", "{port}"], "没有“soup”这一项，应为其中之一："),
        (&["tcp-server", "--", "./no-such-program", "{port}"], "无法启动“./no-such-program”"),
    ] {
        let mut judge = crate::program("xtask");
        let done = judge.args(["grade", "--lang=zh"]).args(args).output().unwrap();
        let complaint = String::from_utf8(done.stderr).unwrap();
        assert!(complaint.contains(told), "{args:?}: {complaint}");
    }
    let judged = grade(&["tcp-server", "--", "./no-such-program", "{port}"]);
    assert_eq!(judged.status, Some(1));
    assert!(judged.out.contains("cannot start './no-such-program'"), "{}", judged.out);
}

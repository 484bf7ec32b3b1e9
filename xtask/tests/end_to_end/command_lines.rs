//! What a user types, and what is said of it.

use crate::layout::files_of;
use crate::{TestedServer, failing, outcome, run, run_on};

const PROGRAMS: [&str; 4] = ["tcp-server", "tcp-client", "udp-server", "udp-client"];

#[test]
fn help_and_version_are_answered_before_anything_happens() {
    for program in PROGRAMS {
        for args in ["--help", "-h", "--nonsense --help"] {
            let help = run(program, &args.split(' ').collect::<Vec<_>>());
            assert_eq!((help.status, help.complained.len()), (Some(0), 0));
            assert!(help.said[0].starts_with(&format!("{program} - ")), "{:?}", help.said);
            assert!(help.said.iter().all(|line| line.len() <= 100));
        }
        let version = run(program, &["--version"]);
        assert_eq!(version, outcome(0, &[&format!("{program} {}", env!("CARGO_PKG_VERSION"))], &[]));
    }
}

#[test]
fn a_usage_error_is_named_points_at_help_and_exits_with_2() {
    for (line, message) in [
        ("tcp-server --nope", "unknown option '--nope'"),
        ("tcp-server 127.0.0.1:0 more", "unexpected argument 'more'"),
        ("tcp-server h", "HOST:PORT 'h': it has no port: write HOST:PORT, such as 127.0.0.1:9999"),
        ("tcp-server --framing xml", "--framing 'xml': it is one of line, raw and length"),
        ("tcp-server --delay -1", "--delay needs a value"),
        ("tcp-server --delay=-1", "--delay '-1': it must be seconds from 0 to 3600"),
        ("tcp-server --idle-timeout 0", "--idle-timeout '0': it must be seconds from 0.01 to 86400"),
        ("tcp-server --max-clients 0", "--max-clients '0': it must be a number from 1 to 15000"),
        ("tcp-server --backlog 65536", "--backlog '65536': it must be a number from 0 to 65535"),
        ("tcp-server --quiet=yes", "--quiet takes no value"),
        ("udp-server --delay 1", "unknown option '--delay'"),
        ("udp-server 127.0.0.1:0 127.0.0.1:0", "unexpected argument '127.0.0.1:0'"),
        ("udp-client --tries 0", "--tries '0': it must be a number from 1 to 100"),
        ("udp-client h", "HOST:PORT 'h': it has no port: write HOST:PORT, such as 127.0.0.1:9999"),
        ("tcp-client http://h/", "unknown command 'http://h/': it is get or greet"),
        ("tcp-client -o x", "the command comes first, before options"),
        ("tcp-client get http://h/ http://h/", "unexpected argument 'http://h/'"),
        ("tcp-client get http://h/ -o", "-o needs a value"),
        (
            "tcp-client get https://h/",
            "URL 'https://h/': https needs TLS, and this client speaks only what a plain socket carries; \
             is there an http:// address?",
        ),
    ] {
        let mut words = line.split(' ');
        let program = words.next().unwrap();
        let found = run(program, &words.collect::<Vec<_>>());
        let expected =
            [&*format!("{program}: {message}"), &*format!("Try 'cargo run -p {program} -- --help'.")];
        assert_eq!(found, outcome(2, &[], &expected), "{line}");
    }
    let long = "x".repeat(1025);
    let refused = run("tcp-client", &["greet", "127.0.0.1:1", &long]);
    assert_eq!(refused.status, Some(2));
    assert_eq!(refused.complained[0], "tcp-client: a name is at most 1024 bytes; this one has 1025");
}

#[test]
fn every_default_in_the_help_and_in_the_readme_is_the_programs_own() {
    // The limits were refused one beyond them above; here the defaults are what an empty command line means.
    for (program, options) in [
        ("tcp-server", "--framing=line --delay=1 --idle-timeout=300 --max-clients=4096 --backlog=4096"),
        ("udp-client", "--timeout=1 --tries=3"),
        ("tcp-client", "--framing=line --timeout=30 --timeout=10"),
    ] {
        let help = run(program, &["--help"]).said.join(" ");
        let source = &files_of(program)["main"];
        for (option, default) in options.split(' ').filter_map(|option| option.split_once('=')) {
            let (_, of_option) = help.split_once(&format!("  {option} ")).unwrap();
            assert!(of_option.contains(&format!("[default: {default}]")), "{program} --help, {option}");
            let in_code = [format!("{default}.0,"), format!("{default},"), "Framing::Line)".into()];
            let is_in_code = |value: &String| source.contains(&format!("\"{option}\", {value}"));
            assert!(in_code.iter().any(is_in_code), "{program} main.rs, {option} {default}");
        }
    }
    let readme = include_str!("../../../README.md");
    for words in [
        "is disconnected after 300 s (`--idle-timeout`)",
        "4096 at once (`--max-clients`)",
        "4096 connections may wait to be accepted (`--backlog`)",
    ] {
        assert!(readme.contains(words), "{words}");
    }
}

#[test]
fn a_runtime_failure_names_the_object_and_the_remedy_and_exits_with_1() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    failing("udp-server", &[&address], &format!("udp-server: cannot bind {address}: "));
    for args in [&["greet", "127.0.0.1:0"][..], &["get", "http://127.0.0.1:0/"]] {
        failing("tcp-client", args, "cannot connect to 127.0.0.1:0 - nobody can listen on port 0");
    }
}

#[cfg(unix)]
#[test]
fn what_serves_in_the_background_ends_on_an_interrupt_too() {
    for (name, task) in [("tcp-server", None), ("udp-server", None), ("xtask", Some("origin"))] {
        let mut command = crate::process::command("sh");
        // A shell has its background jobs ignore SIGINT, and what they run inherits that.
        command.args(["-c", "trap '' INT; exec \"$@\"", "sh"]);
        command.arg(xtask::path_of(name).unwrap()).args(task).arg("127.0.0.1:0");
        let mut lab = xtask::Lab::discarding().unwrap();
        let server = lab.start_command(command).unwrap();
        lab.wait_for_address(&server).unwrap();
        assert!(server.interrupt());
        assert!(lab.wait_for_end(server).unwrap().status.is_some(), "{name} was not ended by itself");
    }
}

#[cfg(unix)]
#[test]
fn one_stop_that_is_signalled_twice_is_one() {
    for name in ["tcp-server", "udp-server"] {
        let mut server = TestedServer::start(name, &[]);
        let pid = server.program.pid;
        let kill = crate::process::command("sh").args(["-c", &format!("kill -TERM {pid} {pid}")]).status();
        assert!(kill.unwrap().success());
        let outcome = server.lab.wait_for_end(server.program).unwrap();
        assert_eq!((outcome.status, outcome.said.last().unwrap().as_str()), (Some(0), "stopped"));
    }
}

#[test]
fn the_origin_shows_a_browser_a_list_of_its_pages() {
    let mut origin = TestedServer::start("xtask", &["origin"]);
    let said = origin.wait_for("pages: ");
    let url = format!("http://{}/", origin.address);
    assert_eq!(run_on(&mut origin.lab, "tcp-client", &["get", &url]).status, Some(0));
    let index = std::fs::read_to_string(origin.lab.directory().join("index.html")).unwrap();
    for path in said["pages: ".len()..].split(' ') {
        assert!(index.contains(&format!("<a href=\"{path}\">")), "{index}");
    }
}

/// Command lines of `cargo xtask`, each with how its complaint begins.
const MISTAKES: [(&str, &str); 21] = [
    ("nope", "unknown task 'nope'"),
    ("demo nope", "unknown lesson 'nope'"),
    ("demo --nope", "unknown option '--nope'"),
    ("demo --ip=5", "--ip '5': it is 4 or 6"),
    ("demo --html none/page.html", "cannot write to 'none/page.html': "),
    ("demo --html crowd", "--html 'crowd'"), // the file's name is forgotten
    ("demo --live 8080", "--live '8080': it has no host: write 127.0.0.1:8080"),
    ("demo --list --step", "--list plays nothing"),
    ("tap", "no SERVER is given: HOST:PORT, where it listens"),
    ("soak x", "unexpected argument 'x'"),
    (
        "bench tcp-2",
        "unknown work 'tcp-2': it is one of tcp-1 tcp-64 tcp-1000 churn idle udp-1 udp-32 get start curve",
    ),
    ("bench --rounds 0", "--rounds '0': it must be a number from 1 to 99"),
    ("bench --json x.html", "--json 'x.html': the file's name must end in .json"),
    ("grade", "say what to grade"),
    ("grade soup", "cannot grade 'soup'"),
    ("grade tcp-server", "the command that starts your program is missing"),
    ("grade tcp-server -- x", "the command has no {port}"),
    ("grade tcp-server --stage=soup -- x {port}", "cannot grade 'soup'"),
    ("grade tcp-server --stage=soup -- x {port} --lang zh", "cannot grade 'soup'"), // the option is the student's
    ("grade tcp-server --patience=0 -- x {port}", "--patience '0'"),
    ("grade tcp-server --watch -- sh -c cat {port}", "--watch: the command names no file to watch"),
];

const IN_CHINESE: [(&str, &str); 6] = [
    ("sing", "没有“sing”这个任务，应为其中之一：demo, grade, tap, soak, bench, origin, docs"),
    ("demo --nope", "没有“--nope”这个选项"),
    ("demo –ip 4", "没有“–ip”这个选项：里面有 '–' (U+2013)，请用半角连字符（--）和字母"),
    ("demo --ip 5", "--ip“5”：应为 4 或 6"),
    ("tap h", "SERVER“h”：没有端口：应为 HOST:PORT，例如 127.0.0.1:9999"),
    ("grade get -- x url", "命令里没有 {url}（PowerShell 会去掉花括号，请加引号）："),
];

#[test]
fn what_a_task_cannot_do_is_said_with_what_to_type_in_the_language_asked_for() {
    for (lang, rows, try_help) in [
        ("en", &MISTAKES[..], "Try 'cargo xtask --help'."),
        ("zh", &IN_CHINESE, "用法请看 cargo xtask --help。"),
    ] {
        for (line, complaint) in rows {
            let mut words: Vec<_> = line.split(' ').collect();
            words.splice(1..1, ["--lang", lang]);
            let found = run("xtask", &words);
            assert_eq!((found.status, found.said.len()), (Some(2), 0), "{line}: {found:?}");
            assert!(found.complained[0].starts_with(&format!("cargo xtask: {complaint}")), "{found:?}");
            assert_eq!(found.complained[1..], [try_help], "{line}");
        }
    }
}

#[test]
fn what_is_said_in_both_languages_has_the_same_names_in_it_and_a_usage_error_is_said_in_both() {
    // Parts that are `Words` are called en and zh.
    let names = |text: &str| {
        let names = text.split('{').skip(1).map(|rest| rest.split(['}', ':']).next().unwrap());
        let mut names: Vec<_> = names.map(|name| name.replace("zh", "en")).collect();
        names.sort();
        names
    };
    let mut pairs = 0;
    for (package, (module, source)) in
        ["xtask", "common"].into_iter().flat_map(|of| files_of(of).into_iter().map(move |file| (of, file)))
    {
        let source = source.replace("\\\"", "'");
        for text in [" text!(", "(text!("].iter().flat_map(|start| source.split(start).skip(1)) {
            let mut literals = text.split('"').skip(1).step_by(2);
            let [en, zh] = [(); 2].map(|()| literals.next().unwrap());
            assert_eq!(names(en), names(zh), "{module}: {en} {zh}");
            assert!(!zh.is_ascii(), "{module}: {zh}");
            pairs += 1;
        }
        let is_task = package == "xtask" && !module.ends_with("baseline");
        let is_in_english = ["usage(\"", "usage(format!"].iter().any(|one| source.contains(one));
        assert!(!is_task || !is_in_english, "{module}");
    }
    assert!(pairs > 60, "{pairs}");
}

//! Signals, and what else the system does to a program that waits: told to stop while nobody reads it, at the limit of
//! a file's size, and as the first process of a container.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{ChildStderr, ChildStdout};

use xtask::{Program, Scratch};

#[cfg(target_os = "linux")]
use crate::process::has_tool;
use crate::process::{command, eventually, signal};
use crate::{TcpPeer, program, visits};

/// tcp-server, started by a shell after `before`, with `redirected` outputs; there, `$1` is this file.
fn started_by_shell(before: &str, redirected: &str, file: &Path) -> (Program, ChildStdout, ChildStderr) {
    let mut shell = command("sh");
    shell.args(["-c", &format!("{before} exec \"$0\" 127.0.0.1:0 --delay=0 {redirected}")]);
    shell.arg(xtask::path_of("tcp-server").unwrap()).arg(file);
    Program::spawn(shell).unwrap()
}

fn first_line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line
}

#[test]
fn a_signal_that_was_ignored_when_a_server_was_started_does_not_stop_it() {
    for name in ["HUP", "TERM"] {
        let ignore = format!("trap '' {name};");
        let (program, stdout, _stderr) = started_by_shell(&ignore, "", Path::new(""));
        let mut stdout = BufReader::new(stdout);
        let address = xtask::address_in(&first_line(&mut stdout)).unwrap();
        let mut client = TcpPeer::connected(address).unwrap();
        assert_eq!(client.line().unwrap(), "Welcome!");
        signal(program.pid, name);
        for _ in 0..100 {
            client.sends("Ann\n");
            assert_eq!(client.line().unwrap(), "Hello, Ann!", "{name}");
            TcpPeer::connected(address).unwrap().sends("exit\n");
        }
        assert!(program.interrupt());
        assert!(program.wait().unwrap().success());
    }
}

#[test]
fn terminated_while_nobody_reads_either_output_it_ends_all_the_same() {
    // One pipe for both, and more narration than the pipe and the narrator hold together.
    let (program, stdout, _stderr) = started_by_shell("", "2>&1", Path::new(""));
    let mut stdout = BufReader::with_capacity(64, stdout);
    let address = xtask::address_in(&first_line(&mut stdout)).unwrap();
    visits(address, 4000, "exit\n", "Welcome!\n");
    signal(program.pid, "TERM");
    assert!(program.wait().unwrap().success());
    drop(stdout);
}

/// How many lines a narration has, those included that it says were lost.
fn lines_told(narration: &str, complaint: &str) -> usize {
    let lost = |line: &str| line.trim_start_matches('(').split(' ').next().unwrap().parse::<usize>().unwrap();
    let printed = narration.lines().map(|line| if line.starts_with('(') { lost(line) } else { 1 });
    printed.chain(complaint.lines().map(lost)).sum()
}

#[test]
fn a_file_that_may_grow_no_further_costs_lines_that_are_counted_and_not_the_server() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("narration");
    let (program, _stdout, mut stderr) = started_by_shell("ulimit -f 8;", ">\"$1\"", &file);
    let narration = || fs::read_to_string(&file).unwrap_or_default();
    let first = eventually("the server's first line is in the file", || {
        narration().split_once('\n').map(|(first, _)| first.to_owned())
    });
    let address = xtask::address_in(&first).unwrap();
    visits(address, 300, "Ann\nexit\n", "Welcome!\nHello, Ann!\n");
    assert!(program.interrupt());
    let mut complaint = String::new();
    stderr.read_to_string(&mut complaint).unwrap();
    assert!(program.wait().unwrap().success());
    let text = narration();
    let whole = &text[..=text.rfind('\n').unwrap()];
    assert_eq!(lines_told(whole, &complaint), 3 + 2 * 300, "{complaint}");
    assert!(complaint.contains("standard output did not take them"));
}

#[cfg(target_os = "linux")]
#[test]
fn the_first_process_of_a_container_ends_on_ctrl_c() {
    use std::os::unix::process::CommandExt;

    const CONTAINED: [&str; 3] = ["--map-root-user", "--pid", "--fork"];
    // That of BusyBox, which knows no --version, passes on neither the signal nor how its child ended.
    if !has_tool("unshare", &["--version"]) || !has_tool("unshare", &[&CONTAINED[..], &["true"]].concat()) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for name in ["tcp-client", "udp-client"] {
        let mut command = command("unshare");
        command.args(CONTAINED).process_group(0).arg(xtask::path_of(name).unwrap());
        if name == "tcp-client" {
            command.args(["greet", &listener.local_addr().unwrap().to_string()]);
        } else {
            command.args([&socket.local_addr().unwrap().to_string(), "--timeout=3600"]);
        }
        let (program, _stdout, _stderr) = Program::spawn(command).unwrap();
        let _stream = (name == "tcp-client").then(|| listener.accept().unwrap());
        if name == "udp-client" {
            socket.recv_from(&mut [0; 64]).unwrap();
        }
        assert!(program.interrupt()); // as a terminal does
        assert_eq!(program.wait().unwrap().code(), Some(common::stop::INTERRUPTED), "{name}");
    }
}

#[test]
fn the_soak_ends_on_ctrl_c_as_every_other_task_does() {
    let mut soak = program("xtask");
    soak.args(["soak", "--lang=zh", "--ascii"]);
    let (program, stdout, _stderr) = Program::spawn(soak).unwrap();
    let mut stdout = BufReader::new(stdout); // open to the end: a soak that nobody reads ends by itself, with 0
    assert!(!first_line(&mut stdout).is_empty(), "the first row has come, whatever is in it");
    assert!(program.interrupt());
    assert_eq!(program.wait().unwrap().code(), Some(common::stop::INTERRUPTED));
}

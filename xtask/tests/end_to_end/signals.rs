//! Signals to a program that waits: stopped and continued, ignored, and told to stop while nobody reads it.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{ChildStderr, ChildStdout};
use std::thread;
use std::time::Duration;

use xtask::{Lab, Program};

use crate::process::{command, signal};
use crate::{TcpPeer, program, start_on, visits};

#[test]
fn a_reply_that_came_while_udp_client_was_stopped_for_longer_than_its_time_out_is_taken() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    // Longer and longer limits, until the machine is fast enough to stop the client in time.
    let greeted = (0..8).map(|n| Duration::from_millis(300) * 2_u32.pow(n)).find_map(|limit| {
        let mut lab = Lab::discarding().unwrap();
        let seconds = limit.as_secs_f64().to_string();
        let client = start_on(&lab, "udp-client", &[&address, "Ann", "--tries", "1", "--timeout", &seconds]);
        let (_, from) = socket.recv_from(&mut [0; 64]).unwrap();
        signal(client.pid, "STOP");
        thread::sleep(limit); // when it is continued, its time is up
        socket.send_to(b"not this one", from).unwrap();
        socket.send_to(b"Hello, Ann!", from).unwrap();
        signal(client.pid, "CONT");
        let outcome = lab.wait_for_end(client).unwrap();
        (outcome.status == Some(0)).then_some(outcome.said)
    });
    assert_eq!(greeted.unwrap(), ["Hello, Ann!"]);
}

/// tcp-server, started by a shell after `before`, with `redirected` outputs.
fn started_by_shell(before: &str, redirected: &str) -> (Program, ChildStdout, ChildStderr) {
    let mut shell = command("sh");
    shell.args(["-c", &format!("{before} exec \"$0\" 127.0.0.1:0 --delay=0 {redirected}")]);
    shell.arg(xtask::path_of("tcp-server").unwrap());
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
        let (program, stdout, _stderr) = started_by_shell(&ignore, "");
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
    let (program, stdout, _stderr) = started_by_shell("", "2>&1");
    let mut stdout = BufReader::with_capacity(64, stdout);
    let address = xtask::address_in(&first_line(&mut stdout)).unwrap();
    visits(address, 4000, "exit\n", "Welcome!\n");
    signal(program.pid, "TERM");
    assert!(program.wait().unwrap().success());
    drop(stdout);
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

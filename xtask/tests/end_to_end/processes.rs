//! What a task leaves behind: nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use xtask::Scratch;

#[test]
fn a_judged_program_that_left_its_group_is_ended_with_the_others() {
    let has_setsid =
        Command::new("setsid").arg("true").stderr(Stdio::null()).status().is_ok_and(|s| s.success());
    if !has_setsid {
        println!("setsid(1): not available here");
        return;
    }
    let directory = Scratch::new().unwrap();
    let server = xtask::path_of("tcp-server").unwrap();
    let script = "setsid \"$0\" \"$1\" --delay 0 & echo $! > pid; wait";
    let judged = Command::new(xtask::path_of("xtask").unwrap())
        .args(["grade", "tcp-server", "--stage", "greets", "--", "sh", "-c", script])
        .args([server.to_str().unwrap(), "{host}:{port}"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(judged.status.success(), "{judged:?}");
    let pid = fs::read_to_string(directory.path().join("pid")).unwrap();
    // A process that has been killed is gone a moment later; where nobody reaps it, it has no environment any more.
    let environment = Path::new("/proc").join(pid.trim()).join("environ");
    while fs::read(&environment).is_ok_and(|text| !text.is_empty()) {
        std::thread::yield_now();
    }
}

#[test]
fn a_watch_that_would_watch_nothing_is_a_mistake_on_the_command_line() {
    let judged = Command::new(xtask::path_of("xtask").unwrap())
        .args(["grade", "tcp-server", "--watch", "--lang=en", "--", "sh", "-c", "exec cat $0", "{port}"])
        .output()
        .unwrap();
    assert_eq!((judged.status.code(), judged.stdout.len()), (Some(2), 0));
    let complaint = String::from_utf8_lossy(&judged.stderr);
    assert!(complaint.starts_with("cargo xtask: --watch: the command names no file to watch"), "{complaint}");
}

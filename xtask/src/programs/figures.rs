//! What a process takes of the machine, where Linux' /proc tells.

use std::fs;
use std::thread;
use std::time::Duration;

use super::program::Program;

/// A figure of a process in KiB from Linux' /proc/PID/status: `VmRSS`, `VmHWM` (the peak so far).
pub fn memory(program: &Program, what: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid)).ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// How much of one core a process used during a second, from Linux' /proc/PID/stat (in hundredths of a second,
/// user and system).
pub fn share_of_a_core(program: &Program) -> Option<u64> {
    let used = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", program.pid)).ok()?;
        let fields: Vec<_> = stat.rsplit(") ").next()?.split(' ').map(str::to_owned).collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    };
    let before = used()?;
    thread::sleep(Duration::from_secs(1));
    Some(used()? - before)
}

/// Whether every thread of a process sleeps, and waits for something to happen, by Linux' /proc/PID/task: one that has
/// been woken counts as running, however long it waits for its turn (proc(5)).
pub fn is_asleep(program: &Program) -> bool {
    let state = |thread: fs::DirEntry| {
        let stat = fs::read_to_string(thread.path().join("stat")).ok()?;
        stat.rsplit(") ").next()?.chars().next()
    };
    let threads = fs::read_dir(format!("/proc/{}/task", program.pid));
    threads.is_ok_and(|threads| threads.flatten().all(|thread| state(thread) == Some('S')))
}

//! What must be gone when the task ends, even by Ctrl-C: its processes and its scratch directories.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use common::{replacement, stop};

static CLEANUP: Mutex<Cleanup> =
    Mutex::new(Cleanup { closed: false, children: BTreeMap::new(), scratch: Vec::new() });

pub struct Cleanup {
    /// Nothing starts any more.
    pub closed: bool,
    pub children: BTreeMap<u32, ChildGroup>,
    pub scratch: Vec<PathBuf>,
}

pub struct ChildGroup {
    pub child: Child,
    pub kind: Kind,
    /// Its end has been asked for, and was told: from then on its number may be another process'.
    pub is_reaped: bool,
}

/// What a process may have started, and how that ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Alone,
    /// It is a task like this one, with children of its own: asked to, it ends them.
    Task,
    /// Anything: it is in its process group; or has left that (setsid(2)), and has this mark in its environment.
    Group(String),
}

/// The variable with that mark.
pub const MARK: &str = "XTASK_JUDGED";

impl ChildGroup {
    pub fn end(mut self) {
        let pid = self.child.id();
        match &self.kind {
            // Those of a group whose number may be another's are found by their mark, where there is a /proc.
            Kind::Group(_) if !self.is_reaped || !Path::new("/proc/self/environ").exists() => kill_group(pid),
            Kind::Task if interrupt(pid) => {
                let patience = Instant::now() + Duration::from_secs(5); // it has children to end
                while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < patience {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            _ => {}
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Kind::Group(mark) = &self.kind {
            kill_marked(mark);
        }
    }
}

/// Sends what Ctrl-C sends, SIGINT, to a process' group where it leads one, as a terminal does, or to it; false where that
/// cannot be done (on Windows).
pub fn interrupt(pid: u32) -> bool {
    send(SIGINT, pid, true) || send(SIGINT, pid, false)
}

/// Ends a group; on Windows, which has none, a tree of processes.
fn kill_group(group: u32) {
    if !send(SIGKILL, group, true) && cfg!(windows) {
        let mut command = Command::new("taskkill");
        command.args(["/T", "/F", "/PID", &group.to_string()]);
        let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// Every process with this mark in its environment (Linux' /proc/PID/environ, proc(5)); of one that has ended, it is empty.
pub fn marked(mark: &str) -> Vec<u32> {
    let variable = format!("{MARK}={mark}");
    let is_marked = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|word| word == variable.as_bytes())
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_marked).collect()
}

/// Ends every process with this mark, until there is no other.
fn kill_marked(mark: &str) {
    let mut killed = Vec::new();
    loop {
        let found = marked(mark);
        if found.iter().all(|pid| killed.contains(pid)) {
            return;
        }
        for pid in &found {
            send(SIGKILL, *pid, false);
        }
        killed = found;
    }
}

// The same on every Unix.
const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;

#[cfg(unix)]
#[expect(unsafe_code, reason = "declares kill(2): two integers, no memory")]
unsafe extern "C" {
    safe fn kill(pid: i32, signal: i32) -> i32;
}

#[cfg(not(unix))]
fn kill(_pid: i32, _signal: i32) -> i32 {
    -1
}

/// Sends a signal, as std does not, to a process or to a group; false where there is none.
fn send(signal: i32, number: u32, is_group: bool) -> bool {
    // To kill(2), 0 and -1 are groups of processes that nobody means.
    let number = i32::try_from(number).ok().filter(|number| *number > 1);
    number.is_some_and(|number| kill(if is_group { -number } else { number }, signal) == 0)
}

pub fn cleanup() -> MutexGuard<'static, Cleanup> {
    CLEANUP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on, Ctrl-C ends the task, and with it all that it started and every unfinished file.
pub fn close_on_interrupt() -> Result<()> {
    stop::end_on_signal(|| {
        if io::stdout().is_terminal() {
            println!(); // after the terminal's own ^C
        }
        end_children();
        replacement::abandon_all();
    })
}

/// Ends every process that was started, removes every scratch directory, and lets nothing start any more.
pub fn end_children() {
    let mut cleanup = cleanup();
    cleanup.closed = true;
    while let Some((_, resident)) = cleanup.children.pop_first() {
        resident.end();
    }
    for path in cleanup.scratch.drain(..) {
        let _ = fs::remove_dir_all(path);
    }
}

//! What must be gone when the task ends, even by Ctrl-C: its processes and its scratch directories.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use common::{replacement, stop};

/// What must be gone when the task ends: its processes and its scratch directories.
static CLEANUP: Mutex<Cleanup> =
    Mutex::new(Cleanup { closed: false, children: BTreeMap::new(), scratch: Vec::new() });

pub struct Cleanup {
    /// Nothing starts any more.
    pub closed: bool,
    /// Processes, by their numbers.
    pub children: BTreeMap<u32, ChildGroup>,
    pub scratch: Vec<PathBuf>,
}

/// A process that was started here.
pub struct ChildGroup {
    pub child: Child,
    /// What it may have started.
    pub kind: Kind,
}

/// What a process may have started, and how that ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Alone,
    /// It is a task like this one, with children of its own: asked to, it ends them.
    Task,
    /// Anything; whatever it is, it is in its process group.
    Group,
}

impl ChildGroup {
    /// Ends it, and waits for its end.
    pub fn end(mut self) {
        if self.kind == Kind::Group {
            kill_group(self.child.id());
        }
        if self.kind == Kind::Task && interrupt(self.child.id()) {
            let asked = Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) && asked.elapsed() < TASK_PATIENCE {
                thread::sleep(Duration::from_millis(1));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a task may take to end its children.
const TASK_PATIENCE: Duration = Duration::from_secs(5);

/// Sends what Ctrl-C sends, SIGINT; false where that cannot be done (on Windows).
pub fn interrupt(pid: u32) -> bool {
    cfg!(unix) && runs("sh", &["-c", &format!("kill -INT {pid}")])
}

/// Whether Ctrl-C can be sent to a program: std and a shell can do it on Unix.
pub fn can_interrupt() -> bool {
    cfg!(unix)
}

/// Sends it to a whole group, as a terminal does.
pub fn interrupt_group(group: u32) -> bool {
    cfg!(unix) && runs("sh", &["-c", &format!("kill -s INT -- -{group}")])
}

/// Ends a group; on Windows, which has none, a tree of processes.
fn kill_group(group: u32) {
    if cfg!(unix) {
        runs("sh", &["-c", &format!("kill -s KILL -- -{group}")]);
    } else {
        runs("taskkill", &["/T", "/F", "/PID", &group.to_string()]);
    }
}

/// Whether a command does it. The shell has a kill of its own; /bin/kill is not everywhere.
fn runs(name: &str, args: &[&str]) -> bool {
    let mut command = Command::new(name);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What is there now.
pub fn cleanup() -> MutexGuard<'static, Cleanup> {
    CLEANUP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on, Ctrl-C ends every process that was started, removes every scratch directory and every
/// unfinished file, and ends the task.
pub fn close_on_interrupt() -> Result<()> {
    stop::end_on_signal(close)
}

fn close() {
    let mut cleanup = cleanup();
    cleanup.closed = true;
    while let Some((_, resident)) = cleanup.children.pop_first() {
        resident.end();
    }
    for path in cleanup.scratch.drain(..) {
        let _ = fs::remove_dir_all(path);
    }
    replacement::abandon_all();
}

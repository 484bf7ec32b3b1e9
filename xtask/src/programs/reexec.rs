//! A task that replaces itself by the same program with the highest limit on file descriptors.

use std::env;
use std::io;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Set in the environment of a task that was started again.
const AGAIN: &str = "XTASK_AGAIN";

/// Whether this one was.
pub fn is_again() -> bool {
    env::var_os(AGAIN).is_some()
}

/// Starts a program in place of this one, with this one's arguments. Only a shell can ask for descriptors; all three are
/// one process, which Ctrl-C ends as it ends any task. It returns only where there is no shell.
pub fn start_again(program: &Path) -> Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""]);
    command.arg(program).args(env::args_os().skip(1)).env(AGAIN, "yes");
    take_place(&mut command).context("cannot run sh")
}

#[cfg(unix)]
fn take_place(command: &mut Command) -> io::Result<()> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

/// Never called: callers are on Unix.
#[cfg(not(unix))]
fn take_place(command: &mut Command) -> io::Result<()> {
    command.status().map(|_| ())
}

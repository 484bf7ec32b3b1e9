//! A task that replaces itself by the same program with the highest limit on file descriptors.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Set in the environment of a task that is started again.
const AGAIN: &str = "XTASK_AGAIN";

pub fn is_again() -> bool {
    env::var_os(AGAIN).is_some()
}

/// Starts a program in place of this one, with this one's arguments. Only a shell can ask for descriptors; all three are
/// one process, which Ctrl-C ends as it ends any task. It returns only where there is no shell.
pub fn start_again(program: &Path) -> Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""]);
    command.arg(program).args(env::args_os().skip(1)).env(AGAIN, "yes");
    #[cfg(unix)]
    let failed = std::os::unix::process::CommandExt::exec(&mut command);
    #[cfg(not(unix))] // callers are on Unix
    let failed = std::io::Error::from(std::io::ErrorKind::Unsupported);
    Err(failed).context("cannot run sh")
}

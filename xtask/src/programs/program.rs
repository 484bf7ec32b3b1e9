//! A program as a process. None outlives the task.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{self, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::cleanup::{self, ChildGroup, Kind, cleanup};
use crate::random;

/// Where a server is, from the first line that it prints.
pub fn address_in(line: &str) -> Result<SocketAddr> {
    let address = line.trim_end().rsplit(' ').next().unwrap_or_default();
    address.parse().with_context(|| format!("the server did not say where it is, but: {line:?}"))
}

pub type Started = (Program, ChildStdout, ChildStderr);

/// A running process; dropped, it is killed.
#[derive(Debug)]
pub struct Program {
    pub pid: u32,
}

impl Program {
    /// Starts a command with nothing to read, and returns its two outputs.
    pub fn spawn(command: Command) -> Result<Started> {
        let is_task = Path::new(command.get_program()).file_stem().is_some_and(|name| name == "xtask");
        Self::spawn_as(if is_task { Kind::Task } else { Kind::Alone }, command)
    }

    /// Starts a command in its own process group, which ends with it, as do those that it started and that have left the
    /// group, where there is a /proc to find them in.
    pub fn spawn_group(command: Command) -> Result<Started> {
        Self::spawn_as(Kind::Group(format!("{}-{:x}", process::id(), random::number())), command)
    }

    fn spawn_as(kind: Kind, mut command: Command) -> Result<Started> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Kind::Group(mark) = &kind {
            command.stdin(Stdio::piped()); // open as a terminal's, and nobody types
            command.env(cleanup::MARK, mark);
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let mut cleanup = cleanup();
        ensure!(!cleanup.closed, "interrupted");
        let mut child = command.spawn()?;
        let (stdout, stderr, pid) = (child.stdout.take(), child.stderr.take(), child.id());
        cleanup.children.insert(pid, ChildGroup { child, kind, is_reaped: false });
        let outputs = (stdout.context("no standard output")?, stderr.context("no standard error")?);
        Ok((Self { pid }, outputs.0, outputs.1))
    }

    pub fn interrupt(&self) -> bool {
        cleanup::interrupt(self.pid)
    }

    /// Its processes that have its mark, in its group or not, where there is a /proc.
    pub fn marked(&self) -> Vec<u32> {
        match cleanup().children.get(&self.pid) {
            Some(ChildGroup { kind: Kind::Group(mark), .. }) => cleanup::marked(mark),
            _ => Vec::new(),
        }
    }

    pub fn status(&self) -> Result<Option<ExitStatus>> {
        // The lock is held for a moment only, so that an interrupted task can kill it meanwhile.
        let mut cleanup = cleanup();
        let Some(resident) = cleanup.children.get_mut(&self.pid) else {
            ensure!(!cleanup.closed, "interrupted");
            return Ok(None);
        };
        let status = resident.child.try_wait().context("cannot wait for a program")?;
        resident.is_reaped = status.is_some();
        Ok(status)
    }

    pub fn wait(self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.status()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let resident = cleanup().children.remove(&self.pid);
        if let Some(resident) = resident {
            resident.end();
        }
    }
}

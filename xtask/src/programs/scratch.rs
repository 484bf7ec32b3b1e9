//! Temporary directories, removed when they are dropped or the task ends.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result, bail, ensure};

use super::cleanup::cleanup;

/// An empty temporary directory; dropped, it is removed.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Among the system's temporary files.
    pub fn new() -> Result<Self> {
        Self::within(&env::temp_dir())
    }

    /// Makes a directory in another one, under the first name with this process' number that is free.
    pub fn within(directory: &Path) -> Result<Self> {
        let mut cleanup = cleanup();
        ensure!(!cleanup.closed, "interrupted");
        for number in 0.. {
            let path = directory.join(format!("xtask-{}-{number}", process::id()));
            match fs::create_dir(&path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                made => {
                    made.with_context(|| format!("cannot make a directory in {}", directory.display()))?;
                    cleanup.scratch.push(path.clone());
                    return Ok(Self(path));
                }
            }
        }
        bail!("no name is free")
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // With the lock, so that Ctrl-C does not end the task meanwhile.
        let mut cleanup = cleanup();
        let _ = fs::remove_dir_all(&self.0);
        cleanup.scratch.retain(|path| path != &self.0);
    }
}

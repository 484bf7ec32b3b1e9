//! Temporary directories, empty at first, removed when they are dropped or the task ends.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result, ensure};

use super::cleanup::cleanup;
use crate::random;

#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Result<Self> {
        Self::within(&env::temp_dir())
    }

    pub fn within(directory: &Path) -> Result<Self> {
        let mut cleanup = cleanup();
        ensure!(!cleanup.closed, "interrupted");
        let path = directory.join(format!("xtask-{}-{:x}", process::id(), random::number()));
        fs::create_dir(&path).with_context(|| format!("cannot make the directory {}", path.display()))?;
        cleanup.scratch.push(path.clone());
        Ok(Self(path))
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

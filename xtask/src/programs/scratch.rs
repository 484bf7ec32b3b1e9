//! Files and directories of one's own, gone when they are dropped or the task ends.

use std::env;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result, bail, ensure};

use super::house::{house, remove};

/// An empty directory or file of one's own; dropped, it is removed.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes a directory among the system's temporary files.
    ///
    /// # Errors
    /// When the system does not.
    pub fn new() -> Result<Self> {
        let directory = env::temp_dir();
        let made = Self::make(|name| directory.join(name), |path| fs::create_dir(path));
        Ok(made.with_context(|| format!("cannot make a directory in {}", directory.display()))?.1)
    }

    /// Makes a file beside another one, to take its place once it is complete.
    ///
    /// # Errors
    /// When the directory does not take it.
    pub fn file_beside(target: &Path) -> Result<(File, Self)> {
        Self::make(|name| target.with_file_name(format!(".{name}.part")), |path| File::create_new(path))
    }

    /// Makes something under the first name with this process' number that is free.
    fn make<T>(
        named: impl Fn(String) -> PathBuf,
        create: impl Fn(&Path) -> io::Result<T>,
    ) -> Result<(T, Self)> {
        let mut house = house();
        ensure!(!house.closed, "interrupted");
        for number in 0.. {
            let path = named(format!("xtask-{}-{number}", process::id()));
            match create(&path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                created => {
                    let created = created?;
                    house.scratch.push(path.clone());
                    return Ok((created, Self(path)));
                }
            }
        }
        bail!("no name is free")
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        house().scratch.retain(|path| path != &self.0);
        remove(&self.0);
    }
}

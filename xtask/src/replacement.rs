//! A file's new content, kept beside it until it is complete: whatever goes wrong, the old content stays.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::programs::scratch::Scratch;

/// The new content of a file.
pub struct Replacement {
    target: PathBuf,
    partial: Scratch,
    file: File,
}

impl Replacement {
    /// Makes sure that a file can be replaced, and keeps its permissions; a symbolic link stands for what it
    /// points to.
    ///
    /// # Errors
    /// When it is not a regular file that may be written, or its directory would not take a new one.
    pub fn of(path: &Path) -> Result<Self> {
        let target = if path.is_symlink() { fs::canonicalize(path)? } else { path.to_owned() };
        let old = match fs::metadata(&target) {
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            metadata => Some(metadata?),
        };
        match &old {
            Some(metadata) if !metadata.is_file() => bail!("it is no regular file"),
            Some(metadata) if metadata.permissions().readonly() => bail!("it is read-only"),
            _ => {}
        }
        let (file, partial) =
            Scratch::file_beside(&target).context("its directory would not take a new file")?;
        if let Some(metadata) = old {
            let _ = file.set_permissions(metadata.permissions());
        }
        Ok(Self { target, partial, file })
    }

    /// Writes the content, and puts it in the file's place.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(mut self, content: &str) -> io::Result<()> {
        self.file.write_all(content.as_bytes())?;
        self.file.sync_all()?;
        fs::rename(self.partial.path(), &self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_of_one_directory_are_replaced_at_the_same_time_each_by_its_own() {
        let directory = Scratch::new().unwrap();
        let paths = ["one", "two"].map(|name| directory.path().join(name));
        let both = [Replacement::of(&paths[0]).unwrap(), Replacement::of(&paths[1]).unwrap()];
        for (replacement, content) in both.into_iter().zip(["1", "2"]) {
            replacement.write(content).unwrap();
        }
        assert_eq!(paths.map(|path| fs::read_to_string(path).unwrap()), ["1", "2"]);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left beside them");
    }
}

//! A file's new content, written beside it until it is complete: whatever goes wrong before that, the old content stays.

use std::fs::{self, File};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{self, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, process};

use anyhow::{Context, Result, ensure};

use crate::narration::{self, escape};
use crate::text;

/// The files that this process has created and not yet renamed: the only ones that are ever removed here.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every unfinished file, for a process that is about to end (Ctrl-C). The lock is kept: from now on
/// nothing is created or renamed, and a thread that tries waits for the end of the process.
pub fn abandon_all() {
    let mut unfinished = unfinished();
    for path in unfinished.drain(..) {
        let _ = fs::remove_file(path);
    }
    mem::forget(unfinished);
}

/// The new content of a file.
pub struct Replacement {
    file: File,
    /// None where the content goes straight to something that is not a regular file.
    beside: Option<Beside>,
}

/// A file with the new content of another one; removed when dropped.
struct Beside {
    path: PathBuf,
    target: PathBuf,
}

impl Replacement {
    /// Makes sure that a file can be replaced, before there is anything to write. A symbolic link means the file
    /// that it points to. A device or a pipe is written to as it is, and an output that is already open
    /// (`/dev/fd/3`) is appended to.
    ///
    /// # Errors
    /// For a directory, a file that may not be written, and a directory that does not take a new file.
    pub fn of(path: &Path) -> Result<Self> {
        if let Some(file) = open_as_it_is(path) {
            return Ok(Self { file: file?, beside: None });
        }
        let has_name = path.file_name().is_some() && !path.to_string_lossy().ends_with(path::is_separator);
        ensure!(
            has_name && !path.is_dir(),
            text!("that is a directory's name - name a file in it", "这是目录的名字，请写出其中的文件名")
        );
        let target = if path.is_symlink() { fs::canonicalize(path)? } else { path.to_owned() };
        let is_read_only = fs::metadata(path).is_ok_and(|old| old.permissions().readonly());
        ensure!(!is_read_only, text!("it is read-only", "它是只读的"));
        let old = match File::options().write(true).open(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            file => {
                let file = file?;
                let old = file.metadata()?;
                if !old.is_file() {
                    return Ok(Self { file, beside: None });
                }
                Some(old)
            }
        };
        let (file, beside) = Beside::create(target)
            .with_context(|| text!("its directory would not take a new file", "它所在的目录不能新建文件"))?;
        let _ = old.map(|old| file.set_permissions(old.permissions())); // as private as the old content
        Ok(Self { file, beside: Some(beside) })
    }

    /// Whether the content goes to a terminal.
    pub fn is_terminal(&self) -> bool {
        self.file.is_terminal()
    }

    /// Puts the complete content in the file's place.
    ///
    /// # Errors
    /// When the disk did not take all of it: then it is removed, and the old content stays. When it did, and it
    /// cannot be put in its place: then it is kept, and the error says where.
    pub fn finish(self) -> Result<()> {
        let Some(beside) = self.beside else { return Ok(()) };
        sync(&self.file)?; // a quota or a file system on a network may report only now that something was not written
        drop(self.file);
        beside.take_its_place()
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        narration::taken(|| self.file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a File has no buffer; finish() asks the disk
    }
}

impl Beside {
    /// Creates the file under the first name that is free. A process in another container or on another machine may
    /// have our number, so a name that is taken is never assumed to be ours.
    fn create(target: PathBuf) -> io::Result<(File, Self)> {
        let name: String =
            target.file_name().unwrap_or_default().to_string_lossy().chars().take(50).collect();
        let mut unfinished = unfinished();
        let mut number = 0;
        loop {
            let path = target.with_file_name(format!(".{name}.{}-{number}.part", process::id()));
            match File::create_new(&path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
                created => {
                    let file = created?;
                    unfinished.push(path.clone());
                    return Ok((file, Self { path, target }));
                }
            }
        }
    }

    /// Becomes the target if there is none, or else is copied into it, so that it keeps its owner, its permissions and
    /// its other names.
    fn take_its_place(self) -> Result<()> {
        let mut unfinished = unfinished(); // Ctrl-C waits until this is over
        let outcome = if self.target.exists() { self.copy() } else { fs::rename(&self.path, &self.target) };
        unfinished.retain(|path| path != &self.path);
        let kept = escape(self.path.as_os_str().as_encoded_bytes());
        outcome.with_context(|| text!("all of it is in '{kept}'", "全部内容存在“{kept}”里"))
    }

    fn copy(&self) -> io::Result<()> {
        let mut target = File::options().write(true).open(&self.target)?;
        let length = io::copy(&mut File::open(&self.path)?, &mut target)?;
        target.set_len(length)?;
        sync(&target)?;
        let _ = fs::remove_file(&self.path);
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let mut unfinished = unfinished();
        if let Some(at) = unfinished.iter().position(|path| path == &self.path) {
            unfinished.swap_remove(at);
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Brings the content to the disk, where the file system can do that (fsync(2)).
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(e) if !matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Err(e),
        _ => Ok(()),
    }
}

/// Opens an output that is open already. It may be a file that others go on writing to, and what they write must not
/// be lost. A standard stream is duplicated, so that its next line comes after this; another one is appended to.
#[cfg(unix)]
fn open_as_it_is(path: &Path) -> Option<io::Result<File>> {
    use std::os::fd::AsFd;
    let linked = fs::read_link(path).ok().filter(|target| target.starts_with("/dev"));
    let duplicate = match linked.as_deref().unwrap_or(path).to_str()? {
        "/dev/stdout" | "/dev/fd/1" => io::stdout().as_fd().try_clone_to_owned(),
        "/dev/stderr" | "/dev/fd/2" => io::stderr().as_fd().try_clone_to_owned(),
        name if name.starts_with("/dev/fd/") => return Some(File::options().append(true).open(name)),
        _ => return None,
    };
    Some(duplicate.map(File::from))
}

/// On Windows, the file that discards everything, which has no metadata.
#[cfg(not(unix))]
fn open_as_it_is(path: &Path) -> Option<io::Result<File>> {
    path.as_os_str().eq_ignore_ascii_case("NUL").then(|| File::options().write(true).open(path))
}

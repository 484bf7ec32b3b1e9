//! A file's new content, written beside it until it is complete: whatever goes wrong before that, the old content stays.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, IsTerminal, Write};
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, process};

use anyhow::{Context, Result, anyhow, bail, ensure};

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

/// In bytes: a new file up to this size is not synced. Fetching it again takes less time.
const SMALL: u64 = 64 << 10;

/// The new content of a file.
pub struct Replacement {
    file: File,
    /// None where the content goes straight to something that is not a regular file.
    beside: Option<Beside>,
}

/// A file that is to take the place of another one; removed when dropped.
struct Beside {
    path: PathBuf,
    target: PathBuf,
    old: Option<Metadata>,
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
        let old = match fs::metadata(path) {
            Err(e) if e.kind() == ErrorKind::NotFound && path.is_symlink() => {
                bail!(text!("it is a symbolic link to nothing", "这是一个没有指向任何文件的符号链接"))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            metadata => Some(metadata?),
        };
        if old.as_ref().map_or(!ends_with_a_name(path), Metadata::is_dir) {
            bail!(text!(
                "that is a directory's name - name a file in it",
                "这是目录的名字，请写出其中的文件名"
            ));
        }
        if let Some(old) = &old {
            ensure!(!old.permissions().readonly(), text!("it is read-only", "它是只读的"));
            let file = File::options().write(true).open(path)?;
            if !old.is_file() {
                return Ok(Self { file, beside: None });
            }
        }
        let target = if path.is_symlink() { fs::canonicalize(path)? } else { path.to_owned() };
        let (file, beside) = Beside::create(target, old)
            .with_context(|| text!("its directory would not take a new file", "它所在的目录不能新建文件"))?;
        Ok(Self { file, beside: Some(beside) })
    }

    /// Whether the content goes to a terminal.
    pub fn is_terminal(&self) -> bool {
        self.file.is_terminal()
    }

    /// Puts the complete content in the file's place.
    ///
    /// # Errors
    /// When the disk did not take all of it: then it is removed, and the old content stays. When it did, and it can
    /// neither be renamed nor copied to its place: then it is kept, and the error says where.
    pub fn finish(self) -> Result<()> {
        let Some(beside) = self.beside else { return Ok(()) };
        // After a power cut, a renamed file may be empty unless it was synced; and a full disk, a quota or a file
        // system on a network may report only now that something was not written.
        if beside.old.is_some() || self.file.metadata()?.len() > SMALL {
            sync(&self.file)?;
        }
        beside.take_its_place(self.file)
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
    fn create(target: PathBuf, old: Option<Metadata>) -> io::Result<(File, Self)> {
        let name: String =
            target.file_name().unwrap_or_default().to_string_lossy().chars().take(50).collect();
        let mut unfinished = unfinished();
        let mut number = 0;
        loop {
            let path = target.with_file_name(format!(".{name}.{}-{number}.part", process::id()));
            match create_new(&path, old.is_some()) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
                created => {
                    let file = created?;
                    unfinished.push(path.clone());
                    return Ok((file, Self { path, target, old }));
                }
            }
        }
    }

    /// Renames it to the target, or else copies it into the target; where both fail, it is kept.
    fn take_its_place(self, file: File) -> Result<()> {
        let mut unfinished = unfinished(); // Ctrl-C waits until this is over
        let take_after = |old| is_like(&file, old) && file.set_permissions(permissions(old)).is_ok();
        let can_rename = self.old.as_ref().is_none_or(take_after);
        drop(file);
        let outcome = match can_rename.then(|| fs::rename(&self.path, &self.target)) {
            Some(Ok(())) => Ok(()),
            _ => self.copy().map(|()| _ = fs::remove_file(&self.path)),
        };
        unfinished.retain(|path| path != &self.path);
        let kept = escape(self.path.as_os_str().as_encoded_bytes());
        match outcome {
            Err(e) if self.path.exists() => {
                Err(anyhow!(e).context(text!("all of it is in '{kept}'", "全部内容存在“{kept}”里")))
            }
            outcome => Ok(outcome?),
        }
    }

    /// Copies it into the target. The target is cut to its new length last: a disk that is full fails before that.
    fn copy(&self) -> io::Result<()> {
        let mut target = File::options().write(true).create(true).truncate(false).open(&self.target)?;
        let _ = self.old.as_ref().map(|old| target.set_permissions(permissions(old)));
        let length = io::copy(&mut File::open(&self.path)?, &mut target)?;
        target.set_len(length)?;
        sync(&target)
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

/// Whether a path ends with a name and not with a slash.
fn ends_with_a_name(path: &Path) -> bool {
    let ends_with = |name: &OsStr| path.as_os_str().as_encoded_bytes().ends_with(name.as_encoded_bytes());
    path.file_name().is_some_and(ends_with)
}

/// Creates a file; a private one may be opened by its owner only.
fn create_new(path: &Path, is_private: bool) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = is_private;
    options.open(path)
}

/// An old file's permissions, without the set-id bits: those who may run it do not become its owner by it.
fn permissions(old: &Metadata) -> Permissions {
    #[cfg(unix)]
    return PermissionsExt::from_mode(old.mode() & 0o777);
    #[cfg(not(unix))]
    old.permissions()
}

/// Whether a new file with the old one's permissions is the same to everybody. It is not if the old one has
/// another owner, group or name, or if its group may do more than everybody: that is also how an access control list
/// looks from here (acl(5)).
#[cfg(unix)]
fn is_like(new: &File, old: &Metadata) -> bool {
    let is_same = |made: Metadata| (made.uid(), made.gid(), 1) == (old.uid(), old.gid(), old.nlink());
    let group_may_more = (old.mode() >> 3) & !old.mode() & 0o7 != 0;
    !group_may_more && new.metadata().is_ok_and(is_same)
}

#[cfg(not(unix))]
fn is_like(_new: &File, _old: &Metadata) -> bool {
    true
}

/// Brings the content to the disk, where the file system can do that (fsync(2)).
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(e) if !matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Err(e),
        _ => Ok(()),
    }
}

/// Opens what is open already: `/dev/fd/N`, and what links to it, as `/dev/stdout` does. It may be a file that others
/// go on writing to, and what they write must not be lost. On Linux it is opened once more, to append; elsewhere
/// opening is a dup(2). A standard stream is always a duplicate, as a socket cannot be opened.
#[cfg(unix)]
fn open_as_it_is(path: &Path) -> Option<io::Result<File>> {
    use std::os::fd::AsFd;
    const LINKS: usize = 40; // Linux follows no more, either
    let ours = fs::canonicalize("/dev/fd").ok()?;
    let mut path = std::path::absolute(path).ok()?;
    for _ in 0..LINKS {
        let directory = fs::canonicalize(path.parent()?).ok()?;
        let is_ours = directory == ours;
        if is_ours || (directory.starts_with("/proc") && directory.ends_with("fd")) {
            let standard = match path.file_name()?.to_str()? {
                "1" if is_ours => io::stdout().as_fd().try_clone_to_owned(),
                "2" if is_ours => io::stderr().as_fd().try_clone_to_owned(),
                _ => return Some(File::options().append(true).open(&path)),
            };
            return Some(standard.map(File::from));
        }
        path = directory.join(fs::read_link(&path).ok()?);
    }
    None
}

#[cfg(not(unix))]
fn open_as_it_is(path: &Path) -> Option<io::Result<File>> {
    path.as_os_str().eq_ignore_ascii_case("NUL").then(|| File::options().write(true).open(path))
}

//! A file's new content, written beside it until it is complete: whatever goes wrong before that, the old content stays.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, IsTerminal, Write};
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, process};

use anyhow::{Context, Result, anyhow, bail};

use crate::narration::{self, escape};

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
                bail!("it is a symbolic link to nothing")
            }
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            metadata => Some(metadata?),
        };
        match &old {
            Some(old) if old.is_dir() => bail!("it is a directory - name a file in it"),
            Some(old) if old.permissions().readonly() => bail!("it is read-only"),
            Some(old) => {
                let file = File::options().write(true).open(path)?;
                if !old.is_file() {
                    return Ok(Self { file, beside: None });
                }
            }
            None if !ends_with_a_name(path) => bail!("that is a directory's name - name a file in it"),
            None => {}
        }
        let target = if path.is_symlink() { fs::canonicalize(path)? } else { path.to_owned() };
        let (file, beside) =
            Beside::create(target, old).context("its directory would not take a new file")?;
        Ok(Self { file, beside: Some(beside) })
    }

    /// Whether the content becomes a regular file.
    pub fn is_regular(&self) -> bool {
        self.beside.is_some()
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
            Err(e) if self.path.exists() => Err(anyhow!(e).context(format!("all of it is in '{kept}'"))),
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

/// On Windows, a device has a reserved name; on some versions even with an extension.
#[cfg(not(unix))]
fn open_as_it_is(path: &Path) -> Option<io::Result<File>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !cfg!(windows) || !crate::file_name::is_device(&name) {
        return None;
    }
    if name.contains('.') {
        return Some(Err(io::Error::other("Windows keeps this name for a device - name another file")));
    }
    Some(File::options().write(true).open(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    /// A directory of one's own; dropped, it is removed.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("replacement-{name}-{}", process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str, content: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, content).unwrap();
            path
        }

        /// What is in it, each with its content.
        fn files(&self) -> Vec<(String, String)> {
            let mut files: Vec<_> = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .map(|path| {
                    (path.file_name().unwrap().to_str().unwrap().into(), fs::read_to_string(path).unwrap())
                })
                .collect();
            files.sort();
            files
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, content)| ((*name).into(), (*content).into())).collect()
    }

    fn error(outcome: Result<impl Sized>) -> String {
        format!("{:#}", outcome.err().expect("this was accepted"))
    }

    #[test]
    fn two_files_of_one_directory_are_replaced_at_the_same_time_each_by_its_own() {
        let directory = Directory::new("two");
        let paths = ["one", "two"].map(|name| directory.0.join(name));
        let both = [Replacement::of(&paths[0]).unwrap(), Replacement::of(&paths[1]).unwrap()];
        for (mut replacement, content) in both.into_iter().zip(["1", "2"]) {
            replacement.write_all(content.as_bytes()).unwrap();
            replacement.finish().unwrap();
        }
        assert_eq!(directory.files(), owned(&[("one", "1"), ("two", "2")]));
    }

    #[test]
    fn one_file_can_be_replaced_twice_at_the_same_time_and_neither_writes_into_the_others() {
        let directory = Directory::new("same");
        let path = directory.file("page", "old");
        let mut both = [Replacement::of(&path).unwrap(), Replacement::of(&path).unwrap()];
        both[0].write_all(b"longer").unwrap();
        both[1].write_all(b"new").unwrap();
        let [first, second] = both;
        first.finish().unwrap();
        second.finish().unwrap();
        assert_eq!(directory.files(), owned(&[("page", "new")]));
    }

    #[test]
    fn a_name_that_another_process_of_our_number_has_taken_is_left_alone() {
        for is_finished in [true, false] {
            let directory = Directory::new(&format!("taken-{is_finished}"));
            let path = directory.file("page", "old");
            let taken = format!(".page.{}-0.part", process::id());
            directory.file(&taken, "another's");
            let mut replacement = Replacement::of(&path).unwrap();
            replacement.write_all(b"new").unwrap();
            assert_eq!(directory.files().len(), 3);
            if is_finished {
                replacement.finish().unwrap();
            } else {
                drop(replacement);
            }
            let content = if is_finished { "new" } else { "old" };
            assert_eq!(directory.files(), owned(&[(&taken, "another's"), ("page", content)]));
        }
    }

    #[test]
    fn a_directorys_name_is_refused_before_anything_is_written() {
        let directory = Directory::new("directory");
        fs::create_dir(directory.0.join("old")).unwrap();
        for (name, why) in [
            ("old", "it is a directory - "),
            ("new/", "that is a directory's name - "),
            ("new/.", "that is a directory's name - "),
            ("none/page", "its directory would not take a new file: "),
        ] {
            let said = error(Replacement::of(&directory.0.join(name)));
            assert!(said.starts_with(why), "{name}: {said}");
        }
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1);
    }

    #[test]
    fn complete_content_whose_place_is_lost_at_the_last_step_is_kept_and_the_error_says_where() {
        let directory = Directory::new("lost");
        let path = directory.0.join("page");
        let mut replacement = Replacement::of(&path).unwrap();
        replacement.write_all(b"new").unwrap();
        fs::create_dir(&path).unwrap();
        let said = error(replacement.finish());
        fs::remove_dir(&path).unwrap();
        let files = directory.files();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].1, "new");
        assert!(said.starts_with("all of it is in '") && said.contains(&files[0].0), "{said}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_more_than_a_name_and_its_mode_bits_is_written_into() {
        for (mode, has_two_names, is_same_file) in
            [(0o644, false, false), (0o600, false, false), (0o640, false, true), (0o600, true, true)]
        {
            let directory = Directory::new(&format!("place-{mode:o}-{has_two_names}"));
            let path = directory.file("page", "old, and longer");
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            if has_two_names {
                fs::hard_link(&path, directory.0.join("too")).unwrap();
            }
            let before = fs::metadata(&path).unwrap().ino();
            let mut replacement = Replacement::of(&path).unwrap();
            let private = replacement.file.metadata().unwrap().mode() & 0o777;
            replacement.write_all(b"new").unwrap();
            replacement.finish().unwrap();
            let after = fs::metadata(&path).unwrap();
            assert_eq!((private, after.mode() & 0o777, after.ino() == before), (0o600, mode, is_same_file));
            assert!(directory.files().iter().all(|(_, content)| content == "new"), "{:?}", directory.files());
            assert_eq!(directory.files().len(), 1 + usize::from(has_two_names));
        }
    }
}

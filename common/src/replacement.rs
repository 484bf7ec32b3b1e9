//! A file's new content, kept beside it until it is complete: whatever goes wrong, the old content stays.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{mem, process, thread};

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::narration::{self, escape};

/// What this process has created and not yet given its name: the only files that are ever removed here.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every unfinished file, for a process that is about to end (Ctrl-C). It stays locked: nothing is
/// created or renamed any more, and whoever would, waits for the end.
pub fn abandon_all() {
    let mut unfinished = unfinished();
    for path in unfinished.drain(..) {
        let _ = fs::remove_file(path);
    }
    mem::forget(unfinished);
}

/// In bytes: what is fetched again sooner than it is synced.
const SMALL: u64 = 64 << 10;

/// The new content of a file.
pub struct Replacement {
    file: File,
    /// Whoever passes the content on, where we cannot write to its place ourselves.
    courier: Option<Child>,
    /// None where the content goes straight to what is no regular file.
    beside: Option<Beside>,
}

/// A file that is to take another one's place; dropped, it is removed.
struct Beside {
    path: PathBuf,
    target: PathBuf,
    has_old: bool,
}

impl Replacement {
    /// Makes sure that a file can be replaced; the new one is open to nobody whom the old one was closed to. A
    /// symbolic link stands for what it points to. A device, a pipe and an output that is open already
    /// (`/dev/fd/3`) are written to as they are.
    ///
    /// # Errors
    /// When it is a directory or may not be written, or its directory would not take a new file.
    pub fn of(path: &Path) -> Result<Self> {
        if let Some((file, courier)) = open_as_it_is(path)? {
            return Ok(Self { file, courier, beside: None });
        }
        let old = match fs::metadata(path) {
            Err(e) if e.kind() == ErrorKind::NotFound && path.is_symlink() => {
                bail!("it is a symbolic link to nothing")
            }
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            metadata => Some(metadata?),
        };
        let writable = || File::options().write(true).open(path);
        match &old {
            Some(metadata) if metadata.is_dir() => bail!("it is a directory - name a file in it"),
            Some(metadata) if !metadata.is_file() => {
                return Ok(Self { file: writable()?, courier: None, beside: None });
            }
            Some(metadata) if metadata.permissions().readonly() => bail!("it is read-only"),
            // What we may not write we do not replace. A program that runs, or a file that another program
            // holds for a moment, can be replaced though it cannot be opened.
            Some(_) => match writable() {
                Err(e) if matches!(e.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                    return Err(e.into());
                }
                _ => {}
            },
            None if !ends_with_a_name(path) => bail!("that is a directory's name - name a file in it"),
            None => {}
        }
        let target = if path.is_symlink() { fs::canonicalize(path)? } else { path.to_owned() };
        let (file, beside) =
            Beside::create(target, old.is_some()).context("its directory would not take a new file")?;
        if let Some(old) = old {
            keep_access(&file, &old);
        }
        Ok(Self { file, courier: None, beside: Some(beside) })
    }

    /// Whether the content becomes a regular file of its own.
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
    /// When the disk has not taken all of it: it is removed. When it has, and the file's place is not to be
    /// had: it is kept, and the error says where.
    pub fn finish(self) -> Result<()> {
        let Self { file, courier, beside } = self;
        // A power cut must not leave a name with nothing behind it where the old content was: it goes to the
        // disk first. Nor must much that has come be lost, as a file system on a network, or with a quota, may say
        // only now. A small page where there was none is not worth the wait: it can be fetched again.
        let is_small = || file.metadata().is_ok_and(|metadata| metadata.len() <= SMALL);
        if beside.as_ref().is_some_and(|beside| beside.has_old || !is_small()) {
            sync(&file)?;
        }
        drop(file); // the courier's end of input
        if let Some(mut courier) = courier {
            ensure!(courier.wait()?.success(), "what is open there does not take it");
        }
        beside.map_or(Ok(()), Beside::take_its_place)
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
    /// How often a rename is tried that another program is in the way of, on Windows; a scanner looks at a new
    /// file for some tenths of a second.
    const TRIES: u32 = 20;
    const BETWEEN: Duration = Duration::from_millis(50);

    /// Creates it under the first name that is free. Another process may have our number (in another container,
    /// on another machine), so nothing is taken for ours but what we created. The target's name is in it: what
    /// the file system does not take in a name, it refuses now.
    fn create(target: PathBuf, has_old: bool) -> io::Result<(File, Self)> {
        let name: String =
            target.file_name().unwrap_or_default().to_string_lossy().chars().take(50).collect();
        let mut unfinished = unfinished();
        let mut number = 0;
        loop {
            let path = target.with_file_name(format!(".{name}.{}-{number}.part", process::id()));
            match create_new(&path, has_old) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
                created => {
                    let file = created?;
                    unfinished.push(path.clone());
                    return Ok((file, Self { path, target, has_old }));
                }
            }
        }
    }

    /// Gives it the target's name, or else the target its content; where neither can be done, it is kept.
    fn take_its_place(self) -> Result<()> {
        let mut outcome = self.rename();
        for _ in 1..Self::TRIES {
            if outcome.as_ref().is_err_and(is_held) {
                thread::sleep(Self::BETWEEN);
                outcome = self.rename();
            }
        }
        if self.has_old && outcome.as_ref().is_err_and(is_place_taken) {
            let _unfinished = unfinished(); // Ctrl-C waits for the end of it
            outcome = self.overwrite();
        }
        let Err(e) = outcome else { return Ok(()) };
        if !self.path.exists() {
            return Err(e.into());
        }
        unfinished().retain(|path| path != &self.path);
        let kept = escape(self.path.as_os_str().as_encoded_bytes());
        Err(anyhow!(e).context(format!("all of it is in '{kept}'")))
    }

    fn rename(&self) -> io::Result<()> {
        let mut unfinished = unfinished();
        fs::rename(&self.path, &self.target)?;
        unfinished.retain(|path| path != &self.path);
        Ok(())
    }

    /// Copies it into the target. What is longer is cut last: a disk that is full fails before that.
    fn overwrite(&self) -> io::Result<()> {
        let mut target = File::options().write(true).open(&self.target)?;
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

/// Whether the last thing in a path is a name, and no slash behind it.
fn ends_with_a_name(path: &Path) -> bool {
    let ends_with = |name: &OsStr| path.as_os_str().as_encoded_bytes().ends_with(name.as_encoded_bytes());
    path.file_name().is_some_and(ends_with)
}

/// Creates a file; a private one is its maker's alone until it gets the old one's permissions.
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

/// Gives a new file the old one's owner, group and permissions, as far as the system lets us; what a group may that
/// we cannot give it to, no other group gets. Who may read, write and run a file says nothing of whom it runs as: the
/// set-id bits are left out.
#[cfg(unix)]
fn keep_access(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let has_group = fchown(file, None, Some(old.gid())).is_ok();
    let _ = fchown(file, Some(old.uid()), None);
    let kept = if has_group { 0o777 } else { 0o707 };
    let _ = file.set_permissions(fs::Permissions::from_mode(old.mode() & kept));
}

#[cfg(not(unix))]
fn keep_access(file: &File, old: &Metadata) {
    let _ = file.set_permissions(old.permissions());
}

/// On Windows: whether another program holds the file (`ERROR_ACCESS_DENIED`, `ERROR_SHARING_VIOLATION`).
fn is_held(error: &io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(5 | 32))
}

/// Whether a name cannot be given to another file, which says nothing of writing to the one that has it: a mount
/// point (EBUSY), somebody else's file in a sticky directory (EPERM), a directory with a quota of its own (EXDEV), or
/// a file system that renames nothing.
fn is_place_taken(error: &io::Error) -> bool {
    use ErrorKind::{CrossesDevices, PermissionDenied, ResourceBusy};
    matches!(error.kind(), CrossesDevices | PermissionDenied | ResourceBusy)
        || is_held(error)
        || is_unsupported(error)
}

/// Brings the content to the disk, where the file system has an fsync (it may say EROFS that it has none, fsync(2)):
/// durability is what the system can give. What else it reports (EIO, ENOSPC, EDQUOT) is about the content.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(e) if e.kind() != ErrorKind::ReadOnlyFilesystem && !is_unsupported(&e) => Err(e),
        _ => Ok(()),
    }
}

/// Whether a file system does not have what it was asked for.
fn is_unsupported(error: &io::Error) -> bool {
    // ENOTTY, and ENOTSUP or EOPNOTSUPP, which std has no name for; ERROR_INVALID_FUNCTION.
    let numbers: &[i32] = match () {
        () if cfg!(windows) => &[1],
        () if cfg!(target_os = "linux") => &[25, 95],
        () => &[25, 45, 102],
    };
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
        || error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}

/// Opens what a path stands for where it is open already: `/dev/fd/N`, and what is a link to it, as `/dev/stdout`
/// is. Behind it may be a file, in which others go on writing: to take its place would lose what they write.
#[cfg(unix)]
fn open_as_it_is(path: &Path) -> Result<Option<(File, Option<Child>)>> {
    const LINKS: usize = 40; // Linux follows no more, either
    let listed = ["/proc/self/fd", "/dev/fd"].into_iter().find_map(|path| fs::canonicalize(path).ok());
    let Some(descriptors) = listed else { return Ok(None) };
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let Ok(directory) = fs::canonicalize(directory.unwrap_or(Path::new("."))) else { return Ok(None) };
        let is_ours = descriptors.parent().is_some_and(|ours| directory.starts_with(ours));
        let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        if let (true, true, Some(number)) = (is_ours, directory.ends_with("fd"), number) {
            return Ok(Some(opened(number)?));
        }
        let Ok(link) = fs::read_link(&path) else { return Ok(None) };
        if directory.starts_with("/proc") {
            return Ok(Some((File::options().append(true).open(&path)?, None))); // another process's
        }
        path = directory.join(link);
    }
    Ok(None)
}

/// On Windows, what is named like a device is one; to some of its versions, with an extension, too.
#[cfg(not(unix))]
fn open_as_it_is(path: &Path) -> Result<Option<(File, Option<Child>)>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !cfg!(windows) || !crate::file_name::is_device(&name) {
        return Ok(None);
    }
    if name.contains('.') {
        bail!("Windows keeps this name for a device - name another file");
    }
    Ok(Some((File::options().write(true).open(path)?, None)))
}

/// An output that is open, by the number of its descriptor. Whoever writes to it shares its place in the file with
/// the others that do. Of std's streams std gives another descriptor; to any other, a child writes that inherits it.
#[cfg(unix)]
fn opened(number: u32) -> Result<(File, Option<Child>)> {
    use std::os::fd::{AsFd, OwnedFd};
    use std::process::{Command, Stdio};
    let stream = match number {
        0 => Some(io::stdin().as_fd().try_clone_to_owned()?),
        1 => Some(io::stdout().as_fd().try_clone_to_owned()?),
        2 => Some(io::stderr().as_fd().try_clone_to_owned()?),
        _ => None,
    };
    if let Some(stream) = stream {
        let mut file = File::from(stream);
        let _ = file.write(&[])?; // fails where it is open for reading only
        return Ok((file, None));
    }
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::null());
        command
    };
    let is_open = shell(&format!(": >&{number}")).stderr(Stdio::null()).status()?.success();
    ensure!(is_open, "nothing is open there");
    let mut courier = shell(&format!("exec cat >&{number}")).spawn().context("cannot run sh")?;
    let input = courier.stdin.take().context("sh has no standard input")?;
    Ok((OwnedFd::from(input).into(), Some(courier)))
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

    #[test]
    fn what_cannot_be_replaced_is_overwritten_to_the_last_byte() {
        let directory = Directory::new("overwritten");
        let target = directory.file("page", "old, and longer");
        let path = directory.file("new", "new");
        let beside = Beside { path, target, has_old: true };
        beside.overwrite().unwrap();
        drop(beside);
        let is_left = owned(&[("new", "new"), ("page", "new")]);
        assert_eq!(directory.files(), is_left, "what is not in the list of the unfinished is not removed");
    }

    #[test]
    fn an_error_is_forgiven_only_where_it_says_that_there_is_no_fsync() {
        for kind in [ErrorKind::InvalidInput, ErrorKind::Unsupported] {
            assert!(is_unsupported(&kind.into()), "{kind:?}");
        }
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::Other] {
            assert!(!is_unsupported(&kind.into()), "{kind:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_numbers_for_no_fsync_and_for_a_place_that_is_taken() {
        let (eperm, eio, eacces, ebusy, exdev, enospc, edquot) = (1, 5, 13, 16, 18, 28, 122);
        let (einval, enotty, enosys, eopnotsupp) = (22, 25, 38, 95);
        let of = io::Error::from_raw_os_error;
        for number in [einval, enotty, enosys, eopnotsupp] {
            assert!(is_unsupported(&of(number)), "{number}");
        }
        for number in [eperm, eio, eacces, ebusy, exdev, enospc, edquot] {
            assert!(!is_unsupported(&of(number)), "{number}");
        }
        for number in [eperm, eacces, ebusy, exdev, enosys, eopnotsupp] {
            assert!(is_place_taken(&of(number)), "{number}");
        }
        for number in [eio, enospc, edquot] {
            assert!(!is_place_taken(&of(number)), "{number}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_beside_an_old_one_is_its_makers_alone_until_it_has_the_old_ones_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let directory = Directory::new("private");
        let file = create_new(&directory.0.join("private"), true).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

//! Where a body goes: to standard output, or beside its file under another name until it is complete.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use common::narration::{self, EscapedStdout, Stdout, escape};
use common::stop;

/// The unfinished file, for whoever ends the transfer to remove: an error, or Ctrl-C.
static PARTIAL: Mutex<Option<PathBuf>> = Mutex::new(None);

fn partial() -> MutexGuard<'static, Option<PathBuf>> {
    PARTIAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body's way out. The file's old content stays until [`Output::finish`].
pub struct Output {
    to: To,
    /// What to call it in messages.
    name: String,
    /// What the unfinished file will be, once it is complete.
    target: Option<PathBuf>,
    progress: Progress,
}

enum To {
    Stdout,
    Terminal(EscapedStdout),
    File(File),
}

impl Output {
    /// Opens a file, or standard output where it is called `-`.
    pub fn open(file: &str) -> Result<Self> {
        let (name, to, target) = match file {
            "-" if io::stdout().is_terminal() => {
                ("standard output".into(), To::Terminal(EscapedStdout::default()), None)
            }
            "-" => ("standard output".into(), To::Stdout, None),
            _ => {
                let name = escape(file.as_bytes());
                let (opened, target) =
                    open_file(Path::new(file)).with_context(|| format!("cannot write to '{name}'"))?;
                (name, To::File(opened), target)
            }
        };
        Ok(Self { to, name, target, progress: Progress::default() })
    }

    /// Prints a line where the body does not go.
    pub fn narrate(&self, line: &str) -> Result<()> {
        match self.to {
            // Where nobody reads what is said, the file is still wanted.
            To::File(_) => match narration::say(line) {
                Err(e) if e.kind() != ErrorKind::BrokenPipe => return Err(e.into()),
                _ => {}
            },
            To::Stdout | To::Terminal(_) => narration::complain(line),
        }
        Ok(())
    }

    /// Makes the unfinished file the one that was asked for, and says so.
    pub fn finish(mut self, figures: &str) -> Result<()> {
        self.progress.clear();
        if let (To::File(file), Some(target)) = (&self.to, &self.target) {
            let rename = |partial: &Path| file.sync_all().and_then(|()| fs::rename(partial, target));
            let mut partial = partial();
            if let Some(path) = &*partial {
                rename(path).with_context(|| format!("cannot write to '{}'", self.name))?;
            }
            *partial = None;
        }
        self.narrate(&format!("saved {figures} to {}", self.name))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.progress.clear();
        if let Some(path) = partial().take() {
            let _ = fs::remove_file(path);
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = match &mut self.to {
            To::Stdout => Stdout.write(bytes)?,
            To::Terminal(terminal) => terminal.write(bytes)?,
            To::File(file) => file
                .write(bytes)
                .map_err(|e| io::Error::new(e.kind(), format!("cannot write to '{}': {e}", self.name)))?,
        };
        self.progress.advance(n);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Stdout => Stdout.flush(),
            To::Terminal(terminal) => terminal.flush(),
            To::File(_) => Ok(()), // a File has no buffer; finish() asks the disk
        }
    }
}

/// Opens a device or a pipe as it is. A regular file is written beside its target, with its permissions, and
/// a symbolic link stands for what it points to; the second value is then the target.
fn open_file(path: &Path) -> Result<(File, Option<PathBuf>)> {
    let existing = match fs::metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound && path.is_symlink() => {
            bail!("it is a symbolic link to nothing")
        }
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        metadata => Some(metadata?),
    };
    match &existing {
        Some(metadata) if metadata.is_dir() => bail!("it is a directory - name a file in it with -o"),
        Some(metadata) if !metadata.is_file() => return Ok((File::options().write(true).open(path)?, None)),
        Some(metadata) if metadata.permissions().readonly() => bail!("it is read-only"),
        _ => {}
    }
    let target = if path.is_symlink() { fs::canonicalize(path)? } else { path.to_owned() };
    ctrlc::set_handler(|| {
        let partial = partial(); // locked until the end: nothing is created or renamed any more
        if let Some(path) = &*partial {
            let _ = fs::remove_file(path);
        }
        process::exit(stop::INTERRUPTED)
    })?;
    let mut partial = partial();
    let beside = target.with_file_name(format!(".tcp-client-{}.part", process::id()));
    let _ = fs::remove_file(&beside); // with our number in its name, it is a dead process's
    let file = File::create_new(&beside).context("its directory would not take a new file")?;
    *partial = Some(beside);
    if let Some(metadata) = existing {
        let _ = file.set_permissions(without_set_id(&metadata.permissions()));
    }
    Ok((file, Some(target)))
}

/// Who may read, write and run a file says nothing of whom it runs as: the new file has another owner.
#[cfg(unix)]
fn without_set_id(permissions: &Permissions) -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    Permissions::from_mode(permissions.mode() & 0o777)
}

#[cfg(not(unix))]
fn without_set_id(permissions: &Permissions) -> Permissions {
    permissions.clone()
}

/// A line on standard error, where that is a terminal, for a body that takes longer than a second.
#[derive(Default)]
struct Progress {
    bytes: u64,
    started: Option<Instant>,
    shown: Option<Instant>,
}

impl Progress {
    const PATIENCE: Duration = Duration::from_secs(1);
    const INTERVAL: Duration = Duration::from_millis(200);

    fn advance(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let taken = self.started.get_or_insert_with(Instant::now).elapsed();
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() > Self::INTERVAL);
        if taken > Self::PATIENCE && is_due && io::stderr().is_terminal() {
            self.shown = Some(Instant::now());
            let _ = write!(io::stderr(), "\r{} bytes in {} s ", self.bytes, taken.as_secs());
        }
    }

    fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(io::stderr(), "\r{:50}\r", "");
        }
    }
}

//! The programs as processes: built once, and none outlives the task, whichever way it ends.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use common::stop;

/// What must be gone when the task ends: its processes and its scratch files and directories.
static HOUSE: Mutex<House> =
    Mutex::new(House { closed: false, children: BTreeMap::new(), scratch: Vec::new() });

struct House {
    closed: bool,
    children: BTreeMap<u32, Resident>,
    scratch: Vec<PathBuf>,
}

struct Resident {
    child: Child,
    /// It is a task like this one, with children of its own: asked to, it ends them.
    is_task: bool,
}

impl Resident {
    fn end(mut self) {
        if self.is_task && interrupt(self.child.id()) {
            let asked = Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) && asked.elapsed() < TASK_PATIENCE {
                thread::sleep(Duration::from_millis(1));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a task may take to end its children.
const TASK_PATIENCE: Duration = Duration::from_secs(5);

/// Sends what Ctrl-C sends, SIGINT; false where that cannot be done (on Windows).
fn interrupt(pid: u32) -> bool {
    // The shell has a kill of its own; /bin/kill is not everywhere.
    let kill = || Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status();
    cfg!(unix) && kill().is_ok_and(|status| status.success())
}

fn house() -> MutexGuard<'static, House> {
    HOUSE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds the four programs, once a process; returns the directory they are in.
///
/// # Errors
/// When cargo does not build them; it says why on standard error.
pub fn build() -> Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match BUILT.get_or_init(|| build_now().map_err(|e| format!("{e:#}"))) {
        Ok(directory) => Ok(directory),
        Err(e) => Err(anyhow!("cannot build the programs: {e}")),
    }
}

fn build_now() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot tell where this program is")?;
    // A test's executable is one directory further down.
    let directory = own.ancestors().skip(1).find(|dir| !dir.ends_with("deps")).context("no directory")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--workspace", "--exclude", "xtask"]);
    // To where this program was built, wherever cargo was told to build it: TARGET_DIR[/TRIPLE]/PROFILE.
    let mut target = directory.parent().context("no target directory")?;
    let is_triple = |name: &&OsStr| name.to_string_lossy().starts_with(&format!("{}-", env::consts::ARCH));
    if let Some(triple) = target.file_name().filter(is_triple) {
        cargo.arg("--target").arg(triple);
        target = target.parent().context("no target directory")?;
    }
    cargo.arg("--target-dir").arg(target);
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo build ended with {status}");
    Ok(directory.to_owned())
}

/// Where a program is, once all are built.
///
/// # Errors
/// As [`build`].
pub fn path_of(name: &str) -> Result<PathBuf> {
    Ok(build()?.join(name).with_extension(env::consts::EXE_EXTENSION))
}

/// Where a server is, from the first line that it prints.
///
/// # Errors
/// When the line does not end with an address.
pub fn address_in(line: &str) -> Result<SocketAddr> {
    let address = line.trim_end().rsplit(' ').next().unwrap_or_default();
    address.parse().with_context(|| format!("the server did not say where it is, but: {line:?}"))
}

/// A process, its standard output and its standard error.
pub type Started = (Program, ChildStdout, ChildStderr);

/// A running process; dropped, it is killed.
#[derive(Debug)]
pub struct Program {
    /// The system's number for it.
    pub pid: u32,
}

impl Program {
    /// Starts one of the four programs in a directory, and returns its two outputs.
    ///
    /// # Errors
    /// When the programs cannot be built or started, or the task is being interrupted.
    pub fn start(name: &str, args: &[&str], directory: &Path) -> Result<Started> {
        let mut command = Command::new(path_of(name)?);
        command.args(args).current_dir(directory);
        Self::spawn(command).with_context(|| format!("cannot start {name}"))
    }

    /// Starts a command with nothing to read, and returns its two outputs.
    ///
    /// # Errors
    /// When it cannot be started, or the task is being interrupted.
    pub fn spawn(mut command: Command) -> Result<Started> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut house = house();
        ensure!(!house.closed, "interrupted");
        let mut child = command.spawn()?;
        let (stdout, stderr, pid) = (child.stdout.take(), child.stderr.take(), child.id());
        let is_task = Path::new(command.get_program()).file_stem().is_some_and(|name| name == "xtask");
        house.children.insert(pid, Resident { child, is_task });
        let outputs = (stdout.context("no standard output")?, stderr.context("no standard error")?);
        Ok((Self { pid }, outputs.0, outputs.1))
    }

    /// Sends what Ctrl-C sends, SIGINT; false where that cannot be done (on Windows).
    pub fn interrupt(&self) -> bool {
        interrupt(self.pid)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn wait(self) -> Result<ExitStatus> {
        loop {
            // The lock is held for a moment only, so that an interrupted task can kill it meanwhile.
            if let Some(resident) = house().children.get_mut(&self.pid) {
                if let Some(status) = resident.child.try_wait().context("cannot wait for a program")? {
                    return Ok(status);
                }
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let resident = house().children.remove(&self.pid);
        if let Some(resident) = resident {
            resident.end();
        }
    }
}

/// From now on, Ctrl-C ends every process that was started, removes every scratch directory, and ends the task.
///
/// # Errors
/// When the system refuses the handler.
pub fn close_house_on_interrupt() -> Result<()> {
    ctrlc::set_handler(|| {
        close_house();
        process::exit(stop::INTERRUPTED);
    })
    .context("cannot listen for Ctrl-C")
}

fn close_house() {
    let mut house = house();
    house.closed = true;
    while let Some((_, resident)) = house.children.pop_first() {
        resident.end();
    }
    for path in house.scratch.drain(..) {
        remove(&path);
    }
}

fn remove(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

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

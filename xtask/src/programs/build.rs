//! The four programs, built once.

use std::env;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use common::narration::complain;
use common::text;

/// The packages, which have one program each, of the same name.
pub const PROGRAMS: [&str; 4] = ["tcp-client", "tcp-server", "udp-client", "udp-server"];

/// Builds the four programs, once a process; returns the directory they are in.
///
/// # Errors
/// When cargo does not build them; it says why on standard error.
pub fn build() -> Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match BUILT.get_or_init(|| build_now().map_err(|e| format!("{e:#}"))) {
        Ok(directory) => Ok(directory),
        Err(e) => Err(anyhow!(text!("cannot build the programs: {e}", "无法编译各程序：{e}"))),
    }
}

fn build_now() -> Result<PathBuf> {
    let directory = own_directory()?;
    let what = "the four programs";
    cargo_build(&directory, &PROGRAMS, is_release(&directory), what)?;
    Ok(directory)
}

/// Where this program is; a test's executable is one directory further down.
fn own_directory() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot tell where this program is")?;
    let directory = own.ancestors().skip(1).find(|dir| !dir.ends_with("deps")).context("no directory")?;
    Ok(directory.to_owned())
}

fn is_release(directory: &Path) -> bool {
    directory.ends_with("release")
}

/// Whether this program, and what it builds, is a release build.
pub fn is_optimised() -> Result<bool> {
    Ok(is_release(&own_directory()?))
}

/// Builds this program as a release, beside this one; returns where it is.
pub fn optimised_xtask() -> Result<PathBuf> {
    let directory = own_directory()?;
    cargo_build(&directory, &["xtask"], true, "a release, as a debug build is not what is to be measured")?;
    Ok(directory.with_file_name("release").join("xtask").with_extension(env::consts::EXE_EXTENSION))
}

/// Builds packages to where the program in a directory was built, wherever cargo was told to build it:
/// `TARGET_DIR[/TRIPLE]/PROFILE`.
fn cargo_build(directory: &Path, packages: &[&str], release: bool, what: &str) -> Result<()> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // By name: what a student has added to the workspace may not compile yet.
    cargo.args(["build", "--quiet"]).args(packages.iter().map(|name| format!("--package={name}")));
    let mut target = directory.parent().context("no target directory")?;
    if target.ends_with(env!("TARGET_TRIPLE")) {
        cargo.args(["--target", env!("TARGET_TRIPLE")]);
        target = target.parent().context("no target directory")?;
    }
    cargo.arg("--target-dir").arg(target);
    if release {
        cargo.arg("--release");
    }
    let (status, complaints) =
        run(cargo.current_dir(env!("CARGO_MANIFEST_DIR")), what).context("cannot run cargo")?;
    // Warnings are for whoever sits here; where the output is read by a program, they are none of its lines.
    if !status.success() || io::stderr().is_terminal() {
        io::stderr().write_all(&complaints)?;
    }
    ensure!(status.success(), text!("cargo build ended with {status}", "cargo build 失败（{status}）"));
    Ok(())
}

/// Runs a command that may take a while, and says so on a terminal; returns how it ended, and its standard error.
fn run(command: &mut Command, what: &str) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut stderr = child.stderr.take();
    let (ended, end) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let is_slow = end.recv_timeout(Duration::from_millis(500)) == Err(RecvTimeoutError::Timeout);
            if is_slow && io::stderr().is_terminal() {
                complain(&format!("building {what}; the first time it takes a while ..."));
            }
        });
        let mut complaints = Vec::new();
        let read = stderr.as_mut().map_or(Ok(0), |stderr| stderr.read_to_end(&mut complaints));
        let status = child.wait()?;
        drop(ended);
        read.map(|_| (status, complaints))
    })
}

/// Where a program is, once all are built.
pub fn path_of(name: &str) -> Result<PathBuf> {
    Ok(build()?.join(name).with_extension(env::consts::EXE_EXTENSION))
}

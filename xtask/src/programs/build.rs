//! The four programs, built once.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};

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

//! The four programs, each the only one of its package, built once.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};
use common::narration::complain;
use common::text;

pub const PROGRAMS: [&str; 4] = ["tcp-client", "tcp-server", "udp-client", "udp-server"];

/// Whether this program, and what it builds, is a release build.
pub const IS_OPTIMISED: bool = !cfg!(debug_assertions);

/// Builds the four programs, once a process; returns the directory they are in.
pub fn build() -> Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build_now = || {
        let directory = own_directory()?;
        cargo_build(&directory, &PROGRAMS, IS_OPTIMISED).map(|_| directory)
    };
    let built = BUILT.get_or_init(|| build_now().map_err(|e: anyhow::Error| format!("{e:#}")));
    built.as_deref().map_err(|e| anyhow!(text!("cannot build the programs: {e}", "无法编译各程序：{e}")))
}

/// Where this program is; a test's executable is one directory further down.
fn own_directory() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot tell where this program is")?;
    let directory = own.ancestors().skip(1).find(|dir| !dir.ends_with("deps")).context("no directory")?;
    Ok(directory.to_owned())
}

/// Builds this program as a release, beside this one, as a debug build is not what is to be measured; returns where it is.
pub fn optimised_xtask() -> Result<PathBuf> {
    cargo_build(&own_directory()?, &["xtask"], true)
}

/// Builds packages to where the program in a directory was built, wherever cargo was told to build it:
/// `TARGET_DIR[/TRIPLE]/PROFILE`; returns where the first one's program is.
fn cargo_build(directory: &Path, packages: &[&str], release: bool) -> Result<PathBuf> {
    let profile = if release { "release" } else { "debug" };
    let program =
        directory.with_file_name(profile).join(packages[0]).with_extension(env::consts::EXE_EXTENSION);
    let is_watched = io::stderr().is_terminal();
    if is_watched && !program.exists() {
        complain("building; the first time it takes a while ...");
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // By name: what a student has added to the workspace may not compile yet.
    cargo.args(["build", "--quiet"]).args(packages.iter().map(|name| format!("--package={name}")));
    let mut target = directory.parent().context("no target directory")?;
    if target.ends_with(env!("TARGET_TRIPLE")) {
        cargo.args(["--target", env!("TARGET_TRIPLE")]);
        target = target.parent().context("no target directory")?;
    }
    cargo.arg("--target-dir").arg(target).args(release.then_some("--release"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let Output { status, stderr, .. } = cargo.output().context("cannot run cargo")?;
    // Warnings are for whoever sits here; where the output is read by a program, they are none of its lines.
    if !status.success() || is_watched {
        io::stderr().write_all(&stderr)?;
    }
    ensure!(status.success(), text!("cargo build ended with {status}", "cargo build 失败（{status}）"));
    Ok(program)
}

pub fn path_of(name: &str) -> Result<PathBuf> {
    Ok(build()?.join(name).with_extension(env::consts::EXE_EXTENSION))
}

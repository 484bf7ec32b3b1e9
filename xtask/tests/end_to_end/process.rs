//! How every test starts programs: in an environment that does not depend on who runs the tests, and so that a test that
//! hangs fails with a sentence.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{self, Command};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use xtask::Scratch;

pub fn program(name: &str) -> Command {
    command(xtask::path_of(name).unwrap())
}

/// A command that finds nothing of this machine's language, terminal and proxies in its environment, and a directory for
/// temporary files that ends with the test. `PATH`, `HOME` and what concerns the linker and cargo stay; a task is told
/// that cargo called it, though these tests may have been started without.
pub fn command(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_the_machine(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.env("CARGO", env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for name in ["TMPDIR", "TMP", "TEMP"] {
        TEMPORARY.with(|directory| command.env(name, directory.path()));
    }
    if LATEST_START.lock().unwrap().replace(Instant::now()).is_none() {
        thread::spawn(end_when_tests_hang);
    }
    command
}

fn is_of_the_machine(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["LANG", "LANGUAGE", "COLUMNS", "LINES", "TERM", "NO_COLOR", "PYTHONUNBUFFERED", "PYTHONIOENCODING"]
        .contains(&&*name)
        || ["LC_", "CLICOLOR", "RUST_"].iter().any(|start| name.starts_with(start))
        || name.ends_with("_PROXY")
}

/// Sends a signal: `INT`, `TERM`, `STOP` ...
#[cfg(unix)]
pub fn signal(pid: u32, name: &str) {
    let status = command("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid.to_string()]).status();
    assert!(status.unwrap().success(), "cannot send SIG{name} to process {pid}");
}

/// Whether a tool is here and works; says so where it is not.
#[cfg(unix)]
pub fn has_tool(name: &str, args: &[&str]) -> bool {
    let asked = command(name).args(args).stdin(process::Stdio::null()).output();
    let is_here = asked.is_ok_and(|output| output.status.success());
    if !is_here {
        println!("not available here: {name} {}", args.join(" "));
    }
    is_here
}

/// Whether this process, all its tests together, may have so many descriptors open; where not, says so.
#[cfg(unix)]
pub fn has_descriptors(needed: usize) -> bool {
    let told = command("sh").args(["-c", "ulimit -n"]).output().map(|output| output.stdout);
    let has = String::from_utf8_lossy(&told.unwrap_or_default()).trim().parse().unwrap_or(usize::MAX);
    if has < needed {
        println!("not available here: {needed} descriptors, of {has} (ulimit -n)");
    }
    has >= needed
}

/// Looks again and again until something is found; a test that waits in vain fails with what it waited for.
pub fn eventually<T>(awaited: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < HANGS {
        if let Some(found) = find() {
            return found;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("not even after {HANGS:?}: {awaited}");
}

/// No test starts a program for so long: on the slowest machine, only tests that hang do that.
const HANGS: Duration = Duration::from_secs(1200);

static LATEST_START: Mutex<Option<Instant>> = Mutex::new(None);

thread_local! {
    /// A test's temporary files: each test has a thread, and they end with it. Where cargo builds, there is room, too.
    static TEMPORARY: Scratch = Scratch::within(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
}

/// Of the tests that run still, cargo has said the names.
fn end_when_tests_hang() {
    loop {
        thread::sleep(Duration::from_secs(5));
        if LATEST_START.lock().unwrap().is_some_and(|latest| latest.elapsed() > HANGS) {
            eprintln!("\nno test has started a program for {HANGS:?}: they hang");
            process::exit(101);
        }
    }
}

#[test]
fn every_test_starts_its_programs_here() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end");
    for file in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&file).unwrap();
        for call in ["Command::new(", "Program::start(", "lab.start(", "xtask::Server::start("] {
            assert!(file.ends_with("process.rs") || !text.contains(call), "{}: {call}", file.display());
        }
    }
}

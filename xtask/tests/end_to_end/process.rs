//! How every test starts programs: in an environment that does not depend on who runs the tests, and so that a test that
//! hangs fails with a sentence.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{self, Command};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use xtask::Scratch;

/// One of our programs, to be started as [`command`] has it.
pub fn program(name: &str) -> Command {
    command(xtask::path_of(name).unwrap())
}

/// A command that finds nothing of this machine's language, terminal and proxies in its environment, and a directory for
/// temporary files that ends with the test. `PATH`, `HOME` and what concerns the linker and cargo stay.
pub fn command(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_the_machine(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    TEST.with(|test| {
        running().latest = Some(Instant::now());
        for name in ["TMPDIR", "TMP", "TEMP"] {
            command.env(name, test.temporary.path());
        }
    });
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
    let has = descriptors();
    if has < needed {
        println!("not available here: {needed} descriptors, of {has} (ulimit -n)");
    }
    has >= needed
}

/// How many descriptors a process may have open, as a shell tells it.
#[cfg(unix)]
pub fn descriptors() -> usize {
    let told = command("sh").args(["-c", "ulimit -n"]).output().map(|output| output.stdout);
    String::from_utf8_lossy(&told.unwrap_or_default()).trim().parse().unwrap_or(usize::MAX)
}

/// Looks again and again until something is found; a test that waits in vain fails with what it waited for.
#[cfg(unix)]
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

/// No test starts a program, and none ends, for so long: on the slowest machine, only tests that hang do that.
const HANGS: Duration = Duration::from_secs(600);

/// The tests that have started programs and have not ended, and when one of them did either last.
struct RunningTests {
    tests: BTreeSet<String>,
    latest: Option<Instant>,
}

static RUNNING: Mutex<RunningTests> = Mutex::new(RunningTests { tests: BTreeSet::new(), latest: None });

fn running() -> MutexGuard<'static, RunningTests> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Each test has a thread, and this ends with it.
    static TEST: Test = Test::begin();
}

struct Test {
    name: String,
    temporary: Scratch,
}

impl Test {
    fn begin() -> Self {
        static WATCHED: Once = Once::new();
        WATCHED.call_once(|| drop(thread::spawn(end_when_tests_hang)));
        let name = thread::current().name().unwrap_or("a thread of a test").to_owned();
        running().tests.insert(name.clone());
        // Where cargo builds, there is room, too.
        Self { name, temporary: Scratch::within(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap() }
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        let mut running = running();
        running.tests.remove(&self.name);
        running.latest = Some(Instant::now());
    }
}

fn end_when_tests_hang() {
    loop {
        thread::sleep(Duration::from_secs(5));
        let RunningTests { tests, latest } = &*running();
        if !tests.is_empty() && latest.is_some_and(|latest| latest.elapsed() > HANGS) {
            let names: Vec<_> = tests.iter().map(String::as_str).collect();
            eprintln!("\nnothing has happened for {HANGS:?}; hanging: {}", names.join(", "));
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

#[test]
fn what_this_machine_has_in_its_environment_no_program_finds() {
    for name in ["LC_ALL", "LANG", "COLUMNS", "https_proxy", "RUST_BACKTRACE", "CLICOLOR_FORCE", "TERM"] {
        assert!(is_of_the_machine(name), "{name}");
    }
    for name in ["PATH", "HOME", "LD_PRELOAD", "CARGO_HOME", "RUSTUP_HOME", "RUSTFLAGS", "SEED"] {
        assert!(!is_of_the_machine(name), "{name}");
    }
}

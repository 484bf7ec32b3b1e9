//! What a process takes of the machine, where Linux' /proc tells.

use std::fs;
use std::thread;
use std::time::Duration;

use common::narration::escape;

use super::program::Program;

/// A figure of a process from Linux' /proc/PID/status: `Threads`; in KiB, `VmRSS` and `VmHWM` (its peak so far).
pub fn status(pid: u32, what: &str) -> Option<u64> {
    figure_in(&format!("/proc/{pid}/status"), what)
}

/// The resident memory of a process, in KiB, counted page by page: that of status may be short by some pages a thread
/// (proc(5)).
pub fn resident(pid: u32) -> Option<u64> {
    figure_in(&format!("/proc/{pid}/smaps_rollup"), "Rss")
}

/// The name of a process' program, from Linux' /proc/PID/comm.
pub fn name(pid: u32) -> String {
    escape(fs::read(format!("/proc/{pid}/comm")).unwrap_or_default().trim_ascii_end())
}

/// Whether a process ignores Ctrl-C, from Linux' /proc/PID/status: a set of signals in hexadecimal, signal 1 the lowest bit.
pub fn ignores_interrupt(pid: u32) -> bool {
    const SIGINT: u64 = 1 << 1;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let set =
        status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    set.is_some_and(|set| set & SIGINT > 0)
}

/// The first number after a name at the beginning of a line.
fn figure_in(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// What a process has used of the cores so far, user and system, in hundredths of a second.
pub struct Used {
    /// Its threads that have ended included.
    pub own: Duration,
    /// Those that it has waited for.
    pub children: Duration,
}

pub fn used(pid: u32) -> Option<Used> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<_> = stat.rsplit(") ").next()?.split(' ').collect();
    let used = |at: usize| Some(Duration::from_millis(10 * fields.get(at)?.parse::<u64>().ok()?));
    Some(Used { own: used(11)? + used(12)?, children: used(13)? + used(14)? })
}

/// How much of one core a process used during a second, in hundredths.
pub fn share_of_a_core(program: &Program) -> Option<u128> {
    let before = used(program.pid)?.own;
    thread::sleep(Duration::from_secs(1));
    Some((used(program.pid)?.own.saturating_sub(before)).as_millis() / 10)
}

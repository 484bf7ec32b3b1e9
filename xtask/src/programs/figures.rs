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

/// The memory of a process that is resident, in KiB, from Linux' `/proc/PID/smaps_rollup`: counted page by page,
/// where status has an estimate (proc(5)), which may be short by some pages a thread.
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

/// The first number behind a name at the beginning of a line.
fn figure_in(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// What a process has used of the cores so far, user and system.
pub struct Used {
    /// By itself, its threads that have ended included.
    pub own: Duration,
    /// By those of its children that it has waited for.
    pub children: Duration,
}

/// What a process has used of the cores, from Linux' /proc/PID/stat, which counts hundredths of a second.
pub fn used(pid: u32) -> Option<Used> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<_> = stat.rsplit(") ").next()?.split(' ').collect();
    let sum = |two: [usize; 2]| Some(hundredths(fields.get(two[0])?)? + hundredths(fields.get(two[1])?)?);
    Some(Used { own: sum([11, 12])?, children: sum([13, 14])? })
}

fn hundredths(text: &str) -> Option<Duration> {
    Some(Duration::from_millis(10 * text.parse::<u64>().ok()?))
}

/// How much of one core a process used during a second, in hundredths.
pub fn share_of_a_core(program: &Program) -> Option<u128> {
    let before = used(program.pid)?.own;
    thread::sleep(Duration::from_secs(1));
    Some((used(program.pid)?.own.saturating_sub(before)).as_millis() / 10)
}

//! One core for the load and the program that is measured: otherwise it is the scheduler's choice whether an exchange between
//! two threads wakes another core, which costs several times what the exchange does.

use std::process::{self, Command};

/// This thread, and every process that it starts, on one core until this is dropped.
pub struct OneCore {
    before: String,
}

impl OneCore {
    /// Nothing, where there is no taskset(1) to see to it.
    pub fn hold() -> Option<Self> {
        let before = taskset(&[])?;
        let first: String = before.chars().take_while(char::is_ascii_digit).collect();
        taskset(&[&first]).map(|_| Self { before })
    }
}

impl Drop for OneCore {
    fn drop(&mut self) {
        taskset(&[&self.before]);
    }
}

/// Which cores the main thread may use, such as `0,2-3`, once it may use these.
fn taskset(cores: &[&str]) -> Option<String> {
    let own = process::id().to_string();
    let output = Command::new("taskset").arg("-cp").args(cores).arg(own).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim_end().rsplit(": ").next()?.to_owned())
}

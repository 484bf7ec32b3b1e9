//! What a task leaves behind: nothing.

use std::fs;
use std::path::Path;

use xtask::Scratch;

use crate::process::{eventually, has_tool, program};

#[test]
fn a_judged_program_that_left_its_group_is_ended_with_the_others() {
    if !has_tool("setsid", &["true"]) {
        return;
    }
    let directory = Scratch::new().unwrap();
    let server = xtask::path_of("tcp-server").unwrap();
    let script = "setsid \"$0\" \"$1\" --delay 0 & echo $! > pid; wait";
    let judged = program("xtask")
        .args(["grade", "tcp-server", "--stage", "greets", "--", "sh", "-c", script])
        .args([server.to_str().unwrap(), "{host}:{port}"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(judged.status.success(), "{judged:?}");
    let pid = fs::read_to_string(directory.path().join("pid")).unwrap();
    // A process that was killed is gone a moment later; one that nobody reaps has no environment any more.
    let environment = Path::new("/proc").join(pid.trim()).join("environ");
    let is_gone = || fs::read(&environment).map_or(true, |text| text.is_empty());
    eventually("the end of the judged server", || is_gone().then_some(()));
}

//! How a judge is used: on files that change, on ports that others have, for a report, alone and wrongly.

#[cfg(target_os = "linux")]
use std::{
    io::Read,
    net::{TcpListener, TcpStream},
};

use xtask::{Lab, Program, Scratch};

use crate::grade::{assert_fails, each, grade, side_by_side, twin, twins};
use crate::{failing, start_on};

#[test]
fn a_server_that_thinks_for_a_second_passes_every_stage_and_so_does_one_that_prints_much() {
    each(&["sleeps", "talkative"], |mistake| {
        let judged = side_by_side("tcp-server", &[], &[&twins(), "tcp-server", mistake, "{host}", "{port}"]);
        assert_eq!(judged.status, Some(0), "{mistake}: {}", judged.out);
    });
}

#[test]
fn of_what_a_program_prints_without_an_end_a_part_is_shown() {
    let judged = twin("tcp-server", "talks-and-ends", &[]);
    assert_fails(&judged, "tcp-server", &["✗ listens failed-first"], "talks-and-ends");
    assert!(judged.out.lines().any(|line| line.ends_with('…')), "{}", judged.out);
    assert!(judged.out.len() < 100_000, "{} bytes of a million", judged.out.len());
}

#[cfg(target_os = "linux")]
#[test]
fn of_a_server_that_starts_others_nothing_is_left() {
    let mark = format!("of-{}", std::process::id());
    let judged = twin("tcp-server", &format!("forks={mark}"), &[]);
    assert_eq!(judged.status, Some(0), "{}", judged.out);
    let is_left = || {
        let commands = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let command = std::fs::read(entry.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&command).replace('\0', " "))
        });
        commands.into_iter().any(|command| command.contains(&format!("sleeper {mark}")))
    };
    // Killed, and nobody's child any more, it is gone once the system has come to it.
    crate::process::eventually("no child of the server is left", || (!is_left()).then_some(()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_judged_program_that_left_its_group_is_ended_with_the_others() {
    if !crate::process::has_tool("setsid", &["true"]) {
        return;
    }
    let mut lab = Lab::discarding().unwrap();
    let script = "setsid \"$0\" \"$1\" --delay 0 & echo $! > pid; wait";
    let command = ["--", "sh", "-c", script, &crate::grade::path("tcp-server"), "{host}:{port}"];
    let judged = crate::run_on(
        &mut lab,
        "xtask",
        &[&["grade", "tcp-server", "--stage=greets"], &command[..]].concat(),
    );
    assert_eq!(judged.status, Some(0), "{judged:?}");
    let pid = std::fs::read_to_string(lab.directory().join("pid")).unwrap();
    // A process that was killed is gone a moment later; one that nobody reaps has no environment any more.
    let environment = std::path::Path::new("/proc").join(pid.trim()).join("environ");
    let is_gone = || std::fs::read(&environment).map_or(true, |text| text.is_empty());
    crate::process::eventually("the end of the judged server", || is_gone().then_some(()));
}

/// Starts a judge of a twin by one stage, and does not wait for it.
fn start_judge(lab: &Lab, options: &[&str], name: &str) -> Program {
    let args = ["grade", "tcp-server", "--lang=en", "--stage=greets"];
    start_on(
        lab,
        "xtask",
        &[&args, options, &["--", &twins(), "tcp-server", name, "{host}", "{port}"]].concat(),
    )
}

/// A port that no system gives to clients, as the judge's are: the first free one from this, and this process', on.
#[cfg(target_os = "linux")]
fn own_port(from: u32) -> (TcpListener, u16) {
    let mut ports = (from + std::process::id() % 9000..).map(|port| u16::try_from(port).unwrap());
    ports.find_map(|port| Some((TcpListener::bind(("127.0.0.1", port)).ok()?, port))).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_somebody_has_is_not_graded_and_one_that_somebody_takes_meanwhile_is_no_mistake() {
    let (_listener, port) = own_port(12_000);
    let judged = twin("tcp-server", "none", &[&format!("--port={port}")]);
    assert_eq!((judged.failures().len(), judged.status), (0, Some(1)), "{}", judged.out);
    assert!(judged.out.contains("already - end that program, and grade again"), "{}", judged.out);

    let scratch = Scratch::new().unwrap();
    let taken = scratch.path().join("taken");
    let beaten = format!("beaten={}", taken.display());
    let judged = twin("tcp-server", &beaten, &["--stage=greets"]);
    assert!(taken.exists(), "the port was taken");
    assert_eq!((judged.marked('✓'), judged.status), (vec!["greets"], Some(0)), "{}", judged.out);
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_a_connection_of_the_past_still_has_is_waited_for() {
    let (listener, port) = own_port(22_000);
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    drop(listener);
    let mut lab = Lab::discarding().unwrap();
    let judge = start_judge(&lab, &[&format!("--port={port}")], "restart");
    let is_waiting = format!("port {port} is in TIME_WAIT");
    lab.wait_for_lines(&judge, 1, |line| line.contains(&is_waiting)).unwrap();
    // As long as another server is judged, this one waits.
    assert_eq!(twin("tcp-server", "none", &["--stage=listens"]).status, Some(0));
    drop(client);
    assert_eq!(connection.read(&mut [0]).unwrap(), 0, "the client closed first, and so nothing is left here");
    drop(connection);
    lab.wait_for_line(&judge, "✓ greets").unwrap();
}

#[test]
fn a_change_of_a_file_that_the_command_names_is_graded() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("mistake");
    std::fs::write(&file, "line-feed-kept").unwrap();
    let mut lab = Lab::discarding().unwrap();
    let judge = start_judge(&lab, &["--watch"], file.to_str().unwrap());
    let mut wait_for_a_judgement = |count, stage| {
        let is_judged = |line: &str| line.contains("Waiting for a change");
        let said = lab.wait_for_lines(&judge, count, is_judged).unwrap();
        assert!(said.iter().any(|line| line.starts_with(stage)), "{said:?}");
    };
    wait_for_a_judgement(1, "✗ greets");
    let mended = scratch.path().join("mended");
    std::fs::write(&mended, "none").unwrap();
    // Some file systems have no finer time than two seconds.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    std::fs::File::options().write(true).open(&mended).unwrap().set_modified(later).unwrap();
    std::fs::rename(&mended, &file).unwrap();
    wait_for_a_judgement(2, "✓ greets");
}

#[test]
fn the_first_failed_stage_ends_the_run_one_alone_can_be_played_and_a_report_has_a_chapter_for_each() {
    let scratch = Scratch::new().unwrap();
    let report = scratch.path().join("report.html");
    let judged = twin("tcp-server", "again", &["--stage=welcome"]);
    assert_eq!((judged.marked('✓'), judged.status), (vec!["welcome"], Some(0)), "{}", judged.out);
    let options = ["tcp-server", "--seed=0", "--more", "--html", report.to_str().unwrap()];
    let command = ["--", &twins(), "tcp-server", "glued", "{host}", "{port}"];
    let judged = grade(&[&options[..], &command].concat());
    assert!(judged.out.contains("\n        while data := client.recv(1024):\n"), "{}", judged.out);
    assert!(judged.out.contains("13 bytes  Michael\\nexit\\n"), "the ladder: {}", judged.out);
    let end = " passed. Next: glued; '--stage glued' runs only this stage\n";
    assert!(judged.out.ends_with(end), "{}", judged.out);
    let report = std::fs::read_to_string(report).unwrap();
    let stages = [judged.marked('✓'), judged.marked('✗')].concat();
    assert_eq!((stages.len(), judged.marked('✗')), (8, vec!["glued"]), "{}", judged.out);
    let heads = stages.iter().map(|stage| format!("<h2 id=\"{stage}\">{stage}</h2>"));
    let parts = [
        "tcp-server glued {host} {port}",
        "--seed 0",
        "Hello, Michael\\nexit!",
        "treats what one recv returned as one message",
    ];
    for part in heads.chain(parts.map(str::to_owned)) {
        assert!(report.contains(&part), "'{part}' is not in {report}");
    }
}

#[cfg(unix)]
#[test]
fn the_notes_server_in_python_fails_where_its_mistakes_are_known() {
    if !crate::process::has_tool("python3", &["--version"]) {
        return;
    }
    let notes = include_str!("../../src/tasks/bench/notes/tcp_server.py");
    let notes = notes.replace("import socket", "import socket, sys");
    let notes = notes.replace("('127.0.0.1', 0)", "(sys.argv[1], int(sys.argv[2]))");
    let notes = notes.replace("\\n'", "'").replace(".strip()", ""); // the notes mark no end of a message
    let command = ["python3", "-c", &notes, "{host}", "{port}"];
    let judged = side_by_side("tcp-server", &["--framing=raw", "--patience=8"], &command);
    assert_eq!(judged.marked('✗'), ["bytes", "stops", "restart"], "{}", judged.out);
    assert!(judged.marked('?').is_empty(), "{}", judged.out);
}

#[test]
fn a_server_that_answers_everything_with_everything_does_not_get_far() {
    let command = [&twins(), "tcp-server", "anything", "{host}", "{port}"];
    let judged = side_by_side("tcp-server", &["--patience=3"], &command);
    let kept = judged.marked('✓');
    assert_eq!(kept, ["listens", "restart"], "{}", judged.out);
}

#[test]
fn a_program_that_cannot_be_started_is_an_error_in_the_language_asked_for() {
    for (lang, why) in [("en", "cannot start './no-such-program'"), ("zh", "无法启动“./no-such-program”")]
    {
        failing("xtask", &["grade", "tcp-server", "--lang", lang, "--", "./no-such-program", "{port}"], why);
    }
}

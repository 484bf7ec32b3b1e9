//! Where a page is saved, and that what came is not lost at the last step.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::path::Path;

use common::replacement::Replacement;
use xtask::{Lab, Scratch};

use crate::get::{HELLO, origin};
use crate::{files, run_on};

#[test]
fn what_cannot_be_saved_is_said_before_the_page_is_asked_for() {
    let mut lab = Lab::discarding().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/page", listener.local_addr().unwrap());
    for (file, why) in [
        ("new/", "that is a directory's name - "),
        ("none/page", "its directory would not take a new file: "),
        (".", "that is a directory's name - "),
        ("", ""),
        (&"x".repeat(256), ""),
    ] {
        let outcome = run_on(&mut lab, "tcp-client", &["get", &url, &format!("-o={file}")]);
        assert_eq!((outcome.status, outcome.said.len()), (Some(1), 0), "{file}: {outcome:?}");
        assert!(outcome.complained[0].contains(&format!(": cannot write to '{file}': {why}")), "{outcome:?}");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
    assert!(files(&lab).is_empty());
}

#[test]
fn a_page_whose_place_is_lost_at_the_last_step_is_kept_and_the_error_says_where() {
    let mut lab = Lab::discarding().unwrap();
    let target = lab.directory().join("page");
    let origin = origin(move |stream| {
        fs::create_dir(&target)?;
        stream.write_all(HELLO)
    });
    let outcome = run_on(&mut lab, "tcp-client", &["get", &format!("http://{}/page", origin.address)]);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    let kept = files(&lab).into_iter().find(|name| name != "page").unwrap();
    assert_eq!(fs::read(lab.directory().join(&kept)).unwrap(), b"hello");
    let said = outcome.complained.last().unwrap();
    assert!(said.contains(&format!(": cannot write to 'page': all of it is in '{kept}': ")), "{said}");
}

fn contents(directory: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()))
        .collect()
}

#[test]
fn a_name_that_another_process_of_our_number_has_taken_is_left_alone() {
    for (is_finished, content) in [(true, "new"), (false, "old")] {
        let directory = Scratch::new().unwrap();
        let path = directory.path().join("page");
        let taken = format!(".page.{}-0.part", std::process::id());
        fs::write(&path, "old").unwrap();
        fs::write(directory.path().join(&taken), "another's").unwrap();
        let mut replacement = Replacement::of(&path).unwrap();
        replacement.write_all(b"new").unwrap();
        assert_eq!(contents(directory.path()).len(), 3);
        if is_finished {
            replacement.finish().unwrap();
        } else {
            drop(replacement);
        }
        let left = [(taken, "another's".into()), ("page".into(), content.into())];
        assert_eq!(contents(directory.path()), left.into());
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::process::{ExitStatus, Stdio};

    use crate::process::{self, signal};

    /// Runs a command of the shell in the lab's directory, with tcp-client as `$CLIENT` and a page as `$URL`.
    fn sh(lab: &Lab, command: &str) -> ExitStatus {
        let client = xtask::path_of("tcp-client").unwrap();
        let (hello, mut shell) = (crate::get::replying(HELLO), process::command("sh"));
        shell.args(["-c", command]).env("CLIENT", client);
        shell.env("URL", format!("http://{}/page", hello.address));
        shell.current_dir(lab.directory()).output().unwrap().status
    }

    #[test]
    fn an_output_that_is_open_is_written_to_where_it_stands_and_nothing_behind_it_is_lost() {
        let lab = Lab::discarding().unwrap();
        std::os::unix::fs::symlink("/dev/stdout", lab.directory().join("link")).unwrap();
        for (file, redirected) in [
            ("/dev/stdout", "> log"),
            ("/dev/stdout", ">> log"),
            ("link", ">> log"),
            ("/dev/stderr", "2>> log >&2"),
            ("/dev/fd/5", "5>> log >&5"),
        ] {
            fs::write(lab.directory().join("log"), "before\n").unwrap();
            let command =
                format!("{{ echo first; \"$CLIENT\" get \"$URL\" -o {file}; echo after; }} {redirected}");
            assert!(sh(&lab, &command).success(), "{command}");
            let log = fs::read_to_string(lab.directory().join("log")).unwrap();
            let before = if redirected.contains(">>") { "before\n" } else { "" };
            assert!(log.starts_with(&format!("{before}first\nHTTP/1.1 200 OK\n")), "{command}: {log}");
            assert!(log.contains("hello") && log.contains("saved 5 bytes in "), "{command}: {log}");
            assert!(log.ends_with("after\n"), "{command}: {log}");
            assert!(lab.directory().join("link").is_symlink());
        }
        // As bash's `>(COMMAND)`, which is a pipe's end.
        let command = "{ \"$CLIENT\" get \"$URL\" -o /dev/fd/5 > said; } 5>&1 | cat > log";
        assert!(sh(&lab, command).success());
        assert_eq!(fs::read(lab.directory().join("log")).unwrap(), b"hello");
        for (file, redirected) in [("/dev/fd/5", "5>&-"), ("/dev/stdout", "< log >&0")] {
            let command = format!("\"$CLIENT\" get \"$URL\" -o {file} {redirected}");
            assert!(!sh(&lab, &command).success(), "{redirected}");
        }
    }

    #[test]
    fn a_page_is_saved_though_what_is_said_of_it_is_lost_and_that_is_said() {
        if !std::path::Path::new("/dev/full").exists() {
            println!("not available here: a device that is full");
            return;
        }
        let lab = Lab::discarding().unwrap();
        assert_eq!(sh(&lab, "\"$CLIENT\" get \"$URL\" > /dev/full 2> said").code(), Some(1));
        assert_eq!(fs::read(lab.directory().join("page")).unwrap(), b"hello");
        let said = fs::read_to_string(lab.directory().join("said")).unwrap();
        assert!(said.contains("cannot write to standard output: "), "{said}");
    }

    #[test]
    fn an_interrupted_demo_leaves_the_old_page_and_no_litter() {
        let lab = Lab::discarding().unwrap();
        fs::write(lab.directory().join("page.html"), "old").unwrap();
        let mut demo = crate::program("xtask");
        demo.args(["demo", "crowd", "--step", "--html", "page.html"]).current_dir(lab.directory());
        let mut demo = demo.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let _enter_is_not_pressed = demo.stdin.take();
        demo.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap(); // the unfinished file is there by now
        assert_eq!(files(&lab).len(), 2);
        signal(demo.id(), "INT");
        assert_eq!(demo.wait().unwrap().code(), Some(130));
        assert_eq!(files(&lab), ["page.html"]);
        assert_eq!(fs::read(lab.directory().join("page.html")).unwrap(), b"old");
    }

    #[test]
    fn a_file_that_is_mounted_on_gets_the_pages_content_in_its_own_place() {
        let lab = Lab::discarding().unwrap();
        if !sh(&lab, "unshare -rm true 2>/dev/null").success() {
            println!("not available here: a mount of one's own");
            return;
        }
        for name in ["host", "page"] {
            fs::write(lab.directory().join(name), "what was there, and longer").unwrap();
        }
        let command = "mount --bind host page && \"$CLIENT\" get \"$URL\"";
        assert!(sh(&lab, &format!("unshare -rm sh -c '{command}'")).success());
        assert_eq!(fs::read(lab.directory().join("host")).unwrap(), b"hello");
        assert_eq!(files(&lab).len(), 2);
    }

    #[test]
    fn a_file_that_is_more_than_a_name_and_its_mode_bits_is_written_into() {
        for (mode, has_two_names, is_same_file) in
            [(0o644, false, false), (0o600, false, false), (0o640, false, true), (0o600, true, true)]
        {
            let directory = Scratch::new().unwrap();
            let path = directory.path().join("page");
            fs::write(&path, "old, and longer").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            if has_two_names {
                fs::hard_link(&path, directory.path().join("too")).unwrap();
            }
            let before = fs::metadata(&path).unwrap().ino();
            let mut replacement = Replacement::of(&path).unwrap();
            let all = contents(directory.path());
            let unfinished = all.keys().find(|name| name.starts_with(".page.")).unwrap();
            let private = fs::metadata(directory.path().join(unfinished)).unwrap().mode() & 0o777;
            replacement.write_all(b"new").unwrap();
            replacement.finish().unwrap();
            let after = fs::metadata(&path).unwrap();
            assert_eq!((private, after.mode() & 0o777, after.ino() == before), (0o600, mode, is_same_file));
            let all = contents(directory.path());
            assert_eq!(all.values().collect::<Vec<_>>(), vec!["new"; 1 + usize::from(has_two_names)]);
        }
    }
}

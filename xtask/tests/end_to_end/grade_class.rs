//! The programs of a class, judged at once: our twins are the submissions.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use xtask::Scratch;
use xtask::exercises::TCP_SERVER;

use crate::grade::{Printout, grade, twins};

/// A directory of submissions: a server, and one with this mistake, each.
fn class(mistakes: &[&str]) -> Scratch {
    let class = Scratch::new().unwrap();
    for mistake in mistakes {
        fs::create_dir(class.path().join(mistake)).unwrap();
        fs::write(class.path().join(mistake).join("mistake"), mistake).unwrap();
    }
    class
}

/// Grades them: a twin takes its mistake from a file in its directory.
fn grade_class(directory: &Path, options: &[&str]) -> Printout {
    let (twins, directory) = (twins(), directory.to_str().unwrap());
    let command = ["--", &twins, "tcp-server", "{dir}/mistake", "{host}", "{port}"];
    grade(&[&["tcp-server", "--patience=2", "--each"], options, &[directory], &command].concat())
}

#[test]
fn a_class_is_judged_with_a_table_a_sum_and_a_file_for_each_reader() {
    let class = class(&["again-ignored", "crashes", "none"]);
    let files = Scratch::new().unwrap();
    let [html, json, csv, junit] = ["html", "json", "csv", "xml"].map(|ending| {
        let file = files.path().join("class").with_extension(ending);
        file.to_str().unwrap().to_owned()
    });
    let options = ["--html", &html, "--json", &json, "--csv", &csv, "--junit", &junit];
    let judged = grade_class(class.path(), &options);
    assert_eq!(judged.status, Some(1), "{}", judged.out);
    let all = TCP_SERVER.stages.len();
    let open = |count| " .".repeat(all - count);
    let ignored = if cfg!(target_os = "linux") { "next-name-ignored" } else { "one-name-taken" };
    for line in [
        "none           ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ".to_owned(),
        format!("crashes        ✗{}  0 of {all}   failed at listens (failed-first)\n", open(1)),
        format!(
            "again-ignored  ✓ ✓ ✓ ?{}  3 of {all}   undecided at again ({ignored}); tested again",
            open(4)
        ),
        "tested again, with no other at the same time, because a stage was undecided: 1\n".to_owned(),
        "3 submissions: 1 passed all, 1 ".to_owned(),
    ] {
        assert!(judged.out.contains(&line), "'{line}' is not in {}", judged.out);
    }
    let lost = |count| format!("skipped=\"{}\" ", all - count);
    for (file, part) in [
        ("csv", "name,passed,of,next,mistake,listens,welcome,".to_owned()),
        ("csv", format!("\r\nagain-ignored,3,{all},again,{ignored},passed,passed,passed,undecided,,")),
        ("csv", format!("\r\ncrashes,0,{all},listens,failed-first,failed,,")),
        ("json", "{\"schema\": \"xtask grade 1\"".into()),
        ("json", "{\"name\": \"crashes\", \"passed\": 0, \"of\": ".into()),
        ("json", "\"verdict\": \"not judged\"".into()),
        ("json", "\"judged_again\": true".into()),
        ("json", format!("\"mistake\": \"{ignored}\"")),
        ("xml", format!("\"crashes\" tests=\"{all}\" failures=\"1\" errors=\"0\" {}", lost(1))),
        ("xml", format!("\"again-ignored\" tests=\"{all}\" failures=\"0\" errors=\"1\" {}", lost(4))),
        ("xml", "<failure message=\"your program has ended (exit status 101)".into()),
        ("html", "title=\"listens: failed\">✗<span class=\"twin\"> failed</span>".into()),
        ("html", "<b>1 × failed-first</b>".into()),
    ] {
        let content = fs::read_to_string(files.path().join("class").with_extension(file)).unwrap();
        assert!(content.contains(&part), "'{part}' is not in {content}");
    }
}

#[test]
fn numbers_stand_for_names_where_that_is_asked_for() {
    let class = class(&["crashes"]);
    let page = class.path().join("x.html");
    let judged =
        grade_class(class.path(), &["--anonymous", "--stage=listens", "--html", page.to_str().unwrap()]);
    assert!(judged.out.contains("\n1       ✗  0 of 1    failed at listens"), "{}", judged.out);
    let page = fs::read_to_string(page).unwrap();
    let directory = class.path().join("crashes");
    assert!(!judged.out.contains(directory.to_str().unwrap()) && !page.contains(directory.to_str().unwrap()));
}

#[cfg(unix)]
#[test]
fn each_of_several_times_is_counted_and_the_worst_is_the_verdict() {
    let (scratch, twins) = (Scratch::new().unwrap(), twins());
    let once = scratch.path().join("once");
    let grade = |first: &str| {
        let script = "mkdir \"$0\" && exec \"$1\" tcp-server none \"$3\" \"$4\"; exec \"$1\" tcp-server \"$2\" \"$3\" \"$4\"";
        let command = ["--", "sh", "-c", script, once.to_str().unwrap(), &twins, first, "{host}", "{port}"];
        grade(&[&["tcp-server", "--repeat=3", "--stage=welcome", "--brief"], &command[..]].concat())
    };
    let judged = grade("welcome");
    assert!(judged.out.contains("✗ welcome ") && judged.status == Some(1), "{}", judged.out);
    assert!(judged.out.contains("that connects (1 of 3)\n"), "{}", judged.out);
    let judged = grade("none");
    assert!(judged.out.contains("that connects (3 of 3)\n") && judged.status == Some(0), "{}", judged.out);
}

#[test]
fn a_server_that_runs_already_is_judged_by_what_its_address_answers() {
    let server = crate::TestedServer::start("tcp-server", &["--delay=0"]);
    let at = server.address.to_string();
    let judged = grade(&["tcp-server", "--all", "--at", &at]);
    assert_eq!((judged.marked('✗'), judged.status), (vec![], Some(0)), "{}", judged.out);
    assert_eq!(judged.marked('-'), ["tidy", "stops", "restart"], "{}", judged.out);

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(); // and nobody is there any more
    let ben = format!("ben={closed}");
    let judged = grade(&["tcp-server", "--each", "--stage=listens", &format!("anna={at}"), &ben]);
    let table = "\nanna    ✓  1 of 1\nben     ✗  0 of 1    failed at listens";
    assert!(judged.out.contains(table) && judged.status == Some(1), "{}", judged.out);
    let judged = grade(&["udp-client", "--at", &at]);
    assert!(judged.out.contains("the command that starts your program is missing"), "{}", judged.out);
}

#[test]
fn what_a_class_cannot_be_judged_with_is_said_before_anything_is_started() {
    let class = class(&["a"]);
    let (empty, same) = (class.path().join("empty"), class.path().join("more"));
    fs::create_dir(&empty).unwrap();
    fs::create_dir_all(same.join("a")).unwrap();
    let [whole, a, other, empty] = [class.path().into(), class.path().join("a"), same.join("a"), empty]
        .map(|path: std::path::PathBuf| path.to_str().unwrap().to_owned());
    let file = format!("{a}/mistake");
    let command = ["--", "./no-such-program", "{dir}", "{host}", "{port}"];
    for (args, told) in [
        (&["--each", &empty][..], "no directory to grade"),
        (&["--each"], "no directory to grade"),
        (&["--each", &a, &other], "two submissions are called 'a'"),
        (&["--each", &a, &file], "is not a directory"),
        (&["--each", &whole, "--json=/no/such/place.json"], "cannot write to '/no/such/place.json'"),
        (&["--each", &whole, "--csv=x.txt"], "--csv 'x.txt': the file's name must end in .csv"),
        (&["--each", &whole, "--watch"], "--each cannot be used with --watch"),
        (&[], "{dir} in a command needs --each"),
    ] {
        let judged = grade(&[&["tcp-server"], args, &command].concat());
        assert_eq!(judged.status, Some(2), "{args:?}: {}", judged.out);
        assert!(judged.out.contains(told), "{args:?}: {}", judged.out);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_what_has_been_judged() {
    let class = class(&["crashes", "never-binds"]);
    let mut lab = xtask::Lab::discarding().unwrap();
    let options = ["grade", "--lang=en", "tcp-server", "--jobs=1", "--csv=class.csv", "--each"];
    let script = "case $0 in */never-*) : >\"$0/started\";; esac; exec \"$@\"";
    let shell = [class.path().to_str().unwrap(), "--", "sh", "-c", script, "{dir}"];
    let twin = [&*twins(), "tcp-server", "{dir}/mistake", "{host}", "{port}"];
    let judge = crate::start_on(&lab, "xtask", &[&options[..], &shell, &twin].concat());
    let started = class.path().join("never-binds").join("started");
    crate::process::eventually("the second is judged", || started.exists().then_some(()));
    assert!(judge.interrupt());
    let done = lab.wait_for_end(judge).unwrap();
    assert_eq!(done.status, Some(130));
    assert!(done.complained.last().unwrap().ends_with("interrupted: 1 of 2 were tested"), "{done:?}");
    let csv = fs::read_to_string(lab.directory().join("class.csv")).unwrap();
    assert!(csv.contains("\r\ncrashes,0,") && !csv.contains("never-binds"), "{csv}");
}

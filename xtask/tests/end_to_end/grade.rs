//! The judge is judged: our own programs pass every stage, and each twin with one mistake fails its own and is told
//! which mistake it is.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Condvar, LazyLock, Mutex};
use std::thread;

use xtask::exercises::{ALL, Exercise, Mistake};

use crate::evidence::evidence;
use crate::has_ipv6;
use crate::process::command;
use crate::twins::{By, Expectation, rows};

/// What a run of the judge printed, and how it ended.
pub struct Printout {
    pub out: String,
    pub status: Option<i32>,
}

impl Printout {
    /// The stages with this mark, in order.
    pub fn marked(&self, mark: char) -> Vec<&str> {
        let marked = self.out.lines().filter_map(|line| line.strip_prefix(mark)?.strip_prefix(' '));
        marked.filter_map(|line| line.split(' ').next()).collect()
    }

    /// Each stage that failed or is undecided: its mark and its name, and the mistake that is told, with its lesson.
    pub fn failures(&self) -> Vec<(String, String)> {
        let lines: Vec<_> = self.out.lines().collect();
        let stages = lines.chunk_by(|_, next| !next.is_empty() && !next.starts_with(['✗', '?', '✓', '-']));
        stages
            .filter(|lines| lines[0].starts_with(['✗', '?']))
            .map(|lines| {
                let part = lines.join("\n");
                let hint = part.split_once("\n    → ").map_or("", |(_, hint)| hint);
                (words(&part, 2), words(hint, usize::MAX))
            })
            .collect()
    }
}

/// The first words of a text, on one line.
fn words(text: &str, count: usize) -> String {
    text.split_whitespace().take(count).collect::<Vec<_>>().join(" ")
}

fn told(Mistake { lesson, words: [en, _], .. }: &Mistake) -> String {
    let see = if lesson.is_empty() { String::new() } else { format!(" see it: cargo xtask demo {lesson}") };
    words(en, usize::MAX) + &see
}

fn exercise(kind: &str) -> &'static Exercise {
    ALL.into_iter().find(|exercise| exercise.name == kind).unwrap()
}

fn mistake(kind: &str, name: &str) -> &'static Mistake {
    let mistakes = exercise(kind).mistakes();
    mistakes.into_iter().find(|mistake| mistake.name == name).unwrap_or_else(|| panic!("{kind}: {name}"))
}

/// The run failed exactly these: marks, stages, and the mistakes that are told; where none is named, any.
pub fn assert_fails(judged: &Printout, kind: &str, expected: &[&str], of: &str) {
    let failures = judged.failures();
    let stages: Vec<_> = failures.iter().map(|(stage, _)| stage.as_str()).collect();
    let expected_stages: Vec<_> = expected.iter().map(|fails| words(fails, 2)).collect();
    assert_eq!(stages, expected_stages, "{kind} {of}: {}", judged.out);
    for ((stage, hint), fails) in failures.iter().zip(expected) {
        if let Some(name) = fails.split(' ').nth(2) {
            assert_eq!(*hint, told(mistake(kind, name)), "{kind} {of} in {stage}: {}", judged.out);
        }
    }
    let status = match expected {
        [] => 0,
        _ if expected.iter().all(|fails| fails.starts_with('?')) => 3,
        _ => 1,
    };
    assert_eq!(judged.status, Some(status), "{kind} {of}: {}", judged.out);
}

/// So many judges run at once, whatever the tests: each waits more than it works, and has pipes open here.
static PLACES: (Mutex<usize>, Condvar) = (Mutex::new(24), Condvar::new());

pub fn grade(args: &[&str]) -> Printout {
    let (free, is_free) = &PLACES;
    *is_free.wait_while(free.lock().unwrap(), |free| *free == 0).unwrap() -= 1;
    let done = crate::program("xtask").args(["grade", "--lang=en"]).args(args).output();
    *free.lock().unwrap() += 1;
    is_free.notify_one();
    let done = done.unwrap();
    let out = format!("{}{}", String::from_utf8(done.stdout).unwrap(), String::from_utf8_lossy(&done.stderr));
    for line in out.lines().filter(|line| line.contains('│')) {
        assert!(xtask::width(line) <= 100, "{line}");
    }
    Printout { out, status: done.status.code() }
}

/// The programs with one mistake each, built where this test was.
pub fn twins() -> String {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let own = PathBuf::from(env!("CARGO_BIN_EXE_xtask"));
        let profile = own.parent().unwrap();
        let mut target = profile.parent().unwrap().to_owned();
        let mut cargo = command(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package=xtask", "--example=twins"]);
        if target.ends_with(env!("TARGET_TRIPLE")) {
            cargo.args(["--target", env!("TARGET_TRIPLE")]);
            target.pop();
        }
        cargo.arg("--target-dir").arg(target);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "cargo builds the twins");
        profile.join("examples").join("twins").with_extension(std::env::consts::EXE_EXTENSION)
    });
    BUILT.to_str().unwrap().to_owned()
}

/// Judges a twin by all stages, or up to the first where it does not even begin: then it fails all that follow.
pub fn twin(kind: &str, name: &str, options: &[&str]) -> Printout {
    let twins = twins();
    let places = if kind == "get" { ["{url}", "{out}"] } else { ["{host}", "{port}"] };
    let row = rows().into_iter().find(|(of, twin)| (*of, twin.name) == (kind, name));
    let first = row.and_then(|(_, twin)| twin.fails.first()?.split(' ').nth(1)).unwrap_or_default();
    let is_early = ["listens", "binds", "welcome", "greets", "length"].contains(&first);
    let all = if is_early { &[][..] } else { &["--all"] };
    grade(&[&[kind], all, options, &["--", &twins, kind, name], &places].concat())
}

/// Judges a command by each stage alone, side by side.
pub fn side_by_side(kind: &str, options: &[&str], command: &[&str]) -> Printout {
    let sheet = grade(&[kind, "--list"]).out;
    let is_numbered = |line: &&str| line.trim_start().starts_with(|first: char| first.is_ascii_digit());
    let names = sheet.lines().filter(is_numbered).filter_map(|line| line.split_whitespace().nth(1));
    let judge = |name| grade(&[&[kind, "--stage", name], options, &["--"], command].concat());
    let judged = thread::scope(|scope| {
        let threads: Vec<_> = names.map(|name| scope.spawn(move || judge(name))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let failed = judged.iter().find(|judged| judged.status != Some(0));
    let status = failed.map_or(Some(0), |judged| judged.status);
    Printout { out: judged.into_iter().map(|judged| judged.out).collect(), status }
}

pub fn path(name: &str) -> String {
    xtask::path_of(name).unwrap().to_str().unwrap().to_owned()
}

/// Judges each row, side by side: a judge waits more than it works.
pub fn each<T: Sync>(rows: &[T], judge: impl Fn(&T) + Sync) {
    thread::scope(|scope| rows.iter().for_each(|row| drop(scope.spawn(|| judge(row)))));
}

/// The run passed every stage but these, which cannot be judged here.
fn assert_passes(judged: &Printout, kind: &str, but: &[&str]) {
    let elsewhere: &[_] = if cfg!(target_os = "linux") { &[] } else { &["tidy", "still"] };
    let but: Vec<_> = [but, elsewhere, if cfg!(unix) { &[] } else { &["stops"] }].concat();
    let all = exercise(kind).stages.iter().map(|stage| stage.name);
    let passed: Vec<_> = all.filter(|name| !but.contains(name)).collect();
    assert_eq!((judged.marked('✓'), judged.status), (passed, Some(0)), "{kind}: {}", judged.out);
}

#[test]
fn our_programs_pass_every_stage_in_every_framing_over_both_ip_versions() {
    let [tcp_server, udp_server, tcp_client, udp_client] =
        ["tcp-server", "udp-server", "tcp-client", "udp-client"].map(path);
    let ip_versions = [("4", "{host}:{port}"), ("6", "[{host}]:{port}")];
    let rows: Vec<_> = ip_versions
        .into_iter()
        .filter(|(ip, _)| *ip == "4" || has_ipv6())
        .flat_map(|(ip, at)| {
            let framed = ["line", "length", "raw"].map(|framing| {
                let server = vec![&*tcp_server, at, "--delay=0", "--framing", framing];
                let client = vec![&*tcp_client, "greet", at, "--timeout=12", "--framing", framing];
                [("tcp-server", framing, server), ("tcp-client", framing, client)]
            });
            let others = [
                ("udp-server", "line", vec![&*udp_server, at]),
                ("udp-client", "line", vec![&*udp_client, at]),
                ("get", "line", vec![&*tcp_client, "get", "{url}", "-o", "{out}"]),
            ];
            framed.into_iter().flatten().chain(others).map(move |row| (ip, row))
        })
        .collect();
    each(&rows, |(ip, (kind, framing, command))| {
        let judged = grade(&[&[kind, "--ip", ip, "--framing", framing, "--"], &command[..]].concat());
        assert_passes(&judged, kind, if *framing == "raw" { &["glued", "cut"] } else { &[] });
    });
}

#[test]
fn a_program_with_one_mistake_fails_its_stage_and_is_told_which_mistake_it_is() {
    let rows: Vec<_> = rows().into_iter().filter(|(_, row)| row.by != By::Own && row.is_here).collect();
    each(&rows, |(kind, Expectation { name, by, fails, patience, .. })| {
        // Far from every limit of the twins, of which the TCP client waits longest: 8 s.
        let patience = format!("--patience={patience}");
        if *by == By::All {
            return assert_fails(&twin(kind, name, &[&patience]), kind, fails, name);
        }
        for fails in fails.chunks(1) {
            let stage = fails[0].split(' ').nth(1).unwrap();
            let judged = twin(kind, name, &[&patience, &format!("--stage={stage}")]);
            let fails: Vec<_> = fails.iter().copied().filter(|fails| !fails.starts_with('✓')).collect();
            assert_fails(&judged, kind, &fails, name);
        }
    });
}

#[test]
fn every_mistake_of_every_list_is_met_by_a_twin_or_by_evidence() {
    let mut met = BTreeSet::new();
    for (kind, twin) in rows() {
        met.extend(twin.fails.iter().filter_map(|fails| Some((kind, fails.split(' ').nth(2)?))));
    }
    for (kind, stage, seen, name) in evidence() {
        let exercise = exercise(kind);
        let likely = exercise.likely(exercise.stage(stage).unwrap(), &seen);
        assert_eq!(likely.map(|mistake| mistake.name), Some(name), "{kind} {stage}: {seen:?}");
        met.insert((kind, name));
    }
    let all = ALL.iter().flat_map(|kind| kind.mistakes().into_iter().map(|one| (kind.name, one.name)));
    assert_eq!(met, all.collect(), "of those that are met, and those of the lists");
}

#[test]
fn an_unknown_twin_is_an_error_and_no_faultless_program() {
    let done = command(twins()).args(["tcp-server", "soup", "127.0.0.1", "1"]).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("no twin 'soup'"));
}

#[test]
fn silence_alone_decides_nothing_in_any_stage() {
    let rows = rows();
    let silent = rows.iter().filter(|(_, twin)| {
        twin.by == By::Own && twin.is_here && twin.fails.iter().any(|it| it.starts_with('?'))
    });
    each(&silent.collect::<Vec<_>>(), |(kind, Expectation { name, fails, .. })| {
        let judged = side_by_side(kind, &["--patience=3"], &[&twins(), kind, name, "{host}", "{port}"]);
        let first = judged.failures().into_iter().next().unwrap_or_default();
        let (stage, cause) = fails[0].rsplit_once(' ').unwrap();
        assert_eq!(first, (stage.to_owned(), told(mistake(kind, cause))), "{name}: {}", judged.out);
        assert!(judged.marked('✗').is_empty() && judged.status == Some(3), "{name}: {}", judged.out);
    });
}

#[test]
fn a_seed_repeats_the_names_of_a_run_and_0_has_those_of_the_notes() {
    let got = |seed: &str| {
        let judged = twin("tcp-server", "other-words", &["--stage=greets", seed]);
        judged.out.lines().find_map(|line| line.trim().strip_prefix("got ")).unwrap().trim().to_owned()
    };
    assert_eq!(got("--seed=0"), "'Hello, Michael?\\n'");
    assert_eq!(got("--seed=5"), got("--seed=5"));
    assert_ne!(got("--seed=5"), got("--seed=6"));
}

#[test]
fn where_nothing_came_the_program_was_looked_at() {
    let rows = [
        ("tcp-server", "crowd", "crowd", "got       #2 received it only after #1 had disconnected"),
        ("udp-server", "clients", "clients", "got       #1 received it"),
        ("tcp-server", "never-accepts", "welcome", "1 connected, 0 accepted"),
        ("tcp-server", "never-answers", "welcome", "thread 1 in accept; thread 2 in recv on #1"),
    ];
    let by_kernel = if cfg!(target_os = "linux") { 2 } else { 0 };
    each(&rows[..2 + by_kernel], |(kind, name, stage, told)| {
        let judged = twin(kind, name, &["--patience=4", &format!("--stage={stage}")]);
        assert!(judged.out.contains(told), "{}", judged.out);
    });
}

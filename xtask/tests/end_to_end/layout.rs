//! The walls between the rooms of xtask, which are its folders and files in `src/`: who may name whom.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Each room, and those that it may name.
const ROOMS: [(&str, &str); 12] = [
    ("random", ""),
    ("words", ""),
    ("checks", "words"),
    ("wire", "random words checks"),
    ("programs", "random words checks"),
    ("peers", "random words checks wire"),
    ("exercises", "random words checks wire peers"),
    ("lab", "random words checks wire programs"),
    ("drawing", "random words checks wire"),
    ("play", "random words checks wire programs exercises lab drawing"),
    ("lessons", "random words checks wire programs peers exercises lab drawing play"),
    ("tasks", "random words checks wire programs peers exercises lab drawing play lessons"),
];

/// What tasks share; otherwise no task names another.
const SHARED: [&str; 3] = ["json", "shown", "wanted"];

/// The files of xtask by their modules, as `tasks/grade`, and what each holds; `mod.rs` is its folder.
type Files = BTreeMap<String, String>;

fn child(module: &str, name: &str) -> String {
    format!("{module}/{name}").trim_start_matches('/').into()
}

fn read(directory: &Path, inside: &str, files: &mut Files) {
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let module = if name == "mod" { inside.into() } else { child(inside, name) };
        if path.is_dir() {
            read(&path, &module, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

fn xtask() -> Files {
    let mut files = Files::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    files.retain(|module, _| module != "main" && module != "lib");
    files
}

/// The paths in code, those of `a::{b, c::{d, e}}` one by one.
fn paths(code: &str) -> Vec<String> {
    let code: Vec<_> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let (mut found, mut groups, mut path) = (Vec::new(), Vec::<String>::new(), String::new());
    for c in code.join("\n").chars() {
        if c.is_alphanumeric() || "_:".contains(c) {
            path.push(c);
            continue;
        }
        let whole = groups.concat() + &path;
        if c == '{' && path.ends_with("::") {
            groups.push(path.clone());
        } else if !path.is_empty() && whole.contains("::") {
            found.push(whole);
        }
        if c == '}' {
            groups.pop();
        }
        path.clear();
    }
    found
}

/// The module that a path leads to from another one, as deep as there are files; none where it leads out of xtask.
fn module_of(path: &str, from: &str, files: &Files) -> Option<String> {
    let first = path.split("::").next()?;
    if !["crate", "self", "super"].contains(&first) && !files.contains_key(&child(from, first)) {
        return None;
    }
    let mut at = from.to_owned();
    for step in path.split("::") {
        match step {
            "crate" => at.clear(),
            "self" => {}
            "super" => at.truncate(at.rfind('/').unwrap_or(0)),
            _ if files.contains_key(&child(&at, step)) => at = child(&at, step),
            _ => break,
        }
    }
    Some(at)
}

/// The modules that a file names: outside of its tests, and in them.
fn named(module: &str, files: &Files) -> [Vec<String>; 2] {
    let text = &files[module];
    let (code, tests) = text.split_once("mod tests {").unwrap_or((text, ""));
    [(code, module), (tests, &*child(module, "tests"))]
        .map(|(code, from)| paths(code).iter().filter_map(|path| module_of(path, from, files)).collect())
}

/// Whether a file may not name a module.
fn is_trespass(file: &str, named: &str) -> bool {
    let [(own, task), (room, other)] =
        [file, named].map(|module| module.split_once('/').unwrap_or((module, "")));
    if own != room {
        let may_name = |(of, rooms): &(&str, &str)| *of == own && rooms.split(' ').any(|name| name == room);
        return !ROOMS.iter().any(may_name);
    }
    let [task, other] = [task, other].map(|module| module.split('/').next().unwrap_or_default());
    let is_another = own == "tasks" && task != other && !task.is_empty() && !other.is_empty();
    is_another && (SHARED.contains(&task) || !SHARED.contains(&other))
}

/// Files that name each other, straight or around, and those that lead there. A folder's `mod.rs` and what is in the
/// folder may.
fn circles(files: &Files) -> Vec<String> {
    let others = |module: &String| {
        let [code, _] = named(module, files);
        code.into_iter()
            .filter(|other| !format!("{module}/").starts_with(&format!("{other}/")))
            .collect::<Vec<_>>()
    };
    let mut left: BTreeMap<_, _> = files.keys().map(|module| (module.clone(), others(module))).collect();
    loop {
        let before: Vec<_> = left.keys().cloned().collect();
        left.retain(|_, others| others.iter().any(|other| before.contains(other)));
        if left.len() == before.len() {
            return before;
        }
    }
}

#[test]
fn no_file_names_another_one_across_a_wall() {
    let files = xtask();
    for module in files.keys() {
        for other in named(module, &files).concat() {
            assert!(!is_trespass(module, &other), "{module} names {other}");
        }
    }
}

#[test]
fn no_two_files_name_each_other_in_a_circle() {
    assert_eq!(circles(&xtask()), [""; 0]);
}

fn files(texts: &[(&str, &str)]) -> Files {
    texts.iter().map(|(file, text)| ((*file).into(), (*text).into())).collect()
}

#[test]
fn what_is_named_across_a_wall_is_seen_however_it_is_written() {
    for (file, text, found, is_wrong) in [
        ("wire/event", "use crate::drawing::style::Ink;", "drawing/style", true),
        ("lab", "use super::drawing::style;", "drawing/style", true),
        ("peers/guest", "fn ink() -> super::super::drawing::style::Ink {}", "drawing/style", true),
        ("programs", "mod tests {\n    use super::super::drawing::style::Ink;", "drawing/style", true),
        ("checks", "    let ink = crate::drawing::style::Ink::Good;", "drawing/style", true),
        ("wire/event", "use crate::{\n    checks,\n    drawing::{style, page},\n};", "drawing/style", true),
        ("lessons/loss", "use crate::tasks::demo;", "tasks/demo", true),
        ("tasks/grade", "use super::demo::Only;", "tasks/demo", true),
        ("tasks/shown", "use super::demo::Only;", "tasks/demo", true),
        ("tasks/demo", "use super::shown;", "tasks/shown", false),
        ("drawing/page", "use crate::lab::Lab;", "lab", true),
        ("wire/event", "use crate::Style;", "", true),
        ("wire/event", "use super::guest;", "wire/guest", false),
        ("wire/event", "// use crate::tasks::demo;\nuse crate::words;", "words", false),
    ] {
        let places = "drawing drawing/style tasks tasks/demo tasks/shown checks lab wire/guest words";
        let mut files = files(&places.split(' ').map(|place| (place, "")).collect::<Vec<_>>());
        files.insert(file.into(), text.into());
        let named = named(file, &files).concat();
        assert!(named.iter().any(|module| module == found), "{text}: {named:?}");
        assert_eq!(named.iter().any(|module| is_trespass(file, module)), is_wrong, "{file}: {text}");
    }
}

#[test]
fn a_circle_is_seen_straight_or_around_and_a_folder_is_none() {
    let around = [
        ("a/x", "use super::y;"),
        ("a/y", "use crate::a::z::Z;"),
        ("a/z", "use super::{w, x};"),
        ("a/w", ""),
        ("a", ""),
    ];
    assert_eq!(circles(&files(&around)), ["a/x", "a/y", "a/z"]);
    let tests = "use super::x;\nmod tests {\n    use super::super::y;";
    let folder = [("a", "use x::X;"), ("a/x", "use super::Y;"), ("a/y", tests)];
    assert_eq!(circles(&files(&folder)), [""; 0]);
}

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

/// The modules that a file names after `crate::` or `super::`, as deep as there are files.
fn named(module: &str, files: &Files) -> Vec<String> {
    let lines = files[module].lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let above = module.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (start, from) in [("crate::", ""), ("super::", above)] {
        for rest in code.split(start).skip(1) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).unwrap_or(rest.len());
            let (path, group) = rest.split_at(end);
            let group = group.strip_prefix('{').and_then(|group| group.split('}').next()).unwrap_or_default();
            let named = group.split(',').map(|last| deepest(from, &format!("{path}{}", last.trim()), files));
            found.extend(named.filter(|at| start == "crate::" || at != above));
        }
    }
    found
}

/// The module that a path leads to from another one, as far as there are files.
fn deepest(from: &str, path: &str, files: &Files) -> String {
    let mut at = from.to_owned();
    for step in path.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|step| !step.is_empty()) {
        let next = child(&at, step);
        if !files.contains_key(&next) {
            break;
        }
        at = next;
    }
    at
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
    let is_above = |module: &str, other: &str| format!("{module}/").starts_with(&format!("{other}/"));
    let others = |module: &String| {
        let code =
            [(module.clone(), files[module].split("mod tests {").next().unwrap_or_default().to_owned())];
        let without_tests = files.clone().into_iter().chain(code).collect();
        let named = named(module, &without_tests).into_iter();
        named
            .filter(|other| !other.is_empty() && !is_above(module, other) && !is_above(other, module))
            .collect()
    };
    let mut left: BTreeMap<_, Vec<_>> = files.keys().map(|module| (module.clone(), others(module))).collect();
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
    for (module, text) in &files {
        let code = text.split("mod tests {").next().unwrap_or_default();
        assert!(!code.contains("super::super"), "{module}: this test follows one super");
        for other in named(module, &files) {
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
        let named = named(file, &files);
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

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

/// A package's files by their modules, as `tasks/grade`, and what each holds; `mod.rs` is its folder.
pub type Files = BTreeMap<String, String>;

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

pub fn files_of(package: &str) -> Files {
    let mut files = Files::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    read(&root.join(package).join("src"), "", &mut files);
    files
}

fn xtask() -> Files {
    let mut files = files_of("xtask");
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
        let mut named = named(module, files);
        named.retain(|other| !other.is_empty() && !is_above(module, other) && !is_above(other, module));
        named
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
    let mut arrows = 0;
    for (module, text) in &files {
        assert!(!text.contains("super::super::"), "{module}: this test follows one super");
        for other in named(module, &files) {
            assert!(!is_trespass(module, &other), "{module} names {other}");
            arrows += 1;
        }
    }
    assert!(arrows > 550, "what is named is found: {arrows}");
    let forbidden = [("wire/event", "drawing/style"), ("wire/event", ""), ("tasks/shown", "tasks/demo")];
    assert!(forbidden.iter().all(|(file, named)| is_trespass(file, named)));
}

#[test]
fn no_two_files_name_each_other_in_a_circle() {
    assert_eq!(circles(&xtask()), [""; 0]);
    let around =
        [("a", ""), ("a/x", "use super::y;"), ("a/y", "use crate::a::z;"), ("a/z", "use super::{w, x};")];
    let files = around.map(|(file, text)| (file.to_owned(), text.to_owned())).into();
    assert_eq!(circles(&files), ["a/x", "a/y", "a/z"]);
}

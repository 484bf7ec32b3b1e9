//! The walls between the rooms of xtask, which are its folders and files in `src/`: who may name whom.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A room names those before it, and none after it.
const ORDER: [&str; 12] = [
    "random",
    "words",
    "checks",
    "wire",
    "programs",
    "peers",
    "exercises",
    "lab",
    "drawing",
    "play",
    "lessons",
    "tasks",
];

/// And the first of each pair does not name the second, though that comes before it.
const APART: [(&str, &str); 10] = [
    ("programs", "wire"),
    ("peers", "programs"),
    ("exercises", "programs"),
    ("lab", "peers"),
    ("lab", "exercises"),
    ("drawing", "programs"),
    ("drawing", "peers"),
    ("drawing", "exercises"),
    ("drawing", "lab"),
    ("play", "peers"),
];

/// What tasks share; otherwise no task names another.
const SHARED: [&str; 3] = ["json", "shown", "wanted"];

/// The files of xtask by their modules, and what each holds; `mod.rs` stands for its folder.
type Files = BTreeMap<Vec<String>, String>;

fn modules(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

fn read(directory: &Path, inside: &[String], files: &mut Files) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = if name == "mod" { inside.to_vec() } else { [inside, &[name]].concat() };
        if path.is_dir() {
            read(&path, &module, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

fn xtask() -> Files {
    let mut files = Files::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut files);
    files.retain(|module, _| *module != ["main"] && *module != ["lib"]);
    files
}

/// The paths that `a::{b, c::{d, e}}` stands for.
fn expanded(path: &str) -> Vec<String> {
    let Some((head, rest)) = path.split_once('{') else { return vec![path.into()] };
    let mut depth = 0;
    let is_end = |c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    };
    let items = rest.strip_suffix('}').unwrap_or(rest).split(is_end);
    items.flat_map(|item| expanded(&format!("{head}{}", item.trim()))).collect()
}

/// The paths in code, those of a `use` one by one.
fn paths(code: &str) -> Vec<String> {
    let (mut found, mut used) = (Vec::new(), String::new());
    for line in code.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        let begun = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("use ");
        if used.is_empty() && begun.is_none() {
            let words = line.split(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
            found.extend(words.filter(|word| word.contains("::")).map(str::to_owned));
            continue;
        }
        used += begun.unwrap_or(line);
        if let Some(path) = used.strip_suffix(';') {
            found.extend(expanded(path));
            used.clear();
        }
    }
    found
}

/// The module that a path leads to from another one, as deep as there are files; none where it leads out of xtask.
fn module_of(path: &str, from: &[String], files: &Files) -> Option<Vec<String>> {
    let mut steps = path.split("::").map(str::trim).peekable();
    let first = (*steps.peek()?).to_owned();
    let mut at = if first == "crate" { Vec::new() } else { from.to_vec() };
    let is_child = files.contains_key(&[from, std::slice::from_ref(&first)].concat());
    if !is_child && !["crate", "self", "super"].contains(&&*first) {
        return None;
    }
    for step in steps {
        let next = [&at[..], &[step.into()]].concat();
        match step {
            "crate" | "self" => {}
            "super" => drop(at.pop()),
            _ if files.contains_key(&next) => at = next,
            _ => break,
        }
    }
    Some(at)
}

/// The modules that a file names: outside of its tests, and in them.
fn named(module: &[String], files: &Files) -> [Vec<Vec<String>>; 2] {
    let text = &files[module];
    let (code, tests) = text.split_once("mod tests {").unwrap_or((text, ""));
    let inside = [module, &["tests".into()]].concat();
    [(code, module), (tests, &inside)]
        .map(|(code, from)| paths(code).iter().filter_map(|path| module_of(path, from, files)).collect())
}

/// What is wrong with a file's naming a module.
fn trespass(file: &[String], named: &[String]) -> Option<&'static str> {
    let place = |module: &[String]| ORDER.iter().position(|room| *room == module[0]);
    let (Some(own), false) = (place(file), named.is_empty()) else { return Some("that is no room") };
    let is_task = |module: &[String]| module.len() > 1 && module[0] == "tasks";
    if is_task(file) && is_task(named) && file[1] != named[1] {
        let [is_shared, names_shared] = [file, named].map(|module| SHARED.contains(&&*module[1]));
        return (is_shared || !names_shared).then_some("no task names another one");
    }
    match place(named) {
        None => Some("that is no room"),
        Some(other) if other > own => Some("its room comes after"),
        _ => APART.contains(&(&file[0], &named[0])).then_some("their rooms are apart"),
    }
}

/// Files that name each other, straight or around. A folder's `mod.rs` and what is in the folder may.
fn circle(files: &Files) -> Vec<String> {
    let others = |module: &Vec<String>| {
        let [code, _] = named(module, files);
        code.into_iter().filter(|other| !module.starts_with(other)).collect::<Vec<_>>()
    };
    let mut left: BTreeMap<_, _> = files.keys().map(|module| (module.clone(), others(module))).collect();
    loop {
        let before = left.len();
        let names: Vec<_> = left.keys().cloned().collect();
        left.retain(|_, others| others.iter().any(|other| names.contains(other)));
        if left.len() == before {
            break;
        }
    }
    let mut way: Vec<Vec<String>> = left.keys().take(1).cloned().collect();
    while let Some(next) =
        way.last().and_then(|last| left[last].iter().find(|other| left.contains_key(*other)))
    {
        if let Some(first) = way.iter().position(|module| module == next) {
            return way[first..].iter().map(|module| module.join("/")).collect();
        }
        way.push(next.clone());
    }
    Vec::new()
}

#[test]
fn no_file_names_another_one_across_a_wall() {
    let files = xtask();
    for module in files.keys() {
        for other in named(module, &files).concat() {
            if let Some(wrong) = trespass(module, &other) {
                panic!("{} names {}: {wrong}", module.join("/"), other.join("/"));
            }
        }
    }
}

#[test]
fn no_two_files_name_each_other_in_a_circle() {
    let files = xtask();
    assert_eq!(circle(&files), [""; 0]);
}

#[test]
fn what_is_named_across_a_wall_is_seen_however_it_is_written() {
    for (file, text, found) in [
        ("wire/event", "use crate::drawing::style::Ink;", "drawing/style"),
        ("lab", "use super::drawing::style;", "drawing/style"),
        ("peers/guest", "fn ink() -> super::super::drawing::style::Ink {}", "drawing/style"),
        ("programs", "mod tests {\n    use super::super::drawing::style::Ink;", "drawing/style"),
        ("checks", "    let ink = crate::drawing::style::Ink::Good;", "drawing/style"),
        ("wire/event", "use crate::{\n    checks,\n    drawing::{style, page},\n};", "drawing/style"),
        ("drawing/page", "use crate::lessons::Lesson;", "lessons"),
        ("play/runner", "pub use crate::lessons::{self, Lesson};", "lessons"),
        ("lessons/loss", "use crate::tasks::demo;", "tasks/demo"),
        ("tasks/grade", "use super::demo::Only;", "tasks/demo"),
        ("tasks/shown", "use super::demo::Only;", "tasks/demo"),
        ("drawing/page", "use crate::lab::Lab;", "lab"),
        ("wire/event", "use crate::Style;", ""),
    ] {
        let places = [
            "drawing",
            "drawing/style",
            "tasks",
            "drawing/page",
            "lessons",
            "tasks/demo",
            "checks",
            "lab",
            file,
        ];
        let mut files: Files = places.map(|place| (modules(place), String::new())).into();
        files.insert(modules(file), text.into());
        let found = if found.is_empty() { Vec::new() } else { modules(found) };
        let named = named(&modules(file), &files).concat();
        assert!(named.contains(&found), "{text}: {named:?}");
        assert!(trespass(&modules(file), &found).is_some(), "{text}");
    }
    let mut files: Files = [(modules("wire/guest"), String::new()), (modules("words"), String::new())].into();
    let allowed =
        "// use crate::tasks::demo;\nuse super::guest;\nuse crate::words;\nmod tests {\n    use super::*;";
    files.insert(modules("wire/event"), allowed.into());
    for other in named(&modules("wire/event"), &files).concat() {
        assert_eq!(trespass(&modules("wire/event"), &other), None, "{other:?}");
    }
}

#[test]
fn a_circle_is_seen_straight_or_around_and_a_folder_is_none() {
    let files = |texts: &[(&str, &str)]| -> Files {
        texts.iter().map(|(file, text)| (modules(file), (*text).into())).collect()
    };
    let around = [
        ("a/x", "use super::y;"),
        ("a/y", "use crate::a::z::Z;"),
        ("a/z", "use super::{w, x};"),
        ("a/w", ""),
        ("a", ""),
    ];
    assert_eq!(circle(&files(&around)), ["a/x", "a/y", "a/z"]);
    let folder = [
        ("a", "use x::X;"),
        ("a/x", "use super::Y;"),
        ("a/y", "use super::x;\nmod tests {\n    use super::super::y;"),
    ];
    assert_eq!(circle(&files(&folder)), [""; 0]);
}

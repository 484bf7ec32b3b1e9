//! The walls between the rooms of xtask: who may name whom.

use std::fs;
use std::path::Path;

/// Whether a wall stands between who names and who is named.
fn is_walled_off(room: &str, named: &str) -> bool {
    match named {
        "drawing" => ["wire", "programs", "peers", "lab", "checks"].contains(&room),
        "lessons" => ["drawing", "play"].contains(&room),
        "tasks" => room != "tasks",
        _ => false,
    }
}

/// Shows each file of a directory: the modules that it is in, from the room on, and its text.
fn each_file(directory: &Path, modules: &[String], see: &mut impl FnMut(&[String], &str)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inside = if name == "mod" { modules.to_vec() } else { [modules, &[name]].concat() };
        if path.is_dir() {
            each_file(&path, &inside, see);
        } else {
            see(&inside, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// The rooms that a file names, by `crate::`, or by as many `super::` as lead out of its own room; one that is
/// named in a group, or with all others, has no name here.
fn rooms_named(modules: &[impl AsRef<str>], text: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code = text.lines().filter(is_code).collect::<Vec<_>>().join("\n");
    let (code, tests) = code.split_once("mod tests {").unwrap_or((&code, ""));
    let mut named = Vec::new();
    for (part, depth) in [(code, modules.len()), (tests, modules.len() + 1)] {
        for way in ["crate::", &"super::".repeat(depth)] {
            let behind = part.match_indices(way).map(|(at, _)| &part[at + way.len()..]);
            named.extend(behind.map(|path| {
                path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
            }));
        }
    }
    named
}

#[test]
fn no_room_names_another_one_across_a_wall() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut rooms, mut all) = (Vec::new(), Vec::new());
    each_file(&source, &[], &mut |modules, text| {
        let names = modules.join("/");
        if names != "main" && names != "lib" {
            rooms.push(modules[0].clone());
            all.extend(
                rooms_named(modules, text)
                    .into_iter()
                    .map(|named| (modules[0].clone(), named, names.clone())),
            );
        }
    });
    for (room, named, file) in all {
        assert!(rooms.contains(&named), "{file} names '{named}', which is no room: write crate::ROOM::...");
        assert!(!is_walled_off(&room, &named), "{file} names {named}, and a wall stands between");
    }
}

#[test]
fn what_is_named_across_a_wall_is_seen_however_it_is_written() {
    for (file, text, room) in [
        (&["wire", "event"][..], "use crate::drawing::style::Ink;", "drawing"),
        (&["lab"], "use super::drawing::style;", "drawing"),
        (&["peers", "guest"], "fn ink() -> super::super::drawing::style::Ink {}", "drawing"),
        (&["programs"], "mod tests {\n    use super::super::drawing::style::Ink;", "drawing"),
        (&["checks"], "    let ink = crate::drawing::style::Ink::Good;", "drawing"),
        (&["drawing", "page"], "use crate::lessons::Lesson;", "lessons"),
        (&["play", "runner"], "use crate::lessons::{self, Lesson};", "lessons"),
        (&["lessons", "loss"], "use crate::tasks::demo;", "tasks"),
    ] {
        assert_eq!(rooms_named(file, text), [room], "{text}");
        assert!(is_walled_off(file[0], room), "{text}");
    }
    let allowed = "// use crate::tasks::demo;\nuse super::guest;\nmod tests {\n    use super::*;";
    assert!(rooms_named(&["wire", "event"], allowed).is_empty());
    assert_eq!(rooms_named(&["wire", "event"], "use crate::{drawing, wire};"), [""]);
}

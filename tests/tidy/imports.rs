//! The import rule of `ARCHITECTURE.md`: a room sees the rooms above it only.
//!
//! A room is a module of the crate's root: `src/model/` or `src/guard.rs`.

use std::collections::BTreeSet;

use crate::lexer::{code, line, tests_at};
use crate::tree::{File, file, files, hold, reported};

/// A room sees the rooms of the lines above its own. To place a new room, add it here, in
/// `ARCHITECTURE.md` and in the module list of `src/lib.rs`.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["model"],
    &["sql", "config"],
    &["db"],
    &["source", "target", "store", "guard"],
    &["pipeline"],
    &["run"],
    &["init", "check", "verify", "conflicts", "explain"],
    &["demo"],
    &["cli"],
    &["lib", "main"],
];

/// Where a room sees one of its own layer: a commit moves the position in the store, and takes a
/// `Proof`, which only the guard can make.
const NEIGHBOURS: &[(&str, &str)] = &[("target", "store"), ("target", "guard")];

/// Rooms that see less than their place allows: the guard's rules are pure.
const NARROW: &[(&str, &[&str])] = &[("guard", &["error", "model"])];

fn layer(room: &str) -> Option<usize> {
    LAYERS.iter().position(|rooms| rooms.contains(&room))
}

fn may_see(room: &str, seen: &str) -> bool {
    let narrow = NARROW.iter().find(|(narrow, _)| *narrow == room);
    room == seen
        || NEIGHBOURS.contains(&(room, seen))
        || narrow.map_or(layer(seen) < layer(room), |(_, rooms)| rooms.contains(&seen))
}

/// The module path of a file below `src/`: `["model", "plan"]` for `src/model/plan.rs`.
fn module(path: &str) -> Vec<&str> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').collect()
}

/// The rooms that a source names, as `crate::room` or by a chain of `super::` that reaches the root.
fn named_rooms(source: &str, depth: usize) -> Vec<(usize, String)> {
    let (code, tests) = (code(source), tests_at(source));
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if !code[..at].ends_with(is_name) {
            named.extend(heads(&code[at + 7..]).into_iter().map(|room| (at, room)));
        }
    }
    for (at, _) in code.match_indices("super::") {
        let chain = &code[at..code.len() - code[at..].trim_start_matches("super::").len()];
        let reach = depth + usize::from(at >= tests);
        if !code[..at].ends_with("::") && chain.len() / 7 == reach {
            let rooms = heads(&code[at + chain.len()..]).into_iter();
            named.extend(rooms.map(|room| (at, room)));
        }
    }
    named.sort();
    named
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The first names of a use tree: `a` of `a::b`, `a` and `c` of `{a::b, c::{d, e}}`. A macro stands
/// in no room.
fn heads(tree: &str) -> Vec<String> {
    let name = |path: &str| -> String {
        let name: String = path.chars().take_while(|c| is_name(*c) || *c == '*').collect();
        if path[name.len()..].starts_with('!') { String::new() } else { name }
    };
    let Some(tree) = tree.strip_prefix('{') else {
        return [name(tree)].into_iter().filter(|name| !name.is_empty()).collect();
    };
    let (mut depth, mut items) = (1, vec![String::new()]);
    for c in tree.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => items.push(String::new()),
            c if depth == 1 && !c.is_whitespace() => items.last_mut().unwrap().push(c),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    items.iter().map(|item| name(item)).filter(|name| !name.is_empty()).collect()
}

fn upward_imports(sources: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for File { path, text } in sources {
        let module = module(path);
        for (at, seen) in named_rooms(text, module.len()) {
            let place = format!("{path}:{}", line(text, at));
            if layer(&seen).is_none() {
                findings.push(format!("{place}: `{seen}` is no room; name the room it lives in"));
            } else if !may_see(module[0], &seen) {
                findings.push(format!("{place}: {} must not see {seen}", module[0]));
            }
        }
    }
    findings
}

fn rooms_without_a_place(sources: &[File]) -> Vec<String> {
    let rooms: BTreeSet<&str> = sources.iter().map(|file| module(&file.path)[0]).collect();
    let strangers = rooms.into_iter().filter(|room| layer(room).is_none());
    let finding = |room| format!("src/{room} is a new room: give it its place in LAYERS");
    strangers.map(finding).collect()
}

#[test]
fn imports_go_downwards_only() {
    hold(&upward_imports(&files("src", "rs")));
}

#[test]
fn every_room_has_its_place() {
    hold(&rooms_without_a_place(&files("src", "rs")));
}

#[test]
fn an_upward_import_is_reported() {
    for (path, text, wanted) in [
        ("src/source/postgres.rs", "use crate::target::Target;", "source must not see target"),
        ("src/target/mod.rs", "use crate::source::View;", "target must not see source"),
        ("src/store/runs.rs", "use crate::{\n    db::Client,\n    target,\n};", "see target"),
        ("src/guard.rs", "fn f() -> crate::store::Run {}", "guard must not see store"),
        ("src/guard.rs", "use crate::db;", "guard must not see db"),
        ("src/source/mod.rs", "use crate::guard;", "source must not see guard"),
        ("src/sql.rs", "use crate::config::Config;", "sql must not see config"),
        ("src/model/plan.rs", "use super::super::run::Event;", "model must not see run"),
        ("src/db.rs", "use super::{error::Error, cli};", "db must not see cli"),
        ("src/db.rs", "\n\nuse crate::{error::{Error, Kind}, pipeline};", "src/db.rs:3"),
        ("src/run/worker.rs", "use crate::Error;", "`Error` is no room"),
        ("src/run/worker.rs", "use crate::*;", "`*` is no room"),
    ] {
        reported(&upward_imports(&[file(path, text)]), &[wanted]);
    }
}

#[test]
fn a_downward_import_is_not_reported() {
    let tests = "#[cfg(test)]\nmod tests {\n    use super::cli;\n}\n";
    for (path, text) in [
        ("src/target/postgres.rs", "use crate::{error::{Error, Kind}, guard::Proof, store};"),
        ("src/model/plan.rs", "use super::run; // a module of the model's own"),
        ("src/error.rs", "//! Printed by `crate::cli`.\nconst X: &str = \"crate::run\";"),
        ("src/db/mod.rs", "pub(crate) fn f() { crate::hit!(); mycrate::run(); }"),
        ("src/db.rs", tests),
        ("src/main.rs", "use tidegate::cli;"),
        ("src/lib.rs", "pub use crate::error::Error;"),
    ] {
        hold(&upward_imports(&[file(path, text)]));
    }
}

#[test]
fn a_new_room_is_reported() {
    let sources = [file("src/serve/mod.rs", ""), file("src/lib.rs", ""), file("src/sql.rs", "")];
    reported(&rooms_without_a_place(&sources), &["src/serve is a new room"]);
}

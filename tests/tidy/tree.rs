//! This tree's files, and how a rule reports.

use std::fs;
use std::path::{Path, PathBuf};

/// A file: its path from the root of the tree, with `/`, and its text.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A made-up file, to plant a fault in.
pub(crate) fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of the file at `path`.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// The files below `folder` whose names end in `.{extension}`, sorted.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<File> {
    let mut paths = Vec::new();
    collect(&root().join(folder), extension, &mut paths);
    paths.sort();
    let name = |path: &Path| {
        let parts = path.strip_prefix(root()).unwrap().components();
        parts.map(|part| part.as_os_str().to_str().unwrap()).collect::<Vec<_>>().join("/")
    };
    paths.iter().map(|path| file(&name(path), &fs::read_to_string(path).unwrap())).collect()
}

/// All Rust files, tests included.
pub(crate) fn sources() -> Vec<File> {
    let mut sources = files("src", "rs");
    sources.extend(files("tests", "rs"));
    sources
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
}

/// Passes when a rule found nothing.
#[track_caller]
pub(crate) fn hold(findings: &[String]) {
    assert!(findings.is_empty(), "\n  {}\n", findings.join("\n  "));
}

/// Passes when a rule found as many faults as `wanted` has, each naming its part of `wanted`.
#[track_caller]
pub(crate) fn reported(findings: &[String], wanted: &[&str]) {
    let pairs = findings.iter().zip(wanted).all(|(found, wanted)| found.contains(wanted));
    assert!(pairs && findings.len() == wanted.len(), "found {findings:#?}, wanted {wanted:#?}");
}

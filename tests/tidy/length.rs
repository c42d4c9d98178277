//! Limits: 400 lines a source file without its tests, 150 a statement, 70 a function (clippy's).
//! The demo's data set is a source file of its own kind.

use crate::lexer::{code, line, tests_at};
use crate::tree::{File, file, files, hold, read, reported, sources};

const SOURCE_LINES_MAX: usize = 400;
const SQL_LINES_MAX: usize = 150;

fn long_sources(sources: &[File]) -> Vec<String> {
    let lines = |file: &File| file.text[..tests_at(&file.text)].lines().count();
    too_long(&sources.iter().collect::<Vec<_>>(), SOURCE_LINES_MAX, lines)
}

fn long_statements(statements: &[File]) -> Vec<String> {
    let lines = |file: &File| file.text.lines().count();
    let (demo, statements): (Vec<&File>, Vec<&File>) =
        statements.iter().partition(|file| file.path.starts_with("sql/demo/"));
    let mut findings = too_long(&statements, SQL_LINES_MAX, lines);
    findings.extend(too_long(&demo, SOURCE_LINES_MAX, lines));
    findings
}

fn too_long(files: &[&File], max: usize, lines: impl Fn(&File) -> usize) -> Vec<String> {
    let long = files.iter().map(|file| (&file.path, lines(file))).filter(|(_, n)| *n > max);
    long.map(|(path, n)| format!("{path} has {n} lines, {max} is the limit: split it")).collect()
}

fn loosened_function_limit(cargo_toml: &str, clippy_toml: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lints = cargo_toml.split("[lints.clippy]\n").nth(1).unwrap_or_default();
    let lints = lints.split("\n[").next().unwrap_or_default();
    if !lints.lines().any(|line| line == r#"too_many_lines = "deny""#) {
        findings.push("Cargo.toml: [lints.clippy] must deny too_many_lines".to_owned());
    }
    if !clippy_toml.lines().any(|line| line == "too-many-lines-threshold = 70") {
        findings.push("clippy.toml: too-many-lines-threshold must be 70".to_owned());
    }
    findings
}

fn excused_functions(sources: &[File]) -> Vec<String> {
    let excuses = sources.iter().flat_map(|File { path, text }| {
        let code = code(text);
        let at = code.match_indices("clippy::too_many_lines").map(|(at, _)| line(text, at));
        at.map(|line| format!("{path}:{line} excuses a long function: split it"))
            .collect::<Vec<_>>()
    });
    excuses.collect()
}

#[test]
fn source_files_are_short() {
    hold(&long_sources(&sources()));
}

#[test]
fn sql_files_are_short() {
    hold(&long_statements(&files("sql", "sql")));
}

#[test]
fn functions_are_short() {
    hold(&loosened_function_limit(&read("Cargo.toml"), &read("clippy.toml")));
    hold(&excused_functions(&sources()));
}

#[test]
fn a_long_file_is_reported() {
    let tests = "#[cfg(test)]\nmod tests {\n    fn a() {}\n}\n";
    let lines = |n| "fn a() {}\n".repeat(n);
    hold(&long_sources(&[file("src/a.rs", &(lines(400) + tests))]));
    reported(&long_sources(&[file("src/a.rs", &(lines(401) + tests))]), &["src/a.rs has 401"]);
    hold(&long_statements(&[file("sql/a.sql", &lines(150))]));
    reported(&long_statements(&[file("sql/a.sql", &lines(151))]), &["sql/a.sql has 151"]);
}

#[test]
fn a_loosened_limit_is_reported() {
    let (cargo, clippy) =
        ("[lints.clippy]\ntoo_many_lines = \"deny\"\n", "too-many-lines-threshold = 70\n");
    hold(&loosened_function_limit(cargo, clippy));
    let warned = cargo.replace("deny", "warn");
    reported(&loosened_function_limit(&warned, clippy), &["Cargo.toml"]);
    reported(&loosened_function_limit(cargo, &clippy.replace('7', "1")), &["clippy.toml"]);
    let excused = file("src/a.rs", "\n#[allow(clippy::too_many_lines)]\nfn a() {}\n");
    reported(&excused_functions(&[excused]), &["src/a.rs:2"]);
}

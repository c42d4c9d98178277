//! No dead statement, and none that is missing.

use std::collections::BTreeSet;

use crate::lexer::{code, tests_at, texts};
use crate::tree::{File, file, files, hold, reported, sources};

/// The room that embeds the statements; its list names them all and uses none.
const LIST: &str = "src/sql.rs";
/// The demo's own, which no list has: it embeds them where it runs them.
const DEMO: &str = "demo/";

/// The `.sql` files that a source names, by their path below `sql/`.
fn named(source: &str) -> BTreeSet<&str> {
    let texts = texts(source).into_iter().map(|(_, text)| text);
    let paths = texts.filter(|text| text.ends_with(".sql") && text.contains('/'));
    paths.map(|path| path.rsplit_once("../sql/").map_or(path, |(_, below)| below)).collect()
}

/// Where the list of all statements ends and their uses begin.
fn list_end(source: &str) -> usize {
    let code = code(source);
    let list = code.find("files![").unwrap_or(0);
    list + code[list..].find("];").unwrap_or(0)
}

fn misused_statements(statements: &[File], sources: &[File]) -> Vec<String> {
    let exist: BTreeSet<&str> =
        statements.iter().map(|file| file.path.trim_start_matches("sql/")).collect();
    let (mut embedded, mut used, mut findings) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for File { path, text } in sources {
        let in_list = if path == LIST { list_end(text) } else { 0 };
        embedded.extend(named(&text[..in_list]));
        if path.starts_with("src/") {
            used.extend(named(&text[in_list..tests_at(text).max(in_list)]));
        }
        let missing = named(text).into_iter().filter(|name| !exist.contains(name));
        findings.extend(missing.map(|name| format!("{path} names sql/{name}, which is not there")));
    }
    for name in exist {
        if !embedded.contains(name) && !name.starts_with(DEMO) {
            findings.push(format!("sql/{name} is not in the list of {LIST}"));
        }
        if !used.contains(name) {
            findings.push(format!("sql/{name} is dead: nothing in src/ uses it"));
        }
    }
    findings
}

#[test]
fn every_sql_file_is_used_and_every_used_one_exists() {
    let mut sources = sources();
    // The tidy test's own files name made-up ones.
    sources.retain(|file| !file.path.starts_with("tests/tidy"));
    hold(&misused_statements(&files("sql", "sql"), &sources));
}

/// Where TRUNCATE is said to a database. The demo may: it tells what the old way destroyed.
fn truncates(statements: &[File], sources: &[File]) -> Vec<String> {
    let says = |text: &str| {
        let mut statements = text.split(';').map(|s| s.trim_start().to_lowercase());
        statements.any(|statement| statement.starts_with("truncate "))
    };
    let code = |line: &str| line.split("--").next().unwrap_or_default().to_owned();
    let mut findings = Vec::new();
    for File { path, text } in statements.iter().filter(|file| !file.path.contains(DEMO)) {
        if says(&text.lines().map(code).collect::<Vec<_>>().join("\n")) {
            findings.push(format!("{path} truncates"));
        }
    }
    for File { path, text } in sources {
        let issued = texts(&text[..tests_at(text)]).into_iter().any(|(_, text)| says(text));
        if path.starts_with("src/") && !path.contains(DEMO) && issued {
            findings.push(format!("{path} truncates"));
        }
    }
    findings
}

#[test]
fn m34_nothing_truncates() {
    hold(&truncates(&files("sql", "sql"), &sources()));
    let statement = file("sql/postgres/a.sql", "-- no truncate\nselect 1; Truncate t");
    let source = file("src/a.rs", "// truncate\nrun(\"truncate t\")");
    reported(&truncates(&[statement], &[]), &["sql/postgres/a.sql truncates"]);
    reported(&truncates(&[], &[source]), &["src/a.rs truncates"]);
}

#[test]
fn a_dead_or_missing_sql_file_is_reported() {
    let statement = || file("sql/postgres/a.sql", "select 1");
    let list = || file(LIST, "const FILES: X = files![\n    \"postgres/a.sql\",\n];\n");
    let usage = || file("src/target/postgres.rs", "sql.render(\"postgres/a.sql\", &[])");
    let only_tested = || file("tests/all/merge.rs", "sql.planted(\"postgres/a.sql\", x, y)");
    hold(&misused_statements(&[statement()], &[list(), usage()]));
    for (statements, sources, wanted) in [
        (vec![statement()], vec![list()], "sql/postgres/a.sql is dead"),
        (vec![statement()], vec![list(), only_tested()], "sql/postgres/a.sql is dead"),
        (vec![statement()], vec![usage()], "not in the list"),
        (vec![], vec![usage()], "src/target/postgres.rs names sql/postgres/a.sql"),
    ] {
        reported(&misused_statements(&statements, &sources), &[wanted]);
    }
    let included = file("src/store/mod.rs", "include_str!(\"../../sql/migrations/1.sql\")");
    reported(&misused_statements(&[], &[included]), &["names sql/migrations/1.sql"]);
}

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

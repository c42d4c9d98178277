//! What the documents promise about the tree is so.

use crate::lexer::{code, line};
use crate::tree::{File, file, hold, read, reported, root, sources};

const ARCHITECTURE_LINES_MAX: usize = 300;

/// The ignored tests that the README speaks of neither by name nor with the reason's words.
fn unexplained_ignores(sources: &[File], readme: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for File { path, text } in sources {
        let code = code(text);
        for (at, _) in code.match_indices("#[ignore") {
            let name = code[at..].split("fn ").nth(1).and_then(|rest| rest.split('(').next());
            let name = name.unwrap_or("a test");
            let attribute = text[at..].split(']').next().unwrap_or_default();
            let reason = attribute.split('"').nth(1);
            let is_quoted = reason.is_some_and(|reason| readme.contains(reason));
            if !is_quoted && !readme.contains(&format!("`{name}`")) {
                let line = line(text, at);
                findings
                    .push(format!("{path}:{line}: README.md does not say why `{name}` is ignored"));
            }
        }
    }
    findings
}

/// The numbered items below the heading that speaks of `what`, each in one line.
fn numbered(document: &str, what: &str) -> Vec<String> {
    let level = |line: &str| line.chars().take_while(|c| *c == '#').count();
    let is_title = |line: &&str| level(line) > 0 && line.to_lowercase().contains(what);
    let mut lines = document.lines().skip_while(|line| !is_title(line));
    let title = lines.next().map_or(0, level);
    let mut items: Vec<String> = Vec::new();
    for line in lines.take_while(|line| level(line) == 0 || level(line) > title) {
        let number = line.split_once(". ").map_or("", |(number, _)| number);
        if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) {
            items.push(line.to_owned());
        } else if let Some(item) = items.last_mut().filter(|_| !line.is_empty()) {
            item.push(' ');
            item.push_str(line.trim());
        }
    }
    items
}

/// The tests of "held by `a`, `b` and `c`", without their modules.
fn held_by(item: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for list in item.split("held by ").skip(1) {
        let mut rest = list;
        while let Some((name, after)) = rest.strip_prefix('`').and_then(|r| r.split_once('`')) {
            names.push(name.rsplit("::").next().unwrap_or(name));
            rest = [", ", " and "].iter().find_map(|s| after.strip_prefix(s)).unwrap_or_default();
        }
    }
    names
}

/// Items that are out of order, or name no test, or one that does not exist.
fn loose(items: &[String], sources: &[File]) -> Vec<String> {
    let codes: Vec<String> = sources.iter().map(|file| code(&file.text)).collect();
    let exists = |test: &str| codes.iter().any(|code| code.contains(&format!("fn {test}(")));
    let mut findings = Vec::new();
    for (item, number) in items.iter().zip(1..) {
        let start: String = item.chars().take(60).collect();
        if !item.starts_with(&format!("{number}. ")) {
            findings.push(format!("\"{start}…\" should be number {number}"));
        }
        let tests = held_by(item);
        if tests.is_empty() {
            findings.push(format!("\"{start}…\" is held by no test"));
        }
        let missing = tests.into_iter().filter(|test| !exists(test));
        findings.extend(missing.map(|test| format!("\"{start}…\": there is no test `{test}`")));
    }
    findings
}

fn is_unreleased_empty(changelog: &str) -> bool {
    let title = |line: &&str| line.starts_with("## ") && line.contains("Unreleased");
    let section = changelog.lines().skip_while(|line| !title(line)).skip(1);
    let mut entries = section.take_while(|line| !line.starts_with("## "));
    !entries.any(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

#[test]
fn every_ignored_test_is_explained_in_the_readme() {
    hold(&unexplained_ignores(&sources(), &read("README.md")));
}

#[test]
fn architecture_is_short_and_its_invariants_are_held_by_tests() {
    let architecture = read("ARCHITECTURE.md");
    let lines = architecture.lines().count();
    assert!(lines <= ARCHITECTURE_LINES_MAX, "ARCHITECTURE.md has {lines} lines");
    let invariants = numbered(&architecture, "invariants");
    assert!(!invariants.is_empty(), "ARCHITECTURE.md numbers no invariants");
    hold(&loose(&invariants, &sources()));
}

#[test]
fn the_guarantees_of_the_readme_are_held_by_tests() {
    let guarantees = numbered(&read("README.md"), "guarantees");
    assert!(!guarantees.is_empty(), "README.md numbers no guarantees");
    hold(&loose(&guarantees, &sources()));
}

#[test]
fn the_changelog_has_something_unreleased() {
    assert!(!is_unreleased_empty(&read("CHANGELOG.md")), "CHANGELOG.md: nothing under Unreleased");
}

#[test]
fn the_readme_and_ci_call_the_same_scripts() {
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    for (text, script) in [(&readme, "scripts/demo.sh"), (&readme, "scripts/test.sh")] {
        assert!(text.contains(script), "README.md does not name {script}");
    }
    assert!(ci.lines().any(|line| line.ends_with("./scripts/test.sh")), ".ci/run: no test.sh");
}

#[cfg(unix)]
#[test]
fn scripts_are_executable() {
    use std::os::unix::fs::PermissionsExt;
    for script in ["scripts/demo.sh", "scripts/test.sh", "scripts/check.sh", ".ci/run"] {
        let mode = root().join(script).metadata().unwrap().permissions().mode();
        assert!(mode & 0o111 == 0o111, "{script} is not executable");
    }
}

#[test]
fn an_unexplained_ignore_is_reported() {
    let source =
        file("tests/all/a.rs", "\n#[test]\n#[ignore = \"slow\"]\nasync fn takes_an_hour() {}");
    hold(&unexplained_ignores(&[file("src/a.rs", "// #[ignore]")], ""));
    reported(&unexplained_ignores(&[source], "takes long"), &["tests/all/a.rs:3"]);
    let source = file("tests/all/a.rs", "#[ignore]\nfn takes_an_hour() {}");
    hold(&unexplained_ignores(&[source], "`takes_an_hour` needs a disk of 1 TB"));
    let source = file("tests/all/a.rs", "#[ignore = \"needs 1 TB\"]\nfn $case() {}");
    hold(&unexplained_ignores(&[source], "What needs 1 TB is ignored."));
}

#[test]
fn an_invariant_without_its_test_is_reported() {
    let sources = [file("tests/all/a.rs", "#[test]\nfn a_holds() {}\nasync fn b_holds() {}\n")];
    let page = |item: &str| {
        let page = format!("# A\n\n1. no item\n\n## Invariants\n\n{item}\n\n## B\n\n1. no\n");
        numbered(&page, "invariants")
    };
    for held in [
        "1. Rows stay — held by `a_holds`.",
        "1. Rows stay\n   — held by `all::a_holds`, `b_holds`.\n2. X — held by `b_holds`",
    ] {
        hold(&loose(&page(held), &sources));
    }
    for (item, wanted) in [
        ("1. Rows stay.", "\"1. Rows stay.…\" is held by no test"),
        ("1. Rows stay — held by `a_holds`,\n   `gone`.", "no test `gone`"),
        ("1. Rows stay — held by `a_holds` and `a_hold`.", "no test `a_hold`"),
        ("1. A — held by `a_holds`\n1. B — held by `b_holds`", "should be number 2"),
    ] {
        reported(&loose(&page(item), &sources), &[wanted]);
    }
}

#[test]
fn an_empty_changelog_is_reported() {
    assert!(!is_unreleased_empty("# C\n\n## [Unreleased]\n\n- new\n\n## 0.1.0\n"));
    for empty in ["", "## Unreleased\n\n### Added\n\n## 0.1.0\n\n- old\n", "## 0.1.0\n\n- old\n"] {
        assert!(is_unreleased_empty(empty), "{empty}");
    }
}

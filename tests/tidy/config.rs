//! `config.example.toml` loads, and shows every key there is.

use std::collections::BTreeSet;

use tidegate::config::{Config, keys};

use crate::tree::{hold, read, reported, root};

const EXAMPLE: &str = "config.example.toml";

/// The keys that an example shows: set, commented out, in a table's name or in an inline table.
fn shown_keys(example: &str) -> BTreeSet<&str> {
    let mut shown = BTreeSet::new();
    for line in example.lines() {
        let line = line.trim_start_matches(['#', ' ']);
        if let Some(table) = line.strip_prefix('[') {
            shown.extend(table.split(']').next().unwrap_or_default().split('.').map(str::trim));
            continue;
        }
        let line = line.split(" #").next().unwrap_or_default();
        let parts = line.split(['{', ',']).filter_map(|part| part.split_once('='));
        shown.extend(parts.flat_map(|(key, _)| key.trim().split('.')));
    }
    shown
}

fn unshown_keys(known: &BTreeSet<&str>, example: &str) -> Vec<String> {
    let shown = shown_keys(example);
    let unshown = known.iter().filter(|key| !shown.contains(**key));
    unshown.map(|key| format!("{EXAMPLE} does not show the key `{key}`")).collect()
}

#[test]
fn the_example_config_loads() {
    let env = |name: &str| Some(format!("postgres://localhost/{name}"));
    let config = Config::parse(&read(EXAMPLE), &root().join(EXAMPLE), &env);
    assert!(config.is_ok(), "{EXAMPLE}: {:?}", config.err());
}

#[test]
fn the_example_config_shows_every_key() {
    let known = keys();
    assert!(known.contains("batch_rows"), "no keys are known");
    hold(&unshown_keys(&known, &read(EXAMPLE)));
}

#[test]
fn a_key_that_the_example_does_not_show_is_reported() {
    let known = BTreeSet::from(["url", "lag", "kind", "tables", "desktop"]);
    let whole =
        "[a]\nurl = 1\n# lag = \"2s\"  # or none\nx = { kind = 1, desktop = 2 }\n[tables.t]\n";
    hold(&unshown_keys(&known, whole));
    for key in known.iter() {
        reported(&unshown_keys(&known, &whole.replace(key, "gone")), &[&format!("`{key}`")]);
    }
}

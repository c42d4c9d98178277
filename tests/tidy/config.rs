//! `config.example.toml` loads, and shows every key there is.

use std::collections::BTreeSet;

use tidegate::config::Config;

use crate::tree::{File, file, files, hold, read, reported, root};

const EXAMPLE: &str = "config.example.toml";

/// The keys of the file as written: the fields of the structs that derive `Deserialize`.
fn known_keys(sources: &[File]) -> BTreeSet<String> {
    sources.iter().flat_map(|file| keys_in(&file.text)).collect()
}

fn keys_in(source: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut lines = source.lines().map(str::trim);
    while lines.by_ref().any(|line| line.starts_with("#[derive(") && line.contains("Deserialize")) {
        let item = lines.by_ref().find(|line| !line.starts_with("#[") && !line.starts_with("//"));
        if item.is_some_and(|item| item.contains("struct ") && item.ends_with('{')) {
            keys.extend(fields(lines.by_ref().take_while(|line| *line != "}")));
        }
    }
    keys
}

fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (mut fields, mut attributes) = (Vec::new(), String::new());
    for line in lines {
        if line.starts_with("#[") {
            attributes.push_str(line);
        } else if let Some((name, _)) = line.split_once(": ").filter(|_| !line.starts_with("//")) {
            let renamed = attributes.split("rename = \"").nth(1).and_then(|r| r.split('"').next());
            let hidden = attributes.contains("flatten") || attributes.contains("skip");
            let name = renamed.unwrap_or(name.rsplit(' ').next().unwrap_or(name));
            if !hidden {
                fields.push(name.trim_start_matches("r#").to_owned());
            }
            attributes.clear();
        }
    }
    fields
}

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

fn unshown_keys(sources: &[File], example: &str) -> Vec<String> {
    let shown = shown_keys(example);
    let unshown = known_keys(sources).into_iter().filter(|key| !shown.contains(key.as_str()));
    unshown.map(|key| format!("{EXAMPLE} does not show the key `{key}`")).collect()
}

#[test]
fn the_example_config_loads() {
    // Config::parse as agreed: the text, its path, and how to look up a variable.
    let env = |name: &str| Some(format!("postgres://localhost/{name}"));
    let config = Config::parse(&read(EXAMPLE), &root().join(EXAMPLE), &env);
    assert!(config.is_ok(), "{EXAMPLE}: {:?}", config.err());
}

#[test]
fn the_example_config_shows_every_key() {
    let mut sources = files("src", "rs");
    sources.retain(|file| file.path.starts_with("src/config"));
    assert!(known_keys(&sources).contains("batch_rows"), "no keys found in src/config");
    hold(&unshown_keys(&sources, &read(EXAMPLE)));
}

#[test]
fn a_key_that_the_example_does_not_show_is_reported() {
    let source = "
        /// The file as written.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct File {
            /// Where: the desktop.
            pub(super) url: String,
            #[serde(default)]
            lag: Option<String>,
            #[serde(rename = \"kind\")]
            of: String,
            #[serde(flatten)]
            rest: Rest,
            tables: BTreeMap<String, Table>,
            desktop: Option<String>,
        }

        pub struct Checked {
            horizon: u64,
        }
    ";
    let sources = [file("src/config.rs", source)];
    let whole =
        "[a]\nurl = 1\n# lag = \"2s\"  # or none\nx = { kind = 1, desktop = 2 }\n[tables.t]\n";
    hold(&unshown_keys(&sources, whole));
    for key in ["url", "lag", "kind", "tables", "desktop"] {
        reported(&unshown_keys(&sources, &whole.replace(key, "gone")), &[&format!("`{key}`")]);
    }
}

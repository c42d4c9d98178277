//! The keys of the file, section by section, and what to say of a key that is none of them.

/// The keys that a section may hold, in groups.
pub(super) type Keys = &'static [&'static [&'static str]];

/// The sections.
pub(super) const TOP: Keys = &[&["desktop", "cloud", "ownership", "sync", "deletes", "tables"]];
/// `[desktop]`
pub(super) const DESKTOP: Keys = &[&["kind", "url", "schema", "tls"]];
/// `[desktop] tls`, where it names a file.
pub(super) const TLS: Keys = &[&["ca"]];
/// `[cloud]`
pub(super) const CLOUD: Keys = &[&["url", "schema", "capture"]];
/// `[ownership]`
pub(super) const OWNERSHIP: Keys = &[&["column", "desktop", "mobile"]];
/// `[sync]`
pub(super) const SYNC: Keys = &[SHARED, &["workers"]];
/// `[deletes]` and `[tables.NAME.deletes]`
pub(super) const DELETES: Keys =
    &[&["forward", "reverse", "every", "confirm_after", "max_percent", "retention"]];
/// `[tables.NAME]`
pub(super) const TABLE: Keys = &[OF_A_TABLE, SHARED];

/// What `[sync]` says of all tables, and a table of itself.
const SHARED: &[&str] = &[
    "capture",
    "updated_at",
    "created_at",
    "lag",
    "assume_timezone",
    "batch_rows",
    "batch_bytes",
    "max_withheld",
    "conflicts",
    "edits",
];

const OF_A_TABLE: &[&str] = &["enabled", "desktop", "exclude", "rename", "also_writes", "deletes"];

/// Where a key belongs that was written in the wrong section.
const HOMES: &[(&str, Keys)] = &[
    ("[desktop]", DESKTOP),
    ("[desktop.tls]", TLS),
    ("[cloud]", CLOUD),
    ("[ownership]", OWNERSHIP),
    ("[sync] or [tables.NAME]", &[SHARED]),
    ("[sync]", &[&["workers"]]),
    ("[tables.NAME]", &[OF_A_TABLE]),
    ("[deletes] or [tables.NAME.deletes]", DELETES),
];

/// Below this, two words only look alike by chance.
const LIKENESS_MIN: f64 = 0.8;

/// Whether `key` is one of `known`.
pub(super) fn has(known: Keys, key: &str) -> bool {
    known.iter().any(|group| group.contains(&key))
}

/// Every key there is.
pub(super) fn all() -> std::collections::BTreeSet<&'static str> {
    let sections = HOMES.iter().map(|(_, keys)| *keys).chain([TOP]);
    sections.flatten().copied().flatten().copied().collect()
}

/// What to do about `key`, which is not one of `known`.
pub(super) fn remedy(key: &str, known: Keys) -> String {
    let homes: Vec<_> =
        HOMES.iter().filter(|(_, keys)| has(keys, key)).map(|(home, _)| *home).collect();
    if !homes.is_empty() {
        return format!("`{key}` belongs in {}.", homes.join(" or "));
    }
    let names = || known.iter().copied().flatten();
    let likeness = |name: &str| strsim::jaro_winkler(&key.to_lowercase(), name);
    match names().max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(name) if likeness(name) >= LIKENESS_MIN => format!("Did you mean `{name}`?"),
        _ => {
            let all: Vec<_> = names().map(|name| format!("`{name}`")).collect();
            format!("Allowed here: {}.", all.join(", "))
        }
    }
}

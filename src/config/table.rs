//! `[tables.NAME]`: what it says itself, and what it takes over from `[sync]`.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use super::check::{CONFLICTS, EDITS, deletes, desktop_capture, is_name, name};
use super::desktop::DesktopKind;
use super::file::{Entry, Section};
use super::keys;
use crate::error::{Error, Result};
use crate::model::{Capture, Lag, TableName, TableSettings};

const DEFAULT_SCHEMA: &str = "public";
const LAG_MAX: Duration = Duration::from_secs(24 * 3600);
const ROWS_MAX: u64 = 1_000_000_000;
const BATCH_BYTES_MIN: u64 = 1 << 10;
const BATCH_BYTES_MAX: u64 = 1 << 30;

/// All tables, in the order of the file.
pub(super) fn all(
    tables: &Section<'_>,
    sync: &Section<'_>,
    kind: DesktopKind,
) -> Result<Vec<TableSettings>> {
    let defaults = Shared::default().overlaid(sync, kind)?;
    let mut clouds = Seen::new("are the same table of the cloud");
    let mut desktops = Seen::new("read the same table of the desktop");
    let mut all = Vec::new();
    for entry in tables.entries() {
        let section = entry.section()?.only(keys::TABLE)?;
        let shared = defaults.overlaid(&section, kind)?;
        let settings = settings(&entry, &section, shared, kind.default_schema())?;
        clouds.note(settings.cloud.clone(), &section)?;
        desktops.note(settings.desktop.clone(), &section)?;
        all.push(settings);
    }
    if all.is_empty() {
        Err(tables.refuse("names no table", "Add [tables.NAME] for each table to sync."))
    } else {
        Ok(all)
    }
}

/// One table; `schema` is the desktop's where nothing names another.
fn settings(
    entry: &Entry<'_>,
    section: &Section<'_>,
    shared: Shared,
    schema: &str,
) -> Result<TableSettings> {
    let cloud = parse_name(&entry.key).ok_or_else(|| not_a_table(entry, "[tables.jobshead]"))?;
    deletes(&section.section("deletes")?.only(keys::DELETES)?)?;
    let Shared {
        capture,
        updated_at,
        created_at,
        lag,
        assume_timezone,
        batch_rows,
        batch_bytes,
        max_withheld,
    } = shared;
    let exclude = section.read("exclude", |e| e.list(name))?.unwrap_or_default();
    Ok(TableSettings {
        desktop: section
            .read("desktop", |e| table_name(e, schema))?
            .unwrap_or_else(|| of_desktop(&cloud, schema)),
        cloud,
        enabled: section.read("enabled", Entry::boolean)?.unwrap_or(true),
        rename: section.read("rename", |e| rename(e, &exclude))?.unwrap_or_default(),
        exclude,
        also_writes: section
            .read("also_writes", |e| e.list(|e| table_name(e, DEFAULT_SCHEMA)))?
            .unwrap_or_default(),
        capture,
        updated_at,
        created_at,
        lag,
        assume_timezone,
        batch_rows,
        batch_bytes,
        max_withheld,
    })
}

/// What `[sync]` says of all tables, and a table of itself.
pub(super) struct Shared {
    capture: Capture,
    pub(super) updated_at: String,
    pub(super) created_at: String,
    lag: Lag,
    assume_timezone: Option<String>,
    pub(super) batch_rows: u64,
    pub(super) batch_bytes: u64,
    pub(super) max_withheld: u64,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            capture: Capture::Timestamp,
            updated_at: "updated_at".into(),
            created_at: "created_at".into(),
            lag: Lag::Unset,
            assume_timezone: None,
            batch_rows: 50_000,
            batch_bytes: 4 << 20,
            max_withheld: 1000,
        }
    }
}

impl Shared {
    /// What `section` says, and `self` where it says nothing.
    fn overlaid(&self, section: &Section<'_>, kind: DesktopKind) -> Result<Self> {
        section.read("conflicts", |e| CONFLICTS.check(e))?;
        section.read("edits", |e| EDITS.check(e))?;
        let rows = |e: &Entry<'_>| e.whole(1..=ROWS_MAX);
        let bytes = |e: &Entry<'_>| e.size(BATCH_BYTES_MIN..=BATCH_BYTES_MAX, "from 1KiB to 1GiB");
        let lag = |e: &Entry<'_>| e.duration(Duration::ZERO..=LAG_MAX, "from 0s to 1d");
        let capture = |e: &Entry<'_>| desktop_capture(e, kind);
        Ok(Self {
            capture: section.read("capture", capture)?.unwrap_or(self.capture),
            updated_at: section.read("updated_at", name)?.unwrap_or(self.updated_at.clone()),
            created_at: section.read("created_at", name)?.unwrap_or(self.created_at.clone()),
            lag: section.read("lag", lag)?.map_or(self.lag, Lag::Set),
            assume_timezone: section
                .read("assume_timezone", timezone)?
                .or(self.assume_timezone.clone()),
            batch_rows: section.read("batch_rows", rows)?.unwrap_or(self.batch_rows),
            batch_bytes: section.read("batch_bytes", bytes)?.unwrap_or(self.batch_bytes),
            max_withheld: section.read("max_withheld", rows)?.unwrap_or(self.max_withheld),
        })
    }
}

/// Only full names: an abbreviation as `BST` has one offset all the year, and the sign of `+01`
/// means the opposite in POSIX. Whether the zone exists, the database knows.
fn timezone(entry: &Entry<'_>) -> Result<String> {
    let zone = entry.string()?;
    let full = zone.contains('/') && zone.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = zone.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c));
    if zone == "UTC" || full && plain {
        Ok(zone)
    } else {
        Err(entry.must_be("the full name of a time zone, or UTC", "\"Europe/London\""))
    }
}

fn rename(entry: &Entry<'_>, exclude: &[String]) -> Result<BTreeMap<String, String>> {
    let rename = entry.map(name)?;
    let mut cloud_names: Vec<_> = rename.values().collect();
    cloud_names.sort();
    cloud_names.dedup();
    if cloud_names.len() < rename.len() {
        let remedy = "Give each a name of its own; it is desktop = cloud.";
        return Err(entry.refuse("gives two columns the same cloud name", remedy));
    }
    if !rename.keys().all(|column| is_name(column)) {
        return Err(entry.must_be("desktop name = cloud name", "{ JobNo = \"job_id\" }"));
    }
    if exclude.iter().any(|column| rename.contains_key(column)) {
        Err(entry.refuse(
            "renames a column that `exclude` leaves out",
            "Take it out of one of the two; both are by desktop name.",
        ))
    } else {
        Ok(rename)
    }
}

fn table_name(entry: &Entry<'_>, schema: &str) -> Result<TableName> {
    let example = format!("{} = \"schema.name\"", entry.key);
    name_within(&entry.string()?, schema).ok_or_else(|| not_a_table(entry, &example))
}

/// What the desktop calls a table of the cloud, if nobody says otherwise.
pub(super) fn of_desktop(cloud: &TableName, schema: &str) -> TableName {
    match cloud.schema.as_str() {
        DEFAULT_SCHEMA => TableName::new(schema, &cloud.name),
        _ => cloud.clone(),
    }
}

/// A table's name as the file writes it.
pub(super) fn parse_name(text: &str) -> Option<TableName> {
    name_within(text, DEFAULT_SCHEMA)
}

fn name_within(text: &str, schema: &str) -> Option<TableName> {
    let table = TableName::parse(text, schema);
    (is_name(&table.schema) && is_name(&table.name)).then_some(table)
}

fn not_a_table(entry: &Entry<'_>, example: &str) -> Error {
    entry.refuse("is no table's name", format!("Write \"name\" or \"schema.name\": {example}."))
}

/// What may stand in the file only once, and where it was seen.
struct Seen<T> {
    clash: &'static str,
    at: HashMap<T, String>,
}

impl<T: Hash + Eq> Seen<T> {
    fn new(clash: &'static str) -> Self {
        Self { clash, at: HashMap::new() }
    }

    fn note(&mut self, what: T, section: &Section<'_>) -> Result<()> {
        let here = format!("{section} (line {})", section.line());
        match self.at.insert(what, here) {
            Some(first) => Err(section.refuse(
                &format!("and {first} {}", self.clash),
                "Keep one of the two, or correct its `desktop`.",
            )),
            None => Ok(()),
        }
    }
}

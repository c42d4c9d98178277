//! What each section may say. Values that ask for what this version does not do are refused,
//! never ignored.

use std::time::Duration;

use secrecy::SecretString;

use super::Config;
use super::desktop::{self, DesktopKind, TlsSetting};
use super::file::{Entry, File, Section};
use super::{keys, table};
use crate::error::Result;
use crate::model::{Capture, Ownership};

const HOUR: Duration = Duration::from_secs(3600);
/// The longest duration that [deletes] takes.
const PERIOD_MAX: Duration = HOUR.saturating_mul(24 * 3650);
/// Of tidegate's own tables.
pub(super) const SCHEMA: &str = "tidegate";
/// How mobile changes are found.
pub(super) const CLOUD_CAPTURE: &str = "log";
pub(super) const OWNER_COLUMN: &str = "source";
pub(super) const DESKTOP_MARK: &str = "D";
pub(super) const MOBILE_MARK: &str = "M";
pub(super) const WORKERS: u64 = 4;
/// PostgreSQL cuts longer names without a word.
const NAME_BYTES_MAX: usize = 63;

/// Checks the whole file.
pub(super) fn config(file: File<'_>) -> Result<Config> {
    let toml = file.toml()?;
    let top = Section::top(file, &toml).only(keys::TOP)?;
    let desktop = top.section("desktop")?.only(keys::DESKTOP)?;
    let cloud = top.section("cloud")?.only(keys::CLOUD)?;
    let sync = top.section("sync")?.only(keys::SYNC)?;
    let kind = kind(&desktop.require("kind", "\"postgres\"")?)?;
    deletes(&top.section("deletes")?.only(keys::DELETES)?)?;
    Ok(Config {
        path: file.path.to_owned(),
        desktop_kind: kind,
        desktop_tls: desktop.read("tls", |e| tls(e, kind))?.unwrap_or(TlsSetting::Unset),
        desktop_url: url(&desktop.require("url", "\"${env:DESKTOP_URL}\"")?, kind)?,
        desktop_schema: desktop.read("schema", name)?.unwrap_or_else(|| SCHEMA.into()),
        cloud_url: url(&cloud.require("url", "\"${env:CLOUD_URL}\"")?, DesktopKind::Postgres)?,
        cloud_schema: cloud.read("schema", name)?.unwrap_or_else(|| SCHEMA.into()),
        cloud_capture: cloud.read("capture", cloud_capture)?.unwrap_or(Capture::Log),
        ownership: ownership(&top.section("ownership")?.only(keys::OWNERSHIP)?)?,
        workers: sync.read("workers", |e| e.whole(1..=64))?.unwrap_or(WORKERS) as usize,
        tables: table::all(&top.section("tables")?, &sync, kind)?,
    })
}

const NOT_YET: &str = "asks for what this version does not do";

/// A key that takes one value for now.
pub(super) struct Choice {
    /// The default.
    pub(super) now: &'static str,
    /// What the grammar knows and later versions will do.
    later: &'static [&'static str],
}

/// Of the desktop; a SQL Server's may be by versions or by a log as well.
pub(super) const CAPTURE: Choice = Choice { now: "timestamp", later: &["log", "full", "xmin"] };
/// Both sides edited one row of the desktop.
pub(super) const CONFLICTS: Choice =
    Choice { now: "latest", later: &["desktop", "mobile", "hold", "columns"] };
/// Whether a later desktop edit may change a row of the mobile app.
pub(super) const EDITS: Choice = Choice { now: "owner", later: &["latest"] };
pub(super) const DELETES_FORWARD: Choice = Choice { now: "off", later: &["reconcile", "log"] };
pub(super) const DELETES_REVERSE: Choice = Choice { now: "off", later: &["log"] };

impl Choice {
    /// Refuses all but what this version does.
    pub(super) fn check(&self, entry: &Entry<'_>) -> Result<()> {
        let value = entry.string()?;
        if value == self.now {
            return Ok(());
        }
        let example = format!("\"{}\"", self.now);
        if self.later.contains(&value.as_str()) {
            Err(entry.refuse(
                NOT_YET,
                format!("Set {} = {example}; this version takes nothing else.", entry.key),
            ))
        } else {
            Err(entry.must_be(&format!("{example} in this version"), &example))
        }
    }
}

/// Checks `[deletes]`, of all tables or of one. While both directions are off, nothing of it
/// has an effect.
pub(super) fn deletes(section: &Section<'_>) -> Result<()> {
    section.read("forward", |e| DELETES_FORWARD.check(e))?;
    section.read("reverse", |e| DELETES_REVERSE.check(e))?;
    for key in ["every", "confirm_after", "retention"] {
        section
            .read(key, |e| e.duration(Duration::from_secs(1)..=PERIOD_MAX, "from 1s to 3650d"))?;
    }
    section.read("max_percent", |e| e.whole(0..=100))?;
    Ok(())
}

fn kind(entry: &Entry<'_>) -> Result<DesktopKind> {
    let known = "\"postgres\" or \"sqlserver\"";
    match entry.string()?.as_str() {
        "postgres" => Ok(DesktopKind::Postgres),
        "sqlserver" => Ok(DesktopKind::SqlServer),
        "sqlite" => Err(entry.refuse(NOT_YET, format!("Set {} = {known}.", entry.key))),
        _ => Err(entry.must_be(&format!("{known} in this version"), "\"postgres\"")),
    }
}

fn tls(entry: &Entry<'_>, kind: DesktopKind) -> Result<TlsSetting> {
    match kind {
        DesktopKind::SqlServer => desktop::tls(entry),
        DesktopKind::Postgres => Err(entry.refuse(
            "is for kind = \"sqlserver\" only",
            "Leave it out; what concerns TLS stands in the URL of a PostgreSQL, as sslmode and \
             sslrootcert.",
        )),
    }
}

/// How changes of a desktop of this kind are found.
pub(super) fn desktop_capture(entry: &Entry<'_>, kind: DesktopKind) -> Result<Capture> {
    match (&*entry.string()?, kind) {
        ("rowversion", DesktopKind::SqlServer) => Ok(Capture::Rowversion),
        ("log", DesktopKind::SqlServer) => Ok(Capture::DesktopLog),
        ("rowversion", DesktopKind::Postgres) => Err(entry.refuse(
            "asks for what a PostgreSQL desktop does not have",
            format!("Set {} = \"timestamp\"; rowversion is a type of SQL Server.", entry.key),
        )),
        _ => {
            CAPTURE.check(entry)?;
            Ok(Capture::Timestamp)
        }
    }
}

fn cloud_capture(entry: &Entry<'_>) -> Result<Capture> {
    match entry.string()?.as_str() {
        CLOUD_CAPTURE => Ok(Capture::Log),
        "timestamp" => Ok(Capture::Timestamp),
        _ => Err(entry.must_be("\"log\" or \"timestamp\"", "\"log\"")),
    }
}

fn ownership(section: &Section<'_>) -> Result<Ownership> {
    let column = section.read("column", name)?.unwrap_or_else(|| OWNER_COLUMN.into());
    let desktop = section.read("desktop", mark)?.unwrap_or_else(|| DESKTOP_MARK.into());
    let mobile = section.read("mobile", mark)?.unwrap_or_else(|| MOBILE_MARK.into());
    if desktop == mobile {
        return Err(section.refuse(
            "gives desktop and mobile the same mark",
            "Set two different marks, as in desktop = \"D\" and mobile = \"M\".",
        ));
    }
    Ok(Ownership { column, desktop, mobile })
}

fn mark(entry: &Entry<'_>) -> Result<String> {
    let mark = entry.string()?;
    if mark.is_empty() { Err(entry.must_be("a mark that is not empty", "\"D\"")) } else { Ok(mark) }
}

fn url(entry: &Entry<'_>, kind: DesktopKind) -> Result<SecretString> {
    let url = entry.string()?;
    if DesktopKind::of_address(&url) == Some(kind) {
        return Ok(url.into());
    }
    Err(match kind {
        DesktopKind::Postgres => entry.refuse(
            "must be an address that begins with postgres:// or postgresql://",
            "Write postgres://user:password@host:port/database, best in a variable: ${env:NAME}.",
        ),
        DesktopKind::SqlServer => entry.refuse(
            "must be an address that begins with sqlserver:// and has no ;, or Server=…;Database=…",
            "Write sqlserver://user:password@host:1433/database, best in a variable: ${env:NAME}; \
             %3B is a ; in a password.",
        ),
    })
}

/// A name as the catalogue may hold it.
pub(super) fn name(entry: &Entry<'_>) -> Result<String> {
    let name = entry.string()?;
    if is_name(&name) {
        return Ok(name);
    }
    Err(entry.must_be("a name of 1 to 63 bytes, without control characters", "\"name\""))
}

/// Whether a catalogue may hold `name`.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(char::is_control)
}

//! The file as written → [`Config`] as checked; the only reader of the environment.
//!
//! No error and no `Debug` output here quotes a value of the file: it may hold a password.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::error::{End, Error, Result};
use crate::model::{Capture, Ownership, TableName, TableSettings};

mod address;
mod check;
mod desktop;
mod expand;
mod exposed;
mod file;
mod keys;
mod show;
mod table;

pub mod ado;
pub mod quote;

#[cfg(test)]
mod tests;

pub use desktop::{DesktopKind, TlsSetting};
pub use show::{Origin, Setting, Shown, ShownSection};

/// Where the configuration is looked for when the command line names no file, in this order.
pub const DEFAULT_PATHS: [&str; 2] = ["./tidegate.toml", "/etc/tidegate/tidegate.toml"];

/// What the operator configured, checked.
pub struct Config {
    /// The file that it was read from.
    pub path: PathBuf,
    /// What program keeps the desktop's rows.
    pub desktop_kind: DesktopKind,
    /// How far a SQL Server desktop is believed to be itself.
    pub desktop_tls: TlsSetting,
    /// Where the desktop is, with its credentials.
    pub desktop_url: SecretString,
    /// The schema of tidegate's own tables on the desktop, if it has them.
    pub desktop_schema: String,
    /// Where the cloud is, with its credentials.
    pub cloud_url: SecretString,
    /// The schema of tidegate's own tables in the cloud.
    pub cloud_schema: String,
    /// How changes of mobile users are found.
    pub cloud_capture: Capture,
    /// The ownership column and its marks.
    pub ownership: Ownership,
    /// How many tables are worked on at the same time.
    pub workers: usize,
    /// The tables, in the order of the file; never empty.
    pub tables: Vec<TableSettings>,
}

impl Config {
    /// Reads and checks `explicit`, or the first of [`DEFAULT_PATHS`] that exists.
    pub fn load(explicit: Option<&Path>) -> Result<Self> {
        let (path, text) = find(explicit)?;
        Self::of(&text, path)
    }

    /// Checks `text` as if it were the content of `path`.
    pub fn of(text: &str, path: &Path) -> Result<Self> {
        Self::parse(text, path, &environment)
    }

    /// The same; `env` looks up environment variables.
    pub fn parse(text: &str, path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        check::config(file::File { path, text, env })
    }

    /// What `end` calls the tables of `settings`.
    pub fn names(&self, end: End, settings: &[TableSettings]) -> Vec<TableName> {
        let name = |t: &TableSettings| match end {
            End::Desktop => t.desktop.clone(),
            End::Cloud => t.cloud.clone(),
        };
        settings.iter().map(name).collect()
    }

    /// The URL of `end`.
    pub fn url(&self, end: End) -> &SecretString {
        match end {
            End::Desktop => &self.desktop_url,
            End::Cloud => &self.cloud_url,
        }
    }

    /// Whether the file holds a password that others than its owner may read.
    pub fn exposes_password(&self) -> bool {
        exposed::is_exposed(&self.path)
    }
}

/// Names only what can't hold an expanded value.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<_> = self.tables.iter().map(|t| t.cloud.to_string()).collect();
        f.debug_struct("Config")
            .field("path", &self.path)
            .field("workers", &self.workers)
            .field("tables", &tables)
            .finish_non_exhaustive()
    }
}

/// What an address that may stand on a command line leads to: it holds a password, if any, by
/// reference only.
pub fn address(text: &str) -> Result<SecretString> {
    address::read(text, &environment)
}

/// What kind of desktop such an address is of.
pub fn kind_of(address: &SecretString) -> DesktopKind {
    let kind = DesktopKind::of_address(address.expose_secret());
    kind.unwrap_or(DesktopKind::Postgres)
}

/// What a desktop of this kind calls the cloud's `table`, unless the file says otherwise.
pub fn desktop_name(cloud: &TableName, kind: DesktopKind) -> TableName {
    table::of_desktop(cloud, kind.default_schema())
}

/// Whether the file can name `table`: not every name that a catalogue may hold can be written.
pub fn can_name(table: &TableName) -> bool {
    table::parse_name(&table.to_string()).as_ref() == Some(table)
}

impl Shown {
    /// Every key of the same file, without secrets. The file is checked first.
    pub fn load(explicit: Option<&Path>) -> Result<Self> {
        let (path, text) = find(explicit)?;
        Self::parse(&text, path, &environment)
    }

    /// Shows `text` as if it were the content of `path`; `env` looks up environment variables.
    pub fn parse(text: &str, path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        Config::parse(text, path, env)?;
        show::shown(file::File { path, text, env })
    }
}

/// Every key that the file may hold, in whichever section.
pub fn keys() -> std::collections::BTreeSet<&'static str> {
    keys::all()
}

/// Whether systemd passes what this process prints on stderr to the journal. The variable alone says
/// little: it is inherited by whatever a service starts, also with stderr elsewhere.
pub fn under_journald() -> bool {
    let stderr =
        std::fs::metadata("/dev/stderr").map(|file| format!("{}:{}", file.dev(), file.ino()));
    environment("JOURNAL_STREAM").is_some_and(|stream| stderr.is_ok_and(|ours| ours == stream))
}

/// Whether the user asked for output without colours (<https://no-color.org>).
pub fn no_color() -> bool {
    environment("NO_COLOR").is_some_and(|value| !value.is_empty())
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `None`: there is no such file.
fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::config(
            format!("{}: can't be read", path.display()),
            "It must be a text file in UTF-8 that tidegate's user may read.",
        )
        .because(e)),
    }
}

/// The file that `explicit` names, or the first of [`DEFAULT_PATHS`] that exists.
fn find(explicit: Option<&Path>) -> Result<(&Path, String)> {
    match explicit {
        Some(path) => Ok((path, read(path)?.ok_or_else(|| not_found(path))?)),
        None => first_of(&DEFAULT_PATHS),
    }
}

fn first_of<'a>(paths: &[&'a str]) -> Result<(&'a Path, String)> {
    for path in paths {
        let path: &'a Path = Path::new(*path);
        if let Some(text) = read(path)? {
            return Ok((path, text));
        }
    }
    Err(Error::config(
        format!("there is no configuration: neither {}", paths.join(" nor ")),
        "Run `tidegate init` to have one written, or name a file with --config.",
    ))
}

fn not_found(path: &Path) -> Error {
    Error::config(
        format!("{}: there is no such file", path.display()),
        "Check the path that --config names.",
    )
}

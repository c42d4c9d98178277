//! What kind of database the desktop is, and what only one kind of them has.

use std::path::PathBuf;

use super::ado;
use super::file::Entry;
use super::keys;
use crate::error::Result;

/// The program that keeps the desktop's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DesktopKind {
    /// PostgreSQL.
    Postgres,
    /// Microsoft SQL Server, or Azure SQL.
    SqlServer,
}

impl DesktopKind {
    /// How the file writes it.
    pub const fn word(self) -> &'static str {
        match self {
            DesktopKind::Postgres => "postgres",
            DesktopKind::SqlServer => "sqlserver",
        }
    }

    /// The schema of tables that are named without one.
    pub const fn default_schema(self) -> &'static str {
        match self {
            DesktopKind::Postgres => "public",
            DesktopKind::SqlServer => "dbo",
        }
    }

    /// Whose address `text` is, by its form alone.
    pub fn of_address(text: &str) -> Option<Self> {
        let begins =
            |schemes: [&str; 2]| schemes.iter().any(|scheme| text.trim_start().starts_with(scheme));
        if begins(["postgres://", "postgresql://"]) {
            Some(DesktopKind::Postgres)
        // JDBC's form hides a password where no URL has one.
        } else if begins(["sqlserver://", "mssql://"]) && !text.contains(';') || ado::is_ado(text) {
            Some(DesktopKind::SqlServer)
        } else {
            None
        }
    }
}

/// How far a SQL Server is believed to be itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsSetting {
    /// Nothing in the configuration: verified, and no TLS to this machine itself.
    Unset,
    /// Its certificate has to be issued by an authority of the operating system, for its name.
    VerifyFull,
    /// The same; an authority of this PEM file serves, too.
    Ca(PathBuf),
    /// Any certificate is taken.
    TrustServer,
    /// No TLS.
    Off,
}

impl TlsSetting {
    /// The word of the file, or the path of a PEM file.
    pub fn of_argument(text: &str) -> Self {
        match text {
            "verify-full" => TlsSetting::VerifyFull,
            "trust-server" => TlsSetting::TrustServer,
            "off" => TlsSetting::Off,
            path => TlsSetting::Ca(path.into()),
        }
    }
}

/// `[desktop] tls`
pub(super) fn tls(entry: &Entry<'_>) -> Result<TlsSetting> {
    if entry.plain().is_table() {
        let path = entry.section()?.only(keys::TLS)?.require("ca", "\"/path/to/ca.pem\"")?;
        return match path.string()? {
            text if text.starts_with('/') => Ok(TlsSetting::Ca(text.into())),
            _ => Err(path.must_be("the absolute path of a PEM file", "\"/path/to/ca.pem\"")),
        };
    }
    match entry.string()?.as_str() {
        "verify-full" => Ok(TlsSetting::VerifyFull),
        "trust-server" => Ok(TlsSetting::TrustServer),
        "off" => Ok(TlsSetting::Off),
        _ => Err(entry.must_be(
            "\"verify-full\", { ca = \"/path/to/ca.pem\" }, \"trust-server\" or \"off\"",
            "\"verify-full\"",
        )),
    }
}

//! What is decided, and what is left to a person.

use serde::Serialize;

use crate::config::{DesktopKind, TlsSetting};
use crate::model::{Capture, Ownership, TableName};

/// What only a person can decide, and how.
#[derive(Debug, Clone, Serialize)]
pub struct Undecided {
    /// The cloud's table that it is about; none: it is about all.
    pub table: Option<String>,
    /// What is open, and why.
    pub question: String,
    /// What to do.
    pub remedy: String,
    /// A line for the file that may be the answer; it stands there as a comment.
    pub suggestion: Option<String>,
}

impl Undecided {
    pub(super) fn of_all(question: impl AsRef<str>, remedy: impl AsRef<str>) -> Self {
        Self {
            table: None,
            question: plain(question.as_ref()),
            remedy: plain(remedy.as_ref()),
            suggestion: None,
        }
    }

    pub(super) fn of(
        table: &TableName,
        question: impl AsRef<str>,
        remedy: impl AsRef<str>,
    ) -> Self {
        Self { table: Some(plain(&table.to_string())), ..Self::of_all(question, remedy) }
    }

    pub(super) fn suggesting(self, line: impl Into<String>) -> Self {
        Self { suggestion: Some(line.into()), ..self }
    }
}

/// A name may hold line ends, which would end a comment.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{FFFD}")
}

/// Names, separated by commas.
pub(super) fn listed<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| plain(&name.to_string())).collect();
    names.join(", ")
}

/// A table that both ends have.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) cloud: TableName,
    pub(super) desktop: TableName,
    /// Key and value of the stamps that are called otherwise than in most tables.
    pub(super) stamps: Vec<(&'static str, String)>,
    /// Columns of the desktop, and what the cloud calls them.
    pub(super) rename: Vec<(String, String)>,
    /// Columns of the desktop that can't travel.
    pub(super) exclude: Vec<String>,
    /// How changes are found, where that is otherwise than in most tables.
    pub(super) capture: Option<Capture>,
    /// Whether the desktop keeps no ownership column, so that nothing comes home.
    pub(super) forward_only: bool,
    /// Why it is not enabled.
    pub(super) disabled: Option<&'static str>,
    pub(super) notes: Vec<String>,
    pub(super) undecided: Vec<Undecided>,
}

/// The configuration in the making.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) kind: DesktopKind,
    pub(super) tls: TlsSetting,
    /// How changes of most tables of a SQL Server are found.
    pub(super) capture: Capture,
    /// The addresses as they are written, with their references.
    pub(super) desktop: String,
    pub(super) cloud: String,
    pub(super) ownership: Ownership,
    pub(super) updated_at: String,
    pub(super) created_at: String,
    pub(super) assume_timezone: Option<String>,
    /// What is open in the general sections: section and key that it stands at.
    pub(super) general: Vec<(&'static str, &'static str, Undecided)>,
    pub(super) tables: Vec<Table>,
    /// What stands after the tables.
    pub(super) unpaired: Vec<Undecided>,
    pub(super) only_desktop: Vec<TableName>,
    pub(super) only_cloud: Vec<TableName>,
}

/// What `init` proposes.
#[derive(Debug, Serialize)]
pub struct Proposal {
    /// The ownership column …
    pub ownership_column: String,
    /// … and the desktop's mark in it …
    pub desktop_mark: String,
    /// … and the mobile app's.
    pub mobile_mark: String,
    /// The tables of both ends, in the order of the file.
    pub tables: Vec<Proposed>,
    /// Those of which nothing comes home, for the desktop has no ownership column there.
    pub forward_only: Vec<String>,
    /// Tables that the desktop alone has.
    pub only_desktop: Vec<String>,
    /// Tables that the cloud alone has.
    pub only_cloud: Vec<String>,
    /// In the order of the file.
    pub undecided: Vec<Undecided>,
    /// The file.
    #[serde(skip)]
    pub text: String,
}

/// One table of a [`Proposal`].
#[derive(Debug, Serialize)]
pub struct Proposed {
    /// Its name in the cloud.
    pub table: String,
    /// Its name on the desktop.
    pub desktop: String,
    /// Whether runs will sync it.
    pub enabled: bool,
}

impl Draft {
    /// The proposal, `text` being the file.
    pub(super) fn proposal(self, text: String) -> Proposal {
        let names = |tables: &[TableName]| tables.iter().map(ToString::to_string).collect();
        let tables = self.tables.iter().map(|t| Proposed {
            table: t.cloud.to_string(),
            desktop: t.desktop.to_string(),
            enabled: t.disabled.is_none(),
        });
        let forward_only = self.tables.iter().filter(|t| t.forward_only);
        Proposal {
            tables: tables.collect(),
            forward_only: forward_only.map(|t| t.cloud.to_string()).collect(),
            only_desktop: names(&self.only_desktop),
            only_cloud: names(&self.only_cloud),
            ownership_column: self.ownership.column,
            desktop_mark: self.ownership.desktop,
            mobile_mark: self.ownership.mobile,
            undecided: self
                .general
                .into_iter()
                .map(|(_, _, undecided)| undecided)
                .chain(self.tables.into_iter().flat_map(|t| t.undecided))
                .chain(self.unpaired)
                .collect(),
            text,
        }
    }
}

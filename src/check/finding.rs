//! What `check` says: findings, each with its level and, unless all is well, its remedy.

use std::fmt;

use serde::Serialize;

use crate::error::{End, Error, Kind};
use crate::model::TableName;

/// The version of the JSON document.
pub const SCHEMA_VERSION: u32 = 1;

/// How bad a finding is; the worst comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Runs work, but somebody should look.
    Warning,
    /// Runs don't work, or not safely.
    Failure,
}

impl Level {
    /// The word in the output.
    pub fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Failure => "failure",
        }
    }
}

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Where; none if it concerns both ends, or neither.
    pub end: Option<&'static str>,
    /// The table by its name in the cloud, if it concerns one.
    pub table: Option<String>,
    /// What was looked at: a name that stays.
    pub check: &'static str,
    /// What was found: a sentence without a full stop, never a row's value.
    pub message: String,
    /// What to do; none where all is well.
    pub remedy: Option<String>,
    /// What kind of error a run would end with.
    #[serde(skip)]
    kind: Option<Kind>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { level: Level::Ok, end: None, table: None, check, message, remedy: None, kind: None }
    }

    /// Somebody should look.
    pub fn warning(
        check: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = Some(remedy.into());
        Self { level: Level::Warning, remedy, ..Self::ok(check, message) }
    }

    /// Runs end with `error`, or should.
    pub fn failure(check: &'static str, error: &Error) -> Self {
        let (remedy, kind) = (Some(error.remedy().to_owned()), Some(error.kind()));
        Self { level: Level::Failure, remedy, kind, ..Self::ok(check, error.to_string()) }
    }

    /// A failure that the configuration, or the set-up of a database, has to mend.
    pub fn misfit(
        check: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::failure(check, &Error::config(message, remedy))
    }

    /// Whether a run would end for want of a right.
    pub(super) fn is_about_rights(&self) -> bool {
        self.kind == Some(Kind::Unauthorised)
    }

    /// The same, found at `end`.
    pub fn at(mut self, end: End) -> Self {
        self.end = Some(match end {
            End::Desktop => "desktop",
            End::Cloud => "cloud",
        });
        self
    }

    /// The same, about `table` of the cloud.
    pub fn of(mut self, table: &TableName) -> Self {
        self.table = Some(table.to_string());
        self
    }
}

/// As people read it: level, place, message.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<9}", self.level.word())?;
        match (self.end, &self.table) {
            (Some(end), Some(table)) => write!(f, "{end} {table}: "),
            (Some(place), None) => write!(f, "{place}: "),
            (None, Some(place)) => write!(f, "{place}: "),
            (None, None) => Ok(()),
        }?;
        f.write_str(&self.message)
    }
}

/// Everything that was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The version of this document.
    pub schema_version: u32,
    /// The worst level.
    pub outcome: Level,
    /// First what concerns all tables, then table by table.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(mut findings: Vec<Finding>, tables: &[TableName]) -> Self {
        let place = |finding: &Finding| {
            let table = finding.table.as_deref()?;
            tables.iter().position(|t| t.to_string() == table)
        };
        findings.sort_by_key(place);
        let outcome = findings.iter().map(|f| f.level).max().unwrap_or(Level::Ok);
        Self { schema_version: SCHEMA_VERSION, outcome, findings }
    }

    /// How many findings are of `level`.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|f| f.level == level).count()
    }

    /// The exit code: warnings alone are 0. Of several failures the first of 10 to 13 counts, as
    /// for a run.
    pub fn exit_code(&self) -> u8 {
        let codes = || self.findings.iter().filter_map(|f| f.kind).map(Kind::exit_code);
        let setup = codes().filter(|code| (10..=13).contains(code)).min();
        setup.or(codes().min().map(|_| Kind::Other.exit_code())).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(kinds: &[Kind]) -> u8 {
        let failure = |kind: &Kind| Finding::failure("x", &Error::new(*kind, "broken"));
        let mut findings = vec![Finding::ok("a", "fine"), Finding::warning("b", "hm", "look")];
        findings.extend(kinds.iter().map(failure));
        Report::new(findings, &[]).exit_code()
    }

    #[test]
    fn the_exit_code_is_that_of_the_failure_which_comes_first() {
        let (desktop, cloud) = (Kind::Unreachable(End::Desktop), Kind::Unreachable(End::Cloud));
        for (kinds, expected) in [
            (&[][..], 0),
            (&[Kind::Config], 10),
            (&[desktop], 11),
            (&[Kind::Unauthorised], 12),
            (&[cloud], 13),
            (&[Kind::Transient], 1),
            (&[Kind::Other, Kind::Data], 1),
            (&[cloud, desktop], 11),
            (&[Kind::Other, cloud, Kind::Unauthorised], 12),
            (&[Kind::Unauthorised, Kind::Config], 10),
        ] {
            assert_eq!(code(kinds), expected, "{kinds:?}");
        }
    }

    #[test]
    fn tables_come_in_the_order_of_the_configuration_after_what_concerns_all() {
        let tables = [TableName::new("public", "b"), TableName::new("office", "a")];
        let of = |table: &TableName| Finding::ok("x", "fine").of(table).at(End::Cloud);
        let findings = vec![of(&tables[1]), of(&tables[0]), Finding::ok("x", "fine")];
        let report = Report::new(findings, &tables);
        let lines: Vec<String> = report.findings.iter().map(Finding::to_string).collect();
        assert_eq!(
            lines,
            ["ok       fine", "ok       cloud b: fine", "ok       cloud office.a: fine"]
        );
    }
}

//! From two catalogues and the configuration to a [`TablePlan`], or a refusal with its remedy.

mod columns;
mod constraints;
mod logged;
mod refuse;
mod stamps;

use crate::error::{End, Error, Result};

use super::logging::Logging;
use super::plan::{ColumnPlan, Direction, Evidence, Given, Note, OwnerPlan, TablePlan};
use super::policy::{self, Policy};
use super::schema::{Column, Key, TableSchema};
use super::settings::{Capture, TableSettings};
use super::types::SqlType;

/// One table's two ends, in the order of the way.
#[derive(Clone, Copy)]
struct Ends<'a> {
    direction: Direction,
    source: &'a TableSchema,
    target: &'a TableSchema,
}

impl<'a> Ends<'a> {
    fn find(direction: Direction, given: Given<'a>) -> Result<Self> {
        let desktop = given.desktop.ok_or_else(|| {
            Error::config(
                format!("the desktop has no table {}", given.settings.desktop),
                "Name the desktop's table with desktop = \"schema.name\", exactly as its catalogue \
                 spells it.",
            )
        })?;
        let cloud = given.cloud.ok_or_else(|| {
            Error::config(
                format!("the cloud has no table {}", given.settings.cloud),
                "Create it, or correct the name: [tables.\"schema.name\"], exactly as the catalogue \
                 spells it.",
            )
        })?;
        Ok(match direction {
            Direction::Forward => Self { direction, source: desktop, target: cloud },
            Direction::Reverse => Self { direction, source: cloud, target: desktop },
        })
    }

    fn at(&self, end: End) -> &'a TableSchema {
        match end == self.direction.source() {
            true => self.source,
            false => self.target,
        }
    }
}

/// Plans one table in one direction.
///
/// # Errors
/// [`Kind::Config`](crate::error::Kind::Config) when the table can't be synced safely,
/// [`Kind::Unauthorised`](crate::error::Kind::Unauthorised) when the role lacks rights on it.
pub fn plan(direction: Direction, given: Given<'_>) -> Result<TablePlan> {
    let plan = planned(direction, given)?;
    logged::refuse_unlogged(&plan, given)?;
    Ok(plan)
}

/// What the log of the desktop's table has to be, whether there is one or not.
///
/// # Errors
/// As of [`plan`], and [`Kind::Config`](crate::error::Kind::Config) for a key that can't be logged.
pub fn logging(given: Given<'_>) -> Result<Logging> {
    logged::logging(&planned(Direction::Forward, given)?, given)
}

fn planned(direction: Direction, given: Given<'_>) -> Result<TablePlan> {
    let settings = given.settings;
    let ends = Ends::find(direction, given)?;
    let Ends { source, target, .. } = ends;
    refuse::no_table(ends)?;
    let key = key(given, ends)?;
    refuse::hidden_rows(ends)?;
    refuse::in_memory(ends)?;
    refuse::missing_rights(ends)?;
    let evidence = evidence(given, ends)?;
    let (columns, drift) = columns::matched(given, ends)?;
    let key = columns::key_indexes(&key, &columns, ends)?;
    let key_columns: Vec<_> = key.iter().map(|&i| &columns[i]).collect();
    refuse::lossy_key(ends, &key_columns)?;
    refuse::folded_key(ends, &key_columns)?;
    refuse::unfilled(ends, &columns)?;
    let owner = owner_plan(given, ends, &columns)?;
    let key_names: Vec<&str> = key.iter().filter_map(|&i| columns[i].source_name()).collect();
    let capture = match (direction, evidence) {
        (Direction::Forward, _) => settings.capture,
        (Direction::Reverse, Evidence::Log) => Capture::Log,
        (Direction::Reverse, Evidence::Stamps) => Capture::Timestamp,
    };
    Ok(TablePlan {
        direction,
        policy: policy(direction, evidence),
        capture,
        evidence,
        notes: notes(given, ends, capture),
        source: source.table(),
        target: target.table(),
        key_is_unique_at_source: source.is_unique(&key_names),
        owner,
        stamps: stamps::plan(settings, ends, capture, &columns)?,
        version: version(ends, capture)?,
        parents: constraints::parents(given, target, &columns),
        uniques: constraints::uniques(target, &columns, &key),
        unique_columns: constraints::unique_columns(target, &columns, &key),
        target_remakes: remakes(settings, ends, direction.target()),
        target_has_triggers: target.before_triggers,
        content: columns::content(settings, ends, &columns, &key),
        drift,
        synced: given.synced.to_vec(),
        settings: within_bounds(settings, target),
        columns,
        key,
    })
}

/// Whether the desktop keeps an ownership column: without it all its rows are its own, and nothing
/// can come home.
pub fn is_forward_only(given: Given<'_>) -> bool {
    let column = &given.ownership.column;
    given.desktop.is_some_and(|desktop| desktop_column(given.settings, desktop, column).is_none())
}

/// The desktop's column that the cloud calls `name`.
fn desktop_column<'d>(
    settings: &TableSettings,
    desktop: &'d TableSchema,
    name: &str,
) -> Option<&'d Column> {
    let travels = |c: &&Column| !settings.exclude.contains(&c.name);
    desktop.columns.iter().filter(travels).find(|c| settings.cloud_name(&c.name) == name)
}

fn policy(direction: Direction, evidence: Evidence) -> Policy {
    match (direction, evidence) {
        (Direction::Forward, Evidence::Stamps) => policy::FORWARD_BY_STAMPS,
        (Direction::Forward, Evidence::Log) => policy::FORWARD_BY_LOG,
        (Direction::Reverse, Evidence::Stamps) => policy::REVERSE_BY_STAMPS,
        (Direction::Reverse, Evidence::Log) => policy::REVERSE_BY_LOG,
    }
}

/// What will tell edits from versions that only came from the other side.
fn evidence(given: Given<'_>, ends: Ends<'_>) -> Result<Evidence> {
    let cloud = ends.at(End::Cloud);
    let label = given.settings.cloud.to_string();
    let key = cloud.primary_key.as_ref().map_or(&[][..], |key| &key.columns);
    let logged = cloud.is_logged_as(&label, &given.ownership.column, key);
    match (given.cloud_capture, logged) {
        // The cloud has neither row versions nor the desktop's log.
        (Capture::Timestamp | Capture::Rowversion | Capture::DesktopLog, _) => Ok(Evidence::Stamps),
        (Capture::Log, true) => Ok(Evidence::Log),
        (Capture::Log, false) if ends.direction == Direction::Forward => Ok(Evidence::Stamps),
        (Capture::Log, false) => Err(Error::config(
            "the cloud's table has no triggers that log what mobile users change, or they are for \
             another key or name",
            "Run `tidegate migrate` as the table's owner; or set capture = \"timestamp\" under \
             [cloud], which goes by the stamps of the rows.",
        )),
    }
}

fn notes(given: Given<'_>, ends: Ends<'_>, capture: Capture) -> Vec<Note> {
    let mut notes = vec![Note::Stamp];
    notes.extend_from_slice(match capture {
        Capture::Timestamp => &[],
        Capture::Rowversion | Capture::DesktopLog => &[Note::Version],
        Capture::Log => &[Note::Xid, Note::Seq, Note::Edited, Note::Bases],
    });
    let remembers = ends.direction == Direction::Reverse || given.desktop_remembers;
    if remakes(given.settings, ends, ends.direction.source()) && remembers {
        notes.push(Note::Counterpart);
    }
    notes
}

/// Rows of one transaction on a SQL Server: from 5,000 locks on it locks the whole table instead.
const LOCKED_ROWS_MAX: u64 = 2_000;

/// What the configuration says, as far as the target allows it.
fn within_bounds(settings: &TableSettings, target: &TableSchema) -> TableSettings {
    let most = if target.is_sql_server() { LOCKED_ROWS_MAX } else { u64::MAX };
    TableSettings { batch_rows: settings.batch_rows.min(most), ..settings.clone() }
}

/// Whether `end` may make something else of what is written there: by triggers, or because its stamps
/// keep less of the second than the cloud's, or because it writes XML in its own way.
fn remakes(settings: &TableSettings, ends: Ends<'_>, end: End) -> bool {
    let table = ends.at(end);
    let rounds = |name: &String| {
        let of = table.column(name).and_then(|c| c.sql_type);
        let cloud = ends.at(End::Cloud).column(settings.cloud_name(name));
        of.zip(cloud).is_some_and(|(of, cloud)| of.rounds(cloud.pg_type()))
    };
    let is_xml = |c: &Column| c.sql_type == Some(SqlType::Xml);
    table.before_triggers
        || table.columns.iter().any(is_xml)
        || [&settings.updated_at, &settings.created_at].into_iter().any(rounds)
}

/// The source's column with the versions of its rows, if its changes are found by them.
fn version(ends: Ends<'_>, capture: Capture) -> Result<Option<String>> {
    if capture != Capture::Rowversion {
        return Ok(None);
    }
    let is_version = |c: &&Column| c.sql_type == Some(SqlType::RowVersion);
    match ends.source.columns.iter().find(is_version) {
        Some(column) => Ok(Some(column.name.clone())),
        None => Err(Error::config(
            "the desktop's table has no column of type rowversion",
            format!(
                "alter table {} add row_version rowversion; or set capture = \"timestamp\" for this \
                 table, with a lag.",
                ends.source.table()
            ),
        )),
    }
}

/// The cloud's primary key, which both ends need to be unique.
fn key(given: Given<'_>, ends: Ends<'_>) -> Result<Key> {
    let cloud = ends.at(End::Cloud);
    let key = cloud.primary_key.clone().ok_or_else(|| {
        Error::config(
            "the cloud's table has no primary key",
            "Add one: without a key a row can't be recognised.",
        )
    })?;
    let deferrable = |end: End| {
        Error::config(
            format!("the {end}'s primary key is DEFERRABLE"),
            "Make it NOT DEFERRABLE: ON CONFLICT can't use it otherwise.",
        )
    };
    if ends.direction == Direction::Forward {
        return if key.deferrable { Err(deferrable(End::Cloud)) } else { Ok(key) };
    }
    let names: Vec<&str> = key
        .columns
        .iter()
        .filter_map(|c| desktop_column(given.settings, ends.target, c))
        .map(|c| c.name.as_str())
        .collect();
    match ends.target.key_over(&names) {
        Some(unique) if unique.deferrable => Err(deferrable(End::Desktop)),
        Some(_) if names.len() == key.columns.len() => Ok(key),
        _ => Err(Error::config(
            format!(
                "the desktop's table has no unique index over the cloud's key ({})",
                key.columns.join(", ")
            ),
            "Make these columns its primary key, or add a unique index over just them: without it \
             a mobile row could come home twice.",
        )),
    }
}

fn owner_plan(given: Given<'_>, ends: Ends<'_>, columns: &[ColumnPlan]) -> Result<OwnerPlan> {
    let marks = given.ownership;
    let column = columns.iter().position(|c| c.name == marks.column);
    let column = column.ok_or_else(|| no_owner(given, ends))?;
    let (writer, other) = match ends.direction {
        Direction::Forward => (&marks.desktop, &marks.mobile),
        Direction::Reverse => (&marks.mobile, &marks.desktop),
    };
    Ok(OwnerPlan {
        column,
        writer: writer.clone(),
        other: other.clone(),
        mobile: marks.mobile.clone(),
    })
}

fn no_owner(given: Given<'_>, ends: Ends<'_>) -> Error {
    let marks = given.ownership;
    if ends.at(End::Cloud).column(&marks.column).is_some() {
        return Error::config(
            format!("the desktop's table has no ownership column {}", marks.column),
            "All its rows are the desktop's, so it can only be synced forward. Add the column there, \
             if rows of mobile users are to come home.",
        );
    }
    Error::config(
        format!("the cloud's table has no ownership column {}", marks.column),
        format!(
            "alter table {table} add column {column} text; mark the rows that are there ('{}' or \
             '{}'); alter table {table} alter column {column} set default '{}': without it a mobile \
             row can't be told from a desktop row.",
            marks.desktop,
            marks.mobile,
            marks.mobile,
            table = ends.at(End::Cloud).table(),
            column = marks.column,
        ),
    )
}

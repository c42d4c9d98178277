//! Tables that can't be synced safely, each with its remedy.

use crate::error::{End, Error, Kind, Result};
use crate::model::plan::ColumnPlan;
use crate::model::schema::TableSchema;

use super::Ends;

/// Something else than a table can't be written.
pub(super) fn no_table(ends: Ends<'_>) -> Result<()> {
    match ends.target.kind.as_str() {
        "r" | "p" => Ok(()),
        _ => Err(Error::config(
            format!("the {}'s relation is not a table", ends.direction.target()),
            "Name the table behind the view.",
        )),
    }
}

/// Rows that the role can't see can be neither synced nor protected.
pub(super) fn hidden_rows(ends: Ends<'_>) -> Result<()> {
    let hidden = [End::Desktop, End::Cloud].into_iter().find(|&end| ends.at(end).row_security);
    match hidden {
        None => Ok(()),
        Some(end) => Err(Error::config(
            format!("row-level security hides rows of the {end}'s table from this role"),
            match ends.at(end).is_sql_server() {
                true => {
                    "Let the predicate function of the table's security policy pass this user for \
                     every row: rows that are hidden can be neither synced nor protected."
                }
                false => {
                    "alter role … bypassrls, or connect as the table's owner: rows that are hidden \
                     can be neither synced nor protected."
                }
            },
        )),
    }
}

/// SQL Server opens it in no transaction that is as strict, or as lenient, as a run's.
pub(super) fn in_memory(ends: Ends<'_>) -> Result<()> {
    match ends.at(End::Desktop).in_memory {
        false => Ok(()),
        true => Err(Error::config(
            "the desktop's table is kept in memory, and SQL Server lets no snapshot read such a table",
            "Make it an ordinary table, or set enabled = false for it.",
        )),
    }
}

/// Rights that are missing for one table must not stop the others.
pub(super) fn missing_rights(ends: Ends<'_>) -> Result<()> {
    let Ends { direction, source, target } = ends;
    let parent = target.foreign_keys.iter().find(|key| !key.readable);
    let (end, rights, table) = match parent {
        _ if !source.readable => (direction.source(), "select", source.table()),
        _ if !target.readable || !target.writable => {
            (direction.target(), "select, insert, update", target.table())
        }
        Some(key) => (direction.target(), "select", key.parent()),
        None => return Ok(()),
    };
    let remedy = match ends.at(end).is_sql_server() {
        true => {
            "Run what `tidegate grants --end desktop` prints, as the database's owner.".to_owned()
        }
        false => {
            format!("grant {rights} on {table} to the role, as its owner; and usage on its schema.")
        }
    };
    let message = format!("the {end}'s role lacks rights on {table}");
    Err(Error::new(Kind::Unauthorised, message).remedied(remedy))
}

/// Keys are kept as the target's text and asked for again at the source, so they must survive the
/// way back.
pub(super) fn lossy_key(ends: Ends<'_>, key: &[&ColumnPlan]) -> Result<()> {
    let pair = |c: &&ColumnPlan| {
        Some((ends.source.column(c.source_name()?)?, ends.target.column(&c.target)?))
    };
    let lossy = key.iter().filter_map(pair).find(|(from, into)| !from.comes_back_from(into));
    let Some((from, into)) = lossy else { return Ok(()) };
    let (desktop, cloud) = match ends.direction.source() {
        End::Desktop => (from, into),
        End::Cloud => (into, from),
    };
    Err(Error::config(
        format!(
            "the key column {} is a {} on the desktop and a {} in the cloud",
            cloud.name,
            desktop.declaration(),
            cloud.type_name
        ),
        "Give it the same type at both ends: a row could not be found again by its key.",
    ))
}

/// What is one key to SQL Server must not be several to PostgreSQL.
pub(super) fn folded_key(ends: Ends<'_>, key: &[&ColumnPlan]) -> Result<()> {
    let of_desktop = |c: &&ColumnPlan| {
        let name = match ends.direction.source() {
            End::Desktop => c.source_name()?,
            End::Cloud => &c.target,
        };
        ends.at(End::Desktop).column(name)
    };
    let Some(column) = key.iter().filter_map(of_desktop).find(|c| c.folds()) else { return Ok(()) };
    Err(Error::config(
        format!(
            "the desktop's collation of the key column {} takes different texts for the same key",
            column.name
        ),
        format!(
            "Give it a binary collation, as in alter column [{}] {} collate Latin1_General_BIN2, or \
             another key: the cloud would tell 'a1' and 'A1' apart, the desktop would not.",
            column.name,
            column.declaration()
        ),
    ))
}

/// A column that every INSERT would miss.
pub(super) fn unfilled(ends: Ends<'_>, columns: &[ColumnPlan]) -> Result<()> {
    let TableSchema { columns: of_target, .. } = ends.target;
    let unfilled = of_target
        .iter()
        .find(|c| c.not_null && !c.has_default && !columns.iter().any(|p| p.target == c.name));
    match unfilled {
        None => Ok(()),
        Some(c) => Err(Error::config(
            format!(
                "the {}'s column {} is NOT NULL and the {} has nothing for it",
                ends.direction.target(),
                c.name,
                ends.direction.source()
            ),
            "Give the column a default, or map one of the desktop's columns to one of the cloud's \
             with rename.",
        )),
    }
}

//! Which columns travel, and how.

use crate::error::{End, Error, Result};
use crate::model::plan::{ColumnPlan, Direction, Given, Origin, Passage};
use crate::model::schema::{Column, Key, TableSchema};
use crate::model::settings::TableSettings;
use crate::model::types::{PgType, SqlType};

use super::Ends;
use super::stamps::zone;

/// The columns that both ends have, in the target's order, and those that only the source has.
pub(super) fn matched(given: Given<'_>, ends: Ends<'_>) -> Result<(Vec<ColumnPlan>, Vec<String>)> {
    let settings = given.settings;
    refuse_unknown(settings, ends.at(End::Desktop))?;
    let name_of = |end: End, c: &'_ Column| match end {
        End::Desktop => settings.cloud_name(&c.name).to_owned(),
        End::Cloud => c.name.clone(),
    };
    let (source, target) = (ends.direction.source(), ends.direction.target());
    let mut columns = Vec::new();
    for into in ends.target.columns.iter().filter(|c| !c.generated) {
        let name = name_of(target, into);
        let is_same = |c: &&Column| name_of(source, c) == name;
        let from = ends.source.columns.iter().find(is_same);
        match from.filter(|from| !is_excluded(settings, ends.direction, from, into)) {
            Some(from) => columns.push(travelling(settings, name, from, into)?),
            None if ends.direction == Direction::Forward && name == given.ownership.column => {
                columns.push(column_plan(name, into));
            }
            None => {}
        }
    }
    // Row versions are the server's own.
    let is_version = |c: &Column| c.sql_type == Some(SqlType::RowVersion);
    let travels = |c: &&Column| !settings.exclude.contains(&c.name) && !is_version(c);
    let is_missing = |c: &&Column| ends.target.column(settings.cloud_name(&c.name)).is_none();
    let drift = match ends.direction {
        Direction::Forward => ends.source.columns.iter().filter(travels).filter(is_missing),
        // What only the cloud has is the mobile side's own affair.
        Direction::Reverse => return Ok((columns, Vec::new())),
    };
    Ok((columns, drift.map(|c| c.name.clone()).collect()))
}

/// Whether the configuration leaves the column out: it names the desktop's.
fn is_excluded(settings: &TableSettings, way: Direction, from: &Column, into: &Column) -> bool {
    let desktop = match way {
        Direction::Forward => from,
        Direction::Reverse => into,
    };
    settings.exclude.contains(&desktop.name)
}

/// A column that the source has nothing for: it holds the writer's mark.
fn column_plan(name: String, into: &Column) -> ColumnPlan {
    ColumnPlan {
        name,
        origin: Origin::Owner,
        target: into.name.clone(),
        // A text that is too long for its type equals nothing that is there.
        target_type: match Column::VARCHARS.contains(&into.type_oid) {
            true => into.bare_type.clone(),
            false => into.type_name.clone(),
        },
        bare_type: into.bare_type.clone(),
        passage: Passage::Text,
        travels_as: PgType { oid: Column::TEXTS[0], typmod: -1 },
        sql_type: None,
        collation: None,
        identity_always: into.identity_always,
    }
}

/// A column that both ends have.
fn travelling(
    settings: &TableSettings,
    name: String,
    from: &Column,
    into: &Column,
) -> Result<ColumnPlan> {
    refuse_type(from).and(refuse_type(into))?;
    let plan = column_plan(name, into);
    let passage = passage(settings, from, into)?;
    let travels_as = match passage {
        // Values of SQL Server take the form of the cloud's type.
        Passage::Straight if into.sql_type.is_some() => from.pg_type(),
        Passage::Straight | Passage::Zoned => into.pg_type(),
        Passage::Text => plan.travels_as,
    };
    let origin = Origin::Column { name: from.name.clone(), type_name: from.type_name.clone() };
    Ok(ColumnPlan {
        origin,
        passage,
        travels_as,
        sql_type: from.sql_type.or(into.sql_type),
        collation: from.collation.clone().or_else(|| into.collation.clone()),
        ..plan
    })
}

fn refuse_type(column: &Column) -> Result<()> {
    let name = &column.name;
    match &column.refused {
        None if column.masked => Err(Error::config(
            format!(
                "the desktop's column {name} is masked for this role: masks would take the place of \
                 its values at both ends"
            ),
            format!(
                "As the database's owner: grant unmask to the role's user; or leave the column out: \
                 exclude = [\"{name}\"]."
            ),
        )),
        None => Ok(()),
        Some(why) => Err(Error::config(
            format!("the desktop's column {name} {why}"),
            format!("Leave it out: exclude = [\"{name}\"]."),
        )),
    }
}

fn refuse_unknown(settings: &TableSettings, desktop: &TableSchema) -> Result<()> {
    let named = settings.exclude.iter().chain(settings.rename.keys());
    match named.into_iter().find(|name| desktop.column(name).is_none()) {
        None => Ok(()),
        Some(name) => Err(Error::config(
            format!("exclude or rename names the column {name}, which the desktop's table lacks"),
            "Correct the name; columns are named as the desktop's catalogue spells them.",
        )),
    }
}

fn passage(settings: &TableSettings, from: &Column, into: &Column) -> Result<Passage> {
    match (from.type_oid, into.type_oid) {
        (Column::TIMESTAMP, Column::TIMESTAMPTZ) | (Column::TIMESTAMPTZ, Column::TIMESTAMP) => {
            zone(settings, &from.name)?;
            Ok(Passage::Zoned)
        }
        _ if from.passes_into(into) => Ok(Passage::Straight),
        _ => Ok(Passage::Text),
    }
}

/// Where the key's columns stand.
pub(super) fn key_indexes(key: &Key, columns: &[ColumnPlan], ends: Ends<'_>) -> Result<Vec<usize>> {
    let find = |name: &String| {
        let is_key = |c: &ColumnPlan| &c.name == name && c.origin != Origin::Owner;
        columns.iter().position(is_key).ok_or_else(|| {
            let desktop = ends.at(End::Desktop).table();
            Error::config(
                format!("the desktop's table {desktop} lacks the key column {name}"),
                "Name the desktop's column with rename = { DesktopName = \"cloud_name\" }.",
            )
        })
    };
    key.columns.iter().map(find).collect()
}

/// The columns that make a version what it is.
pub(super) fn content(
    settings: &TableSettings,
    ends: Ends<'_>,
    columns: &[ColumnPlan],
    key: &[usize],
) -> Vec<usize> {
    let computed = |c: &ColumnPlan| {
        let from = c.source_name().and_then(|name| ends.source.column(name));
        from.is_none_or(|from| from.generated)
    };
    let updated_at = settings.cloud_name(&settings.updated_at);
    let counts =
        |(i, c): &(usize, &ColumnPlan)| !key.contains(i) && c.name != updated_at && !computed(c);
    let mut content: Vec<usize> =
        columns.iter().enumerate().filter(counts).map(|(i, _)| i).collect();
    content.sort_by_key(|&i| &columns[i].name);
    content
}

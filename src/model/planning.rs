//! From two catalogues and the configuration to a [`TablePlan`], or a refusal with its remedy.

use crate::error::{Error, Kind, Result};

use super::plan::{
    ColumnPlan, Direction, FreeValue, Given, Origin, OwnerPlan, Parent, Passage, Passing,
    SourceStamp, StampPlan, TablePlan, Unique,
};
use super::policy;
use super::schema::{Column, Key, TableSchema, UniqueIndex};
use super::settings::TableSettings;

/// Plans one table, desktop → cloud.
///
/// # Errors
/// [`Kind::Config`] when the table can't be synced safely, [`Kind::Unauthorised`] when the role
/// lacks rights on it.
pub fn forward(given: Given<'_>) -> Result<TablePlan> {
    let settings = given.settings;
    let source = given.source.ok_or_else(|| {
        Error::config(
            format!("the desktop has no table {}", settings.desktop),
            "Name the desktop's table with desktop = \"schema.name\", exactly as its catalogue \
             spells it.",
        )
    })?;
    let target = given.target.ok_or_else(|| {
        Error::config(
            format!("the cloud has no table {}", settings.cloud),
            "Create it, or correct the name: [tables.\"schema.name\"], exactly as the catalogue \
             spells it.",
        )
    })?;
    refuse_view(target)?;
    let key = primary_key(target)?;
    refuse_hidden_rows("desktop", source)?;
    refuse_hidden_rows("cloud", target)?;
    refuse_missing_rights(source, target)?;
    let (columns, drift) = match_columns(given, source, target)?;
    let key = key_indexes(key, &columns, source)?;
    refuse_lossy_key(source, target, &key.iter().map(|&i| &columns[i]).collect::<Vec<_>>())?;
    refuse_unfilled(target, &columns)?;
    let owner = owner_plan(given, target, &columns)?;
    let key_names: Vec<&str> = key.iter().filter_map(|&i| columns[i].source_name()).collect();
    Ok(TablePlan {
        direction: Direction::Forward,
        policy: policy::FORWARD,
        source: source.table(),
        target: target.table(),
        key_is_unique_at_source: source.is_unique(&key_names),
        owner,
        stamps: stamps(settings, source, &columns)?,
        parents: parents(given, target, &columns),
        uniques: uniques(target, &columns, &key),
        unique_columns: unique_columns(target, &columns, &key),
        target_sets_stamp: target.before_triggers,
        drift,
        synced: given.synced.to_vec(),
        settings: settings.clone(),
        columns,
        key,
    })
}

fn refuse_view(target: &TableSchema) -> Result<()> {
    match target.kind.as_str() {
        "r" | "p" => Ok(()),
        _ => Err(Error::config(
            "the cloud's relation is not a table",
            "Name the table behind the view.",
        )),
    }
}

fn primary_key(target: &TableSchema) -> Result<&Key> {
    let key = target.primary_key.as_ref().ok_or_else(|| {
        Error::config(
            "the cloud's table has no primary key",
            "Add one: without a key a row can't be recognised.",
        )
    })?;
    if key.deferrable {
        return Err(Error::config(
            "the cloud's primary key is DEFERRABLE",
            "Make it NOT DEFERRABLE: ON CONFLICT can't use it otherwise.",
        ));
    }
    Ok(key)
}

fn refuse_hidden_rows(end: &str, table: &TableSchema) -> Result<()> {
    if !table.row_security {
        return Ok(());
    }
    Err(Error::config(
        format!("row-level security hides rows of the {end}'s table from this role"),
        "alter role … bypassrls, or connect as the table's owner: rows that are hidden can be \
         neither synced nor protected.",
    ))
}

/// Rights that are missing for one table must not stop the others.
fn refuse_missing_rights(source: &TableSchema, target: &TableSchema) -> Result<()> {
    let parent = target.foreign_keys.iter().find(|key| !key.readable);
    let (end, rights, table) = match parent {
        _ if !source.readable => ("desktop", "select", source.table()),
        _ if !target.readable || !target.writable => {
            ("cloud", "select, insert, update", target.table())
        }
        Some(key) => ("cloud", "select", key.parent()),
        None => return Ok(()),
    };
    Err(Error::new(Kind::Unauthorised, format!("the {end}'s role lacks rights on {table}"))
        .remedied(format!(
            "grant {rights} on {table} to the role, as its owner; and usage on its schema."
        )))
}

/// The columns that both ends have, in the target's order, and those that only the source has.
fn match_columns(
    given: Given<'_>,
    source: &TableSchema,
    target: &TableSchema,
) -> Result<(Vec<ColumnPlan>, Vec<String>)> {
    let settings = given.settings;
    let cloud_name = |name: &String| settings.rename.get(name).unwrap_or(name).clone();
    refuse_unknown_columns(settings, source)?;
    let travelling = || source.columns.iter().filter(|c| !settings.exclude.contains(&c.name));
    let mut columns = Vec::new();
    for into in target.columns.iter().filter(|c| !c.generated) {
        match travelling().find(|c| cloud_name(&c.name) == into.name) {
            Some(from) => columns.push(ColumnPlan {
                origin: Origin::Column {
                    name: from.name.clone(),
                    type_name: from.type_name.clone(),
                },
                passage: passage(settings, from, into)?,
                ..column_plan(into)
            }),
            None if into.name == given.ownership.column => columns.push(column_plan(into)),
            None => {}
        }
    }
    let drift = travelling()
        .filter(|c| target.column(&cloud_name(&c.name)).is_none())
        .map(|c| c.name.clone())
        .collect();
    Ok((columns, drift))
}

/// A column of the target that the source has nothing for: it holds the writer's mark.
fn column_plan(into: &Column) -> ColumnPlan {
    ColumnPlan {
        origin: Origin::Owner,
        target: into.name.clone(),
        // A text that is too long for its type equals nothing that is there.
        target_type: match Column::VARCHARS.contains(&into.type_oid) {
            true => into.bare_type.clone(),
            false => into.type_name.clone(),
        },
        bare_type: into.bare_type.clone(),
        passage: Passage::Text,
        identity_always: into.identity_always,
    }
}

fn refuse_unknown_columns(settings: &TableSettings, source: &TableSchema) -> Result<()> {
    let named = settings.exclude.iter().chain(settings.rename.keys());
    match named.into_iter().find(|name| source.column(name).is_none()) {
        None => Ok(()),
        Some(name) => Err(Error::config(
            format!("exclude or rename names the column {name}, which the desktop's table lacks"),
            "Correct the name; columns are named as the desktop's catalogue spells them.",
        )),
    }
}

fn passage(settings: &TableSettings, from: &Column, into: &Column) -> Result<Passage> {
    if from.passes_into(into) {
        return Ok(Passage::Straight);
    }
    match (from.type_oid, into.type_oid) {
        (Column::TIMESTAMP, Column::TIMESTAMPTZ) | (Column::TIMESTAMPTZ, Column::TIMESTAMP) => {
            zone(settings, &from.name)?;
            Ok(Passage::Zoned)
        }
        _ => Ok(Passage::Text),
    }
}

fn zone(settings: &TableSettings, column: &str) -> Result<()> {
    if settings.assume_timezone.is_some() {
        return Ok(());
    }
    Err(Error::config(
        format!("the column {column} is a timestamp without a zone"),
        "Say which zone its values are in: assume_timezone = \"Europe/London\".",
    ))
}

/// Keys are kept as the target's text and asked for again at the source, so they must survive the
/// way back.
fn refuse_lossy_key(source: &TableSchema, target: &TableSchema, key: &[&ColumnPlan]) -> Result<()> {
    let pair =
        |c: &&ColumnPlan| Some((source.column(c.source_name()?)?, target.column(&c.target)?));
    let lossy = key.iter().filter_map(pair).find(|(from, into)| !from.comes_back_from(into));
    match lossy {
        None => Ok(()),
        Some((from, into)) => Err(Error::config(
            format!(
                "the key column {} is a {} on the desktop and a {} in the cloud",
                into.name, from.type_name, into.type_name
            ),
            "Give it the same type at both ends: a row could not be found again by its key.",
        )),
    }
}

fn key_indexes(key: &Key, columns: &[ColumnPlan], source: &TableSchema) -> Result<Vec<usize>> {
    let find = |name: &String| {
        columns.iter().position(|c| &c.target == name && c.origin != Origin::Owner).ok_or_else(
            || {
                Error::config(
                    format!("the desktop's table {} lacks the key column {name}", source.table()),
                    "Name the desktop's column with rename = { DesktopName = \"cloud_name\" }.",
                )
            },
        )
    };
    key.columns.iter().map(find).collect()
}

/// A column that every INSERT would miss.
fn refuse_unfilled(target: &TableSchema, columns: &[ColumnPlan]) -> Result<()> {
    let unfilled = target
        .columns
        .iter()
        .find(|c| c.not_null && !c.has_default && !columns.iter().any(|p| p.target == c.name));
    match unfilled {
        None => Ok(()),
        Some(c) => Err(Error::config(
            format!("the cloud's column {} is NOT NULL and the desktop has nothing for it", c.name),
            "Give the column a default, or map one of the desktop's columns to it with rename.",
        )),
    }
}

fn owner_plan(given: Given<'_>, target: &TableSchema, columns: &[ColumnPlan]) -> Result<OwnerPlan> {
    let marks = given.ownership;
    let column = columns.iter().position(|c| c.target == marks.column).ok_or_else(|| {
        Error::config(
            format!("the cloud's table has no ownership column {}", marks.column),
            format!(
                "alter table {table} add column {column} text; mark the rows that are there \
                 ('{}' or '{}'); alter table {table} alter column {column} set default '{}': \
                 without it a mobile row can't be told from a desktop row.",
                marks.desktop,
                marks.mobile,
                marks.mobile,
                table = target.table(),
                column = marks.column,
            ),
        )
    })?;
    Ok(OwnerPlan {
        column,
        writer: marks.desktop.clone(),
        other: marks.mobile.clone(),
        mobile: marks.mobile.clone(),
    })
}

fn stamps(
    settings: &TableSettings,
    source: &TableSchema,
    columns: &[ColumnPlan],
) -> Result<StampPlan> {
    let names = [&settings.updated_at, &settings.created_at];
    let mut found = Vec::new();
    for column in names.iter().filter_map(|name| source.column(name)) {
        let zoneless = match column.type_oid {
            Column::TIMESTAMPTZ => false,
            Column::TIMESTAMP => {
                zone(settings, &column.name)?;
                true
            }
            _ => {
                return Err(Error::config(
                    format!("the stamp {} is a {}", column.name, column.type_name),
                    "capture = \"timestamp\" needs a timestamp or timestamptz column.",
                ));
            }
        };
        found.push(SourceStamp { name: column.name.clone(), zoneless });
    }
    if found.is_empty() {
        return Err(Error::config(
            format!("the desktop's table has neither {} nor {}", names[0], names[1]),
            "Name its stamps with updated_at and created_at, or add the columns: without a stamp \
             changes can't be seen.",
        ));
    }
    let in_target = |name: &str| {
        columns.iter().find(|c| c.source_name() == Some(name)).map(|c| c.target.clone())
    };
    Ok(StampPlan {
        target: found.iter().filter_map(|stamp| in_target(&stamp.name)).collect(),
        updated_at: in_target(&settings.updated_at),
        source: found,
    })
}

fn parents(given: Given<'_>, target: &TableSchema, columns: &[ColumnPlan]) -> Vec<Parent> {
    let index = |name: &String| columns.iter().position(|c| &c.target == name);
    let nullable = |name: &String| target.column(name).is_some_and(|c| !c.not_null);
    let plan = |key: &super::schema::ForeignKey| {
        let indexes: Option<Vec<usize>> = key.columns.iter().map(index).collect();
        Some(Parent {
            name: key.name.clone(),
            table: key.parent(),
            columns: indexes?.into_iter().zip(key.parent_columns.iter().cloned()).collect(),
            synced: given.synced.contains(&key.parent()),
            lockable: key.lockable,
            nullable: key.columns.iter().all(nullable),
            cyclic: false,
        })
    };
    target.foreign_keys.iter().filter_map(plan).collect()
}

fn uniques(target: &TableSchema, columns: &[ColumnPlan], key: &[usize]) -> Vec<Unique> {
    let index = |name: &String| columns.iter().position(|c| &c.target == name);
    let plan = |unique: &UniqueIndex| {
        let indexes: Option<Vec<usize>> = unique.columns.iter().map(index).collect();
        let indexes = indexes?;
        let passing = match unique {
            UniqueIndex { deferrable: true, .. } => Passing::Deferred,
            // A cascade would take the children along.
            UniqueIndex { referenced: true, .. } => Passing::No,
            _ => parking(target, columns, indexes.iter().filter(|i| !key.contains(i))),
        };
        Some(Unique { columns: indexes, passing })
    };
    target.uniques.iter().filter_map(plan).collect()
}

/// Where rows are parked: best at NULL, never at a value that no parent has.
fn parking<'i>(
    target: &TableSchema,
    columns: &[ColumnPlan],
    indexes: impl Iterator<Item = &'i usize>,
) -> Passing {
    let refers = |name: &String| target.foreign_keys.iter().any(|key| key.columns.contains(name));
    let place = |&i: &usize| {
        let column = target.column(&columns[i].target)?;
        let free = free_value(column)?;
        (free == FreeValue::Null || !refers(&column.name)).then_some((i, free))
    };
    let places: Vec<(usize, FreeValue)> = indexes.filter_map(place).collect();
    let at_null = places.iter().find(|(_, free)| *free == FreeValue::Null);
    at_null.or(places.first()).map_or(Passing::No, |&(i, free)| Passing::Parked(i, free))
}

fn free_value(column: &Column) -> Option<FreeValue> {
    match column.type_oid {
        _ if column.identity_always => None,
        _ if !column.not_null => Some(FreeValue::Null),
        oid if Column::INTEGERS.contains(&oid) => Some(FreeValue::Number),
        oid if Column::TEXTS.contains(&oid) => Some(FreeValue::Text(column.length())),
        Column::UUID => Some(FreeValue::Uuid),
        _ => None,
    }
}

fn unique_columns(target: &TableSchema, columns: &[ColumnPlan], key: &[usize]) -> Vec<usize> {
    let in_unique = |c: &ColumnPlan| target.uniques.iter().any(|u| u.columns.contains(&c.target));
    (0..columns.len()).filter(|i| !key.contains(i) && in_unique(&columns[*i])).collect()
}

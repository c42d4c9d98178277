//! Foreign keys and unique indexes of the target.

use crate::model::plan::{ColumnPlan, FreeValue, Given, Parent, Passing, Unique};
use crate::model::schema::{Column, ForeignKey, TableSchema, UniqueIndex};

/// The foreign keys of the target whose columns travel.
pub(super) fn parents(
    given: Given<'_>,
    target: &TableSchema,
    columns: &[ColumnPlan],
) -> Vec<Parent> {
    let index = |name: &String| columns.iter().position(|c| &c.target == name);
    let nullable = |name: &String| target.column(name).is_some_and(|c| !c.not_null);
    let plan = |key: &ForeignKey| {
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

/// The unique indexes of the target whose columns all travel.
pub(super) fn uniques(target: &TableSchema, columns: &[ColumnPlan], key: &[usize]) -> Vec<Unique> {
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

/// Those that stand in a unique index other than the key.
pub(super) fn unique_columns(
    target: &TableSchema,
    columns: &[ColumnPlan],
    key: &[usize],
) -> Vec<usize> {
    let in_unique = |c: &ColumnPlan| target.uniques.iter().any(|u| u.columns.contains(&c.target));
    (0..columns.len()).filter(|i| !key.contains(i) && in_unique(&columns[*i])).collect()
}

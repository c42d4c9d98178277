//! What the desktop knows of reverse, which writes it.

use std::collections::BTreeMap;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::{any, get};
use crate::error::{Error, Result};
use crate::model::{Capture, Carried, Direction, Position, TablePlan};
use crate::sql::{Sql, tsql};

/// Asks within the transaction that was begun; `store` is the schema of tidegate's own tables.
pub(super) async fn read(
    connection: &mut Connection,
    sql: &Sql,
    store: &str,
    tables: &[&TablePlan],
) -> Result<BTreeMap<String, Carried>> {
    let statement = sql.render("sqlserver/opposite.sql", &[("store", &tsql::ident(store))]);
    let doing = "asking how far the other direction has come";
    let reverse = Direction::Reverse.word();
    let sets = connection.result_sets(doing, &statement, &[&reverse]).await?;
    let mut sets = sets.into_iter();
    let (positions, withheld) = (sets.next().unwrap_or_default(), sets.next().unwrap_or_default());
    let mut known: BTreeMap<String, Carried> =
        tables.iter().map(|plan| (plan.label(), Carried::default())).collect();
    for row in &positions {
        if let Some(table) = known.get_mut(get::<&str>(row, "table_name")?) {
            let part = |name| Ok::<_, Error>(any::<&str>(row, name)?.map(str::to_owned));
            let (watermark, after) = (part("watermark")?, part("after_key")?);
            let position = Position { watermark, after, generation: 0 }.of_kind(Capture::Log);
            table.position = position.watermark.is_some().then_some(position);
        }
    }
    for row in &withheld {
        if let Some(table) = known.get_mut(get::<&str>(row, "table_name")?) {
            let key = get::<&str>(row, "key")?;
            if get::<i32>(row, "is_held_back")? != 0 {
                table.held_back.push(key.to_owned());
            }
            if get::<i32>(row, "has_won")? != 0 {
                table.won.push(key.to_owned());
            }
        }
    }
    Ok(known)
}

/// How far the other direction has come with one table; `store` is the schema of tidegate's own tables.
///
/// # Errors
/// When it can't be asked.
pub async fn carried(
    connection: &mut Connection,
    sql: &Sql,
    store: &str,
    plan: &TablePlan,
) -> Result<Option<Carried>> {
    Ok(read(connection, sql, store, &[plan]).await?.remove(&plan.label()))
}

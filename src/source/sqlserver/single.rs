//! A single row of the source, as people look at it.

use std::collections::BTreeMap;

use tiberius::Row;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::failure::is_strange_text;
use crate::db::sqlserver::types::Zone;
use crate::error::Result;
use crate::model::{Position, Selection, TablePlan};
use crate::sql::Sql;

use super::cell::Cell;
use super::render::{Asking, Reading, Texts};

/// The values of a row that travel, as text.
type Values = BTreeMap<String, Option<String>>;

/// The row of `plan`'s table with the key `key`, a JSON object, column of the cloud → text; its values
/// as the cloud would print them.
///
/// # Errors
/// When it can't be asked.
pub async fn single_row(
    connection: &mut Connection,
    plan: &TablePlan,
    key: &str,
    sql: &Sql,
) -> Result<Option<Values>> {
    let zone = plan.settings.assume_timezone.as_deref().map(Zone::named).transpose()?;
    let zone = zone.as_ref();
    let mut found = None;
    for texts in [Texts::Plain, Texts::AsBytes] {
        let asking = Asking { sql, plan, zone, only: Some(key), texts };
        let all = Position::default();
        let mut rows = Ok(Vec::new());
        for Reading { sql, params } in asking.readings(Selection::All(&all))? {
            let doing = format!("looking at a row of {}", plan.label());
            rows = connection.rows(doing, &sql, &params.all()).await;
        }
        match rows {
            Err(e) if is_strange_text(&e) && texts == Texts::Plain => {}
            rows => {
                found = rows?.into_iter().next();
                break;
            }
        }
    }
    found.map(|row| values(row, plan, zone)).transpose()
}

fn values(row: Row, plan: &TablePlan, zone: Option<&Zone>) -> Result<Values> {
    let mut cells = row.into_iter();
    let mut value = |cell: Cell| match cell {
        Cell::Owner => Some(plan.owner.writer.clone()),
        cell => match cell.text(&cells.next()?, zone) {
            Ok(text) => text,
            // What the cloud can't have at all.
            Err(refusal) => Some(format!("({})", refusal.reason())),
        },
    };
    plan.columns.iter().map(|c| Ok((c.name.clone(), value(Cell::of(c)?)))).collect()
}

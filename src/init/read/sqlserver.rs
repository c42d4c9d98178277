//! The same of a desktop that is a SQL Server.

use tiberius::Row;

use super::End;
use crate::db::sqlserver::Session;
use crate::db::sqlserver::sets::get;
use crate::error::{Error, Kind, Result};
use crate::init::pairing::folded;
use crate::model::TableName;
use crate::model::schema::TableSchema;
use crate::sql::{Sql, tsql};

/// The end as a whole.
pub(super) async fn end(session: &Session, doing: &str, sql: &Sql) -> Result<End> {
    let statement = sql.render("sqlserver/tables.sql", &[]);
    let results = session.result_sets(doing, &statement, &[]).await?;
    let mut sets = results.iter();
    let server = sets.next().and_then(|rows| rows.first());
    let server = server.ok_or_else(|| Error::new(Kind::Other, format!("{doing}: no row")))?;
    let minutes: i32 = get(server, "ahead_of_utc")?;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    let name = |row: &Row| {
        let (schema, name): (&str, &str) = (get(row, "schema_name")?, get(row, "table_name")?);
        Ok(TableName::new(schema, name))
    };
    Ok(End {
        tables: sets.flatten().map(name).collect::<Result<_>>()?,
        clock: format!("The desktop's server is at UTC{sign}{hours:02}:{minutes:02} now"),
        // It has an offset, and no name.
        timezone: None,
        // Nobody does there; what comes of it is said of each table that needs it.
        sees_others: true,
        instance: "a SQL Server".to_owned(),
    })
}

/// The marks in the column of a table that is called like `column`.
pub(super) async fn marks(
    session: &Session,
    doing: &str,
    sql: &Sql,
    schema: &TableSchema,
    column: &str,
) -> Result<Vec<String>> {
    let is_it = |name: &str| folded(name) == folded(column);
    let Some(column) = schema.columns.iter().find(|c| is_it(&c.name)) else {
        return Ok(Vec::new());
    };
    let (table, column) = (tsql::table(&schema.table()), tsql::ident(&column.name));
    let slots = [("table", &*table), ("column", &*column)];
    let statement = sql.render("sqlserver/owner_marks.sql", &slots);
    let rows = session.rows(doing, &statement, &[]).await?;
    rows.iter().map(|row| get::<&str>(row, "mark").map(str::to_owned)).collect()
}

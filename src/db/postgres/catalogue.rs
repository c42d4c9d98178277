//! Reads tables out of the catalogue.

use tokio_postgres::types::Type;

use crate::error::{Error, Kind, Result};
use crate::model::TableName;
use crate::model::schema::TableSchema;
use crate::sql::Sql;

use super::Connection;

/// Those of `tables` that exist, in one round trip.
pub async fn read(
    connection: &Connection,
    sql: &Sql,
    tables: &[TableName],
) -> Result<Vec<TableSchema>> {
    let schemas: Vec<&str> = tables.iter().map(|t| t.schema.as_str()).collect();
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    let doing = format!("reading the {}'s catalogue", connection.end());
    let statement = sql.render("postgres/catalogue.sql", &[]);
    let params = [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY)];
    let rows = connection.rows(&doing, &statement, &params).await?;
    let parse = |row: &tokio_postgres::Row| {
        serde_json::from_str(row.get(0)).map_err(|e| Error::new(Kind::Other, &doing).because(e))
    };
    rows.iter().map(parse).collect()
}

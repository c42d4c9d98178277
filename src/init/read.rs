//! What has to be known of both ends.

mod sqlserver;

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::db::Session;
use crate::db::postgres::Connection;
use crate::error::{Error, Result};
use crate::model::TableName;
use crate::model::schema::TableSchema;
use crate::sql::{Sql, ident, table};

/// One end as a whole.
#[derive(Debug)]
pub(super) struct End {
    /// All its tables, by schema and name.
    pub(super) tables: Vec<TableName>,
    /// What its clock says by itself, a sentence without a full stop.
    pub(super) clock: String,
    /// The zone that its sessions begin with, if it has a name that the file takes.
    pub(super) timezone: Option<String>,
    /// Whether the role may see what other sessions do.
    pub(super) sees_others: bool,
    /// Which database of which server it is.
    instance: String,
}

#[derive(Deserialize)]
struct EndDocument {
    timezone: String,
    sees_others: bool,
    instance: String,
    tables: Vec<TableDocument>,
}

#[derive(Deserialize)]
struct TableDocument {
    schema: String,
    name: String,
}

/// Both ends as a whole.
///
/// # Errors
/// When one of them has no tables, or they are one database.
pub(super) async fn ends(
    desktop: Session<'_>,
    cloud: Session<'_>,
    sql: &Sql,
) -> Result<(End, End)> {
    let (at_desktop, in_cloud) = tokio::try_join!(end(desktop, sql), end(cloud, sql))?;
    if at_desktop.instance == in_cloud.instance {
        return Err(Error::config(
            "desktop and cloud are the same database",
            "Check the two addresses: one of them leads to the wrong database.",
        ));
    }
    Ok((at_desktop, in_cloud))
}

async fn end(session: Session<'_>, sql: &Sql) -> Result<End> {
    let which = session.end();
    let doing = format!("listing the {which}'s tables");
    let end = match session {
        Session::Postgres(connection) => of_postgres(connection, &doing, sql).await?,
        Session::SqlServer(session) => sqlserver::end(session, &doing, sql).await?,
    };
    if end.tables.is_empty() {
        return Err(Error::config(
            format!("the {which} database has no tables"),
            format!(
                "Check that the {which}'s address names the right database, and create its tables first."
            ),
        ));
    }
    Ok(end)
}

async fn of_postgres(connection: &Connection, doing: &str, sql: &Sql) -> Result<End> {
    let statement = sql.render("postgres/tables.sql", &[]);
    let EndDocument { timezone, sees_others, instance, tables } =
        connection.document(doing, &statement, &[]).await?;
    let tables = tables.into_iter().map(|t| TableName::new(t.schema, t.name)).collect();
    let clock = format!("Sessions of the desktop begin with {timezone}");
    // An abbreviation is not taken.
    let is_full = timezone == "UTC" || timezone.contains('/');
    Ok(End { tables, clock, timezone: is_full.then_some(timezone), sees_others, instance })
}

/// The catalogues' descriptions of `tables`, in their order.
pub(super) async fn schemas(
    session: Session<'_>,
    sql: &Sql,
    tables: &[&TableName],
) -> Result<Vec<TableSchema>> {
    let wanted: Vec<TableName> = tables.iter().map(|&table| table.clone()).collect();
    let mut read = session.catalogue(sql, &wanted).await?;
    let place = |schema: &TableSchema| wanted.iter().position(|table| *table == schema.table());
    read.sort_by_key(place);
    if read.len() == wanted.len() {
        return Ok(read);
    }
    Err(Error::config(
        format!("tables of the {} were dropped or renamed meanwhile", session.end()),
        "Run it again.",
    ))
}

/// The marks that `column` holds in those of `tables` that the role may read.
pub(super) async fn marks(
    session: Session<'_>,
    sql: &Sql,
    tables: &[TableSchema],
    column: &str,
) -> Result<Vec<String>> {
    let mut marks = Vec::new();
    for schema in tables.iter().filter(|t| t.readable) {
        let name = schema.table();
        let doing = format!("looking for ownership marks in {name}");
        marks.extend(match session {
            Session::Postgres(_) if schema.column(column).is_none() => Vec::new(),
            Session::Postgres(connection) => {
                let slots = [("table", table(&name)), ("column", ident(column))];
                let slots = slots.each_ref().map(|(slot, text)| (*slot, text.as_str()));
                let statement = sql.render("postgres/owner_marks.sql", &slots);
                connection.document::<Vec<String>>(doing, &statement, &[]).await?
            }
            Session::SqlServer(session) => {
                sqlserver::marks(session, &doing, sql, schema, column).await?
            }
        });
    }
    marks.sort();
    marks.dedup();
    Ok(marks)
}

/// A function that a table's trigger runs.
#[derive(Debug)]
pub(super) struct TriggerFunction {
    pub(super) table: TableName,
    pub(super) trigger: String,
    pub(super) source: String,
}

/// What the triggers of `tables` run when a row is inserted or updated.
pub(super) async fn trigger_functions(
    connection: &Connection,
    sql: &Sql,
    tables: &[TableSchema],
) -> Result<Vec<TriggerFunction>> {
    let schemas: Vec<&str> = tables.iter().map(|t| t.schema.as_str()).collect();
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    let params = [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY)];
    let statement = sql.render("postgres/trigger_functions.sql", &[]);
    let rows = connection.rows("reading the cloud's triggers", &statement, &params).await?;
    let function = |row: &tokio_postgres::Row| TriggerFunction {
        table: TableName::new(row.get::<_, String>(0), row.get::<_, String>(1)),
        trigger: row.get(2),
        source: row.get(3),
    };
    Ok(rows.iter().map(function).collect())
}

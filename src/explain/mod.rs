//! All that is known of one row: both versions, what is on record about it, and what the next runs do
//! with it. The last is rehearsed by the run itself, so that it can't say otherwise.

mod ends;
mod key;
mod next;
mod report;

use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::db::{Connection, Database, Purpose, postgres};
use crate::error::{End, Error, Kind, Result};
use crate::model::{Direction, TablePlan};
use crate::run::{self, Catalogues};
use crate::sql::Sql;

use ends::Row;
use next::Rehearsal;
pub use report::{Explained, Lost, Next, Owner, Side, Withheld};

/// A key that can't be one of the table's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKey {
    /// The columns that the table's key has.
    pub columns: Vec<String>,
}

/// Explains the row of `table` with `key`, as people write one.
///
/// # Errors
/// When an end can't be asked, or the table can't be synced at all. What only keeps the next run of one
/// direction from it is in the report.
pub async fn explain(
    config: &Config,
    table: &str,
    key: &str,
    sql: &Sql,
    stop: &CancellationToken,
) -> Result<Result<Explained, BadKey>> {
    let desktop = Database::of(config, End::Desktop, Purpose::Reader, 1)?;
    let cloud = postgres::Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, 1)?;
    let (reader, connection) = tokio::try_join!(desktop.connection(), cloud.connection())?;
    run::store(config, End::Cloud, sql).require(&connection).await?;
    let ends = run::Ends { desktop: reader.session(), cloud: &connection };
    let plan = plan(config, table, ends, sql).await?;
    let columns: Vec<&str> = plan.key_columns().map(|c| c.name.as_str()).collect();
    let bad = || Ok(Err(BadKey { columns: columns.iter().map(|c| (*c).to_owned()).collect() }));
    let Some(asked) = key::read(key, &columns) else { return bad() };
    let stored = connection
        .look("reading the key", sql, async |on| {
            ends::stored_key(on, &plan, &asked.to_string(), sql).await
        })
        .await?;
    let Some(key) = stored else { return bad() };
    let row = Row { config, plan: &plan, key: &key, sql };
    let explained = explained(row, reader, cloud.connection().await?, stop).await?;
    Ok(Ok(explained))
}

async fn plan(config: &Config, table: &str, ends: run::Ends<'_>, sql: &Sql) -> Result<TablePlan> {
    let settings = run::selected(config, &[table.to_owned()])?;
    let found = Catalogues::read(config, &settings, ends, sql).await?;
    let planned = found.plan(config, Direction::Forward, settings);
    match (planned.plans.into_iter().next(), planned.refused.into_iter().next()) {
        (Some(plan), _) => Ok(plan),
        (None, Some((_, e))) => Err(e),
        (None, None) => Err(Error::new(Kind::Other, format!("{table} was not planned"))),
    }
}

async fn explained(
    row: Row<'_>,
    desktop: Connection,
    cloud: postgres::Connection,
    stop: &CancellationToken,
) -> Result<Explained> {
    let Row { config, plan, key, sql } = row;
    let doing = format!("looking at a row of {}", plan.label());
    let (desktop, carried) = match desktop {
        Connection::Postgres(connection) => {
            let store = run::store(config, End::Desktop, sql);
            let store = store.exists(&connection).await?.then_some(&store);
            connection.look(&doing, sql, async |on| row.desktop(on, store).await).await?
        }
        Connection::SqlServer(session) => {
            row.sql_server_desktop(&mut *session.lock().await).await?
        }
    };
    let own = run::store(config, End::Cloud, sql);
    let (cloud, log) =
        cloud.look(&doing, sql, async |on| row.cloud(on, &own, carried.as_ref()).await).await?;
    let rehearsal = Rehearsal { config, plan, key, sql, stop };
    let held_back = carried.is_some_and(|carried| carried.held_back.iter().any(|k| k == key));
    let columns: Vec<String> = plan.columns.iter().map(|c| c.name.clone()).collect();
    Ok(Explained {
        table: plan.label(),
        key: serde_json::from_str(key).unwrap_or_default(),
        reverse: rehearsal.next(Direction::Reverse, &cloud).await,
        forward: rehearsal.next(Direction::Forward, &desktop).await,
        differs: columns.iter().filter(|name| differ(&desktop, &cloud, name)).cloned().collect(),
        columns,
        logged: log.logged,
        pending: held_back || log.entries.iter().any(|entry| entry.pending),
        changes: log.entries,
        desktop,
        cloud,
    })
}

/// Whether both ends have the row, and differ in this column.
fn differ(desktop: &Side, cloud: &Side, name: &str) -> bool {
    let both = desktop.values.as_ref().zip(cloud.values.as_ref());
    both.is_some_and(|(desktop, cloud)| desktop.get(name) != cloud.get(name))
}

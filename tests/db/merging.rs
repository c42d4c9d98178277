//! Classifying and merging: who may write what, and that every row is accounted for.

mod cycles;
mod locks;
mod owners;
mod parents;
mod partitions;
mod races;
mod shapes;
mod types;
mod values;
mod writes;

use tidegate::run::{Request, RunReport};
use tidegate::sql::Sql;
use tokio_postgres::Client;

use crate::support::Office;

/// `jobs` with an owner of any length, so that strange ones fit in.
const JOBS: &str = "
    create table jobs (
        id integer primary key,
        name text,
        source text,
        created_at timestamptz,
        updated_at timestamptz
    );";

/// An older and a younger stamp, both below every horizon.
const OLD: &str = "now() - interval '2 days'";
const LATER: &str = "now() - interval '1 day'";

/// A forward run in which every line adds up.
async fn forward(office: &Office) -> RunReport {
    let report = office.forward().await;
    adds_up(&report);
    report
}

/// The same, with statements in which a fault was planted.
async fn forward_with(office: &Office, sql: &Sql) -> RunReport {
    let report = office.run(&Request::default(), sql).await.unwrap();
    adds_up(&report);
    report
}

/// Every row that was read has one verdict.
fn adds_up(report: &RunReport) {
    for table in &report.tables {
        let decided = table.inserted + table.updated + table.unchanged + table.withheld;
        assert_eq!(table.read, decided, "{table:?}");
        assert_eq!(table.withheld, table.withheld_by.values().sum::<u64>(), "{table:?}");
    }
}

/// A forward run that reads whole tables, in which every line adds up.
async fn forward_full(office: &Office) -> RunReport {
    let report = office.forward_full().await;
    adds_up(&report);
    report
}

/// Without a lag a row that was stamped before a run is not read again by the next.
const NO_LAG: &str = "lag = \"0s\"";

/// What a table's error says, with its outcome; empty without one.
fn trouble(report: &RunReport, table: &str) -> String {
    let of_table = crate::support::of(report, table);
    of_table.error.as_ref().map(|e| e.message.clone()).unwrap_or_default()
}

async fn execute(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

/// The row under `id` in `jobs`, stamps left out.
async fn job(client: &Client, id: i32) -> String {
    let query = format!("select id || ' ' || name || ' ' || source from jobs where id = {id}");
    crate::support::value(client, &query).await
}

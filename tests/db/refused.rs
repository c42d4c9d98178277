//! Rows that the cloud refuses: found, withheld with their reason, and the others go on.

mod locked;
mod pairs;
mod plans;
mod unique;
mod values;

use tokio_postgres::Client;

use crate::support::Office;

/// Jobs whose number is a text at the desk.
const DESKTOP: &str = "
    create table jobs (id integer primary key, number text, source text,
        created_at timestamptz, updated_at timestamptz);";
const AS_NUMBER: &str = "alter table jobs alter number type integer using number::integer;";

/// Without it a row that was stamped before a run is not read again by the next.
const NO_LAG: &str = "lag = \"0s\"";

/// Stamps of the past, one second apart.
const STAMPS: &str = "now() - interval '1 day' + i * interval '1 ms'";

async fn office(cloud: &str) -> Office {
    let office = Office::open(DESKTOP, &["jobs"]).await;
    execute(&office.cloud, cloud).await;
    office.configure(NO_LAG);
    office
}

async fn execute(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

/// `rows` jobs, numbered like their keys.
async fn fill(office: &Office, rows: u32) {
    let fill = format!(
        "insert into jobs select i, i, 'D', {STAMPS}, null from generate_series(1, {rows}) i"
    );
    execute(&office.desktop, &fill).await;
}

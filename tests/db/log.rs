//! The change log: installed, kept and removed.

mod install;
mod oddities;
mod prune;
mod truncate;
mod uninstall;
mod writers;

use serde_json::Value;
use tokio_postgres::Client;

use crate::support::{Office, column};

/// The log's entries in order, as `table operation key → new owner`.
async fn entries(cloud: &Client) -> Vec<String> {
    let query = "select concat_ws(' ', table_name, operation, key::text, '→ ' || new_owner) \
                 from tidegate._sync_changes order by seq";
    column(cloud, query, &[]).await
}

/// The same, and the log is empty afterwards.
async fn taken(cloud: &Client) -> Vec<String> {
    let entries = entries(cloud).await;
    cloud.batch_execute("delete from tidegate._sync_changes").await.unwrap();
    entries
}

/// What `migrate` says as JSON, and its exit code.
fn migrate(office: &Office, arguments: &[&str]) -> (i32, Value) {
    let output = office.tidegate(&[&["migrate", "--output", "json"], arguments].concat());
    let document =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    (output.status.code().unwrap(), document)
}

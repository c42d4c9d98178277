//! `tidegate conflicts`: the inbox of both ends.

mod list;
mod show;

use serde_json::Value;
use tokio_postgres::Client;

use crate::support::{JOBS, Office};

/// The stamps of a row: below every horizon.
const OLD: &str = "now() - interval '1 day', now() - interval '1 day'";

/// Rows 1 to 9 of the desktop and row 100 of a mobile user, the same at both ends.
async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let rows = format!("insert into jobs select i, 'old', 'D', {OLD} from generate_series(1, 9) i");
    on(&office.desktop, &rows).await;
    on(&office.cloud, &format!("insert into jobs values (100, 'old', 'M', {OLD})")).await;
    office.sync().await;
    office
}

async fn on(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap();
}

fn document(office: &Office, arguments: &[&str]) -> Value {
    let arguments = [&["conflicts"], arguments, &["--output", "json"]].concat();
    let output = office.tidegate(&arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Each entry as `id key kind state`.
fn entries(office: &Office, arguments: &[&str]) -> Vec<String> {
    let list = document(office, &[&["list"], arguments].concat());
    let line = |e: &Value| {
        let word = |name: &str| e[name].as_str().unwrap().to_owned();
        let key = e["key"]["id"].as_str().unwrap();
        format!("{} {key} {} {}", word("id"), word("kind"), word("state"))
    };
    list["entries"].as_array().unwrap().iter().map(line).collect()
}

/// The entry about the row `key`, as `conflicts show` has it.
fn shown(office: &Office, key: &str) -> Value {
    let all = entries(office, &[]);
    let line = all.iter().find(|line| line.split(' ').nth(1) == Some(key));
    let line = line.unwrap_or_else(|| panic!("nothing about {key} in {all:?}"));
    document(office, &["show", line.split(' ').next().unwrap()])
}

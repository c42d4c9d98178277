//! `tidegate explain`: what it says of a row, and that the next run does just that.

mod keys;
mod kinds;
mod records;
mod refused;

use serde_json::Value;
use tidegate::model::Direction;
use tidegate::run::{Request, Way};
use tidegate::sql::Sql;
use tokio_postgres::Client;

use crate::support::{JOBS, Office, counts, of};

/// The stamps of a row: below every horizon.
const OLD: &str = "now() - interval '1 day', now() - interval '1 day'";

/// Rows 1 to 5 of the desktop and row 100 of a mobile user, the same at both ends.
async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let rows = format!("insert into jobs select i, 'old', 'D', {OLD} from generate_series(1, 5) i");
    on(&office.desktop, &rows).await;
    on(&office.cloud, &format!("insert into jobs values (100, 'old', 'M', {OLD})")).await;
    office.sync().await;
    office
}

async fn on(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap();
}

/// The document about a row.
fn explain(office: &Office, table: &str, key: &str, code: i32) -> Value {
    let output = office.tidegate(&["explain", table, key, "--output", "json"]);
    assert_eq!(output.status.code(), Some(code), "{table} {key}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a run would do, in a line: `update`, `withheld owner`, `unread` …
fn answer(next: &Value) -> String {
    let verdict = |of: &Value| match of["verdict"].as_str() {
        Some("withheld") => format!("withheld {}", of["reason"].as_str().unwrap()),
        Some(verdict) => verdict.to_owned(),
        None => "none".to_owned(),
    };
    match next["answer"].as_str().unwrap() {
        "read" => verdict(next),
        "unread" => format!("unread, with --full {}", verdict(&next["full"])),
        other => other.to_owned(),
    }
}

/// Both answers: reverse, then forward.
fn answers(explained: &Value) -> [String; 2] {
    [answer(&explained["reverse"]), answer(&explained["forward"])]
}

/// What a real run does with the only row that it reads, in the same words.
async fn done(office: &Office, direction: Direction) -> String {
    let request = Request { tables: vec!["jobs".to_owned()], ..Request::default() };
    let report = office.run_way(Way::One(direction), &request, &Sql::default()).await.unwrap();
    let table = of(&report, "jobs");
    // A row that was written is met once more where it was on a list as well.
    let [_, inserted, updated, unchanged, _] = counts(table);
    let withheld = table.withheld_by.keys().next().map(|reason| reason.word());
    match (inserted, updated, withheld, unchanged) {
        (1.., _, _, _) => "insert".to_owned(),
        (_, 1.., _, _) => "update".to_owned(),
        (_, _, Some(reason), _) => format!("withheld {reason}"),
        (_, _, None, 1..) => "unchanged".to_owned(),
        _ => String::new(),
    }
}

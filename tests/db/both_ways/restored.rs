//! A cloud that was restored from a backup, or is another one: what was read of it says nothing.

use std::process::{Command, Stdio};

use serde_json::Value;
use tidegate::demo::Cluster;
use tokio_postgres::Client;

use crate::support::{JOBS, Office, column, connect, value};

const ALL: &str = "select jobs::text from jobs order by id";

/// Runs the program; its exit code must be `code`, and each of `parts` in what it says.
fn says(office: &Office, arguments: &[&str], code: i32, parts: &[&str]) -> String {
    let output = office.tidegate(arguments);
    let said = [&*output.stdout, &*output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{arguments:?}: no {part} in {said}");
    }
    said
}

/// Five jobs of the desktop's, a mobile one and a mobile edit, the same at both ends; by then the
/// cloud has come to transaction 3,000 and more.
async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = "insert into jobs select i, 'desktop', 'D', now() - interval '1 day', \
                now() - interval '1 day' from generate_series(1, 5) i";
    office.desktop.batch_execute(fill).await.unwrap();
    office.sync().await;
    let count_on = "do $$ begin for i in 1..3000 loop perform pg_current_xact_id(); commit; \
                    end loop; end $$";
    office.cloud.batch_execute(count_on).await.unwrap();
    let work = "insert into jobs values (100, 'mobile', 'M', now(), now()); \
                update jobs set name = 'edited', updated_at = now() where id = 3";
    office.cloud.batch_execute(work).await.unwrap();
    assert_eq!(office.sync().await.exit_code(true), 0);
    office
}

/// The cloud's backup, restored on a new server, which counts its transactions from the beginning.
fn restored(office: &Office) -> Cluster {
    let server = Cluster::start("test", &[]).unwrap();
    server.create_database("cloud", None).unwrap();
    let mut dump =
        Command::new("pg_dump").arg(office.cluster.url("cloud")).stdout(Stdio::piped()).spawn();
    let backup = dump.as_mut().unwrap().stdout.take().unwrap();
    let restore = Command::new("psql")
        .args(["-qX", "-v", "ON_ERROR_STOP=1", &server.url("cloud")])
        .stdin(backup)
        .stdout(Stdio::null())
        .status();
    assert!(dump.unwrap().wait().unwrap().success() && restore.unwrap().success());
    server
}

async fn same_rows(office: &Office, cloud: &Client) -> Vec<String> {
    let rows = column(cloud, ALL, &[]).await;
    assert_eq!(column(&office.desktop, ALL, &[]).await, rows);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_cloud_restored() {
    let office = office().await;
    let server = restored(&office);
    let cloud = connect(&server.url("cloud")).await;
    office.write_config(&office.cluster.url("desktop"), &server.url("cloud"), "");
    let work = "insert into jobs values (101, 'mobile', 'M', now(), now()); \
                update jobs set name = 'edited', updated_at = now() where id = 2";
    cloud.batch_execute(work).await.unwrap();
    let edit = "update jobs set name = 'in the office', updated_at = now() where id = 4";
    office.desktop.batch_execute(edit).await.unwrap();

    let remedy = "tidegate watermark accept";
    says(&office, &["forward"], 10, &["restored from a backup", remedy]);
    says(&office, &["reverse"], 10, &["another cloud database", remedy]);
    says(&office, &["sync"], 10, &[remedy]);
    for direction in ["forward", "reverse", "sync"] {
        says(&office, &["plan", "--direction", direction], 10, &[remedy]);
    }
    let not_that = ["watermark", "accept", "--direction", "forward"];
    says(&office, &not_that, 0, &["nothing to accept: the desktop is"]);
    let accepted = says(&office, &["watermark", "accept", "--output", "json"], 0, &[]);
    let accepted: Value = serde_json::from_str(&accepted).unwrap();
    assert_eq!(accepted["tables"].as_array().unwrap().len(), 1, "{accepted}");
    assert_eq!(accepted["tables"][0]["direction"], "reverse");
    assert_ne!(accepted["tables"][0]["identity_from"], accepted["tables"][0]["identity"]);
    says(
        &office,
        &["watermark", "accept"],
        0,
        &["nothing to accept: the desktop is", "the cloud is"],
    );

    // Forward goes on by itself, and leaves alone what reverse has not brought home yet.
    says(&office, &["forward"], 0, &["1 row written"]);
    assert_eq!(value(&cloud, "select name from jobs where id = 2").await, "edited");
    let report = says(&office, &["sync", "--output", "json"], 0, &[]);
    let report: Value = serde_json::from_str(&report).unwrap();
    let reverse =
        &report["tables"].as_array().unwrap().iter().find(|t| t["direction"] == "reverse");
    assert_eq!(reverse.unwrap()["read"], 7, "the whole table: {report}");
    let rows = same_rows(&office, &cloud).await;
    for (row, content) in [(1, "edited"), (3, "in the office"), (6, "101,mobile")] {
        assert!(rows[row].contains(content), "{rows:?}");
    }

    // From now on the log is enough again, and what the backup had of it stands in nobody's way.
    let quiet = office.sync().await;
    let reverse = quiet.tables.iter().find(|t| t.direction == "reverse").unwrap();
    assert_eq!((reverse.read, quiet.written(), quiet.withheld()), (0, 0, 0), "{quiet:?}");
    let edits = "update jobs set name = 'again', updated_at = now() where id in (3, 5)";
    office.desktop.batch_execute(edits).await.unwrap();
    says(&office, &["sync"], 0, &["2 rows written"]);
    same_rows(&office, &cloud).await;
    for end in [&office.desktop, &cloud] {
        assert_eq!(value(end, "select count(*)::text from tidegate._sync_trash").await, "0");
    }
}

/// A physical backup has the identity of its original.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_the_cloud_has_not_come_to_is_accepted_too() {
    let office = office().await;
    let further = "update tidegate._sync_metadata set watermark = '999999', \
                   after_key = '{\"seen\": \"999999:999999:\"}' where direction = 'reverse'";
    office.desktop.batch_execute(further).await.unwrap();
    says(&office, &["forward"], 10, &["restored from a backup"]);
    says(&office, &["reverse"], 10, &["another cloud database"]);
    let accepted = ["jobs (reverse): ", "the next run compares the whole table"];
    says(&office, &["watermark", "accept", "--table", "jobs"], 0, &accepted);
    says(&office, &["sync"], 0, &["nothing to write"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_of_reverse_is_shown_and_set_to_the_beginning() {
    let office = office().await;
    let shown = |arguments: &[&str]| -> Vec<String> {
        let arguments = [&["watermark", "show", "--output", "json"], arguments].concat();
        let output = office.tidegate(&arguments);
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        let tables = shown["tables"].as_array().unwrap();
        tables.iter().map(|t| t["direction"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(shown(&[]), ["forward", "reverse"]);
    assert_eq!(shown(&["--direction", "reverse"]), ["reverse"]);
    says(&office, &["watermark", "show"], 0, &["forward", "reverse", "transaction "]);

    let set = ["watermark", "set", "jobs", "--direction", "reverse", "--to"];
    for to in ["700", "2026-01-01 00:00:00+00"] {
        let parts = ["one in the cloud's change log", "can only be \"beginning\""];
        says(&office, &[&set[..], &[to, "--skip"]].concat(), 2, &parts);
    }
    // Nobody logged this one.
    let unseen = "alter table jobs disable trigger all; \
                  insert into jobs values (102, 'unseen', 'M', now(), now()); \
                  alter table jobs enable always trigger _sync_log_change";
    office.cloud.batch_execute(unseen).await.unwrap();
    says(&office, &["reverse"], 0, &["nothing to write"]);
    says(&office, &[&set[..], &["beginning"]].concat(), 0, &["jobs (reverse): ", "→ beginning"]);
    says(&office, &["reverse"], 0, &["1 row written"]);

    office.desktop.batch_execute("drop schema tidegate cascade").await.unwrap();
    assert_eq!(shown(&[]), ["forward"]);
    says(&office, &["watermark", "show"], 0, &["reverse is left out: "]);
    says(&office, &["watermark", "show", "--direction", "reverse"], 10, &["tidegate migrate"]);
    says(&office, &["watermark", "accept"], 0, &["nothing to accept: the desktop is"]);
}

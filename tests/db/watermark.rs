//! Positions by hand, and clocks and databases that are not what they were.

use std::process::Output;

use serde_json::{Value, json};
use tidegate::demo::Cluster;

use crate::support::{JOBS, Office, column, connect, value};

async fn office() -> Office {
    Office::open(JOBS, &["jobs"]).await
}

/// A desktop job that was stamped `ago`.
async fn job(office: &Office, id: u32, ago: &str) {
    let stamp = format!("clock_timestamp() - interval '{ago}'");
    let insert = format!("insert into jobs values ({id}, 'job {id}', 'D', {stamp}, {stamp})");
    office.desktop.batch_execute(&insert).await.unwrap();
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs the program; its exit code must be `code`, and each of `parts` in what it says.
fn says(office: &Office, arguments: &[&str], code: i32, parts: &[&str]) -> String {
    let output = office.tidegate(arguments);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{arguments:?}: no {part} in {said}");
    }
    said
}

async fn jobs(office: &Office) -> Vec<String> {
    column(&office.cloud, "select id::text from jobs order by id", &[]).await
}

async fn metadata(office: &Office, expression: &str) -> String {
    value(&office.cloud, &format!("select ({expression})::text from tidegate._sync_metadata m"))
        .await
}

/// As if the desktop's clock had been at `clock` when the last run was, `ago`.
async fn last_run(office: &Office, clock: &str, ago: &str) {
    let update = format!(
        "update tidegate._sync_metadata set watermark = (clock_timestamp() + interval '{clock}')::text, \
         last_sync_timestamp = clock_timestamp() - interval '{ago}'"
    );
    office.cloud.batch_execute(&update).await.unwrap();
}

const WARNING: &str = "clock has been set back";

#[tokio::test(flavor = "multi_thread")]
async fn r09_clock_back() {
    let office = office().await;
    job(&office, 1, "1 day").await;
    says(&office, &["forward"], 0, &["1 row written"]);
    // The last run was a moment ago, at ten past: everything since is stamped before the watermark.
    last_run(&office, "10 minutes", "0 seconds").await;
    let held = metadata(&office, "m.watermark").await;
    job(&office, 2, "3 minutes").await;
    job(&office, 3, "0 minutes").await;
    says(&office, &["plan"], 21, &[WARNING]);
    says(&office, &["forward"], 0, &["2 rows written", WARNING, "by 10m"]);
    assert_eq!(jobs(&office).await, ["1", "2", "3"]);
    // It goes on like this, also after runs of its own, until the clock has passed the watermark.
    job(&office, 4, "1 minute").await;
    says(&office, &["forward"], 0, &["1 row written", WARNING]);
    assert_eq!(metadata(&office, "m.watermark").await, held, "it never moves back");
    last_run(&office, "-3 seconds", "0 seconds").await;
    assert!(!says(&office, &["forward"], 0, &["nothing to write"]).contains(WARNING));
}

/// Nobody ran it while the clock was behind: the jump shows only by the cloud's clock.
#[tokio::test(flavor = "multi_thread")]
async fn r09_clock_back_long_ago() {
    let office = office().await;
    job(&office, 1, "1 day").await;
    says(&office, &["forward"], 0, &["1 row written"]);
    last_run(&office, "-5 minutes", "1 hour").await;
    job(&office, 2, "30 minutes").await;
    says(&office, &["forward"], 0, &["1 row written", WARNING, "by 55m"]);
    let passed = "m.watermark::timestamptz > clock_timestamp() - interval '1 minute'";
    assert_eq!(metadata(&office, passed).await, "true");
    assert!(!says(&office, &["forward"], 0, &[]).contains(WARNING));
}

/// What it reads again comes first; stopped in the middle of that, the next run begins there again.
#[tokio::test(flavor = "multi_thread")]
async fn r09_clock_back_and_a_run_that_is_killed() {
    let office = office().await;
    office.configure("batch_rows = 1");
    job(&office, 1, "1 day").await;
    says(&office, &["forward"], 0, &["1 row written"]);
    last_run(&office, "-5 minutes", "6 hours").await;
    job(&office, 2, "5 hours").await;
    job(&office, 3, "4 hours").await;
    let killed = office.command(&["forward"]).env("FAILPOINTS", "after_commit=return").output();
    assert_eq!(killed.unwrap().status.code(), None);
    assert_eq!(jobs(&office).await, ["1", "2"]);
    says(&office, &["forward"], 0, &[WARNING]);
    assert_eq!(jobs(&office).await, ["1", "2", "3"]);
}

/// The server under the address is a new one, with the desktop as it was some days ago.
#[tokio::test(flavor = "multi_thread")]
async fn r15_source_restored() {
    let office = office().await;
    for id in 1..=3 {
        job(&office, id, "1 day").await;
    }
    says(&office, &["forward"], 0, &["3 rows written"]);
    let mobile = "insert into jobs values (50, 'mobile', 'M', now(), now()); \
                  update jobs set name = 'seen', updated_at = now() where id = 3";
    office.cloud.batch_execute(mobile).await.unwrap();

    let restored = Cluster::start("test", &[]).unwrap();
    restored.create_database("desktop", None).unwrap();
    let desktop = connect(&restored.url("desktop")).await;
    let backup = "insert into jobs select i, case i when 2 then 'as it was' else 'job ' || i end, 'D', \
                      now() - interval '2 days', now() - interval '2 days' from generate_series(1, 4) i; \
                  update jobs set updated_at = now() where id = 2";
    desktop.batch_execute(&format!("{JOBS}{backup}")).await.unwrap();
    office.write_config(&restored.url("desktop"), &office.cluster.url("cloud"), "");

    let remedy = "tidegate watermark accept --table jobs";
    says(&office, &["forward"], 10, &["another desktop database", remedy]);
    says(&office, &["plan"], 10, &[remedy]);
    let accepted = office.tidegate(&["watermark", "accept", "--output", "json"]);
    let accepted: Value = serde_json::from_slice(&accepted.stdout).unwrap();
    let new = accepted["source_identity"].as_str().unwrap();
    let table = &accepted["tables"][0];
    assert_eq!((&accepted["schema_version"], &table["table"]), (&json!(1), &json!("jobs")));
    assert_ne!(table["identity_from"], new);
    assert!(table["watermark_from"].as_str().is_some(), "{accepted}");
    says(&office, &["watermark", "accept"], 0, &["nothing to accept", new]);

    let run = says(&office, &["forward", "--output", "json"], 0, &[]);
    let run: Value = serde_json::from_str(run.lines().next().unwrap()).unwrap();
    assert_eq!(run["tables"][0]["read"], 4, "the whole table: {run}");
    let rows = "select concat_ws(' ', id, name, source) from jobs order by id";
    let expected = ["1 job 1 D", "2 as it was D", "3 seen D", "4 job 4 D", "50 mobile M"];
    assert_eq!(column(&office.cloud, rows, &[]).await, expected);
    let noted =
        "select outcome || (watermark_to is null) from tidegate._sync_runs where outcome like 's%'";
    assert_eq!(value(&office.cloud, noted).await, "source_acceptedtrue");
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_shown() {
    let office =
        Office::open(&(JOBS.to_owned() + &JOBS.replace("jobs", "tasks")), &["jobs", "tasks"]).await;
    for verb in ["show", "accept"] {
        says(&office, &["watermark", verb, "--table", "unknown"], 10, &["has no table unknown"]);
    }
    job(&office, 1, "1 day").await;
    job(&office, 2, "1 hour").await;
    office.configure("batch_rows = 1");
    let mut killed = office.command(&["forward", "--table", "jobs"]);
    killed.env("FAILPOINTS", "after_commit=return").output().unwrap();
    let shown = says(&office, &["watermark", "show", "--output", "json"], 0, &[]);
    let mut shown: Value = serde_json::from_str(&shown).unwrap();
    for name in ["watermark", "last_sync", "source_identity", "run_id"] {
        assert!(shown["tables"][0][name].as_str().is_some(), "{shown}");
        shown["tables"][0][name] = json!(format!("[{name}]"));
    }
    insta::assert_snapshot!("watermark_json", serde_json::to_string_pretty(&shown).unwrap());
    let parts = ["read up to", "{\"id\":\"1\"}", "not yet read"];
    says(&office, &["watermark", "show"], 0, &parts);
    let one = says(&office, &["watermark", "show", "--table", "tasks"], 0, &["tasks"]);
    assert!(!one.contains("jobs"), "{one}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_set_back_and_forth() {
    let office = office().await;
    let set = |to: &str, code, parts: &[&str]| {
        says(&office, &["watermark", "set", "jobs", "--to", to], code, parts)
    };
    job(&office, 1, "1 day").await;
    says(&office, &["forward"], 0, &["1 row written"]);
    let generation = metadata(&office, "m.generation").await;
    // Overlooked, because it was stamped late.
    job(&office, 2, "1 hour").await;
    says(&office, &["forward"], 0, &["nothing to write"]);
    let two_hours_ago = "select (now() - interval '2 hours')::text";
    set(
        &value(&office.cloud, two_hours_ago).await,
        0,
        &["jobs: 20", " → 20", "the next run reads"],
    );
    assert_eq!(
        metadata(&office, &format!("m.generation > {generation} and m.after_key is null")).await,
        "true",
    );
    says(&office, &["forward"], 0, &["1 row written"]);

    job(&office, 3, "2 days").await;
    set("beginning", 0, &["→ beginning; the next run compares the whole table"]);
    says(&office, &["forward"], 0, &["1 row written"]);

    // Forward only on purpose: what lies between is not read, and that is no clock that was set back.
    set("2020-02-30T00:00:00Z", 2, &["no timestamp"]);
    set("2020-01-01 00:00:00Z", 0, &[]);
    job(&office, 4, "3 hours").await;
    let ago = "update tidegate._sync_metadata set last_sync_timestamp = now() - interval '4 hours'";
    office.cloud.batch_execute(ago).await.unwrap();
    let now = value(&office.cloud, "select (now() - interval '10 seconds')::text").await;
    set(&now, 2, &["no run has read the changes between 2020-01-01 00:00:00+00 and", "--skip"]);
    says(&office, &["watermark", "set", "jobs", "--to", &now, "--skip"], 0, &[]);
    assert!(!says(&office, &["forward"], 0, &["nothing to write"]).contains(WARNING));
    assert_eq!(jobs(&office).await, ["1", "2", "3"]);
    let noted = "select string_agg(distinct outcome, ' ') from tidegate._sync_runs where finished_at is not null";
    assert_eq!(value(&office.cloud, noted).await, "ok position_set");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timestamp_that_is_none_is_a_wrong_usage() {
    let office = office().await;
    for (to, part) in [
        ("", "no timestamp that PostgreSQL can read"),
        ("yesterday evening", "no timestamp that PostgreSQL can read"),
        ("'; drop table jobs; --", "no timestamp that PostgreSQL can read"),
        ("2026-01-01 00:00:00", "says no zone"),
        ("2026-01-01", "says no zone"),
        ("today", "says no zone"),
        ("infinity", "lies in the future"),
        ("2999-01-01T00:00:00+01:00", "lies in the future"),
        // It has never been read: everything would be skipped.
        ("2026-01-01 00:00:00 Europe/Berlin", "between the beginning and 2025-12-31 23:00:00+00"),
    ] {
        says(&office, &["watermark", "set", "jobs", "--to", to], 2, &[part]);
    }
    says(&office, &["watermark", "set", "jobs"], 2, &["--to"]);
    says(
        &office,
        &["watermark", "set", "unknown", "--to", "beginning"],
        10,
        &["has no table unknown"],
    );
    let made = "select count(*)::text from tidegate._sync_metadata";
    assert_eq!(value(&office.cloud, made).await, "0", "nothing remains of a refusal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_not_moved_under_a_run() {
    let office = office().await;
    job(&office, 1, "1 day").await;
    says(&office, &["forward"], 0, &[]);
    let elsewhere = "update tidegate._sync_metadata set source_identity = 'another/desktop'";
    office.cloud.batch_execute(elsewhere).await.unwrap();
    let before = metadata(&office, "m").await;
    let run = office.cloud_session().await;
    for lock in [
        "select pg_advisory_xact_lock(hashtextextended('tidegate jobs', 0))",
        "select from tidegate._sync_metadata for update",
    ] {
        run.batch_execute(&format!("begin; {lock}")).await.unwrap();
        says(
            &office,
            &["watermark", "set", "jobs", "--to", "beginning"],
            75,
            &["a run holds jobs"],
        );
        says(&office, &["watermark", "accept"], 75, &["a run holds jobs"]);
        run.batch_execute("rollback").await.unwrap();
    }
    assert_eq!(metadata(&office, "m").await, before);
    says(&office, &["watermark", "accept"], 0, &["another/desktop → "]);
}

/// The generation tells a run that is under way that it may not go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_does_not_go_on_from_a_position_that_was_moved_by_hand() {
    let office = office().await;
    office.configure("batch_rows = 1");
    job(&office, 1, "2 days").await;
    job(&office, 2, "1 day").await;
    let moved = std::cell::Cell::new(false);
    let watch = |event: tidegate::run::Event<'_>, _: &_| {
        if matches!(event, tidegate::run::Event::Batch { .. }) && !moved.replace(true) {
            says(&office, &["watermark", "set", "jobs", "--to", "beginning"], 0, &[]);
        }
    };
    let report = office.forward_watched(&tidegate::run::Request::default(), &watch).await;
    assert_eq!(report.exit_code(false), 75, "{report:?}");
    assert_eq!(metadata(&office, "m.watermark is null").await, "true");
    says(&office, &["forward"], 0, &["1 row written"]);
}

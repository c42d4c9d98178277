//! The verbs that look: both directions in one document, and one that is missing stops no other.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{JOBS, Office, value};

fn says(office: &Office, arguments: &[&str], code: i32, parts: &[&str]) -> Output {
    let output = office.tidegate(arguments);
    let said = [&*output.stdout, &*output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{arguments:?}: no {part} in {said}");
    }
    output
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// After a sync: both sides have made a job 9, a mobile user a job 100 and an edit of job 3, the desktop
/// an edit of job 4.
async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = "insert into jobs select i, 'desktop', 'D', now() - interval '1 day', \
                now() - interval '1 day' from generate_series(1, 5) i";
    office.desktop.batch_execute(fill).await.unwrap();
    office.sync().await;
    let mobile = "insert into jobs select i, 'mobile', 'M', now(), now() from unnest('{9,100}'::int[]) i; \
                  update jobs set name = 'edited', updated_at = now() where id = 3";
    office.cloud.batch_execute(mobile).await.unwrap();
    let desktop = "insert into jobs values (9, 'desktop', 'D', now(), now()); \
                   update jobs set name = 'in the office', updated_at = now() where id = 4";
    office.desktop.batch_execute(desktop).await.unwrap();
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_both_directions() {
    let office = office().await;
    let report = document(&says(&office, &["sync", "--output", "json"], 0, &[]));
    let tables = report["tables"].as_array().unwrap();
    assert_eq!((&report["direction"], tables.len()), (&json!("sync"), 2));
    let status = document(&says(&office, &["status", "--output", "json"], 0, &[]));
    assert_eq!((&status["schema_version"], &status["direction"]), (&json!(1), &json!("forward")));
    let (forward, reverse) = (&status["tables"], &status["reverse"]);
    assert_eq!(reverse["state"], "ok");
    for (entry, direction) in [(&forward[0], "forward"), (&reverse["tables"][0], "reverse")] {
        let of_run = tables.iter().find(|t| t["direction"] == direction).unwrap();
        assert_eq!((&entry["table"], &entry["direction"]), (&json!("jobs"), &json!(direction)));
        assert_eq!(entry["withheld_by"], json!({ "key_collision": 1 }), "{status}");
        assert_eq!(entry["last_run"]["run_id"], report["run_id"]);
        assert_eq!(entry["last_run"]["inserted"], of_run["inserted"]);
        assert_eq!(entry["watermark"], of_run["watermark"]);
        assert!(entry["lag_seconds"].as_u64().is_some_and(|lag| lag < 60), "{status}");
    }
    assert_eq!(reverse["tables"][0]["counts"], json!({ "D": 6, "M": 1 }));
    let people = says(&office, &["status"], 0, &["jobs", "ok: 1 inserted, 1 updated"]);
    let people = String::from_utf8(people.stdout).unwrap();
    let lines: Vec<&str> = people.lines().filter(|line| line.starts_with("jobs ")).collect();
    assert!(
        lines.len() == 2 && lines[0].contains("forward") && lines[1].contains("reverse"),
        "{people}"
    );
    assert!(lines[1].contains("transaction "), "{people}");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_without_the_desktop_shows_forward() {
    let office = office().await;
    office.sync().await;
    let shown = |state: &str, parts: &[&str]| {
        says(&office, &["status"], 0, &[&["jobs", "forward"], parts].concat());
        let status = document(&says(&office, &["status", "--output", "json"], 0, &[]));
        assert_eq!(status["tables"][0]["last_run"]["outcome"], "ok");
        assert_eq!(
            (&status["reverse"]["state"], &status["reverse"]["tables"]),
            (&json!(state), &json!([]))
        );
        assert!(status["reverse"]["error"]["remedy"].as_str().is_some());
    };
    office.write_config("postgres://postgres@127.0.0.1:1/x", &office.cluster.url("cloud"), "");
    shown("unreachable", &["WARN", "reverse can't be shown: can't reach the desktop"]);
    office.configure("");
    office.desktop.batch_execute("drop schema tidegate cascade").await.unwrap();
    shown("not_set_up", &["reverse: not set up: ", "tidegate migrate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_either_direction_or_both_comes_true() {
    let office = office().await;
    let left = "select concat_ws(' ', (select count(*) from tidegate._sync_runs), \
                (select max(generation) from tidegate._sync_metadata), \
                (select count(*) from tidegate._sync_withheld), (select string_agg(name, ' ') from jobs))";
    let left = async || [value(&office.desktop, left).await, value(&office.cloud, left).await];
    let before = left().await;
    let plan = |arguments: &[&str], parts: &[&str]| {
        says(&office, &[&["plan"], arguments].concat(), 21, parts)
    };
    plan(&[], &["forward: done: 1 row would be written, 1 withheld"]);
    plan(&["--direction", "reverse"], &["reverse: done: 2 rows would be written, 1 withheld"]);
    let rows = ["jobs id=3: update name \"desktop\" → \"edited\"", "jobs id=100: insert"];
    plan(&["--direction", "reverse", "--rows"], &rows);
    let without = "forward was rehearsed without the rows that reverse would bring";
    plan(
        &["--direction", "sync", "--rows"],
        &["sync: done: 3 rows would be", without, "jobs (reverse) id=100: insert"],
    );
    let planned = document(&plan(&["--direction", "sync", "--output", "json"], &[]));
    for verb in ["forward", "reverse", "sync"] {
        let dry = document(&says(&office, &[verb, "--dry-run", "--output", "json"], 0, &[]));
        let alike = document(&plan(&["--direction", verb, "--output", "json"], &[]));
        for field in ["direction", "dry_run", "outcome"] {
            assert_eq!(dry[field], alike[field]);
        }
        assert_eq!(
            dry["tables"].as_array().unwrap().len(),
            alike["tables"].as_array().unwrap().len()
        );
    }
    let script =
        says(&office, &["plan", "--direction", "sync", "--sql", "--output", "json"], 0, &[]);
    let parts = document(&script)["parts"].as_array().unwrap().clone();
    let titles: Vec<_> =
        parts.iter().map(|p| (p["direction"].as_str().unwrap(), p["table"].clone())).collect();
    let of = |direction| {
        [(direction, Value::Null), (direction, json!("jobs")), (direction, Value::Null)]
    };
    assert_eq!(titles, [of("reverse"), of("forward")].concat());
    let script = ["######## reverse ########", "read_log.sql", "######## forward ########"];
    says(&office, &["plan", "--direction", "sync", "--sql"], 0, &script);
    assert_eq!(left().await, before, "a plan changes nothing");

    let run = document(&says(&office, &["sync", "--output", "json"], 0, &[]));
    for field in ["inserted", "updated", "withheld_by"] {
        let of_reverse = |d: &Value| {
            let tables = d["tables"].as_array().unwrap();
            tables.iter().find(|t| t["direction"] == "reverse").unwrap()[field].clone()
        };
        assert_eq!(of_reverse(&run), of_reverse(&planned), "{field}");
    }
}

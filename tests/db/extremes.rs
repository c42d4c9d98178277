//! Values at the ends of their types, and a cloud that works against the run.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{JOBS, Office, column, counts, of, value};

const OLD: &str = "now() - interval '1 day'";

#[tokio::test(flavor = "multi_thread")]
async fn r18_infinity_decode() {
    let schema = JOBS.replace("name text", "name text, day date, local timestamp");
    let office = Office::open(&schema, &["jobs"]).await;
    // As bytes, and through text.
    office.cloud.batch_execute("alter table jobs alter local type text").await.unwrap();
    let values = ["infinity", "-infinity", "0044-03-15 BC", "4713-01-01 BC", "2026-03-01"];
    for (id, v) in (1..).zip(values) {
        let insert = format!(
            "insert into jobs values ({id}, 'x', '{v}', '{v}', 'D', '{v}', '{v}'), \
             ({id} + 10, 'x', '{v}', '{v}', 'D', {OLD}, '{v}')"
        );
        office.desktop.batch_execute(&insert).await.unwrap();
    }
    assert_eq!(counts(of(&office.forward().await, "jobs")), [10, 10, 0, 0, 0]);
    let query =
        "select concat_ws(' ', id, day, local, created_at, updated_at) from jobs order by id";
    let rows = office.same_on_both_ends(query).await;
    assert!(rows[0].contains("1 infinity infinity infinity infinity"), "{rows:?}");
    assert!(rows[2].contains("0044-03-15 BC"), "{rows:?}");
    assert_eq!(counts(of(&office.forward_full().await, "jobs")), [10, 0, 0, 10, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn v07_date_range() {
    let columns = "name text, d date, t time, z timetz, s timestamp, w timestamptz, v interval";
    let office = Office::open(&JOBS.replace("name text", columns), &["jobs"]).await;
    // The desktop's days reach further than stamps do.
    office.cloud.batch_execute("alter table jobs alter d type timestamp").await.unwrap();
    let rows = [
        "'0001-01-01', '00:00', '00:00+15:59', '0001-01-01', '0001-01-01 UTC', '-178000000 years'",
        "'9999-12-31', '24:00', '24:00-15:59', '9999-12-31 23:59:59.999999', '9999-12-31 UTC', \
         '178000000 years'",
        "'4713-11-24 BC', '23:59:59.999999', '12:00Z', '4713-11-24 BC', '4713-11-24 BC UTC', '1 us'",
        "'infinity', null, null, '294276-12-31 23:59:59.999999', '294276-12-31 UTC', '0'",
    ];
    for (id, row) in (1..).zip(rows) {
        let insert = format!("insert into jobs values ({id}, 'x', {row}, 'D', {OLD}, {OLD})");
        office.desktop.batch_execute(&insert).await.unwrap();
    }
    assert_eq!(counts(of(&office.forward().await, "jobs")), [4, 4, 0, 0, 0]);
    let query = "select concat_ws(' ', id, d::timestamp, t, z, s, w, v) from jobs order by id";
    office.same_on_both_ends(query).await;

    let beyond = format!(
        "insert into jobs values (9, 'x', '5874897-12-31', null, null, null, null, null, 'D', {OLD}, {OLD})"
    );
    office.desktop.batch_execute(&beyond).await.unwrap();
    office.forward_full().await;
    let ids = column(&office.cloud, "select id::text from jobs order by id", &[]).await;
    assert_eq!(ids, ["1", "2", "3", "4"], "what doesn't fit is not made to fit");
}

#[tokio::test(flavor = "multi_thread")]
async fn m18_trigger_pingpong() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let bump = "create function bump() returns trigger language plpgsql \
                as $$ begin new.updated_at := clock_timestamp(); return new; end $$; \
                create trigger bump before insert or update on jobs for each row execute function bump()";
    office.cloud.batch_execute(bump).await.unwrap();
    let fill = "insert into jobs select i, 'job', 'D', now(), now() from generate_series(1, 20) i";
    office.desktop.batch_execute(fill).await.unwrap();
    assert_eq!(of(&office.forward().await, "jobs").inserted, 20);
    for cycle in 2..=12 {
        let report = match cycle % 2 {
            0 => office.forward_full().await,
            _ => office.forward().await,
        };
        let jobs = of(&report, "jobs");
        assert_eq!((jobs.inserted, jobs.updated, jobs.withheld), (0, 0, 0), "cycle {cycle}");
    }
    // A later edit is none the less one.
    let edit = "update jobs set name = 'edited', updated_at = clock_timestamp() where id = 7";
    office.desktop.batch_execute(edit).await.unwrap();
    assert_eq!(of(&office.forward().await, "jobs").updated, 1);
}

/// Nothing here ever empties a table, and no run needs the right to.
#[tokio::test(flavor = "multi_thread")]
async fn m34_truncate_cascade() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let role = "create role syncer login; grant usage on schema public, tidegate to syncer; \
        grant select, insert, update on jobs to syncer; \
        grant select, insert, update on all tables in schema tidegate to syncer; \
        grant delete on tidegate._sync_withheld to syncer";
    office.cloud.batch_execute(role).await.unwrap();
    let url = office.cluster.url("cloud").replace("postgres@", "syncer@");
    office.write_config(&office.cluster.url("desktop"), &url, "");
    let mobile = "insert into jobs values (99, 'mobile', 'M', now(), now())";
    office.cloud.batch_execute(mobile).await.unwrap();
    let fill = "insert into jobs select i, 'job', 'D', now(), now() from generate_series(1, 20) i";
    office.desktop.batch_execute(fill).await.unwrap();
    for arguments in [&["forward"][..], &["forward", "--full"], &["forward", "--dry-run"]] {
        let run = office.tidegate(arguments);
        assert_eq!(run.status.code(), Some(0), "{run:?}");
    }
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "21");
    let right = "select has_table_privilege('syncer', 'jobs', 'truncate')::text";
    assert_eq!(value(&office.cloud, right).await, "false");
}

/// The emulation of a full disk: the server's own answer, from a trigger.
#[tokio::test(flavor = "multi_thread")]
async fn p10_disk_full() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let full = "create sequence tries; create function full_disk() returns trigger language plpgsql \
        as $$ begin perform nextval('tries'); \
            raise exception 'could not extend file' using errcode = 'disk_full'; end $$; \
        create trigger full_disk before insert on jobs for each row execute function full_disk()";
    office.cloud.batch_execute(full).await.unwrap();
    let fill = "insert into jobs select i, 'job', 'D', now(), now() from generate_series(1, 20) i";
    office.desktop.batch_execute(fill).await.unwrap();
    let start = Instant::now();
    let run = office.tidegate(&["forward", "--output", "json"]);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert!(!matches!(run.status.code(), Some(0 | 20)), "{run:?}");
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let said = report["tables"][0]["error"]["message"].as_str().unwrap();
    assert!(said.contains("53100"), "{said}");
    // No storm: the batch is not tried again and again.
    assert_eq!(value(&office.cloud, "select last_value::text from tries").await, "1");
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "0");

    office.cloud.batch_execute("drop function full_disk cascade").await.unwrap();
    assert_eq!(of(&office.forward().await, "jobs").inserted, 20);
}

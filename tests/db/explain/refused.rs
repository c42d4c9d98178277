//! Rows that the target refuses or that wait, and tables that can't be synced.

use serde_json::json;
use tidegate::model::Direction;

use super::{OLD, answer, answers, done, explain, office, on};
use crate::support::{JOBS, Office, value};

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_value_is_explained_by_what_the_target_said() {
    let office = office().await;
    on(&office.cloud, "alter table jobs add check (name <> 'bad')").await;
    on(&office.desktop, "insert into jobs values (7, 'bad', 'D', now(), now())").await;
    for _ in 0..2 {
        let explained = explain(&office, "jobs", "7", 0);
        assert_eq!(answer(&explained["forward"]), "withheld bad_value", "{explained:#}");
        let why = "the other end refuses one of its values";
        assert_eq!(explained["forward"]["why"], json!(why));
        let detail = explained["forward"]["detail"].as_str().unwrap();
        assert!(detail.contains("jobs_name_check") && !detail.contains("bad'"), "{detail}");
        assert_eq!(done(&office, Direction::Forward).await, "withheld bad_value");
        on(&office.desktop, "update jobs set updated_at = now() where id = 7").await;
    }
    let explained = explain(&office, "jobs", "7", 0);
    assert_eq!(explained["cloud"]["withheld"][0]["reason"], json!("bad_value"), "{explained:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_waits_for_its_parent() {
    let schema = "create table jobs (id integer primary key, parent integer, name text, source char(1), \
         created_at timestamptz, updated_at timestamptz)";
    let office = Office::open(schema, &["jobs"]).await;
    on(&office.cloud, "alter table jobs add foreign key (parent) references jobs").await;
    on(&office.desktop, &format!("insert into jobs values (1, 9, 'child', 'D', {OLD})")).await;
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(answer(&explained["forward"]), "withheld missing_parent", "{explained:#}");
    assert_eq!(explained["forward"]["why"], json!("a row that it refers to is not there"));
    assert_eq!(done(&office, Direction::Forward).await, "withheld missing_parent");
    // Now nothing has changed on the desktop, but the row is due in every run.
    on(&office.cloud, "insert into jobs values (9, null, 'parent', 'D', now(), now())").await;
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(answer(&explained["forward"]), "insert", "{explained:#}");
    assert_eq!(done(&office, Direction::Forward).await, "insert");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_has_locked_is_busy() {
    let office = office().await;
    on(&office.desktop, "update jobs set name = 'x', updated_at = now() where id = 1").await;
    let user = office.cloud_session().await;
    on(&user, "begin; select from jobs where id = 1 for update").await;
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(answer(&explained["forward"]), "withheld busy", "{explained:#}");
    on(&user, "rollback").await;
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(answer(&explained["forward"]), "update", "{explained:#}");
}

/// The row is looked at again even if another run holds its table.
#[tokio::test(flavor = "multi_thread")]
async fn another_run_keeps_the_rehearsal_from_its_table() {
    let office = office().await;
    let other = office.cloud_session().await;
    on(&other, "begin; select pg_advisory_xact_lock(hashtextextended('tidegate jobs', 0))").await;
    on(&office.desktop, "update jobs set name = 'x', updated_at = now() where id = 1").await;
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(answer(&explained["forward"]), "refused", "{explained:#}");
    assert!(explained["forward"]["message"].as_str().unwrap().contains("another run holds"));
}

/// Nothing is written by explaining, whatever the runs would write.
#[tokio::test(flavor = "multi_thread")]
async fn explaining_writes_nothing() {
    let office = office().await;
    on(&office.desktop, "update jobs set name = 'x', updated_at = now() where id = 1").await;
    on(&office.cloud, "update jobs set name = 'y', updated_at = now() where id = 2").await;
    let all = "select md5(string_agg(t, ' ')) from (select xmin::text || j::text as t from jobs j \
         union all select xmin::text || r::text from tidegate._sync_runs r \
         union all select xmin::text || m::text from tidegate._sync_metadata m \
         union all select xmin::text || w::text from tidegate._sync_withheld w order by 1) all_of_it";
    let before = [value(&office.desktop, all).await, value(&office.cloud, all).await];
    for key in ["1", "2", "999"] {
        office.tidegate(&["explain", "jobs", key]);
    }
    assert_eq!(before, [value(&office.desktop, all).await, value(&office.cloud, all).await]);
}

/// A desktop without tidegate's tables goes one way; the answer for the other one says what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_without_our_tables_is_explained_as_well() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let insert = "drop schema tidegate cascade; \
                  insert into jobs values (7, 'new', 'D', now(), now())";
    on(&office.desktop, insert).await;
    let explained = explain(&office, "jobs", "7", 0);
    assert_eq!(answers(&explained), ["refused", "insert"], "{explained:#}");
    assert!(explained["reverse"]["remedy"].as_str().unwrap().contains("migrate"), "{explained:#}");
    assert_eq!(explained["logged"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_explained_has_its_exit_code() {
    let office = office().await;
    for (arguments, code, said) in [
        (["explain", "unknown", "1"], 10, "It has: jobs"),
        (["explain", "jobs", "one"], 2, "id=VALUE"),
        (["explain", "jobs", "{\"no\": 1}"], 2, "id=VALUE"),
    ] {
        let output = office.tidegate(&arguments);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(printed.contains(said), "{printed}");
    }
    on(&office.cloud, "alter table jobs drop constraint jobs_pkey").await;
    let output = office.tidegate(&["explain", "jobs", "1"]);
    assert_eq!(output.status.code(), Some(10), "{output:?}");
}

//! TRUNCATE takes rows away without a word to row triggers.

use super::{entries, migrate, taken};
use crate::support::{JOBS, Office, value};

const PARTED: &str = "
    create table parted (id integer, source text, updated_at timestamptz, primary key (id)) partition by range (id);
    create table low partition of parted for values from (0) to (10);
    create table high partition of parted for values from (10) to (100) partition by range (id);
    create table higher partition of high for values from (10) to (50);";

const ROWS: &str = "insert into parted values (1, 'M'), (11, 'M')";

fn gone(table: &str, ids: &[i32]) -> Vec<String> {
    ids.iter().map(|id| format!(r#"{table} delete {{"id": "{id}"}}"#)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_an_emptied_table_is_noted_once() {
    let schema = format!(
        "{JOBS} create table tasks (id integer primary key, job integer references jobs, source text, \
         updated_at timestamptz);"
    );
    let office = Office::open(&schema, &["jobs", "tasks"]).await;
    let rows = "insert into jobs values (1, 'a', 'M'), (2, 'b', 'D'); insert into tasks values (5, 1, 'M')";
    office.cloud.batch_execute(rows).await.unwrap();
    taken(&office.cloud).await;
    for (statement, mut expected) in [
        ("truncate tasks", gone("tasks", &[5])),
        ("truncate jobs, tasks", [gone("jobs", &[1, 2]), gone("tasks", &[5])].concat()),
        ("truncate jobs cascade", [gone("jobs", &[1, 2]), gone("tasks", &[5])].concat()),
    ] {
        office.cloud.batch_execute(&format!("begin; {statement}")).await.unwrap();
        let mut found = entries(&office.cloud).await;
        let old = "select string_agg(old ->> 'source', '' order by table_name, seq) from tidegate._sync_changes";
        let owners = value(&office.cloud, old).await;
        office.cloud.batch_execute("rollback").await.unwrap();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{statement}");
        assert_eq!(owners.len(), expected.len(), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_noted_under_their_tables_name() {
    let office = Office::open(PARTED, &["parted"]).await;
    office.cloud.batch_execute(ROWS).await.unwrap();
    office.cloud.batch_execute("update parted set id = 12 where id = 1").await.unwrap();
    let expected = [
        r#"parted insert {"id": "1"} → M"#,
        r#"parted insert {"id": "11"} → M"#,
        r#"parted delete {"id": "1"}"#,
        r#"parted insert {"id": "12"} → M"#,
    ];
    assert_eq!(taken(&office.cloud).await, expected);
    for (statement, ids) in [
        ("truncate low", &[][..]),
        ("truncate higher", &[11, 12]),
        ("truncate high", &[11, 12]),
        ("truncate parted", &[11, 12]),
    ] {
        office.cloud.batch_execute(&format!("begin; {statement}")).await.unwrap();
        let found = entries(&office.cloud).await;
        office.cloud.batch_execute("rollback").await.unwrap();
        assert_eq!(found, gone("parted", ids), "{statement}");
    }
}

/// Row triggers come with the partition; the other kind does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_is_newer_is_noted_too() {
    let office = Office::open(PARTED, &["parted"]).await;
    let newer = "create table newer partition of high for values from (50) to (100); \
                 set session_replication_role = replica; insert into parted values (60, 'M'), (1, 'M')";
    office.cloud.batch_execute(newer).await.unwrap();
    assert_eq!(taken(&office.cloud).await.len(), 2);
    office.cloud.batch_execute("begin; truncate parted").await.unwrap();
    let mut found = entries(&office.cloud).await;
    found.sort();
    assert_eq!(found, gone("parted", &[1, 60]));
    office.cloud.batch_execute("rollback; reset all; begin; truncate newer").await.unwrap();
    assert_eq!(entries(&office.cloud).await, [""; 0]);
    office.cloud.batch_execute("rollback").await.unwrap();
    let pruned = "select pruned_below::text from tidegate._sync_logged";
    let before = value(&office.cloud, pruned).await;
    let (code, document) = migrate(&office, &[]);
    assert_eq!((code, &document["triggers"]["installed"][0]), (0, &"parted".into()), "{document}");
    assert_eq!(value(&office.cloud, pruned).await, before, "changes were logged all the time");
    office.cloud.batch_execute("truncate newer").await.unwrap();
    assert_eq!(entries(&office.cloud).await, gone("parted", &[60]));
}

/// Rows that the log can't see any more: a reader has to look at the whole table.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_noted_is_a_gap() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let blind = "insert into jobs values (1, 'a', 'M'); create role outsider; \
                 grant usage on schema tidegate to outsider; grant insert on tidegate._sync_changes to outsider; \
                 grant select, update on tidegate._sync_logged to outsider; \
                 grant create on schema tidegate to outsider; \
                 alter function tidegate._sync_log_truncate() owner to outsider";
    office.cloud.batch_execute(blind).await.unwrap();
    taken(&office.cloud).await;
    office.cloud.batch_execute("truncate jobs").await.unwrap();
    assert_eq!(entries(&office.cloud).await, [""; 0]);
    let gap = "select (pruned_below > (select max(x) from (select pg_snapshot_xmin(pg_current_snapshot())::text::numeric \
               - 2 as x) y)::text::xid8 and pruned_below <= pg_snapshot_xmin(pg_current_snapshot()))::text \
               from tidegate._sync_logged";
    assert_eq!(value(&office.cloud, gap).await, "true");
}

//! Who writes what, and what the log holds of it.

use super::{entries, taken};
use crate::support::{JOBS, Office, value};

#[tokio::test(flavor = "multi_thread")]
async fn what_mobile_users_do_is_noted_and_what_tidegate_does_is_not() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let rows = "insert into jobs values (1, 'a', 'D', now(), now()), (2, 'b', 'D', now(), now())";
    office.desktop.batch_execute(rows).await.unwrap();
    office.forward().await;
    let edit = "update jobs set name = 'c', updated_at = clock_timestamp() where id = 1";
    office.desktop.batch_execute(edit).await.unwrap();
    office.forward().await;
    assert_eq!(office.same_on_both_ends("select name from jobs order by id").await, ["c", "b"]);
    assert_eq!(entries(&office.cloud).await, [""; 0]);

    let work = "insert into jobs values (3, 'm', 'M'); update jobs set name = 'n' where id = 3; \
                update jobs set source = 'M' where id = 1; delete from jobs where id = 2";
    office.cloud.batch_execute(work).await.unwrap();
    let expected = [
        r#"jobs insert {"id": "3"} → M"#,
        r#"jobs update {"id": "3"} → M"#,
        r#"jobs marked {"id": "1"} → M"#,
        r#"jobs delete {"id": "2"}"#,
    ];
    assert_eq!(taken(&office.cloud).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_changes_nothing_is_not_noted() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.cloud.batch_execute("insert into jobs values (1, 'a', 'M')").await.unwrap();
    taken(&office.cloud).await;
    office.cloud.batch_execute("update jobs set name = name").await.unwrap();
    assert_eq!(entries(&office.cloud).await, [""; 0]);
    office.cloud.batch_execute("update jobs set name = null").await.unwrap();
    assert_eq!(entries(&office.cloud).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_gets_another_key_is_another_row() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.cloud.batch_execute("insert into jobs values (1, 'a', 'M')").await.unwrap();
    office.cloud.batch_execute("update jobs set id = 2").await.unwrap();
    let expected = [
        r#"jobs insert {"id": "1"} → M"#,
        r#"jobs delete {"id": "1"}"#,
        r#"jobs insert {"id": "2"} → M"#,
    ];
    assert_eq!(entries(&office.cloud).await, expected);
}

/// A replica's apply process writes with that setting.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_replicated_is_noted() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let replicated = "set session_replication_role = replica; insert into jobs values (1, 'a', 'M'); \
                      truncate jobs";
    office.cloud.batch_execute(replicated).await.unwrap();
    let expected = [r#"jobs insert {"id": "1"} → M"#, r#"jobs delete {"id": "1"}"#];
    assert_eq!(entries(&office.cloud).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_any_right_of_ours_writes() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let role = "create role mobile; grant select, insert, update, delete, truncate on jobs to mobile; \
                set role mobile";
    office.cloud.batch_execute(role).await.unwrap();
    let work = "insert into jobs values (1, 'a', 'M'); update jobs set name = 'b'; \
                delete from jobs; insert into jobs values (2, 'a', 'M'); truncate jobs";
    office.cloud.batch_execute(work).await.unwrap();
    assert!(office.cloud.batch_execute("table tidegate._sync_changes").await.is_err());
    // Nor may they write to the log what never happened.
    let forged = "create temp table forged (id int); create trigger forged after insert on forged \
                  for each row execute function tidegate._sync_log_change('jobs', 'source', '{}', 'id')";
    let refused = office.cloud.batch_execute(forged).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42501", "{refused}");
    office.cloud.batch_execute("reset role").await.unwrap();
    assert_eq!(entries(&office.cloud).await.len(), 5);
}

/// The two settings that a user has are no matter: the entry reads the same.
#[tokio::test(flavor = "multi_thread")]
async fn values_are_noted_alike_whatever_a_user_has_set() {
    let schema = "create table t (id bigint primary key, source text, f float8, v interval, \
                  at timestamptz, b bytea, updated_at timestamptz);";
    let office = Office::open(schema, &["t"]).await;
    let insert = "insert into t values (1, 'M', 0.1::float8 + 0.2, '-1 day -02:03', '2026-01-02 03:04+00', \
                  '\\x00ff')";
    for settings in [
        "select 1",
        "set extra_float_digits = -5; set intervalstyle = sql_standard; set datestyle = german; \
         set timezone = 'Asia/Tokyo'; set bytea_output = escape; set search_path = ''",
    ] {
        let work = format!("reset all; {insert}; {settings}; delete from public.t");
        office.cloud.batch_execute(&work).await.unwrap();
    }
    office.cloud.batch_execute("reset all").await.unwrap();
    let same = "select (count(distinct old::text) = 1 and count(*) = 2)::text \
                from tidegate._sync_changes where operation = 'delete'";
    assert_eq!(value(&office.cloud, same).await, "true");
    let back = "select (r.f = 0.1::float8 + 0.2 and r.v::text = '-1 days -02:03:00' and r.b = '\\x00ff')::text \
                from tidegate._sync_changes c, json_populate_record(null::t, c.old) r \
                where operation = 'delete' limit 1";
    assert_eq!(value(&office.cloud, back).await, "true");
}

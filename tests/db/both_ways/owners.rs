//! Mobile work on rows of either side stays, whatever the desktop holds.

use crate::support::{JOBS, Office, value};

const NAME_OF_100: &str = "select name from jobs where id = 100";
const MOBILE_ROWS: &str =
    "select coalesce(string_agg(id::text, ' ' order by id), '') from jobs where source = 'M'";

/// A mobile user's edit of the desktop's row survives what the desktop still holds, also where the
/// desktop saves that again and whole tables are compared.
#[tokio::test(flavor = "multi_thread")]
async fn m03_mobile_edits_d() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let job = "insert into jobs values (100, 'open', 'D', now(), now())";
    office.desktop.batch_execute(job).await.unwrap();
    office.sync().await;
    let edit =
        "update jobs set name = 'completed', updated_at = now() - interval '1 hour' where id = 100";
    office.cloud.batch_execute(edit).await.unwrap();
    let save_again = "update jobs set updated_at = now() where id = 100";
    office.desktop.batch_execute(save_again).await.unwrap();
    office.forward().await;
    office.forward_full().await;
    assert_eq!(office.withheld().await, [r#"{"id": "100"} pending_mobile_edit"#]);
    assert_eq!(value(&office.cloud, NAME_OF_100).await, "completed");
    office.sync().await;
    assert_eq!(office.same_on_both_ends(NAME_OF_100).await, ["completed"]);
    assert!(office.withheld().await.is_empty());
    office.forward_full().await;
    assert_eq!(office.same_on_both_ends(NAME_OF_100).await, ["completed"]);
}

/// A mobile user deletes his own row: the desktop's copy stays, and is not sent back, though it is
/// compared, or changed.
#[tokio::test(flavor = "multi_thread")]
async fn m33_zombie_mirror() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let rows =
        "insert into jobs select i, 'mobile', 'M', now(), now() from generate_series(1, 3) i";
    office.cloud.batch_execute(rows).await.unwrap();
    office.sync().await;
    office.cloud.batch_execute("delete from jobs where id in (1, 2)").await.unwrap();
    let touch = "update jobs set name = 'touched', updated_at = now() where id = 2";
    office.desktop.batch_execute(touch).await.unwrap();
    for _ in 0..2 {
        office.forward().await;
        office.sync().await;
        office.forward_full().await;
    }
    assert_eq!(value(&office.cloud, MOBILE_ROWS).await, "3");
    assert_eq!(value(&office.desktop, MOBILE_ROWS).await, "1 2 3");
    assert_eq!(office.withheld().await, [r#"{"id": "1"} owner"#, r#"{"id": "2"} owner"#]);
}

/// The desktop's edit of a mobile row is undone by the mobile version, and then nothing is left of it but
/// the version that lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_edit_of_a_mobile_row_leaves_the_list_once_the_mobile_version_is_back() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("lag = \"0s\"");
    let made = "insert into jobs values (7, 'mobile', 'M', now(), now())";
    office.cloud.batch_execute(made).await.unwrap();
    office.sync().await;
    let edit = "update jobs set name = 'desktop', updated_at = now() where id = 7";
    office.desktop.batch_execute(edit).await.unwrap();
    office.forward().await;
    assert_eq!(office.withheld().await, [r#"{"id": "7"} owner"#]);
    office.sync().await;
    assert_eq!(value(&office.desktop, "select name from jobs where id = 7").await, "mobile");
    assert!(office.withheld().await.is_empty());
    let lost = "select row ->> 'name' || ' ' || reason from tidegate._sync_trash";
    assert_eq!(value(&office.desktop, lost).await, "desktop lost_to_mobile");
}

/// A value that a mobile user had set and taken back is none that the desktop had.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_edit_that_equals_what_a_mobile_user_took_back_is_an_edit() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("lag = \"0s\"");
    let made = "insert into jobs values (1, 'no', 'D', now(), now())";
    office.desktop.batch_execute(made).await.unwrap();
    office.sync().await;
    let set = |name: &str, at: &str| {
        format!("update jobs set name = '{name}', updated_at = clock_timestamp() {at}")
    };
    office.cloud.batch_execute(&set("yes", "")).await.unwrap();
    office.cloud.batch_execute(&set("no", "")).await.unwrap();
    office.desktop.batch_execute(&set("yes", "+ interval '1 second'")).await.unwrap();
    office.sync().await;
    office.sync().await;
    for end in [&office.desktop, &office.cloud] {
        assert_eq!(value(end, "select name from jobs").await, "yes");
    }
}

/// Keys are written alike whatever the settings of the role that runs are.
#[tokio::test(flavor = "multi_thread")]
async fn a_pending_edit_of_a_row_with_a_stamp_for_a_key_is_found() {
    let schema = "create table visits (at timestamptz primary key, name text, source text, \
                  updated_at timestamptz)";
    let office = Office::open(schema, &["visits"]).await;
    let zone = "alter database cloud set timezone = 'Asia/Tokyo'; \
                alter database cloud set datestyle = 'SQL, DMY'";
    office.cloud.batch_execute(zone).await.unwrap();
    office.configure("lag = \"0s\"");
    let made = "insert into visits values ('2020-01-02 01:04:05+00', 'old', 'D', now())";
    office.desktop.batch_execute(made).await.unwrap();
    office.sync().await;
    let refuse = "alter table visits add check (name <> 'mobile')";
    office.desktop.batch_execute(refuse).await.unwrap();
    office
        .cloud
        .batch_execute("update visits set name = 'mobile', updated_at = now()")
        .await
        .unwrap();
    office.reverse().await;
    office.forward_full().await;
    assert_eq!(value(&office.cloud, "select name from visits").await, "mobile");
}

/// Entries of a trigger that was made for another key say nothing: stamps tell then, and nothing comes
/// home until `migrate` has made it anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_made_for_another_key_is_none() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("lag = \"0s\"");
    let made = "insert into jobs values (1, 'old', 'D', now(), now())";
    office.desktop.batch_execute(made).await.unwrap();
    office.sync().await;
    let key = "alter table jobs drop constraint jobs_pkey, add column part integer default 0, \
               add primary key (id, part)";
    office.desktop.batch_execute(key).await.unwrap();
    office.cloud.batch_execute(key).await.unwrap();
    let edit = "update jobs set name = 'mobile', updated_at = clock_timestamp()";
    office.cloud.batch_execute(edit).await.unwrap();
    assert_eq!(office.reverse().await.exit_code(false), 10);
    office.forward_full().await;
    assert_eq!(value(&office.cloud, "select name from jobs").await, "mobile");
    assert!(office.tidegate(&["migrate"]).status.success());
    office.sync().await;
    assert_eq!(value(&office.desktop, "select name from jobs").await, "mobile");
}

/// A position by stamps is none in a log, nor the other way round: whole tables are compared once.
#[tokio::test(flavor = "multi_thread")]
async fn another_capture_begins_anew() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("lag = \"0s\"");
    office.sync().await;
    let by_log = std::fs::read_to_string(office.config_path()).unwrap();
    let by_stamps = by_log.replace("[cloud]\n", "[cloud]\ncapture = \"timestamp\"\n");
    for (id, config) in [(1, &by_stamps), (2, &by_log), (3, &by_log)] {
        std::fs::write(office.config_path(), config).unwrap();
        let made = format!("insert into jobs values ({id}, 'mobile', 'M', now(), now())");
        office.cloud.batch_execute(&made).await.unwrap();
        let report = office.sync().await;
        assert_eq!((report.exit_code(true), report.written()), (0, 1), "{id}: {report:?}");
    }
}

/// What the log has of a row from before the table was altered may be none of its rows any more.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_from_before_the_table_was_altered_comes_home() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("lag = \"0s\"");
    let made = "insert into jobs values (1, 'abc', 'D', now(), now())";
    office.desktop.batch_execute(made).await.unwrap();
    office.sync().await;
    let edit = "update jobs set name = '5', updated_at = clock_timestamp()";
    office.cloud.batch_execute(edit).await.unwrap();
    let alter = "alter table jobs alter name type integer using ascii(name)";
    office.desktop.batch_execute(alter).await.unwrap();
    office.cloud.batch_execute(alter).await.unwrap();
    for _ in 0..2 {
        assert_eq!(office.sync().await.exit_code(false), 0);
    }
    let name = "select name::text from jobs";
    assert_eq!(value(&office.desktop, name).await, value(&office.cloud, name).await);
    assert_eq!(value(&office.cloud, name).await, "53");
}

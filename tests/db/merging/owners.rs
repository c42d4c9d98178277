//! Whose row it is decides whether it may be written.

use super::{JOBS, LATER, OLD, execute, forward, forward_with, job};
use crate::support::{Office, counts, of, value};
use tidegate::sql::Sql;

/// Owners that are neither the desktop's nor the mobile app's.
const STRANGE: [&str; 5] = ["null", "'m'", "'M '", "'X'", "'d'"];

fn strange_rows(name: &str) -> String {
    let row = |(i, owner): (usize, &&str)| format!("({i}, '{name}', {owner}, {OLD}, {OLD})");
    let rows: Vec<String> = STRANGE.iter().enumerate().map(row).collect();
    format!("insert into jobs values {}", rows.join(", "))
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_pk_collision() {
    let office = Office::open(JOBS, &["jobs"]).await;
    execute(&office.cloud, &format!("insert into jobs values (5, 'mobile', 'M', {OLD}, {OLD})"))
        .await;
    let rows = format!(
        "insert into jobs values (5, 'desktop', 'D', {LATER}, {LATER}), (6, 'x', 'D', {OLD}, {OLD})"
    );
    execute(&office.desktop, &rows).await;
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [2, 1, 0, 0, 1]);
    assert_eq!((report.exit_code(false), report.exit_code(true)), (0, 3));
    assert_eq!(office.withheld().await, [r#"{"id": "5"} key_collision"#]);
    let both =
        "select (row->>'name') || ', ' || (target_row->>'name') from tidegate._sync_withheld";
    assert_eq!(value(&office.cloud, both).await, "desktop, mobile");
    assert_eq!(job(&office.cloud, 5).await, "5 mobile M");
    // A quiet run says nothing new; when the mobile user gives the key back, the row arrives.
    assert_eq!(counts(of(&forward(&office).await, "jobs")), [0; 5]);
    execute(&office.cloud, "delete from jobs where id = 5").await;
    forward(&office).await;
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [0; 5]);
    assert_eq!(job(&office.cloud, 5).await, "5 desktop D");
    assert!(office.withheld().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_null_source_at_the_desktop() {
    let office = Office::open(JOBS, &["jobs"]).await;
    execute(&office.desktop, &strange_rows("desktop")).await;
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [5, 0, 0, 0, 5]);
    assert!(office.withheld().await.iter().all(|w| w.ends_with(" owner")));
    assert_eq!(counts(of(&forward(&office).await, "jobs")), [0; 5]);
    // Mended without a new stamp, one after the other.
    execute(&office.desktop, "update jobs set source = 'D' where id < 3").await;
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [3, 3, 0, 0, 0]);
    assert_eq!(office.withheld().await, [r#"{"id": "3"} owner"#, r#"{"id": "4"} owner"#]);
    execute(&office.desktop, "update jobs set source = 'D'").await;
    forward(&office).await;
    assert!(office.withheld().await.is_empty());
    office.same_on_both_ends("select jobs::text from jobs order by id").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_null_source_in_the_cloud() {
    let office = Office::open(JOBS, &["jobs"]).await;
    execute(&office.cloud, &strange_rows("cloud")).await;
    let all = "select string_agg(jobs::text, ';' order by id) from jobs";
    let before = value(&office.cloud, all).await;
    let fill = format!(
        "insert into jobs select i, 'desktop', 'D', {LATER}, {LATER} from generate_series(0, 4) i"
    );
    execute(&office.desktop, &fill).await;
    for _ in 0..2 {
        let report = office.forward_full().await;
        super::adds_up(&report);
        assert_eq!(counts(of(&report, "jobs")), [5, 0, 0, 0, 5]);
        assert_eq!(value(&office.cloud, all).await, before);
    }
    assert!(office.withheld().await.iter().all(|w| w.ends_with(" owner")));
    // Nothing has moved: nothing is read.
    assert_eq!(counts(of(&forward(&office).await, "jobs")), [0; 5]);
    execute(&office.cloud, "update jobs set source = 'D' where id <> 3").await;
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [4, 0, 4, 0, 0]);
    assert_eq!(office.withheld().await, [r#"{"id": "3"} owner"#]);
    execute(&office.cloud, "update jobs set source = 'D'").await;
    forward(&office).await;
    assert!(office.withheld().await.is_empty());
    office.same_on_both_ends("select jobs::text from jobs order by id").await;
}

/// Faults in the merge that reach for a mobile row: without the guard by owner, with a guard that
/// takes every owner but `M`, and with the ownership column in SET.
fn faulty_merges() -> [Sql; 3] {
    let guard = "{{held_owner}} = {{sent_owner}}
        and ({{held_key}}) in (select {{pinned_key}} from pg_temp.tidegate_verdict u where u.verdict = 'update')";
    let reaching = |sql: Sql, guarded: &str| {
        let wanted = "v.verdict in ('insert', 'update')";
        sql.planted("postgres/merge.sql", wanted, "v.verdict <> 'unchanged'").planted(
            "postgres/merge.sql",
            guard,
            guarded,
        )
    };
    let set = Sql::default().planted(
        "postgres/merge.sql",
        "{{assignments}}",
        "{{assignments}}, source = excluded.source",
    );
    [
        reaching(Sql::default(), "true or $1 = ''"),
        reaching(Sql::default(), "{{held_owner}} <> 'M' or $1 = ''"),
        reaching(set, "true or $1 = ''"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_source_in_set_and_m08_same_count_content() {
    let office = Office::open(JOBS, &["jobs"]).await;
    execute(
        &office.cloud,
        &format!(
            "insert into jobs values (5, 'mobile', 'M', {OLD}, {OLD}), (6, 'small', 'm', {OLD}, {OLD})"
        ),
    )
    .await;
    let rows = format!(
        "insert into jobs select i, 'desktop', 'D', {LATER}, {LATER} from generate_series(4, 7) i"
    );
    execute(&office.desktop, &rows).await;
    for (i, sql) in faulty_merges().iter().enumerate() {
        let report = office.run(&tidegate::run::Request::default(), sql).await.unwrap();
        assert_eq!(report.exit_code(false), 20, "fault {i}: {report:?}");
        let message = super::trouble(&report, "jobs");
        assert!(message.contains("rows of another owner were changed"), "fault {i}: {message}");
        assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "2");
        assert_eq!(job(&office.cloud, 5).await, "5 mobile M");
        assert_eq!(job(&office.cloud, 6).await, "6 small m");
    }
    let report = forward_with(&office, &Sql::default()).await;
    assert_eq!(counts(of(&report, "jobs")), [4, 2, 0, 0, 2]);
}

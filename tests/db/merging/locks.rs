//! A mobile user who holds a lock for long delays neither the run nor another mobile user. The
//! locks here are held until the run has ended, however long it takes.

use std::time::{Duration, Instant};

use tidegate::run::RunReport;

use super::{JOBS, NO_LAG, OLD, adds_up, execute, forward, job};
use crate::support::{Office, counts, of};

/// A run takes much less than that; a run that waits for a mobile user waits for ever.
const BRIEF: Duration = Duration::from_secs(20);

/// Runs forward while somebody holds a lock; the run must not wait for it, nor must `meanwhile`,
/// which another mobile user does again and again.
async fn brief_forward(office: &Office, meanwhile: &str) -> RunReport {
    let other = office.cloud_session().await;
    let start = Instant::now();
    let run = office.forward();
    tokio::pin!(run);
    let report = loop {
        tokio::select! {
            report = &mut run => break report,
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                let asked = Instant::now();
                execute(&other, meanwhile).await;
                assert!(asked.elapsed() < BRIEF / 8, "another mobile user had to wait");
            }
        }
    };
    assert!(start.elapsed() < BRIEF, "the run took {:?}", start.elapsed());
    adds_up(&report);
    report
}

async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure(NO_LAG);
    let fill = format!(
        "insert into jobs select i, 'job', 'D', {OLD}, {OLD} from generate_series(1, 500) i"
    );
    execute(&office.desktop, &fill).await;
    execute(&office.cloud, "insert into jobs values (900, 'mobile', 'M')").await;
    forward(&office).await;
    office
}

const NOTE: &str = "update jobs set name = name || '.' where id = 900";

#[tokio::test(flavor = "multi_thread")]
async fn p08_a_locked_row_is_busy_and_arrives_afterwards() {
    let office = office().await;
    let edit = "update jobs set name = 'desktop', updated_at = now() where id <= 100";
    execute(&office.desktop, edit).await;
    for lock in ["for update", "for no key update", "for share", "for key share"] {
        let office = &office;
        execute(&office.cloud, &format!("begin; select from jobs where id = 7 {lock}")).await;
        let report = brief_forward(office, NOTE).await;
        // A key share lock is in nobody's way: it is what a foreign key takes.
        let updated = if lock == "for key share" { 1 } else { 0 };
        if lock == "for update" {
            assert_eq!(counts(of(&report, "jobs")), [100, 0, 99, 0, 1]);
        } else {
            assert_eq!(counts(of(&report, "jobs")), [1, 0, updated, 0, 1 - updated], "{lock}");
        }
        let busy: &[&str] = if updated == 1 { &[] } else { &[r#"{"id": "7"} busy"#] };
        assert_eq!(office.withheld().await, busy, "{lock}");
        execute(&office.cloud, "commit").await;
    }
    assert_eq!(job(&office.cloud, 7).await, "7 desktop D");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_a_mobile_user_edits_is_judged_by_what_he_commits() {
    let office = office().await;
    let edit = "update jobs set name = 'desktop', updated_at = now() where id <= 10";
    execute(&office.desktop, edit).await;
    let mobile =
        "begin; update jobs set name = 'mobile', updated_at = clock_timestamp() where id = 7";
    execute(&office.cloud, mobile).await;
    let report = brief_forward(&office, NOTE).await;
    assert_eq!(counts(of(&report, "jobs")), [10, 0, 9, 0, 1]);
    assert_eq!(office.withheld().await, [r#"{"id": "7"} busy"#]);
    execute(&office.cloud, "commit").await;
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [1, 0, 0, 0, 1]);
    assert_eq!(office.withheld().await, [r#"{"id": "7"} pending_mobile_edit"#]);
    assert_eq!(job(&office.cloud, 7).await, "7 mobile D");
}

const TASKS: &str = "
    create table tasks (id integer primary key, job integer references jobs, name text, source text,
        created_at timestamptz, updated_at timestamptz);";

/// Children of a parent that a mobile user holds wait; others and the children of others don't.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_parent_makes_its_new_children_busy() {
    let office = Office::open(&format!("{JOBS}{TASKS}"), &["jobs", "tasks"]).await;
    office.configure(NO_LAG);
    let jobs =
        format!("insert into jobs select i, 'job', 'D', {OLD}, {OLD} from generate_series(1, 3) i");
    execute(&office.desktop, &jobs).await;
    execute(&office.cloud, "insert into jobs values (900, 'mobile', 'M')").await;
    forward(&office).await;
    let tasks = "insert into tasks select i, 1 + i % 3, 'task', 'D', now(), now() from generate_series(1, 9) i";
    execute(&office.desktop, tasks).await;
    execute(&office.cloud, "begin; select from jobs where id = 2 for update").await;
    let report = brief_forward(&office, NOTE).await;
    assert_eq!(counts(of(&report, "tasks")), [9, 6, 0, 0, 3]);
    let busy = [1, 4, 7].map(|id| format!(r#"{{"id": "{id}"}} busy"#));
    assert_eq!(office.withheld().await, busy);
    execute(&office.cloud, "rollback").await;
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "tasks")), [3, 3, 0, 0, 0]);
    assert!(office.withheld().await.is_empty());
}

/// A parent that tidegate doesn't write can be held as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_parent_that_is_not_synced_makes_its_new_children_busy() {
    let office = Office::open(&format!("{JOBS}{TASKS}"), &["tasks"]).await;
    office.configure(NO_LAG);
    for client in [&office.desktop, &office.cloud] {
        execute(client, "insert into jobs select i, 'job', 'D' from generate_series(1, 3) i").await;
    }
    let tasks = "insert into tasks select i, 1 + i % 3, 'task', 'D', now(), now() from generate_series(1, 9) i";
    execute(&office.desktop, tasks).await;
    execute(&office.cloud, "begin; select from jobs where id = 2 for update").await;
    let report = brief_forward(&office, "select").await;
    assert_eq!(counts(of(&report, "tasks")), [9, 6, 0, 0, 3], "{report:?}");
    execute(&office.cloud, "rollback").await;
    forward(&office).await;
    office.same_on_both_ends("select tasks::text from tasks order by id").await;
}

/// Nobody can see the row that a mobile user is about to make, but a unique index waits for it: it
/// is found by halving, and the others arrive.
#[tokio::test(flavor = "multi_thread")]
async fn an_uncommitted_insert_of_the_same_key_delays_nobody() {
    let office = office().await;
    let edit = "
        insert into jobs select i, 'new', 'D', now(), now() from generate_series(501, 600) i;
        update jobs set name = 'desktop', updated_at = now() where id <= 100";
    execute(&office.desktop, edit).await;
    execute(&office.cloud, "begin; insert into jobs values (550, 'mobile', 'M')").await;
    let report = brief_forward(&office, NOTE).await;
    assert_eq!(counts(of(&report, "jobs")), [200, 99, 100, 0, 1], "{report:?}");
    assert_eq!(office.withheld().await, [r#"{"id": "550"} busy"#]);
    execute(&office.cloud, "commit").await;
    forward(&office).await;
    assert_eq!(office.withheld().await, [r#"{"id": "550"} key_collision"#]);
    assert_eq!(job(&office.cloud, 550).await, "550 mobile M");
}

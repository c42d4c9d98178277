//! Mobile users at work while a batch is merged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tidegate::run::Request;
use tidegate::sql::Sql;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::{JOBS, LATER, OLD, adds_up, execute, job};
use crate::support::{Office, column, counts, of, value};

const ROWS: i32 = 400;
const RUNS: i32 = 12;
const MOBILE_USERS: i32 = 4;

/// Each mobile user edits rows of his own, so that his last edit of each is known.
async fn edit_rows(session: Client, user: i32, done: Arc<AtomicBool>) -> BTreeMap<i32, String> {
    let mut edits = BTreeMap::new();
    let mut n = 0;
    while !done.load(Ordering::Relaxed) {
        // Half of the rows, so that forward has others to update.
        let id = (n * MOBILE_USERS + user) % (ROWS / 2) + 1;
        let name = format!("mobile {user} {n}");
        let edit = "update jobs set name = $2, updated_at = clock_timestamp() where id = $1";
        let edited = session.execute(edit, &[&id, &name]).await.unwrap();
        assert_eq!(edited, 1, "{id} is gone");
        edits.insert(id, name);
        n += 1;
    }
    edits
}

/// A desktop with rows, and a cloud with none.
async fn filled() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = format!(
        "insert into jobs select i, 'first', 'D', {OLD}, {OLD} from generate_series(1, {ROWS}) i"
    );
    execute(&office.desktop, &fill).await;
    office
}

/// Runs that find every desktop row edited, with stamps older than those of every mobile edit, so
/// that none of these may be reverted. Rows inserted and updated by all of them.
async fn edit_and_forward(office: &Office) -> [u64; 2] {
    let mut written = [0, 0];
    for run in 0..RUNS {
        let edit = format!(
            "update jobs set name = 'desktop {run}', updated_at = {LATER} + interval '{run} s'"
        );
        execute(&office.desktop, &edit).await;
        let report = office.forward_full().await;
        adds_up(&report);
        assert_eq!(report.exit_code(false), 0, "{report:?}");
        written[0] += of(&report, "jobs").inserted;
        written[1] += of(&report, "jobs").updated;
    }
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn m05_concurrent_mobile_update() {
    let office = filled().await;
    // Every fourth key of the batch is a mobile user's.
    let mobile = format!(
        "insert into jobs select i, 'mobile', 'M', {OLD}, {OLD} from generate_series(4, {ROWS}, 4) i"
    );
    execute(&office.cloud, &mobile).await;
    office.forward().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut users = JoinSet::new();
    for user in 0..MOBILE_USERS {
        users.spawn(edit_rows(office.cloud_session().await, user, Arc::clone(&done)));
    }
    let [_, updated] = edit_and_forward(&office).await;
    done.store(true, Ordering::Relaxed);
    let edits: BTreeMap<i32, String> = users.join_all().await.into_iter().flatten().collect();
    assert!(edits.len() > 50 && updated > 1_000, "no race: {} {updated}", edits.len());
    let names = column(&office.cloud, "select name from jobs order by id", &[]).await;
    for (id, name) in edits {
        assert_eq!(names[id as usize - 1], name, "a mobile edit of {id} was lost");
    }
    let last = format!("select count(*)::text from jobs where name = 'desktop {}'", RUNS - 1);
    assert_eq!(value(&office.cloud, &last).await, (ROWS * 3 / 8).to_string());
}

/// Deletes rows and makes others, as long as the runs go on; never one of the same key again.
async fn delete_rows(session: Client, user: i32, done: Arc<AtomicBool>) -> i64 {
    let mut n = 0;
    while !done.load(Ordering::Relaxed) {
        let id = 10_000 * (user + 1) + n;
        execute(&session, &format!("insert into jobs values ({id}, 'mobile', 'M')")).await;
        if n % 2 == 0 {
            execute(&session, &format!("delete from jobs where id = {id}")).await;
        }
        // What a mobile user has deleted does not come back: some of the desktop's rows must stay.
        if n % 40 == 0 {
            let desktops = n * MOBILE_USERS + user;
            let delete = format!("delete from jobs where id = {}", desktops % ROWS + 1);
            execute(&session, &delete).await;
        }
        n += 1;
    }
    i64::from(n / 2)
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_concurrent_delete() {
    let office = filled().await;
    office.forward().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut users = JoinSet::new();
    for user in 0..MOBILE_USERS {
        users.spawn(delete_rows(office.cloud_session().await, user, Arc::clone(&done)));
    }
    let [inserted, updated] = edit_and_forward(&office).await;
    let written = inserted + updated;
    done.store(true, Ordering::Relaxed);
    let mobile: i64 = users.join_all().await.into_iter().sum();
    assert!(mobile > 50 && written > 300, "no race: {mobile} {written}");
    let left = value(&office.cloud, "select count(*)::text from jobs where source = 'M'").await;
    assert_eq!(left, mobile.to_string());
}

/// Runs forward with `sql`, which stops at the advisory lock 42; meanwhile a mobile user does `work`.
async fn forward_around(office: &Office, sql: &Sql, work: &str) -> tidegate::run::RunReport {
    // The run is to wait here for as long as the mobile user needs.
    let sql = sql.clone().planted("postgres/begin.sql", "500ms", "60s");
    let gate = office.cloud_session().await;
    execute(&gate, "select pg_advisory_lock(42)").await;
    let mobile = async {
        let waiting = "select count(*)::text from pg_locks where locktype = 'advisory' and objid = 42 and not granted";
        while value(&office.cloud, waiting).await == "0" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        execute(&office.cloud, work).await;
        execute(&gate, "select pg_advisory_unlock(42)").await;
    };
    let request = Request::default();
    let (report, ()) = tokio::join!(office.run(&request, &sql), mobile);
    let report = report.unwrap();
    adds_up(&report);
    report
}

/// A statement of a batch that waits at the gate first.
fn gated(file: &'static str, before: &str) -> Sql {
    let gate = format!(
        "do $$ begin perform nextval('public.tries'), pg_advisory_xact_lock(42); end $$; {before}"
    );
    Sql::default().planted(file, before, &gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_changes_between_the_looks_is_judged_again() {
    let cases = [
        ("update jobs set source = 'M', name = 'taken' where id = 2", "2 taken M", "key_collision"),
        ("update jobs set source = null, name = 'odd' where id = 3", "3 odd", "owner"),
        (
            "update jobs set name = 'mobile', updated_at = clock_timestamp() where id = 4",
            "4 mobile D",
            "pending_mobile_edit",
        ),
        ("delete from jobs where id = 5", "5", "deleted_by_mobile"),
    ];
    let office = Office::open(JOBS, &["jobs"]).await;
    execute(&office.cloud, "create sequence tries").await;
    let fill = format!(
        "insert into jobs select i, 'first', 'D', {OLD}, {OLD} from generate_series(1, 9) i"
    );
    execute(&office.desktop, &fill).await;
    office.forward().await;
    for (tries, (work, after, reason)) in (1..).zip(cases) {
        let edit = "update jobs set name = 'desktop', updated_at = now()";
        execute(&office.desktop, edit).await;
        let gated = gated("postgres/pinned.sql", "create temp table");
        let report = forward_around(&office, &gated, work).await;
        assert_eq!(report.exit_code(false), 0, "{work}: {report:?}");
        let gates: i32 =
            value(&office.cloud, "select last_value::text from tries").await.parse().unwrap();
        assert_eq!(gates, tries, "{work}: a batch was given up");
        let id = &after[..1];
        let reasons = office.withheld().await;
        let of_row = reasons.iter().find(|r| r.contains(&format!("\"{id}\"")));
        let met = of_row.map(|r| r.rsplit(' ').next().unwrap()).unwrap_or_default();
        assert_eq!(met, reason, "{work}");
        let row = "select concat_ws(' ', i, name, source) from (select ";
        let row = format!("{row}{id} as i) wanted left join jobs on id = i");
        assert_eq!(value(&office.cloud, &row).await, after, "{work}");
    }
}

/// A planned insert that meets a row made in the meantime is classified again.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_taken_before_the_merge_collides() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = format!(
        "insert into jobs select i, 'desktop', 'D', {OLD}, {OLD} from generate_series(1, 9) i"
    );
    execute(&office.desktop, &fill).await;
    let merge = Sql::default().planted(
        "postgres/merge.sql",
        "with merged as (",
        "with gate as materialized (select pg_advisory_xact_lock(42)), merged as (",
    );
    let merge = merge.planted(
        "postgres/merge.sql",
        "from pg_temp.tidegate_stage s",
        "from gate cross join pg_temp.tidegate_stage s",
    );
    let taken = "insert into jobs values (5, 'mobile', 'M', now(), now())";
    let report = forward_around(&office, &merge, taken).await;
    assert_eq!(counts(of(&report, "jobs")), [9, 8, 0, 0, 1], "{report:?}");
    assert_eq!(office.withheld().await, [r#"{"id": "5"} key_collision"#]);
    assert_eq!(job(&office.cloud, 5).await, "5 mobile M");
}

/// The entry names the version that the verdict was about, not the one that is there when it is
/// written: else nobody would ever notice that the obstacle is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_obstacle_goes_away_before_it_is_listed_is_tried_again() {
    let office = Office::open(JOBS, &["jobs"]).await;
    execute(&office.cloud, "create sequence tries").await;
    let taken = "insert into jobs values (5, 'mobile', 'M', now(), now())";
    execute(&office.cloud, taken).await;
    let fill = format!(
        "insert into jobs select i, 'desktop', 'D', {OLD}, {OLD} from generate_series(1, 9) i"
    );
    execute(&office.desktop, &fill).await;
    let gated = gated("postgres/present_output.sql", "set local timezone");
    let report = forward_around(&office, &gated, "delete from jobs where id = 5").await;
    assert_eq!(counts(of(&report, "jobs")), [9, 8, 0, 0, 1], "{report:?}");
    assert_eq!(counts(of(&office.forward().await, "jobs")), [1, 1, 0, 0, 0]);
    assert!(office.withheld().await.is_empty());
}

/// Mobile users take keys of the batch while it merges: judged by what they committed, in the same
/// transaction, and no incident.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_taken_while_the_merge_waits_collide() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = format!(
        "insert into jobs select i, 'desktop', 'D', {OLD}, {OLD} from generate_series(1, 9) i"
    );
    execute(&office.desktop, &fill).await;
    let take =
        |id: i32| format!("begin; insert into jobs values ({id}, 'mobile', 'M', now(), now())");
    let users = [office.cloud_session().await, office.cloud_session().await];
    execute(&users[0], &take(5)).await;
    execute(&users[1], &take(7)).await;
    let waiting = "select (count(*) > 0)::text from pg_locks where not granted";
    let mobile = async {
        for user in &users {
            office.until(waiting, "the merge waits").await;
            execute(user, "commit").await;
        }
    };
    // Patient enough to wait for both.
    let sql = Sql::default().planted("postgres/begin.sql", "500ms", "60s");
    let request = Request::default();
    let (report, ()) = tokio::join!(office.run(&request, &sql), mobile);
    let report = report.unwrap();
    assert_eq!(counts(of(&report, "jobs")), [9, 7, 0, 0, 2], "{report:?}");
    let collided = [r#"{"id": "5"} key_collision"#, r#"{"id": "7"} key_collision"#];
    assert_eq!(office.withheld().await, collided);
}

//! The check among mobile users at work: it never cries wolf, and it misses nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidegate::sql::Sql;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::parts::{Faulty, Parts};
use crate::support::{JOBS, Office, column, value};

const WRITERS: i32 = 4;
const MERGES: u64 = 150;
const ROWS: i32 = 1500;

/// What a mobile user has committed: the name of each job that is theirs or that they edited last;
/// none where they deleted it.
type Work = BTreeMap<i32, Option<String>>;

/// A mobile user who makes, changes and deletes jobs, and edits jobs of the desktop, until told to
/// stop. Nobody else touches the same jobs.
async fn mobile_user(number: i32, cloud: Client, stop: Arc<AtomicBool>) -> (Work, u64) {
    let (mut work, mut statements) = (Work::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let step = i32::try_from(statements).unwrap();
        let own = 100_000 * (number + 1) + step / 4;
        let of_desktop = 1 + (step * 37 * WRITERS + number) % ROWS;
        let name = format!("mobile {number} {step}");
        let (id, name, statement) = match step % 4 {
            0 => (own, Some(name), "insert into jobs values ($1, $2, 'M', now(), now())"),
            1 => (own, Some(name), "update jobs set name = $2 where id = $1"),
            2 if step % 8 == 2 => {
                (own, None, "delete from jobs where id = $1 and $2::text is null")
            }
            _ => {
                let edit =
                    "update jobs set name = $2, updated_at = clock_timestamp() where id = $1";
                (of_desktop, Some(name), edit)
            }
        };
        assert_eq!(cloud.execute(statement, &[&id, &name]).await.unwrap(), 1);
        work.insert(id, name);
        statements += 1;
    }
    (work, statements)
}

/// An office with desktop rows that have all changed since the last run, and its mobile users.
async fn busy_office() -> (Office, JoinSet<(Work, u64)>, Arc<AtomicBool>) {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("batch_rows = 10");
    let fill = format!(
        "insert into jobs select i, 'job ' || i, 'D', now() - interval '1 day', \
         now() - interval '1 day' from generate_series(1, {ROWS}) i"
    );
    office.desktop.batch_execute(&fill).await.unwrap();
    office.cloud.batch_execute(&fill).await.unwrap();
    office.forward().await;
    let edit = "update jobs set name = 'desktop ' || id, updated_at = now()";
    office.desktop.batch_execute(edit).await.unwrap();
    let seed = "insert into jobs select i, 'mobile', 'M', now(), now() \
                from generate_series(90001, 90050) i";
    office.cloud.batch_execute(seed).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut users = JoinSet::new();
    for number in 0..WRITERS {
        users.spawn(mobile_user(number, office.cloud_session().await, Arc::clone(&stop)));
    }
    (office, users, stop)
}

/// Every mobile user finds their work as they left it, and the rest is the desktop's.
async fn assert_nothing_lost(office: &Office, users: JoinSet<(Work, u64)>) -> u64 {
    let mut statements = 0;
    let ids = column(&office.desktop, "select id::text from jobs", &[]).await;
    let desktop = |id: String| (id.parse().unwrap(), Some(format!("desktop {id}")));
    let mut expected: Work = ids.into_iter().map(desktop).collect();
    expected.extend((90_001..=90_050).map(|id| (id, Some("mobile".to_owned()))));
    for (work, of_user) in users.join_all().await {
        expected.extend(work);
        statements += of_user;
    }
    let expected: Vec<String> = expected
        .into_iter()
        .filter_map(|(id, name)| name.map(|name| format!("{id} {name}")))
        .collect();
    let rows = column(&office.cloud, "select id || ' ' || name from jobs order by id", &[]).await;
    assert!(rows == expected, "the cloud differs from what was committed");
    statements
}

#[tokio::test(flavor = "multi_thread")]
async fn no_false_alarm_in_150_merges_among_4_mobile_writers() {
    let (office, users, stop) = busy_office().await;
    let parts = Parts::of(&office, Sql::default()).await;
    let (outcome, begun) = parts.follow(&parts.view().await, Faulty::Sound).await;
    stop.store(true, Ordering::Relaxed);
    outcome.unwrap();
    office.forward_full().await;
    let statements = assert_nothing_lost(&office, users).await;
    println!("{} false alarms in {MERGES} merges among {statements} statements", begun - MERGES);
    assert_eq!(begun, MERGES, "a batch was tried again");
    assert!(statements > MERGES, "the mobile users were hardly at work: {statements}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_miss_among_4_mobile_writers() {
    let (office, users, stop) = busy_office().await;
    let fault = "create function fault() returns trigger language plpgsql as $$ begin \
        if current_setting('tidegate.writing', true) = 'forward' then \
            delete from jobs where id = (select min(id) from jobs where id > 90000); \
        end if; return null; end $$; \
        create trigger fault after insert on jobs for each statement execute function fault()";
    office.cloud.batch_execute(fault).await.unwrap();
    office.configure("");
    let runs = 10;
    for run in 1..=runs {
        let write = "insert into jobs values ($1, 'desktop ' || $1::integer, 'D', now(), now())";
        office.desktop.execute(write, &[&(ROWS + run)]).await.unwrap();
        let report = office.forward().await;
        assert_eq!(report.exit_code(false), 20, "run {run}: {report:?}");
    }
    let runs_noted = "select count(*)::text from tidegate._sync_runs \
                      where outcome = 'verification_failed'";
    assert_eq!(value(&office.cloud, runs_noted).await, runs.to_string());
    office.cloud.batch_execute("drop function fault cascade").await.unwrap();
    office.forward().await;
    stop.store(true, Ordering::Relaxed);
    office.forward_full().await;
    assert_nothing_lost(&office, users).await;
}

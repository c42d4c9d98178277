//! Faults of the position: a row that was there to be read never arrives, and comparing the ends
//! shows it.

use tidegate::run::Request;
use tidegate::sql::Sql;

use super::Caught;
use super::parts::{Faulty, LateHorizon, Parts};
use crate::support::{JOBS, Office, column};

/// An office whose horizon is exact: no lag.
async fn office() -> Office {
    let office = Office::open(&format!("{JOBS} create table notes (id integer);"), &["jobs"]).await;
    office.configure("lag = \"0s\"\nbatch_rows = 2");
    office
}

/// The beginning of every scenario.
async fn begin(office: &Office) {
    let clear = "truncate jobs; delete from tidegate._sync_metadata; \
                 delete from tidegate._sync_changes";
    office.cloud.batch_execute(clear).await.unwrap();
    let fill = "truncate jobs; insert into jobs select i, 'job', 'D', now() - interval '1 day', \
                now() - interval '1 day' from generate_series(1, 3) i";
    office.desktop.batch_execute(fill).await.unwrap();
    office.forward().await;
}

/// Jobs that are on the desktop and not in the cloud.
async fn missing(office: &Office) -> usize {
    let jobs = "select jobs::text from jobs order by id";
    let cloud = column(&office.cloud, jobs, &[]).await;
    column(&office.desktop, jobs, &[]).await.iter().filter(|job| !cloud.contains(job)).count()
}

/// The fault has to lose the row, the control nothing.
fn judge(with_fault: usize, without: usize) -> Caught {
    assert_eq!(without, 0, "the control lost rows");
    match with_fault {
        0 => Err("no row was lost, so the scenario proves nothing".to_owned()),
        n => Ok(format!("the ends differ by {n} row")),
    }
}

/// A row that is written before a run and committed after it.
async fn late_commit(office: &Office, sql: &Sql) -> usize {
    begin(office).await;
    let late = office.desktop_session().await;
    let write = "begin; insert into jobs values (4, 'late', 'D', now(), now())";
    late.batch_execute(write).await.unwrap();
    office.desktop.batch_execute("update jobs set updated_at = now() where id = 1").await.unwrap();
    office.run(&Request::default(), sql).await.unwrap();
    late.batch_execute("commit").await.unwrap();
    for _ in 0..2 {
        office.run(&Request::default(), sql).await.unwrap();
    }
    missing(office).await
}

async fn greater_than(office: &Office) -> Caught {
    let greater =
        "({{changed_since}}) and {{stamp}} > current_setting('tidegate.watermark')::timestamptz";
    let sql = Sql::default().planted("postgres/read_since.sql", "{{changed_since}}", greater);
    judge(late_commit(office, &sql).await, late_commit(office, &Sql::default()).await)
}

async fn horizon_from_the_clock(office: &Office) -> Caught {
    let sql = Sql::default().planted("postgres/horizon.sql", "o.oldest\n", "null::timestamptz\n");
    judge(late_commit(office, &sql).await, late_commit(office, &Sql::default()).await)
}

/// The late row is committed between the snapshot and the reading of a late horizon.
async fn commit_between(office: &Office, late_horizon: bool) -> usize {
    begin(office).await;
    let parts = Parts::of(office, Sql::default()).await;
    let late = office.desktop_session().await;
    let write = "begin; insert into jobs values (4, 'late', 'D', now(), now())";
    late.batch_execute(write).await.unwrap();
    office.desktop.batch_execute("update jobs set updated_at = now() where id = 1").await.unwrap();
    let snapshot = parts.view().await;
    late.batch_execute("commit").await.unwrap();
    let (outcome, _) = match late_horizon {
        true => {
            let view = LateHorizon { snapshot, horizon: parts.view().await };
            parts.follow(&view, Faulty::Sound).await
        }
        false => parts.follow(&snapshot, Faulty::Sound).await,
    };
    outcome.unwrap();
    for _ in 0..2 {
        office.forward().await;
    }
    missing(office).await
}

/// The process dies before it commits the rows.
async fn death(office: &Office, apart: bool) -> usize {
    begin(office).await;
    let parts = Parts::of(office, Sql::default()).await;
    let write = "insert into jobs values (4, 'new', 'D', now(), now())";
    office.desktop.batch_execute(write).await.unwrap();
    let view = parts.view().await;
    let faulty = match apart {
        true => {
            let now = "select clock_timestamp()::text";
            let horizon = column(&office.desktop, now, &[]).await.remove(0);
            Faulty::MovesApart(office.cloud_session().await, horizon)
        }
        false => Faulty::Dies,
    };
    let (outcome, _) = parts.follow(&view, faulty).await;
    outcome.unwrap_err();
    for _ in 0..2 {
        office.forward().await;
    }
    missing(office).await
}

/// The session's counters still hold the last batches: each of the next looks wrong, and is tried
/// again on a new connection.
async fn forgetful_baseline(office: &Office) -> Caught {
    let forget = "where (c.relname <> 'jobs' or to_regclass('pg_temp.tidegate_stage') is not null) \
                  and c.relkind = 'r'";
    let forgetful =
        Sql::default().planted("postgres/baseline.sql", "where c.relkind = 'r'", forget);
    let mut alarms = Vec::new();
    for sql in [Sql::default(), forgetful] {
        begin(office).await;
        let parts = Parts::of(office, sql).await;
        let write =
            "insert into jobs select i, 'new', 'D', now(), now() from generate_series(11, 30) i";
        office.desktop.batch_execute(write).await.unwrap();
        let (outcome, begun) = parts.follow(&parts.view().await, Faulty::Sound).await;
        outcome.unwrap();
        assert_eq!(missing(office).await, 0);
        alarms.push(begun - 10);
    }
    assert_eq!(alarms[0], 0, "the control has false alarms");
    match alarms[1] {
        0 => Err("no alarm in 10 batches of one session".to_owned()),
        n => Ok(format!("{n} of 10 batches raised the alarm")),
    }
}

/// Plants every fault, one after the other.
pub(super) async fn all() -> Vec<(&'static str, Caught)> {
    let office = &office().await;
    let late = judge(commit_between(office, true).await, commit_between(office, false).await);
    let apart = judge(death(office, true).await, death(office, false).await);
    vec![
        (">= turned >", greater_than(office).await),
        ("horizon without the open transactions", horizon_from_the_clock(office).await),
        ("horizon read after the snapshot", late),
        ("watermark committed apart from the rows", apart),
        ("a baseline that forgets the table", forgetful_baseline(office).await),
    ]
}

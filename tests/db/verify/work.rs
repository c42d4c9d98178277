//! Verifications while others are at work, or hold what is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::{at_the_desk, differences, office, output, table};
use crate::support::Office;

/// How long users work while both ends are verified.
const SECONDS: Duration = Duration::from_secs(5);

/// What happens to `other` while a verification waits for the locked table of `locked`, and what it
/// says then.
async fn meanwhile(office: &Office, locked: &Client, other: &Client, sql: &str) -> Vec<String> {
    locked.batch_execute("begin; lock table jobs in access exclusive mode").await.unwrap();
    let mut verify = office.command(&["verify", "--output", "json"]);
    let child = verify.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let waits = "select (count(*) > 0)::text from pg_locks where not granted";
    office.until(waits, "the verification meets the lock").await;
    other.batch_execute(sql).await.unwrap();
    locked.batch_execute("rollback").await.unwrap();
    let document: Value =
        serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    differences(&document["tables"][0])
}

/// Else a row that came and went in between would look lost.
#[tokio::test(flavor = "multi_thread")]
async fn each_end_is_looked_at_once_and_the_cloud_first() {
    let office = office().await;
    let (desktop, cloud) = (office.desktop_session().await, office.cloud_session().await);
    at_the_desk(&office, "insert into jobs values (11, 'new', 'D', now(), now())").await;
    let delete = "set local tidegate.writing = 'x'; delete from jobs where id = 2; \
                  delete from tidegate._sync_metadata";
    let found = meanwhile(&office, &desktop, &cloud, delete).await;
    assert_eq!(found, ["missing_in_cloud 1 not_yet_read"]);
    office.forward_full().await;
    let change = "insert into jobs values (12, 'new', 'D', now(), now());
        delete from jobs where id = 3";
    let found = meanwhile(&office, &cloud, &desktop, change).await;
    assert_eq!(found, ["missing_in_cloud 1 not_yet_read", "only_in_cloud 1 deleted_on_desktop"]);
}

/// Inserts, deletes and changes keys until it is told to stop; a transaction each.
async fn work_at_both_ends(office: &Office, done: &Arc<AtomicBool>) -> JoinSet<u32> {
    let desktop = "insert into jobs values ($1, 'new', 'D', now(), now())";
    let rest = "update jobs set id = -id, updated_at = now() where id = $1 - 5 and id % 3 = 0";
    let delete = "delete from jobs where id = $1 - 9 and id % 3 = 1";
    let cloud = ["insert into jobs values ($1 + 1000000, 'new', 'M', now(), now())"];
    let edit = "update jobs set name = 'edited', updated_at = now() where id = $1 - 20";
    let scripts: [(&[&str], _); 3] = [
        (&[desktop, rest, delete], office.desktop_session().await),
        (&[desktop, rest], office.desktop_session().await),
        (&[cloud[0], edit], office.cloud_session().await),
    ];
    let mut writers = JoinSet::new();
    for (n, (script, session)) in (1..).zip(scripts) {
        let script: Vec<String> = script.iter().map(|sql| (*sql).to_owned()).collect();
        writers.spawn(write(session, script, n * 100_000, Arc::clone(done)));
    }
    writers
}

async fn write(session: Client, script: Vec<String>, first: i32, done: Arc<AtomicBool>) -> u32 {
    let mut written = 0;
    let mut id = first;
    while !done.load(Ordering::Relaxed) {
        session.batch_execute("begin").await.unwrap();
        for sql in &script {
            session.execute(sql, &[&id]).await.unwrap();
        }
        // Some transactions are open for longer than others.
        tokio::time::sleep(Duration::from_millis((id % 7) as u64)).await;
        session.batch_execute("commit").await.unwrap();
        (id, written) = (id + 1, written + 1);
    }
    written
}

/// Users of both ends and runs are at work, in batches of few rows: nothing is unexplained.
#[tokio::test(flavor = "multi_thread")]
async fn m06_work_going_on_raises_no_alarm() {
    let office = office().await;
    office.configure("lag = \"0s\"\nbatch_rows = 10");
    let done = Arc::new(AtomicBool::new(false));
    let mut writers = work_at_both_ends(&office, &done).await;
    let runs = async {
        let mut runs = 0;
        while !done.load(Ordering::Relaxed) {
            assert_eq!(office.forward().await.exit_code(false), 0);
            runs += 1;
        }
        runs
    };
    let verify = async {
        let (end, mut verified, mut seen) = (Instant::now() + SECONDS, 0, 0);
        while Instant::now() < end {
            let mut child =
                tokio::process::Command::from(office.command(&["verify", "--output", "json"]));
            let output = child.output().await.unwrap();
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            seen += differences(&document["tables"][0]).len();
            verified += 1;
        }
        done.store(true, Ordering::Relaxed);
        (verified, seen)
    };
    let (runs, (verified, seen)) = tokio::join!(runs, verify);
    let mut written = 0;
    while let Some(done) = writers.join_next().await {
        written += done.unwrap();
    }
    println!("{verified} verifications, {seen} differences, {runs} runs, {written} transactions");
    assert!(verified > 3 && seen > 3 && runs > 3 && written > 100);
    office.forward().await;
    office.configure("lag = \"0s\"");
    let quiet = table(&office, &[], 0);
    let deleted = differences(&quiet);
    assert!(deleted.len() == 1 && deleted[0].ends_with("deleted_on_desktop"), "{quiet}");
}

/// A run at work is neither waited for nor kept waiting.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_others_hold_are_not_waited_for() {
    let office = office().await;
    let session = office.cloud_session().await;
    let hold = "begin; update jobs set name = 'held'; select pg_advisory_xact_lock( \
        hashtextextended('tidegate jobs', 0)); select from tidegate._sync_metadata for update";
    session.batch_execute(hold).await.unwrap();
    output(&office, &["--timeout", "5s"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn p13_a_signal_ends_a_verification() {
    let office = office().await;
    let session = office.cloud_session().await;
    session.batch_execute("begin; lock table jobs in access exclusive mode").await.unwrap();
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let child = office.command(&["verify"]).spawn().unwrap();
        let waits = "select (count(*) > 0)::text from pg_locks where not granted";
        office.until(waits, "the verification meets the lock").await;
        let kill = ["-s", name, &child.id().to_string()].map(str::to_owned);
        assert!(std::process::Command::new("kill").args(kill).status().unwrap().success());
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(code));
        office.until_no_session(name).await;
    }
}

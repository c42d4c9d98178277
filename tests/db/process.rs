//! A run that is killed, stopped, or met by another run: nothing is lost, doubled or half done.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::support::{JOBS, Office, long, value};

/// Every step of the way, in its order.
pub const STEPS: [&str; 9] = [
    "after_begin",
    "after_stage",
    "after_classify",
    "after_merge",
    "after_check",
    "before_commit",
    "after_commit",
    "before_quiet_move",
    "after_quiet_move",
];

const MOBILE: &str = "select string_agg(j::text || xmin, ' ' order by id) from jobs j \
                      where source = 'M'";
const DESKTOP: &str = "select md5(string_agg(j::text, ' ' order by id)) from jobs j \
                       where source = 'D' and id <> 7";

/// 300 jobs, of which a mobile user made number 7 as well as a job of their own.
async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("batch_rows = 100");
    let fill = "insert into jobs select i, 'job ' || i, 'D', now() - interval '1 day', \
                now() - interval '1 day' from generate_series(1, 300) i";
    office.desktop.batch_execute(fill).await.unwrap();
    let mobile = "insert into jobs values (7, 'mobile', 'M', now(), now()), \
                  (99999, 'made on the phone', 'M', now(), now())";
    office.cloud.batch_execute(mobile).await.unwrap();
    office
}

/// 250 desktop edits and a new job: three batches.
async fn work_at_the_desk(office: &Office, new: usize) {
    let edit = format!(
        "update jobs set name = 'round {new} ' || id, updated_at = clock_timestamp() \
         where id between 20 and 269; \
         insert into jobs values ({}, 'new', 'D', clock_timestamp(), clock_timestamp())",
        1000 + new
    );
    office.desktop.batch_execute(&edit).await.unwrap();
}

/// What the desktop has is in the cloud, once, and what mobile users made is as it was.
async fn assert_arrived(office: &Office, mobile: &str, context: &str) {
    let desktop = value(&office.desktop, DESKTOP).await;
    assert_eq!(value(&office.cloud, DESKTOP).await, desktop, "{context}");
    assert_eq!(value(&office.cloud, MOBILE).await, mobile, "{context}");
    let twice = "select count(*)::text from (select from jobs group by id having count(*) > 1) d";
    assert_eq!(value(&office.cloud, twice).await, "0", "{context}");
    assert_eq!(office.withheld().await, [r#"{"id": "7"} key_collision"#], "{context}");
}

pub fn spawn(office: &Office, arguments: &[&str]) -> Child {
    let mut command = office.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
    assert!(sent.success());
}

/// The end of a child that must come within five seconds.
pub fn ends_soon(mut child: Child) -> Output {
    let end = Instant::now() + Duration::from_secs(5);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("still running: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_kill9_everywhere() {
    let office = office().await;
    let mobile = value(&office.cloud, MOBILE).await;
    let steps = STEPS.iter().map(|step| (*step, "return"));
    let later = STEPS[..7].iter().map(|step| (*step, "1*off->return"));
    for (round, (step, when)) in steps.chain(later).enumerate() {
        let context = format!("{step}={when}");
        work_at_the_desk(&office, round).await;
        if step.contains("quiet") {
            // Only a table with nothing to do takes this step.
            assert_eq!(office.tidegate(&["forward"]).status.code(), Some(0), "{context}");
            assert_eq!(office.tidegate(&["forward"]).status.code(), Some(0), "{context}");
        }
        let killed = office.command(&["forward"]).env("FAILPOINTS", &context).output().unwrap();
        assert_eq!(killed.status.signal(), Some(6), "{context}: {killed:?}");
        office.until_no_session(&context).await;
        let next = office.tidegate(&["forward"]);
        assert_eq!(next.status.code(), Some(0), "{context}: {next:?}");
        assert_arrived(&office, &mobile, &context).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p05_two_runs() {
    let office = office().await;
    let mobile = value(&office.cloud, MOBILE).await;
    let rounds = if long() { 100 } else { 20 };
    let mut held = 0;
    for round in 0..rounds {
        work_at_the_desk(&office, round).await;
        let both = [spawn(&office, &["forward"]), spawn(&office, &["forward"])];
        let both = both.map(|child| child.wait_with_output().unwrap());
        let codes = both.each_ref().map(|output| output.status.code());
        assert!(codes.iter().all(|c| matches!(c, Some(0 | 75))), "{both:?}");
        assert!(codes.contains(&Some(0)), "{both:?}");
        held += codes.iter().filter(|c| **c == Some(75)).count();
        assert_arrived(&office, &mobile, "two runs").await;
    }
    assert!(held > 0, "the runs never met");
    let deadlocks = "select sum(deadlocks)::text from pg_stat_database";
    assert_eq!(value(&office.cloud, deadlocks).await, "0");
}

/// An office with so many jobs that a run takes a while, in batches of 50.
async fn busy_office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("batch_rows = 50");
    let fill = "insert into jobs select i, 'job ' || i, 'D', t, t \
                from generate_series(1, 30000) i, lateral (select now() - interval '1 day' \
                + i * interval '1 second' as t) s";
    office.desktop.batch_execute(fill).await.unwrap();
    office
}

async fn stopped_in_the_middle(name: &str, code: i32) {
    let office = busy_office().await;
    let child = spawn(&office, &["forward"]);
    office.until("select (count(*) > 0)::text from jobs", name).await;
    signal(&child, name);
    let output = ends_soon(child);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    office.until_no_session(name).await;
    let there: u64 = value(&office.cloud, "select count(*)::text from jobs").await.parse().unwrap();
    assert!(there > 0 && there < 30_000 && there.is_multiple_of(50), "{there}");

    office.configure("batch_rows = 50000");
    let next = office.tidegate(&["forward", "--output", "json"]);
    assert_eq!(next.status.code(), Some(0), "{next:?}");
    let report: serde_json::Value = serde_json::from_slice(&next.stdout).unwrap();
    let counts = ["read", "inserted"].map(|count| report["tables"][0][count].as_u64().unwrap());
    assert_eq!(counts, [30_000 - there; 2], "it goes on where the other stopped");
    office.same_on_both_ends("select j::text from jobs j order by id").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p13_sigterm_stops_at_the_edge_of_a_batch() {
    stopped_in_the_middle("TERM", 143).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p13_sigint_stops_at_the_edge_of_a_batch() {
    stopped_in_the_middle("INT", 130).await;
}

/// A mobile user's lock keeps the batch from its edge; a second signal doesn't wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn p13_a_second_signal_stops_at_once() {
    let office = busy_office().await;
    let mut session = office.cloud_session().await;
    let lock = session.transaction().await.unwrap();
    lock.batch_execute("lock table tidegate._sync_row_counts in access exclusive mode")
        .await
        .unwrap();
    office.configure("batch_rows = 50000");
    let child = spawn(&office, &["forward"]);
    let waits = "select (count(*) > 0)::text from pg_locks where not granted";
    office.until(waits, "the run meets the lock").await;
    for _ in 0..2 {
        signal(&child, "TERM");
        // Signals of one kind that come too close are one.
        sleep(Duration::from_millis(300)).await;
    }
    let output = ends_soon(child);
    assert_eq!(output.status.code(), Some(143), "{output:?}");
}

/// A cycle of foreign keys whose rows were withheld, each for the other, when the run was killed.
#[tokio::test(flavor = "multi_thread")]
async fn p01_killed_within_a_cycle() {
    let schema = JOBS.replace("name text", "name text, part_of integer references jobs");
    let office = Office::open(&schema, &["jobs"]).await;
    office.configure("batch_rows = 1");
    let cycle = "insert into jobs select i, 'x', 3 - i, 'D', now() - interval '1 day', \
                 now() - interval '1 day' from generate_series(1, 2) i";
    office.desktop.batch_execute(cycle).await.unwrap();
    let failpoints = "after_commit=1*off->return";
    let killed = office.command(&["forward"]).env("FAILPOINTS", failpoints).output().unwrap();
    assert_eq!(killed.status.signal(), Some(6), "{killed:?}");
    office.until_no_session("killed").await;
    let next = office.tidegate(&["forward"]);
    assert_eq!(next.status.code(), Some(0), "{next:?}");
    office.same_on_both_ends("select j::text from jobs j order by id").await;
}

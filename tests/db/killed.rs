//! Runs that die, or are asked to stop, at any moment, while users of both ends are at work.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Output};
use std::time::Duration;

use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::process::{STEPS, ends_soon, signal, spawn};
use crate::schedules::journal::{Journal, findings};
use crate::schedules::writers::Writers;
use crate::schedules::{SCHEMA, shared_jobs};
use crate::support::{Dice, JOBS, Office, long, value};

/// Nobody ever writes a table of staff, so that every run has a quiet one.
const STAFF: &str =
    "create table staff (id integer primary key, source text, updated_at timestamptz)";

async fn office() -> Office {
    let settings = [("deadlock_timeout", "50ms")];
    let schema = format!("{SCHEMA} {STAFF}");
    let office = Office::with_settings(&schema, &["tasks", "jobs", "staff"], &settings).await;
    office.configure("lag = \"0s\"\nbatch_rows = 20");
    office.desktop.batch_execute(&shared_jobs()).await.unwrap();
    office
}

async fn writers(office: &Office, dice: &mut Dice) -> Writers {
    let [desktop, cloud] = ["desktop", "cloud"].map(|name| office.cluster.url(name));
    Writers::start([&desktop, &cloud], dice, 150, i32::MAX).await
}

/// Whether a run met users in its way, and leaves a table to the next one: a lock that it waited for in
/// vain, or keys that were taken while it merged, twice in a row.
fn met_users(run: &Output) -> bool {
    let said = String::from_utf8_lossy(&run.stdout);
    said.contains("55P03")
}

/// A run to its end: done, but for tables in which it met users.
fn next_run(office: &Office, context: &str) {
    let run = block_in_place(|| office.tidegate(&["forward"]));
    assert!(run.status.code() == Some(0) || met_users(&run), "{context}: {run:?}");
}

/// Neither a session nor a lock of the dead run is left.
async fn nothing_left(office: &Office, context: &str) {
    office.until_no_session(context).await;
    let none = "select (count(*) = 0)::text from pg_locks where locktype = 'advisory'";
    office.until(none, context).await;
}

/// Everybody rests; then one run is enough, and both ends are as their users left them.
async fn assert_nothing_lost(office: &Office, seen: Journal, writers: Writers) {
    let mut journal = writers.journal().await;
    journal.add(seen);
    let last = block_in_place(|| office.tidegate(&["forward"]));
    assert_eq!(last.status.code(), Some(0), "{last:?}");
    let findings = findings(&journal, &office.desktop, &office.cloud).await;
    assert!(findings.is_empty(), "{findings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_kill9_everywhere_among_users() {
    let office = office().await;
    let seen = Journal::of_shared_jobs(&office.desktop).await;
    let writers = writers(&office, &mut Dice::new(1)).await;
    let mut killed_at = BTreeSet::new();
    let later = STEPS[..7].iter().map(|step| (*step, "1*off->return"));
    for (step, when) in STEPS.iter().map(|step| (*step, "return")).chain(later) {
        let context = format!("{step}={when}");
        // Users may have left nothing to do, or too much for a quiet table.
        for _ in 0..5 {
            let mut run = office.command(&["forward"]);
            let run = block_in_place(|| run.env("FAILPOINTS", &context).output()).unwrap();
            let killed = run.status.signal() == Some(6);
            nothing_left(&office, &context).await;
            next_run(&office, &context);
            if killed {
                killed_at.insert(context.clone());
                break;
            }
        }
    }
    let missed = STEPS.iter().find(|step| !killed_at.contains(&format!("{step}=return")));
    assert!(missed.is_none() && killed_at.len() > STEPS.len(), "only {killed_at:?}");
    assert_nothing_lost(&office, seen, writers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_kill9_at_random_among_users() {
    let office = office().await;
    let seen = Journal::of_shared_jobs(&office.desktop).await;
    let mut dice = Dice::new(2);
    let writers = writers(&office, &mut dice).await;
    let mut killed = 0;
    for round in 0..if long() { 500 } else { 20 } {
        let mut run = spawn(&office, &["forward"]);
        sleep(Duration::from_millis(dice.roll(100))).await;
        // Already at its end: there is nothing to kill.
        let _ = run.kill();
        killed += usize::from(run.wait().unwrap().signal() == Some(9));
        nothing_left(&office, &format!("round {round}")).await;
        if dice.one_in(3) {
            next_run(&office, &format!("after round {round}"));
        }
    }
    assert!(killed > 2, "only {killed}");
    assert_nothing_lost(&office, seen, writers).await;
}

/// What a run may end with after a signal: by it, or done before.
fn assert_stopped(output: &Output, by_signal: i32, number: i32) {
    let status = output.status;
    let codes = [Some(by_signal), Some(0), Some(75)];
    // Before it listens, the signal ends it as it ends any process.
    let at_start = status.signal() == Some(number);
    assert!(codes.contains(&status.code()) || at_start || met_users(output), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p13_sigterm_at_random_among_users() {
    let office = office().await;
    let seen = Journal::of_shared_jobs(&office.desktop).await;
    let mut dice = Dice::new(3);
    let writers = writers(&office, &mut dice).await;
    let mut stopped = 0;
    for round in 0..if long() { 500 } else { 20 } {
        let (name, code, number) = dice.pick(&[("TERM", 143, 15), ("INT", 130, 2)]);
        let mut run = spawn(&office, &["forward"]);
        sleep(Duration::from_millis(dice.roll(150))).await;
        if run.try_wait().unwrap().is_none() {
            signal(&run, name);
        }
        let output = block_in_place(|| ends_soon(run));
        assert_stopped(&output, code, number);
        stopped += usize::from(output.status.code() == Some(code));
        nothing_left(&office, &format!("round {round}")).await;
    }
    assert!(stopped > 1, "only {stopped}");
    next_run(&office, "the next run");
    assert_nothing_lost(&office, seen, writers).await;
}

/// An end at which a run is made to wait.
#[derive(Clone, Copy)]
enum Waits {
    /// The desktop's table is locked: not a row comes.
    Source,
    /// A trigger of the cloud takes its time.
    Target,
}

/// A run that waits for much longer than anybody would for it.
async fn waiting_run(office: &Office, waits: Waits) -> Child {
    let (session, wait) = match waits {
        Waits::Source => {
            (&office.desktop, "begin; lock table jobs in access exclusive mode".to_owned())
        }
        Waits::Target => {
            let slow = "create function slow() returns trigger language plpgsql \
                        as $$ begin perform pg_sleep(120); return new; end $$; \
                        create trigger slow before insert on jobs for each row execute function slow()";
            (&office.cloud, slow.to_owned())
        }
    };
    session.batch_execute(&wait).await.unwrap();
    let run = spawn(office, &["forward", "--output", "json"]);
    let at_work = "select (count(*) > 0)::text from pg_stat_activity \
                   where application_name like 'tidegate%' and state = 'active' \
                       and (wait_event_type = 'Lock' or wait_event = 'PgSleep')";
    office.until(at_work, "the run waits").await;
    run
}

async fn waiting_office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let new = "insert into jobs values (1, 'job', 'D', now(), now())";
    office.desktop.batch_execute(new).await.unwrap();
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_a_killed_run_leaves_no_session_that_waits() {
    for waits in [Waits::Source, Waits::Target] {
        let office = waiting_office().await;
        let mut run = waiting_run(&office, waits).await;
        run.kill().unwrap();
        run.wait().unwrap();
        nothing_left(&office, "killed while it waits").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p13_a_run_that_waits_stops_within_5_seconds() {
    for waits in [Waits::Source, Waits::Target] {
        let office = waiting_office().await;
        let run = waiting_run(&office, waits).await;
        signal(&run, "TERM");
        let output = block_in_place(|| ends_soon(run));
        assert_eq!(output.status.code(), Some(143), "{output:?}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["outcome"], "interrupted");
        nothing_left(&office, "stopped while it waits").await;
        assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "0");
    }
}

/// Also where it isn't the batch that waits.
#[tokio::test(flavor = "multi_thread")]
async fn p13_a_run_that_cant_even_record_its_end_stops_within_5_seconds() {
    let office = waiting_office().await;
    let mut session = office.cloud_session().await;
    let lock = session.transaction().await.unwrap();
    let counts = "lock table tidegate._sync_row_counts in access exclusive mode";
    lock.batch_execute(counts).await.unwrap();
    let run = spawn(&office, &["forward"]);
    let waits = "select (count(*) > 0)::text from pg_locks where not granted";
    office.until(waits, "the run meets the lock").await;
    signal(&run, "TERM");
    let output = block_in_place(|| ends_soon(run));
    assert_eq!(output.status.code(), Some(143), "{output:?}");
}

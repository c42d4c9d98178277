//! Runs in either direction that die, meet each other, or lose an answer, while users go on.

use std::os::unix::process::ExitStatusExt;

use tokio::task::block_in_place;

use super::{ROWS, conflicts, execute, filled, office};
use crate::process::{STEPS, spawn};
use crate::proxy::{Fault, Proxy};
use crate::support::{Office, column, long, value};

/// A reverse run that dies at `failpoints`.
async fn killed(office: &Office, failpoints: &str) {
    let mut run = office.command(&["reverse"]);
    let run = block_in_place(|| run.env("FAILPOINTS", failpoints).output()).unwrap();
    assert_eq!(run.status.signal(), Some(6), "{failpoints}: {run:?}");
    office.until_no_session(failpoints).await;
}

fn done(office: &Office, arguments: &[&str]) {
    let run = block_in_place(|| office.tidegate(arguments));
    assert_eq!(run.status.code(), Some(0), "{arguments:?}: {run:?}");
}

const NAMES: &str = "select id || ' ' || name from jobs order by id";

/// Row 6 was edited before the others and after them: what was done to it first is pending as long as
/// the row has not come home.
#[tokio::test(flavor = "multi_thread")]
async fn reverse_goes_on_where_it_was_killed_between_two_batches() {
    let later = STEPS[..7].iter().map(|step| format!("{step}=1*off->return"));
    for failpoints in later.chain(["after_commit=return".to_owned()]) {
        let office = filled().await;
        office.configure("lag = \"0s\"\nbatch_rows = 2");
        let edit = |id: i32, name: &str| {
            format!(
                "update jobs set name = '{name}', updated_at = now() - interval '5 days' \
                 where id = {id}"
            )
        };
        for id in [6, 1, 2, 3, 4, 6] {
            execute(&office.cloud, &edit(id, &format!("edit {id}"))).await;
        }
        execute(&office.cloud, &edit(6, "last edit")).await;
        killed(&office, &failpoints).await;
        done(&office, &["forward", "--full"]);
        for id in [1, 5, 6] {
            execute(&office.cloud, &edit(id, &format!("further edit {id}"))).await;
        }
        done(&office, &["forward", "--full"]);
        done(&office, &["reverse"]);
        let names = [
            "1 further edit 1",
            "2 edit 2",
            "3 edit 3",
            "4 edit 4",
            "5 further edit 5",
            "6 further edit 6",
            "7 desktop",
            "8 desktop",
            "9 desktop",
        ];
        assert_eq!(office.same_on_both_ends(NAMES).await, names, "{failpoints}");
        office.same_on_both_ends(ROWS).await;
        assert_eq!(conflicts(&office).await, [""; 0], "{failpoints}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p02_commit_unknown_at_the_desktop() {
    let office = filled().await;
    let proxy = Proxy::before(office.cluster.port()).await;
    office.write_config(&proxy.url("desktop"), &office.cluster.url("cloud"), "lag = \"0s\"");
    for round in 0..20 {
        let work = format!(
            "insert into jobs values ({}, 'mobile', 'M', now(), now()); \
             update jobs set name = 'round {round}' where id = 3",
            100 + round
        );
        execute(&office.cloud, &work).await;
        proxy.set(Fault::SwallowCommit, 1);
        let run = block_in_place(|| office.tidegate(&["reverse"]));
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        assert_eq!(proxy.tally().struck, 1);
        let log = String::from_utf8(run.stderr).unwrap();
        assert!(log.contains("reading it back") && !log.contains("tried again"), "{log}");
        office.same_on_both_ends(ROWS).await;
    }
    assert_eq!(conflicts(&office).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn p05_forward_sync_and_reverse_at_the_same_time() {
    let office = office(200).await;
    office.configure("lag = \"0s\"\nbatch_rows = 30");
    let rounds = if long() { 100 } else { 20 };
    let mut held = 0;
    for round in 0..rounds {
        let edit = |end: &str, of: i32| {
            format!(
                "update jobs set name = '{end} {round}', updated_at = clock_timestamp() \
                 where id <= 200 and id % 3 = {of}"
            )
        };
        let new = |owner: char, id: i32| {
            format!("insert into jobs values ({}, 'new', '{owner}', now(), now())", id + round)
        };
        execute(&office.desktop, &format!("{}; {}", edit("desktop", 1), new('D', 1000))).await;
        execute(&office.cloud, &format!("{}; {}", edit("mobile", 2), new('M', 2000))).await;
        let runs = ["forward", "sync", "reverse"].map(|verb| spawn(&office, &[verb]));
        for run in runs {
            let run = block_in_place(|| run.wait_with_output()).unwrap();
            assert!(matches!(run.status.code(), Some(0 | 3 | 75)), "{run:?}");
            held += usize::from(run.status.code() != Some(0));
        }
        done(&office, &["sync"]);
        let rows = office.same_on_both_ends(ROWS).await;
        assert_eq!(rows.len(), usize::try_from(200 + 2 * (round + 1)).unwrap());
        let count = "select count(*)::text from jobs where name like";
        for name in [format!("desktop {round}"), format!("mobile {round}")] {
            let there = value(&office.cloud, &format!("{count} '{name}'")).await;
            assert_eq!(there, "67", "{name}");
        }
    }
    assert!(held > 0, "the runs never met");
    assert_eq!(conflicts(&office).await, [""; 0]);
    let deadlocks = "select sum(deadlocks)::text from pg_stat_database";
    assert_eq!(column(&office.cloud, deadlocks, &[]).await, ["0"]);
}

//! Runs that die or are in each other's way.

use std::os::unix::process::ExitStatusExt;

use tokio::task::block_in_place;

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, NAMES, jobs};
use crate::proxy::{Fault, Way};
use crate::support::{Dice, long};

const STEPS: [&str; 7] = [
    "after_begin",
    "after_stage",
    "after_classify",
    "after_merge",
    "after_check",
    "before_commit",
    "after_commit",
];

/// Nothing is lost or doubled.
pub async fn killed_at_every_step(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.configure("batch_rows = 3");
    for (round, step) in STEPS.iter().enumerate() {
        let name = format!("round {round}");
        let work = format!(
            "update jobs set name = '{name}', updated_at = {{now}}; \
             insert into jobs values (1{round}0, '{name}', 'M', {{now}}, {{now}})"
        );
        office.mobile(&work).await;
        let mut run = office.command(&["reverse"]);
        let run = block_in_place(|| run.env("FAILPOINTS", format!("{step}=return")).output());
        assert_eq!(run.unwrap().status.signal(), Some(6), "{step}");
        let next = block_in_place(|| office.tidegate(&["reverse"]));
        assert_eq!(next.status.code(), Some(0), "{step} {next:?}");
        let all = office.same(NAMES).await;
        assert_eq!(all.len(), 10 + round, "{step}");
    }
    office.assert_settled().await;
}

pub async fn two_runs_at_once(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.mobile("update jobs set name = 'mobile', updated_at = {now}").await;
    tokio::join!(office.reverse(), office.reverse());
    office.reverse().await;
    office.same(NAMES).await;
    assert_eq!(office.names_of(5).await, ["mobile"; 2]);
}

/// The desktop has committed, and nobody says so.
pub async fn p02_commit_unknown(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let (proxy, url) = office.proxy(kind).await;
    for round in 1..=5 {
        let name = format!("round {round}");
        office.mobile(&format!("update jobs set name = '{name}', updated_at = {{now}}")).await;
        office.through(&url);
        proxy.set(Fault::SwallowCommit, 1);
        let output = block_in_place(|| office.tidegate(&["reverse"]));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(proxy.tally().struck, 1);
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(log.contains("reading it back") && !log.contains("tried again"), "{log}");
        office.configure("");
        assert_eq!(office.names_of(5).await, [name.clone(), name]);
    }
    office.assert_settled().await;
}

/// The desktop has not: the batch is merged again; or, if it never gets through, by the next run.
pub async fn p02_commit_that_never_reached_the_server(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let (proxy, url) = office.proxy(kind).await;
    for (times, code) in [(1, 0), (99, 1), (1, 0)] {
        let name = format!("cut {times} times");
        office.mobile(&format!("update jobs set name = '{name}', updated_at = {{now}}")).await;
        office.through(&url);
        proxy.set(Fault::CutBeforeCommit, times);
        let output = block_in_place(|| office.tidegate(&["reverse"]));
        assert_eq!(output.status.code(), Some(code), "{times} {output:?}");
        assert!(proxy.tally().struck > 0);
        office.configure("");
        let [at_desk, _] = office.names_of(5).await;
        assert_eq!(at_desk == name, code == 0, "{at_desk}");
        office.reverse().await;
        assert_eq!(office.names_of(5).await, [name.clone(), name]);
    }
    office.assert_settled().await;
}

/// Whichever byte of the run's longest conversation with the desktop is the last: the next run makes it good.
pub async fn cut_at_random_bytes(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let (proxy, url) = office.proxy(kind).await;
    let mut dice = Dice::new(7);
    let mut struck = 0;
    for round in 0..if long() { 200 } else { 6 } {
        let edit = format!("update jobs set name = 'round {round}', updated_at = {{now}}");
        let way = dice.pick(&[Way::ToServer, Way::ToClient]);
        let (direction, longest) = match round % 2 {
            0 => ("reverse", 30_000),
            _ => ("forward", 8_000),
        };
        match direction {
            "reverse" => office.mobile(&edit).await,
            _ => office.desk(&edit).await,
        }
        office.through(&url);
        proxy.set(Fault::Cut(way, 500 + dice.roll(longest)), 1);
        block_in_place(|| office.tidegate(&[direction]));
        struck += proxy.tally().struck;
        proxy.recover();
        office.configure("");
        let next = block_in_place(|| office.tidegate(&[direction]));
        assert_eq!(next.status.code(), Some(0), "{round} {direction} {next:?}");
        assert_eq!(office.same(NAMES).await.len(), 9);
        assert_eq!(office.names_of(5).await, [format!("round {round}"), format!("round {round}")]);
    }
    assert!(struck > 1, "only {struck}");
    office.assert_settled().await;
}

/// Error 1205.
pub async fn deadlock_victim_tries_again(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    for pattern in ["update t\n", "#tidegate_rows"] {
        let name = pattern.trim();
        office.mobile(&format!("update jobs set name = '{name}', updated_at = {{now}}")).await;
        office.end().fail_next(pattern, 1205);
        let report = office.reverse().await;
        assert_eq!(jobs(&report), [9, 0, 9, 0, 0], "{report:?}");
        office.same(NAMES).await;
    }
}

//! Runs that die or are in each other's way.

use std::os::unix::process::ExitStatusExt;

use tokio::task::block_in_place;

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, NAMES, jobs};
use crate::proxy::{Fault, Proxy, Way};
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

/// Whichever byte of the run's longest conversation with the desktop is the last: the next run makes it good.
pub async fn cut_at_random_bytes(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let (direct, cloud) = (office.end().url(), office.cluster.url("cloud"));
    let (before, address) = direct.split_once('@').unwrap();
    let (address, database) = address.split_once('/').unwrap();
    let proxy = Proxy::before_other(address.rsplit_once(':').unwrap().1.parse().unwrap()).await;
    let proxied = format!("{before}@127.0.0.1:{}/{database}", proxy.port());
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
        office.write_config(&proxied, &cloud, office.end().sync());
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

//! What an office sees.

use tokio::task::block_in_place;

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, NAMES};

pub async fn mobile_rows_survive(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.mobile("insert into jobs values (100, 'mobile', 'M', {now}, {now})").await;
    let full = block_in_place(|| office.tidegate(&["forward", "--full"]));
    assert!(full.status.success(), "{full:?}");
    assert_eq!(office.names_of(100).await, ["", "mobile"]);
    office.sync().await;
    assert_eq!(office.names_of(100).await, ["mobile"; 2]);
    let full = block_in_place(|| office.tidegate(&["sync", "--full"]));
    assert!(full.status.success(), "{full:?}");
    office.assert_settled().await;
}

pub async fn mobile_edits_come_home(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.mobile("update jobs set name = 'mobile', updated_at = {now} where id < 4").await;
    let run = block_in_place(|| office.tidegate(&["sync"]));
    assert!(run.status.success(), "{run:?}");
    assert_eq!(office.names_of(3).await, ["mobile"; 2]);
    office.assert_settled().await;
}

pub async fn both_edited_the_later_wins(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let [early, late] = ["{now}", "{soon}"];
    for (id, desk, mobile, winner) in [(1, early, late, "mobile"), (2, late, early, "desk")] {
        let edit = |who: &str, stamp: &str| {
            format!("update jobs set name = '{who}', updated_at = {stamp} where id = {id}")
        };
        office.desk(&edit("desk", desk)).await;
        office.mobile(&edit("mobile", mobile)).await;
        office.sync().await;
        assert_eq!(office.names_of(id).await, [winner; 2]);
    }
    office.assert_settled().await;
}

/// They do not travel, and nothing comes back by itself.
pub async fn deletions_stay_where_they_are(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.desk("delete from jobs where id = 1").await;
    office.mobile("delete from jobs where id = 2").await;
    for _ in 0..2 {
        office.sync().await;
        assert_eq!(office.names_of(1).await, ["", "desktop"]);
        assert_eq!(office.names_of(2).await, ["desktop", ""]);
    }
}

/// `plan`, and a run that only says what it would do.
pub async fn a_dry_run_changes_nothing(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.desk("update jobs set name = 'desk', updated_at = {now} where id = 1").await;
    office.mobile("update jobs set name = 'mobile', updated_at = {now} where id = 2").await;
    let state = async || {
        let positions = "select table_name, direction, watermark from tidegate._sync_metadata \
                         order by direction";
        let (desk, cloud) = (office.at_desk(NAMES).await, office.in_cloud(NAMES).await);
        (desk, cloud, office.at_desk(positions).await, office.in_cloud(positions).await)
    };
    let before = state().await;
    for arguments in [
        ["plan", "--direction", "forward"].as_slice(),
        &["plan", "--direction", "reverse"],
        &["forward", "--dry-run"],
        &["reverse", "--dry-run"],
    ] {
        let run = block_in_place(|| office.tidegate(arguments));
        assert!([Some(0), Some(21)].contains(&run.status.code()), "{arguments:?} {run:?}");
        assert_eq!(state().await, before, "{arguments:?}");
    }
}

//! Faults in the statements of a SQL Server target: the check bites, and nothing of the batch stays.

use tidegate::model::Direction;
use tidegate::run::{Request, Way};
use tidegate::sql::Sql;

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, NAMES};
use crate::support::of;

/// A row of the desktop's under a key that mobile has as well, an edit, a new row.
async fn office(kind: Kind) -> DeskOffice {
    let office = DeskOffice::filled(kind).await;
    office.desk("insert into jobs values (50, 'desktop', 'D', {now}, {now})").await;
    let work = "insert into jobs values (50, 'mobile', 'M', {now}, {now}), \
                (100, 'mobile', 'M', {now}, {now}); \
                update jobs set name = 'edited', updated_at = {now} where id = 3";
    office.mobile(work).await;
    office
}

/// The fault is found, and a run without it does the work.
async fn bites(kind: Kind, file: &str, from: &str, to: &str) {
    let office = office(kind).await;
    let before = office.at_desk(NAMES).await;
    let sql = Sql::default().planted(file, from, to);
    let reverse = Way::One(Direction::Reverse);
    let report = office.run_way(reverse, &Request::default(), &sql).await.unwrap();
    let trouble = format!("{:?}", of(&report, "jobs").error);
    assert!(trouble.contains("Some(Verification)"), "{to} {report:?}");
    assert_eq!(office.at_desk(NAMES).await, before, "{to}");
    office.reverse().await;
    assert_eq!(office.names_of(3).await, ["edited"; 2]);
    assert_eq!(office.names_of(100).await, ["mobile"; 2]);
    assert_eq!(office.names_of(50).await, ["desktop", "mobile"]);
}

pub async fn update_of_too_little(kind: Kind) {
    bites(kind, "sqlserver/update.sql", "k.deed = 2", "k.deed = 3").await;
}

pub async fn insert_of_too_little(kind: Kind) {
    bites(kind, "sqlserver/insert.sql", "k.deed = 1", "k.deed = 3").await;
}

pub async fn a_position_that_stays(kind: Kind) {
    let office = office(kind).await;
    let file = "sqlserver/move_position.sql";
    let sql = Sql::default().planted(file, "generation = @P3", "generation = @P3 - 1");
    let reverse = Way::One(Direction::Reverse);
    let before = office.at_desk(NAMES).await;
    let report = office.run_way(reverse, &Request::default(), &sql).await.unwrap();
    assert!(of(&report, "jobs").error.is_some(), "{report:?}");
    assert_eq!(office.at_desk(NAMES).await, before);
}

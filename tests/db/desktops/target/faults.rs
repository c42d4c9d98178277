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
    is_refused(kind, &Sql::default().planted(file, from, to)).await;
}

/// The check refuses what these statements write, and a run with sound ones does the work.
async fn is_refused(kind: Kind, sql: &Sql) {
    let office = office(kind).await;
    let before = office.at_desk(NAMES).await;
    let reverse = Way::One(Direction::Reverse);
    let report = office.run_way(reverse, &Request::default(), sql).await.unwrap();
    let trouble = format!("{:?}", of(&report, "jobs").error);
    assert!(trouble.contains("Some(Verification)"), "{report:?}");
    assert_eq!(office.at_desk(NAMES).await, before);
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

/// As another session's update would, if it came between looking and writing.
const CHANGES_HANDS: &str = "update {{target}} set source = 'M' where id = 3;\nupdate t\n";

/// The guard of the statement leaves the row alone, and the check misses it.
pub async fn an_owner_that_changes_before_the_update(kind: Kind) {
    bites(kind, "sqlserver/update.sql", "update t\n", CHANGES_HANDS).await;
}

/// The row is written, and says another owner than it was sent with.
pub async fn an_update_without_the_owner_guard(kind: Kind) {
    let unguarded = Sql::default().planted("sqlserver/update.sql", " and {{same_owner}}", "");
    let sql = unguarded.planted("sqlserver/update.sql", "update t\n", CHANGES_HANDS);
    is_refused(kind, &sql).await;
}

/// As another session's insert would, if it came between looking and writing.
const COMES_FIRST: &str =
    "insert into {{target}} (id, name, source) values (100, 'another', 'D');\nupdate k\n";

/// It stays, and the staged row is looked at again by the next run.
pub async fn a_row_that_is_there_before_the_insert(kind: Kind) {
    let office = office(kind).await;
    let sql = Sql::default().planted("sqlserver/met.sql", "update k\n", COMES_FIRST);
    let reverse = Way::One(Direction::Reverse);
    let report = office.run_way(reverse, &Request::default(), &sql).await.unwrap();
    assert!(of(&report, "jobs").error.is_none(), "{report:?}");
    assert_eq!(office.names_of(100).await, ["another", "mobile"]);
    assert_eq!(office.withheld_at_desk().await.len(), 2);
    let report = office.reverse().await;
    assert_eq!(office.names_of(100).await, ["another", "mobile"], "{report:?}");
}

/// The key itself refuses a second row.
pub async fn an_insert_that_does_not_look(kind: Kind) {
    let blind = Sql::default().planted("sqlserver/met.sql", "where k.deed = 1", "where 1 = 0");
    let sql = blind.planted("sqlserver/met.sql", "update k\n", COMES_FIRST);
    let office = office(kind).await;
    let reverse = Way::One(Direction::Reverse);
    let report = office.run_way(reverse, &Request::default(), &sql).await.unwrap();
    assert_eq!(office.names_of(3).await, ["edited"; 2], "{report:?}");
    let rows = office.at_desk("select count(*) from jobs where id = 100").await;
    assert_eq!(rows, ["0"], "rolled back with the batch that it stood in the way of");
    assert!(!office.withheld_at_desk().await.is_empty());
    office.reverse().await;
    assert_eq!(office.names_of(100).await, ["mobile"; 2]);
}

//! The owner is guarded in more than one place: without a single one of them nothing is lost.

use tidegate::run::Request;
use tidegate::sql::Sql;

use super::check::{GUARDS, begin, control, everything, mobile_rows, office, unguarded};
use crate::support::value;

#[tokio::test(flavor = "multi_thread")]
async fn each_owner_guard_is_covered_by_the_others() {
    let office = office().await;
    for missing in GUARDS {
        begin(&office).await;
        let (file, from, to) = missing;
        let before = mobile_rows(&office).await;
        let sql = Sql::default().planted(file, from, to);
        let report = office.run(&Request::default(), &sql).await.unwrap();
        assert_eq!(mobile_rows(&office).await, before, "{file}");
        assert_eq!(report.exit_code(false), 0, "{file}: {report:?}");
        control(&office).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owner_guards_missing_lose_nothing() {
    let office = office().await;
    for kept in GUARDS {
        begin(&office).await;
        let before = mobile_rows(&office).await;
        let missing = GUARDS.iter().filter(|guard| **guard != kept);
        let sql = missing.fold(Sql::default(), |sql, (file, from, to)| sql.planted(file, from, to));
        office.run(&Request::default(), &sql).await.unwrap();
        assert_eq!(mobile_rows(&office).await, before, "kept {}", kept.0);
        control(&office).await;
    }
}

/// Shows that the faults are real: with all guards gone it is the look at the rows of other owners
/// that keeps them.
#[tokio::test(flavor = "multi_thread")]
async fn without_guards_and_check_a_mobile_row_is_lost() {
    let office = office().await;
    begin(&office).await;
    let before = everything(&office).await;
    let blind = unguarded(Sql::default()).planted(
        "postgres/foreign_rows.sql",
        "where v.held_version",
        "where false and v.held_version",
    );
    let report = office.run(&Request::default(), &blind).await.unwrap();
    assert_eq!(report.exit_code(false), 20, "the mark of written rows covers it: {report:?}");
    assert_eq!(everything(&office).await, before);
    let blind = blind.planted(
        "postgres/merge.sql",
        "is distinct from {{wanted_owner}}",
        "is null and $1 is null",
    );
    let report = office.run(&Request::default(), &blind).await.unwrap();
    assert_eq!(report.exit_code(false), 0, "{report:?}");
    assert_eq!(value(&office.cloud, "select name from jobs where id = 7").await, "desktop");
}

//! Keys, and values that have to be unique.

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, JOBS, NAMES, jobs};
use crate::support::{counts, of};

const UNIQUE: &str = "create table jobs (id int not null primary key, name {key} unique, \
                      source char(1), created_at {stamp}, updated_at {stamp})";

pub async fn a_row_that_refers_to_itself(kind: Kind) {
    let tree = "create table tree (id int not null primary key, above int references tree (id), \
                source char(1), created_at {stamp}, updated_at {stamp})";
    let office = DeskOffice::open(kind, tree, &["tree"]).await;
    // The parent comes after its child.
    let rows = "insert into tree values (9, null, 'M', {old}, {now}); \
                insert into tree values (2, 9, 'M', {old}, {old}), (1, 1, 'M', {old}, {old}), \
                (3, 2, 'M', {old}, {old})";
    office.mobile(rows).await;
    let report = office.reverse().await;
    assert_eq!(counts(of(&report, "tree"))[1], 4, "{report:?}");
    let rows = office.same("select id, above from tree order by id").await;
    assert_eq!(rows, ["1|1", "2|9", "3|2", "9|null"]);
}

pub async fn a_taken_unique_value(kind: Kind) {
    let office = DeskOffice::open(kind, UNIQUE, &["jobs"]).await;
    office.desk("insert into jobs values (1, 'taken', 'D', {old}, {old})").await;
    let rows = "insert into jobs values (100, 'taken', 'M', {now}, {now}), \
                (101, 'free', 'M', {now}, {now})";
    office.mobile(rows).await;
    let report = office.reverse().await;
    assert_eq!(jobs(&report), [2, 1, 0, 0, 1], "{report:?}");
    assert_eq!(office.withheld_at_desk().await, [r#"{"id": "100"} unique"#]);
    office.desk("update jobs set name = 'no longer', updated_at = {now} where id = 1").await;
    office.reverse().await;
    let names = office.at_desk("select id, name from jobs order by id").await;
    assert_eq!(names, ["1|no longer", "100|taken", "101|free"]);
    assert_eq!(office.withheld_at_desk().await, [""; 0]);
}

pub async fn two_rows_that_swap_a_unique_value(kind: Kind) {
    let office = DeskOffice::open(kind, UNIQUE, &["jobs"]).await;
    let rows =
        "insert into jobs values (100, 'a', 'M', {old}, {old}), (101, 'b', 'M', {old}, {old})";
    office.mobile(rows).await;
    office.sync().await;
    let swap = "update jobs set name = 'c', updated_at = {now} where id = 100; \
                update jobs set name = 'a', updated_at = {now} where id = 101; \
                update jobs set name = 'b', updated_at = {now} where id = 100";
    office.mobile(swap).await;
    for _ in 0..3 {
        office.sync().await;
    }
    assert_eq!(office.same(NAMES).await, ["100|b|M", "101|a|M"]);
}

/// The key that a mobile user gave stays.
pub async fn identity_keys(kind: Kind) {
    let desk = JOBS.replace("id int not null", "id {identity} not null");
    let office = DeskOffice::apart(kind, &desk, JOBS, &["jobs"]).await;
    office.migrate();
    office.mobile("insert into jobs values (700, 'mobile', 'M', {now}, {now})").await;
    let report = office.reverse().await;
    assert_eq!(jobs(&report), [1, 1, 0, 0, 0], "{report:?}");
    assert_eq!(office.same(NAMES).await, ["700|mobile|M"]);
}

//! What becomes of a row.

use tidegate::model::Direction;
use tidegate::run::{Request, Way};
use tidegate::sql::Sql;

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, NAMES, jobs};
use crate::support::{counts, of};

const PARENT_AND_CHILD: &str = "
    create table parents (id int not null primary key, source char(1), created_at {stamp},
        updated_at {stamp});
    create table children (id int not null primary key,
        parent int references parents (id), source char(1), created_at {stamp},
        updated_at {stamp});";

pub async fn insert_update_unchanged(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let work = "insert into jobs values (100, 'mobile', 'M', {now}, {now}); \
                update jobs set name = 'edited', updated_at = {now} where id = 3";
    office.mobile(work).await;
    let report = office.reverse().await;
    assert_eq!(jobs(&report), [2, 1, 1, 0, 0], "{report:?}");
    assert_eq!(office.names_of(3).await, ["edited"; 2]);
    let full = Request { full: true, ..Request::default() };
    let again = office.run_way(Way::One(Direction::Reverse), &full, &Sql::default()).await.unwrap();
    assert_eq!(jobs(&again), [10, 0, 0, 10, 0], "{again:?}");
    office.assert_settled().await;
}

pub async fn key_collision(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.desk("insert into jobs values (50, 'desktop', 'D', {now}, {now})").await;
    office.mobile("insert into jobs values (50, 'mobile', 'M', {now}, {now})").await;
    office.sync().await;
    assert_eq!(office.names_of(50).await, ["desktop", "mobile"]);
    let listed = [r#"{"id": "50"} key_collision"#];
    assert_eq!(office.withheld_at_desk().await, listed);
    assert_eq!(office.withheld_in_cloud().await, listed);
    office.mobile("update jobs set id = 51 where id = 50").await;
    office.sync().await;
    assert_eq!(office.names_of(51).await, ["mobile"; 2]);
    office.assert_settled().await;
}

pub async fn owner_rules(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let work = "insert into jobs values (60, 'strange', 'X', {now}, {now}), \
                (61, 'nobody', null, {now}, {now}), (62, 'not there', 'D', {now}, {now}), \
                (63, 'mobile', 'M', {now}, {now})";
    office.mobile(work).await;
    let report = office.reverse().await;
    assert_eq!(jobs(&report), [4, 1, 0, 0, 3], "{report:?}");
    let there = office.at_desk("select id from jobs where id > 9").await;
    assert_eq!(there, ["63"]);
}

pub async fn mobile_edit_is_later(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.desk("update jobs set name = 'at the desk', updated_at = {now} where id = 3").await;
    office.mobile("update jobs set name = 'on the phone', updated_at = {soon} where id = 3").await;
    office.sync().await;
    assert_eq!(office.names_of(3).await, ["on the phone"; 2]);
    assert_eq!(office.at_desk("{lost}").await, [r#"{"id": "3"} lost_to_mobile"#]);
    office.assert_settled().await;
}

pub async fn desktop_edit_is_later(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.mobile("update jobs set name = 'on the phone', updated_at = {now} where id = 3").await;
    office.desk("update jobs set name = 'at the desk', updated_at = {soon} where id = 3").await;
    let report = office.reverse().await;
    assert_eq!(jobs(&report), [1, 0, 0, 0, 1], "{report:?}");
    office.forward().await;
    assert_eq!(office.names_of(3).await, ["at the desk"; 2]);
    office.sync().await;
    office.same(NAMES).await;
    assert_eq!(office.withheld_at_desk().await, [""; 0]);
}

pub async fn missing_parent_is_tried_again(kind: Kind) {
    let office = DeskOffice::open(kind, PARENT_AND_CHILD, &["parents", "children"]).await;
    let work = "insert into parents values (1, 'M', {now}, {now}), (2, 'X', {now}, {now}); \
                insert into children values (10, 1, 'M', {now}, {now}), (20, 2, 'M', {now}, {now})";
    office.mobile(work).await;
    let report = office.reverse().await;
    assert_eq!(counts(of(&report, "children")), [2, 1, 0, 0, 1], "{report:?}");
    let listed = [r#"{"id": "2"} owner"#, r#"{"id": "20"} missing_parent"#];
    assert_eq!(office.withheld_at_desk().await, listed);
    office.mobile("update parents set source = 'M' where id = 2").await;
    office.reverse().await;
    assert_eq!(office.at_desk("select id from children order by id").await, ["10", "20"]);
    assert_eq!(office.withheld_at_desk().await, [""; 0]);
}

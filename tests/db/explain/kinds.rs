//! One kind of row each: the answer, and the run after it.

use serde_json::json;
use tidegate::model::Direction;
use tidegate::run::{Request, Way};
use tidegate::sql::Sql;

use super::{OLD, answer, answers, done, explain, office, on};
use crate::support::Office;

/// Row 1 after changes on the desktop and in the cloud: both answers, and then what a run in each
/// direction does with it, which must be the same.
async fn comes_true(desktop: &str, cloud: &str, expected: [&str; 2]) -> Office {
    let office = office().await;
    on(&office.desktop, desktop).await;
    on(&office.cloud, cloud).await;
    for (direction, expected) in
        [(Direction::Reverse, expected[0]), (Direction::Forward, expected[1])]
    {
        let explained = explain(&office, "jobs", "1", 0);
        let said = answer(&explained[direction.word()]);
        let unread = said.starts_with("unread");
        assert_eq!(said, expected, "{} {explained:#}", direction.word());
        let done = done(&office, direction).await;
        assert_eq!(done, if unread { "" } else { expected }, "{} {explained:#}", direction.word());
    }
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_nobody_changed_is_not_read() {
    let office = office().await;
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(answers(&explained), ["unread, with --full unchanged"; 2], "{explained:#}");
    assert_eq!(explained["differs"], json!([]));
    for (end, owner) in [("desktop", "desktop"), ("cloud", "desktop")] {
        assert_eq!(explained[end]["owner"], json!(owner));
        assert_eq!(explained[end]["values"]["name"], json!("old"));
    }
    let why = |direction: &str| explained[direction]["why"].as_str().unwrap().to_owned();
    assert!(why("reverse").contains("the change log has nothing about it"), "{explained:#}");
    assert!(why("forward").contains("its stamp on the desktop says"), "{explained:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_a_stamp_is_not_read() {
    let office = office().await;
    on(&office.desktop, "insert into jobs values (7, 'no stamp', 'D', null, null)").await;
    let explained = explain(&office, "jobs", "7", 0);
    assert_eq!(answer(&explained["forward"]), "unread, with --full insert", "{explained:#}");
    assert!(explained["forward"]["why"].as_str().unwrap().contains("no stamp"), "{explained:#}");
    assert!(done(&office, Direction::Forward).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_row_of_the_desktop_is_inserted() {
    let office = office().await;
    on(&office.desktop, "insert into jobs values (7, 'new', 'D', now(), now())").await;
    let explained = explain(&office, "jobs", "7", 0);
    assert_eq!(answers(&explained), ["unread, with --full none", "insert"], "{explained:#}");
    assert_eq!(explained["cloud"]["values"], json!(null));
    assert_eq!(explained["forward"]["why"], json!("the row is new to the other end"));
    assert_eq!(explained["reverse"]["why"], json!("the cloud has no such row"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_row_of_a_mobile_user_is_inserted() {
    let office = office().await;
    on(&office.cloud, "insert into jobs values (200, 'new', 'M', now(), now())").await;
    let explained = explain(&office, "jobs", "200", 0);
    assert_eq!(answers(&explained), ["insert", "unread, with --full none"], "{explained:#}");
    assert_eq!(explained["pending"], json!(true));
    assert_eq!(explained["changes"][0]["operation"], json!("insert"));
    assert_eq!(explained["cloud"]["owner"], json!("mobile"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_the_desktops_goes_to_the_cloud() {
    let edit = "update jobs set name = 'edited', updated_at = now() where id = 1";
    comes_true(edit, "", ["unread, with --full withheld stale", "update"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_mobile_edit_is_told() {
    let office = office().await;
    let edit = "update jobs set name = 'mobile', updated_at = now() where id = 1";
    on(&office.cloud, edit).await;
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(answer(&explained["reverse"]), "update", "{explained:#}");
    let full = "unread, with --full withheld pending_mobile_edit";
    assert_eq!(answer(&explained["forward"]), full, "{explained:#}");
    assert_eq!(explained["pending"], json!(true));
    assert_eq!(explained["differs"], json!(["name", "updated_at"]));
    let changes = json!({"from": "old", "to": "mobile"});
    assert_eq!(explained["reverse"]["changes"]["name"], changes);
    assert_eq!(done(&office, Direction::Reverse).await, "update");
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(explained["pending"], json!(false), "{explained:#}");
    assert_eq!(explained["differs"], json!([]));
}

/// The later edit wins, whoever made it.
#[tokio::test(flavor = "multi_thread")]
async fn both_edited_and_the_mobile_user_later() {
    let desktop = "update jobs set name = 'desktop', updated_at = now() where id = 1";
    let cloud = "update jobs set name = 'mobile', updated_at = now() where id = 1";
    let office = office().await;
    on(&office.desktop, desktop).await;
    on(&office.cloud, cloud).await;
    let explained = explain(&office, "jobs", "1", 0);
    let expected = ["update", "withheld pending_mobile_edit"];
    assert_eq!(answers(&explained), expected, "{explained:#}");
    let why =
        "both sides edited the row, the mobile user later; the next reverse run brings that home";
    assert_eq!(explained["forward"]["why"], json!(why));
    assert_eq!(done(&office, Direction::Forward).await, expected[1]);
    assert_eq!(done(&office, Direction::Reverse).await, expected[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_edited_and_the_desktop_later() {
    let desktop = "update jobs set name = 'desktop', updated_at = now() + interval '1 minute' \
                   where id = 1";
    let cloud = "update jobs set name = 'mobile', updated_at = now() where id = 1";
    let office = comes_true(desktop, cloud, ["withheld stale", "update"]).await;
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(explained["desktop"]["lost"][0]["reason"], json!("lost_to_desktop"));
    assert_eq!(explained["pending"], json!(false), "{explained:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_both_sides_made_collides() {
    let office = office().await;
    on(&office.desktop, "insert into jobs values (7, 'desktop', 'D', now(), now())").await;
    on(&office.cloud, "insert into jobs values (7, 'mobile', 'M', now(), now())").await;
    let explained = explain(&office, "jobs", "7", 0);
    assert_eq!(answers(&explained), ["withheld key_collision"; 2], "{explained:#}");
    assert_eq!(explained["differs"][0], json!("name"));
    let owners = [&explained["desktop"]["owner"], &explained["cloud"]["owner"]];
    assert_eq!(owners, [&json!("desktop"), &json!("mobile")]);
    assert_eq!(done(&office, Direction::Forward).await, "withheld key_collision");
    let explained = explain(&office, "jobs", "7", 0);
    let withheld = &explained["cloud"]["withheld"][0];
    assert_eq!(withheld["reason"], json!("key_collision"), "{explained:#}");
    assert!(withheld["id"].as_str().unwrap().starts_with("cw"), "{explained:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_a_mobile_user_deleted_does_not_come_back() {
    let desktop = "update jobs set name = 'edited', updated_at = now() where id = 1";
    let cloud = "delete from jobs where id = 1";
    let unread = "unread, with --full none";
    comes_true(desktop, cloud, [unread, "withheld deleted_by_mobile"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_desktop_deleted_does_not_come_back() {
    let cloud = "update jobs set name = 'edited', updated_at = now() where id = 1";
    let unread = "unread, with --full none";
    comes_true("delete from jobs where id = 1", cloud, ["withheld deleted_by_desktop", unread])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mobile_row_that_the_desktop_changed_is_brought_back() {
    let office = office().await;
    on(&office.desktop, "update jobs set name = 'desktop', updated_at = now() where id = 100")
        .await;
    let explained = explain(&office, "jobs", "100", 0);
    assert_eq!(answer(&explained["forward"]), "withheld owner", "{explained:#}");
    assert_eq!(done(&office, Direction::Forward).await, "withheld owner");
    let explained = explain(&office, "jobs", "100", 0);
    assert_eq!(answer(&explained["reverse"]), "update", "queued: {explained:#}");
    assert_eq!(explained["changes"][0]["operation"], json!("queued"));
    assert_eq!(done(&office, Direction::Reverse).await, "update");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_nobody_is_withheld() {
    let office = office().await;
    on(&office.desktop, "insert into jobs values (7, 'whose', null, now(), now())").await;
    let explained = explain(&office, "jobs", "7", 0);
    assert_eq!(answer(&explained["forward"]), "withheld owner", "{explained:#}");
    assert_eq!(explained["desktop"]["owner"], json!("nobody"));
    assert_eq!(explained["desktop"]["values"]["source"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_at_neither_end_is_said_to_be_so() {
    let office = office().await;
    let explained = explain(&office, "jobs", "999", 1);
    assert_eq!(answers(&explained), ["unread, with --full none"; 2], "{explained:#}");
    let human = office.tidegate(&["explain", "jobs", "999"]);
    let printed = String::from_utf8(human.stdout).unwrap();
    assert!(printed.contains("there is no such row at either end"), "{printed}");
    // No stamps either: it would be found by its key alone.
    let unstamped = format!("insert into jobs values (999, 'x', 'D', {OLD})");
    on(&office.desktop, &unstamped).await;
    let explained = explain(&office, "jobs", "999", 0);
    assert_eq!(answer(&explained["forward"]), "unread, with --full insert", "{explained:#}");
}

/// A rehearsal reads, and so locks, no other row.
#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_of_one_row_reads_that_row_alone() {
    let office = office().await;
    let edit = "update jobs set name = 'x', updated_at = now() where id < 6";
    on(&office.desktop, edit).await;
    on(&office.cloud, "update jobs set name = 'y', updated_at = now() where id > 1").await;
    for direction in [Direction::Forward, Direction::Reverse] {
        for full in [false, true] {
            let row = Some("{\"id\": \"3\"}".to_owned());
            let request = Request { full, dry_run: true, row, ..Request::default() };
            let way = Way::One(direction);
            let report = office.run_way(way, &request, &Sql::default()).await.unwrap();
            assert_eq!(report.tables[0].read, 1, "{} {full}: {report:?}", direction.word());
        }
    }
}

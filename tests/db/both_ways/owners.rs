//! Mobile work on rows of either side stays, whatever the desktop holds.

use crate::support::{JOBS, Office, value};

const NAME_OF_100: &str = "select name from jobs where id = 100";
const MOBILE_ROWS: &str =
    "select coalesce(string_agg(id::text, ' ' order by id), '') from jobs where source = 'M'";

/// A mobile user's edit of the desktop's row survives what the desktop still holds, also where the
/// desktop saves that again and whole tables are compared.
#[tokio::test(flavor = "multi_thread")]
async fn m03_mobile_edits_d() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let job = "insert into jobs values (100, 'open', 'D', now(), now())";
    office.desktop.batch_execute(job).await.unwrap();
    office.sync().await;
    let edit =
        "update jobs set name = 'completed', updated_at = now() - interval '1 hour' where id = 100";
    office.cloud.batch_execute(edit).await.unwrap();
    let save_again = "update jobs set updated_at = now() where id = 100";
    office.desktop.batch_execute(save_again).await.unwrap();
    office.forward().await;
    office.forward_full().await;
    assert_eq!(office.withheld().await, [r#"{"id": "100"} pending_mobile_edit"#]);
    assert_eq!(value(&office.cloud, NAME_OF_100).await, "completed");
    office.sync().await;
    assert_eq!(office.same_on_both_ends(NAME_OF_100).await, ["completed"]);
    assert!(office.withheld().await.is_empty());
    office.forward_full().await;
    assert_eq!(office.same_on_both_ends(NAME_OF_100).await, ["completed"]);
}

/// A mobile user deletes his own row: the desktop's copy stays, and is not sent back, though it is
/// compared, or changed.
#[tokio::test(flavor = "multi_thread")]
async fn m33_zombie_mirror() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let rows =
        "insert into jobs select i, 'mobile', 'M', now(), now() from generate_series(1, 3) i";
    office.cloud.batch_execute(rows).await.unwrap();
    office.sync().await;
    office.cloud.batch_execute("delete from jobs where id in (1, 2)").await.unwrap();
    let touch = "update jobs set name = 'touched', updated_at = now() where id = 2";
    office.desktop.batch_execute(touch).await.unwrap();
    for _ in 0..2 {
        office.forward().await;
        office.sync().await;
        office.forward_full().await;
    }
    assert_eq!(value(&office.cloud, MOBILE_ROWS).await, "3");
    assert_eq!(value(&office.desktop, MOBILE_ROWS).await, "1 2 3");
    assert_eq!(office.withheld().await, [r#"{"id": "1"} owner"#, r#"{"id": "2"} owner"#]);
}

/// The desktop's edit of a mobile row is undone by the mobile version, and then nothing is left of it but
/// the version that lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_edit_of_a_mobile_row_leaves_the_list_once_the_mobile_version_is_back() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("lag = \"0s\"");
    let made = "insert into jobs values (7, 'mobile', 'M', now(), now())";
    office.cloud.batch_execute(made).await.unwrap();
    office.sync().await;
    let edit = "update jobs set name = 'desktop', updated_at = now() where id = 7";
    office.desktop.batch_execute(edit).await.unwrap();
    office.forward().await;
    assert_eq!(office.withheld().await, [r#"{"id": "7"} owner"#]);
    office.sync().await;
    assert_eq!(value(&office.desktop, "select name from jobs where id = 7").await, "mobile");
    assert!(office.withheld().await.is_empty());
    let lost = "select row ->> 'name' || ' ' || reason from tidegate._sync_trash";
    assert_eq!(value(&office.desktop, lost).await, "desktop lost_to_mobile");
}

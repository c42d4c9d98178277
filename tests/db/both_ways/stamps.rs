//! Without triggers in the cloud (`capture = "timestamp"`): stamps decide.

use tidegate::run::{Request, Way};
use tidegate::sql::Sql;

use crate::support::{JOBS, Office, column, value};

const NAME: &str = "select name from jobs where id = 1";

/// An office whose cloud has no change log, with row 1 of the desktop's at both ends.
async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let config = std::fs::read_to_string(office.config_path()).unwrap();
    let by_stamps = config.replace("[cloud]\n", "[cloud]\ncapture = \"timestamp\"\n");
    std::fs::write(office.config_path(), by_stamps).unwrap();
    let row = "insert into jobs values (1, 'start', 'D', now() - interval '1 day', now() - interval '1 day')";
    office.desktop.batch_execute(row).await.unwrap();
    office.sync().await;
    office
}

async fn sync_whole_tables(office: &Office) -> u64 {
    let full = Request { full: true, ..Request::default() };
    office.run_way(Way::Both, &full, &Sql::default()).await.unwrap().written()
}

/// Of two edits the later one stands at both ends, whoever made it, and then there is rest.
#[tokio::test(flavor = "multi_thread")]
async fn the_later_edit_stands_at_both_ends() {
    let edit =
        |name: &str| format!("update jobs set name = '{name}', updated_at = clock_timestamp()");
    for desktop_first in [true, false] {
        let office = office().await;
        let mut edits = [(&office.desktop, "desktop"), (&office.cloud, "mobile")];
        if !desktop_first {
            edits.reverse();
        }
        for (end, name) in edits {
            end.batch_execute(&edit(name)).await.unwrap();
        }
        office.sync().await;
        office.sync().await;
        assert_eq!(office.same_on_both_ends(NAME).await, [edits[1].1]);
        assert_eq!(office.sync().await.written() + sync_whole_tables(&office).await, 0);
    }
}

/// Where the stamps are the same, the desktop's row is the desktop's: its edit without a new stamp is
/// not written over by the version that the cloud still has.
#[tokio::test(flavor = "multi_thread")]
async fn equal_stamps_leave_the_desktops_row_to_the_desktop() {
    let office = office().await;
    office.desktop.batch_execute("update jobs set name = 'desktop'").await.unwrap();
    sync_whole_tables(&office).await;
    assert_eq!(office.same_on_both_ends(NAME).await, ["desktop"]);
}

/// Where the stamps are the same, a mobile user's row is his: the desktop's version is kept in the
/// trash.
#[tokio::test(flavor = "multi_thread")]
async fn equal_stamps_leave_a_mobile_row_to_the_mobile_user() {
    let office = office().await;
    let row = "insert into jobs values (2, 'mobile', 'M', now(), now())";
    office.cloud.batch_execute(row).await.unwrap();
    office.sync().await;
    office.desktop.batch_execute("update jobs set name = 'desktop' where id = 2").await.unwrap();
    sync_whole_tables(&office).await;
    let name = "select name from jobs where id = 2";
    assert_eq!(office.same_on_both_ends(name).await, ["mobile"]);
    let kept =
        column(&office.desktop, "select row ->> 'name' from tidegate._sync_trash", &[]).await;
    assert_eq!(kept, ["desktop"]);
    assert_eq!(value(&office.cloud, "select count(*)::text from tidegate._sync_trash").await, "0");
}

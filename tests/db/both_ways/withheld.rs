//! Mobile edits that reverse can't write yet stand until it can.

use std::time::Duration;

use tidegate::sql::Sql;
use tokio_postgres::Client;

use super::{FORWARD, assert_settled, both, conflicts, execute, filled, full, sync_with};
use crate::support::{counts, of};

/// Keys that reverse could not write are forgotten.
fn without_held_back() -> Sql {
    Sql::default().planted("postgres/opposite.sql", "w.since is not null", "false")
}

/// What keeps reverse from writing a row.
#[derive(Debug, Clone, Copy)]
enum Obstacle {
    /// The desktop's own rules.
    Check,
    /// A desktop user at work on the row.
    User,
}

impl Obstacle {
    async fn rise(self, at: &Client) {
        let obstacle = match self {
            Obstacle::Check => {
                "alter table jobs add constraint polite check (name not like '%mobile')"
            }
            Obstacle::User => "begin; select from jobs where id = 3 for update",
        };
        execute(at, obstacle).await;
    }

    async fn fall(self, at: &Client) {
        let end = match self {
            Obstacle::Check => "alter table jobs drop constraint polite",
            Obstacle::User => "rollback",
        };
        execute(at, end).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_reverse_has_to_withhold_stands_until_it_arrives() {
    for obstacle in [Obstacle::Check, Obstacle::User] {
        for (sql, after) in [(Sql::default(), "mobile"), (without_held_back(), "desktop")] {
            let office = filled().await;
            let user = office.desktop_session().await;
            obstacle.rise(&user).await;
            execute(&office.cloud, "update jobs set name = 'mobile' where id = 3").await;
            let report = office.reverse().await;
            assert_eq!(counts(of(&report, "jobs")), [1, 0, 0, 0, 1], "{obstacle:?} {report:?}");
            office.run_way(FORWARD, &full(), &sql).await.unwrap();
            assert_eq!(both(&office, 3).await, ["desktop", after], "{obstacle:?}");
            obstacle.fall(&user).await;
            sync_with(&office, &sql).await;
            assert_eq!(both(&office, 3).await, [after; 2], "{obstacle:?}");
            if after == "mobile" {
                assert_settled(&office).await;
                assert_eq!(conflicts(&office).await, [""; 0]);
            }
        }
    }
}

/// A further edit comes with all that is pending: the desktop's row is what it was before the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_further_edit_of_a_row_that_reverse_withheld_is_no_conflict() {
    for obstacle in [Obstacle::Check, Obstacle::User] {
        let office = filled().await;
        let user = office.desktop_session().await;
        obstacle.rise(&user).await;
        execute(&office.cloud, "update jobs set name = 'mobile' where id = 3").await;
        office.sync().await;
        let further = "update jobs set name = 'further mobile', \
                       updated_at = now() - interval '5 days' where id = 3";
        execute(&office.cloud, further).await;
        for _ in 0..2 {
            office.sync().await;
            office.forward_full().await;
            assert_eq!(both(&office, 3).await, ["desktop", "further mobile"], "{obstacle:?}");
        }
        obstacle.fall(&user).await;
        office.sync().await;
        assert_eq!(both(&office, 3).await, ["further mobile"; 2], "{obstacle:?}");
        assert_eq!(conflicts(&office).await, [""; 0], "{obstacle:?}");
        assert_settled(&office).await;
    }
}

/// A desktop user's later edit of such a row is an edit: the later one wins, when the obstacle is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_edit_of_a_row_that_reverse_withheld_is_judged_once_it_can_be() {
    let office = filled().await;
    let user = office.desktop_session().await;
    Obstacle::Check.rise(&user).await;
    execute(&office.cloud, "update jobs set name = 'mobile', updated_at = now() where id = 3")
        .await;
    office.sync().await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    let edit = "update jobs set name = 'desktop edit', updated_at = now() where id = 3";
    execute(&office.desktop, edit).await;
    office.forward().await;
    assert_eq!(both(&office, 3).await, ["desktop edit", "mobile"]);
    Obstacle::Check.fall(&user).await;
    office.sync().await;
    assert_eq!(both(&office, 3).await, ["desktop edit"; 2]);
    assert_eq!(conflicts(&office).await, ["3 mobile lost_to_desktop"]);
    assert_settled(&office).await;
}

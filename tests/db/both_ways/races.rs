//! Users of both ends at work between the steps of a run: the races that lost edits in experiments.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidegate::model::Direction;
use tidegate::run::{Request, RunReport, Way};
use tidegate::sql::Sql;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::{FORWARD, assert_settled, both, conflicts, execute, filled, full, name, sync_with};
use crate::support::{Office, column, counts, of, until};

const REVERSE: Way = Way::One(Direction::Reverse);

/// Rows and desktop users of case m05.
const MANY: i32 = 400;
const DESKTOP_USERS: i32 = 4;

/// Forward, or what stands for it, takes everything for carried that reverse may have carried by now.
fn carried_by_now() -> Sql {
    // Both ends are of one cluster, and count their transactions together.
    let now = "'watermark', pg_snapshot_xmin(pg_current_snapshot())::text";
    Sql::default().planted("postgres/opposite.sql", "'watermark', m.watermark", now)
}

/// Nobody looks at what a row was before it was edited.
pub fn without_bases() -> Sql {
    let sql = Sql::default().planted("postgres/log_entries.sql", "{{bases}}", "null::text[]");
    sql.planted("postgres/log_of_row.sql", "{{was_staged}}", "false")
}

/// The batches stop at the gate before they look at anything; what they bring was read before.
fn gated(sql: Sql) -> Sql {
    let gate = "select pg_advisory_xact_lock(42)::text, set_config";
    sql.planted("postgres/lock.sql", "select set_config", gate)
}

/// Runs `way` with `sql`, which stops at the gate in the end that is written; `work` is done then.
async fn around(
    office: &Office,
    way: Way,
    sql: Sql,
    request: &Request,
    work: impl Future<Output = ()>,
) -> RunReport {
    // The run is to wait here for as long as the work needs.
    let sql = sql.planted("postgres/begin.sql", "500ms", "60s");
    let gate = match way {
        REVERSE => office.desktop_session().await,
        _ => office.cloud_session().await,
    };
    execute(&gate, "select pg_advisory_lock(42)").await;
    let work = async {
        let waiting = "exists (select from pg_locks \
                       where locktype = 'advisory' and objid = 42 and not granted)";
        until(&gate, waiting).await;
        work.await;
        execute(&gate, "select pg_advisory_unlock(42)").await;
    };
    let (report, ()) = tokio::join!(office.run_way(way, request, &sql), work);
    report.unwrap()
}

/// Each desktop user edits rows of his own, as long as the runs go on; gives his last edit of each.
async fn edit_rows(session: Client, user: i32, done: Arc<AtomicBool>) -> BTreeMap<i32, String> {
    let mut edits = BTreeMap::new();
    let mut n = 0;
    while !done.load(Ordering::Relaxed) {
        let id = (n * DESKTOP_USERS + user) % (MANY / 2) + 1;
        let name = format!("desktop {user} {n}");
        let edit = format!(
            "update jobs set name = '{name}', updated_at = clock_timestamp() where id = {id}"
        );
        execute(&session, &edit).await;
        edits.insert(id, name);
        n += 1;
    }
    edits
}

/// Desktop users edit the rows that reverse brings: the later edit of a row is the desktop's each time.
#[tokio::test(flavor = "multi_thread")]
async fn m05_concurrent_desktop_update() {
    let office = super::office(MANY).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut users = JoinSet::new();
    for user in 0..DESKTOP_USERS {
        users.spawn(edit_rows(office.desktop_session().await, user, Arc::clone(&done)));
    }
    let mut updated = 0;
    for round in 0..12 {
        let edit = format!(
            "update jobs set name = 'mobile {round}', updated_at = now() - interval '1 day'"
        );
        execute(&office.cloud, &edit).await;
        let report = office.reverse().await;
        assert_eq!(report.exit_code(false), 0, "{report:?}");
        updated += of(&report, "jobs").updated;
    }
    done.store(true, Ordering::Relaxed);
    let edits: BTreeMap<i32, String> = users.join_all().await.into_iter().flatten().collect();
    assert!(edits.len() > 50 && updated > 1_000, "no race: {} {updated}", edits.len());
    office.sync().await;
    let names = office.same_on_both_ends("select name from jobs order by id").await;
    for (id, name) in edits {
        assert_eq!(names[id as usize - 1], name, "a desktop edit of {id} was lost");
    }
    assert_eq!(names[MANY as usize - 1], "mobile 11");
}

/// A transaction of a mobile user that has its number already.
async fn opened(office: &Office) -> Client {
    let session = office.cloud_session().await;
    execute(&session, "begin; select pg_current_xact_id()").await;
    session
}

/// The desktop as forward saw it did not have the edit yet.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_comes_home_between_forwards_snapshot_and_its_merge_stands() {
    for (sql, after) in [(Sql::default(), "mobile"), (carried_by_now(), "desktop")] {
        let office = filled().await;
        execute(&office.cloud, "update jobs set name = 'mobile' where id = 3").await;
        let work = Box::pin(async {
            let report = office.reverse().await;
            assert_eq!(counts(of(&report, "jobs")), [1, 0, 1, 0, 0], "{report:?}");
        });
        around(&office, FORWARD, gated(sql), &full(), work).await;
        assert_eq!(both(&office, 3).await, ["mobile", after]);
        if after == "mobile" {
            assert_settled(&office).await;
            assert_eq!(conflicts(&office).await, [""; 0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_mobile_edit_stands_though_the_first_one_is_stamped_later_at_the_desktop() {
    for (sql, after) in [(Sql::default(), "second"), (without_bases(), "first")] {
        let office = filled().await;
        let stamps = "create function stamps() returns trigger language plpgsql as $$ \
                      begin new.updated_at := now() + interval '1 hour'; return new; end $$; \
                      create trigger stamps before update on jobs \
                      for each row execute function stamps()";
        execute(&office.desktop, stamps).await;
        let edit = |name: &str| {
            format!("update jobs set name = '{name}', updated_at = now() where id = 3")
        };
        execute(&office.cloud, &edit("first")).await;
        let work = async { execute(&office.cloud, &edit("second")).await };
        around(&office, REVERSE, gated(Sql::default()), &Request::default(), work).await;
        assert_eq!(both(&office, 3).await, ["first", "second"]);
        office.run_way(FORWARD, &full(), &sql).await.unwrap();
        assert_eq!(both(&office, 3).await, ["first", after]);
        sync_with(&office, &sql).await;
        assert_eq!(both(&office, 3).await, [after; 2]);
        if after == "second" {
            assert_eq!(conflicts(&office).await, [""; 0]);
        }
    }
}

/// The phone made it of what the desktop's edit had brought, whatever its clock says.
#[tokio::test(flavor = "multi_thread")]
async fn an_offline_edit_with_an_old_stamp_stands_after_a_desktop_edit_went_forward() {
    for (sql, after) in [(Sql::default(), "offline"), (without_bases(), "desktop edit")] {
        let office = filled().await;
        let edit = "update jobs set name = 'desktop edit', updated_at = now() where id = 3";
        execute(&office.desktop, edit).await;
        office.forward().await;
        let upload = "update jobs set name = 'offline', updated_at = now() - interval '5 days' \
                      where id = 3";
        execute(&office.cloud, upload).await;
        office.run_way(FORWARD, &full(), &sql).await.unwrap();
        sync_with(&office, &sql).await;
        assert_eq!(both(&office, 3).await, [after; 2]);
        if after == "offline" {
            assert_settled(&office).await;
            assert_eq!(conflicts(&office).await, [""; 0]);
        }
    }
}

/// Its number is old by the time it commits.
#[tokio::test(flavor = "multi_thread")]
async fn a_mobile_transaction_that_is_open_across_three_runs_comes_home() {
    // A position that takes what is under way for done.
    let hasty = Sql::default().planted(
        "postgres/move_position_log.sql",
        "when 'end' then pg_snapshot_xmin($5::pg_snapshot)",
        "when 'end' then pg_snapshot_xmax($5::pg_snapshot)",
    );
    for (sql, arrived) in [(Sql::default(), "late"), (hasty, "desktop")] {
        let office = filled().await;
        let open = opened(&office).await;
        let late = "update jobs set name = 'late' where id = 3; \
                    insert into jobs values (100, 'late', 'M', now(), now())";
        execute(&open, late).await;
        for round in 0..3 {
            let other =
                format!("insert into jobs values ({}, 'other', 'M', now(), now())", 200 + round);
            execute(&office.cloud, &other).await;
            sync_with(&office, &sql).await;
            assert_eq!(both(&office, 3).await, ["desktop"; 2]);
        }
        execute(&open, "commit").await;
        sync_with(&office, &sql).await;
        assert_eq!(both(&office, 3).await, [arrived, "late"]);
        if arrived == "late" {
            assert_settled(&office).await;
            assert_eq!(conflicts(&office).await, [""; 0]);
        }
    }
}

/// Neither the order of the transactions nor that of the entries is the order of the commits: what
/// counts is the row.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_deleted_and_made_again_by_two_overlapping_transactions_comes_home() {
    for between in [false, true] {
        let office = filled().await;
        let first = "insert into jobs values (100, 'old', 'M', now(), now())";
        execute(&office.cloud, first).await;
        office.sync().await;
        // The older transaction makes the row, once the younger one has deleted it.
        let makes = opened(&office).await;
        let deletes = opened(&office).await;
        execute(&deletes, "delete from jobs where id in (3, 100); commit").await;
        if between {
            office.sync().await;
            assert_eq!(name(&office.desktop, 100).await, "old", "deletions do not travel");
        }
        let again = "insert into jobs values (3, 'made again', 'D', now(), now()), \
                     (100, 'made again', 'M', now(), now()); commit";
        execute(&makes, again).await;
        office.sync().await;
        for id in [3, 100] {
            assert_eq!(both(&office, id).await, ["made again"; 2], "{id} {between}");
        }
        assert_settled(&office).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_mobile_makes_between_forwards_look_and_its_merge_stands() {
    let office = filled().await;
    let new = "insert into jobs values (50, 'desktop', 'D', now(), now())";
    execute(&office.desktop, new).await;
    let gate = "with gate as materialized (select pg_advisory_xact_lock(42)), merged as (";
    let stage = "from pg_temp.tidegate_stage s";
    let merge = Sql::default().planted("postgres/merge.sql", "with merged as (", gate).planted(
        "postgres/merge.sql",
        stage,
        &stage.replace("from", "from gate cross join"),
    );
    let work = async {
        execute(&office.cloud, "insert into jobs values (50, 'mobile', 'M', now(), now())").await;
    };
    let report = around(&office, FORWARD, merge, &Request::default(), work).await;
    assert_eq!(counts(of(&report, "jobs")), [1, 0, 0, 0, 1], "{report:?}");
    // Home it can't come either.
    office.sync().await;
    assert_eq!(both(&office, 50).await, ["desktop", "mobile"]);
    let listed = [r#"{"id": "50"} key_collision"#];
    assert_eq!(office.withheld().await, listed);
    let at_desktop = "select key::text || ' ' || reason from tidegate._sync_withheld";
    assert_eq!(column(&office.desktop, at_desktop, &[]).await, listed);
    // Under another key it can, and leaves this one to the desktop.
    execute(&office.cloud, "update jobs set id = 51 where id = 50").await;
    office.sync().await;
    assert_eq!(both(&office, 50).await, ["desktop"; 2]);
    assert_eq!(both(&office, 51).await, ["mobile"; 2]);
    assert_settled(&office).await;
}

/// What the run saw above its watermark has come home as well: an edit that went home is not what the
/// row was before.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_desktop_takes_back_after_an_edit_came_home_stays_so() {
    let unseen = Sql::default().planted(
        "postgres/move_position_log.sql",
        "jsonb_build_object('seen', $5)",
        "'{}'::jsonb",
    );
    for (sql, after) in [(Sql::default(), "desktop"), (unseen, "mobile")] {
        let office = filled().await;
        let open = opened(&office).await;
        execute(&open, "update jobs set name = 'late' where id = 5").await;
        execute(&office.cloud, "update jobs set name = 'mobile' where id = 3").await;
        sync_with(&office, &sql).await;
        assert_eq!(both(&office, 3).await, ["mobile"; 2]);
        let back = "update jobs set name = 'desktop', updated_at = now() where id = 3";
        execute(&office.desktop, back).await;
        sync_with(&office, &sql).await;
        assert_eq!(both(&office, 3).await, [after; 2]);
        execute(&open, "commit").await;
        sync_with(&office, &sql).await;
        assert_eq!(both(&office, 5).await, ["late"; 2]);
        if after == "desktop" {
            assert_eq!(conflicts(&office).await, [""; 0]);
            assert_settled(&office).await;
        }
    }
}

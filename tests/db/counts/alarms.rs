//! What is an alarm, what a warning, and what neither.

use tidegate::run::Request;
use tidegate::sql::Sql;

use crate::support::{JOBS, Office, column, of};

use super::{
    alarms, counting_run, counting_run_with, document, edit_at_the_desk, is_quiet, log_changes,
    mobile, mobile_rows, office, on_the_phone, program, unseen,
};

const DELETE: &str = "delete from jobs where id = 101";

/// Between runs, and in a transaction that is open while two runs count.
#[tokio::test(flavor = "multi_thread")]
async fn m06_mobile_deletions_raise_no_alarm() {
    let office = office().await;
    on_the_phone(&office, DELETE).await;
    is_quiet(&counting_run(&office).await);
    let mut session = office.cloud_session().await;
    let open = session.transaction().await.unwrap();
    open.batch_execute("delete from jobs where id < 106 and source = 'M'").await.unwrap();
    open.batch_execute(&mobile("121, 122")).await.unwrap();
    for _ in 0..2 {
        on_the_phone(&office, "delete from jobs where id = (select max(id) from jobs)").await;
        is_quiet(&counting_run(&office).await);
    }
    open.commit().await.unwrap();
    is_quiet(&counting_run(&office).await);
    on_the_phone(&office, "delete from jobs where source = 'M'").await;
    let report = counting_run(&office).await;
    is_quiet(&report);
    let numbers = (of(&report, "jobs").mobile_before, of(&report, "jobs").mobile_after);
    assert_eq!(numbers, (Some(15), Some(0)));
}

/// One is killed and one is made: the numbers are equal. It is said once, and stays on record.
#[tokio::test(flavor = "multi_thread")]
async fn m07_a_masked_kill_is_an_alarm_and_is_said_once() {
    let office = office().await;
    unseen(&office.cloud, DELETE).await;
    on_the_phone(&office, &mobile("121, 121")).await;
    let report = counting_run(&office).await;
    alarms(
        &report,
        "1 mobile rows are missing, and the change log has nobody who removed them: 20 when last \
         counted, since then 1 made, 0 deleted: 21 expected, 20 there",
    );
    let runs = "select outcome || ' ' || updated || ' ' || (error is not null) \
        from tidegate._sync_runs order by started_at desc limit 1";
    assert_eq!(column(&office.cloud, runs, &[]).await, ["verification_failed 1 true"]);
    let status = tokio::task::block_in_place(|| office.tidegate(&["status", "--output", "json"]));
    let table = &document(&status)["tables"][0];
    assert_eq!(table["last_run"]["outcome"], "verification_failed");
    assert_eq!(table["consecutive_failures"], 1);
    office.same_on_both_ends("select name from jobs where id = 1").await;
    is_quiet(&office.forward().await);
    is_quiet(&counting_run(&office).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_and_key_changes_are_explained() {
    let office = office().await;
    for change in [
        "update jobs set source = 'D' where id in (101, 102)",
        "update jobs set source = 'M' where id in (9, 10, 102)",
        "update jobs set source = null where id = 103",
        "update jobs set id = id + 1000, source = 'D' where id = 104",
        "update jobs set id = id + 1000 where id = 105",
        "update jobs set name = 'edited' where source = 'M'",
    ] {
        on_the_phone(&office, change).await;
        is_quiet(&counting_run(&office).await);
    }
    unseen(&office.cloud, "update jobs set source = 'D' where id = 106").await;
    on_the_phone(&office, "update jobs set source = 'D' where id = 107").await;
    alarms(&counting_run(&office).await, "1 mobile rows are missing");
}

/// `character` is padded in the log, and compared without its blanks.
#[tokio::test(flavor = "multi_thread")]
async fn a_padded_mark_is_the_same_mark() {
    let office = Office::open(&JOBS.replace("char(1)", "char(3)"), &["jobs"]).await;
    log_changes(&office).await;
    on_the_phone(&office, &mobile("101, 105")).await;
    office.desktop.batch_execute("insert into jobs values (1, 'x', 'D', now())").await.unwrap();
    is_quiet(&office.forward().await);
    for change in [DELETE, "update jobs set source = 'D' where id = 102", &mobile("111, 113")] {
        on_the_phone(&office, change).await;
        assert_eq!(said(&office, 0).await, "", "{change}");
    }
    assert_eq!(mobile_rows(&office).await, "6");
    unseen(&office.cloud, "delete from jobs where id = 103").await;
    alarms(&counting_run(&office).await, "1 mobile rows are missing");
}

/// What the program says on stderr, after an end of `code`.
async fn said(office: &Office, code: i32) -> String {
    let output = program(office).await;
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_no_trigger_saw_are_a_warning_if_made_and_an_alarm_if_deleted() {
    let office = office().await;
    let within = |sql: &str| {
        format!(
            "alter table jobs disable trigger user; {sql}; \
             alter table jobs enable always trigger _sync_log_change"
        )
    };
    on_the_phone(&office, &within(&mobile("121, 123"))).await;
    let warned = said(&office, 0).await;
    let numbers = "20 when last counted, since then 0 made, 0 deleted: 20 expected, 23 there";
    assert!(warned.contains("rows appeared") && warned.contains(numbers), "{warned}");
    on_the_phone(&office, &within(DELETE)).await;
    said(&office, 20).await;
    assert_eq!(said(&office, 0).await, "");
}

/// Without a log that covers the time a fall is a warning, as it can't be told from a user's own
/// deletion; and the next record is compared by the log again.
#[tokio::test(flavor = "multi_thread")]
async fn a_fall_that_the_log_does_not_cover_is_a_warning() {
    let office = office().await;
    let next = "update tidegate._sync_logged set pruned_below = pg_current_xact_id()";
    let gaps = [
        next,
        "update tidegate._sync_row_counts set snapshot = null",
        // Of a server with other transactions.
        "update tidegate._sync_row_counts set snapshot = '999999:1000000:'",
        "delete from tidegate._sync_logged",
    ];
    for (i, gap) in gaps.into_iter().enumerate() {
        on_the_phone(&office, &format!("{gap}; delete from jobs where id = {}", 101 + i)).await;
        let warned = said(&office, 0).await;
        assert!(warned.contains("mobile rows fell from"), "{gap}: {warned}");
    }
    let snapshot = "select count(*)::text from tidegate._sync_row_counts where snapshot is null \
        group by run_id order by max(counted_at) desc limit 1";
    assert_eq!(column(&office.cloud, snapshot, &[]).await, ["2"], "no log, so nothing to compare");
    on_the_phone(&office, "drop trigger if exists _sync_log_change on jobs").await;
    log_changes(&office).await;
    is_quiet(&counting_run(&office).await);
    unseen(&office.cloud, "delete from jobs where id = 110").await;
    said(&office, 20).await;
}

/// What both ends of a table's life have seen may be pruned.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_pruned_up_to_the_last_count_is_enough() {
    let office = office().await;
    let prune = "with bound as (
            select min(pg_snapshot_xmin(snapshot)) as xid from (
                select snapshot from tidegate._sync_row_counts order by counted_at desc limit 1
            ) l
        ), pruned as (delete from tidegate._sync_changes where xid < (select xid from bound))
        update tidegate._sync_logged set pruned_below = (select xid from bound)";
    for _ in 0..3 {
        on_the_phone(&office, "delete from jobs where id = (select max(id) from jobs)").await;
        is_quiet(&counting_run(&office).await);
        on_the_phone(&office, prune).await;
    }
    unseen(&office.cloud, DELETE).await;
    alarms(&counting_run(&office).await, "1 mobile rows are missing");
}

/// An entry that says only that a row has to be sent once more.
#[tokio::test(flavor = "multi_thread")]
async fn queued_rows_are_no_changes() {
    let office = office().await;
    let queue = "insert into tidegate._sync_changes (table_name, operation, key, old, new_owner) \
        select 'jobs', 'queued', json_build_object('id', id::text), to_json(j), source from jobs j";
    on_the_phone(&office, queue).await;
    is_quiet(&counting_run(&office).await);
}

/// Faults of tidegate itself that the check of the write set does not see: before it looks, after it
/// has looked, and in a transaction of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_deletes_behind_the_write_sets_back_is_found() {
    let office = office().await;
    let moved = "update {{store}}._sync_metadata m\nset generation";
    let deleting = format!(", planted as (delete from public.jobs where id = 101)\n{moved}");
    let begin = "begin isolation level read committed;";
    let marked = |sql: &str| format!("set tidegate.writing = 'forward'; {sql}; ");
    let faults = [
        ("postgres/move_position.sql", moved, deleting),
        (
            "postgres/begin.sql",
            begin,
            format!("{begin} {}", marked("delete from jobs where id = 102")),
        ),
        (
            "postgres/begin.sql",
            begin,
            format!("begin; {} commit; {begin}", marked("delete from jobs where id = 103")),
        ),
    ];
    for (statement, from, to) in faults {
        // The head of the update is the end of a list of subqueries.
        let from = if from == moved { format!("\n{from}") } else { from.to_owned() };
        let sql = Sql::default().planted(statement, &from, &to);
        alarms(&counting_run_with(&office, &sql).await, "1 mobile rows are missing");
        is_quiet(&counting_run(&office).await);
    }
    assert_eq!(mobile_rows(&office).await, "17");
}

/// The counts that a finding follows from are not replaced before it is on record.
#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_not_lost_with_a_run_that_can_not_record_it() {
    let office = office().await;
    unseen(&office.cloud, DELETE).await;
    let broken = Sql::default().planted("postgres/finish_run.sql", "clock_timestamp()", "1 / 0");
    alarms(&counting_run_with(&office, &broken).await, "1 mobile rows are missing");
    let broken = Sql::default().planted("postgres/record_counts.sql", "r.rows,", "r.rows / 0,");
    alarms(&counting_run_with(&office, &broken).await, "1 mobile rows are missing");
    alarms(&counting_run(&office).await, "1 mobile rows are missing");
    is_quiet(&counting_run(&office).await);
}

/// A plan tells of it, and leaves it to the run.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_finds_what_the_run_will_find() {
    let office = office().await;
    unseen(&office.cloud, DELETE).await;
    edit_at_the_desk(&office).await;
    let plan = Request { dry_run: true, ..Request::default() };
    for _ in 0..2 {
        alarms(&office.run(&plan, &Sql::default()).await.unwrap(), "1 mobile rows are missing");
    }
    alarms(&office.forward().await, "1 mobile rows are missing");
}

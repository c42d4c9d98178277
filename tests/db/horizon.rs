//! How far a run may say that it has read: not beyond the horizon, never back.

use tidegate::run::{Outcome, Request};
use tidegate::sql::Sql;
use tokio_postgres::Client;

use crate::support::{JOBS, Office, counts, of, until, value};

/// The horizon bounded by the open transactions alone, so that nothing arrives by grace of the lag.
const NO_LAG: &str = "lag = \"0s\"";

/// `jobs` with `rows` rows whose stamps, in the order of the keys, are a day old.
async fn office(rows: u32) -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure(NO_LAG);
    let fill = format!(
        "insert into jobs select i, 'old', 'D', now() - interval '1 day' + i * interval '1 s', \
         now() - interval '1 day' + i * interval '1 s' from generate_series(1, {rows}) i"
    );
    office.desktop.batch_execute(&fill).await.unwrap();
    office
}

/// Begins a transaction and says when that was.
async fn begin(session: &Client) -> String {
    session.batch_execute("begin").await.unwrap();
    value(session, "select now()::text").await
}

/// A row stamped by the clock of the session's transaction.
fn insert(id: u32) -> String {
    format!("insert into jobs values ({id}, 'new', 'D', now(), now())")
}

/// Whether `condition` holds for the position `m` of `jobs`.
async fn position(office: &Office, condition: &str) -> bool {
    let query = format!(
        "select ({condition})::text from tidegate._sync_metadata m where table_name = 'jobs'"
    );
    value(&office.cloud, &query).await == "true"
}

async fn watermark_is(office: &Office, stamp: &str) -> bool {
    position(office, &format!("m.watermark::timestamptz = '{stamp}' and m.after_key is null")).await
}

async fn arrived(office: &Office, id: u32) -> bool {
    value(&office.cloud, &format!("select count(*)::text from jobs where id = {id}")).await == "1"
}

#[tokio::test(flavor = "multi_thread")]
async fn r01_late_commit() {
    let office = office(5).await;
    office.forward().await;
    let late = office.desktop_session().await;
    begin(&late).await;
    late.batch_execute(&insert(10)).await.unwrap();
    office.desktop.batch_execute(&insert(11)).await.unwrap();
    office.forward().await;
    assert!(arrived(&office, 11).await && !arrived(&office, 10).await);
    late.batch_execute("commit").await.unwrap();
    office.forward().await;
    assert!(arrived(&office, 10).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_committed_during_a_load_arrives_with_the_next_run() {
    for full in [false, true] {
        let office = office(5).await;
        let late = office.desktop_session().await;
        begin(&late).await;
        let hold = "lock table jobs in access exclusive mode";
        late.batch_execute(&format!("{}; {hold}", insert(10))).await.unwrap();
        let commit = async {
            until(&office.desktop, "select exists (select from pg_locks where not granted)").await;
            late.batch_execute("commit").await.unwrap();
        };
        let request = Request { full, ..Request::default() };
        let sql = Sql::default();
        let (loaded, ()) = tokio::join!(office.run(&request, &sql), commit);
        assert_eq!(counts(of(&loaded.unwrap(), "jobs")), [5, 5, 0, 0, 0]);
        assert_eq!(counts(of(&office.forward().await, "jobs")), [1, 1, 0, 0, 0]);
    }
}

/// A desktop session that writes `rows` rows from `first` on, a short transaction each: most of
/// it in savepoints, some of which are rolled back.
fn subtransactions(first: u32, rows: u32) -> String {
    format!(
        "do $$ begin
            for i in {first}..{first} + {rows} - 1 loop
                begin
                    insert into jobs values (i, 'savepoint', 'D', now(), now());
                    if i % 5 = 0 then raise exception 'undone'; end if;
                    perform pg_sleep(random() * 0.02);
                exception when others then
                    insert into jobs values (i, 'after rollback', 'D', now(), now());
                end;
                commit;
            end loop;
        end $$"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn r03_subtransaction() {
    let office = office(5).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 1..=4 {
        let session = office.desktop_session().await;
        let script = subtransactions(writer * 1000, 250);
        writers.spawn(async move { session.batch_execute(&script).await.unwrap() });
    }
    let mut runs = 0;
    while writers.try_join_next().is_none_or(|done| {
        done.unwrap();
        !writers.is_empty()
    }) {
        assert_eq!(office.forward().await.outcome, Outcome::Ok);
        runs += 1;
    }
    assert!(runs > 1, "only {runs} runs raced with the writers");
    office.forward().await;
    let sum = office
        .same_on_both_ends("select count(*) || md5(string_agg(name, ',' order by id)) from jobs");
    assert!(sum.await[0].starts_with("1005"));
}

#[tokio::test(flavor = "multi_thread")]
async fn r04_prepared_txn() {
    let allowed = [("max_prepared_transactions", "5")];
    let office = Office::with_settings(JOBS, &["jobs"], &allowed).await;
    office.configure(NO_LAG);
    office.desktop.batch_execute(&insert(1)).await.unwrap();
    let prepare = format!("begin; {}; prepare transaction 'held'", insert(10));
    office.desktop.batch_execute(&prepare).await.unwrap();
    office.forward().await;
    assert!(arrived(&office, 1).await, "rows arrive");
    assert!(position(&office, "m.watermark is null").await, "but no watermark moves");

    office.desktop.batch_execute("commit prepared 'held'").await.unwrap();
    let prepare = "begin; insert into jobs values (99, '', 'M', now(), now()); \
                   prepare transaction 'of the cloud'";
    office.cloud.batch_execute(prepare).await.unwrap();
    office.forward().await;
    assert!(arrived(&office, 10).await);
    assert!(position(&office, "m.watermark is not null").await, "the cloud's own don't matter");

    let prepare = format!("begin; {}; prepare transaction 'held again'", insert(20));
    office.desktop.batch_execute(&prepare).await.unwrap();
    let before = value(&office.cloud, "select watermark from tidegate._sync_metadata").await;
    office.desktop.batch_execute(&insert(21)).await.unwrap();
    for _ in 0..2 {
        office.forward().await;
        assert!(arrived(&office, 21).await && watermark_is(&office, &before).await);
    }
    office.desktop.batch_execute("commit prepared 'held again'").await.unwrap();
    office.forward().await;
    assert!(arrived(&office, 20).await && !watermark_is(&office, &before).await);
    office.cloud.batch_execute("rollback prepared 'of the cloud'").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_horizon_no_rights() {
    let office = office(5).await;
    let plain = "create role clerk login; grant select on jobs to clerk";
    office.desktop.batch_execute(plain).await.unwrap();
    let url = office.cluster.url("desktop").replace("postgres@", "clerk@");
    let configure = |lag: &str| office.write_config(&url, &office.cluster.url("cloud"), lag);
    for too_short in ["", "lag = \"1s\""] {
        configure(too_short);
        let report = office.forward().await;
        assert_eq!(report.exit_code(false), 10, "{too_short}");
        let trouble = of(&report, "jobs").error.as_ref().unwrap();
        assert!(trouble.message.contains("can't see when other sessions"), "{trouble:?}");
        for remedy in ["grant pg_read_all_stats", "lag = "] {
            assert!(trouble.remedy.contains(remedy), "{trouble:?}");
        }
        let printed = office.tidegate(&["forward"]);
        assert_eq!(printed.status.code(), Some(10));
        assert!(String::from_utf8(printed.stdout).unwrap().contains("grant pg_read_all_stats"));
    }
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "0");

    configure("lag = \"10s\"");
    assert_eq!(counts(of(&office.forward().await, "jobs")), [5, 5, 0, 0, 0]);
    configure(NO_LAG);
    office.desktop.batch_execute("grant pg_read_all_stats to clerk").await.unwrap();
    let other = office.desktop_session().await;
    let start = begin(&other).await;
    assert_eq!(office.forward().await.exit_code(true), 0);
    assert!(watermark_is(&office, &start).await, "it sees the other session");
}

#[tokio::test(flavor = "multi_thread")]
async fn r08_future_stamp() {
    let office = office(5).await;
    let future = "insert into jobs values (2999, 'far', 'D', now(), '2999-01-01'),
        (3000, 'for ever', 'D', 'infinity', 'infinity'), (1, 'old', 'D', '-infinity', '-infinity')
        on conflict (id) do update set updated_at = '-infinity', created_at = '-infinity'";
    office.desktop.batch_execute(future).await.unwrap();
    // A batch a row: the position in the middle of the table stands at each of them.
    office.configure("lag = \"0s\"\nbatch_rows = 1");
    assert_eq!(counts(of(&office.forward().await, "jobs")), [7, 7, 0, 0, 0]);
    for id in [10, 11] {
        office.desktop.batch_execute(&insert(id)).await.unwrap();
        assert_eq!(counts(of(&office.forward().await, "jobs")), [3, 1, 0, 2, 0]);
        assert!(position(&office, "m.watermark::timestamptz < clock_timestamp()").await);
    }
    let edit = "update jobs set name = 'edited' where id in (2999, 3000)";
    office.desktop.batch_execute(edit).await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [2, 0, 2, 0, 0]);
    office.same_on_both_ends("select jobs::text from jobs order by id").await;
    let said = office.tidegate(&["forward"]).stderr;
    assert!(String::from_utf8_lossy(&said).contains("jobs: 1 rows are stamped in the future"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_changes_all_the_time_arrives_in_every_run() {
    let office = office(1).await;
    office.configure("");
    office.forward().await;
    for i in 1..=3 {
        let edit = format!("update jobs set name = 'edit {i}', updated_at = clock_timestamp()");
        office.desktop.batch_execute(&edit).await.unwrap();
        assert_eq!(counts(of(&office.forward().await, "jobs")), [1, 0, 1, 0, 0]);
        let above = "(select updated_at from jobs) > m.watermark::timestamptz";
        assert!(position(&office, above).await, "its stamp is above the horizon");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_desktop_transaction_holds_the_watermark_at_its_start() {
    let office = office(5).await;
    let idle = office.desktop_session().await;
    let start = begin(&idle).await;
    for _ in 0..2 {
        office.forward().await;
        assert!(watermark_is(&office, &start).await);
    }
    office.desktop.batch_execute(&insert(10)).await.unwrap();
    office.forward().await;
    assert!(arrived(&office, 10).await && watermark_is(&office, &start).await);
    idle.batch_execute("commit").await.unwrap();
    office.forward().await;
    assert!(position(&office, &format!("m.watermark::timestamptz > '{start}'")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_reader_of_ours_holds_nothing() {
    let office = office(5).await;
    office.desktop.batch_execute("create role clerk").await.unwrap();
    let reader = office.desktop_session().await;
    reader.batch_execute("set application_name = 'tidegate snapshot'").await.unwrap();
    let start = begin(&reader).await;
    office.forward().await;
    assert!(position(&office, &format!("m.watermark::timestamptz > '{start}'")).await);

    // Whoever else calls himself so may write.
    let url = office.cluster.url("desktop").replace("postgres@", "clerk@");
    office.desktop.batch_execute("alter role clerk login").await.unwrap();
    let other = crate::support::connect(&url).await;
    other.batch_execute("set application_name = 'tidegate snapshot'").await.unwrap();
    let start = begin(&other).await;
    office.forward().await;
    assert!(watermark_is(&office, &start).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watermark_never_moves_back() {
    let office = office(20).await;
    office.forward().await;
    let reached = value(&office.cloud, "select watermark from tidegate._sync_metadata").await;
    // From now on every horizon lies before it.
    office.configure("lag = \"1h\"\nbatch_rows = 5");
    let quiet = office.forward().await;
    assert_eq!(counts(of(&quiet, "jobs")), [0; 5]);
    assert!(watermark_is(&office, &reached).await, "a quiet run");
    for id in 100..112 {
        office.desktop.batch_execute(&insert(id)).await.unwrap();
    }
    let busy = office.forward().await;
    assert_eq!(counts(of(&busy, "jobs")), [12, 12, 0, 0, 0]);
    assert!(watermark_is(&office, &reached).await, "a run with batches");
    let full = Request { full: true, ..Request::default() };
    let stopped = office.forward_stopping_after(1, &full).await;
    assert_eq!((stopped.exit_code(false), of(&stopped, "jobs").read), (130, 5));
    assert!(watermark_is(&office, &reached).await, "a stopped --full");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_in_the_middle_of_a_table_is_not_beyond_the_horizon() {
    let office = office(10).await;
    office.configure("lag = \"0s\"\nbatch_rows = 5");
    let late = office.desktop_session().await;
    let start = begin(&late).await;
    for id in 11..=20 {
        office.desktop.batch_execute(&insert(id)).await.unwrap();
    }
    let stopped = office.forward_stopping_after(1, &Request::default()).await;
    assert_eq!((stopped.exit_code(false), of(&stopped, "jobs").inserted), (130, 5));
    let fifth = value(&office.desktop, "select updated_at::text from jobs where id = 5").await;
    let at_fifth =
        format!("m.watermark::timestamptz = '{fifth}' and m.after_key = '{{\"id\": \"5\"}}'");
    assert!(position(&office, &at_fifth).await, "below it: the last row");

    let stopped = office.forward_stopping_after(2, &Request::default()).await;
    assert_eq!((stopped.exit_code(false), of(&stopped, "jobs").inserted), (130, 10));
    assert!(watermark_is(&office, &start).await, "above it: the horizon, closed");

    late.batch_execute(&format!("{}; commit", insert(21))).await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [11, 6, 0, 5, 0]);
    office.same_on_both_ends("select jobs::text from jobs order by id").await;
}

//! What a run reads: every changed row, once, from one snapshot, in bounded batches.

use std::cell::Cell;

use tidegate::run::{Event, Outcome, Request};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use crate::support::{JOBS, Office, counts, of, until, value};

async fn rows(office: &Office) -> String {
    value(&office.cloud, "select count(*)::text from jobs").await
}

/// 2,500 rows of one stamp, which lie in the table in another order than that of their keys.
const EQUAL_STAMPS: &str = "insert into jobs select i * 7 % 2503, 'one', 'D', \
    '2026-03-01 12:00:00.123456+00', '2026-03-01 12:00:00.123456+00' \
    from generate_series(1, 2502) i where i * 7 % 2503 <= 2500";

/// The cloud gives up at row 1,500, for a reason that no further try removes.
const DISK_FULL: &str = "
    create function give_up() returns trigger language plpgsql as $$
        begin raise exception 'full' using errcode = 'disk_full'; end $$;
    create trigger give_up before insert or update on jobs for each row
        when (new.id = 1500) execute function give_up()";

#[tokio::test(flavor = "multi_thread")]
async fn r06_equal_stamps() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("batch_rows = 1000");
    office.desktop.batch_execute(EQUAL_STAMPS).await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [2500, 2500, 0, 0, 0]);
    assert_eq!(rows(&office).await, "2500");
    // The horizon has passed the stamp: nothing is read again.
    assert_eq!(counts(of(&office.forward().await, "jobs")), [0; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r06_equal_stamps_interrupted() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("batch_rows = 1000");
    office.desktop.batch_execute(EQUAL_STAMPS).await.unwrap();
    // The first load, and then a change of every row: both go on after a stamp and a key.
    for (change, written) in [("", 1), ("update jobs set name = 'two', updated_at = now()", 2)] {
        office.desktop.batch_execute(change).await.unwrap();
        // Nothing changes the stamp's rows any more once it is below the horizon.
        let old = "select max(updated_at) < clock_timestamp() - interval '2 s' from jobs";
        until(&office.desktop, old).await;
        office.cloud.batch_execute(DISK_FULL).await.unwrap();
        let broken = office.forward().await;
        assert_eq!((broken.outcome, of(&broken, "jobs").read), (Outcome::Failed, 1000));
        let position = "select after_key::text from tidegate._sync_metadata";
        assert_eq!(value(&office.cloud, position).await, r#"{"id": "1000"}"#);

        office.cloud.batch_execute("drop function give_up cascade").await.unwrap();
        let report = office.forward().await;
        let mut expected = [1500, 0, 0, 0, 0];
        expected[written] = 1500;
        assert_eq!(counts(of(&report, "jobs")), expected, "each row once");
        assert_eq!(rows(&office).await, "2500");
        assert_eq!(counts(of(&office.forward().await, "jobs")), [0; 5]);
        office.same_on_both_ends("select jobs::text from jobs order by id").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_goes_on_after_a_composite_key() {
    let schema = "create table jobs (site text collate \"C\", no bigint, name text, source text,
        updated_at timestamptz, created_at timestamptz, primary key (no, site))";
    let office = Office::open(schema, &["jobs"]).await;
    office.configure("batch_rows = 40");
    let fill = "insert into jobs select s, n, 'x', 'D', '2026-03-01 12:00:00+00' from \
                unnest(array['a\"b', 'B', 'ä', 'it''s']) s, generate_series(-10, 20) n";
    office.desktop.batch_execute(fill).await.unwrap();
    for _ in 0..3 {
        let stopped = office.forward_stopping_after(1, &Request::default()).await;
        assert_eq!(counts(of(&stopped, "jobs")), [40, 40, 0, 0, 0]);
    }
    assert_eq!(counts(of(&office.forward().await, "jobs")), [4, 4, 0, 0, 0]);
    let all = office.same_on_both_ends("select site || no from jobs order by no, site").await;
    assert_eq!(all.len(), 124);
}

#[tokio::test(flavor = "multi_thread")]
async fn r07_null_updated_at() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = "insert into jobs select i, 'job', 'D', now() - interval '1 day', \
                case when i % 10 > 0 then now() - interval '1 h' end from generate_series(1, 1000) i";
    office.desktop.batch_execute(fill).await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [1000, 1000, 0, 0, 0]);
    assert_eq!(counts(of(&office.forward().await, "jobs")), [0; 5]);
    let new = "insert into jobs values (2000, 'new', 'D', now(), null)";
    office.desktop.batch_execute(new).await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [1, 1, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_with_neither_stamp_arrive_with_the_first_load_and_with_full() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("batch_rows = 2");
    let insert = |first: u32| {
        let rows = (first..first + 5).map(|id| format!("({id}, 'job', 'D', null, null)"));
        format!("insert into jobs values {}", rows.collect::<Vec<_>>().join(", "))
    };
    office.desktop.batch_execute(&insert(1)).await.unwrap();
    // A first load that stops among them begins anew.
    office.forward_stopping_after(1, &Request::default()).await;
    assert_eq!(counts(of(&office.forward().await, "jobs")), [5, 3, 0, 2, 0]);
    office.desktop.batch_execute(&insert(11)).await.unwrap();
    office.desktop.batch_execute("update jobs set name = 'edited' where id = 1").await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [0; 5]);
    assert_eq!(counts(of(&office.forward_full().await, "jobs")), [10, 5, 1, 4, 0]);
    assert_eq!(counts(of(&office.forward().await, "jobs")), [0; 5]);
}

const FAMILY: &str = "
    create table jobs (id integer primary key, source text, updated_at timestamptz, created_at timestamptz);
    create table tasks (id integer primary key, job integer references jobs,
        source text, updated_at timestamptz, created_at timestamptz);";

#[tokio::test(flavor = "multi_thread")]
async fn r21_cross_table_tear() {
    let office = Office::open(FAMILY, &["jobs", "tasks"]).await;
    let family = |id: u32| {
        format!(
            "insert into jobs values ({id}, 'D', now(), now()); \
             insert into tasks values ({id}, {id}, 'D', now(), now())"
        )
    };
    office.desktop.batch_execute(&family(1)).await.unwrap();
    let second = family(2);
    // Both are committed when jobs have been read, and tasks have not.
    let between = |event: Event<'_>, _: &CancellationToken| {
        if let Event::Batch { table: "jobs", .. } = event {
            let commit = office.desktop.batch_execute(&second);
            block_in_place(|| Handle::current().block_on(commit)).unwrap();
        }
    };
    let report = office.forward_watched(&Request::default(), &between).await;
    for table in ["jobs", "tasks"] {
        assert_eq!(counts(of(&report, table)), [1, 1, 0, 0, 0], "{table} as the snapshot saw it");
    }
    let report = office.forward().await;
    for table in ["jobs", "tasks"] {
        assert_eq!(of(&report, table).inserted, 1);
    }
    assert!(office.withheld().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn stamps_without_a_zone_need_assume_timezone() {
    let schema = JOBS.to_owned() + &JOBS.replace("jobs", "tasks");
    let mut office = Office::open(&schema, &["jobs", "tasks"]).await;
    for table in ["jobs", "tasks"] {
        let naive = format!(
            "alter table {table} alter updated_at type timestamp, alter created_at type timestamp;
             insert into {table} values (1, 'winter', 'D', '2026-01-15 12:00:00.123456', null),
                (2, 'summer', 'D', null, '2026-07-15 12:00:00')"
        );
        office.desktop.batch_execute(&naive).await.unwrap();
    }
    let refused = office.tidegate(&["forward"]);
    assert_eq!(refused.status.code(), Some(10));
    let said = String::from_utf8(refused.stdout).unwrap();
    assert!(said.contains("a timestamp without a zone"), "{said}");
    assert!(said.contains("assume_timezone = \"Europe/London\""), "{said}");

    let zones = [("jobs", "Europe/London"), ("tasks", "America/New_York")];
    let tables =
        zones.map(|(table, zone)| format!("[tables.{table}]\nassume_timezone = \"{zone}\"\n"));
    office.configure_tables(&tables.concat());
    assert_eq!(office.forward().await.exit_code(true), 0);
    let instants = |table: &str| {
        let utc =
            "to_char(greatest(updated_at, created_at) at time zone 'UTC', 'MM-DD HH24:MI:SS.US')";
        format!("select string_agg({utc}, ', ' order by id) from {table}")
    };
    let london = value(&office.cloud, &instants("jobs")).await;
    assert_eq!(london, "01-15 12:00:00.123456, 07-15 11:00:00.000000");
    let new_york = value(&office.cloud, &instants("tasks")).await;
    assert_eq!(new_york, "01-15 17:00:00.123456, 07-15 16:00:00.000000");

    for (table, zone) in zones {
        let edit = format!(
            "set timezone = '{zone}'; update {table} set name = 'edited', updated_at = now() where id = 1"
        );
        office.desktop.batch_execute(&edit).await.unwrap();
    }
    let report = office.forward().await;
    for (table, _) in zones {
        assert_eq!(counts(of(&report, table)), [1, 0, 1, 0, 0], "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_bounded_by_bytes_too() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("batch_rows = 1000\nbatch_bytes = \"256KiB\"");
    let fill = "insert into jobs select i, repeat('x', 100000), 'D', now(), now() \
                from generate_series(1, 12) i";
    office.desktop.batch_execute(fill).await.unwrap();
    // Three rows fill a batch; the third batch is the last before the stop.
    let stopped = office.forward_stopping_after(3, &Request::default()).await;
    assert_eq!((stopped.exit_code(false), of(&stopped, "jobs").read), (130, 9));
    assert_eq!(rows(&office).await, "9");
}

/// A reader that is cut off goes on from the position, or begins again, within the same run.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_breaks_off_goes_on() {
    for full in [false, true] {
        let office = Office::open(JOBS, &["jobs"]).await;
        office.configure("batch_rows = 100");
        let fill = "insert into jobs select i, repeat('x', 3000), 'D', now() - interval '1 day' + i \
            * interval '1 s', null from generate_series(1, 9000) i";
        office.desktop.batch_execute(fill).await.unwrap();
        let batches = Cell::new(0);
        let cut = "select count(pg_terminate_backend(pid))::text from pg_stat_activity \
            where datname = 'desktop' and query ilike '%copy (%' and state = 'active' \
            and pid <> pg_backend_pid()";
        let watch = |event: Event<'_>, _: &CancellationToken| {
            batches.set(batches.get() + usize::from(matches!(event, Event::Batch { .. })));
            if batches.get() == 5 && matches!(event, Event::Batch { .. }) {
                let cut = async { value(&office.cloud, cut).await };
                let found = block_in_place(|| Handle::current().block_on(cut));
                assert_eq!(found, "1", "nobody was reading");
            }
        };
        let request = Request { full, ..Request::default() };
        let report = office.forward_watched(&request, &watch).await;
        assert_eq!(report.exit_code(false), 0, "{report:?}");
        assert_eq!(of(&report, "jobs").inserted, 9000, "{report:?}");
        assert!(full || of(&report, "jobs").read < 9200, "{report:?}");
        office
            .same_on_both_ends("select md5(string_agg(j::text, '' order by id)) from jobs j")
            .await;
    }
}

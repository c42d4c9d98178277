//! Edges at which a run once lost, forgot or stopped something that it should not have.

use std::process::{Child, Stdio};

use tidegate::run::{Outcome, Request};
use tidegate::sql::Sql;

use crate::support::{JOBS, Office, counts, of, until, value};

const STAMP: &str = "timestamptz '2026-03-02 12:00+00'";

/// `jobs` with keys of one type on the desktop and of another in the cloud.
async fn office_with_keys(desktop: &str, cloud: &str, settings: &str) -> Office {
    let office = Office::open("", &["jobs"]).await;
    for (session, key) in [(&office.desktop, desktop), (&office.cloud, cloud)] {
        let schema = JOBS.replace("id integer", &format!("id {key}"));
        session.batch_execute(&schema).await.unwrap();
    }
    office.configure(settings);
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_goes_on_after_a_key_without_a_zone() {
    let settings = "batch_rows = 10\nassume_timezone = \"America/New_York\"";
    let office = office_with_keys("timestamp", "timestamptz", settings).await;
    let fill = format!(
        "insert into jobs select timestamp '2026-03-01' + i * interval '10 minutes', 'x', 'D',
            {STAMP}, {STAMP} from generate_series(1, 60) i"
    );
    office.desktop.batch_execute(&fill).await.unwrap();
    office.forward_stopping_after(1, &Request::default()).await;
    office.forward().await;
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "60");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withheld_key_without_a_zone_is_found_again() {
    let settings = "lag = \"0s\"\nassume_timezone = \"America/New_York\"";
    let office = office_with_keys("timestamp", "timestamptz", settings).await;
    let row = |key: &str, owner: &str| {
        format!("insert into jobs values ('{key}', '{owner}', '{owner}', {STAMP}, {STAMP})")
    };
    office.desktop.batch_execute(&row("2026-03-01 07:00", "D")).await.unwrap();
    office.cloud.batch_execute(&row("2026-03-01 12:00+00", "M")).await.unwrap();
    office.forward().await;
    assert_eq!(office.withheld().await.len(), 1);
    office.cloud.batch_execute("delete from jobs").await.unwrap();
    office.forward().await;
    assert_eq!(value(&office.cloud, "select name from jobs").await, "D");
    assert!(office.withheld().await.is_empty());
}

/// '0011' arrives as 11, and 11 is not found on the desktop.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_would_not_be_found_again_is_refused() {
    let office = office_with_keys("text", "integer", "").await;
    let report = office.forward().await;
    let trouble = of(&report, "jobs").error.as_ref().unwrap();
    let message = "the key column id is a text on the desktop and a integer in the cloud";
    assert!(trouble.message.contains(message), "{trouble:?}");
    assert_eq!(report.exit_code(false), 10);
}

/// A key column that has another name now can't be asked for, which doesn't mean that it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_key_forgets_no_withheld_row() {
    let office = office_with_keys("integer", "integer", "lag = \"0s\"").await;
    for (session, owner) in [(&office.desktop, "D"), (&office.cloud, "M")] {
        let insert = format!("insert into jobs values (1, '{owner}', '{owner}', {STAMP}, {STAMP})");
        session.batch_execute(&insert).await.unwrap();
    }
    office.forward().await;
    for session in [&office.desktop, &office.cloud] {
        session.batch_execute("alter table jobs rename id to job_id").await.unwrap();
    }
    office.forward().await;
    assert_eq!(office.withheld().await, [r#"{"id": "1"} key_collision"#]);
}

/// The reader of the failed table is in the middle of its COPY when it is told to stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_table_leaves_no_open_transaction_to_the_next() {
    let schema = JOBS.to_owned() + &JOBS.replace("jobs", "later");
    let office = Office::open(&schema, &["jobs", "later"]).await;
    office.configure("workers = 1\nbatch_rows = 10\nbatch_bytes = \"1GiB\"\nmax_withheld = 1");
    let fill = "insert into jobs select i, 'x', 'D', now(), now() from generate_series(1, 10) i;
        insert into jobs select i, repeat('x', 20000000), 'D', now() + interval '1 s', now()
            from generate_series(11, 40) i;
        insert into later select i, 'x', 'D', now(), now() from generate_series(1, 5) i";
    office.desktop.batch_execute(fill).await.unwrap();
    office.cloud.batch_execute("alter table jobs add check (id > 5)").await.unwrap();
    let report = office.forward().await;
    assert_eq!(of(&report, "jobs").outcome, Outcome::Failed);
    assert_eq!(counts(of(&report, "later")), [5, 5, 0, 0, 0]);
}

/// A COPY lasts as long as the merge of what it reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_timeout_of_the_desktop_cuts_no_read() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("batch_rows = 200");
    let fill = "insert into jobs select i, repeat('x', 3000), 'D', now(), now()
            from generate_series(1, 10000) i;
        alter database desktop set statement_timeout = '300ms'";
    office.desktop.batch_execute(fill).await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [10000, 10000, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_named_twice_is_synced_once() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let insert = "insert into jobs values (1, 'job', 'D', now(), now())";
    office.desktop.batch_execute(insert).await.unwrap();
    let run = office.tidegate(&["forward", "--table", "jobs", "--table", "public.jobs"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
}

/// What shares the schema with tidegate's tables is watched like anything else.
#[tokio::test(flavor = "multi_thread")]
async fn the_check_sees_other_tables_in_our_schema() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let blind = "create table tidegate.photos (id integer primary key);
        insert into tidegate.photos values (1);
        create function wipe() returns trigger language plpgsql as
            $$ begin delete from tidegate.photos; return null; end $$;
        create trigger wipe after insert on jobs for each row execute function wipe()";
    office.cloud.batch_execute(blind).await.unwrap();
    let insert = "insert into jobs values (1, 'job', 'D', now(), now())";
    office.desktop.batch_execute(insert).await.unwrap();
    let report = office.forward().await;
    assert_eq!(of(&report, "jobs").outcome, Outcome::VerificationFailed);
    assert_eq!(value(&office.cloud, "select count(*)::text from tidegate.photos").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn tidegates_tables_may_stand_beside_the_synced_ones() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let config = std::fs::read_to_string(office.config_path()).unwrap();
    let config = config.replace("[sync]", "schema = \"public\"\n[sync]");
    std::fs::write(office.config_path(), config).unwrap();
    assert!(office.tidegate(&["migrate"]).status.success());
    let insert = "insert into jobs values (1, 'job', 'D', now(), now())";
    office.desktop.batch_execute(insert).await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [1, 1, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_migrations_at_once_are_one() {
    let office = Office::open(JOBS, &["jobs"]).await;
    for _ in 0..5 {
        office.cloud.batch_execute("drop schema tidegate cascade").await.unwrap();
        let start = || office.command(&["migrate"]).stdout(Stdio::piped()).spawn().unwrap();
        for child in [start(), start(), start()] {
            let migrated = Child::wait_with_output(child).unwrap();
            assert!(migrated.status.success(), "{migrated:?}");
        }
    }
}

/// The connection that has read the state waits for the end of the run.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_that_is_cut_is_replaced() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("batch_rows = 100");
    let fill = "insert into jobs select i, 'x', 'D', now(), now() from generate_series(1, 5000) i";
    office.desktop.batch_execute(fill).await.unwrap();
    let mut command = office.command(&["forward", "--output", "json"]);
    let run = std::thread::spawn(move || command.output().unwrap());
    until(&office.cloud, "select count(*) > 0 from jobs").await;
    let cut = "select count(pg_terminate_backend(pid))::text from pg_stat_activity
        where application_name = 'tidegate writer' and state = 'idle' and query like '%count(*)%'";
    assert_eq!(value(&office.cloud, cut).await, "1");
    let run = run.join().unwrap();
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let done = "select outcome || (finished_at is not null) from tidegate._sync_runs";
    assert_eq!(value(&office.cloud, done).await, "oktrue");
}

/// What was rehearsed is gone with the failed batch, so nothing after it could be true.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_goes_on_after_a_table_that_fails() {
    let schema = JOBS.to_owned()
        + &JOBS.replace("jobs", "bad")
        + &JOBS.replace("jobs", "tasks")
        + "alter table tasks add job integer references jobs;";
    let office = Office::open(&schema, &["jobs", "bad", "tasks"]).await;
    let fill = "insert into jobs values (1, 'job', 'D', now(), now());
        insert into bad select i, 'bad', 'D', now(), now() from generate_series(1, 2) i; insert into tasks select *, 1 from jobs";
    office.desktop.batch_execute(fill).await.unwrap();
    office.cloud.batch_execute("alter table bad add check (id > 5)").await.unwrap();
    office.configure("max_withheld = 1");
    let dry = Request { dry_run: true, ..Request::default() };
    let report = office.run(&dry, &Sql::default()).await.unwrap();
    assert_eq!(of(&report, "bad").outcome, Outcome::Failed);
    assert_eq!(counts(of(&report, "tasks")), [1, 1, 0, 0, 0]);
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "0");
}

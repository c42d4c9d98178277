//! What the transaction really wrote: triggers of the target, and the faults that they make.

use super::{JOBS, OLD, execute, forward, trouble};
use crate::support::{Office, counts, of, value};

const AUDIT: &str = "
    create schema audit;
    create table audit.job_log (at timestamptz, job integer);
    create function log_job() returns trigger language plpgsql as $$
        begin insert into audit.job_log values (now(), new.id); return null; end $$;
    create trigger log after insert or update on jobs for each row execute function log_job();";

const ONE_JOB: &str = "insert into jobs values (1, 'one', 'D', now(), now())";

#[tokio::test(flavor = "multi_thread")]
async fn m21_audit_trigger() {
    let mut office = Office::open(JOBS, &["jobs"]).await;
    execute(&office.cloud, AUDIT).await;
    execute(&office.desktop, ONE_JOB).await;
    let report = office.forward().await;
    assert_eq!(report.exit_code(false), 20);
    let message = trouble(&report, "jobs");
    assert!(message.contains("audit.job_log: planned 0 inserted"), "{message}");
    assert!(of(&report, "jobs").error.as_ref().unwrap().remedy.contains("also_writes"));
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "0");
    office.configure_tables("[tables.jobs]\nalso_writes = [\"audit.job_log\"]\n");
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [1, 1, 0, 0, 0]);
    assert_eq!(value(&office.cloud, "select count(*)::text from audit.job_log").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn m21_audit_trigger_of_a_partitioned_table() {
    let mut office = Office::open(JOBS, &["jobs"]).await;
    let partitioned = AUDIT.replace(
        "(at timestamptz, job integer);",
        "(at timestamptz, job integer) partition by list (job);
         create table audit.job_log_1 partition of audit.job_log for values in (1);
         create table audit.job_log_x partition of audit.job_log default;",
    );
    execute(&office.cloud, &partitioned).await;
    let jobs = "insert into jobs select i, 'job', 'D', now(), now() from generate_series(1, 3) i";
    execute(&office.desktop, jobs).await;
    // One partition's name allows no other.
    office.configure_tables("[tables.jobs]\nalso_writes = [\"audit.job_log_1\"]\n");
    let report = office.forward().await;
    assert_eq!(report.exit_code(false), 20);
    assert!(trouble(&report, "jobs").contains("audit.job_log_x: planned 0"));
    office.configure_tables("[tables.jobs]\nalso_writes = [\"audit.job_log\"]\n");
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [3, 3, 0, 0, 0]);
}

/// Triggers that destroy mobile work when a desktop row arrives.
const KILLERS: [(&str, &str); 5] = [
    (
        "kills one and makes one",
        "delete from jobs where id = 90; insert into jobs values (91, 'new', 'M');",
    ),
    ("overwrites one", "update jobs set name = 'lost' where id = 90 and name <> 'lost';"),
    ("hands one over", "update jobs set source = 'D' where id = 90 and source <> 'D';"),
    ("kills by cascade", "delete from customers where id = 1;"),
    ("truncates", "truncate notes;"),
];

#[tokio::test(flavor = "multi_thread")]
async fn m07_masked_kill_and_m08_same_count_content() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let mobile = format!(
        "insert into jobs values (90, 'mobile', 'M', {OLD}, {OLD});
         create table notes (id integer); insert into notes values (1);
         create table customers (id integer primary key); insert into customers values (1);
         create table visits (customer integer references customers on delete cascade);
         insert into visits values (1);"
    );
    execute(&office.cloud, &mobile).await;
    execute(&office.desktop, ONE_JOB).await;
    let all = "select (select string_agg(j::text, ';' order by id) from jobs j) || ' '
        || (select count(*) from notes) || ' ' || (select count(*) from visits)";
    let before = value(&office.cloud, all).await;
    for (fault, body) in KILLERS {
        for kind in ["", "constraint"] {
            let deferred = if kind.is_empty() { "" } else { "deferrable initially deferred" };
            let trigger = format!(
                "create or replace function killer() returns trigger language plpgsql as $$
                    begin if pg_trigger_depth() = 1 then {body} end if; return null; end $$;
                 create {kind} trigger killer after insert on jobs {deferred}
                    for each row execute function killer()"
            );
            execute(&office.cloud, &trigger).await;
            let report = office.forward().await;
            assert_eq!(report.exit_code(false), 20, "{fault} {kind}: {report:?}");
            assert_eq!(value(&office.cloud, all).await, before, "{fault} {kind}");
            execute(&office.cloud, "drop trigger killer on jobs").await;
        }
    }
    assert_eq!(counts(of(&forward(&office).await, "jobs")), [1, 1, 0, 0, 0]);
}

/// A trigger that relies on the role's search_path, in a schema that is not in ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_trigger_with_unqualified_names_works() {
    let mut office = Office::open("create schema app;", &["app.jobs"]).await;
    for client in [&office.desktop, &office.cloud] {
        execute(client, &JOBS.replace("table jobs", "table app.jobs")).await;
    }
    let cloud = "
        alter database cloud set search_path = app, public;
        create type app.mood as enum ('good', 'bad');
        alter table app.jobs add mood app.mood;
        create table app.job_log (job integer, label text);
        create function app.label_of(job integer) returns text language sql as $$ select 'no. ' || job $$;
        create function app.log_job() returns trigger language plpgsql as $$
            begin insert into job_log values (new.id, label_of(new.id)); return new; end $$;
        create trigger log before insert on app.jobs for each row execute function app.log_job();";
    execute(&office.cloud, cloud).await;
    execute(&office.desktop, "alter table app.jobs add mood text").await;
    let one = "insert into app.jobs values (1, 'one', 'D', now(), now(), 'bad')";
    execute(&office.desktop, one).await;
    office.configure_tables("[tables.\"app.jobs\"]\nalso_writes = [\"app.job_log\"]\n");
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "app.jobs")), [1, 1, 0, 0, 0], "{report:?}");
    assert_eq!(value(&office.cloud, "select label from app.job_log").await, "no. 1");
    assert_eq!(value(&office.cloud, "select mood::text from app.jobs").await, "bad");
}

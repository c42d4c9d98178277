//! The row-count check: mobile rows are as many as the last record and the change log make, or it is
//! an alarm.

mod alarms;
mod random;
mod verified;

use std::process::Output;

use serde_json::Value;
use tidegate::run::{Outcome, Request, RunReport};
use tidegate::sql::Sql;
use tokio_postgres::Client;

use crate::support::{JOBS, Office, of, value};

/// Rows 1 to 10 of the desktop, 101 to 120 of mobile users, counted; and the change log.
async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    log_changes(&office).await;
    let fill = "insert into jobs select i, 'job', 'D', now() - interval '1 day', null \
        from generate_series(1, 10) i";
    office.desktop.batch_execute(fill).await.unwrap();
    on_the_phone(&office, &mobile("101, 120")).await;
    assert_eq!(office.forward().await.exit_code(true), 0);
    office
}

/// The triggers of the change log, unless they are there.
async fn log_changes(office: &Office) {
    let install = "do $$ begin
        if not exists (select from tidegate._sync_logged where table_name = 'jobs') then
            create trigger _sync_log_change after insert or update or delete on jobs for each row
                when (coalesce(current_setting('tidegate.writing', true), '') = '')
                execute function tidegate._sync_log_change('jobs', 'source', 'id');
            alter table jobs enable always trigger _sync_log_change;
            insert into tidegate._sync_logged values ('jobs', now(), pg_current_xact_id());
        end if;
    end $$";
    on_the_phone(office, install).await;
}

fn mobile(range: &str) -> String {
    format!("insert into jobs select i, 'phone', 'M', now(), now() from generate_series({range}) i")
}

async fn on_the_phone(office: &Office, sql: &str) {
    office.cloud.batch_execute(sql).await.unwrap();
}

/// What the change log misses.
async fn unseen(session: &Client, sql: &str) {
    let unseen = format!("set tidegate.writing = 'forward'; {sql}; reset tidegate.writing");
    session.batch_execute(&unseen).await.unwrap();
}

async fn edit_at_the_desk(office: &Office) {
    let edit = "update jobs set name = name || '.', updated_at = clock_timestamp() where id = 1";
    office.desktop.batch_execute(edit).await.unwrap();
}

/// A run that writes, and therefore counts.
async fn counting_run(office: &Office) -> RunReport {
    counting_run_with(office, &Sql::default()).await
}

async fn counting_run_with(office: &Office, sql: &Sql) -> RunReport {
    edit_at_the_desk(office).await;
    let report = office.run(&Request::default(), sql).await.unwrap();
    assert_eq!(of(&report, "jobs").updated, 1);
    report
}

/// Such a run as a process.
async fn program(office: &Office) -> Output {
    edit_at_the_desk(office).await;
    tokio::task::block_in_place(|| office.tidegate(&["forward"]))
}

fn is_quiet(report: &RunReport) {
    assert_eq!(report.exit_code(false), 0, "{report:?}");
}

/// Exit 20, and the message begins with `said`.
fn alarms(report: &RunReport, said: &str) {
    let table = of(report, "jobs");
    assert_eq!(report.exit_code(false), 20, "{report:?}");
    assert_eq!(table.outcome, Outcome::VerificationFailed);
    let message = &table.error.as_ref().unwrap().message;
    assert!(message.starts_with(said), "{message}");
}

async fn mobile_rows(office: &Office) -> String {
    value(&office.cloud, "select count(*)::text from jobs where source = 'M'").await
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

//! What operators see when the check has refused a batch, and when mobile rows fell between runs.

use std::process::Output;

use crate::support::{JOBS, Office, column, value};

const FAULT: &str = "create function fault() returns trigger language plpgsql as \
    $$ begin delete from jobs where id = 99999; return null; end $$; \
    create trigger fault after insert on jobs for each statement execute function fault()";

/// Two desktop jobs, a mobile one, all counted.
async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let mobile = "insert into jobs values (99999, 'made on the phone', 'M', now(), now())";
    office.cloud.batch_execute(mobile).await.unwrap();
    desktop_writes(&office, 1).await;
    assert_eq!(office.forward().await.exit_code(true), 0);
    desktop_writes(&office, 2).await;
    office
}

async fn desktop_writes(office: &Office, id: i32) {
    let write = "insert into jobs values ($1, 'job', 'D', now(), now())";
    office.desktop.execute(write, &[&id]).await.unwrap();
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_on_record_though_the_batch_was_rolled_back() {
    let office = office().await;
    office.cloud.batch_execute(FAULT).await.unwrap();
    let jobs = "select jobs::text from jobs order by id";
    let before = column(&office.cloud, jobs, &[]).await;
    let failures = "select consecutive_failures::text from tidegate._sync_metadata";
    let record = "select outcome || ': ' || error from tidegate._sync_runs \
                  order by started_at desc limit 1";
    for failure in 1..=2 {
        let output = office.tidegate(&["forward"]);
        assert_eq!(output.status.code(), Some(20), "{output:?}");
        assert_eq!(column(&office.cloud, jobs, &[]).await, before);
        assert_eq!(value(&office.cloud, failures).await, failure.to_string());
        let said = value(&office.cloud, record).await;
        assert!(said.starts_with("verification_failed: the transaction wrote"), "{said}");
        assert!(said.contains("jobs: planned 1 inserted"), "{said}");
        assert!(said.contains("1 deleted"), "{said}");
    }
    office.cloud.batch_execute("drop function fault cascade").await.unwrap();
    assert_eq!(office.tidegate(&["forward"]).status.code(), Some(0));
    assert_eq!(value(&office.cloud, failures).await, "0");
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fall_of_mobile_rows_that_no_log_tells_of_is_a_loud_warning() {
    let office = office().await;
    let unlogged = "drop trigger _sync_log_change on jobs; drop trigger _sync_log_truncate on jobs; \
                    delete from tidegate._sync_logged; delete from jobs where id = 99999";
    office.cloud.batch_execute(unlogged).await.unwrap();
    let output = office.tidegate(&["forward"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = stderr(&output);
    assert!(said.contains("WARN"), "{said}");
    assert!(said.contains("jobs: mobile rows fell from 1 to 0"), "{said}");
    // Said once: the new count is the one to compare with.
    desktop_writes(&office, 3).await;
    let output = office.tidegate(&["forward"]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
}

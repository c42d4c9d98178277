//! Withheld rows that are tried again.

use crate::support::{JOBS, Office, counts, of};

/// The second run meets the row among the changes and on the list of the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_busy_in_two_runs_is_asked_for_once() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let write = "insert into jobs values (1, 'a', 'D', now(), now())";
    office.desktop.batch_execute(write).await.unwrap();
    office.forward().await;
    let edit = "update jobs set name = 'b', updated_at = now()";
    office.desktop.batch_execute(edit).await.unwrap();
    let mobile = office.cloud_session().await;
    mobile.batch_execute("begin; select from jobs for update").await.unwrap();
    for run in 1..=2 {
        let report = office.forward().await;
        assert_eq!(report.exit_code(false), 0, "run {run}: {report:?}");
        assert_eq!(counts(of(&report, "jobs")), [1, 0, 0, 0, 1], "run {run}");
        assert_eq!(office.withheld().await, [r#"{"id": "1"} busy"#], "run {run}");
    }
    mobile.batch_execute("rollback").await.unwrap();
    assert_eq!(of(&office.forward().await, "jobs").updated, 1);
    office.same_on_both_ends("select jobs::text from jobs").await;
    assert!(office.withheld().await.is_empty());
}

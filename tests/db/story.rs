//! What the program is for: the runs that destroyed mobile work before.

use crate::support::{JOBS, Office, counts, of, value};

const MOBILE_JOB: &str = "insert into jobs values (99999, 'made on the phone', 'M', now(), now())";

async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = "insert into jobs select i, 'job ' || i, 'D', now() - interval '1 day', \
                now() - interval '1 day' from generate_series(1, 500) i";
    office.desktop.batch_execute(fill).await.unwrap();
    office.forward().await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mobile_job_survives_forward_runs_also_full_ones() {
    let office = office().await;
    office.cloud.batch_execute(MOBILE_JOB).await.unwrap();
    let before = value(&office.cloud, "select jobs::text from jobs where id = 99999").await;
    for full in [false, true, true] {
        let report = if full { office.forward_full().await } else { office.forward().await };
        assert_eq!(report.exit_code(true), 0, "{report:?}");
    }
    let after = value(&office.cloud, "select jobs::text from jobs where id = 99999").await;
    assert_eq!(before, after);
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "501");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_update_arrives_while_a_mobile_job_stays() {
    let office = office().await;
    let mobile = "update jobs set name = 'mobile', source = 'M', updated_at = now() where id = 200";
    office.cloud.batch_execute(mobile).await.unwrap();
    let desktop = "update jobs set name = 'desktop', updated_at = now() where id in (100, 200)";
    office.desktop.batch_execute(desktop).await.unwrap();
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [2, 0, 1, 0, 1]);
    assert_eq!(value(&office.cloud, "select name from jobs where id = 100").await, "desktop");
    assert_eq!(value(&office.cloud, "select name from jobs where id = 200").await, "mobile");
    assert_eq!(office.withheld().await, [r#"{"id": "200"} key_collision"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_desktop_edit_wins_over_an_earlier_mobile_edit() {
    let office = office().await;
    let mobile = "update jobs set name = 'mobile', updated_at = now() where id = 300";
    office.cloud.batch_execute(mobile).await.unwrap();
    let desktop = "update jobs set name = 'desktop', updated_at = clock_timestamp() where id = 300";
    office.desktop.batch_execute(desktop).await.unwrap();
    office.forward().await;
    assert_eq!(value(&office.cloud, "select name from jobs where id = 300").await, "desktop");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_desktop_row_never_reverts_a_mobile_edit_also_not_full() {
    let office = office().await;
    let desktop = "update jobs set name = 'desktop', updated_at = now() where id = 300";
    office.desktop.batch_execute(desktop).await.unwrap();
    let mobile = "update jobs set name = 'mobile', updated_at = clock_timestamp() where id = 300";
    office.cloud.batch_execute(mobile).await.unwrap();
    for full in [false, true] {
        if full {
            office.forward_full().await
        } else {
            office.forward().await
        };
        assert_eq!(value(&office.cloud, "select name from jobs where id = 300").await, "mobile");
        assert_eq!(office.withheld().await, [r#"{"id": "300"} pending_mobile_edit"#]);
    }
}

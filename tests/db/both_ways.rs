//! Both directions.

mod matrix;
mod owners;
mod settling;
mod stamps;

use crate::support::{JOBS, Office, counts, of, value};

/// Mobile work comes home, and the run after it has nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn mobile_rows_and_mobile_edits_come_home() {
    let office = Office::both_ways(JOBS, &["jobs"]).await;
    let fill =
        "insert into jobs select i, 'desktop', 'D', now(), now() from generate_series(1, 9) i";
    office.desktop.batch_execute(fill).await.unwrap();
    office.sync().await;
    let work = "insert into jobs values (100, 'mobile', 'M', now(), now()); \
                update jobs set name = 'edited', updated_at = now() where id = 3";
    office.cloud.batch_execute(work).await.unwrap();
    let report = office.reverse().await;
    assert_eq!(counts(of(&report, "jobs")), [2, 1, 1, 0, 0], "{report:?}");
    let all = "select string_agg(jobs::text, ' ' order by id) from jobs";
    assert_eq!(value(&office.desktop, all).await, value(&office.cloud, all).await);
    let again = office.sync().await;
    assert_eq!(again.written() + again.withheld(), 0, "{again:?}");
}

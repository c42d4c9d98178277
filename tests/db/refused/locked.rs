//! What somebody holds, and what takes too long.

use std::time::{Duration, Instant};

use tidegate::run::{Outcome, Request};
use tidegate::sql::Sql;

use super::{execute, fill, office};
use crate::support::{counts, of};

/// A statement that takes too long is tried with fewer rows.
#[tokio::test(flavor = "multi_thread")]
async fn p07_statement_timeout() {
    let slow = "create function slow() returns trigger language plpgsql as \
        $$ begin perform pg_sleep(0.005); return new; end $$; \
        create trigger slow before insert on jobs for each row execute function slow()";
    let office = office(slow).await;
    fill(&office, 150).await;
    let impatient = Sql::default().planted("postgres/begin.sql", "5min", "300ms");
    let report = office.run(&Request::default(), &impatient).await.unwrap();
    assert_eq!(counts(of(&report, "jobs")), [150, 150, 0, 0, 0], "{report:?}");
    office.same_on_both_ends("select jobs::text from jobs order by id").await;
}

/// Somebody who holds the whole table is not taken for somebody who holds its rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_is_left_for_the_next_run() {
    let office = office("").await;
    fill(&office, 100).await;
    let admin = office.cloud_session().await;
    execute(&admin, "begin; lock table jobs in share mode").await;
    let start = Instant::now();
    let report = office.forward().await;
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(of(&report, "jobs").outcome, Outcome::Failed);
    assert_eq!(counts(of(&report, "jobs")), [0; 5]);
    assert!(office.withheld().await.is_empty());
    execute(&admin, "commit").await;
    assert_eq!(of(&office.forward().await, "jobs").inserted, 100);
}

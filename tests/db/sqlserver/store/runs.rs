//! What runs leave on record, and what the next one reads of it.

use std::collections::BTreeMap;

use tidegate::error::Kind;
use tidegate::model::{
    Account, Capture, Horizon, Ownership, Position, Reached, Reason, Tally, Verdict,
};
use tidegate::store::Finished;
use tidegate::store::sqlserver::{Occasion, WithheldEntry};
use uuid::Uuid;

use super::{Desktop, REVERSE, commit, of, plan};

fn ownership() -> Ownership {
    Ownership { column: "source".into(), desktop: "D".into(), mobile: "M".into() }
}

/// Two rows inserted, one withheld.
fn account() -> Account {
    let mut tally = Tally::default();
    tally.add(Verdict::Insert, 2);
    tally.add(Verdict::Withheld(Reason::BadValue), 1);
    Account { read: 3, tally }
}

#[tokio::test]
async fn a_run_begins_where_the_last_one_stopped() {
    let desktop = Desktop::open().await;
    let plan = desktop.table("counted", "id int not null primary key, source nchar(3)").await;
    desktop
        .run("insert into {}.counted values (1, N'M'), (2, N'M'), (3, N'D'), (4, null), (5, N'm')")
        .await;
    let (store, mut connection) = (desktop.store(), desktop.connection().await);
    assert_eq!(store.count_mobile(&mut connection, &plan).await.unwrap(), 2);
    let count = store.count_rows(&mut connection, &plan).await.unwrap();
    let rows = [("", 1), ("D", 1), ("M", 2), ("m", 1)];
    assert_eq!(count.owners, rows.map(|(owner, rows)| (owner.to_owned(), rows)).into());
    for run_id in [Uuid::now_v7(), Uuid::now_v7()] {
        for _ in 0..2 {
            store.record_counts(&mut connection, run_id, &[count.of("counted")]).await.unwrap();
        }
    }
    let mut batch = desktop.transaction().await;
    let claimed = store.claim(&mut batch, "counted", REVERSE).await.unwrap();
    let of = of("counted", Uuid::now_v7());
    let refused = WithheldEntry {
        key: "{\"id\": \"9\"}".into(),
        reason: Reason::BadValue,
        detail: Some("too long".into()),
        row: "{}".into(),
        target_row: None,
        target_version: None,
        since: None,
        contested: false,
    };
    store.withhold(&mut batch, &of, &[refused], Occasion::InPassing).await.unwrap();
    let noon = Reached::End(Horizon(Some("2026-03-01 12:00:00+00".into())));
    let from = (&claimed.at, Capture::Timestamp);
    let at = store.move_position(&mut batch, &of, from, &noon, "7000 cloud").await.unwrap();
    commit(batch).await;
    let labels = ["none".to_owned(), "counted".to_owned()];
    let state = store.state(&mut connection, REVERSE, &labels, &ownership()).await.unwrap();
    let [none, jobs] = state.tables.try_into().unwrap();
    assert_eq!((none.position, none.withholds, none.mobile), (Position::default(), false, None));
    assert_eq!((jobs.position, jobs.withholds, jobs.mobile), (at, true, Some(2)));
    assert_eq!(jobs.source_identity.as_deref(), Some("7000 cloud"));
    let moved = jobs.moved.unwrap();
    assert_eq!(moved.watermark, 1_772_366_400.0);
    assert!((0.0..60.0).contains(&moved.ago), "{moved:?}");
    let status = store.status(&mut connection, &labels, REVERSE).await.unwrap();
    assert_eq!(status[1].counts, count.owners);
    assert_eq!(status[1].withheld_by, [("bad_value".to_owned(), 1)].into());
    assert_eq!(status[1].refused[0].detail, "too long");
    assert!(status[1].lag_seconds.is_some_and(|lag| lag > 0), "{status:?}");
    assert_eq!((status[0].last_sync.as_ref(), status[0].lag_seconds), (None, None));
    desktop.close().await;
}

#[tokio::test]
async fn a_run_is_on_record_with_its_rows_and_its_end() {
    let desktop = Desktop::open().await;
    let (store, plan) = (desktop.store(), plan(&desktop.schema, "jobs"));
    let run_id = Uuid::now_v7();
    let labels = ["jobs".to_owned()];
    let mut connection = desktop.connection().await;
    store.record_failure(&mut connection, &plan).await.unwrap();
    store.record_failure(&mut connection, &plan).await.unwrap();
    store.record_run(&mut connection, &of("jobs", run_id), &account()).await.unwrap();
    let status = store.status(&mut connection, &labels, REVERSE).await.unwrap().remove(0);
    assert_eq!(status.consecutive_failures, 2);
    let last = status.last_run.unwrap();
    assert_eq!((last.outcome.as_str(), last.inserted, last.withheld), ("running", 2, 1));
    assert_eq!(last.run_id, run_id.to_string());
    let finished = Finished {
        outcome: "failed",
        read: 3,
        inserted: 2,
        updated: 0,
        unchanged: 0,
        withheld: 1,
        withheld_by: &BTreeMap::from([(Reason::BadValue, 1)]),
        mobile_before: None,
        mobile_after: Some(7),
        watermark_from: None,
        watermark: Some("2026-03-01 12:00:00+00"),
        seconds: 1.5,
        error: Some("„no“ ✓".into()),
    };
    store.finish_run(&mut connection, run_id, &plan, &finished).await.unwrap();
    let status = store.status(&mut connection, &labels, REVERSE).await.unwrap().remove(0);
    let last = status.last_run.unwrap();
    assert_eq!((last.outcome.as_str(), last.error.as_deref()), ("failed", Some("„no“ ✓")));
    desktop.close().await;
}

#[tokio::test]
async fn without_the_tables_a_run_says_that_migrate_is_missing() {
    let desktop = Desktop::bare();
    let (store, mut connection) = (desktop.store(), desktop.connection().await);
    let labels = ["jobs".to_owned()];
    let error = store.state(&mut connection, REVERSE, &labels, &ownership()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.remedy().contains("tidegate migrate"), "{error}");
}

//! What a batch does with its position: claimed by one at a time, moved with the rows, read back.

use tidegate::error::Kind;
use tidegate::model::{Capture, Horizon, Instant, LastRow, Position, Reached};
use tidegate::store::Quiet;
use uuid::Uuid;

use super::{Desktop, REVERSE, commit, key, of, plan};

const IDENTITY: &str = "7000 cloud";

fn noon() -> Reached {
    Reached::End(Horizon(Some("2026-03-01 12:00:00+00".into())))
}

fn at(watermark: &str, generation: i64) -> Position {
    Position { watermark: Some(watermark.into()), after: None, generation }
}

/// Moves the position of `label` to `to`, from the beginning.
async fn moved(desktop: &Desktop, label: &str, run_id: Uuid, to: &Reached) -> Position {
    let (store, mut batch) = (desktop.store(), desktop.transaction().await);
    let claimed = store.claim(&mut batch, label, REVERSE).await.unwrap();
    let from = (&claimed.at, Capture::Timestamp);
    let of = of(label, run_id);
    let position = store.move_position(&mut batch, &of, from, to, IDENTITY).await.unwrap();
    commit(batch).await;
    position
}

#[tokio::test]
async fn a_position_is_claimed_by_one_batch_at_a_time() {
    let desktop = Desktop::open().await;
    let store = desktop.store();
    let mut first = desktop.transaction().await;
    let claimed = store.claim(&mut first, "claimed", REVERSE).await.unwrap();
    assert_eq!((claimed.at, claimed.has_withheld), (Position::default(), false));
    let mut second = desktop.transaction().await;
    let error = store.claim(&mut second, "claimed", REVERSE).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Held, "{error}");
    let mut third = desktop.transaction().await;
    store.claim(&mut third, "another", REVERSE).await.unwrap();
    third.discard();
    commit(first).await;
    let mut fourth = desktop.transaction().await;
    store.claim(&mut fourth, "claimed", REVERSE).await.unwrap();
    fourth.discard();
    second.discard();
    desktop.close().await;
}

#[tokio::test]
async fn a_position_moves_with_its_transaction() {
    let desktop = Desktop::open().await;
    let (store, run_id) = (desktop.store(), Uuid::now_v7());
    let stamp = Instant::parse("2026-03-01 11:00:00.000001Z");
    let row = LastRow::Stamped(stamp, key(7));
    let there = Reached::Row(Horizon(Some("2026-03-01 12:00:00+00".into())), row);
    let position = moved(&desktop, "moved", run_id, &there).await;
    let reached = Position { after: Some(key(7)), ..at("2026-03-01 11:00:00.000001+00", 1) };
    assert_eq!(position, reached);
    let mut undone = desktop.transaction().await;
    let claimed = store.claim(&mut undone, "moved", REVERSE).await.unwrap();
    assert_eq!(claimed.at, reached);
    let (from, of) = ((&claimed.at, Capture::Timestamp), of("moved", Uuid::now_v7()));
    store.move_position(&mut undone, &of, from, &noon(), IDENTITY).await.unwrap();
    undone.discard();
    let mut connection = desktop.connection().await;
    let known = store.read_back(&mut connection, "moved", REVERSE).await.unwrap();
    assert_eq!(known, (1, Some(run_id)));
    assert_eq!(store.read_back(&mut connection, "nothing", REVERSE).await.unwrap(), (0, None));
    desktop.close().await;
}

#[tokio::test]
async fn a_position_that_another_run_has_moved_is_left_alone() {
    let desktop = Desktop::open().await;
    let (store, run_id) = (desktop.store(), Uuid::now_v7());
    moved(&desktop, "left", run_id, &noon()).await;
    let mut batch = desktop.transaction().await;
    let (from, of) = ((&Position::default(), Capture::Timestamp), of("left", run_id));
    let error = store.move_position(&mut batch, &of, from, &noon(), IDENTITY).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Held);
    batch.discard();
    desktop.close().await;
}

#[tokio::test]
async fn quiet_tables_move_together_but_for_those_that_another_run_has_moved() {
    let desktop = Desktop::open().await;
    let (store, mut connection) = (desktop.store(), desktop.connection().await);
    let old = moved(&desktop, "two", Uuid::now_v7(), &noon()).await;
    moved(&desktop, "three", Uuid::now_v7(), &noon()).await;
    let plans = ["one", "two", "three"].map(|name| plan("dbo", name));
    let one_pm = Horizon(Some("2026-03-01 13:00:00+00".into()));
    let start = Position::default();
    let quiet = [(&plans[0], &start), (&plans[1], &old), (&plans[2], &start)];
    let quiet = quiet.map(|(plan, at)| Quiet { plan, at, horizon: one_pm.clone() });
    let run_id = Uuid::now_v7();
    let moved = store.move_quiet(&mut connection, run_id, IDENTITY, &quiet).await.unwrap();
    let watermark = Some("2026-03-01 13:00:00+00".to_owned());
    let expected = ["one", "two"].map(|label| (label.to_owned(), watermark.clone()));
    assert_eq!(moved, expected.into());
    for (label, generation) in [("one", 1), ("two", 2)] {
        let known = store.read_back(&mut connection, label, REVERSE).await.unwrap();
        assert_eq!(known, (generation, Some(run_id)));
    }
    desktop.close().await;
}

#[tokio::test]
async fn a_position_is_placed_by_hand() {
    let desktop = Desktop::open().await;
    let store = desktop.store();
    moved(&desktop, "placed", Uuid::now_v7(), &noon()).await;
    let labels = ["new".to_owned(), "placed".to_owned()];
    let mut hand = desktop.transaction().await;
    store.claim(&mut hand, "placed", REVERSE).await.unwrap();
    let [new, jobs] =
        store.positions(&mut hand, &labels, "reverse").await.unwrap().try_into().unwrap();
    assert_eq!((new.generation, new.watermark.as_deref()), (0, None));
    assert_eq!(jobs.watermark.as_deref(), Some("2026-03-01 12:00:00+00"));
    assert!(jobs.last_sync.as_ref().is_some_and(|at| Instant::parse(at).is_some()), "{jobs:?}");
    let run_id = Uuid::now_v7();
    let back = tidegate::store::TablePosition { watermark: None, ..jobs };
    store.place(&mut hand, run_id, &back).await.unwrap();
    commit(hand).await;
    let placed = store.positions(&mut desktop.connection().await, &labels[1..], "reverse").await;
    let placed = placed.unwrap().remove(0);
    assert_eq!((placed.watermark, placed.generation), (None, 2));
    assert_eq!(placed.run_id, Some(run_id.to_string()));
    assert_eq!(placed.source_identity.as_deref(), Some(IDENTITY));
    desktop.close().await;
}

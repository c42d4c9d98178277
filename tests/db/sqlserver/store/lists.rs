//! The list of withheld rows, what triggers made of rows, and what lost.

use std::collections::BTreeMap;

use tidegate::error::End;
use tidegate::model::conflict::{Id, List};
use tidegate::model::{Awaited, Carried, Reason};
use tidegate::store::sqlserver::{Image, Lost, Occasion, WithheldEntry};
use uuid::Uuid;

use super::{Desktop, REVERSE, key, of, plan};

fn entry(id: u32, reason: Reason) -> WithheldEntry {
    WithheldEntry {
        key: key(id),
        reason,
        detail: None,
        row: format!("{{\"id\": \"{id}\", \"source\": \"M\"}}"),
        target_row: None,
        target_version: None,
        since: None,
        contested: false,
    }
}

async fn withhold(desktop: &Desktop, run_id: Uuid, entries: &[WithheldEntry]) -> u64 {
    let mut connection = desktop.connection().await;
    let (store, of) = (desktop.store(), of("jobs", run_id));
    store.withhold(&mut connection, &of, entries, Occasion::InPassing).await.unwrap()
}

async fn awaited(desktop: &Desktop, held: &[(u32, &str)], carried: &Carried) -> Vec<Awaited> {
    let held: BTreeMap<String, String> =
        held.iter().map(|(id, version)| (key(*id), (*version).to_owned())).collect();
    let plan = plan(&desktop.schema, "jobs");
    let carried = [("jobs".to_owned(), carried.clone())].into();
    let look = async |_: &mut _, _: &_, keys: &[String]| {
        Ok(held.clone().into_iter().filter(|(key, _)| keys.contains(key)).collect())
    };
    let mut connection = desktop.connection().await;
    let mut found =
        desktop.store().awaited(&mut connection, &[&plan], &carried, look).await.unwrap();
    found.remove("jobs").unwrap_or_default()
}

fn ids(awaited: &[Awaited]) -> Vec<String> {
    awaited.iter().map(|a| a.key.clone()).collect()
}

#[tokio::test]
async fn a_withheld_row_is_listed_until_it_arrives() {
    let desktop = Desktop::open().await;
    let (store, run_id) = (desktop.store(), Uuid::now_v7());
    // More than one statement takes, and a text that needs more than 4,000 units.
    let mut entries: Vec<_> = (0..700).map(|id| entry(id, Reason::Owner)).collect();
    entries[3].row = format!("{{\"source\": \"M\", \"note\": \"{}é✓🦀\"}}", "x".repeat(70_000));
    entries[4].detail = Some("it says „no“ ✓".into());
    assert_eq!(withhold(&desktop, run_id, &entries).await, 700);
    assert_eq!(withhold(&desktop, run_id, &entries).await, 0);
    let mut batch = desktop.transaction().await;
    assert!(store.claim(&mut batch, "jobs", REVERSE).await.unwrap().has_withheld);
    let keys: Vec<String> = (4..700).map(key).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    store.release(&mut batch, "jobs", REVERSE, &keys).await.unwrap();
    super::commit(batch).await;
    let mut connection = desktop.connection().await;
    let left = store.conflicts(&mut connection, Some("jobs"), 10).await.unwrap();
    assert_eq!(left.open, 0);
    let asked: Vec<String> = ids(&awaited(&desktop, &[(2, "v")], &Carried::default()).await);
    assert_eq!(asked, [key(2)]);
    desktop.close().await;
}

#[tokio::test]
async fn an_entry_that_was_met_again_is_counted_and_its_beginning_kept() {
    let desktop = Desktop::open().await;
    let store = desktop.store();
    let since = |watermark: &str| {
        Some(format!("{{\"watermark\": \"{watermark}\", \"bases\": [\"b1\", \"b2\"]}}"))
    };
    let first = WithheldEntry { since: since("5"), ..entry(1, Reason::MissingParent) };
    let later = WithheldEntry { since: since("9"), contested: true, ..entry(1, Reason::Stale) };
    let (run_1, run_2) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(withhold(&desktop, run_1, &[first, entry(2, Reason::Busy)]).await, 2);
    assert_eq!(withhold(&desktop, run_2, &[later]).await, 1);
    let mut connection = desktop.connection().await;
    let keys = [key(1), key(2)];
    let keys = [keys[0].as_str(), keys[1].as_str()];
    let bases = store.withheld_bases(&mut connection, "jobs", REVERSE, &keys).await.unwrap();
    assert_eq!(bases, [(key(1), vec!["b1".to_owned(), "b2".to_owned()])].into());
    let listed = store.conflicts(&mut connection, None, 10).await.unwrap();
    assert_eq!((listed.open, listed.withheld.len()), (1, 1));
    let id = Id { end: End::Desktop, list: List::Withheld, number: listed.withheld[0].number };
    let record = store.conflict(&mut connection, id).await.unwrap().unwrap();
    assert_eq!(
        (record.reason.as_str(), record.contested, record.attempts),
        ("stale", true, Some(2))
    );
    assert_eq!(record.runs, [run_1.to_string(), run_2.to_string()]);
    assert_eq!(record.sent.unwrap()["source"].as_deref(), Some("M"));
    let tried = awaited(&desktop, &[], &Carried::default()).await;
    assert!(tried[0].since.as_ref().is_some_and(|since| since.contains("\"5\"")), "{tried:?}");
    desktop.close().await;
}

#[tokio::test]
async fn rows_are_asked_for_when_what_they_met_has_changed() {
    let desktop = Desktop::open().await;
    let plan = desktop.table("jobs", "id int not null primary key, source nvarchar(10)").await;
    let (store, run_id) = (desktop.store(), Uuid::now_v7());
    let mut connection = desktop.connection().await;
    let definition = store.definition(&mut connection, &plan).await.unwrap();
    let met = |version: &str| Some(version.to_owned());
    let entries = [
        WithheldEntry { target_version: met("v1"), ..entry(1, Reason::KeyCollision) },
        WithheldEntry { target_version: met("v1"), ..entry(2, Reason::DeletedByDesktop) },
        WithheldEntry { target_version: met(&definition), ..entry(3, Reason::BadValue) },
        entry(4, Reason::Stale),
        WithheldEntry { contested: true, ..entry(5, Reason::Owner) },
    ];
    withhold(&desktop, run_id, &entries).await;
    let held_back = Carried { held_back: vec![key(5)], ..Carried::default() };
    let same = awaited(&desktop, &[(1, "v1"), (2, "v1")], &held_back).await;
    assert_eq!(ids(&same), [key(4)]);
    desktop.run("alter table {}.jobs add constraint longer check (id < 1000)").await;
    let other = store.definition(&mut connection, &plan).await.unwrap();
    assert_ne!(other, definition);
    let changed = awaited(&desktop, &[(1, "v2")], &Carried::default()).await;
    assert_eq!(ids(&changed), [1, 2, 3, 4, 5].map(key));
    desktop.close().await;
}

#[tokio::test]
async fn what_a_run_left_for_later_is_tried_by_it_and_forgotten_once_it_is_gone() {
    let desktop = Desktop::open().await;
    let (store, plan) = (desktop.store(), plan(&desktop.schema, "jobs"));
    let (earlier, run_id) = (Uuid::now_v7(), Uuid::now_v7());
    let refused = Some("definition 1".to_owned());
    withhold(&desktop, earlier, &[entry(1, Reason::Busy)]).await;
    let of_run = [
        entry(2, Reason::MissingParent),
        WithheldEntry { target_version: refused, ..entry(3, Reason::Unique) },
        entry(4, Reason::Owner),
    ];
    withhold(&desktop, run_id, &of_run).await;
    let mut connection = desktop.connection().await;
    let left = store.left_for_later(&mut connection, &plan, run_id).await.unwrap();
    let row = Awaited { key: key(2), once_owned: false, since: None };
    assert_eq!(left, [(row, Some(Reason::MissingParent))]);
    let asked = |id: u32, once_owned| Awaited { key: key(id), once_owned, since: None };
    let asked = [asked(1, false), asked(2, false), asked(4, true)];
    let gone = store.forget_gone(&mut connection, &plan, run_id, &asked).await.unwrap();
    assert_eq!(gone, 1);
    let other_key = Awaited { key: "{\"nr\": \"1\"}".into(), once_owned: false, since: None };
    assert_eq!(
        store.forget_gone(&mut connection, &plan, Uuid::now_v7(), &[other_key]).await.unwrap(),
        0
    );
    desktop.close().await;
}

#[tokio::test]
async fn what_triggers_made_of_rows_is_remembered() {
    let desktop = Desktop::open().await;
    let (store, mut connection) = (desktop.store(), desktop.connection().await);
    let image = |kept: &str| Image { sent: "s".into(), kept: kept.into() };
    let of_rows = |kept| (0..600).map(|id| (key(id), image(kept))).collect::<Vec<_>>();
    store.remember(&mut connection, "jobs", &of_rows("first")[..300]).await.unwrap();
    store.remember(&mut connection, "jobs", &of_rows("second")).await.unwrap();
    store.remember(&mut connection, "others", &of_rows("third")).await.unwrap();
    let keys: Vec<String> = (0..700).map(key).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let images = store.images(&mut connection, "jobs", &keys).await.unwrap();
    assert_eq!(images, of_rows("second").into_iter().collect());
    desktop.close().await;
}

#[tokio::test]
async fn what_lost_is_kept() {
    let desktop = Desktop::open().await;
    let (store, mut connection) = (desktop.store(), desktop.connection().await);
    let run_id = Uuid::now_v7();
    let lost = |winner: Option<&str>| Lost {
        key: key(1),
        reason: "lost_to_desktop",
        row: "{\"name\": \"„lost“\"}".into(),
        winner: winner.map(str::to_owned),
    };
    let both = [lost(Some("{\"name\": null}")), lost(None)];
    store.keep_losers(&mut connection, &of("jobs", run_id), &both).await.unwrap();
    let listed = store.conflicts(&mut connection, None, 1).await.unwrap();
    assert_eq!((listed.decided, listed.trash.len()), (2, 1));
    let records = store.row_records(&mut connection, "jobs", &key(1)).await.unwrap();
    assert_eq!(records.trash.len(), 2);
    let number = records.trash[0].number;
    let id = Id { end: End::Desktop, list: List::Trash, number };
    let record = store.conflict(&mut connection, id).await.unwrap().unwrap();
    assert_eq!(record.lost.unwrap()["name"].as_deref(), Some("„lost“"));
    assert_eq!(record.won.unwrap()["name"], None);
    assert_eq!(record.runs, [run_id.to_string()]);
    desktop.close().await;
}

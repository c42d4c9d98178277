//! The tables themselves: made, upgraded, and taken away.

use tidegate::error::Kind;
use tidegate::store::Migrated;
use tidegate::store::sqlserver::VERSION;

use super::Desktop;

#[tokio::test]
async fn the_tables_are_made_once() {
    let desktop = Desktop::bare();
    let (store, mut connection) = (desktop.store(), desktop.connection().await);
    assert!(!store.is_present(&mut connection).await.unwrap());
    assert_eq!(store.require(&mut connection).await.unwrap_err().kind(), Kind::Config);
    let made = store.migrate(&mut connection).await.unwrap();
    assert_eq!(made, Migrated { from: 0, to: VERSION });
    let again = store.migrate(&mut connection).await.unwrap();
    assert_eq!(again, Migrated { from: VERSION, to: VERSION });
    store.require(&mut connection).await.unwrap();
    desktop.close().await;
}

#[tokio::test]
async fn two_that_migrate_at_once_make_the_tables_once() {
    let desktop = Desktop::bare();
    let migrating = async || {
        desktop.store().migrate(&mut desktop.connection().await).await.map(|migrated| migrated.from)
    };
    let (one, other) = tokio::join!(migrating(), migrating());
    let mut from = [one.unwrap(), other.unwrap()];
    from.sort_unstable();
    assert!(from == [0, VERSION] || from == [VERSION, VERSION], "{from:?}");
    desktop.close().await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    let desktop = Desktop::bare();
    let broken = tidegate::sql::Sql::default().planted(
        "sqlserver/migrations/001_tables.sql",
        "create index _sync_trash_latest",
        "create index _sync_trash_latest on nowhere (nothing); create index _sync_trash_latest",
    );
    let mut connection = desktop.connection().await;
    let store = tidegate::store::sqlserver::SqlServerStore::new(&broken, &desktop.schema);
    assert!(store.migrate(&mut connection).await.is_err());
    assert!(!desktop.store().exists(&mut connection).await.unwrap());
    desktop.store().migrate(&mut connection).await.unwrap();
    desktop.close().await;
}

#[tokio::test]
async fn tables_of_a_newer_program_are_left_alone() {
    let desktop = Desktop::open().await;
    desktop.run("insert into {}._sync_migrations (version) values (99)").await;
    let (store, mut connection) = (desktop.store(), desktop.connection().await);
    let error = store.migrate(&mut connection).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.to_string().contains("version 99"), "{error}");
    assert_eq!(store.is_present(&mut connection).await.unwrap_err().kind(), Kind::Config);
    desktop.close().await;
}

#[tokio::test]
async fn a_removal_takes_all_that_is_tidegates_and_nothing_else() {
    let desktop = Desktop::open().await;
    let (store, mut connection) = (desktop.store(), desktop.connection().await);
    desktop.table("users own", "id int").await;
    let steps = store.removal(&mut connection).await.unwrap();
    store.remove(&mut connection, &steps).await.unwrap();
    assert!(!store.exists(&mut connection).await.unwrap());
    assert_eq!(store.removal(&mut connection).await.unwrap(), [""; 0]);
    desktop.run("drop table {}.[users own]").await;
    store.migrate(&mut connection).await.unwrap();
    let steps = store.removal(&mut connection).await.unwrap();
    store.remove(&mut connection, &steps).await.unwrap();
    let sql = "select count(*) from sys.schemas where name = @P1";
    let left: i32 = connection.value("looking", sql, &[&desktop.schema]).await.unwrap();
    assert_eq!(left, 0);
}

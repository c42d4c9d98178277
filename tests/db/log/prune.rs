//! What the log forgets, and what it must not.

use tidegate::config::Config;
use tidegate::db::postgres::{Connection, Database, Purpose};
use tidegate::error::End;
use tidegate::sql::Sql;
use tidegate::store::Store;

use super::taken;
use crate::support::{JOBS, Office, column, value};

const NOW: &str = "select pg_snapshot_xmin(pg_current_snapshot())::text";

async fn connection(office: &Office) -> Connection {
    let config = Config::load(Some(&office.config_path())).unwrap();
    let database = Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, 1).unwrap();
    database.connection().await.unwrap()
}

async fn prune(office: &Office, sql: &Sql, below: &str) -> u64 {
    let store = Store::new(sql, "tidegate");
    store.prune_log(&connection(office).await, "jobs", below).await.unwrap()
}

/// What is left, as `operation id`.
async fn left(office: &Office) -> Vec<String> {
    let query =
        "select operation || ' ' || (key ->> 'id') from tidegate._sync_changes order by seq";
    column(&office.cloud, query, &[]).await
}

/// Statements of mobile users, each in a transaction of its own, that were long ago.
async fn long_ago(office: &Office, statements: &[&str]) {
    for statement in statements {
        office.cloud.batch_execute(statement).await.unwrap();
    }
    let aged = "update tidegate._sync_changes set changed_at = changed_at - interval '8 days'";
    office.cloud.batch_execute(aged).await.unwrap();
}

async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    taken(&office.cloud).await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn old_entries_go_but_the_last_word_of_a_deletion_stays() {
    let office = office().await;
    let work = [
        "insert into jobs values (1, 'a', 'M'), (2, 'b', 'M'), (3, 'c', 'D')",
        "update jobs set name = 'x' where id = 1",
        "delete from jobs where id in (2, 3)",
        "insert into jobs values (3, 'again', 'M')",
    ];
    long_ago(&office, &work).await;
    let queued = "insert into tidegate._sync_changes (table_name, operation, key, changed_at) \
                  values ('jobs', 'queued', '{\"id\": \"2\"}', now() - interval '8 days')";
    office.cloud.batch_execute(queued).await.unwrap();
    office.cloud.batch_execute("update jobs set name = 'y' where id = 1").await.unwrap();
    let below = value(&office.cloud, NOW).await;
    assert_eq!(prune(&office, &Sql::default(), &below).await, 7);
    assert_eq!(left(&office).await, ["delete 2", "update 1"]);
    let young = "select (l.pruned_below = max(c.xid::text::numeric)::text::xid8)::text \
                 from tidegate._sync_logged l, tidegate._sync_changes c group by l.pruned_below";
    assert_eq!(value(&office.cloud, young).await, "true");
    // The row is there again: with that entry goes what it ended.
    long_ago(&office, &["insert into jobs values (2, 'b', 'M')"]).await;
    let below = value(&office.cloud, NOW).await;
    assert_eq!(prune(&office, &Sql::default(), &below).await, 3);
    assert_eq!(left(&office).await, [""; 0]);
    let moved = "select pruned_below::text from tidegate._sync_logged";
    assert_eq!(value(&office.cloud, moved).await, below);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_that_a_reader_or_a_count_has_not_passed() {
    let office = office().await;
    long_ago(&office, &["insert into jobs values (1, 'a', 'M')"]).await;
    let between = value(&office.cloud, NOW).await;
    long_ago(&office, &["insert into jobs values (2, 'a', 'M')"]).await;
    let after = value(&office.cloud, NOW).await;
    long_ago(&office, &["insert into jobs values (3, 'a', 'M')"]).await;
    assert_eq!(prune(&office, &Sql::default(), &between).await, 1);
    // An older count binds nobody.
    for (xid, age) in [(&between, 2), (&after, 1)] {
        let counted = format!(
            "insert into tidegate._sync_row_counts (table_name, run_id, owner, rows, snapshot, counted_at) \
             values ('jobs', gen_random_uuid(), 'M', 1, '{xid}:{xid}:', now() - interval '{age} days')"
        );
        office.cloud.batch_execute(&counted).await.unwrap();
    }
    let now = value(&office.cloud, NOW).await;
    assert_eq!(prune(&office, &Sql::default(), &now).await, 1);
    assert_eq!(left(&office).await, ["insert 3"]);
    // Going back is no harm.
    assert_eq!(prune(&office, &Sql::default(), &between).await, 0);
    let moved = "select pruned_below::text from tidegate._sync_logged";
    assert_eq!(value(&office.cloud, moved).await, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_does_a_bounded_part_of_whole_transactions() {
    let office = office().await;
    let few = Sql::default().planted("postgres/prune_log.sql", "$3", "(least($3, 2)::bigint)");
    let work = [
        "insert into jobs values (1), (2), (3), (4), (5)",
        "insert into jobs values (6)",
        "insert into jobs values (7), (8)",
        "insert into jobs values (9)",
    ];
    long_ago(&office, &work).await;
    let below = value(&office.cloud, NOW).await;
    let mut parts = Vec::new();
    for _ in 0..5 {
        parts.push(prune(&office, &few, &below).await);
    }
    assert_eq!(parts, [5, 1, 2, 1, 0]);
    let moved = "select pruned_below::text from tidegate._sync_logged";
    assert_eq!(value(&office.cloud, moved).await, below);
}

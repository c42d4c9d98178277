//! Tables that refer to themselves, or to each other.

use super::{OLD, execute, forward};
use crate::support::{Office, of, value};

const STAFF: &str = "
    create table staff (id integer primary key, boss integer references staff, source text,
        created_at timestamptz, updated_at timestamptz);";

/// `(id, boss)` pairs, each stamped later than the one before.
async fn hire(office: &Office, staff: &[(i32, &str)]) {
    for (i, (id, boss)) in staff.iter().enumerate() {
        let stamp = format!("{OLD} + interval '{i} minutes'");
        let row = format!("insert into staff values ({id}, {boss}, 'D', {stamp}, {stamp})");
        execute(&office.desktop, &row).await;
    }
}

/// An office whose desktop doesn't mind the order.
async fn staff() -> Office {
    let office = Office::open(STAFF, &["staff"]).await;
    execute(&office.desktop, "alter table staff drop constraint staff_boss_fkey").await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_reference_across_batches_arrives_in_one_run() {
    let chains: [&[(i32, &str)]; 4] = [
        &[(2, "1"), (4, "null"), (5, "4"), (1, "null")],
        &[(5, "4"), (4, "3"), (3, "2"), (2, "1"), (1, "null")],
        &[(1, "1"), (3, "2"), (4, "3"), (2, "1"), (5, "5")],
        // A ring, broken and closed again.
        &[(1, "2"), (4, "null"), (2, "3"), (5, "4"), (3, "1")],
    ];
    for chain in chains {
        let office = staff().await;
        office.configure("batch_rows = 2");
        hire(&office, chain).await;
        let report = forward(&office).await;
        assert_eq!(report.exit_code(true), 0, "{chain:?}: {report:?}");
        assert!(office.withheld().await.is_empty(), "{chain:?}");
        office.same_on_both_ends("select staff::text from staff order by id").await;
    }
}

/// A withheld row takes those with it that hang on it within the same batch.
#[tokio::test(flavor = "multi_thread")]
async fn a_self_reference_whose_end_is_missing_waits_as_a_whole() {
    for batch in [2, 100] {
        let office = staff().await;
        office.configure(&format!("batch_rows = {batch}"));
        hire(&office, &[(5, "4"), (4, "3"), (3, "77"), (8, "null"), (9, "8")]).await;
        let report = forward(&office).await;
        let cloud =
            "select string_agg(id || ' ' || coalesce(boss, 0), ', ' order by id) from staff";
        assert_eq!(value(&office.cloud, cloud).await, "8 0, 9 8", "{report:?}");
        let missing: Vec<String> =
            [3, 4, 5].iter().map(|id| format!(r#"{{"id": "{id}"}} missing_parent"#)).collect();
        assert_eq!(office.withheld().await, missing);
        execute(
            &office.desktop,
            &format!("insert into staff values (77, null, 'D', {OLD}, {OLD})"),
        )
        .await;
        // Stamped below the watermark, so it comes with a full run; the others by themselves.
        office.forward_full().await;
        assert!(office.withheld().await.is_empty());
        office.same_on_both_ends("select staff::text from staff order by id").await;
    }
}

const CYCLE: &str = "
    create table a (id integer primary key, b integer, source text, created_at timestamptz,
        updated_at timestamptz);
    create table b (id integer primary key, a integer references a, source text,
        created_at timestamptz, updated_at timestamptz);";

/// The cloud minds the cycle, the desktop doesn't.
async fn cycle() -> Office {
    let office = Office::open(CYCLE, &["a", "b"]).await;
    execute(&office.cloud, "alter table a add foreign key (b) references b").await;
    execute(&office.desktop, "alter table b drop constraint b_a_fkey").await;
    office
}

async fn fill(office: &Office, a: &str, b: &str) {
    let rows = format!(
        "insert into a select *, 'D', {OLD}, {OLD} from (values {a}) v (id, b);
         insert into b select *, 'D', {OLD}, {OLD} from (values {b}) v (id, a);"
    );
    execute(&office.desktop, &rows).await;
}

async fn cloud_cycle(office: &Office) -> String {
    let rows = "select concat_ws('; ', (select string_agg(concat_ws(' ', 'a', id, b), ', ' order by id) from a),
        (select string_agg(concat_ws(' ', 'b', id, a), ', ' order by id) from b))";
    value(&office.cloud, rows).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_of_two_tables_arrives_in_one_run() {
    let office = cycle().await;
    fill(&office, "(1, 1), (2, 1), (3, null)", "(1, 1), (2, 3)").await;
    let report = forward(&office).await;
    assert_eq!(report.exit_code(true), 0, "{report:?}");
    assert_eq!(cloud_cycle(&office).await, "a 1 1, a 2 1, a 3; b 1 1, b 2 3");
    assert!(office.withheld().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_whose_parent_is_really_missing_is_not_broken() {
    let office = cycle().await;
    fill(&office, "(1, 7), (2, 2)", "(1, 1), (2, 2)").await;
    let report = forward(&office).await;
    // b 1 waits for a 1, which waits for a row that isn't there: neither goes ahead without it.
    assert_eq!(cloud_cycle(&office).await, "a 2 2; b 2 2", "{report:?}");
    let missing = [r#"{"id": "1"} missing_parent"#; 2];
    assert_eq!(office.withheld().await, missing);
    assert_eq!([of(&report, "a").withheld, of(&report, "b").withheld], [1, 1]);
    // The parent comes: all arrive with it, though nothing else has changed.
    execute(&office.desktop, "insert into b values (7, null, 'D', now(), now())").await;
    forward(&office).await;
    assert!(office.withheld().await.is_empty());
    assert_eq!(cloud_cycle(&office).await, "a 1 7, a 2 2; b 1 1, b 2 2, b 7");
}

/// Waiting in the middle of a run is no bad data: the cap is about what is left in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_of_more_rows_than_max_withheld_arrives() {
    let office = cycle().await;
    let rows = format!(
        "insert into a select i, i, 'D', {OLD}, {OLD} from generate_series(1, 50) i;
         insert into b select i, i, 'D', {OLD}, {OLD} from generate_series(1, 50) i;"
    );
    execute(&office.desktop, &rows).await;
    office.configure("max_withheld = 10");
    let report = forward(&office).await;
    assert_eq!(report.exit_code(true), 0, "{report:?}");
    for table in ["a", "b"] {
        office.same_on_both_ends(&format!("select {table}::text from {table} order by id")).await;
    }
}

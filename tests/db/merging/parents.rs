//! Foreign keys: parents first, and what becomes of rows whose parent is missing.

use std::fmt::Write as _;

use super::{OLD, execute, forward, trouble};
use crate::support::{Dice, Office, counts, of, value};
use tidegate::run::Outcome;

const GRAPH: u64 = 14;
const ROWS: u64 = 12;

/// Tables, each of which refers to the one before it and to others before that at random, and a
/// statement that fills them with rows from `first` on, in the order of their references.
fn graph(dice: &mut Dice, prefix: &str, first: u64) -> (String, String) {
    let (mut schema, mut fill) = (String::new(), String::new());
    for t in 0..GRAPH {
        let (mut parents, mut values) = (String::new(), String::new());
        for parent in 0..t {
            if parent + 1 == t || dice.roll(4) == 0 {
                write!(parents, ", p{parent} integer not null references {prefix}{parent}")
                    .unwrap();
                write!(values, ", {first} + (i * {}) % {ROWS}", dice.roll(7) + 1).unwrap();
            }
        }
        writeln!(
            schema,
            "create table {prefix}{t} (id integer primary key, source text, created_at timestamptz,
             updated_at timestamptz{parents});"
        )
        .unwrap();
        writeln!(
            fill,
            "insert into {prefix}{t} select {first} + i, 'D', {OLD}, clock_timestamp(){values}
             from generate_series(0, {ROWS} - 1) i;"
        )
        .unwrap();
    }
    (schema, fill)
}

#[tokio::test(flavor = "multi_thread")]
async fn m12_fk_order() {
    let mut dice = Dice::new(12);
    let mut names: Vec<String> = Vec::new();
    let (mut schema, mut first, mut second) = (String::new(), String::new(), String::new());
    for prefix in ["a", "b", "c"] {
        let seed = dice.roll(1 << 30);
        let (tables, rows) = graph(&mut Dice::new(seed), prefix, 0);
        schema += &tables;
        first += &rows;
        second += &graph(&mut Dice::new(seed), prefix, 100).1;
        names.extend((0..GRAPH).map(|t| format!("{prefix}{t}")));
    }
    // The order of the configuration is none that would do.
    for i in (1..names.len()).rev() {
        names.swap(i, dice.roll(i as u64 + 1) as usize);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let office = Office::open(&schema, &names).await;
    for fill in [first, second] {
        execute(&office.desktop, &fill).await;
        let report = forward(&office).await;
        assert_eq!(report.exit_code(true), 0, "{report:?}");
        assert!(report.tables.iter().all(|t| t.inserted == ROWS), "{report:?}");
    }
    // Not withheld for a moment either: the list was never written.
    let listed =
        "select coalesce(pg_sequence_last_value('tidegate._sync_withheld_id_seq'), 0)::text";
    assert_eq!(value(&office.cloud, listed).await, "0");
    for name in names {
        office.same_on_both_ends(&format!("select {name}::text from {name} order by id")).await;
    }
}

const FAMILY: &str = "
    create table parents (id integer primary key, source text, created_at timestamptz,
        updated_at timestamptz);
    create table children (id integer primary key, parent integer references parents, source text,
        created_at timestamptz, updated_at timestamptz);
    create table toys (id integer primary key, child integer not null references children,
        source text, created_at timestamptz, updated_at timestamptz);
    create table others (id integer primary key, source text, created_at timestamptz,
        updated_at timestamptz);";

async fn family() -> Office {
    let office = Office::open(FAMILY, &["toys", "children", "parents", "others"]).await;
    let rows = format!(
        "insert into parents values (1, null, {OLD}, {OLD}), (2, 'D', {OLD}, {OLD});
         insert into children values (10, 1, 'D', {OLD}, {OLD}), (20, 2, 'D', {OLD}, {OLD}),
             (30, null, 'D', {OLD}, {OLD});
         insert into toys values (100, 10, 'D', {OLD}, {OLD}), (200, 20, 'D', {OLD}, {OLD});
         insert into others values (1, 'D', {OLD}, {OLD});"
    );
    execute(&office.desktop, &rows).await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn m13_fk_missing_parent() {
    let office = family().await;
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "parents")), [2, 1, 0, 0, 1]);
    assert_eq!(counts(of(&report, "children")), [3, 2, 0, 0, 1]);
    assert_eq!(counts(of(&report, "toys")), [2, 1, 0, 0, 1]);
    let waiting = [
        r#"{"id": "1"} owner"#,
        r#"{"id": "10"} missing_parent"#,
        r#"{"id": "100"} missing_parent"#,
    ];
    assert_eq!(office.withheld().await, waiting);
    // Nothing has moved: nothing is tried.
    let report = forward(&office).await;
    assert!(report.tables.iter().all(|t| counts(t) == [0; 5]), "{report:?}");
    // The parent is mended without a new stamp; each run brings at least one generation.
    execute(&office.desktop, "update parents set source = 'D'").await;
    for _ in 0..3 {
        assert_eq!(forward(&office).await.exit_code(false), 0);
    }
    assert!(office.withheld().await.is_empty());
    for table in ["parents", "children", "toys"] {
        office.same_on_both_ends(&format!("select {table}::text from {table} order by id")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tables_failure_holds_back_only_what_depends_on_it() {
    let office = family().await;
    execute(&office.cloud, "alter table children add check (id < 0)").await;
    office.configure("max_withheld = 1");
    let report = office.forward().await;
    assert_eq!(report.exit_code(false), 3, "{report:?}");
    let outcomes = ["parents", "children", "toys", "others"].map(|t| of(&report, t).outcome);
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Failed, Outcome::HeldBack, Outcome::Ok]);
    assert!(trouble(&report, "children").contains("would be withheld"), "{report:?}");
    assert!(trouble(&report, "toys").contains("children"), "{report:?}");
    execute(&office.cloud, "alter table children drop constraint children_id_check").await;
    assert_eq!(forward(&office).await.exit_code(false), 0);
    assert_eq!(value(&office.cloud, "select count(*)::text from toys").await, "1");
}

/// A table that can't be synced holds its children back as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_table_holds_back_its_children() {
    let office = family().await;
    execute(&office.cloud, "alter table children drop column source").await;
    let report = office.forward().await;
    assert_eq!(report.exit_code(false), 3, "{report:?}");
    let outcomes = ["parents", "children", "toys", "others"].map(|t| of(&report, t).outcome);
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Refused, Outcome::HeldBack, Outcome::Ok]);
    // Alone, it says so as well.
    let alone = office.tidegate(&["forward", "--table", "children"]);
    assert_eq!(alone.status.code(), Some(10), "{alone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn max_withheld_stops_a_table_of_orphans() {
    let office = Office::open(FAMILY, &["parents", "children", "others"]).await;
    let orphans = format!(
        "insert into parents values (1, null, {OLD}, {OLD});
         insert into children select i, 1, 'D', {OLD}, {OLD} from generate_series(1, 50) i;
         insert into others values (1, 'D', {OLD}, {OLD});"
    );
    execute(&office.desktop, &orphans).await;
    office.configure("max_withheld = 49");
    let report = office.forward().await;
    assert_eq!(report.exit_code(false), 3, "{report:?}");
    let outcomes = ["children", "others"].map(|t| of(&report, t).outcome);
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Ok]);
    assert!(trouble(&report, "children").contains("50 rows of this run would be withheld"));
    office.configure("max_withheld = 50");
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "children")), [50, 0, 0, 0, 50]);
}

//! Types that differ at the two ends: wider is well, what doesn't fit is never cut.

use super::{OLD, execute, forward, forward_full};
use crate::support::{Office, counts, of, value};

const STAMPS: &str =
    "id integer primary key, source text, created_at timestamptz, updated_at timestamptz";

/// The desktop's type, the cloud's, the desktop's values, and what a test expects of them.
type Pair = (&'static str, &'static str, &'static str, &'static str);

/// A table `t0`, `t1` … for each pair, and `others`, which has nothing to do with them.
async fn office(pairs: &[Pair]) -> Office {
    let names: Vec<String> = (0..pairs.len()).map(|i| format!("t{i}")).collect();
    let mut tables: Vec<&str> = names.iter().map(String::as_str).collect();
    tables.push("others");
    let own = "create type mood as enum ('good'); create domain tag as varchar(5);";
    let schema = format!("{own} create table others ({STAMPS})");
    let office = Office::open(&schema, &tables).await;
    let others = format!("insert into others values (1, 'D', {OLD}, {OLD})");
    execute(&office.desktop, &others).await;
    for (name, (desktop, cloud, values, _)) in names.iter().zip(pairs) {
        let table = |type_name| format!("create table {name} ({STAMPS}, c {type_name})");
        execute(&office.desktop, &table(desktop)).await;
        execute(&office.cloud, &table(cloud)).await;
        let rows = format!(
            "insert into {name} select row_number() over (), 'D', {OLD}, {OLD}, v
             from (values {values}) x (v)"
        );
        execute(&office.desktop, &rows).await;
    }
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_differs_takes_every_value_that_fits() {
    let pairs = [
        ("integer", "bigint", "(1), (-2147483648), (null)", "1, -2147483648"),
        ("varchar(10)", "text", "('abc '), (''), (null)", "abc , "),
        ("numeric(10, 2)", "numeric(12, 4)", "(1.5), (99999999.99)", "1.5000, 99999999.9900"),
        ("real", "double precision", "(1.1), (1e30)", "1.1, 1e+30"),
        ("integer", "text", "(7), (-1)", "7, -1"),
        ("text", "integer", "('7'), (' 8 '), (null)", "7, 8"),
        ("varchar(20)", "varchar(5)", "('abcde'), ('')", "abcde, "),
        ("text", "char(5)", "('abc'), ('')", "abc, "),
        ("date", "timestamp", "(date '2026-01-02')", "2026-01-02 00:00:00"),
        ("bigint", "smallint", "(5), (-5)", "5, -5"),
        ("integer[]", "bigint[]", "('{1,2}'::integer[])", "{1,2}"),
        ("text", "tag", "('abcde'), (null)", "abcde"),
    ];
    let office = office(&pairs).await;
    let report = forward(&office).await;
    assert_eq!(report.exit_code(true), 0, "{report:?}");
    for (i, (desktop, cloud, _, expected)) in pairs.iter().enumerate() {
        let all = format!("select string_agg(c::text, ', ' order by id) from t{i}");
        assert_eq!(value(&office.cloud, &all).await, *expected, "{desktop} to {cloud}");
    }
    let report = forward_full(&office).await;
    assert!(report.tables.iter().all(|t| t.unchanged == t.read), "{report:?}");
}

/// The row is withheld, its list says why without the value, and nobody else is kept from arriving.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_is_withheld_and_never_shown_or_cut() {
    let pairs = [
        ("text", "integer", "('7'), ('canary')", "22P02"),
        ("text", "varchar(5)", "('abc'), ('canary')", "22001"),
        ("varchar(20)", "varchar(5)", "('canary')", "22001"),
        ("varchar(20)", "char(5)", "('canary')", "22001"),
        ("varchar(20)[]", "varchar(5)[]", "('{canary}'::varchar(20)[])", "22001"),
        ("varbit", "bit(3)", "(B'101010')", "22026"),
        ("text", "tag", "('canary')", "22001"),
        ("numeric(12, 2)", "numeric(6, 2)", "(424242.42)", "22003"),
        ("bigint", "integer", "(4242424242)", "22003"),
        ("text", "mood", "('canary')", "22P02"),
    ];
    let office = office(&pairs).await;
    let report = forward(&office).await;
    assert_eq!(report.exit_code(false), 0, "{report:?}");
    assert_eq!(counts(of(&report, "others")), [1, 1, 0, 0, 0]);
    for (i, (desktop, cloud, _, code)) in pairs.iter().enumerate() {
        let table = format!("t{i}");
        assert_eq!(of(&report, &table).withheld, 1, "{desktop} to {cloud}: {report:?}");
        let entry = format!(
            "select detail from tidegate._sync_withheld \
             where table_name = '{table}' and reason = 'bad_value'"
        );
        let detail = value(&office.cloud, &entry).await;
        assert!(detail.contains(code) && detail.contains(&table), "{cloud}: {detail}");
        assert!(!detail.contains("canary") && !detail.contains("4242"), "{detail}");
        let rows = format!("select count(*)::text from {table} where c::text like '%can%'");
        assert_eq!(value(&office.cloud, &rows).await, "0", "{desktop} to {cloud}");
    }
    let said = serde_json::to_string(&report).unwrap();
    assert!(!said.contains("canary") && !said.contains("4242"), "{said}");
    // Nor is it taken for what is there already, only because that is how it begins.
    let stamp = "update t2 set created_at = '2026-01-01 00:00Z', updated_at = '2026-01-01 00:00Z'";
    execute(&office.desktop, stamp).await;
    let begins = format!("insert into t2 values (1, 'D', null, null, 'canar'); {stamp}");
    execute(&office.cloud, &begins).await;
    let report = forward_full(&office).await;
    assert_eq!(counts(of(&report, "t2")), [1, 0, 0, 0, 1], "{report:?}");
}

//! Indexes that runs are slow without. Only of tables so large that somebody would notice: an index
//! costs every writer something.

use crate::check::facts::Table;
use crate::check::finding::Finding;
use crate::error::End;
use crate::model::TablePlan;
use crate::sql::{Dialect, list};

/// Every run looks for the stamps, and scans the whole table where an index is missing.
const CURSOR_ROWS: i64 = 10_000;
/// Rows are counted by owner only after a run that wrote, and a scan of a few thousand is quick.
const OWNER_ROWS: i64 = 100_000;

/// The indexes that a table lacks.
pub(in crate::check) fn missing(
    plan: &TablePlan,
    (desktop, dialect): (&Table, Dialect),
    cloud: &Table,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for name in cursors(plan, dialect) {
        if desktop.rows > CURSOR_ROWS && !desktop.indexed.contains(name) {
            let cost = "every run reads the whole table";
            found.push(finding(desktop, name, cost, dialect).at(End::Desktop));
        }
    }
    let owner = &plan.owner_column().target;
    if cloud.rows > OWNER_ROWS && !cloud.indexed.contains(owner) {
        let cost = "rows are counted by owner after every run that wrote";
        found.push(finding(cloud, owner, cost, Dialect::Postgres).at(End::Cloud));
    }
    found.into_iter().map(|finding| finding.of(&plan.settings.cloud)).collect()
}

/// The desktop's columns that every run looks for changes by.
fn cursors(plan: &TablePlan, dialect: Dialect) -> Vec<&String> {
    if let Some(version) = &plan.version {
        return vec![version];
    }
    // PostgreSQL looks for a stamp without a zone as an expression, which no index on it serves.
    let is_served = |zoneless: bool| !zoneless || dialect == Dialect::Tsql;
    plan.stamps.source.iter().filter(|s| is_served(s.zoneless)).map(|s| &s.name).collect()
}

fn finding(facts: &Table, column: &str, cost: &str, dialect: Dialect) -> Finding {
    let (on, by) = (dialect.table(&facts.table), dialect.ident(column));
    let statement = match dialect {
        Dialect::Postgres => format!("create index concurrently on {on} ({by});"),
        Dialect::Tsql => {
            let name = list(["ix", &facts.table.name, column].map(str::to_owned), "_");
            format!("create index {} on {on} ({by});", dialect.ident(&name))
        }
    };
    let message = format!("no index on {column}, with about {} rows: {cost}", facts.rows);
    Finding::warning("index", message, statement)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plan, settings, table};
    use super::*;

    #[test]
    fn large_tables_need_an_index_and_small_ones_none() {
        let of = |rows, indexed: &[&str]| Table {
            rows,
            indexed: indexed.iter().map(|&name| name.to_owned()).collect(),
            ..table()
        };
        let plan = plan(23, &settings("jobs"));
        for (desktop, cloud, expected) in [
            (of(10_000, &[]), of(100_000, &[]), vec![]),
            (of(10_001, &["id"]), of(10_001, &["id"]), vec!["updated_at"]),
            (of(10_001, &["updated_at"]), of(100_001, &["id"]), vec!["source"]),
            (of(100_001, &[]), of(100_001, &[]), vec!["updated_at", "source"]),
            (of(100_001, &["updated_at"]), of(100_001, &["source"]), vec![]),
        ] {
            let found = missing(&plan, (&desktop, Dialect::Postgres), &cloud);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (finding, column) in found.iter().zip(expected) {
                assert!(finding.message.contains(&format!("no index on {column},")), "{finding:?}");
            }
        }
    }
}

//! 5 CHECK: what a transaction wrote is what it planned. Pure rules, and the only maker of [`Proof`].

use crate::error::{Error, Kind, Result};
use crate::model::TableName;
use crate::model::write_set::{Expected, TableWrites, TxId, WriteSet, Written};

/// Shows that one transaction wrote what was planned; without it nothing can be committed.
#[derive(Debug)]
pub struct Proof {
    tx: TxId,
}

impl Proof {
    /// Lets the transaction `tx` be committed.
    ///
    /// # Errors
    /// [`Kind::Verification`] when the proof was made for another.
    pub fn admit(&self, tx: TxId) -> Result<()> {
        match self.tx == tx {
            true => Ok(()),
            false => Err(Error::new(Kind::Verification, "the proof is another transaction's")),
        }
    }
}

/// Compares what was planned with what was written.
///
/// # Errors
/// [`Kind::Verification`], naming each table and number that differs.
pub fn check(expected: &Expected, actual: &WriteSet) -> Result<Proof> {
    let mut faults = Vec::new();
    if expected.tx != actual.tx {
        faults.push("the write set belongs to another transaction".to_owned());
    }
    if expected.tally.total() != expected.staged {
        faults.push(format!(
            "{} rows were staged and {} are accounted for",
            expected.staged,
            expected.tally.total()
        ));
    }
    let merged: u64 = expected.tables.values().map(|w| w.inserted + w.updated).sum();
    let planned = expected.tally.written() + expected.parked;
    if merged != planned {
        faults.push(format!("{planned} rows were to be written and {merged} were"));
    }
    if expected.strangers > 0 {
        faults.push(format!("{} written rows are not the writer's", expected.strangers));
    }
    if actual.foreign_rows > 0 {
        faults.push(format!("{} rows of another owner were changed", actual.foreign_rows));
    }
    faults.extend(actual.tables.iter().filter_map(|table| unexpected(expected, table)));
    let unplanned = |table: &&TableName| !expected.also_writes.contains(table);
    let locked = actual.locked.iter().filter(unplanned);
    faults.extend(locked.map(|table| format!("{table} was locked to be written")));
    faults.extend(unwritten(expected, actual));
    match faults.is_empty() {
        true => Ok(Proof { tx: expected.tx }),
        false => Err(Error::new(
            Kind::Verification,
            format!("the transaction wrote something else than planned: {}", faults.join("; ")),
        )),
    }
}

fn unexpected(expected: &Expected, table: &TableWrites) -> Option<String> {
    let allowed = &expected.also_writes;
    if table.rewritten {
        return Some(format!("{} was truncated or dropped", table.table));
    }
    // Nothing excuses a deletion where mobile rows are.
    let loses_rows = table.written.deleted > 0
        && (expected.synced.contains(&table.root) || expected.synced.contains(&table.table));
    if !loses_rows && (allowed.contains(&table.table) || allowed.contains(&table.root)) {
        return None;
    }
    let planned = expected.tables.get(&table.oid).copied().unwrap_or_default();
    (planned != table.written).then(|| {
        format!("{}: planned {}, written {}", table.table, words(planned), words(table.written))
    })
}

/// Planned writes of tables that the server counted nothing for.
fn unwritten(expected: &Expected, actual: &WriteSet) -> Option<String> {
    let counted = |oid: &u32| actual.tables.iter().any(|table| table.oid == *oid);
    let missing = expected.tables.iter().any(|(oid, w)| *w != Written::default() && !counted(oid));
    missing.then(|| "the server counted no write where some were planned".to_owned())
}

fn words(written: Written) -> String {
    format!(
        "{} inserted, {} updated, {} deleted",
        written.inserted, written.updated, written.deleted
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::verdict::{Tally, Verdict};

    fn planned() -> Expected {
        let mut tally = Tally::default();
        tally.add(Verdict::Insert, 2);
        tally.add(Verdict::Unchanged, 1);
        let written = Written { inserted: 2, ..Written::default() };
        Expected {
            tx: TxId(7),
            staged: 3,
            tally,
            tables: BTreeMap::from([(1, written)]),
            parked: 0,
            strangers: 0,
            also_writes: vec![TableName::new("audit", "log")],
            synced: vec![TableName::new("public", "jobs")],
        }
    }

    fn writes(oid: u32, schema: &str, name: &str, written: Written) -> TableWrites {
        let table = TableName::new(schema, name);
        TableWrites { oid, root: table.clone(), table, written, rewritten: false }
    }

    fn actual(tables: Vec<TableWrites>) -> WriteSet {
        WriteSet { tx: TxId(7), tables, foreign_rows: 0, locked: Vec::new() }
    }

    fn faithful() -> TableWrites {
        writes(1, "public", "jobs", Written { inserted: 2, ..Written::default() })
    }

    fn fault(expected: &Expected, actual: &WriteSet) -> String {
        check(expected, actual).map(|_| String::new()).unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn what_was_planned_passes_and_the_proof_names_its_transaction() {
        let proof = check(&planned(), &actual(vec![faithful()])).unwrap();
        assert!(proof.admit(TxId(7)).is_ok() && proof.admit(TxId(8)).is_err());
    }

    #[test]
    fn a_table_that_was_not_planned_is_a_fault_unless_also_writes_names_it() {
        let one = Written { inserted: 1, ..Written::default() };
        let elsewhere = actual(vec![faithful(), writes(2, "public", "other", one)]);
        assert!(fault(&planned(), &elsewhere).contains("other: planned 0"));
        let allowed = actual(vec![faithful(), writes(2, "audit", "log", one)]);
        assert_eq!(fault(&planned(), &allowed), "");
    }

    #[test]
    fn a_count_that_stays_equal_hides_nothing() {
        let swapped = Written { inserted: 3, updated: 0, deleted: 1 };
        let set = actual(vec![writes(1, "public", "jobs", swapped)]);
        assert!(fault(&planned(), &set).contains("1 deleted"));
    }

    #[test]
    fn truncate_is_a_fault_even_where_also_writes_allows_rows() {
        let mut log = writes(2, "audit", "log", Written::default());
        log.rewritten = true;
        assert!(fault(&planned(), &actual(vec![faithful(), log])).contains("truncated"));
    }

    #[test]
    fn also_writes_excuses_no_deletion_in_a_synced_table() {
        let mut expected = planned();
        expected.also_writes.extend(expected.synced.clone());
        let writes = |deleted| {
            let written = Written { inserted: 5, updated: 5, deleted };
            actual(vec![writes(1, "public", "jobs", written)])
        };
        assert_eq!(fault(&expected, &writes(0)), "");
        assert!(fault(&expected, &writes(1)).contains("1 deleted"));
    }

    #[test]
    fn every_staged_row_is_accounted_for() {
        let mut expected = planned();
        expected.staged = 4;
        assert!(fault(&expected, &actual(vec![faithful()])).contains("4 rows were staged"));
    }

    #[test]
    fn a_planned_row_that_was_not_written_is_a_fault() {
        let mut expected = planned();
        expected.tally.add(Verdict::Update, 1);
        expected.staged = 4;
        assert!(fault(&expected, &actual(vec![faithful()])).contains("3 rows were to be written"));
        assert!(fault(&planned(), &actual(vec![])).contains("counted no write"));
    }

    #[test]
    fn a_changed_row_of_another_owner_is_a_fault() {
        let mut set = actual(vec![faithful()]);
        set.foreign_rows = 1;
        assert!(fault(&planned(), &set).contains("another owner"));
    }

    #[test]
    fn a_lock_on_another_table_is_a_fault_unless_also_writes_names_it() {
        let mut set = actual(vec![faithful()]);
        set.locked = vec![TableName::new("audit", "log")];
        assert_eq!(fault(&planned(), &set), "");
        set.locked.push(TableName::new("public", "parents"));
        assert!(fault(&planned(), &set).contains("parents was locked"));
    }

    #[test]
    fn a_written_row_that_is_not_the_writers_is_a_fault() {
        let mut expected = planned();
        expected.strangers = 1;
        assert!(fault(&expected, &actual(vec![faithful()])).contains("not the writer's"));
    }

    #[test]
    fn rows_in_another_table_than_planned_are_a_fault_though_the_sum_is_right() {
        let elsewhere = writes(2, "public", "jobs_2", faithful().written);
        assert!(fault(&planned(), &actual(vec![elsewhere])).contains("jobs_2: planned 0"));
    }

    #[test]
    fn also_writes_may_name_a_partitioned_table_for_its_partitions() {
        let mut leaf = writes(2, "audit", "log_1", faithful().written);
        leaf.root = TableName::new("audit", "log");
        assert_eq!(fault(&planned(), &actual(vec![faithful(), leaf])), "");
    }

    #[test]
    fn an_insert_that_became_an_update_is_a_fault() {
        let overwritten = Written { inserted: 1, updated: 1, deleted: 0 };
        let set = actual(vec![writes(1, "public", "jobs", overwritten)]);
        assert!(fault(&planned(), &set).contains("1 inserted, 1 updated"));
    }

    #[test]
    fn every_fault_is_named() {
        let one = Written { deleted: 1, ..Written::default() };
        let mut set = actual(vec![writes(2, "public", "a", one), writes(3, "public", "b", one)]);
        set.foreign_rows = 1;
        let said = fault(&planned(), &set);
        for part in ["another owner", "a: planned 0", "b: planned 0", "counted no write"] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn a_write_set_proves_nothing_about_another_transaction() {
        let mut set = actual(vec![faithful()]);
        set.tx = TxId(8);
        assert!(fault(&planned(), &set).contains("another transaction"));
    }
}

//! What a target transaction was meant to write, and what it wrote.

use std::collections::BTreeMap;

use super::names::TableName;
use super::verdict::Tally;

/// Names one transaction of this process, so that a proof can't be used for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxId(pub u64);

/// Row versions written to one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// What a transaction is expected to have written, as its own statements returned it.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Which transaction.
    pub tx: TxId,
    /// Rows staged, without superseded versions of the same key.
    pub staged: u64,
    /// The verdict of each of them.
    pub tally: Tally,
    /// What the merge returned, by the table's object identifier; partitions are tables.
    pub tables: BTreeMap<u32, Written>,
    /// Updates among them that parked a row whose unique value another row gets.
    pub parked: u64,
    /// Rows written that carry another owner's mark afterwards.
    pub strangers: u64,
    /// Tables that the target's own triggers may write.
    pub also_writes: Vec<TableName>,
    /// Tables with rows of mobile users, of which nothing may delete: all that are synced.
    pub synced: Vec<TableName>,
}

/// What a transaction really wrote, from the server's counters: cascades and triggers included.
#[derive(Debug, Clone)]
pub struct WriteSet {
    /// Which transaction.
    pub tx: TxId,
    /// Every table with a change.
    pub tables: Vec<TableWrites>,
    /// Rows of another owner under the staged keys that carry this transaction's mark now.
    pub foreign_rows: u64,
    /// Other tables that the transaction has locked for writing, where the server counts nothing.
    pub locked: Vec<TableName>,
}

/// The changes of one table.
#[derive(Debug, Clone)]
pub struct TableWrites {
    /// Its object identifier.
    pub oid: u32,
    /// Its name.
    pub table: TableName,
    /// The partitioned table that it is part of, or itself.
    pub root: TableName,
    /// Row versions.
    pub written: Written,
    /// Whether it was emptied by TRUNCATE, rewritten, or dropped.
    pub rewritten: bool,
}

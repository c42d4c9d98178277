//! Rows by owner: `_sync_row_counts`, and what the change log has to say of mobile rows meanwhile.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::TablePlan;
use crate::sql::{column, literal, table};

use super::Store;

/// A table's rows, as one snapshot has them.
#[derive(Debug, Deserialize)]
pub struct Count {
    /// When they were counted, by the database's clock.
    pub at: String,
    /// Rows by owner; an empty owner stands for NULL.
    pub owners: BTreeMap<String, u64>,
    /// What the count saw, if there is a change log.
    pub snapshot: Option<String>,
    /// What the change log says of mobile rows since they were last recorded; none where it doesn't
    /// cover that time.
    pub logged: Option<Logged>,
}

impl Count {
    /// To be recorded as `table`'s.
    pub fn of<'c>(&'c self, table: &'c str) -> Counted<'c> {
        Counted { table, owners: &self.owners, at: &self.at, snapshot: self.snapshot.as_deref() }
    }
}

/// What the change log says of mobile rows since they were last recorded.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Logged {
    /// Mobile rows on record.
    pub before: i64,
    /// Rows that were made.
    pub made: i64,
    /// Rows that were deleted.
    pub deleted: i64,
    /// Rows of others that were marked as mobile ones.
    pub gained: i64,
    /// Mobile rows that were marked otherwise.
    pub ceded: i64,
}

impl Logged {
    /// Mobile rows that there should be. No run makes or removes one, so this is exact; below zero,
    /// where rows were deleted that no trigger saw coming.
    pub fn expected(&self) -> i64 {
        self.before + self.made + self.gained - self.deleted - self.ceded
    }

    /// Mobile rows that are missing, of which there are `now`; below zero, rows too many.
    pub fn missing(&self, now: u64) -> i64 {
        self.expected() - now.cast_signed()
    }
}

/// The numbers, as a part of a sentence.
impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, made, deleted, gained, ceded } = self;
        write!(f, "{before} when last counted, since then {made} made, {deleted} deleted")?;
        if gained + ceded > 0 {
            write!(f, ", {gained} marked as mobile, {ceded} marked otherwise")?;
        }
        write!(f, ": {} expected", self.expected())
    }
}

/// A table's rows, to be recorded.
#[derive(Debug)]
pub struct Counted<'c> {
    /// The table's label.
    pub table: &'c str,
    /// Rows by owner; an empty owner stands for NULL.
    pub owners: &'c BTreeMap<String, u64>,
    /// When the snapshot that was counted was taken.
    pub at: &'c str,
    /// What it saw, if there is a change log.
    pub snapshot: Option<&'c str>,
}

impl Store<'_> {
    /// Mobile rows of the target, counted now.
    pub async fn count_mobile(&self, connection: &Connection, plan: &TablePlan) -> Result<u64> {
        let sql = self.sql.render(
            "postgres/count_owner.sql",
            &[("target", &table(&plan.target)), ("owner", &owner(plan))],
        );
        let doing = format!("counting {}", plan.label());
        let rows: i64 = connection.value(doing, &sql, &[text(&plan.owner.mobile)]).await?;
        Ok(rows.unsigned_abs())
    }

    /// Counts the rows of each owner, also of one that has none.
    pub async fn count_rows(&self, connection: &Connection, plan: &TablePlan) -> Result<Count> {
        let label = plan.label();
        let slots = [
            ("store", self.quoted()),
            ("target", &table(&plan.target)),
            ("owner", &owner(plan)),
            ("log_since", &self.log_since(plan)),
        ];
        let sql = self.sql.render("postgres/count_rows.sql", &slots);
        let params = [text(&label), text(&plan.owner.mobile)];
        let doing = format!("counting {label}");
        let mut count: Count = connection.document(doing, &sql, &params).await?;
        // A record of no row at all would leave the last one standing.
        for mark in [&plan.owner.writer, &plan.owner.other] {
            count.owners.entry(mark.clone()).or_default();
        }
        Ok(count)
    }

    /// Records what `run` counted, of all tables in one statement.
    pub async fn record_counts(
        &self,
        connection: &Connection,
        run: Uuid,
        counted: &[Counted<'_>],
    ) -> Result<()> {
        if counted.is_empty() {
            return Ok(());
        }
        let document = Value::from_iter(counted.iter().flat_map(lines)).to_string();
        let params = [(&run as _, Type::UUID), text(&document)];
        let sql = self.render("postgres/record_counts.sql");
        connection.run("recording the counts", &sql, &params).await?;
        Ok(())
    }

    /// The query for what the change log says of mobile rows since the last record.
    pub(super) fn log_since(&self, plan: &TablePlan) -> String {
        let owner = plan.owner_column();
        // As the table compares them: a `character` of any length has no blanks at its end.
        let mark = |value: &str| format!("({value})::{}::text", owner.bare_type);
        let was = mark(&format!("e.old ->> {}", literal(&owner.target)));
        let slots = [("store", self.quoted()), ("was", &was), ("is", &mark("e.new_owner"))];
        self.sql.render("postgres/log_since.sql", &slots)
    }
}

fn lines<'c>(counted: &'c Counted<'_>) -> impl Iterator<Item = Value> + 'c {
    let Counted { table, at, snapshot, .. } = counted;
    counted.owners.iter().map(move |(owner, rows)| {
        json!({
            "table_name": table, "owner": owner, "rows": rows, "counted_at": at, "snapshot": snapshot,
        })
    })
}

fn owner(plan: &TablePlan) -> String {
    format!("{}::text", column("t", &plan.owner_column().target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_log_says_makes_the_expectation() {
        let logged = Logged { before: 10, made: 4, deleted: 3, gained: 2, ceded: 1 };
        assert_eq!(logged.expected(), 12);
        assert_eq!([11, 12, 13].map(|now| logged.missing(now)), [1, 0, -1]);
        let said = "10 when last counted, since then 4 made, 3 deleted, 2 marked as mobile, \
                    1 marked otherwise: 12 expected";
        assert_eq!(logged.to_string(), said);
    }

    #[test]
    fn rows_that_no_trigger_saw_coming_may_be_deleted() {
        let logged = Logged { before: 0, made: 0, deleted: 2, gained: 0, ceded: 0 };
        assert_eq!(logged.missing(1), -3);
        let said = "0 when last counted, since then 0 made, 2 deleted: -2 expected";
        assert_eq!(logged.to_string(), said);
    }
}

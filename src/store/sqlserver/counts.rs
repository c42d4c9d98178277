//! Rows by owner: `_sync_row_counts`.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::db::sqlserver::statement::Param;
use crate::error::{Error, Kind, Result};
use crate::model::TablePlan;
use crate::sql::tsql::{column, table};
use crate::store::{Count, Counted};

use super::SqlServerStore;
use super::lists::{HASH, hashes, pieces, tuples};
use super::reading::moment;

impl SqlServerStore<'_> {
    /// Mobile rows of the target, counted now.
    pub async fn count_mobile(&self, connection: &mut Connection, plan: &TablePlan) -> Result<u64> {
        let slots = [("target", &*table(&plan.target)), ("owner", &*owner(plan))];
        let sql = self.sql.render("sqlserver/count_owner.sql", &slots);
        let doing = format!("counting {}", plan.label());
        let rows: i64 = connection.value(doing, &sql, &[&plan.owner.mobile]).await?;
        Ok(rows.unsigned_abs())
    }

    /// Counts the rows of each owner, also of one that has none.
    pub async fn count_rows(&self, connection: &mut Connection, plan: &TablePlan) -> Result<Count> {
        let slots = [("target", &*table(&plan.target)), ("owner", &*owner(plan))];
        let sql = self.sql.render("sqlserver/count_rows.sql", &slots);
        let doing = format!("counting {}", plan.label());
        let sets = connection.result_sets(&doing, &sql, &[]).await?;
        let mut rows = sets.iter().flatten();
        let at = rows.next().map(|row| moment(row, "moment")).transpose()?.flatten();
        let at = at.ok_or_else(|| Error::new(Kind::Other, format!("{doing}: no moment")))?;
        let mut owners = BTreeMap::<String, u64>::new();
        for row in rows {
            let counted = get::<i64>(row, "rows")?.unsigned_abs();
            *owners.entry(get::<&str>(row, "owner")?.to_owned()).or_default() += counted;
        }
        // A record of no row at all would leave the last one standing.
        for mark in [&plan.owner.writer, &plan.owner.other] {
            owners.entry(mark.clone()).or_default();
        }
        Ok(Count { at: at.in_json(), owners, snapshot: None, logged: None })
    }

    /// Records what `run` counted.
    pub async fn record_counts(
        &self,
        connection: &mut Connection,
        run: Uuid,
        counted: &[Counted<'_>],
    ) -> Result<()> {
        let of_owners = counted.iter().flat_map(|Counted { table, owners, at, .. }| {
            owners.iter().map(move |(owner, rows)| (*table, owner, rows.cast_signed(), *at))
        });
        let lines: Vec<(&str, &String, i64, &str)> = of_owners.collect();
        for piece in pieces(&lines, 5) {
            let list = tuples(1, piece.len(), ["", "", HASH, "", ""]);
            let marks = hashes(piece.iter().map(|(_, owner, ..)| owner.as_str()));
            let mut params: Vec<Param<'_>> = vec![&run];
            for ((table, owner, rows, at), hash) in piece.iter().zip(&marks) {
                let line: [Param<'_>; 5] = [table, *owner, hash, rows, at];
                params.extend(line);
            }
            for name in ["sqlserver/record_counts_again.sql", "sqlserver/record_counts_new.sql"] {
                let sql = self.render_with(name, ("counts", &list));
                connection.run("recording the counts", &sql, &params).await?;
            }
        }
        Ok(())
    }
}

/// The mark of the row `t`, case and all, but without blanks at its end, which SQL Server overlooks when
/// it compares.
fn owner(plan: &TablePlan) -> String {
    let mark = column("t", &plan.owner_column().target);
    format!("coalesce(rtrim(cast({mark} as nvarchar(max))), N'') collate Latin1_General_BIN2")
}

//! What runs did: `_sync_runs`.

use uuid::Uuid;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::statement::Param;
use crate::error::Result;
use crate::model::{Account, TablePlan};
use crate::store::{Finished, TablePosition};

use super::{OfRun, SqlServerStore};

impl SqlServerStore<'_> {
    /// Notes the account of a table's run so far, in the transaction of its rows.
    pub async fn record_run(
        &self,
        connection: &mut Connection,
        of: &OfRun<'_>,
        account: &Account,
    ) -> Result<()> {
        let Account { read, tally } = account;
        let counts =
            [*read, tally.inserted, tally.updated, tally.unchanged, tally.withheld_total()];
        let counts = counts.map(u64::cast_signed);
        let withheld_by = serde_json::json!(tally.withheld).to_string();
        let direction = of.direction.word();
        let mut params: Vec<Param<'_>> = vec![&of.run_id, &of.label, &direction];
        params.extend(counts.iter().map(|count| count as Param<'_>));
        params.push(&withheld_by);
        self.write_run(connection, "sqlserver/record_run.sql", &params).await
    }

    /// Notes how a table's run ended.
    pub async fn finish_run(
        &self,
        connection: &mut Connection,
        run_id: Uuid,
        plan: &TablePlan,
        finished: &Finished<'_>,
    ) -> Result<()> {
        let label = plan.label();
        self.write_finished(connection, run_id, (&label, plan.direction.word()), finished).await
    }

    /// Notes that a position was moved by hand.
    pub async fn note_run(
        &self,
        connection: &mut Connection,
        run_id: Uuid,
        position: &TablePosition,
        finished: &Finished<'_>,
    ) -> Result<()> {
        let of = (&*position.table, &*position.direction);
        self.write_finished(connection, run_id, of, finished).await
    }

    async fn write_finished(
        &self,
        connection: &mut Connection,
        run_id: Uuid,
        (label, direction): (&str, &str),
        finished: &Finished<'_>,
    ) -> Result<()> {
        let Finished { read, inserted, updated, unchanged, withheld, .. } = *finished;
        let counts = [read, inserted, updated, unchanged, withheld].map(u64::cast_signed);
        let mobile = [finished.mobile_before, finished.mobile_after];
        let mobile = mobile.map(|rows| rows.map(u64::cast_signed));
        let withheld_by = serde_json::json!(finished.withheld_by).to_string();
        let mut params: Vec<Param<'_>> = vec![&run_id, &label, &direction];
        params.extend(counts.iter().map(|count| count as Param<'_>));
        let rest: [Param<'_>; 8] = [
            &withheld_by,
            &finished.outcome,
            &mobile[0],
            &mobile[1],
            &finished.watermark_from,
            &finished.watermark,
            &finished.seconds,
            &finished.error,
        ];
        params.extend(rest);
        self.write_run(connection, "sqlserver/finish_run.sql", &params).await
    }

    /// The statement `name`, about a row that is made if need be. The run, the table and the direction
    /// are its first parameters.
    async fn write_run(
        &self,
        connection: &mut Connection,
        name: &'static str,
        params: &[Param<'_>],
    ) -> Result<()> {
        let doing = "recording the run";
        if connection.run(doing, &self.render(name), params).await? == 0 {
            let of = params.get(..3).unwrap_or_default();
            connection.run(doing, &self.render("sqlserver/make_run.sql"), of).await?;
            connection.run(doing, &self.render(name), params).await?;
        }
        Ok(())
    }

    /// Counts one more failure in a row.
    pub async fn record_failure(
        &self,
        connection: &mut Connection,
        plan: &TablePlan,
    ) -> Result<()> {
        let label = plan.label();
        self.make_positions(connection, &[&label], plan.direction).await?;
        let (sql, direction) = (self.render("sqlserver/record_failure.sql"), plan.direction.word());
        let doing = format!("recording the failure of {label}");
        connection.run(doing, &sql, &[&label, &direction]).await?;
        Ok(())
    }
}

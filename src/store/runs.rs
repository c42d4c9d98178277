//! What runs did: `_sync_runs`, and positions that move without rows.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::{Account, Capture, Horizon, Position, Reason, TablePlan};

use super::{Store, TablePosition};

/// The end of one table's run, as `_sync_runs` keeps it.
#[derive(Debug, Serialize)]
pub struct Finished<'f> {
    /// `ok`, `failed`, `verification_failed` …
    pub outcome: &'f str,
    /// Rows read.
    pub read: u64,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows that were the same already.
    pub unchanged: u64,
    /// Rows that were not written.
    pub withheld: u64,
    /// The same by reason.
    pub withheld_by: &'f BTreeMap<Reason, u64>,
    /// Mobile rows before.
    pub mobile_before: Option<u64>,
    /// Mobile rows after.
    pub mobile_after: Option<u64>,
    /// Where the run began.
    pub watermark_from: Option<&'f str>,
    /// Where it ended.
    pub watermark: Option<&'f str>,
    /// How long it took.
    pub seconds: f64,
    /// What went wrong.
    pub error: Option<String>,
}

/// A table with nothing to do.
#[derive(Debug)]
pub struct Quiet<'q> {
    /// The table.
    pub plan: &'q TablePlan,
    /// Where the run found it.
    pub at: &'q Position,
    /// Where it moves to.
    pub horizon: Horizon,
}

impl Store<'_> {
    /// Notes the account of a table's run so far, in the transaction of its rows.
    pub async fn record_run(
        &self,
        connection: &Connection,
        run_id: Uuid,
        plan: &TablePlan,
        account: &Account,
    ) -> Result<()> {
        let Account { read, tally } = account;
        let counts = json!({
            "read": read,
            "inserted": tally.inserted,
            "updated": tally.updated,
            "unchanged": tally.unchanged,
            "withheld": tally.withheld_total(),
            "withheld_by": tally.withheld,
        });
        let label = plan.label();
        let of = (&*label, plan.direction.word());
        self.write_run("postgres/record_run.sql", connection, run_id, of, &counts.to_string()).await
    }

    /// Notes how a table's run ended.
    pub async fn finish_run(
        &self,
        connection: &Connection,
        run_id: Uuid,
        plan: &TablePlan,
        finished: &Finished<'_>,
    ) -> Result<()> {
        let label = plan.label();
        let of = (&*label, plan.direction.word());
        self.write_finished(connection, run_id, of, finished).await
    }

    /// Notes that a position was moved by hand.
    pub async fn note_run(
        &self,
        connection: &Connection,
        run_id: Uuid,
        position: &TablePosition,
        finished: &Finished<'_>,
    ) -> Result<()> {
        let of = (&*position.table, &*position.direction);
        self.write_finished(connection, run_id, of, finished).await
    }

    async fn write_finished(
        &self,
        connection: &Connection,
        run_id: Uuid,
        of: (&str, &str),
        finished: &Finished<'_>,
    ) -> Result<()> {
        let document = json!(finished).to_string();
        self.write_run("postgres/finish_run.sql", connection, run_id, of, &document).await
    }

    async fn write_run(
        &self,
        statement: &'static str,
        connection: &Connection,
        run_id: Uuid,
        (label, direction): (&str, &str),
        document: &str,
    ) -> Result<()> {
        let params = [(&run_id as _, Type::UUID), text(&label), text(&direction), text(&document)];
        let doing = format!("recording the run of {label}");
        connection.run(doing, &self.render(statement), &params).await?;
        Ok(())
    }

    /// Counts one more failure in a row.
    pub async fn record_failure(&self, connection: &Connection, plan: &TablePlan) -> Result<()> {
        let (label, direction) = (plan.label(), plan.direction.word());
        let sql = self.render("postgres/record_failure.sql");
        let doing = format!("recording the failure of {label}");
        connection.run(doing, &sql, &[text(&label), text(&direction)]).await?;
        Ok(())
    }

    /// Moves tables with nothing to do to the horizon, in one statement. Gives for each label
    /// where it stands now; a table that another run has moved meanwhile is left out.
    pub async fn move_quiet(
        &self,
        connection: &Connection,
        run_id: Uuid,
        source_identity: &str,
        quiet: &[Quiet<'_>],
    ) -> Result<BTreeMap<String, Option<String>>> {
        let Some(first) = quiet.first() else { return Ok(BTreeMap::new()) };
        let labels: Vec<String> = quiet.iter().map(|q| q.plan.label()).collect();
        let generations: Vec<i64> = quiet.iter().map(|q| q.at.generation).collect();
        let horizons: Vec<Option<&str>> = quiet.iter().map(|q| q.horizon.0.as_deref()).collect();
        let direction = first.plan.direction.word();
        let params = [
            (&labels as _, Type::TEXT_ARRAY),
            (&generations as _, Type::INT8_ARRAY),
            (&horizons as _, Type::TEXT_ARRAY),
            text(&direction),
            (&run_id as _, Type::UUID),
            text(&source_identity),
        ];
        let no_key = "null::jsonb";
        let (watermark, after, type_name, kind) = match first.plan.capture {
            Capture::Timestamp => ("q.horizon", no_key, "timestamptz", "!~ '^([0-9]+$|0x)'"),
            Capture::Rowversion | Capture::DesktopLog => {
                ("q.horizon", no_key, "text collate \"C\"", "~ '^0x'")
            }
            Capture::Log => (
                "pg_snapshot_xmin(q.horizon::pg_snapshot)::text",
                "jsonb_build_object('seen', q.horizon)",
                "xid8",
                "~ '^[0-9]+$'",
            ),
        };
        let sql = self.sql.render(
            "postgres/move_quiet.sql",
            &[
                ("store", &self.quoted),
                ("watermark", watermark),
                ("after", after),
                ("type", type_name),
                ("kind", kind),
            ],
        );
        let rows = connection.rows("moving quiet tables", &sql, &params).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

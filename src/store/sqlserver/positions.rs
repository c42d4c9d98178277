//! Positions: claimed and moved by batches, moved together where there is nothing to do, and by hand.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::{any, get};
use crate::db::sqlserver::statement::Param;
use crate::error::{Error, Kind, Result};
use crate::model::{Capture, Direction, Position, Reached, ReadUntil};
use crate::store::{Quiet, TablePosition};

use super::lists::{pieces, tuples};
use super::reading::{flag, json, moment, text};
use super::{OfRun, SqlServerStore};

/// Another run that holds the table lets go of it or is at work.
const TURN_MS: i32 = 500;

/// A table's position, which nobody else can move before the end of the transaction.
#[derive(Debug)]
pub struct Claimed {
    /// Where it stands.
    pub at: Position,
    /// Whether the list of withheld rows has any of this table.
    pub has_withheld: bool,
}

impl SqlServerStore<'_> {
    /// Locks a table for this batch, and its position, which is made if need be.
    ///
    /// # Errors
    /// [`Kind::Held`] when another run is at work on the table.
    pub async fn claim(
        &self,
        connection: &mut Connection,
        label: &str,
        direction: Direction,
    ) -> Result<Claimed> {
        let held = || Error::new(Kind::Held, format!("another run holds {label}"));
        let doing = format!("locking {label}");
        let turn = format!("tidegate {label}");
        if !self.take_turn(connection, &doing, (&turn, TURN_MS)).await? {
            return Err(held());
        }
        let (sql, direction) = (self.render("sqlserver/claim.sql"), direction.word());
        let rows = connection.rows(&doing, &sql, &[&label, &direction]).await;
        let rows = rows.map_err(|e| match e.kind() {
            Kind::Busy => held(),
            _ => e,
        })?;
        let row = rows.first().ok_or_else(held)?;
        let at = Position {
            watermark: text(row, "watermark")?,
            after: text(row, "after_key")?,
            generation: get(row, "generation")?,
        };
        Ok(Claimed { at, has_withheld: flag(row, "has_withheld")? })
    }

    /// Moves a position that is claimed and stands at `from` to what its batch has reached.
    ///
    /// # Errors
    /// [`Kind::Held`] when it is not there.
    pub async fn move_position(
        &self,
        connection: &mut Connection,
        of: &OfRun<'_>,
        (from, capture): (&Position, Capture),
        to: &Reached,
        source_identity: &str,
    ) -> Result<Position> {
        let step = from.step(capture, to)?;
        let (label, direction) = (of.label, of.direction.word());
        let read_until_now = i32::from(step.read_until == ReadUntil::Now);
        let Position { watermark, after, .. } = &step.position;
        let (watermark, after) = (watermark.as_deref(), after.as_deref());
        let params: [Param<'_>; 8] = [
            &label,
            &direction,
            &from.generation,
            &of.run_id,
            &watermark,
            &after,
            &source_identity,
            &read_until_now,
        ];
        let sql = self.render("sqlserver/move_position.sql");
        let doing = format!("committing {label}");
        match connection.run(doing, &sql, &params).await? {
            1 => Ok(step.position),
            _ => Err(Error::new(Kind::Held, format!("another run has moved on with {label}"))),
        }
    }

    /// The generation that a position has now, and the run that wrote it: what became of a commit whose
    /// answer was lost.
    pub async fn read_back(
        &self,
        connection: &mut Connection,
        label: &str,
        direction: Direction,
    ) -> Result<(i64, Option<Uuid>)> {
        let (sql, direction) = (self.render("sqlserver/read_back.sql"), direction.word());
        let doing = "reading the outcome of COMMIT back";
        let rows = connection.rows(doing, &sql, &[&label, &direction]).await?;
        match rows.first() {
            Some(row) => Ok((get(row, "generation")?, any(row, "run_id")?)),
            None => Ok((0, None)),
        }
    }

    /// Moves tables with nothing to do to the horizon. Gives for each label where it stands now; a
    /// table that another run has moved meanwhile is left out.
    pub async fn move_quiet(
        &self,
        connection: &mut Connection,
        run_id: Uuid,
        source_identity: &str,
        quiet: &[Quiet<'_>],
    ) -> Result<BTreeMap<String, Option<String>>> {
        let mut moved = BTreeMap::new();
        let Some(first) = quiet.first() else { return Ok(moved) };
        let direction = first.plan.direction;
        let mut steps = Vec::new();
        for Quiet { plan, at, horizon } in quiet {
            let step = at.step(plan.capture, &Reached::End(horizon.clone()))?;
            let Position { watermark, after, .. } = step.position;
            steps.push((plan.label(), at.generation, watermark, after));
        }
        let labels: Vec<&str> = steps.iter().map(|(label, ..)| label.as_str()).collect();
        self.make_positions(connection, &labels, direction).await?;
        let direction = direction.word();
        for piece in pieces(&steps, 4) {
            let list = tuples(3, piece.len(), ["", "", "nvarchar(max)", "nvarchar(max)"]);
            let sql = self.render_with("sqlserver/move_quiet.sql", ("quiet", &list));
            let mut params: Vec<Param<'_>> = vec![&direction, &run_id, &source_identity];
            for (label, generation, watermark, after) in piece {
                let of_table: [Param<'_>; 4] = [label, generation, watermark, after];
                params.extend(of_table);
            }
            for row in connection.rows("moving quiet tables", &sql, &params).await? {
                moved.insert(get::<&str>(&row, "table_name")?.to_owned(), text(&row, "watermark")?);
            }
        }
        Ok(moved)
    }

    /// Makes positions that are not there yet, at the beginning.
    pub(super) async fn make_positions(
        &self,
        connection: &mut Connection,
        labels: &[&str],
        direction: Direction,
    ) -> Result<()> {
        let direction = direction.word();
        for piece in pieces(labels, 1) {
            let list = tuples(1, piece.len(), [""]);
            let sql = self.render_with("sqlserver/make_positions.sql", ("tables", &list));
            let mut params: Vec<Param<'_>> = vec![&direction];
            params.extend(piece.iter().map(|label| label as Param<'_>));
            connection.run("making positions", &sql, &params).await?;
        }
        Ok(())
    }

    /// The positions of the tables called `labels`, in their order.
    pub async fn positions(
        &self,
        connection: &mut Connection,
        labels: &[String],
        direction: &str,
    ) -> Result<Vec<TablePosition>> {
        let doing = "reading the positions";
        let sql = self.render("sqlserver/positions.sql");
        let mut known = BTreeMap::<String, Vec<TablePosition>>::new();
        for row in connection.rows(doing, &sql, &[&direction]).await? {
            let after = any::<&str>(&row, "after_key")?.map(json);
            let run_id = any::<Uuid>(&row, "run_id")?;
            let position = TablePosition {
                table: get::<&str>(&row, "table_name")?.to_owned(),
                direction: direction.to_owned(),
                stream: get::<&str>(&row, "stream")?.to_owned(),
                watermark: text(&row, "watermark")?,
                after_key: after.transpose()?,
                generation: get(&row, "generation")?,
                last_sync: moment(&row, "last_sync_timestamp")?.map(|at| at.in_json()),
                source_identity: text(&row, "source_identity")?,
                run_id: run_id.map(|run_id| run_id.to_string()),
            };
            known.entry(position.table.clone()).or_default().push(position);
        }
        let of_table = |label: &String| {
            known.remove(label).unwrap_or_else(|| vec![at_the_beginning(label, direction)])
        };
        Ok(labels.iter().flat_map(of_table).collect())
    }

    /// Locks a table as a batch of a run does, and its position, to be moved by hand.
    ///
    /// # Errors
    /// [`Kind::Held`] when a run is at work on the table.
    pub async fn hold(
        &self,
        connection: &mut Connection,
        label: &str,
        direction: Direction,
    ) -> Result<()> {
        let claimed = self.claim(connection, label, direction).await;
        claimed.map(drop).map_err(|e| match e.kind() {
            Kind::Held => e.remedied("Try again when it is through."),
            _ => e,
        })
    }

    /// Places the position of a table that is claimed.
    pub async fn place(
        &self,
        connection: &mut Connection,
        run_id: Uuid,
        position: &TablePosition,
    ) -> Result<()> {
        let sql = self.render("sqlserver/place_position.sql");
        let TablePosition { table, direction, watermark, source_identity, .. } = position;
        let (watermark, identity) = (watermark.as_deref(), source_identity.as_deref());
        let params: [Param<'_>; 5] = [table, direction, &watermark, &identity, &run_id];
        connection.run(format!("placing the position of {table}"), &sql, &params).await?;
        Ok(())
    }
}

fn at_the_beginning(label: &str, direction: &str) -> TablePosition {
    TablePosition {
        table: label.to_owned(),
        direction: direction.to_owned(),
        stream: "changes".to_owned(),
        watermark: None,
        after_key: None,
        generation: 0,
        last_sync: None,
        source_identity: None,
        run_id: None,
    }
}

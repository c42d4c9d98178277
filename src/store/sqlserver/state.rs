//! All that a run has to know of the desktop before it starts.

use std::collections::BTreeMap;

use tiberius::Row;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::error::Result;
use crate::model::settings::Ownership;
use crate::model::{Direction, Horizon, Instant, Moved, Position};
use crate::store::{State, TableState};

use super::SqlServerStore;
use super::reading::{flag, moment, text};

const READING: &str = "reading the state";

impl SqlServerStore<'_> {
    /// Reads the state of the tables called `labels`.
    ///
    /// # Errors
    /// [`Kind::Config`](crate::error::Kind::Config) when `migrate` has to run first.
    pub async fn state(
        &self,
        connection: &mut Connection,
        direction: Direction,
        labels: &[String],
        ownership: &Ownership,
    ) -> Result<State> {
        let sql = self.render("sqlserver/state.sql");
        let direction = direction.word();
        let sets =
            match connection.result_sets(READING, &sql, &[&direction, &ownership.mobile]).await {
                Ok(sets) => sets,
                Err(e) if self.exists(connection).await? => return Err(e),
                Err(_) => return Err(self.not_migrated("do not exist")),
            };
        let mut sets = sets.into_iter().map(Vec::into_iter);
        let [version, positions, counts] = std::array::from_fn(|_| sets.next().unwrap_or_default());
        let version: Option<i32> = version.last().map(|row| get(&row, "version")).transpose()?;
        self.check_version(version.unwrap_or_default())?;
        let mut known = BTreeMap::new();
        for row in positions {
            known.insert(get::<&str>(&row, "table_name")?.to_owned(), table_state(&row)?);
        }
        for row in counts {
            let mobile = get::<i64>(&row, "mobile")?.unsigned_abs();
            if let Some(state) = known.get_mut(get::<&str>(&row, "table_name")?) {
                state.mobile = Some(mobile);
            }
        }
        let tables = labels.iter().map(|label| known.remove(label).unwrap_or_default());
        Ok(State { snapshot: Horizon(None), tables: tables.collect() })
    }
}

fn table_state(row: &Row) -> Result<TableState> {
    let (now, last) = (moment(row, "now")?, moment(row, "last_sync_timestamp")?);
    let ago = now.zip(last).map_or(0.0, |(now, last)| now.unix() - last.unix());
    let watermark = text(row, "watermark")?;
    // A position in a change log is no stamp.
    let stamp = watermark.as_deref().and_then(Instant::parse).filter(|stamp| stamp.is_finite());
    Ok(TableState {
        position: Position {
            watermark,
            after: text(row, "after_key")?,
            generation: get(row, "generation")?,
        },
        moved: stamp.map(|stamp| Moved { watermark: stamp.unix(), ago }),
        source_identity: text(row, "source_identity")?,
        mobile: None,
        withholds: flag(row, "withholds")?,
        awaited: Vec::new(),
    })
}

//! The upper bound that is safe to read up to.

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::error::{End, Error, Result};
use crate::model::{Horizon, Lag};
use crate::sql::Sql;

/// What a role sees of the transactions that are open.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Sight {
    /// Whether it sees those of other roles.
    pub sees_others: bool,
    /// Whether the server shows any.
    pub tracks: bool,
    /// Whether the server is a standby, on which they don't run.
    pub standby: bool,
}

impl Sight {
    /// Whether a table of `end` with this lag may be read.
    ///
    /// # Errors
    /// [`Kind::Config`](crate::error::Kind::Config) when a change could be lost.
    pub fn suffices(&self, end: End, lag: Lag) -> Result<()> {
        if self.standby {
            return Err(Error::config(
                format!("the {end} database is a standby, whose open transactions can't be seen"),
                "Read from the primary.",
            ));
        }
        if !self.tracks {
            return Err(Error::config(
                format!("track_activities is off on the {end}, so open transactions can't be seen"),
                format!("Set track_activities = on (its default) for the {end}'s server."),
            ));
        }
        if !self.sees_others && !lag.stands_alone() {
            return Err(Error::config(
                format!(
                    "this role can't see when other sessions of the {end} began their transactions"
                ),
                format!(
                    "grant pg_read_all_stats to it, or set a lag longer than the longest \
                     transaction of the {end}, as in lag = \"10m\"."
                ),
            ));
        }
        Ok(())
    }
}

/// The horizons of one moment.
#[derive(Debug, Deserialize)]
pub(super) struct Horizons {
    horizons: Vec<String>,
    prepared: bool,
    #[serde(flatten)]
    sight: Sight,
    pub(super) identity: String,
    /// When this was read, in seconds since 1970.
    pub(super) clock: f64,
    #[serde(skip)]
    lags: Vec<Lag>,
}

impl Horizons {
    /// Reads them, in a transaction of its own: before the snapshot, or changes could be lost
    /// that are committed in between.
    pub(super) async fn read(connection: &Connection, sql: &Sql, lags: &[Lag]) -> Result<Self> {
        let seconds: Vec<f64> = lags.iter().map(|lag| lag.duration().as_secs_f64()).collect();
        let statement = sql.render("postgres/horizon.sql", &[]);
        let params = [(&seconds as _, Type::FLOAT8_ARRAY)];
        let read: Self = connection.document("reading the horizon", &statement, &params).await?;
        let end = connection.end();
        if read.prepared && !lags.is_empty() {
            tracing::warn!(
                "the {end} holds a prepared transaction: rows arrive, but no watermark moves \
                 until it ends"
            );
        }
        Ok(Self { lags: lags.to_vec(), ..read })
    }

    /// The horizon of a table of `end` with this lag.
    pub(super) fn of(&self, end: End, lag: Lag) -> Result<Horizon> {
        self.sight.suffices(end, lag)?;
        let horizon = self.lags.iter().position(|l| *l == lag).map(|i| self.horizons[i].clone());
        Ok(Horizon(horizon.filter(|_| !self.prepared)))
    }
}

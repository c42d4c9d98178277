//! What both ends say before a run can plan, in one round trip each.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::config::Config;
use crate::db::Session;
use crate::error::{End, Kind, Result};
use crate::model::schema::TableSchema;
use crate::model::{Horizon, TableSettings};
use crate::sql::Sql;
use crate::store::{State, TableState};

use super::Way;
use super::opening::{Catalogues, Ends, sql_server_store, store};
use super::written::Ledger;

/// What both ends said.
///
/// Both directions of a run can go by one, if the first had nothing to do: reverse writes the desktop
/// only, and what is said here of the cloud's store is what forward has left there. Of the desktop's,
/// forward looks at nothing but what its own view shows.
#[derive(Debug)]
pub(super) struct Survey {
    /// The tables of both ends.
    pub(super) catalogues: Catalogues,
    /// What the stores say of the directions that write them.
    desktop: Option<State>,
    cloud: Option<State>,
    asked: Instant,
}

/// What is looked at.
#[derive(Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) config: &'q Config,
    pub(super) way: Way,
    pub(super) settings: &'q [TableSettings],
    pub(super) sql: &'q Sql,
}

/// What one end said: its tables, whether it holds tidegate's own, and what these say.
type Answer = (Vec<TableSchema>, bool, Option<State>);

impl Survey {
    /// Asks both ends at the same time.
    pub(super) async fn of(ends: Ends<'_>, question: Question<'_>) -> Result<Self> {
        let asked = Instant::now();
        let (desktop, cloud) = Box::pin(async {
            tokio::try_join!(question.ask(ends.desktop), question.ask(ends.at(End::Cloud)))
        })
        .await?;
        let ((of_desktop, desktop_remembers, desktop), (of_cloud, _, cloud)) = (desktop, cloud);
        let catalogues = Catalogues { desktop: of_desktop, cloud: of_cloud, desktop_remembers };
        Ok(Self { catalogues, desktop, cloud, asked })
    }

    /// The state of the tables of `settings` in the database that is written, by label, and what its
    /// snapshot saw.
    pub(super) fn take_state(
        &mut self,
        written: End,
        settings: &[TableSettings],
    ) -> (Horizon, BTreeMap<String, TableState>) {
        let state = match written {
            End::Desktop => self.desktop.take(),
            End::Cloud => self.cloud.take(),
        };
        let Some(State { snapshot, tables }) = state else {
            return (Horizon(None), BTreeMap::new());
        };
        let age = self.asked.elapsed().as_secs_f64();
        let of_now = |mut table: TableState| {
            // The source's clock is read in a moment, and compared with this.
            if let Some(moved) = &mut table.moved {
                moved.ago += age;
            }
            table
        };
        let labels = settings.iter().map(|t| t.cloud.to_string());
        (snapshot, labels.zip(tables.into_iter().map(of_now)).collect())
    }

    /// Reverse has seen the cloud since: its position may have moved that far.
    pub(super) fn cloud_has_come_to(&mut self, seen: &str) {
        if let Some(state) = &mut self.cloud {
            state.snapshot = Horizon(Some(seen.to_owned()));
        }
    }
}

impl Question<'_> {
    /// Whether forward can see what reverse did. A role that may not is one that reverse never had.
    async fn may_remember(self, desktop: &mut Ledger<'_>) -> Result<bool> {
        match desktop.is_present().await {
            Err(e) if e.kind() == Kind::Unauthorised => {
                tracing::warn!(
                    "the desktop's role may not read tidegate's tables in schema {}: every mobile edit \
                     counts as one that has not come home; see `tidegate grants`",
                    self.config.desktop_schema
                );
                Ok(false)
            }
            present => present,
        }
    }

    async fn ask(self, session: Session<'_>) -> Result<Answer> {
        let names = self.config.names(session.end(), self.settings);
        // The question that takes longest goes first: the others have left before it is answered.
        let (tables, (remembers, state)) = tokio::try_join!(
            biased;
            session.catalogue(self.sql, &names),
            self.ask_store(session)
        )?;
        Ok((tables, remembers, state))
    }

    async fn ask_store(self, session: Session<'_>) -> Result<(bool, Option<State>)> {
        match session {
            Session::Postgres(connection) => {
                let store = store(self.config, connection.end(), self.sql);
                self.ask_ledger(&mut Ledger::Postgres(&store, connection), session.end()).await
            }
            Session::SqlServer(session) => {
                let store = sql_server_store(self.config, self.sql);
                let mut connection = session.lock().await;
                let mut ledger = Ledger::SqlServer(&store, &mut connection);
                self.ask_ledger(&mut ledger, End::Desktop).await
            }
        }
    }

    async fn ask_ledger(self, ledger: &mut Ledger<'_>, end: End) -> Result<(bool, Option<State>)> {
        if let Some(direction) = self.way.directions().iter().find(|way| way.target() == end) {
            let labels: Vec<String> = self.settings.iter().map(|t| t.cloud.to_string()).collect();
            let state = ledger.state(*direction, &labels, &self.config.ownership).await?;
            return Ok((true, Some(state)));
        }
        match end {
            // Forward does without them on the desktop.
            End::Desktop => Ok((self.may_remember(ledger).await?, None)),
            End::Cloud => ledger.require().await.map(|()| (true, None)),
        }
    }
}

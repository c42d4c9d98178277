//! A table as `verify` asks for it. A SQL Server can't make the keys' text as PostgreSQL does, so all
//! keys travel, row by row, and nothing is kept of them here.

use std::collections::BTreeSet;
use std::sync::Arc;

use tiberius::{ColumnData, Row};

use crate::db::sqlserver::failure::is_strange_text;
use crate::db::sqlserver::types::Zone;
use crate::db::sqlserver::{Connection, Database};
use crate::error::Result;
use crate::model::plan::Stamp;
use crate::model::{Capture, Position, TablePlan, jsonb};
use crate::source::{Age, Keyed};
use crate::sql::{Sql, tsql};

use super::cell::{self, Cell};
use super::horizon::Horizons;
use super::log;
use super::render::{Asking, Texts, moment, version};
use super::view::begun;

/// One table in a session of its own: at one moment where the database allows snapshots, otherwise what
/// is committed when each row is read.
pub struct Inventory {
    database: Arc<Database>,
    /// `None` once it broke.
    connection: Option<Connection>,
    begin: String,
    question: String,
    /// The same for texts that the driver refuses.
    careful: Option<String>,
    doing: String,
    reader: Reader,
    is_still: bool,
}

impl Inventory {
    /// Begins to read `plan`'s table, which has been read up to `watermark`, if at all; `store` is the
    /// schema of tidegate's own tables.
    pub async fn open(
        database: &Arc<Database>,
        plan: &TablePlan,
        watermark: Option<&str>,
        (store, sql): (&str, &Sql),
    ) -> Result<Self> {
        let mut reader = Reader::of(plan, watermark)?;
        let mut connection = database.connection().await?;
        let horizons = Horizons::read(&mut connection, sql, &[]).await?;
        if let (true, Reached::Version(from)) = (log::is_logged(plan), &reader.reached) {
            let logged = log::keys_since(&mut connection, sql, store, (plan, from)).await?;
            reader.reached = Reached::Entries(logged);
        }
        drop(connection);
        let question = |texts| {
            let asking = Asking { sql, plan, zone: None, only: None, texts };
            let columns = asking.selected(plan.key_columns().chain([plan.owner_column()]));
            let slots = [("columns", &*columns), ("source", &tsql::table(&plan.source))];
            sql.render("sqlserver/inventory.sql", &slots)
        };
        Ok(Self {
            database: Arc::clone(database),
            connection: None,
            begin: horizons.begin(sql),
            question: question(Texts::Plain),
            careful: Some(question(Texts::AsBytes)),
            doing: format!("verifying {}", plan.label()),
            reader,
            is_still: horizons.has_snapshots,
        })
    }

    /// Whether every pass sees the same rows, each of them once.
    pub fn is_still(&self) -> bool {
        self.is_still
    }

    /// Takes every row into what it gives, which begins anew where the rows have to be read again.
    pub async fn fold<T: Default>(&mut self, mut take: impl FnMut(&mut T, Keyed)) -> Result<T> {
        loop {
            match (self.pass(&mut take).await, &mut self.careful) {
                (Err(e), careful @ Some(_)) if is_strange_text(&e) => {
                    self.question = careful.take().unwrap_or_default();
                }
                (passed, _) => return passed,
            }
        }
    }

    async fn pass<T: Default>(&mut self, take: &mut impl FnMut(&mut T, Keyed)) -> Result<T> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => begun(&self.database, &self.begin).await?,
        };
        let mut taken = T::default();
        let mut rows = connection.stream(&self.doing, &self.question, Vec::new());
        while let Some(row) = rows.next().await? {
            take(&mut taken, self.reader.read(row));
        }
        self.connection = Some(rows.finish().await?);
        Ok(taken)
    }
}

/// What becomes of a row.
struct Reader {
    /// The key's columns: their names in the cloud.
    key: Vec<(String, Cell)>,
    owner: Cell,
    /// What all rows are marked with where there is no ownership column.
    mark: String,
    stamps: Vec<Stamp>,
    zone: Option<Zone>,
    reached: Reached,
}

/// Up to where the table has been read.
enum Reached {
    Beginning,
    Moment(i64),
    Version(Vec<u8>),
    /// In the log, of which these keys' entries are left.
    Entries(BTreeSet<String>),
}

impl Reader {
    fn of(plan: &TablePlan, watermark: Option<&str>) -> Result<Self> {
        let position = Position { watermark: watermark.map(str::to_owned), ..Position::default() };
        // A position of another kind says nothing: the next run begins anew.
        let reached = match (position.of_kind(plan.capture).watermark, plan.capture) {
            (None, _) => Reached::Beginning,
            (Some(watermark), Capture::Rowversion | Capture::DesktopLog) => {
                Reached::Version(version(&watermark)?)
            }
            (Some(watermark), _) => Reached::Moment(moment(&watermark)?),
        };
        let zone = plan.settings.assume_timezone.as_deref();
        let key = plan.key_columns().map(|c| Ok((c.name.clone(), Cell::of(c)?)));
        Ok(Self {
            key: key.collect::<Result<_>>()?,
            owner: Cell::of(plan.owner_column())?,
            mark: plan.owner.writer.clone(),
            stamps: plan.stamps.source.clone(),
            zone: zone.map(Zone::named).transpose()?,
            reached,
        })
    }

    fn read(&self, row: Row) -> Keyed {
        let mut cells = row.into_iter();
        // A value that the cloud can't have is none.
        let mut text = |cell: &Cell| {
            let data = cells.next()?;
            cell.text(&data, self.zone.as_ref()).ok().flatten()
        };
        let key: Vec<(&str, Option<String>)> =
            self.key.iter().map(|(name, cell)| (name.as_str(), text(cell))).collect();
        let owner = match self.owner {
            Cell::Owner => self.mark.clone(),
            cell => text(&cell).unwrap_or_default(),
        };
        let stamps: Vec<ColumnData<'static>> = cells.by_ref().take(self.stamps.len()).collect();
        let key = jsonb::object(key.iter().map(|(name, value)| (*name, value.as_deref())));
        let age = self.age(&key, &stamps, cells.next());
        Keyed { key, owner, age }
    }

    /// A row at the watermark may have been committed since.
    fn age(
        &self,
        key: &str,
        stamps: &[ColumnData<'static>],
        version: Option<ColumnData<'static>>,
    ) -> Age {
        let is_newer = match &self.reached {
            Reached::Beginning => true,
            Reached::Entries(logged) => logged.contains(key),
            Reached::Version(from) => {
                matches!(version, Some(ColumnData::Binary(Some(at))) if *at >= **from)
            }
            Reached::Moment(from) => match cell::latest(&self.stamps, stamps, self.zone.as_ref()) {
                Some(at) => at >= *from,
                None => return Age::Unstamped,
            },
        };
        match is_newer {
            true => Age::Newer,
            false => Age::Read,
        }
    }
}

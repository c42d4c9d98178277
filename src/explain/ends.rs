//! The row as each end has it, with what that end has on record.

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::config::Config;
use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::db::sqlserver;
use crate::error::{End, Kind, Result};
use crate::model::conflict::{Id, List};
use crate::model::plan::ColumnPlan;
use crate::model::{Carried, TablePlan};
use crate::run;
use crate::source;
use crate::source::postgres::{SingleRow, carried};
use crate::source::sqlserver::single_row;
use crate::sql::{Sql, column, json_object, list, literal, table};
use crate::store::{RowChanges, RowRecords, Store, Values};

use super::report::{Lost, Owner, Side, Withheld};

/// One row of one table.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    pub(super) config: &'r Config,
    /// The plan of the way forward.
    pub(super) plan: &'r TablePlan,
    /// The key as tidegate's own tables have it.
    pub(super) key: &'r str,
    pub(super) sql: &'r Sql,
}

#[derive(Deserialize)]
struct Version {
    xmin: String,
    values: Values,
}

impl Row<'_> {
    /// The desktop's side, and how far reverse has come, as the desktop knows it if it has tidegate's
    /// tables.
    pub(super) async fn desktop(
        &self,
        on: &Connection,
        store: Option<&Store<'_>>,
    ) -> Result<(Side, Option<Carried>)> {
        let single = SingleRow::of_source(self.plan);
        let (names, values): (Vec<&str>, Vec<&str>) =
            single.settings.iter().map(|(name, value)| (*name, &**value)).unzip();
        let params = [(&names as _, Type::TEXT_ARRAY), (&values as _, Type::TEXT_ARRAY)];
        on.rows(self.doing(), &self.sql.render("postgres/bind.sql", &[]), &params).await?;
        let side = self.side(on, &single, store).await?;
        let Some(store) = store else { return Ok((side, None)) };
        Ok((side, carried(on, self.sql, store.quoted(), self.plan).await?))
    }

    /// The same of a desktop that is a SQL Server. Not at one moment: a run may come in between.
    pub(super) async fn sql_server_desktop(
        &self,
        on: &mut sqlserver::Connection,
    ) -> Result<(Side, Option<Carried>)> {
        let values = single_row(on, self.plan, self.key, self.sql).await?;
        let store = run::sql_server_store(self.config, self.sql);
        let (records, carried) = match store.exists(on).await? {
            true => (
                store.row_records(on, &self.plan.label(), self.key).await?,
                source::sqlserver::carried(on, self.sql, store.schema(), self.plan).await?,
            ),
            false => (RowRecords::default(), None),
        };
        let side = self.told(End::Desktop, values, records);
        Ok((Side { tells_writers: false, ..side }, carried))
    }

    /// The cloud's side, and its change log.
    pub(super) async fn cloud(
        &self,
        on: &Connection,
        store: &Store<'_>,
        carried: Option<&Carried>,
    ) -> Result<(Side, RowChanges)> {
        let side = self.side(on, &of_cloud(self.plan), Some(store)).await?;
        let at = carried.and_then(|carried| carried.position.as_ref());
        Ok((side, store.row_changes(on, &self.plan.label(), self.key, at).await?))
    }

    async fn side(
        &self,
        on: &Connection,
        single: &SingleRow,
        store: Option<&Store<'_>>,
    ) -> Result<Side> {
        let version = self.version(on, single).await?;
        let xmin = version.as_ref().map(|version| version.xmin.as_str());
        let records = match store {
            Some(store) => store.row_records(on, &self.plan.label(), self.key, xmin).await?,
            None => RowRecords::default(),
        };
        Ok(self.told(on.end(), version.map(|version| version.values), records))
    }

    async fn version(&self, on: &Connection, single: &SingleRow) -> Result<Option<Version>> {
        let slots = [
            ("alias", single.alias),
            ("values", &*single.values),
            ("table", &*single.table),
            ("is_row", &*single.is_row),
        ];
        let sql = self.sql.render("postgres/row_version.sql", &slots);
        on.any_document(self.doing(), &sql, &[text(&self.key)]).await
    }

    fn told(&self, end: End, values: Option<Values>, records: RowRecords) -> Side {
        let id = |list, number| Id { end, list, number }.to_string();
        let withheld = records.withheld.into_iter().map(|w| Withheld {
            id: id(List::Withheld, w.number),
            direction: w.direction,
            reason: w.reason,
            contested: w.contested,
            detail: w.detail,
            since: w.since,
            last_seen: w.last_seen,
            attempts: w.attempts,
        });
        let lost = records.trash.into_iter().map(|t| Lost {
            id: id(List::Trash, t.number),
            reason: t.reason,
            run_id: t.run_id,
            since: t.since,
        });
        Side {
            owner: values.as_ref().map(|values| self.owner(values)),
            values,
            written_by: records.written_by,
            tells_writers: true,
            withheld: withheld.collect(),
            lost: lost.collect(),
        }
    }

    fn owner(&self, values: &Values) -> Owner {
        let marks = &self.config.ownership;
        match values.get(&self.plan.owner_column().name).cloned().flatten() {
            Some(mark) if mark == marks.desktop => Owner::Desktop,
            Some(mark) if mark == marks.mobile => Owner::Mobile,
            _ => Owner::Nobody,
        }
    }

    fn doing(&self) -> String {
        format!("looking at a row of {}", self.plan.label())
    }
}

/// The key as tidegate's own tables have it; `None`: it is not of the cloud's types.
pub(super) async fn stored_key(
    on: &Connection,
    plan: &TablePlan,
    key: &str,
    sql: &Sql,
) -> Result<Option<String>> {
    let stored = crate::source::postgres::key(plan, asked);
    let statement = sql.render("postgres/row_key.sql", &[("key", &stored)]);
    match on.value("reading the key", &statement, &[text(&key)]).await {
        Ok(key) => Ok(Some(key)),
        Err(e) if e.kind() == Kind::BadValue => Ok(None),
        Err(e) => Err(e),
    }
}

/// A part of the key `$1`.
fn asked(c: &ColumnPlan) -> String {
    format!("($1::json ->> {})::{}", literal(&c.name), c.target_type)
}

/// The row as the cloud has it.
fn of_cloud(plan: &TablePlan) -> SingleRow {
    let same = |c: &ColumnPlan| format!("{} = {}", column("t", &c.target), asked(c));
    SingleRow {
        table: table(&plan.target),
        alias: "t",
        values: json_object(plan.columns.iter().map(|c| (&*c.name, column("t", &c.target)))),
        is_row: list(plan.key_columns().map(same), " and "),
        settings: Vec::new(),
    }
}

//! What each role needs for its runs, and no more. It must not depend on what has been granted.

mod sqlserver;

use crate::config::Config;
use crate::db::postgres::sequences::Sequence;
use crate::error::End;
use crate::model::schema::TableSchema;
use crate::model::{Capture, Ownership, TableName, TablePlan, TableSettings};
use crate::run::setup::logs_changes;
use crate::sql::Dialect;
use crate::store::{
    DESKTOP_LOG_RIGHTS, LOG_RIGHTS, PRUNING_RIGHTS, READING_RIGHTS, RIGHTS, TableRights,
};

use super::facts::Table;
use super::grants::{Grant, Need, Object};

/// The role that may see when other sessions began their transactions.
const STATS: &str = "pg_read_all_stats";

/// An end, and what the runs have to do with it.
#[derive(Debug)]
pub(super) struct Needs<'n> {
    pub(super) config: &'n Config,
    pub(super) end: End,
    pub(super) dialect: Dialect,
    /// Whether it is a database of Azure, which has no server of its own.
    pub(super) is_azure: bool,
    /// Its name.
    pub(super) database: &'n str,
    /// The schema of tidegate's own tables.
    pub(super) schema: String,
    /// The tables that are read here; none, if no run reads this end.
    pub(super) read: Vec<TableSettings>,
    /// The tables that are written here.
    pub(super) written: Vec<TableSettings>,
    /// What the catalogue has of them.
    pub(super) schemas: &'n [TableSchema],
    pub(super) tables: &'n [Table],
    /// How they are written, as soon as the rights are there.
    pub(super) plans: Vec<TablePlan>,
    /// Whether tidegate's own tables are here, or have to be.
    pub(super) remembers: bool,
}

impl Needs<'_> {
    /// All of it, in the order in which it can be granted.
    pub(super) fn grants(&self) -> Vec<Grant> {
        if self.dialect == Dialect::Tsql {
            return sqlserver::grants(self);
        }
        let mut grants = vec![must(&["connect"], self.database(), "to log in")];
        if self.writes() {
            grants.push(must(&["temporary"], self.database(), "to stage a batch"));
        }
        grants.extend(self.tables());
        grants.extend(self.own());
        grants.extend(self.sequences());
        if self.end == End::Cloud {
            grants.extend(key_sequences(self.tables, &self.config.ownership));
        }
        grants.extend(self.stats());
        grants
    }

    fn writes(&self) -> bool {
        !self.written.is_empty()
    }

    fn database(&self) -> Object {
        Object::Database(self.database.to_owned())
    }

    fn name(&self, settings: &TableSettings) -> TableName {
        match self.end {
            End::Desktop => settings.desktop.clone(),
            End::Cloud => settings.cloud.clone(),
        }
    }

    /// On the synced tables, and on those that they refer to.
    fn tables(&self) -> Vec<Grant> {
        let of = |privileges, settings: &TableSettings, why| Grant {
            table: Some(settings.cloud.clone()),
            ..must(privileges, Object::Table(self.name(settings)), why)
        };
        let only_read = self.read.iter().filter(|t| !self.written.contains(t));
        let only_read: Vec<&TableSettings> = only_read.collect();
        let parents = unsynced_parents(self);
        let synced = only_read.iter().copied().chain(&self.written).map(|t| self.name(t).schema);
        let schemas = synced.chain(parents.iter().map(|p| p.table.schema.clone()));
        let mut grants = usage(schemas, "to find the tables");
        grants.extend(only_read.iter().map(|t| of(&["select"], t, "to read what changed")));
        let why = "to compare and merge rows";
        let merge = self.written.iter();
        grants.extend(merge.map(|t| of(&["select", "insert", "update"], t, why)));
        let is_read = |p: &Referred| only_read.iter().any(|t| self.name(t) == p.table);
        grants.extend(parents.iter().filter(|p| !is_read(p)).map(Referred::seen));
        grants.extend(parents.iter().map(Referred::kept));
        grants
    }

    /// On tidegate's own tables.
    fn own(&self) -> Vec<Grant> {
        if !self.remembers {
            return Vec::new();
        }
        let has_log = self.end == End::Cloud && logs_changes(self.config);
        let of = |rights: &[TableRights], why| -> Vec<Grant> {
            let own = |name: &str| Object::Table(TableName::new(&self.schema, name));
            rights.iter().map(|(name, privileges)| must(privileges, own(name), why)).collect()
        };
        let mut grants = usage([self.schema.clone()].into_iter(), "to find tidegate's own tables");
        grants.extend(match self.writes() {
            true => of(RIGHTS, "to keep positions, accounts and withheld rows"),
            false => of(READING_RIGHTS, "to see what has come from the other end"),
        });
        if has_log && self.writes() {
            grants.extend(of(LOG_RIGHTS, "to note what is written over in the change log"));
        }
        if has_log && !self.read.is_empty() {
            grants.extend(of(PRUNING_RIGHTS, "to forget what of the change log has come home"));
        }
        let is_logged = self.read.iter().any(|t| t.capture == Capture::DesktopLog);
        if self.end == End::Desktop && is_logged {
            grants.extend(of(DESKTOP_LOG_RIGHTS, "to read and prune the desktop's change log"));
        }
        grants
    }

    /// Sequences that fill columns which the other end has nothing for.
    fn sequences(&self) -> Vec<Grant> {
        let of = |plan: &TablePlan| {
            let table = self.tables.iter().find(|t| t.table == plan.target);
            let travels = |column: &String| plan.columns.iter().any(|c| &c.target == column);
            let drawn = table.into_iter().flat_map(|t| &t.sequences);
            let drawn = drawn.filter(|s| s.by_default && !travels(&s.column));
            let why = match self.end {
                End::Desktop => "to fill a column that the cloud has nothing for",
                End::Cloud => "to fill a column that the desktop has nothing for",
            };
            let grant = |sequence: &TableName| Grant {
                table: Some(plan.settings.cloud.clone()),
                ..must(&["usage"], Object::Sequence(sequence.clone()), why)
            };
            drawn.map(|s| grant(&s.sequence)).collect::<Vec<_>>()
        };
        self.plans.iter().flat_map(of).collect()
    }

    /// Where changes are told by their stamps, an open transaction must be seen.
    fn stats(&self) -> Option<Grant> {
        let by_stamps = match self.end {
            End::Desktop => true,
            End::Cloud => self.config.cloud_capture == Capture::Timestamp,
        };
        let sees = !by_stamps || self.read.iter().all(|t| t.lag.stands_alone());
        let why = "to see when other sessions began their transactions, which an administrator \
                   grants; or else set a lag longer than the longest of them in the configuration";
        (!sees).then(|| Grant { need: Need::Horizon, ..must(&["usage"], Object::Role(STATS), why) })
    }

    /// What has to be said about the end beside its rights.
    pub(super) fn notes(&self, role: &str) -> Vec<String> {
        let mut notes = Vec::new();
        if self.dialect == Dialect::Tsql {
            return sqlserver::notes(self, role);
        }
        let secured = self.tables.iter().filter(|t| t.row_security).map(|t| t.table.to_string());
        let secured: Vec<String> = secured.collect();
        if !secured.is_empty() {
            notes.push(format!(
                "Row-level security is on for {}: alter role {} bypassrls; or else make the role \
                 the table's owner. A count that can't see mobile rows can't protect them.",
                secured.join(", "),
                self.dialect.ident(role)
            ));
        }
        notes.extend(also_written(self).map(|tables| {
            format!(
                "Triggers write to {tables} with this role's rights, unless their functions are \
                 SECURITY DEFINER: grant it what they do there."
            )
        }));
        notes
    }
}

/// The tables that triggers may write beside, if there are any.
fn also_written(needs: &Needs<'_>) -> Option<String> {
    let also = needs.written.iter().flat_map(|t| &t.also_writes).map(TableName::to_string);
    let mut also: Vec<String> = also.collect();
    also.sort();
    also.dedup();
    (!also.is_empty()).then(|| also.join(", "))
}

/// Sequences that mobile users' keys are drawn from.
fn key_sequences(tables: &[Table], ownership: &Ownership) -> Vec<Grant> {
    let drawn = tables.iter().flat_map(|t| &t.sequences);
    let drawn = drawn.filter(|s| s.fills_key(ownership) && s.ascends());
    let why = "to move a sequence that would make keys for mobile users which the desktop has used";
    let grants = |s: &Sequence| {
        let schema = must(&["usage"], Object::Schema(s.sequence.schema.clone()), why);
        let itself = must(&["select", "update"], Object::Sequence(s.sequence.clone()), why);
        let should = |grant| Grant { table: Some(s.table.clone()), need: Need::Should, ..grant };
        let elsewhere = s.sequence.schema != s.table.schema;
        elsewhere.then_some(schema).into_iter().chain([itself]).map(should).collect::<Vec<_>>()
    };
    drawn.flat_map(grants).collect()
}

fn must(privileges: &'static [&'static str], object: Object, why: &'static str) -> Grant {
    Grant { privileges, object, table: None, why, need: Need::Must }
}

fn usage(schemas: impl Iterator<Item = String>, why: &'static str) -> Vec<Grant> {
    let mut names: Vec<String> = schemas.collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| must(&["usage"], Object::Schema(name), why)).collect()
}

/// A table that is referred to and not written itself.
struct Referred {
    table: TableName,
    columns: Vec<String>,
    /// The table of the cloud whose runs refer to it.
    by: TableName,
}

impl Referred {
    fn grant(&self, privileges: &'static [&'static str], why: &'static str) -> Grant {
        let object = Object::Columns(self.table.clone(), self.columns.clone());
        Grant { table: Some(self.by.clone()), ..must(privileges, object, why) }
    }

    fn seen(&self) -> Grant {
        self.grant(&["select"], "to see whether the parent of a row is there")
    }

    fn kept(&self) -> Grant {
        let why = "to keep the parent there until the row is committed: a row lock needs the right \
                   to update some column; tidegate updates none";
        Grant { need: Need::Should, ..self.grant(&["update"], why) }
    }
}

fn unsynced_parents(needs: &Needs<'_>) -> Vec<Referred> {
    let written: Vec<TableName> = needs.written.iter().map(|t| needs.name(t)).collect();
    let mut found: Vec<Referred> = Vec::new();
    for settings in &needs.written {
        let schema = needs.schemas.iter().find(|s| s.table() == needs.name(settings));
        let keys = schema.iter().flat_map(|s| &s.foreign_keys);
        for key in keys.filter(|key| !written.contains(&key.parent())) {
            let at = found.iter().position(|p| p.table == key.parent()).unwrap_or_else(|| {
                let (table, by) = (key.parent(), settings.cloud.clone());
                found.push(Referred { table, columns: Vec::new(), by });
                found.len() - 1
            });
            let columns = &mut found[at].columns;
            columns.extend(key.parent_columns.iter().cloned());
            columns.sort();
            columns.dedup();
        }
    }
    found
}

//! From a plan and a selection to statements and what they are bound to.

use serde_json::Value as Json;

use crate::db::sqlserver::types::{Value, Zone, parse};
use crate::error::{Error, Kind, Result};
use crate::model::plan::{ColumnPlan, Passage, Stamp};
use crate::model::types::{Form, Refusal, SqlType};
use crate::model::{Awaited, Capture, Position, Selection, TablePlan};
use crate::sql::{Sql, list, tsql};

use super::log::is_logged;
use super::params::Params;

/// One question, and what it is bound to.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) sql: String,
    pub(super) params: Params,
}

/// How texts are selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// As texts.
    Plain,
    /// As the bytes of their UTF-16: the driver refuses halves of a surrogate pair.
    AsBytes,
}

/// What is read of one table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) sql: &'a Sql,
    pub(super) plan: &'a TablePlan,
    /// The zone of its stamps without one.
    pub(super) zone: Option<&'a Zone>,
    /// The key of the only row that is wanted.
    pub(super) only: Option<&'a str>,
    pub(super) texts: Texts,
}

const NOTHING: &str = "1 = 1";

impl Asking<'_> {
    /// The questions that read `selection`, in their order.
    pub(super) fn readings(&self, selection: Selection<'_>) -> Result<Vec<Reading>> {
        match selection {
            Selection::Since(at @ Position { watermark: Some(watermark), .. }) => {
                Ok(vec![self.since(at, watermark)?])
            }
            Selection::Since(_) | Selection::All(_) => {
                let mut params = Params::default();
                let only = self.only(&mut params)?;
                let slots = [("only", only), ("order", self.order())];
                Ok(vec![self.reading("sqlserver/read_all.sql", &slots, params)])
            }
            Selection::Keys(awaited) => {
                let room = Params::MAX / (self.plan.key.len() + 2);
                awaited.chunks(room.max(1)).map(|some| self.keys(some)).collect()
            }
        }
    }

    /// That a row has changed since `watermark`.
    pub(super) fn changed_since(&self, watermark: &str, params: &mut Params) -> Result<String> {
        if let (Capture::Rowversion, Some(column)) = (self.plan.capture, &self.plan.version) {
            let from = params.bytes(version(watermark)?);
            return Ok(format!("{} >= {from}", tsql::column("s", column)));
        }
        let utc = moment(watermark)?;
        let since = |stamp: &Stamp| {
            let bound = self.bound(stamp, utc, params)?;
            Ok(format!("{} >= {bound}", tsql::column("s", &stamp.name)))
        };
        // One condition for each stamp, so that each can use its own index.
        let conditions: Vec<String> =
            self.plan.stamps.source.iter().map(since).collect::<Result<_>>()?;
        Ok(conditions.join(" or "))
    }

    fn since(&self, at: &Position, watermark: &str) -> Result<Reading> {
        let mut params = Params::default();
        let changed_since = self.changed_since(watermark, &mut params)?;
        let only = self.only(&mut params)?;
        let mut slots =
            vec![("changed_since", changed_since), ("only", only), ("order", self.order())];
        let Some((stamp, after)) = self.one_kind_of_stamp().zip(at.after.as_deref()) else {
            return Ok(self.reading("sqlserver/read_since.sql", &slots, params));
        };
        let from = self.bound(stamp, moment(watermark)?, &mut params)?;
        let key = self.beyond_key(after, &mut params)?;
        let stamp = self.stamp();
        slots.push(("after", format!("{stamp} > {from} or {stamp} = {from} and ({key})")));
        Ok(self.reading("sqlserver/read_after.sql", &slots, params))
    }

    fn keys(&self, awaited: &[Awaited]) -> Result<Reading> {
        let mut params = Params::default();
        let mut rows = Vec::new();
        for one in awaited {
            let mut row = self.key(&one.key, &mut params)?;
            row.push(params.bit(one.once_owned));
            rows.push(format!("({})", row.join(", ")));
        }
        let owned = match self.plan.owner_column().source_name() {
            Some(name) => {
                format!("{} = {}", tsql::column("s", name), params.text(&self.plan.owner.writer))
            }
            None => NOTHING.to_owned(),
        };
        let slots = [
            ("keys", rows.join(", ")),
            ("names", self.key_names()),
            ("key_is_row", self.key_is_row()),
            ("owned", owned),
            ("only", self.only(&mut params)?),
        ];
        Ok(self.reading("sqlserver/read_keys.sql", &slots, params))
    }

    /// The rows with some keys of the log, each with the version that is said of it.
    pub(super) fn logged(&self, entries: &[(Vec<u8>, String)]) -> Result<Reading> {
        let mut params = Params::default();
        let mut rows = Vec::new();
        for (version, key) in entries {
            let mut row = self.key(key, &mut params)?;
            row.push(params.bytes(version.clone()));
            rows.push(format!("({})", row.join(", ")));
        }
        let slots = [
            ("keys", rows.join(", ")),
            ("names", self.key_names()),
            ("key_is_row", self.key_is_row()),
            ("only", self.only(&mut params)?),
        ];
        Ok(self.reading("sqlserver/read_logged.sql", &slots, params))
    }

    /// `k1, k2`: what the values of a key are called that stand in a question.
    fn key_names(&self) -> String {
        list((1..=self.plan.key.len()).map(|i| format!("k{i}")), ", ")
    }

    fn key_is_row(&self) -> String {
        let same = |(i, c): (usize, &ColumnPlan)| format!("{} = k.k{}", source(c), i + 1);
        list(self.plan.key_columns().enumerate().map(same), " and ")
    }

    fn reading(&self, name: &'static str, slots: &[(&str, String)], params: Params) -> Reading {
        let (columns, table) = (self.columns(), tsql::table(&self.plan.source));
        let common = [("columns", &*columns), ("source", &*table)];
        let own = slots.iter().map(|(name, text)| (*name, &**text));
        let slots: Vec<(&str, &str)> = common.into_iter().chain(own).collect();
        Reading { sql: self.sql.render(name, &slots), params }
    }

    /// What is selected: the columns that travel, the stamps, the version.
    fn columns(&self) -> String {
        self.selected(self.plan.columns.iter())
    }

    /// What is selected: some columns, the stamps, the version.
    pub(super) fn selected<'c>(&self, columns: impl Iterator<Item = &'c ColumnPlan>) -> String {
        let selected = |name: &str, of: Option<SqlType>| {
            let column = tsql::column("s", name);
            match (of, self.texts) {
                (Some(of), Texts::Plain) => of.selected(&column),
                (Some(of), Texts::AsBytes) => of.selected_carefully(&column),
                (None, _) => column,
            }
        };
        let plan = self.plan;
        let columns = columns.filter_map(|c| Some(selected(c.source_name()?, c.sql_type)));
        let stamps = plan.stamps.source.iter().map(|s| selected(&s.name, s.sql_type));
        let version = plan.version.iter().map(|name| tsql::column("s", name));
        list(columns.chain(stamps).chain(version), ", ")
    }

    /// Versions are of one row each; a stamp may be that of several. Where changes are logged, no row
    /// of a whole table is a place to go on from.
    fn order(&self) -> String {
        let key = || list(self.plan.key_columns().map(source), ", ");
        match &self.plan.version {
            Some(version) => tsql::column("s", version),
            None if is_logged(self.plan) => key(),
            None => format!("{}, {}", self.stamp(), key()),
        }
    }

    /// When a row was changed last.
    fn stamp(&self) -> String {
        let stamps = &self.plan.stamps.source;
        match stamps.as_slice() {
            [one] => tsql::column("s", &one.name),
            _ => {
                let each = |s: &Stamp| format!("({})", tsql::column("s", &s.name));
                format!(
                    "(select max(l.stamp) from (values {}) as l (stamp))",
                    list(stamps.iter().map(each), ", ")
                )
            }
        }
    }

    /// A stamp, if all are of one type: between others, the last row's place could not be told.
    fn one_kind_of_stamp(&self) -> Option<&Stamp> {
        let (first, others) = self.plan.stamps.source.split_first()?;
        let is_stamped = self.plan.capture == Capture::Timestamp;
        (is_stamped && others.iter().all(|s| s.sql_type == first.sql_type)).then_some(first)
    }

    /// The moment `utc` as the stamp's column would hold it, or a little earlier.
    fn bound(&self, stamp: &Stamp, utc: i64, params: &mut Params) -> Result<String> {
        let of = stamp.sql_type.ok_or_else(|| odd("a stamp is of no type"))?;
        let value = match (stamp.zoneless, self.zone) {
            (true, Some(zone)) => Value::DateTime(before_midnight(zone.lower_bound(utc))),
            _ => Value::DateTimeOffset { utc, offset: 0 },
        };
        params.value(value, of, None).map_err(strange)
    }

    /// That a row comes strictly after a key, in the order of keys.
    fn beyond_key(&self, after: &str, params: &mut Params) -> Result<String> {
        let values = self.key(after, params)?;
        let columns: Vec<String> = self.plan.key_columns().map(source).collect();
        let beyond = |i: usize| {
            let same = (0..i).map(|j| format!("{} = {}", columns[j], values[j]));
            let last = format!("{} > {}", columns[i], values[i]);
            list(same.chain([last]), " and ")
        };
        Ok(list((0..columns.len()).map(beyond), " or "))
    }

    /// That the row is the only one that is wanted, if there is such a one.
    fn only(&self, params: &mut Params) -> Result<String> {
        let Some(key) = self.only else { return Ok(NOTHING.to_owned()) };
        let values = self.key(key, params)?;
        let columns = self.plan.key_columns().map(source);
        Ok(list(columns.zip(values).map(|(column, value)| format!("{column} = {value}")), " and "))
    }

    /// Binds a key that is kept as a JSON object.
    fn key(&self, json: &str, params: &mut Params) -> Result<Vec<String>> {
        let key: Json = serde_json::from_str(json).unwrap_or_default();
        let bind = |c: &ColumnPlan| {
            let of = c.sql_type.ok_or_else(|| odd("a key is of no type"))?;
            let text = key[&c.name].as_str().unwrap_or_default();
            // Its text is the cloud's.
            let form = match c.passage {
                Passage::Text => of.travels_as().form(),
                Passage::Straight | Passage::Zoned => c.travels_as.form(),
            };
            let form = form.unwrap_or(Form::Text);
            let value = parse(text, form).map_err(strange)?;
            let value = match (c.passage, self.zone, form) {
                (Passage::Zoned, Some(zone), Form::Timestamptz) => value.to_local(zone),
                (Passage::Zoned, Some(zone), _) => value.to_utc(zone),
                _ => value,
            };
            let value = value.fit(of).map_err(strange)?;
            params.value(value.into_owned(), of, c.collation.as_deref()).map_err(strange)
        };
        self.plan.key_columns().map(bind).collect()
    }
}

/// A column of the source's row.
fn source(c: &ColumnPlan) -> String {
    tsql::column("s", c.source_name().unwrap_or_default())
}

/// The same, or 4 ms before the next midnight: `datetime`, to which it is rounded, has no later moment
/// of the day.
fn before_midnight(local: i64) -> i64 {
    const DAY: i64 = 86_400 * 10_000_000;
    const LAST: i64 = DAY - 40_000;
    local - (local.rem_euclid(DAY) - LAST).max(0)
}

/// Ticks of a watermark.
pub(super) fn moment(watermark: &str) -> Result<i64> {
    match parse(watermark, Form::Timestamptz) {
        Ok(Value::DateTimeOffset { utc, .. }) => Ok(utc),
        _ => Err(odd("its watermark is no moment")),
    }
}

/// The bytes of a watermark.
///
/// # Errors
/// When it is no version.
pub fn version(watermark: &str) -> Result<Vec<u8>> {
    let digits = watermark.strip_prefix("0x").unwrap_or_default().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    digits
        .chunks(2)
        .map(byte)
        .collect::<Option<_>>()
        .ok_or_else(|| odd("its watermark is no row version"))
}

fn strange(refusal: Refusal) -> Error {
    odd("a key or a stamp is not of the column's type").because(refusal)
}

fn odd(what: &str) -> Error {
    Error::new(Kind::Other, format!("reading the desktop: {what}"))
}

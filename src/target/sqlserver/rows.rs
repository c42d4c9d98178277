//! The rows of a batch and those that they meet, in memory.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};

use crate::db::sqlserver::digest;
use crate::db::sqlserver::types::{Value, Zone, encode};
use crate::error::Result;
use crate::model::instant::Instant;
use crate::model::plan::ColumnPlan;
use crate::model::types::{Form, Refusal};
use crate::model::{Reason, TablePlan, Verdict, jsonb};

use super::codec::{Codec, Decimals};
use super::fields::{Incoming, Notes};
use super::policy::Side;

/// How the rows of one table are read and written.
pub(super) struct Layout<'p> {
    pub(super) plan: &'p TablePlan,
    /// Of each column that travels.
    pub(super) codecs: Vec<Codec>,
    /// Of stamps without one.
    pub(super) zone: Option<Zone>,
}

/// A row of the batch.
pub(super) struct Staged {
    fields: Vec<Option<Bytes>>,
    pub(super) notes: Notes,
    /// Its key, as tidegate's own tables have it.
    pub(super) key: String,
    /// What the desktop's columns are to hold, and the same in the form of the batch.
    pub(super) wanted: Result<Wanted, Refused>,
    /// The digest of its content.
    pub(super) digest: String,
    pub(super) verdict: Verdict,
    /// The number of the rule that decided, if one did.
    pub(super) rule: Option<usize>,
    /// The desktop's row under its key.
    pub(super) held: Option<Held>,
    /// Whether nobody else can change that row before the commit.
    pub(super) is_pinned: bool,
}

/// A staged row as the desktop would hold it.
pub(super) struct Wanted {
    pub(super) values: Vec<Value<'static>>,
    fields: Vec<Option<Bytes>>,
}

/// Why the desktop can't hold a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused(pub(super) String);

/// A row of the desktop.
pub(super) struct Held {
    /// What its columns hold, which may be more than travels.
    values: Vec<Value<'static>>,
    fields: Vec<Option<Bytes>>,
    /// The digest of its content.
    pub(super) digest: String,
    /// When it was changed last, by its stamps.
    pub(super) stamp: Option<Instant>,
}

impl<'p> Layout<'p> {
    /// That of `plan`'s table.
    pub(super) fn of(plan: &'p TablePlan) -> Result<Self> {
        let decimals =
            |c: &ColumnPlan| match plan.stamps.held.iter().any(|stamp| stamp.name == c.target) {
                true => Decimals::LeftOut,
                false => Decimals::Refused,
            };
        let codec = |c: &ColumnPlan| Codec::of(c, decimals(c));
        let codecs = plan.columns.iter().map(codec).collect::<Result<_>>()?;
        let zone = plan.settings.assume_timezone.as_deref().map(Zone::named).transpose()?;
        Ok(Self { plan, codecs, zone })
    }

    /// The rows as they came, each key once: the later version of it stays.
    pub(super) fn staged(&self, incoming: Vec<Incoming>) -> Vec<Staged> {
        let rows: Vec<Staged> = incoming.into_iter().map(|row| self.stage(row)).collect();
        let last: HashMap<&str, usize> =
            rows.iter().enumerate().map(|(place, row)| (row.key.as_str(), place)).collect();
        let mut stays = vec![false; rows.len()];
        last.into_values().for_each(|place| stays[place] = true);
        rows.into_iter().zip(stays).filter_map(|(row, stays)| stays.then_some(row)).collect()
    }

    fn stage(&self, Incoming { fields, notes }: Incoming) -> Staged {
        let key = self.plan.key.iter().map(|&i| {
            let words = self.codecs[i].words(fields[i].as_deref());
            (self.plan.columns[i].name.as_str(), words)
        });
        let key: Vec<_> = key.collect();
        Staged {
            key: jsonb::object(key.iter().map(|(name, words)| (*name, words.as_deref()))),
            wanted: self.wanted(&fields),
            digest: self.digest(&fields),
            verdict: Verdict::Withheld(Reason::BadValue),
            rule: None,
            held: None,
            is_pinned: false,
            fields,
            notes,
        }
    }

    /// The values of a key out of tidegate's own tables; `None` if no row of the desktop can have it.
    pub(super) fn parsed_key(&self, key: &str) -> Option<Vec<Value<'static>>> {
        let key: serde_json::Value = serde_json::from_str(key).ok()?;
        let value = |&i: &usize| {
            let words = key[&self.plan.columns[i].name].as_str()?;
            self.codecs[i].parse(words).ok()
        };
        self.plan.key.iter().map(value).collect()
    }

    fn wanted(&self, fields: &[Option<Bytes>]) -> Result<Wanted, Refused> {
        let mut wanted = Wanted { values: Vec::new(), fields: Vec::new() };
        for ((codec, field), c) in self.codecs.iter().zip(fields).zip(&self.plan.columns) {
            let refused = |refusal: Refusal| Refused(format!("{}: the value {refusal}", c.name));
            let value = codec.value(field.as_deref()).map_err(refused)?;
            wanted.fields.push(codec.field(&value));
            wanted.values.push(value);
        }
        Ok(wanted)
    }

    /// A row that the desktop holds: its columns that travel, then its stamps, whether they do or not.
    pub(super) fn held(&self, values: Vec<Value<'static>>, stamps: &[Value<'_>]) -> Held {
        let fields: Vec<_> =
            self.codecs.iter().zip(&values).map(|(codec, value)| codec.field(value)).collect();
        let stamp = stamps.iter().filter_map(|value| self.moment(value)).max();
        Held { digest: self.digest(&fields), stamp, fields, values }
    }

    fn digest(&self, fields: &[Option<Bytes>]) -> String {
        digest::of_content(self.plan, self.zone.as_ref(), |i| fields[i].as_deref())
    }

    /// What a stamp says, to the microsecond.
    fn moment(&self, value: &Value<'_>) -> Option<Instant> {
        let value = match &self.zone {
            Some(zone) => value.clone().to_utc(zone),
            None => value.clone(),
        };
        let form = match value {
            Value::DateTimeOffset { .. } => Form::Timestamptz,
            _ => Form::Timestamp,
        };
        let mut field = BytesMut::new();
        encode(&value, form, -1, &mut field).ok()?;
        let micros = field.get(4..)?.try_into().ok()?;
        Some(Instant(i64::from_be_bytes(micros)))
    }

    /// The later of the stamps that travel; a row without one is the earliest.
    pub(super) fn latest(&self, fields: &[Option<Bytes>]) -> Option<Instant> {
        let of = |name: &String| {
            let i = self.plan.columns.iter().position(|c| c.target == *name)?;
            let value = self.codecs[i].value(fields[i].as_deref()).ok()?;
            self.moment(&value)
        };
        self.plan.stamps.target.iter().filter_map(of).max()
    }

    /// Whose the row says it is.
    pub(super) fn side(&self, fields: &[Option<Bytes>]) -> Side {
        let owner = &self.plan.owner;
        match self.codecs[owner.column].words(fields[owner.column].as_deref()) {
            Some(mark) if mark == owner.writer => Side::Writer,
            Some(mark) if mark == owner.other => Side::Other,
            _ => Side::Nobody,
        }
    }

    /// The row as a JSON object, column → text.
    pub(super) fn json(&self, fields: &[Option<Bytes>]) -> String {
        let words: Vec<Option<String>> = self
            .codecs
            .iter()
            .zip(fields)
            .map(|(codec, field)| codec.words(field.as_deref()))
            .collect();
        let names = self.plan.columns.iter().map(|c| c.name.as_str());
        jsonb::object(names.zip(words.iter().map(Option::as_deref)))
    }

    /// What PostgreSQL prints of a column of the row.
    pub(super) fn words(&self, fields: &[Option<Bytes>], column: usize) -> Option<String> {
        self.codecs[column].words(fields[column].as_deref())
    }

    /// Whether both have the same key, to the letter.
    pub(super) fn same_key(&self, wanted: &Wanted, held: &Held) -> bool {
        self.plan.key.iter().all(|&i| wanted.fields[i] == held.fields[i])
    }

    /// Whether the desktop holds what it would be written to hold. Its own triggers may set
    /// `updated_at`.
    pub(super) fn same_row(&self, wanted: &Wanted, held: &Held) -> bool {
        let plan = self.plan;
        let set_by_target = plan.stamps.updated_at.as_ref().filter(|_| plan.target_remakes);
        let compared = |i: &usize| Some(&plan.columns[*i].target) != set_by_target;
        let mut columns = (0..plan.columns.len()).filter(compared);
        columns.all(|i| wanted.fields[i] == held.fields[i])
    }
}

impl Staged {
    /// Its columns in the form in which they came.
    pub(super) fn fields(&self) -> &[Option<Bytes>] {
        &self.fields
    }

    /// Whether it is, or will be, in the target.
    pub(super) fn arrives(&self) -> bool {
        matches!(self.verdict, Verdict::Insert | Verdict::Update | Verdict::Unchanged)
    }

    /// What the desktop's columns are to be set to: where its own value is the same as far as values
    /// travel, that one, which may have a seventh decimal of the second.
    pub(super) fn written(&self) -> Option<Vec<Value<'static>>> {
        let wanted = self.wanted.as_ref().ok()?;
        let value = |(i, value): (usize, &Value<'static>)| {
            let held = self.held.as_ref().filter(|held| held.fields[i] == wanted.fields[i]);
            held.map_or(value, |held| &held.values[i]).clone()
        };
        Some(wanted.values.iter().enumerate().map(value).collect())
    }

    /// Whether the desktop has a row of another owner under its key.
    pub(super) fn is_held_by_another(&self, layout: &Layout<'_>) -> bool {
        self.held.as_ref().is_some_and(|held| layout.side(held.fields()) != Side::Writer)
    }

    /// Whether it is to be written.
    pub(super) fn is_written(&self) -> bool {
        matches!(self.verdict, Verdict::Insert | Verdict::Update)
    }
}

impl Wanted {
    /// The values of its key.
    pub(super) fn key(&self, plan: &TablePlan) -> Vec<Value<'static>> {
        plan.key.iter().map(|&i| self.values[i].clone()).collect()
    }

    /// Its columns in the form of the batch.
    pub(super) fn fields(&self) -> &[Option<Bytes>] {
        &self.fields
    }
}

impl Held {
    /// Its columns in the form of the batch.
    pub(super) fn fields(&self) -> &[Option<Bytes>] {
        &self.fields
    }
}

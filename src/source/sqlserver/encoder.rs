//! From a row of SQL Server to a row of a binary COPY.

use std::ops::Range;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use tiberius::{ColumnData, Row};

use crate::db::sqlserver::digest;
use crate::db::sqlserver::types::{Value, Zone, encode};
use crate::error::{Error, Kind, Result};
use crate::model::plan::Note;
use crate::model::types::Form;
use crate::model::{TablePlan, jsonb};

use super::cell::{self, Cell};
use super::horizon::hexadecimal;
use super::images::Images;

/// The bytes of a field's length.
const LENGTH: usize = 4;

/// What becomes of each row: which of its cells travels how.
#[derive(Debug)]
pub(super) struct Encoder {
    plan: TablePlan,
    cells: Vec<Cell>,
    zone: Option<Arc<Zone>>,
    /// What the desktop has made of rows.
    pub(super) images: Images,
    row: BytesMut,
    /// Where the fields of the row lie in it; of NULL nowhere.
    fields: Vec<Option<Range<usize>>>,
}

impl Encoder {
    /// That of `plan`'s table.
    pub(super) fn of(plan: &TablePlan, zone: Option<Arc<Zone>>) -> Result<Self> {
        Ok(Self {
            plan: plan.clone(),
            cells: plan.columns.iter().map(Cell::of).collect::<Result<_>>()?,
            zone,
            images: Images::default(),
            row: BytesMut::new(),
            fields: Vec::new(),
        })
    }

    /// What is being done, in messages.
    pub(super) fn doing(&self) -> String {
        format!("reading {}", self.plan.label())
    }

    /// One row: its columns, then what is said of it beside them.
    pub(super) fn encode(&mut self, row: Row) -> Result<Bytes> {
        let mut data = row.into_iter();
        let fields = self.cells.len() + self.plan.notes.len();
        self.row.put_i16(i16::try_from(fields).map_err(|_| self.odd("too many columns"))?);
        self.fields.clear();
        let mut key = Vec::new();
        for (i, cell) in self.cells.iter().enumerate() {
            let start = self.row.len() + LENGTH;
            match cell {
                // The desktop has no ownership column: all its rows are its own.
                Cell::Owner => cell::put(&mut self.row, self.plan.owner.writer.as_bytes()),
                cell => {
                    let data = data.next().ok_or_else(|| self.odd("a column is missing"))?;
                    cell.write(&mut self.row, &data, self.zone.as_deref());
                    if self.plan.key.contains(&i) && !self.images.is_empty() {
                        let text = cell.text(&data, self.zone.as_deref()).ok().flatten();
                        key.push((&*self.plan.columns[i].name, text));
                    }
                }
            }
            let field = start..self.row.len();
            // NULL has a length alone, -1.
            let is_null = self.row[start - LENGTH..start] == [0xff; LENGTH];
            self.fields.push((!is_null).then_some(field));
        }
        let key = jsonb::object(key.iter().map(|(name, text)| (*name, text.as_deref())));
        self.note(&key, data)?;
        Ok(self.row.split().freeze())
    }

    /// What is said of the row with this key; the stamps and the version come after its columns.
    fn note(
        &mut self,
        key: &str,
        mut data: impl Iterator<Item = ColumnData<'static>>,
    ) -> Result<()> {
        let stamps: Vec<_> = data.by_ref().take(self.plan.stamps.source.len()).collect();
        let version = data.next();
        for i in 0..self.plan.notes.len() {
            match (self.plan.notes[i], &version) {
                (Note::Stamp, _) => self.stamp(&stamps),
                (Note::Version, Some(ColumnData::Binary(Some(bytes)))) => {
                    cell::put(&mut self.row, hexadecimal(bytes).as_bytes());
                }
                (Note::Counterpart, _) => self.counterpart(key),
                _ => self.row.put_i32(-1),
            }
        }
        Ok(())
    }

    fn stamp(&mut self, stamps: &[ColumnData<'static>]) {
        let latest = cell::latest(&self.plan.stamps.source, stamps, self.zone.as_deref());
        let stamp = latest.map(|utc| Value::DateTimeOffset { utc, offset: 0 });
        let stamp = stamp.unwrap_or(Value::Null);
        cell::or_refused(&mut self.row, |row| encode(&stamp, Form::Timestamptz, -1, row));
    }

    fn counterpart(&mut self, key: &str) {
        let field = |i: usize| self.fields[i].clone().map(|field| &self.row[field]);
        let sent = match self.images.is_empty() {
            true => None,
            false => {
                let digest = digest::of_content(&self.plan, self.zone.as_deref(), field);
                self.images.counterpart(key, &digest)
            }
        };
        match sent {
            Some(sent) => cell::put(&mut self.row, sent.as_bytes()),
            None => self.row.put_i32(-1),
        }
    }

    fn odd(&self, what: &str) -> Error {
        Error::new(Kind::Other, format!("{}: {what}", self.doing()))
    }
}

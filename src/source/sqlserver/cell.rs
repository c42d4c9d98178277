//! From a cell of SQL Server to a field of the cloud's row, or to its text.

use bytes::{BufMut, BytesMut};
use tiberius::ColumnData;

use crate::db::sqlserver::types::{Value, Zone, encode, text};
use crate::error::{Error, Kind, Result};
use crate::model::plan::{ColumnPlan, Passage, Stamp};
use crate::model::types::{Form, PgType, Refusal, SqlType};

/// One field, by how it comes out of a cell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell {
    /// There is none: the mark.
    Owner,
    /// In the cloud's form.
    Straight(Shape),
    /// In the words that PostgreSQL would print.
    Text(Shape),
    /// By the zone.
    Zoned(Shape),
}

/// What a cell holds, and as what it travels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    of: SqlType,
    form: Form,
    into: PgType,
}

/// Bytes that no form of PostgreSQL is made of: the target refuses the row that has them. One more than
/// the longest form has: of too few it would say that the connection is broken.
const REFUSED: &[u8] = &[0xff; 17];

impl Cell {
    /// That of a column.
    pub(super) fn of(c: &ColumnPlan) -> Result<Self> {
        let Some(of) = c.sql_type.filter(|_| c.source_name().is_some()) else {
            return Ok(Self::Owner);
        };
        let odd = || Error::new(Kind::Other, format!("no form is known of {}", c.name));
        let shape = |into: PgType| match into.form() {
            Some(form) => Ok(Shape { of, form, into }),
            None => Err(odd()),
        };
        Ok(match c.passage {
            Passage::Straight => Self::Straight(shape(c.travels_as)?),
            Passage::Zoned => Self::Zoned(shape(c.travels_as)?),
            Passage::Text => Self::Text(shape(of.travels_as())?),
        })
    }

    /// Writes a field. A value that the form can't take becomes one that the target refuses: its row is
    /// withheld there as `bad_value`, and no other with it.
    pub(super) fn write(self, row: &mut BytesMut, data: &ColumnData<'_>, zone: Option<&Zone>) {
        or_refused(row, |row| match self {
            Self::Owner => Ok(()),
            Self::Straight(Shape { of, form, into }) => {
                encode(&Value::read(data, of)?, form, into.typmod, row)
            }
            Self::Zoned(Shape { of, form, into }) => {
                encode(&zoned(Value::read(data, of)?, form, zone), form, into.typmod, row)
            }
            Self::Text(Shape { of, form, into }) => {
                match Value::read(data, of)? {
                    // As they are: they may not be valid, which the target has to see.
                    Value::Text(bytes) => put(row, &bytes),
                    value => match text(&value, form, into.typmod)? {
                        Some(text) => put(row, text.as_bytes()),
                        None => row.put_i32(-1),
                    },
                }
                Ok(())
            }
        });
    }

    /// What the cloud's column prints of it once it has arrived; `None` for NULL, and for the mark.
    pub(super) fn text(
        self,
        data: &ColumnData<'_>,
        zone: Option<&Zone>,
    ) -> Result<Option<String>, Refusal> {
        let (Shape { of, form, into }, value) = match self {
            Self::Owner => return Ok(None),
            Self::Straight(shape) | Self::Text(shape) => (shape, Value::read(data, shape.of)?),
            Self::Zoned(shape) => (shape, zoned(Value::read(data, shape.of)?, shape.form, zone)),
        };
        let text = text(&value, form, into.typmod)?;
        Ok(match into.is_padded() && of.is_text() {
            true => text.map(|text| text.trim_end_matches(' ').to_owned()),
            false => text,
        })
    }
}

/// Writes a field with its length.
pub(super) fn put(row: &mut BytesMut, field: &[u8]) {
    row.put_i32(field.len() as i32);
    row.put_slice(field);
}

/// Writes a field, or one that the target refuses.
pub(super) fn or_refused(
    row: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), Refusal>,
) {
    let start = row.len();
    if write(row).is_err() {
        row.truncate(start);
        put(row, REFUSED);
    }
}

/// Between the clocks on the desktop's walls and the moments that the cloud keeps.
fn zoned<'v>(value: Value<'v>, form: Form, zone: Option<&Zone>) -> Value<'v> {
    match (zone, form) {
        (Some(zone), Form::Timestamptz) => value.to_utc(zone),
        (Some(zone), _) => value.to_local(zone),
        (None, _) => value,
    }
}

/// When a row was stamped last, in ticks of UTC.
pub(super) fn latest(
    stamps: &[Stamp],
    cells: &[ColumnData<'static>],
    zone: Option<&Zone>,
) -> Option<i64> {
    let moment = |(stamp, cell): (&Stamp, &ColumnData<'static>)| match zoned(
        Value::read(cell, stamp.sql_type?).ok()?,
        Form::Timestamptz,
        zone,
    ) {
        Value::DateTimeOffset { utc, .. } => Some(utc),
        _ => None,
    };
    stamps.iter().zip(cells).filter_map(moment).max()
}

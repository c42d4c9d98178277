//! Out of a batch in binary COPY: its rows, their fields, and what is noted beside them.

use bytes::{Buf, Bytes};

use crate::error::{Error, Kind, Result};
use crate::model::instant::Instant;
use crate::model::plan::Note;
use crate::model::{Batch, TablePlan};

/// The type of the elements of `text[]`.
const TEXT: u32 = 25;

/// A row as it came: its columns, `None` for NULL, and its notes.
pub(super) struct Incoming {
    pub(super) fields: Vec<Option<Bytes>>,
    pub(super) notes: Notes,
}

/// What the reader says of a row beside its columns; what it says nothing of is `None`.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) stamp: Option<Instant>,
    pub(super) version: Option<String>,
    pub(super) xid: Option<u64>,
    pub(super) seq: Option<i64>,
    pub(super) edited: Option<bool>,
    pub(super) bases: Option<Vec<String>>,
    pub(super) counterpart: Option<String>,
}

/// The rows of `batch` in their order.
///
/// # Errors
/// When it is none of `plan`'s columns and notes.
pub(super) fn rows(plan: &TablePlan, batch: &Batch) -> Result<Vec<Incoming>> {
    let mut rows = Vec::new();
    for piece in batch.pieces() {
        let mut rest = piece.clone();
        while !rest.is_empty() {
            rows.push(row(plan, &mut rest).ok_or_else(|| torn(plan))?);
        }
    }
    Ok(rows)
}

fn torn(plan: &TablePlan) -> Error {
    Error::new(Kind::Other, format!("a batch of {} is not of its columns", plan.label()))
}

fn row(plan: &TablePlan, rest: &mut Bytes) -> Option<Incoming> {
    let count = usize::try_from(rest.try_get_i16().ok()?).ok()?;
    if count != plan.columns.len() + plan.notes.len() {
        return None;
    }
    let fields = plan.columns.iter().map(|_| field(rest)).collect::<Option<_>>()?;
    let mut notes = Notes::default();
    for note in &plan.notes {
        if let Some(said) = field(rest)? {
            notes.take(*note, said)?;
        }
    }
    Some(Incoming { fields, notes })
}

fn field(rest: &mut Bytes) -> Option<Option<Bytes>> {
    let length = rest.try_get_i32().ok()?;
    let Ok(length) = usize::try_from(length) else { return Some(None) };
    (length <= rest.len()).then(|| Some(rest.split_to(length)))
}

impl Notes {
    fn take(&mut self, note: Note, mut said: Bytes) -> Option<()> {
        match note {
            Note::Stamp => self.stamp = Some(Instant(said.try_get_i64().ok()?)),
            Note::Version => self.version = Some(text(&said)?),
            Note::Xid => self.xid = Some(said.try_get_u64().ok()?),
            Note::Seq => self.seq = Some(said.try_get_i64().ok()?),
            Note::Edited => self.edited = Some(said.try_get_u8().ok()? != 0),
            Note::Bases => self.bases = Some(texts(said)?),
            Note::Counterpart => self.counterpart = Some(text(&said)?),
        }
        Some(())
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    str::from_utf8(bytes).ok().map(str::to_owned)
}

/// A `text[]` of one dimension or none: dimensions, whether there are NULLs, the type of the elements;
/// the length and the first index; then the elements. A NULL among them says nothing.
fn texts(mut array: Bytes) -> Option<Vec<String>> {
    let dimensions = array.try_get_i32().ok()?;
    let _has_nulls = array.try_get_i32().ok()?;
    let of = array.try_get_u32().ok()?;
    match dimensions {
        0 => return Some(Vec::new()),
        1 if of == TEXT => {}
        _ => return None,
    }
    let length = array.try_get_i32().ok()?;
    let _first = array.try_get_i32().ok()?;
    let mut texts = Vec::new();
    for _ in 0..length {
        if let Some(element) = field(&mut array)? {
            texts.push(text(&element)?);
        }
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(row: &mut Vec<u8>, field: Option<&[u8]>) {
        row.extend(field.map_or(-1, |f| f.len() as i32).to_be_bytes());
        row.extend(field.unwrap_or_default());
    }

    #[test]
    fn an_array_of_texts_is_read_without_its_nulls() {
        let head =
            |dimensions: i32| [dimensions, 0, TEXT.cast_signed()].map(i32::to_be_bytes).concat();
        let mut one = head(1);
        one.extend([3_i32, 1].map(i32::to_be_bytes).concat());
        for element in [Some(&b"a"[..]), None, Some(b"bc")] {
            put(&mut one, element);
        }
        assert_eq!(texts(one.clone().into()), Some(vec!["a".to_owned(), "bc".to_owned()]));
        assert_eq!(texts(head(0).into()), Some(Vec::new()));
        assert_eq!(texts(one[..one.len() - 1].to_vec().into()), None);
        assert_eq!(texts(head(2).into()), None);
    }

    #[test]
    fn a_note_says_what_its_type_says() {
        let mut notes = Notes::default();
        for (note, said) in [
            (Note::Stamp, 5_i64.to_be_bytes().to_vec()),
            (Note::Xid, 7_u64.to_be_bytes().to_vec()),
            (Note::Seq, (-1_i64).to_be_bytes().to_vec()),
            (Note::Edited, vec![1]),
            (Note::Counterpart, b"d41d".to_vec()),
        ] {
            notes.take(note, said.into()).unwrap();
        }
        assert_eq!((notes.stamp, notes.xid, notes.seq), (Some(Instant(5)), Some(7), Some(-1)));
        assert_eq!((notes.edited, notes.counterpart.as_deref()), (Some(true), Some("d41d")));
        assert!(notes.take(Note::Stamp, Bytes::from_static(b"short")).is_none());
    }

    #[test]
    fn a_field_that_ends_too_early_is_none() {
        assert_eq!(field(&mut Bytes::from_static(b"\0\0\0\x02a")), None);
        assert_eq!(field(&mut Bytes::from_static(b"\xff\xff\xff\xff")), Some(None));
        let mut rest = Bytes::from_static(b"\0\0\0\x01ab");
        assert_eq!(field(&mut rest), Some(Some(Bytes::from_static(b"a"))));
        assert_eq!(rest, "b");
    }
}

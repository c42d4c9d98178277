//! The digest of a row's content, as PostgreSQL computes it of the version that it holds (see
//! `crate::sql::digest`): `md5(record_send(row(…)))` over the same bytes.

use std::borrow::Cow;

use bytes::BytesMut;
use md5::{Digest, Md5};

use crate::model::TablePlan;
use crate::model::plan::{ColumnPlan, Passage};
use crate::model::types::{Form, PgType};

use super::types::{Zone, decode, encode};

/// The type of literals and of what travels as text.
const TEXT: u32 = 25;
/// `character`, which PostgreSQL pads with blanks.
const BPCHAR: u32 = 1042;
/// What PostgreSQL adds to a length.
const HEADER: i32 = 4;
/// A length of -1 means NULL.
const NULL: i32 = -1;

/// The digest of a row whose column of index `i` travels as `field(i)`, in hexadecimal; `zone` is that of
/// stamps without one.
pub fn of_content<'f>(
    plan: &TablePlan,
    zone: Option<&Zone>,
    field: impl Fn(usize) -> Option<&'f [u8]>,
) -> String {
    let mut record = BytesMut::new();
    record.extend_from_slice(&(plan.content.len() as i32).to_be_bytes());
    for &i in &plan.content {
        let (oid, bytes) = sent(&plan.columns[i], zone, field(i));
        record.extend_from_slice(&oid.to_be_bytes());
        let length = bytes.as_ref().map_or(NULL, |bytes| bytes.len() as i32);
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(bytes.as_deref().unwrap_or_default());
    }
    Md5::digest(&record).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The type and the bytes of a value in the form that looks the same at both ends.
fn sent<'f>(
    c: &ColumnPlan,
    zone: Option<&Zone>,
    field: Option<&'f [u8]>,
) -> (u32, Option<Cow<'f, [u8]>>) {
    let as_it_is = field.map(Cow::Borrowed);
    match c.passage {
        Passage::Text => (TEXT, as_it_is),
        Passage::Straight if c.travels_as.oid == BPCHAR => {
            (BPCHAR, field.map(|text| padded(text, c.travels_as)))
        }
        Passage::Straight => (c.travels_as.oid, as_it_is),
        Passage::Zoned if c.travels_as.form() == Some(Form::Timestamp) => {
            let moment = zone.and_then(|zone| moment(field, zone));
            (Form::Timestamptz.oid(), moment.map(Cow::Owned).or(as_it_is))
        }
        Passage::Zoned => (Form::Timestamptz.oid(), as_it_is),
    }
}

/// What the clock on the wall means. Infinity is none of a clock's times, and the same with any zone.
fn moment(field: Option<&[u8]>, zone: &Zone) -> Option<Vec<u8>> {
    let value = decode(Some(field?), Form::Timestamp).ok()?.to_utc(zone);
    let mut out = BytesMut::new();
    encode(&value, Form::Timestamptz, NULL, &mut out).ok()?;
    // After the length.
    out.get(4..).map(<[u8]>::to_vec)
}

/// The text with blanks up to the length of its column.
fn padded(text: &[u8], column: PgType) -> Cow<'_, [u8]> {
    let length = usize::try_from(column.typmod - HEADER).unwrap_or_default();
    let starts = |byte: &&u8| (**byte).cast_signed() >= -64;
    let has = text.iter().filter(starts).count();
    match length.saturating_sub(has) {
        0 => Cow::Borrowed(text),
        blanks => Cow::Owned([text, &b" ".repeat(blanks)[..]].concat()),
    }
}

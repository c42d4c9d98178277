//! How well the target's types hold what the source's do.

use crate::model::TablePlan;
use crate::model::plan::{ColumnPlan, Origin, Passage};
use crate::model::schema::{Column, TableSchema};
use crate::model::types;

/// How a column's values fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Their bytes are the same.
    Straight,
    /// Every value has its equal in the target's type.
    Lossless,
    /// Some values have none, and are refused.
    Narrow,
    /// Some values may become others.
    Lossy,
}

/// A column that travels.
pub(super) struct Travelling {
    pub(super) fit: Fit,
    /// Name and types, for people.
    pub(super) words: String,
}

/// Every column that travels.
pub(super) fn fits(
    plan: &TablePlan,
    desktop: &TableSchema,
    cloud: &TableSchema,
) -> Vec<Travelling> {
    let fit = |c: &ColumnPlan| {
        let Origin::Column { name, .. } = &c.origin else { return None };
        let (from, into) = (desktop.column(name)?, cloud.column(&c.target)?);
        let (fit, loss) = match (from.sql_type, c.passage) {
            (Some(of), Passage::Straight | Passage::Zoned) => encoded(of.fits(into.pg_type())),
            (None, Passage::Straight) => (Fit::Straight, None),
            (_, Passage::Text) | (None, Passage::Zoned) => (fit(from, into), None),
        };
        let mut words = format!("{} {} → {}", c.target, from.declaration(), into.type_name);
        words.extend(loss.map(|loss| format!(" loses {loss}")));
        Some(Travelling { fit, words })
    };
    plan.columns.iter().filter_map(fit).collect()
}

/// How values of SQL Server fare that are written as the cloud's type, and what they lose.
fn encoded(fit: types::Fit) -> (Fit, Option<&'static str>) {
    match fit {
        types::Fit::Exact => (Fit::Straight, None),
        types::Fit::Checked => (Fit::Narrow, None),
        types::Fit::Lossy(loss) => (Fit::Lossy, Some(loss)),
        types::Fit::No => (Fit::Lossy, None),
    }
}

/// The columns that the target alone has, and fills itself.
pub(super) fn only_in_target<'c>(plan: &TablePlan, cloud: &'c TableSchema) -> Vec<&'c str> {
    let travels = |c: &&Column| plan.columns.iter().any(|p| p.target == c.name);
    cloud.columns.iter().filter(|c| !travels(c)).map(|c| c.name.as_str()).collect()
}

const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
const TEXT: u32 = 25;
const NUMERIC: u32 = 1700;
const REAL: u32 = 700;
const DOUBLE: u32 = 701;
const STAMPS: [u32; 2] = [Column::TIMESTAMP, Column::TIMESTAMPTZ];
/// smallint, integer, bigint, and how many digits they have.
const INTEGERS: [(u32, i32); 3] = [(21, 5), (23, 10), (20, 19)];
/// What PostgreSQL adds to a length in a type's modifier.
const HEADER: i32 = 4;

fn fit(from: &Column, into: &Column) -> Fit {
    if from.type_name == into.type_name {
        return Fit::Lossless;
    }
    let narrow = |holds: bool| if holds { Fit::Lossless } else { Fit::Narrow };
    let digits =
        |c: &Column| INTEGERS.iter().find(|(oid, _)| *oid == c.type_oid).map(|(_, digits)| *digits);
    match (from.type_oid, into.type_oid) {
        // The session is set to write every value exactly.
        (_, TEXT) => Fit::Lossless,
        (VARCHAR | BPCHAR, VARCHAR | BPCHAR) => {
            narrow(into.typmod < 0 || from.typmod >= 0 && from.typmod <= into.typmod)
        }
        (_, VARCHAR) if is_plain(from) => narrow(into.typmod < 0),
        (TEXT, BPCHAR) => Fit::Narrow,
        (NUMERIC, NUMERIC) => numeric(precision(from), precision(into)),
        (_, NUMERIC) if digits(from).is_some() => {
            numeric(digits(from).map(|n| (n, 0)), precision(into))
        }
        (REAL, DOUBLE) => Fit::Lossless,
        (a, b) if STAMPS.contains(&a) && STAMPS.contains(&b) => {
            match into.typmod < 0 || from.typmod >= 0 && from.typmod <= into.typmod {
                true => Fit::Lossless,
                false => Fit::Lossy,
            }
        }
        _ => match (digits(from), digits(into)) {
            (Some(from), Some(into)) => narrow(from <= into),
            _ => Fit::Lossy,
        },
    }
}

/// What every reader writes the same way as text.
fn is_plain(c: &Column) -> bool {
    const UUID: u32 = 2950;
    [TEXT, VARCHAR, BPCHAR, UUID, NUMERIC].contains(&c.type_oid)
        || INTEGERS.iter().any(|(oid, _)| *oid == c.type_oid)
}

/// Digits in all and behind the point; none: any number of them.
fn precision(c: &Column) -> Option<(i32, i32)> {
    let packed = c.typmod - HEADER;
    // The scale has eleven bits and a sign.
    (c.typmod >= HEADER).then_some((packed >> 16, ((packed & 0x7ff) ^ 1024) - 1024))
}

fn numeric(from: Option<(i32, i32)>, into: Option<(i32, i32)>) -> Fit {
    match (from, into) {
        (_, None) => Fit::Lossless,
        (None, Some(_)) => Fit::Lossy,
        (Some((_, scale)), Some((_, kept))) if scale > kept => Fit::Lossy,
        (Some((digits, scale)), Some((room, kept))) if digits - scale > room - kept => Fit::Narrow,
        _ => Fit::Lossless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(type_oid: u32, typmod: i32) -> Column {
        let type_name = format!("{type_oid}({typmod})");
        let json = serde_json::json!({
            "name": "c", "type_oid": type_oid, "typmod": typmod, "type_name": type_name,
            "bare_type": type_name, "portable": true, "not_null": false, "has_default": false,
            "generated": false, "identity_always": false,
        });
        serde_json::from_value(json).unwrap()
    }

    fn decimal(precision: i32, scale: i32) -> Column {
        column(NUMERIC, (precision << 16 | scale) + HEADER)
    }

    #[test]
    fn a_type_holds_all_or_some_of_another() {
        let [int2, int4, int8, uuid, json] = [21, 23, 20, 2950, 114].map(|oid| column(oid, -1));
        let [text, varchar, numeric] = [TEXT, VARCHAR, NUMERIC].map(|oid| column(oid, -1));
        let [real, double] = [REAL, DOUBLE].map(|oid| column(oid, -1));
        let [v10, v20, c10] =
            [(VARCHAR, 14), (VARCHAR, 24), (BPCHAR, 14)].map(|(o, m)| column(o, m));
        let (local, zoned, coarse) = (column(1114, -1), column(1184, -1), column(1184, 3));
        for (from, into, expected) in [
            (&int4, &int8, Fit::Lossless),
            (&int8, &int2, Fit::Narrow),
            (&int4, &numeric, Fit::Lossless),
            (&int4, &decimal(12, 2), Fit::Lossless),
            (&int4, &decimal(10, 2), Fit::Narrow),
            (&int4, &text, Fit::Lossless),
            (&uuid, &text, Fit::Lossless),
            (&text, &uuid, Fit::Lossy),
            (&text, &varchar, Fit::Lossless),
            (&text, &v20, Fit::Narrow),
            (&v10, &v20, Fit::Lossless),
            (&v20, &v10, Fit::Narrow),
            (&c10, &v20, Fit::Lossless),
            (&decimal(10, 2), &decimal(12, 2), Fit::Lossless),
            (&decimal(10, 2), &decimal(12, 4), Fit::Lossless),
            (&decimal(12, 2), &decimal(10, 2), Fit::Narrow),
            (&decimal(12, 4), &decimal(12, 2), Fit::Lossy),
            (&numeric, &decimal(12, 2), Fit::Lossy),
            (&decimal(12, 2), &double, Fit::Lossy),
            (&real, &double, Fit::Lossless),
            (&double, &real, Fit::Lossy),
            (&local, &zoned, Fit::Lossless),
            (&zoned, &coarse, Fit::Lossy),
            (&json, &text, Fit::Lossless),
            (&json, &v10, Fit::Lossy),
        ] {
            assert_eq!(fit(from, into), expected, "{} → {}", from.type_name, into.type_name);
        }
    }
}

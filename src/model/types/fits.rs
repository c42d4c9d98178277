//! What a column of PostgreSQL keeps of a type of SQL Server.

use super::form::{BPCHAR, Form};
use super::sql_type::{Length, SqlType};
use super::travel::PgType;

/// What becomes of a type's values in a column of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Every value arrives and comes back equal; of texts, those without U+0000 and half a pair.
    Exact,
    /// A value may be refused, but none is changed.
    Checked,
    /// Every value arrives, but this is lost, in words that go on after "it loses".
    Lossy(&'static str),
    /// Values would be changed in silence, or have no place at all.
    No,
}

const SEVENTH: &str = "the seventh decimal of the second";
const OFFSET: &str = "the offset from UTC, though not the instant";
const OFFSET_AND_SEVENTH: &str =
    "the offset from UTC, though not the instant, and the seventh decimal of the second";
const BLANKS: &str = "blanks at the end of a text";

impl SqlType {
    /// Whether a column of this type keeps less of the second than one of PostgreSQL.
    pub fn rounds(self, column: PgType) -> bool {
        let decimals = column.second_decimals();
        match self {
            Self::SmallDateTime => true,
            // Of milliseconds it keeps every third.
            Self::DateTime => decimals > 2,
            Self::DateTime2 { scale } | Self::DateTimeOffset { scale } => scale < decimals,
            _ => false,
        }
    }

    /// What a column of PostgreSQL keeps of this type's values.
    ///
    /// numeric, time and timestamp round in silence to what their column keeps, so a column with
    /// fewer decimals is no place. A stamp without a zone goes into `timestamptz` by a
    /// [`Zone`](super::Zone); what its clocks have never shown comes back as what they showed then.
    pub fn fits(self, column: PgType) -> Fit {
        let Some(form) = column.form() else { return Fit::No };
        if self.is_text() {
            return self.fits_text(column, form);
        }
        match self {
            Self::Bit => when(is_integer(form) || form == Form::Bool),
            Self::TinyInt => fits_integer(255, column, form),
            Self::SmallInt => fits_integer(i64::from(i16::MAX), column, form),
            Self::Int => fits_integer(i64::from(i32::MAX), column, form),
            Self::BigInt => fits_integer(i64::MAX, column, form),
            Self::Decimal { precision, scale } => fits_decimal(precision, scale, column, form),
            Self::Money => fits_decimal(19, 4, column, form),
            Self::SmallMoney => fits_decimal(10, 4, column, form),
            Self::Real => when(matches!(form, Form::Float4 | Form::Float8)),
            Self::Float => when(form == Form::Float8),
            Self::Binary { .. } | Self::VarBinary { .. } | Self::Image | Self::RowVersion => {
                when(form == Form::Bytea)
            }
            Self::UniqueIdentifier => when(form == Form::Uuid),
            Self::Date => when(matches!(form, Form::Date | Form::Timestamp)),
            Self::Time { scale } if form == Form::Time => fits_seconds(scale, column),
            Self::DateTime if is_stamp(form) => fits_seconds(3, column),
            Self::SmallDateTime if is_stamp(form) => fits_seconds(0, column),
            Self::DateTime2 { scale } if is_stamp(form) => fits_seconds(scale, column),
            Self::DateTimeOffset { scale } if form == Form::Timestamptz => {
                match fits_seconds(scale, column) {
                    Fit::Exact => Fit::Lossy(OFFSET),
                    Fit::Lossy(_) => Fit::Lossy(OFFSET_AND_SEVENTH),
                    other => other,
                }
            }
            _ => Fit::No,
        }
    }

    fn fits_text(self, column: PgType, form: Form) -> Fit {
        if form != Form::Text {
            return Fit::No;
        }
        let longest = match self {
            Self::Char { length, .. }
            | Self::NChar { length }
            | Self::VarChar { length: Length::Of(length), .. }
            | Self::NVarChar { length: Length::Of(length) } => i32::from(length),
            _ => i32::MAX,
        };
        let is_blind = column.oid == BPCHAR && !self.is_padded();
        match column.length() {
            _ if is_blind => Fit::Lossy(BLANKS),
            Some(length) if length < longest => Fit::Checked,
            _ => Fit::Exact,
        }
    }
}

fn when(holds: bool) -> Fit {
    match holds {
        true => Fit::Exact,
        false => Fit::No,
    }
}

fn is_integer(form: Form) -> bool {
    matches!(form, Form::Int2 | Form::Int4 | Form::Int8)
}

fn is_stamp(form: Form) -> bool {
    matches!(form, Form::Timestamp | Form::Timestamptz)
}

/// Whether all to `most` has a place.
fn fits_integer(most: i64, column: PgType, form: Form) -> Fit {
    let room = match form {
        // 0 and 1 alone.
        Form::Bool => 1,
        Form::Int2 => i64::from(i16::MAX),
        Form::Int4 => i64::from(i32::MAX),
        Form::Int8 => i64::MAX,
        Form::Numeric => return fits_numeric(most.ilog10().cast_signed() + 1, 0, column),
        // What a mantissa holds.
        Form::Float4 => return when(most < 1 << 24),
        Form::Float8 => return when(most < 1 << 53),
        _ => return Fit::No,
    };
    match most <= room {
        true => Fit::Exact,
        false => Fit::Checked,
    }
}

fn fits_decimal(precision: u8, scale: u8, column: PgType, form: Form) -> Fit {
    let (whole, scale) = (i32::from(precision) - i32::from(scale), i32::from(scale));
    match form {
        Form::Numeric => fits_numeric(whole, scale, column),
        Form::Int2 | Form::Int4 | Form::Int8 if scale == 0 => {
            let most = 10_i64.checked_pow(whole.unsigned_abs()).map_or(i64::MAX, |most| most - 1);
            match (whole > 18, form) {
                (true, _) => Fit::Checked,
                (false, form) => fits_integer(most, column, form),
            }
        }
        _ => Fit::No,
    }
}

/// `whole` digits before the point and `scale` after it.
fn fits_numeric(whole: i32, scale: i32, column: PgType) -> Fit {
    match column.numeric() {
        None => Fit::Exact,
        Some((_, kept)) if kept < scale => Fit::No,
        Some((precision, kept)) if precision - kept < whole => Fit::Checked,
        Some(_) => Fit::Exact,
    }
}

fn fits_seconds(scale: u8, column: PgType) -> Fit {
    match column.second_decimals() {
        kept if kept >= scale => Fit::Exact,
        6 => Fit::Lossy(SEVENTH),
        _ => Fit::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::types::Page;

    fn numeric(precision: i32, scale: i32) -> PgType {
        PgType { oid: 1700, typmod: ((precision << 16) | (scale & 0x7ff)) + 4 }
    }

    fn of(form: Form, typmod: i32) -> PgType {
        PgType { oid: form.oid(), typmod }
    }

    const VARCHAR_10: PgType = PgType { oid: 1043, typmod: 14 };
    const PAGE: Page = Page::WESTERN;

    #[test]
    fn what_a_column_rounds_in_silence_is_no_place() {
        let decimal = SqlType::Decimal { precision: 10, scale: 4 };
        for (from, column, fit) in [
            (decimal, numeric(10, 4), Fit::Exact),
            (decimal, numeric(9, 4), Fit::Checked),
            (decimal, numeric(30, 3), Fit::No),
            (decimal, numeric(30, -2), Fit::No),
            (decimal, of(Form::Numeric, -1), Fit::Exact),
            (decimal, of(Form::Float8, -1), Fit::No),
            (SqlType::DateTime2 { scale: 7 }, of(Form::Timestamp, -1), Fit::Lossy(SEVENTH)),
            (SqlType::DateTime2 { scale: 7 }, of(Form::Timestamp, 3), Fit::No),
            (SqlType::DateTime2 { scale: 3 }, of(Form::Timestamp, 3), Fit::Exact),
            (SqlType::DateTime, of(Form::Timestamptz, 0), Fit::No),
            (SqlType::Time { scale: 0 }, of(Form::Time, 0), Fit::Exact),
            (SqlType::Float, of(Form::Float4, -1), Fit::No),
            (SqlType::DateTimeOffset { scale: 7 }, of(Form::Timestamp, -1), Fit::No),
        ] {
            assert_eq!(from.fits(column), fit, "{from:?} {column:?}");
        }
    }

    #[test]
    fn what_a_column_refuses_is_checked_row_by_row() {
        for (from, column, fit) in [
            (SqlType::Int, of(Form::Int2, -1), Fit::Checked),
            (SqlType::Int, of(Form::Bool, -1), Fit::Checked),
            (SqlType::TinyInt, of(Form::Int2, -1), Fit::Exact),
            (SqlType::BigInt, numeric(19, 0), Fit::Exact),
            (SqlType::BigInt, numeric(18, 0), Fit::Checked),
            (SqlType::Decimal { precision: 18, scale: 0 }, of(Form::Int8, -1), Fit::Exact),
            (SqlType::Decimal { precision: 19, scale: 0 }, of(Form::Int8, -1), Fit::Checked),
            (SqlType::NVarChar { length: Length::Of(10) }, VARCHAR_10, Fit::Exact),
            (SqlType::NVarChar { length: Length::Of(11) }, VARCHAR_10, Fit::Checked),
            (SqlType::VarChar { length: Length::Max, page: PAGE }, VARCHAR_10, Fit::Checked),
            (SqlType::NText, of(Form::Text, -1), Fit::Exact),
            (SqlType::NText, of(Form::Bytea, -1), Fit::No),
        ] {
            assert_eq!(from.fits(column), fit, "{from:?} {column:?}");
        }
    }

    #[test]
    fn a_type_fits_what_it_travels_as() {
        for (from, fit, declaration) in [
            (SqlType::Money, Fit::Exact, "numeric(19,4)"),
            (SqlType::Decimal { precision: 38, scale: 38 }, Fit::Exact, "numeric(38,38)"),
            (SqlType::Char { length: 3, page: PAGE }, Fit::Exact, "character(3)"),
            (SqlType::NVarChar { length: Length::Of(9) }, Fit::Exact, "character varying(9)"),
            (SqlType::DateTime, Fit::Exact, "timestamp(3) without time zone"),
            (SqlType::SmallDateTime, Fit::Exact, "timestamp(0) without time zone"),
            (SqlType::Time { scale: 7 }, Fit::Lossy(SEVENTH), "time without time zone"),
            (
                SqlType::DateTimeOffset { scale: 2 },
                Fit::Lossy(OFFSET),
                "timestamp(2) with time zone",
            ),
            (SqlType::RowVersion, Fit::Exact, "bytea"),
            (SqlType::TinyInt, Fit::Exact, "smallint"),
        ] {
            let travels = from.travels_as();
            assert_eq!(from.fits(travels), fit, "{from:?}");
            assert_eq!(travels.declaration().as_deref(), Some(declaration));
        }
    }
}

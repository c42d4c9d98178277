//! The types of SQL Server, on the wire and in PostgreSQL.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::Type;

use super::errors::SqlError;
use super::wire::Reader;

/// SQL_Latin1_General_CP1_CI_AS.
pub const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];

/// The digits of numeric results that PostgreSQL computes without a scale of their own.
const COMPUTED: SqlType = SqlType::Decimal(38, 6);

/// A type with its length in characters or bytes (none for max), its scale, or precision and scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlType {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Real,
    Float,
    Decimal(u8, u8),
    Money,
    SmallMoney,
    Guid,
    NVarChar(Option<u16>),
    NChar(u16),
    VarChar(Option<u16>),
    Char(u16),
    VarBinary(Option<u16>),
    Binary(u16),
    Date,
    Time(u8),
    DateTime,
    SmallDateTime,
    DateTime2(u8),
    DateTimeOffset(u8),
    Xml,
    RowVersion,
}

use SqlType::*;

impl SqlType {
    /// The type of a result's column: the domain that its table's column has, or PostgreSQL's type
    /// and modifier.
    pub fn of_column(kind: &Type, modifier: i32, domain: Option<&str>) -> Self {
        let length = u16::try_from(modifier - 4).ok().filter(|_| modifier > 4);
        let scale = length.map_or(7, |length| (length - 1) as u8);
        match domain.unwrap_or(kind.name()) {
            "bool" => Bit,
            "tinyint" => TinyInt,
            "int2" => SmallInt,
            "int4" => Int,
            "int8" | "oid" => BigInt,
            "float4" => Real,
            "float8" => Float,
            "numeric" if modifier >= 4 => {
                Decimal(((modifier - 4) >> 16) as u8, ((modifier - 4) & 0x7FF) as u8)
            }
            "numeric" => COMPUTED,
            "money" => Money,
            "smallmoney" => SmallMoney,
            "uuid" => Guid,
            "bpchar" => length.map_or(NVarChar(None), NChar),
            "char" if kind.schema() == "tsql" => length.map_or(VarChar(None), Char),
            "varchar" if kind.schema() == "tsql" => VarChar(length),
            "varchar" => NVarChar(length.filter(|length| *length <= 4000)),
            "varbinary" => VarBinary(length),
            "binary" => length.map_or(VarBinary(None), Binary),
            "bytea" => VarBinary(None),
            "date" => Date,
            "time" => Time(scale),
            "datetime" => DateTime,
            "smalldatetime" => SmallDateTime,
            "datetime2" => DateTime2(scale),
            "datetimeoffset" => DateTimeOffset(scale),
            "xml" => Xml,
            "rowversion" => RowVersion,
            _ => NVarChar(None),
        }
    }

    /// The type as it is written in PostgreSQL.
    pub fn postgres(self) -> String {
        match self {
            Bit => "boolean".into(),
            TinyInt => "tsql.tinyint".into(),
            SmallInt => "smallint".into(),
            Int => "integer".into(),
            BigInt => "bigint".into(),
            Real => "real".into(),
            Float => "double precision".into(),
            Decimal(precision, scale) => format!("numeric({precision}, {scale})"),
            Money => "tsql.money".into(),
            SmallMoney => "tsql.smallmoney".into(),
            Guid => "uuid".into(),
            NVarChar(None) => "text".into(),
            NVarChar(Some(length)) => format!("varchar({length})"),
            NChar(length) => format!("char({length})"),
            VarChar(None) => "tsql.varchar".into(),
            VarChar(Some(length)) => format!("tsql.varchar({length})"),
            Char(length) => format!("tsql.char({length})"),
            VarBinary(None) => "bytea".into(),
            VarBinary(Some(length)) => format!("tsql.varbinary({length})"),
            Binary(length) => format!("tsql.binary({length})"),
            Date => "date".into(),
            Time(scale) => format!("tsql.time({})", scale + 1),
            DateTime => "tsql.datetime".into(),
            SmallDateTime => "tsql.smalldatetime".into(),
            DateTime2(scale) => format!("tsql.datetime2({})", scale + 1),
            DateTimeOffset(scale) => format!("tsql.datetimeoffset({})", scale + 1),
            Xml => "tsql.xml".into(),
            RowVersion => "tsql.rowversion".into(),
        }
    }

    /// The type of PostgreSQL whose binary form `values` makes, to be cast to [`Self::postgres`].
    pub fn carrier(self) -> Type {
        match self {
            Bit => Type::BOOL,
            TinyInt | SmallInt => Type::INT2,
            Int => Type::INT4,
            BigInt | Time(_) | DateTime | SmallDateTime | DateTime2(_) => Type::INT8,
            Real => Type::FLOAT4,
            Float => Type::FLOAT8,
            Decimal(..) | Money | SmallMoney => Type::NUMERIC,
            Guid | DateTimeOffset(_) => Type::UUID,
            NVarChar(_) | NChar(_) | VarChar(_) | Char(_) | Xml => Type::TEXT,
            VarBinary(_) | Binary(_) | RowVersion => Type::BYTEA,
            Date => Type::DATE,
        }
    }

    /// A parameter of this type as it stands in a statement.
    pub fn cast(self, parameter: &str) -> String {
        match self {
            // A text is compared as it is; its declared length means nothing.
            NVarChar(_) | NChar(_) | VarChar(_) | Char(_) => format!("{parameter}::text"),
            VarBinary(_) | Binary(_) => format!("{parameter}::bytea"),
            DateTime | SmallDateTime => format!("{parameter}::int8::tsql.datetime2"),
            Time(_) | DateTime2(_) => format!("{parameter}::int8::{}", self.postgres()),
            DateTimeOffset(_) => format!("{parameter}::uuid::{}", self.postgres()),
            _ => format!("{parameter}::{}", self.postgres()),
        }
    }

    /// Whether it is written as text, so that `+` puts it together.
    pub fn is_text(self) -> bool {
        matches!(self, NVarChar(_) | NChar(_) | VarChar(_) | Char(_))
    }

    /// Whether it is written as bytes.
    pub fn is_bytes(self) -> bool {
        matches!(self, VarBinary(_) | Binary(_) | RowVersion)
    }

    /// The `TYPE_INFO` of a result's column.
    pub fn put_info(self, buffer: &mut BytesMut) {
        match self {
            Bit => buffer.put_slice(&[0x68, 1]),
            TinyInt => buffer.put_slice(&[0x26, 1]),
            SmallInt => buffer.put_slice(&[0x26, 2]),
            Int => buffer.put_slice(&[0x26, 4]),
            BigInt => buffer.put_slice(&[0x26, 8]),
            Real => buffer.put_slice(&[0x6D, 4]),
            Float => buffer.put_slice(&[0x6D, 8]),
            Decimal(precision, scale) => {
                buffer.put_slice(&[0x6A, decimal_bytes(precision), precision, scale]);
            }
            Money => buffer.put_slice(&[0x6E, 8]),
            SmallMoney => buffer.put_slice(&[0x6E, 4]),
            Guid => buffer.put_slice(&[0x24, 16]),
            NVarChar(length) => put_text_info(buffer, 0xE7, length.map(|length| length * 2)),
            NChar(length) => put_text_info(buffer, 0xEF, Some(length * 2)),
            VarChar(length) => put_text_info(buffer, 0xA7, length),
            Char(length) => put_text_info(buffer, 0xAF, Some(length)),
            VarBinary(length) => put_length(buffer, 0xA5, length),
            Binary(length) => put_length(buffer, 0xAD, Some(length)),
            RowVersion => put_length(buffer, 0xAD, Some(8)),
            Date => buffer.put_u8(0x28),
            Time(scale) => buffer.put_slice(&[0x29, scale]),
            DateTime2(scale) => buffer.put_slice(&[0x2A, scale]),
            DateTimeOffset(scale) => buffer.put_slice(&[0x2B, scale]),
            DateTime => buffer.put_slice(&[0x6F, 8]),
            SmallDateTime => buffer.put_slice(&[0x6F, 4]),
            Xml => buffer.put_slice(&[0xF1, 0]),
        }
    }

    /// The `TYPE_INFO` of a parameter or of a bulk load's column.
    pub fn read_info(from: &mut Reader<'_>) -> Result<Self, SqlError> {
        let kind = from.byte()?;
        let sized = match kind {
            0x24 | 0x26 | 0x68 | 0x6D..=0x6F => from.byte()?,
            _ => 0,
        };
        Ok(match (kind, sized) {
            (0x26, 1) => TinyInt,
            (0x68, _) => Bit,
            (0x26, 2) => SmallInt,
            (0x26, 4) => Int,
            (0x26, _) => BigInt,
            (0x6D, 4) => Real,
            (0x6D, _) => Float,
            (0x6E, 4) => SmallMoney,
            (0x6E, _) => Money,
            (0x6F, 4) => SmallDateTime,
            (0x6F, _) => DateTime,
            (0x24, _) => Guid,
            (0x6A | 0x6C, _) => {
                from.byte()?;
                Decimal(from.byte()?, from.byte()?)
            }
            (0xE7 | 0xEF | 0xA7 | 0xAF | 0xA5 | 0xAD, _) => return read_length(kind, from),
            (0x28, _) => Date,
            (0x29, _) => Time(from.byte()?),
            (0x2A, _) => DateTime2(from.byte()?),
            (0x2B, _) => DateTimeOffset(from.byte()?),
            (0xF1, _) => {
                from.byte()?;
                Xml
            }
            _ => return Err(SqlError::protocol(&format!("data type {kind:#x}"))),
        })
    }
}

fn put_text_info(buffer: &mut BytesMut, kind: u8, bytes: Option<u16>) {
    put_length(buffer, kind, bytes);
    buffer.put_slice(&COLLATION);
}

fn put_length(buffer: &mut BytesMut, kind: u8, bytes: Option<u16>) {
    buffer.put_u8(kind);
    buffer.put_u16_le(bytes.unwrap_or(u16::MAX));
}

fn read_length(kind: u8, from: &mut Reader<'_>) -> Result<SqlType, SqlError> {
    let bytes = Some(from.number(2)? as u16).filter(|bytes| *bytes != u16::MAX);
    if !matches!(kind, 0xA5 | 0xAD) {
        from.bytes(COLLATION.len())?;
    }
    Ok(match (kind, bytes) {
        (0xEF, Some(bytes)) => NChar(bytes / 2),
        (0xE7 | 0xEF, bytes) => NVarChar(bytes.map(|bytes| bytes / 2)),
        (0xAF, Some(bytes)) => Char(bytes),
        (0xA7 | 0xAF, bytes) => VarChar(bytes),
        (0xAD, Some(bytes)) => Binary(bytes),
        (_, bytes) => VarBinary(bytes),
    })
}

/// How many bytes the wire has for so many digits, the sign included.
pub fn decimal_bytes(precision: u8) -> u8 {
    match precision {
        0..=9 => 5,
        10..=19 => 9,
        20..=28 => 13,
        _ => 17,
    }
}

/// How many bytes the wire has for a time of this scale.
pub fn time_bytes(scale: u8) -> usize {
    match scale {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    }
}

//! What SQL Server's catalogue says of a column's type, and how a column of it is declared and read.

use std::fmt;

use super::page::Page;
use super::refusal::Refusal;

/// A column as `sys.columns` and `sys.types` describe it.
#[derive(Debug, Clone, Copy)]
pub struct Declared<'a> {
    /// The name of the system type that the column's type is, or is an alias of.
    pub name: &'a str,
    /// Bytes; -1 means max.
    pub max_length: i16,
    /// Digits of a decimal.
    pub precision: u8,
    /// Digits after the point of a decimal, or of the second.
    pub scale: u8,
    /// `collationproperty(collation_name, 'CodePage')`; anything for a column without a collation.
    pub code_page: i32,
}

/// How long a value may be: bytes, or UTF-16 units for `nvarchar`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// Up to so many.
    Of(u16),
    /// Up to 2 GiB.
    Max,
}

/// A type of SQL Server that can be synchronised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants bear the names of the types, the fields speak")]
pub enum SqlType {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Decimal { precision: u8, scale: u8 },
    Money,
    SmallMoney,
    Real,
    Float,
    Char { length: u16, page: Page },
    VarChar { length: Length, page: Page },
    Text { page: Page },
    NChar { length: u16 },
    NVarChar { length: Length },
    NText,
    Binary { length: u16 },
    VarBinary { length: Length },
    Image,
    Date,
    Time { scale: u8 },
    DateTime,
    SmallDateTime,
    DateTime2 { scale: u8 },
    DateTimeOffset { scale: u8 },
    UniqueIdentifier,
    Xml,
    RowVersion,
}

/// The most UTF-16 units of an `nvarchar` that isn't `max`, and half the most bytes.
const NVARCHAR_MAX: u16 = 4_000;
/// The most of one that bulk load declares as what it is.
const BULK_NVARCHAR_MAX: u16 = NVARCHAR_MAX / 2;

impl SqlType {
    /// The type of a column; refused with a reason if none of its values can travel.
    pub fn of(declared: &Declared<'_>) -> Result<Self, Refusal> {
        let Declared { precision, scale, .. } = *declared;
        let page = Page::of(declared.code_page);
        // Of a type with a fixed length it is never -1.
        let bytes = declared.max_length.unsigned_abs();
        let length = |unit| match declared.max_length {
            -1 => Length::Max,
            _ => Length::Of(bytes / unit),
        };
        Ok(match declared.name {
            "bit" => Self::Bit,
            "tinyint" => Self::TinyInt,
            "smallint" => Self::SmallInt,
            "int" => Self::Int,
            "bigint" => Self::BigInt,
            "decimal" | "numeric" => Self::Decimal { precision, scale },
            "money" => Self::Money,
            "smallmoney" => Self::SmallMoney,
            "real" => Self::Real,
            "float" => Self::Float,
            "char" => Self::Char { length: bytes, page },
            "varchar" => Self::VarChar { length: length(1), page },
            "text" => Self::Text { page },
            "nchar" => Self::NChar { length: bytes / 2 },
            "nvarchar" | "sysname" => Self::NVarChar { length: length(2) },
            "ntext" => Self::NText,
            "binary" => Self::Binary { length: bytes },
            "varbinary" => Self::VarBinary { length: length(1) },
            "image" => Self::Image,
            "date" => Self::Date,
            "time" => Self::Time { scale },
            "datetime" => Self::DateTime,
            "smalldatetime" => Self::SmallDateTime,
            "datetime2" => Self::DateTime2 { scale },
            "datetimeoffset" => Self::DateTimeOffset { scale },
            "uniqueidentifier" => Self::UniqueIdentifier,
            "xml" => Self::Xml,
            "timestamp" | "rowversion" => Self::RowVersion,
            other => return Err(unsupported(other)),
        })
    }

    /// The type as T-SQL spells it: `decimal(18,4)`, `nvarchar(max)`.
    pub fn declaration(self) -> String {
        match self {
            Self::Bit => "bit".to_owned(),
            Self::TinyInt => "tinyint".to_owned(),
            Self::SmallInt => "smallint".to_owned(),
            Self::Int => "int".to_owned(),
            Self::BigInt => "bigint".to_owned(),
            Self::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            Self::Money => "money".to_owned(),
            Self::SmallMoney => "smallmoney".to_owned(),
            Self::Real => "real".to_owned(),
            Self::Float => "float".to_owned(),
            Self::Char { length, .. } => format!("char({length})"),
            Self::VarChar { length, .. } => format!("varchar({length})"),
            Self::Text { .. } => "text".to_owned(),
            Self::NChar { length } => format!("nchar({length})"),
            Self::NVarChar { length } => format!("nvarchar({length})"),
            Self::NText => "ntext".to_owned(),
            Self::Binary { length } => format!("binary({length})"),
            Self::VarBinary { length } => format!("varbinary({length})"),
            Self::Image => "image".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Time { scale } => format!("time({scale})"),
            Self::DateTime => "datetime".to_owned(),
            Self::SmallDateTime => "smalldatetime".to_owned(),
            Self::DateTime2 { scale } => format!("datetime2({scale})"),
            Self::DateTimeOffset { scale } => format!("datetimeoffset({scale})"),
            Self::UniqueIdentifier => "uniqueidentifier".to_owned(),
            Self::Xml => "xml".to_owned(),
            Self::RowVersion => "rowversion".to_owned(),
        }
    }

    /// The expression to select `column` by, which stands quoted, so that the driver reads it exactly.
    ///
    /// The driver reads money as a double, and `varchar` of any code page but 1252 by tables of its
    /// own, UTF-8 by the wrong one.
    pub fn selected(self, column: &str) -> String {
        let cast = |to: &str| format!("cast({column} as {to})");
        match self {
            Self::Money => cast("decimal(19,4)"),
            Self::SmallMoney => cast("decimal(10,4)"),
            Self::Text { page: Page::WESTERN } => cast("varchar(max)"),
            Self::Text { .. } => format!("cast({} as nvarchar(max))", cast("varchar(max)")),
            Self::Xml | Self::NText => cast("nvarchar(max)"),
            Self::Image => cast("varbinary(max)"),
            Self::Char { page, .. } | Self::VarChar { page, .. } if page != Page::WESTERN => {
                cast(&format!("nvarchar({})", self.units()))
            }
            _ => column.to_owned(),
        }
    }

    /// The same for what the driver refuses as text, half a surrogate pair: a text as the bytes of its
    /// UTF-16. [`Value::read`](super::Value::read) takes both.
    pub fn selected_carefully(self, column: &str) -> String {
        let bytes = match self.units() {
            Length::Of(units) => Length::Of(units * 2),
            Length::Max => Length::Max,
        };
        let wide = match self {
            Self::Text { .. } => format!("cast(cast({column} as varchar(max)) as nvarchar(max))"),
            Self::Char { .. } | Self::VarChar { .. } | Self::NText | Self::Xml => {
                format!("cast({column} as nvarchar({}))", self.units())
            }
            Self::NChar { .. } | Self::NVarChar { .. } => column.to_owned(),
            _ => return self.selected(column),
        };
        format!("cast({wide} as varbinary({bytes}))")
    }

    /// The declaration of a column of a `#temp` table that takes the type's values by bulk load.
    ///
    /// Not always the type itself, because the driver declares what it sends without the scale of
    /// `time` and `datetimeoffset`, `smalldatetime` as `datetime`, and `nvarchar` by its bytes. A text is
    /// staged as `nvarchar` under the collation of tempdb: a statement that compares it to the column
    /// names the column's collation.
    pub fn staging_type(self) -> String {
        match self {
            Self::Money => "decimal(19,4)".to_owned(),
            Self::SmallMoney => "decimal(10,4)".to_owned(),
            // The driver counts the 0 before the point as a digit of the length that it writes.
            Self::Decimal { precision, scale } if precision == scale && precision < 38 => {
                format!("decimal({},{scale})", precision + 1)
            }
            of if of.is_text() => match of.units() {
                Length::Of(units) if units <= BULK_NVARCHAR_MAX => format!("nvarchar({units})"),
                _ => "nvarchar(max)".to_owned(),
            },
            Self::Binary { length } => format!("varbinary({length})"),
            Self::Image => "varbinary(max)".to_owned(),
            Self::RowVersion => "varbinary(8)".to_owned(),
            Self::Time { .. } => "time(7)".to_owned(),
            Self::SmallDateTime => "datetime".to_owned(),
            Self::DateTimeOffset { .. } => "datetimeoffset(7)".to_owned(),
            _ => self.declaration(),
        }
    }

    /// Whether its values are texts.
    pub fn is_text(self) -> bool {
        use SqlType::{Char, NChar, NText, NVarChar, Text, VarChar, Xml};
        matches!(
            self,
            Char { .. }
                | VarChar { .. }
                | Text { .. }
                | NChar { .. }
                | NVarChar { .. }
                | NText
                | Xml
        )
    }

    /// Whether blanks at the end of its texts mean nothing, since the server pads with them.
    pub(crate) fn is_padded(self) -> bool {
        matches!(self, Self::Char { .. } | Self::NChar { .. })
    }

    /// How many UTF-16 units a text of it has at most; of `nvarchar`, more than 4,000 is `max`.
    fn units(self) -> Length {
        match self {
            Self::Char { length, .. }
            | Self::NChar { length }
            | Self::VarChar { length: Length::Of(length), .. }
            | Self::NVarChar { length: Length::Of(length) }
                if length <= NVARCHAR_MAX =>
            {
                Length::Of(length)
            }
            _ => Length::Max,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Length::Of(n) => n.fmt(f),
            Length::Max => f.write_str("max"),
        }
    }
}

fn unsupported(name: &str) -> Refusal {
    Refusal::new(match name {
        "sql_variant" => "may be of another type in every row; exclude the column",
        "hierarchyid" => "is a hierarchyid, which PostgreSQL has no type for; exclude the column",
        "geometry" | "geography" => {
            "is a shape in SQL Server's own format, which PostgreSQL can't read; exclude the column"
        }
        _ => "is of a type that tidegate doesn't know, such as a CLR type; exclude the column",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(name: &str, max_length: i16, precision: u8, scale: u8) -> Declared<'_> {
        Declared { name, max_length, precision, scale, code_page: 1252 }
    }

    #[test]
    fn a_type_is_declared_as_the_catalogue_describes_it() {
        for (name, length, precision, scale, declaration) in [
            ("decimal", 9, 18, 4, "decimal(18,4)"),
            ("numeric", 17, 38, 38, "decimal(38,38)"),
            ("nvarchar", -1, 0, 0, "nvarchar(max)"),
            ("nvarchar", 100, 0, 0, "nvarchar(50)"),
            ("nchar", 20, 0, 0, "nchar(10)"),
            ("sysname", 256, 0, 0, "nvarchar(128)"),
            ("varchar", 8000, 0, 0, "varchar(8000)"),
            ("char", 3, 0, 0, "char(3)"),
            ("varbinary", -1, 0, 0, "varbinary(max)"),
            ("binary", 16, 0, 0, "binary(16)"),
            ("time", 5, 16, 7, "time(7)"),
            ("datetime2", 7, 23, 3, "datetime2(3)"),
            ("datetimeoffset", 10, 34, 7, "datetimeoffset(7)"),
            ("timestamp", 8, 0, 0, "rowversion"),
            ("xml", -1, 0, 0, "xml"),
        ] {
            let of = SqlType::of(&declared(name, length, precision, scale)).unwrap();
            assert_eq!(of.declaration(), declaration);
        }
    }

    #[test]
    fn a_type_that_can_not_travel_is_refused_with_the_remedy() {
        for name in ["sql_variant", "hierarchyid", "geometry", "geography", "Point3D"] {
            let refusal = SqlType::of(&declared(name, -1, 0, 0)).unwrap_err();
            assert!(refusal.reason().ends_with("exclude the column"), "{refusal}");
        }
    }

    #[test]
    fn a_column_is_selected_so_that_the_driver_reads_it_exactly() {
        let other = |name, length| {
            SqlType::of(&Declared { code_page: 65001, ..declared(name, length, 0, 0) }).unwrap()
        };
        let western = |name, length| SqlType::of(&declared(name, length, 0, 0)).unwrap();
        for (of, selected, carefully) in [
            (western("int", 4), "[a]", "[a]"),
            (western("money", 8), "cast([a] as decimal(19,4))", "cast([a] as decimal(19,4))"),
            (western("nvarchar", 40), "[a]", "cast([a] as varbinary(40))"),
            (western("nvarchar", -1), "[a]", "cast([a] as varbinary(max))"),
            (western("varchar", 10), "[a]", "cast(cast([a] as nvarchar(10)) as varbinary(20))"),
            (
                other("varchar", 8000),
                "cast([a] as nvarchar(max))",
                "cast(cast([a] as nvarchar(max)) as varbinary(max))",
            ),
            (
                other("text", 16),
                "cast(cast([a] as varchar(max)) as nvarchar(max))",
                "cast(cast(cast([a] as varchar(max)) as nvarchar(max)) as varbinary(max))",
            ),
            (
                western("xml", -1),
                "cast([a] as nvarchar(max))",
                "cast(cast([a] as nvarchar(max)) as varbinary(max))",
            ),
            (western("image", 16), "cast([a] as varbinary(max))", "cast([a] as varbinary(max))"),
        ] {
            assert_eq!(of.selected("[a]"), selected);
            assert_eq!(of.selected_carefully("[a]"), carefully);
        }
    }

    #[test]
    fn a_staged_column_holds_what_the_column_holds() {
        for (name, length, precision, scale, staged) in [
            ("money", 8, 19, 4, "decimal(19,4)"),
            ("decimal", 5, 9, 9, "decimal(10,9)"),
            ("decimal", 17, 38, 38, "decimal(38,38)"),
            ("varchar", 8000, 0, 0, "nvarchar(max)"),
            ("char", 10, 0, 0, "nvarchar(10)"),
            ("nchar", 20, 0, 0, "nvarchar(10)"),
            ("timestamp", 8, 0, 0, "varbinary(8)"),
            ("datetime", 8, 23, 3, "datetime"),
            ("smalldatetime", 4, 16, 0, "datetime"),
            ("datetime2", 7, 23, 3, "datetime2(3)"),
            ("datetimeoffset", 8, 26, 0, "datetimeoffset(7)"),
            ("time", 3, 8, 0, "time(7)"),
            ("nvarchar", 4000, 0, 0, "nvarchar(2000)"),
            ("nvarchar", 4002, 0, 0, "nvarchar(max)"),
            ("xml", -1, 0, 0, "nvarchar(max)"),
        ] {
            let of = SqlType::of(&declared(name, length, precision, scale)).unwrap();
            assert_eq!(of.staging_type(), staged);
        }
    }
}

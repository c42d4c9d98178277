//! Types as T-SQL writes them.

use super::errors::SqlError;
use super::lexer::Token::{self, Number, Quoted, Symbol, Variable, Word};
use super::lexer::first_words;
use super::types::SqlType::{self, *};

/// The type that `tokens` begin with, and what comes after it.
pub fn read(tokens: &[Token]) -> Result<(SqlType, &[Token]), SqlError> {
    let tokens = match tokens {
        [schema, Symbol("."), rest @ ..] if schema.is("sys") => rest,
        tokens => tokens,
    };
    let unknown = || SqlError::unknown(&format!("data type {}", first_words(tokens)));
    let [Word(name) | Quoted(name), rest @ ..] = tokens else { return Err(unknown()) };
    let (sizes, rest) = sizes(rest);
    let size = sizes.first().copied().flatten();
    let scale = |default: u16| sizes.first().map_or(default, |n| n.unwrap_or(default)) as u8;
    let length = |default: u16| sizes.first().map_or(Some(default), |n| *n);
    let kind = match name.to_ascii_lowercase().as_str() {
        "bit" => Bit,
        "tinyint" => TinyInt,
        "smallint" => SmallInt,
        "int" | "integer" => Int,
        "bigint" => BigInt,
        "real" => Real,
        "float" | "double" => match size {
            Some(..=24) => Real,
            _ => Float,
        },
        "decimal" | "numeric" | "dec" => {
            Decimal(scale(18), sizes.get(1).copied().flatten().unwrap_or(0) as u8)
        }
        "money" => Money,
        "smallmoney" => SmallMoney,
        "uniqueidentifier" => Guid,
        "nvarchar" => NVarChar(length(30)),
        "sysname" => NVarChar(Some(128)),
        "nchar" => NChar(size.unwrap_or(1)),
        "varchar" => VarChar(length(30)),
        "char" => Char(size.unwrap_or(1)),
        "varbinary" => VarBinary(length(30)),
        "binary" => Binary(size.unwrap_or(1)),
        "date" => Date,
        "time" => Time(scale(7)),
        "datetime" => DateTime,
        "smalldatetime" => SmallDateTime,
        "datetime2" => DateTime2(scale(7)),
        "datetimeoffset" => DateTimeOffset(scale(7)),
        "xml" => Xml,
        "rowversion" | "timestamp" => RowVersion,
        "text" => VarChar(None),
        "ntext" => NVarChar(None),
        "image" => VarBinary(None),
        _ => return Err(unknown()),
    };
    Ok((kind, rest))
}

/// The numbers of `(n)` or `(p, s)`, none for `max`, and what comes after them.
fn sizes(tokens: &[Token]) -> (Vec<Option<u16>>, &[Token]) {
    let size = |token: &Token| match token {
        Number(number) => number.parse().ok().map(Some),
        token if token.is("max") => Some(None),
        _ => None,
    };
    match tokens {
        [Symbol("("), first, Symbol(")"), rest @ ..] if size(first).is_some() => {
            (size(first).into_iter().collect(), rest)
        }
        [Symbol("("), first, Symbol(","), second, Symbol(")"), rest @ ..] => {
            (size(first).into_iter().chain(size(second)).collect(), rest)
        }
        tokens => (Vec::new(), tokens),
    }
}

/// `@x [AS] type [= value]`.
pub fn variable(item: &[Token]) -> Result<(String, SqlType, Option<&[Token]>), SqlError> {
    let unknown = || SqlError::unknown(&first_words(item));
    let [Variable(name), rest @ ..] = item else { return Err(unknown()) };
    let rest = match rest {
        [as_, rest @ ..] if as_.is("AS") => rest,
        rest => rest,
    };
    match read(rest)? {
        (kind, []) => Ok((name.clone(), kind, None)),
        (kind, [Symbol("="), value @ ..]) => Ok((name.clone(), kind, Some(value))),
        _ => Err(unknown()),
    }
}

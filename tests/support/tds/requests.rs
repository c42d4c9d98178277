//! What a client asks for: the parts of its requests.

use super::declared;
use super::errors::SqlError;
use super::lexer::{self, Token};
use super::text;
use super::types::SqlType;
use super::values;
use super::wire::Reader;

/// The number by which clients call `sp_executesql`.
const EXECUTE_SQL: u64 = 10;
/// The type of a NULL that has none.
const NULL_TYPE: u8 = 0x1F;

/// A parameter or variable: its name with the `@`, its type, its value in PostgreSQL's binary form.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub kind: SqlType,
    pub value: Option<Vec<u8>>,
}

/// The text of a batch.
pub fn batch(body: &[u8]) -> Result<String, SqlError> {
    let mut from = Reader(body);
    from.skip_headers()?;
    Ok(text::from_utf16(from.0))
}

/// The text and the parameters of a call of `sp_executesql`, the only procedure that can be called
/// this way.
pub fn call(body: &[u8]) -> Result<(String, Vec<Parameter>), SqlError> {
    let mut from = Reader(body);
    from.skip_headers()?;
    let name = match from.number(2)? {
        0xFFFF => match from.number(2)? {
            EXECUTE_SQL => "sp_executesql".to_owned(),
            number => format!("number {number}"),
        },
        characters => text::from_utf16(from.bytes(characters as usize * 2)?),
    };
    from.bytes(2)?;
    if !name.eq_ignore_ascii_case("sp_executesql") {
        return Err(SqlError::new(2812, format!("Could not find stored procedure '{name}'.")));
    }
    let mut parameters = Vec::new();
    while !from.is_empty() {
        let name = from.short_text()?;
        from.byte()?;
        parameters.push(match from.0.first() {
            Some(&NULL_TYPE) => {
                from.byte()?;
                Parameter { kind: declared_type(&parameters, &name)?, name, value: None }
            }
            _ => {
                let kind = SqlType::read_info(&mut from)?;
                Parameter { name, kind, value: values::read(&mut from, kind)? }
            }
        });
    }
    // The statement, the declaration of its parameters, the parameters.
    let values = parameters.split_off(parameters.len().min(2));
    let statement = parameters.into_iter().next().and_then(|statement| statement.value);
    let statement = statement.and_then(|statement| String::from_utf8(statement).ok());
    Ok((statement.ok_or_else(|| SqlError::protocol("sp_executesql has no statement"))?, values))
}

/// The type of a parameter that comes as a NULL without one: as the declaration, the second parameter of the
/// call, has it.
fn declared_type(parameters: &[Parameter], name: &str) -> Result<SqlType, SqlError> {
    let declaration = parameters.get(1).and_then(|declaration| declaration.value.as_deref());
    let declaration = lexer::tokens(&String::from_utf8_lossy(declaration.unwrap_or_default()))?;
    let declared = lexer::items(&declaration).into_iter().find_map(|item| match item {
        [Token::Variable(variable), kind @ ..]
            if variable.trim_start_matches('@') == name.trim_start_matches('@') =>
        {
            Some(kind)
        }
        _ => None,
    });
    let kind = declared.ok_or_else(|| SqlError::protocol("a NULL that is not declared"))?;
    declared::read(kind).map(|(kind, _)| kind)
}

/// What a transaction manager's request means in T-SQL.
pub fn transaction(body: &[u8]) -> Result<&'static str, SqlError> {
    let mut from = Reader(body);
    from.skip_headers()?;
    match from.number(2)? {
        5 => match from.byte()? {
            5 => Ok("SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION"),
            0 | 2 => Ok("BEGIN TRANSACTION"),
            level => Err(SqlError::unknown(&format!("isolation level {level}"))),
        },
        7 => Ok("COMMIT TRANSACTION"),
        8 => Ok("ROLLBACK TRANSACTION"),
        kind => Err(SqlError::unknown(&format!("transaction manager request {kind}"))),
    }
}

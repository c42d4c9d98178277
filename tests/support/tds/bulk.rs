//! Bulk load: the rows of one message, copied into a table of their own and inserted from there.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;

use super::answer::Answer;
use super::errors::SqlError;
use super::expressions::quote;
use super::lexer::Token::{self, Quoted, Word};
use super::lexer::{closing, first_words, items};
use super::query::table;
use super::session::{OnError, Session};
use super::types::SqlType;
use super::values;
use super::wire::Reader;

/// What PostgreSQL's binary COPY begins with.
const SIGNATURE: &[u8] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";
const PART_BYTES: usize = 64 * 1024;

const COLUMNS: u8 = 0x81;
const ROW: u8 = 0xD1;
const ROW_WITH_NULLS: u8 = 0xD2;
const DONE: u8 = 0xFD;

/// `INSERT BULK t (c type, …) [WITH (…)]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    table: String,
    columns: Vec<String>,
    triggers: Triggers,
}

/// Whether the load fires them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Triggers {
    Fire,
    /// Neither they nor foreign keys see the rows, as without FIRE_TRIGGERS and CHECK_CONSTRAINTS.
    Rest,
}

impl Bulk {
    /// What follows `INSERT BULK`.
    pub fn read(tokens: &[Token]) -> Result<Self, SqlError> {
        let (name, rest) = table(tokens)?;
        let close = closing(rest, 0)?;
        let columns = items(&rest[1..close]).into_iter().map(|item| match item.first() {
            Some(Word(name) | Quoted(name)) => Ok(name.clone()),
            _ => Err(SqlError::unknown(&first_words(item))),
        });
        let options = &rest[close + 1..];
        let fires =
            options.iter().any(|token| token.is_any(&["FIRE_TRIGGERS", "CHECK_CONSTRAINTS"]));
        let triggers = if fires { Triggers::Fire } else { Triggers::Rest };
        Ok(Self { table: name, columns: columns.collect::<Result<_, _>>()?, triggers })
    }
}

impl Session {
    /// The rows that follow an `INSERT BULK`.
    pub async fn load(&mut self, body: &[u8], answer: &mut Answer) {
        let outcome = match self.bulk.take() {
            Some(bulk) => self.load_all(&bulk, body).await,
            None => Err(SqlError::protocol("a bulk load without INSERT BULK")),
        };
        match outcome {
            Ok(rows) => self.counted(rows, answer),
            Err(error) => self.failed(&error, answer).await,
        }
    }

    async fn load_all(&mut self, bulk: &Bulk, body: &[u8]) -> Result<u64, SqlError> {
        let alone = self.globals.transactions == 0;
        let (begin, commit, undo) = match (alone, self.on_error) {
            (true, _) => ("begin", "commit", "rollback"),
            (_, OnError::UndoStatement) => ("savepoint load", "release load", "rollback to load"),
            (_, OnError::UndoTransaction) => ("", "", ""),
        };
        self.backend.batch(begin).await?;
        let outcome = self.stage(bulk, body).await;
        self.backend.batch(if outcome.is_ok() { commit } else { undo }).await?;
        outcome
    }

    async fn stage(&mut self, bulk: &Bulk, body: &[u8]) -> Result<u64, SqlError> {
        let mut from = Reader(body);
        let kinds = columns(&mut from)?;
        if kinds.len() != bulk.columns.len() {
            return Err(SqlError::new(4819, "The bulk load has another number of columns."));
        }
        let places: Vec<String> = (0..kinds.len()).map(|place| format!("c{place}")).collect();
        let carriers = places.iter().zip(&kinds);
        let carriers = carriers.map(|(place, kind)| format!("{place} {}", kind.carrier().name()));
        let carriers = carriers.collect::<Vec<_>>().join(", ");
        self.backend.batch(&format!("create temp table \"_load\" ({carriers})")).await?;
        self.copy(&mut from, &kinds).await?;
        let columns: Vec<String> = bulk.columns.iter().map(|column| quote(column)).collect();
        let values = places.iter().zip(&kinds).map(|(place, kind)| kind.cast(place));
        let values = values.collect::<Vec<_>>().join(", ");
        let insert = format!(
            "insert into {} ({}) overriding system value select {values} from \"_load\"",
            bulk.table,
            columns.join(", ")
        );
        if bulk.triggers == Triggers::Rest {
            self.backend.batch("set local session_replication_role = replica").await?;
        }
        let rows = self.backend.client().execute(&insert, &[]).await?;
        if bulk.triggers == Triggers::Rest {
            self.backend.batch("set local session_replication_role = origin").await?;
        }
        let identity = bulk.table.replace('\'', "''");
        let end = format!("drop table \"_load\"; select tsql.move_identity('{identity}')");
        self.backend.batch(&end).await?;
        Ok(rows)
    }

    async fn copy(&mut self, from: &mut Reader<'_>, kinds: &[SqlType]) -> Result<(), SqlError> {
        let copy = "copy \"_load\" from stdin (format binary)";
        let sink = self.backend.client().copy_in::<_, Bytes>(copy).await?;
        let mut sink = Box::pin(sink);
        let mut part = BytesMut::from(SIGNATURE);
        while row(from, kinds, &mut part)? == More::Rows {
            if part.len() > PART_BYTES {
                sink.send(part.split().freeze()).await?;
            }
        }
        part.put_i16(-1);
        sink.send(part.freeze()).await?;
        sink.as_mut().finish().await?;
        Ok(())
    }
}

/// Whether there was a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    Rows,
    Nothing,
}

/// The types of the columns.
fn columns(from: &mut Reader<'_>) -> Result<Vec<SqlType>, SqlError> {
    if from.byte()? != COLUMNS {
        return Err(SqlError::protocol("a bulk load without columns"));
    }
    let count = from.number(2)?;
    let column = |_| {
        from.bytes(6)?;
        let kind = SqlType::read_info(from)?;
        from.short_text()?;
        Ok(kind)
    };
    (0..count).map(column).collect()
}

/// The next row, as COPY has it.
fn row(from: &mut Reader<'_>, kinds: &[SqlType], into: &mut BytesMut) -> Result<More, SqlError> {
    if from.is_empty() {
        return Ok(More::Nothing);
    }
    let nulls = match from.byte()? {
        ROW => &[][..],
        ROW_WITH_NULLS => from.bytes(kinds.len().div_ceil(8))?,
        DONE => return Ok(More::Nothing),
        token => return Err(SqlError::protocol(&format!("token {token:#x} in a bulk load"))),
    };
    into.put_i16(kinds.len() as i16);
    for (place, kind) in kinds.iter().enumerate() {
        let is_null = nulls.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1);
        match if is_null { None } else { values::read(from, *kind)? } {
            Some(value) => {
                into.put_i32(value.len() as i32);
                into.put_slice(&value);
            }
            None => into.put_i32(-1),
        }
    }
    Ok(More::Rows)
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    #[test]
    fn the_options_say_whether_triggers_fire() {
        for (options, triggers) in [
            ("", Triggers::Rest),
            (" WITH (TABLOCK)", Triggers::Rest),
            (" WITH (TABLOCK, FIRE_TRIGGERS)", Triggers::Fire),
        ] {
            let bulk = format!("[dbo].[t] ([a] int, [b]]c] decimal(3,1)){options}");
            let wanted = Bulk {
                table: "\"dbo\".\"t\"".into(),
                columns: vec!["a".into(), "b]c".into()],
                triggers,
            };
            assert_eq!(Bulk::read(&tokens(&bulk).unwrap()).unwrap(), wanted);
        }
    }
}

//! What statements say of tables and columns that PostgreSQL has no place for: it is noted beside.

use super::errors::SqlError;
use super::lexer::Token::{self, Symbol};
use super::lexer::{closing, first_words};
use super::query::table;

/// A property of a column, and how many tokens say it; `None` where something else stands.
pub fn of_column(tokens: &[Token]) -> Result<Option<(&'static str, usize)>, SqlError> {
    Ok(match tokens {
        [what, with, Symbol("("), ..]
            if what.is_any(&["MASKED", "ENCRYPTED"]) && with.is("WITH") =>
        {
            let note = if what.is("MASKED") { "masked" } else { "encrypted" };
            Some((note, closing(tokens, 2)? + 1))
        }
        [generated, always, as_, row, _, ..]
            if generated.is("GENERATED")
                && always.is("ALWAYS")
                && as_.is("AS")
                && row.is("ROW") =>
        {
            Some(("generated", 5))
        }
        _ => None,
    })
}

/// All properties among a column's options.
pub fn of_options(table: &str, column: &str, options: &[Token]) -> Result<Vec<String>, SqlError> {
    let mut notes = Vec::new();
    for at in 0..options.len() {
        if let Some((what, _)) = of_column(&options[at..])? {
            notes.push(note(table, Some(column), what));
        }
    }
    Ok(notes)
}

/// What follows the columns of a new table.
pub fn of_table(name: &str, options: &[Token]) -> Vec<String> {
    let in_memory = options.windows(3).any(|option| {
        option[0].is("MEMORY_OPTIMIZED") && option[1].is_symbol("=") && option[2].is("ON")
    });
    in_memory.then(|| note(name, None, "memory_optimized")).into_iter().collect()
}

/// `AUTHORIZATION ON OBJECT::t TO p`: `t` has an owner of its own from then on.
pub fn authorization(tokens: &[Token]) -> Result<String, SqlError> {
    match tokens {
        [on, object, Symbol("::"), rest @ ..] if on.is("ON") && object.is("OBJECT") => {
            Ok(note(&table(rest)?.0, None, "owned"))
        }
        _ => Err(SqlError::unknown(&first_words(tokens))),
    }
}

/// `SET (LOCK_ESCALATION = …)` of a table: locks are PostgreSQL's here.
pub fn option(name: &str, tokens: &[Token]) -> Result<String, SqlError> {
    match tokens {
        [Symbol("("), option, Symbol("="), _, Symbol(")")] if option.is("LOCK_ESCALATION") => {
            Ok(note(name, None, "lock_escalation"))
        }
        _ => Err(SqlError::unknown(&first_words(tokens))),
    }
}

fn note(table: &str, column: Option<&str>, note: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let column = column.map_or("NULL".to_owned(), quoted);
    format!("SELECT tsql.note({}, {column}, '{note}')", quoted(table))
}

//! Tables: CREATE, ALTER, DROP, with their columns, keys and indexes.

use super::declared;
use super::errors::SqlError;
use super::expressions::{Rewriter, quote, word};
use super::lexer::Token::{self, Number, Quoted, Symbol, Word};
use super::lexer::{closing, find, first_words, items};
use super::notes;
use super::query::{names, table};
use super::session::Globals;
use super::types::SqlType;

/// What a table is made of, and what is done once it is there.
#[derive(Debug, Default)]
struct Parts {
    parts: Vec<String>,
    then: Vec<String>,
}

/// `CREATE`, `ALTER`, `DROP` and `TRUNCATE` of what is no trigger; statements with semicolons between
/// them.
pub fn definition(tokens: &[Token]) -> Result<String, SqlError> {
    let unknown = || SqlError::unknown(&first_words(tokens));
    match tokens {
        [create, what, rest @ ..] if create.is("CREATE") && what.is("TABLE") => create_table(rest),
        [create, what, rest @ ..] if create.is("CREATE") && what.is("SCHEMA") => {
            Ok(format!("CREATE SCHEMA {}", quote(&word(rest.first(), rest)?)))
        }
        [create, what, rest @ ..] if create.is("CREATE") && what.is("VIEW") => create_view(rest),
        [create, rest @ ..] if create.is("CREATE") => create_index(rest),
        [alter, what, rest @ ..] if alter.is("ALTER") && what.is("TABLE") => alter_table(rest),
        [alter, what, rest @ ..] if alter.is("ALTER") && what.is("DATABASE") => match rest {
            [.., set, access] if set.is("SET") && access.is_any(&["READ_ONLY", "READ_WRITE"]) => {
                Ok(format!("UPDATE tsql.database SET is_read_only = {}", access.is("READ_ONLY")))
            }
            [.., set, Word(option), value] if set.is("SET") => Ok(format!(
                "UPDATE tsql.database SET {} = {}",
                option.to_ascii_lowercase(),
                value.is("ON")
            )),
            _ => Err(unknown()),
        },
        [alter, what, rest @ ..] if alter.is("ALTER") && what.is("AUTHORIZATION") => {
            notes::authorization(rest)
        }
        [truncate, what, rest @ ..] if truncate.is("TRUNCATE") && what.is("TABLE") => {
            Ok(format!("TRUNCATE TABLE {} RESTART IDENTITY", table(rest)?.0))
        }
        [drop, what, rest @ ..] if drop.is("DROP") => drop_what(what, rest),
        [verb, ..] if verb.is_any(&["GRANT", "REVOKE"]) => grant(tokens),
        _ => Err(unknown()),
    }
}

fn create_table(tokens: &[Token]) -> Result<String, SqlError> {
    let (name, rest) = table(tokens)?;
    let [Symbol("("), ..] = rest else { return Err(SqlError::unknown(&first_words(tokens))) };
    let close = closing(rest, 0)?;
    let mut parts = Parts::default();
    for item in items(&rest[1..close]) {
        parts.add(&name, item)?;
    }
    let kind = if name.starts_with("\"#") { "TEMP TABLE" } else { "TABLE" };
    let create = format!("CREATE {kind} {name} ({})", parts.parts.join(", "));
    let notes = notes::of_table(&name, &rest[close + 1..]);
    Ok([vec![create], parts.then, notes].concat().join("; "))
}

impl Parts {
    /// A column or a constraint of the table `name`.
    fn add(&mut self, name: &str, item: &[Token]) -> Result<(), SqlError> {
        match item {
            [first, ..]
                if first.is_any(&["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]) =>
            {
                self.parts.push(constraint(item)?);
            }
            [period, for_, ..] if period.is("PERIOD") && for_.is("FOR") => {}
            [Word(column) | Quoted(column), as_, Symbol("("), ..] if as_.is("AS") => {
                let close = closing(item, 2)?;
                let value = plain(&item[2..=close])?;
                self.then.push(format!(
                    "SELECT tsql.add_computed('{}', '{}', '{}')",
                    escaped(name),
                    escaped(column),
                    escaped(&value)
                ));
            }
            [Word(column) | Quoted(column), rest @ ..] => {
                let (kind, options) = declared::read(rest)?;
                self.then.extend(notes::of_options(name, column, options)?);
                // What the rows that are there already have.
                let default = match kind {
                    SqlType::RowVersion => " DEFAULT tsql.next_rowversion()",
                    _ => "",
                };
                self.parts.push(format!(
                    "{} {}{default}{}",
                    quote(column),
                    kind.postgres(),
                    column_options(options)?
                ));
                if kind == SqlType::RowVersion {
                    let (name, column) = (escaped(name), escaped(column));
                    self.then.push(format!("SELECT tsql.add_rowversion('{name}', '{column}')"));
                }
            }
            _ => return Err(SqlError::unknown(&first_words(item))),
        }
        Ok(())
    }
}

/// What follows a column's type.
fn column_options(tokens: &[Token]) -> Result<String, SqlError> {
    let mut text = String::new();
    let mut rest = tokens;
    while let [first, after @ ..] = rest {
        if let Some((_, noted)) = notes::of_column(rest)? {
            rest = &rest[noted..];
            continue;
        }
        let (part, after) = match first {
            first if first.is("IDENTITY") => identity(after)?,
            first if first.is("NOT") => ("NOT NULL".to_owned(), &after[1..]),
            first if first.is("NULL") => ("NULL".to_owned(), after),
            first if first.is_any(&["ROWGUIDCOL", "SPARSE"]) => (String::new(), after),
            first if first.is("WITH") && after.first().is_some_and(|token| token.is("VALUES")) => {
                (String::new(), &after[1..])
            }
            first if first.is("COLLATE") => (plain(&rest[..2])?, &after[1..]),
            first if first.is("CONSTRAINT") => {
                let named = after.get(1).is_some_and(|token| !token.is("DEFAULT"));
                // A default has no name in PostgreSQL.
                let name = quote(&word(after.first(), after)?);
                (if named { format!("CONSTRAINT {name}") } else { String::new() }, &after[1..])
            }
            first if first.is("DEFAULT") => {
                let end = default_end(after)?;
                (format!("DEFAULT {}", plain(&after[..end])?), &after[end..])
            }
            _ => {
                let ends = ["CONSTRAINT", "NOT", "NULL", "DEFAULT", "IDENTITY", "WITH"];
                let end = after.iter().position(|token| token.is_any(&ends));
                let (body, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
                (constraint(body)?, after)
            }
        };
        if !part.is_empty() {
            text = format!("{text} {part}");
        }
        rest = after;
    }
    Ok(text)
}

fn identity(after: &[Token]) -> Result<(String, &[Token]), SqlError> {
    match after {
        [Symbol("("), Number(seed), Symbol(","), Number(step), Symbol(")"), after @ ..] => Ok((
            format!("GENERATED ALWAYS AS IDENTITY (START WITH {seed} INCREMENT BY {step})"),
            after,
        )),
        after => Ok(("GENERATED ALWAYS AS IDENTITY".to_owned(), after)),
    }
}

/// Where the value of a DEFAULT ends: a literal, a call, or what stands in parentheses.
fn default_end(tokens: &[Token]) -> Result<usize, SqlError> {
    match tokens {
        [Symbol("("), ..] => Ok(closing(tokens, 0)? + 1),
        [Word(_), Symbol("("), ..] => Ok(closing(tokens, 1)? + 1),
        [Symbol("-"), ..] => Ok(2),
        _ => Ok(1),
    }
}

/// A constraint of a column or table, without what PostgreSQL has not: CLUSTERED, options, file
/// groups, the direction of a key's columns.
fn constraint(tokens: &[Token]) -> Result<String, SqlError> {
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (first, after) if first.is_any(&["CLUSTERED", "NONCLUSTERED"]) => after,
            (with, [Symbol("("), ..]) if with.is("WITH") => &after[closing(after, 0)? + 1..],
            (on, [Quoted(_), ..]) if on.is("ON") => &after[1..],
            (references, _) if references.is("REFERENCES") => {
                let (target, after) = table(after)?;
                return Ok(format!("{} REFERENCES {target} {}", plain(&kept)?, plain(after)?));
            }
            (Symbol("("), _) if kept.iter().any(|token: &Token| token.is("KEY")) => {
                let close = closing(rest, 0)?;
                let columns = rest[..=close].iter().filter(|t| !t.is_any(&["ASC", "DESC"]));
                kept.extend(columns.cloned());
                &rest[close + 1..]
            }
            (Symbol("("), _) => {
                let close = closing(rest, 0)?;
                kept.extend_from_slice(&rest[..=close]);
                &rest[close + 1..]
            }
            _ => {
                kept.push(first.clone());
                after
            }
        };
    }
    // Looked at when a statement ends, as SQL Server does, and not after each row.
    let ends = if kept.iter().any(|token| token.is("UNIQUE")) { " DEFERRABLE" } else { "" };
    Ok(format!("{}{ends}", plain(&kept)?))
}

fn create_view(tokens: &[Token]) -> Result<String, SqlError> {
    let (name, rest) = table(tokens)?;
    let [as_, query @ ..] = rest else { return Err(SqlError::unknown(&first_words(tokens))) };
    if !as_.is("AS") {
        return Err(SqlError::unknown(&first_words(tokens)));
    }
    let query = query.strip_suffix(&[Symbol(";")]).unwrap_or(query);
    Ok(format!("CREATE VIEW {name} AS {}", Rewriter::new(&[], Globals::default()).query(query)?))
}

/// `[UNIQUE] [CLUSTERED] INDEX n ON t (…) [INCLUDE (…)] [WHERE …] [WITH (…)]`.
fn create_index(tokens: &[Token]) -> Result<String, SqlError> {
    let unknown = || SqlError::unknown(&first_words(tokens));
    let at = tokens.iter().position(|token| token.is("INDEX")).ok_or_else(unknown)?;
    let words = ["UNIQUE", "CLUSTERED", "NONCLUSTERED"];
    if tokens[..at].iter().any(|token| !token.is_any(&words)) {
        return Err(unknown());
    }
    let unique = if tokens[..at].iter().any(|token| token.is("UNIQUE")) { "UNIQUE " } else { "" };
    let [name, on, rest @ ..] = &tokens[at + 1..] else { return Err(unknown()) };
    let (target, rest) = table(rest)?;
    if !on.is("ON") || !rest.first().is_some_and(|token| token.is_symbol("(")) {
        return Err(unknown());
    }
    let close = closing(rest, 0)?;
    let mut text = format!(
        "CREATE {unique}INDEX {} ON {target} {}",
        quote(&word(Some(name), tokens)?),
        plain(&rest[..=close])?
    );
    let mut rest = &rest[close + 1..];
    if rest.first().is_some_and(|token| token.is("INCLUDE")) {
        let close = closing(rest, 1)?;
        text = format!("{text} INCLUDE {}", plain(&rest[1..=close])?);
        rest = &rest[close + 1..];
    }
    let end = find(rest, |token| token.is("WITH")).unwrap_or(rest.len());
    if end > 0 {
        text = format!("{text} {}", plain(&rest[..end])?);
    }
    Ok(text)
}

fn alter_table(tokens: &[Token]) -> Result<String, SqlError> {
    let (name, rest) = table(tokens)?;
    let rest = match rest {
        [with, check, rest @ ..] if with.is("WITH") && check.is_any(&["CHECK", "NOCHECK"]) => rest,
        rest => rest,
    };
    let unknown = || SqlError::unknown(&first_words(tokens));
    let alter = format!("ALTER TABLE {name}");
    match rest {
        [add, default, ..] if add.is("ADD") && default.is("DEFAULT") => Err(unknown()),
        [add, rest @ ..] if add.is("ADD") => {
            let mut parts = Parts::default();
            for item in items(rest) {
                parts.add(&name, item)?;
            }
            let parts_added = parts.parts.iter().map(|part| format!("{alter} ADD {part}"));
            Ok(parts_added.chain(parts.then).collect::<Vec<_>>().join("; "))
        }
        [verb, what, column, rest @ ..] if verb.is("ALTER") && what.is("COLUMN") => {
            let column = quote(&word(Some(column), tokens)?);
            let (kind, options) = declared::read(rest)?;
            let null = if options.iter().any(|token| token.is("NOT")) { "SET" } else { "DROP" };
            let kind = kind.postgres();
            Ok(format!(
                "{alter} ALTER {column} TYPE {kind} USING {column}::{kind}, ALTER {column} {null} \
                 NOT NULL"
            ))
        }
        [verb, what, rest @ ..] if verb.is("DROP") && what.is_any(&["COLUMN", "CONSTRAINT"]) => {
            let what = plain(std::slice::from_ref(what))?.replace('"', "");
            let (exists, rest) = if_exists(rest);
            let gone = quote(&word(rest.first(), rest)?);
            Ok(format!("{alter} DROP {what} {exists}{gone}"))
        }
        [set, options @ ..] if set.is("SET") => notes::option(&name, options),
        [verb, what, trigger] if verb.is_any(&["ENABLE", "DISABLE"]) && what.is("TRIGGER") => {
            super::triggers::switch(verb, trigger, &name)
        }
        _ => Err(unknown()),
    }
}

fn drop_what(what: &Token, rest: &[Token]) -> Result<String, SqlError> {
    let (exists, rest) = if_exists(rest);
    match what {
        what if what.is_any(&["TABLE", "VIEW"]) => {
            let mut gone = Vec::new();
            for item in items(rest) {
                gone.push(table(item)?.0);
            }
            let kind = if what.is("TABLE") { "TABLE" } else { "VIEW" };
            Ok(format!("DROP {kind} {exists}{}", gone.join(", ")))
        }
        what if what.is("INDEX") => match rest {
            [index, on, rest @ ..] if on.is("ON") => {
                let (of, _) = table(rest)?;
                let schema = of.rsplit_once(".\"").map_or("", |(schema, _)| schema);
                let dot = if schema.is_empty() { "" } else { "." };
                Ok(format!("DROP INDEX {exists}{schema}{dot}{}", quote(&word(Some(index), rest)?)))
            }
            _ => Err(SqlError::unknown(&first_words(rest))),
        },
        what if what.is("SCHEMA") => {
            Ok(format!("DROP SCHEMA {exists}{}", quote(&word(rest.first(), rest)?)))
        }
        what if what.is("TRIGGER") => {
            let (names, _) = names(rest)?;
            super::triggers::dropped(&names, exists)
        }
        _ => Err(SqlError::unknown(&first_words(rest))),
    }
}

fn if_exists(tokens: &[Token]) -> (&'static str, &[Token]) {
    match tokens {
        [first, second, rest @ ..] if first.is("IF") && second.is("EXISTS") => ("IF EXISTS ", rest),
        rest => ("", rest),
    }
}

/// `GRANT a, b ON [OBJECT::]t TO r`.
fn grant(tokens: &[Token]) -> Result<String, SqlError> {
    let unknown = || SqlError::unknown(&first_words(tokens));
    let on = tokens.iter().position(|token| token.is("ON")).ok_or_else(unknown)?;
    let rights = tokens[..on].iter().map(|token| match token {
        Word(word) => word.to_ascii_uppercase(),
        _ => ",".to_owned(),
    });
    let rights = rights.collect::<Vec<_>>().join(" ");
    let target = match &tokens[on + 1..] {
        [object, Symbol("::"), rest @ ..] if object.is("OBJECT") => rest,
        rest => rest,
    };
    let (name, rest) = table(target)?;
    let [to, role] = rest else { return Err(unknown()) };
    let to = if to.is("TO") { "TO" } else { "FROM" };
    Ok(format!("{rights} ON {name} {to} {}", quote(&word(Some(role), tokens)?)))
}

/// An expression without variables.
fn plain(tokens: &[Token]) -> Result<String, SqlError> {
    let mut text = String::new();
    let mut rest = tokens;
    // Words that only definitions have.
    let bare = ["CONSTRAINT", "CHECK", "FOREIGN", "CASCADE", "ACTION", "NO", "COLUMN"];
    while let Some(at) = find(rest, |token| token.is_any(&bare)) {
        let before = Rewriter::new(&[], Globals::default()).expression(&rest[..at])?;
        let Word(word) = &rest[at] else { break };
        text = format!("{text} {before} {}", word.to_ascii_uppercase());
        rest = &rest[at + 1..];
    }
    let last = Rewriter::new(&[], Globals::default()).expression(rest)?;
    Ok(format!("{text} {last}").trim().to_owned())
}

/// As it stands between the quotes of a literal.
fn escaped(text: &str) -> String {
    text.replace('\'', "''")
}

//! What one statement of T-SQL is in PostgreSQL.

use super::backend::Prepared;
use super::changes::Change;
use super::errors::SqlError;
use super::expressions::Rewriter;
use super::lexer::Token::{self, Symbol, Variable};
use super::lexer::{find, first_words, items};
use super::query::table;
use super::requests::Parameter;
use super::session::Globals;
use super::{tables, triggers};

/// A statement that PostgreSQL can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Rows for the client.
    Query(Prepared),
    /// Values for variables, of the last row: the places of the variables.
    Assign(Prepared, Vec<usize>),
    /// A table made from a query, and its name.
    Fill(Prepared, String),
    Change(Change),
    /// Statements without variables, and the temporary table that they make.
    Define(String, Option<String>),
}

impl Plan {
    /// For a statement that is no control of flow, transaction, setting or call.
    pub fn of(
        tokens: &[Token],
        variables: &[Parameter],
        globals: &Globals,
    ) -> Result<Self, SqlError> {
        let mut rewriter = Rewriter::new(variables, globals.clone());
        let verb = verb(tokens);
        match verb {
            verb if verb.is("SELECT") => {
                if let Some(plan) = assignment(tokens, variables, globals)? {
                    return Ok(plan);
                }
                let into = into(tokens)?;
                let sql = rewriter.query(tokens)?;
                let used = rewriter.used;
                Ok(match into {
                    Some(name) => {
                        let kind = if name.starts_with("\"#") { "TEMP TABLE" } else { "TABLE" };
                        let sql = format!("CREATE {kind} {name} AS {sql}");
                        Self::Fill(Prepared { sql, used }, name)
                    }
                    None => Self::Query(Prepared { sql, used }),
                })
            }
            verb if verb.is_any(&["INSERT", "UPDATE", "DELETE"]) => {
                Ok(Self::Change(rewriter.change(tokens)?))
            }
            verb if verb.is("CREATE") && tokens.iter().take(4).any(|t| t.is("TRIGGER")) => {
                Ok(Self::Define(triggers::create(tokens)?, None))
            }
            verb if verb.is_any(&["ENABLE", "DISABLE"]) => {
                Ok(Self::Define(triggers::switch_statement(tokens)?, None))
            }
            verb if verb.is_any(&["CREATE", "ALTER", "DROP", "TRUNCATE", "GRANT", "REVOKE"]) => {
                let made = match tokens {
                    [create, what, rest @ ..] if create.is("CREATE") && what.is("TABLE") => {
                        Some(table(rest)?.0).filter(|name| name.starts_with("\"#"))
                    }
                    _ => None,
                };
                Ok(Self::Define(tables::definition(tokens)?, made))
            }
            _ => Err(SqlError::unknown(&first_words(tokens))),
        }
    }

    /// What PostgreSQL is asked.
    pub fn text(&self) -> String {
        match self {
            Self::Query(prepared) | Self::Assign(prepared, _) | Self::Fill(prepared, _) => {
                prepared.sql.clone()
            }
            Self::Change(change) => {
                let before = change.before.iter().map(|before| before.sql.clone() + ";\n");
                before.collect::<String>() + &change.main.sql
            }
            Self::Define(text, _) => text.clone(),
        }
    }
}

/// The first word, or the one after the tables of a `WITH`.
fn verb(tokens: &[Token]) -> &Token {
    let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE"];
    match tokens {
        [with, rest @ ..] if with.is("WITH") => {
            find(rest, |token| token.is_any(&verbs)).map_or(with, |at| &rest[at])
        }
        tokens => &tokens[0],
    }
}

/// The table that `INTO` names.
fn into(tokens: &[Token]) -> Result<Option<String>, SqlError> {
    match find(tokens, |token| token.is("INTO")) {
        Some(at) => Ok(Some(table(&tokens[at + 1..])?.0)),
        None => Ok(None),
    }
}

/// `SELECT @x = …, @y = … FROM …` as a query of these values with the types of their variables.
fn assignment(
    tokens: &[Token],
    variables: &[Parameter],
    globals: &Globals,
) -> Result<Option<Plan>, SqlError> {
    let (top, list) = match tokens {
        [select, top, limit, rest @ ..] if top.is("TOP") && !limit.is_symbol("(") => {
            (vec![select, top, limit], rest)
        }
        [select, top, open, limit, close, rest @ ..] if top.is("TOP") => {
            (vec![select, top, open, limit, close], rest)
        }
        [select, rest @ ..] => (vec![select], rest),
        [] => return Ok(None),
    };
    let [Variable(_), Symbol("="), ..] = list else { return Ok(None) };
    let end = find(list, |token| token.is_any(&["FROM", "WHERE", "ORDER"])).unwrap_or(list.len());
    let mut query: Vec<Token> = top.into_iter().cloned().collect();
    let mut places = Vec::new();
    for item in items(&list[..end]) {
        let [Variable(name), Symbol("="), value @ ..] = item else {
            return Err(SqlError::unknown(&first_words(item)));
        };
        places.push(place(name, variables)?);
        if places.len() > 1 {
            query.push(Symbol(","));
        }
        query.extend_from_slice(value);
    }
    query.extend_from_slice(&list[end..]);
    let mut rewriter = Rewriter::new(variables, globals.clone());
    let inner = rewriter.query(&query)?;
    let names: Vec<String> = (0..places.len()).map(|n| format!("v{n}")).collect();
    let values = names.iter().zip(&places);
    let values =
        values.map(|(name, place)| format!("{name}::{}", variables[*place].kind.postgres()));
    let values = values.collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {values} FROM ({inner}) AS v({})", names.join(", "));
    Ok(Some(Plan::Assign(Prepared { sql, used: rewriter.used }, places)))
}

/// The place of a variable.
pub fn place(name: &str, variables: &[Parameter]) -> Result<usize, SqlError> {
    let place = variables.iter().position(|variable| variable.name.eq_ignore_ascii_case(name));
    let message = || format!("Must declare the scalar variable \"{name}\".");
    place.ok_or_else(|| SqlError::new(137, message()))
}

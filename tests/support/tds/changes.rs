//! INSERT, UPDATE and DELETE, with `OUTPUT`.
//!
//! An UPDATE or DELETE with a FROM first locks the rows that it joins, so that it sees them as they
//! are when nobody else holds them, and then joins them again by their place: all expressions of the
//! statement stand in a subquery, where only the names of T-SQL are seen.

use super::backend::Prepared;
use super::errors::SqlError;
use super::expressions::{Rewriter, name, quote};
use super::lexer::Token::{self, Quoted, Symbol, Word};
use super::lexer::{closing, find, first_words, items};
use super::query::{Source, hints, names, table};

/// The row that is changed, and the subquery that says how.
const CHANGED: &str = "\"_changed\"";
const NEW: &str = "\"_new\"";

/// What a change is in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Locks what the change will join.
    pub before: Option<Prepared>,
    pub main: Prepared,
    /// The table, where its identity must follow the values that it was given.
    pub identity: Option<String>,
}

/// `OUTPUT … [INTO …]`.
#[derive(Debug, Default)]
struct Output<'t> {
    items: Vec<&'t [Token]>,
    into: Option<&'t [Token]>,
}

/// The clauses of an UPDATE or DELETE.
#[derive(Debug, Default)]
struct Clauses<'t> {
    target: &'t [Token],
    limit: Option<String>,
    set: &'t [Token],
    output: Output<'t>,
    from: Option<&'t [Token]>,
    filter: &'t [Token],
}

impl Rewriter<'_> {
    /// A statement that changes rows, from its verb or its `WITH`.
    pub fn change(mut self, tokens: &[Token]) -> Result<Change, SqlError> {
        let (with, rest) = self.common_tables(tokens)?;
        match rest {
            [verb, rest @ ..] if verb.is("INSERT") => self.insert(&with, rest),
            [verb, rest @ ..] if verb.is("UPDATE") => {
                let (limit, rest) = self.top(rest)?;
                let clauses = clauses(rest, limit)?;
                match clauses.from.is_some() || clauses.limit.is_some() || clauses.sees_deleted() {
                    true => self.joined(&with, &clauses),
                    false => self.update(&with, &clauses),
                }
            }
            [verb, rest @ ..] if verb.is("DELETE") => {
                let (limit, rest) = self.top(rest)?;
                let from = usize::from(rest.first().is_some_and(|token| token.is("FROM")));
                let clauses = clauses(&rest[from..], limit)?;
                match clauses.from.is_some() || clauses.limit.is_some() {
                    true => self.joined(&with, &clauses),
                    false => self.delete(&with, &clauses),
                }
            }
            _ => Err(SqlError::unknown(&first_words(tokens))),
        }
    }

    fn insert(mut self, with: &str, tokens: &[Token]) -> Result<Change, SqlError> {
        let into = usize::from(tokens.first().is_some_and(|token| token.is("INTO")));
        let (target, rest) = table(&tokens[into..])?;
        let (_, rest) = hints(rest)?;
        let (columns, rest) = self.column_list(rest)?;
        let (output, source) = match rest {
            [first, rest @ ..] if first.is("OUTPUT") => {
                let end =
                    find(rest, |token| token.is_any(&["VALUES", "SELECT", "WITH", "DEFAULT"]));
                let (output, source) = rest.split_at(end.unwrap_or(rest.len()));
                (Output::read(output)?, source)
            }
            rest => (Output::default(), rest),
        };
        let source = match source.first() {
            Some(first) if first.is("VALUES") || first.is("DEFAULT") => self.expression(source)?,
            Some(_) => self.query(source)?,
            None => return Err(SqlError::unknown(&first_words(tokens))),
        };
        let given = self.globals.identity_insert.as_deref() == Some(target.as_str());
        let overriding = if given { " OVERRIDING SYSTEM VALUE" } else { "" };
        let alias = if output.items.is_empty() { "" } else { " AS \"inserted\"" };
        let insert = format!("INSERT INTO {target}{alias}{columns}{overriding} {source}");
        let returning = output.items.iter().map(|item| self.expression(item));
        let returning = returning.collect::<Result<Vec<_>, _>>()?;
        let mut change = self.finish(with, insert, &returning, &output)?;
        change.identity = given.then_some(target);
        Ok(change)
    }

    fn update(mut self, with: &str, clauses: &Clauses<'_>) -> Result<Change, SqlError> {
        let (target, _) = table(clauses.target)?;
        let mut set = Vec::new();
        for (column, value) in assignments(clauses.set)? {
            set.push(format!("{} = {}", quote(column), self.expression(&value)?));
        }
        let filter = self.filter(clauses.filter)?;
        let update = format!("UPDATE {target} SET {}{filter}", set.join(", "));
        let returning = self.returned(&clauses.output, "inserted", clauses.target)?;
        self.finish(with, update, &returning, &clauses.output)
    }

    fn delete(mut self, with: &str, clauses: &Clauses<'_>) -> Result<Change, SqlError> {
        let (target, _) = table(clauses.target)?;
        let delete = format!("DELETE FROM {target}{}", self.filter(clauses.filter)?);
        let returning = self.returned(&clauses.output, "deleted", clauses.target)?;
        self.finish(with, delete, &returning, &clauses.output)
    }

    /// With a FROM, or as if it had one.
    fn joined(mut self, with: &str, clauses: &Clauses<'_>) -> Result<Change, SqlError> {
        let from = clauses.from.unwrap_or(clauses.target);
        let mut locker = Rewriter::new(self.variables, self.globals.clone());
        let (sources, _) = locker.sources(from)?;
        let filter = locker.filter(clauses.filter)?;
        let (joined, found) = self.sources(from)?;
        let source = target_of(clauses.target, &found)?;
        let (table, alias) = (source.table.clone().unwrap_or_default(), source.alias.clone());
        let before = Prepared {
            sql: format!("{with}SELECT FROM {sources}{filter} FOR UPDATE OF {alias}"),
            used: locker.used,
        };
        let mut news = vec![format!("{alias}.ctid AS \"_ctid\"")];
        let mut set = Vec::new();
        for (column, value) in assignments(clauses.set)? {
            let text = self.expression(&value)?;
            let (column, is_plain) = (quote(column), value.len() == 1 && !is_name(&value[0]));
            set.push(match is_plain {
                // A literal takes the column's type only where it is assigned.
                true => format!("{column} = {text}"),
                false => {
                    news.push(format!("{text} AS \"_{}\"", news.len()));
                    format!("{column} = {NEW}.\"_{}\"", news.len() - 1)
                }
            });
        }
        let mut returning = Vec::new();
        for item in &clauses.output.items {
            returning.push(self.output_item(item, &alias, &mut news)?);
        }
        let filter = self.filter(clauses.filter)?;
        let limit = clauses.limit.as_ref().map_or_else(String::new, |n| format!(" LIMIT {n}"));
        let new = format!("(SELECT {} FROM {joined}{filter}{limit}) AS {NEW}", news.join(", "));
        let same = format!("WHERE {CHANGED}.ctid = {NEW}.\"_ctid\"");
        let main = match set.is_empty() {
            true => format!("DELETE FROM {table} AS {CHANGED} USING {new} {same}"),
            false => {
                format!("UPDATE {table} AS {CHANGED} SET {} FROM {new} {same}", set.join(", "))
            }
        };
        let change = self.finish(with, main, &returning, &clauses.output)?;
        Ok(Change { before: Some(before), ..change })
    }

    /// An item of `OUTPUT`: of the new row where it names `inserted`, else computed in the subquery.
    fn output_item(
        &mut self,
        item: &[Token],
        alias: &str,
        news: &mut Vec<String>,
    ) -> Result<String, SqlError> {
        let (value, called) = named(item);
        if mentions(value, "inserted") {
            let text = self.expression(&requalified(value, "inserted", "_changed"))?;
            return Ok(format!("{text} AS {called}"));
        }
        let row = alias.trim_matches('"').replace("\"\"", "\"");
        let text = self.expression(&requalified(value, "deleted", &row))?;
        news.push(format!("{text} AS \"_{}\"", news.len()));
        Ok(format!("{NEW}.\"_{}\" AS {called}", news.len() - 1))
    }

    /// The items of `OUTPUT` where the changed row is the only one.
    fn returned(
        &mut self,
        output: &Output<'_>,
        row: &str,
        target: &[Token],
    ) -> Result<Vec<String>, SqlError> {
        let target = names(target)?.0.pop().unwrap_or_default();
        let items = output.items.iter();
        items.map(|item| self.expression(&requalified(item, row, &target))).collect()
    }

    fn filter(&mut self, filter: &[Token]) -> Result<String, SqlError> {
        match filter {
            [] => Ok(String::new()),
            filter => Ok(format!(" WHERE {}", self.expression(filter)?)),
        }
    }

    /// `(a, b)` if there is one, and what follows it.
    fn column_list<'t>(&mut self, tokens: &'t [Token]) -> Result<(String, &'t [Token]), SqlError> {
        match tokens {
            [Symbol("("), ..] => {
                let close = closing(tokens, 0)?;
                Ok((format!(" {}", self.expression(&tokens[..=close])?), &tokens[close + 1..]))
            }
            tokens => Ok((String::new(), tokens)),
        }
    }

    fn finish(
        mut self,
        with: &str,
        change: String,
        returning: &[String],
        output: &Output<'_>,
    ) -> Result<Change, SqlError> {
        let mut sql = match returning {
            [] => format!("{with}{change}"),
            items => format!("{with}{change} RETURNING {}", items.join(", ")),
        };
        if let Some(into) = output.into {
            let (target, rest) = table(into)?;
            let (columns, _) = self.column_list(rest)?;
            let lead = match with {
                "" => "WITH ".to_owned(),
                with => format!("{}, ", with.trim_end()),
            };
            let change = &sql[with.len()..];
            sql = format!(
                "{lead}{CHANGED} AS ({change}) INSERT INTO {target}{columns} SELECT * FROM {CHANGED}"
            );
        }
        let main = Prepared { sql, used: self.used };
        Ok(Change { before: None, main, identity: None })
    }
}

impl<'t> Output<'t> {
    fn read(tokens: &'t [Token]) -> Result<Self, SqlError> {
        let (list, into) = match find(tokens, |token| token.is("INTO")) {
            Some(at) => (&tokens[..at], Some(&tokens[at + 1..])),
            None => (tokens, None),
        };
        Ok(Self { items: items(list), into })
    }
}

impl Clauses<'_> {
    fn sees_deleted(&self) -> bool {
        self.output.items.iter().any(|item| mentions(item, "deleted")) && !self.set.is_empty()
    }
}

fn clauses(tokens: &[Token], limit: Option<String>) -> Result<Clauses<'_>, SqlError> {
    let starts = |token: &Token| token.is_any(&["SET", "OUTPUT", "FROM", "WHERE", "OPTION"]);
    let end = find(tokens, starts).unwrap_or(tokens.len());
    let (target, mut rest) = tokens.split_at(end);
    let (_, after) = names(target)?;
    let target = &target[..target.len() - after.len()];
    hints(after)?;
    let mut clauses = Clauses { target, limit, ..Clauses::default() };
    while let [clause, after @ ..] = rest {
        let end = find(after, starts).unwrap_or(after.len());
        let body = &after[..end];
        match clause {
            clause if clause.is("SET") => clauses.set = body,
            clause if clause.is("OUTPUT") => clauses.output = Output::read(body)?,
            clause if clause.is("FROM") => clauses.from = Some(body),
            clause if clause.is("WHERE") => clauses.filter = body,
            _ => {}
        }
        rest = &after[end..];
    }
    Ok(clauses)
}

/// The columns of a SET with their values; `a += b` is `a = a + b`.
fn assignments(set: &[Token]) -> Result<Vec<(&str, Vec<Token>)>, SqlError> {
    let mut assignments = Vec::new();
    for item in items(set) {
        let unknown = || SqlError::unknown(&first_words(item));
        let is_sign = |token: &Token| matches!(token, Symbol("=" | "+=" | "-="));
        let at = find(item, is_sign).ok_or_else(unknown)?;
        let Some(Word(column) | Quoted(column)) = item[..at].last() else { return Err(unknown()) };
        let sign = match &item[at] {
            Symbol("+=") => Some(Symbol("+")),
            Symbol("-=") => Some(Symbol("-")),
            _ => None,
        };
        let before = sign.map(|sign| item[..at].iter().cloned().chain([sign]));
        let value = before.into_iter().flatten().chain(item[at + 1..].iter().cloned());
        assignments.push((column.as_str(), value.collect()));
    }
    Ok(assignments)
}

/// The source that is changed: the one of that alias, or else of that name.
fn target_of<'s>(target: &[Token], sources: &'s [Source]) -> Result<&'s Source, SqlError> {
    let (whole, _) = table(target)?;
    let alias = names(target)?.0.pop().map(|last| name(&last)).unwrap_or_default();
    let by_alias = sources.iter().find(|s| s.alias == alias && s.table.is_some());
    let found = by_alias.or_else(|| sources.iter().find(|s| s.table.as_ref() == Some(&whole)));
    found.ok_or_else(|| {
        SqlError::new(208, format!("Invalid object name '{}'.", first_words(target)))
    })
}

/// An item of a list, and what it is called.
fn named(item: &[Token]) -> (&[Token], String) {
    match item {
        [value @ .., as_, Word(name) | Quoted(name)] if as_.is("AS") => (value, quote(name)),
        [.., Word(name) | Quoted(name)] => (item, quote(name)),
        _ => (item, quote("?column?")),
    }
}

fn mentions(tokens: &[Token], row: &str) -> bool {
    tokens.windows(2).any(|pair| pair[0].is(row) && pair[1].is_symbol("."))
}

/// With `row.` become `target.`.
fn requalified(tokens: &[Token], row: &str, target: &str) -> Vec<Token> {
    let mut changed = tokens.to_vec();
    for at in 1..changed.len() {
        if changed[at].is_symbol(".") && changed[at - 1].is(row) {
            changed[at - 1] = Quoted(target.to_owned());
        }
    }
    changed
}

fn is_name(token: &Token) -> bool {
    match token {
        Word(word) => !word.eq_ignore_ascii_case("NULL") && !word.eq_ignore_ascii_case("DEFAULT"),
        Quoted(_) => true,
        _ => false,
    }
}

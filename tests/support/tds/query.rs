//! Queries: `TOP` becomes `LIMIT`, hints go, `UPDLOCK` becomes `FOR UPDATE`.

use super::errors::SqlError;
use super::expressions::{Rewriter, quote, word};
use super::lexer::Token::{self, *};
use super::lexer::{closing, find, first_words, items};

/// Where a clause of a SELECT begins.
const CLAUSES: [&str; 10] =
    ["INTO", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "OFFSET", "FETCH", "FOR", "OPTION"];

/// What stands between the sources of a FROM.
const JOINS: [&str; 8] = ["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER", "JOIN", "ON"];

/// A table or subquery of a FROM.
#[derive(Debug, Clone)]
pub struct Source {
    /// The table as PostgreSQL has it; none for a subquery.
    pub table: Option<String>,
    /// As other clauses name it.
    pub alias: String,
}

impl Rewriter<'_> {
    /// A whole query: common tables, branches of UNION, or one SELECT.
    pub fn query(&mut self, tokens: &[Token]) -> Result<String, SqlError> {
        let outer = std::mem::take(&mut self.locks);
        let (with, tokens) = self.common_tables(tokens)?;
        let mut text = with;
        let mut rest = tokens;
        let single = find(tokens, is_union).is_none();
        while let Some(at) = find(rest, is_union) {
            let all = usize::from(rest.get(at + 1).is_some_and(|token| token.is("ALL")));
            let between = self.expression(&rest[at..=at + all])?;
            text = format!("{text}({}) {between} ", self.select(&rest[..at])?);
            rest = &rest[at + 1 + all..];
        }
        text.push_str(&self.select(rest)?);
        if single && !self.locks.is_empty() {
            let locks = self.locks.iter().map(|lock| format!(" FOR UPDATE OF {lock}"));
            text.extend(locks);
        }
        self.locks = outer;
        Ok(text)
    }

    /// `WITH a AS (…), b (x, y) AS (…)`, and what follows it.
    pub fn common_tables<'t>(
        &mut self,
        tokens: &'t [Token],
    ) -> Result<(String, &'t [Token]), SqlError> {
        if !tokens.first().is_some_and(|token| token.is("WITH")) {
            return Ok((String::new(), tokens));
        }
        let mut text = String::new();
        let mut rest = tokens;
        loop {
            let begin = find(&rest[1..], |token| token.is("AS"));
            let begin = begin.ok_or_else(|| SqlError::unknown(&first_words(tokens)))? + 1;
            let mut head = quote(&word(rest.get(1), rest)?);
            if begin > 2 {
                head = format!("{head} {}", self.expression(&rest[2..begin])?);
            }
            let close = closing(rest, begin + 1)?;
            let query = self.query(&rest[begin + 2..close])?;
            let lead = if text.is_empty() { "WITH" } else { "," };
            text = format!("{text}{lead} {head} AS ({query})");
            rest = &rest[close + 1..];
            if !rest.first().is_some_and(|token| token.is_symbol(",")) {
                return Ok((text + " ", rest));
            }
        }
    }

    /// One SELECT, without what `INTO` names.
    fn select(&mut self, tokens: &[Token]) -> Result<String, SqlError> {
        if let [Symbol("("), inside @ .., Symbol(")")] = tokens {
            return Ok(format!("({})", self.query(inside)?));
        }
        let [select, list @ ..] = tokens else {
            return Err(SqlError::new(102, "Incorrect syntax near the end of the query."));
        };
        if !select.is("SELECT") {
            return Err(SqlError::unknown(&first_words(tokens)));
        }
        let distinct = usize::from(list.first().is_some_and(|t| t.is_any(&["DISTINCT", "ALL"])));
        let mut text = String::from("SELECT");
        if distinct == 1 {
            text = format!("{text} {}", self.expression(&list[..1])?);
        }
        let (limit, list) = self.top(&list[distinct..])?;
        let (list, clauses) = list.split_at(find(list, is_clause).unwrap_or(list.len()));
        text = format!("{text} {}", self.list_of(list)?);
        text.push_str(&self.clauses(clauses)?);
        if let Some(limit) = limit {
            text = format!("{text} LIMIT {limit}");
        }
        Ok(text)
    }

    /// What `TOP` allows, and what follows it.
    pub fn top<'t>(
        &mut self,
        tokens: &'t [Token],
    ) -> Result<(Option<String>, &'t [Token]), SqlError> {
        match tokens {
            [top, Symbol("("), ..] if top.is("TOP") => {
                let close = closing(tokens, 1)?;
                let limit = self.expression(&tokens[2..close])?;
                Ok((Some(limit), &tokens[close + 1..]))
            }
            [top, limit, rest @ ..] if top.is("TOP") => {
                Ok((Some(self.expression(std::slice::from_ref(limit))?), rest))
            }
            tokens => Ok((None, tokens)),
        }
    }

    /// A list of columns, where `name = value` is another way to write `value AS name`.
    fn list_of(&mut self, list: &[Token]) -> Result<String, SqlError> {
        let mut columns = Vec::new();
        for item in items(list) {
            columns.push(match item {
                [Word(name) | Quoted(name), Symbol("="), value @ ..] => {
                    format!("{} AS {}", self.expression(value)?, quote(name))
                }
                item => self.expression(item)?,
            });
        }
        Ok(columns.join(", "))
    }

    fn clauses(&mut self, tokens: &[Token]) -> Result<String, SqlError> {
        let mut text = String::new();
        let mut rest = tokens;
        while let [clause, after @ ..] = rest {
            let end = find(after, is_clause).unwrap_or(after.len());
            let body = &after[..end];
            let part = match clause {
                clause if clause.is("FROM") => format!("FROM {}", self.sources(body)?.0),
                clause if clause.is("INTO") || clause.is("OPTION") => String::new(),
                clause if clause.is("OFFSET") || clause.is("FETCH") => self.page(clause, body)?,
                clause if clause.is("FOR") => return Err(SqlError::unknown(&first_words(rest))),
                _ => self.expression(&rest[..=end])?,
            };
            if !part.is_empty() {
                text = format!("{text} {part}");
            }
            rest = &after[end..];
        }
        Ok(text)
    }

    /// `OFFSET n ROWS` or `FETCH NEXT n ROWS ONLY`; PostgreSQL wants parentheses around the number.
    fn page(&mut self, clause: &Token, body: &[Token]) -> Result<String, SqlError> {
        let number: Vec<Token> = body
            .iter()
            .filter(|token| !token.is_any(&["NEXT", "FIRST", "ROW", "ROWS", "ONLY"]))
            .cloned()
            .collect();
        let number = self.expression(&number)?;
        Ok(match clause.is("OFFSET") {
            true => format!("OFFSET ({number}) ROWS"),
            false => format!("FETCH NEXT ({number}) ROWS ONLY"),
        })
    }

    /// The tables of a FROM and how they are joined.
    pub fn sources(&mut self, tokens: &[Token]) -> Result<(String, Vec<Source>), SqlError> {
        let (mut text, mut sources) = (String::new(), Vec::new());
        let mut rest = tokens;
        let mut after = Joined::Plainly;
        loop {
            let (source, tail) = self.source(rest, &mut sources)?;
            text.push_str(&source);
            if after == Joined::OuterApply {
                text.push_str(" ON true");
            }
            let end = next_join(tail);
            let (condition, tail) = tail.split_at(end.unwrap_or(tail.len()));
            if !condition.is_empty() {
                text = format!("{text} {}", self.expression(condition)?);
            }
            let Some(join) = tail.first() else { return Ok((text, sources)) };
            let apply = tail.get(1).is_some_and(|token| token.is("APPLY"));
            let (words, joined) = match join {
                Symbol(",") => (", ", Joined::Plainly),
                join if join.is("CROSS") && apply => (" CROSS JOIN LATERAL ", Joined::Plainly),
                join if join.is("OUTER") && apply => (" LEFT JOIN LATERAL ", Joined::OuterApply),
                _ => ("", Joined::Plainly),
            };
            after = joined;
            let length = match (join, apply) {
                (Symbol(_), _) => 1,
                (_, true) => 2,
                _ => tail.iter().position(|token| token.is("JOIN")).unwrap_or(0) + 1,
            };
            match words {
                // How rows are found is PostgreSQL's business.
                "" => {
                    let join = tail[..length].iter().filter(|t| !t.is_any(&["LOOP", "HASH"]));
                    let join: Vec<Token> = join.cloned().collect();
                    text = format!("{text} {} ", self.expression(&join)?);
                }
                words => text.push_str(words),
            }
            rest = &tail[length..];
        }
    }

    /// One source with its alias and hints, and what follows it.
    fn source<'t>(
        &mut self,
        tokens: &'t [Token],
        sources: &mut Vec<Source>,
    ) -> Result<(String, &'t [Token]), SqlError> {
        let (mut text, table, mut rest) = match tokens {
            [Symbol("("), ..] => {
                let close = closing(tokens, 0)?;
                let inside = &tokens[1..close];
                let query = inside.first().is_some_and(|t| t.is_any(&["SELECT", "WITH", "VALUES"]));
                let inside = match query {
                    true => self.inside(inside)?,
                    false => {
                        let (inside, within) = self.sources(inside)?;
                        sources.extend(within);
                        inside
                    }
                };
                (format!("({inside})"), None, &tokens[close + 1..])
            }
            tokens => {
                let (table, rest) = table(tokens)?;
                let text = match &self.globals.trigger {
                    Some(fired) if !fired.has(&table) => {
                        format!("(SELECT * FROM {} WHERE false)", fired.table)
                    }
                    _ => table.clone(),
                };
                (text, Some(table), rest)
            }
        };
        let mut alias = table.as_deref().map(last_name).unwrap_or_default();
        if rest.first().is_some_and(|token| token.is("AS")) {
            rest = &rest[1..];
        }
        if let [Word(_) | Quoted(_), ..] = rest
            && !rest[0].is_any(&JOINS)
            && !rest[0].is_any(&["WITH", "SET", "WHERE"])
        {
            alias = quote(&word(rest.first(), rest)?);
            text = format!("{text} AS {alias}");
            rest = &rest[1..];
        } else if table.as_ref().is_some_and(|table| text != *table) {
            text = format!("{text} AS {alias}");
        }
        if let [Symbol("("), ..] = rest
            && table.is_none()
        {
            let close = closing(rest, 0)?;
            text = format!("{text} {}", self.expression(&rest[..=close])?);
            rest = &rest[close + 1..];
        }
        let (hints, rest) = hints(rest)?;
        if hints.iter().any(|hint| hint.is_any(&["UPDLOCK", "XLOCK"])) {
            let passes_by = hints.iter().any(|hint| hint.is("READPAST"));
            self.locks.push(format!("{alias}{}", if passes_by { " SKIP LOCKED" } else { "" }));
        }
        sources.push(Source { table, alias });
        Ok((text, rest))
    }
}

/// How the next source is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    Plainly,
    /// PostgreSQL wants a condition after it.
    OuterApply,
}

fn is_union(token: &Token) -> bool {
    token.is_any(&["UNION", "EXCEPT", "INTERSECT"])
}

fn is_clause(token: &Token) -> bool {
    token.is_any(&CLAUSES)
}

/// Where the next source is joined; `LEFT (…)` is a function.
fn next_join(tokens: &[Token]) -> Option<usize> {
    let mut start = 0;
    loop {
        let at = find(&tokens[start..], |t| t.is_symbol(",") || t.is_any(&JOINS[..7]))? + start;
        let called = tokens.get(at + 1).is_some_and(|next| next.is_symbol("("));
        if !called || !tokens[at].is_any(&["LEFT", "RIGHT"]) {
            return Some(at);
        }
        start = at + 1;
    }
}

/// The hints that `tokens` begin with, and what follows them.
pub fn hints(tokens: &[Token]) -> Result<(&[Token], &[Token]), SqlError> {
    match tokens {
        [with, Symbol("("), ..] if with.is("WITH") => {
            let close = closing(tokens, 1)?;
            Ok((&tokens[2..close], &tokens[close + 1..]))
        }
        tokens => Ok((&[], tokens)),
    }
}

/// A table's name that `tokens` begin with, as PostgreSQL has it, and what follows it. The name of a
/// database is dropped, and so is the schema of a temporary table.
pub fn table(tokens: &[Token]) -> Result<(String, &[Token]), SqlError> {
    let (names, rest) = names(tokens)?;
    let table = names.last().map(|name| super::expressions::name(name)).unwrap_or_default();
    let schema = names.len().checked_sub(2).map(|at| names[at].as_str());
    Ok(match schema {
        None => (table, rest),
        Some(_) if table.starts_with("\"#") => (table, rest),
        Some("") => (format!("\"dbo\".{table}"), rest),
        Some(schema) => (format!("{}.{table}", quote(schema)), rest),
    })
}

/// The parts of a name, an empty one for what `a..b` leaves out.
pub fn names(tokens: &[Token]) -> Result<(Vec<String>, &[Token]), SqlError> {
    let mut names = Vec::new();
    let mut rest = tokens;
    loop {
        match rest {
            [Word(name) | Quoted(name), Symbol("."), after @ ..] => {
                names.push(name.clone());
                rest = after;
            }
            [Symbol("."), after @ ..] if !names.is_empty() => {
                names.push(String::new());
                rest = after;
            }
            [Word(name) | Quoted(name), after @ ..] => {
                names.push(name.clone());
                return Ok((names, after));
            }
            _ => return Err(SqlError::unknown(&first_words(tokens))),
        }
    }
}

/// `"t"` of `"s"."t"`.
fn last_name(table: &str) -> String {
    table.rsplit_once("\".").map_or(table, |(_, table)| table).to_owned()
}

//! Expressions: T-SQL to PostgreSQL, token by token.

use super::errors::SqlError;
use super::lexer::Token::{self, *};
use super::lexer::{closing, first_words, items};
use super::requests::Parameter;
use super::session::Globals;
use super::triggers::Fired;
use super::types::SqlType;

/// What PostgreSQL has just the same; every other bare word is a name.
const KEYWORDS: &str = "ALL AND ANY AS ASC BETWEEN BY CASE CROSS CURRENT DEFAULT DELETE DESC DISTINCT ELSE END \
     ESCAPE EXCEPT EXISTS FETCH FIRST FOLLOWING FROM FULL GROUP HAVING IN INNER INSERT \
     INTERSECT INTO IS JOIN KEY LEFT LIKE NEXT NOT NULL OFFSET ON ONLY OR ORDER OUTER OVER \
     PARTITION PRECEDING PRIMARY RANGE RIGHT ROW ROWS SELECT SET SOME THEN UNBOUNDED UNION \
     UNIQUE UPDATE USING VALUES WHEN WHERE WITHIN";

/// Functions that give a text, so that a `+` beside them puts texts together.
const TEXT_FUNCTIONS: &str =
    "CHAR CONCAT LEFT LOWER LTRIM NCHAR QUOTENAME REPLACE RIGHT RTRIM SUBSTRING UPPER";

/// Rewrites with the variables that there are, and notes which of them it used.
pub struct Rewriter<'a> {
    pub variables: &'a [Parameter],
    pub globals: Globals,
    /// Places in `variables`, in the order of `$1`, `$2`, …
    pub used: Vec<usize>,
    /// Aliases that a hint asks to lock, of the query that is being written.
    pub locks: Vec<String>,
}

impl<'a> Rewriter<'a> {
    pub fn new(variables: &'a [Parameter], globals: Globals) -> Self {
        Self { variables, globals, used: Vec::new(), locks: Vec::new() }
    }

    /// Any run of tokens that is no statement.
    pub fn expression(&mut self, tokens: &[Token]) -> Result<String, SqlError> {
        let mut text = String::new();
        let mut at = 0;
        while at < tokens.len() {
            let (part, next) = self.part(tokens, at)?;
            join(&mut text, &part);
            at = next;
        }
        Ok(text)
    }

    /// What begins at `at`, and where the next begins.
    fn part(&mut self, tokens: &[Token], at: usize) -> Result<(String, usize), SqlError> {
        let next = tokens.get(at + 1);
        let part = match &tokens[at] {
            Symbol("(") => {
                let close = closing(tokens, at)?;
                return Ok((format!("({})", self.inside(&tokens[at + 1..close])?), close + 1));
            }
            Symbol("+") if self.is_text(tokens, at) => "||".to_owned(),
            Symbol("!=") => "<>".to_owned(),
            Symbol("^") => "#".to_owned(),
            Symbol(symbol) => (*symbol).to_owned(),
            Quoted(name) => quote(name),
            Text(text) if at > 0 && tokens[at - 1].is("AS") => quote(text),
            Text(text) => literal(text),
            Number(number) => number.clone(),
            Bytes(digits) => format!("'\\x{digits}'::bytea"),
            Variable(name) => self.variable(name)?,
            Word(word) if word.eq_ignore_ascii_case("COLLATE") => {
                let binary = matches!(next, Some(Word(name)) if name.contains("_BIN"));
                let collation = if binary { "COLLATE \"C\"" } else { "" };
                return Ok((collation.to_owned(), at + 2));
            }
            Word(word) if next.is_some_and(|next| next.is_symbol("(")) && !calls_nothing(word) => {
                return self.call_at(tokens, at, word);
            }
            Word(word) if word.eq_ignore_ascii_case("AT") && next.is_some_and(|t| t.is("TIME")) => {
                return Ok(("AT TIME ZONE".to_owned(), at + 3));
            }
            Word(word) if keyword(word).is_some() => word.to_ascii_uppercase(),
            Word(word) => name(word),
        };
        Ok((part, at + 1))
    }

    /// What stands in parentheses: a query or an expression.
    pub fn inside(&mut self, tokens: &[Token]) -> Result<String, SqlError> {
        match tokens.first() {
            Some(first) if first.is_any(&["SELECT", "WITH"]) => self.query(tokens),
            _ => self.expression(tokens),
        }
    }

    fn call_at(
        &mut self,
        tokens: &[Token],
        at: usize,
        word: &str,
    ) -> Result<(String, usize), SqlError> {
        let close = closing(tokens, at + 1)?;
        let arguments = &tokens[at + 2..close];
        let mut call = match at > 0 && tokens[at - 1].is_symbol(".") {
            // Of a schema: a function of the database's own.
            true => format!("{}({})", quote(word), self.expression(arguments)?),
            false => self.call(word, &items(arguments))?,
        };
        let mut next = close + 1;
        if tokens.get(next).is_some_and(|token| token.is("WITHIN")) {
            let close = closing(tokens, next + 1)?;
            let order = self.expression(&tokens[next + 2..close])?;
            call = format!("{} {order})", call.strip_suffix(')').unwrap_or(&call));
            next = close + 1;
        }
        if tokens.get(next).is_some_and(|token| token.is("OVER")) {
            let close = closing(tokens, next + 1)?;
            let window = self.expression(&tokens[next + 2..close])?;
            call = format!("{call} OVER ({window})");
            next = close + 1;
        }
        if word.eq_ignore_ascii_case("COUNT") {
            call.push_str("::int4");
        }
        Ok((call, next))
    }

    /// The place of a parameter with its type, or a global variable's value.
    fn variable(&mut self, name: &str) -> Result<String, SqlError> {
        if let Some(global) = name.strip_prefix("@@") {
            return Ok(match global.to_ascii_uppercase().as_str() {
                "ROWCOUNT" if self.globals.trigger.is_some() => {
                    self.globals.trigger.as_ref().map(Fired::rows).unwrap_or_default().to_owned()
                }
                "VERSION" => "'Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64)'".to_owned(),
                "SPID" => "tsql.spid(pg_backend_pid())".to_owned(),
                "TRANCOUNT" => format!("{}::int4", self.globals.transactions),
                "ROWCOUNT" => format!("{}::int4", self.globals.rows),
                "LOCK_TIMEOUT" => format!("({})::int4", self.globals.lock_timeout),
                "DBTS" => "tsql.dbts()".to_owned(),
                "SERVERNAME" => "'TESTSQL'".to_owned(),
                _ => return Err(SqlError::unknown(name)),
            });
        }
        let same = |variable: &Parameter| variable.name.eq_ignore_ascii_case(name);
        let place = self.variables.iter().position(same).ok_or_else(|| {
            SqlError::new(137, format!("Must declare the scalar variable \"{name}\"."))
        })?;
        if self.globals.trigger.is_some() {
            return Ok(quote(name));
        }
        let used = self.used.iter().position(|used| *used == place).unwrap_or_else(|| {
            self.used.push(place);
            self.used.len() - 1
        });
        Ok(self.variables[place].kind.cast(&format!("${}", used + 1)))
    }

    /// Whether the `+` at `at` puts texts together: one of its sides is a literal, a variable or a
    /// function's value of a type of text. Two columns are added, as nothing shows what they are.
    fn is_text(&self, tokens: &[Token], at: usize) -> bool {
        let before = at.checked_sub(1).is_some_and(|before| match &tokens[before] {
            Symbol(")") => opening(tokens, before)
                .and_then(|open| open.checked_sub(1))
                .is_some_and(|word| self.begins_text(&tokens[word..])),
            _ => self.begins_text(&tokens[before..=before]),
        });
        before || self.begins_text(&tokens[at + 1..])
    }

    fn begins_text(&self, tokens: &[Token]) -> bool {
        let named = |name: &str| {
            let variable = self.variables.iter().find(|v| v.name.eq_ignore_ascii_case(name));
            variable.is_some_and(|variable| variable.kind.is_text())
        };
        match tokens {
            [Text(_), ..] => true,
            [Variable(name), ..] => named(name),
            [word, Symbol("("), inside @ ..] if word.is("CONVERT") => {
                super::declared::read(inside).is_ok_and(|(kind, _)| kind.is_text())
            }
            [word, Symbol("("), ..] if word.is("CAST") => {
                let kind = closing(tokens, 1).ok().and_then(|close| {
                    let place = tokens[..close].iter().rposition(|token| token.is("AS"))?;
                    super::declared::read(&tokens[place + 1..close]).ok()
                });
                kind.is_some_and(|(kind, _)| kind.is_text())
            }
            [word, Symbol("("), ..] => word.is_in(TEXT_FUNCTIONS),
            _ => false,
        }
    }

    /// `CAST`, `CONVERT`: a text of anything is made as SQL Server writes it.
    pub fn converted(
        &mut self,
        value: &[Token],
        kind: SqlType,
        style: Option<&[Token]>,
    ) -> Result<String, SqlError> {
        let text = self.expression(value)?;
        let style = style.map(|style| self.expression(style)).transpose()?;
        let is_literal = matches!(value, [Text(_)]);
        Ok(match kind.is_text() {
            _ if kind.is_bytes() && style.as_deref().is_some_and(|style| style != "0") => {
                let style = style.unwrap_or_default();
                format!("tsql.bytes({text}, {style})::{}", kind.postgres())
            }
            false if kind.is_bytes() => format!("tsql.as_bytes({text})::{}", kind.postgres()),
            true if is_literal => format!("({text})::{}", kind.postgres()),
            true => {
                let style = style.map_or_else(String::new, |style| format!(", {style}"));
                format!("tsql.str({text}{style})::{}", kind.postgres())
            }
            false => format!("({text})::{}", kind.postgres()),
        })
    }
}

/// The place of the parenthesis that `close` closes.
fn opening(tokens: &[Token], close: usize) -> Option<usize> {
    let mut depth = 0;
    for at in (0..=close).rev() {
        match tokens[at] {
            Symbol(")") => depth += 1,
            Symbol("(") if depth == 1 => return Some(at),
            Symbol("(") => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What has spaces around it and what has not.
fn join(text: &mut String, part: &str) {
    let tight = text.is_empty()
        || text.ends_with('(')
        || text.ends_with('.')
        || matches!(part, "," | "." | ")" | ";" | "");
    if !tight {
        text.push(' ');
    }
    text.push_str(part);
}

fn keyword(word: &str) -> Option<&'static str> {
    KEYWORDS.split(' ').find(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// A keyword before a parenthesis that is no call.
fn calls_nothing(word: &str) -> bool {
    keyword(word).is_some_and(|keyword| !matches!(keyword, "LEFT" | "RIGHT"))
}

/// A name that was written bare: exact, but for the two tables of a trigger.
pub fn name(word: &str) -> String {
    match word.to_ascii_lowercase().as_str() {
        table @ ("inserted" | "deleted") => quote(table),
        _ => quote(word),
    }
}

/// A name of any kind, as PostgreSQL has it.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text. One that begins like a day or a time is a text and nothing that PostgreSQL may guess: the
/// types of `tsql` read no literals.
fn literal(text: &str) -> String {
    let shape: String =
        text.chars().take(5).map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let kind = if shape == "9999-" || shape.starts_with("99:9") { "::text" } else { "" };
    format!("'{}'{kind}", text.replace('\'', "''"))
}

/// The name that is one token.
pub fn word(token: Option<&Token>, of: &[Token]) -> Result<String, SqlError> {
    match token {
        Some(Word(word) | Quoted(word)) => Ok(word.clone()),
        _ => Err(SqlError::unknown(&first_words(of))),
    }
}

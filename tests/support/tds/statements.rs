//! Where the statements of a batch begin and end; T-SQL needs no semicolons.

use super::errors::SqlError;
use super::lexer::Token;
use super::lexer::{closing, first_words};

/// The words that begin a statement wherever they stand, but for [`Extent::goes_on`].
const STARTERS: &str = "ALTER BEGIN COMMIT CREATE DECLARE DELETE DENY DISABLE DROP ELSE ENABLE END EXEC EXECUTE \
     GRANT IF INSERT MERGE PRINT RAISERROR RETURN REVOKE ROLLBACK SAVE SELECT SET THROW \
     TRUNCATE UPDATE WAITFOR WHILE";

/// A statement with its tokens, the first keyword included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    Plain(Vec<Token>),
    If { condition: Vec<Token>, then: Box<Statement>, otherwise: Option<Box<Statement>> },
    While { condition: Vec<Token>, body: Box<Statement> },
    Block(Vec<Statement>),
    Try { body: Vec<Statement>, catch: Vec<Statement> },
}

/// The statements of a batch.
pub fn parse(tokens: &[Token]) -> Result<Vec<Statement>, SqlError> {
    let mut parser = Parser { rest: tokens };
    let statements = parser.list()?;
    match parser.rest {
        [] => Ok(statements),
        rest => Err(near(rest)),
    }
}

struct Parser<'a> {
    rest: &'a [Token],
}

impl Parser<'_> {
    /// Up to an END or the end.
    fn list(&mut self) -> Result<Vec<Statement>, SqlError> {
        let mut statements = Vec::new();
        loop {
            while self.take_symbol(";") {}
            match self.rest.first() {
                None => return Ok(statements),
                Some(token) if token.is("END") => return Ok(statements),
                Some(_) => statements.push(self.statement()?),
            }
        }
    }

    fn statement(&mut self) -> Result<Statement, SqlError> {
        match self.rest {
            [first, ..] if first.is("IF") => self.conditional(),
            [first, ..] if first.is("WHILE") => {
                let condition = self.condition()?;
                Ok(Statement::While { condition, body: Box::new(self.statement()?) })
            }
            [begin, next, ..] if begin.is("BEGIN") && next.is("TRY") => self.guarded(),
            [begin, next, ..] if begin.is("BEGIN") && !next.is_any(&["TRAN", "TRANSACTION"]) => {
                self.rest = &self.rest[1..];
                let block = self.list()?;
                self.take("END")?;
                Ok(Statement::Block(block))
            }
            [first, ..] if first.is_any(&["ELSE", "END"]) => Err(near(self.rest)),
            rest => {
                let (statement, rest) = rest.split_at(Extent::of(rest));
                self.rest = rest;
                Ok(Statement::Plain(statement.to_vec()))
            }
        }
    }

    fn conditional(&mut self) -> Result<Statement, SqlError> {
        let condition = self.condition()?;
        let then = Box::new(self.statement()?);
        let before = self.rest;
        while self.take_symbol(";") {}
        let otherwise = match self.rest {
            [first, rest @ ..] if first.is("ELSE") => {
                self.rest = rest;
                Some(Box::new(self.statement()?))
            }
            _ => {
                self.rest = before;
                None
            }
        };
        Ok(Statement::If { condition, then, otherwise })
    }

    /// What follows IF or WHILE, up to its statement.
    fn condition(&mut self) -> Result<Vec<Token>, SqlError> {
        let rest = &self.rest[1..];
        let mut end = 0;
        while end < rest.len() && !rest[end].is_in(STARTERS) {
            end = if rest[end].is_symbol("(") { closing(rest, end)? } else { end } + 1;
        }
        self.rest = &rest[end..];
        match self.rest {
            [] => Err(near(rest)),
            _ => Ok(rest[..end].to_vec()),
        }
    }

    fn guarded(&mut self) -> Result<Statement, SqlError> {
        self.rest = &self.rest[2..];
        let body = self.list()?;
        for word in ["END", "TRY", "BEGIN", "CATCH"] {
            self.take(word)?;
        }
        let catch = self.list()?;
        self.take("END")?;
        self.take("CATCH")?;
        Ok(Statement::Try { body, catch })
    }

    fn take(&mut self, keyword: &str) -> Result<(), SqlError> {
        match self.rest {
            [first, rest @ ..] if first.is(keyword) => {
                self.rest = rest;
                Ok(())
            }
            rest => Err(near(rest)),
        }
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        match self.rest {
            [first, rest @ ..] if first.is_symbol(symbol) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

/// How far one statement goes.
struct Extent<'a> {
    tokens: &'a [Token],
    /// CASEs that are open.
    cases: usize,
    /// The verb after `WITH a AS (…)`, or the first word.
    verb: Option<&'a Token>,
    /// What a verb may be followed by once was there.
    second: bool,
}

impl<'a> Extent<'a> {
    fn of(tokens: &'a [Token]) -> usize {
        let whole = tokens[0].is("CREATE") && create_is_whole(tokens);
        if whole {
            return tokens.len();
        }
        let verb = Some(&tokens[0]).filter(|verb| !verb.is("WITH"));
        let mut extent = Extent { tokens, cases: 0, verb, second: false };
        let mut at = 1;
        while at < tokens.len() && !tokens[at].is_symbol(";") && extent.goes_on(at) {
            at = match tokens[at].is_symbol("(") {
                true => closing(tokens, at).unwrap_or(tokens.len() - 1),
                false => at,
            } + 1;
        }
        at
    }

    /// Whether the token at `at` still belongs to the statement.
    fn goes_on(&mut self, at: usize) -> bool {
        let (token, before) = (&self.tokens[at], &self.tokens[at - 1]);
        if token.is("CASE") {
            self.cases += 1;
        }
        if !token.is_in(STARTERS) || before.is_symbol(".") {
            return true;
        }
        if self.cases > 0 && token.is_any(&["ELSE", "END"]) {
            self.cases -= usize::from(token.is("END"));
            return true;
        }
        let in_union =
            token.is("SELECT") && before.is_any(&["UNION", "EXCEPT", "INTERSECT", "ALL"]);
        let in_key = token.is_any(&["DELETE", "UPDATE"]) && before.is("ON");
        if in_union || in_key {
            return true;
        }
        let Some(verb) = self.verb else {
            self.verb = Some(token);
            return true;
        };
        let follows = match verb {
            verb if verb.is("INSERT") => token.is_any(&["SELECT", "EXEC", "EXECUTE"]),
            verb if verb.is("UPDATE") => token.is("SET"),
            verb if verb.is("DROP") => token.is("IF"),
            verb if verb.is("ALTER") => {
                token.is_any(&["ALTER", "DROP", "SET", "ENABLE", "DISABLE"])
            }
            verb if verb.is_any(&["GRANT", "DENY", "REVOKE"]) => {
                return !self.tokens[..at].iter().any(|token| token.is("ON"));
            }
            _ => false,
        };
        follows && !std::mem::replace(&mut self.second, true)
    }
}

/// A trigger, view or procedure goes to the end of its batch.
fn create_is_whole(tokens: &[Token]) -> bool {
    let what = tokens.iter().skip(1).find(|token| !token.is_any(&["OR", "ALTER"]));
    what.is_some_and(|what| what.is_any(&["TRIGGER", "VIEW", "PROCEDURE", "PROC", "FUNCTION"]))
}

fn near(tokens: &[Token]) -> SqlError {
    SqlError::new(102, format!("Incorrect syntax near '{}'.", first_words(tokens)))
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    fn starts(batch: &str) -> Vec<String> {
        let statements = parse(&tokens(batch).unwrap()).unwrap();
        let start = |statement: &Statement| match statement {
            Statement::Plain(tokens) => first_words(&tokens[..tokens.len().min(2)]),
            other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
        };
        statements.iter().map(start).collect()
    }

    #[test]
    fn statements_end_without_semicolons() {
        let batch = "SET NOCOUNT ON SELECT CASE WHEN 1=1 THEN 2 ELSE 3 END UNION ALL SELECT 1 \
                     INSERT INTO t SELECT 1 UPDATE t SET a = 1 DELETE t; \
                     WITH c AS (SELECT 1) INSERT INTO t SELECT * FROM c COMMIT \
                     DROP TABLE IF EXISTS t ALTER TABLE t DROP CONSTRAINT c BEGIN TRAN";
        let wanted = [
            "SET NOCOUNT",
            "SELECT CASE",
            "INSERT INTO",
            "UPDATE t",
            "DELETE t",
            "WITH c",
            "COMMIT",
            "DROP TABLE",
            "ALTER TABLE",
            "BEGIN TRAN",
        ];
        assert_eq!(starts(batch), wanted);
    }

    #[test]
    fn blocks_stand_in_blocks() {
        let batch = "IF EXISTS (SELECT 1) BEGIN SELECT 1; IF 1=1 SELECT 2 ELSE SELECT 3 END ELSE \
                     SELECT 4 BEGIN TRY SELECT 1 END TRY BEGIN CATCH THROW END CATCH SELECT 5";
        assert_eq!(starts(batch), ["If", "Try", "SELECT 5"]);
        assert_eq!(parse(&tokens("SELECT 1 END").unwrap()).unwrap_err().number, 102);
    }
}

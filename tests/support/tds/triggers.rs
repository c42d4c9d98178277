//! AFTER triggers: one statement trigger of PostgreSQL for each event, with `inserted` and `deleted`
//! as its transition tables and the body in PL/pgSQL.

use super::declared;
use super::errors::SqlError;
use super::expressions::{Rewriter, quote};
use super::lexer::Token::{self, Symbol, Variable};
use super::lexer::{first_words, items};
use super::query::{names, table};
use super::requests::Parameter;
use super::session::Globals;
use super::statements::{Statement, parse};

/// Where a trigger's body is rewritten for: PostgreSQL has the one table or the other, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    pub event: Event,
    /// The trigger's table.
    pub table: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Insert,
    Update,
    Delete,
}

impl Fired {
    /// Whether PostgreSQL gives the trigger this table.
    pub fn has(&self, table: &str) -> bool {
        match table {
            "\"inserted\"" => self.event != Event::Delete,
            "\"deleted\"" => self.event != Event::Insert,
            _ => true,
        }
    }

    /// How many rows fired it.
    pub fn rows(&self) -> &'static str {
        match self.event {
            Event::Delete => "(SELECT count(*) FROM \"deleted\")::int4",
            _ => "(SELECT count(*) FROM \"inserted\")::int4",
        }
    }
}

/// `CREATE [OR ALTER] TRIGGER s.n ON s.t [WITH EXECUTE AS x] AFTER … AS …`.
pub fn create(tokens: &[Token]) -> Result<String, SqlError> {
    let unknown = || SqlError::unknown(&first_words(tokens));
    let at = tokens.iter().position(|token| token.is("TRIGGER")).ok_or_else(unknown)?;
    let (trigger, rest) = names(&tokens[at + 1..])?;
    let [on, rest @ ..] = rest else { return Err(unknown()) };
    let (target, rest) = table(rest)?;
    let events = rest.iter().position(|token| token.is_any(&["AFTER", "FOR"]));
    let events = events.filter(|_| on.is("ON")).ok_or_else(unknown)?;
    let definer = if events > 0 { " SECURITY DEFINER" } else { "" };
    let rest = &rest[events + 1..];
    let body = rest.iter().position(|token| token.is("AS")).ok_or_else(unknown)?;
    let statements = parse(&rest[body + 1..])?;
    let (schema, name) = match &trigger[..] {
        [.., schema, name] => (schema.as_str(), name.as_str()),
        [name] => ("dbo", name.as_str()),
        [] => return Err(unknown()),
    };
    let mut text = vec![dropped(&trigger, "IF EXISTS ")?];
    for event in items(&rest[..body]) {
        let (event, word, tables) = match event {
            [event] if event.is("INSERT") => (Event::Insert, "INSERT", NEW),
            [event] if event.is("UPDATE") => (Event::Update, "UPDATE", BOTH),
            [event] if event.is("DELETE") => (Event::Delete, "DELETE", OLD),
            _ => return Err(unknown()),
        };
        let own = quote(&format!("{name}${word}"));
        let function = format!("{}.{own}", quote(schema));
        let fired = Fired { event, table: target.clone() };
        let body = Body::write(&statements, fired)?;
        text.push(format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql{definer} AS \
             $trigger$ {body} $trigger$"
        ));
        text.push(format!(
            "CREATE TRIGGER {own} AFTER {word} ON {target} REFERENCING {tables} \
             FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        ));
    }
    Ok(text.join("; "))
}

const NEW: &str = "NEW TABLE AS \"inserted\"";
const OLD: &str = "OLD TABLE AS \"deleted\"";
const BOTH: &str = "OLD TABLE AS \"deleted\" NEW TABLE AS \"inserted\"";

/// `DROP TRIGGER`.
pub fn dropped(trigger: &[String], exists: &str) -> Result<String, SqlError> {
    let (schema, name) = match trigger {
        [.., schema, name] => (schema.as_str(), name.as_str()),
        [name] => ("dbo", name.as_str()),
        [] => return Err(SqlError::unknown("DROP TRIGGER")),
    };
    let must = exists.is_empty();
    let (schema, name) = (schema.replace('\'', "''"), name.replace('\'', "''"));
    Ok(format!("SELECT tsql.drop_trigger('{schema}', '{name}', {must})"))
}

/// `ENABLE` or `DISABLE` of a trigger, or of `ALL`.
pub fn switch(verb: &Token, trigger: &Token, target: &str) -> Result<String, SqlError> {
    let name = super::expressions::word(Some(trigger), std::slice::from_ref(trigger))?;
    let (name, target) = (name.replace('\'', "''"), target.replace('\'', "''"));
    let verb = if verb.is("ENABLE") { "enable" } else { "disable" };
    Ok(format!("SELECT tsql.switch_trigger('{target}', '{name}', '{verb}')"))
}

/// `ENABLE|DISABLE TRIGGER n ON t`.
pub fn switch_statement(tokens: &[Token]) -> Result<String, SqlError> {
    let unknown = || SqlError::unknown(&first_words(tokens));
    let at = tokens.iter().position(|token| token.is("ON")).ok_or_else(unknown)?;
    let trigger = tokens.get(at - 1).ok_or_else(unknown)?;
    switch(&tokens[0], trigger, &table(&tokens[at + 1..])?.0)
}

/// A body that is being written.
struct Body {
    globals: Globals,
    variables: Vec<Parameter>,
    text: String,
}

impl Body {
    fn write(statements: &[Statement], fired: Fired) -> Result<String, SqlError> {
        let globals = Globals { trigger: Some(fired), ..Globals::default() };
        let mut body = Self { globals, variables: Vec::new(), text: String::new() };
        body.list(statements)?;
        let variables = body
            .variables
            .iter()
            .map(|variable| format!("{} {};", quote(&variable.name), variable.kind.postgres()));
        let variables: String = variables.collect();
        // Names of columns win over those of variables, which begin with an @.
        Ok(format!("DECLARE {variables} BEGIN {} RETURN NULL; END", body.text))
    }

    fn list(&mut self, statements: &[Statement]) -> Result<(), SqlError> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), SqlError> {
        match statement {
            Statement::Plain(tokens) => self.plain(tokens),
            Statement::Block(statements) => self.list(statements),
            Statement::If { condition, then, otherwise } => {
                let condition = self.rewriter().expression(condition)?;
                self.text.push_str(&format!("IF {condition} THEN "));
                self.statement(then)?;
                if let Some(otherwise) = otherwise {
                    self.text.push_str("ELSE ");
                    self.statement(otherwise)?;
                }
                self.text.push_str("END IF; ");
                Ok(())
            }
            Statement::While { .. } | Statement::Try { .. } => {
                Err(SqlError::unknown("WHILE or TRY in a trigger"))
            }
        }
    }

    fn rewriter(&self) -> Rewriter<'_> {
        Rewriter::new(&self.variables, self.globals.clone())
    }

    fn plain(&mut self, tokens: &[Token]) -> Result<(), SqlError> {
        let text = match tokens {
            [set, option, _] if set.is("SET") && option.is_any(&["NOCOUNT", "ROWCOUNT"]) => {
                String::new()
            }
            [set, Variable(name), Symbol("="), value @ ..] if set.is("SET") => {
                format!("{} := {}; ", quote(name), self.rewriter().expression(value)?)
            }
            [verb, ..] if verb.is("RETURN") => "RETURN NULL; ".to_owned(),
            [verb, rest @ ..] if verb.is("DECLARE") => self.declare(rest)?,
            [verb, rest @ ..] if verb.is_any(&["THROW", "RAISERROR"]) => {
                let (number, message) = thrown(verb, rest)?;
                format!(
                    "RAISE EXCEPTION USING errcode = 'TS000', message = '{number}:' || {message}; "
                )
            }
            [verb, ..] if verb.is_any(&["INSERT", "UPDATE", "DELETE", "WITH"]) => {
                let change = self.rewriter().change(tokens)?;
                let lock = change.before.map(|before| before.sql.replacen("SELECT", "PERFORM", 1));
                let lock = lock.map_or_else(String::new, |lock| lock + "; ");
                format!("{lock}{}; ", change.main.sql)
            }
            [verb, rest @ ..] if verb.is_any(&["EXEC", "EXECUTE"]) => {
                let call = super::procedures::context(rest, &mut self.rewriter())?;
                format!("PERFORM {call}; ")
            }
            tokens => return Err(SqlError::unknown(&first_words(tokens))),
        };
        self.text.push_str(&text);
        Ok(())
    }

    fn declare(&mut self, tokens: &[Token]) -> Result<String, SqlError> {
        let mut text = String::new();
        for item in items(tokens) {
            let (name, kind, value) = declared::variable(item)?;
            self.variables.push(Parameter { name: name.clone(), kind, value: None });
            if let Some(value) = value {
                let value = self.rewriter().expression(value)?;
                text.push_str(&format!("{} := {value}; ", quote(&name)));
            }
        }
        Ok(text)
    }
}

/// The number and the message, an expression, of a THROW or RAISERROR.
pub fn thrown(verb: &Token, tokens: &[Token]) -> Result<(i32, String), SqlError> {
    let parts = match tokens {
        [Symbol("("), inside @ .., Symbol(")")] => inside,
        tokens => tokens,
    };
    let parts = items(parts);
    let (number, message) = match (verb.is("THROW"), &parts[..]) {
        (true, [[Token::Number(number)], message, _]) => (number.parse().unwrap_or(50000), message),
        (false, [message, ..]) => (50000, message),
        _ => return Err(SqlError::unknown(&first_words(tokens))),
    };
    Ok((number, Rewriter::new(&[], Globals::default()).expression(message)?))
}

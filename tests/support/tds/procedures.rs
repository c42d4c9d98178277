//! The system procedures that can be called.

use super::errors::SqlError;
use super::expressions::Rewriter;
use super::lexer::Token::{self, Symbol, Variable, Word};
use super::lexer::{first_words, items};

/// A call as it is written: its name, and its arguments with their names, if they have some.
#[derive(Debug)]
pub struct Call<'t> {
    pub name: String,
    /// The variable that takes the procedure's result.
    pub result: Option<&'t str>,
    arguments: Vec<(Option<&'t str>, &'t [Token])>,
}

impl<'t> Call<'t> {
    /// What follows `EXEC`.
    pub fn read(tokens: &'t [Token]) -> Result<Self, SqlError> {
        let (result, rest) = match tokens {
            [Variable(result), Symbol("="), rest @ ..] => (Some(result.as_str()), rest),
            rest => (None, rest),
        };
        let (names, rest) = super::query::names(rest)?;
        let name = names.last().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
        let arguments = items(rest).into_iter().map(|item| match item {
            [Variable(name), Symbol("="), value @ ..] => (Some(name.as_str()), value),
            value => (None, value),
        });
        Ok(Self { name, result, arguments: arguments.collect() })
    }

    /// The argument of that name, or at that place.
    pub fn argument(&self, name: &str, place: usize) -> Option<&'t [Token]> {
        let named = |(own, _): &&(Option<&str>, &'t [Token])| {
            own.is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        let by_name = self.arguments.iter().find(named);
        let by_place = self.arguments.get(place).filter(|(name, _)| name.is_none());
        by_name.or(by_place).map(|(_, value)| *value)
    }

    /// The arguments from `place` on, with their names.
    pub fn arguments_from(&self, place: usize) -> &[(Option<&'t str>, &'t [Token])] {
        self.arguments.get(place..).unwrap_or_default()
    }
}

/// `sp_set_session_context`, which can be called in a trigger too.
pub fn context(tokens: &[Token], rewriter: &mut Rewriter<'_>) -> Result<String, SqlError> {
    let call = Call::read(tokens)?;
    let unknown = || SqlError::unknown(&first_words(tokens));
    if call.name != "sp_set_session_context" {
        return Err(unknown());
    }
    let key = rewriter.expression(call.argument("@key", 0).ok_or_else(unknown)?)?;
    let value = rewriter.expression(call.argument("@value", 1).ok_or_else(unknown)?)?;
    Ok(format!("tsql.set_session_context({key}, ({value})::text)"))
}

/// The function that takes or gives back a lock for `sp_getapplock` or `sp_releaseapplock`.
pub fn lock(call: &Call<'_>, rewriter: &mut Rewriter<'_>) -> Result<String, SqlError> {
    let text = |argument: Option<&[Token]>, default: &str| match argument {
        Some([Token::Text(text) | Word(text)]) => text.clone(),
        _ => default.to_owned(),
    };
    let resource = call.argument("@Resource", 0).map(|resource| rewriter.expression(resource));
    let resource = resource.ok_or_else(|| SqlError::unknown("a lock without @Resource"))??;
    if call.name == "sp_releaseapplock" {
        return Ok(format!("tsql.release_lock({resource})"));
    }
    let mode = text(call.argument("@LockMode", 1), "Exclusive");
    let owner = text(call.argument("@LockOwner", 2), "Transaction");
    let timeout = match call.argument("@LockTimeout", 3) {
        Some(timeout) => rewriter.expression(timeout)?,
        None => format!("({})", rewriter.globals.lock_timeout),
    };
    let (mode, owner) = (mode.to_ascii_lowercase(), owner.to_ascii_lowercase());
    if !matches!(mode.as_str(), "exclusive" | "shared") {
        return Err(SqlError::unknown(&format!("lock mode {mode}")));
    }
    Ok(format!("tsql.get_lock({resource}, '{mode}', '{owner}', {timeout})"))
}

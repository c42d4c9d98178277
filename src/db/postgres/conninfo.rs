//! Cuts a connection string into its parameters and puts it together again without some of them.
//!
//! Nothing is decoded here but single values; tokio-postgres reads the rest. No error repeats what
//! was written, because a stray character can make a part of the password look like anything else.

use std::borrow::Cow;

use tokio_postgres::Config;

use crate::error::{Error, Result};

/// A connection string, cut.
pub(super) struct Conninfo<'a> {
    form: Form<'a>,
    parameters: Vec<Parameter<'a>>,
}

enum Form<'a> {
    /// `postgres://login@host/name?parameters`: all that stands before the `?`.
    Url { before: &'a str },
    /// `name=value name='value'`
    Pairs,
}

/// One parameter, as written.
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    value: &'a str,
    /// The whole of it, quotes included.
    written: &'a str,
}

impl<'a> Conninfo<'a> {
    /// Cuts `text`, a URL or libpq's `name=value` pairs.
    pub(super) fn cut(text: &'a str) -> Result<Self> {
        match ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme)) {
            Some(rest) => Self::cut_url(text, rest),
            None => Self::cut_pairs(text),
        }
    }

    pub(super) fn parameters(&self) -> &[Parameter<'a>] {
        &self.parameters
    }

    /// The last value of the parameter `name`, as in libpq.
    pub(super) fn value(&self, name: &str) -> Result<Option<String>> {
        let Some(parameter) = self.parameters.iter().rfind(|p| p.name == name) else {
            return Ok(None);
        };
        match self.form {
            Form::Pairs => Ok(Some(unquoted(parameter.value))),
            Form::Url { .. } => match percent_decoded(parameter.value) {
                Some(value) => Ok(Some(value)),
                None => Err(unreadable(name)),
            },
        }
    }

    /// Reads the whole, except the parameters of these names.
    pub(super) fn config_without(&self, names: &[&str]) -> Result<Config> {
        let kept: Vec<_> = self.parameters.iter().filter(|p| !names.contains(&p.name)).collect();
        if let Ok(config) = self.joined(kept.iter().map(|p| p.written)).parse() {
            return Ok(config);
        }
        // The driver's own message may hold a part of the text, so look for the culprit instead.
        let alone = |p: &Parameter<'_>| match self.form {
            Form::Url { .. } => format!("postgres://?{}", p.written).parse::<Config>(),
            Form::Pairs => p.written.parse(),
        };
        match kept.iter().find(|p| alone(p).is_err()) {
            Some(parameter) => Err(unreadable(parameter.name)),
            None => Err(Error::config(
                "its host or port can't be read",
                "Write it as postgres://user:password@host:port/database.",
            )),
        }
    }

    fn joined<'w>(&self, parameters: impl Iterator<Item = &'w str>) -> String {
        let parameters: Vec<_> = parameters.collect();
        match self.form {
            Form::Pairs => parameters.join(" "),
            Form::Url { before } if parameters.is_empty() => before.to_owned(),
            Form::Url { before } => format!("{before}?{}", parameters.join("&")),
        }
    }

    /// `rest` is `text` after the scheme.
    fn cut_url(text: &'a str, rest: &'a str) -> Result<Self> {
        // tokio-postgres ends the login at the first `@`, wherever it stands; with a stray one, a
        // part of the password would be taken for the host, and printed.
        let login = rest.split_once('@').map_or("", |(login, _)| login);
        if rest.matches('@').count() > 1 || login.contains(['/', '?']) {
            return Err(Error::config(
                "it has more than one @, or a / or ? before it",
                "Where they belong to user, password or another value, write %40 for @, %2F for / \
                 and %3F for ?.",
            ));
        }
        let (before, query) = text.split_once('?').unwrap_or((text, ""));
        let parameters = query
            .split('&')
            .filter(|written| !written.is_empty())
            .map(|written| match written.split_once('=') {
                Some((name, value)) => Ok(Parameter { name, value, written }),
                None => Err(no_value()),
            })
            .collect::<Result<_>>()?;
        Ok(Self { form: Form::Url { before }, parameters })
    }

    fn cut_pairs(text: &'a str) -> Result<Self> {
        let (first, _) = text.split_once('=').unwrap_or((text, ""));
        if text.is_empty() || first.contains("://") || !text.contains('=') {
            return Err(Error::config(
                "it is no PostgreSQL connection string",
                "Write it as postgres://user:password@host:port/database.",
            ));
        }
        let mut parameters = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=').ok_or_else(no_value)?;
            let name = name.trim_end();
            if name.contains(char::is_whitespace) {
                return Err(no_value());
            }
            let value = after.trim_start();
            let length = value_length(value).ok_or_else(no_value)?;
            let end = rest.len() - value.len() + length;
            parameters.push(Parameter { name, value: &value[..length], written: &rest[..end] });
            rest = rest[end..].trim_start();
        }
        Ok(Self { form: Form::Pairs, parameters })
    }
}

/// How far a value reaches, quotes included; `None` if it is empty or its quote never closes.
fn value_length(text: &str) -> Option<usize> {
    let quoted = text.starts_with('\'');
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '\'' if quoted => return Some(at + 1),
            c if !quoted && c.is_whitespace() => return Some(at),
            _ => {}
        }
    }
    (!quoted && !text.is_empty()).then_some(text.len())
}

/// A value of a pair, without its quotes and backslashes.
fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).unwrap_or(value);
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    plain
}

/// A value of a URL as tokio-postgres decodes it.
fn percent_decoded(value: &str) -> Option<String> {
    let config: Config = format!("postgres://?application_name={value}").parse().ok()?;
    config.get_application_name().map(str::to_owned)
}

/// The name for a message, if it is safe to repeat: a word, no piece of a torn password.
pub(super) fn named(name: &str) -> Cow<'_, str> {
    let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match word && (1..=40).contains(&name.len()) {
        true => Cow::from(format!("the parameter {name}")),
        false => Cow::from("a parameter"),
    }
}

fn no_value() -> Error {
    Error::config(
        "a parameter has no value, or one that never ends",
        "Write each as name=value; in a URL, write %26 for &; in the other form, put a value with \
         spaces in '…', and \\' for ' in it.",
    )
}

fn unreadable(name: &str) -> Error {
    Error::config(
        format!("{} has a value that can't be read", named(name)),
        "Correct the value, or leave the parameter out.",
    )
}

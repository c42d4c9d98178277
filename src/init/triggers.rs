//! Which other tables a trigger's function writes to, by its source. What it makes up at run time
//! can't be seen, and what it never comes to is seen as well: a person has the last word.

use crate::model::TableName;

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Dot,
    Other,
}

/// Those of `tables`, other than `own`, that `source` inserts into, updates or deletes from.
pub(super) fn written(source: &str, own: &TableName, tables: &[TableName]) -> Vec<TableName> {
    let tokens = tokens(source);
    let mut written = Vec::new();
    for at in 0..tokens.len() {
        let found = target(&tokens[at..]).and_then(|(schema, name)| {
            let known = |schema: &str| tables.iter().find(|t| t.schema == schema && t.name == name);
            match schema {
                Some(schema) => known(schema),
                // Whatever the search_path is.
                None => known(&own.schema)
                    .or_else(|| known("public"))
                    .or_else(|| tables.iter().find(|t| t.name == name)),
            }
        });
        written.extend(found.filter(|table| *table != own).cloned());
    }
    written.sort();
    written.dedup();
    written
}

/// The table that a statement which begins here writes to.
fn target(tokens: &[Token]) -> Option<(Option<&str>, &str)> {
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Name(name)) => Some(name.as_str()),
        _ => None,
    };
    let at = match (word(0)?, word(1)?) {
        ("insert" | "merge", "into") | ("delete", "from") => 2,
        ("update", _) => 1,
        _ => return None,
    };
    let at = if word(at) == Some("only") { at + 1 } else { at };
    match (tokens.get(at + 1), word(at + 2)) {
        (Some(Token::Dot), Some(name)) => Some((word(at), name)),
        _ => Some((None, word(at)?)),
    }
}

/// Names as the server folds them. Single quotes count as blanks: what EXECUTE runs is a statement,
/// too.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let in_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        rest = if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map_or("", |(_, after)| after)
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (name, after) = until_quote(quoted);
            tokens.push(Token::Name(name));
            after
        } else if in_name(first) {
            let end = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].to_lowercase()));
            &rest[end..]
        } else {
            match first {
                '.' => tokens.push(Token::Dot),
                c if c.is_whitespace() || c == '\'' => {}
                _ => tokens.push(Token::Other),
            }
            &rest[first.len_utf8()..]
        };
    }
    tokens
}

/// A quoted name, in which a doubled quote is a quote, and what comes after it.
fn until_quote(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('"') {
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(further) => {
                name.push('"');
                rest = further;
            }
            None => return (name, after),
        }
    }
    (name, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_to_other_tables_are_seen() {
        let name = |text: &str| TableName::parse(text, "public");
        let tables = ["jobs", "log", "audit.log", "audit.Job \"Log\"", "office.log", "office.own"];
        let tables = tables.map(name);
        for (source, expected) in [
            ("begin insert into log values (1); return null; end", "log"),
            ("INSERT INTO Audit.LOG select 1; update only log set a = 1", "log audit.log"),
            ("delete from audit.\"Job \"\"Log\"\"\" where true", "audit.Job \"Log\""),
            ("execute 'insert into audit.log values ($1)' using new.id", "audit.log"),
            ("merge into log using x on true when matched then delete", "log"),
            ("insert into own values (1)", "office.own"),
            ("insert into jobs values (1); update jobs set a = 1", ""),
            ("select * from log; -- insert into log\n /* update log set */ return new", ""),
            ("insert into unknown values (1); insert into \"Log\" values (1)", ""),
            ("insert into", ""),
            ("delete from \"", ""),
        ] {
            let written = written(source, &name("jobs"), &tables);
            let written: Vec<_> = written.iter().map(ToString::to_string).collect();
            let expected: Vec<String> = match expected {
                "log audit.log" => vec!["audit.log".into(), "log".into()],
                "" => vec![],
                one => vec![one.into()],
            };
            assert_eq!(written, expected, "{source}");
        }
        let own_schema = written("insert into log values (1)", &name("office.jobs"), &tables);
        assert_eq!(own_schema, [name("office.log")]);
    }
}

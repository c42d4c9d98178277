//! What a trigger of SQL Server writes, by its source. What it makes up at run time can't be seen, and
//! what it never comes to is seen as well: a person has the last word.

use std::collections::BTreeSet;

use crate::model::TableName;

/// What a source was seen to write.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Those of the tables that were looked for, other than the trigger's own.
    pub(super) tables: BTreeSet<TableName>,
    /// Columns of the trigger's own table.
    pub(super) columns: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Other(char),
}

/// Which of `tables` the `source` of a trigger of `own` writes to, and which of its own columns it sets.
pub(super) fn written(source: &str, own: &TableName, tables: &[TableName]) -> Written {
    let tokens = tokens(source);
    let mut found = Written::default();
    for at in 0..tokens.len() {
        let Some((verb, name)) = target(&tokens[at..]) else { continue };
        let name = meant(&tokens, name);
        let is_it = |table: &&TableName| is_called(table, &name);
        if is_called(own, &name) {
            if verb == "update" {
                found.columns.extend(assigned(&tokens[at..]));
            }
        } else if let Some(table) = tables.iter().find(is_it) {
            found.tables.insert(table.clone());
        }
    }
    found
}

/// A name of one part or two, the schema last.
type Parts<'t> = Vec<&'t str>;

fn is_called(table: &TableName, parts: &[&str]) -> bool {
    // Most databases take cases for the same.
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    match parts {
        [name] => same(&table.name, name),
        [.., schema, name] => same(&table.name, name) && same(&table.schema, schema),
        [] => false,
    }
}

/// The verb of a statement that begins here, and the table that it writes to.
fn target(tokens: &[Token]) -> Option<(&str, Parts<'_>)> {
    let verb =
        ["insert", "update", "delete", "merge"].into_iter().find(|v| word(tokens, 0) == Some(v))?;
    let mut at = 1;
    if word(tokens, at) == Some("top") {
        at += tokens[at..].iter().position(|t| *t == Token::Other(')'))? + 1;
    }
    if ["into", "from"].iter().any(|&link| word(tokens, at) == Some(link)) {
        at += 1;
    }
    Some((verb, parts(tokens.get(at..)?)?))
}

fn word(tokens: &[Token], at: usize) -> Option<&str> {
    match tokens.get(at) {
        Some(Token::Name(name)) => Some(name),
        _ => None,
    }
}

/// The name that begins here, part by part.
fn parts(tokens: &[Token]) -> Option<Parts<'_>> {
    let mut parts = vec![word(tokens, 0)?];
    let mut at = 1;
    while tokens.get(at) == Some(&Token::Other('.')) {
        at += 1;
        if let Some(name) = word(tokens, at) {
            parts.push(name);
            at += 1;
        }
    }
    Some(parts)
}

/// The table behind an alias, as in `update j set … from dbo.jobs as j`.
fn meant<'t>(tokens: &'t [Token], name: Parts<'t>) -> Parts<'t> {
    let [alias] = name.as_slice() else { return name };
    let begins = |at: &usize| matches!(word(tokens, *at), Some("from" | "join"));
    let aliased = (0..tokens.len()).filter(begins).find_map(|at| {
        let table = parts(&tokens[at + 1..])?;
        // Each part but the last has a dot after it.
        let mut after = at + 2 * table.len();
        if word(tokens, after) == Some("as") {
            after += 1;
        }
        (word(tokens, after) == Some(alias)).then_some(table)
    });
    aliased.unwrap_or(name)
}

/// The columns that an UPDATE which begins here sets.
fn assigned(tokens: &[Token]) -> Vec<String> {
    let Some(set) = tokens.iter().position(|t| *t == Token::Name("set".to_owned())) else {
        return Vec::new();
    };
    let (mut found, mut depth) = (Vec::new(), 0);
    for at in set..tokens.len() {
        match &tokens[at] {
            Token::Other('(') => depth += 1,
            Token::Other(')') => depth -= 1,
            Token::Name(end) if ["from", "where", "output", "end"].contains(&end.as_str()) => break,
            Token::Other(';') => break,
            Token::Name(word) if word == "set" && at > set => break,
            Token::Name(_) | Token::Other(',') if depth == 0 && begins_item(&tokens[at]) => {
                found.extend(column(&tokens[at + 1..]));
            }
            _ => {}
        }
    }
    found
}

fn begins_item(token: &Token) -> bool {
    *token == Token::Other(',') || *token == Token::Name("set".to_owned())
}

/// The column of an assignment that begins here.
fn column(tokens: &[Token]) -> Option<String> {
    let parts = parts(tokens)?;
    let is_set = tokens.get(2 * parts.len() - 1) == Some(&Token::Other('='));
    parts.last().filter(|name| is_set && !name.starts_with('@')).map(|&name| name.to_owned())
}

/// Names in lower case. Single quotes count as blanks: what EXECUTE runs is a statement, too.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let in_name = |c: char| c.is_alphanumeric() || "_$@#".contains(c);
        rest = if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map_or("", |(_, after)| after)
        } else if let Some((quoted, end)) = quoted(rest) {
            let (name, after) = until(quoted, end);
            tokens.push(Token::Name(name.to_lowercase()));
            after
        } else if in_name(first) {
            let end = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].to_lowercase()));
            &rest[end..]
        } else {
            if !first.is_whitespace() && first != '\'' {
                tokens.push(Token::Other(first));
            }
            &rest[first.len_utf8()..]
        };
    }
    tokens
}

fn quoted(text: &str) -> Option<(&str, char)> {
    let ends = [('[', ']'), ('"', '"')];
    ends.into_iter().find_map(|(start, end)| Some((text.strip_prefix(start)?, end)))
}

/// A quoted name, in which a doubled end is that character, and what comes after it.
fn until(text: &str, end: char) -> (String, &str) {
    let mut name = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(end) {
        name.push_str(before);
        match after.strip_prefix(end) {
            Some(further) => {
                name.push(end);
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
    fn writes_to_other_tables_and_to_own_columns_are_seen() {
        let name = |text: &str| TableName::parse(text, "dbo");
        let tables = ["jobs", "log", "audit.log", "Odd]Name"].map(name);
        for (source, expected) in [
            ("insert into log (a) select 1 from inserted", "log"),
            ("INSERT [dbo].[Log] values (1)", "log"),
            ("insert into audit.log values (1)", "audit.log"),
            ("delete l from dbo.log as l join deleted d on d.id = l.id", "log"),
            ("update top (1) [Odd]]Name] set a = 1", "Odd]Name"),
            (
                "update jobs set updated_at = getdate() where id in (select id from inserted)",
                "+updated_at",
            ),
            (
                "update j set j.[Name] = upper(i.name), @x = 1, done = case when j.a = 2 then 1 end \
                 from inserted i join dbo.jobs j on j.id = i.id",
                "+done +name",
            ),
            ("exec('insert into log values (1)')", "log"),
            ("merge into dbo.log using inserted i on 1 = 1 when matched then delete", "log"),
            ("select 1 from log -- insert into log\n /* update log */", ""),
            ("if update(name) insert into unknown values (1)", ""),
            ("insert into", ""),
            ("update [", ""),
        ] {
            let Written { tables, columns } = written(source, &name("jobs"), &tables);
            let tables = tables.iter().map(ToString::to_string);
            let tables = tables.map(|t| t.trim_start_matches("dbo.").to_owned());
            let all: Vec<_> = tables.chain(columns.iter().map(|c| format!("+{c}"))).collect();
            assert_eq!(all.join(" "), expected, "{source}");
        }
    }
}

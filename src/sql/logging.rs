//! The parts of the trigger that logs a desktop's table.

use crate::model::jsonb;
use crate::model::logging::{KeyText, LoggedColumn, Logging};

use super::{list, tsql};

/// The key of the row `alias`, as the text of a `jsonb`.
pub fn key(logging: &Logging, alias: &str) -> String {
    let member = |(i, c): (usize, &LoggedColumn)| {
        let before = if i == 0 { "{" } else { "\", " };
        let name = tsql::literal(&format!("{before}{}: \"", jsonb::string(&c.name)));
        format!("{name} + {}", text(c, alias))
    };
    format!("{} + N'\"}}'", list(logging.key.iter().enumerate().map(member), " + "))
}

/// That two rows have the same key. To `=` blanks at the end of a text are nothing.
pub fn same_key(logging: &Logging, one: &str, other: &str) -> String {
    let same = |c: &LoggedColumn| {
        let (a, b) = (tsql::column(one, &c.column), tsql::column(other, &c.column));
        match c.text {
            KeyText::Text => {
                format!("{a} = {b} and {a} + N'.' = {b} + N'.' collate Latin1_General_BIN2")
            }
            _ => format!("{a} = {b}"),
        }
    };
    list(logging.key.iter().map(same), " and ")
}

fn text(c: &LoggedColumn, alias: &str) -> String {
    let column = tsql::column(alias, &c.column);
    match c.text {
        KeyText::Number => format!("convert(nvarchar(50), {column})"),
        KeyText::Truth => format!("case when {column} = 1 then N'true' else N'false' end"),
        KeyText::Uuid => format!("lower(convert(nvarchar(36), {column}))"),
        KeyText::Date => format!("convert(nvarchar(10), {column}, 23)"),
        KeyText::Text => escaped(&column),
        KeyText::Padded => escaped(&format!("rtrim(convert(nvarchar(4000), {column}))")),
    }
}

/// A text with the escapes that PostgreSQL makes; `string_escape` makes more of them. U+0000, which no
/// text of PostgreSQL has, stays.
fn escaped(text: &str) -> String {
    let escapes = (1..u32::from(' ')).chain(['"', '\\'].map(u32::from));
    let mut escaped = format!("convert(nvarchar(max), {text}) collate Latin1_General_BIN2");
    // The backslash first: the others' escapes have one.
    for code in escapes.rev() {
        let c = char::from_u32(code).unwrap_or_default();
        let json = jsonb::string(&c.to_string());
        let escape = tsql::literal(&json[1..json.len() - 1]);
        escaped = format!("replace({escaped}, nchar({code}), {escape})");
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TableName;

    fn logging(columns: &[(&str, &str, KeyText)]) -> Logging {
        let column = |&(name, column, text): &(&str, &str, KeyText)| LoggedColumn {
            name: name.to_owned(),
            column: column.to_owned(),
            declaration: String::new(),
            text,
        };
        Logging {
            label: "public.jobs".to_owned(),
            table: TableName::new("dbo", "jobs"),
            key: columns.iter().map(column).collect(),
        }
    }

    #[test]
    fn a_key_is_made_as_the_text_of_a_jsonb() {
        let two = logging(&[("id", "Id", KeyText::Number), ("it's", "b", KeyText::Truth)]);
        assert_eq!(
            key(&two, "i"),
            "N'{\"id\": \"' + convert(nvarchar(50), i.[Id]) + N'\", \"it''s\": \"' + \
             case when i.[b] = 1 then N'true' else N'false' end + N'\"}'"
        );
        assert_eq!(same_key(&two, "i", "d"), "i.[Id] = d.[Id] and i.[b] = d.[b]");
    }

    #[test]
    fn the_backslash_is_escaped_before_its_like_come_in() {
        let text = escaped("i.[code]");
        let inner = "replace(convert(nvarchar(max), i.[code]) collate Latin1_General_BIN2, nchar(92), N'\\\\')";
        assert!(text.contains(&format!("replace({inner}, nchar(34), N'\\\"')")), "{text}");
        for escape in ["nchar(9), N'\\t')", "nchar(31), N'\\u001f')", "nchar(1), N'\\u0001')"] {
            assert!(text.contains(escape), "{escape}");
        }
    }
}

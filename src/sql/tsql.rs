//! Quoting as SQL Server reads it, whatever QUOTED_IDENTIFIER says.

use crate::model::TableName;

/// `name` as a quoted identifier.
pub fn ident(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// `table` as a quoted, schema-qualified name.
pub fn table(table: &TableName) -> String {
    format!("{}.{}", ident(&table.schema), ident(&table.name))
}

/// `text` as a literal. Only for names that come from a catalogue or the server.
pub fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

/// `alias`.`column`, quoted.
pub fn column(alias: &str, column: &str) -> String {
    format!("{alias}.{}", ident(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_holds_stays_within_its_brackets() {
        assert_eq!(ident("Job's \"no.\" [x]]"), "[Job's \"no.\" [x]]]]]");
        assert_eq!(table(&TableName::new("dbo", "My Jobs")), "[dbo].[My Jobs]");
        assert_eq!(literal("it's [x]"), "N'it''s [x]'");
        assert_eq!(column("s", "größe"), "s.[größe]");
    }
}

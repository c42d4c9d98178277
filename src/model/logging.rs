//! The log of a SQL Server desktop's table: what its trigger has to note of each change.

use std::fmt::Write;

use super::jsonb;
use super::names::TableName;

/// The log of one table. Triggers that are made of equal ones are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// The name that its entries have: the cloud's.
    pub label: String,
    /// The desktop's table.
    pub table: TableName,
    /// The key, in the order in which a `jsonb` has its members.
    pub key: Vec<LoggedColumn>,
}

/// A column of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedColumn {
    /// Its name in the log: the cloud's.
    pub name: String,
    /// Its name on the desktop.
    pub column: String,
    /// Its type there, as T-SQL spells it: a trigger is made for just this one.
    pub declaration: String,
    /// How its value becomes the cloud's text.
    pub text: KeyText,
}

/// How T-SQL makes of a value the text that PostgreSQL prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyText {
    /// Digits.
    Number,
    /// `true` or `false`.
    Truth,
    /// In small letters.
    Uuid,
    /// Year, month and day.
    Date,
    /// As it is.
    Text,
    /// Without the blanks at its end.
    Padded,
}

impl Logging {
    /// What the names of all these triggers begin with.
    pub const PREFIX: &str = "tidegate_log_";
    /// Another one wherever the trigger's text changes.
    const VERSION: u32 = 1;

    /// The trigger's name, in the schema of its table. It says what the trigger was made for, so that
    /// the catalogue alone shows whether it is the right one.
    pub fn trigger(&self) -> TableName {
        let Self { label, table, key } = self;
        let made_for = jsonb::hash(&format!("{} {label:?} {table:?} {key:?}", Self::VERSION));
        let mut name = Self::PREFIX.to_owned();
        for byte in &made_for[..8] {
            // Writing to a text can't fail.
            let _ = write!(name, "{byte:02x}");
        }
        TableName::new(&table.schema, &name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logging(column: &str, declaration: &str) -> Logging {
        let key = LoggedColumn {
            name: "id".to_owned(),
            column: column.to_owned(),
            declaration: declaration.to_owned(),
            text: KeyText::Number,
        };
        let table = TableName::new("dbo", "jobs");
        Logging { label: "public.jobs".to_owned(), table, key: vec![key] }
    }

    #[test]
    fn a_trigger_has_another_name_where_it_is_made_for_another_key() {
        let name = logging("id", "int").trigger();
        // It has to stay for what was installed by earlier programs.
        assert_eq!(name, TableName::new("dbo", "tidegate_log_ab20d55f1b03d201"));
        assert_eq!(logging("id", "int").trigger(), name);
        for other in [logging("number", "int"), logging("id", "bigint")] {
            assert_ne!(other.trigger(), name);
        }
    }
}

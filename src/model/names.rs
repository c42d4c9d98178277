//! Names of tables, as the catalogue spells them.

use std::fmt;

use serde::Deserialize;

/// A table: schema and name exactly as in the catalogue, unquoted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct TableName {
    /// The schema, `public` when the configuration names none.
    pub schema: String,
    /// The table's own name.
    pub name: String,
}

impl TableName {
    /// The table `schema`.`name`.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// Reads `name` or `schema.name`; `default_schema` stands in for a missing schema.
    pub fn parse(text: &str, default_schema: &str) -> Self {
        match text.split_once('.') {
            Some((schema, name)) => Self::new(schema, name),
            None => Self::new(default_schema, text),
        }
    }
}

/// The name as an operator writes it: without the schema where that is `public` and nothing else
/// could be meant.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.schema.as_str() {
            "public" if !self.name.contains('.') => f.write_str(&self.name),
            schema => write!(f, "{schema}.{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positions and withheld rows are kept under the name that is shown.
    #[test]
    fn no_two_tables_share_a_name() {
        for table in [TableName::new("a", "b"), TableName::new("public", "a.b")] {
            assert_eq!(TableName::parse(&table.to_string(), "public"), table);
        }
        assert_eq!(TableName::new("public", "jobs").to_string(), "jobs");
    }
}

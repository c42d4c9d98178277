//! A table as its database's catalogue describes it.

use serde::Deserialize;

use super::names::TableName;
use super::types::{Fit, PgType, SqlType};

/// One table of one end.
#[derive(Debug, Clone, Deserialize)]
pub struct TableSchema {
    /// The schema it lives in.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `pg_class.relkind`: `r` ordinary, `p` partitioned, `v` view …
    pub kind: String,
    /// Whether row-level security hides rows from the role that we are.
    pub row_security: bool,
    /// Whether SQL Server keeps it in memory.
    #[serde(skip)]
    pub in_memory: bool,
    /// Whether the role that we are may read it.
    pub readable: bool,
    /// Whether the role that we are may insert into it and update it.
    pub writable: bool,
    /// Columns in the order of the table.
    pub columns: Vec<Column>,
    /// The primary key, if any.
    pub primary_key: Option<Key>,
    /// The unique indexes other than the primary key that a foreign key could refer to.
    pub uniques: Vec<UniqueIndex>,
    /// Foreign keys of this table.
    pub foreign_keys: Vec<ForeignKey>,
    /// Whether a BEFORE row trigger may change what is written.
    pub before_triggers: bool,
    /// The arguments of our trigger that logs its changes, each with a zero byte after it, in
    /// hexadecimal; none where there is no such trigger.
    #[serde(default)]
    pub log_arguments: Option<String>,
    /// The names of our triggers on a SQL Server's table that fire.
    #[serde(skip)]
    pub desktop_log: Vec<String>,
}

impl TableSchema {
    /// The table's name.
    pub fn table(&self) -> TableName {
        TableName::new(&self.schema, &self.name)
    }

    /// The column called `name`, by exact name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Whether it is a SQL Server's.
    pub fn is_sql_server(&self) -> bool {
        self.columns.iter().any(|c| c.sql_type.is_some())
    }

    /// The table as it will be once the role has been granted what it needs.
    pub fn as_granted(&self) -> Self {
        let mut granted = Self { readable: true, writable: true, ..self.clone() };
        for key in &mut granted.foreign_keys {
            key.readable = true;
        }
        granted
    }

    /// Whether `columns`, in any order, are known to be unique in this table.
    pub fn is_unique(&self, columns: &[&str]) -> bool {
        let covers = |index: &[String]| index.iter().all(|c| columns.contains(&c.as_str()));
        self.primary_key.as_ref().is_some_and(|key| covers(&key.columns))
            || self.uniques.iter().any(|index| covers(&index.columns))
    }

    /// Whether its changes are logged as those of `label`, with these columns for owner and key: a
    /// trigger that was made for others makes entries that nobody finds.
    pub fn is_logged_as(&self, label: &str, owner: &str, key: &[String]) -> bool {
        let Some(hex) = &self.log_arguments else { return false };
        let digits = hex.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap_or_default());
        let bytes: Vec<u8> =
            digits.map(|pair| u8::from_str_radix(pair, 16).unwrap_or_default()).collect();
        let arguments: Vec<&[u8]> = bytes.split(|&byte| byte == 0).collect();
        // The third names columns that are kept as text; after the last one nothing follows.
        let [a_label, an_owner, _, of_key @ .., _] = &arguments[..] else { return false };
        let key = key.iter().map(String::as_bytes);
        *a_label == label.as_bytes()
            && *an_owner == owner.as_bytes()
            && key.eq(of_key.iter().copied())
    }

    /// The unique index over exactly `columns`, in any order: the primary key or another.
    pub fn key_over(&self, columns: &[&str]) -> Option<Key> {
        let exactly = |index: &[String]| {
            index.len() == columns.len() && index.iter().all(|c| columns.contains(&c.as_str()))
        };
        let unique = |u: &UniqueIndex| Key { columns: u.columns.clone(), deferrable: u.deferrable };
        let keys = self.primary_key.iter().cloned().chain(self.uniques.iter().map(unique));
        keys.filter(|key| exactly(&key.columns)).min_by_key(|key| key.deferrable)
    }
}

/// One column.
#[derive(Debug, Clone, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type's object identifier; below 10,000 it means the same in every PostgreSQL.
    pub type_oid: u32,
    /// The type modifier (length, precision), -1 without one.
    pub typmod: i32,
    /// The type as SQL spells it, with its modifier, schema-qualified where needed.
    pub type_name: String,
    /// The same without its modifier; of a domain, the type that it is made of.
    pub bare_type: String,
    /// Whether the type is built in, is not a domain or enum, and travels in binary.
    pub portable: bool,
    /// NOT NULL.
    pub not_null: bool,
    /// Whether an INSERT may leave it out: a default, an identity or a generated column.
    pub has_default: bool,
    /// Computed by the database; can't be written.
    pub generated: bool,
    /// GENERATED ALWAYS AS IDENTITY: written with OVERRIDING SYSTEM VALUE, never updated.
    pub identity_always: bool,
    /// The type that SQL Server calls it; all else here says as what its values travel.
    #[serde(skip)]
    pub sql_type: Option<SqlType>,
    /// Why its values can't travel, if they can't.
    #[serde(default)]
    pub refused: Option<String>,
    /// Whether the role that we are is shown masks in place of its values.
    #[serde(skip)]
    pub masked: bool,
    /// What SQL Server compares its texts by.
    #[serde(skip)]
    pub collation: Option<String>,
}

impl Column {
    /// `character varying`, and arrays of it.
    pub const VARCHARS: [u32; 2] = [1043, 1015];
    /// `bigint`, `smallint`, `integer`.
    pub const INTEGERS: [u32; 3] = [20, 21, 23];
    /// `text`, `character varying`.
    pub const TEXTS: [u32; 2] = [25, 1043];
    /// `uuid`.
    pub const UUID: u32 = 2950;
    /// `timestamp without time zone`.
    pub const TIMESTAMP: u32 = 1114;
    /// `timestamp with time zone`.
    pub const TIMESTAMPTZ: u32 = 1184;

    /// The type of PostgreSQL that its values have, or travel as.
    pub fn pg_type(&self) -> PgType {
        PgType { oid: self.type_oid, typmod: self.typmod }
    }

    /// Whether SQL Server takes different texts for the same, as in another case.
    pub fn folds(&self) -> bool {
        self.collation.as_deref().is_some_and(folds)
    }

    /// The type as its own database spells it.
    pub fn declaration(&self) -> String {
        self.sql_type.map_or_else(|| self.type_name.clone(), SqlType::declaration)
    }

    /// How many characters a `character varying` may have; any number, unless it says.
    pub fn length(&self) -> u32 {
        // The modifier counts the four bytes of a header.
        u32::try_from(self.typmod - 4).unwrap_or(u32::MAX)
    }

    /// Whether every value of `self`, written into `other` and read from there as text, is the
    /// same value again.
    pub fn comes_back_from(&self, other: &Column) -> bool {
        const INTEGERS: [u32; 3] = Column::INTEGERS;
        const TEXTS: [u32; 2] = Column::TEXTS;
        const UUID: [u32; 1] = [Column::UUID];
        const STAMPS: [u32; 2] = [Column::TIMESTAMP, Column::TIMESTAMPTZ];
        let is = |types: &[u32], c: &Column| types.contains(&c.type_oid);
        let plain = is(&TEXTS, self) || is(&INTEGERS, self) || is(&UUID, self);
        self.passes_into(other)
            || self.type_name == other.type_name
            || is(&INTEGERS, self) && is(&INTEGERS, other)
            || plain && is(&TEXTS, other)
            || is(&STAMPS, self) && is(&STAMPS, other) && self.typmod == other.typmod
    }

    /// Whether a binary COPY of `self` can be read as `other`: PostgreSQL itself accepts
    /// mismatched binary types in silence. Values of SQL Server are written as the cloud's type, and
    /// read as it: what can be is the same both ways.
    pub fn passes_into(&self, other: &Column) -> bool {
        match (&self.sql_type, &other.sql_type) {
            (Some(desktop), _) => other.portable && desktop.fits(other.pg_type()) != Fit::No,
            (_, Some(desktop)) => self.portable && desktop.fits(self.pg_type()) != Fit::No,
            (None, None) => self.is_same_type(other),
        }
    }

    fn is_same_type(&self, other: &Column) -> bool {
        self.portable
            && other.portable
            && self.type_oid == other.type_oid
            && self.typmod == other.typmod
    }
}

/// A primary key.
#[derive(Debug, Clone, Deserialize)]
pub struct Key {
    /// Its columns, in the order of the index.
    pub columns: Vec<String>,
    /// DEFERRABLE: `ON CONFLICT` can't use it.
    pub deferrable: bool,
}

/// A unique index over columns, without a condition; NULL is no value to it.
#[derive(Debug, Clone, Deserialize)]
pub struct UniqueIndex {
    /// Its columns, in the order of the index.
    pub columns: Vec<String>,
    /// DEFERRABLE: checked at the end of a statement at the earliest, not row by row.
    pub deferrable: bool,
    /// Whether a foreign key refers to it.
    pub referenced: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// Whether the role that we are may read the table referred to.
    pub readable: bool,
    /// Whether our role may lock rows of the table referred to.
    pub lockable: bool,
    /// The referring columns.
    pub columns: Vec<String>,
    /// The schema of the table referred to.
    pub parent_schema: String,
    /// The name of the table referred to.
    pub parent_name: String,
    /// The columns referred to, in the order of `columns`.
    pub parent_columns: Vec<String>,
}

impl ForeignKey {
    /// The table referred to.
    pub fn parent(&self) -> TableName {
        TableName::new(&self.parent_schema, &self.parent_name)
    }
}

/// Whether a collation takes different texts for the same: all do but the binary ones, of which there is
/// one of UTF-8. Servers that only speak T-SQL spell their names in another case.
fn folds(collation: &str) -> bool {
    let name = collation.to_ascii_uppercase();
    let name = name.strip_suffix("_UTF8").unwrap_or(&name);
    !name.ends_with("_BIN") && !name.ends_with("_BIN2")
}

#[cfg(test)]
mod tests {
    use super::folds;

    #[test]
    fn binary_collations_tell_all_texts_apart() {
        let binary = [
            "Latin1_General_BIN",
            "Latin1_General_BIN2",
            "latin1_general_bin2",
            "Latin1_General_100_BIN2_UTF8",
        ];
        assert_eq!(binary.map(folds), [false; 4]);
        let others = ["SQL_Latin1_General_CP1_CI_AS", "Latin1_General_100_CS_AS_SC_UTF8"];
        assert_eq!(others.map(folds), [true; 2]);
    }
}

//! Which columns of the desktop are stamped when a row changes, and when it is made.

use std::collections::BTreeMap;

use crate::model::schema::{Column, TableSchema};

use super::pairing::folded;

/// Which of the two stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Set by every change.
    Updated,
    /// Set when a row is made.
    Created,
}

impl Stamp {
    /// The key of the configuration, which is the default name as well.
    pub(super) fn key(self) -> &'static str {
        match self {
            Stamp::Updated => "updated_at",
            Stamp::Created => "created_at",
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Stamp::Updated => &[
                "updatedat",
                "modifiedat",
                "changedat",
                "updatedon",
                "modifiedon",
                "changedon",
                "lastupdated",
                "lastmodified",
                "lastupdate",
                "lastchange",
                "lastupdatedat",
                "lastmodifiedat",
                "updateddate",
                "modifieddate",
                "updatetime",
                "modifytime",
            ],
            Stamp::Created => &[
                "createdat",
                "createdon",
                "insertedat",
                "addedat",
                "addedon",
                "creationdate",
                "createddate",
                "createtime",
                "creationtime",
            ],
        }
    }

    /// The columns of `schema` that could be it.
    pub(super) fn candidates(self, schema: &TableSchema) -> Vec<&str> {
        let named = |c: &&Column| self.names().contains(&folded(&c.name).as_str());
        schema.columns.iter().filter(|c| is_stamp(c)).filter(named).map(|c| &*c.name).collect()
    }

    /// The name that most of `tables` have, where they differ the default name if it is among those.
    pub(super) fn of_most(self, tables: &[TableSchema]) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in tables.iter().flat_map(|table| self.candidates(table)) {
            *counts.entry(name).or_default() += 1;
        }
        let most = counts.iter().max_by_key(|(name, count)| (**count, **name == self.key()));
        most.map_or(self.key(), |(name, _)| name).to_owned()
    }

    /// What `schema` has for it, where `general` is the name in most tables.
    pub(super) fn of(self, schema: &TableSchema, general: &str) -> Found {
        let candidates = self.candidates(schema);
        match candidates.as_slice() {
            [] => Found::Nothing,
            names if names.contains(&general) => Found::General,
            [one] => Found::Other((*one).to_owned()),
            several => Found::Several(several.iter().map(|&name| name.to_owned()).collect()),
        }
    }
}

/// A table's own stamp.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It has none.
    Nothing,
    /// It is called as in most tables.
    General,
    /// It is called otherwise.
    Other(String),
    /// Only a person can tell which.
    Several(Vec<String>),
}

fn is_stamp(column: &Column) -> bool {
    [Column::TIMESTAMP, Column::TIMESTAMPTZ].contains(&column.type_oid)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A table with these columns; one in brackets is a text.
    fn schema(columns: &str) -> TableSchema {
        let column = |name: &str| {
            let text = name.starts_with('(');
            json!({
                "name": name.trim_matches(['(', ')']), "type_oid": if text { 25 } else { 1184 },
                "typmod": -1, "type_name": "", "bare_type": "", "portable": true,
                "not_null": false, "has_default": false, "generated": false,
                "identity_always": false,
            })
        };
        let columns: Vec<_> = columns.split_whitespace().map(column).collect();
        serde_json::from_value(json!({
            "schema": "public", "name": "t", "kind": "r", "row_security": false, "readable": true,
            "writable": true, "columns": columns, "primary_key": null, "uniques": [],
            "foreign_keys": [], "before_triggers": false,
        }))
        .unwrap()
    }

    #[test]
    fn the_name_of_most_tables_holds_for_all() {
        for (tables, expected) in [
            (vec![], "updated_at"),
            (vec!["modified_at", "ModifiedAt", "modified_at"], "modified_at"),
            (vec!["modified_at", "updated_at"], "updated_at"),
            (vec!["changed_on", "(updated_at)"], "changed_on"),
        ] {
            let tables: Vec<_> = tables.into_iter().map(schema).collect();
            assert_eq!(Stamp::Updated.of_most(&tables), expected);
        }
    }

    #[test]
    fn a_table_of_its_own_has_its_own() {
        let other = |name: &str| Found::Other(name.to_owned());
        let several = Found::Several(vec!["changed_on".into(), "ModifiedAt".into()]);
        for (columns, expected) in [
            ("id created_at", Found::Nothing),
            ("updated_at changed_on", Found::General),
            ("(updated_at) changed_on", other("changed_on")),
            ("changed_on ModifiedAt", several),
        ] {
            assert_eq!(Stamp::Updated.of(&schema(columns), "updated_at"), expected, "{columns}");
        }
    }
}

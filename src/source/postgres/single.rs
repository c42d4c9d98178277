//! A single row of the source, as people look at it.

use crate::model::TablePlan;
use crate::sql::{json_object, table};

use super::render;

/// The slots of `row_version.sql` for one table, and the settings that they look at.
#[derive(Debug)]
pub struct SingleRow {
    /// The table.
    pub table: String,
    /// Its alias.
    pub alias: &'static str,
    /// The values that travel, as a JSON object of text.
    pub values: String,
    /// That the row has the key `$1`.
    pub is_row: String,
    /// Names and values.
    pub settings: Vec<(&'static str, String)>,
}

impl SingleRow {
    /// The source's.
    pub fn of_source(plan: &TablePlan) -> Self {
        Self {
            table: table(&plan.source),
            alias: "s",
            values: json_object(plan.columns.iter().map(|c| (&*c.name, render::value(c)))),
            is_row: render::key_is_row(plan, "$1::json"),
            settings: render::settings(plan),
        }
    }
}

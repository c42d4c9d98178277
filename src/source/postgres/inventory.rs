//! A table as `verify` asks for it: its rows by key and owner, and how far a position has passed them.

use crate::model::TablePlan;
use crate::model::plan::ColumnPlan;
use crate::sql::{list, literal, table};

use super::render::{self, WATERMARK};

/// The slots of `inventory_*.sql` for one table of one end, and the settings that they look at.
#[derive(Debug)]
pub struct Inventory {
    /// The table, with its alias.
    pub table: String,
    /// The row's key as `_sync_withheld` has it.
    pub key: String,
    /// The row's mark.
    pub owner: String,
    /// Whether the position has passed the row: `read`, `newer` or `unstamped`.
    pub age: String,
    /// Names and values.
    pub settings: Vec<(&'static str, String)>,
}

impl Inventory {
    /// The source's table. Without a watermark nothing has been read yet.
    pub fn of_source(plan: &TablePlan, watermark: Option<&str>) -> Self {
        let mut settings = render::settings(plan);
        settings.extend(watermark.map(|watermark| (WATERMARK, watermark.to_owned())));
        Self {
            table: format!("{} s", table(&plan.source)),
            key: key(plan, render::value),
            owner: format!("({})::text", render::value(plan.owner_column())),
            age: match watermark {
                Some(_) => age(&render::stamp(plan)),
                None => "'newer'".to_owned(),
            },
            settings,
        }
    }
}

/// The key as a JSON object, column of the cloud → text.
pub fn key(plan: &TablePlan, value: impl Fn(&ColumnPlan) -> String) -> String {
    let pair = |c: &ColumnPlan| format!("{}, ({})::text", literal(&c.name), value(c));
    format!("jsonb_build_object({})::text", list(plan.key_columns().map(pair), ", "))
}

/// A row at the watermark may have been committed since.
fn age(stamp: &str) -> String {
    let watermark = render::setting(WATERMARK, "timestamptz");
    format!(
        "case when {stamp} >= {watermark} then 'newer' when {stamp} is null then 'unstamped' \
         else 'read' end"
    )
}

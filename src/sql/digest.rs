//! The digest of a row's content: two rows with the same one are the same version, at whichever end
//! and in whichever direction they are looked at.

use crate::model::TablePlan;
use crate::model::plan::{ColumnPlan, Origin, Passage};

use super::{column, list, literal};

/// Of the source's row `alias`.
pub fn of_source(plan: &TablePlan, alias: &str) -> String {
    let value = |c: &ColumnPlan| match &c.origin {
        Origin::Column { name, type_name } => same_at_both(plan, c, type_name, column(alias, name)),
        Origin::Owner => literal(&plan.owner.writer),
    };
    digest(plan, value)
}

/// Of the target's row `alias`.
pub fn of_target(plan: &TablePlan, alias: &str) -> String {
    digest(plan, |c| same_at_both(plan, c, &c.target_type, column(alias, &c.target)))
}

/// Of a staged row; `value` is a column of it in the target's type.
pub fn of_staged(plan: &TablePlan, value: impl Fn(&ColumnPlan) -> String) -> String {
    digest(plan, |c| same_at_both(plan, c, &c.target_type, value(c)))
}

/// By the binary form, as equality is: no setting of the session has a say in it.
fn digest(plan: &TablePlan, value: impl Fn(&ColumnPlan) -> String) -> String {
    let values = plan.content.iter().map(|&i| value(&plan.columns[i]));
    format!("md5(record_send(row({})))", list(values, ", "))
}

/// The value in a form that looks the same at both ends.
fn same_at_both(plan: &TablePlan, c: &ColumnPlan, type_name: &str, value: String) -> String {
    match (c.passage, &plan.settings.assume_timezone) {
        (Passage::Straight, _) => value,
        (Passage::Zoned, Some(zone)) if type_name.ends_with("without time zone") => {
            format!("({value} at time zone {})", literal(zone))
        }
        (Passage::Zoned, _) => value,
        (Passage::Text, _) => format!("({value})::text"),
    }
}

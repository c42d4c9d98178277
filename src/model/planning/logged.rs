//! Desktop tables whose changes are found by a log of their own (`capture = "log"`).

use crate::error::{Error, Result};
use crate::model::logging::{KeyText, LoggedColumn, Logging};
use crate::model::plan::{ColumnPlan, Direction, Given, Passage, TablePlan};
use crate::model::settings::Capture;
use crate::model::types::{Form, Length, SqlType};

/// What the log of `plan`'s table has to be; `plan` is of the forward direction.
pub(super) fn logging(plan: &TablePlan, given: Given<'_>) -> Result<Logging> {
    let mut key = plan.key_columns().map(|c| column(c, given)).collect::<Result<Vec<_>>>()?;
    key.sort_by_key(|column| (column.name.len(), column.name.clone()));
    Ok(Logging { label: plan.label(), table: plan.source.clone(), key })
}

/// Without the right trigger changes would be lost.
pub(super) fn refuse_unlogged(plan: &TablePlan, given: Given<'_>) -> Result<()> {
    if plan.direction == Direction::Reverse || plan.capture != Capture::DesktopLog {
        return Ok(());
    }
    let trigger = logging(plan, given)?.trigger();
    let is_there = given.desktop.is_some_and(|table| table.desktop_log.contains(&trigger.name));
    match is_there && given.desktop_remembers {
        true => Ok(()),
        false => Err(Error::config(
            format!(
                "the desktop's table has no trigger {trigger} that logs its changes; it is missing, \
                 disabled or made for another key, or this role may not see it"
            ),
            "Run `tidegate migrate` as a role that may alter the table; so that the run's role sees \
             the trigger: grant view definition on the table to it.",
        )),
    }
}

fn column(c: &ColumnPlan, given: Given<'_>) -> Result<LoggedColumn> {
    let of_desktop = c.source_name().and_then(|name| given.desktop?.column(name));
    let Some((of_desktop, of)) = of_desktop.and_then(|found| Some((found, found.sql_type?))) else {
        return Err(unfit(c, "has no type that a log could keep"));
    };
    // A user's write must not fail because of the log.
    if !of_desktop.not_null {
        return Err(unfit(c, "may be null"));
    }
    let text = text(c, of)
        .ok_or_else(|| unfit(c, &format!("is a {}, which no log keeps", of.declaration())))?;
    Ok(LoggedColumn {
        name: c.name.clone(),
        column: of_desktop.name.clone(),
        declaration: of.declaration(),
        text,
    })
}

/// How the cloud's text is made of a value, where T-SQL can.
fn text(c: &ColumnPlan, of: SqlType) -> Option<KeyText> {
    let form = match c.passage {
        Passage::Straight => c.travels_as.form(),
        Passage::Text => of.travels_as().form(),
        Passage::Zoned => None,
    };
    Some(match (of, form?) {
        (SqlType::Bit, Form::Bool) => KeyText::Truth,
        (
            SqlType::Bit
            | SqlType::TinyInt
            | SqlType::SmallInt
            | SqlType::Int
            | SqlType::BigInt
            | SqlType::Decimal { .. },
            Form::Int2 | Form::Int4 | Form::Int8 | Form::Numeric,
        ) => KeyText::Number,
        (SqlType::UniqueIdentifier, Form::Uuid) => KeyText::Uuid,
        (SqlType::Date, Form::Date) => KeyText::Date,
        (SqlType::Char { .. } | SqlType::NChar { .. }, Form::Text) => KeyText::Padded,
        (
            SqlType::VarChar { length: Length::Of(_), .. }
            | SqlType::NVarChar { length: Length::Of(_) },
            Form::Text,
        ) => KeyText::Text,
        _ => return None,
    })
}

fn unfit(c: &ColumnPlan, why: &str) -> Error {
    Error::config(
        format!("the desktop's key column {} {why}", c.source_name().unwrap_or(&c.name)),
        "Set capture = \"rowversion\" for this table and give it a column of that type; or \
         capture = \"timestamp\", with a lag. A log keeps integers, bit, decimal, date, \
         uniqueidentifier and texts of a limited length, none of them null.",
    )
}

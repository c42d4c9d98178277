//! The columns that tell when a row was changed.

use crate::error::{End, Error, Result};
use crate::model::plan::{ColumnPlan, Stamp, StampPlan};
use crate::model::schema::Column;
use crate::model::settings::{Capture, TableSettings};

use super::Ends;

/// The stamps of both ends.
pub(super) fn plan(
    settings: &TableSettings,
    ends: Ends<'_>,
    capture: Capture,
    columns: &[ColumnPlan],
) -> Result<StampPlan> {
    let (source, target) = (ends.direction.source(), ends.direction.target());
    let names = [&settings.updated_at, &settings.created_at];
    let found = find(settings, ends, source, &names).collect::<Result<Vec<_>>>()?;
    if found.is_empty() && capture == Capture::Timestamp {
        let [updated_at, created_at] = names.map(|name| called(settings, source, name));
        return Err(Error::config(
            format!("the {source}'s table has neither {updated_at} nor {created_at}"),
            "Name its stamps with updated_at and created_at, or add the columns: without a stamp \
             changes can't be seen.",
        ));
    }
    let in_target = |name: &str| {
        columns.iter().find(|c| c.source_name() == Some(name)).map(|c| c.target.clone())
    };
    Ok(StampPlan {
        target: found.iter().filter_map(|stamp| in_target(&stamp.name)).collect(),
        updated_at: in_target(called(settings, source, &settings.updated_at)),
        held: find(settings, ends, target, &names).filter_map(Result::ok).collect(),
        mobile: find(settings, ends, End::Cloud, &names[..1]).find_map(Result::ok),
        source: found,
    })
}

/// What `end` calls the desktop's column `name`.
fn called<'n>(settings: &'n TableSettings, end: End, name: &'n str) -> &'n str {
    match end {
        End::Desktop => name,
        End::Cloud => settings.cloud_name(name),
    }
}

/// The stamps called `names` that a table has.
fn find<'n>(
    settings: &'n TableSettings,
    ends: Ends<'n>,
    end: End,
    names: &'n [&String],
) -> impl Iterator<Item = Result<Stamp>> + 'n {
    let column = move |name: &&String| ends.at(end).column(called(settings, end, name));
    names.iter().filter_map(column).map(|column| stamp(settings, column))
}

fn stamp(settings: &TableSettings, column: &Column) -> Result<Stamp> {
    let zoneless = match column.type_oid {
        Column::TIMESTAMPTZ => false,
        Column::TIMESTAMP => {
            zone(settings, &column.name)?;
            true
        }
        _ => {
            return Err(Error::config(
                format!("the stamp {} is a {}", column.name, column.type_name),
                "capture = \"timestamp\" needs a timestamp or timestamptz column.",
            ));
        }
    };
    Ok(Stamp { name: column.name.clone(), zoneless, sql_type: column.sql_type })
}

/// The zone of a stamp without one must be known.
pub(super) fn zone(settings: &TableSettings, column: &str) -> Result<()> {
    if settings.assume_timezone.is_some() {
        return Ok(());
    }
    Err(Error::config(
        format!("the column {column} is a timestamp without a zone"),
        "Say which zone its values are in: assume_timezone = \"Europe/London\".",
    ))
}

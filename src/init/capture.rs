//! How changes of a SQL Server's tables are found: by the versions of their rows, where they have a
//! column of these; otherwise by stamps, which need a lag that only a person knows.

use crate::config::DesktopKind;
use crate::model::Capture;
use crate::model::schema::TableSchema;
use crate::model::types::SqlType;

use super::decision::{Table, Undecided};

/// What holds for most of `tables`.
pub(super) fn of_most(tables: &[TableSchema], kind: DesktopKind) -> Capture {
    let with_versions = tables.iter().filter(|table| has_versions(table)).count();
    match kind == DesktopKind::SqlServer && with_versions * 2 >= tables.len() {
        true => Capture::Rowversion,
        false => Capture::Timestamp,
    }
}

fn has_versions(table: &TableSchema) -> bool {
    table.columns.iter().any(|c| c.sql_type == Some(SqlType::RowVersion))
}

/// Whether a lag has to be set on purpose.
pub(super) fn needs_lag(capture: Capture, kind: DesktopKind) -> bool {
    kind == DesktopKind::SqlServer && capture == Capture::Timestamp
}

/// The table with what holds for it alone; `general` holds for most.
pub(super) fn of_table(
    mut table: Table,
    desktop: &TableSchema,
    general: Capture,
    kind: DesktopKind,
) -> Table {
    let own = of_most(std::slice::from_ref(desktop), kind);
    if own != general {
        table.capture = Some(own);
        if needs_lag(own, kind) {
            let Undecided { question, remedy, suggestion, .. } = unseen();
            let open = Undecided::of(&table.cloud, question, remedy);
            table.undecided.push(Undecided { suggestion, ..open });
        }
    }
    table
}

/// What nobody can see.
pub(super) fn unseen() -> Undecided {
    Undecided::of_all(
        "how long a transaction of the desktop takes: nobody can see on a SQL Server when open ones \
         began",
        "Give the desktop's tables a column of type rowversion, and set capture = \"rowversion\"; or \
         take the '#' off lag and set it to more than the longest takes. Until then runs refuse what \
         is read by its stamps.",
    )
    .suggesting("lag = \"10m\"")
}

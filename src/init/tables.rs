//! What is proposed for each table that both ends have.

use crate::model::plan::Given;
use crate::model::schema::{Column, TableSchema};
use crate::model::{Capture, Direction, Ownership, TableName, TableSettings, planning};

use super::columns;
use super::decision::{Draft, Table, Undecided, listed, plain};
use super::read::TriggerFunction;
use super::stamps::{Found, Stamp};
use super::triggers;
use crate::config::{self, DesktopKind, quote};

const REFUSED: &str = "until that is done";
const OPEN: &str = "until that is decided";
const ZONELESS: &str = "until assume_timezone is set";

/// Both descriptions of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Both<'s> {
    pub(super) desktop: &'s TableSchema,
    pub(super) cloud: &'s TableSchema,
}

impl Table {
    /// What a run would do wrong is not enabled before it is decided.
    pub(super) fn leave_open(&mut self, undecided: Undecided) {
        self.disabled = self.disabled.or(Some(OPEN));
        self.undecided.push(undecided);
    }
}

/// The table with its stamps.
pub(super) fn table(
    both: Both<'_>,
    updated_at: &str,
    created_at: &str,
    kind: DesktopKind,
) -> Table {
    let mut table = Table {
        cloud: both.cloud.table(),
        desktop: both.desktop.table(),
        stamps: Vec::new(),
        rename: Vec::new(),
        exclude: Vec::new(),
        capture: None,
        forward_only: false,
        disabled: None,
        notes: Vec::new(),
        undecided: Vec::new(),
    };
    if table.desktop != config::desktop_name(&table.cloud, kind) {
        table.notes.push(format!(
            "Taken for the desktop's {}, by the name alone.",
            plain(&table.desktop.to_string())
        ));
    }
    if kind == DesktopKind::SqlServer {
        columns::settle(&mut table, both);
    }
    let stamps = [(Stamp::Updated, updated_at), (Stamp::Created, created_at)];
    let found = stamps.map(|(stamp, general)| (stamp, stamp.of(both.desktop, general)));
    let only_created =
        matches!(&found, [(_, Found::Nothing), (_, Found::General | Found::Other(_))]);
    for (stamp, found) in found {
        match found {
            Found::Nothing | Found::General => {}
            Found::Other(name) => table.stamps.push((stamp.key(), name)),
            Found::Several(names) => table.leave_open(which(stamp, &table.cloud, &names)),
        }
    }
    if only_created {
        table.undecided.push(Undecided::of(
            &table.cloud,
            "how a change is to be seen: no column of the desktop's is called like a stamp of changes",
            "New rows arrive; changed ones with forward --full only, until there is such a column \
             and it is named with updated_at.",
        ));
    }
    table
}

fn which(stamp: Stamp, table: &TableName, names: &[String]) -> Undecided {
    let what = match stamp {
        Stamp::Updated => "every change stamps",
        Stamp::Created => "is stamped when a row is made",
    };
    let key = stamp.key();
    Undecided::of(
        table,
        format!("which of {} {what}", listed(names)),
        format!("Name it with {key}."),
    )
    .suggesting(format!("{key} = {}", quote::string(&names[0])))
}

/// Plans every table of the draft as a run would, and notes what stands in its way.
pub(super) fn judge(
    draft: &mut Draft,
    schemas: &[Both<'_>],
    settings: &[TableSettings],
    functions: &[TriggerFunction],
    cloud_tables: &[TableName],
) -> Vec<String> {
    let synced: Vec<TableName> = draft.tables.iter().map(|t| t.cloud.clone()).collect();
    let ownership = draft.ownership.clone();
    let mut zoneless = Vec::new();
    let mut parents = Vec::new();
    for ((table, both), settings) in draft.tables.iter_mut().zip(schemas).zip(settings) {
        columns::note(table, *both, settings, &ownership);
        note_direction(table, *both, settings, &ownership);
        let in_question = zoneless_columns(*both, settings);
        let zone_open = !in_question.is_empty() && settings.assume_timezone.is_none();
        let assume_timezone = match zone_open {
            true => Some("UTC".to_owned()),
            false => settings.assume_timezone.clone(),
        };
        let settings = TableSettings { assume_timezone, ..settings.clone() };
        parents.push(match plan(*both, &settings, &ownership, &synced) {
            Ok(parents) => parents,
            Err(refusal) => {
                table.disabled = table.disabled.or(Some(REFUSED));
                table.undecided.push(refusal);
                Vec::new()
            }
        });
        if zone_open {
            table.disabled = table.disabled.or(Some(ZONELESS));
            zoneless.push(format!("{} ({})", plain(&table.cloud.to_string()), listed(in_question)));
        }
        let of_table = functions.iter().filter(|f| f.table == both.cloud.table());
        of_table
            .filter_map(|function| writes_elsewhere(function, cloud_tables))
            .for_each(|open| table.leave_open(open));
    }
    note_parents(draft, &parents);
    zoneless
}

/// The parents of a table that can be synced, or why it can't be. Rights are another matter: they
/// are granted once it is known for what.
fn plan(
    both: Both<'_>,
    settings: &TableSettings,
    ownership: &Ownership,
    synced: &[TableName],
) -> Result<Vec<TableName>, Undecided> {
    let (source, target) = (both.desktop.as_granted(), both.cloud.as_granted());
    let given = Given {
        settings,
        ownership,
        cloud_capture: Capture::Timestamp,
        desktop: Some(&source),
        cloud: Some(&target),
        synced,
        desktop_remembers: false,
    };
    match planning::plan(Direction::Forward, given) {
        Ok(plan) => Ok(plan.parents.into_iter().map(|parent| parent.table).collect()),
        Err(e) => Err(Undecided::of(&settings.cloud, e.to_string(), e.remedy())),
    }
}

/// Tables that only the cloud knows owners of.
fn note_direction(
    table: &mut Table,
    both: Both<'_>,
    settings: &TableSettings,
    ownership: &Ownership,
) {
    let column = &ownership.column;
    let is_it = |c: &Column| settings.cloud_name(&c.name) == column;
    table.forward_only =
        both.cloud.column(column).is_some() && !both.desktop.columns.iter().any(is_it);
    if table.forward_only {
        table.notes.push(format!(
            "Forward only: the desktop has no {} here, so all its rows are its own and no mobile \
             work comes home.",
            plain(column)
        ));
    }
}

/// Columns that a zone is needed for: stamps without one, and what has one at the other end only.
fn zoneless_columns(both: Both<'_>, settings: &TableSettings) -> Vec<String> {
    const BOTH: [u32; 2] = [Column::TIMESTAMP, Column::TIMESTAMPTZ];
    let is_stamp = |c: &Column| [&settings.updated_at, &settings.created_at].contains(&&c.name);
    let mixed = |c: &Column| {
        both.cloud
            .column(settings.cloud_name(&c.name))
            .is_some_and(|other| other.type_oid != c.type_oid && BOTH.contains(&other.type_oid))
    };
    let needs = |c: &&Column| {
        BOTH.contains(&c.type_oid) && (mixed(c) || c.type_oid == Column::TIMESTAMP && is_stamp(c))
    };
    both.desktop.columns.iter().filter(needs).map(|c| c.name.clone()).collect()
}

/// Never set by itself: what it names is no longer guarded by the check.
fn writes_elsewhere(function: &TriggerFunction, tables: &[TableName]) -> Option<Undecided> {
    let TriggerFunction { table, trigger, source } = function;
    let written = triggers::written(source, table, tables);
    if written.is_empty() {
        return None;
    }
    let open = Undecided::of(
        table,
        format!("whether the cloud's trigger {trigger} may write to {}", listed(&written)),
        "If so, take the '#' off also_writes. If it isn't allowed and does write there, runs of the \
         table are rolled back, with exit code 20.",
    );
    Some(open.suggesting(format!(
        "also_writes = {}",
        quote::list(written.iter().map(ToString::to_string))
    )))
}

/// Rows whose parents nobody brings may wait for ever.
fn note_parents(draft: &mut Draft, parents: &[Vec<TableName>]) {
    let enabled: Vec<TableName> =
        draft.tables.iter().filter(|t| t.disabled.is_none()).map(|t| t.cloud.clone()).collect();
    for (table, parents) in draft.tables.iter_mut().zip(parents) {
        let mut missing: Vec<_> = parents.iter().filter(|p| !enabled.contains(p)).collect();
        missing.sort();
        missing.dedup();
        if table.disabled.is_none() && !missing.is_empty() {
            table.notes.push(format!(
                "It refers to {}, not synced: a row whose parent is not in the cloud waits for it.",
                listed(missing)
            ));
        }
    }
}

/// What the roles still lack.
pub(super) fn missing_rights(schemas: &[Both<'_>]) -> Vec<Undecided> {
    let lacking = |lacks: &dyn Fn(&Both<'_>) -> bool, name: &dyn Fn(&Both<'_>) -> TableName| {
        listed(schemas.iter().filter(|both| lacks(both)).map(name))
    };
    let desktop = lacking(&|both| !both.desktop.readable, &|both| both.desktop.table());
    let writable = |both: &Both<'_>| both.cloud.readable && both.cloud.writable;
    let cloud = lacking(&|both| !writable(both), &|both| both.cloud.table());
    [("desktop", "select", desktop), ("cloud", "select, insert, update", cloud)]
        .into_iter()
        .filter(|(_, _, tables)| !tables.is_empty())
        .map(|(end, rights, tables)| {
            Undecided::of_all(
                format!("the {end}'s role lacks rights on {tables}"),
                format!(
                    "It needs {rights} on them, and what `tidegate grants` prints beside: run \
                     that as their owner, after `tidegate migrate`."
                ),
            )
        })
        .collect()
}

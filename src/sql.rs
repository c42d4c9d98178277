//! Renders the statements of `sql/`, and is the only place that quotes an identifier.
//!
//! A statement is a whole file with `{{slots}}`. Slots take identifiers and expressions that were
//! built here or from the catalogue; values are always bound, never put into a slot.

mod dialect;

pub mod digest;
pub mod log;
pub mod logging;
pub mod tsql;

use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::TableName;

pub use dialect::Dialect;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../sql/", $name)))),*]
    };
}

/// Every statement by its path below `sql/`.
const FILES: &[(&str, &str)] = &files![
    "migrations/000_start.sql",
    "migrations/001_tables.sql",
    "migrations/002_refused_rows.sql",
    "migrations/003_both_ways.sql",
    "migrations/004_change_log.sql",
    "migrations/exists.sql",
    "migrations/version.sql",
    "postgres/as_planned.sql",
    "postgres/baseline.sql",
    "postgres/begin.sql",
    "postgres/belongings.sql",
    "postgres/bind.sql",
    "postgres/books.sql",
    "postgres/catalogue.sql",
    "postgres/changed_since.sql",
    "postgres/check_begin.sql",
    "postgres/check_counts.sql",
    "postgres/check_rights.sql",
    "postgres/check_server.sql",
    "postgres/check_tables.sql",
    "postgres/check_triggers.sql",
    "postgres/claim.sql",
    "postgres/classify.sql",
    "postgres/classify_pinned.sql",
    "postgres/clear.sql",
    "postgres/conflicts.sql",
    "postgres/count_owner.sql",
    "postgres/count_rows.sql",
    "postgres/count_verdicts.sql",
    "postgres/dedupe.sql",
    "postgres/detach.sql",
    "postgres/drop_begin.sql",
    "postgres/drop_functions.sql",
    "postgres/drop_schema.sql",
    "postgres/drop_tables.sql",
    "postgres/due.sql",
    "postgres/finish_run.sql",
    "postgres/foreign_rows.sql",
    "postgres/forget_gone.sql",
    "postgres/horizon.sql",
    "postgres/inventory_buckets.sql",
    "postgres/inventory_count.sql",
    "postgres/inventory_keys.sql",
    "postgres/is_key.sql",
    "postgres/lock.sql",
    "postgres/log_always.sql",
    "postgres/log_begins.sql",
    "postgres/log_begins_again.sql",
    "postgres/log_begun.sql",
    "postgres/log_change_trigger.sql",
    "postgres/log_drop_trigger.sql",
    "postgres/log_entries.sql",
    "postgres/log_lock.sql",
    "postgres/log_of_row.sql",
    "postgres/log_since.sql",
    "postgres/log_size.sql",
    "postgres/log_tables.sql",
    "postgres/log_truncate_trigger.sql",
    "postgres/logged_since.sql",
    "postgres/merge.sql",
    "postgres/met.sql",
    "postgres/moment.sql",
    "postgres/move_position.sql",
    "postgres/move_position_log.sql",
    "postgres/move_position_rowversion.sql",
    "postgres/move_quiet.sql",
    "postgres/opposite.sql",
    "postgres/overwrite.sql",
    "postgres/own_output.sql",
    "postgres/owner_marks.sql",
    "postgres/parents.sql",
    "postgres/park.sql",
    "postgres/pin.sql",
    "postgres/pinned.sql",
    "postgres/place_position.sql",
    "postgres/positions.sql",
    "postgres/present_output.sql",
    "postgres/prunable.sql",
    "postgres/prune_log.sql",
    "postgres/queue.sql",
    "postgres/read_after.sql",
    "postgres/read_all.sql",
    "postgres/read_back.sql",
    "postgres/read_keys.sql",
    "postgres/read_log.sql",
    "postgres/read_log_all.sql",
    "postgres/read_log_keys.sql",
    "postgres/read_since.sql",
    "postgres/record_counts.sql",
    "postgres/record_failure.sql",
    "postgres/record_run.sql",
    "postgres/release.sql",
    "postgres/remember.sql",
    "postgres/retry_keys.sql",
    "postgres/ring_edge.sql",
    "postgres/rings.sql",
    "postgres/row_base.sql",
    "postgres/row_changes.sql",
    "postgres/row_key.sql",
    "postgres/row_met.sql",
    "postgres/row_records.sql",
    "postgres/row_version.sql",
    "postgres/samples.sql",
    "postgres/seen.sql",
    "postgres/sequence_below.sql",
    "postgres/sequence_draw.sql",
    "postgres/sequence_look.sql",
    "postgres/sequence_set.sql",
    "postgres/sequences.sql",
    "postgres/sequences_stand.sql",
    "postgres/set_aside.sql",
    "postgres/snapshot.sql",
    "postgres/stage.sql",
    "postgres/stage_copy.sql",
    "postgres/state.sql",
    "postgres/status.sql",
    "postgres/tables.sql",
    "postgres/trash.sql",
    "postgres/trash_entry.sql",
    "postgres/trigger_functions.sql",
    "postgres/unaltered.sql",
    "postgres/unique.sql",
    "postgres/withheld_entry.sql",
    "postgres/withheld_keys.sql",
    "postgres/withheld_reasons.sql",
    "postgres/withhold.sql",
    "sqlserver/as_planned.sql",
    "sqlserver/begin.sql",
    "sqlserver/belongings.sql",
    "sqlserver/catalogue.sql",
    "sqlserver/changed_since.sql",
    "sqlserver/check_counts.sql",
    "sqlserver/check_rights.sql",
    "sqlserver/check_server.sql",
    "sqlserver/check_tables.sql",
    "sqlserver/check_triggers.sql",
    "sqlserver/claim.sql",
    "sqlserver/commit.sql",
    "sqlserver/committed.sql",
    "sqlserver/conflicts.sql",
    "sqlserver/count_owner.sql",
    "sqlserver/count_rows.sql",
    "sqlserver/definition.sql",
    "sqlserver/drop_begin.sql",
    "sqlserver/drop_schema.sql",
    "sqlserver/drop_tables.sql",
    "sqlserver/finish_run.sql",
    "sqlserver/forget_gone.sql",
    "sqlserver/horizon.sql",
    "sqlserver/images.sql",
    "sqlserver/images_of_table.sql",
    "sqlserver/insert.sql",
    "sqlserver/inventory.sql",
    "sqlserver/left_for_later.sql",
    "sqlserver/log_begins.sql",
    "sqlserver/log_begun.sql",
    "sqlserver/log_forget.sql",
    "sqlserver/log_lock.sql",
    "sqlserver/log_own.sql",
    "sqlserver/log_page.sql",
    "sqlserver/log_prunable.sql",
    "sqlserver/log_prune.sql",
    "sqlserver/log_since.sql",
    "sqlserver/log_trigger.sql",
    "sqlserver/logged_keys.sql",
    "sqlserver/lookup.sql",
    "sqlserver/make_positions.sql",
    "sqlserver/make_run.sql",
    "sqlserver/met.sql",
    "sqlserver/migrations/000_start.sql",
    "sqlserver/migrations/001_tables.sql",
    "sqlserver/migrations/002_change_log.sql",
    "sqlserver/migrations/begin.sql",
    "sqlserver/migrations/create_schema.sql",
    "sqlserver/migrations/exists.sql",
    "sqlserver/migrations/version.sql",
    "sqlserver/move_position.sql",
    "sqlserver/move_quiet.sql",
    "sqlserver/opposite.sql",
    "sqlserver/owner_marks.sql",
    "sqlserver/parents.sql",
    "sqlserver/patient.sql",
    "sqlserver/place_position.sql",
    "sqlserver/positions.sql",
    "sqlserver/prunable.sql",
    "sqlserver/read_after.sql",
    "sqlserver/read_all.sql",
    "sqlserver/read_back.sql",
    "sqlserver/read_keys.sql",
    "sqlserver/read_logged.sql",
    "sqlserver/read_since.sql",
    "sqlserver/record_counts_again.sql",
    "sqlserver/record_counts_new.sql",
    "sqlserver/record_failure.sql",
    "sqlserver/record_run.sql",
    "sqlserver/release.sql",
    "sqlserver/remember_again.sql",
    "sqlserver/remember_new.sql",
    "sqlserver/roll_back.sql",
    "sqlserver/row_records.sql",
    "sqlserver/rowversion.sql",
    "sqlserver/snapshot.sql",
    "sqlserver/stage.sql",
    "sqlserver/stage_line.sql",
    "sqlserver/state.sql",
    "sqlserver/status.sql",
    "sqlserver/tables.sql",
    "sqlserver/take_turn.sql",
    "sqlserver/target.sql",
    "sqlserver/touch.sql",
    "sqlserver/trash.sql",
    "sqlserver/trash_entry.sql",
    "sqlserver/update.sql",
    "sqlserver/withheld.sql",
    "sqlserver/withheld_entry.sql",
    "sqlserver/withheld_known.sql",
    "sqlserver/withhold_again.sql",
    "sqlserver/withhold_new.sql",
    "sqlserver/write_locks.sql",
];

/// The statements that the program runs.
#[derive(Debug, Clone)]
pub struct Sql {
    files: Vec<(&'static str, Cow<'static, str>)>,
    recorder: Option<Recorder>,
}

/// Keeps every statement that is rendered, in order, to be shown.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<Rendered>>>);

/// A statement as it was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Its path below `sql/`.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

impl Recorder {
    /// What was rendered since the last time.
    pub fn take(&self) -> Vec<Rendered> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, name: &'static str, text: &str) {
        let rendered = Rendered { name, text: text.to_owned() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(rendered);
    }
}

impl Default for Sql {
    fn default() -> Self {
        let files = FILES.iter().map(|&(name, text)| (name, Cow::Borrowed(text))).collect();
        Self { files, recorder: None }
    }
}

impl Sql {
    /// The statement `name` with its slots filled; what a slot is filled with is not looked at
    /// again.
    pub fn render(&self, name: &'static str, slots: &[(&str, &str)]) -> String {
        let text = self.files.iter().find(|(n, _)| *n == name).map_or("", |(_, text)| text);
        debug_assert!(!text.is_empty(), "no statement {name}");
        let mut rendered = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some((before, slot, after)) = next_slot(rest) {
            let filling = slots.iter().find(|(name, _)| *name == slot).map(|(_, text)| *text);
            debug_assert!(filling.is_some(), "{name}: nothing for the slot {slot}");
            rendered.push_str(before);
            rendered.push_str(filling.unwrap_or_default());
            rest = after;
        }
        rendered.push_str(rest);
        if let Some(recorder) = &self.recorder {
            recorder.note(name, &rendered);
        }
        rendered
    }

    /// The same statements; `recorder` keeps what is rendered.
    pub fn recorded(mut self, recorder: &Recorder) -> Self {
        self.recorder = Some(recorder.clone());
        self
    }

    /// The same statements, but in `name` each `from` replaced by `to`. For tests that plant a
    /// fault and see the check bite.
    ///
    /// # Panics
    /// When there is nothing to replace: the test would prove nothing.
    pub fn planted(mut self, name: &str, from: &str, to: &str) -> Self {
        let file = self.files.iter_mut().find(|(n, text)| *n == name && text.contains(from));
        assert!(file.is_some(), "{name} does not contain {from}");
        if let Some((_, text)) = file {
            *text = Cow::Owned(text.replace(from, to));
        }
        self
    }
}

fn next_slot(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (slot, after) = rest.split_once("}}")?;
    Some((before, slot, after))
}

/// `name` as a quoted identifier.
pub fn ident(name: &str) -> String {
    postgres_protocol::escape::escape_identifier(name)
}

/// `table` as a quoted, schema-qualified name.
pub fn table(table: &TableName) -> String {
    format!("{}.{}", ident(&table.schema), ident(&table.name))
}

/// `text` as a string literal. Only for names that come from a catalogue or the server.
pub fn literal(text: &str) -> String {
    postgres_protocol::escape::escape_literal(text).trim_start().to_owned()
}

/// `alias`.`column`, quoted.
pub fn column(alias: &str, column: &str) -> String {
    format!("{alias}.{}", ident(column))
}

/// A JSON object of names and values, each as text. An aggregate, because a function takes no more than
/// 100 arguments and a table has 1,600 columns.
pub fn json_object<'n>(pairs: impl IntoIterator<Item = (&'n str, String)>) -> String {
    let pair = |(name, value): (&str, String)| format!("({}, ({value})::text)", literal(name));
    format!(
        "(select jsonb_object_agg(j.name, j.value) from (values {}) as j (name, value))",
        list(pairs.into_iter().map(pair), ", ")
    )
}

/// Joins what `items` gives with `separator`.
pub fn list(items: impl IntoIterator<Item = String>, separator: &str) -> String {
    items.into_iter().collect::<Vec<_>>().join(separator)
}

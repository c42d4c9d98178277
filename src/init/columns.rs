//! Columns of one end only, and those that may be one under two names.

use crate::config::quote;
use crate::model::schema::{Column, TableSchema};
use crate::model::types::SqlType;
use crate::model::{Ownership, TableSettings};

use super::decision::{Table, Undecided, listed};
use super::pairing::folded;
use super::tables::Both;

/// Of a SQL Server: takes its columns for those of the cloud that are spelled alike, and leaves out what
/// can't travel. Neither end tells cases apart as the other does, so the spelling tells nothing.
pub(super) fn settle(table: &mut Table, both: Both<'_>) {
    let refused = both.desktop.columns.iter().filter(|c| c.refused.is_some());
    table.exclude = refused.clone().map(|c| c.name.clone()).collect();
    for (name, why) in refused.filter_map(|c| Some((&c.name, c.refused.as_ref()?))) {
        table.notes.push(format!("Left out: {} {why}.", listed([name])));
    }
    let travels = |c: &&Column| c.refused.is_none();
    let lacking = both.desktop.columns.iter().filter(travels);
    let lacking: Vec<String> =
        lacking.map(|c| c.name.clone()).filter(|name| both.cloud.column(name).is_none()).collect();
    table.rename = renamed(&lacking, &lacking_in(both.desktop, both.cloud));
    if !table.rename.is_empty() {
        table.notes.push("Columns are taken for each other by their names alone.".to_owned());
    }
}

/// Notes what the cloud lacks, and asks about what it may call otherwise.
pub(super) fn note(
    table: &mut Table,
    both: Both<'_>,
    settings: &TableSettings,
    ownership: &Ownership,
) {
    let is_version = |c: &Column| c.sql_type == Some(SqlType::RowVersion);
    let travels = |c: &&Column| !settings.exclude.contains(&c.name) && !is_version(c);
    let in_cloud = |c: &&Column| both.cloud.column(settings.cloud_name(&c.name)).is_some();
    let columns = || both.desktop.columns.iter().filter(travels);
    let drift = columns().filter(|c| !in_cloud(c));
    let drift: Vec<String> = drift.map(|c| c.name.clone()).collect();
    let taken: Vec<&str> = columns().map(|c| settings.cloud_name(&c.name)).collect();
    let is_free = |name: &&String| !taken.contains(&name.as_str()) && **name != ownership.column;
    let free: Vec<String> =
        both.cloud.columns.iter().map(|c| &c.name).filter(is_free).cloned().collect();
    if !drift.is_empty() {
        table.notes.push(format!(
            "The cloud lacks {}: left out. Once it has them, run forward --full for this table.",
            listed(&drift)
        ));
    }
    let renamed = renamed(&drift, &free);
    if renamed.is_empty() {
        return;
    }
    // Enabled, it would be filled without these columns.
    table.leave_open(
        Undecided::of(
            &table.cloud,
            format!(
                "whether these columns of the desktop are the cloud's of a like name: {}",
                listed(renamed.iter().map(|(desktop, cloud)| format!("{desktop} → {cloud}")))
            ),
            "For those that are, take the '#' off rename.",
        )
        .suggesting(format!("rename = {}", quote::pairs(&renamed))),
    );
}

/// The columns of `here` that `there` has none of the same name for.
fn lacking_in(there: &TableSchema, here: &TableSchema) -> Vec<String> {
    let names = here.columns.iter().map(|c| &c.name);
    names.filter(|name| there.column(name).is_none()).cloned().collect()
}

/// Pairs of like names that leave no choice.
fn renamed(desktop: &[String], cloud: &[String]) -> Vec<(String, String)> {
    let alike = |names: &[String], name: &str| -> Vec<String> {
        names.iter().filter(|other| folded(other) == folded(name)).cloned().collect()
    };
    let mut renamed = Vec::new();
    for name in desktop {
        if let ([_], [other]) = (alike(desktop, name).as_slice(), alike(cloud, name).as_slice()) {
            renamed.push((name.clone(), other.clone()));
        }
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_names_pair_where_they_leave_no_choice() {
        let names =
            |names: &str| -> Vec<String> { names.split_whitespace().map(str::to_owned).collect() };
        for (desktop, cloud, expected) in [
            ("JobId Title", "job_id title", "JobId=job_id Title=title"),
            ("JobId job_ID", "job_id", ""),
            ("JobId", "jobid job_id", ""),
            ("Name", "nickname", ""),
        ] {
            let pairs = renamed(&names(desktop), &names(cloud));
            let pairs: Vec<_> = pairs.iter().map(|(d, c)| format!("{d}={c}")).collect();
            assert_eq!(pairs.join(" "), expected);
        }
    }
}

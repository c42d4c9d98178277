//! What an end's own triggers do to rows that tidegate writes.

use std::collections::BTreeMap;

use crate::check::facts::{TriggerSets, Triggers};
use crate::check::finding::Finding;
use crate::model::plan::Evidence;
use crate::model::{Direction, TableName, TablePlan};
use crate::sql::Dialect;

/// How a trigger passes over what tidegate writes.
const IN_POSTGRES: &str =
    "with when (coalesce(current_setting('tidegate.writing', true), '') = '')";
const IN_TSQL: &str = "if substring(context_info(), 1, 8) = 0x7469646567617465 return;";

/// What is to be said of the triggers of a table that is written.
pub(in crate::check) fn findings(plan: &TablePlan, triggers: &Triggers) -> Vec<Finding> {
    let elsewhere = unnamed(plan, triggers);
    let stamp = plan.stamps.updated_at.as_deref().filter(|_| misleads(plan));
    let stamp = stamp.and_then(|name| stamped(name, triggers));
    elsewhere
        .into_iter()
        .chain(stamp)
        .map(|finding| finding.of(&plan.settings.cloud).at(plan.direction.target()))
        .collect()
}

/// Whether a stamp that a trigger sets is taken for a mobile edit: the change log knows better.
fn misleads(plan: &TablePlan) -> bool {
    plan.direction == Direction::Forward && plan.evidence == Evidence::Stamps
}

/// Triggers of the two ends of a table that comes home, the desktop's first, which change what is
/// written: without a change log each takes what the other made for an edit.
pub(in crate::check) fn unsettled(
    plan: &TablePlan,
    [desktop, cloud]: &[Triggers; 2],
    of_desktop: Dialect,
) -> Option<Finding> {
    let content = || plan.content.iter().map(|&i| &plan.columns[i]);
    let sets = |triggers: &Triggers, name: &str| {
        // SQL Server's sources spell names in any case.
        let is_it = |set: &&TriggerSets| set.column.to_lowercase() == name.to_lowercase();
        triggers.sets.iter().find(is_it).map(|set| set.trigger.clone())
    };
    let here = content().find_map(|c| sets(desktop, &c.target))?;
    let there = content().find_map(|c| sets(cloud, c.source_name()?))?;
    (plan.evidence == Evidence::Stamps).then(|| {
        let message = format!(
            "the triggers {here} of the desktop and {there} of the cloud seem to change what is \
             written: by stamps alone such rows may go to and fro for ever"
        );
        let remedy = format!(
            "Set [cloud] capture = \"log\" and run tidegate migrate; or let one of the two leave \
             tidegate's writes alone: create the cloud's {IN_POSTGRES}{}",
            match of_desktop {
                Dialect::Postgres => ", or the desktop's.".to_owned(),
                Dialect::Tsql => format!(", or let the desktop's begin with {IN_TSQL}"),
            }
        );
        Finding::warning("unsettled", message, remedy).of(&plan.settings.cloud)
    })
}

/// Tables that triggers seem to write, and that the configuration does not name.
fn unnamed(plan: &TablePlan, triggers: &Triggers) -> Option<Finding> {
    let known = &plan.settings.also_writes;
    let mut written: BTreeMap<&TableName, Vec<&str>> = BTreeMap::new();
    for write in triggers.writes.iter().filter(|w| !known.contains(&w.table)) {
        written.entry(&write.table).or_default().push(&write.trigger);
    }
    if written.is_empty() {
        return None;
    }
    let said: Vec<String> =
        written.iter().map(|(table, by)| format!("{table} ({})", by.join(", "))).collect();
    let all = known.iter().chain(written.keys().copied());
    let names: Vec<String> = all.map(|table| format!("\"{table}\"")).collect();
    Some(Finding::warning(
        "also_writes",
        format!(
            "triggers seem to write to other tables, as their source reads: {}; a batch in which \
             they do is rolled back",
            said.join(", ")
        ),
        format!(
            "If that is meant: [tables.\"{}\"] also_writes = [{}]",
            plan.settings.cloud,
            names.join(", ")
        ),
    ))
}

/// A trigger that stamps whatever is written makes tidegate's own writes look like later edits.
fn stamped(stamp: &str, triggers: &Triggers) -> Option<Finding> {
    let set = triggers.sets.iter().find(|set| set.column == stamp)?;
    Some(Finding::warning(
        "stamp_trigger",
        format!(
            "the trigger {} seems to set {stamp}, also of rows that tidegate writes: they look as if \
             a mobile user had edited them, and a desktop edit made before that run is held back",
            set.trigger
        ),
        format!(
            "Let the trigger leave tidegate's writes alone: create it {IN_POSTGRES}, if {stamp} is \
             what it is for."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plan, settings};
    use super::*;
    use crate::check::facts::TriggerWrites;
    use crate::model::TableSettings;

    fn found(also_writes: &[&str], writes: &[(&str, &str)], sets: &[&str]) -> Vec<Finding> {
        let name = |name: &&str| TableName::parse(name, "public");
        let also_writes = also_writes.iter().map(name).collect();
        let settings = TableSettings { also_writes, ..settings("jobs") };
        let write = |(trigger, table): &(&str, &str)| TriggerWrites {
            trigger: (*trigger).to_owned(),
            table: name(table),
        };
        let set =
            |column: &&str| TriggerSets { trigger: "touch".into(), column: (*column).to_owned() };
        let triggers = Triggers {
            table: settings.cloud.clone(),
            writes: writes.iter().map(write).collect(),
            sets: sets.iter().map(set).collect(),
        };
        findings(&plan(23, &settings), &triggers)
    }

    #[test]
    fn tables_that_triggers_write_are_proposed_beside_those_that_are_named() {
        assert!(found(&[], &[], &["name"]).is_empty());
        assert!(found(&["audit.log"], &[("a", "audit.log")], &[]).is_empty());
        let both = found(&["audit.log"], &[("b", "totals"), ("a", "audit.log")], &[]);
        assert!(both[0].message.contains("totals (b)"), "{both:?}");
        let remedy = both[0].remedy.as_deref().unwrap();
        assert!(remedy.ends_with(r#"also_writes = ["audit.log", "totals"]"#), "{remedy}");
    }

    #[test]
    fn each_end_is_told_how_its_triggers_pass_over_tidegates_writes() {
        let set = TriggerSets { trigger: "touch".into(), column: "source".into() };
        let settings = settings("jobs");
        let none = Triggers { table: settings.cloud.clone(), writes: Vec::new(), sets: Vec::new() };
        let both = [
            Triggers { sets: vec![set.clone()], ..none.clone() },
            Triggers { sets: vec![set], ..none },
        ];
        let plan = plan(23, &settings);
        for (dialect, told, not) in [
            (Dialect::Tsql, "begin with if substring(context_info()", "or the desktop's."),
            (Dialect::Postgres, "or the desktop's.", "context_info"),
        ] {
            let remedy = unsettled(&plan, &both, dialect).unwrap().remedy.unwrap();
            assert!(
                remedy.contains("the cloud's with when (coalesce(current_setting("),
                "{remedy}"
            );
            assert!(remedy.contains(told) && !remedy.contains(not), "{remedy}");
        }
    }

    #[test]
    fn only_a_trigger_that_sets_the_stamp_is_named() {
        let set = found(&[], &[], &["name", "updated_at"]);
        assert_eq!((set.len(), set[0].check), (1, "stamp_trigger"));
    }
}

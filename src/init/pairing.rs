//! Which table of the desktop is which of the cloud, by their names alone.

use std::collections::BTreeMap;

use crate::model::TableName;

/// Both ends' tables, sorted out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pairing {
    /// Desktop and cloud, by the cloud's names.
    pub(super) pairs: Vec<(TableName, TableName)>,
    /// Desktop's and cloud's that could be each other's, in more than one way.
    pub(super) ambiguous: Vec<(Vec<TableName>, Vec<TableName>)>,
    /// Tables that the desktop alone has.
    pub(super) only_desktop: Vec<TableName>,
    /// Tables that the cloud alone has.
    pub(super) only_cloud: Vec<TableName>,
}

/// A name without what differs from one taste to another: `JobTasks`, `job_tasks`, `jobtasks`.
pub(super) fn folded(name: &str) -> String {
    let folded: String =
        name.chars().filter(|c| !"_- ".contains(*c)).flat_map(char::to_lowercase).collect();
    if folded.is_empty() { name.to_owned() } else { folded }
}

/// Pairs tables of the same schema and name; then those whose folded names, whatever the schema,
/// leave no choice.
pub(super) fn pair(desktop: &[TableName], cloud: &[TableName]) -> Pairing {
    let mut pairing = Pairing::default();
    let mut groups: BTreeMap<String, (Vec<TableName>, Vec<TableName>)> = BTreeMap::new();
    for table in desktop {
        match cloud.contains(table) {
            true => pairing.pairs.push((table.clone(), table.clone())),
            false => groups.entry(folded(&table.name)).or_default().0.push(table.clone()),
        }
    }
    for table in cloud.iter().filter(|table| !desktop.contains(table)) {
        groups.entry(folded(&table.name)).or_default().1.push(table.clone());
    }
    for (mut desktop, mut cloud) in groups.into_values() {
        match (desktop.len(), cloud.len()) {
            (1, 1) => pairing.pairs.extend(desktop.pop().zip(cloud.pop())),
            (_, 0) => pairing.only_desktop.append(&mut desktop),
            (0, _) => pairing.only_cloud.append(&mut cloud),
            _ => pairing.ambiguous.push((desktop, cloud)),
        }
    }
    pairing.pairs.sort_by(|a, b| a.1.cmp(&b.1));
    pairing.only_desktop.sort();
    pairing.only_cloud.sort();
    pairing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &str) -> Vec<TableName> {
        names.split_whitespace().map(|name| TableName::parse(name, "public")).collect()
    }

    fn shown(pairing: &Pairing) -> String {
        let list = |names: &[TableName]| {
            names.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        let mut shown: Vec<_> = pairing.pairs.iter().map(|(d, c)| format!("{d}={c}")).collect();
        shown.extend(pairing.ambiguous.iter().map(|(d, c)| format!("{}?{}", list(d), list(c))));
        shown.push(format!("d:{}", list(&pairing.only_desktop)));
        shown.push(format!("c:{}", list(&pairing.only_cloud)));
        shown.join(" ")
    }

    #[test]
    fn names_pair_where_they_leave_no_choice() {
        for (desktop, cloud, expected) in [
            ("b a", "a b", "a=a b=b d: c:"),
            ("JobTasks", "job_tasks", "JobTasks=job_tasks d: c:"),
            ("dbo.jobs", "jobs", "dbo.jobs=jobs d: c:"),
            ("jobs old.jobs", "jobs", "jobs=jobs d:old.jobs c:"),
            ("old.jobs new.jobs", "jobs", "old.jobs,new.jobs?jobs d: c:"),
            ("Jobs", "jobs JOBS", "Jobs?jobs,JOBS d: c:"),
            // Not the exact name in another schema: what is spelled otherwise is there, too.
            ("Jobs old.jobs", "jobs", "Jobs,old.jobs?jobs d: c:"),
            ("z a", "y b", "d:a,z c:b,y"),
            ("_", "-", "d:_ c:-"),
            ("", "", "d: c:"),
        ] {
            assert_eq!(shown(&pair(&names(desktop), &names(cloud))), expected);
        }
    }
}

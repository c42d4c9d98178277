//! Rights: too few, and more than runs need.

use crate::check::facts::{Role, Table};
use crate::check::finding::Finding;
use crate::check::grants::{Grant, Need};
use crate::error::{End, Error, Kind};
use crate::model::TableName;
use crate::sql::{Dialect, list};

/// The rights that the role lacks: what runs need, table by table.
pub(in crate::check) fn missing(
    end: End,
    role: Role<'_>,
    dialect: Dialect,
    missing: &[Grant],
) -> Vec<Finding> {
    let (lost, weaker): (Vec<&Grant>, Vec<&Grant>) = missing
        .iter()
        .filter(|grant| grant.need != Need::Horizon)
        .partition(|grant| grant.need == Need::Must);
    let mut found: Vec<Finding> = Vec::new();
    for grants in by_table(&lost) {
        let message = format!("the role lacks rights {}", purposes(&grants));
        let error =
            Error::new(Kind::Unauthorised, message).remedied(statements(&grants, role, dialect));
        found.push(placed(Finding::failure("rights", &error), grants[0]));
    }
    for grants in by_table(&weaker) {
        let message = format!("the role lacks rights {}", purposes(&grants));
        let finding = Finding::warning("rights", message, statements(&grants, role, dialect));
        found.push(placed(finding, grants[0]));
    }
    if found.is_empty() {
        found.push(Finding::ok(
            "rights",
            format!("the role {} has every right that runs need", role.name),
        ));
    }
    found.into_iter().map(|finding| finding.at(end)).collect()
}

fn by_table<'g>(grants: &[&'g Grant]) -> Vec<Vec<&'g Grant>> {
    let mut groups: Vec<Vec<&Grant>> = Vec::new();
    for grant in grants {
        match groups.iter_mut().find(|group| group[0].table == grant.table) {
            Some(group) => group.push(grant),
            None => groups.push(vec![grant]),
        }
    }
    groups
}

fn purposes(grants: &[&Grant]) -> String {
    let mut purposes: Vec<&str> = grants.iter().map(|grant| grant.why).collect();
    purposes.dedup();
    purposes.join(", and ")
}

fn statements(grants: &[&Grant], role: Role<'_>, dialect: Dialect) -> String {
    list(grants.iter().map(|grant| grant.statement(role, dialect)), " ")
}

fn placed(finding: Finding, grant: &Grant) -> Finding {
    match &grant.table {
        Some(table) => finding.of(table),
        None => finding,
    }
}

/// The rights that no run needs, and that a slip of somebody's could use.
pub(in crate::check) fn excess(
    end: End,
    role: Role<'_>,
    dialect: Dialect,
    tables: &[Table],
) -> Vec<Finding> {
    let named = |which: &dyn Fn(&Table) -> bool| -> Vec<&TableName> {
        tables.iter().filter(|t| which(t)).map(|t| &t.table).collect()
    };
    let owned = named(&|t| t.owned);
    let emptied = named(&|t| !t.owned && (t.deletes || t.truncates));
    let mut found = Vec::new();
    if let Some(power) = role.power {
        found.push(Finding::warning(
            "superuser",
            format!("the role {} is {power}: nothing would stop a mistake", role.name),
            "Let runs connect as a role of their own; `tidegate grants` prints what it needs.",
        ));
    } else {
        if !owned.is_empty() {
            found.push(Finding::warning(
                "owner",
                format!("the role {} owns {}, so it could drop them", role.name, few(&owned)),
                "Let runs connect as another role; `tidegate grants` prints what it needs.",
            ));
        }
        if !emptied.is_empty() {
            found.push(Finding::warning(
                "excess_rights",
                format!(
                    "the role {} may delete or truncate {}; no run does",
                    role.name,
                    few(&emptied)
                ),
                revoked(&emptied, role, dialect),
            ));
        }
    }
    if found.is_empty() {
        found.push(Finding::ok("excess_rights", "the role can neither empty nor drop a table"));
    }
    found.into_iter().map(|finding| finding.at(end)).collect()
}

fn revoked(tables: &[&TableName], role: Role<'_>, dialect: Dialect) -> String {
    let (tables, role) = (tables.iter().map(|t| dialect.table(t)), dialect.ident(role.name));
    match dialect {
        Dialect::Postgres => {
            format!("revoke delete, truncate on {} from {role};", list(tables, ", "))
        }
        Dialect::Tsql => {
            list(tables.map(|t| format!("revoke delete on object::{t} from {role};")), " ")
        }
    }
}

/// The first few names, and how many more there are.
fn few(tables: &[&TableName]) -> String {
    const SHOWN: usize = 4;
    let shown = list(tables.iter().take(SHOWN).map(ToString::to_string), ", ");
    match tables.len() {
        n if n <= SHOWN => shown,
        n => format!("{shown} and {} more", n - SHOWN),
    }
}

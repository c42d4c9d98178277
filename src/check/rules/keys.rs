//! Keys of text: what one end takes for one key must be one key at the other.

use crate::check::facts::{Collation, Table};
use crate::check::finding::Finding;
use crate::model::TablePlan;
use crate::sql::{ident, table};

/// What is to be said of the collations of a table's key.
pub(in crate::check) fn collations(
    plan: &TablePlan,
    desktop: &Table,
    cloud: &Table,
) -> Vec<Finding> {
    let of = |facts: &'_ Table, name: &str| -> Option<Collation> {
        facts.collations.iter().find(|c| c.column == name).cloned()
    };
    let mut found = Vec::new();
    for column in plan.key_columns() {
        let Some(source) = column.source_name() else { continue };
        let pair = (of(desktop, source), of(cloud, &column.target));
        let (Some(from), Some(into)) = pair else { continue };
        let name = &column.target;
        let statement = |of: &Table, column: &str| {
            format!(
                "alter table {} alter column {} type text collate \"C\";",
                table(&of.table),
                ident(column)
            )
        };
        found.extend(match (from.deterministic, into.deterministic) {
            (true, true) if from.name == into.name => None,
            (true, true) => Some(Finding::ok(
                "key_collation",
                format!(
                    "the key {name} is sorted by {} on the desktop and by {} in the cloud; both take \
                     the same texts for equal",
                    from.name, into.name
                ),
            )),
            (_, false) => Some(Finding::misfit(
                "key_collation",
                format!(
                    "the collation {} of the key {name} takes different texts for equal in the \
                     cloud: rows of the desktop would replace each other",
                    into.name
                ),
                statement(cloud, name),
            )),
            (false, true) => Some(Finding::warning(
                "key_collation",
                format!(
                    "the collation {} of the key {name} takes different texts for equal on the \
                     desktop: a key that is written otherwise becomes a second row in the cloud",
                    from.name
                ),
                statement(desktop, source),
            )),
        });
    }
    found.into_iter().map(|finding| finding.of(&plan.settings.cloud)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plan, settings, table};
    use super::*;
    use crate::check::finding::Level;

    #[test]
    fn only_equality_has_to_be_the_same() {
        let collated = |name: &str, deterministic| {
            let (column, name) = ("id".to_owned(), name.to_owned());
            Table { collations: vec![Collation { column, name, deterministic }], ..table() }
        };
        let (c, german, folding) =
            (collated("C", true), collated("de", true), collated("ci", false));
        for (desktop, cloud, expected) in [
            (&c, &c, None),
            (&c, &german, Some(Level::Ok)),
            (&c, &folding, Some(Level::Failure)),
            (&folding, &folding, Some(Level::Failure)),
            (&folding, &c, Some(Level::Warning)),
            (&table(), &table(), None),
        ] {
            let found = collations(&plan(25, &settings("jobs")), desktop, cloud);
            assert_eq!(found.first().map(|f| f.level), expected, "{found:?}");
        }
    }
}

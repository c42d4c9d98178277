//! What one scan of each table counts: rows that are nobody's, and rows without a stamp; and what marks
//! new ones.

use crate::check::facts::{COUNT_SECONDS, Counts, Table};
use crate::check::finding::Finding;
use crate::error::{End, Error, Kind};
use crate::model::{Ownership, TablePlan};
use crate::sql::{Dialect, literal};

/// What is to be said of the rows of one end.
pub(in crate::check) fn findings(
    end: End,
    plan: &TablePlan,
    marks: &Ownership,
    counted: &Result<Counts, Error>,
) -> Vec<Finding> {
    let found = match counted {
        Ok(counts) => {
            let strangers = strangers(end, plan, marks, counts);
            strangers.into_iter().chain(unstamped(plan, counts)).collect()
        }
        Err(e) if e.kind() == Kind::Slow => vec![Finding::warning(
            "counts",
            format!("owners and stamps were not counted within {COUNT_SECONDS} seconds: {e}"),
            "Run check again when the server has less to do.",
        )],
        Err(e) => vec![Finding::failure("counts", e)],
    };
    found.into_iter().map(|finding| finding.of(&plan.settings.cloud).at(end)).collect()
}

/// Rows of the desktop's programs that are marked as mobile users', unless these say otherwise.
pub(in crate::check) fn default(
    plan: &TablePlan,
    marks: &Ownership,
    (desktop, dialect): (&Table, Dialect),
) -> Option<Finding> {
    let column = plan.owner_column().source_name()?;
    let default = desktop.defaults.get(column)?;
    let mobile = literal(&marks.mobile);
    let is_mobile = *default == mobile || default.starts_with(&format!("{mobile}::"));
    is_mobile.then(|| {
        let message = format!(
            "the default of {column} marks what the desktop's programs insert as a mobile user's row: \
             it is not sent to the cloud"
        );
        let (table, name) = (dialect.table(&plan.source), dialect.ident(column));
        let mark = literal(&marks.desktop);
        let remedy = match dialect {
            Dialect::Postgres => format!("alter table {table} alter column {name} set default {mark};"),
            Dialect::Tsql => format!(
                "Drop its default constraint, then: alter table {table} add default {mark} for {name};"
            ),
        };
        let finding = Finding::warning("owner_default", message, remedy);
        finding.of(&plan.settings.cloud).at(End::Desktop)
    })
}

fn strangers(end: End, plan: &TablePlan, marks: &Ownership, counts: &Counts) -> Option<Finding> {
    let owner = plan.owner_column();
    let column = match end {
        End::Desktop => owner.source_name(),
        End::Cloud => Some(owner.target.as_str()),
    };
    let column = column.filter(|_| counts.strangers > 0)?;
    let Ownership { desktop, mobile, .. } = marks;
    Some(Finding::warning(
        "owner_values",
        format!(
            "{} of {} rows have neither '{desktop}' nor '{mobile}' in {column}: they belong to \
             nobody",
            counts.strangers, counts.rows
        ),
        match end {
            End::Desktop => format!(
                "Set {column} to '{desktop}' where the desktop made the row, with a new stamp; \
                 until then it is withheld."
            ),
            End::Cloud => format!(
                "Set {column} to '{mobile}' where a mobile user made the row, else to '{desktop}'; \
                 until then no run updates it."
            ),
        },
    ))
}

fn unstamped(plan: &TablePlan, counts: &Counts) -> Option<Finding> {
    let stamps: Vec<&str> = plan.stamps.source.iter().map(|s| s.name.as_str()).collect();
    (counts.unstamped > 0).then(|| {
        Finding::warning(
            "stamps",
            format!(
                "{} of {} rows have nothing in {}: runs don't see that they change",
                counts.unstamped,
                counts.rows,
                stamps.join(" and ")
            ),
            "Stamp them, and let a default or trigger stamp new ones; `tidegate forward --full` \
             compares them meanwhile.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plan, settings};
    use super::*;

    fn checks(end: End, counted: Result<Counts, Error>) -> Vec<&'static str> {
        let marks = Ownership { column: "source".into(), desktop: "D".into(), mobile: "M".into() };
        let found = findings(end, &plan(23, &settings("jobs")), &marks, &counted);
        found.iter().map(|f| f.check).collect()
    }

    #[test]
    fn only_rows_that_are_wrong_are_spoken_of() {
        let counts = |unstamped, strangers| {
            Ok(Counts { rows: 9, unstamped, strangers, ..Counts::default() })
        };
        for (counted, expected) in [
            (counts(0, 0), &[][..]),
            (counts(3, 0), &["stamps"]),
            (counts(0, 2), &["owner_values"]),
            (counts(1, 1), &["owner_values", "stamps"]),
            (Err(Error::new(Kind::Slow, "too long")), &["counts"]),
            (Err(Error::new(Kind::Unauthorised, "no right")), &["counts"]),
        ] {
            assert_eq!(checks(End::Desktop, counted), expected);
        }
    }
}

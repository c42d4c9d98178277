//! What planning makes of a table: a refusal, or how its columns travel.

use crate::check::finding::Finding;
use crate::check::known::Known;
use crate::config::Config;
use crate::error::{End, Error, Kind};
use crate::model::schema::TableSchema;
use crate::model::{Direction, TablePlan, TableSettings};
use crate::run::setup::logs_changes;

use super::columns::{self, Fit};

/// A table that planning refuses; what both ends have of it tells where the fault is.
pub(in crate::check) fn refused(
    settings: &TableSettings,
    error: &Error,
    (desktop, cloud): (Option<&TableSchema>, Option<&TableSchema>),
) -> Finding {
    let (check, end) = match (desktop, cloud) {
        (None, _) => ("table", Some(End::Desktop)),
        (_, None) => ("table", Some(End::Cloud)),
        (Some(_), Some(c)) if !["r", "p"].contains(&c.kind.as_str()) => ("table", Some(End::Cloud)),
        (Some(_), Some(c)) if c.primary_key.as_ref().is_none_or(|key| key.deferrable) => {
            ("key", Some(End::Cloud))
        }
        (Some(d), Some(_)) if d.row_security => ("row_security", Some(End::Desktop)),
        (Some(_), Some(c)) if c.row_security => ("row_security", Some(End::Cloud)),
        _ if error.kind() == Kind::Unauthorised => ("rights", None),
        _ => ("plan", None),
    };
    let finding = Finding::failure(check, error).of(&settings.cloud);
    match end {
        Some(end) => finding.at(end),
        None => finding,
    }
}

/// What keeps rows from coming home, of tables that go the other way.
pub(in crate::check) fn home(known: &Known, config: &Config) -> Vec<Finding> {
    let column = &config.ownership.column;
    let stays = known.forward_only.iter().map(|settings| {
        let said = format!(
            "goes forward only: the desktop has no column {column}, so all its rows are its own"
        );
        Finding::ok("forward_only", said).of(&settings.cloud)
    });
    // What stands in the way of both directions, and missing triggers, are said elsewhere.
    let is_said = |settings: &TableSettings| {
        let cloud = known.schema(End::Cloud, &settings.cloud);
        known.refused(Direction::Forward).iter().any(|(other, _)| other == settings)
            || logs_changes(config) && cloud.is_some_and(|cloud| cloud.log_arguments.is_none())
    };
    let refused = known.refused(Direction::Reverse).iter().filter(|(t, _)| !is_said(t));
    let refused = refused.map(|(settings, e)| {
        let told = Error::new(e.kind(), format!("reverse refuses the table: {e}"));
        Finding::failure("reverse", &told.remedied(e.remedy())).of(&settings.cloud)
    });
    stays.chain(refused).collect()
}

/// How the columns of a table travel.
pub(in crate::check) fn planned(
    plan: &TablePlan,
    desktop: &TableSchema,
    cloud: &TableSchema,
) -> Vec<Finding> {
    let fits = columns::fits(plan, desktop, cloud);
    let of = |fit: Fit| fits.iter().filter(move |c| c.fit == fit);
    let said = |fit: Fit| of(fit).map(|c| c.words.as_str()).collect::<Vec<_>>().join(", ");
    let key: Vec<&str> = plan.key_columns().map(|c| c.target.as_str()).collect();
    let mut found = vec![Finding::ok("key", format!("primary key ({})", key.join(", ")))];
    let mut summary =
        format!("{} columns travel: {} as they are", fits.len(), of(Fit::Straight).count());
    for (fit, how) in [
        (Fit::Lossless, "cast without loss"),
        (Fit::Narrow, "cast into a narrower type"),
        (Fit::Lossy, "cast"),
    ] {
        match of(fit).count() {
            0 => {}
            n if fit == Fit::Lossless => summary += &format!(", {n} {how} ({})", said(fit)),
            n => summary += &format!(", {n} {how}"),
        }
    }
    let only = columns::only_in_target(plan, cloud);
    if !only.is_empty() {
        summary += &format!("; the cloud alone has {}", only.join(", "));
    }
    found.push(Finding::ok("columns", summary));
    if of(Fit::Narrow).count() > 0 {
        found.push(Finding::warning(
            "columns_narrow",
            format!("a value that is too long or too great is refused: {}", said(Fit::Narrow)),
            "Give the cloud's columns the desktop's types, if such values can come.",
        ));
    }
    if of(Fit::Lossy).count() > 0 {
        found.push(Finding::warning(
            "columns_lossy",
            format!("values may change on the way, or be refused: {}", said(Fit::Lossy)),
            "Give the cloud's columns the desktop's types, or leave them out with exclude.",
        ));
    }
    if !plan.drift.is_empty() {
        found.push(Finding::warning(
            "drift",
            format!("the cloud lacks {}; left out", plan.drift.join(", ")),
            "Add the columns in the cloud, then run `tidegate forward --full` for the table; or name \
             them in exclude.",
        ));
    }
    found.into_iter().map(|finding| finding.of(&plan.settings.cloud)).collect()
}

//! tidegate's own tables, and whether they speak of this source.

use crate::check::finding::Finding;
use crate::error::{End, Error};
use crate::model::{Capture, Horizon, TablePlan};
use crate::store::State;

/// What is to be said of the state that a run would begin with; `source` is the identity of the database
/// that it would read, and what of its change log can be seen now. The tables are at `end`, in `schema`.
pub(in crate::check) fn findings(
    state: &Result<State, Error>,
    plans: &[TablePlan],
    source: (&str, Option<&Horizon>),
    (end, schema): (End, &str),
) -> Vec<Finding> {
    let state = match state {
        Ok(state) => state,
        Err(e) => return vec![Finding::failure("store", e).at(end)],
    };
    let said = format!("tidegate's tables in schema {schema} are up to date");
    let mut found = vec![Finding::ok("store", said).at(end)];
    let (identity, seen) = source;
    for (plan, table) in plans.iter().zip(&state.tables) {
        let is_other = table.source_identity.as_ref().is_some_and(|known| known != identity);
        let is_ahead = plan.capture == Capture::Log
            && seen.is_some_and(|horizon| table.position.is_ahead_of(horizon));
        let message = match (is_other, is_ahead) {
            (true, _) => format!(
                "the table was read from another {} database before",
                plan.direction.source()
            ),
            (false, true) => format!(
                "the {} has come less far than it had been read, so it was restored from a backup",
                plan.direction.source()
            ),
            (false, false) => continue,
        };
        let end = plan.direction.source();
        let remedy = format!(
            "If the {end} was moved or restored on purpose: `tidegate watermark accept`; the whole \
             table is then compared. Otherwise correct [{end}] url."
        );
        found.push(Finding::misfit("source_identity", message, remedy).of(&plan.settings.cloud));
    }
    found
}

/// The desktop has none: forward runs do without.
pub(in crate::check) fn absent(schema: &str) -> Finding {
    Finding::warning(
        "store",
        format!(
            "there are no tables of tidegate's in schema {schema}, so nothing can come home: only \
             forward runs work"
        ),
        "Run `tidegate migrate --end desktop` with a role that may create them. Where nothing is to \
         come home: `tidegate check --forward-only`.",
    )
    .at(End::Desktop)
}

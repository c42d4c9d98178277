//! tidegate's own tables, and whether they speak of this desktop.

use crate::check::facts::Server;
use crate::check::finding::Finding;
use crate::error::{End, Error};
use crate::model::TablePlan;
use crate::store::{State, Store};

/// What is to be said of the state that a run would begin with.
pub(in crate::check) fn findings(
    state: &Result<State, Error>,
    plans: &[TablePlan],
    desktop: &Server,
    store: &Store<'_>,
) -> Vec<Finding> {
    let state = match state {
        Ok(state) => state,
        Err(e) => return vec![Finding::failure("store", e).at(End::Cloud)],
    };
    let said = format!("tidegate's tables in schema {} are up to date", store.schema());
    let mut found = vec![Finding::ok("store", said).at(End::Cloud)];
    for (plan, table) in plans.iter().zip(&state.tables) {
        if table.source_identity.as_ref().is_some_and(|known| *known != desktop.identity) {
            let changed = Finding::misfit(
                "source_identity",
                "the table was read from another desktop database before",
                "If the desktop was moved or restored on purpose: `tidegate watermark accept`; the \
                 whole table is then compared. Otherwise correct [desktop] url.",
            );
            found.push(changed.of(&plan.settings.cloud));
        }
    }
    found
}

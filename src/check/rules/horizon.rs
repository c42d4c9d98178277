//! Whether an end shows up to where it may be read by its stamps.

use crate::check::facts::postgres::Server;
use crate::check::finding::Finding;
use crate::error::{End, Result};
use crate::model::TableSettings;

/// What is to be said of the horizon, of all tables or of those that it refuses.
pub(in crate::check) fn findings(
    end: End,
    server: &Server,
    settings: &[TableSettings],
) -> Vec<Finding> {
    let said = "open transactions can be seen, or the lag allows for them";
    let mut found = seen(settings, said, |t| server.sight.suffices(end, t.lag));
    if server.prepared > 0 {
        found.push(Finding::warning(
            "prepared",
            format!(
                "{} prepared transactions are open: no watermark moves until they end",
                server.prepared
            ),
            "Look at pg_prepared_xacts; commit prepared or rollback prepared what was forgotten.",
        ));
    }
    found.into_iter().map(|finding| finding.at(end)).collect()
}

/// What keeps tables from being read up to where nothing can be lost: of all of them once. `said` where
/// nothing does.
pub(super) fn seen(
    settings: &[TableSettings],
    said: &str,
    suffices: impl Fn(&TableSettings) -> Result<()>,
) -> Vec<Finding> {
    let refused = settings.iter().filter_map(|t| Some((t, suffices(t).err()?)));
    let refused: Vec<_> = refused.collect();
    let alike = |message: String| refused.iter().all(|(_, e)| e.to_string() == message);
    match refused.as_slice() {
        [] => vec![Finding::ok("horizon", said)],
        [(_, error), ..] if refused.len() == settings.len() && alike(error.to_string()) => {
            vec![Finding::failure("horizon", error)]
        }
        some => some.iter().map(|(t, e)| Finding::failure("horizon", e).of(&t.cloud)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::ends::tests::server;
    use super::super::testing::settings;
    use super::*;
    use crate::check::finding::Level;
    use crate::model::Lag;
    use crate::source::postgres::Sight;

    #[test]
    fn a_lag_set_on_purpose_stands_in_for_the_right_to_see() {
        let blind = Sight { sees_others: false, tracks: true, standby: false };
        let server = Server { sight: blind, ..server() };
        let long = TableSettings { lag: Lag::Set(Duration::from_secs(600)), ..settings("b") };
        let levels = |settings: &[TableSettings]| -> Vec<_> {
            findings(End::Desktop, &server, settings)
                .into_iter()
                .map(|f| (f.level, f.table))
                .collect()
        };
        assert_eq!(levels(&[settings("a")]), [(Level::Failure, None)]);
        assert_eq!(levels(std::slice::from_ref(&long)), [(Level::Ok, None)]);
        assert_eq!(levels(&[settings("a"), long]), [(Level::Failure, Some("a".to_owned()))]);
    }
}

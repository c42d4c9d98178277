//! The configuration's file, and whether it asks for anything.

use crate::check::finding::Finding;
use crate::config::Config;
use crate::model::TableSettings;

/// What is to be said of the configuration itself.
pub(in crate::check) fn findings(config: &Config, settings: &[TableSettings]) -> Vec<Finding> {
    let path = config.path.display();
    let file = match config.exposes_password() {
        true => Finding::warning(
            "config_file",
            format!("{path} holds a password, and others may read it"),
            format!(
                "chmod 600 {path}, or put the URL in a variable or credential: ${{cred:name}}."
            ),
        ),
        false => Finding::ok("config_file", format!("{path} loads")),
    };
    let tables = match settings.len() {
        0 => Finding::warning(
            "tables",
            "no table is enabled, so a run does nothing",
            "Set enabled = true, or leave it out, under [tables.NAME].",
        ),
        1 => Finding::ok("tables", "1 table is looked at"),
        n => Finding::ok("tables", format!("{n} tables are looked at")),
    };
    vec![file, tables]
}

//! `check`: is everything there that runs need, and nothing that would harm them? The facts of each end
//! are read by a few statements ([`facts`]); the rules turn them into findings and need no database.
//! `grants` prints the rights that `check` looks for.

mod facts;
mod finding;
mod grants;
mod look;
mod rules;

use crate::config::Config;
use crate::error::{End, Kind, Result};
use crate::model::TableName;
use crate::run;
use crate::sql::Sql;
use crate::store::Store;

pub use finding::{Finding, Level, Report, SCHEMA_VERSION};
pub use grants::{Granted, RoleGrants};
use look::Look;

/// Checks both ends and every table that is enabled, or those that are named.
///
/// # Errors
/// Only for a table that the configuration doesn't know; all else is a finding.
pub async fn check(config: &Config, named: &[String], sql: &Sql) -> Result<Report> {
    let settings = run::selected(config, named)?;
    let tables: Vec<TableName> = settings.iter().map(|t| t.cloud.clone()).collect();
    let mut findings = rules::configuration::findings(config, &settings);
    findings.extend(Box::pin(Look { config, sql, settings }.findings()).await);
    Ok(Report::new(findings, &tables))
}

/// The least rights of the two roles, the desktop's first; a role that is not named is the URL's.
///
/// # Errors
/// When an end can't be reached, or its catalogue can't be read.
pub async fn grants(
    config: &Config,
    [desktop_role, cloud_role]: [Option<&str>; 2],
    sql: &Sql,
) -> Result<[RoleGrants; 2]> {
    let settings = run::selected(config, &[])?;
    let look = Look { config, sql, settings };
    let (desktop, cloud) = tokio::try_join!(look.reach(End::Desktop), look.reach(End::Cloud))?;
    let known = look.both(&desktop, &cloud).await?;
    let of = |end: End, reached: &facts::Reached, role: Option<&str>| {
        let server = &reached.server;
        let role = role.unwrap_or(&server.role);
        let notes = grants::notes(end, known.tables(end), &look.settings, role);
        grants::granted(role, &look.grants(end, server, &known), notes)
    };
    let mut found = [of(End::Desktop, &desktop, desktop_role), of(End::Cloud, &cloud, cloud_role)];
    // A role without its rights can't look into them; what it asks for are these rights.
    if let Err(e) = Store::new(sql, &config.cloud_schema).require(&cloud.connection).await
        && e.kind() == Kind::Config
    {
        found[1].notes.insert(0, format!("First: {e}. {}", e.remedy()));
    }
    Ok(found)
}

//! `check`: is everything there that runs need, and nothing that would harm them? The facts of each end
//! are read by a few statements ([`facts`]); the rules turn them into findings and need no database.
//! `grants` prints the rights that `check` looks for.

mod facts;
mod finding;
mod grants;
mod known;
mod look;
mod needs;
mod reached;
mod rules;

use crate::config::Config;
use crate::error::{End, Kind, Result};
use crate::run::{self, Way};
use crate::sql::Sql;

pub use finding::{Finding, Level, Report, SCHEMA_VERSION};
pub use grants::{Granted, RoleGrants};
use known::Known;
use look::Look;
use reached::Reached;

/// Checks both ends and every table that is enabled, or those that are named, for runs that go this
/// way.
///
/// # Errors
/// Only for a table that the configuration doesn't know; all else is a finding.
pub async fn check(config: &Config, way: Way, named: &[String], sql: &Sql) -> Result<Report> {
    let settings = run::selected(config, named)?;
    let tables = config.names(End::Cloud, &settings);
    let mut findings = rules::configuration::findings(config, &settings);
    findings.extend(Box::pin(Look { config, sql, settings, way }.findings()).await);
    Ok(Report::new(findings, &tables))
}

/// The least rights of the two roles for runs that go this way, the desktop's first; a role that is
/// not named is the URL's.
///
/// # Errors
/// When an end can't be reached, or its catalogue can't be read.
pub async fn grants(
    config: &Config,
    way: Way,
    [desktop_role, cloud_role]: [Option<&str>; 2],
    sql: &Sql,
) -> Result<[RoleGrants; 2]> {
    let settings = run::selected(config, &[])?;
    let look = Look { config, sql, settings, way };
    let (desktop, cloud) =
        tokio::try_join!(reached::desktop(config, sql), reached::cloud(config, sql))?;
    let known = Known::both(&look, desktop.reached(), &cloud).await?;
    let of = |reached: Reached<'_>, role: Option<&str>| {
        let role = role.map_or_else(|| reached.role(), facts::Role::named);
        let needs = known.needs(&look, reached);
        grants::granted(role, reached.dialect(), &needs.grants(), needs.notes(role.name))
    };
    let mut found = [of(desktop.reached(), desktop_role), of((&cloud).into(), cloud_role)];
    if way == Way::Both && !known.remembers {
        found[0].notes.insert(0, ONLY_READS.to_owned());
    }
    // A role without its rights can't look into them; what it asks for are these rights.
    if let Err(e) = run::store(config, End::Cloud, sql).require(&cloud.connection).await
        && e.kind() == Kind::Config
    {
        found[1].notes.insert(0, format!("First: {e}. {}", e.remedy()));
    }
    Ok(found)
}

const ONLY_READS: &str = "For forward runs, which only read here. To let mobile work come home, first \
                          run tidegate migrate --end desktop, and then this again.";

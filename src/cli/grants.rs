//! `tidegate grants`.

use clap::Args;
use serde::Serialize;

use crate::check::{self, RoleGrants};
use crate::error::Result;
use crate::sql::Sql;

use super::{Directions, Global, Output, Side, print};

/// Print the least rights that runs need, as SQL for each end.
///
/// Reads both catalogues, changes nothing. Run what is printed after `tidegate migrate`, each part in
/// its own database, as a superuser or as whoever owns what is granted: `tidegate grants --end cloud
/// | psql …`. After that `tidegate check` finds neither too few rights nor too many. For both
/// directions, if the desktop holds tidegate's tables; otherwise, and with --forward-only, its role
/// only reads.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The role that is to read the desktop; if it is not named, the user of the desktop's URL
    #[arg(long, value_name = "NAME")]
    desktop_role: Option<String>,
    /// The role that is to write the cloud; if it is not named, the user of the cloud's URL
    #[arg(long, value_name = "NAME")]
    cloud_role: Option<String>,
    /// What is for this end alone
    #[arg(long, value_enum)]
    end: Option<Side>,
    #[command(flatten)]
    directions: Directions,
}

#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    desktop: Option<&'d RoleGrants>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<&'d RoleGrants>,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let config = global.load()?;
    let roles = [arguments.desktop_role.as_deref(), arguments.cloud_role.as_deref()];
    let [desktop, cloud] =
        check::grants(&config, arguments.directions.way(), roles, &Sql::default()).await?;
    let desktop = (arguments.end != Some(Side::Cloud)).then_some(&desktop);
    let cloud = (arguments.end != Some(Side::Desktop)).then_some(&cloud);
    match global.output {
        Output::Json => {
            let schema_version = check::SCHEMA_VERSION;
            print::json(&Document { schema_version, desktop, cloud })?;
        }
        Output::Human => {
            let scripts = [("desktop", desktop), ("cloud", cloud)];
            let scripts =
                scripts.into_iter().filter_map(|(end, rights)| Some(script(end, rights?)));
            print!("{}", scripts.collect::<Vec<_>>().join("\n"));
        }
    }
    Ok(0)
}

/// A script for one end: what is to be known first, then each purpose as a comment, with its
/// statements.
fn script(end: &str, rights: &RoleGrants) -> String {
    let whoever = "as an administrator, or as whoever owns what is granted";
    let mut lines = vec![format!("-- In the {end}'s database, {whoever}.")];
    lines.extend(rights.notes.iter().map(|note| format!("-- {note}")));
    let mut said = "";
    for granted in &rights.grants {
        if granted.why != said {
            lines.push(format!("-- {}:", granted.why));
            said = granted.why;
        }
        lines.push(granted.sql.clone());
    }
    lines.push(String::new());
    lines.join("\n")
}

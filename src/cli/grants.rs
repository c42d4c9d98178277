//! `tidegate grants`.

use clap::Args;
use serde::Serialize;

use crate::check::{self, RoleGrants};
use crate::error::Result;
use crate::sql::Sql;

use super::{Global, Output, print};

/// Print the least rights that runs need, as SQL for each end.
///
/// Reads both catalogues, changes nothing. Run what is printed after `tidegate migrate`, each part in
/// its own database, as a superuser or as the owner of what it names (pg_read_all_stats takes a
/// superuser). `tidegate check` then misses no right.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The role that is to read the desktop; if it is not named, the user of the desktop's URL
    #[arg(long, value_name = "NAME")]
    desktop_role: Option<String>,
    /// The role that is to write the cloud; if it is not named, the user of the cloud's URL
    #[arg(long, value_name = "NAME")]
    cloud_role: Option<String>,
}

#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    desktop: &'d RoleGrants,
    cloud: &'d RoleGrants,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let config = global.load()?;
    let roles = [arguments.desktop_role.as_deref(), arguments.cloud_role.as_deref()];
    let [desktop, cloud] = check::grants(&config, roles, &Sql::default()).await?;
    match global.output {
        Output::Json => print::json(&Document {
            schema_version: check::SCHEMA_VERSION,
            desktop: &desktop,
            cloud: &cloud,
        })?,
        Output::Human => {
            tell("desktop", &desktop);
            println!();
            tell("cloud", &cloud);
        }
    }
    Ok(0)
}

/// A script for one end: a purpose as a comment, then its statements.
fn tell(end: &str, rights: &RoleGrants) {
    println!("-- In the {end}'s database, as a superuser or as the owner of what is named.");
    let mut said = "";
    for granted in &rights.grants {
        if granted.why != said {
            println!("-- {}:", granted.why);
            said = granted.why;
        }
        println!("{}", granted.sql);
    }
    for note in &rights.notes {
        println!("-- {note}");
    }
}

//! `tidegate grants`.

use clap::Args;
use serde::Serialize;

use crate::check::{self, RoleGrants};
use crate::error::Result;
use crate::sql::Sql;

use super::{Global, Output, print};

/// Print the least rights that runs need, as SQL for each end.
///
/// Reads both catalogues, changes nothing. Run what is printed as the owner of the tables, after
/// `tidegate migrate`; `tidegate check` then finds neither too few rights nor too many.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The role that reads the desktop; otherwise the user of its URL
    #[arg(long, value_name = "NAME")]
    desktop_role: Option<String>,
    /// The role that writes the cloud; otherwise the user of its URL
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
    println!("-- In the {end}'s database, as the owner of its tables.");
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

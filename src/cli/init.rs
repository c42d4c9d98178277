//! `tidegate init`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::config::{DEFAULT_PATHS, TlsSetting};
use crate::error::Result;
use crate::init::{self, Existing, Proposal, Wishes};
use crate::run;
use crate::sql::Sql;

use super::{Global, Output, print};

/// Read both databases' catalogues and write a configuration with comments.
///
/// Pairs the tables by their names, finds the ownership column, its marks and the stamps, and plans
/// every table as a run would. What it can't decide it says, in the file and on stdout, with what to
/// do. Writes the file that --config names, or else ./tidegate.toml; of the databases it only reads.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The desktop's address as it will stand in the file, its password by reference only:
    /// ${env:NAME}, ${file:/path} or ${cred:name}
    #[arg(long, value_name = "ADDRESS", default_value = "${env:DESKTOP_URL}")]
    desktop: String,
    /// The cloud's address, in the same way
    #[arg(long, value_name = "ADDRESS", default_value = "${env:CLOUD_URL}")]
    cloud: String,
    /// How far a SQL Server desktop is believed to be itself: verify-full, trust-server, off, or a PEM
    /// file with the authority of its certificate
    #[arg(long, value_name = "TLS")]
    desktop_tls: Option<String>,
    /// The zone of timestamps that have none, as in Europe/London
    #[arg(long, value_name = "ZONE")]
    assume_timezone: Option<String>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Print the configuration instead of writing it
    #[arg(long, conflicts_with = "force")]
    print: bool,
}

#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    /// Where it was written.
    file: Option<&'d Path>,
    /// What was not.
    config: Option<&'d str>,
    #[serde(flatten)]
    proposal: &'d Proposal,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let path = global.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_PATHS[0]));
    let existing = if arguments.force { Existing::Replaced } else { Existing::Kept };
    if !arguments.print {
        init::refuse_existing(&path, existing)?;
    }
    let wishes = Wishes {
        desktop: arguments.desktop.clone(),
        cloud: arguments.cloud.clone(),
        tls: arguments.desktop_tls.as_deref().map_or(TlsSetting::Unset, TlsSetting::of_argument),
        assume_timezone: arguments.assume_timezone.clone(),
    };
    let proposal = init::propose(&wishes, &path, &Sql::default()).await?;
    if !arguments.print {
        init::write(&path, &proposal.text, existing)?;
    }
    match (global.output, arguments.print) {
        (Output::Json, printed) => print::json(&Document {
            schema_version: run::SCHEMA_VERSION,
            file: (!printed).then_some(&path),
            config: printed.then_some(&proposal.text),
            proposal: &proposal,
        })?,
        (Output::Human, true) => print!("{}", proposal.text),
        (Output::Human, false) => {
            let named = global.config.as_deref();
            print::proposal(&proposal, &path, named);
        }
    }
    Ok(0)
}

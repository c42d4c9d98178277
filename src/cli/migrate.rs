//! `tidegate migrate`.

use clap::Args;
use serde::Serialize;

use crate::db::postgres::{Database, Purpose};
use crate::error::{End, Result};
use crate::run;
use crate::sql::Sql;
use crate::store::{Migrated, Store};

use super::{Global, Output, print};

/// Create or upgrade tidegate's own tables in the cloud.
///
/// Changes nothing where they are up to date, and never asks. The role needs the right to create
/// schemas in the database; runs don't.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print the statements for an empty database instead of running them
    #[arg(long)]
    sql: bool,
}

/// Which version tidegate's tables had and have.
#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    end: &'static str,
    schema: &'d str,
    from: i32,
    to: i32,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let config = global.load()?;
    let sql = Sql::default();
    let store = Store::new(&sql, &config.cloud_schema);
    if arguments.sql {
        print!("{}", store.migration_sql());
        return Ok(0);
    }
    let cloud = Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, 1)?;
    let Migrated { from, to } = store.migrate(&cloud.connection().await?).await?;
    let schema = store.schema();
    match global.output {
        Output::Json => {
            let schema_version = run::SCHEMA_VERSION;
            print::json(&Document { schema_version, end: "cloud", schema, from, to })?;
        }
        Output::Human if from == to => {
            println!("cloud, schema {schema}: up to date (version {to})");
        }
        Output::Human => println!("cloud, schema {schema}: migrated from version {from} to {to}"),
    }
    Ok(0)
}

//! `tidegate migrate`.

use clap::{Args, value_parser};
use serde::Serialize;

use crate::db::postgres::{Database, Purpose};
use crate::error::{End, Result};
use crate::run;
use crate::run::sequences::{Beginning, KeyRange};
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
    /// Let the keys that mobile users' rows draw from sequences begin at N, above all that the desktop
    /// will make. A sequence that is beyond stays, and keys that are taken are passed over
    #[arg(long, value_name = "N", conflicts_with = "sql", value_parser = value_parser!(i64).range(1..))]
    mobile_keys_from: Option<i64>,
}

/// Which version tidegate's tables had and have.
#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    end: &'static str,
    schema: &'d str,
    from: i32,
    to: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequences: Option<&'d [KeyRange]>,
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
    let connection = cloud.connection().await?;
    let beginning = match arguments.mobile_keys_from {
        Some(from) => Some(Beginning::at(from, &config, &connection, &sql).await?),
        None => None,
    };
    let Migrated { from, to } = store.migrate(&connection).await?;
    let sequences = match beginning {
        Some(beginning) => Some(beginning.apply(&connection).await?),
        None => None,
    };
    let (schema, sequences) = (store.schema(), sequences.as_deref());
    match global.output {
        Output::Json => {
            let schema_version = run::SCHEMA_VERSION;
            print::json(&Document { schema_version, end: "cloud", schema, from, to, sequences })?;
            return Ok(0);
        }
        Output::Human if from == to => {
            println!("cloud, schema {schema}: up to date (version {to})");
        }
        Output::Human => println!("cloud, schema {schema}: migrated from version {from} to {to}"),
    }
    sequences.unwrap_or_default().iter().for_each(print::key_range);
    Ok(0)
}

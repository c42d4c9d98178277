//! `tidegate migrate`.

use clap::Args;

use crate::db::postgres::{Database, Purpose};
use crate::error::{End, Result};
use crate::sql::Sql;
use crate::store::Store;

use super::Global;

/// Create or upgrade tidegate's own tables in the cloud.
///
/// Changes nothing where they are up to date, and never asks. The role needs the right to create
/// schemas in the database, every time; runs don't.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print the statements for an empty database instead of running them
    #[arg(long)]
    sql: bool,
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
    let migrated = store.migrate(&cloud.connection().await?).await?;
    match migrated.from == migrated.to {
        true => println!("cloud, schema {}: up to date (version {})", store.schema(), migrated.to),
        false => println!(
            "cloud, schema {}: migrated from version {} to {}",
            store.schema(),
            migrated.from,
            migrated.to
        ),
    }
    Ok(0)
}

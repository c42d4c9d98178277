//! `tidegate status`.

use clap::Args;
use serde::Serialize;

use crate::db::postgres::{Database, Purpose};
use crate::error::{End, Result};
use crate::model::Direction;
use crate::run;
use crate::sql::Sql;
use crate::store::{Store, TableStatus};

use super::{Global, Output, Tables, print};

/// Show how each table stands: watermark, lag, rows by owner, withheld rows, last run.
///
/// Asks the cloud alone, and only for what runs and verifications have recorded there.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tables: Tables,
}

#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    direction: &'static str,
    tables: &'d [TableStatus],
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let config = global.load()?;
    let settings = run::selected(&config, &arguments.tables.names)?;
    let labels: Vec<String> = settings.iter().map(|t| t.cloud.to_string()).collect();
    let cloud = Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, 1)?;
    let connection = cloud.connection().await?;
    let sql = Sql::default();
    let store = Store::new(&sql, &config.cloud_schema);
    let direction = Direction::Forward.word();
    let tables = store.status(&connection, &labels, direction).await?;
    match global.output {
        Output::Json => {
            let schema_version = run::SCHEMA_VERSION;
            print::json(&Document { schema_version, direction, tables: &tables })?;
        }
        Output::Human => print::status(&tables),
    }
    Ok(0)
}

//! `tidegate explain`.

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::explain::{self, BadKey};
use crate::sql::Sql;

use super::{Global, print, usage};

/// The exit code when neither end has the row.
const NOWHERE: u8 = 1;

/// Explain one row: both versions, whose it is, who wrote it, and what the next runs do with it and why.
///
/// The columns that differ are shown, the others counted. Then: the run on record that wrote each
/// version, a mobile edit that has not come home yet, and where the row is withheld or a version of it
/// lost (`conflicts show` tells more of those).
///
/// What the next run does is rehearsed by the run itself, with this row alone, and rolled back; each
/// direction as if it came first. If the run does not read the row, that is said with the reason, and what
/// `--full` would do with it. A row that waits for another one, such as its parent, may arrive with it.
/// Until it is rolled back the row is locked for mobile users, and other runs find the table held.
///
/// This prints values of rows. Exits with 1 when neither end has the row, with 2 when KEY is no key of
/// the table.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The table, by its name in the cloud
    table: String,
    /// The key, by the cloud's names of its columns: 10 or id=10; of several columns a=1,b=2; or a JSON
    /// object, as in '{"id": 10}'
    key: String,
    /// Show every column that travels, also those in which the two versions are the same
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(
    global: &Global,
    arguments: &Arguments,
    stop: &CancellationToken,
) -> Result<u8> {
    let config = global.load()?;
    let Arguments { table, key, all } = arguments;
    let explained = match explain::explain(&config, table, key, &Sql::default(), stop).await? {
        Ok(explained) => explained,
        Err(BadKey { columns }) => {
            let form = match &columns[..] {
                [column] => format!("VALUE or {column}=VALUE"),
                columns => {
                    columns.iter().map(|c| format!("{c}=VALUE")).collect::<Vec<_>>().join(",")
                }
            };
            return Ok(usage(format!(
                "KEY is no key of {table}; write it as {form}, or as a JSON object, with values of the \
                 key's types"
            )));
        }
    };
    print::contract(global.output, &explained, |explained| print::row(explained, *all))?;
    Ok(if explained.exists() { 0 } else { NOWHERE })
}
